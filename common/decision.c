/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decision.c - what became of a recipient, once it is decided
 */

#include "config.h"

#include "common/ruleset.h"

#include "common/domain.h"

static const char *const action_names[] = {
  [REROUTE_ACTION_REWRITE] = "rewrite", [REROUTE_ACTION_FORWARD] = "forward",
  [REROUTE_ACTION_INBOUND] = "inbound", [REROUTE_ACTION_RELAY_BY_DNS] = "relay-by-dns",
  [REROUTE_ACTION_REJECT] = "reject",
};

const char *
reroute_action_to_string (RerouteAction action)
{
  g_return_val_if_fail ((guint) action < G_N_ELEMENTS (action_names), NULL);

  return action_names[action];
}

void
reroute_step_free (RerouteStep *self)
{
  g_free (self->code);
  g_free (self->sentence);
  g_free (self);
}

static void
add_step (GPtrArray *steps, const char *code, char *sentence)
{
  RerouteStep *step = g_new0 (RerouteStep, 1);

  step->code = g_strdup (code);
  step->sentence = sentence;
  g_ptr_array_add (steps, step);
}

RerouteDecision *
reroute_decision_new_refusal (guint reply_code,
                              const char *reply_status,
                              const char *reply_text,
                              GPtrArray *steps)
{
  RerouteDecision *self = g_new0 (RerouteDecision, 1);

  self->action = REROUTE_ACTION_REJECT;
  self->reply_code = reply_code;
  self->reply_status = reply_status;
  self->reply_text = g_strdup (reply_text);
  if (steps != NULL)
    add_step (steps,
              "refused",
              g_strdup_printf ("Refused with %u %s: %s.", reply_code, reply_status, reply_text));
  return self;
}

RerouteDecision *
reroute_decision_new_forbidden (const RerouteSettings *settings,
                                const RerouteIp *client,
                                GPtrArray *steps)
{
  if (!reroute_settings_contains (settings, REROUTE_SETTING_FORBIDDEN_HOSTS, client))
    return NULL;
  if (steps != NULL)
    add_step (
      steps, "client-forbidden", g_strdup ("The client is a host whose connections are rejected."));
  return reroute_decision_new_refusal (554, "5.7.1", "access denied", steps);
}

void
reroute_decision_free (RerouteDecision *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->rcpt_out);
  g_clear_pointer (&self->hosts, reroute_hosts_unref);
  g_free (self->dns_domain);
  g_free (self->next_hop);
  g_free (self->account);
  g_free (self->certificate);
  g_free (self->etrn_domain);
  g_free (self->reply_text);
  g_clear_pointer (&self->admitting, reroute_row_unref);
  g_clear_pointer (&self->deciding, reroute_row_unref);
  g_free (self);
}

const char *
reroute_decision_get_via (const RerouteDecision *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (self->hosts != NULL && self->hosts->hosts[0].local)
    return "socket";
  if (self->hosts != NULL)
    return self->hosts->hosts[0].literal ? "ip" : self->hosts->hosts[0].mx ? "mx" : "a";
  if (self->dns_domain != NULL)
    return reroute_domain_is_literal (self->dns_domain) ? "ip" : "mx";
  return NULL;
}

const char *
reroute_decision_get_next_hop (const RerouteDecision *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->next_hop;
}
