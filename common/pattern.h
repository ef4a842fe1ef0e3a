/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sentences of the services are English; their patterns are translated here, each %s a place. */

/* (transfer full) (nullable): what stands in the places of @pattern in @sentence; NULL when the
   sentence is not of that pattern. */
char **reroute_pattern_match (const char *pattern, const char *sentence);
/* (transfer full): @pattern with @arguments in its places: "%s", the next one, or "%2$s".
   @arguments: (array zero-terminated=1) */
char *reroute_pattern_fill (const char *pattern, char *const *arguments);

G_END_DECLS
