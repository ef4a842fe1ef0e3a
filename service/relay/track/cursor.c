/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cursor.c - two places in one number, for who searches page by page
 *
 * From the highest bit: the low bits of the start's serial number, which is not far below that of
 * the newest file; its offset; how many files the top is above; its offset, and one.  A top that is
 * too far above is lowered: a message may be told twice then, which is better than never.
 */

#include "config.h"

#include "service/relay/track/cursor.h"

#define SERIAL_BITS 15 /* the 64 GiB of track-size are half as many files */
#define OFFSET_BITS 17 /* 6 MiB: no file of ours has more */
#define UNIT_OCTETS 48 /* no record has less: no two begin within a unit */

#define LARGEST(bits) ((G_GUINT64_CONSTANT (1) << (bits)) - 1)

G_STATIC_ASSERT (2 * (SERIAL_BITS + OFFSET_BITS) == 64);

static guint64
get_serial (guint64 place)
{
  return place >> 32;
}

static guint64
get_units (guint64 place)
{
  return (place & G_MAXUINT32) / UNIT_OCTETS;
}

guint64
reroute_track_cursor_pack (const RerouteTrackCursor *self)
{
  g_return_val_if_fail (self != NULL && get_serial (self->start) <= get_serial (self->top), 1);

  guint64 serial = get_serial (self->start);
  guint64 distance = MIN (get_serial (self->top) - serial, LARGEST (SERIAL_BITS));
  guint64 packed = serial & LARGEST (SERIAL_BITS);

  packed = packed << OFFSET_BITS | MIN (get_units (self->start), LARGEST (OFFSET_BITS));
  packed = packed << SERIAL_BITS | distance;
  return packed << OFFSET_BITS | MIN (get_units (self->top) + 1, LARGEST (OFFSET_BITS));
}

/* Takes the lowest @bits from *@packed. */
static guint64
take (guint64 *packed, guint bits)
{
  guint64 value = *packed & LARGEST (bits);

  *packed >>= bits;
  return value;
}

RerouteTrackCursor
reroute_track_cursor_unpack (guint64 packed, guint32 newest)
{
  guint64 top_units = take (&packed, OFFSET_BITS);
  guint64 distance = take (&packed, SERIAL_BITS);
  guint64 start_units = take (&packed, OFFSET_BITS);
  guint64 behind = (newest - packed) & LARGEST (SERIAL_BITS);
  guint64 serial = newest - MIN (behind, newest);

  return (RerouteTrackCursor){
    .start = REROUTE_TRACK_PLACE (serial, start_units * UNIT_OCTETS),
    .top =
      REROUTE_TRACK_PLACE (MIN (serial + distance, newest), (MAX (top_units, 1) - 1) * UNIT_OCTETS),
  };
}
