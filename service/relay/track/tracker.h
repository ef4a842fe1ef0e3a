/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

#include "service/relay/track/record.h"

G_BEGIN_DECLS

/**
 * RerouteTracker:
 *
 * Keeps what happens to every message, for whoever looks for one.  Events are appended to a buffer
 * by any thread; the tracker's own writes many at a time, and answers.  It never makes mail wait,
 * and stops nothing: what it cannot write is lost.
 */
typedef struct _RerouteTracker RerouteTracker;

/* @dir_fd: of the spool, borrowed.  Off until reroute_tracker_configure(). */
RerouteTracker *reroute_tracker_new (int dir_fd);
/* Writes what waits. Calls that wait are answered as cancelled. */
void reroute_tracker_free (RerouteTracker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTracker, reroute_tracker_free)

/* @days: 0: nothing is tracked, and what was is deleted.  @octets: of all files together */
void reroute_tracker_configure (RerouteTracker *self, guint days, guint64 octets);

/* Why it does not track just now, or NULL: (transfer full) */
char *reroute_tracker_dup_failure (RerouteTracker *self);

/* --- events: any thread --- */

/* @self: (nullable).  For what is only prepared when it will be of use. */
gboolean reroute_tracker_is_on (RerouteTracker *self);

/* An event that is being written; it holds the tracker's lock. */
typedef struct
{
  RerouteTracker *tracker;
  GByteArray *octets; /* for reroute_track_record_add() */
  guint start;
} RerouteTrackWriter;

/* @self: (nullable).  FALSE: it is off, or has too much to write, and there is nothing to end.  No
   more may be done before reroute_tracker_end() than to add texts. */
gboolean reroute_tracker_begin (RerouteTracker *self,
                                const RerouteTrackHead *head,
                                RerouteTrackWriter *writer);
void reroute_tracker_end (RerouteTrackWriter *writer);

/* --- answers --- */

/* @filter: a{sv}; else as reroute_track_search(), once all that was tracked before is found.
   Errors: as there, and as reroute_track_filter_new(); %REROUTE_ERROR_VALUE: it is off;
   %REROUTE_ERROR_NO_RULES: it was not configured yet */
void reroute_tracker_search_async (RerouteTracker *self,
                                   GVariant *filter,
                                   guint64 cursor,
                                   guint limit,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
/* As reroute_track_trace(), likewise. */
void reroute_tracker_trace_async (RerouteTracker *self,
                                  guint64 id,
                                  guint offset,
                                  guint limit,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
/* Returns: (transfer full): the method's out values; %NULL with @error */
GVariant *reroute_tracker_call_finish (GAsyncResult *result, GError **error);

G_END_DECLS
