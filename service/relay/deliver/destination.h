/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/delivery.h"

G_BEGIN_DECLS

typedef struct _RerouteScheduler RerouteScheduler;
typedef struct _RerouteTry RerouteTry;
typedef struct _RerouteQueued RerouteQueued;

/**
 * RerouteDestination:
 *
 * An address and port, or a Unix socket, that mail goes to: its back-off, the connections that it
 * is leased to workers for, and the tries that wait for one.  Two ports of one address are two
 * destinations.
 */
typedef struct
{
  RerouteIp ip; /* with port: the key, or the path of a Unix socket */
  guint16 port;
  char *socket; /* (nullable) */
  RerouteScheduler *scheduler;

  guint n_failures; /* in a row */
  gint64 failed_us; /* wall clock */
  gint64 wait_us;
  RerouteReply *failure; /* the last one */

  guint limit;    /* connections at a time that it seems to bear */
  guint n_active; /* deliveries that workers have */
  guint n_leases; /* connections that may be open, busy or idle */
  GQueue queue;   /* (element-type RerouteTry) */
  GQueue parked; /* (element-type RerouteQueued): references; decided again when it is their turn */

  gint64 used_us; /* monotonic: the last lease or delivery */
  gint64 done_us; /* monotonic: the last delivery that ended, or the queue's beginning */
  gboolean slow;
  guint n_in_memory; /* of the queue: those whose content is in memory */
  guint n_pressing;  /* of those: counted in the scheduler */
  gboolean blocked;  /* in RerouteDestinations.blocked */
  RerouteTimer patience;

  struct
  {
    guint16 n_active;
    guint16 n_leases;
  } workers[]; /* (array length=n_workers) */
} RerouteDestination;

typedef struct
{
  GHashTable *by_address; /* (element-type RerouteDestination) */
  GQueue blocked;         /* (element-type RerouteDestination): wait for max-outbound-connections */
  guint n_leases;
  gboolean trimming;
  guint n_trims_left;
  RerouteTimer sweep;
} RerouteDestinations;

void reroute_destinations_init (RerouteScheduler *scheduler);
void reroute_destinations_clear (RerouteScheduler *scheduler);
RerouteDestination *reroute_destination_get (RerouteScheduler *scheduler,
                                             const RerouteEndpoint *endpoint);

/* When it may be asked again, wall clock; 0: now. */
gint64 reroute_destination_get_retry_us (const RerouteDestination *self, gint64 now_us);

/* Whether so many tries wait for it that memory asks for an end. */
gboolean reroute_destination_is_crowded (const RerouteDestination *self);
/* Notes that @queued has parked recipients for it; a reference is taken. */
void reroute_destination_park (RerouteDestination *self, RerouteQueued *queued);

/* @try: (transfer full) */
void reroute_destination_push (RerouteDestination *self, RerouteTry *try);

/* A worker gave a delivery of this destination back after @took_us. */
void reroute_destination_release (RerouteDestination *self, guint worker, gint64 took_us);
void reroute_destination_succeeded (RerouteDestination *self);
void reroute_destination_throttle (RerouteDestination *self); /* 421, 4.7.x */
/* No connection, banner or EHLO: what waits for it looks for another or is put off. */
void reroute_destination_failed (RerouteDestination *self, const RerouteReply *reply);

/* A dead one may be asked again now: its host has just asked for its mail, or an administrator
   wants to know. */
void reroute_destination_forgive (RerouteDestination *self);
void reroute_destinations_forgive (RerouteScheduler *scheduler);

/* Takes all that wait for a connection back to be decided anew. */
void reroute_destinations_withdraw (RerouteScheduler *scheduler);

/* Messages that were submitted and not seen yet count towards the pressure. */
void reroute_scheduler_update_pressure (RerouteScheduler *scheduler);

G_END_DECLS
