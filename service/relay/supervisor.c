/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * supervisor.c - what the service manager is told
 */

#include "config.h"

#include "service/relay/supervisor.h"

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

void
reroute_supervisor_notify (const char *state)
{
#ifdef HAVE_LIBSYSTEMD
  sd_notify (0, state);
#endif
}
