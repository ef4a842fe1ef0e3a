/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_dup_shortened:
 * @text: UTF-8 of any length, as another program said it
 * @most: octets
 *
 * Returns: (transfer full): @text, or what of its whole characters fits into @most octets and "…"
 */
char *reroute_dup_shortened (const char *text, gsize most);

G_END_DECLS
