/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * token-helper.c - the process that runs token commands, and the command that is told of alarms
 *
 * The relay faces the Internet and gives up for good to run programs (sandbox.c).  What it can ask
 * of this process is one thing: to run a program that stands in the administrator's directory, with
 * the user name as its only argument, and to hand on what it prints.  A relay that was taken over
 * gets a token in that way, which it could read from its memory as well, and no program of its
 * choice: a name with a slash is refused here, whatever was asked.  Programs that are told of
 * alarms stand in a directory of their own; their arguments are text that the relay chooses.
 *
 * Each request has a process of its own, so a slow command is in nobody's way.  It ends the
 * command, and all that runs in its process group, when its time is over.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-tokens"

#include "service/relay/token-helper.h"

#include "common/limits.h"
#include "common/program-name.h"
#include "service/relay/helper-request.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET 3 /* in the helper */
#define WORDS_MOST (2 + REROUTE_HELPER_ALARM_WORDS)
#define REQUEST_OCTETS                                                                             \
  (2 * (REROUTE_LIMIT_PROGRAM_OCTETS + 1) +                                                        \
   REROUTE_HELPER_ALARM_WORDS * (REROUTE_LIMIT_ALARM_TEXT_OCTETS + 1))
#define OUTPUT_OCTETS (REROUTE_LIMIT_TOKEN_OCTETS + 64) /* the token, and how long it is good */
#define CANNOT_RUN 127

G_STATIC_ASSERT (REROUTE_LIMIT_ACCOUNT_OCTETS <= REROUTE_LIMIT_ALARM_TEXT_OCTETS);

/* What may be asked for. */
static const struct
{
  const char *kind;
  guint n_words;      /* of a request */
  gboolean is_silent; /* what the program prints is of no use */
} kinds[] = {
  { REROUTE_HELPER_TOKEN, 3, FALSE },
  { REROUTE_HELPER_ALARM, 2 + REROUTE_HELPER_ALARM_WORDS, TRUE },
};

/* A program that is to be run. */
typedef struct
{
  char *path;
  char **arguments; /* its bare name first */
  gboolean is_silent;
} Command;

static volatile pid_t running;
static volatile sig_atomic_t is_over;

static void
time_is_over (int number)
{
  is_over = 1;
  kill (-running, SIGKILL);
}

static G_GNUC_NORETURN void
run_program (const Command *command, int output)
{
  int nothing = open ("/dev/null", O_RDWR);

  setpgid (0, 0);
  signal (SIGTERM, SIG_DFL);
  signal (SIGINT, SIG_DFL);
  signal (SIGPIPE, SIG_DFL);
  if (nothing >= 0 && dup2 (nothing, STDIN_FILENO) >= 0 &&
      dup2 (command->is_silent ? nothing : output, STDOUT_FILENO) >= 0 &&
      dup2 (nothing, STDERR_FILENO) >= 0 && close_range (STDERR_FILENO + 1, ~0U, 0) == 0)
    execv (command->path, command->arguments);
  _exit (CANNOT_RUN);
}

/* Returns: how many octets the command printed, at most @size; it has closed its output then, or is
   ended */
static gsize
read_output (int fd, char *octets, gsize size)
{
  gsize length = 0;
  gssize n = 1;

  while (length < size && !is_over && n != 0)
    {
      n = read (fd, octets + length, size - length);
      if (n > 0)
        length += (gsize) n;
      else if (n < 0 && errno != EINTR)
        break;
    }
  return length;
}

static void
answer (int fd, char kind, const char *octets, gsize length)
{
  g_autofree char *packet = g_malloc (length + 1);
  gsize done = 0;
  gssize n = 0;

  packet[0] = kind;
  memcpy (packet + 1, octets, length);
  while (done < length + 1 && (n >= 0 || errno == EINTR))
    {
      n = write (fd, packet + done, length + 1 - done);
      done += (gsize) MAX (n, 0);
    }
  explicit_bzero (packet, length + 1);
}

static void
answer_failure (int fd, const char *name, const char *why)
{
  g_autofree char *text = g_strdup_printf ("the command “%s” %s", name, why);

  answer (fd, REROUTE_HELPER_FAILED, text, strlen (text));
}

/* What became of the command; NULL: all is well. */
static char *
explain (int status, gsize length)
{
  if (is_over)
    return g_strdup_printf ("takes longer than %d s", REROUTE_LIMIT_TOKEN_COMMAND_S);
  if (length > OUTPUT_OCTETS)
    return g_strdup_printf ("prints more than %d octets", OUTPUT_OCTETS);
  if (WIFSIGNALED (status))
    return g_strdup_printf ("was ended by signal %d", WTERMSIG (status));
  if (WEXITSTATUS (status) == CANNOT_RUN)
    return g_strdup ("cannot be run");
  return WEXITSTATUS (status) != 0 ? g_strdup_printf ("ended with status %d", WEXITSTATUS (status))
                                   : NULL;
}

static void
run_command (const Command *command, int fd)
{
  const char *name = command->arguments[0];
  const struct sigaction alarmed = { .sa_handler = time_is_over };
  char octets[OUTPUT_OCTETS + 1];
  int ends[2], status = 0;

  if (pipe2 (ends, O_CLOEXEC) != 0 || (running = fork ()) < 0)
    {
      answer_failure (fd, name, "cannot be run: no process is to be had");
      return;
    }
  if (running == 0)
    run_program (command, ends[1]);
  close (ends[1]);
  setpgid (running, running);
  sigaction (SIGALRM, &alarmed, NULL);
  alarm (REROUTE_LIMIT_TOKEN_COMMAND_S);
  gsize length = read_output (ends[0], octets, sizeof octets);
  if (length > OUTPUT_OCTETS)
    kill (-running, SIGKILL);
  while (waitpid (running, &status, 0) < 0 && errno == EINTR)
    ;
  alarm (0);
  g_autofree char *why = explain (status, length);
  if (why != NULL)
    answer_failure (fd, name, why);
  else
    answer (fd, REROUTE_HELPER_DONE, octets, length);
  explicit_bzero (octets, sizeof octets);
}

/* Takes no more commands at a time than there may be. */
static void
wait_for_room (guint *n_running)
{
  while (*n_running > 0 &&
         waitpid (-1, NULL, *n_running < REROUTE_LIMIT_TOKEN_COMMANDS ? WNOHANG : 0) > 0)
    (*n_running)--;
}

/* Takes @request apart; @words: (array length=WORDS_MOST + 1).  Returns: the index of its kind; -1:
   it is none */
static int
parse (char *request, gsize length, char **words)
{
  gsize at = 0;
  guint n = 0;

  if (length == 0 || request[length - 1] != '\0')
    return -1;
  for (; at < length && n < WORDS_MOST; at += strlen (request + at) + 1)
    words[n++] = request + at;
  words[n] = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (words[0], kinds[i].kind) && n == kinds[i].n_words && at == length &&
        reroute_program_name_is_bare (words[1]))
      return (int) i;
  return -1;
}

static void
serve (const char *const *directories, char *request, gsize length, int fd, guint *n_running)
{
  char *words[WORDS_MOST + 1];
  int kind = parse (request, length, words);
  pid_t child;

  if (kind < 0)
    return;
  wait_for_room (n_running);
  child = fork ();
  if (child == 0)
    {
      const Command command = { g_build_filename (directories[kind], words[1], NULL),
                                words + 1,
                                kinds[kind].is_silent };

      close (SOCKET);
      run_command (&command, fd);
      _exit (0);
    }
  if (child > 0)
    (*n_running)++;
  else
    answer_failure (fd, words[1], "cannot be run: no process is to be had");
}

/* Returns: octets of the request, 0 when the relay is gone; @fd: -1: none came with it */
static gssize
receive (char *request, gsize size, int *fd)
{
  union
  {
    struct cmsghdr header;
    char octets[CMSG_SPACE (sizeof (int))];
  } control;
  struct iovec part = { request, size };
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.octets,
                            .msg_controllen = sizeof control.octets };
  gssize n = recvmsg (SOCKET, &message, MSG_CMSG_CLOEXEC);
  struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR (&message) : NULL;

  *fd = -1;
  if (header != NULL && header->cmsg_type == SCM_RIGHTS)
    memcpy (fd, CMSG_DATA (header), sizeof *fd);
  return n;
}

static G_GNUC_NORETURN void
live (const char *const *directories)
{
  char request[REQUEST_OCTETS];
  guint n_running = 0;
  gssize n;
  int fd;

  prctl (PR_SET_NAME, "reroute-tokens");
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  signal (SIGTERM, SIG_IGN); /* the relay still logs in while it ends; then its socket closes */
  signal (SIGINT, SIG_IGN);
  signal (SIGPIPE, SIG_IGN);
  g_unsetenv ("NOTIFY_SOCKET");
  g_unsetenv ("LISTEN_FDS");
  while ((n = receive (request, sizeof request, &fd)) > 0 || (n < 0 && errno == EINTR))
    {
      if (n > 0 && fd >= 0)
        serve (directories, request, (gsize) n, fd, &n_running);
      if (fd >= 0)
        close (fd);
    }
  _exit (0);
}

int
reroute_token_helper_start (const char *token_commands, const char *alarm_commands)
{
  g_return_val_if_fail (token_commands != NULL && alarm_commands != NULL, -1);

  const char *const directories[] = { token_commands, alarm_commands }; /* as kinds has them */
  int ends[2];

  if (!g_file_test (token_commands, G_FILE_TEST_IS_DIR) &&
      !g_file_test (alarm_commands, G_FILE_TEST_IS_DIR))
    return -1;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    {
      g_warning ("no token or alarm command can be run: %s", g_strerror (errno));
      return -1;
    }
  pid_t child = fork ();
  if (child == 0)
    {
      if (dup2 (ends[1], SOCKET) != SOCKET || close_range (SOCKET + 1, ~0U, 0) != 0)
        _exit (1);
      live (directories);
    }
  close (ends[1]);
  if (child > 0)
    return ends[0];
  g_warning ("no token or alarm command can be run: %s", g_strerror (errno));
  close (ends[0]);
  return -1;
}
