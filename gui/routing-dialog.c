/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * routing-dialog.c - Add E-mail Domain, Edit Routing Table Entry
 *
 * Source: Q190710, Q195969, Q264557.
 */

#include "config.h"

#include "gui/routing-dialog.h"

#include "common/domain.h"
#include "common/error.h"
#include "common/routing-entry.h"
#include "gui/field-error.h"
#include "gui/fit.h"
#include "gui/help-window.h"
#include "gui/naming.h"
#include "gui/row-form.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>

struct _RerouteRoutingDialog
{
  GtkWindow parent_instance;

  GtkScrolledWindow *scroller;
  GtkEditable *domain;
  GtkDropDown *reach;
  RerouteFieldError *domain_error;
  GtkCheckButton *inbound_radio;
  GtkCheckButton *reroute_radio;
  GtkCheckButton *relay_radio;
  GtkEditable *target;
  RerouteFieldError *target_error;
  GtkDropDown *accept_from;
  GtkEditable *comment;
  GtkDropDown *recipient_check;
  GtkWidget *list_button;
  GtkCheckButton *leaves;
  GtkCheckButton *enabled;
  RerouteNote *note;
  GtkLabel *provenance;
  GtkWidget *ok_button;

  RerouteRowForm *form;
};

enum
{
  DONE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteRoutingDialog, reroute_routing_dialog, GTK_TYPE_WINDOW)

static RerouteRoutingAction
get_action (RerouteRoutingDialog *self)
{
  if (gtk_check_button_get_active (self->inbound_radio))
    return REROUTE_ROUTING_INBOUND;
  return gtk_check_button_get_active (self->reroute_radio) ? REROUTE_ROUTING_REROUTE
                                                           : REROUTE_ROUTING_RELAY;
}

static RerouteRow *
make_row (gpointer user_data)
{
  RerouteRoutingDialog *self = REROUTE_ROUTING_DIALOG (user_data);
  RerouteRowFields fields = reroute_row_form_get_fields (self->form);
  RerouteRoutingAction action = get_action (self);
  const char *target = gtk_editable_get_text (self->target);
  g_autoptr (GError) error = NULL;
  RerouteRoutingEntry *entry = reroute_routing_entry_new (
    &fields, action, action == REROUTE_ROUTING_REROUTE ? target : NULL, &error);

  if (entry == NULL)
    g_debug ("not yet: %s", error->message);
  return (RerouteRow *) entry;
}

static char *
judge_target (GtkEditable *field, gpointer user_data)
{
  RerouteRoutingDialog *self = REROUTE_ROUTING_DIALOG (user_data);
  const char *text = gtk_editable_get_text (field);
  g_autoptr (GError) error = NULL;
  g_autofree char *target = NULL;

  if (text[0] == '\0' || get_action (self) != REROUTE_ROUTING_REROUTE)
    return NULL;
  target = reroute_domain_normalize (text, &error);
  return target != NULL ? NULL : reroute_dup_domain_error (text, error);
}

static void
action_toggled_cb (GtkCheckButton *button, RerouteRoutingDialog *self)
{
  GtkWidget *focus = NULL;

  if (!gtk_check_button_get_active (button))
    return;
  focus = gtk_window_get_focus (GTK_WINDOW (self));
  /* Before a field that has it goes insensitive. */
  if (self->form != NULL && button != self->reroute_radio && !GTK_IS_CHECK_BUTTON (focus))
    gtk_widget_grab_focus (GTK_WIDGET (button));
  gtk_widget_set_sensitive (GTK_WIDGET (self->target),
                            get_action (self) == REROUTE_ROUTING_REROUTE);
  if (self->form == NULL)
    return;
  /* By its mnemonic a radio is chosen without the focus: the next key is for its field. */
  if (button == self->reroute_radio && focus != GTK_WIDGET (button))
    gtk_widget_grab_focus (GTK_WIDGET (self->target));
  reroute_field_error_update (self->target_error);
  reroute_row_form_update (self->form);
}

static void
target_changed_cb (GtkEditable *target, RerouteRoutingDialog *self)
{
  if (self->form != NULL)
    reroute_row_form_update (self->form);
}

static void
ok_clicked_cb (GtkButton *button, RerouteRoutingDialog *self)
{
  gint64 id = reroute_row_form_commit (self->form);

  if (id == 0)
    return;
  g_signal_emit (self, signals[DONE], 0, id);
  gtk_window_destroy (GTK_WINDOW (self));
}

static void
help_clicked_cb (GtkButton *button, RerouteRoutingDialog *self)
{
  reroute_help_window_show (GTK_WINDOW (self), "routing-entry");
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), "routing-entry");
  return TRUE;
}

static void
reroute_routing_dialog_dispose (GObject *object)
{
  RerouteRoutingDialog *self = REROUTE_ROUTING_DIALOG (object);

  if (self->form != NULL)
    {
      reroute_field_error_unwatch (self->domain_error);
      reroute_field_error_unwatch (self->target_error);
      reroute_row_form_close (self->form);
    }
  g_clear_object (&self->form);

  G_OBJECT_CLASS (reroute_routing_dialog_parent_class)->dispose (object);
}

static void
reroute_routing_dialog_class_init (RerouteRoutingDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_routing_dialog_dispose;

  signals[DONE] = g_signal_new ("done",
                                REROUTE_TYPE_ROUTING_DIALOG,
                                G_SIGNAL_RUN_LAST,
                                0,
                                NULL,
                                NULL,
                                NULL,
                                G_TYPE_NONE,
                                1,
                                G_TYPE_INT64);

  g_type_ensure (REROUTE_TYPE_NOTE);
  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/routing-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, scroller);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, domain);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, reach);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, domain_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, inbound_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, reroute_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, relay_radio);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, target);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, target_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, accept_from);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, comment);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, recipient_check);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, list_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, leaves);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, enabled);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, provenance);
  gtk_widget_class_bind_template_child (widget_class, RerouteRoutingDialog, ok_button);
  gtk_widget_class_bind_template_callback (widget_class, action_toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, target_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, ok_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
}

static void
reroute_routing_dialog_init (RerouteRoutingDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  reroute_name_widget (GTK_WIDGET (self->reach), _ ("Reach"));
  reroute_name_widget (GTK_WIDGET (self->target), _ ("Should be rerouted to this domain"));
}

static void
fill (RerouteRoutingDialog *self, const RerouteRoutingEntry *entry)
{
  GtkCheckButton *const radios[] = {
    [REROUTE_ROUTING_INBOUND] = self->inbound_radio,
    [REROUTE_ROUTING_REROUTE] = self->reroute_radio,
    [REROUTE_ROUTING_RELAY] = self->relay_radio,
  };

  gtk_check_button_set_active (radios[entry->action], TRUE);
  if (entry->target != NULL)
    gtk_editable_set_text (self->target, entry->target);
}

RerouteRoutingDialog *
reroute_routing_dialog_new (GtkWindow *parent, RerouteSheet *sheet, RerouteRow *row)
{
  RerouteRoutingDialog *self = g_object_new (REROUTE_TYPE_ROUTING_DIALOG,
                                             "transient-for",
                                             parent,
                                             "title",
                                             row != NULL
                                             ? _ ("Edit Routing Table Entry")
                                             : _ ("Add E-mail Domain"), NULL);
  RerouteRowFieldsWidgets widgets = {
    .domain = self->domain,
    .reach = self->reach,
    .accept_from = self->accept_from,
    .comment = self->comment,
    .recipient_check = self->recipient_check,
    .list_button = self->list_button,
    .leaves = self->leaves,
    .enabled = self->enabled,
    .note = self->note,
    .provenance = self->provenance,
    .ok_button = self->ok_button,
  };

  if (row != NULL)
    fill (self, (const RerouteRoutingEntry *) row);
  self->form = reroute_row_form_new (sheet, row, &widgets, make_row, self);
  reroute_field_error_watch (self->domain_error, self->domain, reroute_row_form_judge_domain, self);
  reroute_field_error_watch (self->target_error, self->target, judge_target, self);
  reroute_row_form_update (self->form);
  reroute_fit_dialog (GTK_WINDOW (self), self->scroller);
  gtk_widget_grab_focus (GTK_WIDGET (self->domain));
  return self;
}
