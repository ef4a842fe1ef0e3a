/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resolver-use.c - the resolver that the settings ask for, and what counts as ourselves
 *
 * Other DNS servers are a new resolver; the old one stays until its last question was answered.
 * Whoever asks the root itself validates.  Behind other servers answers are validated once they
 * have shown that they pass DNSSEC: where they do not, every answer would be bogus.  Until that is
 * known mail is not told where a domain leads: it must not leave without the DANE that it has.
 *
 * Servers that are out of order at the moment have shown nothing: they are tried again, and
 * meanwhile only what can be validated is believed.  After a number of trials mail goes on without
 * the verdict, for it must not wait for ever where that one question is never answered.  Servers
 * that do not pass DNSSEC are tried again, too, but seldom: a server that knows of the root all but
 * its keys at the moment looks the same.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"
#include "common/domain.h"
#include "common/limits.h"
#include "service/relay/socket-address.h"

#include <errno.h>
#include <ifaddrs.h>
#include <string.h>

#define ROOT_ANCHOR "/usr/share/dns/root.key" /* of dns-root-data */
#define OWN_ADDRESSES_AGE_US (30 * G_USEC_PER_SEC)

/* A walk through the resolver. */
typedef struct
{
  RerouteScheduler *scheduler;
  RerouteResolverUse *use;
  RerouteNextHopFunc func;
  gpointer user_data;
} Asking;

/* One question to the resolver. */
typedef struct
{
  RerouteScheduler *scheduler;
  RerouteResolverUse *use;
  RerouteDnsFunc func;
  gpointer user_data;
} Question;

/* A walk that waits for the verdict. */
typedef struct
{
  RerouteDecision decision; /* as far as a walk reads it */
  guint turn;
  RerouteNextHopFunc func;
  gpointer user_data;
} Held;

/* Whether servers pass DNSSEC. */
typedef enum
{
  VERDICT_NONE, /* they gave no answer */
  VERDICT_PASS,
  VERDICT_FAIL,
} Verdict;

/* A resolver that validates, on trial. */
typedef struct
{
  RerouteScheduler *scheduler;
  RerouteResolverUse *use;
  Verdict verdict;
} Trial;

void
reroute_resolver_use_free (RerouteResolverUse *self)
{
  g_clear_pointer (&self->resolver, reroute_resolver_free);
  g_free (self->servers);
  g_free (self);
}

/* Whether mail waits for the first trial of the servers. */
static gboolean
is_held (const RerouteScheduler *self)
{
  return self->lacks_verdict && self->n_trials == 0;
}

/* Behind the servers, in status. */
static const char *
describe_validation (const RerouteScheduler *self)
{
  if (!self->lacks_verdict)
    return self->resolver->validates ? " (validated by DNSSEC)"
                                     : " (not validated by DNSSEC: DANE is off)";
  if (self->resolver->validates)
    return " (whether they pass DNSSEC is not known yet: nothing else is believed)";
  return is_held (self) ? " (whether they pass DNSSEC is not known yet: mail waits for it)"
                        : " (whether they pass DNSSEC is not known yet: DANE is off until then)";
}

static void
tell_servers (RerouteScheduler *self)
{
  g_mutex_lock (&self->lock);
  g_free (self->figures.dns);
  self->figures.dns = g_strconcat (self->resolver->servers, describe_validation (self), NULL);
  g_mutex_unlock (&self->lock);
}

/* In force from now on; the one before stays until its last question was answered. */
static void
put_in_force (RerouteScheduler *self, RerouteResolverUse *use)
{
  if (self->resolver != NULL)
    {
      self->resolver->retired = TRUE;
      if (self->resolver->n_asking == 0)
        g_ptr_array_remove (self->resolvers, self->resolver);
    }
  use->retired = FALSE;
  self->resolver = use;
  tell_servers (self);
}

static const char *const *
get_servers (RerouteScheduler *self)
{
  return self->dns_servers != NULL
           ? (const char *const *) self->dns_servers
           : reroute_settings_get_endpoints (reroute_scheduler_get_settings (self),
                                             REROUTE_SETTING_DNS_SERVERS);
}

/* As status tells them. */
static char *
name_servers (const char *const *servers)
{
  return servers[0] != NULL ? g_strjoinv (", ", (char **) servers) : g_strdup ("system");
}

static RerouteResolverUse *
add_use (RerouteScheduler *self, const char *const *servers, const char *anchor, GError **error)
{
  RerouteResolver *resolver = reroute_resolver_new_unbound (self->thread, servers, anchor, error);
  RerouteResolverUse *use;

  if (resolver == NULL)
    return NULL;
  use = g_new0 (RerouteResolverUse, 1);
  use->resolver = resolver;
  use->servers = name_servers (servers);
  use->validates = anchor != NULL;
  use->retired = TRUE;
  g_ptr_array_add (self->resolvers, use);
  return use;
}

static const char *
get_anchor (const RerouteScheduler *self)
{
  if (self->trust_anchor != NULL)
    return self->trust_anchor;
  return g_file_test (ROOT_ANCHOR, G_FILE_TEST_IS_REGULAR) ? ROOT_ANCHOR : NULL;
}

/* Not from within its own answer: @use, nullable, stays. */
static void
drop_retired (RerouteScheduler *self, const RerouteResolverUse *use)
{
  for (guint i = self->resolvers->len; i > 0; i--)
    {
      RerouteResolverUse *other = self->resolvers->pdata[i - 1];

      if (other->retired && other->n_asking == 0 && other != use)
        g_ptr_array_remove_index (self->resolvers, i - 1);
    }
}

/* --- do the servers pass DNSSEC? --- */

static void
held_free (Held *held)
{
  g_clear_pointer (&held->decision.hosts, reroute_hosts_unref);
  g_free (held->decision.dns_domain);
  g_free (held);
}

static void
release_walks (RerouteScheduler *self)
{
  for (Held *held = g_queue_pop_head (&self->held_walks); held != NULL;
       held = g_queue_pop_head (&self->held_walks))
    {
      reroute_scheduler_resolve (self, &held->decision, held->turn, held->func, held->user_data);
      held_free (held);
    }
}

void
reroute_scheduler_end_trials (RerouteScheduler *self)
{
  reroute_worker_disarm_timer (self->thread, &self->next_trial);
  self->on_trial = NULL;
  self->lacks_verdict = FALSE;
  tell_servers (self);
  release_walks (self);
}

static void
arm_trial (RerouteScheduler *self, gint64 wait_s)
{
  reroute_worker_arm_timer (self->thread,
                            &self->next_trial,
                            reroute_worker_now_us (self->thread) + wait_s * G_USEC_PER_SEC);
}

/* Whether only what can be validated is believed. */
static void
set_validating (RerouteScheduler *self, gboolean validating)
{
  const char *anchor = validating ? get_anchor (self) : NULL;
  RerouteResolverUse *use = self->resolver->validates != validating
                              ? add_use (self, get_servers (self), anchor, NULL)
                              : NULL;

  if (use != NULL)
    put_in_force (self, use);
}

static void
note_no_verdict (RerouteScheduler *self)
{
  self->n_trials++;
  arm_trial (self, REROUTE_LIMIT_DNS_TRIAL_S);
  if (self->n_trials == REROUTE_LIMIT_DNS_TRIALS_AWAITED)
    g_message ("DNS of %s does not tell whether it passes DNSSEC: mail goes without DANE until it "
               "does",
               self->resolver->servers);
  /* One of its own: the one on trial takes a megabyte, and mail may ask for nothing. */
  set_validating (self, self->n_trials < REROUTE_LIMIT_DNS_TRIALS_AWAITED);
  tell_servers (self);
  release_walks (self);
}

static void
take_verdict (RerouteScheduler *self, Verdict verdict)
{
  self->on_trial = NULL;
  if (verdict == VERDICT_NONE && self->lacks_verdict)
    {
      note_no_verdict (self);
      return;
    }
  if (verdict == VERDICT_FAIL)
    set_validating (self, FALSE);
  reroute_scheduler_end_trials (self);
  if (verdict != VERDICT_PASS)
    arm_trial (self, REROUTE_LIMIT_DNS_RETRIAL_S);
}

static void
trial_over (RerouteWorker *thread, gpointer user_data)
{
  g_autofree Trial *trial = user_data;
  RerouteScheduler *self = trial->scheduler;
  gboolean is_awaited = self->on_trial == trial->use;

  /* Until now it counts as asking: nobody else may free it. */
  trial->use->n_asking--;
  /* A resolver takes a megabyte as soon as it is asked: one goes before another is. */
  if (!self->stopping)
    drop_retired (self, NULL);
  if (is_awaited)
    take_verdict (self, trial->verdict);
}

/* That the root has no TLSA record is validated, or cannot be. */
static Verdict
judge (const RerouteDnsAnswer *answer)
{
  if (answer->status == REROUTE_DNS_FAILED)
    return answer->bogus ? VERDICT_FAIL : VERDICT_NONE;
  return answer->status == REROUTE_DNS_NODATA && answer->secure ? VERDICT_PASS : VERDICT_FAIL;
}

static void
tried (const RerouteDnsAnswer *answer, gpointer user_data)
{
  Trial *trial = user_data;
  RerouteScheduler *self = trial->scheduler;

  trial->verdict = judge (answer);
  if (self->stopping)
    {
      trial_over (self->thread, trial);
      return;
    }
  if (trial->verdict == VERDICT_PASS && self->on_trial == trial->use)
    put_in_force (self, trial->use);
  reroute_worker_post (self->thread, trial_over, trial);
}

static void
begin_trial (RerouteScheduler *self)
{
  const char *anchor = get_anchor (self);
  RerouteResolverUse *use =
    anchor != NULL ? add_use (self, get_servers (self), anchor, NULL) : NULL;
  Trial *trial;

  if (use == NULL)
    {
      reroute_scheduler_end_trials (self);
      return;
    }
  trial = g_new (Trial, 1);
  *trial = (Trial){ self, use, VERDICT_NONE };
  use->n_asking++;
  self->on_trial = use;
  use->resolver->klass->tlsa (use->resolver, ".", tried, trial);
}

static void
try_again (RerouteTimer *timer)
{
  RerouteScheduler *self =
    (RerouteScheduler *) ((char *) timer - G_STRUCT_OFFSET (RerouteScheduler, next_trial));

  if (!self->stopping)
    begin_trial (self);
}

void
reroute_scheduler_forget_servers (RerouteScheduler *self)
{
  g_free (self->resolver->servers);
  self->resolver->servers = g_strdup ("");
}

gboolean
reroute_scheduler_update_resolver (RerouteScheduler *self, GError **error)
{
  const char *const *servers = get_servers (self);
  gboolean recursive = servers[0] != NULL && g_str_equal (servers[0], "recursive");
  g_autofree char *text = name_servers (servers);
  RerouteResolverUse *use;

  if (self->resolver != NULL && g_str_equal (self->resolver->servers, text))
    return TRUE;
  use = add_use (self, servers, recursive ? get_anchor (self) : NULL, error);
  if (use == NULL)
    return FALSE;
  reroute_worker_disarm_timer (self->thread, &self->next_trial);
  self->next_trial.func = try_again;
  self->n_trials = 0;
  /* Before there are rules nobody has said whom to ask. */
  self->lacks_verdict = !recursive && self->ruleset != NULL;
  put_in_force (self, use);
  if (self->lacks_verdict)
    begin_trial (self);
  else
    reroute_scheduler_end_trials (self);
  return TRUE;
}

/* --- ourselves --- */

static void
add_address (GArray *addresses, const struct sockaddr *address)
{
  RerouteIp ip;

  /* Loopback has rules of its own. */
  if (reroute_socket_address_read (address, &ip) && !reroute_ip_is_loopback (&ip))
    g_array_append_val (addresses, ip);
}

static void
read_own_addresses (RerouteScheduler *self)
{
  struct ifaddrs *interfaces = NULL;
  gsize n = 0;
  const RerouteIpRange *more = reroute_settings_get_ranges (
    reroute_scheduler_get_settings (self), REROUTE_SETTING_OWN_ADDRESSES, &n);

  /* The former ones are better than none: we would take ourselves for another host. */
  if (getifaddrs (&interfaces) < 0)
    {
      g_warning ("cannot read the addresses of the interfaces: %s", g_strerror (errno));
      return;
    }
  g_array_set_size (self->own_addresses, 0);
  for (gsize i = 0; i < n; i++)
    g_array_append_val (self->own_addresses, more[i].first);
  for (struct ifaddrs *each = interfaces; each != NULL; each = each->ifa_next)
    {
      if (each->ifa_addr != NULL)
        add_address (self->own_addresses, each->ifa_addr);
    }
  freeifaddrs (interfaces);
}

/* The port of the first endpoint of the setting "listen". */
static guint16
get_listen_port (RerouteScheduler *self)
{
  const char *const *endpoints =
    reroute_settings_get_endpoints (reroute_scheduler_get_settings (self), REROUTE_SETTING_LISTEN);
  const char *colon =
    endpoints != NULL && endpoints[0] != NULL ? strrchr (endpoints[0], ':') : NULL;
  guint16 port = 0;

  if (self->listen_port != 0)
    return self->listen_port;
  return colon != NULL && reroute_port_parse (colon + 1, &port, NULL) ? port : 0;
}

RerouteSelf
reroute_scheduler_get_self (RerouteScheduler *self)
{
  gint64 now_us = g_get_monotonic_time ();

  if (self->own_addresses_us == 0 || now_us - self->own_addresses_us > OWN_ADDRESSES_AGE_US)
    {
      read_own_addresses (self);
      self->own_addresses_us = now_us;
    }
  return (RerouteSelf){
    .addresses = (const RerouteIp *) (gconstpointer) self->own_addresses->data,
    .n_addresses = self->own_addresses->len,
    .listen_port = get_listen_port (self),
    .mx_port = self->mx_port,
    .settings = reroute_scheduler_get_settings (self),
  };
}

/* --- asking --- */

static void
resolved (RerouteNextHop *next_hop, gpointer user_data)
{
  Asking *asking = user_data;
  RerouteResolverUse *use = asking->use;
  RerouteScheduler *self = asking->scheduler;
  RerouteNextHopFunc func = asking->func;
  gpointer func_data = asking->user_data;

  g_free (asking);
  use->n_asking--;
  func (next_hop, func_data);
  drop_retired (self, use);
}

static gboolean
asks_dns (const RerouteDecision *decision)
{
  const RerouteHosts *hosts = decision->hosts;

  if (hosts == NULL)
    return !reroute_domain_is_literal (decision->dns_domain);
  for (gsize i = 0; i < hosts->n_hosts; i++)
    if (!hosts->hosts[i].literal && !hosts->hosts[i].local)
      return TRUE;
  return FALSE;
}

static void
hold (RerouteScheduler *self,
      const RerouteDecision *decision,
      guint turn,
      RerouteNextHopFunc func,
      gpointer user_data)
{
  Held *held = g_new0 (Held, 1);

  held->decision.hosts = decision->hosts != NULL ? reroute_hosts_ref (decision->hosts) : NULL;
  held->decision.dns_domain = g_strdup (decision->dns_domain);
  held->decision.untyped = decision->untyped;
  held->turn = turn;
  held->func = func;
  held->user_data = user_data;
  g_queue_push_tail (&self->held_walks, held);
}

static Asking *
asking_new (RerouteScheduler *self, RerouteNextHopFunc func, gpointer user_data)
{
  Asking *asking = g_new (Asking, 1);

  *asking = (Asking){ self, self->resolver, func, user_data };
  self->resolver->n_asking++;
  return asking;
}

void
reroute_scheduler_resolve (RerouteScheduler *self,
                           const RerouteDecision *decision,
                           guint turn,
                           RerouteNextHopFunc func,
                           gpointer user_data)
{
  RerouteSelf ourselves = reroute_scheduler_get_self (self);
  Asking *asking = asking_new (self, func, user_data);

  reroute_next_hop_resolve (asking->use->resolver, decision, &ourselves, turn, resolved, asking);
}

void
reroute_scheduler_survey (RerouteScheduler *self,
                          const char *domain,
                          RerouteNextHopFunc func,
                          gpointer user_data)
{
  RerouteSelf ourselves = reroute_scheduler_get_self (self);
  Asking *asking = asking_new (self, func, user_data);

  reroute_next_hop_survey (asking->use->resolver, domain, &ourselves, resolved, asking);
}

void
reroute_scheduler_resolve_for_mail (RerouteScheduler *self,
                                    const RerouteDecision *decision,
                                    guint turn,
                                    RerouteNextHopFunc func,
                                    gpointer user_data)
{
  if (is_held (self) && asks_dns (decision))
    hold (self, decision, turn, func, user_data);
  else
    reroute_scheduler_resolve (self, decision, turn, func, user_data);
}

static void
answered (const RerouteDnsAnswer *answer, gpointer user_data)
{
  g_autofree Question *question = user_data;

  question->use->n_asking--;
  question->func (answer, question->user_data);
  drop_retired (question->scheduler, question->use);
}

void
reroute_scheduler_look_up (RerouteScheduler *self,
                           RerouteDnsKind kind,
                           const char *name,
                           RerouteDnsFunc func,
                           gpointer user_data)
{
  RerouteResolver *resolver = self->resolver->resolver;
  Question *question = g_new (Question, 1);

  *question = (Question){ self, self->resolver, func, user_data };
  self->resolver->n_asking++;
  switch (kind)
    {
    case REROUTE_DNS_TEXTS:
      resolver->klass->txt (resolver, name, answered, question);
      break;
    case REROUTE_DNS_EXCHANGERS:
      resolver->klass->mx (resolver, name, answered, question);
      break;
    case REROUTE_DNS_NAMES:
      resolver->klass->ptr (resolver, name, answered, question);
      break;
    case REROUTE_DNS_ADDRESSES:
    default:
      resolver->klass->address (resolver, name, answered, question);
    }
}

void
reroute_scheduler_ask (RerouteScheduler *self,
                       gboolean for_text,
                       const char *name,
                       RerouteDnsFunc func,
                       gpointer user_data)
{
  reroute_scheduler_look_up (
    self, for_text ? REROUTE_DNS_TEXTS : REROUTE_DNS_ADDRESSES, name, func, user_data);
}
