/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * peer-facts.c - who has the name of a daemon on the bus, and what it says of itself
 *
 * Source: D-Bus specification, org.freedesktop.DBus.GetConnectionCredentials and
 * org.freedesktop.DBus.Properties.
 */

#include "config.h"

#include "common/client/peer-facts.h"

#include "common/limits.h"

typedef struct
{
  const ReroutePeer *peer;
  ReroutePeerFacts *facts;
} Call;

void
reroute_peer_facts_free (ReroutePeerFacts *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->version);
  g_free (self);
}

static void
call_free (gpointer data)
{
  Call *call = data;

  g_clear_pointer (&call->facts, reroute_peer_facts_free);
  g_free (call);
}

static void
properties_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Call *call = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GVariant) reply =
               g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GVariant) properties = NULL;

  if (reply == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  properties = g_variant_get_child_value (reply, 0);
  if (!g_variant_lookup (properties, "Version", "s", &call->facts->version))
    call->facts->version = g_strdup ("?");
  g_variant_lookup (properties, "Schema", "u", &call->facts->schema);
  g_task_return_pointer (
    task, g_steal_pointer (&call->facts), (GDestroyNotify) reroute_peer_facts_free);
}

static void
credentials_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Call *call = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GVariant) reply =
               g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GVariant) credentials = NULL;
  GCancellable *cancellable = g_task_get_cancellable (task);

  if (reply == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  credentials = g_variant_get_child_value (reply, 0);
  g_variant_lookup (credentials, "ProcessID", "u", &call->facts->pid);
  g_variant_lookup (credentials, "UnixUserID", "u", &call->facts->uid);
  g_dbus_connection_call (G_DBUS_CONNECTION (source),
                          call->peer->bus_name,
                          call->peer->path,
                          "org.freedesktop.DBus.Properties",
                          "GetAll",
                          g_variant_new ("(s)", call->peer->interface),
                          G_VARIANT_TYPE ("(a{sv})"),
                          G_DBUS_CALL_FLAGS_NO_AUTO_START,
                          REROUTE_LIMIT_CALL_FACTS_MS,
                          cancellable,
                          properties_cb,
                          g_steal_pointer (&task));
}

void
reroute_peer_facts_load_async (const ReroutePeer *peer,
                               RerouteBus *bus,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (peer != NULL && REROUTE_IS_BUS (bus));

  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  GDBusConnection *connection = reroute_bus_get_connection (bus);
  Call *call = g_new0 (Call, 1);

  call->peer = peer;
  call->facts = g_new0 (ReroutePeerFacts, 1);
  g_task_set_source_tag (task, reroute_peer_facts_load_async);
  g_task_set_task_data (task, call, call_free);
  if (connection == NULL)
    {
      g_task_return_error (task, reroute_bus_describe_away (bus));
      g_object_unref (task);
      return;
    }
  g_dbus_connection_call (connection,
                          "org.freedesktop.DBus",
                          "/org/freedesktop/DBus",
                          "org.freedesktop.DBus",
                          "GetConnectionCredentials",
                          g_variant_new ("(s)", peer->bus_name),
                          G_VARIANT_TYPE ("(a{sv})"),
                          G_DBUS_CALL_FLAGS_NONE,
                          REROUTE_LIMIT_CALL_FACTS_MS,
                          cancellable,
                          credentials_cb,
                          task);
}

ReroutePeerFacts *
reroute_peer_facts_load_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
