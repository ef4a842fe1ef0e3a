/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/scheduler-private.h"

G_BEGIN_DECLS

/* Where mail that leaves our organisation waits for @host: in a lane of its own while leaving-rate
   or a stop bounds it, else where other mail does, which is @host itself. */
RerouteDestination *reroute_leaving_find_lane (RerouteDestination *host);

/* Whether such mail is not sent to @host any more. */
gboolean reroute_leaving_is_stopped (RerouteDestination *host);

/* Whether the bucket of the lane has a token. */
gboolean reroute_leaving_may_begin (const RerouteDestination *lane);
/* A leaving message begins at @host. */
void reroute_leaving_begin (RerouteDestination *host);
/* Hands out what waits in the lane of @host when there is a token. */
void reroute_leaving_await (RerouteDestination *host);

/* What the answer to a leaving try says: one that is taken ends a stop, and leaving-stop of them in
   a row that are refused for a reason of policy begin it. */
void reroute_leaving_learn (RerouteTry *try, const RerouteDelivery *delivery);

/* Whether there is nothing to remember of @lane, which nothing waits in. */
gboolean reroute_leaving_is_over (const RerouteDestination *lane, gint64 now_us);
/* Of @lane, which ends. */
void reroute_leaving_clear (RerouteDestination *lane);

/* (transfer floating): a(ss): the stopped hosts, "mx1.example.net[192.0.2.1]:25", and the code and
   status of the last refusal, "550 5.7.1" */
GVariant *reroute_leaving_list_stopped (RerouteScheduler *scheduler);

G_END_DECLS
