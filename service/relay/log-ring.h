/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/log-level.h"

G_BEGIN_DECLS

/* Where a line stands among the others of its batch, and what it is. */
typedef struct
{
  gint64 time_us; /* wall clock */
  guint32 start;  /* of its text in the batch's */
  guint32 length;
  guint8 category; /* RerouteLogCategory */
  guint8 severity; /* RFC 5424 section 6.2.1 */
} RerouteLogMark;

/**
 * RerouteLogRing:
 *
 * The last lines of the log: whole batches as the writer's thread wrote them, so that keeping them
 * copies nothing.  Lines are numbered from the time in microseconds at which the ring was made: a
 * cursor of an earlier relay is known by that, and begins with the oldest line.  May be used from
 * any thread.
 */
typedef struct _RerouteLogRing RerouteLogRing;

/* @most_octets: of text; the newest batch is kept however long it is. */
RerouteLogRing *reroute_log_ring_new (gsize most_octets);
void reroute_log_ring_free (RerouteLogRing *self);

/* @text, @marks: (transfer full) (element-type RerouteLogMark): one batch; stays where it is until
   a later one is pushed. */
void reroute_log_ring_push (RerouteLogRing *self, GString *text, GArray *marks);

/* What is asked for. */
typedef struct
{
  guint64 cursor;     /* of the answer before; 0: from the oldest line that is kept */
  const char *filter; /* stands in the text, whatever its case; "": any */
  guint categories;   /* a bit each, 1 << RerouteLogCategory */
  guint limit;        /* lines; at most that many are answered */
} RerouteLogQuestion;

/**
 * reroute_log_ring_read:
 *
 * Returns: (transfer floating): (t next, t missed, a(txsus) lines): as Relay1.LogSince answers
 */
GVariant *reroute_log_ring_read (RerouteLogRing *self, const RerouteLogQuestion *question);

G_END_DECLS
