/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * setting-windows.c - Routing Restrictions..., Hosts..., Time-outs..., Advanced..., TLS Reports...,
 * Alarms...
 *
 * Source: Q196626, Q193922 (who may relay), Q316205 (hosts), Q156063 (time-outs), Q146562 (limits).
 */

#include "config.h"

#include "gui/setting-windows.h"

#include "gui/range-list.h"
#include "gui/setting-check.h"
#include "gui/setting-entry.h"
#include "gui/sub-sheet.h"

#include <glib/gi18n.h>

/* Of these windows, in pixels. */
#define WIDTH 600
#define LISTS_HEIGHT 520 /* at least, with two lists */
#define MARGINS 24       /* both of sub-sheet.ui */
/* Advanced has more lines than that, and its scroll bar hides: in English and German its lower edge
   runs through a line and so tells that there are more. */
#define MAX_HEIGHT 675

/* Wraps, but asks for much of its width: a window is as high as its narrowest width wants it. */
static void
let_wrap (GtkLabel *label)
{
  int n = (int) g_utf8_strlen (gtk_label_get_text (label), -1);

  gtk_label_set_xalign (label, 0);
  gtk_label_set_wrap (label, TRUE);
  gtk_label_set_width_chars (label, MIN (56, n * 6 / 10));
  gtk_label_set_max_width_chars (label, 80);
}

/* --- lists of hosts --- */

static GtkWidget *
make_permitted (RerouteSheet *sheet)
{
  const RerouteRangeListLabels labels = {
    _ ("Hosts and clients that _can route mail to any domain:"),
       _ ("_Add"),
          _ ("_Remove"),
       };

  return reroute_range_list_new (sheet, REROUTE_SETTING_PERMITTED_HOSTS, &labels);
}

static GtkWidget *
make_forbidden (RerouteSheet *sheet, const char *caption)
{
  const RerouteRangeListLabels labels = { caption, _ ("A_dd"), _ ("Remo_ve") };

  return reroute_range_list_new (sheet, REROUTE_SETTING_FORBIDDEN_HOSTS, &labels);
}

static GtkWidget *
make_hint (const char *text)
{
  GtkWidget *hint = gtk_label_new (text);

  let_wrap (GTK_LABEL (hint));
  gtk_widget_add_css_class (hint, "quiet");
  gtk_widget_add_css_class (hint, "small");
  return hint;
}

/* With large letters the fields are more than a small screen has room for: they scroll, the hint
   does not. */
static void
fill (RerouteSubSheet *window, GtkWidget *fields, const char *hint)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *scroller = gtk_scrolled_window_new ();
  int height = 0;

  gtk_scrolled_window_set_policy (
    GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scroller), TRUE);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), fields);
  gtk_widget_set_vexpand (scroller, TRUE);
  gtk_box_append (GTK_BOX (box), scroller);
  gtk_box_append (GTK_BOX (box), make_hint (hint));
  reroute_sub_sheet_set_content (window, box);
  /* It would ask for what its narrowest width takes. */
  gtk_widget_measure (fields, GTK_ORIENTATION_VERTICAL, WIDTH - MARGINS, NULL, &height, NULL, NULL);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scroller), height);
}

/* As high as its captions want it at its real width, at least @least: unasked, GTK takes the
   narrowest one. */
static void
fit_height (GtkWindow *window, int least)
{
  int height = 0;

  gtk_widget_measure (
    gtk_window_get_child (window), GTK_ORIENTATION_VERTICAL, WIDTH, NULL, &height, NULL, NULL);
  gtk_window_set_default_size (window, WIDTH, CLAMP (height, least, MAX_HEIGHT));
}

/* @third: (nullable): what stands below the lists. */
static GtkWindow *
make_lists_window (
  RerouteSubSheet *window, GtkWidget *first, GtkWidget *second, GtkWidget *third, const char *hint)
{
  GtkWidget *lists = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);

  gtk_widget_set_vexpand (first, TRUE);
  gtk_widget_set_vexpand (second, TRUE);
  gtk_box_append (GTK_BOX (lists), first);
  gtk_box_append (GTK_BOX (lists), second);
  if (third != NULL)
    gtk_box_append (GTK_BOX (lists), third);
  fill (window, lists, hint);
  fit_height (GTK_WINDOW (window), LISTS_HEIGHT);
  return GTK_WINDOW (window);
}

GtkWindow *
reroute_restrictions_window_new (GtkWindow *parent, RerouteSheet *sheet)
{
  return make_lists_window (reroute_sub_sheet_new (
    parent, sheet, _ ("Routing Restrictions"), "restrictions"),
    make_permitted (sheet),
    make_forbidden (sheet, _ ("Hosts and clients that can _never route mail:")),
                    NULL,
                    _ ("Everyone may send to the domains whose entries say “Anyone”. Hosts that can never route mail are "
       "turned away when they connect, whatever the first list says."));
}

static void
add_ranges (GtkGrid *grid, int row, const char *caption, RerouteSettingId id)
{
  GtkWidget *label = gtk_label_new_with_mnemonic (caption);
  GtkWidget *error = g_object_new (REROUTE_TYPE_FIELD_ERROR, NULL);
  GtkWidget *entry = reroute_setting_entry_new (id, REROUTE_FIELD_ERROR (error));

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_mnemonic_widget (GTK_LABEL (label), entry);
  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), _ ("None"));
  gtk_widget_set_hexpand (entry, TRUE);
  gtk_grid_attach (grid, label, 0, row, 1, 1);
  gtk_grid_attach (grid, entry, 1, row, 1, 1);
  gtk_grid_attach (grid, error, 0, row + 1, 2, 1);
}

/* Who is believed when it says that it stands before another client. */
static GtkWidget *
make_fronts (void)
{
  GtkWidget *grid = gtk_grid_new ();

  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  add_ranges (GTK_GRID (grid),
              0,
              _ ("_Proxies that tell the client's address:"), REROUTE_SETTING_PROXY_HOSTS);
  add_ranges (
    GTK_GRID (grid), 2, _ ("Hosts that tell it by _XCLIENT:"), REROUTE_SETTING_XCLIENT_HOSTS);
  return grid;
}

GtkWindow *
reroute_hosts_window_new (GtkWindow *parent, RerouteSheet *sheet)
{
  return make_lists_window (
    reroute_sub_sheet_new (parent, sheet, _ ("Specify by Host"), "hosts"),
                           make_forbidden (sheet, _ ("Re_ject connections from these hosts:")),
                                           make_permitted (sheet),
                                           make_fronts (),
                                           _ ("All other hosts may connect and send to the domains whose entries say “Anyone”. Both lists are those "
       "of Routing Restrictions on the Routing page."));
}

/* --- fields one below the other --- */

typedef struct
{
  const char *caption; /* N_(), with its mnemonic; a title when there is no setting */
  int id;              /* RerouteSettingId; -1: a title */
  const char *empty;   /* N_() (nullable): what holds when nothing is written; of a long field */
} Line;

static void
add_title (GtkGrid *grid, int row, const Line *line)
{
  GtkWidget *label = gtk_label_new (_ (line->caption));

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "group-title");
  gtk_widget_set_margin_top (label, row > 0 ? 12 : 0);
  gtk_grid_attach (grid, label, 0, row, 2, 1);
}

static void
add_check (GtkGrid *grid, int row, const Line *line)
{
  GtkWidget *check = g_object_new (REROUTE_TYPE_SETTING_CHECK,
                                   "key",
                                   reroute_setting_specs ()[line->id].key,
                                   "label",
                                   _ (line->caption), "use-underline", TRUE, NULL);

  gtk_grid_attach (grid, check, 0, row, 2, 1);
}

static void
add_field (GtkGrid *grid, int row, const Line *line)
{
  GtkWidget *label = gtk_label_new_with_mnemonic (_ (line->caption));
  GtkWidget *error = g_object_new (REROUTE_TYPE_FIELD_ERROR, NULL);
  GtkWidget *entry = reroute_setting_entry_new (line->id, REROUTE_FIELD_ERROR (error));

  let_wrap (GTK_LABEL (label));
  gtk_label_set_mnemonic_widget (GTK_LABEL (label), entry);
  if (line->empty != NULL)
    {
      gtk_entry_set_placeholder_text (GTK_ENTRY (entry), _ (line->empty));
      gtk_widget_set_hexpand (entry, TRUE);
    }
  else
    {
      gtk_widget_set_hexpand (label, TRUE);
      gtk_editable_set_width_chars (GTK_EDITABLE (entry), 10);
      gtk_editable_set_max_width_chars (GTK_EDITABLE (entry), 10);
    }
  gtk_grid_attach (grid, label, 0, row, 1, 1);
  gtk_grid_attach (grid, entry, 1, row, 1, 1);
  gtk_grid_attach (grid, error, 0, row + 1, 2, 1);
}

static void
add_line (GtkGrid *grid, int row, const Line *line)
{
  if (line->id < 0)
    add_title (grid, row, line);
  else if (reroute_setting_specs ()[line->id].type == REROUTE_SETTING_TYPE_BOOLEAN)
    add_check (grid, row, line);
  else
    add_field (grid, row, line);
}

static GtkWindow *
make_fields_window (RerouteSubSheet *window, const Line *lines, gsize n, const char *hint)
{
  GtkWidget *grid = gtk_grid_new ();

  gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  for (gsize i = 0; i < n; i++)
    add_line (GTK_GRID (grid), (int) i * 2, &lines[i]);
  fill (window, grid, hint);
  fit_height (GTK_WINDOW (window), -1);
  return GTK_WINDOW (window);
}

GtkWindow *
reroute_timeouts_window_new (GtkWindow *parent, RerouteSheet *sheet)
{
  static const Line lines[] = {
    { N_ ("Messages"), -1 },
      { N_ ("_Return a message to its sender after:"), REROUTE_SETTING_MESSAGE_TIMEOUT },
        { N_ ("_Tell the sender of a delay after:"), REROUTE_SETTING_DELAY_NOTICE },
          { N_ ("_Drop a notice that cannot be delivered after:"), REROUTE_SETTING_BOUNCE_TIMEOUT },
            { N_ ("Connections"), -1 },
              { N_ ("_Connect to another host within:"), REROUTE_SETTING_CONNECT_TIMEOUT },
                { N_ ("Its reply to a c_ommand comes within:"), REROUTE_SETTING_COMMAND_TIMEOUT },
                  { N_ ("Its reply to the _end of a message comes within:"),
                        REROUTE_SETTING_DATA_TIMEOUT },
                    { N_ ("A client is _idle for at most:"), REROUTE_SETTING_IDLE_TIMEOUT },
                  };

  return make_fields_window (reroute_sub_sheet_new (
    parent, sheet, _ ("Message Time-outs"), "timeouts"),
    lines,
    G_N_ELEMENTS (lines),
    _ ("Times are written as “90s”, “15m”, “4h” or “5d”. “0s” tells the sender of no delay."));
}

GtkWindow *
reroute_limits_window_new (GtkWindow *parent, RerouteSheet *sheet)
{
  /* clang-format off */
  static const Line lines[] = {
    { N_("Connections"), -1 },
    { N_("Maximum number of _inbound connections:"), REROUTE_SETTING_MAX_INBOUND_CONNECTIONS },
    { N_("Maximum number of connections from a single _client:"), REROUTE_SETTING_MAX_CONNECTIONS_PER_CLIENT },
    { N_("Maximum number of _outbound connections:"), REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS },
    { N_("Maximum number of connections to a single _host:"), REROUTE_SETTING_MAX_CONNECTIONS_PER_HOST },
    { N_("Maximum number of _messages sent in one connection:"), REROUTE_SETTING_MAX_MESSAGES_PER_CONNECTION },
    { N_("Send by _BDAT to hosts that offer CHUNKING"), REROUTE_SETTING_CHUNKING },
    { N_("Own networks that DNS may _send mail to:"), REROUTE_SETTING_PRIVATE_TARGETS, N_("None") },
    { N_("Mail that leaves our organisation"), -1 },
    { N_("Messages in a second to a single hos_t:"), REROUTE_SETTING_LEAVING_RATE },
    { N_("Messages refused in a ro_w until a host gets no more:"), REROUTE_SETTING_LEAVING_STOP },
    { N_("A client's connection is closed after"), -1 },
    { N_("Commands with an _error in them:"), REROUTE_SETTING_MAX_BAD_COMMANDS },
    { N_("Commands that lead to _no message:"), REROUTE_SETTING_MAX_JUNK_COMMANDS },
    { N_("Recipients that are _refused:"), REROUTE_SETTING_MAX_REFUSED_RECIPIENTS },
    { N_("A client is put off after"), -1 },
    { N_("Messages in a min_ute, if it is not permitted:"), REROUTE_SETTING_MAX_MESSAGE_RATE },
    { N_("Reci_pients in a minute, if it is not permitted:"), REROUTE_SETTING_MAX_RECIPIENT_RATE },
    { N_("Errors in _a minute, if it is not permitted:"), REROUTE_SETTING_MAX_ERROR_RATE },
    { N_("_Failed logins in ten minutes:"), REROUTE_SETTING_MAX_AUTH_FAILURES },
  };
  /* clang-format on */

  return make_fields_window (reroute_sub_sheet_new (
    parent, sheet, _ ("Advanced"), "limits"),
    lines,
    G_N_ELEMENTS (lines),
    _ ("To receive or send nothing at all, choose another transfer mode. Where a client is put off or mail leaves our organisation, 0 is no limit."));
}

GtkWindow *
reroute_tls_reports_window_new (GtkWindow *parent, RerouteSheet *sheet)
{
  /* clang-format off */
  static const Line lines[] = {
    { N_("_Send other domains the reports that they ask for"), REROUTE_SETTING_TLS_REPORT },
    { N_("_Mailbox for questions:"), REROUTE_SETTING_TLS_REPORT_FROM, N_("The postmaster of this server") },
    { N_("_Organisation:"), REROUTE_SETTING_TLS_REPORT_ORGANIZATION, N_("The name of this server") },
  };
  /* clang-format on */

  return make_fields_window (reroute_sub_sheet_new (
    parent, sheet, _ ("TLS Reports"), "tls-reports"),
    lines,
    G_N_ELEMENTS (lines),
    _ ("Once a day each domain that asks for it in DNS (TLSRPT) is told how many connections to its hosts had TLS, and why others did not. Nothing is told of senders and recipients."));
}

GtkWindow *
reroute_alarms_window_new (GtkWindow *parent, RerouteSheet *sheet)
{
  /* clang-format off */
  static const Line lines[] = {
    { N_("An alarm is raised when"), -1 },
    { N_("A message _waits for longer than:"), REROUTE_SETTING_ALARM_OLDEST },
    { N_("The _disk of the queue is full to, in per cent:"), REROUTE_SETTING_ALARM_SPOOL },
    { N_("A _certificate ends within so many days:"), REROUTE_SETTING_ALARM_CERTIFICATE },
    { N_("A _host takes no mail for longer than:"), REROUTE_SETTING_ALARM_NEXT_HOP },
    { N_("The newest _rules are not in force for longer than:"), REROUTE_SETTING_ALARM_RULES },
    { N_("It is told to"), -1 },
    { N_("This _program:"), REROUTE_SETTING_ALARM_COMMAND, N_("None") },
    { N_("This web _address:"), REROUTE_SETTING_ALARM_WEBHOOK, N_("None") },
    { N_("With this acc_ount:"), REROUTE_SETTING_ALARM_WEBHOOK_ACCOUNT, N_("None") },
  };
  /* clang-format on */

  return make_fields_window (
    reroute_sub_sheet_new (parent, sheet, _ ("Alarms"), "alarms"),
                           lines,
                           G_N_ELEMENTS (lines),
                           _ ("0 raises no alarm. While this window runs, alarms are also shown in it and on the desktop."));
}
