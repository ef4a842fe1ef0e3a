/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * alarm-watch.c - looks at what may raise an alarm, and tells who wants to know
 *
 * A timer reads figures that are there anyhow; only which hosts are down, or take no more of
 * what leaves our organisation, is asked of the scheduler's thread.  When there is no answer the
 * next look waits for it.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/alarm-watch.h"

#include "common/limits.h"
#include "service/relay/alarm-command.h"
#include "service/relay/alarm-conditions.h"
#include "service/relay/alarm-webhook.h"
#include "service/relay/spool/directory.h"

#include <sys/statvfs.h>

struct _RerouteAlarmWatch
{
  const RerouteRelayParts *parts;
  RerouteRulesClient *rules;
  RerouteRelayService *service;
  RerouteSettings *defaults; /* while there are no rules */
  char *directory;           /* the spool */
  RerouteAlarms *alarms;
  RerouteAlarmCommand *command;
  RerouteAlarmWebhook *webhook;
  guint look_id;
  GCancellable *asking; /* NULL: the scheduler is not being asked */
  gulong serial_id;
  guint64 saved;         /* the newest generation that was announced */
  gint64 rules_since_us; /* monotonic: for so long they are not in force; 0: they are */
};

static const RerouteSettings *
get_settings (const RerouteAlarmWatch *self)
{
  const RerouteRelayParts *parts = self->parts;

  return parts->ruleset != NULL ? reroute_ruleset_get_settings (parts->ruleset) : self->defaults;
}

/* --- who is told --- */

static void
tell_cb (const RerouteAlarm *alarm, gboolean raised, gpointer user_data)
{
  RerouteAlarmWatch *self = user_data;
  const char *program =
    reroute_settings_get_text (get_settings (self), REROUTE_SETTING_ALARM_COMMAND);

  if (raised)
    g_warning ("alarm %s: %s %s",
               reroute_alarm_kind_to_string (alarm->kind),
               alarm->sentence,
               alarm->advice);
  else
    g_message ("alarm %s is over: %s", reroute_alarm_kind_to_string (alarm->kind), alarm->sentence);
  if (*program != '\0')
    reroute_alarm_command_tell (self->command, program, alarm, raised);
  reroute_alarm_webhook_tell (self->webhook, self->parts->hostname, alarm, raised);
}

/* --- the figures --- */

static void
add_certificate (const char *file, gint64 expiry_s, const char *failure, gpointer user_data)
{
  const RerouteAlarmCertificate certificate = { file, expiry_s, failure };

  if (expiry_s != 0 || failure != NULL)
    g_array_append_val ((GArray *) user_data, certificate);
}

static double
get_spool_percent (const RerouteAlarmWatch *self)
{
  struct statvfs status;
  double used;

  if (fstatvfs (reroute_spool_get_directory_fd (self->parts->spool), &status) != 0)
    return 0;
  used = (double) (status.f_blocks - status.f_bfree);
  return used > 0 ? 100 * used / (used + (double) status.f_bavail) : 0;
}

static RerouteAlarmRules
judge_rules (const RerouteAlarmWatch *self)
{
  const RerouteRelayParts *parts = self->parts;

  if (parts->ruleset == NULL)
    return REROUTE_ALARM_RULES_NONE;
  if (!reroute_rules_client_get_available (self->rules))
    return REROUTE_ALARM_RULES_AWAY;
  return self->saved != reroute_ruleset_get_serial (parts->ruleset) ? REROUTE_ALARM_RULES_OLD
                                                                    : REROUTE_ALARM_RULES_IN_FORCE;
}

static void
fill_in_rules (RerouteAlarmWatch *self, RerouteAlarmFigures *figures)
{
  gint64 now_us = g_get_monotonic_time ();

  figures->rules = judge_rules (self);
  if (figures->rules == REROUTE_ALARM_RULES_IN_FORCE)
    self->rules_since_us = 0;
  else if (self->rules_since_us == 0)
    self->rules_since_us = now_us;
  figures->rules_for_us = self->rules_since_us != 0 ? now_us - self->rules_since_us : 0;
}

static void
fill_in_queue (const RerouteAlarmWatch *self, RerouteAlarmFigures *figures)
{
  RerouteSchedulerFigures queue = { 0 };
  RerouteSpoolFigures spool;

  reroute_scheduler_get_figures (self->parts->scheduler, &queue);
  g_free (queue.dns);
  figures->oldest_us = queue.oldest_us;
  reroute_spool_get_figures (self->parts->spool, &spool);
  figures->spool_fails = !spool.writable;
  figures->damaged_in =
    reroute_spool_directory_has_damaged (reroute_spool_get_directory_fd (self->parts->spool))
      ? self->directory
      : NULL;
  figures->spool_percent = get_spool_percent (self);
}

/* --- a look --- */

/* @hosts: (a(sx)a(ss)): as reroute_scheduler_list_down_async() has them */
static void
look (RerouteAlarmWatch *self, GVariant *hosts)
{
  g_autoptr (GArray) certificates = g_array_new (FALSE, FALSE, sizeof (RerouteAlarmCertificate));
  g_autoptr (GArray) next_hops = g_array_new (FALSE, FALSE, sizeof (RerouteAlarmNextHop));
  g_autoptr (GArray) stops = g_array_new (FALSE, FALSE, sizeof (RerouteAlarmStop));
  RerouteAlarmFigures figures = { .now_us = g_get_real_time (),
                                  .certificates = certificates,
                                  .next_hops = next_hops,
                                  .stops = stops };
  g_autoptr (GVariantIter) down = NULL;
  g_autoptr (GVariantIter) stopped = NULL;
  RerouteAlarmNextHop next_hop;
  RerouteAlarmStop stop;

  fill_in_queue (self, &figures);
  fill_in_rules (self, &figures);
  reroute_tls_keeper_foreach (self->parts->tls, add_certificate, certificates);
  reroute_client_certificate_keeper_foreach (
    self->parts->certificates, add_certificate, certificates);
  g_variant_get (hosts, "(a(sx)a(ss))", &down, &stopped);
  while (g_variant_iter_next (down, "(&sx)", &next_hop.label, &next_hop.since_us))
    g_array_append_val (next_hops, next_hop);
  while (g_variant_iter_next (stopped, "(&s&s)", &stop.label, &stop.refusal))
    g_array_append_val (stops, stop);
  reroute_alarm_webhook_set_settings (self->webhook, get_settings (self));
  if (reroute_alarm_conditions_look (&figures, get_settings (self), self->alarms))
    reroute_relay_service_set_alarms (
      self->service, reroute_alarms_to_variant (reroute_alarms_get_raised (self->alarms)));
}

static void
down_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) hosts = g_task_propagate_pointer (G_TASK (result), &error);
  RerouteAlarmWatch *self = user_data;

  /* Nobody else cancels it, and then the watch is gone. */
  if (hosts == NULL)
    return;
  g_clear_object (&self->asking);
  look (self, hosts);
}

static gboolean
look_cb (gpointer user_data)
{
  RerouteAlarmWatch *self = user_data;

  if (self->asking != NULL)
    return G_SOURCE_CONTINUE;
  self->asking = g_cancellable_new ();
  reroute_scheduler_list_down_async (self->parts->scheduler, self->asking, down_cb, self);
  return G_SOURCE_CONTINUE;
}

static void
serial_changed_cb (RerouteRulesClient *rules, guint64 serial, RerouteAlarmWatch *self)
{
  self->saved = serial;
}

/* --- public --- */

RerouteAlarmWatch *
reroute_alarm_watch_new (const RerouteRelayParts *parts,
                         RerouteRulesClient *rules,
                         RerouteRelayService *service,
                         int helper)
{
  g_return_val_if_fail (parts != NULL && REROUTE_IS_RULES_CLIENT (rules), NULL);

  RerouteAlarmWatch *self = g_new0 (RerouteAlarmWatch, 1);

  self->parts = parts;
  self->rules = g_object_ref (rules);
  self->service = g_object_ref (service);
  self->defaults = reroute_settings_new ();
  self->directory = reroute_relay_options_dup_spool (parts->options);
  self->alarms = reroute_alarms_new (tell_cb, self);
  self->command = reroute_alarm_command_new (helper);
  self->webhook = reroute_alarm_webhook_new (parts->secrets);
  self->look_id = g_timeout_add_seconds (REROUTE_LIMIT_ALARM_LOOK_S, look_cb, self);
  self->serial_id =
    g_signal_connect (rules, "serial-changed", G_CALLBACK (serial_changed_cb), self);
  return self;
}

void
reroute_alarm_watch_free (RerouteAlarmWatch *self)
{
  g_return_if_fail (self != NULL);

  g_source_remove (self->look_id);
  g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
  g_signal_handler_disconnect (self->rules, self->serial_id);
  g_object_unref (self->rules);
  g_object_unref (self->service);
  reroute_alarm_webhook_free (self->webhook);
  reroute_alarm_command_free (self->command);
  reroute_alarms_free (self->alarms);
  reroute_settings_unref (self->defaults);
  g_free (self->directory);
  g_free (self);
}
