/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by machine.c (the walk), machine-commands.c (what is said) and machine-replies.c. */

#pragma once

#include "service/relay/milter/machine.h"
#include "service/relay/milter/packet.h"

G_BEGIN_DECLS

#define REROUTE_MILTER_OFFERED_ACTIONS                                                             \
  (REROUTE_MILTER_MAY_ADD_HEADERS | REROUTE_MILTER_MAY_CHANGE_BODY | REROUTE_MILTER_MAY_ADD_RCPT | \
   REROUTE_MILTER_MAY_DELETE_RCPT | REROUTE_MILTER_MAY_CHANGE_HEADERS |                            \
   REROUTE_MILTER_MAY_QUARANTINE | REROUTE_MILTER_MAY_CHANGE_FROM |                                \
   REROUTE_MILTER_MAY_ADD_RCPT_PAR)
#define REROUTE_MILTER_OFFERED_STEPS                                                               \
  (REROUTE_MILTER_NO_CONNECT | REROUTE_MILTER_NO_HELO | REROUTE_MILTER_NO_MAIL |                   \
   REROUTE_MILTER_NO_RCPT | REROUTE_MILTER_NO_BODY | REROUTE_MILTER_NO_HEADERS |                   \
   REROUTE_MILTER_NO_END_OF_HEADERS | REROUTE_MILTER_NO_REPLY_HEADER | REROUTE_MILTER_NO_UNKNOWN | \
   REROUTE_MILTER_NO_DATA | REROUTE_MILTER_SKIP | REROUTE_MILTER_NO_REPLY_CONNECT |                \
   REROUTE_MILTER_NO_REPLY_HELO | REROUTE_MILTER_NO_REPLY_MAIL | REROUTE_MILTER_NO_REPLY_RCPT |    \
   REROUTE_MILTER_NO_REPLY_DATA | REROUTE_MILTER_NO_REPLY_UNKNOWN |                                \
   REROUTE_MILTER_NO_REPLY_END_OF_HEADERS | REROUTE_MILTER_NO_REPLY_BODY |                         \
   REROUTE_MILTER_LEADING_SPACE)

typedef enum
{
  REROUTE_MILTER_STAGE_NEGOTIATE,
  REROUTE_MILTER_STAGE_CONNECT,
  REROUTE_MILTER_STAGE_CONNECT_DONE,
  REROUTE_MILTER_STAGE_HELO,
  REROUTE_MILTER_STAGE_HELO_DONE,
  REROUTE_MILTER_STAGE_MAIL,
  REROUTE_MILTER_STAGE_MAIL_DONE,
  REROUTE_MILTER_STAGE_RCPT,
  REROUTE_MILTER_STAGE_RCPT_DONE,
  REROUTE_MILTER_STAGE_DATA,
  REROUTE_MILTER_STAGE_HEADER, /* once for each field */
  REROUTE_MILTER_STAGE_END_OF_HEADERS,
  REROUTE_MILTER_STAGE_BODY, /* once for each chunk */
  REROUTE_MILTER_STAGE_END,
  REROUTE_MILTER_STAGE_END_DONE,
} RerouteMilterStage;

struct _RerouteMilterMachine
{
  char *hostname;
  char *client_name; /* (nullable) */
  RerouteIp client_ip;
  char *tls;

  RerouteMilterStage stage;
  RerouteMilterStage last; /* what was asked is done there */
  RerouteMilterVerdict verdict;
  gboolean awaits; /* a reply to the stage */
  RerouteReply *reply;
  gboolean negotiated;
  guint32 actions;
  guint32 steps;                    /* to spare it, or replies to them */
  char *helo;                       /* that was told */
  RerouteReply *connection_refusal; /* (nullable) */
  gboolean connection_accepted;     /* and so is all that comes by it */
  gboolean in_message;              /* MAIL was told, and the end was not answered */
  gboolean message_accepted;
  gboolean message_discarded;
  gboolean changed;
  char *quarantine;

  const RerouteEnvelope *envelope;
  const RerouteMilterLogin *login; /* (nullable) */
  const RerouteAddress *address;
  RerouteMilterMessage *message;
  char *queue_id;
  guint field;       /* REROUTE_MILTER_STAGE_HEADER: the next one */
  gsize body_offset; /* REROUTE_MILTER_STAGE_BODY: of the next chunk */

  GByteArray *output;
  gsize output_sent;
  RerouteMilterParser parser;
  guint64 n_replies;
};

/* --- machine-commands.c --- */
typedef struct
{
  gboolean (*put) (RerouteMilterMachine *self, GError **error); /* NULL: something asked is done */
  guint32 spared;                                               /* the step that leaves it out */
  guint32 unanswered; /* the step that leaves its reply out */
  const char *name;
} RerouteMilterStageInfo;

const RerouteMilterStageInfo *reroute_milter_stage_get_info (RerouteMilterStage stage);
/* A packet of nothing but its kind. */
void reroute_milter_machine_put_bare (RerouteMilterMachine *self, RerouteMilterCommand command);

/* --- machine.c --- */
void reroute_milter_machine_decide (RerouteMilterMachine *self, RerouteMilterVerdict verdict);
/* A stage is told, and answered if it has to be. */
void reroute_milter_machine_next_stage (RerouteMilterMachine *self);

/* --- machine-replies.c --- */
gboolean reroute_milter_machine_take_reply (RerouteMilterMachine *self,
                                            const RerouteMilterReply *reply,
                                            GError **error);

G_END_DECLS
