/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-peer.c - what a client is told of a daemon that is not as it should be
 */

#include "config.h"

#include "tests/bus/bus-fixture.h"

#include "common/client/dbus-relay1.h"
#include "common/client/peer.h"
#include "common/error.h"
#include "common/names.h"

#include <string.h>

/* A relay that answers nothing by itself. */
typedef struct
{
  RerouteBus *bus;
  RerouteDBusRelay1 *skeleton;
} SilentRelay;

static void
set_true_cb (RerouteBus *bus, gpointer flag)
{
  *(gboolean *) flag = TRUE;
}

static void
silent_relay_start (SilentRelay *relay, BusFixture *f)
{
  gboolean published = FALSE;

  relay->bus = bus_connect (f);
  relay->skeleton = reroute_dbus_relay1_skeleton_new ();
  g_signal_connect (relay->bus, "published", G_CALLBACK (set_true_cb), &published);
  reroute_bus_publish (relay->bus,
                       G_DBUS_INTERFACE_SKELETON (relay->skeleton),
                       REROUTE_RELAY_PATH,
                       REROUTE_RELAY_BUS_NAME);
  BUS_WAIT_FOR (published);
  g_signal_handlers_disconnect_by_data (relay->bus, &published);
}

static void
silent_relay_end (SilentRelay *relay)
{
  g_object_unref (relay->skeleton);
  g_object_unref (relay->bus);
}

static void
start_call (BusFixture *f, const char *method, const char *reply_type, GAsyncResult **pending)
{
  reroute_peer_call (&reroute_peer_relay,
                     f->bus,
                     method,
                     NULL,
                     G_VARIANT_TYPE (reply_type),
                     20000,
                     NULL,
                     bus_result_cb,
                     pending);
}

static GError *
await_failure (GAsyncResult **pending)
{
  g_autoptr (GAsyncResult) result = bus_await (pending);
  GError *error = NULL;

  g_assert_null (reroute_peer_call_finish (result, &error));
  return error;
}

/* The bus has handed everything on that @connection sent before. */
static void
wait_for_the_bus (GDBusConnection *connection)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (connection,
                                                            "org.freedesktop.DBus",
                                                            "/org/freedesktop/DBus",
                                                            "org.freedesktop.DBus",
                                                            "GetId",
                                                            NULL,
                                                            NULL,
                                                            G_DBUS_CALL_FLAGS_NONE,
                                                            -1,
                                                            NULL,
                                                            &error);

  g_assert_no_error (error);
  g_assert_nonnull (reply);
}

static void
test_a_call_while_it_stops (BusFixture *f, gconstpointer data)
{
  SilentRelay relay;
  GAsyncResult *pending = NULL;
  g_autoptr (GError) error = NULL;

  silent_relay_start (&relay, f);
  start_call (f, "Status", "(a{sv})", &pending);
  /* It has reached the relay, whose main loop has not seen it. */
  wait_for_the_bus (reroute_bus_get_connection (f->bus));
  reroute_bus_unpublish (relay.bus);
  error = await_failure (&pending);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, " is stopping: try again"));
  g_clear_error (&error);

  start_call (f, "Status", "(a{sv})", &pending);
  error = await_failure (&pending);
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "reroute-relayd is not running: "));
  silent_relay_end (&relay);
}

/* Of a newer client: a method that this relay has not, and one that has got arguments. */
static void
test_another_version (BusFixture *f, gconstpointer data)
{
  static const char *const methods[] = { "QueueOfTheFuture", "QueueMessage" };
  SilentRelay relay;

  silent_relay_start (&relay, f);
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      GAsyncResult *pending = NULL;
      g_autoptr (GError) error = NULL;

      start_call (f, methods[i], "(a{sv})", &pending);
      error = await_failure (&pending);
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
      g_assert_true (
        g_str_has_prefix (error->message, "reroute-relayd is of another version than this "));
      g_assert_null (strstr (error->message, "GDBus.Error"));
    }
  silent_relay_end (&relay);
}

static void
test_what_a_stop_breaks_off (void)
{
  GError *cancelled = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  GError *store = g_error_new_literal (REROUTE_ERROR, REROUTE_ERROR_STORE, "no space left");

  reroute_bus_explain_cancelled (&cancelled);
  g_assert_error (cancelled, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE);
  reroute_bus_explain_cancelled (&store);
  g_assert_error (store, REROUTE_ERROR, REROUTE_ERROR_STORE);
  g_error_free (cancelled);
  g_error_free (store);
}

static void
test_start_command (void)
{
  g_autoptr (RerouteBus) bus = reroute_bus_new (FALSE, NULL);
  g_autofree char *command = reroute_peer_dup_start_command (&reroute_peer_relay, bus);

  g_assert_cmpstr (command, ==, "systemctl start reroute-relayd");
}

#define ADD(name, func)                                                                            \
  g_test_add ("/peer/" name, BusFixture, NULL, bus_set_up, func, bus_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("a-call-while-it-stops", test_a_call_while_it_stops);
  ADD ("another-version", test_another_version);
  g_test_add_func ("/peer/what-a-stop-breaks-off", test_what_a_stop_breaks_off);
  g_test_add_func ("/peer/start-command", test_start_command);
  return g_test_run ();
}
