/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layout.c - no caption is cut off or covered, in any language, at 100 % and 200 % of the text size
 *
 * Every label that is on the screen is asked what it needs and what it got.  A label may end in an
 * ellipsis where a tooltip tells the whole; what can be scrolled to is not cut off.  From left to
 * right and from right to left every page is the mirror image of itself.
 */

#include "config.h"

#include "gui/field-error.h"
#include "gui/history-page.h"
#include "gui/note.h"
#include "gui/window.h"
#include "tests/display/each-window.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define DPI 96
#define DPI_UNITS 1024 /* of the setting gtk-xft-dpi */
#define TITLE_BAR 40   /* what a window manager takes of the screen, in pixels */
#define WORDS_MOST 19  /* of a sentence that comes later: some lines */
#define WORDS_MORE 3
#define CELL_PADDING 16 /* beside the text, in pixels: style.css */
#define TOLERANCE 1.5   /* pixels: positions are rounded */

/* One window; says what is wrong with it, one line each. */
typedef struct
{
  const EachWindow *each;
  GPtrArray *faults; /* (element-type utf8) */
} Check;

static void
complain (Check *check, const char *text, const char *fault)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", 2);

  g_ptr_array_add (check->faults,
                   g_strdup_printf ("%s: “%s” %s", check->each->name, lines[0], fault));
}

/* --- labels --- */

static gboolean
has_tooltip (GtkWidget *widget)
{
  for (GtkWidget *at = widget; at != NULL; at = gtk_widget_get_parent (at))
    if (gtk_widget_get_has_tooltip (at))
      return TRUE;
  return FALSE;
}

/* Sizes here are with the margins and the padding, as gtk_widget_measure() means them. */
static void
check_extent (Check *check, GtkLabel *label)
{
  GtkWidget *widget = GTK_WIDGET (label);
  int width = gtk_widget_get_allocated_width (widget) + gtk_widget_get_margin_start (widget) +
              gtk_widget_get_margin_end (widget);
  int height = gtk_widget_get_allocated_height (widget) + gtk_widget_get_margin_top (widget) +
               gtk_widget_get_margin_bottom (widget);
  int natural = 0;
  int least_height = 0;

  if (pango_layout_is_ellipsized (gtk_label_get_layout (label)) && !has_tooltip (widget))
    complain (check, gtk_label_get_text (label), "ends in an ellipsis and has no tooltip");
  if (gtk_label_get_ellipsize (label) != PANGO_ELLIPSIZE_NONE)
    return;
  gtk_widget_measure (widget, GTK_ORIENTATION_HORIZONTAL, -1, NULL, &natural, NULL, NULL);
  if (!gtk_label_get_wrap (label) && width < natural)
    complain (check, gtk_label_get_text (label), "is narrower than its text");
  gtk_widget_measure (widget, GTK_ORIENTATION_VERTICAL, width, &least_height, NULL, NULL, NULL);
  if (height < least_height)
    complain (check, gtk_label_get_text (label), "is lower than its text");
}

/* Whatever is around it shows all of it, or can be scrolled until it does. */
static void
check_clipping (Check *check, GtkLabel *label)
{
  gboolean scrolls_across = FALSE;
  gboolean scrolls_down = FALSE;

  for (GtkWidget *at = gtk_widget_get_parent (GTK_WIDGET (label)); at != NULL;
       at = gtk_widget_get_parent (at))
    {
      graphene_rect_t bounds;
      GtkPolicyType across = GTK_POLICY_NEVER;
      GtkPolicyType down = GTK_POLICY_NEVER;
      float width = gtk_widget_get_width (at);
      float height = gtk_widget_get_height (at);

      if (GTK_IS_SCROLLED_WINDOW (at))
        gtk_scrolled_window_get_policy (GTK_SCROLLED_WINDOW (at), &across, &down);
      scrolls_across = scrolls_across || across != GTK_POLICY_NEVER;
      scrolls_down = scrolls_down || down != GTK_POLICY_NEVER;
      /* The place for what is scrolled: the scrolled window around it has the say. */
      if (GTK_IS_SCROLLABLE (at) || !gtk_widget_compute_bounds (GTK_WIDGET (label), at, &bounds))
        continue;
      if ((!scrolls_across && (bounds.origin.x < -TOLERANCE ||
                               bounds.origin.x + bounds.size.width > width + TOLERANCE)) ||
          (!scrolls_down && (bounds.origin.y < -TOLERANCE ||
                             bounds.origin.y + bounds.size.height > height + TOLERANCE)))
        {
          complain (check, gtk_label_get_text (label), "reaches beyond what is around it");
          return;
        }
    }
}

/* --- grids --- */

static gboolean
lie_over_each_other (GtkWidget *one, GtkWidget *other)
{
  GtkWidget *grid = gtk_widget_get_parent (one);
  graphene_rect_t first, second, both;

  return gtk_widget_get_mapped (one) && gtk_widget_get_mapped (other) &&
         gtk_widget_compute_bounds (one, grid, &first) &&
         gtk_widget_compute_bounds (other, grid, &second) &&
         graphene_rect_intersection (&first, &second, &both) && both.size.width > TOLERANCE &&
         both.size.height > TOLERANCE;
}

/* A cell is of one widget. */
static void
check_grid (Check *check, GtkWidget *grid)
{
  for (GtkWidget *one = gtk_widget_get_first_child (grid); one != NULL;
       one = gtk_widget_get_next_sibling (one))
    for (GtkWidget *other = gtk_widget_get_next_sibling (one); other != NULL;
         other = gtk_widget_get_next_sibling (other))
      if (lie_over_each_other (one, other))
        complain (check, G_OBJECT_TYPE_NAME (one), "lies over another in a grid");
}

/* --- a mark that no list here has --- */

/* In the list of generations. */
static void
check_mark (Check *check)
{
  GtkWidget *viewport = NULL;
  GObject *view = NULL;
  GListModel *columns = NULL;
  g_autoptr (GtkColumnViewColumn) column = NULL;
  g_autoptr (PangoLayout) layout = NULL;
  int needed = 0;

  if (!g_str_equal (check->each->name, "RerouteHistoryPage"))
    return;
  viewport = gtk_scrolled_window_get_child (GTK_SCROLLED_WINDOW (check->each->page));
  view = gtk_widget_get_template_child (
    gtk_viewport_get_child (GTK_VIEWPORT (viewport)), REROUTE_TYPE_HISTORY_PAGE, "view");
  columns = gtk_column_view_get_columns (GTK_COLUMN_VIEW (view));
  column = g_list_model_get_item (columns, g_list_model_get_n_items (columns) - 1);
  layout = gtk_widget_create_pango_layout (GTK_WIDGET (view), _ ("In use"));
  pango_layout_get_pixel_size (layout, &needed, NULL);
  if (gtk_column_view_column_get_fixed_width (column) < needed + CELL_PADDING)
    complain (check, _ ("In use"), "has no room in its column");
}

/* --- all of a window --- */

static void
walk (Check *check, GtkWidget *widget)
{
  if (!gtk_widget_get_mapped (widget))
    return;
  if (GTK_IS_GRID (widget))
    check_grid (check, widget);
  if (GTK_IS_LABEL (widget) && gtk_label_get_text (GTK_LABEL (widget))[0] != '\0')
    {
      check_extent (check, GTK_LABEL (widget));
      check_clipping (check, GTK_LABEL (widget));
    }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    walk (check, child);
}

/* --- windows --- */

static void
check_window (Check *check)
{
  GtkWidget *window = GTK_WIDGET (check->each->window);
  GdkSurface *surface = gtk_native_get_surface (GTK_NATIVE (window));
  GdkMonitor *monitor =
    gdk_display_get_monitor_at_surface (gtk_widget_get_display (window), surface);
  GdkRectangle screen;

  gdk_monitor_get_geometry (monitor, &screen);
  if (gtk_widget_get_width (window) > screen.width ||
      gtk_widget_get_height (window) > screen.height - TITLE_BAR)
    complain (check, gtk_window_get_title (check->each->window), "is larger than the screen");
}

static void
check_cb (const EachWindow *each, gpointer user_data)
{
  Check check = { each, user_data };

  each_window_settle (each->window);
  check_window (&check);
  check_mark (&check);
  walk (&check, GTK_WIDGET (each->window));
}

/* --- the footer while an Apply is shown --- */

static GtkWidget *
get_part (const EachWindow *each, const char *id)
{
  GObject *part =
    gtk_widget_get_template_child (GTK_WIDGET (each->window), REROUTE_TYPE_WINDOW, id);

  g_assert_nonnull (part);
  return GTK_WIDGET (part);
}

static void
show_progress (const EachWindow *each, gboolean visible)
{
  gtk_widget_set_visible (get_part (each, "progress"), visible);
  gtk_widget_set_visible (get_part (each, "stop_button"), visible);
  each_window_settle (each->window);
}

/* The progress takes the place of the findings, and is told in full. */
static void
check_progress_cb (const EachWindow *each, gpointer user_data)
{
  g_autofree char *text = g_strdup_printf (_ ("Applying, %d %%"), 100);
  Check check = { each, user_data };
  GtkLabel *state = NULL;
  g_autofree char *usual = NULL;

  check_cb (each, user_data);
  if (!REROUTE_IS_WINDOW (each->window))
    return;
  state = GTK_LABEL (get_part (each, "state"));
  usual = g_strdup (gtk_label_get_label (state));
  gtk_label_set_label (state, text);
  show_progress (each, TRUE);
  if (pango_layout_is_ellipsized (gtk_label_get_layout (state)))
    complain (&check, text, "is cut off");
  gtk_label_set_label (state, usual);
  show_progress (each, FALSE);
}

/* --- languages and sizes --- */

static void
set_text_scale (int percent)
{
  g_object_set (gtk_settings_get_default (), "gtk-xft-dpi", DPI * DPI_UNITS * percent / 100, NULL);
}

static void
check_language (const char *language, int percent, EachWindowFunc check)
{
  g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);

  set_text_scale (percent);
  each_window_speak (language);
  each_window_visit (check, faults);
  for (guint i = 0; i < faults->len; i++)
    g_test_fail_printf ("%s", (char *) faults->pdata[i]);
}

static void
test_ordinary (gconstpointer language)
{
  check_language (language, 100, check_progress_cb);
}

static void
test_large (gconstpointer language)
{
  check_language (language, 200, check_cb);
}

/* --- sentences that come later --- */

static void
show_sentence (GtkWidget *widget, const char *sentence)
{
  if (REROUTE_IS_NOTE (widget))
    reroute_note_show (REROUTE_NOTE (widget), REROUTE_NOTE_ERROR, sentence, NULL);
  else if (REROUTE_IS_FIELD_ERROR (widget))
    reroute_field_error_set_warning (REROUTE_FIELD_ERROR (widget), sentence);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    show_sentence (child, sentence);
}

/* In a window that is open: of one line, and then of more and more words. */
static void
say_more_cb (const EachWindow *each, gpointer user_data)
{
  Check check = { each, user_data };

  each_window_settle (each->window);
  for (guint n_words = 1; n_words <= WORDS_MOST; n_words += WORDS_MORE)
    {
      g_autoptr (GString) sentence = g_string_new ("Mail");

      for (guint i = 1; i < n_words; i++)
        g_string_append (sentence, " should be");
      show_sentence (GTK_WIDGET (each->window), sentence->str);
      each_window_settle (each->window);
      walk (&check, GTK_WIDGET (each->window));
    }
}

static void
test_sentences (void)
{
  g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);

  set_text_scale (100);
  each_window_speak ("C");
  each_window_visit (say_more_cb, faults);
  for (guint i = 0; i < faults->len; i++)
    g_test_fail_printf ("%s", (char *) faults->pdata[i]);
}

/* --- what is noticed --- */

static void
add_cut_caption (GtkBox *box)
{
  GtkWidget *label = gtk_label_new ("a caption that is too long");

  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 5);
  gtk_widget_set_halign (label, GTK_ALIGN_START);
  gtk_box_append (box, label);
}

static void
add_cut_header (GtkBox *box)
{
  GtkWidget *view = gtk_column_view_new (NULL);
  GtkColumnViewColumn *column = gtk_column_view_column_new ("a header that is too long", NULL);

  gtk_column_view_column_set_fixed_width (column, 40);
  gtk_column_view_append_column (GTK_COLUMN_VIEW (view), column);
  g_object_unref (column);
  gtk_box_append (box, view);
}

static void
add_wide_caption (GtkBox *box)
{
  g_autofree char *text = g_strnfill (400, 'w');

  gtk_box_append (box, gtk_label_new (text));
}

static void
test_notices (void)
{
  const struct
  {
    void (*add) (GtkBox *box);
    const char *fault;
  } rows[] = {
    { add_cut_caption, "ends in an ellipsis and has no tooltip" },
    { add_cut_header, "reaches beyond what is around it" },
    { add_wide_caption, "is larger than the screen" },
  };

  set_text_scale (100);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);
      GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
      EachWindow each = { "sample", GTK_WINDOW (gtk_window_new ()), NULL, 0 };

      gtk_window_set_title (each.window, "sample");
      gtk_window_set_child (each.window, box);
      rows[i].add (GTK_BOX (box));
      check_cb (&each, faults);
      g_assert_cmpuint (faults->len, ==, 1);
      g_assert_cmpstr (strrchr (faults->pdata[0], (char) 0x9d) + 2, ==, rows[i].fault);
      gtk_window_destroy (each.window);
    }
}

/* --- the mirror image --- */

typedef struct
{
  char *what;
  float start; /* measured from the edge where lines begin */
  float width;
} Place;

static void
place_free (gpointer data)
{
  g_free (((Place *) data)->what);
  g_free (data);
}

typedef struct
{
  const EachWindow *each;
  GtkTextDirection direction;
  GPtrArray *places; /* (element-type Place) */
} Survey;

static void
note_place (Survey *survey, GtkWidget *widget)
{
  GtkWidget *window = GTK_WIDGET (survey->each->window);
  const char *text = GTK_IS_LABEL (widget) ? gtk_label_get_text (GTK_LABEL (widget)) : "";
  graphene_rect_t bounds;
  float start = 0;
  Place *place = NULL;

  if (!gtk_widget_compute_bounds (widget, window, &bounds) || bounds.size.width == 0 ||
      bounds.size.height == 0)
    return;
  start = survey->direction == GTK_TEXT_DIR_LTR
            ? bounds.origin.x
            : gtk_widget_get_width (window) - bounds.origin.x - bounds.size.width;
  place = g_new (Place, 1);
  place->what =
    g_strdup_printf ("%s: %s “%s”", survey->each->name, G_OBJECT_TYPE_NAME (widget), text);
  place->start = start;
  place->width = bounds.size.width;
  g_ptr_array_add (survey->places, place);
}

static void
survey_widgets (Survey *survey, GtkWidget *widget)
{
  if (!gtk_widget_get_mapped (widget))
    return;
  if (gtk_widget_get_first_child (widget) == NULL)
    note_place (survey, widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    survey_widgets (survey, child);
}

static void
survey_cb (const EachWindow *each, gpointer user_data)
{
  Survey *survey = user_data;

  survey->each = each;
  each_window_settle (each->window);
  survey_widgets (survey, GTK_WIDGET (each->window));
}

/* (transfer full) */
static GPtrArray *
dup_places (GtkTextDirection direction)
{
  Survey survey = { NULL, direction, g_ptr_array_new_with_free_func (place_free) };

  each_window_speak ("C");
  gtk_widget_set_default_direction (direction);
  each_window_visit (survey_cb, &survey);
  return survey.places;
}

static void
test_mirrored (void)
{
  g_autoptr (GPtrArray) left = NULL;
  g_autoptr (GPtrArray) right = NULL;

  set_text_scale (100);
  left = dup_places (GTK_TEXT_DIR_LTR);
  right = dup_places (GTK_TEXT_DIR_RTL);
  g_assert_cmpuint (left->len, >, 0);
  g_assert_cmpuint (left->len, ==, right->len);
  for (guint i = 0; i < left->len; i++)
    {
      const Place *a = left->pdata[i];
      const Place *b = right->pdata[i];

      g_assert_cmpstr (a->what, ==, b->what);
      if (fabsf (a->start - b->start) > TOLERANCE || fabsf (a->width - b->width) > TOLERANCE)
        g_test_fail_printf (
          "%s begins at %.0f, and at %.0f from right to left", a->what, a->start, b->start);
    }
}

int
main (int argc, char **argv)
{
  g_auto (GStrv) languages = NULL;

  g_test_init (&argc, &argv, NULL);
  each_window_init ();
  languages = each_window_dup_languages ();
  for (gsize i = 0; languages[i] != NULL; i++)
    {
      g_autofree char *ordinary = g_strdup_printf ("/layout/100/%s", languages[i]);
      g_autofree char *large = g_strdup_printf ("/layout/200/%s", languages[i]);

      g_test_add_data_func (ordinary, languages[i], test_ordinary);
      g_test_add_data_func (large, languages[i], test_large);
    }
  g_test_add_func ("/layout/100/mirrored", test_mirrored);
  g_test_add_func ("/layout/100/sentences", test_sentences);
  g_test_add_func ("/layout/100/notices", test_notices);
  return g_test_run ();
}
