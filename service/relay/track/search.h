/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/track/filter.h"
#include "service/relay/track/store.h"

G_BEGIN_DECLS

/* Called between two files; FALSE: the search is given up. */
typedef gboolean (*RerouteTrackPauseFunc) (gpointer user_data);

/* What a search works with. */
typedef struct
{
  RerouteTrackStore *store;
  RerouteTrackPauseFunc pause;
  gpointer user_data;
} RerouteTrackReader;

/**
 * reroute_track_search:
 * @cursor: of the answer before (reroute_track_cursor_pack()); 0: from the newest message
 * @limit: messages
 *
 * Errors: %G_IO_ERROR_CANCELLED: it was given up
 *
 * Returns: (transfer floating): (t next, x searched, a(txxsssusssss) messages) as Relay1.Track
 *   answers; %NULL with @error
 */
GVariant *reroute_track_search (const RerouteTrackReader *reader,
                                const RerouteTrackFilter *filter,
                                guint64 cursor,
                                guint limit,
                                GError **error);

/**
 * reroute_track_trace:
 * @offset, @limit: events
 *
 * Errors: %REROUTE_ERROR_NO_SUCH_ENTRY: nothing is known of the message; %G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer floating): (u total, aa{sv} events) as Relay1.TrackMessage answers; %NULL with
 *   @error
 */
GVariant *reroute_track_trace (
  const RerouteTrackReader *reader, guint64 id, guint offset, guint limit, GError **error);

G_END_DECLS
