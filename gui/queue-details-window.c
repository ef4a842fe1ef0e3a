/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-details-window.c - one message of the queue, its recipients with their replies
 *
 * It shows the message as it was when the window was opened.
 */

#include "config.h"

#include "gui/queue-details-window.h"

#include "common/error.h"
#include "gui/help-window.h"
#include "gui/naming.h"
#include "gui/note.h"
#include "gui/plain-list.h"
#include "gui/queue-columns.h"
#include "gui/queue-text.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>

struct _RerouteQueueDetailsWindow
{
  GtkWindow parent_instance;

  RerouteNote *note;
  RerouteNote *reply; /* of the selected recipient */
  GtkColumnView *recipients_view;
  GtkTextView *headers;
  GtkWidget *close_button;

  GListStore *recipients; /* of RerouteListLine of RerouteQueuedRecipient */
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (RerouteQueueDetailsWindow, reroute_queue_details_window, GTK_TYPE_WINDOW)

static void
show_origin (RerouteQueueDetailsWindow *self, GVariant *values)
{
  const char *sender = "", *client = "", *helo = "";
  gint64 received_us = 0;
  guint64 octets = 0;
  g_autofree char *when = NULL;
  g_autofree char *size = NULL;
  g_autofree char *markup = NULL;

  g_variant_lookup (values, "reverse-path", "&s", &sender);
  g_variant_lookup (values, "client", "&s", &client);
  g_variant_lookup (values, "helo", "&s", &helo);
  g_variant_lookup (values, "received", "x", &received_us);
  g_variant_lookup (values, "octets", "t", &octets);
  when = reroute_dup_moment (received_us);
  size = reroute_dup_size (octets);
  /* Translators: the sender, the address of a host and how it calls itself, date and time, a size
   */
  markup = g_markup_printf_escaped (_ ("From <b>%s</b>, handed in by %s (%s) on %s, %s."),
                                       sender[0] != '\0' ? sender : "<>",
                                       client,
                                       helo,
                                       when,
                                       size);
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, markup, NULL);
}

/* What was said to a recipient is often longer than its cell. */
static void
selected_cb (GtkSingleSelection *selection, GParamSpec *pspec, RerouteQueueDetailsWindow *self)
{
  RerouteListLine *line = gtk_single_selection_get_selected_item (selection);
  const RerouteQueuedRecipient *recipient =
    line != NULL ? reroute_list_line_get_value (line) : NULL;
  g_autofree char *markup = NULL;

  if (recipient != NULL && recipient->last_reply[0] != '\0')
    markup = g_markup_printf_escaped ("<tt>%s</tt>", recipient->last_reply);
  reroute_note_show (self->reply, REROUTE_NOTE_PLAIN, markup, NULL);
}

static void
show_recipients (RerouteQueueDetailsWindow *self, GVariant *values)
{
  g_autoptr (GPtrArray) recipients = reroute_queued_recipients_from_values (values);
  g_autoptr (GPtrArray) lines = reroute_list_lines_new (recipients, reroute_queued_recipient_free);

  g_list_store_splice (self->recipients, 0, 0, lines->pdata, lines->len);
}

static void
came_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteQueueDetailsWindow) self = REROUTE_QUEUE_DETAILS_WINDOW (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) values = reroute_relay_client_queue_message_finish (
    REROUTE_RELAY_CLIENT (source), result, &error);
  const char *headers = "";
  g_autofree char *problem = NULL;
  g_autofree char *markup = NULL;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (values == NULL)
    {
      problem = g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_ENTRY)
        ? g_strdup (_ ("The message does not wait any more."))
        : reroute_dup_queue_refusal (error);
      markup = g_markup_escape_text (problem, -1);
      reroute_note_show (self->note, REROUTE_NOTE_WARNING, markup, NULL);
      return;
    }
  show_origin (self, values);
  show_recipients (self, values);
  g_variant_lookup (values, "headers", "&s", &headers);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->headers), headers, -1);
}

static void
help_clicked_cb (GtkButton *button, RerouteQueueDetailsWindow *self)
{
  reroute_help_window_show (GTK_WINDOW (self), "queue-message");
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), "queue-message");
  return TRUE;
}

static void
reroute_queue_details_window_dispose (GObject *object)
{
  RerouteQueueDetailsWindow *self = REROUTE_QUEUE_DETAILS_WINDOW (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);

  G_OBJECT_CLASS (reroute_queue_details_window_parent_class)->dispose (object);
}

static void
reroute_queue_details_window_class_init (RerouteQueueDetailsWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_queue_details_window_dispose;

  g_type_ensure (REROUTE_TYPE_NOTE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/reroute/gui/queue-details-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteQueueDetailsWindow, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueueDetailsWindow, reply);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueueDetailsWindow, recipients_view);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueueDetailsWindow, headers);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueueDetailsWindow, close_button);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
}

static void
reroute_queue_details_window_init (RerouteQueueDetailsWindow *self)
{
  g_autoptr (GtkSingleSelection) selection = NULL;

  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
  self->recipients = g_list_store_new (REROUTE_TYPE_LIST_LINE);
  selection = gtk_single_selection_new (G_LIST_MODEL (self->recipients));
  g_signal_connect_object (selection, "notify::selected-item", G_CALLBACK (selected_cb), self, 0);
  reroute_queue_columns_add_recipients (self->recipients_view);
  gtk_column_view_set_model (self->recipients_view, GTK_SELECTION_MODEL (selection));
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, NULL, NULL);
  reroute_note_show (self->reply, REROUTE_NOTE_PLAIN, NULL, NULL);
  reroute_name_widget (GTK_WIDGET (self->recipients_view), _ ("Recipients"));
  reroute_name_widget (GTK_WIDGET (self->headers), _ ("Header lines"));
  reroute_name_let_tab_leave (self->recipients_view);
}

RerouteQueueDetailsWindow *
reroute_queue_details_window_new (GtkWindow *parent, RerouteSheet *sheet, guint64 id)
{
  RerouteQueueDetailsWindow *self =
    g_object_new (REROUTE_TYPE_QUEUE_DETAILS_WINDOW, "transient-for", parent, NULL);

  reroute_relay_client_queue_message_async (
    reroute_sheet_get_relay (sheet), id, self->cancellable, came_cb, g_object_ref (self));
  return self;
}
