/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * next-hop.c - from a decision to the endpoints to try
 *
 * Asks the resolver one question after another: for a domain its MX and the addresses of
 * exchangers in order of preference, for a typed host its addresses.  How many exchangers, and
 * which of what they have, exchangers.c says.
 *
 * TLSA records are asked for where the exchanger and its addresses were validated, and only there:
 * of an alias at the name that it stands for, then at its own.
 *
 * Standards: RFC 5321 section 5.1 (locating the target host), RFC 7505 (null MX), RFC 7672
 * section 2.2 (TLSA).
 */

#include "config.h"

#include "service/relay/deliver/next-hop.h"

#include "common/domain.h"
#include "common/limits.h"
#include "service/relay/deliver/exchangers.h"

/* What is asked at the moment. */
typedef enum
{
  ASK_MX,        /* the MX of name */
  ASK_EXCHANGER, /* the addresses of the exchanger at mx_index */
  ASK_DOMAIN,    /* the addresses of a domain without MX */
  ASK_HOST,      /* the addresses of a typed host */
} Question;

typedef struct
{
  RerouteResolver *resolver;
  RerouteSelf self; /* with copies */
  gboolean untyped; /* the one domain of the decision is a stranger's */
  RerouteNextHopFunc func;
  gpointer user_data;

  RerouteHosts *hosts; /* NULL: the one domain of the decision */
  gsize host_index;    /* hosts that are done */
  gboolean lmtp;       /* to the one that is taken up */
  guint turn;

  Question question;
  char *name; /* the domain or host that is looked up */
  guint16 port;
  GArray *mx; /* (element-type RerouteMx), ordered; exchangers borrowed from mx_names */
  GStringChunk *mx_names;
  guint mx_index;
  guint mx_wanted;           /* so many exchangers with an address are enough */
  gboolean wants_all;        /* a survey: no number of exchangers is enough */
  gboolean mx_secure;        /* what DNS says about the exchangers was validated */
  gsize tlsa_first_endpoint; /* of those that TLSA records are asked for */
  gboolean asks_tlsa;
  char *canonical;         /* (nullable): where they are asked for first */
  gsize mx_first_endpoint; /* where the endpoints of this name begin */
  gsize mx_first_unproven; /* and the unproven ones */
  gboolean ipv4_first;     /* of the host whose addresses are next */

  RerouteNextHop *result;
} Walk;

static void next_question (Walk *walk);

void
reroute_next_hop_free (RerouteNextHop *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->endpoints);
  g_clear_pointer (&self->unproven, g_array_unref);
  g_free (self->reason);
  g_free (self);
}

static void
walk_free (Walk *walk)
{
  g_clear_pointer (&walk->hosts, reroute_hosts_unref);
  g_clear_pointer (&walk->mx, g_array_unref);
  g_string_chunk_free (walk->mx_names);
  g_free ((RerouteIp *) walk->self.addresses);
  g_clear_pointer (&walk->self.settings, reroute_settings_unref);
  g_free (walk->name);
  g_free (walk->canonical);
  g_free (walk);
}

/* Remembers why a name led nowhere; a DNS failure outweighs an answer, for it may change.  Takes
 * @reason. */
static void
note_trouble (Walk *walk, RerouteNextHopState state, const char *status, char *reason)
{
  RerouteNextHop *result = walk->result;

  if (result->reason != NULL &&
      (state == REROUTE_NEXT_HOP_FAIL || result->state == REROUTE_NEXT_HOP_DEFER))
    {
      g_free (reason);
      return;
    }
  g_free (result->reason);
  result->state = state;
  result->status = status;
  result->reason = reason;
}

static gboolean
is_self (const Walk *walk, const RerouteIp *ip)
{
  return reroute_self_has (&walk->self, ip, walk->port, walk->question == ASK_HOST);
}

/* A notice of it may go to a stranger: the address is not in it. */
static void
note_forbidden (Walk *walk)
{
  note_trouble (
    walk,
    REROUTE_NEXT_HOP_FAIL,
    "5.4.4",
    g_strdup_printf ("“%s” leads to a private address, and no entry names the domain", walk->name));
}

static void
drop_forbidden (Walk *walk, GArray *addresses)
{
  for (guint i = addresses->len; walk->untyped && i > 0; i--)
    {
      if (!reroute_address_is_forbidden (&g_array_index (addresses, RerouteIp, i - 1),
                                         walk->self.settings))
        continue;
      note_forbidden (walk);
      g_array_remove_index_fast (addresses, i - 1);
    }
}

static void
add_endpoint (Walk *walk, const char *name, const RerouteIp *ip, const char *via)
{
  gboolean by_domain = walk->question != ASK_HOST && !g_str_equal (via, "ip");
  RerouteEndpoint endpoint = { .name = g_strdup (name),
                               .domain = by_domain ? g_strdup (walk->name) : NULL,
                               .mx_secure = walk->question == ASK_EXCHANGER && walk->mx_secure,
                               .ip = *ip,
                               .port = walk->port,
                               .lmtp = walk->lmtp };

  if (walk->result->endpoints->len == 0)
    walk->result->via = via;
  g_array_append_val (walk->result->endpoints, endpoint);
}

/* The addresses of a name, in random order and a bounded number; FALSE: one of them is ourselves.
   Which family comes first goes by turns, for of most exchangers one address is tried. */
static gboolean
add_addresses (Walk *walk, const char *name, const RerouteDnsAnswer *answer, const char *via)
{
  g_autoptr (GArray) addresses = g_array_copy (answer->addresses);

  walk->tlsa_first_endpoint = walk->result->endpoints->len;
  for (guint i = 0; i < addresses->len; i++)
    {
      if (is_self (walk, &g_array_index (addresses, RerouteIp, i)))
        {
          walk->result->leads_here = TRUE;
          return FALSE;
        }
    }
  drop_forbidden (walk, addresses);
  reroute_exchangers_balance (addresses, walk->ipv4_first);
  walk->ipv4_first = !walk->ipv4_first;
  for (guint i = 0; i < addresses->len && i < REROUTE_LIMIT_ADDRESSES_PER_TRY; i++)
    add_endpoint (walk, name, &g_array_index (addresses, RerouteIp, i), via);
  walk->asks_tlsa =
    answer->secure && addresses->len > 0 && (walk->question == ASK_HOST || walk->mx_secure);
  if (walk->asks_tlsa)
    walk->canonical = g_strdup (answer->canonical);
  return TRUE;
}

static void
finish (Walk *walk)
{
  RerouteNextHop *result = walk->result;
  RerouteNextHopFunc func = walk->func;
  gpointer user_data = walk->user_data;

  if (result->endpoints->len > 0)
    {
      result->state = REROUTE_NEXT_HOP_FOUND;
      result->status = NULL;
      g_clear_pointer (&result->reason, g_free);
    }
  walk_free (walk);
  func (result, user_data);
}

static void
note_loop (Walk *walk)
{
  note_trouble (
    walk,
    REROUTE_NEXT_HOP_FAIL,
    "5.4.6",
    g_strdup_printf ("mail loops back to this relay: “%s” leads to this relay itself", walk->name));
}

static void
note_dns_failure (Walk *walk, const RerouteDnsAnswer *answer)
{
  note_trouble (walk,
                REROUTE_NEXT_HOP_DEFER,
                "4.4.3",
                g_strdup_printf ("cannot look up “%s”: %s", walk->name, answer->reason));
}

/* Ourselves at some preference: of this domain only what is strictly better may be tried. */
static void
drop_not_better (Walk *walk, guint16 preference)
{
  RerouteNextHop *result = walk->result;

  reroute_exchangers_drop_not_better (
    walk->mx, preference, result->endpoints, walk->mx_first_endpoint);
  if (result->unproven != NULL)
    reroute_exchangers_drop_not_better (
      walk->mx, preference, result->unproven, walk->mx_first_unproven);
}

static void
take_mx (Walk *walk, const RerouteDnsAnswer *answer)
{
  walk->mx_secure = answer->secure;
  switch (answer->status)
    {
    case REROUTE_DNS_ANSWER:
      if (answer->mx->len == 1 && g_array_index (answer->mx, RerouteMx, 0).exchanger[0] == '\0')
        {
          note_trouble (walk,
                        REROUTE_NEXT_HOP_FAIL,
                        "5.1.10",
                        g_strdup_printf ("domain “%s” accepts no mail (null MX)", walk->name));
          break;
        }
      reroute_exchangers_order (answer->mx, walk->mx_names, walk->mx);
      walk->mx_index = 0;
      walk->mx_wanted =
        walk->wants_all ? G_MAXUINT : reroute_exchangers_choose_wanted (walk->mx->len);
      walk->question = ASK_EXCHANGER;
      return;
    case REROUTE_DNS_NODATA:
      walk->question = ASK_DOMAIN;
      return;
    case REROUTE_DNS_NXDOMAIN:
      note_trouble (walk,
                    REROUTE_NEXT_HOP_FAIL,
                    "5.1.2",
                    g_strdup_printf ("domain “%s” does not exist", walk->name));
      break;
    case REROUTE_DNS_FAILED:
    default:
      note_dns_failure (walk, answer);
      break;
    }
  g_clear_pointer (&walk->name, g_free);
}

static void
take_exchanger (Walk *walk, const RerouteDnsAnswer *answer)
{
  const RerouteMx *mx = &g_array_index (walk->mx, RerouteMx, walk->mx_index);

  if (answer->status == REROUTE_DNS_FAILED)
    {
      note_dns_failure (walk, answer);
    }
  else if (!add_addresses (walk, mx->exchanger, answer, "mx"))
    {
      drop_not_better (walk, mx->preference);
      if (walk->result->endpoints->len == walk->mx_first_endpoint)
        note_loop (walk);
      walk->mx_index = walk->mx->len;
      return;
    }
  walk->mx_index++;
}

static void
take_addresses (Walk *walk, const RerouteDnsAnswer *answer)
{
  gboolean is_host = walk->question == ASK_HOST;

  if (answer->status == REROUTE_DNS_FAILED)
    note_dns_failure (walk, answer);
  else if (answer->status != REROUTE_DNS_ANSWER)
    note_trouble (
      walk,
      REROUTE_NEXT_HOP_FAIL,
      is_host ? "5.4.4" : "5.1.2",
      is_host ? g_strdup_printf ("host “%s” has no address", walk->name)
              : g_strdup_printf ("domain “%s” has neither exchanger nor address", walk->name));
  else if (!add_addresses (walk, walk->name, answer, "a"))
    note_loop (walk);
  g_clear_pointer (&walk->name, g_free);
}

static void
set_unproven (Walk *walk)
{
  GArray *endpoints = walk->result->endpoints;

  if (walk->result->unproven == NULL)
    walk->result->unproven = reroute_endpoints_new ();
  for (gsize i = walk->tlsa_first_endpoint; i < endpoints->len; i++)
    {
      RerouteEndpoint endpoint =
        reroute_endpoint_copy (&g_array_index (endpoints, RerouteEndpoint, i));
      g_array_append_val (walk->result->unproven, endpoint);
    }
  g_array_set_size (endpoints, (guint) walk->tlsa_first_endpoint);
}

/* The name whose TLSA records are asked for; borrowed. */
static const char *
get_tlsa_name (const Walk *walk)
{
  const GArray *endpoints = walk->result->endpoints;

  if (walk->canonical != NULL)
    return walk->canonical;
  return g_array_index (endpoints, RerouteEndpoint, walk->tlsa_first_endpoint).name;
}

/* Records that cannot be had now are no reason to do without them (RFC 7672 2.1.3). */
static void
take_tlsa (Walk *walk, const RerouteDnsAnswer *answer)
{
  GArray *endpoints = walk->result->endpoints;
  const char *host = get_tlsa_name (walk);
  g_autofree char *canonical = g_steal_pointer (&walk->canonical);
  gboolean found = answer->status == REROUTE_DNS_ANSWER && answer->secure;

  /* At a name that an alias stands for there need not be any (RFC 7672 2.2.3). */
  walk->asks_tlsa = canonical != NULL && !found && answer->status != REROUTE_DNS_FAILED;
  if (answer->status == REROUTE_DNS_FAILED)
    {
      note_trouble (
        walk,
        REROUTE_NEXT_HOP_DEFER,
        "4.7.5",
        g_strdup_printf ("cannot look up the TLSA records of “%s”: %s", host, answer->reason));
      set_unproven (walk);
      return;
    }
  for (gsize i = walk->tlsa_first_endpoint; found && i < endpoints->len; i++)
    {
      RerouteEndpoint *endpoint = &g_array_index (endpoints, RerouteEndpoint, i);

      endpoint->tlsa = g_ptr_array_ref (answer->tlsa);
      endpoint->tlsa_name = g_strdup (canonical);
    }
}

static void
answered (const RerouteDnsAnswer *answer, gpointer user_data)
{
  Walk *walk = user_data;

  if (walk->asks_tlsa)
    {
      take_tlsa (walk, answer);
      next_question (walk);
      return;
    }
  if (walk->question == ASK_MX)
    take_mx (walk, answer);
  else if (walk->question == ASK_EXCHANGER)
    take_exchanger (walk, answer);
  else
    take_addresses (walk, answer);
  next_question (walk);
}

/* The exchangers of one name are done: did any of them have an address? */
static void
finish_exchangers (Walk *walk)
{
  reroute_exchangers_pick (walk->result->endpoints, walk->mx_first_endpoint);
  if (walk->result->unproven != NULL)
    reroute_exchangers_pick (walk->result->unproven, walk->mx_first_unproven);
  if (walk->result->endpoints->len == walk->mx_first_endpoint)
    note_trouble (walk,
                  REROUTE_NEXT_HOP_FAIL,
                  "5.4.4",
                  g_strdup_printf ("no exchanger of domain “%s” has an address", walk->name));
  g_clear_pointer (&walk->name, g_free);
}

static void
begin_name (Walk *walk, const char *name, guint16 port, Question question)
{
  walk->name = g_strdup (name);
  walk->port = port;
  walk->question = question;
  walk->mx_first_endpoint = walk->result->endpoints->len;
  walk->mx_first_unproven = walk->result->unproven != NULL ? walk->result->unproven->len : 0;
}

/* A literal needs no question. */
static void
take_literal (Walk *walk, const char *address)
{
  RerouteIp ip;

  if (!reroute_ip_parse (address, &ip))
    note_trouble (
      walk, REROUTE_NEXT_HOP_FAIL, "5.1.2", g_strdup_printf ("“%s” is not an address", address));
  else if (is_self (walk, &ip))
    note_loop (walk);
  else if (walk->untyped && reroute_address_is_forbidden (&ip, walk->self.settings))
    note_forbidden (walk);
  else
    add_endpoint (walk, address, &ip, "ip");
  g_clear_pointer (&walk->name, g_free);
}

static void
take_socket (Walk *walk, const char *path)
{
  RerouteEndpoint endpoint = { .name = g_strdup (path), .lmtp = TRUE, .local = TRUE };

  if (walk->result->endpoints->len == 0)
    walk->result->via = "socket";
  g_array_append_val (walk->result->endpoints, endpoint);
  g_clear_pointer (&walk->name, g_free);
}

/* Takes up the next typed host; FALSE when there is none left. */
static gboolean
begin_next_host (Walk *walk)
{
  const RerouteHost *host;

  if (walk->hosts == NULL || walk->host_index == walk->hosts->n_hosts)
    return FALSE;
  host = &walk->hosts->hosts[(walk->host_index + walk->turn) % walk->hosts->n_hosts];
  walk->host_index++;
  /* MX knows no port: what is found by it is on the one port that exchangers have. */
  begin_name (
    walk, host->name, host->mx ? walk->self.mx_port : host->port, host->mx ? ASK_MX : ASK_HOST);
  walk->lmtp = host->lmtp;
  if (host->local)
    take_socket (walk, host->name);
  else if (host->literal)
    take_literal (walk, host->name);
  return TRUE;
}

static void
ask_tlsa (Walk *walk)
{
  g_autofree char *name = g_strdup_printf ("_%u._tcp.%s", walk->port, get_tlsa_name (walk));

  walk->resolver->klass->tlsa (walk->resolver, name, answered, walk);
}

static gboolean
has_exchangers (const Walk *walk)
{
  return walk->question == ASK_EXCHANGER && reroute_exchangers_are_enough (walk->mx,
                                                                           walk->mx_index,
                                                                           walk->result->endpoints,
                                                                           walk->mx_first_endpoint,
                                                                           walk->mx_wanted);
}

static void
next_question (Walk *walk)
{
  if (walk->asks_tlsa)
    {
      ask_tlsa (walk);
      return;
    }
  while (walk->name == NULL || has_exchangers (walk))
    {
      if (walk->name != NULL)
        finish_exchangers (walk);
      if (!begin_next_host (walk))
        {
          finish (walk);
          return;
        }
    }

  if (walk->question == ASK_MX)
    walk->resolver->klass->mx (walk->resolver, walk->name, answered, walk);
  else if (walk->question == ASK_EXCHANGER)
    walk->resolver->klass->address (walk->resolver,
                                    g_array_index (walk->mx, RerouteMx, walk->mx_index).exchanger,
                                    answered,
                                    walk);
  else
    walk->resolver->klass->address (walk->resolver, walk->name, answered, walk);
}

/* The one domain of a decision without hosts; its normal form is what DNS knows. */
static void
begin_domain (Walk *walk, const char *domain)
{
  g_autofree char *key = reroute_domain_normalize (domain, NULL);
  g_autofree char *address = key != NULL ? reroute_domain_dup_literal_address (key) : NULL;

  begin_name (
    walk, address != NULL ? address : (key != NULL ? key : domain), walk->self.mx_port, ASK_MX);
  if (address != NULL)
    take_literal (walk, address);
}

static Walk *
walk_new (RerouteResolver *resolver,
          const RerouteSelf *self,
          RerouteNextHopFunc func,
          gpointer user_data)
{
  Walk *walk = g_new0 (Walk, 1);

  walk->resolver = resolver;
  walk->self = *self;
  walk->self.addresses = g_memdup2 (self->addresses, self->n_addresses * sizeof (RerouteIp));
  if (self->settings != NULL)
    reroute_settings_ref (self->settings);
  walk->func = func;
  walk->user_data = user_data;
  walk->mx = g_array_new (FALSE, TRUE, sizeof (RerouteMx));
  walk->mx_names = g_string_chunk_new (256);
  walk->ipv4_first = g_random_boolean ();
  walk->result = g_new0 (RerouteNextHop, 1);
  walk->result->endpoints = reroute_endpoints_new ();
  return walk;
}

void
reroute_next_hop_resolve (RerouteResolver *resolver,
                          const RerouteDecision *decision,
                          const RerouteSelf *self,
                          guint turn,
                          RerouteNextHopFunc func,
                          gpointer user_data)
{
  Walk *walk;

  g_return_if_fail (decision->hosts != NULL || decision->dns_domain != NULL);

  walk = walk_new (resolver, self, func, user_data);
  walk->untyped = decision->untyped;
  if (decision->hosts != NULL)
    {
      walk->hosts = reroute_hosts_ref (decision->hosts);
      walk->turn = decision->hosts->by_turns ? turn : 0;
    }
  else
    {
      begin_domain (walk, decision->dns_domain);
    }
  next_question (walk);
}

void
reroute_next_hop_survey (RerouteResolver *resolver,
                         const char *domain,
                         const RerouteSelf *self,
                         RerouteNextHopFunc func,
                         gpointer user_data)
{
  Walk *walk;

  g_return_if_fail (domain != NULL);

  walk = walk_new (resolver, self, func, user_data);
  walk->wants_all = TRUE;
  begin_domain (walk, domain);
  next_question (walk);
}
