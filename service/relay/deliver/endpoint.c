/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * endpoint.c - where a connection goes, and what it has to prove there
 */

#include "config.h"

#include "service/relay/deliver/next-hop.h"

#include "service/relay/deliver/dane.h"

RerouteEndpoint
reroute_endpoint_copy (const RerouteEndpoint *self)
{
  RerouteEndpoint copy = *self;

  copy.name = g_strdup (self->name);
  copy.domain = g_strdup (self->domain);
  copy.tlsa_name = g_strdup (self->tlsa_name);
  copy.tlsa = self->tlsa != NULL ? g_ptr_array_ref (self->tlsa) : NULL;
  copy.sts = self->sts != NULL ? reroute_sts_policy_ref (self->sts) : NULL;
  return copy;
}

gboolean
reroute_endpoint_is_same (const RerouteEndpoint *a, const RerouteEndpoint *b)
{
  return a->port == b->port && reroute_ip_equal (&a->ip, &b->ip) && a->lmtp == b->lmtp &&
         a->local == b->local && (!a->local || g_str_equal (a->name, b->name));
}

char *
reroute_endpoint_dup_label (const RerouteEndpoint *self)
{
  if (self->local)
    return g_strdup (self->name);

  g_autofree char *address = reroute_ip_to_string (&self->ip);
  return g_strdup_printf ("%s[%s]:%u", self->name, address, self->port);
}

void
reroute_endpoint_clear_policy (RerouteEndpoint *self)
{
  g_clear_pointer (&self->tlsa, g_ptr_array_unref);
  g_clear_pointer (&self->tlsa_name, g_free);
  g_clear_pointer (&self->sts, reroute_sts_policy_unref);
}

void
reroute_endpoint_clear (RerouteEndpoint *self)
{
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->domain, g_free);
  reroute_endpoint_clear_policy (self);
}

gboolean
reroute_endpoint_is_enforced (const RerouteEndpoint *self)
{
  return self->sts != NULL && self->sts->mode == REROUTE_STS_ENFORCE;
}

gboolean
reroute_endpoint_is_judged_by_dane (const RerouteEndpoint *self)
{
  return self->tlsa != NULL && reroute_dane_has_usable (self->tlsa);
}

gboolean
reroute_endpoint_is_judged (const RerouteEndpoint *self, RerouteTlsLevel level)
{
  return level == REROUTE_TLS_VERIFIED || self->tlsa != NULL || reroute_endpoint_is_enforced (self);
}

gboolean
reroute_endpoint_is_proven (const RerouteEndpoint *self)
{
  return self->domain == NULL || self->mx_secure || g_str_equal (self->name, self->domain) ||
         (self->sts != NULL && reroute_sts_policy_covers (self->sts, self->name));
}

gboolean
reroute_endpoint_is_barred (const RerouteEndpoint *self, RerouteTlsLevel level)
{
  return level != REROUTE_TLS_NONE && reroute_endpoint_is_enforced (self) &&
         !reroute_sts_policy_covers (self->sts, self->name);
}

gboolean
reroute_address_is_forbidden (const RerouteIp *ip, const RerouteSettings *settings)
{
  return reroute_ip_is_private (ip) &&
         (settings == NULL ||
          !reroute_settings_contains (settings, REROUTE_SETTING_PRIVATE_TARGETS, ip));
}

GArray *
reroute_endpoints_new (void)
{
  GArray *endpoints = g_array_new (FALSE, TRUE, sizeof (RerouteEndpoint));

  g_array_set_clear_func (endpoints, (GDestroyNotify) reroute_endpoint_clear);
  return endpoints;
}
