/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * examine-machine.c - the machine that the relay runs on: room for the spool and for connections,
 * the clock, libraries
 *
 * Whether the clock is synchronised is asked of systemd, where there is one: the sandbox has no
 * adjtimex.  The disk may take its time, so it is asked in a thread of its own.
 *
 * Source: org.freedesktop.timedate1(5).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/examination-private.h"

#include "common/diagnosis.h"
#include "common/limits.h"
#include "service/relay/spool/directory.h"
#include "service/relay/spool/record.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <libsoup/soup.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CLOCK_WAIT_MS 5000
#define YEAR_LEAST 2026 /* of the first release */
#define YEAR_MOST 2100
#define PROBE_OCTETS 4096

/* --- the spool --- */

typedef struct
{
  int directory_fd; /* of the spool, which outlives the thread's task: a duplicate */
  gboolean has_room;
  guint64 octets, all_octets; /* free to us, and there are */
  guint64 files, all_files;
  int write_error; /* errno; 0: it can be written */
  gboolean has_damaged;
} Room;

static void
free_room (gpointer data)
{
  Room *room = data;

  if (room->directory_fd >= 0)
    close (room->directory_fd);
  g_free (room);
}

/* Writes to a file without a name; an errno, or 0, also where the file system has no such file. */
static int
try_write (int directory_fd)
{
  static const guint8 nothing[PROBE_OCTETS];
  int fd = openat (directory_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  int failure = 0;

  if (fd < 0)
    return errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT ? 0 : errno;
  errno = 0;
  if (pwrite (fd, nothing, sizeof nothing, 0) != (gssize) sizeof nothing)
    failure = errno != 0 ? errno : ENOSPC;
  close (fd);
  return failure;
}

static void
look_at_disk (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Room *room = task_data;
  struct statvfs figures;

  if (fstatvfs (room->directory_fd, &figures) == 0)
    {
      room->has_room = TRUE;
      room->octets = (guint64) figures.f_bavail * figures.f_frsize;
      room->all_octets = (guint64) figures.f_blocks * figures.f_frsize;
      room->files = figures.f_favail;
      room->all_files = figures.f_files;
    }
  room->write_error = try_write (room->directory_fd);
  room->has_damaged = reroute_spool_directory_has_damaged (room->directory_fd);
  g_task_return_boolean (task, TRUE);
}

static void
report_room (RerouteCheck *self, const Room *room, const char *directory)
{
  g_autofree char *octets = g_format_size_full (room->octets, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *files = g_strdup_printf ("%" G_GUINT64_FORMAT, room->files);
  gboolean counts_files = room->all_files > 0; /* some file systems do not */

  if (room->octets < REROUTE_LIMIT_SPOOL_LOW_OCTETS && room->octets < room->all_octets / 10)
    reroute_check_report (self, "spool-low", octets, directory, NULL);
  if (counts_files && room->files < REROUTE_LIMIT_SPOOL_LOW_FILES &&
      room->files < room->all_files / 10)
    reroute_check_report (self, "spool-few-files", files, directory, NULL);
  if (!reroute_check_has_complaint (self))
    reroute_check_report (self, "spool-ok", octets, counts_files ? files : "∞", NULL);
}

static void
looked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteCheck *self = user_data;
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  const Room *room = g_task_get_task_data (G_TASK (result));
  RerouteSpoolFigures figures;

  if (parts != NULL)
    {
      g_autofree char *directory = reroute_relay_options_dup_spool (parts->options);

      reroute_spool_get_figures (parts->spool, &figures);
      if (!figures.writable || room->write_error != 0)
        reroute_check_report (self,
                              "spool-failing",
                              directory,
                              room->write_error != 0 ? g_strerror (room->write_error)
                                                     : "a write or sync has failed",
                              NULL);
      if (room->has_damaged)
        reroute_check_report (self, "spool-damaged", directory, NULL);
      if (room->has_room)
        report_room (self, room, directory);
    }
  reroute_check_end_step (self);
}

void
reroute_examine_spool (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  g_autoptr (GTask) task = NULL;
  Room *room;

  if (parts == NULL)
    return;
  room = g_new0 (Room, 1);
  room->directory_fd = fcntl (reroute_spool_get_directory_fd (parts->spool), F_DUPFD_CLOEXEC, 0);
  reroute_check_begin_step (self);
  task = g_task_new (NULL, NULL, looked_cb, self);
  g_task_set_source_tag (task, reroute_examine_spool);
  g_task_set_task_data (task, room, free_room);
  g_task_run_in_thread (task, look_at_disk);
}

/* --- open files --- */

void
reroute_examine_connections (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);

  if (parts == NULL || parts->ruleset == NULL)
    return;
  const RerouteDescriptorShare *share = &parts->descriptors;
  g_autofree char *limit = g_strdup_printf ("%" G_GUINT64_FORMAT, share->limit);
  g_autofree char *needed = g_strdup_printf ("%" G_GUINT64_FORMAT, share->needed);
  g_autofree char *inbound = g_strdup_printf ("%u", share->inbound);
  g_autofree char *outbound = g_strdup_printf ("%u", share->outbound);

  if (share->needed <= share->limit)
    reroute_check_report (self, "connections-ok", limit, needed, NULL);
  else
    reroute_check_report (self, "connections-few", limit, inbound, outbound, needed, NULL);
}

/* --- the clock --- */

/* Without systemd nobody says whether it is synchronised. */
static void
clock_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteCheck *self = user_data;
  g_autoptr (GVariant) answer =
               g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) value = NULL;
  g_autofree char *now = reroute_check_format_time (g_get_real_time ());
  const char *code = "clock-plausible";

  if (answer != NULL)
    g_variant_get (answer, "(v)", &value);
  if (value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    code = g_variant_get_boolean (value) ? "clock-synchronised" : "clock-unsynchronised";
  reroute_check_report (self, code, now, NULL);
  reroute_check_end_step (self);
}

void
reroute_examine_clock (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  GDBusConnection *bus = parts != NULL ? reroute_bus_get_connection (parts->bus) : NULL;
  g_autoptr (GDateTime) time = g_date_time_new_now_utc ();
  int year = g_date_time_get_year (time);

  if (year < YEAR_LEAST || year > YEAR_MOST)
    {
      g_autofree char *now = reroute_check_format_time (g_get_real_time ());
      reroute_check_report (self, "clock-wrong", now, NULL);
    }
  else if (bus != NULL)
    {
      reroute_check_begin_step (self);
      g_dbus_connection_call (
        bus,
        "org.freedesktop.timedate1",
        "/org/freedesktop/timedate1",
        "org.freedesktop.DBus.Properties",
        "Get",
        g_variant_new ("(ss)", "org.freedesktop.timedate1", "NTPSynchronized"),
        G_VARIANT_TYPE ("(v)"),
        G_DBUS_CALL_FLAGS_NONE,
        CLOCK_WAIT_MS,
        reroute_check_get_cancellable (self),
        clock_cb,
        self);
    }
}

/* --- versions --- */

static void
report_old_libraries (RerouteCheck *self, const char *glib, const char *gnutls)
{
  if (glib_check_version (GLIB_MAJOR_VERSION, GLIB_MINOR_VERSION, GLIB_MICRO_VERSION) != NULL)
    {
      g_autofree char *built =
        g_strdup_printf ("%d.%d.%d", GLIB_MAJOR_VERSION, GLIB_MINOR_VERSION, GLIB_MICRO_VERSION);
      reroute_check_report (self, "library-old", "GLib", glib, built, NULL);
    }
  if (gnutls_check_version (GNUTLS_VERSION) == NULL)
    reroute_check_report (self, "library-old", "GnuTLS", gnutls, GNUTLS_VERSION, NULL);
}

void
reroute_examine_versions (RerouteCheck *self)
{
  const char *gnutls = gnutls_check_version (NULL);
  g_autofree char *format = g_strdup_printf ("%u", REROUTE_SPOOL_VERSION);
  g_autofree char *glib =
    g_strdup_printf ("%u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);
  g_autofree char *all = g_strdup_printf ("GLib %s, GnuTLS %s, libunbound %s, libsoup %u.%u.%u",
                                          glib,
                                          gnutls,
                                          reroute_resolver_get_version (),
                                          soup_get_major_version (),
                                          soup_get_minor_version (),
                                          soup_get_micro_version ());

  reroute_check_report (self, "versions-formats", format, NULL);
  reroute_check_report (self, "versions-libraries", all, NULL);
  report_old_libraries (self, glib, gnutls);
}
