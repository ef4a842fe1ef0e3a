/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

#include "service/relay/spool/message.h"
#include "service/relay/spool/srs-tokens.h"

G_BEGIN_DECLS

/**
 * RerouteSpool:
 *
 * The durable queue: an append-only journal of segment files with one writer thread and group
 * commit (design.md section 5; format and states in data/man/reroute-spool.5).
 */
typedef struct _RerouteSpool RerouteSpool;

typedef enum
{
  REROUTE_RECIPIENT_WAITING, /* not decided yet, or deferred until due_us */
  REROUTE_RECIPIENT_HELD,
  REROUTE_RECIPIENT_SENT,   /* final from here on */
  REROUTE_RECIPIENT_FAILED, /* its notice, if one is owed, is in the spool already */
  REROUTE_RECIPIENT_DELETED,
} RerouteRecipientState;

/* What became of one recipient of a message at one try. */
typedef struct
{
  guint recipient; /* index in the envelope */
  RerouteRecipientState state;
  gint64 due_us; /* WAITING: wall clock of the next try */
  guint tries;
  guint flags;       /* kept as it is for the scheduler: REROUTE_VERDICT_DELAY_NOTICE_SENT */
  const char *reply; /* (nullable): the remote reply or our own reason, one line */
} RerouteVerdict;

#define REROUTE_VERDICT_DELAY_NOTICE_SENT (1u << 0)

/* A message found at start, with where each recipient stands; verdicts of recipients that were
 * never tried are WAITING, due 0. */
typedef struct
{
  RerouteMessage *message;
  guint n_verdicts;          /* one for each recipient */
  RerouteVerdict verdicts[]; /* (array length=n_verdicts); the replies lie behind them */
} RerouteSpoolEntry;

void reroute_spool_entry_free (RerouteSpoolEntry *self); /* @self: (nullable) */

typedef struct
{
  gboolean writable; /* FALSE after a write or sync failed and until one succeeds again */
  guint64 octets;    /* of segment files */
  guint64 messages;  /* alive */
  guint64 syncs;
  guint64 commits; /* messages made durable */
  guint64 written; /* octets, with the filling of batches */
  guint segments;  /* files, with the spare one */
  gsize held;      /* octets in memory of messages that are being received */
} RerouteSpoolFigures;

/**
 * reroute_spool_open:
 * @directory: exists, is ours and writable
 * @segment_octets: 0 for REROUTE_LIMIT_SEGMENT_OCTETS; tests use small ones
 *
 * Locks the directory (flock) and looks at the segments.  Messages may be handed in from then on;
 * they are answered after the start.
 *
 * Errors: %REROUTE_ERROR_SPOOL: missing, not writable, locked by another relay, newer format.
 */
RerouteSpool *reroute_spool_open (const char *directory, gsize segment_octets, GError **error);

/* What the spool had when it was opened, once, on the writer's thread.  @entries: (element-type
   RerouteSpoolEntry) (transfer full) (nullable): oldest first; %NULL with @error
   (%REROUTE_ERROR_SPOOL: cannot be read; %G_IO_ERROR_CANCELLED), and then every message is refused
 */
typedef void (*RerouteSpoolReadFunc) (GPtrArray *entries, const GError *error, gpointer user_data);

/* Starts the writer, which reads the journal and sets damage aside before it writes; once. */
void reroute_spool_start (RerouteSpool *self, RerouteSpoolReadFunc func, gpointer user_data);

/* Gives up reading a journal that is not read yet.  After it the function given at the start has
   been called. */
void reroute_spool_stop_reading (RerouteSpool *self);

/**
 * reroute_spool_verify:
 * @directory: as reroute_spool_open() takes it
 * @report: what was found is appended, for a person
 *
 * Reads a spool and changes nothing.  No relay opens it meanwhile.
 *
 * Errors: %REROUTE_ERROR_SPOOL: damaged, in use by a relay, or it cannot be read.
 *
 * Returns: whether it is sound
 */
gboolean reroute_spool_verify (const char *directory, GString *report, GError **error);

/* Syncs what waits, stops the writer, unlocks. */
void reroute_spool_close (RerouteSpool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSpool, reroute_spool_close)

/* Called on the writer's thread after the sync (error NULL), or when it will not happen.  Do no
   more there than to post to a worker.  @message is borrowed. */
typedef void (*RerouteSpoolFunc) (RerouteMessage *message, const GError *error, gpointer user_data);

/* --- a message comes in: any thread, one caller a draft --- */

/* A message that is being received. */
typedef struct _RerouteSpoolDraft RerouteSpoolDraft;

RerouteSpoolDraft *reroute_spool_begin (RerouteSpool *self); /* takes an id; writes nothing */
guint64 reroute_spool_draft_get_id (const RerouteSpoolDraft *draft);

/* Content in wire form.  Over REROUTE_LIMIT_PART_OCTETS it is appended to the journal as it comes,
   over REROUTE_LIMIT_PART_LEAST_OCTETS while drafts hold too much. */
void reroute_spool_draft_append (RerouteSpoolDraft *draft, const guint8 *octets, gsize length);

/* Whether the sender is to be paused until @resume runs, on the writer's thread: more than
   REROUTE_LIMIT_PARTS_UNSAVED parts are not written yet, or one is while all drafts together hold
   more than REROUTE_LIMIT_MEMORY_DRAFTS_OCTETS. */
gboolean reroute_spool_draft_is_behind (RerouteSpoolDraft *draft);
void reroute_spool_draft_set_resume (RerouteSpoolDraft *draft, GFunc resume, gpointer user_data);

/* Set when a part could not be written: refuse with 452 at the end of data. */
gboolean reroute_spool_draft_has_failed (const RerouteSpoolDraft *draft);

/* Forgets it; parts already written never count. Frees the draft. */
void reroute_spool_draft_discard (RerouteSpoolDraft *draft);

/**
 * reroute_spool_commit:
 * @draft: (transfer full)
 * @envelope: (transfer full)
 *
 * Queues the closing record; @func says when it is durable.  A message is refused whole when the
 * file system is full (%REROUTE_ERROR_SPOOL_FULL) or the disk failed (%REROUTE_ERROR_SPOOL).
 *
 * The order in which callbacks run is the order of the calls.
 */
void reroute_spool_commit (RerouteSpool *self,
                           RerouteSpoolDraft *draft,
                           RerouteEnvelope *envelope,
                           RerouteSpoolFunc func,
                           gpointer user_data);

/* --- a message goes out --- */

/* Appends verdicts, any thread; durable with the next batch, some milliseconds later at most.  A
   message all of whose recipients are final is forgotten.  @func (nullable) is called as for a
   commit. When it cannot be written now it is kept in memory and written when the disk has room
   again. */
void reroute_spool_record (RerouteSpool *self,
                           RerouteMessage *message,
                           const RerouteVerdict *verdicts,
                           guint n,
                           RerouteSpoolFunc func,
                           gpointer user_data);

/**
 * reroute_spool_sync:
 * @func: called, with no message, behind the functions of all that was handed in before
 *
 * Verdicts that were recorded before are durable then.  Any thread; writes nothing of its own.
 *
 * Errors: %REROUTE_ERROR_SPOOL_FULL, %REROUTE_ERROR_SPOOL: some are kept in memory until the disk
 *   takes them.
 */
void reroute_spool_sync (RerouteSpool *self, RerouteSpoolFunc func, gpointer user_data);

/* (transfer full) (nullable): the content when it is in memory. */
GBytes *reroute_spool_get_content (RerouteSpool *self, RerouteMessage *message);
/* Drops it from memory; it is read from the journal from then on. */
void reroute_spool_release_content (RerouteSpool *self, RerouteMessage *message);
/**
 * reroute_spool_load:
 * @offset: before the message's content_octets
 *
 * The wire form from @offset on: as much of it as lies together, which is one octet at least and
 * REROUTE_LIMIT_PART_OCTETS at most when it is read from the journal.  Any thread.
 *
 * Errors: %REROUTE_ERROR_SPOOL: the message has left the spool, or is damaged.
 *
 * Returns: (transfer full): %NULL with @error
 */
GBytes *
reroute_spool_load (RerouteSpool *self, RerouteMessage *message, gsize offset, GError **error);

void reroute_spool_get_figures (RerouteSpool *self, RerouteSpoolFigures *figures);

/* For a watchdog, any thread: whether the writer has nothing to do, or has got on with it since the
   last call.  @mark: (inout): the caller's, 0 at first */
gboolean reroute_spool_has_moved (RerouteSpool *self, guint *mark);

/* A random token of this installation, kept in the spool directory; ends the id of our Received
 * lines. */
const char *reroute_spool_get_token (RerouteSpool *self);

/* reroute_private_file_read() and reroute_private_file_write() for this spool: small files of other
   parts that have to outlast the process.  Any thread. */
GBytes *reroute_spool_read_file (RerouteSpool *self, const char *name, gsize most, GError **error);
gboolean
reroute_spool_write_file (RerouteSpool *self, const char *name, GBytes *octets, GError **error);

/* Of the spool's folder, for files without a name; borrowed. */
int reroute_spool_get_directory_fd (const RerouteSpool *self);

/* reroute_srs_keys_open() for this spool. */
GPtrArray *reroute_spool_open_srs_keys (RerouteSpool *self, gint64 now_s, GError **error);

/* reroute_srs_tokens_open() for this spool. */
RerouteSrsTokens *reroute_spool_open_srs_tokens (RerouteSpool *self);

G_END_DECLS
