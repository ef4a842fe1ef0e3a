/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REROUTE_MILTER_VERSION 6
#define REROUTE_MILTER_VERSION_OLDEST 2
#define REROUTE_MILTER_CHUNK_OCTETS 65535 /* of the body, in one packet */

/* What we say; libmilter's mfdef.h. */
typedef enum
{
  REROUTE_MILTER_COMMAND_ABORT = 'A',
  REROUTE_MILTER_COMMAND_BODY = 'B',
  REROUTE_MILTER_COMMAND_CONNECT = 'C',
  REROUTE_MILTER_COMMAND_MACRO = 'D',
  REROUTE_MILTER_COMMAND_END = 'E',
  REROUTE_MILTER_COMMAND_HELO = 'H',
  REROUTE_MILTER_COMMAND_HEADER = 'L',
  REROUTE_MILTER_COMMAND_MAIL = 'M',
  REROUTE_MILTER_COMMAND_END_OF_HEADERS = 'N',
  REROUTE_MILTER_COMMAND_NEGOTIATE = 'O',
  REROUTE_MILTER_COMMAND_QUIT = 'Q',
  REROUTE_MILTER_COMMAND_RCPT = 'R',
  REROUTE_MILTER_COMMAND_DATA = 'T',
} RerouteMilterCommand;

/* What a milter says. */
typedef enum
{
  REROUTE_MILTER_REPLY_ADD_RCPT = '+',
  REROUTE_MILTER_REPLY_ADD_RCPT_PAR = '2',
  REROUTE_MILTER_REPLY_DELETE_RCPT = '-',
  REROUTE_MILTER_REPLY_SHUTDOWN = '4',
  REROUTE_MILTER_REPLY_ACCEPT = 'a',
  REROUTE_MILTER_REPLY_BODY = 'b',
  REROUTE_MILTER_REPLY_CONTINUE = 'c',
  REROUTE_MILTER_REPLY_DISCARD = 'd',
  REROUTE_MILTER_REPLY_CHANGE_FROM = 'e',
  REROUTE_MILTER_REPLY_CONNECTION_FAIL = 'f',
  REROUTE_MILTER_REPLY_ADD_HEADER = 'h',
  REROUTE_MILTER_REPLY_INSERT_HEADER = 'i',
  REROUTE_MILTER_REPLY_CHANGE_HEADER = 'm',
  REROUTE_MILTER_REPLY_PROGRESS = 'p',
  REROUTE_MILTER_REPLY_QUARANTINE = 'q',
  REROUTE_MILTER_REPLY_REJECT = 'r',
  REROUTE_MILTER_REPLY_SKIP = 's',
  REROUTE_MILTER_REPLY_TEMPFAIL = 't',
  REROUTE_MILTER_REPLY_CODE = 'y',
} RerouteMilterReplyKind;

/* What a milter may ask to do. */
enum
{
  REROUTE_MILTER_MAY_ADD_HEADERS = 1 << 0, /* also to insert */
  REROUTE_MILTER_MAY_CHANGE_BODY = 1 << 1,
  REROUTE_MILTER_MAY_ADD_RCPT = 1 << 2,
  REROUTE_MILTER_MAY_DELETE_RCPT = 1 << 3,
  REROUTE_MILTER_MAY_CHANGE_HEADERS = 1 << 4,
  REROUTE_MILTER_MAY_QUARANTINE = 1 << 5,
  REROUTE_MILTER_MAY_CHANGE_FROM = 1 << 6,
  REROUTE_MILTER_MAY_ADD_RCPT_PAR = 1 << 7,
};

/* Steps that a milter may ask to be spared, or not to answer. */
enum
{
  REROUTE_MILTER_NO_CONNECT = 1 << 0,
  REROUTE_MILTER_NO_HELO = 1 << 1,
  REROUTE_MILTER_NO_MAIL = 1 << 2,
  REROUTE_MILTER_NO_RCPT = 1 << 3,
  REROUTE_MILTER_NO_BODY = 1 << 4,
  REROUTE_MILTER_NO_HEADERS = 1 << 5,
  REROUTE_MILTER_NO_END_OF_HEADERS = 1 << 6,
  REROUTE_MILTER_NO_REPLY_HEADER = 1 << 7,
  REROUTE_MILTER_NO_UNKNOWN = 1 << 8,
  REROUTE_MILTER_NO_DATA = 1 << 9,
  REROUTE_MILTER_SKIP = 1 << 10,
  REROUTE_MILTER_NO_REPLY_CONNECT = 1 << 12,
  REROUTE_MILTER_NO_REPLY_HELO = 1 << 13,
  REROUTE_MILTER_NO_REPLY_MAIL = 1 << 14,
  REROUTE_MILTER_NO_REPLY_RCPT = 1 << 15,
  REROUTE_MILTER_NO_REPLY_DATA = 1 << 16,
  REROUTE_MILTER_NO_REPLY_UNKNOWN = 1 << 17,
  REROUTE_MILTER_NO_REPLY_END_OF_HEADERS = 1 << 18,
  REROUTE_MILTER_NO_REPLY_BODY = 1 << 19,
  REROUTE_MILTER_LEADING_SPACE = 1 << 20,
};

/* --- what we say --- */

/* Begins a packet at the end of @out.  Returns: where it begins, for its end */
guint reroute_milter_packet_begin (GByteArray *out, RerouteMilterCommand command);
void reroute_milter_packet_put_number (GByteArray *out, guint32 number);
void reroute_milter_packet_put_port (GByteArray *out, guint16 port);
void reroute_milter_packet_put_string (GByteArray *out, const char *text); /* with its NUL */
void reroute_milter_packet_end (GByteArray *out, guint begin);

/* --- what a milter says --- */

/* A packet taken apart; all is borrowed from the parser, until it is fed again. */
typedef struct
{
  guint8 kind;          /* RerouteMilterReplyKind, or %REROUTE_MILTER_COMMAND_NEGOTIATE */
  guint32 numbers[3];   /* NEGOTIATE: version, actions, steps; headers: the index */
  const char *first;    /* a name, an address, a text */
  const char *second;   /* (nullable): a value, parameters */
  const guint8 *octets; /* BODY */
  gsize length;
} RerouteMilterReply;

typedef struct
{
  GByteArray *buffer;
  gboolean whole; /* what is in the buffer was given away */
} RerouteMilterParser;

void reroute_milter_parser_init (RerouteMilterParser *self);
void reroute_milter_parser_clear (RerouteMilterParser *self);

/**
 * reroute_milter_parser_feed:
 * @taken: (out): octets that belong to this packet
 * @reply: (out): filled in when the packet is whole
 * @error: return location
 *
 * Errors: %REROUTE_ERROR_PROTOCOL: an unknown reply, one that lacks what belongs to it or has more,
 *   one of no octets or over %REROUTE_LIMIT_MILTER_PACKET_OCTETS
 *
 * Returns: whether a packet is whole; %FALSE with @error set, or when more is wanted
 */
gboolean reroute_milter_parser_feed (RerouteMilterParser *self,
                                     const guint8 *octets,
                                     gsize length,
                                     gsize *taken,
                                     RerouteMilterReply *reply,
                                     GError **error);

G_END_DECLS
