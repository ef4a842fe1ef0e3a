/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * each-window.c - every page and every dialog, for the tests that walk over their widgets
 *
 * A dialog that is new in gui/ gets its line here.  No bus is behind them: lists are empty.
 */

#include "config.h"

#include "tests/display/each-window.h"

#include "common/csv.h"
#include "common/error.h"
#include "gui/account-dialog.h"
#include "gui/accounts-window.h"
#include "gui/application.h"
#include "gui/chooser-window.h"
#include "gui/email-domain-dialog.h"
#include "gui/email-domain-window.h"
#include "gui/explain-window.h"
#include "gui/findings-window.h"
#include "gui/help-window.h"
#include "gui/news-window.h"
#include "gui/plain-list.h"
#include "gui/question-window.h"
#include "gui/queue-actions.h"
#include "gui/queue-details-window.h"
#include "gui/recipients-dialog.h"
#include "gui/recipients-window.h"
#include "gui/revert.h"
#include "gui/routing-dialog.h"
#include "gui/setting-windows.h"
#include "gui/window.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <string.h>

#define FRAMES_TO_SETTLE 2 /* with the same size: the window manager has had its say */
#define FRAMES_MOST 200    /* a window that never gets the size that it needs is a fault */

static GtkApplication *application;

/* What a dialog is opened from. */
typedef struct
{
  GtkWindow *parent;
  RerouteSheet *sheet;
} Ground;

/* --- rows to be edited --- */

static RerouteRow *
make_row (const char *line)
{
  g_autofree char *text = g_strconcat ("page,domain,match,action,target,comment\n", line, NULL);
  g_autoptr (GPtrArray) errors = NULL;
  g_autoptr (GPtrArray) rows = reroute_csv_parse (text, strlen (text), NULL, &errors);

  g_assert_null (errors);
  g_assert_cmpuint (rows->len, ==, 1);
  return reroute_row_stamp (rows->pdata[0], 7, "mailadm", G_USEC_PER_SEC);
}

/* --- dialogs; each returns the window, or presents it and returns NULL --- */

static GtkWindow *
add_routing (const Ground *ground)
{
  return GTK_WINDOW (reroute_routing_dialog_new (ground->parent, ground->sheet, NULL));
}

static GtkWindow *
edit_routing (const Ground *ground)
{
  g_autoptr (RerouteRow) row =
               make_row ("routing,test.com,subdomains,reroute,example.com,renamed 2026\n");

  return GTK_WINDOW (reroute_routing_dialog_new (ground->parent, ground->sheet, row));
}

static GtkWindow *
list_email_domains (const Ground *ground)
{
  return GTK_WINDOW (reroute_email_domain_window_new (ground->parent, ground->sheet));
}

static GtkWindow *
add_email_domain (const Ground *ground)
{
  return GTK_WINDOW (reroute_email_domain_dialog_new (ground->parent, ground->sheet, NULL));
}

static GtkWindow *
edit_email_domain (const Ground *ground)
{
  g_autoptr (RerouteRow) row = make_row (
    "connections,fabrikam.example,exact,host,gw1.fabrikam.example:2525;mx:relay.example.net,\n");

  return GTK_WINDOW (reroute_email_domain_dialog_new (ground->parent, ground->sheet, row));
}

static GtkWindow *
restrict_routing (const Ground *ground)
{
  return reroute_restrictions_window_new (ground->parent, ground->sheet);
}

static GtkWindow *
specify_hosts (const Ground *ground)
{
  return reroute_hosts_window_new (ground->parent, ground->sheet);
}

static GtkWindow *
set_timeouts (const Ground *ground)
{
  return reroute_timeouts_window_new (ground->parent, ground->sheet);
}

static GtkWindow *
set_limits (const Ground *ground)
{
  return reroute_limits_window_new (ground->parent, ground->sheet);
}

static GtkWindow *
report_tls (const Ground *ground)
{
  return reroute_tls_reports_window_new (ground->parent, ground->sheet);
}

static GtkWindow *
set_alarms (const Ground *ground)
{
  return reroute_alarms_window_new (ground->parent, ground->sheet);
}

static GtkWindow *
list_recipients (const Ground *ground)
{
  return GTK_WINDOW (reroute_recipients_window_new (ground->parent, ground->sheet, "example.com"));
}

static GtkWindow *
add_recipients (const Ground *ground)
{
  return GTK_WINDOW (reroute_recipients_dialog_new (ground->parent, "example.com", "user"));
}

static GtkWindow *
list_accounts (const Ground *ground)
{
  return GTK_WINDOW (reroute_accounts_window_new (ground->parent, ground->sheet));
}

static GtkWindow *
add_account (const Ground *ground)
{
  g_autoptr (GListStore) accounts = g_list_store_new (REROUTE_TYPE_LIST_LINE);

  return GTK_WINDOW (reroute_account_dialog_new_add (
    ground->parent, reroute_sheet_get_relay (ground->sheet), G_LIST_MODEL (accounts)));
}

static GtkWindow *
edit_account_out (const Ground *ground)
{
  return GTK_WINDOW (reroute_account_dialog_new_change (
    ground->parent, reroute_sheet_get_relay (ground->sheet), "out:smarthost"));
}

static GtkWindow *
choose_computer (const Ground *ground)
{
  return GTK_WINDOW (reroute_chooser_window_new (ground->parent, ground->sheet));
}

static GtkWindow *
show_message (const Ground *ground)
{
  return GTK_WINDOW (reroute_queue_details_window_new (ground->parent, ground->sheet, 1));
}

static GtkWindow *
explain (const Ground *ground)
{
  reroute_explain_window_show (ground->parent, ground->sheet, "");
  return NULL;
}

static GtkWindow *
show_findings (const Ground *ground)
{
  reroute_findings_window_show (ground->parent, ground->sheet);
  return NULL;
}

/* Only its template: nobody else has saved anything. */
static GtkWindow *
show_news (const Ground *ground)
{
  return g_object_new (REROUTE_TYPE_NEWS_WINDOW, "transient-for", ground->parent, NULL);
}

static GtkWindow *
show_help (const Ground *ground)
{
  reroute_help_window_show (ground->parent, "general");
  return NULL;
}

/* A question that is not answered calls nothing. */
static void
ask_about_queue (const Ground *ground, RerouteQueueVerb verb)
{
  const RerouteQueueDeed deed = {
    .relay = reroute_sheet_get_relay (ground->sheet),
    .verb = verb,
    .by = "next-hop",
    .key = "example.com",
    .text = "",
    .n = 1208,
  };

  reroute_queue_act (&deed, NULL, gtk_window_get_child (ground->parent));
}

static GtkWindow *
ask_to_return (const Ground *ground)
{
  ask_about_queue (ground, REROUTE_QUEUE_RETURN);
  return NULL;
}

static GtkWindow *
ask_to_delete (const Ground *ground)
{
  ask_about_queue (ground, REROUTE_QUEUE_DELETE);
  return NULL;
}

static GtkWindow *
ask_to_bring_back (const Ground *ground)
{
  reroute_revert_ask (ground->parent, ground->sheet, 38, NULL, G_OBJECT (ground->parent));
  return NULL;
}

/* The question with the most answers: of window.c, when others changed the same entries. */
static GtkWindow *
ask_to_overwrite (const Ground *ground)
{
  g_autofree char *heading =
    g_strdup_printf (_ ("%s changed the same entries meanwhile. Save yours over them?"), "mailadm");
  const RerouteQuestion question = {
    .title = _ ("Save"),
                .heading = heading,
                .first_label = _ ("_Save Mine"),
                                  .second_label = _ ("_Compare…"), .default_cancel = TRUE,
                                  };

  reroute_question_window_ask (ground->parent, &question, NULL, NULL);
  return NULL;
}

static const struct
{
  const char *name;
  GtkWindow *(*open) (const Ground *ground);
  guint letters;
} dialogs[] = {
  { "Add E-mail Domain", add_routing, 3 },
  { "Edit Routing Table Entry", edit_routing, 3 },
  { "E-Mail Domain", list_email_domains, 3 },
  { "Add E-Mail Domain", add_email_domain, 3 },
  { "Edit E-Mail Domain", edit_email_domain, 3 },
  { "Routing Restrictions", restrict_routing, 3 },
  { "Specify by Host", specify_hosts, 3 },
  { "Message Time-outs", set_timeouts, 3 },
  { "Advanced", set_limits, 3 },
  { "TLS Reports", report_tls, 3 },
  { "Alarms", set_alarms, 3 },
  { "Edit List", list_recipients, 3 },
  { "Add Addresses", add_recipients, 1 },
  { "Accounts", list_accounts, 3 },
  { "Add Account", add_account, 3 },
  { "Account at other hosts", edit_account_out, 3 },
  { "Another Computer", choose_computer, 3 },
  { "Message Details", show_message, 2 },
  { "Test an Address", explain, 2 },
  { "Findings", show_findings, 0 },
  { "Changes Meanwhile", show_news, 0 },
  { "Help", show_help, 0 },
  { "Return to Sender", ask_to_return, 1 },
  { "Delete Messages", ask_to_delete, 1 },
  { "Bring Back", ask_to_bring_back, 1 },
  { "Save", ask_to_overwrite, 2 },
};

/* --- how they are shown --- */

typedef struct
{
  int width;
  int height;
  int frames;  /* in all */
  int settled; /* frames since the size last changed, and is what the window needs */
} Settling;

static gboolean
frame_cb (GtkWidget *window, GdkFrameClock *clock, gpointer user_data)
{
  Settling *settling = user_data;
  int width = gtk_widget_get_width (window);
  int height = gtk_widget_get_height (window);
  int least_width = 0;
  int least_height = 0;

  gtk_widget_measure (window, GTK_ORIENTATION_HORIZONTAL, -1, &least_width, NULL, NULL, NULL);
  gtk_widget_measure (
    window, GTK_ORIENTATION_VERTICAL, MAX (width, least_width), &least_height, NULL, NULL, NULL);
  settling->frames++;
  settling->settled = width == settling->width && height == settling->height &&
                          width >= least_width && height >= least_height
                        ? settling->settled + 1
                        : 0;
  settling->width = width;
  settling->height = height;
  return G_SOURCE_CONTINUE;
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
visit_pages (EachWindowFunc func, gpointer user_data)
{
  g_autoptr (RerouteBus) bus = reroute_bus_new (FALSE, "unix:path=/nonexistent");
  GtkWindow *window = GTK_WINDOW (reroute_window_new (application, bus));
  GtkNotebook *notebook = find_notebook (GTK_WIDGET (window));

  for (int i = 0; i < gtk_notebook_get_n_pages (notebook); i++)
    {
      GtkWidget *page = gtk_notebook_get_nth_page (notebook, i);
      GtkWidget *viewport = gtk_scrolled_window_get_child (GTK_SCROLLED_WINDOW (page));
      GtkWidget *child = gtk_viewport_get_child (GTK_VIEWPORT (viewport));
      EachWindow each = { G_OBJECT_TYPE_NAME (child), window, page, 3 };

      gtk_notebook_set_current_page (notebook, i);
      func (&each, user_data);
    }
  gtk_window_destroy (window);
}

/* The window that @parent has opened. */
static GtkWindow *
find_opened (GtkWindow *parent)
{
  GListModel *windows = gtk_window_get_toplevels ();

  for (guint i = 0; i < g_list_model_get_n_items (windows); i++)
    {
      g_autoptr (GtkWindow) window = g_list_model_get_item (windows, i);

      if (gtk_window_get_transient_for (window) == parent)
        return window;
    }
  g_assert_not_reached ();
}

static void
visit_dialogs (EachWindowFunc func, gpointer user_data)
{
  g_autoptr (RerouteBus) bus = reroute_bus_new (FALSE, "unix:path=/nonexistent");
  g_autoptr (RerouteSheet) sheet = reroute_sheet_new (bus);
  Ground ground = { GTK_WINDOW (gtk_window_new ()), sheet };

  gtk_window_set_child (ground.parent, gtk_label_new ("parent"));
  gtk_window_present (ground.parent);
  for (gsize i = 0; i < G_N_ELEMENTS (dialogs); i++)
    {
      EachWindow each = { dialogs[i].name, dialogs[i].open (&ground), NULL, dialogs[i].letters };

      if (each.window == NULL)
        each.window = find_opened (ground.parent);
      func (&each, user_data);
      gtk_window_destroy (each.window);
    }
  gtk_window_destroy (ground.parent);
}

void
each_window_visit (EachWindowFunc func, gpointer user_data)
{
  visit_pages (func, user_data);
  visit_dialogs (func, user_data);
}

void
each_window_settle (GtkWindow *window)
{
  Settling settling = { 0, 0, 0, 0 };
  guint id = gtk_widget_add_tick_callback (GTK_WIDGET (window), frame_cb, &settling, NULL);

  gtk_window_present (window);
  while (settling.settled < FRAMES_TO_SETTLE && settling.frames < FRAMES_MOST)
    g_main_context_iteration (NULL, TRUE);
  gtk_widget_remove_tick_callback (GTK_WIDGET (window), id);
}

GStrv
each_window_dup_languages (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "po", "LINGUAS", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) lines = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    if (g_strstrip (lines[i])[0] != '\0' && lines[i][0] != '#')
      g_strv_builder_add (builder, lines[i]);
  g_strv_builder_add (builder, "C");
  return g_strv_builder_end (builder);
}

static GtkTextDirection
get_direction (const char *language)
{
  int n = 0;
  const PangoScript *scripts =
    pango_language_get_scripts (pango_language_from_string (language), &n);

  for (int i = 0; i < n; i++)
    if (scripts[i] == PANGO_SCRIPT_ARABIC || scripts[i] == PANGO_SCRIPT_HEBREW)
      return GTK_TEXT_DIR_RTL;
  return GTK_TEXT_DIR_LTR;
}

void
each_window_speak (const char *language)
{
  g_setenv ("LANGUAGE", language, TRUE);
  textdomain (GETTEXT_PACKAGE); /* gettext looks at LANGUAGE again */
  gtk_widget_set_default_direction (get_direction (language));
}

void
each_window_init (void)
{
  g_autofree char *catalogues = g_test_build_filename (G_TEST_BUILT, "..", "po", NULL);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) languages = each_window_dup_languages ();

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, catalogues);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  /* GLib decides at its first look whether a program is translated at all. */
  each_window_speak (languages[0]);
  gtk_init ();
  application = GTK_APPLICATION (reroute_application_new ());
  g_application_register (G_APPLICATION (application), NULL, &error);
  g_assert_no_error (error);
}
