/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by the files that make up the running spool: spool.c, opening.c, draft.c, job.c,
 * writer.c, batch.c, compact.c. */

#pragma once

#include "service/relay/spool/index.h"
#include "service/relay/spool/scan.h"
#include "service/relay/spool/segment.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_JOB_MESSAGE,
  REROUTE_JOB_PART,
  REROUTE_JOB_VERDICT,
  REROUTE_JOB_DISCARD,      /* no record: a draft is gone */
  REROUTE_JOB_MARK,         /* no record of its own: a batch is wanted for what it states */
  REROUTE_JOB_SYNC,         /* no record: somebody waits for what came before */
  REROUTE_JOB_COPY_MESSAGE, /* the writer's own, from the oldest segment */
  REROUTE_JOB_COPY_PART,
} RerouteJobKind;

/* What the writer is asked to do; most become one record. */
typedef struct _RerouteJob RerouteJob;
struct _RerouteJob
{
  RerouteJob *next;
  RerouteJobKind kind;
  gboolean has_record; /* in the batch being written */
  GByteArray *head;    /* (nullable): the payload, or its beginning */
  GBytes *body;        /* (nullable): the rest of it */
  guint32 payload_crc;
  guint32 part;                /* index */
  RerouteMessageRecord fields; /* message */
  RerouteMessage *message;     /* message, verdict: a reference */
  RerouteSpoolDraft *draft;    /* (nullable): a reference */
  RerouteEntry *entry;         /* copies: borrowed */
  GError *error;               /* (nullable): it will not be written */
  RerouteSpoolFunc func;
  gpointer user_data;
};

RerouteJob *reroute_job_new (RerouteJobKind kind);
void reroute_job_free (RerouteJob *self);
void reroute_job_set_payload (RerouteJob *self,
                              GByteArray *head,
                              GBytes *body); /* (transfer full) both */
gsize reroute_job_get_payload_octets (const RerouteJob *self);

/* Jobs in order. */
typedef struct
{
  RerouteJob *first, *last;
} RerouteJobs;

void reroute_jobs_push (RerouteJobs *self, RerouteJob *job);
RerouteJob *reroute_jobs_pop (RerouteJobs *self);
void reroute_jobs_append (RerouteJobs *self, RerouteJobs *others); /* empties @others */
void reroute_jobs_free (RerouteJobs *self);                        /* each; empties @self */

struct _RerouteSpoolDraft
{
  gatomicrefcount ref_count;
  RerouteSpool *spool;
  guint64 id;
  GByteArray *buffer; /* content that is not handed to the writer yet */
  gsize octets;       /* content so far */
  gsize held;         /* of it, in memory until the writer has it; atomic */
  guint32 n_parts;
  RerouteEntry *entry; /* the writer's own */
  GMutex lock;         /* of what follows */
  guint unsaved;
  gboolean awaited; /* the sender was told to wait for parts */
  GError *error;    /* (nullable): a part could not be written; whether it is there is atomic */
  GFunc resume;
  gpointer resume_data;
};

void reroute_spool_draft_unref (RerouteSpoolDraft *self);
GError *reroute_spool_draft_copy_error (RerouteSpoolDraft *self);

/* From now on nothing of it is written: not even a closing record in the same batch. */
void reroute_spool_draft_fail (RerouteSpoolDraft *self, const GError *error);

/* On the writer's thread: a part of so many octets is written, or will never be. */
void reroute_spool_draft_part_done (RerouteSpoolDraft *self, gsize octets, const GError *error);

/* What the writer's thread wants to be woken for. */
typedef enum
{
  REROUTE_WRITER_BUSY,
  REROUTE_WRITER_WAITS_FOR_URGENT, /* verdicts wait for company, for a while */
  REROUTE_WRITER_WAITS_FOR_ANY,
} RerouteWriterWait;

struct _RerouteSpool
{
  int dir_fd;
  char *path;
  char *token;
  guint64 segment_octets;
  GThread *thread;    /* NULL before the start */
  RerouteScan *scan;  /* NULL once the journal was read */
  gint stops_reading; /* atomic */
  GPtrArray *entries; /* (nullable): the journal was read before the start */
  RerouteSpoolReadFunc read;
  gpointer read_data;

  GMutex queue_lock; /* of what follows */
  GCond queue_cond;
  RerouteJobs queue;
  guint n_urgent; /* of the queue: somebody waits for them */
  RerouteWriterWait writer_waits;
  RerouteJobs done; /* to be freed by who pushes the next one */
  guint n_done;
  gboolean closing;
  gboolean is_told; /* what the journal has */
  GCond told;

  guint n_moves;        /* atomic: rounds of the writer, and segments read at the start */
  guint64 next_id;      /* atomic */
  guint64 reserved_ids; /* atomic: no id from here on may be used before a batch says so */
  gint mark_asked;      /* atomic */
  gsize held;           /* atomic: octets of content that drafts hold */

  GMutex lock;         /* of what follows; the writer alone changes it */
  GPtrArray *segments; /* (element-type RerouteSegment): oldest first, the last one is written */
  guint64 n_messages;
  guint64 n_syncs;
  guint64 n_commits;
  guint64 n_written; /* octets */
  guint64 spare_octets;
  gsize parts_octets; /* of the parts that are in memory too */
  gboolean writable;

  /* the writer's own */
  RerouteSpare *spare;
  gint64 spare_retry_us; /* monotonic: not earlier */
  gint64 copy_retry_us;  /* monotonic: not earlier */
  gint64 free_retry_us;  /* monotonic: not earlier */
  guint64 last_synced;   /* number */
  guint64 next_sequence;
  guint64 last_serial;
  GError *no_room;      /* (nullable): why no segment could be started in this round */
  gboolean is_cramped;  /* no room for a segment: what is left is for verdicts */
  RerouteJobs kept;     /* verdicts to write when there is room */
  gint64 kept_retry_us; /* monotonic */
  GPtrArray *batch;     /* (element-type RerouteJob) */
  gsize batch_octets;   /* with the segment's header, without the filling */
  guint n_batch_records;
  gboolean batch_is_wanted; /* even without records */
};

/* It is never written again; one that holds nothing yet is not needed at all. */
void reroute_spool_abandon_segment (RerouteSpool *self, RerouteSegment *segment);

/* With the lock held: what @entry keeps in memory goes. */
void reroute_spool_drop_contents (RerouteSpool *self, RerouteEntry *entry);

/* Queues @job and wakes the writer if it waits for such a one. */
void reroute_spool_push (RerouteSpool *self, RerouteJob *job);

/* Frees @job, or leaves it to the next push: freed by the writer, what a worker has allocated would
   keep the worker from allocating meanwhile.  Of the writer. */
void reroute_spool_give_back (RerouteSpool *self, RerouteJob *job);
/* Frees what was left to a push that does not come.  Under the queue's lock, which it gives up. */
void reroute_spool_free_done (RerouteSpool *self);

/* Asks for a batch that reserves more ids, once. */
void reroute_spool_push_mark (RerouteSpool *self);

/* opening.c: reads the journal, unless it was, and tells who started the writer.  FALSE: it cannot
   be read, nothing may be written. */
gboolean reroute_spool_read (RerouteSpool *self);

/* writer.c */
gpointer reroute_spool_writer_run (gpointer self);

/* batch.c: writes @jobs, in as many batches as the segments want, and answers each. */
void reroute_spool_write_jobs (RerouteSpool *self, RerouteJobs *jobs);
/* Answers each that it is not written. */
void reroute_spool_refuse_jobs (RerouteSpool *self, RerouteJobs *jobs);
RerouteSegment *reroute_spool_get_current (RerouteSpool *self); /* (nullable) */
/* How large a segment is at least that begins with a batch of @octets; a smaller spare is none. */
guint64 reroute_spool_get_least_segment (const RerouteSpool *self, gsize octets);
/* Whether only verdicts may still go into the segment that is written, and no other is in hand. */
gboolean reroute_spool_is_in_reserve (RerouteSpool *self);

/* compact.c */
/* Adds copies of what lives in the oldest segment, when it should be freed. */
void reroute_spool_pick_copies (RerouteSpool *self, RerouteJobs *jobs);
/* Frees what can be freed; prepares the next segment.  Returns: whether there is more to do at once
 */
gboolean reroute_spool_keep_house (RerouteSpool *self);

G_END_DECLS
