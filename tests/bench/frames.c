/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * frames.c - the dialog on a table of a million entries, measured by its own frame clock
 *
 * frames ADDRESS ENTRIES: opens the sheet on the bus ADDRESS, whose Routing page has ENTRIES rows
 * of the domains d0.rules.test, d1.rules.test and so on, and does what a person does.  Each figure
 * is a line NAME VALUE; behind "pause NAME" it waits for a line, so that the driver can look at
 * memory. Times are in milliseconds, from what the person does to the end of the frame that shows
 * it.
 */

#include "config.h"

#include "gui/application.h"
#include "gui/rows-model.h"
#include "gui/rows-view.h"
#include "gui/window.h"

#include <glib/gi18n.h>
#include <stdio.h>

#define FRAME_MS (1000 / 60.0)
#define FRAMES 600        /* of a scroll */
#define JUMPS 25          /* to rows that were not read */
#define FEW 10000         /* rows that are selected and removed */
#define PATIENCE_S 20     /* for one step: what takes longer has failed */
#define ROUTING_PAGE 1    /* of the sheet */
#define SEARCHED "d12345" /* typed key by key */

typedef struct
{
  GtkWindow *window;
  GtkNotebook *notebook;
  RerouteRowsView *rows;
  GtkColumnView *view;
  GtkEditable *search;
  GtkAdjustment *adjustment; /* of the list, down */
  guint n_rows;

  gint64 frame_begun_us;
  gint64 frame_ended_us;
  GArray *frames_ms; /* (element-type double): NULL: not recorded */
} Bench;

/* --- figures --- */

static void
tell (const char *name, double value)
{
  printf ("%s %.3f\n", name, value);
  fflush (stdout);
}

static void
pause_for_driver (const char *name)
{
  char line[16];

  printf ("pause %s\n", name);
  fflush (stdout);
  if (fgets (line, sizeof line, stdin) == NULL)
    g_error ("the driver is gone");
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double first = *(const double *) a;
  double second = *(const double *) b;

  return first < second ? -1 : first > second;
}

static void
tell_spread (const char *name, GArray *values)
{
  g_autofree char *median = g_strconcat (name, "_p50", NULL);
  g_autofree char *most = g_strconcat (name, "_max", NULL);

  g_array_sort (values, compare_doubles);
  tell (median, g_array_index (values, double, values->len / 2));
  tell (most, g_array_index (values, double, values->len - 1));
}

/* --- frames --- */

static void
before_paint_cb (GdkFrameClock *clock, Bench *bench)
{
  bench->frame_begun_us = g_get_monotonic_time ();
}

static void
after_paint_cb (GdkFrameClock *clock, Bench *bench)
{
  double ms = 0;

  bench->frame_ended_us = g_get_monotonic_time ();
  ms = (bench->frame_ended_us - bench->frame_begun_us) / 1000.0;
  if (bench->frames_ms != NULL)
    g_array_append_val (bench->frames_ms, ms);
}

/* --- what is shown --- */

static GtkWidget *
find_widget (GtkWidget *root, GType type)
{
  GtkWidget *found = g_type_is_a (G_OBJECT_TYPE (root), type) ? root : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_widget (child, type);
  return found;
}

static GtkWidget *
find_button (GtkWidget *root, const char *label)
{
  GtkWidget *found = NULL;

  if (GTK_IS_BUTTON (root) && g_strcmp0 (gtk_button_get_label (GTK_BUTTON (root)), label) == 0)
    return root;
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_button (child, label);
  return found;
}

/* The domain in the row at that height of the list, from 0 (top) to 1; NULL: no row is there. */
static const char *
get_domain_at (Bench *bench, double height)
{
  GtkWidget *list = GTK_WIDGET (bench->view);
  GtkWidget *header = gtk_widget_get_first_child (list);
  double top = gtk_widget_get_height (header) + 4;
  double y = top + (gtk_widget_get_height (list) - top - 8) * height;
  GtkWidget *picked = gtk_widget_pick (list, 80, y, GTK_PICK_INSENSITIVE | GTK_PICK_NON_TARGETABLE);

  while (picked != NULL && picked != list && !GTK_IS_LABEL (picked))
    {
      GtkWidget *label = find_widget (picked, GTK_TYPE_LABEL);

      picked = label != NULL ? label : gtk_widget_get_parent (picked);
    }
  return GTK_IS_LABEL (picked) ? gtk_label_get_text (GTK_LABEL (picked)) : NULL;
}

static guint
count_rows (Bench *bench)
{
  return g_list_model_get_n_items (G_LIST_MODEL (gtk_column_view_get_model (bench->view)));
}

typedef gboolean (*Condition) (Bench *bench, gpointer data);

/* Until the end of the first frame for which @condition holds; milliseconds since @begun_us. */
static double
wait_for (Bench *bench, const char *what, gint64 begun_us, Condition condition, gpointer data)
{
  gint64 seen_us = bench->frame_ended_us;
  gint64 limit_us = g_get_monotonic_time () + (gint64) PATIENCE_S * G_USEC_PER_SEC;

  while (TRUE)
    {
      g_main_context_iteration (NULL, TRUE);
      if (bench->frame_ended_us != seen_us)
        {
          seen_us = bench->frame_ended_us;
          if (seen_us > begun_us && condition (bench, data))
            return (seen_us - begun_us) / 1000.0;
        }
      if (g_get_monotonic_time () > limit_us)
        g_error ("waited in vain for: %s; “%s” is on top, “%s” in the middle, of %u rows",
                 what,
                 get_domain_at (bench, 0),
                 get_domain_at (bench, 0.5),
                 count_rows (bench));
      /* A window where nothing changes paints no frame. */
      gtk_widget_queue_draw (GTK_WIDGET (bench->window));
    }
}

static gboolean
shows_rows (Bench *bench, gpointer data)
{
  const char *domain = get_domain_at (bench, 0.5);

  return domain != NULL && g_str_has_suffix (domain, ".rules.test");
}

static gboolean
has_count (Bench *bench, gpointer data)
{
  return count_rows (bench) == GPOINTER_TO_UINT (data);
}

static gboolean
starts_with (Bench *bench, gpointer data)
{
  const char *domain = get_domain_at (bench, 0);

  return g_strcmp0 (domain, data) == 0;
}

static gboolean
always (Bench *bench, gpointer data)
{
  return TRUE;
}

/* --- what is measured --- */

static void
open_page (Bench *bench)
{
  gint64 begun_us = g_get_monotonic_time ();

  gtk_window_present (bench->window);
  tell ("start",
        wait_for (bench, "the list behind", begun_us, has_count, GUINT_TO_POINTER (bench->n_rows)));
  begun_us = g_get_monotonic_time ();
  gtk_notebook_set_current_page (bench->notebook, ROUTING_PAGE);
  tell ("open", wait_for (bench, "rows", begun_us, shows_rows, NULL));
}

static double
share_in_time (GArray *frames_ms)
{
  guint n = 0;

  for (guint i = 0; i < frames_ms->len; i++)
    n += g_array_index (frames_ms, double, i) <= FRAME_MS;
  return n / (double) frames_ms->len;
}

/* Moves the list by @step pixels for each frame. */
static void
scroll (Bench *bench, const char *name, double step)
{
  g_autofree char *share = g_strconcat (name, "_share", NULL);
  g_autofree char *frame = g_strconcat (name, "_frame", NULL);
  double top = gtk_adjustment_get_lower (bench->adjustment);

  gtk_adjustment_set_value (bench->adjustment, top);
  wait_for (bench, "the top", g_get_monotonic_time (), shows_rows, NULL);
  bench->frames_ms = g_array_new (FALSE, FALSE, sizeof (double));
  for (int i = 1; i <= FRAMES; i++)
    {
      gtk_adjustment_set_value (bench->adjustment, top + i * step);
      wait_for (bench, "a frame", g_get_monotonic_time (), always, NULL);
    }
  tell (share, share_in_time (bench->frames_ms));
  tell_spread (frame, bench->frames_ms);
  g_clear_pointer (&bench->frames_ms, g_array_unref);
}

/* To places far apart: until the rows there are read. */
static void
jump (Bench *bench)
{
  g_autoptr (GArray) times_ms = g_array_new (FALSE, FALSE, sizeof (double));
  double upper = gtk_adjustment_get_upper (bench->adjustment);

  for (int i = 0; i < JUMPS; i++)
    {
      gint64 begun_us = g_get_monotonic_time ();
      double ms = 0;

      gtk_adjustment_set_value (bench->adjustment, upper * ((i * 7) % JUMPS) / JUMPS);
      ms = wait_for (bench, "rows after a jump", begun_us, shows_rows, NULL);
      g_array_append_val (times_ms, ms);
    }
  tell_spread ("jump", times_ms);
}

static void
search (Bench *bench)
{
  g_autoptr (GArray) times_ms = g_array_new (FALSE, FALSE, sizeof (double));

  gtk_adjustment_set_value (bench->adjustment, 0);
  for (gsize n = 2; n < sizeof SEARCHED; n++)
    {
      g_autofree char *typed = g_strndup (SEARCHED, n);
      g_autofree char *wanted = g_strconcat ("#", typed, ".rules.test", NULL);
      gint64 begun_us = g_get_monotonic_time ();
      double ms = 0;

      gtk_editable_set_text (bench->search, typed);
      ms = wait_for (bench, "what is searched", begun_us, starts_with, wanted);
      g_array_append_val (times_ms, ms);
    }
  tell_spread ("search", times_ms);
  gtk_editable_set_text (bench->search, "");
  wait_for (bench, "all rows again", 0, has_count, GUINT_TO_POINTER (bench->n_rows));
}

/* Ctrl+Z, by the X server: the binding is the window's. */
static void
press_undo (Bench *bench)
{
  const char *command[] = { "xdotool", "key", "ctrl+z", NULL };
  g_autoptr (GError) error = NULL;

  gtk_widget_grab_focus (GTK_WIDGET (bench->view));
  if (!g_spawn_async (NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &error))
    g_error ("%s", error->message);
}

/* Removes the first @n rows and takes it back by one undo. */
static void
remove_rows (Bench *bench, const char *name, guint n)
{
  g_autofree char *selecting = g_strconcat (name, "_select", NULL);
  g_autofree char *removing = g_strconcat (name, "_remove", NULL);
  g_autofree char *undoing = g_strconcat (name, "_undo", NULL);
  GtkSelectionModel *selection = gtk_column_view_get_model (bench->view);
  GtkWidget *button = find_button (GTK_WIDGET (bench->rows), _ ("Re_move"));
  gint64 begun_us = g_get_monotonic_time ();

  if (n == bench->n_rows)
    gtk_selection_model_select_all (selection);
  else
    gtk_selection_model_select_range (selection, 0, n, TRUE);
  tell (selecting, wait_for (bench, "the selection", begun_us, always, NULL));
  begun_us = g_get_monotonic_time ();
  g_signal_emit_by_name (button, "clicked");
  tell (removing,
        wait_for (bench, name, begun_us, has_count, GUINT_TO_POINTER (bench->n_rows - n)));
  pause_for_driver (removing);
  press_undo (bench);
  begun_us = g_get_monotonic_time ();
  tell (undoing, wait_for (bench, undoing, begun_us, has_count, GUINT_TO_POINTER (bench->n_rows)));
}

/* --- the way through --- */

static void
find_parts (Bench *bench)
{
  GtkWidget *page = NULL;
  GtkScrolledWindow *scroller = NULL;

  bench->notebook = GTK_NOTEBOOK (find_widget (GTK_WIDGET (bench->window), GTK_TYPE_NOTEBOOK));
  page = gtk_notebook_get_nth_page (bench->notebook, ROUTING_PAGE);
  bench->rows = REROUTE_ROWS_VIEW (find_widget (page, REROUTE_TYPE_ROWS_VIEW));
  bench->view = GTK_COLUMN_VIEW (find_widget (GTK_WIDGET (bench->rows), GTK_TYPE_COLUMN_VIEW));
  bench->search = GTK_EDITABLE (find_widget (GTK_WIDGET (bench->rows), GTK_TYPE_SEARCH_ENTRY));
  scroller = GTK_SCROLLED_WINDOW (
    gtk_widget_get_ancestor (GTK_WIDGET (bench->view), GTK_TYPE_SCROLLED_WINDOW));
  bench->adjustment = gtk_scrolled_window_get_vadjustment (scroller);
}

static void
watch_frames (Bench *bench)
{
  GdkFrameClock *clock = NULL;

  gtk_widget_realize (GTK_WIDGET (bench->window));
  clock = gtk_widget_get_frame_clock (GTK_WIDGET (bench->window));
  g_signal_connect (clock, "before-paint", G_CALLBACK (before_paint_cb), bench);
  g_signal_connect (clock, "after-paint", G_CALLBACK (after_paint_cb), bench);
}

int
main (int argc, char **argv)
{
  g_autoptr (RerouteApplication) application = NULL;
  g_autoptr (RerouteBus) bus = NULL;
  Bench bench = { NULL };

  if (argc != 3)
    g_error ("usage: frames ADDRESS ENTRIES");
  gtk_init ();
  application = reroute_application_new ();
  if (!g_application_register (G_APPLICATION (application), NULL, NULL))
    g_error ("no session bus");
  bench.n_rows = (guint) g_ascii_strtoull (argv[2], NULL, 10);
  bus = reroute_bus_new (FALSE, argv[1]);
  bench.window = GTK_WINDOW (reroute_window_new (GTK_APPLICATION (application), bus));
  reroute_bus_start (bus);
  find_parts (&bench);
  watch_frames (&bench);

  open_page (&bench);
  pause_for_driver ("open");
  scroll (&bench, "page", gtk_adjustment_get_page_size (bench.adjustment));
  scroll (&bench, "through", gtk_adjustment_get_upper (bench.adjustment) / FRAMES);
  jump (&bench);
  search (&bench);
  pause_for_driver ("looked");
  remove_rows (&bench, "few", MIN (FEW, bench.n_rows / 2));
  remove_rows (&bench, "all", bench.n_rows);
  return 0;
}
