/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sts-use.c - endpoints that know what their domain's MTA-STS policy says
 *
 * Asked for where an exchanger was found by DNS and has no validated TLSA records that judge it:
 * those come first, and a host that the administrator named is her choice.
 *
 * Standards: RFC 8461 sections 2 (DANE first) and 5.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"
#include "service/relay/deliver/tls-reporter.h"

/* A walk through the endpoints of a next hop. */
typedef struct
{
  RerouteScheduler *scheduler;
  RerouteNextHop *next_hop;
  guint index; /* of the endpoint that is looked at */
  RerouteNextHopFunc func;
  gpointer user_data;
} Walk;

static gboolean
is_on (RerouteScheduler *self)
{
  return reroute_settings_get_boolean (reroute_scheduler_get_settings (self),
                                       REROUTE_SETTING_MTA_STS);
}

static gboolean
is_concerned (const RerouteEndpoint *endpoint)
{
  return endpoint->domain != NULL && !reroute_endpoint_is_judged_by_dane (endpoint);
}

static void go_on (Walk *walk);

/* Those of one domain stand one behind the other. */
static void
found_policy (RerouteStsPolicy *policy, gpointer user_data)
{
  Walk *walk = user_data;
  GArray *endpoints = walk->next_hop->endpoints;
  const char *domain = g_array_index (endpoints, RerouteEndpoint, walk->index).domain;

  for (; walk->index < endpoints->len; walk->index++)
    {
      RerouteEndpoint *endpoint = &g_array_index (endpoints, RerouteEndpoint, walk->index);

      if (g_strcmp0 (endpoint->domain, domain) != 0)
        break;
      if (policy != NULL && policy->mode != REROUTE_STS_NONE && is_concerned (endpoint))
        endpoint->sts = reroute_sts_policy_ref (policy);
    }
  go_on (walk);
}

static void
go_on (Walk *walk)
{
  GArray *endpoints = walk->next_hop->endpoints;

  while (walk->index < endpoints->len &&
         !is_concerned (&g_array_index (endpoints, RerouteEndpoint, walk->index)))
    walk->index++;
  if (walk->index < endpoints->len)
    {
      reroute_sts_look_up (walk->scheduler->sts,
                           g_array_index (endpoints, RerouteEndpoint, walk->index).domain,
                           found_policy,
                           walk);
      return;
    }
  walk->func (walk->next_hop, walk->user_data);
  g_free (walk);
}

static void
resolved (RerouteNextHop *next_hop, gpointer user_data)
{
  Walk *walk = user_data;

  walk->next_hop = next_hop;
  if (!is_on (walk->scheduler))
    walk->index = next_hop->endpoints->len;
  go_on (walk);
}

static Walk *
walk_new (RerouteScheduler *scheduler, RerouteNextHopFunc func, gpointer user_data)
{
  Walk *walk = g_new0 (Walk, 1);

  walk->scheduler = scheduler;
  walk->func = func;
  walk->user_data = user_data;
  return walk;
}

void
reroute_scheduler_find_next_hop (RerouteScheduler *self,
                                 const RerouteDecision *decision,
                                 guint turn,
                                 RerouteNextHopFunc func,
                                 gpointer user_data)
{
  Walk *walk = walk_new (self, func, user_data);

  reroute_scheduler_resolve_for_mail (self, decision, turn, resolved, walk);
}

void
reroute_scheduler_show_next_hop (RerouteScheduler *self,
                                 const RerouteDecision *decision,
                                 RerouteNextHopFunc func,
                                 gpointer user_data)
{
  reroute_scheduler_resolve (self, decision, 0, resolved, walk_new (self, func, user_data));
}

/* --- what policies are found by --- */

static void
ask (
  RerouteStsAsk what, const char *name, RerouteDnsFunc func, gpointer func_data, gpointer user_data)
{
  reroute_scheduler_ask (user_data, what == REROUTE_STS_ASK_RECORD, name, func, func_data);
}

static const char *const *
get_trust (gpointer user_data)
{
  RerouteScheduler *self = user_data;

  return self->ruleset != NULL && is_on (self)
           ? reroute_settings_get_paths (reroute_scheduler_get_settings (self),
                                         REROUTE_SETTING_TLS_TRUST)
           : NULL;
}

static const RerouteSettings *
get_settings (gpointer user_data)
{
  return reroute_scheduler_get_settings (user_data);
}

static void
failed (const char *domain, RerouteTlsVerdict verdict, const char *why, gpointer user_data)
{
  RerouteScheduler *self = user_data;
  const RerouteTlsResult result = { .verdict = verdict, .reason = why };

  reroute_tls_reporter_add (self->tls_reporter, domain, &result);
}

RerouteSts *
reroute_scheduler_make_sts (RerouteScheduler *self, guint16 port)
{
  const RerouteStsConfig config = {
    .worker = self->thread,
    .spool = self->spool,
    .port = port,
    .ask = ask,
    .get_trust = get_trust,
    .get_settings = get_settings,
    .failed = failed,
    .user_data = self,
  };

  return reroute_sts_new (&config);
}
