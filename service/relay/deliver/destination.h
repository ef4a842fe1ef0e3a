/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/delivery.h"

G_BEGIN_DECLS

#define REROUTE_DESTINATION_FIRST_LIMIT 5 /* engine-measures.md rule 8 */

typedef struct _RerouteScheduler RerouteScheduler;
typedef struct _RerouteTry RerouteTry;
typedef struct _RerouteQueued RerouteQueued;
typedef struct _RerouteDestination RerouteDestination;
typedef struct _RerouteLeaving RerouteLeaving; /* of leaving.c */

/* What mail demands of a host beyond that it answers. */
typedef struct
{
  RerouteTlsLevel level;
  gboolean requires_tls;                 /* the sender's demand (RFC 8689) */
  RerouteSecret *secret;                 /* (nullable): what is logged in with */
  RerouteClientCertificate *certificate; /* (nullable): that is shown */
  char *name;   /* (nullable): that the host's certificate is judged by; NULL: any will do */
  char *domain; /* (nullable): likewise; NULL, too: the host was typed */
} RerouteDemand;

/**
 * RerouteDestination:
 *
 * An address and port, or a Unix socket, that mail goes to: its back-off, the connections that it
 * is leased to workers for, and the tries that wait for one.  Two ports of one address are two
 * destinations.
 *
 * Mail whose demand a host has denied, be it TLS or a login, waits in a lane of its own: a
 * destination with a back-off and a queue that takes part in its host's leases.  So does mail that
 * leaves our organisation, see leaving.h.
 */
struct _RerouteDestination
{
  RerouteIp ip; /* with port: the key, or the path of a Unix socket */
  guint16 port;
  char *socket; /* (nullable) */
  RerouteScheduler *scheduler;
  RerouteDestination *host; /* (nullable): whose lane it is */
  RerouteDemand demand;     /* of a lane; holds references */
  GPtrArray *lanes;         /* (element-type RerouteDestination) (nullable): of what was denied */
  RerouteDestination *leaving_lane; /* (nullable): of mail that leaves our organisation */
  RerouteLeaving *leaving;          /* of that lane alone */

  guint n_failures; /* in a row */
  gint64 failed_us; /* wall clock */
  gint64 wait_us;
  RerouteReply *failure; /* the last one */
  guint64 lost_id;       /* the message that a session was lost over; 0: it has answered since */

  guint limit;    /* connections at a time that it seems to bear */
  guint n_active; /* deliveries that workers have, those of lanes as well */
  guint n_active_in_lanes;
  gboolean lane_was_last; /* to begin a delivery */
  guint n_leases;         /* connections that may be open, busy or idle */
  gint64 leased_us;       /* monotonic: when it got the first of them */
  GQueue queue;           /* (element-type RerouteTry) */
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
  } workers[]; /* (array length=n_workers); a lane has none */
};

typedef struct
{
  GHashTable *by_address; /* (element-type RerouteDestination) */
  GQueue blocked;         /* (element-type RerouteDestination): wait for max-outbound-connections */
  GPtrArray *stopped; /* (element-type RerouteDestination): lanes of mail that leaves, borrowed */
  guint n_leaving_lanes;
  guint n_leases;
  gboolean trimming;
  guint n_trims_left;
  RerouteTimer sweep;
} RerouteDestinations;

void reroute_destinations_init (RerouteScheduler *scheduler);
void reroute_destinations_clear (RerouteScheduler *scheduler);
RerouteDestination *reroute_destination_get (RerouteScheduler *scheduler,
                                             const RerouteEndpoint *endpoint);

/* When it may be asked again, wall clock; 0: now.  @failure: (out) (optional) (transfer none): why
   it may not be now */
gint64 reroute_destination_get_retry_us (const RerouteDestination *self,
                                         gint64 now_us,
                                         const RerouteReply **failure);
/* The lane of such mail, while what was denied is not granted; (nullable) */
RerouteDestination *reroute_destination_find_lane (const RerouteDestination *self,
                                                   const RerouteDemand *demand);

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
/* A session that was ready was lost over the message @id.  Returns: whether one was lost over
   another message before, and the host has answered none since: it is not the message then */
gboolean reroute_destination_lost (RerouteDestination *self, guint64 id);
/* No connection, banner or EHLO, or 421: what waits for it looks for another or is put off. */
void reroute_destination_failed (RerouteDestination *self, const RerouteReply *reply);
/* It answers, and denies what mail demands of it: the same, of mail like that.  Of more than
   REROUTE_LIMIT_LANES_PER_DESTINATION demands at a time the last ones are not kept. */
void reroute_destination_denied (RerouteDestination *self,
                                 const RerouteDemand *demand,
                                 const RerouteReply *reply);

/* A dead one may be asked again now: its host has just asked for its mail, or an administrator
   wants to know. */
void reroute_destination_forgive (RerouteDestination *self);
void reroute_destinations_forgive (RerouteScheduler *scheduler);

/* Takes all that wait for a connection back to be decided anew. */
void reroute_destinations_withdraw (RerouteScheduler *scheduler);

/* What waits for it, or is parked, looks for a place anew. */
void reroute_destination_place_again (RerouteDestination *self);
/* Hands out what waits for its host, as far as there are connections to be had. */
void reroute_destination_pump (RerouteDestination *self);

/* --- between destination.c, destination-health.c and destination-leases.c --- */
/* @self, or the host whose lane it is */
RerouteDestination *reroute_destination_get_host (RerouteDestination *self);
/* The first try of the queue, not counted any more; (nullable) */
RerouteTry *reroute_destination_pop (RerouteDestination *self);
void reroute_destination_count_pressing (RerouteDestination *self);
void reroute_destination_unpark (RerouteDestination *self, guint most);
/* Whether another delivery may begin.  What was denied is asked for once at a time, and all who ask
   leave half of the connections to the others, or one in two turns where there is but one; so does
   mail that leaves our organisation while others wait. */
gboolean reroute_destination_may_begin (const RerouteDestination *self);
/* Takes a connection for a delivery to a host, best on @wanted. */
gboolean reroute_destination_lease (RerouteDestination *self, guint wanted, guint *worker);
/* Gives back leases on @worker that no delivery uses. */
void reroute_destination_return_leases (RerouteDestination *self, guint worker);
/* A host has to wait until there is a connection for it. */
void reroute_destination_block (RerouteDestination *self);
/* A delivery on @worker has ended: its connection goes to a host that waits and has fewer. */
void reroute_destination_share (RerouteDestination *self, guint worker);
/* Hands out connections to those in line, as far as there are any: the others keep their places. */
void reroute_destinations_pump_blocked (RerouteScheduler *scheduler);
/* Without a place in the table. */
RerouteDestination *reroute_destination_new (RerouteScheduler *scheduler, guint n_workers);
void reroute_destination_free (RerouteDestination *self);

/* Messages that were submitted and not seen yet count towards the pressure. */
void reroute_scheduler_update_pressure (RerouteScheduler *scheduler);

G_END_DECLS
