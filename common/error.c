/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * error.c - the one error domain, and its names on the bus
 *
 * A code that is added gets its name here in the same change; the names are part of the D-Bus
 * interface and never change.
 */

#include "config.h"

#include "common/error.h"

#include <gio/gio.h>

#define PREFIX "org.reroute.Error."

/* clang-format off */
static const GDBusErrorEntry entries[] = {
  { REROUTE_ERROR_FAILED,         PREFIX "Failed" },
  { REROUTE_ERROR_DOMAIN,         PREFIX "Domain" },
  { REROUTE_ERROR_ADDRESS,        PREFIX "Address" },
  { REROUTE_ERROR_HOST,           PREFIX "Host" },
  { REROUTE_ERROR_VALUE,          PREFIX "Value" },
  { REROUTE_ERROR_SETTING,        PREFIX "Setting" },
  { REROUTE_ERROR_NO_SUCH_ENTRY,  PREFIX "NoSuchEntry" },
  { REROUTE_ERROR_NO_SUCH_EDIT,   PREFIX "NoSuchEdit" },
  { REROUTE_ERROR_NO_SUCH_SERIAL, PREFIX "NoSuchSerial" },
  { REROUTE_ERROR_FINDINGS,       PREFIX "Findings" },
  { REROUTE_ERROR_NOT_CONFIRMED,  PREFIX "NotConfirmed" },
  { REROUTE_ERROR_STALE_SERIAL,   PREFIX "StaleSerial" },
  { REROUTE_ERROR_ACCESS,         PREFIX "Access" },
  { REROUTE_ERROR_STORE,          PREFIX "Store" },
  { REROUTE_ERROR_STORE_VERSION,  PREFIX "StoreVersion" },
  { REROUTE_ERROR_SPOOL,          PREFIX "Spool" },
  { REROUTE_ERROR_SPOOL_FULL,     PREFIX "SpoolFull" },
  { REROUTE_ERROR_NO_RULES,       PREFIX "NoRules" },
  { REROUTE_ERROR_UNAVAILABLE,    PREFIX "Unavailable" },
  { REROUTE_ERROR_TOO_LARGE,      PREFIX "TooLarge" },
  { REROUTE_ERROR_PROTOCOL,       PREFIX "Protocol" },
  { REROUTE_ERROR_RESOLVER,       PREFIX "Resolver" },
  { REROUTE_ERROR_OUTCOME,        PREFIX "Outcome" },
};

/* What GIO says when the other side is not there. */
static const struct
{
  GQuark (*domain) (void);
  int code;
} away[] = {
  { g_dbus_error_quark, G_DBUS_ERROR_SERVICE_UNKNOWN },
  { g_dbus_error_quark, G_DBUS_ERROR_NAME_HAS_NO_OWNER },
  { g_dbus_error_quark, G_DBUS_ERROR_NO_REPLY },
  { g_dbus_error_quark, G_DBUS_ERROR_TIMEOUT },
  { g_dbus_error_quark, G_DBUS_ERROR_TIMED_OUT },
  { g_dbus_error_quark, G_DBUS_ERROR_DISCONNECTED },
  { g_dbus_error_quark, G_DBUS_ERROR_NO_SERVER },
  { g_dbus_error_quark, G_DBUS_ERROR_SPAWN_EXEC_FAILED },
  { g_dbus_error_quark, G_DBUS_ERROR_SPAWN_CHILD_EXITED },
  { g_dbus_error_quark, G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND },
  { g_dbus_error_quark, G_DBUS_ERROR_SPAWN_FAILED },
  { g_io_error_quark, G_IO_ERROR_CLOSED },
  { g_io_error_quark, G_IO_ERROR_TIMED_OUT },
  { g_io_error_quark, G_IO_ERROR_CONNECTION_REFUSED },
  { g_io_error_quark, G_IO_ERROR_CONNECTION_CLOSED },
};
/* clang-format on */

G_STATIC_ASSERT (G_N_ELEMENTS (entries) == REROUTE_ERROR_OUTCOME + 1);

GQuark
reroute_error_quark (void)
{
  static gsize quark;
  g_dbus_error_register_error_domain (
    "reroute-error-quark", &quark, entries, G_N_ELEMENTS (entries));
  return (GQuark) quark;
}

void
reroute_error_strip (GError *error)
{
  g_return_if_fail (error != NULL);

  /* An error that arrived before anyone asked for the quark still carries its name in the text. */
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  g_dbus_error_strip_remote_error (error);
  for (gsize i = 0; name != NULL && i < G_N_ELEMENTS (entries); i++)
    if (g_str_equal (name, entries[i].dbus_error_name))
      {
        error->domain = REROUTE_ERROR;
        error->code = entries[i].error_code;
      }
  for (gsize i = 0; i < G_N_ELEMENTS (away); i++)
    if (g_error_matches (error, away[i].domain (), away[i].code))
      {
        error->domain = REROUTE_ERROR;
        error->code = REROUTE_ERROR_UNAVAILABLE;
      }
}
