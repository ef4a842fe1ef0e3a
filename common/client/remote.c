/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * remote.c - the message bus of another computer, through ssh
 *
 * Neither a port nor a password of our own: ssh knows whom it speaks to and lets the person in, the
 * bridge there is that person's process, and polkit there judges her.
 *
 * Sources: systemctl(1) --host; systemd-stdio-bridge(1); ssh(1).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-remote"

#include "common/client/remote.h"

#include "common/client/greeting-stream.h"
#include "common/error.h"
#include "common/limits.h"

#include <fcntl.h>
#include <signal.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SSH_FAILED 255         /* ssh(1): an error of its own */
#define COMMAND_NOT_FOUND 127  /* sh(1) */
#define WORDS_OCTETS 16384     /* of what ssh says, from its start */
#define WORDS_SHOWN_OCTETS 400 /* its end, which is why it failed */
#define END_MS 5000            /* ssh has closed the connection: then it ends, or is ended */
#define BRIDGE "systemd-stdio-bridge"

typedef struct
{
  RerouteRemote *remote;
  GSubprocess *process;
  RerouteGreetingStream *greeting;
  GIOStream *stream; /* of that and what ssh reads */
  int words;         /* what ssh writes to standard error; -1: none */
  GError *failure;   /* (nullable): of the connection */
  GCancellable *call;
  gulong stop_id; /* of who waits */
  gboolean late;
  GSource *limit; /* (nullable): of the try, then of ssh's end */
} Dial;

static void
clear_limit (Dial *dial)
{
  if (dial->limit != NULL)
    g_source_destroy (dial->limit);
  g_clear_pointer (&dial->limit, g_source_unref);
}

static void
dial_free (gpointer data)
{
  Dial *dial = data;

  reroute_remote_free (dial->remote);
  g_clear_object (&dial->process);
  g_clear_object (&dial->greeting);
  g_clear_object (&dial->stream);
  if (dial->words >= 0)
    close (dial->words);
  g_clear_error (&dial->failure);
  g_object_unref (dial->call);
  clear_limit (dial);
  g_free (dial);
}

/* --- names --- */

/* ssh hands both to commands of its configuration (ProxyCommand). */
static gboolean
is_word (const char *text)
{
  if (*text == '\0' || *text == '-')
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr ("-._:%+\\@", *text) == NULL)
      return FALSE;
  return TRUE;
}

/* Takes the port off @text, which keeps the host; FALSE: it is none. */
static gboolean
split_port (char *text, guint *port)
{
  char *end = strchr (text, ']');
  char *colon = NULL;
  guint64 number = 0;

  if (*text == '[' && end != NULL)
    {
      *end = '\0';
      colon = end[1] == ':' ? end + 1 : NULL;
      if (colon == NULL && end[1] != '\0')
        return FALSE;
      memmove (text, text + 1, strlen (text));
    }
  /* Two colons and no brackets are an IPv6 address. */
  else if (strchr (text, ':') == strrchr (text, ':'))
    colon = strchr (text, ':');
  if (colon == NULL)
    return TRUE;
  *colon = '\0';
  if (!g_ascii_string_to_unsigned (colon + 1, 10, 1, 65535, &number, NULL))
    return FALSE;
  *port = (guint) number;
  return TRUE;
}

RerouteRemote *
reroute_remote_parse (const char *text, GError **error)
{
  g_autoptr (RerouteRemote) self = g_new0 (RerouteRemote, 1);
  const char *sign = NULL;

  g_return_val_if_fail (text != NULL, NULL);

  /* A user of a directory may be called user@domain. */
  sign = strrchr (text, '@');
  self->name = g_strdup (text);
  self->user = sign != NULL ? g_strndup (text, (gsize) (sign - text)) : NULL;
  self->host = g_strdup (sign != NULL ? sign + 1 : text);
  if (split_port (self->host, &self->port) && is_word (self->host) &&
      strchr (self->host, '\\') == NULL && (self->user == NULL || is_word (self->user)))
    return g_steal_pointer (&self);
  g_set_error (
    error,
    REROUTE_ERROR,
    REROUTE_ERROR_HOST,
    /* Translators: what was typed; the form is not translated */
    _ ("“%s” is not the name of a server: write [USER@]HOST[:PORT], such as admin@relay1"), text);
  return NULL;
}

void
reroute_remote_free (RerouteRemote *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->user);
  g_free (self->host);
  g_free (self);
}

static RerouteRemote *
copy_remote (const RerouteRemote *remote)
{
  RerouteRemote *copy = g_new0 (RerouteRemote, 1);

  copy->name = g_strdup (remote->name);
  copy->user = g_strdup (remote->user);
  copy->host = g_strdup (remote->host);
  copy->port = remote->port;
  return copy;
}

char *
reroute_remote_dup_command (const RerouteRemote *self)
{
  g_autoptr (GString) command = g_string_new ("ssh ");

  g_return_val_if_fail (self != NULL, NULL);

  if (self->port != 0)
    g_string_append_printf (command, "-p %u ", self->port);
  if (self->user != NULL)
    g_string_append_printf (command, "%s@", self->user);
  g_string_append (command, self->host);
  return g_string_free (g_steal_pointer (&command), FALSE);
}

/* --- what ssh says --- */

/* A file in memory that does not grow, so that neither a pipe has to be emptied nor a server that
   talks without end is heard out. */
static int
open_words (void)
{
  int file = memfd_create ("ssh", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (file >= 0 && ftruncate (file, WORDS_OCTETS) == 0 &&
      fcntl (file, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0)
    return file;
  if (file >= 0)
    close (file);
  return -1;
}

/* The end of @octets on one line, without what would move a cursor. */
static char *
dup_line (const char *octets)
{
  g_autofree char *text = g_utf8_make_valid (octets, -1);
  const char *shown = NULL;

  for (char *c = text; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  g_strstrip (text);
  shown = text;
  if (strlen (text) > WORDS_SHOWN_OCTETS)
    shown = g_utf8_find_next_char (text + strlen (text) - WORDS_SHOWN_OCTETS, NULL);
  return g_strdup (shown);
}

/* "": nothing was said. */
static char *
dup_words (const Dial *dial)
{
  char octets[WORDS_OCTETS + 1] = "";
  ssize_t n = dial->words >= 0 ? pread (dial->words, octets, WORDS_OCTETS, 0) : 0;

  octets[MAX (n, 0)] = '\0';
  return dup_line (octets);
}

/* What to do, by who failed and with what. */
static char *
dup_advice (const Dial *dial, int status, const char *words)
{
  g_autofree char *command = reroute_remote_dup_command (dial->remote);
  const char *host = dial->remote->host;
  gboolean endless = reroute_greeting_stream_is_exceeded (dial->greeting);

  if (status == COMMAND_NOT_FOUND)
    /* Translators: the name of a server */
    return g_strdup_printf (
      _ ("systemd-stdio-bridge is missing on %s: install the package “systemd” there"), host);
  if (endless || (status != SSH_FAILED && *words == '\0'))
    /* Translators: the name of a server */
    return g_strdup_printf (_ ("something else than the bus answers: see that no file that is read at login there, such as .bashrc on %s, prints anything"),
                               host);
  if (status != SSH_FAILED)
    /* Translators: the name of a server */
    return g_strdup_printf (
      _ ("the message bus of %s cannot be reached: see there whether dbus runs"), host);
  if (strstr (words, "Host key verification failed") != NULL)
    /* Translators: a command such as “ssh admin@relay1” */
    return g_strdup_printf (_ ("the key of that computer is not known, or has changed: run “%s” once and compare what it shows"),
                               command);
  if (strstr (words, "Permission denied") != NULL)
    /* Translators: a command such as “ssh admin@relay1” */
    return g_strdup_printf (_ ("ssh was not let in: see that “%s” works, by a key or at a terminal by a password"), command);
  /* Translators: a command such as “ssh admin@relay1” */
  return g_strdup_printf (_ ("ssh does not get there: see that “%s” works"), command);
}

static GError *
describe (const Dial *dial)
{
  int status = g_subprocess_get_if_exited (dial->process)
                 ? g_subprocess_get_exit_status (dial->process)
                 : SSH_FAILED;
  g_autofree char *words = dup_words (dial);
  g_autofree char *advice = dup_advice (dial, status, words);
  g_autofree char *cause = dup_line (dial->failure->message);

  g_autofree char *message = g_strdup_printf (
    /* Translators: the name of a server, what to do, what ssh or the bus said of it in English */
    _ ("no connection to %s: %s (%s)"), dial->remote->name, advice, *words != '\0' ? words : cause);

  return g_error_new_literal (REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE, message);
}

/* --- connecting --- */

static gboolean
has_terminal (void)
{
  int file = open ("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

  if (file >= 0)
    close (file);
  return file >= 0;
}

static GStrv
dup_arguments (const RerouteRemote *remote, const char *address, gboolean asks)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *alive = g_strdup_printf ("-oServerAliveInterval=%d", REROUTE_LIMIT_SSH_ALIVE_S);
  g_autofree char *patience = g_strdup_printf ("-oConnectTimeout=%d", REROUTE_LIMIT_SSH_CONNECT_S);
  g_autofree char *port = g_strdup_printf ("-p%u", remote->port);

  g_strv_builder_add_many (builder, "ssh", "-xT", alive, patience, NULL);
  if (!asks)
    g_strv_builder_add (builder, "-oBatchMode=yes");
  if (remote->port != 0)
    g_strv_builder_add (builder, port);
  if (remote->user != NULL)
    g_strv_builder_add_many (builder, "-l", remote->user, NULL);
  g_strv_builder_add_many (builder, "--", remote->host, BRIDGE, NULL);
  if (address != NULL)
    {
      /* The shell of the other side reads it. */
      g_autofree char *quoted = g_shell_quote (address);
      g_autofree char *option = g_strconcat ("--bus-path=", quoted, NULL);

      g_strv_builder_add (builder, option);
    }
  return g_strv_builder_end (builder);
}

static gboolean
spawn (Dial *dial, const char *address, gboolean asks, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
    G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_auto (GStrv) arguments = dup_arguments (dial->remote, address, asks);

  /* The bus goes through a pipe: that ssh has ended is an error, and not our end. */
  signal (SIGPIPE, SIG_IGN);
  dial->words = open_words ();
  if (dial->words >= 0)
    g_subprocess_launcher_take_stderr_fd (launcher, fcntl (dial->words, F_DUPFD_CLOEXEC, 0));
  dial->process = g_subprocess_launcher_spawnv (launcher, (const char *const *) arguments, error);
  if (dial->process == NULL)
    return FALSE;
  dial->greeting = reroute_greeting_stream_new (g_subprocess_get_stdout_pipe (dial->process));
  dial->stream = g_simple_io_stream_new (G_INPUT_STREAM (dial->greeting),
                                         g_subprocess_get_stdin_pipe (dial->process));
  return TRUE;
}

static void
set_limit (GTask *task, guint limit_ms, GSourceFunc callback)
{
  Dial *dial = g_task_get_task_data (task);

  clear_limit (dial);
  dial->limit = g_timeout_source_new (limit_ms);
  g_source_set_callback (dial->limit, callback, dial, NULL);
  g_source_attach (dial->limit, g_task_get_context (task));
}

static gboolean
late_cb (gpointer user_data)
{
  Dial *dial = user_data;

  dial->late = TRUE;
  g_cancellable_cancel (dial->call);
  return G_SOURCE_REMOVE;
}

static void
stop_cb (GCancellable *cancellable, GCancellable *call)
{
  g_cancellable_cancel (call);
}

static gboolean
end_cb (gpointer user_data)
{
  Dial *dial = user_data;

  g_subprocess_force_exit (dial->process);
  return G_SOURCE_REMOVE;
}

static void
ended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Dial *dial = g_task_get_task_data (task);

  g_subprocess_wait_finish (G_SUBPROCESS (source), result, NULL);
  if (g_error_matches (dial->failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_task_return_error (task, g_steal_pointer (&dial->failure));
  else
    g_task_return_error (task, describe (dial));
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Dial *dial = g_task_get_task_data (task);
  GDBusConnection *connection = g_dbus_connection_new_finish (result, &dial->failure);
  gboolean stopped = g_error_matches (dial->failure, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  g_cancellable_disconnect (g_task_get_cancellable (task), dial->stop_id);
  clear_limit (dial);
  if (connection != NULL)
    {
      reroute_greeting_stream_open (dial->greeting);
      g_task_return_pointer (task, connection, g_object_unref);
      return;
    }
  /* Without a connection ssh ends by itself once its input ends; one that waits for somebody, or
     that another program than the bridge answers, does not. */
  g_io_stream_close (dial->stream, NULL, NULL);
  if (stopped || reroute_greeting_stream_is_exceeded (dial->greeting))
    g_subprocess_send_signal (dial->process, SIGTERM);
  if (stopped && dial->late)
    {
      g_clear_error (&dial->failure);
      g_set_error_literal (
        &dial->failure, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "no bus answers in time");
    }
  set_limit (task, END_MS, end_cb);
  g_subprocess_wait_async (dial->process, NULL, ended_cb, g_object_ref (task));
}

void
reroute_remote_connect_async (const RerouteRemote *self,
                              const char *address,
                              gboolean asks,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GError) error = NULL;
  Dial *dial = g_new0 (Dial, 1);

  g_return_if_fail (self != NULL);

  asks = asks && (has_terminal () || g_getenv ("SSH_ASKPASS") != NULL);
  dial->call = g_cancellable_new ();
  dial->remote = copy_remote (self);
  g_task_set_source_tag (task, reroute_remote_connect_async);
  g_task_set_task_data (task, dial, dial_free);
  if (!spawn (dial, address, asks, &error))
    {
      g_task_return_new_error (
        task,
        REROUTE_ERROR,
        REROUTE_ERROR_UNAVAILABLE,
        /* Translators: what the system says of it */
        _ ("ssh cannot be started: install the package “openssh-client” (%s)"), error->message);
      return;
    }
  if (cancellable != NULL)
    dial->stop_id = g_cancellable_connect (
      cancellable, G_CALLBACK (stop_cb), g_object_ref (dial->call), g_object_unref);
  set_limit (task, asks ? REROUTE_LIMIT_SSH_TRY_INTERACTIVE_MS : REROUTE_LIMIT_SSH_TRY_MS, late_cb);
  g_dbus_connection_new (dial->stream,
                         NULL,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                           G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                         NULL,
                         dial->call,
                         connected_cb,
                         g_object_ref (task));
}

GDBusConnection *
reroute_remote_connect_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reroute_remote_connect_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
