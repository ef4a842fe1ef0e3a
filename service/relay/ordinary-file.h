/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Text that may be secret, such as a private key or a token: nothing of it stays in memory. */
typedef char RerouteFileText;
void reroute_file_text_free (RerouteFileText *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteFileText, reroute_file_text_free)

/**
 * reroute_ordinary_file_read:
 * @file: of a certificate, key or token
 * @why: (out) (transfer none): of a failure, what stands behind "cannot use it: "
 *
 * Reads what is in @file now; it blocks for no longer than a disk does.
 *
 * Returns: (transfer full): %NULL: there is no such ordinary file, or it is too large to be one
 */
RerouteFileText *reroute_ordinary_file_read (const char *file, const char **why);

/* Whether @file is one, for who lets a library read it; @why: as above. */
gboolean reroute_ordinary_file_check (const char *file, const char **why);

G_END_DECLS
