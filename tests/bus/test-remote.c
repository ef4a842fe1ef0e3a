/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-remote.c - the bus of another computer that stops answering: what stands for ssh is its far
 * side alone
 */

#include "config.h"

#include "tests/bus/bus-fixture.h"

#include "common/client/peer.h"
#include "common/error.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define NAME "admin@relay1.test"

typedef struct
{
  BusFixture bus;
  char *hang; /* a file: while it is there, ssh does nothing */
  char *pid;  /* a file: of the last ssh */
  char *path; /* that PATH was */
  RerouteBus *remote;
} Fixture;

static void
write_ssh (Fixture *f)
{
  g_autofree char *program = g_build_filename (f->bus.folder, "ssh", NULL);
  g_autofree char *text = g_strdup_printf (
    "#!/bin/sh\necho $$ >%s\ntest ! -e %s || exec sleep 300\nexec systemd-stdio-bridge -p %s\n",
    f->pid,
    f->hang,
    f->bus.address);

  g_assert_true (
    g_file_set_contents_full (program, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0755, NULL));
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  bus_set_up (&f->bus, data);
  f->hang = g_build_filename (f->bus.folder, "hang", NULL);
  f->pid = g_build_filename (f->bus.folder, "pid", NULL);
  f->path = g_strdup (g_getenv ("PATH"));
  path = g_strconcat (f->bus.folder, ":", f->path, NULL);
  g_setenv ("PATH", path, TRUE);
  write_ssh (f);
  f->remote = reroute_bus_new_remote (reroute_remote_parse (NAME, &error), NULL);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  reroute_bus_close (f->remote);
  g_object_unref (f->remote);
  g_setenv ("PATH", f->path, TRUE);
  g_free (f->path);
  g_free (f->hang);
  g_free (f->pid);
  bus_tear_down (&f->bus, data);
}

static GPid
read_pid (Fixture *f)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (f->pid, &text, NULL, NULL));
  return (GPid) g_ascii_strtoll (text, NULL, 10);
}

static void
test_hangs_when_tried_again (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_autofree char *command = reroute_peer_dup_start_command (&reroute_peer_relay, f->remote);

  g_assert_cmpstr (command, ==, "systemctl --host=" NAME " start reroute-relayd");
  g_assert_true (reroute_bus_open (f->remote, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_set_contents (f->hang, "", 0, NULL));
  g_assert_cmpint (kill (read_pid (f), SIGTERM), ==, 0);
  BUS_WAIT_FOR (reroute_bus_get_failure (f->remote) != NULL);
  error = g_error_copy (reroute_bus_get_failure (f->remote));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "“ssh " NAME "”"));
  g_assert_nonnull (strstr (error->message, "(no bus answers in time)"));

  g_assert_cmpint (g_remove (f->hang), ==, 0);
  BUS_WAIT_FOR (reroute_bus_get_connection (f->remote) != NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/remote/hangs-when-tried-again",
              Fixture,
              NULL,
              set_up,
              test_hangs_when_tried_again,
              tear_down);
  return g_test_run ();
}
