/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-error.c - codes survive the bus, and a person never sees the remote prefix
 */

#include "config.h"

#include "common/error.h"

#include <gio/gio.h>

static void
test_round_trip (void)
{
  for (int code = 0; code <= REROUTE_ERROR_RESOLVER; code++)
    {
      g_autoptr (GError) sent = g_error_new (REROUTE_ERROR, code, "the reason");
      g_autofree char *name = g_dbus_error_encode_gerror (sent);
      g_assert_true (g_str_has_prefix (name, "org.reroute.Error."));
      g_autoptr (GError) received = g_dbus_error_new_for_dbus_error (name, "the reason");
      reroute_error_strip (received);
      g_assert_error (received, REROUTE_ERROR, code);
      g_assert_cmpstr (received->message, ==, "the reason");
    }
}

static void
test_service_away (void)
{
  static const char *const names[] = {
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.NoReply",
    "org.freedesktop.DBus.Error.Disconnected",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = g_dbus_error_new_for_dbus_error (names[i], "not there");
      reroute_error_strip (error);
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE);
      g_assert_cmpstr (error->message, ==, "not there");
    }
}

static void
test_foreign_kept (void)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "stopped");

  reroute_error_strip (error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/round-trip", test_round_trip);
  g_test_add_func ("/error/service-away", test_service_away);
  g_test_add_func ("/error/foreign-kept", test_foreign_kept);
  return g_test_run ();
}
