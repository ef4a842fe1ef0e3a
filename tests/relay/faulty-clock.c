/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * faulty-clock.c - a relay whose wall clock is wrong
 *
 * REROUTE_CLOCK_AHEAD=FILE   by so many seconds as FILE says while it exists
 *
 * This function stands in front of that of GLib.
 */

#include "config.h"

#include <fcntl.h>
#include <glib.h>
#include <time.h>
#include <unistd.h>

#define WORD_OCTETS 32

static gint64
get_ahead_s (void)
{
  const char *path = g_getenv ("REROUTE_CLOCK_AHEAD");
  char word[WORD_OCTETS] = "";

  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0)
    return 0;
  gssize n = read (fd, word, sizeof word - 1);
  close (fd);
  return n > 0 ? g_ascii_strtoll (word, NULL, 10) : 0;
}

gint64
g_get_real_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  return (now.tv_sec + get_ahead_s ()) * G_USEC_PER_SEC + now.tv_nsec / 1000;
}
