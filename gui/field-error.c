/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * field-error.c - an error or a warning beside the field it is about
 */

#include "config.h"

#include "gui/field-error.h"

#include "gui/fit.h"
#include "gui/naming.h"

#define QUIET_MS 600 /* without a key; dialog-look.md section 6 */

struct _RerouteFieldError
{
  GtkBox parent_instance;

  GtkWidget *icon;
  GtkLabel *label;

  GtkEditable *field; /* borrowed: both live in one template */
  RerouteFieldFunc func;
  gpointer user_data;
  guint timeout_id;
  char *warning; /* (nullable): shown while there is no error */
};

G_DEFINE_FINAL_TYPE (RerouteFieldError, reroute_field_error, GTK_TYPE_BOX)

static void
set_class (gpointer widget, const char *name, gboolean has)
{
  if (has)
    gtk_widget_add_css_class (GTK_WIDGET (widget), name);
  else
    gtk_widget_remove_css_class (GTK_WIDGET (widget), name);
}

/* The @error, else the warning, else nothing. */
static void
show (RerouteFieldError *self, const char *error)
{
  gboolean wrong = error != NULL;
  const char *sentence = wrong ? error : self->warning;

  gtk_label_set_label (self->label, sentence != NULL ? sentence : "");
  gtk_image_set_from_icon_name (GTK_IMAGE (self->icon),
                                wrong ? "dialog-error-symbolic" : "dialog-warning-symbolic");
  set_class (self, "field-error", wrong);
  set_class (self->icon, "state-warning", !wrong);
  gtk_widget_set_visible (GTK_WIDGET (self), sentence != NULL);
  reroute_fit_height (GTK_WIDGET (self));
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->field),
                               GTK_ACCESSIBLE_STATE_INVALID,
                               wrong ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE,
                               -1);
  set_class (self->field, "error", wrong);
}

static gboolean
quiet_cb (gpointer user_data)
{
  RerouteFieldError *self = REROUTE_FIELD_ERROR (user_data);

  self->timeout_id = 0;
  reroute_field_error_update (self);
  return G_SOURCE_REMOVE;
}

static void
changed_cb (GtkEditable *field, RerouteFieldError *self)
{
  g_clear_handle_id (&self->timeout_id, g_source_remove);
  if (self->field == NULL)
    return;
  g_clear_pointer (&self->warning, g_free);
  show (self, NULL);
  self->timeout_id = g_timeout_add (QUIET_MS, quiet_cb, self);
}

static void
left_cb (GtkEventControllerFocus *controller, RerouteFieldError *self)
{
  reroute_field_error_update (self);
}

static void
reroute_field_error_dispose (GObject *object)
{
  RerouteFieldError *self = REROUTE_FIELD_ERROR (object);

  g_clear_handle_id (&self->timeout_id, g_source_remove);
  self->field = NULL;

  G_OBJECT_CLASS (reroute_field_error_parent_class)->dispose (object);
}

static void
reroute_field_error_finalize (GObject *object)
{
  g_free (REROUTE_FIELD_ERROR (object)->warning);

  G_OBJECT_CLASS (reroute_field_error_parent_class)->finalize (object);
}

static void
reroute_field_error_class_init (RerouteFieldErrorClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_field_error_dispose;
  G_OBJECT_CLASS (klass)->finalize = reroute_field_error_finalize;
  gtk_widget_class_set_template_from_resource (GTK_WIDGET_CLASS (klass),
                                               "/org/reroute/gui/field-error.ui");
  gtk_widget_class_bind_template_child (GTK_WIDGET_CLASS (klass), RerouteFieldError, icon);
  gtk_widget_class_bind_template_child (GTK_WIDGET_CLASS (klass), RerouteFieldError, label);
}

static void
reroute_field_error_init (RerouteFieldError *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
reroute_field_error_watch (RerouteFieldError *self,
                           GtkEditable *field,
                           RerouteFieldFunc func,
                           gpointer user_data)
{
  GtkEventController *focus = gtk_event_controller_focus_new ();

  g_return_if_fail (REROUTE_IS_FIELD_ERROR (self));
  g_return_if_fail (GTK_IS_EDITABLE (field));

  self->field = field;
  self->func = func;
  self->user_data = user_data;
  g_signal_connect_object (field, "changed", G_CALLBACK (changed_cb), self, 0);
  g_signal_connect_object (focus, "leave", G_CALLBACK (left_cb), self, 0);
  gtk_widget_add_controller (GTK_WIDGET (field), focus);
  reroute_name_describe (GTK_WIDGET (field), GTK_WIDGET (self->label));
}

void
reroute_field_error_unwatch (RerouteFieldError *self)
{
  g_return_if_fail (REROUTE_IS_FIELD_ERROR (self));

  g_clear_handle_id (&self->timeout_id, g_source_remove);
  self->field = NULL;
}

void
reroute_field_error_update (RerouteFieldError *self)
{
  g_autofree char *sentence = NULL;

  g_return_if_fail (REROUTE_IS_FIELD_ERROR (self));

  if (self->field == NULL)
    return;
  g_clear_handle_id (&self->timeout_id, g_source_remove);
  sentence = self->func (self->field, self->user_data);
  show (self, sentence);
}

void
reroute_field_error_set_warning (RerouteFieldError *self, const char *sentence)
{
  g_return_if_fail (REROUTE_IS_FIELD_ERROR (self));

  if (g_strcmp0 (sentence, self->warning) == 0)
    return;
  g_free (self->warning);
  self->warning = g_strdup (sentence);
  if (self->timeout_id == 0)
    reroute_field_error_update (self);
}

const char *
reroute_field_error_get_warning (RerouteFieldError *self)
{
  g_return_val_if_fail (REROUTE_IS_FIELD_ERROR (self), NULL);

  return self->warning;
}
