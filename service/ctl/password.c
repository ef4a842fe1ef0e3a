/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * password.c - asks for a password: on the terminal, or from a pipe
 *
 * Never an argument: other users see those.
 */

#include "config.h"

#include "service/ctl/password.h"

#include "common/error.h"
#include "common/limits.h"

#include <glib/gi18n.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

void
reroute_ctl_free_password (char *password)
{
  if (password != NULL)
    explicit_bzero (password, strlen (password));
  g_free (password);
}

static const char *
get_shows_all (void)
{
  return _ ("the terminal cannot be told to show nothing: say --password-stdin and send it there");
}

static char *
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, message);
  return NULL;
}

/* Up to the end of the line or of the input; octet by octet, for what follows is not ours. */
static char *
read_line (int fd, GError **error)
{
  char *line = g_malloc0 (REROUTE_LIMIT_PASSWORD_OCTETS + 2);
  gsize length = 0;
  gssize n;

  while (length <= REROUTE_LIMIT_PASSWORD_OCTETS && (n = read (fd, line + length, 1)) == 1 &&
         line[length] != '\n')
    length++;
  line[length] = '\0';
  if (strlen (line) < length)
    {
      explicit_bzero (line, length);
      g_free (line);
      return refuse (error, _ ("the password is empty, too long or has control characters"));
    }
  if (length > 0 && length <= REROUTE_LIMIT_PASSWORD_OCTETS)
    return line;
  reroute_ctl_free_password (line);
  if (length == 0)
    return refuse (error, _ ("no password was given"));
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               _ ("the password is too long: wanted at most %d octets"),
                  REROUTE_LIMIT_PASSWORD_OCTETS);
  return NULL;
}

/* Signals that would end the program while the terminal shows nothing. */
static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

static volatile sig_atomic_t caught;

static void
catch_signal (int number)
{
  caught = number;
}

/* Only so that read() returns: what was caught takes effect when the terminal is as before. */
static void
hold_signals (struct sigaction *before)
{
  const struct sigaction held = { .sa_handler = catch_signal };

  caught = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (ending); i++)
    sigaction (ending[i], &held, &before[i]);
}

static void
release_signals (const struct sigaction *before)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ending); i++)
    sigaction (ending[i], &before[i], NULL);
  if (caught != 0)
    raise (caught);
}

static char *
ask (int fd, const char *prompt, GError **error)
{
  struct termios shown, hidden;
  struct sigaction before[G_N_ELEMENTS (ending)];
  char *password = NULL;

  if (tcgetattr (fd, &shown) != 0)
    return refuse (error, get_shows_all ());
  hidden = shown;
  hidden.c_lflag &= ~(tcflag_t) ECHO;
  hold_signals (before);
  if (tcsetattr (fd, TCSAFLUSH, &hidden) != 0)
    refuse (error, get_shows_all ());
  else
    {
      dprintf (fd, "%s ", prompt);
      password = read_line (fd, error);
      dprintf (fd, "\n");
      tcsetattr (fd, TCSAFLUSH, &shown);
    }
  release_signals (before);
  return password;
}

static char *
ask_twice (int fd, const char *user, GError **error)
{
  /* Translators: the name of a user, as the server knows it */
  g_autofree char *prompt = g_strdup_printf (_ ("Password for %s:"), user);
  g_autofree char *again = g_strdup_printf (_ ("Password for %s, again:"), user);
  char *first = ask (fd, prompt, error);
  char *second = first != NULL ? ask (fd, again, error) : NULL;
  gboolean same = second != NULL && g_str_equal (first, second);

  if (second != NULL && !same)
    refuse (error, _ ("the two passwords differ: nothing was changed"));
  reroute_ctl_free_password (second);
  if (same)
    return first;
  reroute_ctl_free_password (first);
  return NULL;
}

char *
reroute_ctl_read_password (const char *user, GError **error)
{
  char *password;
  int fd;

  if (user == NULL)
    return read_line (STDIN_FILENO, error);
  fd = open ("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return refuse (error,
                   _ ("there is no terminal to ask on: say --password-stdin and send it there"));
  password = ask_twice (fd, user, error);
  close (fd);
  return password;
}
