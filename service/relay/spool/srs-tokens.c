/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * srs-tokens.c - senders that are too long for an address, in the spool's directory
 *
 * Two files and what is in them: new senders are appended to one, in a line each, the token and the
 * sender; when it is full or old it takes the place of the other.  So nothing is ever rewritten,
 * and what is kept has a bound.  A sender that is in the older one alone is appended once more when
 * it sends.
 *
 * A line is written before mail leaves with its token, by who delivers it: a process that dies
 * loses none, and the kernel takes the line to the disk when it sees fit.  Who looks for a sender
 * waits for neither.
 *
 * A file that cannot be read is renamed to NAME.damaged, the last one of each, and none of
 * another's is written to.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-srs"

#include "service/relay/spool/srs-tokens.h"

#include "common/limits.h"
#include "service/relay/spool/private-file.h"
#include "service/relay/spool/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "srs-tokens"
#define OLD_NAME "srs-tokens.old"
#define MAGIC                                                                                      \
  "reroute-srs-tokens 1 " /* then the time of its first sender, in seconds since 1970              \
                           */
#define DAY_S ((gint64) 86400)

typedef struct
{
  GHashTable *senders; /* of tokens */
  gint64 made_s;
  gsize octets; /* of the file, up to the end of its last whole line; 0: there is none of ours */
} Generation;

struct _RerouteSrsTokens
{
  int dir_fd;

  GMutex files_lock; /* over the files, and over all that is said of them below */
  int fd;            /* of the newer file, at its end; -1: not open */
  Generation newer;
  Generation older;

  GMutex lock; /* over the senders, which change under both locks: who looks for one waits for no
                  disk */
};

static void
clear_generation (Generation *self)
{
  g_clear_pointer (&self->senders, g_hash_table_unref);
}

static Generation
make_generation (void)
{
  return (Generation){ .senders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free) };
}

static void
close_file (RerouteSrsTokens *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

/* --- reading --- */

static void
read_line (Generation *self, const char *line, gsize length)
{
  const char *space = memchr (line, ' ', length);

  if (space == NULL || space == line || space + 1 == line + length)
    return;
  g_hash_table_replace (self->senders,
                        g_strndup (line, (gsize) (space - line)),
                        g_strndup (space + 1, (gsize) (line + length - space - 1)));
}

/* What cannot be read makes room, and is there for who may mend it. */
static void
set_aside (int dir_fd, const char *name, const char *why)
{
  g_autofree char *damaged = g_strconcat (name, ".damaged", NULL);

  if (renameat (dir_fd, name, dir_fd, damaged) == 0)
    g_warning ("%s: it is “%s” now, and notices to the senders in it are refused", why, damaged);
  else
    g_warning ("%s, and it cannot be renamed (%s): notices to the senders in it are refused",
               why,
               g_strerror (errno));
}

/* Up to the end of the last whole line.  @data begins as it should. */
static void
read_lines (Generation *self, const char *data, gsize length)
{
  const char *end = memchr (data, '\n', length);

  self->made_s = g_ascii_strtoll (data + strlen (MAGIC), NULL, 10);
  while (end != NULL)
    {
      const char *line = end + 1;

      self->octets = (gsize) (line - data);
      end = memchr (line, '\n', length - self->octets);
      if (end != NULL)
        read_line (self, line, (gsize) (end - line));
    }
}

static Generation
read_generation (int dir_fd, const char *name)
{
  Generation self = make_generation ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) octets =
               reroute_private_file_read (dir_fd, name, REROUTE_LIMIT_SRS_TOKENS_OCTETS, &error);
  gsize length = 0;
  const char *data = octets != NULL ? g_bytes_get_data (octets, &length) : NULL;

  if (error != NULL)
    set_aside (dir_fd, name, error->message);
  else if (strncmp (data != NULL ? data : "", MAGIC, MIN (length, strlen (MAGIC))) != 0)
    {
      g_autofree char *why =
        g_strdup_printf ("file “%s” of the spool does not begin with “%s”", name, MAGIC);

      set_aside (dir_fd, name, why);
    }
  else if (length > 0 && memchr (data, '\n', length) != NULL)
    read_lines (&self, data, length);
  /* A process that died in its first line has left nothing. */
  else
    unlinkat (dir_fd, name, 0);
  return self;
}

/* --- writing: under the lock of the files --- */

/* Until a file is there it must not be another's: what lies there could not be read. */
static int
create_file (RerouteSrsTokens *self)
{
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  int fd = openat (self->dir_fd, NAME, flags, 0600);

  if (fd >= 0 || errno != EEXIST)
    return fd;
  set_aside (self->dir_fd, NAME, "file “" NAME "” of the spool is not ours");
  return openat (self->dir_fd, NAME, flags, 0600);
}

/* Behind the last whole line: a half one may stand there. */
static gboolean
open_file (RerouteSrsTokens *self)
{
  if (self->fd >= 0)
    return TRUE;
  self->fd = self->newer.octets == 0
               ? create_file (self)
               : openat (self->dir_fd, NAME, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  return self->fd >= 0 && ftruncate (self->fd, (off_t) self->newer.octets) == 0 &&
         lseek (self->fd, 0, SEEK_END) >= 0;
}

static gboolean
append (RerouteSrsTokens *self, const char *text, gsize length)
{
  gssize n;

  if (!open_file (self))
    return FALSE;
  do
    n = write (self->fd, text, length);
  while (n < 0 && errno == EINTR);
  if (n >= 0 && (gsize) n < length)
    errno = ENOSPC;
  if (n != (gssize) length)
    return FALSE;
  self->newer.octets += length;
  return TRUE;
}

/* What was begun and could not be written is written anew. */
static void
give_up_file (RerouteSrsTokens *self)
{
  if (self->fd >= 0 && self->newer.octets == 0)
    unlinkat (self->dir_fd, NAME, 0);
  close_file (self);
}

/* Somebody has taken the newer file away: what was in it is known until we end, and the older one
   is there still. */
static void
join_generations (RerouteSrsTokens *self)
{
  GHashTableIter iter;
  gpointer token, sender;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->newer.senders);
  while (g_hash_table_iter_next (&iter, &token, &sender))
    {
      g_hash_table_iter_steal (&iter);
      g_hash_table_replace (self->older.senders, token, sender);
    }
  clear_generation (&self->newer);
  self->newer = make_generation ();
  g_mutex_unlock (&self->lock);
}

static gboolean
replace_older (RerouteSrsTokens *self)
{
  Generation forgotten = self->older;

  if (renameat (self->dir_fd, NAME, self->dir_fd, OLD_NAME) != 0)
    {
      if (errno != ENOENT)
        return FALSE;
      close_file (self);
      join_generations (self);
      return TRUE;
    }
  close_file (self);
  g_mutex_lock (&self->lock);
  self->older = self->newer;
  self->newer = make_generation ();
  g_mutex_unlock (&self->lock);
  clear_generation (&forgotten);
  return TRUE;
}

static gboolean
is_gone (RerouteSrsTokens *self)
{
  struct stat status;

  return self->newer.octets > 0 &&
         fstatat (self->dir_fd, NAME, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static gboolean
add (RerouteSrsTokens *self, const char *token, const char *sender, gint64 now_s)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s %s\n", token, sender);
  if ((self->newer.octets + text->len > REROUTE_LIMIT_SRS_TOKENS_OCTETS || is_gone (self)) &&
      !replace_older (self))
    return FALSE;
  if (self->newer.octets == 0)
    {
      g_autofree char *first = g_strdup_printf (MAGIC "%" G_GINT64_FORMAT "\n", now_s);

      g_string_prepend (text, first);
      self->newer.made_s = now_s;
    }
  if (!append (self, text->str, text->len))
    return FALSE;
  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->newer.senders, g_strdup (token), g_strdup (sender));
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static gboolean
keep (gpointer data, const char *token, const char *sender, gint64 now_s, GError **error)
{
  RerouteSrsTokens *self = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->files_lock);

  if (g_hash_table_contains (self->newer.senders, token) || add (self, token, sender, now_s))
    return TRUE;
  reroute_spool_set_error (error, errno, "keep a sender");
  give_up_file (self);
  return FALSE;
}

static char *
find (gpointer data, const char *token)
{
  RerouteSrsTokens *self = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  const char *sender = g_hash_table_lookup (self->newer.senders, token);

  if (sender == NULL)
    sender = g_hash_table_lookup (self->older.senders, token);
  return g_strdup (sender);
}

/* --- expiry --- */

static void
forget_older (RerouteSrsTokens *self)
{
  Generation forgotten = self->older;

  unlinkat (self->dir_fd, OLD_NAME, 0);
  g_mutex_lock (&self->lock);
  self->older = make_generation ();
  g_mutex_unlock (&self->lock);
  clear_generation (&forgotten);
}

void
reroute_srs_tokens_expire (RerouteSrsTokens *self, gint64 now_s)
{
  const gint64 life_s = (REROUTE_LIMIT_SRS_VALID_DAYS + 1) * DAY_S;

  g_return_if_fail (self != NULL);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->files_lock);
  /* Who was added first may have sent until now, so the file stays as the older one for as long. */
  if (self->newer.octets > 0 && now_s - self->newer.made_s > life_s)
    replace_older (self);
  if (self->newer.octets == 0 && self->older.octets > 0 &&
      now_s - self->older.made_s > 2 * life_s + DAY_S)
    forget_older (self);
}

/* --- life --- */

RerouteSrsTokens *
reroute_srs_tokens_open (int dir_fd)
{
  g_return_val_if_fail (dir_fd >= 0, NULL);

  RerouteSrsTokens *self = g_atomic_rc_box_new0 (RerouteSrsTokens);

  g_mutex_init (&self->files_lock);
  g_mutex_init (&self->lock);
  self->dir_fd = fcntl (dir_fd, F_DUPFD_CLOEXEC, 0);
  self->fd = -1;
  self->newer = read_generation (dir_fd, NAME);
  self->older = read_generation (dir_fd, OLD_NAME);
  return self;
}

RerouteSrsTokens *
reroute_srs_tokens_ref (RerouteSrsTokens *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  RerouteSrsTokens *self = data;

  close_file (self);
  if (self->dir_fd >= 0)
    close (self->dir_fd);
  clear_generation (&self->newer);
  clear_generation (&self->older);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->files_lock);
}

void
reroute_srs_tokens_unref (RerouteSrsTokens *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

RerouteSrsStore
reroute_srs_tokens_get_store (RerouteSrsTokens *self)
{
  return (RerouteSrsStore){ .keep = keep,
                            .find = find,
                            .data = reroute_srs_tokens_ref (self),
                            .free_data = (GDestroyNotify) reroute_srs_tokens_unref };
}
