/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/index.h"

G_BEGIN_DECLS

#define REROUTE_SEGMENT_PREFIX "journal-"
#define REROUTE_SEGMENT_NAME_OCTETS 32
#define REROUTE_SPARE_NAME "spare"

/* "journal-000000000000002a" */
void reroute_segment_name (guint64 serial, char name[REROUTE_SEGMENT_NAME_OCTETS]);

/* What a segment's first block says. */
void reroute_segment_header_encode (guint64 serial, guint64 size, guint8 *block);

typedef enum
{
  REROUTE_SEGMENT_HEADER_EMPTY, /* zeros: allocated, and never written */
  REROUTE_SEGMENT_HEADER_GOOD,
  REROUTE_SEGMENT_HEADER_BAD,
  REROUTE_SEGMENT_HEADER_NEWER, /* a version that we cannot read */
} RerouteSegmentHeader;
/* @version, @size: set when it is GOOD; @version when it is NEWER. */
RerouteSegmentHeader
reroute_segment_header_check (const guint8 *block, guint32 *version, guint64 *size);

/* Sets @error from @error_number: %REROUTE_ERROR_SPOOL_FULL when there is no room, else
 * %REROUTE_ERROR_SPOOL. */
void reroute_spool_set_error (GError **error, int error_number, const char *doing);

gboolean reroute_sync_directory (int dir_fd, GError **error);

/* The next segment in waiting: a new file whose blocks are reserved, or an old segment.  There is
 * one at most. */
typedef struct
{
  int fd;
  guint64 size;
  gboolean is_written; /* its blocks are not merely reserved */
} RerouteSpare;

/* @size: wanted; the file may be smaller when the file system is nearly full, but not under
 * @needed.  It is the file that an earlier spare has left when there is room for no larger one. */
RerouteSpare *reroute_spare_create (int dir_fd, guint64 size, guint64 needed, GError **error);

/* Renames the file of @segment, which is no longer needed. */
RerouteSpare *reroute_spare_recycle (int dir_fd, const RerouteSegment *segment, GError **error);
void reroute_spare_free (RerouteSpare *self);

/* @self: (transfer full): becomes the segment @serial, in place of no other; the directory is
 * synced. */
RerouteSegment *reroute_spare_take (RerouteSpare *self, int dir_fd, guint64 serial, GError **error);

/* Syncs what was written up to @end, zeros some way ahead of it as well when a small batch went
 * beyond the last: later ones find written blocks.  FALSE: with errno set */
gboolean reroute_segment_sync (RerouteSegment *self, guint64 end);

/* Whether it is used, and not zeroed up to its end.  A disk that has just been given new blocks
 * takes three times as long for its next syncs: better a quarter of a second of that once than for
 * a fifth of the mail. */
gboolean reroute_segment_wants_zeros (const RerouteSegment *self);

/* Then, when nothing else is to do: writes a piece more, and syncs it.  FALSE: the disk failed */
gboolean reroute_segment_zero_ahead (RerouteSegment *self);

/* Writes all of @vectors (element-type struct iovec), which it changes.  Returns: octets written,
   less than all with errno set */
guint64 reroute_segment_write (RerouteSegment *self, GArray *vectors, guint64 offset);

/* Errors: %REROUTE_ERROR_SPOOL */
int reroute_segment_open (int dir_fd, guint64 serial, GError **error);

/* The directory is not synced.  FALSE with @error: it is there still. */
gboolean reroute_segment_unlink (int dir_fd, guint64 serial, GError **error);
/* Likewise; of a segment that cannot be read in full the file stays, under the name of damage. */
gboolean reroute_segment_remove (int dir_fd, const RerouteSegment *segment, GError **error);
gboolean reroute_segment_exists (int dir_fd, guint64 serial); /* its file, as far as is known */

/* A stretch of a segment that the disk does not give back. */
typedef struct
{
  gsize offset, octets;
} RerouteUnreadable;

/* What the disk does not give back reads as zeros.  @octets: has room for @size from @from on;
   @unreadable: (nullable) (element-type RerouteUnreadable): that is added here */
void reroute_segment_read (int fd, guint8 *octets, gsize from, gsize size, GArray *unreadable);

/* (transfer full): the payload of the record, its checksum verified.  @fd: its segment, open */
GBytes *reroute_location_read (int fd, const RerouteLocation *location, GError **error);
GBytes *reroute_location_load (int dir_fd, const RerouteLocation *location, GError **error);

G_END_DECLS
