/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-client.c - the other side of org.reroute.Relay1
 *
 * One call each; nothing is held but whether the relay is there.
 */

#include "config.h"

#include "common/client/relay-client-private.h"

#include "common/alarm.h"
#include "common/client/peer.h"
#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/names.h"
#include "common/ruleset-check.h"

struct _RerouteRelayClient
{
  GObject parent_instance;

  RerouteBus *bus;
  gulong bus_id;
  gboolean watching;
  gboolean available;
  GDBusConnection *connection; /* (nullable): the one with the subscriptions */
  guint signal_id;
  guint properties_id;
  guint name_id;
};

enum
{
  PROP_AVAILABLE = 1,
  N_PROPS
};

enum
{
  STATUS_CHANGED,
  ALARMS_CHANGED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteRelayClient, reroute_relay_client, G_TYPE_OBJECT)

static void
set_available (RerouteRelayClient *self, gboolean available)
{
  if (self->available == available)
    return;
  self->available = available;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_AVAILABLE]);
}

static void
appeared_cb (GDBusConnection *connection, const char *name, const char *owner, gpointer user_data)
{
  set_available (user_data, TRUE);
}

static void
vanished_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  set_available (user_data, FALSE);
}

static void
status_changed_cb (GDBusConnection *connection,
                   const char *sender,
                   const char *path,
                   const char *interface,
                   const char *signal,
                   GVariant *parameters,
                   gpointer user_data)
{
  guint64 serial = 0;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(t)")))
    return;
  g_variant_get (parameters, "(t)", &serial);
  g_signal_emit (user_data, signals[STATUS_CHANGED], 0, serial);
}

static void
properties_changed_cb (GDBusConnection *connection,
                       const char *sender,
                       const char *path,
                       const char *interface,
                       const char *signal,
                       GVariant *parameters,
                       gpointer user_data)
{
  g_autoptr (GVariant) changed = NULL;
  g_autoptr (GVariant) alarms = NULL;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sa{sv}as)")))
    return;
  changed = g_variant_get_child_value (parameters, 1);
  alarms = g_variant_lookup_value (changed, "Alarms", G_VARIANT_TYPE (REROUTE_ALARMS_TYPE));
  if (alarms != NULL)
    g_signal_emit (user_data, signals[ALARMS_CHANGED], 0, alarms);
}

static void
unsubscribe (RerouteRelayClient *self)
{
  if (self->connection == NULL)
    return;
  g_dbus_connection_signal_unsubscribe (self->connection, self->signal_id);
  g_dbus_connection_signal_unsubscribe (self->connection, self->properties_id);
  g_bus_unwatch_name (self->name_id);
  g_clear_object (&self->connection);
}

static void
subscribe (RerouteRelayClient *self)
{
  GDBusConnection *connection = reroute_bus_get_connection (self->bus);

  if (!self->watching || connection == NULL || connection == self->connection)
    return;
  self->connection = g_object_ref (connection);
  self->signal_id = g_dbus_connection_signal_subscribe (connection,
                                                        REROUTE_RELAY_BUS_NAME,
                                                        REROUTE_RELAY_INTERFACE,
                                                        "StatusChanged",
                                                        REROUTE_RELAY_PATH,
                                                        NULL,
                                                        G_DBUS_SIGNAL_FLAGS_NONE,
                                                        status_changed_cb,
                                                        self,
                                                        NULL);
  self->properties_id = g_dbus_connection_signal_subscribe (connection,
                                                            REROUTE_RELAY_BUS_NAME,
                                                            "org.freedesktop.DBus.Properties",
                                                            "PropertiesChanged",
                                                            REROUTE_RELAY_PATH,
                                                            REROUTE_RELAY_INTERFACE,
                                                            G_DBUS_SIGNAL_FLAGS_NONE,
                                                            properties_changed_cb,
                                                            self,
                                                            NULL);
  self->name_id = g_bus_watch_name_on_connection (connection,
                                                  REROUTE_RELAY_BUS_NAME,
                                                  G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                  appeared_cb,
                                                  vanished_cb,
                                                  self,
                                                  NULL);
}

static void
bus_cb (RerouteBus *bus, GParamSpec *pspec, gpointer user_data)
{
  RerouteRelayClient *self = user_data;

  unsubscribe (self);
  if (reroute_bus_get_connection (bus) == NULL)
    set_available (self, FALSE);
  else
    subscribe (self);
}

static void
reroute_relay_client_dispose (GObject *object)
{
  RerouteRelayClient *self = REROUTE_RELAY_CLIENT (object);

  unsubscribe (self);
  if (self->bus != NULL)
    g_signal_handler_disconnect (self->bus, self->bus_id);
  g_clear_object (&self->bus);
  G_OBJECT_CLASS (reroute_relay_client_parent_class)->dispose (object);
}

static void
reroute_relay_client_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  RerouteRelayClient *self = REROUTE_RELAY_CLIENT (object);

  switch (prop_id)
    {
    case PROP_AVAILABLE:
      g_value_set_boolean (value, self->available);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
reroute_relay_client_class_init (RerouteRelayClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = reroute_relay_client_dispose;
  object_class->get_property = reroute_relay_client_get_property;

  props[PROP_AVAILABLE] = g_param_spec_boolean (
    "available", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  signals[STATUS_CHANGED] = g_signal_new ("status-changed",
                                          REROUTE_TYPE_RELAY_CLIENT,
                                          G_SIGNAL_RUN_LAST,
                                          0,
                                          NULL,
                                          NULL,
                                          NULL,
                                          G_TYPE_NONE,
                                          1,
                                          G_TYPE_UINT64);
  signals[ALARMS_CHANGED] = g_signal_new ("alarms-changed",
                                          REROUTE_TYPE_RELAY_CLIENT,
                                          G_SIGNAL_RUN_LAST,
                                          0,
                                          NULL,
                                          NULL,
                                          NULL,
                                          G_TYPE_NONE,
                                          1,
                                          G_TYPE_VARIANT);
}

static void
reroute_relay_client_init (RerouteRelayClient *self)
{
}

RerouteRelayClient *
reroute_relay_client_new (RerouteBus *bus)
{
  RerouteRelayClient *self = g_object_new (REROUTE_TYPE_RELAY_CLIENT, NULL);

  g_return_val_if_fail (REROUTE_IS_BUS (bus), NULL);

  self->bus = g_object_ref (bus);
  self->bus_id = g_signal_connect (bus, "notify::connection", G_CALLBACK (bus_cb), self);
  return self;
}

void
reroute_relay_client_watch (RerouteRelayClient *self)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  self->watching = TRUE;
  subscribe (self);
}

RerouteBus *
reroute_relay_client_get_bus (RerouteRelayClient *self)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_CLIENT (self), NULL);

  return self->bus;
}

gboolean
reroute_relay_client_get_available (RerouteRelayClient *self)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_CLIENT (self), FALSE);

  return self->available;
}

/* --- calls --- */

static void
call_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GVariant *reply = reroute_peer_call_finish (result, &error);

  if (reply != NULL)
    g_task_return_pointer (task, reply, (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

void
reroute_relay_client_start_call (
  GTask *task, const char *method, GVariant *arguments, const char *reply_type, int timeout_ms)
{
  RerouteRelayClient *self = g_task_get_source_object (task);

  reroute_peer_call (&reroute_peer_relay,
                     self->bus,
                     method,
                     arguments,
                     G_VARIANT_TYPE (reply_type),
                     timeout_ms,
                     g_task_get_cancellable (task),
                     call_cb,
                     task);
}

GVariant *
reroute_relay_client_finish_values (RerouteRelayClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
}

void
reroute_relay_client_status_async (RerouteRelayClient *self,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   "Status",
                                   NULL,
                                   "(a{sv})",
                                   REROUTE_LIMIT_CALL_MS);
}

GVariant *
reroute_relay_client_status_finish (RerouteRelayClient *self, GAsyncResult *result, GError **error)
{
  return reroute_relay_client_finish_values (self, result, error);
}

void
reroute_relay_client_explain_async (RerouteRelayClient *self,
                                    const char *address,
                                    const char *client,
                                    gboolean authenticated,
                                    GPtrArray *changes,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  GVariant *edit = reroute_changes_to_variant (changes != NULL ? changes : none);

  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (
    g_task_new (self, cancellable, callback, user_data),
    "Explain",
    g_variant_new ("(ssb@a(sv))", address, client, authenticated, edit),
    "(a{sv}a" REROUTE_STEP_TYPE ")",
    REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

GVariant *
reroute_relay_client_explain_finish (RerouteRelayClient *self,
                                     GAsyncResult *result,
                                     GPtrArray **steps,
                                     GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariant) array = NULL;
  g_autoptr (GPtrArray) decoded = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(@a{sv}@a" REROUTE_STEP_TYPE ")", &values, &array);
  decoded = reroute_steps_from_variant (array, error);
  if (decoded == NULL)
    return NULL;
  if (steps != NULL)
    *steps = g_steal_pointer (&decoded);
  return g_steal_pointer (&values);
}

void
reroute_relay_client_mx_leads_here_async (RerouteRelayClient *self,
                                          const char *const *domains,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   "MxLeadsHere",
                                   g_variant_new ("(^as)", domains),
                                   "(a{sb}as)",
                                   REROUTE_LIMIT_MX_ANSWER_MS);
}

GHashTable *
reroute_relay_client_mx_leads_here_finish (RerouteRelayClient *self,
                                           GAsyncResult *result,
                                           GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariantIter) answers = NULL;
  g_autoptr (GVariantIter) silent = NULL;
  GHashTable *facts = NULL;
  const char *domain = NULL;
  gboolean here = FALSE;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  facts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_variant_get (reply, "(a{sb}as)", &answers, &silent);
  while (g_variant_iter_next (silent, "&s", &domain))
    g_hash_table_insert (facts, g_strdup (domain), GINT_TO_POINTER (REROUTE_MX_SILENT));
  while (g_variant_iter_next (answers, "{&sb}", &domain, &here))
    g_hash_table_insert (
      facts, g_strdup (domain), GINT_TO_POINTER (here ? REROUTE_MX_HERE : REROUTE_MX_ELSEWHERE));
  return facts;
}

/* --- accounts --- */

void
reroute_relay_client_set_secret_async (RerouteRelayClient *self,
                                       const char *name,
                                       const char *value,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self) && name != NULL && value != NULL);

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   "SetSecret",
                                   g_variant_new ("(ss)", name, value),
                                   "()",
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

gboolean
reroute_relay_client_set_secret_finish (RerouteRelayClient *self,
                                        GAsyncResult *result,
                                        GError **error)
{
  g_autoptr (GVariant) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

void
reroute_relay_client_list_secrets_async (RerouteRelayClient *self,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   "ListSecrets",
                                   NULL,
                                   "(as)",
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

GStrv
reroute_relay_client_list_secrets_finish (RerouteRelayClient *self,
                                          GAsyncResult *result,
                                          GError **error)
{
  g_autoptr (GVariant) names = reroute_relay_client_finish_values (self, result, error);

  return names != NULL ? g_variant_dup_strv (names, NULL) : NULL;
}
