/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * RerouteMonitorDoor:
 *
 * Listening sockets on loopback addresses whose connections a SoupServer serves: only so many at a
 * time, each for a while only, and only for who means this machine.  Runs in the main context.
 */
typedef struct _RerouteMonitorDoor RerouteMonitorDoor;

#define REROUTE_MONITOR_CONNECTIONS_MOST 16 /* at a time; those over it are closed */
#define REROUTE_MONITOR_CONNECTION_S 30     /* then one is closed */

/* @setting: that names the endpoints, for the log; static */
RerouteMonitorDoor *reroute_monitor_door_new (const char *setting);
void reroute_monitor_door_free (RerouteMonitorDoor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteMonitorDoor, reroute_monitor_door_free)

/* Sets status and body of the answer. */
typedef void (*RerouteMonitorPageFunc) (SoupServerMessage *message, gpointer user_data);
/* Answers GET and HEAD of @path, which is static. */
void reroute_monitor_door_add_page (RerouteMonitorDoor *self,
                                    const char *path,
                                    RerouteMonitorPageFunc answer,
                                    gpointer user_data);

/**
 * reroute_monitor_door_set_endpoints:
 * @endpoints: (array zero-terminated=1): "ADDRESS:PORT"; none: nobody is served
 *
 * Where they are others than before nobody is served until reroute_monitor_door_listen(): what this
 * door lets go of, another one may take.
 */
void reroute_monitor_door_set_endpoints (RerouteMonitorDoor *self, const char *const *endpoints);

/* Listens at every endpoint where it does not yet.  An address that is not loopback, or that the
   system refuses, is logged; the others are served. */
void reroute_monitor_door_listen (RerouteMonitorDoor *self);

/* (element-type utf8): where connections are taken; borrowed */
const GPtrArray *reroute_monitor_door_get_open (const RerouteMonitorDoor *self);

G_END_DECLS
