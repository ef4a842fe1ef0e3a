/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-service-track.c - the methods of org.reroute.Relay1 about what became of messages
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay-service"

#include "service/relay/relay-service-private.h"

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteRelayCall *call = user_data;
  GError *error = NULL;
  g_autoptr (GVariant) value = reroute_tracker_call_finish (result, &error);

  if (value != NULL)
    reroute_relay_call_reply (call, value);
  else
    reroute_relay_call_fail (call, error);
}

void
reroute_relay_run_track (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  g_autoptr (GVariant) filter = NULL;
  guint64 cursor;
  guint limit;

  g_variant_get (call->arguments, "(@a{sv}tu)", &filter, &cursor, &limit);
  reroute_tracker_search_async (
    self->parts->tracker, filter, cursor, limit, self->cancellable, answered_cb, call);
}

void
reroute_relay_run_track_message (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  guint64 id;
  guint offset, limit;

  g_variant_get (call->arguments, "(tuu)", &id, &offset, &limit);
  reroute_tracker_trace_async (
    self->parts->tracker, id, offset, limit, self->cancellable, answered_cb, call);
}
