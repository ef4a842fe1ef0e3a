/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REROUTE_BODY_SOUND,
  REROUTE_BODY_BARE, /* a CR or LF that stands alone and may not, or a NUL that starts a line */
  REROUTE_BODY_TOO_LARGE,        /* over the message size */
  REROUTE_BODY_HEADER_TOO_LARGE, /* header section over its limit */
  REROUTE_BODY_LINE_TOO_LONG,
  REROUTE_BODY_HOPS, /* too many Received lines */
  REROUTE_BODY_LOOP, /* too many Received lines of our own */
} RerouteBodyFault;

/* Where the wanted octets go. */
typedef void (*RerouteBodySink) (const guint8 *octets, gsize length, gpointer user_data);

/**
 * RerouteBody:
 *
 * Scans the content of a message as it arrives: finds the one end of data, lets nothing through
 * that another host could take for an end of data or a line end, counts what has a limit.  What is
 * sound goes to the sink in wire form, dot-stuffed, in spans as large as they came.
 */
typedef struct
{
  /* set before reroute_body_begin() */
  gboolean normalize;      /* bare LF becomes CR LF, bare CR and such a NUL a blank; else: faults */
  gint64 max_octets;       /* content without stuffed dots; 0: no limit */
  const char *token;       /* ends the id of our own Received lines; NULL: none */
  gboolean looks_for_8bit; /* has_8bit and has_8bit_header are wanted */
  RerouteBodySink sink;
  gpointer sink_data;

  /* to read */
  RerouteBodyFault fault; /* the first one; nothing goes to the sink after it */
  gint64 octets;          /* content so far, without stuffed dots */
  guint n_received;
  guint n_own_received;
  gboolean tls_optional;    /* a field says TLS-Required: No (RFC 8689 3) */
  gboolean has_8bit;        /* an octet over 127 stands somewhere */
  gboolean has_8bit_header; /* one stands in the header section */

  /*< private >*/
  guint8 state;
  gboolean chunked;
  gboolean in_header;
  gsize line_octets;
  gsize header_octets;
  GString *field; /* the head of the header field that is read now */
} RerouteBody;

void reroute_body_init (RerouteBody *self);
void reroute_body_clear (RerouteBody *self);

/* Begins a message.  @chunked: it comes as it is, without stuffed dots and with no end of data in
   it (RFC 3030); reroute_body_finish() ends it. */
void reroute_body_begin (RerouteBody *self, gboolean chunked);

/**
 * reroute_body_feed:
 * @taken: (out): how many octets belong to the content or its end
 *
 * After %REROUTE_BODY_BARE nothing more is taken: there is no telling where the content ends. After
 * any other fault the end of data is still looked for.
 *
 * Returns: whether the end of data was read
 */
gboolean reroute_body_feed (RerouteBody *self, const guint8 *octets, gsize length, gsize *taken);

/* The last chunk was read.  A last line without its end gets one: on the wire there is no other
   way to send it. */
void reroute_body_finish (RerouteBody *self);

G_END_DECLS
