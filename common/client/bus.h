/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/remote.h"

G_BEGIN_DECLS

/**
 * RerouteBus:
 *
 * A message bus that is meant to last: a connection with exit-on-close off, opened anew with
 * back-off (limits.h) whenever it is lost.  Clients watch
 * #RerouteBus:connection; daemons publish an object and forget about it.
 *
 * Belongs to the thread-default main context of the thread that made it.
 *
 * Properties: connection (#GDBusConnection, %NULL while the bus is away; notified).
 * Signals: published () when the name of reroute_bus_publish() is ours and the object stands
 *   behind it; name-taken () when another process owns that name or takes it from us.
 */
#define REROUTE_TYPE_BUS (reroute_bus_get_type ())
G_DECLARE_FINAL_TYPE (RerouteBus, reroute_bus, REROUTE, BUS, GObject)

/**
 * reroute_bus_new:
 * @session: whether --session was given
 * @address: (nullable): what --bus=ADDRESS said; wins over @session
 *
 * With neither it is the system bus.  Opens nothing yet.
 */
RerouteBus *reroute_bus_new (gboolean session, const char *address);

/**
 * reroute_bus_new_remote:
 * @remote: (transfer full): what --host said
 * @address: (nullable): what --bus=ADDRESS said, of a bus on that computer
 *
 * As reroute_bus_new(), of another computer.  ssh may ask the person when the connection is opened
 * for the first time; when it is opened again by itself, nobody is asked.
 */
RerouteBus *reroute_bus_new_remote (RerouteRemote *remote, const char *address);

/**
 * reroute_bus_open:
 *
 * Opens the connection now, for start-up; blocks for as long as the connection takes.  From then on
 * the bus is held as after reroute_bus_start().
 *
 * Errors: %REROUTE_ERROR_UNAVAILABLE with a sentence that says which bus, and what to do.
 */
gboolean reroute_bus_open (RerouteBus *self, GError **error);

/* The same without waiting: the connection comes by notify::connection, sooner or later. */
void reroute_bus_start (RerouteBus *self);

/* A bus that is away is tried again now, or as soon as a try that is under way has ended, and ssh
   may ask the person once more: she is waiting. */
void reroute_bus_reopen (RerouteBus *self);

/* For good: ends the connection and what is under way to make one, ssh too, which may be asking. */
void reroute_bus_close (RerouteBus *self);

/* (transfer none) (nullable): NULL while the bus is away */
GDBusConnection *reroute_bus_get_connection (RerouteBus *self);

/* (transfer none) (nullable): the other computer; NULL: this one */
const RerouteRemote *reroute_bus_get_remote (RerouteBus *self);

/* (transfer none) (nullable): why the last try to reach the other computer failed; %NULL: it is
   reached, or it is being tried for the first time, or for who waits for it.  Told by
   notify::connection. */
const GError *reroute_bus_get_failure (RerouteBus *self);

/* Whether it is the system bus: polkit decides there; elsewhere the peer's uid does. */
gboolean reroute_bus_is_system (RerouteBus *self);

/* "the system bus", "the session bus", "the bus at unix:path=/…", and of which computer: for
 * messages. */
const char *reroute_bus_get_label (RerouteBus *self);

/* "--session", "--bus=ADDRESS" or "": the option that leads another program to the same bus. */
char *reroute_bus_dup_option (RerouteBus *self);

/* %REROUTE_ERROR_UNAVAILABLE with a sentence that says which bus is away, and what to do. */
GError *reroute_bus_describe_away (RerouteBus *self);

/* %REROUTE_ERROR_UNAVAILABLE: what this program, a daemon, answers while it stops. */
GError *reroute_bus_describe_stopping (void);

/* Puts that in place of %G_IO_ERROR_CANCELLED, which a caller would take for its own doing.
   @error: (inout): of what a daemon broke off to stop */
void reroute_bus_explain_cancelled (GError **error);

/**
 * reroute_bus_publish:
 * @skeleton: the object; a reference is taken
 * @path: its object path
 * @name: the well-known name
 *
 * Exports @skeleton and owns @name after it, now or as soon as the bus is there, and again on
 * every new connection.  Once per bus object.
 */
void reroute_bus_publish (RerouteBus *self,
                          GDBusInterfaceSkeleton *skeleton,
                          const char *path,
                          const char *name);

/* Gives the name back and flushes; the connection stays.  Calls that come until it closes are
   answered with reroute_bus_describe_stopping(), whatever the object's handlers would do. */
void reroute_bus_unpublish (RerouteBus *self);

G_END_DECLS
