/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/record.h"

G_BEGIN_DECLS

typedef struct _RerouteEntry RerouteEntry;

/* One file of the journal. */
typedef struct
{
  guint64 serial;
  guint32 version;     /* of the format, by its header; 0: not known, or nothing was written yet */
  guint64 size;        /* of the file */
  guint64 used;        /* where the next batch goes; a multiple of the block */
  guint64 zeroed;      /* up to here blocks are written, not merely allocated */
  guint64 live_octets; /* of records that are still needed */
  RerouteEntry *first; /* entries whose oldest record lies here */
  int fd;              /* of the segment that is written; else -1 */
  gboolean failed;     /* a write or sync failed: never written again */
  gboolean is_unreadable; /* a part of it, now or at a start before: nothing is written over that */
  gboolean pinned; /* holds a live record that cannot be read: stays until its message is final */
} RerouteSegment;

RerouteSegment *reroute_segment_new (guint64 serial, guint64 size);
void reroute_segment_free (RerouteSegment *self);

/* Where a record lies. */
typedef struct
{
  RerouteSegment *segment; /* NULL: nowhere */
  guint64 offset;          /* of its header */
  guint32 length;          /* of its payload */
} RerouteLocation;

/* A piece of a large content. */
typedef struct
{
  RerouteLocation location;
  GBytes *content; /* (nullable): in memory too, until it is read */
} ReroutePart;

/**
 * RerouteEntry:
 *
 * What is known in memory of one message, or of a large one that is being received.  The writer's
 * thread changes it; others read its locations under the spool's lock.
 */
struct _RerouteEntry
{
  guint64 id;
  RerouteMessage *message; /* NULL: not closed yet */
  RerouteLocation record;
  guint32 content_offset, inline_octets; /* within the record's payload */
  ReroutePart *parts;                    /* (array length=n_parts) */
  guint32 n_parts;
  guint32 n_parts_named;            /* by the record: so many make the message whole */
  guint32 n_recipients, n_open;     /* open: not final */
  RerouteRecipientStatus *statuses; /* NULL: no recipient was tried yet */
  RerouteSegment *home;             /* holds the oldest record of this entry */
  RerouteEntry *next, *previous;    /* in home's list */
};

RerouteEntry *reroute_entry_new (guint64 id);

/* Takes its records out of the figures of their segments, then frees it. */
void reroute_entry_free (RerouteEntry *self);

/* @message is referenced, in place of one that was set before, and no recipient was tried yet; its
   location points here from now on. */
void reroute_entry_set_message (RerouteEntry *self, RerouteMessage *message);
void reroute_entry_set_record (RerouteEntry *self,
                               const RerouteLocation *location,
                               const RerouteMessageRecord *fields);
/* FALSE when @index is out of all reason. */
gboolean
reroute_entry_set_part (RerouteEntry *self, guint32 index, const RerouteLocation *location);

/* Keeps what part @index holds in memory too. */
void reroute_entry_keep_content (RerouteEntry *self, guint32 index, GBytes *content);
/* (transfer full) (nullable): what part @index keeps in memory; no more from now on */
GBytes *reroute_entry_take_content (RerouteEntry *self, guint32 index);
/* Keeps nothing in memory any more.  Returns: how many octets that were */
gsize reroute_entry_drop_contents (RerouteEntry *self);

/* A final state stays; an index outside the envelope is ignored. */
void reroute_entry_apply (RerouteEntry *self, const RerouteVerdict *verdict);

/* The content that @location holds as part of this entry. */
guint32 reroute_part_octets (const RerouteLocation *location);

/* Whether every part is there and the sizes add up. */
gboolean reroute_entry_is_whole (const RerouteEntry *self);

G_END_DECLS
