/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-service.c - org.reroute.Relay1 on the bus
 *
 * Every call goes the same way: the table says what it needs, the authority whether the caller
 * has it, and the method's function checks the values and asks the scheduler, which answers from
 * its own thread.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay-service"

#include "service/relay/relay-service-private.h"

#include "common/alarm.h"
#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/names.h"
#include "service/host-name.h"
#include "service/relay/log-writer.h"
#include "service/relay/monitor.h"

#include <string.h>

#define FIGURES_WAIT_S 1 /* StatusChanged comes at most that often */

G_DEFINE_FINAL_TYPE (RerouteRelayService, reroute_relay_service, G_TYPE_OBJECT)

/* --- replies --- */

static void
free_call (RerouteRelayCall *call)
{
  g_variant_unref (call->arguments);
  g_object_unref (call->service);
  reroute_caller_clear (&call->caller);
  g_free (call);
}

void
reroute_relay_call_reply (RerouteRelayCall *call, GVariant *value)
{
  g_dbus_method_invocation_return_value (call->invocation, value);
  free_call (call);
}

void
reroute_relay_call_fail (RerouteRelayCall *call, GError *error)
{
  g_debug ("%s: %s", g_dbus_method_invocation_get_method_name (call->invocation), error->message);
  if (call->service->parts == NULL)
    reroute_bus_explain_cancelled (&error);
  /* It may quote the beginning of a text that was cut within a character. */
  g_autofree char *message = error->message;
  error->message = g_utf8_make_valid (message, -1);
  g_dbus_method_invocation_take_error (call->invocation, error);
  free_call (call);
}

void
reroute_relay_call_answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteRelayCall *call = user_data;
  RerouteRelayService *self = call->service;
  GError *error = NULL;

  if (self->parts == NULL)
    {
      reroute_relay_call_fail (call, reroute_bus_describe_stopping ());
      return;
    }
  GVariant *value = reroute_scheduler_call_finish (self->parts->scheduler, result, &error);
  if (value == NULL)
    reroute_relay_call_fail (call, error);
  else
    {
      g_autoptr (GVariant) owned = g_variant_take_ref (value);
      reroute_relay_call_reply (call, owned);
    }
}

gboolean
reroute_relay_call_check_text (const char *what, const char *text, GError **error)
{
  if (strlen (text) <= REROUTE_LIMIT_PATH_OCTETS)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_TOO_LARGE,
               "the %s is too long: wanted at most %d octets",
               what,
               REROUTE_LIMIT_PATH_OCTETS);
  return FALSE;
}

/* --- status --- */

static GVariant *
list_listeners (const RerouteRelayParts *parts)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; i < parts->listeners->len; i++)
    g_variant_builder_add (&builder, "s", ((RerouteListener *) parts->listeners->pdata[i])->label);
  return g_variant_builder_end (&builder);
}

static void
add_number (GVariantBuilder *builder, const char *name, guint64 value)
{
  g_variant_builder_add (builder, "{sv}", name, g_variant_new_uint64 (value));
}

static void
add_scheduler_figures (GVariantBuilder *builder, const RerouteRelayParts *parts)
{
  RerouteSchedulerFigures figures = { 0 };

  reroute_scheduler_get_figures (parts->scheduler, &figures);
  g_autofree char *dns = figures.dns;
  g_variant_builder_add (
    builder, "{sv}", "queue-read", g_variant_new_boolean (figures.is_restored));
  add_number (builder, "messages-queued", figures.messages);
  add_number (builder, "recipients-queued", figures.recipients);
  add_number (builder, "recipients-held", figures.held);
  add_number (builder, "received", figures.received);
  add_number (builder, "delivered", figures.delivered);
  add_number (builder, "deferred", figures.deferred);
  add_number (builder, "failed", figures.failed);
  g_variant_builder_add (builder, "{sv}", "oldest-us", g_variant_new_int64 (figures.oldest_us));
  g_variant_builder_add (
    builder, "{sv}", "outbound-connections", g_variant_new_uint32 (figures.connections));
  g_variant_builder_add (builder, "{sv}", "dns", g_variant_new_string (dns != NULL ? dns : ""));
}

static guint64
get_serial (const RerouteRelayParts *parts)
{
  return parts->ruleset != NULL ? reroute_ruleset_get_serial (parts->ruleset) : 0;
}

static void
add_tls (GVariantBuilder *builder, const RerouteRelayParts *parts)
{
  const char *ours = reroute_tls_keeper_get_failure (parts->tls);
  g_autofree char *to_others = reroute_client_certificate_keeper_dup_failure (parts->certificates);
  g_autofree char *described = reroute_tls_keeper_describe (parts->tls);
  const char *separator = ours != NULL && to_others != NULL ? "; " : "";

  g_variant_builder_add (builder,
                         "{sv}",
                         "tls",
                         g_variant_new_take_string (g_strconcat (
                           described, to_others != NULL ? "; " : "", to_others, NULL)));
  g_variant_builder_add (
    builder,
    "{sv}",
    "tls-failure",
    g_variant_new_take_string (g_strconcat (ours != NULL ? ours : "", separator, to_others, NULL)));
}

static void
run_status (RerouteRelayCall *call)
{
  const RerouteRelayParts *parts = call->service->parts;
  RerouteSpoolFigures spool;
  GVariantBuilder builder;

  reroute_spool_get_figures (parts->spool, &spool);
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (
    &builder, "{sv}", "rules-held", g_variant_new_boolean (parts->ruleset != NULL));
  add_number (&builder, "serial", get_serial (parts));
  g_variant_builder_add (&builder, "{sv}", "listening", list_listeners (parts));
  g_variant_builder_add (
    &builder,
    "{sv}",
    "sessions",
    g_variant_new_uint32 (reroute_admission_get_n_sessions (parts->admission)));
  g_auto (GStrv) metrics = reroute_monitor_list_metrics (parts->monitor);
  g_variant_builder_add (
    &builder, "{sv}", "metrics", g_variant_new_strv ((const char *const *) metrics, -1));
  add_scheduler_figures (&builder, parts);
  g_variant_builder_add (&builder, "{sv}", "spool-ok", g_variant_new_boolean (spool.writable));
  add_number (&builder, "spool-octets", spool.octets);
  add_number (&builder, "syncs", spool.syncs);
  add_tls (&builder, parts);
  g_autofree char *track_failure = reroute_tracker_dup_failure (parts->tracker);
  g_variant_builder_add (&builder,
                         "{sv}",
                         "track-failure",
                         g_variant_new_string (track_failure != NULL ? track_failure : ""));
  g_variant_builder_add (&builder, "{sv}", "hostname", g_variant_new_string (parts->hostname));
  g_variant_builder_add (
    &builder, "{sv}", "alarms", reroute_dbus_relay1_get_alarms (call->service->skeleton));
  reroute_relay_call_reply (call, g_variant_new ("(a{sv})", &builder));
}

/* --- decisions --- */

/* The ruleset that the relay runs, under unsaved changes; (transfer full) */
static RerouteRuleset *
make_ruleset (RerouteRuleset *held, GVariant *changes_variant, GError **error)
{
  if (held == NULL)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_NO_RULES,
                   "the relay has not received any rules yet: is reroute-rulesd running?");
      return NULL;
    }
  if (g_variant_n_children (changes_variant) == 0)
    return reroute_ruleset_ref (held);

  g_autoptr (GPtrArray) changes = reroute_changes_from_variant (changes_variant, error);
  if (changes == NULL)
    return NULL;
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (held);
  for (guint i = 0; i < changes->len; i++)
    if (!reroute_ruleset_builder_apply (builder, changes->pdata[i], error))
      return NULL;
  g_autoptr (RerouteRuleset) changed =
               reroute_ruleset_builder_build (builder, reroute_ruleset_get_serial (held));
  g_autofree char *machine = reroute_host_name_find ();
  return reroute_host_name_fill_in (changed, machine);
}

static gboolean
parse_client (const char *text, RerouteClient *client, GError **error)
{
  if (*text == '\0' || reroute_ip_parse (text, &client->ip))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "client “%.64s” is no IP address: wanted like “192.0.2.1” or “2001:db8::1”",
               text);
  return FALSE;
}

static void
run_explain (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  const char *address, *client_text;
  RerouteClient client = { 0 };
  g_autoptr (GVariant) changes = NULL;
  g_autoptr (RerouteRuleset) ruleset = NULL;
  GError *error = NULL;

  g_variant_get (
    call->arguments, "(&s&sb@a(sv))", &address, &client_text, &client.authenticated, &changes);
  if (!reroute_relay_call_check_text ("address", address, &error) ||
      !parse_client (client_text, &client, &error) ||
      (ruleset = make_ruleset (self->parts->ruleset, changes, &error)) == NULL)
    {
      reroute_relay_call_fail (call, error);
      return;
    }
  reroute_scheduler_explain_async (self->parts->scheduler,
                                   address,
                                   *client_text != '\0' ? &client : NULL,
                                   ruleset,
                                   self->cancellable,
                                   reroute_relay_call_answered_cb,
                                   call);
}

static void
run_mx_leads_here (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  g_autofree const char **domains = NULL;

  g_variant_get (call->arguments, "(^a&s)", &domains);
  if (g_strv_length ((char **) domains) <= REROUTE_LIMIT_MX_QUESTIONS)
    reroute_scheduler_mx_leads_here_async (
      self->parts->scheduler, domains, self->cancellable, reroute_relay_call_answered_cb, call);
  else
    reroute_relay_call_fail (call,
                             g_error_new (REROUTE_ERROR,
                                          REROUTE_ERROR_TOO_LARGE,
                                          "too many domains in one call: wanted at most %d",
                                          REROUTE_LIMIT_MX_QUESTIONS));
}

/* --- the log --- */

/* A bit for each of @names; all when there are none.  0: one of them is unknown. */
static guint
parse_categories (const char *const *names, GError **error)
{
  guint categories = 0;

  for (; *names != NULL; names++)
    {
      RerouteLogCategory category;

      if (!reroute_log_category_from_string (*names, &category))
        {
          g_set_error (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_VALUE,
                       "“%.64s” is no category of the log: wanted session, tls, delivery, milter, "
                       "spool, rules or service",
                       *names);
          return 0;
        }
      categories |= 1u << category;
    }
  return categories != 0 ? categories : G_MAXUINT;
}

static void
run_log_since (RerouteRelayCall *call)
{
  RerouteLogQuestion question = { 0 };
  g_autofree const char **names = NULL;
  GError *error = NULL;

  g_variant_get (
    call->arguments, "(t&s^a&su)", &question.cursor, &question.filter, &names, &question.limit);
  question.limit = MIN (question.limit, REROUTE_LIMIT_LOG_LINES);
  question.categories = parse_categories (names, &error);
  if (question.categories == 0 ||
      !reroute_relay_call_check_text ("filter", question.filter, &error))
    reroute_relay_call_fail (call, error);
  else
    reroute_relay_call_reply (call,
                              reroute_log_ring_read (reroute_log_writer_get_ring (), &question));
}

/* --- secrets --- */

static void
run_set_secret (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  const char *name, *value;
  GError *error = NULL;

  g_variant_get (call->arguments, "(&s&s)", &name, &value);
  if (reroute_secrets_keeper_set (self->parts->secrets, name, value, &error))
    {
      g_autofree char *caller = reroute_caller_to_string (&call->caller);

      g_message ("secret “%s” was %s by %s", name, *value != '\0' ? "set" : "removed", caller);
      reroute_relay_call_reply (call, NULL);
    }
  else
    reroute_relay_call_fail (call, error);
}

static void
run_list_secrets (RerouteRelayCall *call)
{
  g_auto (GStrv) names = reroute_secrets_keeper_list (call->service->parts->secrets);

  reroute_relay_call_reply (call, g_variant_new ("(^as)", names));
}

/* --- every call --- */

static const RerouteRelayMethod methods[] = {
  /* clang-format off */
  { "handle-status",        NULL,                         run_status },
  { "handle-explain",       REROUTE_ACTION_QUEUE_VIEW,    run_explain },
  { "handle-mx-leads-here", NULL,                         run_mx_leads_here },
  { "handle-queue",         REROUTE_ACTION_QUEUE_VIEW,    reroute_relay_run_queue },
  { "handle-queue-groups",  REROUTE_ACTION_QUEUE_VIEW,    reroute_relay_run_queue_groups },
  { "handle-queue-group",   REROUTE_ACTION_QUEUE_VIEW,    reroute_relay_run_queue_group },
  { "handle-queue-message", REROUTE_ACTION_QUEUE_VIEW,    reroute_relay_run_queue_message },
  { "handle-queue-retry",   REROUTE_ACTION_QUEUE_MANAGE,  reroute_relay_run_queue_retry, TRUE },
  { "handle-queue-hold",    REROUTE_ACTION_QUEUE_MANAGE,  reroute_relay_run_queue_hold, TRUE },
  { "handle-queue-release", REROUTE_ACTION_QUEUE_MANAGE,  reroute_relay_run_queue_release, TRUE },
  { "handle-queue-return",  REROUTE_ACTION_QUEUE_MANAGE,  reroute_relay_run_queue_return, TRUE },
  { "handle-queue-delete",  REROUTE_ACTION_QUEUE_MANAGE,  reroute_relay_run_queue_delete, TRUE },
  { "handle-log-since",     REROUTE_ACTION_QUEUE_VIEW,    run_log_since },
  { "handle-track",         REROUTE_ACTION_QUEUE_VIEW,    reroute_relay_run_track },
  { "handle-track-message", REROUTE_ACTION_QUEUE_VIEW,    reroute_relay_run_track_message },
  { "handle-examine",       REROUTE_ACTION_QUEUE_MANAGE,  reroute_relay_run_examine },
  { "handle-set-secret",    REROUTE_ACTION_RULES_MODIFY,  run_set_secret, TRUE },
  { "handle-list-secrets",  REROUTE_ACTION_RULES_MODIFY,  run_list_secrets },
  { "handle-judge-certificates", REROUTE_ACTION_RULES_MODIFY, reroute_relay_run_judge_certificates },
  { "handle-tls-report",    REROUTE_ACTION_QUEUE_VIEW,    reroute_relay_run_tls_report },
  { "handle-send-tls-reports", REROUTE_ACTION_QUEUE_MANAGE, reroute_relay_run_send_tls_reports },
  /* clang-format on */
};

static void
authorized_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteRelayCall *call = user_data;
  RerouteRelayService *self = call->service;
  GError *error = NULL;

  if (!reroute_authority_check_finish (self->authority, result, &call->caller, &error))
    reroute_relay_call_fail (call, error);
  else if (self->parts == NULL)
    reroute_relay_call_fail (call, reroute_bus_describe_stopping ());
  else
    call->method->run (call);
}

/* Connected swapped: the arguments of the method follow and are taken from the invocation. */
static gboolean
handle_cb (RerouteRelayHandler *handler, GDBusMethodInvocation *invocation)
{
  RerouteRelayCall *call = g_new0 (RerouteRelayCall, 1);
  const RerouteAccess access = { handler->method->action, handler->method->is_logged };

  call->service = g_object_ref (handler->service);
  call->method = handler->method;
  call->invocation = invocation;
  call->arguments = g_variant_ref (g_dbus_method_invocation_get_parameters (invocation));
  reroute_authority_check_async (handler->service->authority,
                                 invocation,
                                 &access,
                                 handler->service->cancellable,
                                 authorized_cb,
                                 call);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* --- StatusChanged --- */

static gboolean
figures_cb (gpointer user_data)
{
  RerouteRelayService *self = user_data;
  RerouteSchedulerFigures now = { 0 };
  guint64 serial = get_serial (self->parts);

  reroute_scheduler_get_figures (self->parts->scheduler, &now);
  g_clear_pointer (&now.dns, g_free);
  if (serial == self->told_serial && now.changes == self->told.changes &&
      now.received == self->told.received && now.is_restored == self->told.is_restored)
    return G_SOURCE_CONTINUE;
  self->told = now;
  self->told_serial = serial;
  reroute_dbus_relay1_emit_status_changed (self->skeleton, serial);
  return G_SOURCE_CONTINUE;
}

/* --- public --- */

static void
reroute_relay_service_dispose (GObject *object)
{
  RerouteRelayService *self = REROUTE_RELAY_SERVICE (object);

  reroute_relay_service_close (self);
  g_clear_object (&self->skeleton);
  g_clear_object (&self->authority);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->handlers, g_free);
  G_OBJECT_CLASS (reroute_relay_service_parent_class)->dispose (object);
}

static void
reroute_relay_service_class_init (RerouteRelayServiceClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_relay_service_dispose;
}

static void
reroute_relay_service_init (RerouteRelayService *self)
{
  self->cancellable = g_cancellable_new ();
  self->skeleton = reroute_dbus_relay1_skeleton_new ();
  reroute_dbus_relay1_set_version (self->skeleton, REROUTE_VERSION);
  reroute_dbus_relay1_set_alarms (self->skeleton, g_variant_new (REROUTE_ALARMS_TYPE, NULL));
  self->handlers = g_new (RerouteRelayHandler, G_N_ELEMENTS (methods));
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      self->handlers[i] = (RerouteRelayHandler){ self, &methods[i] };
      g_signal_connect_swapped (
        self->skeleton, methods[i].signal, G_CALLBACK (handle_cb), &self->handlers[i]);
    }
}

RerouteRelayService *
reroute_relay_service_new (const RerouteRelayParts *parts)
{
  g_return_val_if_fail (parts != NULL, NULL);

  RerouteRelayService *self = g_object_new (REROUTE_TYPE_RELAY_SERVICE, NULL);
  self->parts = parts;
  self->authority = reroute_authority_new (parts->bus);
  return self;
}

void
reroute_relay_service_publish (RerouteRelayService *self)
{
  g_return_if_fail (REROUTE_IS_RELAY_SERVICE (self) && self->parts != NULL);

  self->figures_id = g_timeout_add_seconds (FIGURES_WAIT_S, figures_cb, self);
  reroute_bus_publish (self->parts->bus,
                       G_DBUS_INTERFACE_SKELETON (self->skeleton),
                       REROUTE_RELAY_PATH,
                       REROUTE_RELAY_BUS_NAME);
}

void
reroute_relay_service_close (RerouteRelayService *self)
{
  g_return_if_fail (REROUTE_IS_RELAY_SERVICE (self));

  if (self->parts == NULL)
    return;
  g_clear_handle_id (&self->figures_id, g_source_remove);
  reroute_bus_unpublish (self->parts->bus);
  g_cancellable_cancel (self->cancellable);
  self->parts = NULL;
}

void
reroute_relay_service_set_alarms (RerouteRelayService *self, GVariant *alarms)
{
  g_return_if_fail (REROUTE_IS_RELAY_SERVICE (self) && alarms != NULL);

  reroute_dbus_relay1_set_alarms (self->skeleton, alarms);
}

void
reroute_relay_service_set_serial (RerouteRelayService *self, guint64 serial)
{
  g_return_if_fail (REROUTE_IS_RELAY_SERVICE (self));

  reroute_dbus_relay1_set_serial (self->skeleton, serial);
}
