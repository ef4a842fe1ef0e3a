/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_certificate_dup_text:
 * @remark: what the relay says of files of certificates, in English: Relay1.JudgeCertificates, the
 *   "tls-failure" of Status, or "TLS is " and the "tls" of it
 *
 * Returns: (transfer full): it in the reader's language; words of the system and of GnuTLS, and a
 *   remark that is not known here, stay as they came
 */
char *reroute_certificate_dup_text (const char *remark);

/* The same in place.  @remark: (inout) (transfer full) */
void reroute_certificate_translate (char **remark);

G_END_DECLS
