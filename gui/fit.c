/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fit.c - sizes that follow the language, the size of the text and the screen
 */

#include "config.h"

#include "gui/fit.h"

#define USUAL_TEXT_PX (11 * 96 / 72.0) /* 11 points: what widths in pixels are made for */
#define CELL_PADDING 24                /* in pixels */
#define ARROW_WIDTH 16                 /* of a header by which the list is sorted */
#define SHEET_WIDTH 800                /* dialog-look.md section 1 */
#define SHEET_HEIGHT 640
#define AROUND_WIDTH 20   /* what a window's frame takes of the screen */
#define AROUND_HEIGHT 100 /* title bar, panels */

/* 1 for text of the usual size, 2 at 200 %. */
static double
get_text_scale (GtkWidget *widget)
{
  const PangoFontDescription *font =
    pango_context_get_font_description (gtk_widget_get_pango_context (widget));

  return pango_font_description_get_size (font) / (PANGO_SCALE * USUAL_TEXT_PX);
}

int
reroute_fit_column (GtkColumnView *view, int width, const char *const *words)
{
  g_autoptr (PangoLayout) layout = gtk_widget_create_pango_layout (GTK_WIDGET (view), NULL);
  int widest = (int) (width * get_text_scale (GTK_WIDGET (view)));

  for (int around = CELL_PADDING + ARROW_WIDTH; *words != NULL; words++, around = CELL_PADDING)
    {
      g_autofree char *markup = g_markup_printf_escaped ("<b>%s</b>", *words);
      int needed = 0;

      pango_layout_set_markup (layout, markup, -1);
      pango_layout_get_pixel_size (layout, &needed, NULL);
      widest = MAX (widest, needed + around);
    }
  return widest;
}

/* What the smallest screen has room for: it is not known yet on which one the window will be. */
static void
get_room (GtkWindow *window, int *width, int *height)
{
  GListModel *monitors = gdk_display_get_monitors (gtk_widget_get_display (GTK_WIDGET (window)));

  *width = G_MAXINT;
  *height = G_MAXINT;
  for (guint i = 0; i < g_list_model_get_n_items (monitors); i++)
    {
      g_autoptr (GdkMonitor) monitor = g_list_model_get_item (monitors, i);
      GdkRectangle geometry;

      gdk_monitor_get_geometry (monitor, &geometry);
      *width = MIN (*width, geometry.width - AROUND_WIDTH);
      *height = MIN (*height, geometry.height - AROUND_HEIGHT);
    }
}

/* Of a window in which no page has to scroll, when pages are @width wide. */
static int
measure_height (GtkWindow *window, GtkNotebook *notebook, int width)
{
  int least = 0;    /* of a page that scrolls */
  int tallest = 0;  /* page */
  int together = 0; /* with what is around a page that scrolls */

  for (int i = 0; i < gtk_notebook_get_n_pages (notebook); i++)
    {
      GtkScrolledWindow *scroller = GTK_SCROLLED_WINDOW (gtk_notebook_get_nth_page (notebook, i));
      GtkWidget *page = gtk_scrolled_window_get_child (scroller);
      int height = 0;

      gtk_widget_measure (page, GTK_ORIENTATION_VERTICAL, width, &height, NULL, NULL, NULL);
      tallest = MAX (tallest, height);
      gtk_widget_measure (
        GTK_WIDGET (scroller), GTK_ORIENTATION_VERTICAL, -1, &height, NULL, NULL, NULL);
      least = MAX (least, height);
    }
  gtk_widget_measure (
    gtk_window_get_child (window), GTK_ORIENTATION_VERTICAL, -1, &together, NULL, NULL, NULL);
  return tallest + together - least;
}

/* With all tabs side by side: where they scroll, a notebook asks for less. */
static int
measure_tabs (GtkNotebook *notebook)
{
  int needed = 0;

  gtk_notebook_set_scrollable (notebook, FALSE);
  gtk_widget_measure (
    GTK_WIDGET (notebook), GTK_ORIENTATION_HORIZONTAL, -1, &needed, NULL, NULL, NULL);
  gtk_notebook_set_scrollable (notebook, TRUE);
  return needed;
}

void
reroute_fit_sheet (GtkWindow *window, GtkNotebook *notebook, int footer_width)
{
  int around = gtk_widget_get_margin_start (GTK_WIDGET (notebook)) * 3; /* its frame, a scrollbar */
  int width = SHEET_WIDTH;
  int needed = 0;
  int room_width = 0;
  int room_height = 0;
  int usual_height = 0;
  int height = 0;

  g_return_if_fail (GTK_IS_WINDOW (window));

  for (int i = 0; i < gtk_notebook_get_n_pages (notebook); i++)
    {
      GtkScrolledWindow *scroller = GTK_SCROLLED_WINDOW (gtk_notebook_get_nth_page (notebook, i));

      gtk_widget_measure (gtk_scrolled_window_get_child (scroller),
                          GTK_ORIENTATION_HORIZONTAL,
                          -1,
                          &needed,
                          NULL,
                          NULL,
                          NULL);
      width = MAX (width, needed + around);
    }
  width = MAX (width, footer_width);
  needed = measure_tabs (notebook);
  width = MAX (width, needed);
  get_room (window, &room_width, &room_height);
  width = MIN (width, room_width);
  usual_height = (int) (SHEET_HEIGHT * get_text_scale (GTK_WIDGET (window)));
  height = measure_height (window, notebook, width - around);
  gtk_window_set_default_size (window, width, MIN (MAX (height, usual_height), room_height));
}

void
reroute_fit_dialog (GtkWindow *window, GtkScrolledWindow *scroller)
{
  GtkWidget *content = gtk_window_get_child (window);
  int width = 0;
  int least_width = 0;
  int height = 0;
  int room_width = 0;
  int room_height = 0;

  g_return_if_fail (GTK_IS_WINDOW (window));

  gtk_scrolled_window_set_policy (scroller, GTK_POLICY_NEVER, GTK_POLICY_NEVER);
  gtk_window_get_default_size (window, &width, &height);
  gtk_widget_measure (content, GTK_ORIENTATION_HORIZONTAL, -1, &least_width, NULL, NULL, NULL);
  width = MAX (width, least_width);
  gtk_widget_measure (content, GTK_ORIENTATION_VERTICAL, width, &height, NULL, NULL, NULL);
  get_room (window, &room_width, &room_height);
  if (height <= room_height && width <= room_width)
    return;
  gtk_scrolled_window_set_policy (scroller, GTK_POLICY_AUTOMATIC, GTK_POLICY_AUTOMATIC);
  gtk_window_set_default_size (window, MIN (width, room_width), MIN (height, room_height));
}

static void
claim_height (GtkWidget *widget)
{
  int width = gtk_widget_get_allocated_width (widget) + gtk_widget_get_margin_start (widget) +
              gtk_widget_get_margin_end (widget);
  int height = 0;

  gtk_widget_measure (widget, GTK_ORIENTATION_VERTICAL, width, &height, NULL, NULL, NULL);
  gtk_widget_set_size_request (widget,
                               -1,
                               height - gtk_widget_get_margin_top (widget) -
                                 gtk_widget_get_margin_bottom (widget));
}

static gboolean
shown_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  if (gtk_widget_get_width (widget) == 0)
    return G_SOURCE_CONTINUE;
  claim_height (widget);
  return G_SOURCE_REMOVE;
}

void
reroute_fit_height (GtkWidget *widget)
{
  g_return_if_fail (GTK_IS_WIDGET (widget));

  gtk_widget_set_size_request (widget, -1, -1);
  if (!gtk_widget_get_visible (widget))
    return;
  if (gtk_widget_get_width (widget) > 0)
    claim_height (widget);
  else
    gtk_widget_add_tick_callback (widget, shown_cb, NULL, NULL);
}
