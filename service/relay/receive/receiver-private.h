/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/receive/receiver.h"
#include "service/relay/smtp/server.h"

G_BEGIN_DECLS

#define REROUTE_RECEIVE_BUFFER_OCTETS 65536 /* read at most in one turn of a session */

struct _RerouteReceiver
{
  RerouteWorker *worker;
  RerouteReceiverConfig config;
  char *machine_hostname;

  RerouteRuleset *ruleset;   /* NULL until the first one came */
  RerouteDecisionMemo memo;  /* of the ruleset */
  RerouteSettings *settings; /* of the ruleset, or the defaults */
  RerouteTlsServer *tls;     /* NULL: TLS is not offered */
  RerouteSrs *srs;           /* NULL: no sender is rewritten */
  RerouteAccounts *accounts; /* NULL: nobody can log in */
  GThreadPool *logins;  /* (element-type RerouteSession): references; NULL until somebody logs in */
  const char *hostname; /* as the settings say, else the machine's */
  RerouteSmtpServerConfig session_config; /* but for what is the client's; borrows the host name */
  gint64 idle_us;
  gint64 data_us;

  GPtrArray *doors; /* (element-type Door) */
  RerouteTimer knock;
  gint in_use;  /* atomic: it has had a door */
  gint pressed; /* atomic: it is to pause */
  gboolean paused;
  gint64 paused_since_us; /* while it is */
  gint64 pauses_us;       /* that were, in all */
  gboolean draining;
  GQueue sessions; /* links are in the sessions */
  GQueue unfed; /* of them, whose machine a pause keeps from input that was read; links likewise */
  guint n_at_door; /* of them, that milters keep from being greeted */
  GQueue arrivals; /* of proxies; links are in the arrivals */
  RerouteTimer grace;

  guint8 buffer[REROUTE_RECEIVE_BUFFER_OCTETS]; /* of the session that reads */
};

RerouteAdmissionRules reroute_receiver_get_rules (RerouteReceiver *self);
/* Whether clients can log in: AUTH is offered in TLS alone. */
gboolean reroute_receiver_takes_logins (const RerouteReceiver *self);

/* What time limits of clients go by: the worker's clock, which stands still while nobody reads. */
gint64 reroute_receiver_now_us (const RerouteReceiver *self);
/* Arms @timer for what is left of such a limit.  Returns: FALSE: nothing is, and it is not armed */
gboolean reroute_receiver_wait_on (RerouteReceiver *self, RerouteTimer *timer, gint64 deadline_us);

/* A connection of @client, on @fd, which is taken: it begins a session or is refused.  @proxy:
   (nullable): that has named @client.  @early: it has spoken already. */
void reroute_receiver_welcome (
  RerouteReceiver *self, int fd, const RerouteIp *client, const RerouteIp *proxy, gboolean early);
/* The same where TLS comes first. */
void reroute_receiver_welcome_in_tls (RerouteReceiver *self,
                                      int fd,
                                      const RerouteIp *client,
                                      const RerouteIp *proxy);
/* A session is gone for good. */
void reroute_receiver_forget_session (RerouteReceiver *self, GList *link);

G_END_DECLS
