/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-reporter.c - when reports about TLS are sent
 *
 * What was counted of a day is sent some hours after its end, at a time of this installation's own,
 * so that not everybody reports at midnight.  A report that cannot be delivered is tried again each
 * hour for a day, then dropped.  tls-report-send.c sends one.
 *
 * Standards: RFC 8460 sections 4.1 (when), 5.5 (tries).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/tls-reporter-private.h"

#include "common/limits.h"

#define FILE_NAME "tls-report"
#define TICK_MOST_S 3600 /* the wall clock may be set */

static gint64
get_now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static gint64
get_today (void)
{
  return get_now_s () / REROUTE_TLS_DAY_S;
}

/* --- keeping --- */

static void
save (RerouteTlsReporter *self)
{
  g_autoptr (GBytes) octets = reroute_tls_results_to_file (self->results);

  reroute_worker_disarm_timer (self->scheduler->thread, &self->save);
  if (g_bytes_get_size (octets) <= REROUTE_LIMIT_TLS_REPORT_FILE_OCTETS)
    reroute_https_save (self->https, FILE_NAME, octets);
  else
    g_warning ("the results of TLS are not kept: they are more than %d MiB",
               REROUTE_LIMIT_TLS_REPORT_FILE_OCTETS / (1024 * 1024));
}

static void
save_due (RerouteTimer *timer)
{
  save ((RerouteTlsReporter *) ((char *) timer - G_STRUCT_OFFSET (RerouteTlsReporter, save)));
}

static void
arm (RerouteTlsReporter *self, RerouteTimer *timer, gint64 wait_s)
{
  RerouteWorker *thread = self->scheduler->thread;

  reroute_worker_arm_timer (
    thread, timer, reroute_worker_now_us (thread) + wait_s * G_USEC_PER_SEC);
}

void
reroute_tls_reporter_save_soon (RerouteTlsReporter *self)
{
  if (self->save.due_us == 0 && !self->closing)
    arm (self, &self->save, REROUTE_LIMIT_TLS_REPORT_SAVE_S);
}

static void
read_file (RerouteTlsReporter *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) octets = reroute_spool_read_file (
    self->scheduler->spool, FILE_NAME, REROUTE_LIMIT_TLS_REPORT_FILE_OCTETS, &error);

  if (octets != NULL && g_bytes_get_size (octets) > 0)
    reroute_tls_results_take_file (self->results, octets, &error);
  if (error != NULL)
    g_warning ("the results of TLS of before are not used: %s", error->message);
}

/* --- time --- */

/* When what was counted of a day is sent. */
static gint64
get_due_s (const RerouteTlsReporter *self, gint64 day)
{
  return (day + 1) * REROUTE_TLS_DAY_S + self->offset_s;
}

/* The first day that there is something of; today: nothing of a day before. */
static gint64
get_first_day (RerouteTlsReporter *self)
{
  g_autoptr (GPtrArray) days = reroute_tls_results_list (self->results);
  gint64 today = get_today ();

  return days->len > 0 ? MIN (((const RerouteTlsDay *) days->pdata[0])->day, today) : today;
}

/* When it may be tried again; a time that no try of now would set is of a clock that was ahead. */
static gint64
get_retry_s (const RerouteTlsReporter *self, gint64 now_s)
{
  return self->retry_s <= now_s + REROUTE_LIMIT_TLS_REPORT_RETRY_S ? self->retry_s : 0;
}

static void
arm_tick (RerouteTlsReporter *self)
{
  gint64 now_s = get_now_s ();
  gint64 due_s = get_due_s (self, get_first_day (self));
  gint64 wait_s = MAX (due_s, get_retry_s (self, now_s)) - now_s;

  arm (self, &self->tick, CLAMP (wait_s, 1, TICK_MOST_S));
}

/* Those that were tried for a day. */
static void
drop_old (RerouteTlsReporter *self)
{
  gint64 tried_s = get_now_s () - self->offset_s - REROUTE_LIMIT_TLS_REPORT_GIVE_UP_S;
  guint n = reroute_tls_results_forget_before (self->results, tried_s / REROUTE_TLS_DAY_S);

  if (n == 0)
    return;
  g_message ("reports about TLS to %u domains are given up", n);
  reroute_tls_reporter_save_soon (self);
}

static void
tick (RerouteTimer *timer)
{
  RerouteTlsReporter *self =
    (RerouteTlsReporter *) ((char *) timer - G_STRUCT_OFFSET (RerouteTlsReporter, tick));
  gint64 now_s = get_now_s ();
  gint64 first = get_first_day (self);

  drop_old (self);
  if (first < get_today () && now_s >= get_due_s (self, first) &&
      now_s >= get_retry_s (self, now_s))
    {
      reroute_tls_reporter_send (self, FALSE);
      self->retry_s = now_s + REROUTE_LIMIT_TLS_REPORT_RETRY_S;
    }
  arm_tick (self);
}

/* --- sending --- */

guint
reroute_tls_reporter_send (RerouteTlsReporter *self, gboolean today)
{
  g_return_val_if_fail (self != NULL, 0);

  g_autoptr (GPtrArray) days = reroute_tls_results_list (self->results);
  gint64 last = get_today () - (today ? 0 : 1);
  guint n = 0;

  for (guint i = 0; i < days->len; i++)
    {
      const RerouteTlsDay *day = days->pdata[i];
      GHashTableIter iter;
      gpointer name;

      if (day->day > last)
        break;
      g_hash_table_iter_init (&iter, day->domains);
      while (g_hash_table_iter_next (&iter, &name, NULL))
        n += reroute_tls_report_queue (self, day->day, name);
    }
  reroute_tls_report_begin_more (self);
  return n;
}

/* --- public --- */

gboolean
reroute_tls_reporter_is_on (const RerouteTlsReporter *self)
{
  return reroute_settings_get_boolean (reroute_scheduler_get_settings (self->scheduler),
                                       REROUTE_SETTING_TLS_REPORT);
}

void
reroute_tls_reporter_update (RerouteTlsReporter *self)
{
  g_return_if_fail (self != NULL);

  if (self->closing)
    return;
  if (reroute_tls_reporter_is_on (self))
    {
      arm_tick (self);
      return;
    }
  reroute_worker_disarm_timer (self->scheduler->thread, &self->tick);
  if (reroute_tls_results_forget_before (self->results, G_MAXINT64) > 0)
    save (self);
}

void
reroute_tls_reporter_add (RerouteTlsReporter *self,
                          const char *domain,
                          const RerouteTlsResult *result)
{
  g_return_if_fail (self != NULL);

  if (self->closing || !reroute_tls_reporter_is_on (self))
    return;
  reroute_tls_results_add (self->results, get_today (), domain, result);
  reroute_tls_reporter_save_soon (self);
}

RerouteTlsResults *
reroute_tls_reporter_get_results (RerouteTlsReporter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->results;
}

RerouteTlsReporter *
reroute_tls_reporter_new (RerouteScheduler *scheduler, gboolean loopback)
{
  g_return_val_if_fail (scheduler != NULL, NULL);

  RerouteTlsReporter *self = g_new0 (RerouteTlsReporter, 1);

  self->scheduler = scheduler;
  self->loopback = loopback;
  self->results = reroute_tls_results_new ();
  self->https = reroute_https_new (scheduler->thread, scheduler->spool);
  self->offset_s = g_random_int_range (0, REROUTE_LIMIT_TLS_REPORT_SPREAD_S);
  self->save.func = save_due;
  self->tick.func = tick;
  self->reports = reroute_tls_reports_new ();
  g_queue_init (&self->waiting);
  read_file (self);
  return self;
}

void
reroute_tls_reporter_close (RerouteTlsReporter *self)
{
  g_return_if_fail (self != NULL);

  gboolean is_new = self->save.due_us != 0;

  self->closing = TRUE;
  is_new = reroute_tls_reports_give_back (self) || is_new;
  if (is_new)
    save (self);
  reroute_worker_disarm_timer (self->scheduler->thread, &self->tick);
  g_clear_pointer (&self->https, reroute_https_free);
}

void
reroute_tls_reporter_free (RerouteTlsReporter *self)
{
  g_return_if_fail (self != NULL);

  g_clear_pointer (&self->https, reroute_https_free);
  g_hash_table_unref (self->reports);
  reroute_tls_results_free (self->results);
  g_free (self);
}
