/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * leaving.c - mail that leaves our organisation is sent at a bounded pace, and stops where it is
 * refused
 *
 * Who sends on the mail of strangers is judged by it, and a bad name concerns all mail.  At each
 * host such mail waits in a lane of its own: for a token, of which leaving-rate come in a second
 * and no more than those of one second are kept.  When a host has refused too many messages in a
 * row for a reason of policy the lane fails as a whole: what waits is put off, and now and then one
 * message is tried.
 *
 * All of it is in memory alone.
 *
 * Standards: RFC 3463 section 3.8 (security or policy status).
 */

#include "config.h"

#include "service/relay/deliver/leaving.h"

#include "common/limits.h"

#define PROBE_US (REROUTE_LIMIT_LEAVING_PROBE_S * (gint64) G_USEC_PER_SEC)
#define REMEMBER_US (REROUTE_LIMIT_LEAVING_REMEMBER_S * (gint64) G_USEC_PER_SEC)

/* What such a lane has besides what every lane has. */
struct _RerouteLeaving
{
  gint64 full_us;     /* monotonic: when its bucket is full again */
  guint n_refused;    /* messages in a row */
  guint64 refused_id; /* the last one of them */
  char *label;        /* (nullable): of the host, when it was stopped */
  char *refusal;      /* (nullable): what stopped it: "550 5.7.1" */
};

static gint64
get_setting (const RerouteDestination *self, RerouteSettingId id)
{
  return reroute_settings_get_number (reroute_scheduler_get_settings (self->scheduler), id);
}

static gboolean
is_stopped (const RerouteDestination *lane)
{
  return lane->n_failures > 0;
}

/* --- the lane --- */

static void
hand_out (RerouteTimer *timer)
{
  RerouteDestination *lane =
    (RerouteDestination *) ((char *) timer - G_STRUCT_OFFSET (RerouteDestination, patience));

  reroute_destination_pump (lane);
}

static RerouteDestination *
add_lane (RerouteDestination *host)
{
  RerouteDestination *lane = reroute_destination_new (host->scheduler, 0);

  lane->host = host;
  lane->leaving = g_new0 (RerouteLeaving, 1);
  lane->patience.func = hand_out;
  /* It waits because we want it to: its content is not kept in memory, and nobody is pressed. */
  lane->slow = TRUE;
  host->leaving_lane = lane;
  host->scheduler->destinations.n_leaving_lanes++;
  return lane;
}

RerouteDestination *
reroute_leaving_find_lane (RerouteDestination *host)
{
  RerouteDestination *lane = host->leaving_lane;

  if (get_setting (host, REROUTE_SETTING_LEAVING_RATE) == 0 && (lane == NULL || !is_stopped (lane)))
    return host;
  return lane != NULL ? lane : add_lane (host);
}

gboolean
reroute_leaving_is_over (const RerouteDestination *lane, gint64 now_us)
{
  const RerouteLeaving *self = lane->leaving;

  if (self->full_us > now_us)
    return FALSE;
  return self->n_refused == 0 || now_us - lane->used_us > REMEMBER_US ||
         lane->scheduler->destinations.n_leaving_lanes > REROUTE_LIMIT_LEAVING_HOSTS;
}

void
reroute_leaving_clear (RerouteDestination *lane)
{
  RerouteLeaving *self = g_steal_pointer (&lane->leaving);
  RerouteDestinations *all = &lane->scheduler->destinations;

  g_ptr_array_remove_fast (all->stopped, lane);
  all->n_leaving_lanes--;
  g_free (self->label);
  g_free (self->refusal);
  g_free (self);
}

/* --- the pace --- */

/* From one token to the next; 0: there is always one. */
static gint64
get_interval_us (const RerouteDestination *lane)
{
  gint64 rate = get_setting (lane, REROUTE_SETTING_LEAVING_RATE);

  return rate > 0 ? (G_USEC_PER_SEC + rate - 1) / rate : 0;
}

/* When there is one, monotonic: the bucket is full with those of a second. */
static gint64
get_token_us (const RerouteDestination *lane)
{
  return lane->leaving->full_us + get_interval_us (lane) - G_USEC_PER_SEC;
}

gboolean
reroute_leaving_may_begin (const RerouteDestination *lane)
{
  return reroute_worker_now_us (lane->scheduler->thread) >= get_token_us (lane);
}

void
reroute_leaving_begin (RerouteDestination *host)
{
  RerouteDestination *lane = host->leaving_lane;

  if (lane != NULL)
    lane->leaving->full_us =
      MAX (lane->leaving->full_us, reroute_worker_now_us (host->scheduler->thread)) +
      get_interval_us (lane);
}

void
reroute_leaving_await (RerouteDestination *host)
{
  RerouteDestination *lane = host->leaving_lane;

  if (lane->queue.length > 0 && !reroute_leaving_may_begin (lane))
    reroute_worker_arm_timer (host->scheduler->thread, &lane->patience, get_token_us (lane));
}

/* --- the stop --- */

static void
resume (RerouteDestination *lane)
{
  RerouteLeaving *self = lane->leaving;

  self->n_refused = 0;
  if (!is_stopped (lane))
    return;
  g_ptr_array_remove_fast (lane->scheduler->destinations.stopped, lane);
  g_clear_pointer (&self->label, g_free);
  g_clear_pointer (&self->refusal, g_free);
  reroute_destination_succeeded (lane);
  /* What was put off because of it is not to sit out its wait. */
  reroute_scheduler_wake_waiting (lane->scheduler, REROUTE_WAKE_FOR_LEAVING);
}

/* (element-type RerouteDestination): the stopped lanes, by the setting of now */
static const GPtrArray *
get_stopped (RerouteScheduler *scheduler)
{
  GPtrArray *stopped = scheduler->destinations.stopped;

  while (stopped->len > 0 && get_setting (stopped->pdata[0], REROUTE_SETTING_LEAVING_STOP) == 0)
    resume (stopped->pdata[0]);
  return stopped;
}

gboolean
reroute_leaving_is_stopped (RerouteDestination *host)
{
  return get_stopped (host->scheduler)->len > 0 && host->leaving_lane != NULL &&
         is_stopped (host->leaving_lane);
}

/* What waits is put off, until one is tried. */
static void
wait_for_probe (RerouteDestination *lane)
{
  lane->failed_us = g_get_real_time ();
  lane->wait_us = PROBE_US;
  reroute_destination_place_again (lane->host);
}

static void
stop (RerouteDestination *lane, const RerouteEndpoint *endpoint, const RerouteReply *refusal)
{
  RerouteLeaving *self = lane->leaving;
  g_autofree char *last = reroute_reply_to_string (refusal);
  g_autofree char *text = g_strdup_printf (
    "stopped: the last %u messages were refused, the last one with %s", self->n_refused, last);

  self->label = reroute_endpoint_dup_label (endpoint);
  self->refusal = g_strdup_printf ("%u %s", refusal->code, refusal->status);
  lane->n_failures = 1;
  lane->failure = reroute_reply_new (451, "4.7.1", text);
  g_ptr_array_add (lane->scheduler->destinations.stopped, lane);
  wait_for_probe (lane);
}

static gboolean
is_taken (const RerouteDelivery *delivery)
{
  for (guint i = 0; i < delivery->n_recipients; i++)
    if (delivery->replies[i]->code < 300)
      return TRUE;
  return FALSE;
}

/* The reply that says that the host does not want such mail; (nullable) */
static const RerouteReply *
find_refusal (const RerouteDelivery *delivery)
{
  for (guint i = 0; i < delivery->n_recipients; i++)
    if (delivery->replies[i]->code >= 500 &&
        g_str_has_prefix (delivery->replies[i]->status, "5.7."))
      return delivery->replies[i];
  return NULL;
}

static void
count_refusal (RerouteDestination *host,
               guint64 id,
               const RerouteEndpoint *endpoint,
               const RerouteReply *refusal)
{
  RerouteDestination *lane = host->leaving_lane != NULL ? host->leaving_lane : add_lane (host);
  RerouteLeaving *self = lane->leaving;
  gint64 most = get_setting (host, REROUTE_SETTING_LEAVING_STOP);

  /* Recipients of one message may be too many for one transaction. */
  self->n_refused += self->refused_id != id;
  self->refused_id = id;
  if (most > 0 && self->n_refused >= most && !is_stopped (lane))
    stop (lane, endpoint, refusal);
}

void
reroute_leaving_learn (RerouteTry *try, const RerouteDelivery *delivery)
{
  const RerouteEndpoint *endpoint =
    &g_array_index (delivery->endpoints, RerouteEndpoint, MAX (delivery->answered, 0));
  RerouteDestination *host = reroute_destination_get (try->scheduler, endpoint);
  RerouteDestination *lane = host->leaving_lane;
  const RerouteReply *refusal = delivery->answered >= 0 ? find_refusal (delivery) : NULL;

  if (delivery->answered >= 0 && is_taken (delivery))
    {
      if (lane != NULL)
        resume (lane);
      return;
    }
  if (lane != NULL && is_stopped (lane) &&
      reroute_destination_get_retry_us (lane, g_get_real_time (), NULL) == 0)
    wait_for_probe (lane);
  if (refusal != NULL)
    count_refusal (host, try->queued->message->id, endpoint, refusal);
}

GVariant *
reroute_leaving_list_stopped (RerouteScheduler *scheduler)
{
  const GPtrArray *stopped = get_stopped (scheduler);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < stopped->len; i++)
    {
      const RerouteLeaving *self = ((RerouteDestination *) stopped->pdata[i])->leaving;

      g_variant_builder_add (&builder, "(ss)", self->label, self->refusal);
    }
  return g_variant_builder_end (&builder);
}
