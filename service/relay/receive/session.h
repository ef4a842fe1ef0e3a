/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/receive/receiver-private.h"

G_BEGIN_DECLS

/**
 * RerouteSession:
 *
 * One SMTP session of a client: a socket, the machine that it feeds, and its time limits.  Lives on
 * its worker, and longer than its socket while a commit is pending.
 */
typedef struct _RerouteSession RerouteSession;

/* @fd: taken; the caller has counted @ip in.  @proxy: (nullable): that has named @ip.  @in_tls:
   from the first octet on; the receiver has certificates then.  The session stands in the
   receiver's list until it ends. */
void reroute_session_start (
  RerouteReceiver *receiver, int fd, const RerouteIp *ip, const RerouteIp *proxy, gboolean in_tls);

/* Reads again what it left while the receiver was paused. */
void reroute_session_resume (RerouteSession *self);
/* The first rules are here.  A session that began without them ends with 421: what they say of the
   client before it is greeted, and its milters, would never have their word. */
void reroute_session_outdate (RerouteSession *self);
/* The settings are others: it ends likewise when its host or its client is forbidden now, or its
   proxy or its host may say no longer whose session it is.  New limits hold from its next message
   on. */
void reroute_session_follow_settings (RerouteSession *self);
/* The accounts are others: it ends likewise when its login is not good any more. */
void reroute_session_follow_accounts (RerouteSession *self);
/* Ends with 421, after the message that it is in the middle of. */
void reroute_session_drain (RerouteSession *self);
/* Ends now; a pending commit keeps the session until it is known. */
void reroute_session_abandon (RerouteSession *self);

G_END_DECLS
