/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by client.c (octets, the queue of commands), client-replies.c (what replies do),
   client-chunks.c (BDAT) and client-auth.c (AUTH). */

#pragma once

#include "service/relay/smtp/client.h"
#include "service/relay/smtp/reply-parser.h"

G_BEGIN_DECLS

/* What a reply is awaited for. */
typedef enum
{
  REROUTE_SMTP_COMMAND_GREETING,
  REROUTE_SMTP_COMMAND_EHLO,
  REROUTE_SMTP_COMMAND_LHLO,
  REROUTE_SMTP_COMMAND_HELO,
  REROUTE_SMTP_COMMAND_STARTTLS,
  REROUTE_SMTP_COMMAND_AUTH,
  REROUTE_SMTP_COMMAND_RSET,
  REROUTE_SMTP_COMMAND_MAIL,
  REROUTE_SMTP_COMMAND_RCPT,
  REROUTE_SMTP_COMMAND_DATA,
  REROUTE_SMTP_COMMAND_FINAL_DOT,
  REROUTE_SMTP_COMMAND_CHUNK,
  REROUTE_SMTP_COMMAND_LAST_CHUNK,
  REROUTE_SMTP_COMMAND_RESYNC, /* RSET behind a BDAT that was refused */
  REROUTE_SMTP_COMMAND_QUIT,
} RerouteSmtpCommandKind;

typedef struct
{
  RerouteSmtpCommandKind kind;
  guint index;       /* RCPT, by LMTP FINAL_DOT and LAST_CHUNK: of the recipient */
  guint64 sent_when; /* octets that have left when the command has */
} RerouteSmtpCommand;

typedef enum
{
  REROUTE_SMTP_OFFERS_PIPELINING = 1 << 0,
  REROUTE_SMTP_OFFERS_SIZE = 1 << 1,
  REROUTE_SMTP_OFFERS_8BITMIME = 1 << 2,
  REROUTE_SMTP_OFFERS_SMTPUTF8 = 1 << 3,
  REROUTE_SMTP_OFFERS_DSN = 1 << 4,
  REROUTE_SMTP_OFFERS_STARTTLS = 1 << 5,
  REROUTE_SMTP_OFFERS_REQUIRETLS = 1 << 6,
  REROUTE_SMTP_OFFERS_CHUNKING = 1 << 7,
} RerouteSmtpOffers;

/* What is known of a server that offers CHUNKING. */
typedef enum
{
  REROUTE_SMTP_CHUNKING_UNPROVEN,
  REROUTE_SMTP_CHUNKING_PROVEN,  /* it has taken a chunk */
  REROUTE_SMTP_CHUNKING_REFUSED, /* it does not know BDAT */
} RerouteSmtpChunking;

struct _RerouteSmtpClient
{
  char *hostname;
  gboolean lmtp;
  RerouteSmtpClientTls tls;
  gboolean in_tls;
  gboolean greeted;   /* EHLO was answered, or HELO */
  gboolean lacks_tls; /* it was demanded, and is not to be had */
  RerouteSmtpClientAuth auth;
  char *auth_offers;      /* NULL: AUTH is not offered */
  char *initial_response; /* in base64; NULL: it was sent, or there is none */
  GBytes *challenge;
  RerouteSmtpClientState state;
  RerouteSmtpOffers offers;
  RerouteSmtpChunking chunking;

  GString *output;
  gsize output_sent; /* of output */
  guint64 n_queued;  /* octets ever put out */
  guint64 n_sent;    /* octets ever sent */
  guint64 n_replies; /* ever taken, whole */
  RerouteReplyParser parser;
  GArray *commands; /* (element-type Command): replies are awaited for, in order */
  guint first;      /* of commands: the next reply is for this one */

  RerouteSmtpTransaction transaction;
  gboolean needs_reset;   /* the server may still have a transaction open */
  gboolean surplus;       /* octets came behind the last reply of a transaction, or would have to */
  gboolean by_chunks;     /* the transaction goes by BDAT, not by DATA */
  gboolean head_taken;    /* the content's first line is there */
  gboolean tripped;       /* the session ended over BDAT, by a reply */
  gboolean line_answered; /* a server that does not know BDAT takes that line for a command */
  gboolean last_put;      /* BDAT LAST */
  gsize chunk_left;       /* octets of the open chunk that the owner has not sent */
  guint n_accepted;
  gboolean mail_refused;
  gboolean end_sent;      /* the content's end is out and not answered, or not for all */
  guint n_answered;       /* by LMTP: replies to it */
  RerouteReply **replies; /* (array length=transaction.n_recipients): refusals of RCPT, by LMTP also
                             replies to the end of data; NULL: taken so far */
  RerouteReply
    *transaction_reply; /* to MAIL, DATA or the final dot: for all that have none of their own */
  RerouteReply *session_reply;
};

void reroute_smtp_client_set_state (RerouteSmtpClient *self, RerouteSmtpClientState state);
/* Puts a reply into the queue that waits for what was just put out. */
void reroute_smtp_client_await (RerouteSmtpClient *self, RerouteSmtpCommandKind kind, guint index);
void reroute_smtp_client_put_command (RerouteSmtpClient *self,
                                      RerouteSmtpCommandKind kind,
                                      guint index,
                                      const char *format,
                                      ...) G_GNUC_PRINTF (4, 5);
/* Ends a command that was appended to the output from @before on, and awaits its reply. */
void reroute_smtp_client_end_command (RerouteSmtpClient *self,
                                      RerouteSmtpCommandKind kind,
                                      guint index,
                                      gsize before);

/* client-chunks.c */
/* Behind RCPT, where it waits for replies or not: what is said before the content may be sent. */
void reroute_smtp_client_put_head (RerouteSmtpClient *self);
gboolean reroute_smtp_client_take_chunk (RerouteSmtpClient *self,
                                         guint index,
                                         const RerouteReply *reply,
                                         GError **error);
gboolean reroute_smtp_client_take_last_chunk (RerouteSmtpClient *self,
                                              guint index,
                                              const RerouteReply *reply,
                                              GError **error);
/* Whether 421 is the reply to the first BDAT of the session, or to RSET behind it: a server may say
   so because it does not know the command. */
gboolean reroute_smtp_client_trips (const RerouteSmtpClient *self, RerouteSmtpCommandKind kind);
/* A reply to nothing that has left: FALSE when it is not the one to the line of a refused BDAT. */
gboolean reroute_smtp_client_take_answer_to_line (RerouteSmtpClient *self,
                                                  const RerouteReply *reply);
gboolean reroute_smtp_client_take_resync (RerouteSmtpClient *self,
                                          guint index,
                                          const RerouteReply *reply,
                                          GError **error);

/* client-auth.c */
typedef enum
{
  REROUTE_SMTP_AUTH_GOES_ON,
  REROUTE_SMTP_AUTH_REFUSED,
  REROUTE_SMTP_AUTH_NONSENSE,
} RerouteSmtpAuthReply;

/* A line of the reply to EHLO. */
void reroute_smtp_client_take_auth_offer (RerouteSmtpClient *self, const char *line);
/* The greeting is over: FALSE when no account is to be told.  @refusal: has a text when the server
   cannot be told. */
gboolean reroute_smtp_client_begin_login (RerouteSmtpClient *self, RerouteReply *refusal);
RerouteSmtpAuthReply reroute_smtp_client_take_auth (RerouteSmtpClient *self,
                                                    const RerouteReply *reply);
void reroute_smtp_client_clear_auth (RerouteSmtpClient *self);

/* client-replies.c */
void reroute_smtp_client_put_hello (RerouteSmtpClient *self); /* EHLO, or LHLO */
void reroute_smtp_client_put_mail (RerouteSmtpClient *self);
void reroute_smtp_client_put_rcpt (RerouteSmtpClient *self, guint index);
/* MAIL, and what may go out with it. */
void reroute_smtp_client_put_transaction (RerouteSmtpClient *self);
gboolean reroute_smtp_client_fail (const RerouteReply *reply, const char *why, GError **error);
/* The session is of no use any more. */
void reroute_smtp_client_close_session (RerouteSmtpClient *self, const RerouteReply *reply);
/* To all recipients that have no reply of their own; the first one counts. */
void reroute_smtp_client_set_transaction_reply (RerouteSmtpClient *self, const RerouteReply *reply);
void reroute_smtp_client_finish_transaction (RerouteSmtpClient *self, gboolean needs_reset);
/* @reply refuses what is not all out yet: no more of it goes out, and the session ends. */
void reroute_smtp_client_break_off (RerouteSmtpClient *self, const RerouteReply *reply);
/* The reply to the end of data, of all recipients or by LMTP of one. */
void reroute_smtp_client_take_end (RerouteSmtpClient *self,
                                   guint index,
                                   const RerouteReply *reply,
                                   gboolean needs_reset);
/* Of the transaction: whether anybody is to get it. */
gboolean reroute_smtp_client_is_wanted (const RerouteSmtpClient *self);
/* @command: what the reply answers; (nullable): nothing that was sent.
   Errors: %REROUTE_ERROR_PROTOCOL */
gboolean reroute_smtp_client_take_reply (RerouteSmtpClient *self,
                                         const RerouteSmtpCommand *command,
                                         const RerouteReply *reply,
                                         GError **error);
const char *reroute_smtp_command_phase (RerouteSmtpCommandKind kind);

G_END_DECLS
