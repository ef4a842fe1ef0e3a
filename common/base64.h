/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What @text stands for, "" for nothing; (transfer full) (nullable): NULL when it is not canonical
   base64 (RFC 4648 section 4): GLib passes over what it does not know. */
GBytes *reroute_base64_decode (const char *text);

G_END_DECLS
