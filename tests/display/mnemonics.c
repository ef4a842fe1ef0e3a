/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mnemonics.c - no letter is taken twice where both could be meant, in any language
 *
 * A letter that two widgets of one window have only moves the focus between them.  AT-SPI does not
 * show mnemonics, so the widgets are walked in-process.
 */

#include "config.h"

#include "tests/display/each-window.h"

typedef struct
{
  GHashTable *taken;     /* lower-case keyval to caption */
  GtkWidget *shown_page; /* of a notebook; NULL: all */
  GString *clashes;
} Walk;

static void
take (Walk *walk, GtkLabel *label)
{
  guint key = gdk_keyval_to_lower (gtk_label_get_mnemonic_keyval (label));
  const char *first = NULL;

  if (key == 0 || key == GDK_KEY_VoidSymbol)
    return;
  first = g_hash_table_lookup (walk->taken, GUINT_TO_POINTER (key));
  if (first != NULL)
    g_string_append_printf (walk->clashes,
                            "%s: “%s” and “%s”\n",
                            gdk_keyval_name (key),
                            first,
                            gtk_label_get_label (label));
  else
    g_hash_table_insert (
      walk->taken, GUINT_TO_POINTER (key), (gpointer) gtk_label_get_label (label));
}

static void
walk_widgets (Walk *walk, GtkWidget *widget)
{
  if (GTK_IS_SCROLLED_WINDOW (widget) && walk->shown_page != NULL &&
      GTK_IS_NOTEBOOK (gtk_widget_get_ancestor (widget, GTK_TYPE_NOTEBOOK)) &&
      widget != walk->shown_page && !gtk_widget_is_ancestor (widget, walk->shown_page))
    return;
  if (GTK_IS_LABEL (widget))
    take (walk, GTK_LABEL (widget));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    walk_widgets (walk, child);
}

static void
check_cb (const EachWindow *each, gpointer user_data)
{
  GString *wrong = user_data;
  Walk walk = { g_hash_table_new (NULL, NULL), each->page, g_string_new (NULL) };

  walk_widgets (&walk, GTK_WIDGET (each->window));
  if (walk.clashes->len > 0)
    g_string_append_printf (wrong, "%s: %s", each->name, walk.clashes->str);
  if (g_hash_table_size (walk.taken) < each->letters)
    g_string_append_printf (wrong, "%s: fewer than %u letters\n", each->name, each->letters);
  g_hash_table_unref (walk.taken);
  g_string_free (walk.clashes, TRUE);
}

static void
test_language (gconstpointer data)
{
  g_autoptr (GString) wrong = g_string_new (NULL);

  each_window_speak (data);
  each_window_visit (check_cb, wrong);
  if (wrong->len == 0)
    return;
  /* All of a language at once, for who translates. */
  g_test_message ("%s", wrong->str);
  g_test_fail ();
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
      g_autofree char *path = g_strconcat ("/mnemonics/", languages[i], NULL);

      g_test_add_data_func (path, languages[i], test_language);
    }
  return g_test_run ();
}
