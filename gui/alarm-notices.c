/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * alarm-notices.c - alarms as notifications of the desktop
 *
 * Nothing is sent where nobody on the session bus would show it.
 */

#include "config.h"

#include "gui/alarm-notices.h"

/* Who shows notifications: any desktop, and GNOME. */
static const char *const services[] = { "org.freedesktop.Notifications", "org.gtk.Notifications" };

struct _RerouteAlarmNotices
{
  GApplication *application;
  RerouteRelayWatch *watch;
  gulong changed_id;
  gulong shutdown_id;
  GPtrArray *shown;                           /* (element-type RerouteAlarm) */
  guint service_ids[G_N_ELEMENTS (services)]; /* 0: there was no alarm yet */
  gboolean is_there[G_N_ELEMENTS (services)];
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
show_what_is_new (RerouteAlarmNotices *self)
{
  const GPtrArray *alarms = reroute_relay_watch_get_alarms (self->watch);

  for (guint i = 0; (self->is_there[0] || self->is_there[1]) && i < alarms->len; i++)
    if (!has (self->shown, alarms->pdata[i]))
      show (self, alarms->pdata[i]);
}

static void
note_service (RerouteAlarmNotices *self, const char *name, gboolean is_there)
{
  for (gsize i = 0; i < G_N_ELEMENTS (services); i++)
    if (g_str_equal (name, services[i]))
      self->is_there[i] = is_there;
}

static void
service_came_cb (GDBusConnection *bus, const char *name, const char *owner, gpointer user_data)
{
  note_service (user_data, name, TRUE);
  show_what_is_new (user_data);
}

/* Also when it was never there. */
static void
service_went_cb (GDBusConnection *bus, const char *name, gpointer user_data)
{
  note_service (user_data, name, FALSE);
}

/* One that can be started is. */
static void
look_for_services (RerouteAlarmNotices *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (services); i++)
    self->service_ids[i] = g_bus_watch_name (G_BUS_TYPE_SESSION,
                                             services[i],
                                             G_BUS_NAME_WATCHER_FLAGS_AUTO_START,
                                             service_came_cb,
                                             service_went_cb,
                                             self,
                                             NULL);
}

static void
changed_cb (RerouteAlarmNotices *self)
{
  const GPtrArray *alarms = reroute_relay_watch_get_alarms (self->watch);

  for (guint i = self->shown->len; i > 0; i--)
    if (!has (alarms, self->shown->pdata[i - 1]))
      withdraw (self, i - 1);
  if (alarms->len > 0 && self->service_ids[0] == 0)
    look_for_services (self);
  show_what_is_new (self);
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
  for (gsize i = 0; i < G_N_ELEMENTS (services); i++)
    if (self->service_ids[i] != 0)
      g_bus_unwatch_name (self->service_ids[i]);
  withdraw_all (self);
  g_ptr_array_unref (self->shown);
  g_free (self);
}
