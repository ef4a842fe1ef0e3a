/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteKnock:
 *
 * The beginning of a connection, made again while it cannot begin: a Unix socket whose backlog is
 * full answers EAGAIN, and nothing tells when there is room (connect(2)).  Embedded in the owner,
 * whose time limit runs meanwhile; touched by the worker's thread alone.
 */
typedef struct _RerouteKnock RerouteKnock;

struct _RerouteKnock
{
  RerouteTimer timer;
  RerouteWorker *worker;
  /* Begins to connect.  Returns 0, or an errno; nothing is left open then */
  int (*begin) (RerouteKnock *self);
  /* Behind the first one; its last step: the owner may free itself there. */
  void (*failed) (RerouteKnock *self, int failure);
};

/* Both functions are set.  Returns 0: it is under way, or made again until it is or fails; else an
   errno, when it is clear at once that there is no connection to be had */
int reroute_knock_start (RerouteKnock *self, RerouteWorker *worker);
/* It is not made again. */
void reroute_knock_stop (RerouteKnock *self);

G_END_DECLS
