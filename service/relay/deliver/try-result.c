/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * try-result.c - what a worker gives back
 *
 * Standards: RFC 5321 sections 4.2.1 and 4.5.3.1.10, RFC 3463 (status codes).
 */

#include "config.h"

#include "service/relay/deliver/leaving.h"

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
      RerouteDestination *destination =
        reroute_try_find_destination (self, &g_array_index (self->endpoints, RerouteEndpoint, i));
      gint64 waits_us = reroute_destination_get_retry_us (destination, now_us, NULL);

      if (waits_us == 0)
        return 0;
      retry_us = retry_us == 0 ? waits_us : MIN (retry_us, waits_us);
    }
  return retry_us;
}

static RerouteOutcomeKind
judge (const RerouteTry *self, const RerouteDelivery *delivery, const RerouteReply *reply)
{
  if (reply->code >= 200 && reply->code < 300)
    return REROUTE_OUTCOME_SENT;
  /* A host that was passed over because it is dead may have what the others lack. */
  if (delivery->lacks_extension && delivery->endpoints->len < self->endpoints->len)
    return REROUTE_OUTCOME_DEFERRED;
  return reply->code >= 500 ? REROUTE_OUTCOME_FAILED : REROUTE_OUTCOME_DEFERRED;
}

/* A reply of a host, or of our own in its place. */
static void
count (const RerouteTry *self, const RerouteDelivery *delivery, const RerouteReply *reply)
{
  RerouteTallies *tallies = reroute_worker_get_tallies (self->scheduler->thread);

  if (delivery->answered < 0 && !delivery->lacks_extension && reply->code >= 300)
    reroute_tallies_add (tallies, REROUTE_TALLY_TRIED_NO_CONNECTION, 1);
  else
    reroute_tallies_add (tallies,
                         reply->code < 300   ? REROUTE_TALLY_TRIED_2XX
                         : reply->code < 500 ? REROUTE_TALLY_TRIED_4XX
                                             : REROUTE_TALLY_TRIED_5XX,
                         1);
}

/* Whether recipients were taken: those that were too many beside them are tried again at once.  A
   host that takes none has no room for anybody now. */
static gboolean
gets_on (const RerouteDelivery *delivery)
{
  for (guint i = 0; i < delivery->n_recipients; i++)
    if (delivery->replies[i] != NULL && delivery->replies[i]->code < 300)
      return TRUE;
  return FALSE;
}

static gboolean
is_for_next_transaction (const RerouteReply *reply)
{
  return reply->code >= 400 && reply->code < 500 && reroute_reply_is_too_many (reply);
}

static void
settle (RerouteTry *self, RerouteDelivery *delivery)
{
  g_autofree RerouteOutcome *outcomes = g_new0 (RerouteOutcome, delivery->n_recipients);
  gint64 retry_us = delivery->destination_failed ? find_retry (self) : 0;
  gboolean goes_on = gets_on (delivery);
  guint n = 0;

  for (guint i = 0; i < delivery->n_recipients; i++)
    {
      RerouteWaiting *recipient = &self->queued->recipients[delivery->recipients[i]];
      const RerouteReply *reply = delivery->replies[i];

      if (reply != NULL)
        count (self, delivery, reply);
      if (reply == NULL || (goes_on && is_for_next_transaction (reply)))
        {
          recipient->phase = REROUTE_PHASE_IDLE;
          recipient->due_us = 0;
          continue;
        }
      outcomes[n++] = (RerouteOutcome){
        .kind = judge (self, delivery, reply),
        .recipient = delivery->recipients[i],
        .reply = g_steal_pointer (&delivery->replies[i]),
        .due_us = retry_us,
        .ends_notices = !delivery->offers_dsn,
        .rcpt_out = delivery->rcpt_out[i],
        .next_hop = self->next_hop,
        .by = reroute_delivery_get_decided_by (delivery, i),
        .relay = delivery->relay,
        .tls = delivery->tls,
      };
    }
  if (n > 0)
    reroute_queued_settle (self->queued, outcomes, n);
}

static const RerouteEndpoint *
get_endpoint (const RerouteDelivery *delivery, guint index)
{
  return &g_array_index (delivery->endpoints, RerouteEndpoint, index);
}

/* How the list of hosts that are down tells mail that this one denies something. */
static const char *
get_denied (const RerouteDelivery *delivery)
{
  return delivery->account != NULL ? delivery->account : "TLS";
}

/* Whether it failed in a transaction and did not say why. */
static gboolean
is_lost (const RerouteHostFailure *failure)
{
  return failure->was_ready && failure->reply->code != 421;
}

/* What the try says about an endpoint that has to wait: the host of all mail, or the lane of mail
   that demands the same.  Whether hosts that an entry or a setting names are down: one with several
   addresses is when none of them answers. */
static void
learn_failure (RerouteTry *self, RerouteDelivery *delivery, guint index)
{
  const RerouteHostFailure *failure = delivery->failures->pdata[index];
  const RerouteEndpoint *endpoint = get_endpoint (delivery, index);
  RerouteDestination *host = reroute_destination_get (self->scheduler, endpoint);
  RerouteDemand demand;

  if (is_lost (failure) && !reroute_destination_lost (host, self->queued->message->id))
    return;
  /* That it is we who put off mail because of TLS or a login is no wish of the host's. */
  if (failure->reply->code == 421 || (!failure->is_denial && is_throttling (failure->reply)))
    reroute_destination_throttle (host);
  if (!failure->is_denial)
    reroute_destination_failed (host, failure->reply);
  else
    {
      demand = reroute_try_get_demand (self, endpoint);
      reroute_destination_denied (host, &demand, failure->reply);
      reroute_down_hosts_remove (self->scheduler->down, endpoint, NULL);
    }
  if (self->is_named)
    reroute_down_hosts_add (self->scheduler->down,
                            endpoint,
                            failure->is_denial ? get_denied (delivery) : NULL,
                            g_get_real_time (),
                            reroute_try_find_destination (self, endpoint)->wait_us);
}

static gboolean
is_throttled (const RerouteDelivery *delivery)
{
  for (guint i = 0; i < delivery->n_recipients; i++)
    if (is_throttling (delivery->replies[i]))
      return TRUE;
  return FALSE;
}

/* What the replies of an endpoint say about it. */
static void
learn_answer (RerouteTry *self, RerouteDelivery *delivery, guint index)
{
  const RerouteEndpoint *endpoint = get_endpoint (delivery, index);
  RerouteDestination *own = reroute_try_find_destination (self, endpoint);
  RerouteDestination *host = reroute_destination_get_host (own);

  host->lost_id = 0;
  if (is_throttled (delivery))
    reroute_destination_throttle (host);
  else
    reroute_destination_succeeded (host);
  if (own != host)
    reroute_destination_succeeded (own);
  reroute_down_hosts_remove (self->scheduler->down, endpoint, NULL);
  /* Some TLS for other mail is not what was denied. */
  if (delivery->account != NULL || own != host)
    reroute_down_hosts_remove (self->scheduler->down, endpoint, get_denied (delivery));
}

/* What the try says about the hosts. */
static void
learn (RerouteTry *self, RerouteDelivery *delivery)
{
  for (guint i = 0; i < delivery->failures->len; i++)
    if (delivery->failures->pdata[i] != NULL)
      learn_failure (self, delivery, i);
  if (delivery->answered >= 0)
    learn_answer (self, delivery, (guint) delivery->answered);
  else if (!delivery->destination_failed && is_throttled (delivery))
    reroute_destination_throttle (self->destination); /* lost behind the content's end */
  if (self->leaves)
    reroute_leaving_learn (self, delivery);
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
  if (delivery->tls_results != NULL)
    reroute_try_count_sessions (self, delivery);
  settle (self, delivery);
  reroute_destination_release (self->destination, self->worker, took_us);
  if (queued->n_alive > 0)
    reroute_queued_arm (queued);
  reroute_try_free (self);
  reroute_scheduler_check_drained (scheduler);
}
