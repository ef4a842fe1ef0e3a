/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-copies-room.c - copies of the rules leave room on the file system, all of them together
 *
 * What is free is what the test says.
 */

#include "config.h"

#include "service/rules/copies.h"

#include "common/error.h"
#include "common/limits.h"
#include "tests/bus/bus-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OFFER_OCTETS 1000

typedef struct
{
  BusFixture bus;
  RerouteRulebook *book;
  RerouteCopies *copies;
  guint64 n_octets; /* of the database */
} Fixture;

static guint64 n_free;

/* The linker calls them in the place of the C library's; which one depends on the machine. */
int __wrap_statvfs (const char *path, struct statvfs *status);
int __wrap_statvfs64 (const char *path, struct statvfs *status);

int
__wrap_statvfs (const char *path, struct statvfs *status)
{
  *status = (struct statvfs){ .f_bavail = n_free, .f_frsize = 1 };
  return 0;
}

int
__wrap_statvfs64 (const char *path, struct statvfs *status)
{
  return __wrap_statvfs (path, status);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  GStatBuf status;

  bus_set_up (&f->bus, NULL);
  path = g_build_filename (f->bus.folder, "other.db", NULL);
  f->book = reroute_rulebook_open (path, &error);
  g_assert_no_error (error);
  f->copies = reroute_copies_new (f->book);
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  f->n_octets = (guint64) status.st_size;
  g_assert_cmpuint (f->n_octets, >, OFFER_OCTETS);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_strdup (reroute_rulebook_get_path (f->book));
  g_autofree char *lock = g_strconcat (path, "-lock", NULL);

  reroute_copies_free (f->copies);
  reroute_rulebook_close (f->book);
  g_unlink (path);
  g_unlink (lock);
  bus_tear_down (&f->bus, NULL);
}

static const char *
get_name (Fixture *f)
{
  return g_dbus_connection_get_unique_name (reroute_bus_get_connection (f->bus.bus));
}

static RerouteCopy *
begin_backup (Fixture *f, GError **error)
{
  return reroute_copies_begin_backup (
    f->copies, reroute_bus_get_connection (f->bus.bus), get_name (f), error);
}

static RerouteCopy *
begin_restore (Fixture *f, guint64 n_octets)
{
  g_autoptr (GError) error = NULL;
  RerouteCopy *copy = reroute_copies_begin_restore (
    f->copies, reroute_bus_get_connection (f->bus.bus), get_name (f), n_octets, SHA256, &error);

  g_assert_no_error (error);
  return copy;
}

static void
end (Fixture *f, RerouteCopy *copy)
{
  reroute_copies_end (f->copies, copy);
  reroute_copy_unref (copy);
}

static RerouteCopy *
assert_room (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  RerouteCopy *copy = begin_backup (f, &error);

  g_assert_no_error (error);
  return copy;
}

static void
assert_no_room (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (begin_backup (f, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, f->bus.folder));
  g_assert_nonnull (strstr (error->message, "make room there"));
}

/* One step of the copy, done. */
static void
step (RerouteCopy *copy, gboolean done)
{
  g_assert_true (done);
  reroute_copy_set_busy (copy, TRUE);
  reroute_copy_set_busy (copy, FALSE);
}

static void
test_room_of_what_arrives_is_kept (Fixture *f, gconstpointer data)
{
  RerouteCopy *arriving = NULL;
  g_autoptr (GBytes) octet = g_bytes_new_static ("S", 1);

  n_free = REROUTE_LIMIT_COPY_SPARE_OCTETS + f->n_octets + OFFER_OCTETS;
  arriving = begin_restore (f, OFFER_OCTETS);
  end (f, assert_room (f));
  end (f, arriving);
  arriving = begin_restore (f, OFFER_OCTETS + 1);
  assert_no_room (f);
  /* What has arrived is among what is not free any more. */
  step (arriving, reroute_copy_write (arriving, 0, octet, NULL));
  end (f, assert_room (f));
  n_free--;
  assert_no_room (f);
  end (f, arriving);
  end (f, assert_room (f));
}

static void
test_room_of_what_is_copied_is_kept (Fixture *f, gconstpointer data)
{
  RerouteCopy *first = NULL;
  RerouteCopy *second = NULL;
  RerouteCopyFacts facts;

  n_free = REROUTE_LIMIT_COPY_SPARE_OCTETS + 2 * f->n_octets;
  first = assert_room (f);
  second = assert_room (f);
  assert_no_room (f);
  step (first, reroute_copy_take (first, &facts, NULL));
  end (f, assert_room (f));
  end (f, second);
  end (f, first);
}

#define ADD(name, func) g_test_add ("/copies-room/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("room-of-what-arrives-is-kept", test_room_of_what_arrives_is_kept);
  ADD ("room-of-what-is-copied-is-kept", test_room_of_what_is_copied_is_kept);
  return g_test_run ();
}
