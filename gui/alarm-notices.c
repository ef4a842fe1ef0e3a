/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * alarm-notices.c - alarms as notifications of the desktop
 */

#include "config.h"

#include "gui/alarm-notices.h"

struct _RerouteAlarmNotices
{
  GApplication *application;
  RerouteRelayWatch *watch;
  gulong changed_id;
  gulong shutdown_id;
  GPtrArray *shown; /* (element-type RerouteAlarm) */
};

static gboolean
has (const GPtrArray *alarms, const RerouteAlarm *alarm)
{
  for (guint i = 0; i < alarms->len; i++)
    if (reroute_alarm_is_same (alarms->pdata[i], alarm))
      return TRUE;
  return FALSE;
}

static char *
dup_id (const RerouteAlarm *alarm)
{
  return g_strdup_printf (
    "alarm %s %s", reroute_alarm_kind_to_string (alarm->kind), alarm->subject);
}

static void
show (RerouteAlarmNotices *self, const RerouteAlarm *alarm)
{
  g_autoptr (GNotification) notification = g_notification_new (reroute_alarm_get_title (alarm));
  g_autofree char *id = dup_id (alarm);
  g_autofree char *sentence = reroute_alarm_dup_sentence (alarm);
  g_autofree char *advice = reroute_alarm_dup_advice (alarm);
  g_autofree char *body = g_strconcat (sentence, " ", advice, NULL);

  g_notification_set_body (notification, body);
  g_notification_set_priority (notification, G_NOTIFICATION_PRIORITY_HIGH);
  g_application_send_notification (self->application, id, notification);
  g_ptr_array_add (self->shown, reroute_alarm_copy (alarm));
}

static void
withdraw (RerouteAlarmNotices *self, guint index)
{
  g_autofree char *id = dup_id (self->shown->pdata[index]);

  g_application_withdraw_notification (self->application, id);
  g_ptr_array_remove_index (self->shown, index);
}

static void
changed_cb (RerouteAlarmNotices *self)
{
  const GPtrArray *alarms = reroute_relay_watch_get_alarms (self->watch);

  for (guint i = self->shown->len; i > 0; i--)
    if (!has (alarms, self->shown->pdata[i - 1]))
      withdraw (self, i - 1);
  for (guint i = 0; i < alarms->len; i++)
    if (!has (self->shown, alarms->pdata[i]))
      show (self, alarms->pdata[i]);
}

static void
withdraw_all (RerouteAlarmNotices *self)
{
  while (self->shown->len > 0)
    withdraw (self, self->shown->len - 1);
}

RerouteAlarmNotices *
reroute_alarm_notices_new (GApplication *application, RerouteRelayWatch *watch)
{
  g_return_val_if_fail (G_IS_APPLICATION (application) && REROUTE_IS_RELAY_WATCH (watch), NULL);

  RerouteAlarmNotices *self = g_new0 (RerouteAlarmNotices, 1);

  self->application = application;
  self->watch = watch;
  self->shown = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_alarm_free);
  self->changed_id = g_signal_connect_swapped (watch, "changed", G_CALLBACK (changed_cb), self);
  /* A window is not always closed before its application ends. */
  self->shutdown_id =
    g_signal_connect_swapped (application, "shutdown", G_CALLBACK (withdraw_all), self);
  return self;
}

void
reroute_alarm_notices_free (RerouteAlarmNotices *self)
{
  g_return_if_fail (self != NULL);

  g_signal_handler_disconnect (self->watch, self->changed_id);
  g_signal_handler_disconnect (self->application, self->shutdown_id);
  withdraw_all (self);
  g_ptr_array_unref (self->shown);
  g_free (self);
}
