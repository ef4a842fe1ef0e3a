/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sheet-banner.c - what the banner above the pages says of the sheet
 */

#include "config.h"

#include "gui/sheet-banner.h"

#include "common/client/peer.h"
#include "common/refusal-text.h"

#include <glib/gi18n.h>

static RerouteBannerText
make_news_text (RerouteSheet *sheet, char **owned)
{
  RerouteNews *news = reroute_sheet_get_news (sheet);
  guint n = reroute_edit_get_n_changes (reroute_sheet_get_edit (sheet));
  g_autofree char *who = reroute_news_dup_who (news);
  RerouteBannerText text = { .buttons = { { _ ("Com_pare…"), "sheet.compare" } } };
  /* A format of a translated sentence has no place for G_GUINT64_FORMAT. */
  g_autofree char *serial = g_strdup_printf ("%" G_GUINT64_FORMAT, reroute_news_get_serial (news));

  /* Translators: a person, the number of a generation of the rules */
  *owned = g_strdup_printf (_ ("%s saved %s meanwhile."),
                               who[0] != '\0' ? who : _ ("Someone else"), serial);
  text.heading = *owned;
  if (news->unknown)
    text.text = _ ("What changed cannot be told any more. Your changes are kept; look at them before you save.");
  else if (news->conflicts->len == 0)
    text.text = g_dngettext (GETTEXT_PACKAGE,
                             "Your change is kept; it touches nothing of that.",
                             "Your changes are kept; they touch nothing of that.",
                             n);
  else
    text.text = g_dngettext (GETTEXT_PACKAGE,
                             "Your change is kept, but it touches the same entry.",
                             "Your changes are kept, but some of them touch the same entries.",
                             n);
  return text;
}

static RerouteBannerText
make_relay_text (RerouteSheet *sheet, char **command)
{
  *command = reroute_peer_dup_start_command (&reroute_peer_relay, reroute_sheet_get_bus (sheet));
  return (RerouteBannerText){
    .heading = _ ("The relay is not running: no mail is taken or sent."),
                  .text = _ ("Go on editing; it takes up the rules when it starts:"),
                             .command = *command,
                             .buttons = { { _ ("Cop_y Command"), "sheet.copy-command" } } };
}

/* The oldest of the alarms, and how many there are besides. */
static RerouteBannerText
make_alarm_text (const GPtrArray *alarms, char **heading, char **text)
{
  const RerouteAlarm *first = alarms->pdata[0];
  g_autofree char *sentence = reroute_alarm_dup_sentence (first);
  g_autofree char *advice = reroute_alarm_dup_advice (first);

  *heading = g_strdup_printf (
    /* Translators: %u is a number, %s is one of the alarms */
    g_dngettext (GETTEXT_PACKAGE, "%u alarm: %s", "%u alarms, the oldest: %s", alarms->len),
    alarms->len,
    sentence);
  *text = g_steal_pointer (&advice);
  return (RerouteBannerText){ .heading = *heading, .text = *text };
}

static gboolean
is_cut_off (RerouteSheet *sheet)
{
  RerouteBus *bus = reroute_sheet_get_bus (sheet);

  return reroute_bus_get_remote (bus) != NULL && reroute_bus_get_connection (bus) == NULL;
}

/* ssh's own words and what she can do, of a computer that is not connected. */
static RerouteBannerText
make_connection_text (RerouteSheet *sheet, char **owned)
{
  RerouteBus *bus = reroute_sheet_get_bus (sheet);
  const GError *failure = reroute_bus_get_failure (bus);
  RerouteBannerText text = { NULL };

  if (failure == NULL)
    {
      *owned = reroute_dup_connecting (reroute_bus_get_remote (bus)->name);
      text.heading = *owned;
      return text;
    }
  *owned = reroute_dup_connection_error (failure);
  text.heading = _ ("The rules service does not answer: nothing can be saved now.");
  text.text = *owned;
  text.buttons[0] = (RerouteBannerButton){ _ ("Tr_y Again"), "sheet.reconnect" };
  /* Its letter is that of Stop. */
  if (!reroute_sheet_is_applying (sheet))
    text.buttons[1] = (RerouteBannerButton){ _ ("Another Com_puter…"), "sheet.choose-computer" };
  return text;
}

/* What prevents saving, or did; no heading: nothing. */
static RerouteBannerText
make_trouble_text (RerouteSheet *sheet, gboolean settled, char **owned)
{
  const char *problem = reroute_sheet_get_problem (sheet);
  const char *load_failure = reroute_sheet_get_load_failure (sheet);
  RerouteBannerText text = { NULL };

  if (settled && is_cut_off (sheet))
    text = make_connection_text (sheet, owned);
  else if (settled && !reroute_sheet_is_available (sheet))
    text = (RerouteBannerText){
      .heading = _ ("The rules service does not answer: nothing can be saved now."),
                    .text =
                      _ ("Your changes are kept, and this goes away by itself when it is back.") };
  else if (load_failure != NULL)
    text = (RerouteBannerText){ .heading = _ ("The rules cannot be read."), .text = load_failure };
  if (reroute_sheet_is_unsettled (sheet))
    {
      text.heading = _ ("It is not known yet whether your changes were saved.");
      if (text.text == NULL)
        text.text =
          _ ("They are kept, and it is found out by itself as soon as the service answers.");
    }
  else if (problem != NULL)
    {
      text.heading = _ ("Not saved.");
      text.text = problem;
    }
  return text;
}

void
reroute_sheet_banner_show (RerouteBanner *banner, RerouteSheet *sheet, gboolean settled)
{
  RerouteRelayWatch *watch = reroute_sheet_get_relay_watch (sheet);
  const GPtrArray *alarms = reroute_relay_watch_get_alarms (watch);
  g_autofree char *owned = NULL;
  g_autofree char *advice = NULL;
  RerouteBannerText text = make_trouble_text (sheet, settled, &owned);

  if (text.heading == NULL && reroute_sheet_get_news (sheet) != NULL)
    text = make_news_text (sheet, &owned);
  else if (text.heading == NULL && settled && !reroute_relay_watch_is_available (watch))
    text = make_relay_text (sheet, &owned);
  else if (text.heading == NULL && alarms->len > 0)
    text = make_alarm_text (alarms, &owned, &advice);
  reroute_banner_show (banner, &text);
}
