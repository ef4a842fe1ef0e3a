/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-log-journal.c - entries for journald, in its own protocol
 */

#include "config.h"

#include "service/relay/log-journal.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define N_ENTRIES 150 /* more than go in a call */

typedef struct
{
  char *folder;
  char *path;
  int journal; /* that gets them */
  int fd;
  RerouteLogEntries entries;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  f->folder = g_dir_make_tmp ("journal-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "socket", NULL);
  g_assert_cmpint (reroute_log_journal_open (f->path), ==, -1);
  f->journal = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_strlcpy (address.sun_path, f->path, sizeof address.sun_path);
  g_assert_cmpint (bind (f->journal, (struct sockaddr *) &address, sizeof address), ==, 0);
  f->fd = reroute_log_journal_open (f->path);
  g_assert_cmpint (f->fd, >=, 0);
  reroute_log_entries_init (&f->entries);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  reroute_log_entries_clear (&f->entries);
  close (f->fd);
  if (f->journal >= 0)
    close (f->journal);
  g_unlink (f->path);
  g_rmdir (f->folder);
  g_free (f->folder);
  g_free (f->path);
}

static void
add_entry (Fixture *f, const char *text, gsize length)
{
  reroute_log_entries_add (&f->entries, "MESSAGE", text, length);
  reroute_log_entries_add (&f->entries, "PRIORITY", "5", 1);
  reroute_log_entries_end (&f->entries);
}

/* A value may hold anything, also what looks like another field. */
static void
test_entry (Fixture *f, gconstpointer data)
{
  static const char wanted[] =
    "MESSAGE\n\x09\0\0\0\0\0\0\0a\nB=c\0d\ne\nPRIORITY\n\x01\0\0\0\0\0\0\0"
    "5\n";
  char got[sizeof wanted];

  add_entry (f, "a\nB=c\0d\ne", 9);
  g_assert_cmpuint (reroute_log_entries_send (&f->entries, f->fd, 0), ==, 1);
  gssize n = recv (f->journal, got, sizeof got, 0);
  g_assert_cmpmem (got, n, wanted, sizeof wanted - 1);
}

static void
test_many (Fixture *f, gconstpointer data)
{
  guint n_sent = 0;
  guint n_got = 0;

  for (guint i = 0; i < N_ENTRIES; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);
      add_entry (f, text, strlen (text));
    }
  /* The queue of a socket is short: who reads makes room. */
  g_assert_cmpint (
    setsockopt (f->fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ 0, 1 }, sizeof (struct timeval)),
    ==,
    0);
  while (n_got < N_ENTRIES)
    {
      char got[256];
      gssize n;

      n_sent += reroute_log_entries_send (&f->entries, f->fd, n_sent);
      while ((n = recv (f->journal, got, sizeof got - 1, 0)) > 0)
        {
          g_autofree char *wanted = g_strdup_printf ("%u\nPRIORITY", n_got++);

          got[n] = '\0';
          g_assert_nonnull (strstr (got + strlen ("MESSAGE\n") + 8, wanted));
        }
    }
  g_assert_cmpuint (n_sent, ==, N_ENTRIES);
}

/* Who is gone gets nothing, and what was not sent is known. */
static void
test_journal_is_gone (Fixture *f, gconstpointer data)
{
  add_entry (f, "one", 3);
  g_assert_cmpuint (reroute_log_entries_send (&f->entries, f->fd, 0), ==, 1);
  add_entry (f, "two", 3);
  close (f->journal);
  f->journal = -1;
  g_assert_cmpuint (reroute_log_entries_send (&f->entries, f->fd, 1), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/log-journal/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("entry", test_entry);
  ADD ("many", test_many);
  ADD ("journal-is-gone", test_journal_is_gone);
  return g_test_run ();
}
