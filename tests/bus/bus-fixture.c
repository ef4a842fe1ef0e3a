/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bus-fixture.c - a bus with rulesd behind it, for tests
 *
 * Environment, from meson: REROUTE_TEST_RULESD, the program; REROUTE_TEST_SERVICES, the folder with
 * its service file.
 */

#include "config.h"

#include "tests/bus/bus-fixture.h"

#include "common/names.h"
#include "tests/unit/sample-edit.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>

#define CALL_MS 20000

/* @address and @services are paths of the test's own: nothing to escape. */
static char *
make_configuration (const char *address, const char *services)
{
  return g_strconcat (
    "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\" "
    "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">"
    "<busconfig><type>session</type><auth>EXTERNAL</auth><listen>",
    address,
    "</listen><servicedir>",
    services,
    "</servicedir><policy context=\"default\"><allow user=\"*\"/>"
    "<allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/></policy>"
    "</busconfig>",
    NULL);
}

gboolean
bus_tick_cb (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

void
bus_result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

GAsyncResult *
bus_await (GAsyncResult **result)
{
  BUS_WAIT_FOR (*result != NULL);
  return g_steal_pointer (result);
}

RerouteBus *
bus_connect (BusFixture *f)
{
  g_autoptr (GError) error = NULL;
  RerouteBus *bus = reroute_bus_new (FALSE, f->address);

  reroute_bus_open (bus, &error);
  g_assert_no_error (error);
  return bus;
}

static void
make_folder (BusFixture *f)
{
  f->folder = g_dir_make_tmp ("reroute-bus-XXXXXX", NULL);
  g_assert_cmpint (g_chmod (f->folder, 0755), ==, 0);
  g_setenv ("XDG_STATE_HOME", f->folder, TRUE);
}

void
bus_set_up (BusFixture *f, gconstpointer data)
{
  make_folder (f);
  f->test_dbus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_add_service_dir (f->test_dbus, g_getenv ("REROUTE_TEST_SERVICES"));
  g_test_dbus_up (f->test_dbus);
  f->address = g_strdup (g_test_dbus_get_bus_address (f->test_dbus));
  f->bus = bus_connect (f);
  f->client = reroute_rules_client_new (f->bus);
}

void
bus_write_service (BusFixture *f, const char *exec)
{
  g_autofree char *path =
    g_build_filename (f->folder, "services", "org.reroute.Rules.service", NULL);
  g_autofree char *text =
    g_strdup_printf ("[D-BUS Service]\nName=%s\nExec=%s\n", REROUTE_RULES_BUS_NAME, exec);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

void
bus_start_daemon (BusFixture *f)
{
  g_autofree char *configuration = g_build_filename (f->folder, "bus.conf", NULL);
  g_autofree char *option = g_strconcat ("--config-file=", configuration, NULL);
  g_autofree char *services = g_build_filename (f->folder, "services", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  text = make_configuration (f->address, services);
  g_assert_true (g_file_set_contents (configuration, text, -1, NULL));
  f->daemon = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                                &error,
                                "dbus-daemon",
                                option,
                                "--nofork",
                                "--nopidfile",
                                "--nosyslog",
                                "--print-address",
                                NULL);
  g_assert_no_error (error);
  /* It prints its address when it listens. */
  char first = 0;
  g_assert_cmpint (
    g_input_stream_read (g_subprocess_get_stdout_pipe (f->daemon), &first, 1, NULL, NULL), ==, 1);
}

void
bus_stop_daemon (BusFixture *f)
{
  g_subprocess_force_exit (f->daemon);
  g_subprocess_wait (f->daemon, NULL, NULL);
  g_clear_object (&f->daemon);
}

void
bus_set_up_daemon (BusFixture *f, gconstpointer data)
{
  g_autofree char *services = NULL;
  g_autofree char *exec = NULL;

  make_folder (f);
  f->address = g_strdup_printf ("unix:path=%s/bus", f->folder);
  services = g_build_filename (f->folder, "services", NULL);
  g_assert_cmpint (g_mkdir (services, 0755), ==, 0);
  exec = g_strdup_printf ("\"%s\" --bus=%s", g_getenv ("REROUTE_TEST_RULESD"), f->address);
  bus_write_service (f, exec);
  bus_start_daemon (f);
  f->bus = bus_connect (f);
  f->client = reroute_rules_client_new (f->bus);
}

GPid
bus_get_rulesd_pid (BusFixture *f)
{
  GDBusConnection *connection = reroute_bus_get_connection (f->bus);
  g_autoptr (GVariant) reply = NULL;
  guint pid = 0;

  if (connection == NULL)
    return 0;
  reply = g_dbus_connection_call_sync (connection,
                                       "org.freedesktop.DBus",
                                       "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus",
                                       "GetConnectionUnixProcessID",
                                       g_variant_new ("(s)", REROUTE_RULES_BUS_NAME),
                                       G_VARIANT_TYPE ("(u)"),
                                       G_DBUS_CALL_FLAGS_NONE,
                                       CALL_MS,
                                       NULL,
                                       NULL);
  if (reply != NULL)
    g_variant_get (reply, "(u)", &pid);
  return (GPid) pid;
}

/* One that has ended and that nobody has waited for is not. */
static gboolean
is_running (GPid pid)
{
  g_autofree char *link = g_strdup_printf ("/proc/%d/exe", pid);
  g_autofree char *program = g_file_read_link (link, NULL);

  return program != NULL;
}

void
bus_kill_rulesd (BusFixture *f, int signal)
{
  GPid pid = bus_get_rulesd_pid (f);

  if (pid == 0)
    return;
  g_assert_cmpint (kill (pid, signal), ==, 0);
  /* It lets its name go first, and the database a moment later. */
  BUS_WAIT_FOR (bus_get_rulesd_pid (f) == 0 && !is_running (pid));
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);
      remove_tree (child);
    }
  g_remove (path);
}

void
bus_tear_down (BusFixture *f, gconstpointer data)
{
  if (reroute_bus_get_connection (f->bus) != NULL)
    bus_kill_rulesd (f, SIGTERM);
  g_clear_object (&f->client);
  g_clear_object (&f->bus);
  if (f->test_dbus != NULL)
    g_test_dbus_down (f->test_dbus);
  g_clear_object (&f->test_dbus);
  if (f->daemon != NULL)
    bus_stop_daemon (f);
  remove_tree (f->folder);
  g_free (f->folder);
  g_free (f->address);
}

GVariant *
bus_call (RerouteBus *bus, const char *method, GVariant *arguments, GError **error)
{
  return g_dbus_connection_call_sync (reroute_bus_get_connection (bus),
                                      REROUTE_RULES_BUS_NAME,
                                      REROUTE_RULES_PATH,
                                      REROUTE_RULES_INTERFACE,
                                      method,
                                      arguments,
                                      NULL,
                                      G_DBUS_CALL_FLAGS_NONE,
                                      CALL_MS,
                                      NULL,
                                      error);
}

RerouteCommitResult *
bus_apply (
  BusFixture *f, const char *lines, guint64 expected_serial, const char *confirmed, GError **error)
{
  const char *const keys[] = { confirmed, NULL };
  g_autoptr (GPtrArray) changes = sample_edit (lines);
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_apply_async (
    f->client, changes, expected_serial, keys, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  return reroute_rules_client_apply_finish (f->client, result, error);
}

void
bus_save (BusFixture *f, const char *lines, guint64 expected_serial)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteCommitResult) outcome = bus_apply (f, lines, expected_serial, NULL, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < outcome->findings->len; i++)
    g_test_message ("%s", ((RerouteFinding *) outcome->findings->pdata[i])->sentence);
  g_assert_cmpint (outcome->state, ==, REROUTE_COMMIT_SAVED);
}

guint64
bus_get_held_serial (RerouteRulesClient *client)
{
  RerouteRuleset *ruleset = reroute_rules_client_get_ruleset (client);

  return ruleset != NULL ? reroute_ruleset_get_serial (ruleset) : 0;
}

RerouteFinding *
bus_find_finding (GPtrArray *findings, const char *code)
{
  for (guint i = 0; i < findings->len; i++)
    {
      RerouteFinding *finding = findings->pdata[i];
      if (g_str_equal (finding->code, code))
        return finding;
    }
  return NULL;
}
