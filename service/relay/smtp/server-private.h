/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by server.c (octets, content, end of data) and server-commands.c (what commands do). */

#pragma once

#include "service/relay/smtp/body.h"
#include "service/relay/smtp/line.h"
#include "service/relay/smtp/server.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_SMTP_SERVER_STATE_NEW,     /* not greeted */
  REROUTE_SMTP_SERVER_STATE_GREETED, /* before HELO */
  REROUTE_SMTP_SERVER_STATE_IDLE,    /* no transaction */
  REROUTE_SMTP_SERVER_STATE_IN_MAIL, /* MAIL taken, no RCPT yet */
  REROUTE_SMTP_SERVER_STATE_IN_RCPT, /* one recipient at least */
  REROUTE_SMTP_SERVER_STATE_IN_DATA, /* 354 said */
  REROUTE_SMTP_SERVER_STATE_IN_END,  /* the owner owes the reply to the end of data */
  REROUTE_SMTP_SERVER_STATE_CLOSED,  /* nothing more is read */
} RerouteSmtpServerState;

struct _RerouteSmtpServer
{
  RerouteSmtpServerHandler handler;
  gpointer user_data;
  RerouteSmtpServerConfig config; /* hostname is ours */
  char *token;

  RerouteSmtpServerState state;
  char *helo;
  gboolean esmtp;
  gboolean more_follows; /* octets behind the command that runs now came with it */
  guint n_bad_commands;
  RerouteEnvelope *envelope; /* of the open transaction, else NULL */

  RerouteLine line;
  RerouteBody body;
  gboolean content_dropped; /* abort_data was called for this message */

  RerouteReply *farewell; /* put out once the reply to the end of data is */
  GString *output;
  gsize output_sent;
};

void reroute_smtp_server_set_state (RerouteSmtpServer *self, RerouteSmtpServerState state);
/* A reply of 421 closes the session. */
void reroute_smtp_server_put_reply (RerouteSmtpServer *self, const RerouteReply *reply);
void
reroute_smtp_server_put (RerouteSmtpServer *self, guint code, const char *status, const char *text);
/* The same for a command that a person would not have typed: too many of them close the session. */
void reroute_smtp_server_put_bad (RerouteSmtpServer *self,
                                  guint code,
                                  const char *status,
                                  const char *text);
/* Replies and closes: the rest of the input is of no use, or a danger. */
void reroute_smtp_server_put_last (RerouteSmtpServer *self,
                                   guint code,
                                   const char *status,
                                   const char *text);
/* Drops the transaction; the state becomes IDLE when one was open. */
void reroute_smtp_server_reset (RerouteSmtpServer *self);

/* server-commands.c: runs the whole line that was read. */
void reroute_smtp_server_run_line (RerouteSmtpServer *self);

G_END_DECLS
