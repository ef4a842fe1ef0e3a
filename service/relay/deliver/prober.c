/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * prober.c - whether the next hop knows a recipient, before its mail is taken
 *
 * A transaction that ends behind RCPT, from the null sender.  Each next hop has one connection for
 * it, which is opened by the first question, takes one after the other, and goes when there are
 * none for a while.  What was said is remembered by next hop and recipient.
 *
 * A next hop that gives no answer, or a late one, turns nobody away: all who wait for it go on, and
 * it is left alone for a while.
 *
 * Not all next hops have a connection at a time: one that nobody asks for any more makes room for
 * another, and where all are asked the next one waits for its turn, as long as a question may take.
 *
 * Standards: RFC 5321 sections 3.3 and 4.5.5 (null reverse-path), RFC 3463 (status codes).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/prober.h"

#include "common/limits.h"
#include "service/relay/deliver/connection.h"
#include "service/relay/deliver/probe-answers.h"

#include <string.h>

#define IDLE_US (5 * G_USEC_PER_SEC)
#define HOSTS_MOST 1000 /* then those that are at rest are forgotten */

/* A recipient that was asked for. */
typedef struct
{
  char *recipient;
  RerouteSchedulerProbeFunc func;
  gpointer user_data;
  gint64 due_us; /* monotonic: no later */
} Ask;

/* A next hop: the hosts or the domain of a decision, and the TLS that goes there. */
typedef struct
{
  RerouteProber *prober;
  char *key;
  RerouteHosts *hosts; /* NULL: */
  char *dns_domain;
  char *account;     /* (nullable): that is logged in to, as for mail */
  char *certificate; /* (nullable): the file of what is shown, as for mail */
  RerouteTlsLevel tls_level;

  GQueue asks; /* (element-type Ask): the first is the one that is asked for now */
  gboolean resolving;
  GArray *endpoints; /* NULL: not looked up */
  guint index;       /* of the endpoint that is connected to */
  gboolean in_clear; /* TLS has failed there */
  gboolean waits;    /* for a connection */
  gboolean waited;   /* the first ask has, so what time it has had is not the host's doing */
  RerouteConnection *connection;
  gboolean ready;     /* it takes a question */
  gboolean has_asked; /* it has answered one */
  gboolean quitting;
  RerouteSmtpTransaction transaction;
  const char *recipients[1];
  RerouteTimer timer;   /* the time limit of the first ask, or the end of the rest */
  gint64 away_until_us; /* monotonic */
} Host;

struct _RerouteProber
{
  RerouteScheduler *scheduler;
  GHashTable *hosts; /* (element-type utf8 Host) */
  guint n_connections;
  GQueue waiting; /* (element-type Host): for a connection */
  RerouteProbeAnswers *answers;
  RerouteTlsClient *tls;
  char *tls_trust;
  gboolean closing;
};

static gint64
get_now_us (const RerouteProber *self)
{
  return reroute_worker_now_us (self->scheduler->thread);
}

/* --- what was said --- */

/* Whether it is the sender's address that is refused, not the recipient's (RFC 3463 3.2). */
static gboolean
is_about_sender (const char *status)
{
  return g_str_equal (status, "5.1.7") || g_str_equal (status, "5.1.8");
}

gboolean
reroute_prober_is_unknown (const RerouteReply *reply)
{
  g_return_val_if_fail (reply != NULL, FALSE);

  if (reply->code < 500 || is_about_sender (reply->status))
    return FALSE;
  /* Addresses, and mailboxes that are shut for good (RFC 3463 3.2 and 3.3). */
  if (reply->status[0] != '\0')
    return g_str_has_prefix (reply->status, "5.1.") || g_str_equal (reply->status, "5.2.1");
  return reply->code == 550 || reply->code == 551 || reply->code == 553;
}

/* --- asks --- */

/* The first is answered. */
static void
answer_first (Host *host, gboolean unknown)
{
  Ask *ask = g_queue_pop_head (&host->asks);

  host->waited = FALSE;
  ask->func (unknown, ask->user_data);
  g_free (ask->recipient);
  g_free (ask);
}

static void
answer_all (Host *host)
{
  for (guint n = host->asks.length; n > 0; n--)
    answer_first (host, FALSE);
}

static void connect_waiting (RerouteProber *self);
static void go_on (Host *host);

static void
drop_connection (Host *host)
{
  host->ready = host->has_asked = host->quitting = FALSE;
  if (host->connection == NULL)
    return;
  g_clear_pointer (&host->connection, reroute_connection_free);
  host->prober->n_connections--;
  connect_waiting (host->prober);
}

static void
stop_waiting (Host *host)
{
  if (host->waits)
    g_queue_remove (&host->prober->waiting, host);
  host->waits = FALSE;
}

/* No answer is to be had there: all go on without one. */
static void
give_up (Host *host, const char *why)
{
  RerouteProber *self = host->prober;

  if (!self->closing)
    g_message ("recipients are taken unchecked for %d s: %s gives no answer: %s",
               REROUTE_LIMIT_PROBE_PAUSE_S,
               host->key,
               why);
  reroute_worker_disarm_timer (self->scheduler->thread, &host->timer);
  stop_waiting (host);
  drop_connection (host);
  g_clear_pointer (&host->endpoints, g_array_unref);
  host->away_until_us = get_now_us (self) + REROUTE_LIMIT_PROBE_PAUSE_S * G_USEC_PER_SEC;
  answer_all (host);
}

/* Its turn has not come, or too late: the next question waits anew. */
static void
pass_over (Host *host)
{
  g_message ("recipients are taken unchecked: %d next hops are being asked, and %s has to wait",
             REROUTE_LIMIT_PROBE_CONNECTIONS,
             host->key);
  reroute_worker_disarm_timer (host->prober->scheduler->thread, &host->timer);
  stop_waiting (host);
  drop_connection (host);
  g_clear_pointer (&host->endpoints, g_array_unref);
  answer_all (host);
}

static void
timed_out (RerouteTimer *timer)
{
  Host *host = (Host *) ((char *) timer - G_STRUCT_OFFSET (Host, timer));

  if (host->waited)
    {
      pass_over (host);
      return;
    }
  if (host->asks.length > 0)
    {
      give_up (host, "it takes too long");
      return;
    }
  if (host->connection == NULL)
    return;
  host->quitting = TRUE;
  host->ready = FALSE;
  reroute_connection_quit (host->connection);
}

/* --- the connection --- */

static void
connection_ready (RerouteConnection *connection, gpointer user_data)
{
  Host *host = user_data;

  host->ready = TRUE;
  go_on (host);
}

static void
connection_done (RerouteConnection *connection, gpointer user_data)
{
  Host *host = user_data;
  RerouteSmtpClient *machine = reroute_connection_get_machine (connection);
  const RerouteReply *reply = reroute_smtp_client_get_recipient_reply (machine, 0);
  const Ask *ask = g_queue_peek_head (&host->asks);
  gboolean unknown =
    reroute_smtp_client_is_refused (machine, 0) && reroute_prober_is_unknown (reply);

  if (unknown || reply == NULL)
    reroute_probe_answers_put (
      host->prober->answers, host->key, ask->recipient, unknown, get_now_us (host->prober));
  host->has_asked = host->ready = TRUE;
  if (!reroute_smtp_client_is_reusable (machine))
    drop_connection (host);
  answer_first (host, unknown);
  go_on (host);
}

static void
connection_failed (RerouteConnection *connection, const RerouteReply *reply, gpointer user_data)
{
  Host *host = user_data;
  gboolean asked_before = host->has_asked;
  gboolean only_tls_failed =
    !host->in_clear && reroute_connection_may_go_in_clear (connection, host->tls_level);
  g_autofree char *why = reroute_reply_to_string (reply);

  drop_connection (host);
  if (host->asks.length == 0)
    return;
  /* A host ends a connection that has had many refusals; that says nothing about the next one. */
  if (only_tls_failed)
    host->in_clear = TRUE;
  else if (!asked_before)
    {
      host->in_clear = FALSE;
      host->index++;
    }
  if (host->endpoints != NULL && host->index >= host->endpoints->len)
    give_up (host, why);
  else
    go_on (host);
}

static const RerouteConnectionHandler connection_handler = {
  connection_ready,
  connection_done,
  connection_failed,
};

/* (nullable) */
static RerouteSecret *
find_secret (const RerouteProber *self, const char *account)
{
  const RerouteSecrets *secrets = self->scheduler->secrets;

  return account != NULL && secrets != NULL ? reroute_secrets_find (secrets, account) : NULL;
}

/* (nullable) */
static RerouteClientCertificate *
find_certificate (const RerouteProber *self, const char *file)
{
  const char *why;

  return file != NULL ? reroute_client_certificates_find (self->scheduler->certificates, file, &why)
                      : NULL;
}

static void
connect_to (Host *host)
{
  RerouteProber *self = host->prober;
  RerouteSettings *settings = reroute_scheduler_get_settings (self->scheduler);
  const RerouteConnectionConfig config = {
    .endpoint = &g_array_index (host->endpoints, RerouteEndpoint, host->index),
    .settings = settings,
    .hostname = reroute_scheduler_get_hostname (self->scheduler),
    .tls = reroute_tls_client_renew (&self->tls, &self->tls_trust, settings),
    .tls_level = host->in_clear ? REROUTE_TLS_NONE : host->tls_level,
    .certificate = find_certificate (self, host->certificate),
    .secret = find_secret (self, host->account),
    .tokens = self->scheduler->tokens,
  };

  self->n_connections++;
  host->connection =
    reroute_connection_new (self->scheduler->thread, &config, &connection_handler, host);
}

static void
connect_waiting (RerouteProber *self)
{
  while (!self->closing && self->n_connections < REROUTE_LIMIT_PROBE_CONNECTIONS &&
         self->waiting.length > 0)
    {
      Host *host = g_queue_pop_head (&self->waiting);

      host->waits = FALSE;
      connect_to (host);
    }
}

static gboolean
is_idle (gpointer key, gpointer value, gpointer user_data)
{
  const Host *host = value;

  return host->connection != NULL && host->asks.length == 0;
}

/* As soon as there is room, which may be at once. */
static void
await_connection (Host *host)
{
  RerouteProber *self = host->prober;
  Host *idle = NULL;

  host->waits = TRUE;
  g_queue_push_tail (&self->waiting, host);
  if (self->n_connections >= REROUTE_LIMIT_PROBE_CONNECTIONS)
    idle = g_hash_table_find (self->hosts, is_idle, NULL);
  if (idle != NULL)
    drop_connection (idle);
  else
    connect_waiting (self);
  host->waited |= host->waits;
}

/* --- the next hop --- */

static void
resolved (RerouteNextHop *found, gpointer user_data)
{
  g_autoptr (RerouteNextHop) next_hop = found;
  Host *host = user_data;

  host->resolving = FALSE;
  if (host->prober->closing || host->asks.length == 0)
    return;
  host->index = 0;
  host->in_clear = FALSE;
  host->endpoints = reroute_endpoints_new ();
  for (guint i = 0; i < next_hop->endpoints->len; i++)
    {
      const RerouteEndpoint *each = &g_array_index (next_hop->endpoints, RerouteEndpoint, i);
      RerouteEndpoint endpoint;

      if (reroute_endpoint_is_barred (each, host->tls_level))
        continue;
      endpoint = reroute_endpoint_copy (each);
      g_array_append_val (host->endpoints, endpoint);
    }
  if (host->endpoints->len == 0)
    give_up (host, next_hop->reason != NULL ? next_hop->reason : "none of its hosts may be asked");
  else
    go_on (host);
}

static void
resolve (Host *host)
{
  const RerouteDecision decision = { .hosts = host->hosts, .dns_domain = host->dns_domain };

  host->resolving = TRUE;
  reroute_scheduler_find_next_hop (host->prober->scheduler, &decision, 0, resolved, host);
}

static void
ask_first (Host *host)
{
  const Ask *ask = g_queue_peek_head (&host->asks);

  host->ready = FALSE;
  host->recipients[0] = ask->recipient;
  host->transaction = (RerouteSmtpTransaction){ .reverse_path = "",
                                                .smtputf8 = !g_str_is_ascii (ask->recipient),
                                                .recipients = host->recipients,
                                                .n_recipients = 1,
                                                .probe = TRUE };
  reroute_connection_send (host->connection,
                           NULL,
                           NULL,
                           &host->transaction,
                           reroute_scheduler_get_settings (host->prober->scheduler));
}

/* Whatever is next for it; the last step of whoever calls. */
static void
go_on (Host *host)
{
  RerouteWorker *thread = host->prober->scheduler->thread;
  const Ask *ask = g_queue_peek_head (&host->asks);

  if (ask == NULL)
    {
      /* Where it is then may be another place. */
      g_clear_pointer (&host->endpoints, g_array_unref);
      if (host->prober->waiting.length > 0)
        drop_connection (host);
      reroute_worker_arm_timer (thread, &host->timer, get_now_us (host->prober) + IDLE_US);
      return;
    }
  reroute_worker_arm_timer (thread, &host->timer, ask->due_us);
  if (host->connection != NULL && host->ready)
    ask_first (host);
  else if (host->connection != NULL || host->resolving || host->waits)
    return; /* it comes back here */
  else if (host->endpoints == NULL)
    resolve (host);
  else
    await_connection (host);
}

static void
free_host (gpointer data)
{
  Host *host = data;

  reroute_worker_disarm_timer (host->prober->scheduler->thread, &host->timer);
  stop_waiting (host);
  drop_connection (host);
  g_clear_pointer (&host->endpoints, g_array_unref);
  g_clear_pointer (&host->hosts, reroute_hosts_unref);
  g_free (host->dns_domain);
  g_free (host->account);
  g_free (host->certificate);
  g_free (host->key);
  g_free (host);
}

static gboolean
is_at_rest (gpointer key, gpointer value, gpointer user_data)
{
  const Host *host = value;

  return host->asks.length == 0 && !host->resolving;
}

static Host *
get_host (RerouteProber *self, const RerouteDecision *decision)
{
  g_autofree char *where = decision->hosts != NULL ? reroute_hosts_to_string (decision->hosts)
                                                   : g_strdup (decision->dns_domain);
  g_autofree char *key =
    g_strdup_printf ("%s by %s, tls=%s, account=%s, certificate=%s",
                     where,
                     decision->hosts != NULL ? "host" : "dns",
                     reroute_tls_level_to_string (decision->tls),
                     decision->account != NULL ? decision->account : "",
                     decision->certificate != NULL ? decision->certificate : "");
  Host *host = g_hash_table_lookup (self->hosts, key);

  if (host != NULL)
    return host;
  if (g_hash_table_size (self->hosts) >= HOSTS_MOST)
    g_hash_table_foreach_remove (self->hosts, is_at_rest, NULL);
  host = g_new0 (Host, 1);
  host->prober = self;
  host->key = g_steal_pointer (&key);
  host->hosts = decision->hosts != NULL ? reroute_hosts_ref (decision->hosts) : NULL;
  host->dns_domain = g_strdup (decision->dns_domain);
  host->account = g_strdup (decision->account);
  host->certificate = g_strdup (decision->certificate);
  host->tls_level = decision->tls;
  host->timer.func = timed_out;
  g_queue_init (&host->asks);
  g_hash_table_insert (self->hosts, host->key, host);
  return host;
}

/* --- public --- */

RerouteProber *
reroute_prober_new (RerouteScheduler *scheduler)
{
  RerouteProber *self = g_new0 (RerouteProber, 1);

  self->scheduler = scheduler;
  self->hosts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_host);
  self->answers = reroute_probe_answers_new ();
  return self;
}

void
reroute_prober_close (RerouteProber *self)
{
  GHashTableIter iter;
  gpointer value;

  self->closing = TRUE;
  g_hash_table_iter_init (&iter, self->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    give_up (value, "this host is stopping");
}

void
reroute_prober_free (RerouteProber *self)
{
  g_return_if_fail (self != NULL);

  g_hash_table_unref (self->hosts);
  reroute_probe_answers_free (self->answers);
  g_clear_pointer (&self->tls, reroute_tls_client_unref);
  g_free (self->tls_trust);
  g_free (self);
}

void
reroute_prober_ask (RerouteProber *self,
                    const RerouteDecision *decision,
                    RerouteSchedulerProbeFunc func,
                    gpointer user_data)
{
  Host *host;
  gboolean unknown;
  gint64 now_us = get_now_us (self);
  Ask *ask;

  /* A host that wants a login or a certificate takes nothing from a stranger, which says nothing of
     the recipient. */
  gboolean is_stranger =
    (decision->account != NULL && find_secret (self, decision->account) == NULL) ||
    (decision->certificate != NULL && find_certificate (self, decision->certificate) == NULL);

  if (self->closing || is_stranger)
    {
      func (FALSE, user_data);
      return;
    }
  host = get_host (self, decision);
  if (reroute_probe_answers_get (self->answers, host->key, decision->rcpt_out, now_us, &unknown) ||
      now_us < host->away_until_us)
    {
      func (unknown, user_data);
      return;
    }
  ask = g_new (Ask, 1);
  *ask = (Ask){
    g_strdup (decision->rcpt_out), func, user_data, now_us + REROUTE_LIMIT_PROBE_S * G_USEC_PER_SEC
  };
  g_queue_push_tail (&host->asks, ask);
  if (host->asks.length > 1)
    return;
  if (host->quitting)
    drop_connection (host);
  go_on (host);
}
