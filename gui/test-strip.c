/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-strip.c - the field for an address on the Routing and Connections pages
 */

#include "config.h"

#include "gui/test-strip.h"

#include "gui/explain-window.h"
#include "gui/explain.h"
#include "gui/naming.h"

#include <glib/gi18n.h>

#define QUIET_MS 300 /* without a key, before the services are asked */

struct _RerouteTestStrip
{
  GtkBox parent_instance;

  GtkEditable *address;
  GtkWidget *explain_button;
  GtkLabel *verdict;

  RerouteSheet *sheet;
  GCancellable *cancellable;
  guint ask_id;
};

G_DEFINE_FINAL_TYPE (RerouteTestStrip, reroute_test_strip, GTK_TYPE_BOX)

static void
show (RerouteTestStrip *self, const char *markup)
{
  gtk_label_set_markup (self->verdict, markup);
  gtk_widget_set_visible (GTK_WIDGET (self->verdict), markup[0] != '\0');
}

static void
explained_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteTestStrip) self = REROUTE_TEST_STRIP (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteExplanation) explanation =
               reroute_explain_finish (REROUTE_SHEET (source), result, &error);
  g_autofree char *verdict = NULL;

  if (self->sheet == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  verdict = explanation != NULL
              ? reroute_explanation_dup_verdict (explanation)
              : reroute_explain_dup_error (gtk_editable_get_text (self->address), error);
  show (self, verdict);
}

static gboolean
ask_cb (gpointer user_data)
{
  RerouteTestStrip *self = REROUTE_TEST_STRIP (user_data);
  const char *address = gtk_editable_get_text (self->address);

  self->ask_id = 0;
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  if (address[0] == '\0' || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    show (self, "");
  else
    reroute_explain_async (
      self->sheet, address, "", TRUE, self->cancellable, explained_cb, g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
queue_ask (RerouteTestStrip *self)
{
  g_clear_handle_id (&self->ask_id, g_source_remove);
  self->ask_id = g_timeout_add (QUIET_MS, ask_cb, self);
}

static void
address_changed_cb (GtkEditable *editable, RerouteTestStrip *self)
{
  gtk_widget_set_sensitive (self->explain_button, gtk_editable_get_text (editable)[0] != '\0');
  queue_ask (self);
}

static void
edit_changed_cb (RerouteEdit *edit, int page, gint64 id, RerouteTestStrip *self)
{
  if (gtk_editable_get_text (self->address)[0] != '\0')
    queue_ask (self);
}

static void
saved_cb (RerouteSheet *sheet, RerouteTestStrip *self)
{
  edit_changed_cb (NULL, 0, 0, self);
}

static void
explain_cb (GtkWidget *widget, RerouteTestStrip *self)
{
  if (gtk_widget_is_sensitive (self->explain_button))
    reroute_explain_window_show (GTK_WINDOW (gtk_widget_get_root (widget)),
                                 self->sheet,
                                 gtk_editable_get_text (self->address));
}

static void
map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (reroute_test_strip_parent_class)->map (widget);
  saved_cb (NULL, REROUTE_TEST_STRIP (widget));
}

static void
reroute_test_strip_dispose (GObject *object)
{
  RerouteTestStrip *self = REROUTE_TEST_STRIP (object);

  g_clear_handle_id (&self->ask_id, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->sheet);

  G_OBJECT_CLASS (reroute_test_strip_parent_class)->dispose (object);
}

static void
reroute_test_strip_class_init (RerouteTestStripClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_test_strip_dispose;
  widget_class->map = map;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/test-strip.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteTestStrip, address);
  gtk_widget_class_bind_template_child (widget_class, RerouteTestStrip, explain_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteTestStrip, verdict);
  gtk_widget_class_bind_template_callback (widget_class, address_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, explain_cb);
}

static void
reroute_test_strip_init (RerouteTestStrip *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_describe (GTK_WIDGET (self->address), GTK_WIDGET (self->verdict));
}

void
reroute_test_strip_open (RerouteTestStrip *self, RerouteSheet *sheet)
{
  g_return_if_fail (REROUTE_IS_TEST_STRIP (self));

  self->sheet = g_object_ref (sheet);
  g_signal_connect_object (
    reroute_sheet_get_edit (sheet), "changed", G_CALLBACK (edit_changed_cb), self, 0);
  g_signal_connect_object (sheet, "saved", G_CALLBACK (saved_cb), self, 0);
}
