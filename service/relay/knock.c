/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * knock.c - a connection to a socket whose backlog may be full
 */

#include "config.h"

#include "service/relay/knock.h"

#include <errno.h>

#define AGAIN_US (50 * 1000) /* a program takes connections in a row as soon as it gets to it */

static int
knock (RerouteKnock *self)
{
  int failure = self->begin (self);

  if (failure != EAGAIN)
    return failure;
  reroute_worker_arm_timer (
    self->worker, &self->timer, reroute_worker_now_us (self->worker) + AGAIN_US);
  return 0;
}

static void
again_cb (RerouteTimer *timer)
{
  RerouteKnock *self = (RerouteKnock *) ((char *) timer - G_STRUCT_OFFSET (RerouteKnock, timer));

  timer->due_us = 0;
  int failure = knock (self);
  if (failure != 0)
    self->failed (self, failure);
}

int
reroute_knock_start (RerouteKnock *self, RerouteWorker *worker)
{
  g_return_val_if_fail (self != NULL && self->begin != NULL && self->failed != NULL, EINVAL);
  g_return_val_if_fail (worker != NULL, EINVAL);

  self->worker = worker;
  self->timer.func = again_cb;
  return knock (self);
}

void
reroute_knock_stop (RerouteKnock *self)
{
  g_return_if_fail (self != NULL && self->worker != NULL);

  reroute_worker_disarm_timer (self->worker, &self->timer);
}
