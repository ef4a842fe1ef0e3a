/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * alarm-conditions.c - what raises an alarm
 *
 * Arithmetic: no clock, no timer, no file.
 */

#include "config.h"

#include "service/relay/alarm-conditions.h"

#include "service/relay/certificate.h"

#define DAY_S ((gint64) 24 * 3600)
#define SPOOL_CALM 5.0 /* per cent below the threshold; a quarter of a small one */

/* One look. */
typedef struct
{
  const RerouteAlarmFigures *figures;
  const RerouteSettings *settings;
  RerouteAlarms *alarms;
} Look;

static void
see (const Look *look, gboolean is_over, RerouteAlarm *alarm)
{
  reroute_alarms_see (look->alarms, alarm, is_over, look->figures->now_us);
}

/* A duration's threshold in its own words. */
static char *
dup_duration (const Look *look, RerouteSettingId id)
{
  return reroute_duration_to_string (reroute_settings_get_number (look->settings, id));
}

static void
look_at_oldest (const Look *look)
{
  gint64 most_us =
    reroute_settings_get_number (look->settings, REROUTE_SETTING_ALARM_OLDEST) * G_USEC_PER_SEC;
  gint64 age_us = look->figures->now_us - look->figures->oldest_us;
  g_autofree char *most = dup_duration (look, REROUTE_SETTING_ALARM_OLDEST);

  if (most_us == 0 || look->figures->oldest_us == 0 || age_us < most_us / 4 * 3)
    return;
  see (look, age_us >= most_us, reroute_alarm_new ("", REROUTE_ALARM_TEXT_OLDEST, most, NULL));
}

static void
look_at_spool (const Look *look)
{
  double most = (double) reroute_settings_get_number (look->settings, REROUTE_SETTING_ALARM_SPOOL);
  double used = look->figures->spool_percent;
  g_autofree char *text = g_strdup_printf ("%.0f", most);

  if (most == 0)
    return;
  if (look->figures->spool_fails)
    see (look, TRUE, reroute_alarm_new ("write", REROUTE_ALARM_TEXT_SPOOL_FAILS, NULL, NULL));
  if (look->figures->damaged_in != NULL)
    see (look,
         TRUE,
         reroute_alarm_new (
           "damaged", REROUTE_ALARM_TEXT_SPOOL_DAMAGED, look->figures->damaged_in, NULL));
  if (used >= most - MIN (SPOOL_CALM, most / 4))
    see (look, used >= most, reroute_alarm_new ("", REROUTE_ALARM_TEXT_SPOOL_FULL, text, NULL));
}

static void
look_at_certificates (const Look *look)
{
  gint64 days = reroute_settings_get_number (look->settings, REROUTE_SETTING_ALARM_CERTIFICATE);
  gint64 now_s = look->figures->now_us / G_USEC_PER_SEC;

  for (guint i = 0; days > 0 && i < look->figures->certificates->len; i++)
    {
      const RerouteAlarmCertificate *each =
        &g_array_index (look->figures->certificates, RerouteAlarmCertificate, i);
      g_autofree char *day = NULL;

      if (each->expiry_s == 0)
        {
          see (look,
               TRUE,
               reroute_alarm_new (
                 each->file, REROUTE_ALARM_TEXT_CERTIFICATE_FAILS, each->failure, NULL));
          continue;
        }
      if (each->expiry_s - now_s > days * DAY_S)
        continue;
      day = reroute_certificate_format_day (each->expiry_s);
      see (look,
           TRUE,
           reroute_alarm_new (each->file,
                              each->expiry_s < now_s ? REROUTE_ALARM_TEXT_CERTIFICATE_ENDED
                                                     : REROUTE_ALARM_TEXT_CERTIFICATE_ENDS,
                              each->file,
                              day));
    }
}

static void
look_at_next_hops (const Look *look)
{
  gint64 most_us =
    reroute_settings_get_number (look->settings, REROUTE_SETTING_ALARM_NEXT_HOP) * G_USEC_PER_SEC;
  g_autofree char *most = dup_duration (look, REROUTE_SETTING_ALARM_NEXT_HOP);

  for (guint i = 0; most_us > 0 && i < look->figures->next_hops->len; i++)
    {
      const RerouteAlarmNextHop *each =
        &g_array_index (look->figures->next_hops, RerouteAlarmNextHop, i);

      see (look,
           look->figures->now_us - each->since_us >= most_us,
           reroute_alarm_new (each->label, REROUTE_ALARM_TEXT_NEXT_HOP, each->label, most));
    }
}

static void
look_at_stops (const Look *look)
{
  for (guint i = 0; i < look->figures->stops->len; i++)
    {
      const RerouteAlarmStop *each = &g_array_index (look->figures->stops, RerouteAlarmStop, i);

      see (look,
           TRUE,
           reroute_alarm_new (each->label, REROUTE_ALARM_TEXT_LEAVING, each->label, each->refusal));
    }
}

static void
look_at_rules (const Look *look)
{
  static const RerouteAlarmText texts[] = {
    [REROUTE_ALARM_RULES_NONE] = REROUTE_ALARM_TEXT_RULES_NONE,
    [REROUTE_ALARM_RULES_AWAY] = REROUTE_ALARM_TEXT_RULES_AWAY,
    [REROUTE_ALARM_RULES_OLD] = REROUTE_ALARM_TEXT_RULES_OLD,
  };
  gint64 most_us =
    reroute_settings_get_number (look->settings, REROUTE_SETTING_ALARM_RULES) * G_USEC_PER_SEC;
  g_autofree char *most = dup_duration (look, REROUTE_SETTING_ALARM_RULES);

  if (most_us == 0 || look->figures->rules == REROUTE_ALARM_RULES_IN_FORCE)
    return;
  see (look,
       look->figures->rules_for_us >= most_us,
       reroute_alarm_new ("", texts[look->figures->rules], most, NULL));
}

gboolean
reroute_alarm_conditions_look (const RerouteAlarmFigures *figures,
                               const RerouteSettings *settings,
                               RerouteAlarms *alarms)
{
  g_return_val_if_fail (figures != NULL && settings != NULL && alarms != NULL, FALSE);

  const Look look = { figures, settings, alarms };

  look_at_oldest (&look);
  look_at_spool (&look);
  look_at_certificates (&look);
  look_at_next_hops (&look);
  look_at_stops (&look);
  look_at_rules (&look);
  return reroute_alarms_end_look (alarms);
}
