/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether @name may be that of a program in a directory of its own: letters, digits, dots, hyphens
   and underlines, no dot in front, at most REROUTE_LIMIT_PROGRAM_OCTETS. */
gboolean reroute_program_name_is_bare (const char *name);

G_END_DECLS
