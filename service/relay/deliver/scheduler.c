/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scheduler.c - when and where every recipient is tried
 *
 * It lives on the first worker: others reach it by posts, DNS answers arrive there, every queued
 * message is one of its timers.  With one worker accepting, a message passes from session to
 * connection without waking another thread.  A message comes by submit, is decided
 * (try.c), looked up (route.c), waits for a connection (destination.c), is handed to a worker's
 * pool and comes back as replies (try-result.c), which queued.c turns into verdicts.
 *
 * A recipient is in one try at a time: placed, then active, then idle again or final.  What a
 * worker has taken comes back, with a verdict or without; what has no verdict waits in the spool.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/deliver/prober.h"
#include "service/relay/deliver/tls-reporter.h"

RerouteSettings *
reroute_scheduler_get_settings (RerouteScheduler *self)
{
  return reroute_ruleset_get_settings (self->ruleset != NULL ? self->ruleset : self->no_rules);
}

const char *
reroute_scheduler_get_hostname (RerouteScheduler *self)
{
  const char *text =
    reroute_settings_get_text (reroute_scheduler_get_settings (self), REROUTE_SETTING_HOSTNAME);

  return text[0] != '\0' ? text : self->hostname;
}

gint64
reroute_scheduler_get_wall_us (RerouteScheduler *self, gint64 monotonic_us)
{
  return g_get_real_time () - (reroute_worker_now_us (self->thread) - monotonic_us);
}

/* --- messages --- */

void
reroute_scheduler_enqueue (RerouteScheduler *self, RerouteMessage *message, guint worker)
{
  RerouteQueued *queued = reroute_queued_new (self, message, worker);

  if (self->in_memory_octets > REROUTE_LIMIT_MEMORY_QUEUE_OCTETS || self->ruleset == NULL)
    reroute_queued_release_content (queued);
  reroute_queued_try (queued);
}

typedef struct
{
  RerouteScheduler *scheduler;
  RerouteMessage *message;
  guint worker;
} Submission;

static void
submitted (RerouteWorker *thread, gpointer user_data)
{
  g_autofree Submission *submission = user_data;
  g_autoptr (RerouteMessage) message = submission->message;
  RerouteScheduler *self = submission->scheduler;

  g_mutex_lock (&self->lock);
  self->figures.received++;
  g_mutex_unlock (&self->lock);
  reroute_scheduler_enqueue (self, message, submission->worker);
  g_atomic_int_add (&self->n_submitted, -1);
  reroute_scheduler_update_pressure (self);
}

void
reroute_scheduler_submit (RerouteScheduler *self, RerouteMessage *message, guint worker)
{
  g_return_if_fail (worker < self->n_workers);

  Submission *submission = g_new (Submission, 1);
  *submission = (Submission){ self, reroute_message_ref (message), worker };
  g_atomic_int_inc (&self->n_submitted);
  reroute_worker_post (self->thread, submitted, submission);
}

/* A worker's thread: hands a delivery back. */
static void
taken_back (RerouteWorker *thread, gpointer user_data)
{
  reroute_try_take_back (user_data);
}

static void
delivery_done (RerouteDelivery *delivery, gpointer user_data)
{
  RerouteScheduler *self = user_data;

  reroute_worker_post (self->thread, taken_back, delivery);
}

/* --- rules --- */

static gboolean
waits_for (const RerouteWaiting *recipient, RerouteWake wake)
{
  if (recipient->phase != REROUTE_PHASE_IDLE || recipient->state != REROUTE_RECIPIENT_WAITING)
    return FALSE;
  /* Rules may lead elsewhere, or end what stops such mail. */
  return recipient->waits_for_leaving ||
         (recipient->waits_for_rules && wake != REROUTE_WAKE_FOR_LEAVING);
}

/* The timers are all there are to go through. */
void
reroute_scheduler_wake_waiting (RerouteScheduler *self, RerouteWake wake)
{
  for (GList *each = self->order.head; each != NULL; each = each->next)
    {
      RerouteQueued *queued = each->data;
      gboolean woken = wake == REROUTE_WAKE_FOR_FIRST_RULES;

      for (guint i = 0; i < queued->message->n_recipients; i++)
        {
          RerouteWaiting *recipient = &queued->recipients[i];

          if (waits_for (recipient, wake))
            {
              recipient->due_us = 0;
              woken = TRUE;
            }
        }
      if (woken)
        reroute_queued_arm (queued);
    }
}

/* Something new for the scheduler's thread to hold. */
typedef struct
{
  RerouteScheduler *scheduler;
  gpointer value; /* a reference */
} News;

static void
post_news (RerouteScheduler *self, RerouteWorkerFunc func, gpointer value)
{
  News *news = g_new (News, 1);

  *news = (News){ self, value };
  reroute_worker_post (self->thread, func, news);
}

/* What waits for a connection, or for what has changed, is decided by it. */
static void
decide_anew (RerouteScheduler *self, RerouteWake wake)
{
  if (self->stopping)
    return;
  reroute_destinations_withdraw (self);
  reroute_scheduler_wake_waiting (self, wake);
}

/* What was looked up before does not count any more. */
static void
look_up_anew (RerouteScheduler *self)
{
  g_autoptr (GError) error = NULL;

  self->generation++;
  self->own_addresses_us = 0;
  reroute_routes_forget (self);
  reroute_sts_ask_anew (self->sts);
  if (!reroute_scheduler_update_resolver (self, &error))
    g_warning ("DNS stays as it was: %s", error->message);
}

static void
ruleset_arrived (RerouteWorker *thread, gpointer user_data)
{
  g_autofree News *news = user_data;
  RerouteScheduler *self = news->scheduler;
  g_autoptr (RerouteRuleset) old = self->ruleset;

  reroute_decision_memo_clear (&self->memo);
  self->ruleset = news->value;
  if (old == NULL)
    reroute_scheduler_forget_servers (self);
  look_up_anew (self);
  reroute_tls_reporter_update (self->tls_reporter);
  decide_anew (self, old == NULL ? REROUTE_WAKE_FOR_FIRST_RULES : REROUTE_WAKE_FOR_RULES);
}

void
reroute_scheduler_set_ruleset (RerouteScheduler *self, RerouteRuleset *ruleset)
{
  post_news (self, ruleset_arrived, reroute_ruleset_ref (ruleset));
}

static void
reload (RerouteWorker *thread, gpointer user_data)
{
  RerouteScheduler *self = user_data;

  if (self->stopping)
    return;
  reroute_scheduler_forget_servers (self);
  look_up_anew (self);
  decide_anew (self, REROUTE_WAKE_FOR_RULES);
}

void
reroute_scheduler_reload (RerouteScheduler *self)
{
  g_return_if_fail (self != NULL);

  reroute_worker_post (self->thread, reload, self);
}

static void
srs_arrived (RerouteWorker *thread, gpointer user_data)
{
  g_autofree News *news = user_data;

  g_clear_pointer (&news->scheduler->srs, reroute_srs_unref);
  news->scheduler->srs = news->value;
}

void
reroute_scheduler_set_srs (RerouteScheduler *self, RerouteSrs *srs)
{
  post_news (self, srs_arrived, srs != NULL ? reroute_srs_ref (srs) : NULL);
}

static void
secrets_arrived (RerouteWorker *thread, gpointer user_data)
{
  g_autofree News *news = user_data;
  RerouteScheduler *self = news->scheduler;

  g_clear_pointer (&self->secrets, reroute_secrets_unref);
  self->secrets = news->value;
  self->generation++;
  decide_anew (self, REROUTE_WAKE_FOR_RULES);
}

void
reroute_scheduler_set_secrets (RerouteScheduler *self, RerouteSecrets *secrets)
{
  post_news (self, secrets_arrived, reroute_secrets_ref (secrets));
}

static void
certificates_arrived (RerouteWorker *thread, gpointer user_data)
{
  g_autofree News *news = user_data;
  RerouteScheduler *self = news->scheduler;

  g_clear_pointer (&self->certificates, reroute_client_certificates_unref);
  self->certificates = news->value;
  self->generation++;
  decide_anew (self, REROUTE_WAKE_FOR_RULES);
}

void
reroute_scheduler_set_client_certificates (RerouteScheduler *self,
                                           RerouteClientCertificates *certificates)
{
  post_news (self, certificates_arrived, reroute_client_certificates_ref (certificates));
}

/* --- recipients that are asked for before their mail is taken --- */

typedef struct
{
  RerouteScheduler *scheduler;
  RerouteDecision *decision;
  guint worker;
  RerouteSchedulerProbeFunc func;
  gpointer user_data;
  gboolean unknown;
} Probe;

static void
answer_probe (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Probe *probe = user_data;

  probe->func (probe->unknown, probe->user_data);
}

static void
probed (gboolean unknown, gpointer user_data)
{
  Probe *probe = user_data;

  probe->unknown = unknown;
  reroute_worker_post (probe->scheduler->workers[probe->worker], answer_probe, probe);
}

static void
begin_probe (RerouteWorker *thread, gpointer user_data)
{
  Probe *probe = user_data;
  g_autoptr (RerouteDecision) decision = g_steal_pointer (&probe->decision);

  reroute_prober_ask (probe->scheduler->prober, decision, probed, probe);
}

void
reroute_scheduler_probe (RerouteScheduler *self,
                         RerouteDecision *decision,
                         guint worker,
                         RerouteSchedulerProbeFunc func,
                         gpointer user_data)
{
  g_return_if_fail (worker < self->n_workers);

  Probe *probe = g_new (Probe, 1);
  *probe = (Probe){ self, decision, worker, func, user_data, FALSE };
  reroute_worker_post (self->thread, begin_probe, probe);
}

/* --- figures --- */

void
reroute_scheduler_get_figures (RerouteScheduler *self, RerouteSchedulerFigures *figures)
{
  g_mutex_lock (&self->lock);
  *figures = self->figures;
  figures->dns = g_strdup (self->figures.dns);
  figures->oldest_us = self->oldest != NULL ? reroute_queued_get_received_us (self->oldest) : 0;
  g_mutex_unlock (&self->lock);
  figures->connections = (guint) g_atomic_int_get (&self->n_connections);
}

/* --- making and starting --- */

RerouteScheduler *
reroute_scheduler_new (const RerouteSchedulerConfig *config, GError **error)
{
  g_autoptr (RerouteScheduler) self = g_new0 (RerouteScheduler, 1);
  guint16 https_port;

  g_return_val_if_fail (config->n_workers > 0, NULL);

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->order);
  g_queue_init (&self->early_calls);
  self->thread = config->workers[0];
  self->spool = config->spool;
  self->tracker = config->tracker;
  self->telling = reroute_telling_new ();
  self->dns_servers = g_strdupv ((char **) config->dns_servers);
  self->trust_anchor = g_strdup (config->trust_anchor);
  self->tokens = reroute_tokens_new (config->token_helper);
  self->mx_port = config->mx_port != 0 ? config->mx_port : REROUTE_DEFAULT_SMTP_PORT;
  self->listen_port = config->listen_port;
  self->hostname = g_strdup (config->hostname != NULL ? config->hostname : g_get_host_name ());
  self->n_workers = config->n_workers;
  self->workers = g_memdup2 (config->workers, config->n_workers * sizeof config->workers[0]);
  self->pressure = config->pressure;
  self->user_data = config->user_data;
  self->no_rules = reroute_ruleset_new_empty ();
  self->resolvers = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_resolver_use_free);
  self->own_addresses = g_array_new (FALSE, FALSE, sizeof (RerouteIp));
  self->routes = reroute_routes_new ();
  self->queue = g_hash_table_new (g_int64_hash, g_int64_equal);
  reroute_destinations_init (self);
  self->down = reroute_down_hosts_new ();
  self->pools = g_new0 (ReroutePool *, self->n_workers);
  for (guint i = 0; i < self->n_workers; i++)
    self->pools[i] = reroute_pool_new (
      self->workers[i], self->spool, self->hostname, &self->n_connections, delivery_done, self);
  if (!reroute_scheduler_update_resolver (self, error))
    return NULL;
  https_port =
    config->mta_sts_port != 0 ? config->mta_sts_port : (guint16) REROUTE_DEFAULT_HTTPS_PORT;
  self->sts = reroute_scheduler_make_sts (self, https_port);
  self->tls_reporter = reroute_tls_reporter_new (self, https_port != REROUTE_DEFAULT_HTTPS_PORT);
  self->prober = reroute_prober_new (self);
  return g_steal_pointer (&self);
}

/* --- stopping --- */

void
reroute_scheduler_check_drained (RerouteScheduler *self)
{
  if (!self->stopping || self->n_active > 0 || self->n_spooling > 0)
    return;
  g_mutex_lock (&self->lock);
  self->drained = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

typedef struct
{
  RerouteScheduler *scheduler;
  guint worker;
  gint64 grace_us;
} Ending;

static void
drain_pool (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Ending *ending = user_data;

  reroute_pool_drain (ending->scheduler->pools[ending->worker], ending->grace_us);
}

static void
free_pool (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Ending *ending = user_data;
  RerouteScheduler *self = ending->scheduler;

  g_clear_pointer (&self->pools[ending->worker], reroute_pool_free);
  g_mutex_lock (&self->lock);
  self->n_pools_left--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

static void
post_to_workers (RerouteScheduler *self, RerouteWorkerFunc func, gint64 grace_us)
{
  for (guint i = 0; i < self->n_workers; i++)
    {
      Ending *ending = g_new (Ending, 1);

      *ending = (Ending){ self, i, grace_us };
      reroute_worker_post (self->workers[i], func, ending);
    }
}

static void
begin_to_stop (RerouteWorker *thread, gpointer user_data)
{
  g_autofree Ending *ending = user_data;
  RerouteScheduler *self = ending->scheduler;

  self->stopping = TRUE;
  reroute_scheduler_run_early_calls (self);
  reroute_prober_close (self->prober);
  reroute_own_mail_hurry (self, ending->grace_us);
  reroute_visits_close (self);
  reroute_destinations_withdraw (self);
  reroute_scheduler_update_pressure (self);
  post_to_workers (self, drain_pool, ending->grace_us);
  reroute_scheduler_check_drained (self);
}

/* Questions that are open are answered as failed, and what asked is gone before the thread is. */
static void
close_resolvers (RerouteWorker *thread, gpointer user_data)
{
  RerouteScheduler *self = user_data;

  reroute_sts_close (self->sts);
  reroute_tls_reporter_close (self->tls_reporter);
  reroute_scheduler_end_trials (self);
  for (guint i = 0; i < self->resolvers->len; i++)
    {
      RerouteResolverUse *use = self->resolvers->pdata[i];

      g_clear_pointer (&use->resolver, reroute_resolver_free);
    }
}

void
reroute_scheduler_stop (RerouteScheduler *self, gint64 grace_us)
{
  Ending *ending = g_new (Ending, 1);

  *ending = (Ending){ self, 0, grace_us };
  reroute_worker_post (self->thread, begin_to_stop, ending);
  g_mutex_lock (&self->lock);
  /* The pools keep the time: they give everything back when it is over. */
  while (!self->drained)
    g_cond_wait (&self->changed, &self->lock);
  self->n_pools_left = self->n_workers;
  g_mutex_unlock (&self->lock);

  post_to_workers (self, free_pool, 0);
  g_mutex_lock (&self->lock);
  while (self->n_pools_left > 0)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
  reroute_worker_post (self->thread, close_resolvers, self);
}

void
reroute_scheduler_free (RerouteScheduler *self)
{
  GList *head;

  if (self == NULL)
    return;
  for (guint i = 0; i < self->n_workers; i++)
    g_clear_pointer (&self->pools[i], reroute_pool_free);
  reroute_queue_index_free (self);
  while ((head = self->order.head) != NULL)
    reroute_queued_leave (head->data);
  reroute_destinations_clear (self);
  g_clear_pointer (&self->down, reroute_down_hosts_free);
  g_clear_pointer (&self->prober, reroute_prober_free);
  g_clear_pointer (&self->sts, reroute_sts_free);
  g_clear_pointer (&self->tls_reporter, reroute_tls_reporter_free);
  reroute_telling_free (self->telling);
  g_hash_table_unref (self->routes);
  g_hash_table_unref (self->queue);
  g_ptr_array_unref (self->resolvers);
  g_array_unref (self->own_addresses);
  reroute_decision_memo_clear (&self->memo);
  g_clear_pointer (&self->ruleset, reroute_ruleset_unref);
  g_clear_pointer (&self->secrets, reroute_secrets_unref);
  g_clear_pointer (&self->certificates, reroute_client_certificates_unref);
  g_clear_pointer (&self->tokens, reroute_tokens_free);
  g_clear_pointer (&self->srs, reroute_srs_unref);
  reroute_ruleset_unref (self->no_rules);
  g_strfreev (self->dns_servers);
  g_free (self->trust_anchor);
  g_free (self->hostname);
  g_free (self->workers);
  g_free (self->pools);
  g_free (self->figures.dns);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}
