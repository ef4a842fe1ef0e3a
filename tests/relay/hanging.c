/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hanging.c - a relay whose worker hangs while a file is there
 *
 * REROUTE_HANG=FILE   while FILE exists, accept4() does not come back
 */

#include "config.h"

#include <glib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HANG_STEP_US 10000

int
accept4 (int fd, struct sockaddr *address, socklen_t *length, int flags)
{
  const char *path = g_getenv ("REROUTE_HANG");

  while (path != NULL && access (path, F_OK) == 0)
    g_usleep (HANG_STEP_US);
  return (int) syscall (SYS_accept4, fd, address, length, flags);
}
