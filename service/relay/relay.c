/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay.c - puts the relay together, and takes it apart in order
 *
 * The main thread has the bus and the rules.  Start: spool, scheduler, workers, sockets, and the
 * name on the bus last.  Without --listen the sockets wait for the first generation, whose setting
 * says where; when rulesd is away they do not wait for long, and every recipient is 451 until rules
 * come.  Stop: no more connections, sessions end, deliveries end, the spool closes.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/relay.h"

#include "common/client/rules-client.h"
#include "common/error.h"
#include "common/names.h"
#include "service/host-name.h"
#include "service/relay/alarm-watch.h"
#include "service/relay/errands.h"
#include "service/relay/monitor.h"
#include "service/relay/observing.h"
#include "service/relay/receive/handed-socket.h"
#include "service/relay/relay-service.h"
#include "service/relay/srs-keeper.h"
#include "service/relay/supervision.h"
#include "service/relay/trim-at-rest.h"
#include "service/relay/watchdog.h"
#include "service/relay/workers.h"
#include "service/supervisor.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define SESSIONS_GRACE_US (10 * G_USEC_PER_SEC)   /* for messages that are being received */
#define DELIVERIES_GRACE_US (10 * G_USEC_PER_SEC) /* for messages that are being delivered */
#define RULES_WAIT_S 5       /* for the first generation, when rulesd is not to be seen */
#define RULES_WAIT_MOST_S 60 /* and when it is */

typedef struct
{
  RerouteRelayParts parts;
  const RerouteRelayOptions *options;
  int token_helper;
  GMainLoop *loop;
  char *machine_hostname;

  RerouteRulesClient *rules;
  RerouteRelayService *service;
  RerouteAlarmWatch *alarms;
  RerouteSrsKeeper *srs;
  RerouteTrimAtRest *trim;
  RerouteWatchdog *watchdog; /* NULL: nobody wants to hear of it */
  GPtrArray *handed;         /* (element-type RerouteHandedSocket): the service manager's */
  RerouteReceiver **receivers;
  guint n_drained;
  gint64 workers_wanted; /* to accept, as the rules say; 0: not heard of yet */

  guint n_waits; /* seconds that the first generation was waited for */
  guint wait_id;
  gboolean listening;
  gboolean published; /* had its name on the bus */
  gboolean ready;     /* as the service manager was told */
  guint sigterm_id;
  guint sigint_id;
  guint sighup_id;
  GError *failure;     /* why it could not start */
  GError *spool_error; /* on its way from the spool's thread */
} Relay;

/* --- stop --- */

static gboolean
drained_in_main_cb (gpointer user_data)
{
  Relay *self = user_data;

  if (++self->n_drained == self->parts.n_workers)
    g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
drained_cb (guint worker, gpointer user_data)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, drained_in_main_cb, user_data, NULL);
}

static void
stop (Relay *self)
{
  if (self->parts.is_stopping)
    return;
  self->parts.is_stopping = TRUE;
  reroute_supervisor_notify ("STOPPING=1\nSTATUS=Ends sessions and deliveries");
  g_clear_handle_id (&self->wait_id, g_source_remove);
  for (guint i = 0; i < self->parts.n_workers; i++)
    reroute_receiver_drain (self->receivers[i], SESSIONS_GRACE_US);
  /* Who comes now is refused at once instead of waiting for an accept() that never comes; at a
     socket of the service manager it waits for the next relay. */
  g_ptr_array_unref (self->parts.listeners);
  self->parts.listeners = g_ptr_array_new ();
}

static gboolean
signal_cb (gpointer user_data)
{
  Relay *self = user_data;

  if (self->parts.is_stopping)
    _exit (EXIT_FAILURE); /* the spool is made for worse */
  g_message ("stopping");
  stop (self);
  return G_SOURCE_CONTINUE;
}

static void
fail (Relay *self, GError *error)
{
  if (self->failure == NULL)
    self->failure = error;
  else
    g_error_free (error);
  stop (self);
}

/* --- sockets --- */

static void
hand_out_listeners (Relay *self)
{
  g_autoptr (GPtrArray) none =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_listener_unref);
  guint n_accepting = reroute_workers_count_accepting (
    self->parts.ruleset, self->parts.n_workers, &self->workers_wanted);

  for (guint i = 0; i < self->parts.n_workers; i++)
    reroute_receiver_set_listeners (self->receivers[i],
                                    i < n_accepting ? self->parts.listeners : none);
}

/* Errors: as reroute_listeners_update(); the old sockets stay. */
static gboolean
update_listeners (Relay *self, GError **error)
{
  g_auto (GStrv) endpoints =
            reroute_relay_options_list_endpoints (self->options, self->parts.ruleset);
  GPtrArray *listeners = reroute_listeners_update (
    self->parts.listeners, self->handed, (const char *const *) endpoints, error);

  if (listeners != NULL)
    {
      g_ptr_array_unref (self->parts.listeners);
      self->parts.listeners = listeners;
    }
  if (self->receivers != NULL)
    hand_out_listeners (self);
  return listeners != NULL;
}

/* --- ready --- */

static void
report (gpointer user_data)
{
  Relay *self = user_data;

  reroute_supervision_report (self->parts.listeners, self->parts.ruleset);
}

/* Receives, and is on the bus where there is one. */
static void
become_ready (Relay *self)
{
  if (!self->ready)
    {
      self->ready = TRUE;
      reroute_supervisor_notify ("READY=1");
      self->watchdog = reroute_watchdog_new (
        self->parts.spool, self->parts.workers, self->parts.n_workers, report, self);
    }
  if (self->options->exit_after_startup)
    stop (self);
}

static void
published_cb (Relay *self)
{
  self->published = TRUE;
  become_ready (self);
}

/* At the start someone runs a second relay; later it is no reason to end a relay that works. */
static void
name_taken_cb (Relay *self)
{
  GError *error =
    g_error_new (REROUTE_ERROR,
                 REROUTE_ERROR_UNAVAILABLE,
                 "another relay has the name %s on %s: stop it first, or see whether this "
                 "user may own the name",
                 REROUTE_RELAY_BUS_NAME,
                 reroute_bus_get_label (self->parts.bus));

  if (!self->published)
    {
      fail (self, error);
      return;
    }
  g_warning ("%s", error->message);
  g_error_free (error);
}

/* Accepts connections, then tells the bus. */
static void
get_ready (Relay *self)
{
  GError *error = NULL;

  self->listening = TRUE;
  g_clear_handle_id (&self->wait_id, g_source_remove);
  if (!update_listeners (self, &error))
    {
      fail (self, error);
      return;
    }
  g_autofree char *labels = reroute_listeners_dup_labels (self->parts.listeners);
  g_message ("receiving on %s", labels);
  report (self);
  reroute_relay_service_publish (self->service);
  if (reroute_bus_get_connection (self->parts.bus) == NULL)
    become_ready (self);
}

static gboolean
wait_cb (gpointer user_data)
{
  Relay *self = user_data;
  guint most = reroute_rules_client_get_available (self->rules) ? RULES_WAIT_MOST_S : RULES_WAIT_S;

  if (++self->n_waits < most)
    return G_SOURCE_CONTINUE;
  g_message ("no rules yet: receiving without them, every recipient is put off");
  self->wait_id = 0;
  get_ready (self);
  return G_SOURCE_REMOVE;
}

/* --- rules --- */

static void
tls_changed_cb (RerouteTlsServer *server, gpointer user_data)
{
  Relay *self = user_data;

  for (guint i = 0; i < self->parts.n_workers; i++)
    reroute_receiver_set_tls (self->receivers[i], server);
}

static void
srs_changed_cb (RerouteSrs *srs, gpointer user_data)
{
  Relay *self = user_data;

  for (guint i = 0; i < self->parts.n_workers; i++)
    reroute_receiver_set_srs (self->receivers[i], srs);
  reroute_scheduler_set_srs (self->parts.scheduler, srs);
}

static void
take_settings (Relay *self, RerouteSettings *settings)
{
  const char *hostname = reroute_settings_get_text (settings, REROUTE_SETTING_HOSTNAME);

  self->parts.hostname = hostname[0] != '\0' ? hostname : self->machine_hostname;
  reroute_observing_set_settings (self->parts.ruleset != NULL ? self->parts.tracker : NULL,
                                  settings);
  reroute_tls_keeper_set_settings (self->parts.tls, settings);
  reroute_srs_keeper_set_settings (self->srs, settings);
  reroute_monitor_set_settings (self->parts.monitor, settings);
}

static void
changed_cb (Relay *self, RerouteRuleset *loaded)
{
  g_autoptr (RerouteRuleset) named = reroute_host_name_fill_in (loaded, self->machine_hostname);
  g_autoptr (RerouteRuleset) ruleset =
               reroute_descriptors_fit (named, self->parts.n_workers, &self->parts.descriptors);
  g_autoptr (GError) error = NULL;
  guint64 serial = reroute_ruleset_get_serial (ruleset);
  RerouteRuleset *old = self->parts.ruleset;

  if (self->parts.is_stopping)
    return;
  self->parts.ruleset = reroute_ruleset_ref (ruleset);
  self->parts.rules_us = g_get_real_time ();
  take_settings (self, reroute_ruleset_get_settings (ruleset));
  reroute_client_certificate_keeper_set_ruleset (self->parts.certificates, ruleset);
  g_clear_pointer (&old, reroute_ruleset_unref);
  for (guint i = 0; i < self->parts.n_workers; i++)
    reroute_receiver_set_ruleset (self->receivers[i], ruleset);
  reroute_scheduler_set_ruleset (self->parts.scheduler, ruleset);
  reroute_relay_service_set_serial (self->service, serial);
  g_message ("rules of generation %" G_GUINT64_FORMAT " are in force", serial);

  if (!self->listening)
    get_ready (self);
  else if (!update_listeners (self, &error))
    g_warning ("receiving where it did before: %s", error->message);
  else
    report (self);
}

/* --- reload --- */

/* SIGHUP: what may have changed around the relay.  The rules tell of their changes themselves. */
static gboolean
reload_cb (gpointer user_data)
{
  Relay *self = user_data;
  g_autoptr (GError) error = NULL;

  if (!self->ready || self->parts.is_stopping)
    return G_SOURCE_CONTINUE;
  g_message ("reading certificates, accounts and name servers again");
  reroute_supervisor_notify_reloading ();
  reroute_tls_keeper_reload (self->parts.tls);
  reroute_client_certificate_keeper_reload (self->parts.certificates);
  reroute_secrets_keeper_reload (self->parts.secrets);
  reroute_scheduler_reload (self->parts.scheduler);
  reroute_monitor_listen (self->parts.monitor);
  if (!update_listeners (self, &error))
    g_warning ("receiving where it did before: %s", error->message);
  report (self);
  reroute_supervisor_notify ("READY=1");
  return G_SOURCE_CONTINUE;
}

/* --- start --- */

static void
accepted_cb (RerouteMessage *message, guint worker, gpointer user_data)
{
  Relay *self = user_data;

  reroute_scheduler_submit (self->parts.scheduler, message, worker);
}

static void
pressure_cb (gboolean high, gpointer user_data)
{
  Relay *self = user_data;

  for (guint i = 0; self->receivers != NULL && i < self->parts.n_workers; i++)
    reroute_receiver_set_paused (self->receivers[i], high);
}

static gboolean
spool_failed_cb (gpointer user_data)
{
  Relay *self = user_data;

  fail (self, g_steal_pointer (&self->spool_error));
  return G_SOURCE_REMOVE;
}

/* The spool's thread: what was queued before is there. */
static void
spool_read_cb (GPtrArray *entries, const GError *error, gpointer user_data)
{
  Relay *self = user_data;

  if (entries != NULL)
    {
      reroute_scheduler_restore (self->parts.scheduler, entries);
      return;
    }
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->spool_error = g_error_copy (error);
  g_idle_add (spool_failed_cb, self);
}

static gboolean
open_spool (Relay *self, GError **error)
{
  g_autofree char *directory = reroute_relay_options_dup_spool (self->options);

  self->parts.spool = reroute_spool_open (directory, 0, error);
  if (self->parts.spool == NULL)
    return FALSE;
  self->parts.tracker = reroute_tracker_new (reroute_spool_get_directory_fd (self->parts.spool));
  return TRUE;
}

static void
make_workers (Relay *self)
{
  self->parts.n_workers = reroute_workers_count ();
  self->parts.workers = g_new0 (RerouteWorker *, self->parts.n_workers);
  for (guint i = 0; i < self->parts.n_workers; i++)
    self->parts.workers[i] = reroute_worker_new (i);
}

static void
make_receivers (Relay *self)
{
  RerouteReceiverConfig config = {
    .spool = self->parts.spool,
    .admission = self->parts.admission,
    .hostname = self->machine_hostname,
    .accepted = accepted_cb,
    .drained = drained_cb,
    .user_data = self,
  };

  reroute_errands_set_up (&config, &self->parts);
  self->receivers = g_new0 (RerouteReceiver *, self->parts.n_workers);
  for (guint i = 0; i < self->parts.n_workers; i++)
    self->receivers[i] = reroute_receiver_new (self->parts.workers[i], &config);
}

static gboolean
make_scheduler (Relay *self, GError **error)
{
  const GPtrArray *listeners = self->parts.listeners;
  const RerouteSchedulerConfig config = {
    .spool = self->parts.spool,
    .tracker = self->parts.tracker,
    .dns_servers = (const char *const *) self->options->dns,
    .trust_anchor = self->options->trust_anchor,
    .token_helper = self->token_helper,
    .mx_port = self->options->mx_port,
    .mta_sts_port = self->options->mta_sts_port,
    .listen_port = listeners->len > 0 ? ((RerouteListener *) listeners->pdata[0])->port : 0,
    .workers = self->parts.workers,
    .n_workers = self->parts.n_workers,
    .pressure = pressure_cb,
    .user_data = self,
  };

  self->parts.scheduler = reroute_scheduler_new (&config, error);
  return self->parts.scheduler != NULL;
}

static gboolean
start_engine (Relay *self, GError **error)
{
  if (!reroute_supervision_take_sockets (self->handed, error) ||
      (self->options->listen != NULL && !update_listeners (self, error)))
    return FALSE;
  if (!open_spool (self, error))
    return FALSE;
  self->parts.admission = reroute_admission_new ();
  make_workers (self);
  make_receivers (self);
  if (!make_scheduler (self, error))
    return FALSE;
  for (guint i = 0; i < self->parts.n_workers; i++)
    reroute_worker_start (self->parts.workers[i]);
  reroute_spool_start (self->parts.spool, spool_read_cb, self);
  return TRUE;
}

static void
start_bus (Relay *self)
{
  g_autoptr (GError) error = NULL;

  self->parts.bus = reroute_bus_new (self->options->session, self->options->bus);
  g_signal_connect_swapped (self->parts.bus, "published", G_CALLBACK (published_cb), self);
  g_signal_connect_swapped (self->parts.bus, "name-taken", G_CALLBACK (name_taken_cb), self);
  if (!reroute_bus_open (self->parts.bus, &error))
    {
      g_message ("%s; trying again from time to time", error->message);
      reroute_bus_start (self->parts.bus);
    }
}

static void
start (Relay *self)
{
  g_autoptr (RerouteSettings) defaults = reroute_settings_new ();

  start_bus (self);
  self->service = reroute_relay_service_new (&self->parts);
  self->parts.monitor = reroute_monitor_new (&self->parts, self->options->metrics_listen);
  self->parts.tls = reroute_tls_keeper_new (tls_changed_cb, self);
  self->parts.certificates = reroute_client_certificate_keeper_new (self->parts.scheduler);
  self->srs = reroute_srs_keeper_new (self->parts.spool, srs_changed_cb, self);
  self->parts.secrets = reroute_secrets_keeper_new (
    self->parts.spool, self->receivers, self->parts.n_workers, self->parts.scheduler);
  self->rules = reroute_rules_client_new (self->parts.bus);
  self->alarms =
    reroute_alarm_watch_new (&self->parts, self->rules, self->service, self->token_helper);
  self->trim = reroute_trim_at_rest_new (&self->parts);
  take_settings (self, defaults);
  g_signal_connect_swapped (self->rules, "changed", G_CALLBACK (changed_cb), self);
  reroute_rules_client_start (self->rules);
  self->sigterm_id = g_unix_signal_add (SIGTERM, signal_cb, self);
  self->sigint_id = g_unix_signal_add (SIGINT, signal_cb, self);
  self->sighup_id = g_unix_signal_add (SIGHUP, reload_cb, self);
  if (self->listening)
    return;
  if (self->options->listen != NULL)
    get_ready (self);
  else
    self->wait_id = g_timeout_add_seconds (1, wait_cb, self);
}

/* --- the end --- */

static void
take_apart (Relay *self)
{
  /* From here on a signal ends the process, as by default. */
  g_clear_handle_id (&self->sigterm_id, g_source_remove);
  g_clear_handle_id (&self->sigint_id, g_source_remove);
  g_clear_handle_id (&self->sighup_id, g_source_remove);
  g_clear_handle_id (&self->wait_id, g_source_remove);
  g_clear_pointer (&self->watchdog, reroute_watchdog_free);
  g_clear_pointer (&self->trim, reroute_trim_at_rest_free);
  if (self->service != NULL)
    reroute_relay_service_close (self->service);
  g_clear_pointer (&self->alarms, reroute_alarm_watch_free);
  g_clear_object (&self->rules);
  g_clear_pointer (&self->parts.monitor, reroute_monitor_free);
  g_clear_pointer (&self->srs, reroute_srs_keeper_free);
  if (self->parts.spool != NULL)
    reroute_spool_stop_reading (self->parts.spool);
  if (self->parts.scheduler != NULL)
    reroute_scheduler_stop (self->parts.scheduler, DELIVERIES_GRACE_US);
  for (guint i = 0; i < self->parts.n_workers; i++)
    reroute_worker_stop (self->parts.workers[i]);
  g_clear_pointer (&self->parts.tracker, reroute_tracker_free);
  while (g_main_context_iteration (NULL, FALSE)) /* what was answered last */
    ;
  g_clear_object (&self->service);
  g_clear_pointer (&self->parts.tls, reroute_tls_keeper_free);
  g_clear_pointer (&self->parts.certificates, reroute_client_certificate_keeper_free);
  g_clear_pointer (&self->parts.secrets, reroute_secrets_keeper_free);
  g_clear_pointer (&self->parts.scheduler, reroute_scheduler_free);
  for (guint i = 0; i < self->parts.n_workers; i++)
    {
      reroute_receiver_free (self->receivers[i]);
      reroute_worker_free (self->parts.workers[i]);
    }
  g_clear_pointer (&self->parts.spool, reroute_spool_close);
  g_clear_pointer (&self->parts.admission, reroute_admission_free);
  g_clear_pointer (&self->parts.ruleset, reroute_ruleset_unref);
  g_clear_object (&self->parts.bus);
  g_clear_pointer (&self->parts.listeners, g_ptr_array_unref);
  g_clear_pointer (&self->handed, g_ptr_array_unref);
  g_free (self->receivers);
  g_free (self->parts.workers);
  g_free (self->machine_hostname);
  g_main_loop_unref (self->loop);
}

gboolean
reroute_relay_run (const RerouteRelayOptions *options, int token_helper, GError **error)
{
  g_return_val_if_fail (options != NULL, FALSE);

  Relay self = {
    .options = options,
    .token_helper = token_helper,
    .loop = g_main_loop_new (NULL, FALSE),
    .machine_hostname = reroute_host_name_find (),
  };

  self.parts.options = options;
  self.parts.listeners = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_listener_unref);
  self.handed = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_handed_socket_free);
  if (start_engine (&self, &self.failure))
    {
      start (&self);
      g_main_loop_run (self.loop);
    }
  take_apart (&self);
  if (self.failure == NULL)
    return TRUE;
  g_propagate_error (error, self.failure);
  return FALSE;
}
