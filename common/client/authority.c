/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * authority.c - who may do what, for both daemons
 *
 * polkit is asked over our own connection and not through its library: the library's authority is
 * a singleton on the shared system bus connection, which ends the process, or stays dead,
 * when the bus is restarted.
 *
 * Sources: design.md section 4; org.freedesktop.PolicyKit1.Authority (CheckAuthorization);
 * org.freedesktop.login1(5).
 */

#include "config.h"

#include "common/client/authority.h"

#include "common/error.h"
#include "common/limits.h"
#include "common/names.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#define POLKIT_BUS_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_INTERACTION 1u
#define LOGIND_BUS_NAME "org.freedesktop.login1"

struct _RerouteAuthority
{
  GObject parent_instance;

  RerouteBus *bus;
};

G_DEFINE_FINAL_TYPE (RerouteAuthority, reroute_authority, G_TYPE_OBJECT)

typedef struct
{
  GDBusMethodInvocation *invocation;
  char *action; /* (nullable) */
  gboolean tells_where;
  guint pid; /* of the caller */
  RerouteCaller caller;
} Question;

void
reroute_caller_clear (RerouteCaller *self)
{
  g_clear_pointer (&self->where, g_free);
}

char *
reroute_caller_to_string (const RerouteCaller *self)
{
  return g_strdup_printf (
    "uid %u from %s", self->uid, self->where != NULL ? self->where : "an unknown place");
}

static void
question_free (Question *question)
{
  g_object_unref (question->invocation);
  g_free (question->action);
  reroute_caller_clear (&question->caller);
  g_free (question);
}

/* --- from where --- */

/* As far as logind knows it. */
static char *
describe_session (GVariant *session)
{
  const char *host = "";
  const char *service = "";
  const char *tty = "";
  const char *display = "";
  const char *id = "";

  g_variant_lookup (session, "RemoteHost", "&s", &host);
  g_variant_lookup (session, "Service", "&s", &service);
  g_variant_lookup (session, "TTY", "&s", &tty);
  g_variant_lookup (session, "Display", "&s", &display);
  g_variant_lookup (session, "Id", "&s", &id);
  if (*host != '\0')
    return g_strdup_printf ("%s by %s", host, service);
  if (*tty != '\0' || *display != '\0')
    return g_strdup (*tty != '\0' ? tty : display);
  return g_strdup_printf ("session %s", id);
}

static void
session_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Question *question = g_task_get_task_data (task);
  g_autoptr (GVariant) reply =
               g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);

  if (reply != NULL)
    {
      g_autoptr (GVariant) session = g_variant_get_child_value (reply, 0);

      g_free (question->caller.where);
      question->caller.where = describe_session (session);
    }
  g_task_return_boolean (task, TRUE);
}

static void
session_found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GVariant) reply =
               g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  const char *path = NULL;

  if (reply == NULL)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_variant_get (reply, "(&o)", &path);
  g_dbus_connection_call (G_DBUS_CONNECTION (source),
                          LOGIND_BUS_NAME,
                          path,
                          "org.freedesktop.DBus.Properties",
                          "GetAll",
                          g_variant_new ("(s)", "org.freedesktop.login1.Session"),
                          G_VARIANT_TYPE ("(a{sv})"),
                          G_DBUS_CALL_FLAGS_NO_AUTO_START,
                          REROUTE_LIMIT_CALL_FACTS_MS,
                          g_task_get_cancellable (task),
                          session_cb,
                          g_object_ref (task));
}

/* The caller may: what is left is to know from where, when the log is to say it. */
static void
admit (GTask *task)
{
  RerouteAuthority *self = g_task_get_source_object (task);
  const Question *question = g_task_get_task_data (task);

  if (!question->tells_where || question->pid == 0 || !reroute_bus_is_system (self->bus))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_dbus_connection_call (g_dbus_method_invocation_get_connection (question->invocation),
                          LOGIND_BUS_NAME,
                          "/org/freedesktop/login1",
                          "org.freedesktop.login1.Manager",
                          "GetSessionByPID",
                          g_variant_new ("(u)", question->pid),
                          G_VARIANT_TYPE ("(o)"),
                          G_DBUS_CALL_FLAGS_NO_AUTO_START,
                          REROUTE_LIMIT_CALL_FACTS_MS,
                          g_task_get_cancellable (task),
                          session_found_cb,
                          g_object_ref (task));
}

/* --- whether --- */

static gboolean
is_trusted (guint uid)
{
  return uid == 0 || uid == geteuid ();
}

static void
refuse (GTask *task, const char *why)
{
  const Question *question = g_task_get_task_data (task);

  g_task_return_new_error (task,
                           REROUTE_ERROR,
                           REROUTE_ERROR_ACCESS,
                           "user id %u may not call %s: %s",
                           question->caller.uid,
                           g_dbus_method_invocation_get_method_name (question->invocation),
                           why);
}

static void
refuse_action (GTask *task, gboolean could_ask)
{
  const Question *question = g_task_get_task_data (task);
  g_autofree char *why =
    g_strdup_printf ("%s for %s: run it as root, or become a member of group “%s”",
                     could_ask ? "the administrator's password was not given"
                               : "nobody could be asked for a password",
                     question->action,
                     REROUTE_ADMIN_GROUP);

  refuse (task, why);
}

static void
polkit_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const Question *question = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) details = NULL;
  g_autoptr (GVariant) reply =
               g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  gboolean authorized = FALSE, challenge = FALSE;

  if (reply == NULL && is_trusted (question->caller.uid))
    {
      admit (task);
      return;
    }
  if (reply == NULL)
    {
      g_autofree char *why = g_strdup_printf (
        "polkit does not answer (%s), so only root and the service's own user are served",
        error->message);
      refuse (task, why);
      return;
    }
  g_variant_get (reply, "((bb@a{ss}))", &authorized, &challenge, &details);
  if (authorized)
    admit (task);
  else
    refuse_action (task, !challenge);
}

static void
ask_polkit (GTask *task)
{
  const Question *question = g_task_get_task_data (task);
  GDBusMessage *message = g_dbus_method_invocation_get_message (question->invocation);
  const char *sender = g_dbus_method_invocation_get_sender (question->invocation);
  gboolean interactive = (g_dbus_message_get_flags (message) &
                          G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
  GVariantBuilder subject, details;

  g_variant_builder_init (&subject, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (sender));
  g_variant_builder_init (&details, G_VARIANT_TYPE ("a{ss}"));
  g_dbus_connection_call (g_dbus_method_invocation_get_connection (question->invocation),
                          POLKIT_BUS_NAME,
                          POLKIT_PATH,
                          POLKIT_INTERFACE,
                          "CheckAuthorization",
                          g_variant_new ("((sa{sv})sa{ss}us)",
                                         "system-bus-name",
                                         &subject,
                                         question->action,
                                         &details,
                                         interactive ? POLKIT_ALLOW_INTERACTION : 0u,
                                         ""),
                          G_VARIANT_TYPE ("((bba{ss}))"),
                          G_DBUS_CALL_FLAGS_NONE,
                          REROUTE_LIMIT_CALL_INTERACTIVE_MS,
                          g_task_get_cancellable (task),
                          polkit_cb,
                          g_object_ref (task));
}

static void
credentials_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  RerouteAuthority *self = g_task_get_source_object (task);
  Question *question = g_task_get_task_data (task);
  g_autoptr (GVariant) reply =
               g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) credentials = NULL;

  if (reply == NULL)
    {
      g_task_return_new_error (
        task, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE, "the caller has left the bus");
      return;
    }
  credentials = g_variant_get_child_value (reply, 0);
  g_variant_lookup (credentials, "ProcessID", "u", &question->pid);
  if (question->pid != 0)
    question->caller.where = g_strdup_printf ("process %u", question->pid);
  if (!g_variant_lookup (credentials, "UnixUserID", "u", &question->caller.uid))
    {
      question->caller.uid = G_MAXUINT;
      refuse (task, "the bus does not know that user");
    }
  else if (!reroute_bus_is_system (self->bus))
    {
      if (is_trusted (question->caller.uid))
        admit (task);
      else
        refuse (task, "away from the system bus only root and the service's own user are served");
    }
  else if (question->action == NULL || question->caller.uid == 0)
    admit (task);
  else
    ask_polkit (task);
}

static void
reroute_authority_finalize (GObject *object)
{
  g_object_unref (REROUTE_AUTHORITY (object)->bus);
  G_OBJECT_CLASS (reroute_authority_parent_class)->finalize (object);
}

static void
reroute_authority_class_init (RerouteAuthorityClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reroute_authority_finalize;
}

static void
reroute_authority_init (RerouteAuthority *self)
{
}

RerouteAuthority *
reroute_authority_new (RerouteBus *bus)
{
  RerouteAuthority *self = g_object_new (REROUTE_TYPE_AUTHORITY, NULL);

  self->bus = g_object_ref (bus);
  return self;
}

void
reroute_authority_check_async (RerouteAuthority *self,
                               GDBusMethodInvocation *invocation,
                               const RerouteAccess *access,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Question *question = g_new0 (Question, 1);

  g_return_if_fail (REROUTE_IS_AUTHORITY (self));

  question->invocation = g_object_ref (invocation);
  question->action = g_strdup (access->action);
  question->tells_where = access->tells_where;
  g_task_set_source_tag (task, reroute_authority_check_async);
  g_task_set_task_data (task, question, (GDestroyNotify) question_free);
  g_dbus_connection_call (g_dbus_method_invocation_get_connection (invocation),
                          "org.freedesktop.DBus",
                          "/org/freedesktop/DBus",
                          "org.freedesktop.DBus",
                          "GetConnectionCredentials",
                          g_variant_new ("(s)", g_dbus_method_invocation_get_sender (invocation)),
                          G_VARIANT_TYPE ("(a{sv})"),
                          G_DBUS_CALL_FLAGS_NONE,
                          REROUTE_LIMIT_CALL_MS,
                          cancellable,
                          credentials_cb,
                          g_object_ref (task));
}

gboolean
reroute_authority_check_finish (RerouteAuthority *self,
                                GAsyncResult *result,
                                RerouteCaller *caller,
                                GError **error)
{
  Question *question = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  question = g_task_get_task_data (G_TASK (result));
  caller->uid = question->caller.uid;
  caller->where = g_steal_pointer (&question->caller.where);
  return g_task_propagate_boolean (G_TASK (result), error);
}

char *
reroute_authority_dup_user_name (guint uid)
{
  g_autofree char *buffer = NULL;
  gsize size = 1024;
  struct passwd entry, *found = NULL;
  int status = 0;

  do
    {
      size *= 2;
      g_free (buffer);
      buffer = g_malloc (size);
      status = getpwuid_r (uid, &entry, buffer, size, &found);
    }
  while (status == ERANGE && size < 1024 * 1024);
  if (status != 0 || found == NULL || !g_utf8_validate (entry.pw_name, -1, NULL))
    return g_strdup_printf ("uid %u", uid);
  return g_strdup (entry.pw_name);
}
