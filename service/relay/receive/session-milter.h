/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What milters have to say about the mail of a session. */

#pragma once

#include "service/relay/receive/session-private.h"

G_BEGIN_DECLS

/* NULL where none are set. */
RerouteSessionMilters *reroute_session_milters_new (RerouteSession *session);
/* At MAIL, before they are asked: where the settings name others by now, those take their place,
   and are told of the client and its HELO with this MAIL. */
void reroute_session_milters_renew (RerouteSession *session);
/* Nothing is asked any more; a message that is judged is dropped. */
void reroute_session_milters_free (RerouteSessionMilters *self);

/* About the client, before it is greeted, or when XCLIENT has made it somebody else, which the
   machine holds.  A refusal shuts the door.  Returns: FALSE when too many wait already: the milters
   are told with MAIL */
gboolean reroute_session_milters_ask_client (RerouteSessionMilters *self);
/* HELO, which the machine holds when there is somebody to ask. */
void reroute_session_milters_ask_helo (RerouteSessionMilters *self, const char *name);
/* MAIL and RCPT, which the machine holds until they are answered. */
void reroute_session_milters_ask_mail (RerouteSessionMilters *self,
                                       const RerouteEnvelope *envelope);
void reroute_session_milters_ask_rcpt (RerouteSessionMilters *self,
                                       const RerouteAddress *recipient);
void reroute_session_milters_begin (RerouteSessionMilters *self);
void
reroute_session_milters_append (RerouteSessionMilters *self, const guint8 *octets, gsize length);
/* The content will not be completed. */
void reroute_session_milters_drop (RerouteSessionMilters *self);
/* The content is whole: it is judged, changed, and goes into the session's draft and from there to
   the spool.  @envelope: (transfer full) */
void reroute_session_milters_judge (RerouteSessionMilters *self, RerouteEnvelope *envelope);
/* The spool has caught up: a large message goes on into the draft. */
void reroute_session_milters_resume (RerouteSessionMilters *self);

G_END_DECLS
