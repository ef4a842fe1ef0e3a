/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RerouteTrackStore:
 *
 * The files of what happened to messages, below the spool: "track." and a serial number of eight
 * hexadecimal digits.  A new one begins when the last is full or a day old; the oldest go when they
 * are too old or all are too many.  Nothing is ever changed in place, and nothing waits for the
 * disk.  Touched by one thread.
 */
typedef struct _RerouteTrackStore RerouteTrackStore;

typedef struct
{
  guint32 serial;
  guint64 octets;
  gint64 begun_us;  /* wall clock */
  gint64 newest_us; /* likewise: of the last write */
} RerouteTrackFile;

/* @dir_fd: of the spool, borrowed; when it cannot be listed now, it is before anything is written
   or pruned.  @file_octets: a file is full then; 0: the usual */
RerouteTrackStore *reroute_track_store_new (int dir_fd, guint64 file_octets);
void reroute_track_store_free (RerouteTrackStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTrackStore, reroute_track_store_free)

/* (element-type RerouteTrackFile): oldest first; borrowed until something is written or pruned */
const GArray *reroute_track_store_get_files (const RerouteTrackStore *self);

/**
 * reroute_track_store_append:
 * @records: of reroute_track_record_begin() and its like
 *
 * Errors: %REROUTE_ERROR_SPOOL_FULL: the file system is nearly full, and what is left of it is the
 *   mail's; %REROUTE_ERROR_SPOOL.  Nothing is kept of the records then.
 */
gboolean reroute_track_store_append (RerouteTrackStore *self,
                                     const GByteArray *records,
                                     gint64 now_us,
                                     GError **error);

/* Removes every file that was written last before @oldest_us, then the first ones until all
   together have at most @most_octets. */
void reroute_track_store_prune (RerouteTrackStore *self, guint64 most_octets, gint64 oldest_us);

/* Makes @octets what the file has.  Errors: %REROUTE_ERROR_SPOOL */
gboolean reroute_track_store_read (const RerouteTrackStore *self,
                                   guint32 serial,
                                   GByteArray *octets,
                                   GError **error);

G_END_DECLS
