/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/index.h"

G_BEGIN_DECLS

/* A segment in memory. */
typedef struct
{
  guint8 *octets;     /* as many as the segment has; what the disk does not give back is zero */
  gsize end;          /* of what was ever written: zeros behind it */
  GArray *unreadable; /* (element-type RerouteUnreadable): in order */
} RerouteSegmentImage;

/**
 * RerouteReadAhead:
 *
 * Reads the segments of a journal in their order, each while the one before it is looked at.
 */
typedef struct _RerouteReadAhead RerouteReadAhead;

/* @segments: (element-type RerouteSegment): serial and size are looked at; borrowed.
   @sync: what is read is on the disk then */
RerouteReadAhead *reroute_read_ahead_new (int dir_fd, const GPtrArray *segments, gboolean sync);

/* Waits for the next segment; not called more often than there are segments.  Returns:
   (transfer none): until the next call; %NULL with @error (%REROUTE_ERROR_SPOOL): it cannot be
   opened or synced, or there is no memory */
const RerouteSegmentImage *reroute_read_ahead_next (RerouteReadAhead *self, GError **error);

/* Waits for a read that is under way. */
void reroute_read_ahead_free (RerouteReadAhead *self);

G_END_DECLS
