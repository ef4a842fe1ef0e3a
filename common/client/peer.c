/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * peer.c - one method call to one of our daemons, and a sentence for a person when it fails
 *
 * What the two clients have in common.  Nothing is tried again here.
 */

#include "config.h"

#include "common/client/peer.h"

#include "common/error.h"
#include "common/limits.h"
#include "common/names.h"
#include "common/shortened.h"

#include <glib/gi18n-lib.h>

#define MESSAGE_OCTETS 4000 /* of an error that another program tells */

const ReroutePeer reroute_peer_rules = {
  .bus_name = REROUTE_RULES_BUS_NAME,
  .path = REROUTE_RULES_PATH,
  .interface = REROUTE_RULES_INTERFACE,
  .program = "reroute-rulesd",
  .activated = TRUE,
};

const ReroutePeer reroute_peer_relay = {
  .bus_name = REROUTE_RELAY_BUS_NAME,
  .path = REROUTE_RELAY_PATH,
  .interface = REROUTE_RELAY_INTERFACE,
  .program = "reroute-relayd",
  .activated = FALSE,
};

typedef struct
{
  const ReroutePeer *peer;
  RerouteBus *bus;
  const GVariantType *reply_type; /* of a marked call */
  gboolean lost;                  /* of a marked call */
} Call;

static void
call_free (Call *call)
{
  g_object_unref (call->bus);
  g_free (call);
}

static gboolean
is_absent (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

static gboolean
is_lost (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static gboolean
is_slow (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_TIMEOUT) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_TIMED_OUT) ||
         g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

/* GIO's answer for the daemon, which knows no such method or other arguments of it. */
static gboolean
is_of_another_version (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
         g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS);
}

/* Whether it is ssh that went away, and not the daemon. */
static gboolean
is_cut (const Call *call)
{
  GDBusConnection *connection = reroute_bus_get_connection (call->bus);

  return reroute_bus_get_remote (call->bus) != NULL &&
         (connection == NULL || g_dbus_connection_is_closed (connection));
}

char *
reroute_peer_dup_start_command (const ReroutePeer *peer, RerouteBus *bus)
{
  const RerouteRemote *remote = reroute_bus_get_remote (bus);
  g_autofree char *option = NULL;

  if (reroute_bus_is_system (bus) && remote != NULL)
    return g_strdup_printf ("systemctl --host=%s start %s", remote->name, peer->program);
  if (reroute_bus_is_system (bus))
    return g_strdup_printf ("systemctl start %s", peer->program);
  option = reroute_bus_dup_option (bus);
  return g_strdup_printf ("%s %s", peer->program, option);
}

/* What a person is told when the bus or the daemon is away; NULL: the error's own text. */
static char *
describe_away (const Call *call, const GError *error)
{
  const char *program = call->peer->program;
  g_autofree char *command = reroute_peer_dup_start_command (call->peer, call->bus);

  if (is_absent (error))
    /* Translators: the name of a program, a command */
    return g_strdup_printf (_ ("%s is not running: start it with “%s”"), program, command);
  if (is_lost (error) && is_cut (call))
    /* Translators: the name of a server */
    return g_strdup_printf (_ ("the connection to %s was lost before the answer came: try again"),
                               reroute_bus_get_remote (call->bus)->name);
  if (is_lost (error))
    return g_strdup_printf (
      /* Translators: the name of a program, a command */
      _ ("%s went away before it answered: try again, or start it with “%s”"), program, command);
  if (is_slow (error))
    /* Translators: the name of a program */
    return g_strdup_printf (_ ("%s does not answer: see its log, or restart it"), program);
  return g_strdup_printf (
    /* Translators: the name of a program, a command, what the bus says of it in English */
    _ ("%s cannot be started by the bus: start it with “%s” and see what it says (%s)"),
       program,
       command,
       error->message);
}

void
reroute_peer_blame_version (const ReroutePeer *peer, GError *error)
{
  g_prefix_error (
    &error,
    /* Translators: the name of a program; what went wrong follows */
    _ ("%s is of another version than this program: restart it, or install both anew: "),
       peer->program);
  error->domain = REROUTE_ERROR;
  error->code = REROUTE_ERROR_PROTOCOL;
}

static void
explain (const Call *call, GError *error)
{
  g_autofree char *sentence = NULL;
  g_autofree char *message = error->message;

  error->message = reroute_dup_shortened (message, MESSAGE_OCTETS);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (error->domain == REROUTE_ERROR)
    {
      reroute_error_strip (error);
      return;
    }
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED))
    {
      g_dbus_error_strip_remote_error (error);
      g_prefix_error (&error,
                      /* Translators: the name of a program; what the bus says of it follows */
                      _ ("the bus does not let this user speak to %s: "), call->peer->program);
      error->domain = REROUTE_ERROR;
      error->code = REROUTE_ERROR_ACCESS;
      return;
    }
  if (is_of_another_version (error))
    {
      g_dbus_error_strip_remote_error (error);
      reroute_peer_blame_version (call->peer, error);
      return;
    }
  sentence = describe_away (call, error);
  reroute_error_strip (error);
  if (!g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    return;
  g_free (error->message);
  error->message = g_steal_pointer (&sentence);
}

/* @reply: (transfer full).  Returns: @reply, or NULL when no service of ours answers so
   much: what is made of it would take memory without a bound. */
static GVariant *
take_reply (GVariant *reply, GError **error)
{
  gsize octets = g_variant_get_size (reply);

  if (octets <= REROUTE_LIMIT_REPLY_TAKEN)
    return reply;
  g_variant_unref (reply);
  g_set_error (error,
               G_DBUS_ERROR,
               G_DBUS_ERROR_INVALID_ARGS,
               "its answer has %" G_GSIZE_FORMAT " octets",
               octets);
  return NULL;
}

static void
call_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GVariant *reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (reply != NULL)
    reply = take_reply (reply, &error);
  if (reply != NULL)
    {
      g_task_return_pointer (task, reply, (GDestroyNotify) g_variant_unref);
      return;
    }
  explain (g_task_get_task_data (task), error);
  g_task_return_error (task, error);
}

/* What a call remembers of itself.  Returns: (transfer none) (nullable): NULL: @task has ended, for
   the bus is away */
static GDBusConnection *
begin (GTask *task, const ReroutePeer *peer, RerouteBus *bus)
{
  GDBusConnection *connection = reroute_bus_get_connection (bus);
  Call *call = g_new0 (Call, 1);

  call->peer = peer;
  call->bus = g_object_ref (bus);
  g_task_set_task_data (task, call, (GDestroyNotify) call_free);
  reroute_error_quark ();
  if (connection == NULL)
    {
      g_task_return_error (task, reroute_bus_describe_away (bus));
      g_object_unref (task);
    }
  return connection;
}

void
reroute_peer_call (const ReroutePeer *peer,
                   RerouteBus *bus,
                   const char *method,
                   GVariant *arguments,
                   const GVariantType *reply_type,
                   int timeout_ms,
                   GCancellable *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  g_autoptr (GVariant) sunk = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  GDBusConnection *connection = NULL;
  GDBusCallFlags flags = peer->activated ? G_DBUS_CALL_FLAGS_NONE : G_DBUS_CALL_FLAGS_NO_AUTO_START;

  g_task_set_source_tag (task, reroute_peer_call);
  connection = begin (task, peer, bus);
  if (connection == NULL)
    return;
  if (timeout_ms > REROUTE_LIMIT_CALL_MS)
    flags |= G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION;
  g_dbus_connection_call (connection,
                          peer->bus_name,
                          peer->path,
                          peer->interface,
                          method,
                          sunk,
                          reply_type,
                          flags,
                          timeout_ms,
                          cancellable,
                          call_cb,
                          task);
}

GVariant *
reroute_peer_call_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reroute_peer_call), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- marked calls --- */

void
reroute_peer_mark_free (ReroutePeerMark *self)
{
  if (self == NULL)
    return;
  g_free (self->caller);
  g_free (self);
}

/* The body, or @error as g_dbus_connection_call_finish() sets it. */
static GVariant *
take_body (GDBusMessage *message, const GVariantType *reply_type, GError **error)
{
  GVariant *body = NULL;

  if (message == NULL || g_dbus_message_to_gerror (message, error))
    return NULL;
  body = g_dbus_message_get_body (message);
  if (body != NULL && g_variant_is_of_type (body, reply_type))
    return take_reply (g_variant_ref (body), error);
  g_set_error_literal (
    error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS, "its answer is of another type");
  return NULL;
}

static void
marked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Call *call = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GDBusMessage) message = g_dbus_connection_send_message_with_reply_finish (
    G_DBUS_CONNECTION (source), result, &error);
  GVariant *reply = take_body (message, call->reply_type, &error);

  if (reply != NULL)
    {
      g_task_return_pointer (task, reply, (GDestroyNotify) g_variant_unref);
      return;
    }
  call->lost = is_lost (error) || is_slow (error);
  explain (call, error);
  g_task_return_error (task, error);
}

void
reroute_peer_call_marked (const ReroutePeer *peer,
                          RerouteBus *bus,
                          const char *method,
                          GVariant *arguments,
                          const GVariantType *reply_type,
                          ReroutePeerMark **mark,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (arguments);
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  GDBusConnection *connection = NULL;
  g_autoptr (GDBusMessage) message = NULL;

  g_task_set_source_tag (task, reroute_peer_call_marked);
  *mark = NULL;
  connection = begin (task, peer, bus);
  if (connection == NULL)
    return;
  ((Call *) g_task_get_task_data (task))->reply_type = reply_type;
  *mark = g_new0 (ReroutePeerMark, 1);
  (*mark)->caller = g_strdup (g_dbus_connection_get_unique_name (connection));
  /* GIO's own numbers are low. */
  (*mark)->number = g_random_int () | 0x80000000u;
  message = g_dbus_message_new_method_call (peer->bus_name, peer->path, peer->interface, method);
  g_dbus_message_set_body (message, sunk);
  g_dbus_message_set_flags (
    message,
    G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION |
      (peer->activated ? G_DBUS_MESSAGE_FLAGS_NONE : G_DBUS_MESSAGE_FLAGS_NO_AUTO_START));
  g_dbus_message_set_serial (message, (*mark)->number);
  g_dbus_connection_send_message_with_reply (connection,
                                             message,
                                             G_DBUS_SEND_MESSAGE_FLAGS_PRESERVE_SERIAL,
                                             REROUTE_LIMIT_CALL_INTERACTIVE_MS,
                                             NULL,
                                             NULL,
                                             marked_cb,
                                             task);
}

GVariant *
reroute_peer_call_marked_finish (GAsyncResult *result, gboolean *lost, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reroute_peer_call_marked), NULL);

  *lost = ((const Call *) g_task_get_task_data (G_TASK (result)))->lost;
  return g_task_propagate_pointer (G_TASK (result), error);
}
