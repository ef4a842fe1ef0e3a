/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shows @hint in the empty @field and names it so; Esc in it clears it, or is its window's when it
   is empty. */
void reroute_search_field_init (GtkSearchEntry *field, const char *hint);

/* (transfer full): what is searched for; "" when no word was typed. */
char *reroute_search_field_dup_text (GtkSearchEntry *field);

/* Returns: %FALSE when there was nothing to clear */
gboolean reroute_search_field_clear (GtkSearchEntry *field);

G_END_DECLS
