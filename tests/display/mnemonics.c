/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mnemonics.c - no letter is taken twice where both could be meant
 *
 * A letter that two widgets of one window have only moves the focus between them.  AT-SPI does not
 * show mnemonics, so the widgets are walked in-process.  The arguments are the languages to try,
 * the first one not English.
 */

#include "config.h"

#include "gui/account-dialog.h"
#include "gui/accounts-window.h"
#include "gui/application.h"
#include "gui/email-domain-dialog.h"
#include "gui/email-domain-window.h"
#include "gui/explain-window.h"
#include "gui/plain-list.h"
#include "gui/queue-details-window.h"
#include "gui/routing-dialog.h"
#include "gui/setting-windows.h"
#include "gui/window.h"

#include <libintl.h>
#include <locale.h>
#include <string.h>

typedef struct
{
  GHashTable *taken;     /* lower-case keyval to caption */
  GtkWidget *shown_page; /* of a notebook; NULL: all */
  GString *clashes;
} Walk;

/* Of libintl: who changes the language while a program runs counts it up. */
extern int _nl_msg_cat_cntr;

/* @language: "de"; "C": English */
static void
speak (const char *language)
{
  g_autofree char *line = g_strdup_printf ("\nLanguage: %s\n", language);

  g_setenv ("LANGUAGE", language, TRUE);
  _nl_msg_cat_cntr++;
  if (!g_str_equal (language, "C"))
    g_assert_nonnull (strstr (gettext (""), line));
}

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
check_clashes (GtkWidget *root, GtkWidget *shown_page, guint least)
{
  Walk walk = { g_hash_table_new (NULL, NULL), shown_page, g_string_new (NULL) };

  walk_widgets (&walk, root);
  if (walk.clashes->len > 0)
    {
      /* All of a language at once, for who translates. */
      g_test_message (
        "%s: %s: %s", g_getenv ("LANGUAGE"), G_OBJECT_TYPE_NAME (root), walk.clashes->str);
      g_test_fail ();
    }
  else
    {
      g_assert_cmpuint (g_hash_table_size (walk.taken), >=, least);
    }
  g_hash_table_unref (walk.taken);
  g_string_free (walk.clashes, TRUE);
}

static GtkNotebook *
find_notebook (GtkWidget *widget)
{
  GtkNotebook *found = GTK_IS_NOTEBOOK (widget) ? GTK_NOTEBOOK (widget) : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_notebook (child);
  return found;
}

static void
test_sheet (gconstpointer language)
{
  g_autoptr (RerouteBus) bus = reroute_bus_new (FALSE, "unix:path=/nonexistent");
  RerouteWindow *window;
  GtkNotebook *notebook;

  speak (language);
  window = reroute_window_new (NULL, bus);
  notebook = find_notebook (GTK_WIDGET (window));
  for (int i = 0; i < gtk_notebook_get_n_pages (notebook); i++)
    check_clashes (GTK_WIDGET (window), gtk_notebook_get_nth_page (notebook, i), 3);
  gtk_window_destroy (GTK_WINDOW (window));
}

/* It shows itself and is nobody's to keep. */
static GtkWindow *
open_explain_window (RerouteSheet *sheet)
{
  GListModel *all = gtk_window_get_toplevels ();

  reroute_explain_window_show (NULL, sheet, "");
  for (guint i = 0; i < g_list_model_get_n_items (all); i++)
    {
      g_autoptr (GtkWindow) window = g_list_model_get_item (all, i);

      if (REROUTE_IS_EXPLAIN_WINDOW (window))
        return window;
    }
  g_assert_not_reached ();
}

static void
test_dialogs (gconstpointer language)
{
  g_autoptr (RerouteBus) bus = reroute_bus_new (FALSE, "unix:path=/nonexistent");
  g_autoptr (RerouteSheet) sheet = reroute_sheet_new (bus);
  g_autoptr (GListStore) accounts = g_list_store_new (REROUTE_TYPE_LIST_LINE);

  speak (language);
  const struct
  {
    GtkWindow *window;
    guint least; /* letters that are taken */
  } rows[] = {
    { open_explain_window (sheet), 3 },
    { GTK_WINDOW (reroute_routing_dialog_new (NULL, sheet, NULL)), 3 },
    { GTK_WINDOW (reroute_email_domain_window_new (NULL, sheet)), 3 },
    { GTK_WINDOW (reroute_email_domain_dialog_new (NULL, sheet, NULL)), 3 },
    { reroute_restrictions_window_new (NULL, sheet), 3 },
    { reroute_hosts_window_new (NULL, sheet), 3 },
    { reroute_timeouts_window_new (NULL, sheet), 3 },
    { reroute_limits_window_new (NULL, sheet), 3 },
    { reroute_tls_reports_window_new (NULL, sheet), 3 },
    { GTK_WINDOW (reroute_accounts_window_new (NULL, sheet)), 3 },
    { GTK_WINDOW (reroute_account_dialog_new_add (
        NULL, reroute_sheet_get_relay (sheet), G_LIST_MODEL (accounts))),
      3 },
    { GTK_WINDOW (reroute_queue_details_window_new (NULL, sheet, 1)), 2 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      check_clashes (GTK_WIDGET (rows[i].window), NULL, rows[i].least);
      gtk_window_destroy (rows[i].window);
    }
}

int
main (int argc, char **argv)
{
  g_autofree char *catalogues = NULL;

  /* GLib asks once whether there is a catalogue at all. */
  g_setenv ("LANGUAGE", argc > 1 ? argv[1] : "C", TRUE);
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  catalogues = g_test_build_filename (G_TEST_BUILT, "..", "po", NULL);
  bindtextdomain (GETTEXT_PACKAGE, catalogues);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  gtk_init ();

  for (int i = 1; i < argc; i++)
    {
      g_autofree char *sheet = g_strdup_printf ("/mnemonics/%s/sheet", argv[i]);
      g_autofree char *dialogs = g_strdup_printf ("/mnemonics/%s/dialogs", argv[i]);

      g_test_add_data_func (sheet, argv[i], test_sheet);
      g_test_add_data_func (dialogs, argv[i], test_dialogs);
    }
  return g_test_run ();
}
