/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/relay-client.h"

G_BEGIN_DECLS

/* A line of the relay's log. */
typedef struct
{
  guint64 number;
  gint64 time_us; /* wall clock */
  char *category; /* "session" */
  guint severity; /* RFC 5424 section 6.2.1 */
  char *text;
} RerouteLogLine;

typedef struct
{
  guint64 next;     /* the cursor to go on with */
  guint64 missed;   /* lines since the cursor that are not kept any more */
  GPtrArray *lines; /* (element-type RerouteLogLine): oldest first; none: that was all for now */
} RerouteLogPage;

void reroute_log_line_free (gpointer line); /* a RerouteLogLine */
void reroute_log_page_free (RerouteLogPage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteLogPage, reroute_log_page_free)

/* "error", "warning", "message", "info", "debug" */
const char *reroute_log_severity_to_string (guint severity);

/**
 * reroute_relay_client_log_async:
 * @cursor: of the page before; 0: from the oldest line that is kept
 * @filter: text that stands in a line; "" is every line
 * @categories: (array zero-terminated=1): names; empty: all
 *
 * Relay1.LogSince, a page of REROUTE_LIMIT_LOG_LINES.
 */
void reroute_relay_client_log_async (RerouteRelayClient *relay,
                                     guint64 cursor,
                                     const char *filter,
                                     const char *const *categories,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
/* (transfer full).  Errors: as the relay gave them; %REROUTE_ERROR_UNAVAILABLE */
RerouteLogPage *
reroute_relay_client_log_finish (RerouteRelayClient *relay, GAsyncResult *result, GError **error);

G_END_DECLS
