/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * keyboard.c - whatever can be clicked is reached by keys as well
 *
 * By Tab from the first widget on, by a mnemonic, or by the arrow keys from a neighbour of the
 * same group.  AT-SPI does not tell the focus of every widget (platform.md section 3), so it is
 * moved in-process.
 */

#include "config.h"

#include "tests/display/each-window.h"

#define STEPS_MOST 300 /* of Tab in one window */

typedef struct
{
  const EachWindow *each;
  GHashTable *reached; /* widgets */
  guint n_controls;
} Check;

/* A tab, or an arrow that GtkNotebook shows when the tabs need more room. */
static gboolean
is_beside_pages (GtkWidget *widget)
{
  return gtk_widget_get_ancestor (widget, GTK_TYPE_NOTEBOOK) != NULL &&
         gtk_widget_get_ancestor (widget, GTK_TYPE_STACK) == NULL;
}

/* What takes keys for a whole: an entry for the text inside, a list for its rows.  The tabs have
   keys of their own, so what is beside them needs none. */
static gboolean
is_inner (GtkWidget *widget)
{
  return is_beside_pages (widget) || GTK_IS_TEXT (widget) ||
         gtk_widget_get_ancestor (widget, GTK_TYPE_COLUMN_VIEW) != NULL ||
         gtk_widget_get_ancestor (widget, GTK_TYPE_POPOVER) != NULL ||
         gtk_widget_get_ancestor (widget, GTK_TYPE_DROP_DOWN) == gtk_widget_get_parent (widget);
}

static gboolean
is_control (GtkWidget *widget)
{
  return GTK_IS_BUTTON (widget) || GTK_IS_CHECK_BUTTON (widget) || GTK_IS_EDITABLE (widget) ||
         GTK_IS_DROP_DOWN (widget) || GTK_IS_COLUMN_VIEW (widget) || GTK_IS_TEXT_VIEW (widget);
}

static gboolean
has_mnemonic (GtkWidget *widget)
{
  g_autoptr (GList) labels = gtk_widget_list_mnemonic_labels (widget);

  return labels != NULL;
}

/* The arrow keys go round in the widgets of a group: the radio buttons of one box. */
static gboolean
is_reached_by_arrows (Check *check, GtkWidget *widget)
{
  GtkWidget *parent = gtk_widget_get_parent (widget);

  if (!GTK_IS_CHECK_BUTTON (widget))
    return FALSE;
  for (GtkWidget *child = gtk_widget_get_first_child (parent); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (GTK_IS_CHECK_BUTTON (child) && g_hash_table_contains (check->reached, child))
      return TRUE;
  return FALSE;
}

static void
walk_controls (Check *check, GtkWidget *widget)
{
  if (!gtk_widget_get_mapped (widget))
    return;
  if (is_control (widget) && !is_inner (widget) && gtk_widget_is_sensitive (widget))
    {
      check->n_controls++;
      if (!g_hash_table_contains (check->reached, widget) && !has_mnemonic (widget) &&
          !is_reached_by_arrows (check, widget))
        {
          g_test_message ("%s: no key leads to a %s, “%s”",
                          check->each->name,
                          G_OBJECT_TYPE_NAME (widget),
                          GTK_IS_BUTTON (widget) ? gtk_button_get_label (GTK_BUTTON (widget))
                                                 : gtk_widget_get_tooltip_text (widget));
          g_test_fail ();
        }
    }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    walk_controls (check, child);
}

/* Presses Tab until the way is at its beginning again. */
static void
reach_by_tab (Check *check)
{
  GtkWidget *window = GTK_WIDGET (check->each->window);

  for (int i = 0; i < STEPS_MOST; i++)
    {
      GtkWidget *focus = NULL;

      gtk_widget_child_focus (window, GTK_DIR_TAB_FORWARD);
      focus = gtk_root_get_focus (GTK_ROOT (window));
      if (focus != NULL && i > 0 && g_hash_table_contains (check->reached, focus))
        return;
      for (GtkWidget *at = focus; at != NULL; at = gtk_widget_get_parent (at))
        g_hash_table_add (check->reached, at);
    }
  g_test_message ("%s: Tab does not come round", check->each->name);
  g_test_fail ();
}

static void
check_cb (const EachWindow *each, gpointer user_data)
{
  Check check = { each, g_hash_table_new (NULL, NULL), 0 };

  each_window_settle (each->window);
  reach_by_tab (&check);
  walk_controls (&check, GTK_WIDGET (each->window));
  g_assert_cmpuint (check.n_controls, >, 0);
  g_hash_table_unref (check.reached);
}

static void
test_everything (void)
{
  each_window_speak ("C");
  each_window_visit (check_cb, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  each_window_init ();
  g_test_add_func ("/keyboard/everything", test_everything);
  return g_test_run ();
}
