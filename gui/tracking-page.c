/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tracking-page.c - the Tracking page: finds messages, whatever became of them
 *
 * The relay reads so much for an answer and no more: while nothing is found yet it is asked on, and
 * further messages come when she asks for more.
 */

#include "config.h"

#include "gui/tracking-page.h"

#include "common/client/relay-track.h"
#include "common/error.h"
#include "common/refusal-text.h"
#include "gui/fit.h"
#include "gui/naming.h"
#include "gui/note.h"
#include "gui/page.h"
#include "gui/plain-list.h"
#include "gui/row-text.h"
#include "gui/setting-entry.h"
#include "gui/tracking-text.h"

#include <glib/gi18n.h>

#define MESSAGES_A_PAGE 100
#define HOUR_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

/* What messages are found by. */
enum
{
  FIELD_SENDER,
  FIELD_RECIPIENT,
  FIELD_HOST,
  FIELD_ENTRY,
  FIELD_ID,
  N_FIELDS
};

struct _RerouteTrackingPage
{
  GtkBox parent_instance;

  GtkEntry *sender;
  GtkEntry *recipient;
  GtkEntry *host;
  GtkEntry *entry;
  GtkEntry *id;
  GtkDropDown *arrived;
  GtkLabel *count;
  GtkButton *more;
  GtkColumnView *view;
  GtkColumnView *events_view;
  RerouteNote *note;
  RerouteNote *failure;

  RerouteSheet *sheet;
  GListStore *messages; /* of RerouteListLine of RerouteTrackedMessage */
  GListStore *events;   /* of RerouteListLine of GVariant */
  GtkSingleSelection *selection;

  char *asked[N_FIELDS]; /* what was in the fields when the search began */
  gint64 since_us;
  guint64 cursor;       /* of the next page; 0: there is none */
  gboolean begun;       /* something was looked for */
  gboolean relay_stood; /* when it was looked at last */
  guint64 relay_serial; /* likewise, of its rules */
  GCancellable *asking; /* for messages; NULL: nobody is asked */
  GCancellable *tracing;
};

static void page_iface_init (ReroutePropertyPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteTrackingPage,
                               reroute_tracking_page,
                               GTK_TYPE_BOX,
                               G_IMPLEMENT_INTERFACE (REROUTE_TYPE_PROPERTY_PAGE, page_iface_init))

static void
stop (GCancellable **cancellable)
{
  g_cancellable_cancel (*cancellable);
  g_clear_object (cancellable);
}

static void
show_refusal (RerouteTrackingPage *self, const GError *error)
{
  g_autofree char *advice = reroute_dup_access_advice ();
  g_autofree char *sentence = NULL;
  g_autofree char *markup = NULL;

  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    sentence = g_strdup (_ ("The relay is not running: messages are found as soon as it is."));
  else if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_ACCESS))
    sentence = g_strdup_printf (_ ("You may not look into mail on this server. %s"), advice);
  else
    /* Translators: %s is why, in the words of the server */
    sentence = g_strdup_printf (_ ("Nothing can be looked for: %s"), error->message);
  markup = g_markup_escape_text (sentence, -1);
  reroute_note_show (self->note, REROUTE_NOTE_WARNING, markup, NULL);
}

/* --- one message --- */

static void
event_cb (GtkSingleSelection *selection, GParamSpec *pspec, RerouteTrackingPage *self)
{
  RerouteListLine *line = gtk_single_selection_get_selected_item (selection);
  g_autofree char *markup =
    line != NULL ? reroute_track_event_dup_markup (reroute_list_line_get_value (line)) : NULL;

  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, markup, NULL);
}

static void
show_events (RerouteTrackingPage *self, GVariant *events)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new ();
  g_autoptr (GPtrArray) lines = NULL;

  for (gsize i = 0; i < g_variant_n_children (events); i++)
    g_ptr_array_add (values, g_variant_get_child_value (events, i));
  lines = reroute_list_lines_new (values, (GDestroyNotify) g_variant_unref);
  g_list_store_splice (self->events,
                       g_list_model_get_n_items (G_LIST_MODEL (self->events)),
                       0,
                       lines->pdata,
                       lines->len);
}

static void trace (RerouteTrackingPage *self);

static void
traced_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteTrackingPage) self = REROUTE_TRACKING_PAGE (user_data);
  g_autoptr (GError) error = NULL;
  guint total;
  g_autoptr (GVariant) events = reroute_relay_client_track_message_finish (
    REROUTE_RELAY_CLIENT (source), result, &total, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->tracing);
  if (events == NULL)
    {
      show_refusal (self, error);
      return;
    }
  show_events (self, events);
  if (g_variant_n_children (events) > 0 &&
      g_list_model_get_n_items (G_LIST_MODEL (self->events)) < total)
    trace (self);
}

/* Asks for the events of the selected message that are not shown yet. */
static void
trace (RerouteTrackingPage *self)
{
  RerouteListLine *line = gtk_single_selection_get_selected_item (self->selection);
  const RerouteTrackedMessage *message = line != NULL ? reroute_list_line_get_value (line) : NULL;

  if (message == NULL)
    return;
  self->tracing = g_cancellable_new ();
  reroute_relay_client_track_message_async (reroute_sheet_get_relay (self->sheet),
                                            message->id,
                                            g_list_model_get_n_items (G_LIST_MODEL (self->events)),
                                            self->tracing,
                                            traced_cb,
                                            g_object_ref (self));
}

static void
selected_cb (GtkSingleSelection *selection, GParamSpec *pspec, RerouteTrackingPage *self)
{
  stop (&self->tracing);
  g_list_store_remove_all (self->events);
  trace (self);
}

/* --- the search --- */

static void
show_count (RerouteTrackingPage *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->messages));
  g_autofree char *text = NULL;

  if (self->asking != NULL && n == 0)
    text = g_strdup (_ ("Looking…"));
  else if (n == 0)
    text = g_strdup (self->begun ? _ ("No such message is known") : "");
  else if (self->cursor != 0)
    text = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "The newest %'u message", "The newest %'u messages", n), n);
  else
    text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%'u message", "%'u messages", n), n);
  gtk_label_set_label (self->count, text);
  gtk_widget_set_sensitive (GTK_WIDGET (self->more), self->cursor != 0 && self->asking == NULL);
}

static void ask (RerouteTrackingPage *self);

static void
take_page (RerouteTrackingPage *self, RerouteTrackPage *page)
{
  g_autoptr (GPtrArray) lines =
               reroute_list_lines_new (page->messages, reroute_tracked_message_free);

  self->cursor = page->next;
  g_list_store_splice (self->messages,
                       g_list_model_get_n_items (G_LIST_MODEL (self->messages)),
                       0,
                       lines->pdata,
                       lines->len);
  if (page->messages->len == 0 && self->cursor != 0)
    ask (self);
}

static void
found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteTrackingPage) self = REROUTE_TRACKING_PAGE (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteTrackPage) page =
               reroute_relay_client_track_finish (REROUTE_RELAY_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->asking);
  if (page != NULL)
    take_page (self, page);
  else
    show_refusal (self, error);
  self->begun = self->begun && error == NULL;
  show_count (self);
}

static void
ask (RerouteTrackingPage *self)
{
  const RerouteTrackQuestion question = {
    .sender = self->asked[FIELD_SENDER],
    .recipient = self->asked[FIELD_RECIPIENT],
    .host = self->asked[FIELD_HOST],
    .entry = self->asked[FIELD_ENTRY],
    .id = self->asked[FIELD_ID],
    .since_us = self->since_us,
  };

  self->asking = g_cancellable_new ();
  reroute_relay_client_track_async (reroute_sheet_get_relay (self->sheet),
                                    &question,
                                    self->cursor,
                                    MESSAGES_A_PAGE,
                                    self->asking,
                                    found_cb,
                                    g_object_ref (self));
}

static GtkEntry *
get_field (RerouteTrackingPage *self, guint field)
{
  GtkEntry *const fields[N_FIELDS] = {
    [FIELD_SENDER] = self->sender, [FIELD_RECIPIENT] = self->recipient,
    [FIELD_HOST] = self->host,     [FIELD_ENTRY] = self->entry,
    [FIELD_ID] = self->id,
  };

  return fields[field];
}

/* Wall clock; 0: whenever. */
static gint64
get_since_us (RerouteTrackingPage *self)
{
  static const gint64 hours[] = { 0, 1, 24, 7 * 24 };
  guint selected = gtk_drop_down_get_selected (self->arrived);

  if (selected == 0 || selected >= G_N_ELEMENTS (hours))
    return 0;
  return g_get_real_time () - hours[selected] * HOUR_US;
}

/* Looks for what stands in the fields, from the newest message on. */
static void
find_cb (RerouteTrackingPage *self)
{
  if (self->sheet == NULL)
    return;
  stop (&self->asking);
  for (guint i = 0; i < N_FIELDS; i++)
    {
      g_free (self->asked[i]);
      self->asked[i] =
        g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (get_field (self, i)))));
    }
  reroute_relay_watch_ask (reroute_sheet_get_relay_watch (self->sheet));
  self->since_us = get_since_us (self);
  self->cursor = 0;
  self->begun = TRUE;
  g_list_store_remove_all (self->messages);
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, NULL, NULL);
  ask (self);
  show_count (self);
}

static void
more_cb (RerouteTrackingPage *self)
{
  if (self->asking != NULL || self->cursor == 0)
    return;
  ask (self);
  show_count (self);
}

/* What is not found may yet have been there. */
static void
show_failure (RerouteTrackingPage *self)
{
  RerouteRelayWatch *watch = reroute_sheet_get_relay_watch (self->sheet);
  const char *failure = reroute_relay_watch_get_track_failure (watch);
  g_autofree char *markup = NULL;

  if (failure != NULL && reroute_relay_watch_is_available (watch))
    markup = g_markup_printf_escaped (
      /* Translators: what follows are the relay’s own words, in English. */
      _ ("What becomes of messages is not kept just now. The relay says: %s"), failure);
  reroute_note_show (self->failure, REROUTE_NOTE_WARNING, markup, NULL);
}

/* What was not found while the relay was away, or had no rules yet, is looked for then. */
static void
relay_changed_cb (RerouteTrackingPage *self)
{
  RerouteRelayWatch *watch = reroute_sheet_get_relay_watch (self->sheet);
  gboolean stands = reroute_relay_watch_is_available (watch);
  guint64 serial = stands ? reroute_relay_watch_get_serial (watch) : 0;
  gboolean came = stands && (!self->relay_stood || (self->relay_serial == 0 && serial != 0));

  self->relay_stood = stands;
  self->relay_serial = serial;
  show_failure (self);
  if (!came || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  if (!self->begun)
    find_cb (self);
  else if (self->tracing == NULL && g_list_model_get_n_items (G_LIST_MODEL (self->events)) == 0)
    trace (self);
}

static void
map_cb (GtkWidget *widget, RerouteTrackingPage *self)
{
  reroute_relay_watch_ask (reroute_sheet_get_relay_watch (self->sheet));
  if (!self->begun)
    find_cb (self);
}

/* --- lists --- */

static int
fit_kinds (GtkColumnView *view, int width, const char *title)
{
  g_auto (GStrv) kinds = reroute_track_dup_kinds (title);

  return reroute_fit_column (view, width, (const char *const *) kinds);
}

static void
make_messages (RerouteTrackingPage *self)
{
  g_autofree char *now = reroute_dup_moment (g_get_real_time ());
  const RerouteTextColumn columns[] = {
    { _ ("When"), 150, FALSE, reroute_tracked_dup_received, .sample = now },
      { _ ("Sender"), 150, FALSE, reroute_tracked_dup_sender },
        { _ ("Recipient"), 200, FALSE, reroute_tracked_dup_recipient },
          { _ ("State"),
               fit_kinds (self->view, 90, _ ("State")), FALSE, reroute_tracked_dup_state },
            { _ ("Last Reply"), -1, FALSE, reroute_tracked_dup_reply },
          };

  self->messages = g_list_store_new (REROUTE_TYPE_LIST_LINE);
  self->selection = gtk_single_selection_new (G_LIST_MODEL (g_object_ref (self->messages)));
  g_signal_connect_object (
    self->selection, "notify::selected-item", G_CALLBACK (selected_cb), self, 0);
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
  reroute_text_columns_add (self->view, columns, G_N_ELEMENTS (columns), self);
  reroute_name_widget (GTK_WIDGET (self->view), _ ("Messages"));
  reroute_name_let_tab_leave (self->view);
}

static void
make_events (RerouteTrackingPage *self)
{
  const RerouteTextColumn columns[] = {
    { _ ("Time"), 190, FALSE, reroute_track_event_dup_time },
      { _ ("What"),
           fit_kinds (self->events_view, 100, _ ("What")), FALSE, reroute_track_event_dup_kind },
        { _ ("Recipient"), 150, FALSE, reroute_track_event_dup_recipient },
          { C_ ("column", "Host"), 130, FALSE, reroute_track_event_dup_host },
          { _ ("Reply"), -1, FALSE, reroute_track_event_dup_reply },
        };
  g_autoptr (GtkSingleSelection) selection = NULL;

  self->events = g_list_store_new (REROUTE_TYPE_LIST_LINE);
  selection = gtk_single_selection_new (G_LIST_MODEL (g_object_ref (self->events)));
  g_signal_connect_object (selection, "notify::selected-item", G_CALLBACK (event_cb), self, 0);
  gtk_column_view_set_model (self->events_view, GTK_SELECTION_MODEL (selection));
  reroute_text_columns_add (self->events_view, columns, G_N_ELEMENTS (columns), self);
  reroute_name_widget (GTK_WIDGET (self->events_view), _ ("What became of the message"));
  reroute_name_let_tab_leave (self->events_view);
}

/* --- ReroutePropertyPage --- */

static void
open_sheet (ReroutePropertyPage *page, RerouteSheet *sheet)
{
  RerouteTrackingPage *self = REROUTE_TRACKING_PAGE (page);

  self->sheet = g_object_ref (sheet);
  reroute_setting_entries_open (GTK_WIDGET (self), sheet);
  g_signal_connect_object (reroute_sheet_get_relay_watch (sheet),
                           "changed",
                           G_CALLBACK (relay_changed_cb),
                           self,
                           G_CONNECT_SWAPPED);
  relay_changed_cb (self);
}

static void
focus_search (ReroutePropertyPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (REROUTE_TRACKING_PAGE (page)->recipient));
}

static gboolean
clear_search (ReroutePropertyPage *page)
{
  RerouteTrackingPage *self = REROUTE_TRACKING_PAGE (page);
  gboolean had_text = FALSE;

  for (guint i = 0; i < N_FIELDS; i++)
    {
      GtkEditable *field = GTK_EDITABLE (get_field (self, i));

      had_text = had_text || gtk_editable_get_text (field)[0] != '\0';
      gtk_editable_set_text (field, "");
    }
  if (had_text)
    find_cb (self);
  return had_text;
}

static gboolean
flush (ReroutePropertyPage *page)
{
  return reroute_setting_entries_flush (GTK_WIDGET (page));
}

static void
page_iface_init (ReroutePropertyPageInterface *iface)
{
  iface->help_topic = "tracking";
  iface->open = open_sheet;
  iface->focus_search = focus_search;
  iface->clear_search = clear_search;
  iface->flush = flush;
}

static void
reroute_tracking_page_dispose (GObject *object)
{
  RerouteTrackingPage *self = REROUTE_TRACKING_PAGE (object);

  stop (&self->asking);
  stop (&self->tracing);
  g_clear_object (&self->sheet);
  g_clear_object (&self->messages);
  g_clear_object (&self->events);

  G_OBJECT_CLASS (reroute_tracking_page_parent_class)->dispose (object);
}

static void
reroute_tracking_page_finalize (GObject *object)
{
  RerouteTrackingPage *self = REROUTE_TRACKING_PAGE (object);

  for (guint i = 0; i < N_FIELDS; i++)
    g_free (self->asked[i]);

  G_OBJECT_CLASS (reroute_tracking_page_parent_class)->finalize (object);
}

static void
reroute_tracking_page_class_init (RerouteTrackingPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_tracking_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = reroute_tracking_page_finalize;

  g_type_ensure (REROUTE_TYPE_NOTE);
  g_type_ensure (REROUTE_TYPE_SETTING_ENTRY);
  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/tracking-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, sender);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, recipient);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, host);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, entry);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, id);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, arrived);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, count);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, more);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, view);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, events_view);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteTrackingPage, failure);
  gtk_widget_class_bind_template_callback (widget_class, find_cb);
  gtk_widget_class_bind_template_callback (widget_class, more_cb);
  gtk_widget_class_bind_template_callback (widget_class, map_cb);
}

static void
reroute_tracking_page_init (RerouteTrackingPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  make_messages (self);
  make_events (self);
  reroute_name_tree (GTK_WIDGET (self));
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, NULL, NULL);
}
