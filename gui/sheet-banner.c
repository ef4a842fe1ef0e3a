/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sheet-banner.c - what the banner above the pages says of the sheet
 */

#include "config.h"

#include "gui/sheet-banner.h"

#include <glib/gi18n.h>

static RerouteBannerText
make_news_text (RerouteSheet *sheet, char **owned)
{
  RerouteNews *news = reroute_sheet_get_news (sheet);
  guint n = reroute_edit_get_n_changes (reroute_sheet_get_edit (sheet));
  const char *who = news->who[0] != '\0' ? news->who : _ ("Someone else");
  RerouteBannerText text = { .button = _ ("Com_pare…") };
  /* A format of a translated sentence has no place for G_GUINT64_FORMAT. */
  g_autofree char *serial = g_strdup_printf ("%" G_GUINT64_FORMAT, news->serial);

  /* Translators: a person, the number of a generation of the rules */
  *owned = g_strdup_printf (_ ("%s saved %s meanwhile."), who, serial);
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
  return (RerouteBannerText){ *heading, *text, NULL, NULL };
}

void
reroute_sheet_banner_show (RerouteBanner *banner,
                           RerouteSheet *sheet,
                           const char *problem,
                           gboolean settled)
{
  RerouteBannerText text = { NULL };
  const GPtrArray *alarms = reroute_relay_watch_get_alarms (reroute_sheet_get_relay_watch (sheet));
  g_autofree char *owned = NULL;
  g_autofree char *advice = NULL;

  if (problem != NULL)
    text = (RerouteBannerText){ _ ("Not saved."), problem, NULL, NULL };
  else if (settled && !reroute_sheet_is_available (sheet))
    text = (RerouteBannerText){
      _ ("The rules service does not answer: nothing can be saved now."),
         _ ("Your changes are kept, and this goes away by itself when it is back."), NULL, NULL };
  else if (reroute_sheet_get_news (sheet) != NULL)
    text = make_news_text (sheet, &owned);
  else if (settled && !reroute_relay_watch_is_available (reroute_sheet_get_relay_watch (sheet)))
    text = (RerouteBannerText){ _ ("The relay is not running: no mail is taken or sent."),
                                   _ ("Go on editing; it takes up the rules when it starts:"),
                                      REROUTE_RELAY_COMMAND,
                                      _ ("Cop_y Command") };
  else if (alarms->len > 0)
    text = make_alarm_text (alarms, &owned, &advice);
  reroute_banner_show (banner, &text);
}
