/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A record's place: the serial number of its file, and its offset there; the higher, the newer. */
#define REROUTE_TRACK_PLACE(serial, offset) ((guint64) (serial) << 32 | (guint32) (offset))

/* Where a search goes on. */
typedef struct
{
  guint64 start; /* a place: this one and all above were searched before */
  guint64 top;   /* a place: from here on nothing was there when the search began */
} RerouteTrackCursor;

/* Returns: not 0.  @self: the start's file is not above the top's */
guint64 reroute_track_cursor_pack (const RerouteTrackCursor *self);

/* @packed: may be anything.  @newest: serial number of the newest file now.  Returns: the places
   that were packed, or lower by less than a record */
RerouteTrackCursor reroute_track_cursor_unpack (guint64 packed, guint32 newest);

G_END_DECLS
