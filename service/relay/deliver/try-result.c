/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * try-result.c - what a worker gives back
 *
 * Standards: RFC 5321 section 4.2.1, RFC 3463 (status codes).
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

/* Whether a host asks us to come less often. */
static gboolean
is_throttling (const RerouteReply *reply)
{
  return reply != NULL && (reply->code == 421 || g_str_has_prefix (reply->status, "4.7."));
}

/* The earliest time at which one of the endpoints may be asked again; 0: one may be now. */
static gint64
find_retry (RerouteTry *self)
{
  gint64 now_us = g_get_real_time ();
  gint64 retry_us = 0;

  for (guint i = 0; i < self->endpoints->len; i++)
    {
      RerouteDestination *destination = reroute_destination_get (
        self->scheduler, &g_array_index (self->endpoints, RerouteEndpoint, i));
      gint64 waits_us = reroute_destination_get_retry_us (destination, now_us);

      if (waits_us == 0)
        return 0;
      retry_us = retry_us == 0 ? waits_us : MIN (retry_us, waits_us);
    }
  return retry_us;
}

static RerouteOutcomeKind
judge (const RerouteReply *reply)
{
  if (reply->code >= 200 && reply->code < 300)
    return REROUTE_OUTCOME_SENT;
  return reply->code >= 500 ? REROUTE_OUTCOME_FAILED : REROUTE_OUTCOME_DEFERRED;
}

static void
settle (RerouteTry *self, RerouteDelivery *delivery)
{
  g_autofree RerouteOutcome *outcomes = g_new0 (RerouteOutcome, delivery->n_recipients);
  gint64 retry_us = delivery->destination_failed ? find_retry (self) : 0;
  guint n = 0;

  for (guint i = 0; i < delivery->n_recipients; i++)
    {
      RerouteWaiting *recipient = &self->queued->recipients[delivery->recipients[i]];

      if (delivery->replies[i] == NULL)
        {
          recipient->phase = REROUTE_PHASE_IDLE;
          recipient->due_us = 0;
          continue;
        }
      outcomes[n++] = (RerouteOutcome){
        .kind = judge (delivery->replies[i]),
        .recipient = delivery->recipients[i],
        .reply = g_steal_pointer (&delivery->replies[i]),
        .due_us = retry_us,
        .rcpt_out = delivery->rcpt_out[i],
        .next_hop = self->next_hop,
        .relay = delivery->relay,
      };
    }
  if (n > 0)
    reroute_queued_settle (self->queued, outcomes, n);
}

/* What the try says about the hosts. */
static void
learn (RerouteTry *self, RerouteDelivery *delivery)
{
  const RerouteReply *reply = NULL;
  gboolean throttled = FALSE;

  for (guint i = 0; i < delivery->n_recipients; i++)
    {
      if (delivery->replies[i] != NULL)
        reply = delivery->replies[i];
      throttled = throttled || is_throttling (delivery->replies[i]);
    }
  if (reply == NULL)
    return;
  if (throttled)
    reroute_destination_throttle (self->destination);
  for (guint i = 0; i < delivery->n_failed_endpoints; i++)
    reroute_destination_failed (
      reroute_destination_get (self->scheduler,
                               &g_array_index (delivery->endpoints, RerouteEndpoint, i)),
      delivery->destination_failed ? reply : NULL);
  if (delivery->n_failed_endpoints < delivery->endpoints->len && !throttled)
    reroute_destination_succeeded (reroute_destination_get (
      self->scheduler,
      &g_array_index (delivery->endpoints, RerouteEndpoint, delivery->n_failed_endpoints)));
}

void
reroute_try_take_back (RerouteDelivery *delivery)
{
  RerouteTry *self = delivery->scheduler_data;
  RerouteScheduler *scheduler = self->scheduler;
  gint64 took_us = reroute_worker_now_us (scheduler->thread) - self->began_us;
  RerouteQueued *queued = self->queued;

  self->delivery = delivery;
  learn (self, delivery);
  settle (self, delivery);
  reroute_destination_release (self->destination, self->worker, took_us);
  if (queued->n_alive > 0)
    reroute_queued_arm (queued);
  reroute_try_free (self);
  reroute_scheduler_check_drained (scheduler);
}
