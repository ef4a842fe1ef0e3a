/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * history-page.c - the History page: generations of the rules, what changed in each, Bring Back
 *
 * rulesd keeps REROUTE_LIMIT_HISTORY_GENERATIONS of them, so the list is held whole.
 */

#include "config.h"

#include "gui/history-page.h"

#include "common/limits.h"
#include "common/summary-text.h"
#include "gui/history-text.h"
#include "gui/naming.h"
#include "gui/note.h"
#include "gui/plain-list.h"
#include "gui/revert.h"
#include "gui/row-text.h"
#include "gui/search-field.h"

#include <glib/gi18n.h>
#include <string.h>

#define CHANGES_SHOWN 1000

struct _RerouteHistoryPage
{
  GtkBox parent_instance;

  GtkSearchEntry *search;
  GtkColumnView *view;
  RerouteNote *note;
  GtkLabel *changes_title;
  GtkLabel *changes_count;
  GtkColumnView *changes_view;
  GtkButton *back_button;

  RerouteSheet *sheet;
  GListStore *generations; /* of RerouteListLine of RerouteGeneration, newest first */
  GtkCustomFilter *filter;
  GtkSingleSelection *selection;
  GListStore *changes; /* of RerouteListLine of RerouteDifference */

  GCancellable *reading;   /* the generations */
  guint64 before;          /* what is read is older than that; 0: the newest */
  gboolean whole;          /* the oldest one is there */
  GCancellable *comparing; /* the changes of the selected one */
  guint64 compared;        /* the serial whose changes are shown; 0: none */
  guint64 in_use;          /* as the list shows it */
  char *problem;           /* why nothing was brought back; NULL: no such thing */
};

static void page_iface_init (ReroutePropertyPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteHistoryPage,
                               reroute_history_page,
                               GTK_TYPE_BOX,
                               G_IMPLEMENT_INTERFACE (REROUTE_TYPE_PROPERTY_PAGE, page_iface_init))

/* A format of a translated sentence has no place for G_GUINT64_FORMAT. */
static char *
dup_number (guint64 number)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, number);
}

/* (transfer none) (nullable) */
static const RerouteGeneration *
get_selected (RerouteHistoryPage *self)
{
  RerouteListLine *line = gtk_single_selection_get_selected_item (self->selection);

  return line != NULL ? reroute_list_line_get_value (line) : NULL;
}

/* --- cells --- */

static char *
number_cell (gpointer value, gpointer user_data)
{
  return dup_number (((RerouteGeneration *) value)->serial);
}

static char *
when_cell (gpointer value, gpointer user_data)
{
  return reroute_dup_moment (((RerouteGeneration *) value)->when_us);
}

static char *
who_cell (gpointer value, gpointer user_data)
{
  return g_strdup (((RerouteGeneration *) value)->who);
}

static char *
what_cell (gpointer value, gpointer user_data)
{
  return reroute_summary_dup_text (((RerouteGeneration *) value)->summary);
}

static char *
mark_cell (gpointer value, gpointer user_data)
{
  RerouteHistoryPage *self = REROUTE_HISTORY_PAGE (user_data);

  return g_strdup (((RerouteGeneration *) value)->serial == self->in_use ? _ ("In use") : "");
}

static char *
page_cell (gpointer value, gpointer user_data)
{
  return reroute_difference_dup_page (value);
}

static char *
name_cell (gpointer value, gpointer user_data)
{
  return reroute_difference_dup_name (value);
}

static char *
before_cell (gpointer value, gpointer user_data)
{
  const RerouteDifference *difference = value;

  return reroute_change_dup_content (difference->before,
                                     reroute_difference_get_fields (difference));
}

static char *
after_cell (gpointer value, gpointer user_data)
{
  const RerouteDifference *difference = value;

  return reroute_change_dup_content (difference->after, reroute_difference_get_fields (difference));
}

/* --- what is shown --- */

static void
show_note (RerouteHistoryPage *self, const RerouteGeneration *generation)
{
  g_autofree char *serial = NULL;
  g_autofree char *when = NULL;
  g_autofree char *markup = NULL;

  if (self->problem != NULL)
    {
      markup = g_markup_escape_text (self->problem, -1);
      reroute_note_show (self->note, REROUTE_NOTE_ERROR, markup, NULL);
      return;
    }
  if (generation == NULL)
    {
      reroute_note_show (self->note, REROUTE_NOTE_PLAIN, NULL, NULL);
      return;
    }
  serial = dup_number (generation->serial);
  when = reroute_dup_moment (generation->when_us);
  if (generation->serial == reroute_sheet_get_serial (self->sheet))
    markup = g_markup_printf_escaped (_ ("<b>%s</b> is what is saved now."), serial);
  else
    markup = g_markup_printf_escaped (
      /* Translators: the number of a generation of the rules, a person, date and time */
      _ ("Bringing back <b>%s</b> restores the rules and settings as they were saved by %s, %s. It becomes a new entry here; nothing is lost."),
         serial,
         generation->who,
         when);
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, markup, NULL);
}

static void
update (RerouteHistoryPage *self)
{
  const RerouteGeneration *generation = get_selected (self);
  g_autofree char *serial = generation != NULL ? dup_number (generation->serial) : NULL;
  g_autofree char *title = NULL;
  g_autofree char *back = NULL;

  show_note (self, generation);
  /* Translators: %s is the number of a generation of the rules */
  title = g_strdup_printf (_ ("Changes in %s"), serial != NULL ? serial : "–");
  gtk_label_set_label (self->changes_title, title);
  back = serial != NULL ? g_strdup_printf (_ ("_Bring Back %s…"), serial)
                        : g_strdup (_ ("_Bring Back…"));
  gtk_button_set_label (self->back_button, back);
  reroute_name_tree (GTK_WIDGET (self->back_button));
  gtk_widget_set_sensitive (
    GTK_WIDGET (self->back_button),
    generation != NULL && generation->serial != reroute_sheet_get_serial (self->sheet) &&
      reroute_sheet_is_available (self->sheet) && !reroute_sheet_is_applying (self->sheet) &&
      !reroute_sheet_is_unsettled (self->sheet) && !reroute_revert_is_running (G_OBJECT (self)));
}

/* --- the changes of a generation --- */

static void
show_changes_count (RerouteHistoryPage *self, guint n)
{
  g_autofree char *text = n > CHANGES_SHOWN
    /* Translators: numbers of changes */
    ? g_strdup_printf (_ ("%'u changes, the first %'u are shown"), n, (guint) CHANGES_SHOWN)
    : g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%'u change", "%'u changes", n), n);

  gtk_label_set_label (self->changes_count, n > 0 ? text : "");
}

static void
changes_came_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteHistoryPage) self = REROUTE_HISTORY_PAGE (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) differences = reroute_rules_client_history_changes_finish (
    REROUTE_RULES_CLIENT (source), result, &error);
  g_autoptr (GPtrArray) lines = NULL;

  if (differences == NULL)
    {
      g_debug ("no changes of a generation: %s", error->message);
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        self->compared = 0; /* asked for again when the service is back */
      return;
    }
  lines = reroute_list_lines_new (differences, (GDestroyNotify) reroute_difference_free);
  g_list_store_splice (self->changes, 0, 0, lines->pdata, lines->len);
}

static void
compare (RerouteHistoryPage *self)
{
  const RerouteGeneration *generation = get_selected (self);
  guint64 serial = generation != NULL ? generation->serial : 0;

  if (serial == self->compared)
    return;
  self->compared = serial;
  g_cancellable_cancel (self->comparing);
  g_clear_object (&self->comparing);
  self->comparing = g_cancellable_new ();
  g_list_store_remove_all (self->changes);
  show_changes_count (self, generation != NULL ? generation->n_changes : 0);
  if (generation != NULL)
    reroute_rules_client_history_changes_async (reroute_sheet_get_rules (self->sheet),
                                                serial,
                                                0,
                                                CHANGES_SHOWN,
                                                self->comparing,
                                                changes_came_cb,
                                                g_object_ref (self));
}

static void
selected_cb (GtkSingleSelection *selection, GParamSpec *pspec, RerouteHistoryPage *self)
{
  g_clear_pointer (&self->problem, g_free);
  compare (self);
  update (self);
}

/* --- the generations --- */

static guint64
serial_at (RerouteHistoryPage *self, guint position)
{
  g_autoptr (RerouteListLine) line =
               g_list_model_get_item (G_LIST_MODEL (self->generations), position);

  return line != NULL ? ((RerouteGeneration *) reroute_list_line_get_value (line))->serial : 0;
}

static void read_generations (RerouteHistoryPage *self, guint64 before);

static guint64
get_serial (GPtrArray *generations, guint i)
{
  return ((const RerouteGeneration *) generations->pdata[i])->serial;
}

/* Takes them, the newest first: newer ones go on top, older ones to the end, those that are there
   already go.  Where all are newer there may be more between, and the list begins anew.  FALSE: all
   further ones are there, too, or far more than a service of ours keeps. */
static gboolean
take_generations (RerouteHistoryPage *self, GPtrArray *generations)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->generations));
  guint64 newest = n > 0 ? serial_at (self, 0) : G_MAXUINT64;
  guint64 oldest = n > 0 ? serial_at (self, n - 1) : G_MAXUINT64;
  guint64 first = generations->len > 0 ? get_serial (generations, 0) : 0;
  guint n_newer = 0;
  guint n_known = 0;
  g_autoptr (GPtrArray) lines = NULL;

  while (n_newer < generations->len && get_serial (generations, n_newer) > newest)
    n_newer++;
  while (n_newer + n_known < generations->len &&
         get_serial (generations, n_newer + n_known) >= oldest)
    n_known++;
  /* No service of ours answers so. */
  if (self->before > 0 && first >= self->before)
    return FALSE;
  if (n > 0 && n_newer > 0 && n_newer == generations->len)
    {
      g_list_store_remove_all (self->generations);
      n = 0;
    }
  lines = reroute_list_lines_new (generations, (GDestroyNotify) reroute_generation_free);
  g_list_store_splice (
    self->generations, n, 0, lines->pdata + n_newer + n_known, lines->len - n_newer - n_known);
  g_list_store_splice (self->generations, 0, 0, lines->pdata, n_newer);
  self->whole = lines->len == 0 || (self->whole && n > 0);
  return !self->whole && n < 2 * REROUTE_LIMIT_HISTORY_GENERATIONS;
}

static void
generations_came_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteHistoryPage) self = REROUTE_HISTORY_PAGE (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) generations =
               reroute_rules_client_history_finish (REROUTE_RULES_CLIENT (source), result, &error);
  guint64 last = 0;

  if (generations == NULL)
    {
      g_debug ("no history: %s", error->message);
      return;
    }
  if (generations->len > 0)
    last = get_serial (generations, generations->len - 1);
  if (take_generations (self, generations))
    read_generations (self, last);
  update (self);
}

/* @before: 0 is from the newest */
static void
read_generations (RerouteHistoryPage *self, guint64 before)
{
  self->before = before;
  reroute_rules_client_history_async (reroute_sheet_get_rules (self->sheet),
                                      before,
                                      REROUTE_LIMIT_PAGE_ROWS,
                                      self->reading,
                                      generations_came_cb,
                                      g_object_ref (self));
}

static void
saved_cb (RerouteSheet *sheet, RerouteHistoryPage *self)
{
  g_cancellable_cancel (self->reading);
  g_clear_object (&self->reading);
  self->reading = g_cancellable_new ();
  /* Another database: what is shown is not its history. */
  if (serial_at (self, 0) > reroute_sheet_get_serial (sheet))
    g_list_store_remove_all (self->generations);
  read_generations (self, 0);
  compare (self);
}

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteHistoryPage *self)
{
  RerouteRelayWatch *watch = reroute_sheet_get_relay_watch (sheet);
  guint64 in_use =
    reroute_relay_watch_is_available (watch) ? reroute_relay_watch_get_serial (watch) : 0;

  if (in_use != self->in_use)
    {
      self->in_use = in_use;
      reroute_text_columns_refresh (G_LIST_MODEL (self->generations));
    }
  update (self);
}

/* --- search --- */

static gboolean
matches (gpointer item, gpointer user_data)
{
  RerouteHistoryPage *self = REROUTE_HISTORY_PAGE (user_data);
  const RerouteGeneration *generation = reroute_list_line_get_value (item);
  g_autofree char *typed = reroute_search_field_dup_text (self->search);
  g_autofree char *wanted = g_utf8_casefold (typed, -1);
  g_autofree char *summary = reroute_summary_dup_text (generation->summary);
  g_autofree char *all =
    g_strdup_printf ("%" G_GUINT64_FORMAT "\n%s\n%s", generation->serial, generation->who, summary);
  g_autofree char *text = g_utf8_casefold (all, -1);

  return strstr (text, wanted) != NULL;
}

static void
search_changed_cb (GtkSearchEntry *search, RerouteHistoryPage *self)
{
  if (self->filter != NULL)
    gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
}

static gboolean
clear_search (ReroutePropertyPage *page)
{
  return reroute_search_field_clear (REROUTE_HISTORY_PAGE (page)->search);
}

/* --- Bring Back --- */

static void
reverted_cb (GObject *owner, const char *problem)
{
  RerouteHistoryPage *self = REROUTE_HISTORY_PAGE (owner);

  g_free (self->problem);
  self->problem = g_strdup (problem);
  update (self);
}

static void
back_clicked_cb (GtkButton *button, RerouteHistoryPage *self)
{
  const RerouteGeneration *generation = get_selected (self);

  if (generation != NULL)
    reroute_revert_ask (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
                        self->sheet,
                        generation->serial,
                        reverted_cb,
                        G_OBJECT (self));
}

static void
copy_clicked_cb (GtkButton *button, RerouteHistoryPage *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->changes));
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (RerouteListLine) line = g_list_model_get_item (G_LIST_MODEL (self->changes), i);
      gpointer value = reroute_list_line_get_value (line);
      g_autofree char *page = page_cell (value, NULL);
      g_autofree char *name = name_cell (value, NULL);
      g_autofree char *before = before_cell (value, NULL);
      g_autofree char *after = after_cell (value, NULL);

      g_string_append_printf (text, "%s\t%s\t%s\t%s\n", page, name, before, after);
    }
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text->str);
}

/* --- ReroutePropertyPage --- */

static void
open_sheet (ReroutePropertyPage *page, RerouteSheet *sheet)
{
  RerouteHistoryPage *self = REROUTE_HISTORY_PAGE (page);

  self->sheet = g_object_ref (sheet);
  g_signal_connect_object (sheet, "saved", G_CALLBACK (saved_cb), self, 0);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  update (self);
}

static void
focus_search (ReroutePropertyPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (REROUTE_HISTORY_PAGE (page)->search));
}

static void
page_iface_init (ReroutePropertyPageInterface *iface)
{
  iface->help_topic = "history";
  iface->open = open_sheet;
  iface->focus_search = focus_search;
  iface->clear_search = clear_search;
}

static void
reroute_history_page_dispose (GObject *object)
{
  RerouteHistoryPage *self = REROUTE_HISTORY_PAGE (object);

  g_cancellable_cancel (self->reading);
  g_cancellable_cancel (self->comparing);
  g_clear_object (&self->reading);
  g_clear_object (&self->comparing);
  g_clear_object (&self->selection);
  g_clear_object (&self->sheet);
  g_clear_pointer (&self->problem, g_free);

  G_OBJECT_CLASS (reroute_history_page_parent_class)->dispose (object);
}

static void
reroute_history_page_class_init (RerouteHistoryPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_history_page_dispose;

  g_type_ensure (REROUTE_TYPE_NOTE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/history-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteHistoryPage, search);
  gtk_widget_class_bind_template_child (widget_class, RerouteHistoryPage, view);
  gtk_widget_class_bind_template_child (widget_class, RerouteHistoryPage, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteHistoryPage, changes_title);
  gtk_widget_class_bind_template_child (widget_class, RerouteHistoryPage, changes_count);
  gtk_widget_class_bind_template_child (widget_class, RerouteHistoryPage, changes_view);
  gtk_widget_class_bind_template_child (widget_class, RerouteHistoryPage, back_button);
  gtk_widget_class_bind_template_callback (widget_class, search_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, back_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, copy_clicked_cb);
}

static void
make_lists (RerouteHistoryPage *self)
{
  const RerouteTextColumn columns[] = {
    { _ ("No."), 56, TRUE, number_cell },
      { _ ("When"), 176, FALSE, when_cell },
        { _ ("Who"), 130, FALSE, who_cell },
          { _ ("What"), -1, FALSE, what_cell },
            { "", 104, FALSE, mark_cell, .sample = _ ("In use") },
          };
  const RerouteTextColumn change_columns[] = {
    { _ ("Page"), 110, FALSE, page_cell },
      { _ ("Entry or Setting"), 190, FALSE, name_cell },
        { _ ("Before"), 200, FALSE, before_cell },
          { _ ("After"), -1, FALSE, after_cell },
        };

  self->generations = g_list_store_new (REROUTE_TYPE_LIST_LINE);
  self->filter = gtk_custom_filter_new (matches, self, NULL);
  self->selection = gtk_single_selection_new (G_LIST_MODEL (
    gtk_filter_list_model_new (G_LIST_MODEL (self->generations), GTK_FILTER (self->filter))));
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
  reroute_text_columns_add (self->view, columns, G_N_ELEMENTS (columns), self);
  g_signal_connect_object (
    self->selection, "notify::selected-item", G_CALLBACK (selected_cb), self, 0);

  self->changes = g_list_store_new (REROUTE_TYPE_LIST_LINE);
  gtk_column_view_set_model (
    self->changes_view, GTK_SELECTION_MODEL (gtk_no_selection_new (G_LIST_MODEL (self->changes))));
  reroute_text_columns_add (
    self->changes_view, change_columns, G_N_ELEMENTS (change_columns), self);
}

static void
reroute_history_page_init (RerouteHistoryPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  make_lists (self);
  reroute_search_field_init (self->search, _ ("Search people, domains, values"));
  reroute_name_widget (GTK_WIDGET (self->view), _ ("Generations"));
  reroute_name_widget (GTK_WIDGET (self->changes_view), _ ("Changes"));
  reroute_name_let_tab_leave (self->view);
  reroute_name_let_tab_leave (self->changes_view);
}
