/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/settings.h"
#include "service/relay/milter/machine.h"
#include "service/relay/worker.h"

G_BEGIN_DECLS

/**
 * RerouteMilterChain:
 *
 * The milters of one SMTP session, or of one message of our own, asked one behind the other.  Lives
 * on its worker's thread.
 */
typedef struct _RerouteMilterChain RerouteMilterChain;

/* What they say together; borrowed for the call. */
typedef struct
{
  const RerouteReply *refusal; /* (nullable) */
  gboolean discard;            /* drop the message, and say that it was taken */
  const char *milter;          /* (nullable): whose word it is */
} RerouteMilterOutcome;

/* The last thing that the chain does in a turn: the owner may free it there. */
typedef void (*RerouteMilterFunc) (const RerouteMilterOutcome *outcome, gpointer user_data);

/* @settings: a reference is taken; @list: the setting that names the milters; @session: copied.
   @func answers each question, in a later turn or before the question returns.

   The word of those of MILTERS_FOR_OWN_MAIL is no more than advice: one that refuses, discards or
   cannot be asked is told of nothing more of the message, which goes on; what it says is logged. A
   refusal tells the owner alone that it was lost, or refused, when it had begun to change the
   message, which is of no use then. */
RerouteMilterChain *reroute_milter_chain_new (RerouteWorker *worker,
                                              RerouteSettings *settings,
                                              RerouteSettingId list,
                                              const RerouteMilterSession *session,
                                              RerouteMilterFunc func,
                                              gpointer user_data);
/* Whatever was asked is not answered any more. */
void reroute_milter_chain_free (RerouteMilterChain *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteMilterChain, reroute_milter_chain_free)

/* One question at a time; the arguments must live until it is answered.

   The client, first of all, and each HELO, which ends a message: one that cannot be asked is gone
   without until MAIL.  @tls: (nullable): from here on. */
void reroute_milter_chain_ask_connect (RerouteMilterChain *self);
void reroute_milter_chain_ask_helo (RerouteMilterChain *self, const char *helo, const char *tls);
/* MAIL begins a message, and ends one that was not ended.  @login: (nullable) */
void reroute_milter_chain_ask_mail (RerouteMilterChain *self,
                                    const RerouteEnvelope *envelope,
                                    const RerouteMilterLogin *login);
void reroute_milter_chain_ask_rcpt (RerouteMilterChain *self, const RerouteAddress *address);
/* Each milter sees @message as those before it have changed it. */
void reroute_milter_chain_ask_message (RerouteMilterChain *self,
                                       RerouteMilterMessage *message,
                                       const char *queue_id);
/* Why the message is to be held: the first milter's word that wants it; (nullable) */
const char *reroute_milter_chain_get_quarantine (const RerouteMilterChain *self);

G_END_DECLS
