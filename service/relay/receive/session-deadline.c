/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-deadline.c - how long a client may take
 *
 * A client moves its time limit on by making progress: replies it caused and took whole, and octets
 * of content, each by its share of a second.  An octet now and then is none.
 *
 * Standards: RFC 5321 section 4.5.3.2.
 */

#include "config.h"

#include "service/relay/receive/session-private.h"

#include "service/relay/pace.h"

void
reroute_session_set_deadline (RerouteSession *self, gint64 wait_us)
{
  RerouteWorker *worker = self->receiver->worker;
  gint64 due_us = reroute_worker_now_us (worker) + wait_us;

  self->deadline_us = reroute_receiver_now_us (self->receiver) + wait_us;
  /* A later deadline is seen to when the timer is due. */
  if (self->timer.due_us == 0 || self->timer.due_us > due_us)
    reroute_worker_arm_timer (worker, &self->timer, due_us);
}

void
reroute_session_restart_deadline (RerouteSession *self)
{
  self->in_content = reroute_smtp_server_in_data (self->machine);
  reroute_session_set_deadline (
    self, self->in_content ? self->receiver->data_us : self->receiver->idle_us);
}

void
reroute_session_renew_deadline (RerouteSession *self)
{
  if (!self->in_content || !reroute_smtp_server_in_data (self->machine))
    reroute_session_restart_deadline (self);
}

void
reroute_session_credit_content (RerouteSession *self, gsize octets)
{
  self->deadline_us = reroute_pace_move_on (
    self->deadline_us, reroute_receiver_now_us (self->receiver), self->receiver->data_us, octets);
}
