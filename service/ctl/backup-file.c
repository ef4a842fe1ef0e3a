/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * backup-file.c - what a backup looks like in a file
 *
 * The checksum finds what SQLite cannot: an octet of a domain that is another one.
 */

#include "config.h"

#include "service/ctl/backup-file.h"

#include "common/error.h"
#include "common/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "Reroute backup "
#define DATABASE_MAGIC "SQLite format 3" /* and a NUL */
#define SUM_LINE "\nsha256 "
#define HEADER_OCTETS 4096
#define SUM_DIGITS 64
#define TRAILER_OCTETS (sizeof SUM_LINE - 1 + SUM_DIGITS + 1)

/* --- writing --- */

char *
reroute_backup_header_to_text (const RerouteBackupHeader *self)
{
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_utc (self->taken_us / G_TIME_SPAN_SECOND);
  g_autofree char *taken = g_date_time_format_iso8601 (when);

  return g_strdup_printf (MAGIC REROUTE_BACKUP_FORMAT "\n"
                                                      "program " REROUTE_VERSION "\n"
                                                      "host %s\n"
                                                      "generation %" G_GUINT64_FORMAT "\n"
                                                      "taken %s\n"
                                                      "octets %" G_GUINT64_FORMAT "\n"
                                                      "\n",
                          self->host,
                          self->serial,
                          taken,
                          self->n_octets);
}

char *
reroute_backup_dup_trailer (GChecksum *sum)
{
  return g_strconcat (SUM_LINE, g_checksum_get_string (sum), "\n", NULL);
}

/* --- reading --- */

void
reroute_backup_file_free (RerouteBackupFile *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self->name);
  g_free (self->sha256);
  g_free (self->host);
  g_free (self->taken);
  g_free (self);
}

/* Octets from @offset on, fewer at the end of the file; -1: errno says why. */
static gssize
read_at (int fd, guint64 offset, char *data, gsize n_octets)
{
  gsize done = 0;

  while (done < n_octets)
    {
      gssize n = pread (fd, data + done, n_octets - done, (off_t) (offset + done));

      if (n < 0)
        return -1;
      if (n == 0)
        break;
      done += (gsize) n;
    }
  return (gssize) done;
}

static gboolean
fail (GError **error, const char *name)
{
  int code = errno;

  g_set_error_literal (error, G_FILE_ERROR, g_file_error_from_errno (code), g_strerror (code));
  g_prefix_error (error, _ ("cannot read “%s”: "), name);
  return FALSE;
}

/* @text: (transfer full) */
static gboolean
refuse (GError **error, char *text)
{
  g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_STORE_VERSION, text);
  g_free (text);
  return FALSE;
}

static gboolean
refuse_damaged (GError **error, const char *name)
{
  return refuse (
    error,
    /* Translators: the name of a file */
    g_strdup_printf (_ ("“%s” is damaged or was cut off; nothing was changed: take another backup"),
                        name));
}

/* The value of a line "NAME VALUE". */
static char *
dup_line (char **lines, const char *name)
{
  gsize length = strlen (name);

  for (; *lines != NULL; lines++)
    if (g_str_has_prefix (*lines, name) && (*lines)[length] == ' ')
      return g_strdup (*lines + length + 1);
  return NULL;
}

/* It is shown on a terminal. */
static gboolean
is_plain (const char *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (*at != '\n' && g_unichar_iscntrl (g_utf8_get_char (at)))
      return FALSE;
  return TRUE;
}

/* @text: the beginning of the file, with a NUL behind it */
static gboolean
parse_header (RerouteBackupFile *self, const char *text, const char *name, GError **error)
{
  const char *end = strstr (text, "\n\n");
  g_autofree char *header = end != NULL ? g_strndup (text, (gsize) (end - text)) : NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *octets = NULL;

  if (header == NULL || !is_plain (header))
    return refuse_damaged (error, name);
  lines = g_strsplit (header, "\n", -1);
  if (!g_str_equal (lines[0], MAGIC REROUTE_BACKUP_FORMAT))
    return refuse (error,
                   /* Translators: the name of a file */
                   g_strdup_printf (
                     _ ("“%s” was written by a newer Reroute: install that one here first"), name));
  octets = dup_line (lines, "octets");
  self->host = dup_line (lines, "host");
  self->taken = dup_line (lines, "taken");
  self->offset = (guint64) (end - text) + strlen ("\n\n");
  if (octets == NULL || self->host == NULL || self->taken == NULL ||
      !g_ascii_string_to_unsigned (octets, 10, 1, G_MAXINT64, &self->n_octets, NULL))
    return refuse_damaged (error, name);
  return TRUE;
}

/* Adds what stands from @offset to @end. */
static gboolean
sum_octets (
  RerouteBackupFile *self, guint64 offset, guint64 end, GChecksum *all, GChecksum *database)
{
  g_autofree char *block = g_malloc (REROUTE_LIMIT_COPY_PART_OCTETS);

  while (offset < end)
    {
      gssize n = read_at (
        self->fd, offset, block, (gsize) MIN (end - offset, REROUTE_LIMIT_COPY_PART_OCTETS));

      if (n == 0)
        errno = EIO; /* it has become shorter */
      if (n <= 0)
        return FALSE;
      g_checksum_update (all, (guchar *) block, n);
      if (database != NULL)
        g_checksum_update (database, (guchar *) block, n);
      offset += (guint64) n;
    }
  return TRUE;
}

/* The sums, and the trailer of what has a header. */
static gboolean
check_octets (RerouteBackupFile *self, const char *name, GError **error)
{
  g_autoptr (GChecksum) all = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GChecksum) database = g_checksum_new (G_CHECKSUM_SHA256);
  guint64 end = self->offset + self->n_octets;
  char trailer[TRAILER_OCTETS + 1] = "";
  g_autofree char *wanted = NULL;

  if (!sum_octets (self, 0, self->offset, all, NULL) ||
      !sum_octets (self, self->offset, end, all, database))
    return fail (error, name);
  self->sha256 = g_strdup (g_checksum_get_string (database));
  if (self->host == NULL)
    return TRUE;
  wanted = reroute_backup_dup_trailer (all);
  if (read_at (self->fd, end, trailer, TRAILER_OCTETS) < 0)
    return fail (error, name);
  return g_str_equal (trailer, wanted) || refuse_damaged (error, name);
}

/* What a rulesd that crashed had committed last stands beside its database. */
static gboolean
check_log (const char *name, GError **error)
{
  g_autofree char *log = g_strconcat (name, "-wal", NULL);
  struct stat status;

  if (stat (log, &status) != 0 || status.st_size == 0)
    return TRUE;
  return refuse (
    error,
    /* Translators: three times the name of a file; the command stays as it is */
    g_strdup_printf (_ ("“%s” lacks its newest changes; nothing was changed: “sqlite3 %s 'PRAGMA wal_checkpoint(TRUNCATE)'” takes them over from “%s-wal”"),
                        name,
                        name,
                        name));
}

static gboolean
examine (RerouteBackupFile *self, const char *name, GError **error)
{
  char beginning[HEADER_OCTETS + 1] = "";
  struct stat status;
  guint64 size = 0;

  if (fstat (self->fd, &status) != 0 || read_at (self->fd, 0, beginning, HEADER_OCTETS) < 0)
    return fail (error, name);
  size = (guint64) status.st_size;
  if (memcmp (beginning, DATABASE_MAGIC, sizeof DATABASE_MAGIC) == 0)
    {
      if (!check_log (name, error))
        return FALSE;
      self->n_octets = size;
    }
  else if (!g_str_has_prefix (beginning, MAGIC))
    return refuse (error,
                   /* Translators: the name of a file */
                   g_strdup_printf (_ ("“%s” is not a backup of Reroute; nothing was changed: name a file that “reroutectl backup” wrote"),
                                       name));
  else if (!parse_header (self, beginning, name, error))
    return FALSE;
  else if (size != self->offset + self->n_octets + TRAILER_OCTETS)
    return refuse_damaged (error, name);
  return check_octets (self, name, error);
}

RerouteBackupFile *
reroute_backup_file_open (const char *name, GError **error)
{
  g_autoptr (RerouteBackupFile) self = g_new0 (RerouteBackupFile, 1);

  g_return_val_if_fail (name != NULL, NULL);

  self->name = g_strdup (name);
  self->fd = open (name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (self->fd < 0)
    {
      fail (error, name);
      return NULL;
    }
  return examine (self, name, error) ? g_steal_pointer (&self) : NULL;
}

GBytes *
reroute_backup_file_read (RerouteBackupFile *self, guint64 offset, GError **error)
{
  guint64 left = 0;
  g_autofree char *octets = NULL;
  gssize n = 0;

  g_return_val_if_fail (self != NULL && offset <= self->n_octets, NULL);

  left = self->n_octets - offset;
  octets = g_malloc (REROUTE_LIMIT_COPY_PART_OCTETS);
  n = read_at (
    self->fd, self->offset + offset, octets, (gsize) MIN (left, REROUTE_LIMIT_COPY_PART_OCTETS));
  if (n >= 0)
    return g_bytes_new_take (g_steal_pointer (&octets), (gsize) n);
  fail (error, self->name);
  return NULL;
}
