/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * arrival.c - a connection from a proxy, until its header has told whose it is
 *
 * Who stands in the setting proxy-hosts must speak first, and speak the PROXY protocol; nobody else
 * is listened to.  From the header on the connection is its client's, for every limit and rule.
 *
 * Where TLS begins behind the header, the client's first octets belong to its handshake: they are
 * looked at and left in the socket.  In clear text they are an early talker's.
 *
 * Source: HAProxy, "The PROXY protocol, versions 1 & 2", section 2.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-receive"

#include "service/relay/receive/arrival.h"

#include "common/limits.h"
#include "service/relay/smtp/proxy-header.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
  RerouteIo io;
  RerouteTimer timer;
  gint64 deadline_us; /* by the receiver's clock */
  GList link;         /* in the receiver's arrivals */
  RerouteReceiver *receiver;
  RerouteIp proxy;
  gboolean in_tls;
  guint8 header[REROUTE_PROXY_HEADER_OCTETS];
  gsize length; /* of what has come */
  gsize taken;  /* of it, out of the socket */
} Arrival;

/* Returns: its descriptor, the caller's to close */
static int
leave (Arrival *self)
{
  RerouteReceiver *receiver = self->receiver;
  int fd = self->io.fd;

  reroute_worker_remove_io (receiver->worker, &self->io);
  reroute_worker_disarm_timer (receiver->worker, &self->timer);
  g_queue_unlink (&receiver->arrivals, &self->link);
  reroute_admission_leave_proxy (receiver->config.admission);
  g_free (self);
  return fd;
}

/* The protocol has no reply: the connection ends. */
static void
refuse (Arrival *self, const char *why)
{
  g_autofree char *proxy = reroute_ip_to_string (&self->proxy);

  g_info ("client=[%s] status=refused (%s)", proxy, why);
  reroute_admission_note_refused (self->receiver->config.admission, REROUTE_REFUSED_PROXY);
  close (leave (self));
}

static void
admit (Arrival *self, const RerouteIp *client, gsize taken)
{
  RerouteReceiver *receiver = self->receiver;
  gboolean early = self->length > taken;
  gboolean in_tls = self->in_tls;
  const RerouteIp proxy = self->proxy;
  int fd = leave (self);

  if (in_tls)
    reroute_receiver_welcome_in_tls (receiver, fd, client, &proxy);
  else
    reroute_receiver_welcome (receiver, fd, client, &proxy, early);
}

/* Takes what was looked at out of the socket, up to @length octets of the header in all. */
static gboolean
take (Arrival *self, gsize length)
{
  gsize wanted = length - self->taken;

  self->taken = length;
  return wanted == 0 ||
         recv (self->io.fd, self->header + length - wanted, wanted, 0) == (gssize) wanted;
}

static void
judge (Arrival *self)
{
  RerouteIp client;
  gsize taken = self->length;
  RerouteProxyResult result =
    reroute_proxy_header_parse (self->header, self->length, &taken, &client);
  gboolean complete = result == REROUTE_PROXY_CLIENT || result == REROUTE_PROXY_ITSELF;

  if (result != REROUTE_PROXY_CLIENT)
    client = self->proxy;
  if (!take (self, complete && self->in_tls ? taken : self->length))
    refuse (self, "connection lost before the PROXY header");
  else if (result == REROUTE_PROXY_BAD)
    refuse (self, "no PROXY header that is valid");
  else if (complete)
    admit (self, &client, taken);
  else if (self->length == sizeof self->header)
    refuse (self, "a PROXY header without an end");
}

static void
ready_cb (RerouteIo *io, guint32 events)
{
  Arrival *self = (Arrival *) io;
  gssize n =
    recv (self->io.fd, self->header + self->length, sizeof self->header - self->length, MSG_PEEK);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    {
      refuse (self, "connection lost before the PROXY header");
      return;
    }
  self->length += (gsize) n;
  judge (self);
}

static void
time_limit_cb (RerouteTimer *timer)
{
  Arrival *self = (Arrival *) ((char *) timer - G_STRUCT_OFFSET (Arrival, timer));

  timer->due_us = 0;
  if (!reroute_receiver_wait_on (self->receiver, timer, self->deadline_us))
    refuse (self, "no PROXY header within the time limit");
}

void
reroute_arrival_start (RerouteReceiver *receiver, int fd, const RerouteIp *proxy, gboolean in_tls)
{
  g_return_if_fail (receiver != NULL && fd >= 0 && proxy != NULL);

  Arrival *self = g_new0 (Arrival, 1);
  self->io = (RerouteIo){ .fd = fd, .events = EPOLLIN, .yields = TRUE, .func = ready_cb };
  self->timer.func = time_limit_cb;
  self->link.data = self;
  self->receiver = receiver;
  self->proxy = *proxy;
  self->in_tls = in_tls;
  g_queue_push_tail_link (&receiver->arrivals, &self->link);
  reroute_worker_add_io (receiver->worker, &self->io);
  self->deadline_us =
    reroute_receiver_now_us (receiver) + REROUTE_LIMIT_PROXY_HEADER_S * G_USEC_PER_SEC;
  reroute_receiver_wait_on (receiver, &self->timer, self->deadline_us);
}

void
reroute_arrivals_follow_settings (RerouteReceiver *receiver)
{
  for (GList *link = receiver->arrivals.head, *next; link != NULL; link = next)
    {
      Arrival *arrival = link->data;
      next = link->next;
      if (!reroute_settings_contains (
            receiver->settings, REROUTE_SETTING_PROXY_HOSTS, &arrival->proxy))
        refuse (arrival, "it is no proxy any more");
    }
}

void
reroute_arrivals_end (RerouteReceiver *receiver)
{
  while (receiver->arrivals.head != NULL)
    refuse (receiver->arrivals.head->data, "this host is stopping");
}
