/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * diagnostics-page.c - the Diagnostics page: how much the relay logs, and the log as it comes
 *
 * The relay is asked for new lines once a second while the page is shown, and at no other time.
 *
 * Source: xmt04019 (the original's categories and levels).
 */

#include "config.h"

#include "gui/diagnostics-page.h"

#include "common/client/relay-log.h"
#include "common/error.h"
#include "common/log-level.h"
#include "common/refusal-text.h"
#include "gui/guard.h"
#include "gui/naming.h"
#include "gui/note.h"
#include "gui/page.h"
#include "gui/plain-list.h"
#include "gui/search-field.h"
#include "gui/setting-entry.h"
#include "gui/setting-windows.h"

#include <glib/gi18n.h>

#define ASK_S 1
#define LINES_MOST 5000 /* that are shown; the oldest go */
#define LEVELS_A_ROW 4

struct _RerouteDiagnosticsPage
{
  GtkBox parent_instance;

  GtkGrid *grid;
  GtkSearchEntry *search;
  GtkDropDown *category;
  GtkCheckButton *follow;
  GtkScrolledWindow *scroller;
  GtkColumnView *view;
  RerouteNote *note;
  GtkWidget *alarms_button;

  RerouteSheet *sheet;
  GtkDropDown *levels[REROUTE_N_LOG_CATEGORIES];
  GListStore *lines; /* of RerouteListLine of RerouteLogLine */
  gboolean showing;

  GCancellable *asking; /* NULL: the relay is not being asked */
  guint64 cursor;
  guint timer_id; /* 0: the page is not shown */
  guint scroll_id;
};

static void page_iface_init (ReroutePropertyPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteDiagnosticsPage,
                               reroute_diagnostics_page,
                               GTK_TYPE_BOX,
                               G_IMPLEMENT_INTERFACE (REROUTE_TYPE_PROPERTY_PAGE, page_iface_init))

/* clang-format off */
static const char *const captions[REROUTE_N_LOG_CATEGORIES] = {
  [REROUTE_LOG_SESSION] = N_("_Sessions:"),
  [REROUTE_LOG_TLS] = N_("_TLS certificates:"),
  [REROUTE_LOG_DELIVERY] = N_("_Delivery:"),
  [REROUTE_LOG_MILTER] = N_("Mail _filtering:"),
  [REROUTE_LOG_SPOOL] = N_("Spoo_l:"),
  [REROUTE_LOG_RULES] = N_("_Rules:"),
  [REROUTE_LOG_SERVICE] = N_("Ser_vice:"),
};

/* As the drop-down names them, and the list. */
static const char *const category_words[REROUTE_N_LOG_CATEGORIES] = {
  [REROUTE_LOG_SESSION] = NC_("log", "Sessions"),
  [REROUTE_LOG_TLS] = NC_("log", "TLS"),
  [REROUTE_LOG_DELIVERY] = NC_("log", "Delivery"),
  [REROUTE_LOG_MILTER] = NC_("log", "Filtering"),
  [REROUTE_LOG_SPOOL] = NC_("log", "Spool"),
  [REROUTE_LOG_RULES] = NC_("log", "Rules"),
  [REROUTE_LOG_SERVICE] = NC_("log", "Service"),
};
/* clang-format on */

/* --- levels --- */

static void
get_levels (RerouteDiagnosticsPage *self, RerouteLogLevel *levels)
{
  const char *text = reroute_sheet_get_setting (self->sheet, REROUTE_SETTING_LOG_LEVELS);

  /* The settings hold nothing that cannot be taken apart. */
  if (!reroute_log_levels_parse (text, levels, NULL))
    g_assert_not_reached ();
}

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteDiagnosticsPage *self)
{
  gboolean ready = reroute_sheet_is_editable (sheet);
  RerouteLogLevel levels[REROUTE_N_LOG_CATEGORIES];

  get_levels (self, levels);
  self->showing = TRUE;
  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    {
      gtk_drop_down_set_selected (self->levels[i], levels[i]);
      gtk_widget_set_sensitive (GTK_WIDGET (self->levels[i]), ready);
    }
  self->showing = FALSE;
}

static void
level_cb (GtkDropDown *drop_down, GParamSpec *pspec, RerouteDiagnosticsPage *self)
{
  RerouteLogLevel levels[REROUTE_N_LOG_CATEGORIES];
  g_autofree char *text = NULL;

  if (self->sheet == NULL || self->showing)
    return;
  get_levels (self, levels);
  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    if (self->levels[i] == drop_down)
      levels[i] = gtk_drop_down_get_selected (drop_down);
  text = reroute_log_levels_to_string (levels);
  reroute_sheet_set_setting (self->sheet, REROUTE_SETTING_LOG_LEVELS, text);
}

static void
make_levels (RerouteDiagnosticsPage *self)
{
  const char *const words[] = {
    [REROUTE_LOG_NONE] = C_ ("log", "None"),
    [REROUTE_LOG_MINIMUM] = C_ ("log", "Minimum"),
    [REROUTE_LOG_MEDIUM] = C_ ("log", "Medium"),
    [REROUTE_LOG_MAXIMUM] = C_ ("log", "Maximum"),
    [REROUTE_N_LOG_LEVELS] = NULL,
  };

  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    {
      GtkWidget *label = gtk_label_new_with_mnemonic (_ (captions[i]));
      GtkWidget *level = gtk_drop_down_new_from_strings (words);
      GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4);

      gtk_label_set_xalign (GTK_LABEL (label), 0);
      gtk_label_set_mnemonic_widget (GTK_LABEL (label), level);
      gtk_widget_set_tooltip_text (
        level, _ (reroute_setting_specs ()[REROUTE_SETTING_LOG_LEVELS].summary));
      g_signal_connect (level, "notify::selected", G_CALLBACK (level_cb), self);
      gtk_box_append (GTK_BOX (box), label);
      gtk_box_append (GTK_BOX (box), level);
      gtk_grid_attach (self->grid, box, (int) i % LEVELS_A_ROW, (int) i / LEVELS_A_ROW, 1, 1);
      self->levels[i] = GTK_DROP_DOWN (level);
    }
}

static void
alarms_clicked_cb (GtkButton *button, RerouteDiagnosticsPage *self)
{
  GtkWindow *parent = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));

  gtk_window_present (reroute_alarms_window_new (parent, self->sheet));
}

/* --- the log --- */

static const RerouteLogLine *
get_line (gpointer value)
{
  return value;
}

/* @lines: its elements are taken */
static void
show_lines (RerouteDiagnosticsPage *self, GPtrArray *lines)
{
  g_autoptr (GPtrArray) made = reroute_list_lines_new (lines, reroute_log_line_free);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->lines));

  g_list_store_splice (self->lines, n, 0, made->pdata, made->len);
  n += made->len;
  if (n > LINES_MOST)
    g_list_store_splice (self->lines, 0, n - LINES_MOST, NULL, 0);
}

static void
show_refusal (RerouteDiagnosticsPage *self, const GError *error)
{
  gboolean refused = g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_ACCESS);
  g_autofree char *advice = reroute_dup_access_advice ();
  g_autofree char *sentence = NULL;
  g_autofree char *markup = NULL;

  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    sentence = g_strdup (_ ("The relay is not running: new lines are shown as soon as it is."));
  else if (error != NULL)
    /* Translators: %s is why */
    sentence =
      g_strdup_printf (_ ("The log cannot be shown: %s"), refused ? advice : error->message);
  if (sentence != NULL)
    markup = g_markup_escape_text (sentence, -1);
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, markup, NULL);
}

static void ask (RerouteDiagnosticsPage *self);

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteDiagnosticsPage) self = REROUTE_DIAGNOSTICS_PAGE (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteLogPage) page =
               reroute_relay_client_log_finish (REROUTE_RELAY_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->asking);
  show_refusal (self, error);
  if (page == NULL)
    return;
  self->cursor = page->next;
  if (page->lines->len == 0)
    return;
  show_lines (self, page->lines);
  ask (self);
}

static void
ask (RerouteDiagnosticsPage *self)
{
  guint selected = gtk_drop_down_get_selected (self->category);
  const char *const categories[] = { selected > 0 ? reroute_log_category_to_string (selected - 1)
                                                  : NULL,
                                     NULL };
  g_autofree char *text = reroute_search_field_dup_text (self->search);

  if (self->asking != NULL || self->timer_id == 0)
    return;
  self->asking = g_cancellable_new ();
  reroute_relay_client_log_async (reroute_sheet_get_relay (self->sheet),
                                  self->cursor,
                                  text,
                                  categories,
                                  self->asking,
                                  answered_cb,
                                  g_object_ref (self));
}

static void
stop_asking (RerouteDiagnosticsPage *self)
{
  g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
}

static gboolean
timer_cb (gpointer user_data)
{
  ask (REROUTE_DIAGNOSTICS_PAGE (user_data));
  return G_SOURCE_CONTINUE;
}

/* Something else is looked for: begins with the oldest line that is kept. */
static void
begin_cb (RerouteDiagnosticsPage *self)
{
  if (self->sheet == NULL)
    return;
  stop_asking (self);
  self->cursor = 0;
  g_list_store_remove_all (self->lines);
  ask (self);
}

static void
map_cb (GtkWidget *widget, RerouteDiagnosticsPage *self)
{
  if (self->sheet == NULL || self->timer_id != 0)
    return;
  self->timer_id = g_timeout_add_seconds (ASK_S, timer_cb, self);
  ask (self);
}

static void
unmap_cb (GtkWidget *widget, RerouteDiagnosticsPage *self)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  stop_asking (self);
}

static gboolean
scroll_cb (gpointer user_data)
{
  RerouteDiagnosticsPage *self = REROUTE_DIAGNOSTICS_PAGE (user_data);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->lines));

  self->scroll_id = 0;
  /* The adjustment does not know yet of lines that were replaced meanwhile. */
  if (n > 0)
    reroute_column_view_scroll_to (self->view, n - 1);
  return G_SOURCE_REMOVE;
}

/* The list has grown, or its window has; while it is laid out it would take no other place. */
static void
grown_cb (GtkAdjustment *adjustment, RerouteDiagnosticsPage *self)
{
  if (gtk_check_button_get_active (self->follow) && self->scroll_id == 0)
    self->scroll_id = g_idle_add (scroll_cb, self);
}

static void
follow_cb (GtkCheckButton *button, RerouteDiagnosticsPage *self)
{
  grown_cb (gtk_scrolled_window_get_vadjustment (self->scroller), self);
}

/* --- the list --- */

static char *
dup_time_cell (gpointer value, gpointer user_data)
{
  gint64 time_us = get_line (value)->time_us;
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autofree char *text = local != NULL ? g_date_time_format (local, "%T") : g_strdup ("");

  return g_strdup_printf ("%s.%03d", text, (int) (time_us % G_USEC_PER_SEC / 1000));
}

static char *
dup_category_cell (gpointer value, gpointer user_data)
{
  RerouteLogCategory category;

  if (!reroute_log_category_from_string (get_line (value)->category, &category))
    return g_strdup (get_line (value)->category);
  return g_strdup (g_dpgettext2 (GETTEXT_PACKAGE, "log", category_words[category]));
}

static char *
dup_text_cell (gpointer value, gpointer user_data)
{
  const RerouteLogLine *line = get_line (value);

  /* Translators: a line of the log that is a warning; it is not translated itself */
  return line->severity <= 4 ? g_strdup_printf (_ ("Warning: %s"), line->text)
                             : g_strdup (line->text);
}

static void
make_list (RerouteDiagnosticsPage *self)
{
  const RerouteTextColumn columns[] = {
    { _ ("Time"), 110, FALSE, dup_time_cell },
      { C_ ("column", "Category"), 110, FALSE, dup_category_cell },
      { C_ ("column", "Line"), -1, FALSE, dup_text_cell },
  };
  GtkStringList *words = gtk_string_list_new (NULL);

  self->lines = g_list_store_new (REROUTE_TYPE_LIST_LINE);
  gtk_column_view_set_model (
    self->view,
    GTK_SELECTION_MODEL (gtk_multi_selection_new (G_LIST_MODEL (g_object_ref (self->lines)))));
  reroute_text_columns_add (self->view, columns, G_N_ELEMENTS (columns), self);
  reroute_name_widget (GTK_WIDGET (self->view), _ ("Log"));
  reroute_name_let_tab_leave (self->view);
  gtk_string_list_append (words, _ ("All"));
  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    gtk_string_list_append (words, g_dpgettext2 (GETTEXT_PACKAGE, "log", category_words[i]));
  gtk_drop_down_set_model (self->category, G_LIST_MODEL (words));
  g_object_unref (words);
  g_signal_connect_swapped (self->category, "notify::selected", G_CALLBACK (begin_cb), self);
  g_signal_connect (
    gtk_scrolled_window_get_vadjustment (self->scroller), "changed", G_CALLBACK (grown_cb), self);
}

/* --- ReroutePropertyPage --- */

static void
open_sheet (ReroutePropertyPage *page, RerouteSheet *sheet)
{
  RerouteDiagnosticsPage *self = REROUTE_DIAGNOSTICS_PAGE (page);

  self->sheet = g_object_ref (sheet);
  reroute_setting_entries_open (GTK_WIDGET (self), sheet);
  reroute_guard_button (self->alarms_button, sheet);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  sheet_changed_cb (sheet, self);
}

static gboolean
flush (ReroutePropertyPage *page)
{
  return reroute_setting_entries_flush (GTK_WIDGET (page));
}

static void
focus_search (ReroutePropertyPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (REROUTE_DIAGNOSTICS_PAGE (page)->search));
}

static gboolean
clear_search (ReroutePropertyPage *page)
{
  return reroute_search_field_clear (REROUTE_DIAGNOSTICS_PAGE (page)->search);
}

static void
page_iface_init (ReroutePropertyPageInterface *iface)
{
  iface->help_topic = "diagnostics";
  iface->open = open_sheet;
  iface->flush = flush;
  iface->focus_search = focus_search;
  iface->clear_search = clear_search;
}

static void
reroute_diagnostics_page_dispose (GObject *object)
{
  RerouteDiagnosticsPage *self = REROUTE_DIAGNOSTICS_PAGE (object);

  g_clear_handle_id (&self->timer_id, g_source_remove);
  g_clear_handle_id (&self->scroll_id, g_source_remove);
  stop_asking (self);
  g_clear_object (&self->sheet);
  g_clear_object (&self->lines);

  G_OBJECT_CLASS (reroute_diagnostics_page_parent_class)->dispose (object);
}

static void
reroute_diagnostics_page_class_init (RerouteDiagnosticsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_diagnostics_page_dispose;

  g_type_ensure (REROUTE_TYPE_NOTE);
  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  g_type_ensure (REROUTE_TYPE_SETTING_ENTRY);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/org/reroute/gui/diagnostics-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteDiagnosticsPage, grid);
  gtk_widget_class_bind_template_child (widget_class, RerouteDiagnosticsPage, search);
  gtk_widget_class_bind_template_child (widget_class, RerouteDiagnosticsPage, category);
  gtk_widget_class_bind_template_child (widget_class, RerouteDiagnosticsPage, follow);
  gtk_widget_class_bind_template_child (widget_class, RerouteDiagnosticsPage, scroller);
  gtk_widget_class_bind_template_child (widget_class, RerouteDiagnosticsPage, view);
  gtk_widget_class_bind_template_child (widget_class, RerouteDiagnosticsPage, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteDiagnosticsPage, alarms_button);
  gtk_widget_class_bind_template_callback (widget_class, alarms_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, begin_cb);
  gtk_widget_class_bind_template_callback (widget_class, follow_cb);
  gtk_widget_class_bind_template_callback (widget_class, map_cb);
  gtk_widget_class_bind_template_callback (widget_class, unmap_cb);
}

static void
reroute_diagnostics_page_init (RerouteDiagnosticsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  make_levels (self);
  make_list (self);
  reroute_name_tree (GTK_WIDGET (self));
  reroute_search_field_init (self->search, _ ("Search the log"));
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, NULL, NULL);
}
