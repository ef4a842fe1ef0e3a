/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/index.h"

G_BEGIN_DECLS

/* What stands behind the last batch of the newest segment. */
typedef enum
{
  REROUTE_SCAN_TAIL_TORN,  /* something that may be a batch: the segment is not written any more */
  REROUTE_SCAN_TAIL_CLEAN, /* zeros: it may be continued */
  REROUTE_SCAN_TAIL_OLD,   /* what the file held under other serial numbers, or what is damaged
                              beyond recognition: it may be where there is no room for another */
} RerouteScanTail;

/**
 * RerouteScan:
 *
 * What reading a whole journal finds.
 */
typedef struct
{
  int dir_fd;
  gboolean repair;     /* set damage aside and sync what was found; else change nothing */
  GPtrArray *segments; /* (element-type RerouteSegment): oldest first */
  GHashTable *entries; /* (element-type guint64 RerouteEntry): those alive */
  guint64 last;        /* number of the last record that counts; 0: there is none */
  guint64 ids;         /* no id from here on was given away */
  guint64 n_records;
  RerouteScanTail tail;
  GPtrArray *damages;     /* (element-type utf8): a sentence each */
  const gint *is_stopped; /* (nullable): atomic; the scan gives up between two segments */
  guint *n_moves;         /* (nullable): atomic; one more for each segment */

  /*< private >*/
  guint64 *first_synced; /* what the first sound batch of each segment says; 0: it has none */
  GBytes *pending; /* the end of a segment that is torn, or damaged when a later one says so */
  guint64 pending_serial, pending_offset;
} RerouteScan;

RerouteScan *reroute_scan_new (int dir_fd, gboolean repair);

/* Frees the entries and segments that were not taken over.  @self: (nullable) */
void reroute_scan_free (RerouteScan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteScan, reroute_scan_free)

/* Lists the segments and reads their beginnings.  Errors: %REROUTE_ERROR_SPOOL: cannot be read, is
   not ours, or a newer format. */
gboolean reroute_scan_look (RerouteScan *self, GError **error);

/* After the look: a number above every id that was given away.  Only the newest segment that has a
   batch is read: ids rise from batch to batch, over restarts too.  Returns: 0: it does not tell */
guint64 reroute_scan_bound_ids (const RerouteScan *self);

/* After the look.  Errors: %REROUTE_ERROR_SPOOL: cannot be read; %G_IO_ERROR_CANCELLED */
gboolean reroute_scan_run (RerouteScan *self, GError **error);

/* For scan.c: says that @length octets of segment @serial are of no use, and keeps them in a file
 * of their own; without repair it names that only when an earlier scan has kept it.  @octets:
 * (nullable): they cannot be read, and the file is empty */
void reroute_scan_set_aside (RerouteScan *self,
                             guint64 serial,
                             guint64 offset,
                             const guint8 *octets,
                             gsize length,
                             const char *what);

/* For scan.c: takes one record that counts into the index. */
void reroute_scan_take (RerouteScan *self,
                        RerouteSegment *segment,
                        guint64 offset,
                        const RerouteRecordHeader *header,
                        const guint8 *payload);

G_END_DECLS
