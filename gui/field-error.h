/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * RerouteFieldError:
 *
 * The line below a field that says what is wrong with it, or may be.  It shows when the field is
 * left or after 600 ms without a key, and goes at once with the next key.
 */
#define REROUTE_TYPE_FIELD_ERROR (reroute_field_error_get_type ())
G_DECLARE_FINAL_TYPE (RerouteFieldError, reroute_field_error, REROUTE, FIELD_ERROR, GtkBox)

/* (transfer full) (nullable): a translated sentence, or NULL when the field is right or empty. */
typedef char *(*RerouteFieldFunc) (GtkEditable *field, gpointer user_data);

void reroute_field_error_watch (RerouteFieldError *self,
                                GtkEditable *field,
                                RerouteFieldFunc func,
                                gpointer user_data);

/* Before @user_data goes: the field may yet lose the focus while its window is taken down. */
void reroute_field_error_unwatch (RerouteFieldError *self);

/* What is no error but may be amiss, until the next key: an error goes before it.  @sentence:
   (nullable): translated */
void reroute_field_error_set_warning (RerouteFieldError *self, const char *sentence);
/* (nullable) */
const char *reroute_field_error_get_warning (RerouteFieldError *self);

/* Judges now: for a change that came from another widget. */
void reroute_field_error_update (RerouteFieldError *self);

G_END_DECLS
