/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * try.c - a try: from the decision to a worker, and what comes back
 *
 * Recipients of one message that the newest rules send the same way go together.  A try that
 * waits for DNS or for a connection while the rules change is decided again; one that a worker has
 * is not.
 *
 * Standards: RFC 5321 sections 4.2.1 (what a reply code means), 5.1.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

#include <string.h>

#include "common/limits.h"
#include "service/relay/deliver/host-lack.h"
#include "service/relay/deliver/leaving.h"

/* Recipients that go the same way, while a message is decided. */
typedef struct
{
  RerouteRoute *route;
  RerouteTlsLevel tls;
  char *account;     /* (nullable): that is logged in to */
  char *certificate; /* (nullable): the file of what is shown */
  gboolean leaves;   /* our organisation: with another sender, if that has to be */
  gboolean is_named; /* an entry or a setting names the hosts */
  char *next_hop;
  GArray *recipients;   /* (element-type guint) */
  GPtrArray *rcpt_outs; /* (element-type utf8) */
  GArray *entries; /* (element-type RerouteDecidedBy) (nullable): borrowed; NULL: nobody tracks */
} Group;

static void
free_group (gpointer data)
{
  Group *self = data;

  g_free (self->next_hop);
  g_free (self->account);
  g_free (self->certificate);
  g_array_unref (self->recipients);
  g_ptr_array_unref (self->rcpt_outs);
  g_clear_pointer (&self->entries, g_array_unref);
  g_free (self);
}

void
reroute_try_free (RerouteTry *self)
{
  reroute_delivery_free (self->delivery);
  g_clear_pointer (&self->endpoints, g_array_unref);
  g_free (self->next_hop);
  reroute_queued_unref (self->queued);
  g_free (self);
}

/* Whether its recipients were taken out of it, and may be in another by now. */
static gboolean
is_void (const RerouteTry *self)
{
  return self->n_left != self->queued->n_left;
}

void
reroute_try_withdraw (RerouteTry *self)
{
  RerouteQueued *queued = self->queued;
  guint n = is_void (self) ? 0 : self->delivery->n_recipients;

  for (guint i = 0; i < n; i++)
    {
      RerouteWaiting *recipient = &queued->recipients[self->delivery->recipients[i]];

      recipient->phase = REROUTE_PHASE_IDLE;
      if (recipient->state == REROUTE_RECIPIENT_WAITING)
        recipient->due_us = 0;
    }
  if (queued->n_alive > 0)
    reroute_queued_arm (queued);
  reroute_try_free (self);
}

gboolean
reroute_try_prune (RerouteTry *self)
{
  RerouteDelivery *delivery = self->delivery;
  guint kept = 0;

  for (guint i = 0; i < delivery->n_recipients; i++)
    {
      guint index = delivery->recipients[i];
      char *rcpt_out = g_steal_pointer (&delivery->rcpt_out[i]);
      RerouteDecidedBy by = reroute_delivery_get_decided_by (delivery, i);

      if (is_void (self) || self->queued->recipients[index].state != REROUTE_RECIPIENT_WAITING)
        {
          g_free (rcpt_out);
          reroute_decided_by_clear (&by);
          continue;
        }
      if (delivery->entries != NULL)
        delivery->entries[kept] = by;
      delivery->recipients[kept] = index;
      delivery->rcpt_out[kept++] = rcpt_out;
    }
  delivery->n_recipients = kept;
  if (kept == 0)
    reroute_try_free (self);
  return kept > 0;
}

/* The same outcome for all that are left of a try that no worker has had; frees it. */
static void
settle_all (RerouteTry *self, const RerouteOutcome *outcome)
{
  RerouteDelivery *delivery = self->delivery;
  g_autofree RerouteOutcome *outcomes = NULL;
  guint n = delivery->n_recipients;

  outcomes = g_new0 (RerouteOutcome, n);
  for (guint i = 0; i < n; i++)
    {
      outcomes[i] = *outcome;
      outcomes[i].reply = reroute_reply_copy (outcome->reply);
      outcomes[i].recipient = delivery->recipients[i];
      outcomes[i].rcpt_out = delivery->rcpt_out[i];
      outcomes[i].next_hop = self->next_hop;
      outcomes[i].by = reroute_delivery_get_decided_by (delivery, i);
    }
  reroute_queued_settle (self->queued, outcomes, n);
  reroute_try_free (self);
}

/* --- to a worker --- */

/* What a worker is handed. */
typedef struct
{
  RerouteScheduler *scheduler;
  RerouteDelivery *delivery;
  RerouteRuleset *ruleset;
  guint worker;
} Handover;

static void
deliver_on_worker (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Handover *handover = user_data;
  g_autoptr (RerouteRuleset) ruleset = handover->ruleset;

  reroute_pool_deliver (handover->scheduler->pools[handover->worker], handover->delivery, ruleset);
}

void
reroute_try_deliver (RerouteTry *self)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteDelivery *delivery = g_steal_pointer (&self->delivery);
  Handover *handover = g_new (Handover, 1);

  for (guint i = 0; i < delivery->n_recipients; i++)
    self->queued->recipients[delivery->recipients[i]].phase = REROUTE_PHASE_ACTIVE;
  delivery->scheduler_data = self;
  *handover =
    (Handover){ scheduler, delivery, reroute_ruleset_ref (scheduler->ruleset), self->worker };
  reroute_worker_post (scheduler->workers[self->worker], deliver_on_worker, handover);
}

/* --- a place to wait --- */

/* @stopped: by a host that takes no more mail that leaves our organisation */
static void
put_off (RerouteTry *self, gint64 retry_us, const RerouteReply *failure, gboolean stopped)
{
  g_autoptr (RerouteReply) reply = reroute_reply_copy (failure);
  const RerouteOutcome outcome = {
    .kind = REROUTE_OUTCOME_PUT_OFF,
    .reply = reply,
    .due_us = retry_us,
    .waits_for_leaving = stopped,
  };

  settle_all (self, &outcome);
}

static void
park (RerouteTry *self, RerouteDestination *destination)
{
  for (guint i = 0; i < self->delivery->n_recipients; i++)
    self->queued->recipients[self->delivery->recipients[i]].phase = REROUTE_PHASE_PARKED;
  reroute_queued_release_content (self->queued);
  reroute_destination_park (destination, self->queued);
  reroute_queued_rest (self->queued);
  reroute_try_free (self);
}

RerouteDemand
reroute_try_get_demand (RerouteTry *self, const RerouteEndpoint *endpoint)
{
  const RerouteDelivery *delivery = self->delivery;
  gboolean requires_tls =
    reroute_host_must_keep_tls (endpoint, reroute_queued_get_envelope (self->queued));
  RerouteTlsLevel level = requires_tls ? REROUTE_TLS_VERIFIED : delivery->tls_level;
  gboolean is_judged = reroute_endpoint_is_judged (endpoint, level);

  return (RerouteDemand){
    .level = level,
    .requires_tls = requires_tls,
    .secret = delivery->secret,
    .certificate = delivery->certificate,
    .name = is_judged ? endpoint->name : NULL,
    .domain = is_judged ? endpoint->domain : NULL,
  };
}

RerouteDestination *
reroute_try_find_destination (RerouteTry *self, const RerouteEndpoint *endpoint)
{
  RerouteDestination *host = reroute_destination_get (self->scheduler, endpoint);
  RerouteDestination *lane;
  RerouteDemand demand;

  if (host->lanes == NULL)
    return host;
  demand = reroute_try_get_demand (self, endpoint);
  lane = reroute_destination_find_lane (host, &demand);
  return lane != NULL ? lane : host;
}

/* Where it waits for a connection to the host.  @stopped: whether that one takes no more of such
   mail */
static RerouteDestination *
choose_place (RerouteTry *self, const RerouteEndpoint *endpoint, gboolean *stopped)
{
  RerouteDestination *destination = reroute_try_find_destination (self, endpoint);
  RerouteDestination *host = reroute_destination_get_host (destination);

  *stopped = self->leaves && reroute_leaving_is_stopped (host);
  return self->leaves && (*stopped || destination == host) ? reroute_leaving_find_lane (host)
                                                           : destination;
}

void
reroute_try_place (RerouteTry *self)
{
  RerouteDelivery *delivery = self->delivery;
  RerouteDestination *first = NULL;
  gboolean stopped = FALSE;
  gint64 now_us = g_get_real_time ();
  gint64 retry_us = 0;
  const RerouteReply *failure = NULL;

  if (!reroute_try_prune (self))
    return;
  g_array_set_size (delivery->endpoints, 0);
  /* Those behind one that takes no more of it serve the same domain, and are spared. */
  for (guint i = 0; i < self->endpoints->len && !stopped; i++)
    {
      const RerouteEndpoint *found = &g_array_index (self->endpoints, RerouteEndpoint, i);
      RerouteDestination *destination = choose_place (self, found, &stopped);
      RerouteEndpoint endpoint;
      gint64 waits_us;

      if (self->is_asked_for)
        reroute_destination_forgive (destination);
      waits_us = reroute_destination_get_retry_us (destination, now_us, &failure);
      if (waits_us != 0)
        {
          retry_us = retry_us == 0 ? waits_us : MIN (retry_us, waits_us);
          continue;
        }
      /* It is tried by one at a time, in its lane, and by nobody whom another one puts off. */
      if (stopped && first != NULL)
        break;
      if (first == NULL)
        first = destination;
      endpoint = reroute_endpoint_copy (found);
      g_array_append_val (delivery->endpoints, endpoint);
    }
  self->is_asked_for = FALSE;
  if (first == NULL)
    {
      put_off (self, retry_us, failure, stopped);
      return;
    }
  if (reroute_destination_is_crowded (first))
    {
      park (self, first);
      return;
    }
  reroute_destination_push (first, self);
}

/* But for those that their domain's policy does not name.  Where the sender puts delivery above TLS
   neither policies nor TLSA records count (RFC 8689 4.2.2). */
static void
keep_endpoints (RerouteTry *self, const GArray *endpoints, gboolean tls_optional)
{
  for (guint i = 0; i < endpoints->len; i++)
    {
      RerouteEndpoint endpoint =
        reroute_endpoint_copy (&g_array_index (endpoints, RerouteEndpoint, i));

      if (tls_optional)
        reroute_endpoint_clear_policy (&endpoint);
      if (reroute_endpoint_is_barred (&endpoint, self->delivery->tls_level))
        reroute_endpoint_clear (&endpoint);
      else
        g_array_append_val (self->endpoints, endpoint);
    }
}

/* Returns: whether there are endpoints to try */
static gboolean
choose_endpoints (RerouteTry *self, const RerouteNextHop *next_hop)
{
  gboolean tls_optional = reroute_queued_get_envelope (self->queued)->tls_optional;

  self->endpoints = reroute_endpoints_new ();
  keep_endpoints (self, next_hop->endpoints, tls_optional);
  if (tls_optional && next_hop->unproven != NULL)
    keep_endpoints (self, next_hop->unproven, tls_optional);
  else if (self->delivery->reports_tls)
    reroute_try_count_passed_over (self, next_hop);
  return self->endpoints->len > 0;
}

/* What recipients are told of a next hop that cannot be tried now, or ever. */
static RerouteReply *
make_reply (const RerouteNextHop *next_hop)
{
  const RerouteEndpoint *first;
  g_autofree char *text = NULL;

  if (next_hop->state != REROUTE_NEXT_HOP_FOUND)
    return reroute_reply_new (
      next_hop->state == REROUTE_NEXT_HOP_FAIL ? 550 : 451, next_hop->status, next_hop->reason);
  first = &g_array_index (next_hop->endpoints, RerouteEndpoint, 0);
  text = g_strdup_printf (
    "the MTA-STS policy of “%s” names none of the exchangers that DNS has for it, such as “%s”",
    first->domain,
    first->name);
  return reroute_reply_new (451, "4.7.5", text);
}

static void
routed (const RerouteNextHop *next_hop, gpointer user_data)
{
  RerouteTry *self = user_data;
  g_autoptr (RerouteReply) reply = NULL;
  RerouteOutcome outcome = { 0 };

  if (self->scheduler->stopping || self->generation != self->scheduler->generation)
    {
      reroute_try_withdraw (self);
      return;
    }
  if (choose_endpoints (self, next_hop))
    {
      reroute_try_place (self);
      return;
    }
  if (!reroute_try_prune (self))
    return;
  outcome.kind =
    next_hop->state == REROUTE_NEXT_HOP_FAIL ? REROUTE_OUTCOME_FAILED : REROUTE_OUTCOME_DEFERRED;
  reply = make_reply (next_hop);
  outcome.reply = reply;
  settle_all (self, &outcome);
}

/* --- the decision --- */

static RerouteOutcome
reject (const RerouteDecision *decision, guint recipient)
{
  return (RerouteOutcome){
    .kind = decision->reply_code >= 500 ? REROUTE_OUTCOME_FAILED : REROUTE_OUTCOME_PUT_OFF,
    .recipient = recipient,
    .reply = reroute_reply_new (decision->reply_code, decision->reply_status, decision->reply_text),
    .waits_for_rules = TRUE,
    .by = { decision->admitting, decision->deciding },
  };
}

static Group *
find_group (RerouteScheduler *scheduler, GPtrArray *groups, const RerouteDecision *decision)
{
  RerouteRoute *route = reroute_route_get (scheduler, decision);
  gboolean leaves = decision->leaves;
  Group *group;

  for (guint i = groups->len; i > 0; i--)
    {
      group = groups->pdata[i - 1];
      if (group->route == route && group->tls == decision->tls && group->leaves == leaves &&
          g_strcmp0 (group->account, decision->account) == 0 &&
          g_strcmp0 (group->certificate, decision->certificate) == 0 &&
          group->recipients->len < REROUTE_LIMIT_RECIPIENTS_PER_TRANSACTION)
        return group;
    }
  group = g_new0 (Group, 1);
  group->route = route;
  group->tls = decision->tls;
  group->account = g_strdup (decision->account);
  group->certificate = g_strdup (decision->certificate);
  group->leaves = leaves;
  group->is_named = decision->hosts != NULL;
  group->next_hop = g_strdup (reroute_decision_get_next_hop (decision));
  group->recipients = g_array_new (FALSE, FALSE, sizeof (guint));
  group->rcpt_outs = g_ptr_array_new_with_free_func (g_free);
  group->entries = reroute_tracker_is_on (scheduler->tracker)
                     ? g_array_new (FALSE, FALSE, sizeof (RerouteDecidedBy))
                     : NULL;
  g_ptr_array_add (groups, group);
  return group;
}

static void
decide (RerouteQueued *self, guint index, GPtrArray *groups, GArray *outcomes)
{
  RerouteScheduler *scheduler = self->scheduler;
  const RerouteRecipient *recipient =
    reroute_envelope_get_recipient (reroute_queued_get_envelope (self), index);
  g_autoptr (RerouteAddress) address =
               reroute_scheduler_unwrap (scheduler, recipient->address, REROUTE_SRS_ANY_TIME, NULL);
  const RerouteDecision *decision = NULL;
  RerouteOutcome outcome;
  Group *group;

  if (address == NULL)
    {
      outcome = reroute_recipient_fail_expired (index);
      g_array_append_val (outcomes, outcome);
      return;
    }
  decision = reroute_decision_memo_decide (&scheduler->memo, scheduler->ruleset, address, NULL);
  if (reroute_recipient_lost_its_entry (recipient, decision))
    {
      outcome = reroute_recipient_await_entry (scheduler->ruleset, recipient, index);
      g_array_append_val (outcomes, outcome);
      return;
    }
  if (decision->action == REROUTE_ACTION_REJECT)
    {
      outcome = reject (decision, index);
      g_array_append_val (outcomes, outcome);
      return;
    }
  if (decision->etrn_domain != NULL && !self->recipients[index].is_asked_for)
    {
      outcome = reroute_queued_await_etrn (self, index);
      outcome.by = (RerouteDecidedBy){ decision->admitting, decision->deciding };
      g_array_append_val (outcomes, outcome);
      return;
    }
  group = find_group (scheduler, groups, decision);
  g_array_append_val (group->recipients, index);
  g_ptr_array_add (group->rcpt_outs,
                   reroute_decision_memo_dup_rcpt_out (&scheduler->memo, address));
  if (group->entries != NULL)
    {
      const RerouteDecidedBy by = { decision->admitting, decision->deciding };

      g_array_append_val (group->entries, by);
    }
  self->recipients[index].phase = REROUTE_PHASE_PLACED;
  self->placed_us = reroute_worker_now_us (scheduler->thread);
}

/* What is missing is here, and it comes with other rules, secrets or certificates; frees it. */
static void
defer_for_rules (RerouteTry *self, const char *status, const char *text)
{
  g_autoptr (RerouteReply) reply = reroute_reply_new (451, status, text);
  const RerouteOutcome outcome = { .kind = REROUTE_OUTCOME_DEFERRED,
                                   .reply = reply,
                                   .waits_for_rules = TRUE };

  settle_all (self, &outcome);
}

/* FALSE: its account has none, so it is put off. */
static gboolean
find_secret (RerouteTry *self)
{
  const char *account = self->delivery->account;
  const RerouteSecrets *secrets = self->scheduler->secrets;
  RerouteSecret *secret =
    account != NULL && secrets != NULL ? reroute_secrets_find (secrets, account) : NULL;

  if (account == NULL)
    return TRUE;
  if (secret != NULL)
    {
      self->delivery->secret = reroute_secret_ref (secret);
      self->delivery->tokens = self->scheduler->tokens;
      return TRUE;
    }
  g_autofree char *text = g_strdup_printf ("no secret is kept for the account %s", account);
  defer_for_rules (self, "4.3.5", text);
  return FALSE;
}

/* FALSE: it cannot be shown, so mail that it is demanded for is put off.  @file: (nullable) */
static gboolean
find_certificate (RerouteTry *self, const char *file)
{
  RerouteClientCertificate *certificate;
  const char *why;

  if (file == NULL)
    return TRUE;
  certificate = reroute_client_certificates_find (self->scheduler->certificates, file, &why);
  if (certificate != NULL)
    {
      self->delivery->certificate = reroute_client_certificate_ref (certificate);
      return TRUE;
    }
  defer_for_rules (self, "4.7.5", why);
  return FALSE;
}

static void
begin (RerouteQueued *queued, Group *group)
{
  RerouteTry *self = g_new0 (RerouteTry, 1);

  self->scheduler = queued->scheduler;
  self->queued = reroute_queued_ref (queued);
  self->next_hop = g_steal_pointer (&group->next_hop);
  self->generation = queued->scheduler->generation;
  self->n_left = queued->n_left;
  self->is_named = group->is_named;
  self->leaves = group->leaves;
  self->delivery = reroute_delivery_new (queued->message, group->recipients->len);
  self->delivery->tls_level = group->tls;
  if (group->entries != NULL)
    self->delivery->entries = g_new0 (RerouteDecidedBy, group->recipients->len);
  if (group->leaves)
    self->delivery->reverse_path = reroute_scheduler_rewrite_sender (
      self->scheduler, reroute_queued_get_envelope (queued)->reverse_path);
  for (guint i = 0; i < group->recipients->len; i++)
    {
      self->delivery->recipients[i] = g_array_index (group->recipients, guint, i);
      self->is_asked_for |= queued->recipients[self->delivery->recipients[i]].is_asked_for;
      self->delivery->rcpt_out[i] = g_steal_pointer (&group->rcpt_outs->pdata[i]);
      if (group->entries != NULL)
        self->delivery->entries[i] =
          reroute_decided_by_copy (&g_array_index (group->entries, RerouteDecidedBy, i));
    }
  self->delivery->reports_tls = reroute_try_counts_tls (self);
  self->delivery->account = g_steal_pointer (&group->account);
  if (find_secret (self) && find_certificate (self, group->certificate))
    reroute_route_resolve (group->route, routed, self);
}

void
reroute_queued_try (RerouteQueued *self)
{
  RerouteScheduler *scheduler = self->scheduler;
  g_autoptr (GPtrArray) groups = g_ptr_array_new_with_free_func (free_group);
  g_autoptr (GArray) outcomes = g_array_new (FALSE, FALSE, sizeof (RerouteOutcome));
  gint64 now_us = g_get_real_time ();

  if (scheduler->ruleset == NULL || scheduler->stopping)
    return;
  reroute_queued_ref (self);
  reroute_queued_look_at_line (self, now_us);
  for (guint i = 0; i < self->message->n_recipients; i++)
    {
      if (reroute_queued_is_due (&self->recipients[i], now_us))
        decide (self, i, groups, outcomes);
    }
  reroute_queued_add_expired (self, now_us, outcomes);
  if (outcomes->len > 0)
    reroute_queued_settle (self, (RerouteOutcome *) (gpointer) outcomes->data, outcomes->len);
  for (guint i = 0; i < groups->len; i++)
    begin (self, groups->pdata[i]);
  if (self->n_alive > 0)
    reroute_queued_arm (self);
  reroute_queued_unref (self);
}
