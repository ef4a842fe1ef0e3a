/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stage.c - shows every page and dialog, one after the other, to who reads them by AT-SPI
 *
 * It tells the name of what it shows, and goes on when it is sent a line.
 */

#include "config.h"

#include "tests/display/each-window.h"

#include <glib-unix.h>
#include <stdio.h>
#include <unistd.h>

static gboolean
told_cb (int fd, GIOCondition condition, gpointer user_data)
{
  char octets[16];

  *(gboolean *) user_data = read (fd, octets, sizeof octets) >= 0;
  return G_SOURCE_REMOVE;
}

static void
show_cb (const EachWindow *each, gpointer user_data)
{
  gboolean told = FALSE;

  each_window_settle (each->window);
  printf ("%s\n", each->name);
  fflush (stdout);
  g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, told_cb, &told);
  while (!told)
    g_main_context_iteration (NULL, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_set_prgname ("reroute"); /* what the accessibility bus calls the program */
  each_window_init ();
  each_window_speak ("C");
  each_window_visit (show_cb, NULL);
  return 0;
}
