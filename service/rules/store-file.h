/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

/* The file of a database, around what SQLite makes of it.  Errors name the file and what to do. */

/* Whether a log with what was saved last stands beside it: its rulesd was killed, or runs.  It
   belongs to the very file that it was written for, and SQLite lays it over any other of the name.
 */
gboolean reroute_store_file_has_log (const char *path);

/* Where there is no database, or an empty one, and the log of another, which SQLite would delete:
   gives the log another name.  Errors: %REROUTE_ERROR_STORE. */
gboolean reroute_store_file_put_log_away (const char *path, GError **error);

/* What is said of a file that cannot be read, and is left as it is: %REROUTE_ERROR_STORE_VERSION.
   @foreign: it is a copy that somebody sent; @why: "is damaged (…)" */
void
reroute_store_file_refuse (GError **error, const char *path, gboolean foreign, const char *why);

/* Whether it may be a database, or is an empty file, which becomes one.
   Errors: %REROUTE_ERROR_STORE, %REROUTE_ERROR_STORE_VERSION. */
gboolean reroute_store_file_check_header (const char *path,
                                          gboolean foreign,
                                          gboolean *empty,
                                          GError **error);

/* Which file it is that stands under a name. */
typedef struct
{
  dev_t device;
  ino_t inode;
} RerouteStoreFileId;

/* Of the file at @path, which was just opened.  Errors: %REROUTE_ERROR_STORE. */
gboolean reroute_store_file_identify (const char *path, RerouteStoreFileId *id, GError **error);

/* Whether @path still is the file that was opened: what is written into another, or into none, is
   lost at the next start.  Errors: %REROUTE_ERROR_STORE. */
gboolean
reroute_store_file_check_same (const char *path, const RerouteStoreFileId *opened, GError **error);

/* Whether files can be made where @path is to be.  Errors: %REROUTE_ERROR_STORE. */
gboolean reroute_store_file_check_folder (const char *path, GError **error);

/* The descriptor that keeps another reroute-rulesd from it until it is closed; -1: @error. */
int reroute_store_file_lock (const char *path, GError **error);

G_END_DECLS
