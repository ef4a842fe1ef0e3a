/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * What a daemon and its service manager tell one another.  systemd, or what else set NOTIFY_SOCKET,
 * need not be there: without it nothing is sent, and nothing was handed over.
 *
 * Sources: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).
 */

/* "READY=1", "STOPPING=1", "WATCHDOG=1" */
void reroute_supervisor_notify (const char *state);

/* One line for systemctl(1) status. */
void reroute_supervisor_notify_status (const char *status);

/* A reload begins; "READY=1" ends it. */
void reroute_supervisor_notify_reloading (void);

/* How often "WATCHDOG=1" is wanted at the least, in microseconds; 0: not at all. */
guint64 reroute_supervisor_get_watchdog_us (void);

/* A descriptor that was handed over, and its name: FileDescriptorName=, else the socket unit's. */
typedef struct
{
  int fd; /* close-on-exec */
  char *name;
} RerouteHandedDescriptor;

void reroute_handed_descriptor_free (RerouteHandedDescriptor *self);

/* (transfer full) (element-type RerouteHandedDescriptor): ours to close. Once. */
GPtrArray *reroute_supervisor_take_descriptors (void);

G_END_DECLS
