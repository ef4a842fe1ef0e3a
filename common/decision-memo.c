/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decision-memo.c - one decision for the mailboxes of a domain
 *
 * The local part makes a difference to the postmaster, to one that asks for a route of its own, and
 * where recipients are looked up; all else is decided by the domain and the client.
 */

#include "config.h"

#include "common/decision-memo.h"

#include <string.h>

void
reroute_decision_memo_clear (RerouteDecisionMemo *self)
{
  g_return_if_fail (self != NULL);

  g_clear_pointer (&self->decision, reroute_decision_free);
  g_clear_pointer (&self->domain, g_free);
}

static gboolean
stands_out (const RerouteAddress *recipient)
{
  return reroute_address_is_postmaster (recipient) || reroute_address_is_source_routed (recipient);
}

static gboolean
is_client_of (const RerouteDecisionMemo *self, const RerouteClient *client)
{
  if (client == NULL || !self->has_client)
    return client == NULL && !self->has_client;
  return client->authenticated == self->client.authenticated &&
         client->brings_notice == self->client.brings_notice &&
         reroute_ip_equal (&client->ip, &self->client.ip);
}

const RerouteDecision *
reroute_decision_memo_decide (RerouteDecisionMemo *self,
                              const RerouteRuleset *ruleset,
                              const RerouteAddress *recipient,
                              const RerouteClient *client)
{
  gboolean alone;

  g_return_val_if_fail (self != NULL && ruleset != NULL && recipient != NULL, NULL);

  alone = stands_out (recipient);
  if (!alone && self->decision != NULL && self->is_shared &&
      g_str_equal (recipient->domain, self->domain) && is_client_of (self, client))
    return self->decision;
  reroute_decision_memo_clear (self);
  self->decision = reroute_ruleset_decide (ruleset, recipient, client, NULL);
  self->domain = g_strdup (recipient->domain);
  self->local_part_octets = strlen (recipient->local_part);
  self->has_client = client != NULL;
  self->client = client != NULL ? *client : (RerouteClient){ 0 };
  self->is_shared = !alone && self->decision->action != REROUTE_ACTION_REJECT &&
                    self->decision->recipient_check == REROUTE_RECIPIENT_CHECK_NONE;
  return self->decision;
}

char *
reroute_decision_memo_dup_rcpt_out (const RerouteDecisionMemo *self,
                                    const RerouteAddress *recipient)
{
  g_return_val_if_fail (self != NULL && self->decision != NULL, NULL);
  g_return_val_if_fail (self->decision->rcpt_out != NULL, NULL);

  if (!self->is_shared)
    return g_strdup (self->decision->rcpt_out);
  if (self->decision->action != REROUTE_ACTION_REWRITE)
    return g_strdup (recipient->text);
  return reroute_address_with_domain (recipient,
                                      self->decision->rcpt_out + self->local_part_octets + 1);
}

RerouteDecision *
reroute_decision_memo_take (RerouteDecisionMemo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_clear_pointer (&self->domain, g_free);
  return g_steal_pointer (&self->decision);
}
