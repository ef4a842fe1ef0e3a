/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-service-queue.c - the methods of org.reroute.Relay1 about the queue and the reports about
 * TLS
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay-service"

#include "service/relay/relay-service-private.h"

#include "common/domain.h"
#include "common/error.h"
#include "common/limits.h"

/* --- the queue --- */

void
reroute_relay_run_queue (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  const char *filter;
  GError *error = NULL;

  g_variant_get_child (call->arguments, 0, "&s", &filter);
  if (!reroute_relay_call_check_text ("filter", filter, &error))
    reroute_relay_call_fail (call, error);
  else
    reroute_scheduler_queue_async (self->parts->scheduler,
                                   call->arguments,
                                   self->cancellable,
                                   reroute_relay_call_answered_cb,
                                   call);
}

void
reroute_relay_run_queue_groups (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  const char *text;
  GError *error = NULL;

  g_variant_get_child (call->arguments, 1, "&s", &text);
  if (!reroute_relay_call_check_text ("filter", text, &error))
    reroute_relay_call_fail (call, error);
  else
    reroute_scheduler_queue_groups_async (self->parts->scheduler,
                                          call->arguments,
                                          self->cancellable,
                                          reroute_relay_call_answered_cb,
                                          call);
}

void
reroute_relay_run_queue_group (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  const char *text;
  GError *error = NULL;

  g_variant_get_child (call->arguments, 2, "&s", &text);
  if (!reroute_relay_call_check_text ("filter", text, &error))
    reroute_relay_call_fail (call, error);
  else
    reroute_scheduler_queue_group_async (self->parts->scheduler,
                                         call->arguments,
                                         self->cancellable,
                                         reroute_relay_call_answered_cb,
                                         call);
}

void
reroute_relay_run_queue_message (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  guint64 id;

  g_variant_get (call->arguments, "(t)", &id);
  reroute_scheduler_show_async (
    self->parts->scheduler, id, self->cancellable, reroute_relay_call_answered_cb, call);
}

static void
acted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteRelayCall *call = user_data;
  GTask *task = G_TASK (result);

  if (!g_task_had_error (task))
    {
      g_autofree char *caller = reroute_caller_to_string (&call->caller);

      g_message (
        "%s: asked by %s", g_dbus_method_invocation_get_method_name (call->invocation), caller);
    }
  reroute_relay_call_answered_cb (source, result, user_data);
}

static void
act (RerouteRelayCall *call, RerouteQueueAction action)
{
  RerouteRelayService *self = call->service;
  g_autoptr (GVariant) array = g_variant_get_child_value (call->arguments, 0);

  if (g_variant_n_children (array) <= REROUTE_LIMIT_CALL_IDS)
    reroute_scheduler_act_async (
      self->parts->scheduler, action, call->arguments, self->cancellable, acted_cb, call);
  else
    reroute_relay_call_fail (call,
                             g_error_new (REROUTE_ERROR,
                                          REROUTE_ERROR_TOO_LARGE,
                                          "too many messages in one call: wanted at most %d",
                                          REROUTE_LIMIT_CALL_IDS));
}

void
reroute_relay_run_queue_retry (RerouteRelayCall *call)
{
  act (call, REROUTE_QUEUE_ACTION_RETRY);
}

void
reroute_relay_run_queue_hold (RerouteRelayCall *call)
{
  act (call, REROUTE_QUEUE_ACTION_HOLD);
}

void
reroute_relay_run_queue_release (RerouteRelayCall *call)
{
  act (call, REROUTE_QUEUE_ACTION_RELEASE);
}

void
reroute_relay_run_queue_return (RerouteRelayCall *call)
{
  act (call, REROUTE_QUEUE_ACTION_RETURN);
}

void
reroute_relay_run_queue_delete (RerouteRelayCall *call)
{
  act (call, REROUTE_QUEUE_ACTION_DELETE);
}

/* --- reports about TLS --- */

void
reroute_relay_run_tls_report (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  const char *domain;
  g_autofree char *normal = NULL;
  guint offset, limit;
  GError *error = NULL;

  g_variant_get (call->arguments, "(&suu)", &domain, &offset, &limit);
  normal = *domain != '\0' ? reroute_domain_normalize (domain, &error) : g_strdup ("");
  if (normal == NULL)
    reroute_relay_call_fail (call, error);
  else
    reroute_scheduler_tls_report_async (self->parts->scheduler,
                                        normal,
                                        offset,
                                        MIN (limit, REROUTE_LIMIT_PAGE_ROWS),
                                        self->cancellable,
                                        reroute_relay_call_answered_cb,
                                        call);
}

void
reroute_relay_run_send_tls_reports (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  gboolean today;

  g_variant_get (call->arguments, "(b)", &today);
  reroute_scheduler_send_tls_reports_async (
    self->parts->scheduler, today, self->cancellable, reroute_relay_call_answered_cb, call);
}
