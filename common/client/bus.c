/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bus.c - one place that opens a message bus, and opens it again when it was lost
 *
 * A connection of its own, never the shared one of g_bus_get(): that one stays closed for good
 * after the bus was restarted, and ends the process when it closes.
 *
 * Standards: D-Bus specification, "Message Bus" (names, activation).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-bus"

#include "common/client/bus.h"

#include "common/error.h"
#include "common/limits.h"

#include <glib/gi18n-lib.h>

struct _RerouteBus
{
  GObject parent_instance;

  GBusType type;         /* G_BUS_TYPE_NONE with an address */
  char *address;         /* (nullable) */
  RerouteRemote *remote; /* (nullable): it is on that computer */
  char *label;
  GMainContext *context;

  GDBusConnection *connection; /* (nullable) */
  gulong closed_id;
  GCancellable *cancellable;
  gboolean opening;
  gboolean asked;  /* ssh has had its time to ask the person */
  GError *failure; /* (nullable): of the last try to reach a computer */
  GSource *retry;  /* (nullable) */
  guint retry_ms;

  GDBusInterfaceSkeleton *skeleton; /* (nullable) */
  char *path;
  char *name;
  guint owner_id;
};

enum
{
  PROP_CONNECTION = 1,
  N_PROPS
};

enum
{
  PUBLISHED,
  NAME_TAKEN,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteBus, reroute_bus, G_TYPE_OBJECT)

static void open_connection (RerouteBus *self);

/* For a person: what does not answer, and what to do. */
static char *
dup_unreachable (RerouteBus *self)
{
  switch (self->type)
    {
    case G_BUS_TYPE_SYSTEM:
      return g_strdup (_ ("the system bus cannot be reached: start it (“systemctl start dbus”), or name another bus with --session or --bus=ADDRESS"));
    case G_BUS_TYPE_SESSION:
      return g_strdup (_ ("the session bus cannot be reached: log in to a desktop session, or run the program under “dbus-run-session”"));
    default:
      /* Translators: an address such as “unix:path=/run/bus” */
      return g_strdup_printf (_ ("the bus at %s cannot be reached: start that bus, or name another one with --bus=ADDRESS"),
        self->address);
    }
}

/* Another computer's says itself what to do. */
static GError *
describe_absence (RerouteBus *self)
{
  g_autofree char *sentence = NULL;

  if (self->failure != NULL)
    return g_error_copy (self->failure);
  if (self->remote != NULL)
    return g_error_new (REROUTE_ERROR,
                        REROUTE_ERROR_UNAVAILABLE,
                        /* Translators: the name of a server */
                        _ ("the connection to %s is lost and is being made again"),
                           self->remote->name);
  sentence = dup_unreachable (self);
  return g_error_new_literal (REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE, sentence);
}

static GError *
describe_failure (RerouteBus *self, const GError *cause)
{
  g_autofree char *sentence = dup_unreachable (self);

  return g_error_new (
    REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE, "%s (%s)", sentence, cause->message);
}

static void
name_acquired_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  g_signal_emit (user_data, signals[PUBLISHED], 0);
}

static void
name_lost_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  if (connection != NULL && !g_dbus_connection_is_closed (connection))
    g_signal_emit (user_data, signals[NAME_TAKEN], 0);
}

/* In a thread of GIO's. */
static gboolean
refuse_cb (GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *invocation, gpointer user_data)
{
  g_dbus_method_invocation_take_error (invocation, reroute_bus_describe_stopping ());
  return FALSE;
}

static void
release_name (RerouteBus *self)
{
  g_clear_handle_id (&self->owner_id, g_bus_unown_name);
}

static void
withdraw (RerouteBus *self)
{
  release_name (self);
  if (self->skeleton != NULL && self->connection != NULL &&
      g_dbus_interface_skeleton_has_connection (self->skeleton, self->connection))
    g_dbus_interface_skeleton_unexport_from_connection (self->skeleton, self->connection);
}

/* The object first and its name last: a name on the bus means ready. */
static void
present (RerouteBus *self)
{
  g_autoptr (GError) error = NULL;

  if (self->name == NULL || self->connection == NULL || self->owner_id != 0)
    return;
  if (!g_dbus_interface_skeleton_export (self->skeleton, self->connection, self->path, &error))
    {
      g_warning ("cannot export %s: %s", self->path, error->message);
      return;
    }
  self->owner_id = g_bus_own_name_on_connection (self->connection,
                                                 self->name,
                                                 G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                                 name_acquired_cb,
                                                 name_lost_cb,
                                                 self,
                                                 NULL);
}

static gboolean
retry_cb (gpointer user_data)
{
  RerouteBus *self = user_data;

  g_clear_pointer (&self->retry, g_source_unref);
  open_connection (self);
  return G_SOURCE_REMOVE;
}

static void
clear_retry (RerouteBus *self)
{
  if (self->retry != NULL)
    g_source_destroy (self->retry);
  g_clear_pointer (&self->retry, g_source_unref);
}

static void
schedule_retry (RerouteBus *self)
{
  if (self->retry != NULL || self->opening)
    return;
  self->retry = g_timeout_source_new (self->retry_ms);
  g_source_set_callback (self->retry, retry_cb, self, NULL);
  g_source_attach (self->retry, self->context);
  self->retry_ms = MIN (self->retry_ms * 2, REROUTE_LIMIT_BUS_RETRY_LAST_MS);
}

static void
drop_connection (RerouteBus *self)
{
  if (self->connection == NULL)
    return;
  g_signal_handler_disconnect (self->connection, self->closed_id);
  withdraw (self);
  if (!g_dbus_connection_is_closed (self->connection)) /* calls under way hold it, too */
    g_dbus_connection_close (self->connection, NULL, NULL, NULL);
  g_clear_object (&self->connection);
}

static void
closed_cb (GDBusConnection *connection,
           gboolean remote_peer_vanished,
           GError *error,
           gpointer user_data)
{
  g_autoptr (RerouteBus) self = g_object_ref (user_data);

  g_debug ("%s closed the connection", self->label);
  drop_connection (self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CONNECTION]);
  schedule_retry (self);
}

static void
take_connection (RerouteBus *self, GDBusConnection *connection)
{
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  g_clear_error (&self->failure);
  self->connection = connection;
  self->closed_id = g_signal_connect (connection, "closed", G_CALLBACK (closed_cb), self);
  self->retry_ms = REROUTE_LIMIT_BUS_RETRY_FIRST_MS;
  g_debug ("connected to %s", self->label);
  present (self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CONNECTION]);
}

static char *
find_address (RerouteBus *self, GError **error)
{
  return self->address != NULL ? g_strdup (self->address)
                               : g_dbus_address_get_for_bus_sync (self->type, NULL, error);
}

/* @connection %NULL: @error says why. */
static void
end_opening (RerouteBus *self, GDBusConnection *connection, const GError *error)
{
  self->opening = FALSE;
  if (connection != NULL)
    take_connection (self, connection);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_debug ("cannot reach %s: %s", self->label, error->message);
      schedule_retry (self);
    }
}

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteBus) self = user_data;
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_finish (result, &error);

  end_opening (self, connection, error);
}

static void
remote_opened_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteBus) self = user_data;
  GDBusConnection *connection = NULL;

  g_clear_error (&self->failure);
  connection = reroute_remote_connect_finish (result, &self->failure);
  end_opening (self, connection, self->failure);
  if (connection == NULL)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CONNECTION]);
}

static void
open_remote (RerouteBus *self)
{
  self->opening = TRUE;
  reroute_remote_connect_async (self->remote,
                                self->address,
                                !self->asked,
                                self->cancellable,
                                remote_opened_cb,
                                g_object_ref (self));
  self->asked = TRUE;
}

static void
open_connection (RerouteBus *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *address = NULL;

  if (self->remote != NULL)
    {
      open_remote (self);
      return;
    }
  address = find_address (self, &error);
  if (address == NULL)
    {
      g_debug ("cannot find %s: %s", self->label, error->message);
      schedule_retry (self);
      return;
    }
  self->opening = TRUE;
  g_dbus_connection_new_for_address (address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                       G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL,
                                     self->cancellable,
                                     opened_cb,
                                     g_object_ref (self));
}

void
reroute_bus_close (RerouteBus *self)
{
  g_return_if_fail (REROUTE_IS_BUS (self));

  g_cancellable_cancel (self->cancellable);
  clear_retry (self);
  drop_connection (self);
}

static void
reroute_bus_dispose (GObject *object)
{
  RerouteBus *self = REROUTE_BUS (object);

  reroute_bus_close (self);
  g_clear_object (&self->skeleton);
  G_OBJECT_CLASS (reroute_bus_parent_class)->dispose (object);
}

static void
reroute_bus_finalize (GObject *object)
{
  RerouteBus *self = REROUTE_BUS (object);

  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
  g_free (self->address);
  reroute_remote_free (self->remote);
  g_clear_error (&self->failure);
  g_free (self->label);
  g_free (self->path);
  g_free (self->name);
  G_OBJECT_CLASS (reroute_bus_parent_class)->finalize (object);
}

static void
reroute_bus_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  RerouteBus *self = REROUTE_BUS (object);

  switch (prop_id)
    {
    case PROP_CONNECTION:
      g_value_set_object (value, self->connection);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
reroute_bus_class_init (RerouteBusClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = reroute_bus_dispose;
  object_class->finalize = reroute_bus_finalize;
  object_class->get_property = reroute_bus_get_property;

  props[PROP_CONNECTION] = g_param_spec_object (
    "connection", NULL, NULL, G_TYPE_DBUS_CONNECTION, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  signals[PUBLISHED] = g_signal_new (
    "published", REROUTE_TYPE_BUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[NAME_TAKEN] = g_signal_new (
    "name-taken", REROUTE_TYPE_BUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
reroute_bus_init (RerouteBus *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->cancellable = g_cancellable_new ();
  self->retry_ms = REROUTE_LIMIT_BUS_RETRY_FIRST_MS;
}

RerouteBus *
reroute_bus_new (gboolean session, const char *address)
{
  RerouteBus *self = g_object_new (REROUTE_TYPE_BUS, NULL);

  self->address = g_strdup (address);
  self->type = address != NULL ? G_BUS_TYPE_NONE : session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM;
  self->label = address != NULL ? g_strdup_printf ("the bus at %s", address)
                                : g_strdup (session ? "the session bus" : "the system bus");
  return self;
}

RerouteBus *
reroute_bus_new_remote (RerouteRemote *remote, const char *address)
{
  RerouteBus *self = reroute_bus_new (FALSE, address);
  g_autofree char *label = g_steal_pointer (&self->label);

  g_return_val_if_fail (remote != NULL, NULL);

  self->remote = remote;
  self->label = g_strdup_printf ("%s of %s", label, remote->name);
  return self;
}

/* The connection must be of our context, and ssh may take a password's time. */
static gboolean
wait_for_remote (RerouteBus *self, GError **error)
{
  reroute_bus_start (self);
  while (self->opening)
    g_main_context_iteration (self->context, TRUE);
  if (self->connection != NULL)
    return TRUE;
  g_propagate_error (error, describe_absence (self));
  return FALSE;
}

gboolean
reroute_bus_open (RerouteBus *self, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *address = NULL;
  GDBusConnection *connection = NULL;

  g_return_val_if_fail (REROUTE_IS_BUS (self), FALSE);

  if (self->connection != NULL)
    return TRUE;
  if (self->remote != NULL)
    return wait_for_remote (self, error);
  address = find_address (self, &cause);
  if (address != NULL)
    connection =
      g_dbus_connection_new_for_address_sync (address,
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL,
                                              NULL,
                                              &cause);
  if (connection == NULL)
    {
      g_propagate_error (error, describe_failure (self, cause));
      return FALSE;
    }
  take_connection (self, connection);
  return TRUE;
}

void
reroute_bus_start (RerouteBus *self)
{
  g_return_if_fail (REROUTE_IS_BUS (self));

  if (self->connection == NULL && !self->opening && self->retry == NULL)
    open_connection (self);
}

void
reroute_bus_reopen (RerouteBus *self)
{
  g_return_if_fail (REROUTE_IS_BUS (self));

  if (self->connection != NULL)
    return;
  clear_retry (self);
  self->retry_ms = REROUTE_LIMIT_BUS_RETRY_FIRST_MS;
  self->asked = FALSE;
  g_clear_error (&self->failure);
  if (!self->opening)
    open_connection (self);
}

GDBusConnection *
reroute_bus_get_connection (RerouteBus *self)
{
  g_return_val_if_fail (REROUTE_IS_BUS (self), NULL);

  return self->connection;
}

const RerouteRemote *
reroute_bus_get_remote (RerouteBus *self)
{
  g_return_val_if_fail (REROUTE_IS_BUS (self), NULL);

  return self->remote;
}

const GError *
reroute_bus_get_failure (RerouteBus *self)
{
  g_return_val_if_fail (REROUTE_IS_BUS (self), NULL);

  return self->failure;
}

gboolean
reroute_bus_is_system (RerouteBus *self)
{
  g_return_val_if_fail (REROUTE_IS_BUS (self), FALSE);

  return self->type == G_BUS_TYPE_SYSTEM;
}

const char *
reroute_bus_get_label (RerouteBus *self)
{
  g_return_val_if_fail (REROUTE_IS_BUS (self), NULL);

  return self->label;
}

GError *
reroute_bus_describe_away (RerouteBus *self)
{
  g_return_val_if_fail (REROUTE_IS_BUS (self), NULL);

  return describe_absence (self);
}

GError *
reroute_bus_describe_stopping (void)
{
  return g_error_new (REROUTE_ERROR,
                      REROUTE_ERROR_UNAVAILABLE,
                      "%s is stopping: try again in a moment",
                      g_get_prgname ());
}

void
reroute_bus_explain_cancelled (GError **error)
{
  g_return_if_fail (error != NULL && *error != NULL);

  if (!g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_error (error);
  *error = reroute_bus_describe_stopping ();
}

char *
reroute_bus_dup_option (RerouteBus *self)
{
  g_return_val_if_fail (REROUTE_IS_BUS (self), NULL);

  if (self->address != NULL)
    return g_strdup_printf ("--bus=%s", self->address);
  return g_strdup (self->type == G_BUS_TYPE_SESSION ? "--session" : "");
}

void
reroute_bus_publish (RerouteBus *self,
                     GDBusInterfaceSkeleton *skeleton,
                     const char *path,
                     const char *name)
{
  g_return_if_fail (REROUTE_IS_BUS (self));
  g_return_if_fail (self->skeleton == NULL);

  self->skeleton = g_object_ref (skeleton);
  self->path = g_strdup (path);
  self->name = g_strdup (name);
  present (self);
}

void
reroute_bus_unpublish (RerouteBus *self)
{
  g_return_if_fail (REROUTE_IS_BUS (self));

  /* What was sent to the name before it was given back comes still.  Without the object GIO would
     answer that there is no such interface, as a daemon does that is older than its caller. */
  if (self->name != NULL)
    g_signal_connect (self->skeleton, "g-authorize-method", G_CALLBACK (refuse_cb), NULL);
  release_name (self);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->name, g_free);
  if (self->connection != NULL)
    g_dbus_connection_flush_sync (self->connection, NULL, NULL);
}
