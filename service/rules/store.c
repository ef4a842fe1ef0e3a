/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * store.c - the SQLite database of the rules: opening, migrating, statements
 *
 * A file is examined read-only, to its last page, before anything opens it for writing: what we
 * cannot read is left byte for byte as it was.  What stands in the tables is the business of
 * row-table.c and history.c, what stands around it that of store-file.c.
 *
 * Sources: SQLite documentation, “Write-Ahead Logging” (read-only databases), “Database File
 * Format”.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-store"

#include "service/rules/store.h"

#include "common/error.h"
#include "service/rules/schema.h"
#include "service/rules/store-file.h"

#include <gio/gio.h>
#include <sqlite3.h>
#include <unistd.h>

#define BUSY_MS 10000   /* another process that reads or checkpoints: sqlite3, a backup */
#define CACHE_KIB 65536 /* of a writer: an import touches every index */
#define LOG_OCTETS                                                                                 \
  4194304 /* of its log that stay: 1,000 pages, when SQLite folds it into the file */
#define PROGRESS_INSTRUCTIONS 2000 /* between two looks at the cancellable */

struct _RerouteQuery
{
  RerouteStore *store;
  sqlite3_stmt *statement;
  int bind_result;
};

struct _RerouteStore
{
  sqlite3 *db;
  char *path;
  RerouteStoreMode mode;
  gboolean is_new;
  gboolean foreign;    /* a copy that somebody sent */
  GHashTable *queries; /* (element-type utf8 RerouteQuery): by where their text stands */
  GCancellable *cancellable;
  int lock; /* of a writer; -1: none */
};

/* --- errors --- */

/* What to do, behind what happened; "": that says it. */
static const char *
get_remedy (int code)
{
  switch (code & 0xff)
    {
    case SQLITE_FULL:
      return ": make room on its file system";
    case SQLITE_IOERR:
      return ": see whether its file system is full or its disk fails";
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ": see whether this user may write the file and its folder, and whether there is room";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ": end the other program that has it open";
    default:
      return "";
    }
}

static void
set_failed (RerouteStore *self, GError **error, const char *doing)
{
  int code = sqlite3_extended_errcode (self->db);

  if (code == SQLITE_INTERRUPT && g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_STORE,
               "cannot %s database “%s”: %s (SQLite error %d)%s",
               doing,
               self->path,
               sqlite3_errmsg (self->db),
               code,
               get_remedy (code));
}

/* --- statements --- */

static void
query_free (gpointer data)
{
  RerouteQuery *query = data;

  sqlite3_finalize (query->statement);
  g_free (query);
}

RerouteQuery *
reroute_store_query (RerouteStore *self, const char *sql, GError **error)
{
  RerouteQuery *query = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  query = g_hash_table_lookup (self->queries, sql);
  if (query != NULL)
    {
      sqlite3_reset (query->statement);
      sqlite3_clear_bindings (query->statement);
      query->bind_result = SQLITE_OK;
      return query;
    }
  query = g_new0 (RerouteQuery, 1);
  query->store = self;
  if (sqlite3_prepare_v2 (self->db, sql, -1, &query->statement, NULL) != SQLITE_OK)
    {
      set_failed (self, error, "read");
      g_free (query);
      return NULL;
    }
  g_hash_table_insert (self->queries, (gpointer) sql, query);
  return query;
}

static void
note_bind (RerouteQuery *self, int result)
{
  if (self->bind_result == SQLITE_OK)
    self->bind_result = result;
}

void
reroute_query_bind_int64 (RerouteQuery *self, int index, gint64 value)
{
  note_bind (self, sqlite3_bind_int64 (self->statement, index, value));
}

void
reroute_query_bind_text (RerouteQuery *self, int index, const char *text)
{
  note_bind (self, sqlite3_bind_text (self->statement, index, text, -1, SQLITE_TRANSIENT));
}

void
reroute_query_bind_bytes (RerouteQuery *self, int index, gconstpointer data, gsize size)
{
  note_bind (self, sqlite3_bind_blob64 (self->statement, index, data, size, SQLITE_TRANSIENT));
}

gboolean
reroute_query_step (RerouteQuery *self, GError **error)
{
  int result = self->bind_result;

  if (result == SQLITE_OK)
    result = sqlite3_step (self->statement);
  if (result == SQLITE_ROW)
    return TRUE;
  if (result != SQLITE_DONE)
    set_failed (self->store, error, sqlite3_stmt_readonly (self->statement) ? "read" : "write");
  sqlite3_reset (self->statement);
  return FALSE;
}

gboolean
reroute_query_run (RerouteQuery *self, GError **error)
{
  g_autoptr (GError) failure = NULL;

  reroute_query_step (self, &failure);
  sqlite3_reset (self->statement);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gint64
reroute_query_get_int64 (RerouteQuery *self, int column)
{
  return sqlite3_column_int64 (self->statement, column);
}

const char *
reroute_query_get_text (RerouteQuery *self, int column)
{
  return (const char *) sqlite3_column_text (self->statement, column);
}

GBytes *
reroute_query_dup_bytes (RerouteQuery *self, int column)
{
  gconstpointer data = sqlite3_column_blob (self->statement, column);

  if (data == NULL)
    return NULL;
  return g_bytes_new (data, sqlite3_column_bytes (self->statement, column));
}

/* Several statements without values. */
static gboolean
execute (RerouteStore *self, const char *sql, GError **error)
{
  if (sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  set_failed (self, error, self->mode >= REROUTE_STORE_WRITE ? "write" : "read");
  return FALSE;
}

/* The one value of a statement; NULL with an error. */
static char *
dup_value (RerouteStore *self, const char *sql, GError **error)
{
  RerouteQuery *query = reroute_store_query (self, sql, error);
  char *value = NULL;

  if (query == NULL || !reroute_query_step (query, error))
    return NULL;
  value = g_strdup (reroute_query_get_text (query, 0));
  sqlite3_reset (query->statement);
  return value != NULL ? value : g_strdup ("");
}

static gboolean
read_number (RerouteStore *self, const char *sql, gint64 *number, GError **error)
{
  g_autofree char *text = dup_value (self, sql, error);

  if (text == NULL)
    return FALSE;
  *number = g_ascii_strtoll (text, NULL, 10);
  return TRUE;
}

/* --- transactions --- */

gboolean
reroute_store_begin (RerouteStore *self, GError **error)
{
  return execute (
    self, self->mode == REROUTE_STORE_WRITE ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED", error);
}

/* A statement that still runs keeps its transaction. */
static void
reset_queries (RerouteStore *self)
{
  GHashTableIter iter;
  gpointer query = NULL;

  g_hash_table_iter_init (&iter, self->queries);
  while (g_hash_table_iter_next (&iter, NULL, &query))
    sqlite3_reset (((RerouteQuery *) query)->statement);
}

gboolean
reroute_store_commit (RerouteStore *self, GError **error)
{
  reset_queries (self);
  if (execute (self, "COMMIT", error))
    return TRUE;
  reroute_store_rollback (self);
  return FALSE;
}

void
reroute_store_rollback (RerouteStore *self)
{
  reset_queries (self);
  if (!sqlite3_get_autocommit (self->db))
    sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
}

static int
progress_cb (void *user_data)
{
  return g_cancellable_is_cancelled (user_data);
}

void
reroute_store_set_cancellable (RerouteStore *self, GCancellable *cancellable)
{
  g_set_object (&self->cancellable, cancellable);
  sqlite3_progress_handler (self->db,
                            cancellable != NULL ? PROGRESS_INSTRUCTIONS : 0,
                            cancellable != NULL ? progress_cb : NULL,
                            cancellable);
}

/* --- opening --- */

/* Without a log the file is read as if on a read-only medium: not even a lock file appears. */
static char *
make_uri (const char *path, RerouteStoreMode mode)
{
  g_autofree char *escaped = g_uri_escape_string (path, "/", FALSE);
  gboolean immutable = mode == REROUTE_STORE_EXAMINE && !reroute_store_file_has_log (path);

  return g_strdup_printf ("file:%s%s", escaped, immutable ? "?immutable=1" : "");
}

/* Nobody asks SQLite what it has allocated, and each allocation would take a lock to count it. */
static void
configure_once (void)
{
  static gsize done;

  if (g_once_init_enter (&done))
    {
      if (sqlite3_config (SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK)
        g_debug ("SQLite counts what it allocates");
      g_once_init_leave (&done, 1);
    }
}

static RerouteStore *
connect_file (const char *path, RerouteStoreMode mode, GCancellable *cancellable, GError **error)
{
  g_autofree char *uri = make_uri (path, mode);
  g_autoptr (RerouteStore) self = g_new0 (RerouteStore, 1);
  const int access[] = {
    [REROUTE_STORE_EXAMINE] = SQLITE_OPEN_READONLY,
    [REROUTE_STORE_READ] = SQLITE_OPEN_READONLY,
    [REROUTE_STORE_WRITE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    [REROUTE_STORE_ADOPT] = SQLITE_OPEN_READWRITE,
  };
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | access[mode];

  configure_once ();
  self->path = g_strdup (path);
  self->mode = mode;
  self->lock = -1;
  self->queries = g_hash_table_new_full (NULL, NULL, NULL, query_free);
  if (sqlite3_open_v2 (uri, &self->db, flags, NULL) != SQLITE_OK)
    {
      set_failed (self, error, "open");
      return NULL;
    }
  sqlite3_extended_result_codes (self->db, 1);
  sqlite3_busy_timeout (self->db, BUSY_MS);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  reroute_store_set_cancellable (self, cancellable);
  return g_steal_pointer (&self);
}

void
reroute_store_close (RerouteStore *self)
{
  g_return_if_fail (self != NULL);

  if (self->db != NULL)
    {
      reroute_store_rollback (self);
      sqlite3_progress_handler (self->db, 0, NULL, NULL);
    }
  g_clear_pointer (&self->queries, g_hash_table_unref);
  if (self->db != NULL && self->mode == REROUTE_STORE_WRITE)
    sqlite3_wal_checkpoint_v2 (self->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  sqlite3_close (self->db);
  if (self->lock >= 0)
    close (self->lock);
  g_clear_object (&self->cancellable);
  g_free (self->path);
  g_free (self);
}

void
reroute_store_release_memory (RerouteStore *self)
{
  sqlite3_db_release_memory (self->db);
}

gboolean
reroute_store_is_new (RerouteStore *self)
{
  return self->is_new;
}

/* --- examining --- */

static void
interrupt_cb (GCancellable *cancellable, gpointer db)
{
  sqlite3_interrupt (db);
}

/* What SQLite says of the file as a whole.  Reading the pages is a single instruction, in which no
   progress is told; what it says once it was interrupted is of no use. */
static gboolean
check_pages (RerouteStore *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *verdict = NULL;
  gulong interrupt = 0;

  if (self->cancellable != NULL)
    interrupt =
      g_cancellable_connect (self->cancellable, G_CALLBACK (interrupt_cb), self->db, NULL);
  /* What came while nothing ran has interrupted nothing. */
  if (g_cancellable_set_error_if_cancelled (self->cancellable, error))
    {
      g_cancellable_disconnect (self->cancellable, interrupt);
      return FALSE;
    }
  verdict = dup_value (
    self, self->foreign ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", &failure);
  g_cancellable_disconnect (self->cancellable, interrupt);
  if (g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return FALSE;
  if (verdict != NULL && g_str_equal (verdict, "ok"))
    return TRUE;
  if (verdict != NULL)
    g_strdelimit (verdict, "\n", ' ');
  g_autofree char *why =
    g_strdup_printf ("is damaged (%s)", verdict != NULL ? verdict : sqlite3_errmsg (self->db));
  reroute_store_file_refuse (error, self->path, self->foreign, why);
  return FALSE;
}

static gboolean
check_version (RerouteStore *self, GError **error)
{
  gint64 application_id = 0, version = 0, n_tables = 0;
  g_autofree char *why = NULL;

  if (!read_number (self, "PRAGMA application_id", &application_id, NULL) ||
      !read_number (self, "PRAGMA user_version", &version, NULL) ||
      !read_number (self, "SELECT count(*) FROM sqlite_schema", &n_tables, NULL))
    why = g_strdup_printf ("cannot be read (%s)", sqlite3_errmsg (self->db));
  else if (application_id == 0 && version == 0 && n_tables == 0)
    self->is_new = TRUE;
  else if (application_id != REROUTE_SCHEMA_APPLICATION_ID || version < 1)
    why = g_strdup ("is not a database of Reroute");
  else if (version > REROUTE_SCHEMA_VERSION)
    why =
      g_strdup_printf ("was written by a newer Reroute (version %" G_GINT64_FORMAT
                       " of its tables, this program reads up to %d: install the newer one again)",
                       version,
                       REROUTE_SCHEMA_VERSION);
  if (why == NULL)
    return TRUE;
  if (g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return FALSE;
  reroute_store_file_refuse (error, self->path, self->foreign, why);
  return FALSE;
}

static RerouteStore *
examine (const char *path, gboolean foreign, GCancellable *cancellable, GError **error)
{
  g_autoptr (RerouteStore) self = NULL;
  gboolean empty = FALSE;

  if (!reroute_store_file_check_header (path, foreign, &empty, error))
    return NULL;
  self = connect_file (path, REROUTE_STORE_EXAMINE, cancellable, error);
  if (self == NULL)
    return NULL;
  self->foreign = foreign;
  self->is_new = empty;
  if (self->is_new)
    return g_steal_pointer (&self);
  if (!check_version (self, error) || !check_pages (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* --- making and migrating --- */

static gboolean
migrate (RerouteStore *self, GError **error)
{
  gint64 version = 0;

  if (!read_number (self, "PRAGMA user_version", &version, error))
    return FALSE;
  while (version < REROUTE_SCHEMA_VERSION)
    {
      version++;
      if (!reroute_store_begin (self, error))
        return FALSE;
      if (!execute (self, reroute_schema_get_migration (version), error) ||
          !reroute_store_commit (self, error))
        {
          reroute_store_rollback (self);
          return FALSE;
        }
      g_debug ("%s: migrated to version %" G_GINT64_FORMAT, self->path, version);
    }
  return TRUE;
}

static gboolean
prepare_writer (RerouteStore *self, GError **error)
{
  g_autofree char *journal = dup_value (self, "PRAGMA journal_mode = WAL", error);

  if (journal == NULL)
    return FALSE;
  if (!g_str_equal (journal, "wal"))
    {
      g_set_error (
        error,
        REROUTE_ERROR,
        REROUTE_ERROR_STORE,
        "cannot write database “%s”: its file system has no write-ahead log (journal mode "
        "“%s”): put it on a local disk",
        self->path,
        journal);
      return FALSE;
    }
  return execute (self, "PRAGMA synchronous = FULL", error) &&
         execute (self, "PRAGMA cache_size = -" G_STRINGIFY (CACHE_KIB), error) &&
         execute (self, "PRAGMA journal_size_limit = " G_STRINGIFY (LOG_OCTETS), error) &&
         migrate (self, error);
}

/* A view or a trigger would run what its maker wrote. */
static gboolean
check_kinds (RerouteStore *self, GError **error)
{
  gint64 n_others = 0;

  if (!read_number (self,
                    "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index') "
                    "OR sql LIKE 'CREATE VIRTUAL%'",
                    &n_others,
                    error))
    return FALSE;
  if (n_others == 0 && !self->is_new)
    return TRUE;
  reroute_store_file_refuse (error, self->path, TRUE, "has not the tables of Reroute");
  return FALSE;
}

static RerouteStore *
adopt (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (RerouteStore) self = NULL;
  {
    g_autoptr (RerouteStore) examined = examine (path, TRUE, cancellable, error);
    if (examined == NULL || !check_kinds (examined, error))
      return NULL;
  }
  self = connect_file (path, REROUTE_STORE_ADOPT, cancellable, error);
  if (self == NULL)
    return NULL;
  self->foreign = TRUE;
  if (!execute (self, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", error) ||
      !migrate (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

RerouteStore *
reroute_store_open (const char *path,
                    RerouteStoreMode mode,
                    GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (RerouteStore) self = NULL;
  int lock = -1;

  g_return_val_if_fail (path != NULL, NULL);

  if (mode == REROUTE_STORE_EXAMINE)
    return examine (path, FALSE, cancellable, error);
  if (mode == REROUTE_STORE_ADOPT)
    return adopt (path, cancellable, error);
  if (mode == REROUTE_STORE_READ)
    return connect_file (path, mode, cancellable, error);
  if (!reroute_store_file_check_folder (path, error) ||
      !reroute_store_file_put_log_away (path, error))
    return NULL;
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_autoptr (RerouteStore) examined = examine (path, FALSE, cancellable, error);
      if (examined == NULL)
        return NULL;
    }
  lock = reroute_store_file_lock (path, error);
  if (lock < 0)
    return NULL;
  self = connect_file (path, mode, cancellable, error);
  if (self == NULL)
    {
      close (lock);
      return NULL;
    }
  self->lock = lock;
  return prepare_writer (self, error) ? g_steal_pointer (&self) : NULL;
}
