/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * recipients-window.c - the recipients of a domain that exist
 */

#include "config.h"

#include "gui/recipients-window.h"

#include "gui/help-window.h"
#include "gui/naming.h"
#include "gui/note.h"
#include "gui/recipient-adder.h"
#include "gui/recipients-dialog.h"
#include "gui/rows-view.h"

#include <glib/gi18n.h>

#define FILE_OCTETS_MOST (64 * 1024 * 1024)

struct _RerouteRecipientsWindow
{
  GtkWindow parent_instance;

  GtkLabel *heading;
  RerouteRowsView *rows;
  RerouteNote *note;
  GtkWidget *ok_button;
  GtkWidget *import_button;

  RerouteSheet *sheet;
  char *domain;
  char *typed; /* (nullable): in the dialog, while it is being added */
  guint mark;  /* of the edit, when the window was opened */
  GtkFileChooserNative *chooser;
  GCancellable *cancellable;
  gboolean busy; /* a file or the list is being read */
};

G_DEFINE_FINAL_TYPE (RerouteRecipientsWindow, reroute_recipients_window, GTK_TYPE_WINDOW)

static void
set_busy (RerouteRecipientsWindow *self, gboolean busy)
{
  self->busy = busy;
  gtk_widget_set_sensitive (self->ok_button, !busy);
  gtk_widget_set_sensitive (self->import_button, !busy);
}

static void
say (RerouteRecipientsWindow *self, RerouteNoteKind kind, const char *sentence)
{
  g_autofree char *markup = sentence != NULL ? g_markup_escape_text (sentence, -1) : NULL;

  reroute_note_show (self->note, kind, markup, NULL);
}

/* --- adding --- */

/* Of a single new one the list itself tells. */
static void
say_added (RerouteRecipientsWindow *self, const RerouteAddedRecipients *added)
{
  g_autofree char *new_ones = g_strdup_printf (
    g_dngettext (
      GETTEXT_PACKAGE, "%'u address was added.", "%'u addresses were added.", added->n_added),
    added->n_added);
  g_autofree char *known = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                                         "%'u was on the list already.",
                                                         "%'u were on the list already.",
                                                         added->n_known),
                                            added->n_known);
  g_autofree char *both = g_strconcat (new_ones, " ", known, NULL);

  if (added->n_known > 0)
    say (self, REROUTE_NOTE_PLAIN, both);
  else
    say (self, REROUTE_NOTE_PLAIN, added->n_added > 1 ? new_ones : NULL);
}

static RerouteRecipientsDialog *open_dialog (RerouteRecipientsWindow *self, const char *text);

/* Where it was typed: with what was typed, if it was. */
static void
complain (RerouteRecipientsWindow *self, const char *sentence)
{
  g_autofree char *typed = g_steal_pointer (&self->typed);

  if (typed == NULL)
    say (self, REROUTE_NOTE_ERROR, sentence);
  else
    reroute_recipients_dialog_complain (open_dialog (self, typed), sentence);
}

static void
added_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteRecipientsWindow) self = REROUTE_RECIPIENTS_WINDOW (user_data);
  RerouteAddedRecipients added = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *sentence = NULL;
  gboolean done = reroute_recipients_add_finish (REROUTE_SHEET (source), result, &added, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  set_busy (self, FALSE);
  if (!done)
    {
      sentence = g_strdup_printf (_ ("Nothing was added: %s"), error->message);
      complain (self, sentence);
      return;
    }
  g_clear_pointer (&self->typed, g_free);
  say_added (self, &added);
  if (added.last_id < 0)
    reroute_rows_view_select (self->rows, added.last_id);
}

static void
take_lines (RerouteRecipientsWindow *self, const RerouteRecipientLines *lines)
{
  set_busy (self, TRUE);
  reroute_recipients_add_async (
    self->sheet, self->domain, lines->rows, self->cancellable, added_cb, g_object_ref (self));
}

static void
dialog_done_cb (RerouteRecipientsDialog *dialog,
                RerouteRecipientLines *lines,
                RerouteRecipientsWindow *self)
{
  g_free (self->typed);
  self->typed = reroute_recipients_dialog_dup_text (dialog);
  take_lines (self, lines);
}

/* @text: (nullable): what stands in it at first */
static RerouteRecipientsDialog *
open_dialog (RerouteRecipientsWindow *self, const char *text)
{
  RerouteRecipientsDialog *dialog = NULL;

  say (self, REROUTE_NOTE_PLAIN, NULL);
  dialog = reroute_recipients_dialog_new (GTK_WINDOW (self), self->domain, text);
  g_signal_connect_object (dialog, "done", G_CALLBACK (dialog_done_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
  return dialog;
}

/* An address has nothing but itself to be edited. */
static void
edit_row_cb (RerouteRowsView *rows, RerouteRow *row, RerouteRecipientsWindow *self)
{
  if (row == NULL && !self->busy)
    open_dialog (self, NULL);
}

static void
pasted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteRecipientsWindow) self = REROUTE_RECIPIENTS_WINDOW (user_data);
  g_autofree char *text = gdk_clipboard_read_text_finish (GDK_CLIPBOARD (source), result, NULL);

  if (text != NULL && !self->busy && !g_cancellable_is_cancelled (self->cancellable))
    open_dialog (self, text);
}

/* Outside of a text. */
static gboolean
paste_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  RerouteRecipientsWindow *self = REROUTE_RECIPIENTS_WINDOW (widget);

  gdk_clipboard_read_text_async (
    gtk_widget_get_clipboard (widget), self->cancellable, pasted_cb, g_object_ref (self));
  return TRUE;
}

/* --- a file --- */

static gboolean
is_wanted (const char *contents, goffset n_octets, gpointer user_data)
{
  return n_octets <= FILE_OCTETS_MOST;
}

/* (transfer full) (nullable): why the file cannot be taken; %NULL: it was. */
static char *
import_text (RerouteRecipientsWindow *self, const char *name, const char *text, gsize n_octets)
{
  g_autoptr (RerouteRecipientLines) lines = NULL;
  g_autofree char *problem = NULL;

  if (n_octets > FILE_OCTETS_MOST)
    return g_strdup_printf (
      /* Translators: the name of a file and the largest size. */
      _ ("Nothing was added: “%s” is larger than %d MiB."), name, FILE_OCTETS_MOST / (1024 * 1024));
  if (!g_utf8_validate_len (text, n_octets, NULL))
    return g_strdup_printf (_ ("Nothing was added: “%s” is no text in UTF-8."), name);
  lines = reroute_recipient_lines_parse (text, self->domain);
  problem = reroute_recipient_lines_dup_problem (lines, self->domain);
  if (problem != NULL)
    return g_strdup_printf (_ ("Nothing was added: %s"), problem);
  take_lines (self, lines);
  return NULL;
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteRecipientsWindow) self = REROUTE_RECIPIENTS_WINDOW (user_data);
  g_autofree char *name = g_file_get_parse_name (G_FILE (source));
  g_autofree char *text = NULL;
  g_autofree char *problem = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_octets = 0;

  if (!g_file_load_partial_contents_finish (
        G_FILE (source), result, &text, &n_octets, NULL, &error))
    problem = g_strdup_printf (_ ("Nothing was added: %s"), error->message);
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  set_busy (self, FALSE);
  if (problem == NULL)
    problem = import_text (self, name, text, n_octets);
  if (problem != NULL)
    say (self, REROUTE_NOTE_ERROR, problem);
}

static void
chosen_cb (GtkNativeDialog *chooser, int response, RerouteRecipientsWindow *self)
{
  g_autoptr (GFile) file = response == GTK_RESPONSE_ACCEPT
                             ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (chooser))
                             : NULL;

  g_clear_object (&self->chooser);
  if (file == NULL)
    return;
  set_busy (self, TRUE);
  g_file_load_partial_contents_async (
    file, self->cancellable, is_wanted, read_cb, g_object_ref (self));
}

static void
import_clicked_cb (GtkButton *button, RerouteRecipientsWindow *self)
{
  say (self, REROUTE_NOTE_PLAIN, NULL);
  self->chooser = gtk_file_chooser_native_new (
    _ ("Import Addresses"), GTK_WINDOW (self), GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Import"), NULL);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
add_import_button (RerouteRecipientsWindow *self)
{
  self->import_button = gtk_button_new_with_mnemonic (_ ("_Import…"));
  gtk_widget_set_tooltip_text (self->import_button, _ ("Adds the addresses in a file, one a line"));
  g_signal_connect_object (self->import_button, "clicked", G_CALLBACK (import_clicked_cb), self, 0);
  reroute_rows_view_add_button (self->rows, self->import_button);
  reroute_name_tree (self->import_button);
}

/* --- the window --- */

static void
ok_clicked_cb (GtkButton *button, RerouteRecipientsWindow *self)
{
  gtk_window_destroy (GTK_WINDOW (self));
}

/* Cancel, Esc, and the window's own button. */
static gboolean
close_request (GtkWindow *window)
{
  RerouteRecipientsWindow *self = REROUTE_RECIPIENTS_WINDOW (window);

  g_cancellable_cancel (self->cancellable);
  reroute_edit_undo_to (reroute_sheet_get_edit (self->sheet), self->mark);
  return GTK_WINDOW_CLASS (reroute_recipients_window_parent_class)->close_request (window);
}

static gboolean
escape_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  if (!reroute_rows_view_clear_search (REROUTE_RECIPIENTS_WINDOW (widget)->rows))
    gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

static gboolean
search_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_rows_view_focus_search (REROUTE_RECIPIENTS_WINDOW (widget)->rows);
  return TRUE;
}

/* Not beyond what was done in this window. */
static gboolean
undo_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  RerouteRecipientsWindow *self = REROUTE_RECIPIENTS_WINDOW (widget);
  RerouteEdit *edit = reroute_sheet_get_edit (self->sheet);

  say (self, REROUTE_NOTE_PLAIN, NULL);
  if (reroute_edit_get_mark (edit) > self->mark && !reroute_sheet_is_applying (self->sheet))
    reroute_edit_undo (edit);
  return TRUE;
}

static void
help_clicked_cb (GtkButton *button, RerouteRecipientsWindow *self)
{
  reroute_help_window_show (GTK_WINDOW (self), "recipients");
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), "recipients");
  return TRUE;
}

static void
reroute_recipients_window_dispose (GObject *object)
{
  RerouteRecipientsWindow *self = REROUTE_RECIPIENTS_WINDOW (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->chooser);
  g_clear_object (&self->sheet);

  G_OBJECT_CLASS (reroute_recipients_window_parent_class)->dispose (object);
}

static void
reroute_recipients_window_finalize (GObject *object)
{
  RerouteRecipientsWindow *self = REROUTE_RECIPIENTS_WINDOW (object);

  g_clear_object (&self->cancellable);
  g_free (self->domain);
  g_free (self->typed);

  G_OBJECT_CLASS (reroute_recipients_window_parent_class)->finalize (object);
}

static void
reroute_recipients_window_class_init (RerouteRecipientsWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_recipients_window_dispose;
  G_OBJECT_CLASS (klass)->finalize = reroute_recipients_window_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = close_request;

  g_type_ensure (REROUTE_TYPE_NOTE);
  g_type_ensure (REROUTE_TYPE_ROWS_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/reroute/gui/recipients-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteRecipientsWindow, heading);
  gtk_widget_class_bind_template_child (widget_class, RerouteRecipientsWindow, rows);
  gtk_widget_class_bind_template_child (widget_class, RerouteRecipientsWindow, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteRecipientsWindow, ok_button);
  gtk_widget_class_bind_template_callback (widget_class, edit_row_cb);
  gtk_widget_class_bind_template_callback (widget_class, ok_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, escape_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_f, GDK_CONTROL_MASK, search_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_v, GDK_CONTROL_MASK, paste_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_z, GDK_CONTROL_MASK, undo_cb, NULL);
}

static void
reroute_recipients_window_init (RerouteRecipientsWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
  add_import_button (self);
  say (self, REROUTE_NOTE_PLAIN, NULL);
}

RerouteRecipientsWindow *
reroute_recipients_window_new (GtkWindow *parent, RerouteSheet *sheet, const char *domain)
{
  RerouteRecipientsWindow *self =
    g_object_new (REROUTE_TYPE_RECIPIENTS_WINDOW, "transient-for", parent, NULL);
  g_autofree char *heading = g_markup_printf_escaped (
    /* Translators: %s is a domain. */
    _ ("Recipients that exist at <b>%s</b> and the domains below it. Mail for all others there is refused."),
       domain);

  self->sheet = g_object_ref (sheet);
  self->domain = g_strdup (domain);
  self->mark = reroute_edit_get_mark (reroute_sheet_get_edit (sheet));
  gtk_label_set_markup (self->heading, heading);
  reroute_rows_view_open_list (self->rows, sheet, domain);
  reroute_rows_view_focus_list (self->rows);
  return self;
}
