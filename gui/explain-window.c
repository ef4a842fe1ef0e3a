/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * explain-window.c - Test an Address: the decision under the saved rules and under the changes
 */

#include "config.h"

#include "gui/explain-window.h"

#include "common/error.h"
#include "common/ip.h"
#include "common/refusal-text.h"
#include "gui/explain.h"
#include "gui/field-error.h"
#include "gui/help-window.h"
#include "gui/naming.h"
#include "gui/note.h"

#include <glib/gi18n.h>

#define QUIET_MS 300 /* without a key, before the services are asked */

enum
{
  SAVED,
  EDITED,
  N_SIDES
};

struct _RerouteExplainWindow
{
  GtkWindow parent_instance;

  GtkEditable *address;
  GtkEditable *client;
  RerouteFieldError *client_error;
  RerouteNote *note;
  GtkGrid *grid;
  GtkWidget *copy_button;

  RerouteSheet *sheet;
  GCancellable *cancellable;
  guint ask_id;
  gboolean again;    /* both sides are asked for once more */
  gboolean compares; /* there are unsaved changes */
  RerouteExplanation *sides[N_SIDES];
};

G_DEFINE_FINAL_TYPE (RerouteExplainWindow, reroute_explain_window, GTK_TYPE_WINDOW)

/* --- the comparison --- */

typedef struct
{
  const char *title;
  const char *texts[N_SIDES];
} Line;

static const char *
text_of (const RerouteExplanation *side, int line)
{
  if (line == 0)
    return side->recipient;
  if (line <= REROUTE_N_STAGES)
    return side->stages[line - 1];
  if (line == REROUTE_N_STAGES + 1)
    return side->reply != NULL ? "" : side->rcpt_out;
  return side->reply != NULL ? side->reply : side->next_hop;
}

/* FALSE when there is none of that number. */
static gboolean
get_line (RerouteExplainWindow *self, int number, Line *line)
{
  const RerouteExplanation *saved = self->sides[SAVED];
  const char *titles[] = {
    _ ("Recipient"),
       _ ("Accepted from"),
          _ ("Routing"),
             _ ("Connections"),
                _ ("Exchangers"),
                   _ ("RCPT TO"),
                      saved != NULL && saved->reply != NULL
                      ? _ ("Reply")
                      : _ ("Next hop"),
                   };

  if (number >= (int) G_N_ELEMENTS (titles))
    return FALSE;
  line->title = titles[number];
  for (int i = 0; i < N_SIDES; i++)
    line->texts[i] = self->sides[i] != NULL ? text_of (self->sides[i], number) : "";
  return TRUE;
}

static void
attach (RerouteExplainWindow *self, int column, int row, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text[0] != '\0' ? text : "–");

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_yalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), column > 0);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), column > 0);
  gtk_widget_set_hexpand (label, column > 0);
  gtk_widget_add_css_class (label, "cell");
  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  gtk_grid_attach (self->grid, label, column, row, 1, 1);
}

static void
clear_grid (RerouteExplainWindow *self)
{
  GtkWidget *child = NULL;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->grid))) != NULL)
    gtk_grid_remove (self->grid, child);
}

static void
show_heads (RerouteExplainWindow *self)
{
  guint n = reroute_edit_get_n_changes (reroute_sheet_get_edit (self->sheet));
  g_autofree char *serial =
    g_strdup_printf ("%" G_GUINT64_FORMAT, reroute_sheet_get_serial (self->sheet));
  /* Translators: %s is the number of a generation of the rules */
  g_autofree char *saved = g_strdup_printf (_ ("Saved rules (%s)"), serial);
  g_autofree char *edited = g_strdup_printf (
    g_dngettext (GETTEXT_PACKAGE, "With your %u change", "With your %u changes", n), n);

  attach (self, 0, 0, " ", NULL);
  attach (self, 1, 0, saved, "heading");
  if (self->compares)
    attach (self, 2, 0, edited, "heading");
}

static void
show_grid (RerouteExplainWindow *self)
{
  Line line = { NULL, { NULL, NULL } };

  clear_grid (self);
  show_heads (self);
  for (int i = 0; get_line (self, i, &line); i++)
    {
      gboolean differs = self->compares && !g_str_equal (line.texts[SAVED], line.texts[EDITED]);
      g_autofree char *title = differs ? g_strconcat (line.title, "  ≠", NULL) : NULL;

      attach (self, 0, i + 1, differs ? title : line.title, "quiet");
      attach (self, 1, i + 1, line.texts[SAVED], NULL);
      if (self->compares)
        attach (self, 2, i + 1, line.texts[EDITED], differs ? "differs" : NULL);
    }
}

static gboolean ask_cb (gpointer user_data);

static void
ask_soon (RerouteExplainWindow *self)
{
  g_clear_handle_id (&self->ask_id, g_source_remove);
  self->ask_id = g_timeout_add (QUIET_MS, ask_cb, self);
}

/* Sides of which one alone was looked up in DNS cannot be compared: the relay went or came between
   them, and both are asked for once more. */
static void
show (RerouteExplainWindow *self)
{
  const RerouteExplanation *saved = self->sides[SAVED];
  const RerouteExplanation *edited = self->sides[EDITED];
  g_autofree char *verdict = NULL;
  g_autofree char *markup = NULL;

  if (saved == NULL || (self->compares && edited == NULL))
    return;
  if (self->compares && saved->without_dns != edited->without_dns && !self->again)
    {
      self->again = TRUE;
      ask_soon (self);
      return;
    }
  self->again = FALSE;
  verdict = reroute_explanation_dup_verdict (self->compares ? edited : saved);
  if (self->compares && !reroute_explanation_equal (saved, edited))
    /* Translators: %s is a whole sentence that says what becomes of the address */
    markup = g_strdup_printf (_ ("<b>Your changes alter this address.</b> %s"), verdict);
  else if (saved->without_dns)
    markup =
      g_strdup_printf (_ ("%s The relay is not running: nothing was looked up in DNS."), verdict);
  reroute_note_show (self->note,
                     markup != NULL && self->compares ? REROUTE_NOTE_WARNING : REROUTE_NOTE_PLAIN,
                     markup != NULL ? markup : verdict,
                     NULL);
  show_grid (self);
  gtk_widget_set_sensitive (self->copy_button, TRUE);
}

/* --- asking --- */

static void
fail (RerouteExplainWindow *self, const GError *error)
{
  g_autofree char *markup =
    reroute_explain_dup_error (gtk_editable_get_text (self->address), error);

  clear_grid (self);
  reroute_note_show (self->note, REROUTE_NOTE_ERROR, markup, NULL);
}

static void
take (RerouteExplainWindow *self, int side, GObject *source, GAsyncResult *result)
{
  g_autoptr (GError) error = NULL;
  RerouteExplanation *explanation = reroute_explain_finish (REROUTE_SHEET (source), result, &error);

  if (self->sheet == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      reroute_explanation_free (explanation);
      return;
    }
  if (explanation == NULL)
    {
      fail (self, error);
      return;
    }
  g_clear_pointer (&self->sides[side], reroute_explanation_free);
  self->sides[side] = explanation;
  show (self);
}

static void
saved_answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteExplainWindow) self = REROUTE_EXPLAIN_WINDOW (user_data);

  take (self, SAVED, source, result);
}

static void
edited_answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteExplainWindow) self = REROUTE_EXPLAIN_WINDOW (user_data);

  take (self, EDITED, source, result);
}

static gboolean
is_client (const char *text)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  RerouteIp ip;

  return trimmed[0] == '\0' || reroute_ip_parse (trimmed, &ip);
}

static gboolean
ask_cb (gpointer user_data)
{
  RerouteExplainWindow *self = REROUTE_EXPLAIN_WINDOW (user_data);
  const char *address = gtk_editable_get_text (self->address);
  g_autofree char *client = g_strstrip (g_strdup (gtk_editable_get_text (self->client)));

  self->ask_id = 0;
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  for (int i = 0; i < N_SIDES; i++)
    g_clear_pointer (&self->sides[i], reroute_explanation_free);
  gtk_widget_set_sensitive (self->copy_button, FALSE);
  if (address[0] == '\0' || !is_client (client))
    {
      clear_grid (self);
      reroute_note_show (self->note, REROUTE_NOTE_PLAIN, NULL, NULL);
      return G_SOURCE_REMOVE;
    }

  self->compares = reroute_edit_get_n_changes (reroute_sheet_get_edit (self->sheet)) > 0;
  reroute_explain_async (
    self->sheet, address, client, FALSE, self->cancellable, saved_answered_cb, g_object_ref (self));
  if (self->compares)
    reroute_explain_async (self->sheet,
                           address,
                           client,
                           TRUE,
                           self->cancellable,
                           edited_answered_cb,
                           g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
field_changed_cb (GtkEditable *editable, RerouteExplainWindow *self)
{
  self->again = FALSE;
  if (self->sheet != NULL)
    ask_soon (self);
}

static char *
judge_client (GtkEditable *field, gpointer user_data)
{
  return is_client (gtk_editable_get_text (field))
           ? NULL
           : g_strdup (_ ("Write the client's address, such as “192.0.2.7”, or nothing."));
}

/* --- buttons --- */

static void
copy_clicked_cb (GtkButton *button, RerouteExplainWindow *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  Line line = { NULL, { NULL, NULL } };

  for (int i = 0; get_line (self, i, &line); i++)
    {
      g_string_append_printf (text, "%s\t%s", line.title, line.texts[SAVED]);
      if (self->compares)
        g_string_append_printf (text, "\t%s", line.texts[EDITED]);
      g_string_append_c (text, '\n');
    }
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text->str);
}

static void
help_clicked_cb (GtkButton *button, RerouteExplainWindow *self)
{
  reroute_help_window_show (GTK_WINDOW (self), "explain");
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), "explain");
  return TRUE;
}

static void
reroute_explain_window_dispose (GObject *object)
{
  RerouteExplainWindow *self = REROUTE_EXPLAIN_WINDOW (object);

  g_clear_handle_id (&self->ask_id, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->client_error != NULL)
    reroute_field_error_unwatch (self->client_error);
  for (int i = 0; i < N_SIDES; i++)
    g_clear_pointer (&self->sides[i], reroute_explanation_free);
  g_clear_object (&self->sheet);

  G_OBJECT_CLASS (reroute_explain_window_parent_class)->dispose (object);
}

static void
reroute_explain_window_class_init (RerouteExplainWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_explain_window_dispose;

  g_type_ensure (REROUTE_TYPE_NOTE);
  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/explain-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteExplainWindow, address);
  gtk_widget_class_bind_template_child (widget_class, RerouteExplainWindow, client);
  gtk_widget_class_bind_template_child (widget_class, RerouteExplainWindow, client_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteExplainWindow, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteExplainWindow, grid);
  gtk_widget_class_bind_template_child (widget_class, RerouteExplainWindow, copy_button);
  gtk_widget_class_bind_template_callback (widget_class, field_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, copy_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
}

static void
reroute_explain_window_init (RerouteExplainWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  reroute_field_error_watch (self->client_error, self->client, judge_client, self);
}

void
reroute_explain_window_show (GtkWindow *parent, RerouteSheet *sheet, const char *address)
{
  RerouteExplainWindow *self =
    g_object_new (REROUTE_TYPE_EXPLAIN_WINDOW, "transient-for", parent, NULL);

  self->sheet = g_object_ref (sheet);
  gtk_editable_set_text (self->address, address);
  field_changed_cb (self->address, self);
  gtk_widget_grab_focus (GTK_WIDGET (self->address));
  gtk_window_present (GTK_WINDOW (self));
}

char *
reroute_explain_dup_error (const char *address, const GError *error)
{
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_ADDRESS))
    return g_markup_printf_escaped (
      _ ("“%s” is no e-mail address. Write one such as “user@example.com”."), address);
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_ACCESS))
    {
      g_autofree char *advice = reroute_dup_access_advice ();

      return g_markup_printf_escaped (_ ("You may not look into mail on this server. %s"), advice);
    }
  return g_markup_printf_escaped (_ ("Nothing can be said of it now: %s"), error->message);
}
