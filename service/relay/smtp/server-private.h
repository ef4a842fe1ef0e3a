/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by server.c (octets, content, end of data), server-commands.c (what commands do),
   server-held.c (the answers to MAIL and RCPT), server-chunks.c (BDAT), server-auth.c (AUTH),
   server-xclient.c (XCLIENT) and server-etrn.c (ETRN). */

#pragma once

#include "service/relay/smtp/body.h"
#include "service/relay/smtp/line.h"
#include "service/relay/smtp/server.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_SMTP_SERVER_STATE_NEW,           /* not greeted */
  REROUTE_SMTP_SERVER_STATE_GREETED,       /* before HELO */
  REROUTE_SMTP_SERVER_STATE_IDLE,          /* no transaction */
  REROUTE_SMTP_SERVER_STATE_IN_MAIL,       /* MAIL taken, no RCPT yet */
  REROUTE_SMTP_SERVER_STATE_IN_RCPT,       /* one recipient at least */
  REROUTE_SMTP_SERVER_STATE_IN_CHECK,      /* the owner owes the reply to what is held */
  REROUTE_SMTP_SERVER_STATE_IN_SKIP,       /* octets of a refused chunk are read and dropped */
  REROUTE_SMTP_SERVER_STATE_IN_DATA,       /* 354 said */
  REROUTE_SMTP_SERVER_STATE_IN_CHUNK,      /* octets of a chunk come */
  REROUTE_SMTP_SERVER_STATE_IN_CHUNKS,     /* a chunk was taken, and the last one not yet */
  REROUTE_SMTP_SERVER_STATE_IN_END,        /* the owner owes the reply to the end of data */
  REROUTE_SMTP_SERVER_STATE_IN_TLS,        /* STARTTLS answered, hands not shaken */
  REROUTE_SMTP_SERVER_STATE_IN_AUTH,       /* a challenge was sent */
  REROUTE_SMTP_SERVER_STATE_IN_AUTH_CHECK, /* the owner owes what comes next */
  REROUTE_SMTP_SERVER_STATE_CLOSED,        /* nothing more is read */
} RerouteSmtpServerState;

/* A HELO, MAIL, RCPT, ETRN or XCLIENT that was read and is not answered. */
typedef struct
{
  /* @reply: (nullable): the refusal; the answer to ETRN */
  void (*answer) (RerouteSmtpServer *self, const RerouteReply *reply);
  char *helo; /* HELO: the name; XCLIENT: the one that was told, or NULL; else NULL */
  gboolean esmtp;
  RerouteEnvelope *envelope; /* MAIL: what it begins; else NULL */
  RerouteAddress *address;   /* RCPT: the recipient; else NULL */
  RerouteRowRef admitted_by;
  RerouteNotify notify;
  char *original;               /* ORCPT; (nullable) */
  RerouteSmtpServerState state; /* that it came in */
} RerouteHeldCommand;

struct _RerouteSmtpServer
{
  RerouteSmtpServerHandler handler;
  gpointer user_data;
  RerouteSmtpServerConfig config; /* hostname is ours */
  char *token;

  RerouteSmtpServerState state;
  char *helo;
  char *tls; /* NULL: clear text */
  gboolean esmtp;
  gboolean more_follows; /* octets behind the command that runs now came with it */
  gboolean quit;         /* the client asked for the end */
  gboolean authenticated;
  guint n_auth_failures;
  guint n_bad_commands;  /* since the last message that was taken */
  guint n_junk_commands; /* the same */
  guint n_refused_recipients;
  guint n_clients;           /* that XCLIENT has named, since the last message that was taken */
  RerouteEnvelope *envelope; /* of the open transaction, else NULL */
  guint max_recipients;      /* of it */

  gboolean holds; /* the command that runs now is answered by the owner */
  RerouteHeldCommand held;

  RerouteLine line;
  RerouteBody body;
  gboolean content_dropped; /* abort_data was called for this message */

  guint64 chunk_left; /* octets of the chunk that are not read yet */
  gboolean chunk_is_last;
  gboolean chunk_is_empty;
  gboolean rest_is_refused;    /* of a message, a chunk of which was; up to its last */
  guint n_rest_chunks;         /* that were no errors, since the last message that was taken */
  RerouteReply *chunk_refusal; /* IN_SKIP: said when it is read */
  RerouteSmtpServerState after_skip;

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
/* Counts one more; at @most, if not 0, resets and closes with 421 4.7.0 and @text. */
void reroute_smtp_server_count (RerouteSmtpServer *self, guint *n, guint most, const char *text);
/* A command that leads to no message. */
void reroute_smtp_server_count_junk (RerouteSmtpServer *self);
void reroute_smtp_server_put_greeting (RerouteSmtpServer *self);
/* Replies and closes: the rest of the input is of no use, or a danger. */
void reroute_smtp_server_put_last (RerouteSmtpServer *self,
                                   guint code,
                                   const char *status,
                                   const char *text);
/* Drops the transaction; the state becomes IDLE when one was open. */
void reroute_smtp_server_reset (RerouteSmtpServer *self);

/* Once a message, and only when its content was begun. */
void reroute_smtp_server_drop_content (RerouteSmtpServer *self);
/* Asks the owner and begins the scan; the state is the caller's to set.  @chunked: comes by BDAT.
   Returns: (transfer full) (nullable): the owner's refusal */
RerouteReply *reroute_smtp_server_begin_content (RerouteSmtpServer *self, gboolean chunked);
/* The content has @fault, and the owner hears of it: before the transaction is reset.
   Returns: (transfer full): what is said */
RerouteReply *reroute_smtp_server_refuse_content (RerouteSmtpServer *self, RerouteBodyFault fault);
/* All of the content was read: refuses what has a fault, gives the owner the rest. */
void reroute_smtp_server_end_content (RerouteSmtpServer *self);
/* Refuses a content with a CR or LF that stands alone; ends the session. */
void reroute_smtp_server_end_for_bare (RerouteSmtpServer *self);

/* server-held.c: asks the owner about the MAIL or RCPT in self->held, and answers it unless the
   owner holds it; or forgets it. */
void reroute_smtp_server_ask_mail (RerouteSmtpServer *self);
void reroute_smtp_server_ask_rcpt (RerouteSmtpServer *self);
/* The same for ETRN, for HELO, and for XCLIENT. */
void reroute_smtp_server_ask_etrn (RerouteSmtpServer *self, const RerouteEtrn *wanted);
void reroute_smtp_server_ask_helo (RerouteSmtpServer *self, const char *name, gboolean esmtp);
void reroute_smtp_server_ask_xclient (RerouteSmtpServer *self,
                                      const RerouteSmtpServerXclient *said);
void reroute_smtp_server_forget_held (RerouteSmtpServer *self);

/* server-chunks.c */
void reroute_smtp_server_run_bdat (RerouteSmtpServer *self, char *argument);
/* Octets of a chunk, in state IN_CHUNK or IN_SKIP.  Returns: how many were taken */
gsize reroute_smtp_server_feed_chunk (RerouteSmtpServer *self, const guint8 *octets, gsize length);

/* server-auth.c */
gboolean reroute_smtp_server_offers_auth (const RerouteSmtpServer *self); /* now */
void reroute_smtp_server_run_auth (RerouteSmtpServer *self, char *argument);
/* The whole line that was read in state IN_AUTH. */
void reroute_smtp_server_run_auth_line (RerouteSmtpServer *self);

/* server-xclient.c */
void reroute_smtp_server_run_xclient (RerouteSmtpServer *self, char *argument);
void reroute_smtp_server_append_xclient_offer (GString *text); /* a line of EHLO */
/* As if the client in self->held had just come. */
void reroute_smtp_server_begin_anew (RerouteSmtpServer *self);

/* server-etrn.c */
gboolean reroute_smtp_server_offers_etrn (const RerouteSmtpServer *self); /* now */
void reroute_smtp_server_run_etrn (RerouteSmtpServer *self, char *argument);

/* server-commands.c: the name in self->held is taken. */
void reroute_smtp_server_greet_back (RerouteSmtpServer *self);
/* Runs the whole line that was read. */
void reroute_smtp_server_run_line (RerouteSmtpServer *self);

G_END_DECLS
