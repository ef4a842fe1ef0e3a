/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * supervisor.c - what the service manager is told, and what it hands over
 */

#include "config.h"

#include "service/supervisor.h"

#ifdef HAVE_LIBSYSTEMD
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#endif

void
reroute_supervisor_notify (const char *state)
{
#ifdef HAVE_LIBSYSTEMD
  sd_notify (0, state);
#endif
}

void
reroute_supervisor_notify_status (const char *status)
{
  g_return_if_fail (status != NULL);

  g_autofree char *state = g_strconcat ("STATUS=", status, NULL);

  reroute_supervisor_notify (state);
}

void
reroute_supervisor_notify_reloading (void)
{
  g_autofree char *state =
    g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());

  reroute_supervisor_notify (state);
}

guint64
reroute_supervisor_get_watchdog_us (void)
{
  guint64 interval_us = 0;

#ifdef HAVE_LIBSYSTEMD
  if (sd_watchdog_enabled (0, &interval_us) <= 0)
    interval_us = 0;
#endif
  return interval_us;
}

void
reroute_handed_descriptor_free (RerouteHandedDescriptor *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->name);
  g_free (self);
}

GPtrArray *
reroute_supervisor_take_descriptors (void)
{
  GPtrArray *descriptors =
    g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_handed_descriptor_free);

#ifdef HAVE_LIBSYSTEMD
  char **names = NULL;
  int n = sd_listen_fds_with_names (0, &names);

  for (int i = 0; i < n; i++)
    {
      RerouteHandedDescriptor *descriptor = g_new (RerouteHandedDescriptor, 1);

      *descriptor = (RerouteHandedDescriptor){ SD_LISTEN_FDS_START + i,
                                               g_strdup (names != NULL ? names[i] : "unknown") };
      g_ptr_array_add (descriptors, descriptor);
      free (names != NULL ? names[i] : NULL);
    }
  free (names);
#endif
  return descriptors;
}
