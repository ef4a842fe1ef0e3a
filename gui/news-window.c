/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * news-window.c - what changed meanwhile: before, after, and yours
 *
 * What touches hers is known and comes first.  For the rest the history is asked, the newest
 * generation first: it knows what stood there before.
 */

#include "config.h"

#include "gui/news-window.h"

#include "common/limits.h"
#include "gui/history-text.h"
#include "gui/naming.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>

#define CHANGES_SHOWN 200

struct _RerouteNewsWindow
{
  GtkWindow parent_instance;

  GtkLabel *summary;
  GtkGrid *grid;
  GtkLabel *count;
  GtkWidget *close_button;

  RerouteSheet *sheet;
  RerouteNews *news;
  GCancellable *cancellable;
  GArray *serials; /* (element-type guint64): of the generations, newest first */
  guint64 before;  /* what is read of the history is older than that */
  guint total;     /* of the changes in those */
  guint next;      /* the generation whose changes are read, by its place */
  guint offset;    /* changes of it that are read */
  int line;        /* 0: the headings */
};

G_DEFINE_FINAL_TYPE (RerouteNewsWindow, reroute_news_window, GTK_TYPE_WINDOW)

static void ask_next (RerouteNewsWindow *self);

static void
attach (RerouteNewsWindow *self, int column, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_yalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_width_chars (GTK_LABEL (label), 9);
  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  gtk_widget_set_hexpand (label, column > 0);
  gtk_grid_attach (self->grid, label, column, self->line, 1, 1);
}

/* What the edit makes of the same thing; NULL when it does not touch it.  @fields: (inout): that
   are told of an entry: also those in which hers differs from what is saved now. */
static char *
dup_yours (RerouteNewsWindow *self, const RerouteDifference *difference, guint *fields)
{
  const RerouteChange *change = difference->after != NULL ? difference->after : difference->before;
  RerouteEdit *edit = reroute_sheet_get_edit (self->sheet);
  const RerouteSettingSpec *spec = NULL;
  RerouteRow *row = NULL;

  if (change->kind == REROUTE_CHANGE_SET)
    {
      spec = reroute_setting_find (change->key, NULL);
      return spec != NULL ? g_strdup (reroute_edit_get_setting (edit, spec->id)) : NULL;
    }
  row = reroute_edit_get_row (edit, change->page, change->id);
  *fields |= reroute_rows_get_differing (reroute_change_get_row (change), row);
  if (row != NULL)
    return reroute_row_dup_fields (row, *fields);
  return reroute_edit_get_state (edit, change->page, change->id) == REROUTE_EDIT_REMOVED
    ? g_strdup (_ ("removed"))
    : NULL;
}

/* @before_is_known: else no before is nothing to speak of */
static void
append_difference (RerouteNewsWindow *self,
                   const RerouteDifference *difference,
                   gboolean before_is_known)
{
  guint fields = reroute_difference_get_fields (difference);
  g_autofree char *name = reroute_difference_dup_name (difference);
  g_autofree char *yours = dup_yours (self, difference, &fields);
  g_autofree char *before = reroute_change_dup_content (difference->before, fields);
  g_autofree char *after = reroute_change_dup_content (difference->after, fields);

  self->line++;
  attach (self, 0, name, NULL);
  attach (self, 1, before_is_known ? before : "", NULL);
  attach (self, 2, after, NULL);
  attach (self, 3, yours != NULL ? yours : "", yours != NULL ? "differs" : NULL);
}

/* There is one more than are shown. */
static void
show_count (RerouteNewsWindow *self)
{
  guint total = MAX (self->total, CHANGES_SHOWN + 1);
  g_autofree char *text =
    /* Translators: numbers of changes */
    g_strdup_printf (_ ("%'u changes, the first %'u are shown"), total, (guint) CHANGES_SHOWN);

  gtk_label_set_label (self->count, text);
}

static gboolean
is_full (RerouteNewsWindow *self)
{
  return self->line >= CHANGES_SHOWN;
}

static void
append_conflicts (RerouteNewsWindow *self)
{
  for (guint i = 0; i < self->news->conflicts->len && !is_full (self); i++)
    {
      const RerouteConflict *conflict = g_ptr_array_index (self->news->conflicts, i);

      append_difference (self, conflict->difference, conflict->difference->before != NULL);
    }
}

/* Those that are not shown yet.  FALSE: there is no place for them. */
static gboolean
append_differences (RerouteNewsWindow *self, GPtrArray *differences)
{
  for (guint i = 0; i < differences->len; i++)
    {
      const RerouteDifference *difference = g_ptr_array_index (differences, i);
      const RerouteChange *change =
        difference->after != NULL ? difference->after : difference->before;

      if (change == NULL || reroute_news_has_conflict (self->news, change))
        continue;
      if (is_full (self))
        return FALSE;
      append_difference (self, difference, TRUE);
    }
  return TRUE;
}

static void
differences_came_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteNewsWindow) self = REROUTE_NEWS_WINDOW (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) differences = reroute_rules_client_history_changes_finish (
    REROUTE_RULES_CLIENT (source), result, &error);

  if (self->sheet == NULL)
    return;
  if (differences == NULL)
    g_debug ("no changes of a generation: %s", error->message);
  if (differences != NULL && !append_differences (self, differences))
    {
      show_count (self);
      return;
    }
  self->offset += differences != NULL ? differences->len : 0;
  if (differences == NULL || differences->len == 0)
    {
      self->next++;
      self->offset = 0;
    }
  ask_next (self);
}

static void
ask_next (RerouteNewsWindow *self)
{
  if (self->next >= self->serials->len)
    return;
  reroute_rules_client_history_changes_async (reroute_sheet_get_rules (self->sheet),
                                              g_array_index (self->serials, guint64, self->next),
                                              self->offset,
                                              CHANGES_SHOWN,
                                              self->cancellable,
                                              differences_came_cb,
                                              g_object_ref (self));
}

static void read_generations (RerouteNewsWindow *self);

/* Takes those that she had not seen.  FALSE: there are no more of them. */
static gboolean
take_generations (RerouteNewsWindow *self, GPtrArray *generations)
{
  for (guint i = 0; i < generations->len; i++)
    {
      const RerouteGeneration *generation = g_ptr_array_index (generations, i);

      /* No service of ours lets them rise. */
      if (generation->serial <= self->news->since || generation->serial >= self->before)
        return FALSE;
      self->before = generation->serial;
      self->total += generation->n_changes;
      g_array_append_val (self->serials, generation->serial);
    }
  return generations->len > 0 && self->serials->len < REROUTE_LIMIT_HISTORY_GENERATIONS;
}

static void
generations_came_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteNewsWindow) self = REROUTE_NEWS_WINDOW (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) generations =
               reroute_rules_client_history_finish (REROUTE_RULES_CLIENT (source), result, &error);

  if (self->sheet == NULL)
    return;
  if (generations == NULL)
    g_debug ("no history: %s", error->message);
  if (generations != NULL && take_generations (self, generations))
    read_generations (self);
  else if (self->news->conflicts->len > CHANGES_SHOWN)
    show_count (self);
  else
    ask_next (self);
}

static void
read_generations (RerouteNewsWindow *self)
{
  reroute_rules_client_history_async (reroute_sheet_get_rules (self->sheet),
                                      self->before,
                                      REROUTE_LIMIT_PAGE_ROWS,
                                      self->cancellable,
                                      generations_came_cb,
                                      g_object_ref (self));
}

static void
reroute_news_window_dispose (GObject *object)
{
  RerouteNewsWindow *self = REROUTE_NEWS_WINDOW (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->sheet);
  g_clear_pointer (&self->news, reroute_news_free);
  g_clear_pointer (&self->serials, g_array_unref);

  G_OBJECT_CLASS (reroute_news_window_parent_class)->dispose (object);
}

static void
reroute_news_window_class_init (RerouteNewsWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_news_window_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/news-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteNewsWindow, summary);
  gtk_widget_class_bind_template_child (widget_class, RerouteNewsWindow, grid);
  gtk_widget_class_bind_template_child (widget_class, RerouteNewsWindow, count);
  gtk_widget_class_bind_template_child (widget_class, RerouteNewsWindow, close_button);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
reroute_news_window_init (RerouteNewsWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
  self->serials = g_array_new (FALSE, FALSE, sizeof (guint64));
  attach (self, 0, _ ("Entry or Setting"), "heading");
  attach (self, 1, _ ("Before"), "heading");
  attach (self, 2, _ ("Saved Meanwhile"), "heading");
  attach (self, 3, _ ("Yours"), "heading");
}

void
reroute_news_window_show (GtkWindow *parent, RerouteSheet *sheet)
{
  RerouteNewsWindow *self = NULL;
  RerouteNews *news = reroute_sheet_get_news (sheet);
  g_autofree char *summary = NULL;
  g_autofree char *since = NULL;
  g_autofree char *serial = NULL;

  if (news == NULL)
    return;
  self = g_object_new (REROUTE_TYPE_NEWS_WINDOW, "transient-for", parent, NULL);
  self->sheet = g_object_ref (sheet);
  reroute_news_add (&self->news, news);
  self->before = news->serial + 1;
  since = g_strdup_printf ("%" G_GUINT64_FORMAT, news->since);
  serial = g_strdup_printf ("%" G_GUINT64_FORMAT, news->serial);
  /* Translators: the numbers of two generations of the rules */
  summary = g_strdup_printf (_ ("Saved by others between %s and %s. Your changes lie over it and are saved with OK or Apply."),
    since,
    serial);
  gtk_label_set_label (self->summary, summary);
  append_conflicts (self);
  read_generations (self);
  gtk_widget_grab_focus (self->close_button);
  gtk_window_present (GTK_WINDOW (self));
}
