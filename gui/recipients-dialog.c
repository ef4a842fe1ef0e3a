/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * recipients-dialog.c - Add Addresses: one or many, typed or pasted
 */

#include "config.h"

#include "gui/recipients-dialog.h"

#include "gui/help-window.h"
#include "gui/naming.h"
#include "gui/note.h"

#include <glib/gi18n.h>

struct _RerouteRecipientsDialog
{
  GtkWindow parent_instance;

  GtkTextView *view;
  GtkTextBuffer *buffer;
  RerouteNote *note;
  GtkLabel *hint;
  GtkWidget *ok_button;

  char *domain;
};

enum
{
  DONE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteRecipientsDialog, reroute_recipients_dialog, GTK_TYPE_WINDOW)

static void
changed_cb (GtkTextBuffer *buffer, RerouteRecipientsDialog *self)
{
  gtk_widget_set_sensitive (self->ok_button, gtk_text_buffer_get_char_count (buffer) > 0);
  reroute_note_show (self->note, REROUTE_NOTE_ERROR, NULL, NULL);
}

/* Selects the line, so that the next key writes it anew. */
static void
show_line (RerouteRecipientsDialog *self, guint number)
{
  GtkTextIter start, end;

  gtk_text_buffer_get_iter_at_line (self->buffer, &start, (int) number - 1);
  end = start;
  if (!gtk_text_iter_ends_line (&end))
    gtk_text_iter_forward_to_line_end (&end);
  gtk_text_buffer_select_range (self->buffer, &start, &end);
  gtk_text_view_scroll_to_mark (
    self->view, gtk_text_buffer_get_insert (self->buffer), 0, FALSE, 0, 0);
  gtk_widget_grab_focus (GTK_WIDGET (self->view));
}

char *
reroute_recipients_dialog_dup_text (RerouteRecipientsDialog *self)
{
  GtkTextIter start, end;

  g_return_val_if_fail (REROUTE_IS_RECIPIENTS_DIALOG (self), NULL);

  gtk_text_buffer_get_bounds (self->buffer, &start, &end);
  return gtk_text_buffer_get_text (self->buffer, &start, &end, FALSE);
}

void
reroute_recipients_dialog_complain (RerouteRecipientsDialog *self, const char *sentence)
{
  g_return_if_fail (REROUTE_IS_RECIPIENTS_DIALOG (self) && sentence != NULL);

  g_autofree char *markup = g_markup_escape_text (sentence, -1);
  reroute_note_show (self->note, REROUTE_NOTE_ERROR, markup, NULL);
}

static void
finish (RerouteRecipientsDialog *self)
{
  g_autofree char *text = reroute_recipients_dialog_dup_text (self);
  g_autofree char *problem = NULL;
  g_autoptr (RerouteRecipientLines) lines = NULL;

  lines = reroute_recipient_lines_parse (text, self->domain);
  problem = reroute_recipient_lines_dup_problem (lines, self->domain);
  if (problem != NULL)
    {
      show_line (self, lines->wrong_line);
      reroute_recipients_dialog_complain (self, problem);
      return;
    }
  g_signal_emit (self, signals[DONE], 0, lines);
  gtk_window_destroy (GTK_WINDOW (self));
}

static void
ok_clicked_cb (GtkButton *button, RerouteRecipientsDialog *self)
{
  finish (self);
}

/* Enter begins another line; with Ctrl it is OK. */
static gboolean
view_key_cb (GtkEventControllerKey *controller,
             guint keyval,
             guint keycode,
             GdkModifierType state,
             RerouteRecipientsDialog *self)
{
  if ((keyval != GDK_KEY_Return && keyval != GDK_KEY_KP_Enter) || (state & GDK_CONTROL_MASK) == 0 ||
      !gtk_widget_is_sensitive (self->ok_button))
    return GDK_EVENT_PROPAGATE;
  finish (self);
  return GDK_EVENT_STOP;
}

static void
help_clicked_cb (GtkButton *button, RerouteRecipientsDialog *self)
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
reroute_recipients_dialog_finalize (GObject *object)
{
  g_free (REROUTE_RECIPIENTS_DIALOG (object)->domain);

  G_OBJECT_CLASS (reroute_recipients_dialog_parent_class)->finalize (object);
}

static void
reroute_recipients_dialog_class_init (RerouteRecipientsDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = reroute_recipients_dialog_finalize;

  signals[DONE] = g_signal_new ("done",
                                REROUTE_TYPE_RECIPIENTS_DIALOG,
                                G_SIGNAL_RUN_LAST,
                                0,
                                NULL,
                                NULL,
                                NULL,
                                G_TYPE_NONE,
                                1,
                                G_TYPE_POINTER);

  g_type_ensure (REROUTE_TYPE_NOTE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/reroute/gui/recipients-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteRecipientsDialog, view);
  gtk_widget_class_bind_template_child (widget_class, RerouteRecipientsDialog, buffer);
  gtk_widget_class_bind_template_child (widget_class, RerouteRecipientsDialog, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteRecipientsDialog, hint);
  gtk_widget_class_bind_template_child (widget_class, RerouteRecipientsDialog, ok_button);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, ok_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, view_key_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
}

static void
reroute_recipients_dialog_init (RerouteRecipientsDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
}

RerouteRecipientsDialog *
reroute_recipients_dialog_new (GtkWindow *parent, const char *domain, const char *text)
{
  RerouteRecipientsDialog *self =
    g_object_new (REROUTE_TYPE_RECIPIENTS_DIALOG, "transient-for", parent, NULL);
  g_autofree char *hint = g_strdup_printf (
    /* Translators: %s is a domain. */
    _ ("Addresses of “%s” and of domains below it, or what stands before the “@” alone. Lines that begin with “#” are passed over."),
       domain);

  self->domain = g_strdup (domain);
  gtk_label_set_label (self->hint, hint);
  if (text != NULL)
    gtk_text_buffer_set_text (self->buffer, text, -1);
  changed_cb (self->buffer, self);
  gtk_widget_grab_focus (GTK_WIDGET (self->view));
  return self;
}
