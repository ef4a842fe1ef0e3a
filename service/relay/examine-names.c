/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * examine-names.c - whether DNS leads to the host name and back, and by IPv6 to a listener
 *
 * Standards: RFC 1912 section 2.1 (every name an address, every address a name), RFC 1035 section
 * 3.5 and RFC 3596 section 2.5 (in-addr.arpa, ip6.arpa).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/examination-private.h"

#include "common/diagnosis.h"
#include "service/relay/receive/handed-socket.h"

#define ADDRESSES_MOST 8

/* --- the host name, forward and back --- */

typedef struct
{
  char *hostname;
  GStrv own;     /* addresses; NULL: of a question back */
  char *address; /* whose name is asked for; NULL: of the question forward */
} Name;

static Name *
name_new (const char *hostname, const char *const *own)
{
  Name *self = g_new0 (Name, 1);

  self->hostname = g_strdup (hostname);
  self->own = g_strdupv ((char **) own);
  return self;
}

static void
name_free (Name *self)
{
  g_free (self->hostname);
  g_strfreev (self->own);
  g_free (self->address);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Name, name_free)

/* "5.113.0.203.in-addr.arpa" */
static char *
make_reverse_name (const RerouteIp *ip)
{
  GString *name = g_string_new (NULL);
  gboolean is_ipv4 = reroute_ip_is_ipv4 (ip);

  for (guint i = sizeof ip->octets; i > (is_ipv4 ? 12 : 0); i--)
    {
      guint8 octet = ip->octets[i - 1];
      if (is_ipv4)
        g_string_append_printf (name, "%u.", octet);
      else
        g_string_append_printf (name, "%x.%x.", octet & 0x0f, octet >> 4);
    }
  g_string_append (name, is_ipv4 ? "in-addr.arpa" : "ip6.arpa");
  return g_string_free (name, FALSE);
}

static void
reversed (RerouteCheck *self,
          RerouteDnsStatus status,
          const char *const *records,
          gpointer user_data)
{
  g_autoptr (Name) name = user_data;

  if (status == REROUTE_DNS_FAILED)
    reroute_check_report (self, "dns-silent", name->address, records[0], NULL);
  else if (records[0] == NULL)
    reroute_check_report (self, "reverse-missing", name->address, name->hostname, NULL);
  else if (!g_strv_contains (records, name->hostname))
    reroute_check_report (self, "reverse-other", name->address, records[0], name->hostname, NULL);
  else
    reroute_check_report (self, "reverse-ok", name->address, name->hostname, NULL);
}

static void
ask_back (RerouteCheck *self, const Name *name, const char *address, const RerouteIp *ip)
{
  Name *question = name_new (name->hostname, NULL);
  g_autofree char *reverse = make_reverse_name (ip);

  question->address = g_strdup (address);
  reroute_check_look_up (self, REROUTE_DNS_NAMES, reverse, reversed, question);
}

static gboolean
is_own (const Name *name, const char *address)
{
  return g_strv_contains ((const char *const *) name->own, address);
}

/* FALSE: it does not lead to this machine as others see it, which is said. */
static gboolean
judge_address (RerouteCheck *self, const Name *name, const char *address)
{
  RerouteIp ip;

  if (!reroute_ip_parse (address, &ip) || is_own (name, address))
    return TRUE;
  reroute_check_report (self,
                        reroute_ip_is_loopback (&ip) ? "name-loopback" : "name-elsewhere",
                        name->hostname,
                        address,
                        NULL);
  return FALSE;
}

static void
look_at_address (RerouteCheck *self, const Name *name, const char *address)
{
  RerouteIp ip;

  if (reroute_ip_parse (address, &ip) && (is_own (name, address) || !reroute_ip_is_loopback (&ip)))
    ask_back (self, name, address, &ip);
}

static void
look_at_addresses (RerouteCheck *self, const Name *name, const char *const *addresses)
{
  gboolean sound = TRUE;

  for (gsize i = 0; addresses[i] != NULL && i < ADDRESSES_MOST; i++)
    sound = judge_address (self, name, addresses[i]) && sound;
  if (sound)
    {
      g_autofree char *all = g_strjoinv (", ", (char **) addresses);

      reroute_check_report (self, "name-leads", name->hostname, all, NULL);
    }
  for (gsize i = 0; addresses[i] != NULL && i < ADDRESSES_MOST; i++)
    look_at_address (self, name, addresses[i]);
}

/* An address that mail leaves from needs a name, too. */
static void
look_at_sources (RerouteCheck *self, const Name *name, const char *const *seen)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  const RerouteIpRange *sources;
  gsize n = 0;

  if (parts == NULL || parts->ruleset == NULL)
    return;
  sources = reroute_settings_get_ranges (
    reroute_ruleset_get_settings (parts->ruleset), REROUTE_SETTING_SOURCE_ADDRESS, &n);
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *address = reroute_ip_to_string (&sources[i].first);
      if (!g_strv_contains (seen, address) && !reroute_ip_is_loopback (&sources[i].first))
        ask_back (self, name, address, &sources[i].first);
    }
}

static void
found_addresses (RerouteCheck *self,
                 RerouteDnsStatus status,
                 const char *const *records,
                 gpointer user_data)
{
  g_autoptr (Name) name = user_data;

  if (status == REROUTE_DNS_FAILED)
    reroute_check_report (self, "dns-silent", name->hostname, records[0], NULL);
  else if (records[0] == NULL)
    reroute_check_report (self, "name-unresolved", name->hostname, NULL);
  else
    look_at_addresses (self, name, records);
  look_at_sources (
    self, name, status == REROUTE_DNS_ANSWER ? records : (const char *const[]){ NULL });
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteCheck *self = user_data;
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  g_autoptr (GVariant) answer = g_task_propagate_pointer (G_TASK (result), NULL);
  g_autofree const char **own = NULL;

  if (answer != NULL && parts != NULL)
    {
      g_variant_get (answer, "(^a&s)", &own);
      reroute_check_look_up (self,
                             REROUTE_DNS_ADDRESSES,
                             parts->hostname,
                             found_addresses,
                             name_new (parts->hostname, own));
    }
  reroute_check_end_step (self);
}

void
reroute_examine_name (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);

  if (parts == NULL)
    return;
  reroute_check_begin_step (self);
  reroute_scheduler_list_addresses_async (
    parts->scheduler, reroute_check_get_cancellable (self), listed_cb, self);
}

/* --- IPv6 --- */

/* What receives at an IPv6 address in clear text first; (nullable) */
static const RerouteListener *
find_listener (const RerouteRelayParts *parts, const RerouteIp *ip)
{
  for (guint i = 0; i < parts->listeners->len; i++)
    {
      const RerouteListener *listener = parts->listeners->pdata[i];
      gboolean is_dual = listener->handed != NULL && listener->handed->is_dual;
      gboolean is_any =
        !reroute_ip_is_ipv4 (&listener->ip) && reroute_ip_is_unspecified (&listener->ip);

      if (!listener->in_tls && (is_dual || is_any || reroute_ip_equal (&listener->ip, ip)))
        return listener;
    }
  return NULL;
}

typedef struct
{
  RerouteCheck *check;
  char *address;
} Visit;

static void
visited_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Visit *visit = user_data;
  g_autofree char *address = visit->address;
  g_autoptr (GVariant) answer = g_task_propagate_pointer (G_TASK (result), NULL);
  const char *failure;

  if (answer != NULL)
    {
      g_variant_get (answer, "(&s@a{sv})", &failure, NULL);
      if (*failure == '\0')
        reroute_check_report (visit->check, "ipv6-ok", address, NULL);
      else
        reroute_check_report (visit->check, "ipv6-silent", address, failure, NULL);
    }
  reroute_check_end_step (visit->check);
}

static void
look_at_ipv6 (RerouteCheck *self, const char *address, const RerouteIp *ip)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  const RerouteListener *listener = parts != NULL ? find_listener (parts, ip) : NULL;
  Visit *visit;

  if (parts == NULL)
    return;
  if (listener == NULL)
    {
      reroute_check_report (self, "ipv6-deaf", parts->hostname, address, NULL);
      return;
    }
  visit = g_new (Visit, 1);
  *visit = (Visit){ self, g_strdup (address) };
  reroute_check_begin_step (self);
  reroute_scheduler_visit_address_async (parts->scheduler,
                                         parts->hostname,
                                         ip,
                                         listener->port,
                                         FALSE,
                                         reroute_check_get_cancellable (self),
                                         visited_cb,
                                         visit);
}

/* That DNS does not answer is told by the check of the name. */
static void
found_ipv6 (RerouteCheck *self,
            RerouteDnsStatus status,
            const char *const *records,
            gpointer user_data)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  guint n = 0;

  if (status == REROUTE_DNS_FAILED || parts == NULL)
    return;
  for (gsize i = 0; records[i] != NULL && i < ADDRESSES_MOST; i++)
    {
      RerouteIp ip;
      if (!reroute_ip_parse (records[i], &ip) || reroute_ip_is_ipv4 (&ip))
        continue;
      n++;
      look_at_ipv6 (self, records[i], &ip);
    }
  if (n == 0)
    reroute_check_report (self, "ipv6-unused", parts->hostname, NULL);
}

void
reroute_examine_ipv6 (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);

  if (parts != NULL)
    reroute_check_look_up (self, REROUTE_DNS_ADDRESSES, parts->hostname, found_ipv6, NULL);
}
