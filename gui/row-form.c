/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * row-form.c - what both Add dialogs do alike
 */

#include "config.h"

#include "gui/row-form.h"

#include "common/domain.h"
#include "gui/recipients-window.h"
#include "gui/row-text.h"
#include "gui/trial.h"

#include <glib/gi18n.h>

#define CHECK_DELAY_MS 200 /* without a key, before rulesd is asked */

struct _RerouteRowForm
{
  GObject parent_instance;

  RerouteSheet *sheet;
  RerouteRow *edited; /* NULL: a new row */
  RerouteRowFieldsWidgets widgets;
  RerouteMakeRowFunc make;
  gpointer user_data;

  guint mark;          /* of the edit, when the dialog was opened */
  RerouteNews *others; /* (nullable): what others saved since */
  RerouteRow *row;     /* what the fields make now; NULL: something is wrong */
  guint check_id;
  GCancellable *check;
};

G_DEFINE_FINAL_TYPE (RerouteRowForm, reroute_row_form, G_TYPE_OBJECT)

static void
show_sentence (RerouteRowForm *self)
{
  g_autofree char *markup = NULL;

  if (self->row == NULL)
    {
      reroute_note_show (self->widgets.note,
                         REROUTE_NOTE_QUIET,
                         _ ("What this entry does is shown here once its domain is complete."),
                            NULL);
      return;
    }
  markup = reroute_row_dup_sentence (self->row);
  reroute_note_show (self->widgets.note, REROUTE_NOTE_PLAIN, markup, NULL);
}

/* Findings stand errors first; a note is no reason to hide what the entry does. */
static void
show_findings (RerouteRowForm *self, GPtrArray *findings)
{
  RerouteFinding *finding = findings->len > 0 ? g_ptr_array_index (findings, 0) : NULL;
  g_autofree char *markup = NULL;
  gboolean wrong = finding != NULL && finding->level == REROUTE_FINDING_ERROR;

  gtk_widget_set_sensitive (self->widgets.ok_button, self->row != NULL && !wrong);
  if (finding == NULL || finding->level == REROUTE_FINDING_NOTE)
    {
      show_sentence (self);
      return;
    }
  markup = reroute_finding_dup_markup (finding);
  reroute_note_show (
    self->widgets.note, wrong ? REROUTE_NOTE_ERROR : REROUTE_NOTE_WARNING, markup, finding->path);
}

static void
checked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteRowForm) self = REROUTE_ROW_FORM (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) findings =
               reroute_trial_check_row_finish (REROUTE_SHEET (source), result, &error);

  if (findings == NULL)
    g_debug ("no findings for the row: %s", error->message);
  else if (self->make != NULL && self->row != NULL)
    show_findings (self, findings);
}

static gboolean
check_cb (gpointer user_data)
{
  RerouteRowForm *self = REROUTE_ROW_FORM (user_data);

  self->check_id = 0;
  self->check = g_cancellable_new ();
  reroute_trial_check_row_async (
    self->sheet, self->row, self->check, checked_cb, g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
stop_check (RerouteRowForm *self)
{
  g_clear_handle_id (&self->check_id, g_source_remove);
  g_cancellable_cancel (self->check);
  g_clear_object (&self->check);
}

static void
domain_changed_cb (GtkEditable *domain, RerouteRowForm *self)
{
  const char *text = gtk_editable_get_text (domain);

  if (text[0] == '#')
    {
      gtk_drop_down_set_selected (self->widgets.reach, 1);
      gtk_editable_delete_text (domain, 0, 1);
      return;
    }
  reroute_row_form_update (self);
}

static void
changed_cb (RerouteRowForm *self)
{
  reroute_row_form_update (self);
}

static void
others_saved_cb (RerouteSheet *sheet, const RerouteNews *news, RerouteRowForm *self)
{
  reroute_news_add (&self->others, news);
}

/* --- the list of recipients --- */

/* (transfer full) (nullable): of the list; %NULL while the field holds no domain. */
static char *
dup_list_domain (RerouteRowForm *self)
{
  return reroute_row_normalize_domain (gtk_editable_get_text (self->widgets.domain), NULL, NULL);
}

static void
show_list_button (RerouteRowForm *self)
{
  guint check = gtk_drop_down_get_selected (self->widgets.recipient_check);
  g_autofree char *domain = dup_list_domain (self);

  gtk_widget_set_sensitive (self->widgets.list_button,
                            domain != NULL && check == REROUTE_RECIPIENT_CHECK_LIST);
}

/* What is said of the entry may hang on what is on the list. */
static void
list_clicked_cb (GtkButton *button, RerouteRowForm *self)
{
  g_autofree char *domain = dup_list_domain (self);
  GtkWidget *window = NULL;

  if (domain == NULL)
    return;
  window = GTK_WIDGET (reroute_recipients_window_new (
    GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (button))), self->sheet, domain));
  g_signal_connect_object (window, "destroy", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (window));
}

static gboolean
cancelled_cb (GtkWindow *window, RerouteRowForm *self)
{
  reroute_edit_undo_to (reroute_sheet_get_edit (self->sheet), self->mark);
  return GDK_EVENT_PROPAGATE;
}

static void
fill (RerouteRowForm *self)
{
  RerouteRowFieldsWidgets *widgets = &self->widgets;
  g_autofree char *domain = NULL;
  g_autofree char *provenance = NULL;

  gtk_check_button_set_active (widgets->enabled, self->edited == NULL || self->edited->enabled);
  if (self->edited == NULL)
    return;
  domain = reroute_domain_to_unicode (self->edited->domain);
  provenance = reroute_row_dup_provenance (self->edited);
  gtk_editable_set_text (widgets->domain, domain);
  gtk_drop_down_set_selected (widgets->reach, self->edited->exact ? 1 : 0);
  gtk_drop_down_set_selected (widgets->accept_from,
                              self->edited->accept_from == REROUTE_ACCEPT_FROM_ANYONE ? 0 : 1);
  if (widgets->tls != NULL)
    gtk_drop_down_set_selected (widgets->tls, self->edited->tls);
  gtk_drop_down_set_selected (widgets->recipient_check, self->edited->recipient_check);
  gtk_check_button_set_active (widgets->leaves, self->edited->leaves);
  gtk_editable_set_text (widgets->comment, self->edited->comment);
  gtk_label_set_label (widgets->provenance, provenance != NULL ? provenance : "");
}

/* A row that she has added, and that may be saved while the dialog is open. */
static gboolean
is_of_hers (RerouteRowForm *self)
{
  return self->edited != NULL && self->edited->id < 0;
}

static void
reroute_row_form_dispose (GObject *object)
{
  RerouteRowForm *self = REROUTE_ROW_FORM (object);

  stop_check (self);
  if (self->sheet != NULL && is_of_hers (self))
    reroute_sheet_unawait_id (self->sheet);
  g_clear_object (&self->sheet);
  g_clear_pointer (&self->edited, reroute_row_unref);
  g_clear_pointer (&self->row, reroute_row_unref);
  g_clear_pointer (&self->others, reroute_news_free);

  G_OBJECT_CLASS (reroute_row_form_parent_class)->dispose (object);
}

static void
reroute_row_form_class_init (RerouteRowFormClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_row_form_dispose;
}

static void
reroute_row_form_init (RerouteRowForm *self)
{
}

RerouteRowForm *
reroute_row_form_new (RerouteSheet *sheet,
                      RerouteRow *row,
                      const RerouteRowFieldsWidgets *widgets,
                      RerouteMakeRowFunc make,
                      gpointer user_data)
{
  RerouteRowForm *self = g_object_new (REROUTE_TYPE_ROW_FORM, NULL);

  self->sheet = g_object_ref (sheet);
  self->edited = row != NULL ? reroute_row_ref (row) : NULL;
  self->widgets = *widgets;
  self->make = make;
  self->user_data = user_data;
  self->mark = reroute_edit_get_mark (reroute_sheet_get_edit (sheet));
  if (is_of_hers (self))
    reroute_sheet_await_id (sheet);
  fill (self);

  g_signal_connect_object (sheet, "others-saved", G_CALLBACK (others_saved_cb), self, 0);
  g_signal_connect_object (widgets->domain, "changed", G_CALLBACK (domain_changed_cb), self, 0);
  g_signal_connect_object (
    widgets->reach, "notify::selected", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (
    widgets->accept_from, "notify::selected", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  if (widgets->tls != NULL)
    g_signal_connect_object (
      widgets->tls, "notify::selected", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (
    widgets->recipient_check, "notify::selected", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (widgets->list_button, "clicked", G_CALLBACK (list_clicked_cb), self, 0);
  g_signal_connect_object (
    gtk_widget_get_root (widgets->ok_button), "close-request", G_CALLBACK (cancelled_cb), self, 0);
  g_signal_connect_object (
    widgets->leaves, "toggled", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (
    widgets->comment, "changed", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (
    widgets->enabled, "toggled", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  return self;
}

RerouteRowFields
reroute_row_form_get_fields (RerouteRowForm *self)
{
  RerouteRowFieldsWidgets *widgets = &self->widgets;

  return (RerouteRowFields){
    .id = self->edited != NULL ? self->edited->id : 0,
    .domain = gtk_editable_get_text (widgets->domain),
    .exact = gtk_drop_down_get_selected (widgets->reach) == 1,
    .accept_from = gtk_drop_down_get_selected (widgets->accept_from) == 1
                     ? REROUTE_ACCEPT_FROM_PERMITTED
                     : REROUTE_ACCEPT_FROM_ANYONE,
    .enabled = gtk_check_button_get_active (widgets->enabled),
    .leaves = gtk_check_button_get_active (widgets->leaves),
    .recipient_check =
      (RerouteRecipientCheck) gtk_drop_down_get_selected (widgets->recipient_check),
    .tls = widgets->tls != NULL ? (RerouteTlsLevel) gtk_drop_down_get_selected (widgets->tls)
                                : REROUTE_TLS_UNSET,
    .comment = gtk_editable_get_text (widgets->comment),
    .changed_by = self->edited != NULL ? self->edited->changed_by : NULL,
    .changed_us = self->edited != NULL ? self->edited->changed_us : 0,
  };
}

char *
reroute_row_form_judge_domain (GtkEditable *field, gpointer user_data)
{
  const char *text = gtk_editable_get_text (field);
  g_autoptr (GError) error = NULL;
  g_autofree char *domain = reroute_row_normalize_domain (text, NULL, &error);

  return domain != NULL || text[0] == '\0' ? NULL : reroute_dup_domain_error (text, error);
}

void
reroute_row_form_update (RerouteRowForm *self)
{
  g_return_if_fail (REROUTE_IS_ROW_FORM (self));

  if (self->make == NULL)
    return;
  stop_check (self);
  show_list_button (self);
  g_clear_pointer (&self->row, reroute_row_unref);
  self->row = self->make (self->user_data);
  gtk_widget_set_sensitive (self->widgets.ok_button, self->row != NULL);
  show_sentence (self);
  if (self->row != NULL)
    self->check_id = g_timeout_add (CHECK_DELAY_MS, check_cb, self);
}

gint64
reroute_row_form_commit (RerouteRowForm *self)
{
  RerouteEdit *edit = NULL;
  gint64 id = 0;

  g_return_val_if_fail (REROUTE_IS_ROW_FORM (self), 0);

  if (self->row == NULL)
    return 0;
  edit = reroute_sheet_get_edit (self->sheet);
  reroute_edit_begin_step (edit);
  id = reroute_edit_put_row (edit, self->row, self->edited);
  if (self->others != NULL)
    reroute_sheet_lay_row (self->sheet, self->row->page, id, self->others);
  return id;
}

void
reroute_row_form_close (RerouteRowForm *self)
{
  g_return_if_fail (REROUTE_IS_ROW_FORM (self));

  stop_check (self);
  self->make = NULL;
}
