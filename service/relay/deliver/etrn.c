/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * etrn.c - mail that waits until a host asks for it
 *
 * Where a row says so nothing is tried by the retry schedule.  Each time that a host asks there is
 * one try, at the hosts of the row and not at the host that asks; what stays behind waits for the
 * next time.  The time of such mail runs out as that of all mail does.
 *
 * Standards: RFC 1985; RFC 3463 (4.3.2: the system does not send it now).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"

#include "common/domain.h"

#define PORTION 256 /* messages a turn of the worker */

/* --- waiting --- */

RerouteOutcome
reroute_queued_await_etrn (RerouteQueued *self, guint recipient)
{
  return (RerouteOutcome){
    .kind = REROUTE_OUTCOME_PUT_OFF,
    .recipient = recipient,
    .reply = reroute_reply_new (451, "4.3.2", "it waits until a host asks for it by ETRN"),
    .due_us = reroute_queued_get_held_look_us (self, g_get_real_time ()),
    .waits_for_rules = TRUE,
    .waits_for_etrn = TRUE,
  };
}

char *
reroute_waiting_dup_reply (const RerouteWaiting *self, const RerouteOutcome *outcome)
{
  g_autofree char *reply = reroute_reply_to_string (outcome->reply);

  if (!outcome->waits_for_etrn || self->reply == NULL)
    return g_steal_pointer (&reply);
  return g_str_has_prefix (self->reply, reply)
           ? g_strdup (self->reply)
           : g_strdup_printf ("%s; before: %s", reply, self->reply);
}

gboolean
reroute_waiting_awaits_etrn (const RerouteWaiting *self)
{
  return self->waits_for_etrn && self->state == REROUTE_RECIPIENT_WAITING &&
         self->phase == REROUTE_PHASE_IDLE;
}

/* --- asking --- */

/* A host asks for mail: on its way to the scheduler's thread, through the queue, and back. */
typedef struct
{
  RerouteScheduler *scheduler;
  char *domain;
  gboolean subdomains;
  guint worker;
  RerouteSchedulerEtrnFunc func;
  gpointer user_data;
  GArray *ids; /* (element-type guint64): messages to look at; NULL before they are found */
  guint next;
  int n_started; /* messages; -1: the queue cannot be asked now */
} Asking;

static void
answer (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Asking *self = user_data;

  self->func (self->n_started, self->user_data);
  g_clear_pointer (&self->ids, g_array_unref);
  g_free (self->domain);
}

/* Whether it waits for ETRN, or may: it is decided in a moment. */
static gboolean
may_wait (const RerouteWaiting *recipient)
{
  return reroute_waiting_awaits_etrn (recipient) || reroute_queued_is_due (recipient, 0);
}

static void
find_messages (Asking *self)
{
  self->ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (GList *each = self->scheduler->order.head; each != NULL; each = each->next)
    {
      const RerouteQueued *queued = each->data;
      guint i = 0;

      while (i < queued->message->n_recipients && !may_wait (&queued->recipients[i]))
        i++;
      if (i < queued->message->n_recipients)
        g_array_append_val (self->ids, queued->message->id);
    }
}

static gboolean
is_asked_for (const Asking *self, RerouteQueued *queued, guint index)
{
  RerouteScheduler *scheduler = self->scheduler;
  const RerouteRecipient *recipient =
    reroute_envelope_get_recipient (reroute_queued_get_envelope (queued), index);
  g_autoptr (RerouteAddress) address =
               reroute_scheduler_unwrap (scheduler, recipient->address, REROUTE_SRS_ANY_TIME, NULL);
  g_autoptr (RerouteDecision) decision = NULL;

  if (address == NULL)
    return FALSE;
  decision = reroute_ruleset_decide (scheduler->ruleset, address, NULL, NULL);
  for (const char *domain = decision->etrn_domain; domain != NULL;
       domain = self->subdomains ? reroute_domain_parent (domain) : NULL)
    if (g_str_equal (domain, self->domain))
      return TRUE;
  return FALSE;
}

static void
start_message (Asking *self, RerouteQueued *queued)
{
  gboolean found = FALSE;

  for (guint i = 0; i < queued->message->n_recipients; i++)
    {
      RerouteWaiting *recipient = &queued->recipients[i];

      if (!may_wait (recipient) || !is_asked_for (self, queued, i))
        continue;
      recipient->is_asked_for = TRUE;
      recipient->due_us = 0;
      found = TRUE;
    }
  self->n_started += found;
  reroute_queued_arm (queued);
}

/* On the scheduler's thread, a portion a turn. */
static void
ask (RerouteWorker *thread, gpointer user_data)
{
  Asking *self = user_data;
  RerouteScheduler *scheduler = self->scheduler;
  guint end;

  if (scheduler->stopping || scheduler->ruleset == NULL || !scheduler->figures.is_restored)
    {
      self->n_started = -1;
      reroute_worker_post (scheduler->workers[self->worker], answer, self);
      return;
    }
  if (self->ids == NULL)
    find_messages (self);
  end = MIN (self->next + PORTION, self->ids->len);
  for (; self->next < end; self->next++)
    {
      RerouteQueued *queued =
        g_hash_table_lookup (scheduler->queue, &g_array_index (self->ids, guint64, self->next));

      if (queued != NULL)
        start_message (self, queued);
    }
  if (self->next < self->ids->len)
    reroute_worker_post (thread, ask, self);
  else
    reroute_worker_post (scheduler->workers[self->worker], answer, self);
}

void
reroute_scheduler_etrn (RerouteScheduler *self,
                        const RerouteEtrn *wanted,
                        guint worker,
                        RerouteSchedulerEtrnFunc func,
                        gpointer user_data)
{
  g_return_if_fail (wanted != NULL && worker < self->n_workers);

  Asking *asking = g_new0 (Asking, 1);
  asking->scheduler = self;
  asking->domain = g_strdup (wanted->domain);
  asking->subdomains = wanted->subdomains;
  asking->worker = worker;
  asking->func = func;
  asking->user_data = user_data;
  reroute_worker_post (self->thread, ask, asking);
}
