/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * monitor.c - tells over HTTP how the relay does: /healthz, /readyz and /metrics
 *
 * For programs on this machine: loopback only, off by default (settings health-listen and
 * metrics-listen).  Runs in the main context; while it hangs there is no answer, and that says it.
 */

#include "config.h"

#include "service/relay/monitor.h"

#include "service/relay/metrics.h"
#include "service/relay/monitor-door.h"
#include "service/relay/progress.h"

#define LOOK_S 3 /* between two looks at the threads; one that hangs is seen after two */

struct _RerouteMonitor
{
  const RerouteRelayParts *parts;
  char *const *endpoints; /* (nullable): instead of the setting's */
  RerouteMonitorDoor *health;
  RerouteMonitorDoor *metrics;
  RerouteProgress *progress; /* NULL: nobody asks */
  guint look_id;
  char *stuck; /* (nullable): who hangs */
};

static void
respond (SoupServerMessage *message, guint status, const char *type, char *body, gsize length)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_TAKE, body, length);
}

static void
respond_json (SoupServerMessage *message, gboolean well, char *body)
{
  respond (message,
           well ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE,
           "application/json",
           body,
           strlen (body));
}

static const char *
spell (gboolean value)
{
  return value ? "true" : "false";
}

/* The end of a JSON object; (transfer full) */
static char *
spell_reason (const char *reason)
{
  return reason != NULL ? g_strdup_printf (", \"reason\": \"%s\"}\n", reason) : g_strdup ("}\n");
}

/* --- the pages --- */

static void
answer_healthz (SoupServerMessage *message, gpointer user_data)
{
  const RerouteMonitor *self = user_data;
  g_autofree char *reason =
    self->stuck != NULL ? g_strconcat (self->stuck, " does not move", NULL) : NULL;
  g_autofree char *end = spell_reason (reason);

  respond_json (
    message, reason == NULL, g_strdup_printf ("{\"alive\": %s%s", spell (reason == NULL), end));
}

static void
answer_readyz (SoupServerMessage *message, gpointer user_data)
{
  const RerouteMonitor *self = user_data;
  RerouteFigures figures;

  reroute_figures_gather (self->parts, &figures);
  const char *reason = reroute_figures_judge_ready (&figures);
  g_autofree char *end = spell_reason (reason);
  respond_json (message,
                reason == NULL,
                g_strdup_printf ("{\"ready\": %s, \"rules\": %s, \"listening\": %s, \"queue\": %s, "
                                 "\"spool\": %s, \"stopping\": %s%s",
                                 spell (reason == NULL),
                                 spell (figures.rules_held),
                                 spell (figures.is_listening),
                                 spell (figures.queue.is_restored),
                                 spell (figures.spool.writable),
                                 spell (figures.is_stopping),
                                 end));
}

static void
answer_metrics (SoupServerMessage *message, gpointer user_data)
{
  const RerouteMonitor *self = user_data;
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  RerouteMetricsFormat format =
    reroute_metrics_format_choose (soup_message_headers_get_list (headers, "Accept"));
  RerouteFigures figures;
  gsize length;

  reroute_figures_gather (self->parts, &figures);
  char *body = reroute_metrics_format (&figures, format, &length);
  respond (message, SOUP_STATUS_OK, reroute_metrics_format_get_type (format), body, length);
}

/* --- whether all goes on --- */

static gboolean
look_cb (gpointer user_data)
{
  RerouteMonitor *self = user_data;

  g_free (self->stuck);
  self->stuck = reroute_progress_look (self->progress);
  return G_SOURCE_CONTINUE;
}

static void
watch (RerouteMonitor *self, gboolean wanted)
{
  if (wanted == (self->progress != NULL))
    return;
  g_clear_handle_id (&self->look_id, g_source_remove);
  g_clear_pointer (&self->progress, reroute_progress_free);
  g_clear_pointer (&self->stuck, g_free);
  if (!wanted)
    return;
  self->progress =
    reroute_progress_new (self->parts->spool, self->parts->workers, self->parts->n_workers);
  self->look_id = g_timeout_add_seconds (LOOK_S, look_cb, self);
}

/* --- for the owner --- */

static RerouteMonitorDoor *
make_door (RerouteMonitor *self, const char *setting)
{
  RerouteMonitorDoor *door = reroute_monitor_door_new (setting);

  reroute_monitor_door_add_page (door, "/healthz", answer_healthz, self);
  reroute_monitor_door_add_page (door, "/readyz", answer_readyz, self);
  return door;
}

RerouteMonitor *
reroute_monitor_new (const RerouteRelayParts *parts, char *const *endpoints)
{
  g_return_val_if_fail (parts != NULL, NULL);

  RerouteMonitor *self = g_new0 (RerouteMonitor, 1);
  self->parts = parts;
  self->endpoints = endpoints;
  self->health = make_door (self, "health-listen");
  self->metrics = make_door (self, "metrics-listen");
  reroute_monitor_door_add_page (self->metrics, "/metrics", answer_metrics, self);
  return self;
}

void
reroute_monitor_free (RerouteMonitor *self)
{
  g_return_if_fail (self != NULL);

  watch (self, FALSE);
  reroute_monitor_door_free (self->health);
  reroute_monitor_door_free (self->metrics);
  g_free (self);
}

void
reroute_monitor_listen (RerouteMonitor *self)
{
  g_return_if_fail (self != NULL);

  reroute_monitor_door_listen (self->health);
  reroute_monitor_door_listen (self->metrics);
}

void
reroute_monitor_set_settings (RerouteMonitor *self, const RerouteSettings *settings)
{
  g_return_if_fail (self != NULL && settings != NULL);

  const char *const *health =
    reroute_settings_get_endpoints (settings, REROUTE_SETTING_HEALTH_LISTEN);
  const char *const *metrics =
    self->endpoints != NULL
      ? (const char *const *) self->endpoints
      : reroute_settings_get_endpoints (settings, REROUTE_SETTING_METRICS_LISTEN);

  reroute_monitor_door_set_endpoints (self->health, health);
  reroute_monitor_door_set_endpoints (self->metrics, metrics);
  reroute_monitor_listen (self);
  watch (self, health[0] != NULL || metrics[0] != NULL);
}

GStrv
reroute_monitor_list_metrics (const RerouteMonitor *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  const GPtrArray *open = reroute_monitor_door_get_open (self->metrics);
  g_autoptr (GStrvBuilder) endpoints = g_strv_builder_new ();

  for (guint i = 0; i < open->len; i++)
    g_strv_builder_add (endpoints, open->pdata[i]);
  return g_strv_builder_end (endpoints);
}
