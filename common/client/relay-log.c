/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-log.c - the relay's log over the bus
 */

#include "config.h"

#include "common/client/relay-log.h"

#include "common/client/relay-client-private.h"
#include "common/limits.h"

#define LINES_TYPE "a(txsus)"

void
reroute_log_line_free (gpointer data)
{
  RerouteLogLine *line = data;

  g_free (line->category);
  g_free (line->text);
  g_free (line);
}

void
reroute_log_page_free (RerouteLogPage *self)
{
  g_ptr_array_unref (self->lines);
  g_free (self);
}

const char *
reroute_log_severity_to_string (guint severity)
{
  static const char *const names[] = { "error",   "error",   "error", "error",
                                       "warning", "message", "info",  "debug" };

  return names[MIN (severity, G_N_ELEMENTS (names) - 1)];
}

static RerouteLogPage *
decode (GVariant *reply)
{
  RerouteLogPage *page = g_new0 (RerouteLogPage, 1);
  g_autoptr (GVariantIter) iter = NULL;
  RerouteLogLine read = { 0 };

  page->lines = g_ptr_array_new_with_free_func (reroute_log_line_free);
  g_variant_get (reply, "(tt" LINES_TYPE ")", &page->next, &page->missed, &iter);
  while (g_variant_iter_next (
    iter, "(txsus)", &read.number, &read.time_us, &read.category, &read.severity, &read.text))
    g_ptr_array_add (page->lines, g_memdup2 (&read, sizeof read));
  return page;
}

void
reroute_relay_client_log_async (RerouteRelayClient *relay,
                                guint64 cursor,
                                const char *filter,
                                const char *const *categories,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (relay));

  reroute_relay_client_start_call (
    g_task_new (relay, cancellable, callback, user_data),
    "LogSince",
    g_variant_new ("(ts^asu)", cursor, filter, categories, REROUTE_LIMIT_LOG_LINES),
    "(tt" LINES_TYPE ")",
    REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

RerouteLogPage *
reroute_relay_client_log_finish (RerouteRelayClient *relay, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, relay), NULL);

  g_autoptr (GVariant) reply = g_task_propagate_pointer (G_TASK (result), error);

  return reply != NULL ? decode (reply) : NULL;
}
