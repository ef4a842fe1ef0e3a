/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * RerouteStore:
 *
 * A connection to the database of rules, and its prepared statements: the only user of SQLite.  One
 * thread at a time.
 */
typedef struct _RerouteStore RerouteStore;

/* A prepared statement; owned by its store. */
typedef struct _RerouteQuery RerouteQuery;

typedef enum
{
  REROUTE_STORE_EXAMINE, /* read-only, every page checked: is it a database that we can read? */
  REROUTE_STORE_READ,    /* read-only, beside a writer */
  REROUTE_STORE_WRITE,   /* made or migrated when need be; WAL, synchronous=FULL */
  REROUTE_STORE_ADOPT,   /* a copy that somebody sent, to be read and thrown away: examined, every
                            index too, and migrated; nothing stands between it and a crash */
} RerouteStoreMode;

/**
 * reroute_store_open:
 * @path: the database file
 * @cancellable: (nullable): what reroute_store_set_cancellable() takes, from the beginning: every
 *   page of a large file takes its time
 *
 * Errors: %REROUTE_ERROR_STORE_VERSION when the file is not a database that we can read: it is
 *   left byte for byte as it was; %REROUTE_ERROR_STORE when it cannot be opened, made or written.
 *   Both name the file and what to do; %G_IO_ERROR_CANCELLED.
 */
RerouteStore *reroute_store_open (const char *path,
                                  RerouteStoreMode mode,
                                  GCancellable *cancellable,
                                  GError **error);

/* A writer folds the log into the file first. */
void reroute_store_close (RerouteStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteStore, reroute_store_close)

/* What a large transaction has left in its cache. */
void reroute_store_release_memory (RerouteStore *self);

/* Whether the file exists, but holds no rules yet: new, or empty. */
gboolean reroute_store_is_new (RerouteStore *self);

/* Statements that run longer end with %G_IO_ERROR_CANCELLED; (nullable) ends that. */
void reroute_store_set_cancellable (RerouteStore *self, GCancellable *cancellable);

/* Errors of these and of queries: %REROUTE_ERROR_STORE. */
gboolean reroute_store_begin (RerouteStore *self, GError **error);
gboolean reroute_store_commit (RerouteStore *self, GError **error);
/* Ends a transaction, if one is open, as if it had never been. */
void reroute_store_rollback (RerouteStore *self);

/**
 * reroute_store_query:
 * @sql: one statement; a constant, which is found again by where it stands
 *
 * Returns: (transfer none) (nullable): the statement, ready to bind and run; prepared once
 */
RerouteQuery *reroute_store_query (RerouteStore *self, const char *sql, GError **error);

/* @index: from 1.  A failure is reported by the next step. */
void reroute_query_bind_int64 (RerouteQuery *self, int index, gint64 value);
void reroute_query_bind_text (RerouteQuery *self, int index, const char *text); /* (nullable) */

void reroute_query_bind_bytes (RerouteQuery *self, int index, gconstpointer data, gsize size);

/* TRUE: a row is there.  FALSE without an error: no more. */
gboolean reroute_query_step (RerouteQuery *self, GError **error);
/* Steps a statement that answers no rows. */
gboolean reroute_query_run (RerouteQuery *self, GError **error);

/* @column: from 0.  Texts are borrowed until the next step; NULL is NULL. */
gint64 reroute_query_get_int64 (RerouteQuery *self, int column);
const char *reroute_query_get_text (RerouteQuery *self, int column);
GBytes *reroute_query_dup_bytes (RerouteQuery *self, int column);

G_END_DECLS
