/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * A backup: lines of text that say what it is, ended by an empty one; an SQLite database; the
 * SHA-256 of all that, in a line of its own.
 *
 *   Reroute backup 1          the format
 *   program 0.9               that wrote it
 *   host relay1.example       where it was taken
 *   generation 42
 *   taken 2026-11-26T13:00:00Z
 *   octets 122880             of the database
 *
 * Lines that a reader does not know say nothing to it; a format with another number is refused.
 */
#define REROUTE_BACKUP_FORMAT "1"

/* What a backup says of itself. */
typedef struct
{
  const char *host;
  guint64 serial;
  gint64 taken_us; /* wall clock */
  guint64 n_octets;
} RerouteBackupHeader;

char *reroute_backup_header_to_text (const RerouteBackupHeader *self);
/* Behind the database, which is part of @sum, as the header is. */
char *reroute_backup_dup_trailer (GChecksum *sum);

/* A backup that was found whole. */
typedef struct
{
  char *name;
  int fd;
  guint64 offset;   /* of the database in the file */
  guint64 n_octets; /* of the database… */
  char *sha256;     /* …and of them, in hexadecimal */
  char *host;       /* (nullable): where it was taken; NULL: a database without a header */
  char *taken;      /* (nullable): ISO 8601 */
} RerouteBackupFile;

void reroute_backup_file_free (RerouteBackupFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteBackupFile, reroute_backup_file_free)

/**
 * reroute_backup_file_open:
 * @name: a backup, or the database file of a reroute-rulesd that is not running
 *
 * Reads it from end to end.
 *
 * Errors: %REROUTE_ERROR_STORE_VERSION for what is none, or is damaged; of the domain G_FILE_ERROR.
 *   Both name the file.
 */
RerouteBackupFile *reroute_backup_file_open (const char *name, GError **error);

/* (transfer full): at most REROUTE_LIMIT_COPY_PART_OCTETS of the database from @offset on.
   Errors: of the domain G_FILE_ERROR. */
GBytes *reroute_backup_file_read (RerouteBackupFile *self, guint64 offset, GError **error);

G_END_DECLS
