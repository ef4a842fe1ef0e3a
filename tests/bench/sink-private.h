/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sink-private.h - a sink and its connections, as sink.c and sink-session.c know them
 */

#pragma once

#include "tests/bench/sink.h"

G_BEGIN_DECLS

typedef enum
{
  LOAD_SINK_STATE_COMMAND,
  LOAD_SINK_STATE_HEAD, /* of the content */
  LOAD_SINK_STATE_BODY, /* as expected so far */
  LOAD_SINK_STATE_SKIP, /* content that is not as expected, up to its end */
  LOAD_SINK_STATE_CHUNK,
} LoadSinkState;

typedef struct
{
  guint32 number;
  guint recipient;
} LoadSinkRecipient;

typedef struct _LoadSinkConnection LoadSinkConnection;

struct _LoadSinkConnection
{
  RerouteStream stream;
  LoadSinkState state;
  gboolean writing;   /* replies wait for the client to read */
  gboolean closing;   /* when they have been sent */
  gboolean starting;  /* TLS, when they have been sent */
  gboolean shaking;   /* its handshake is under way */
  GByteArray *carry;  /* what came in and is not complete */
  GByteArray *unsent; /* replies */
  gboolean in_mail;   /* a transaction is under way */
  guint accepted;     /* recipients in it, those too that were not expected */
  GArray *recipients; /* LoadSinkRecipient: the expected ones */
  guint32 number;     /* of the message whose content comes in, or LOAD_NONE */
  gsize position;     /* in its body */
  GString *tail;      /* its last line and the final dot */
  GString *chunks;    /* content that came by BDAT, so far */
  gsize chunk_left;   /* octets of the chunk that have not come */
  gboolean last_chunk;
  char last[4]; /* octets of the content that came in last */
  LoadSinkConnection *previous;
  LoadSinkConnection *next;
};

struct _LoadSink
{
  LoadEndpoint endpoint;
  RerouteTlsServer *tls; /* (nullable): STARTTLS is offered */
  gboolean chunking;     /* is offered */
  const LoadShape *shape;
  LoadLedger *ledger;
  LoadSinkFigures figures;
  GThread *thread;
  int epoll;
  int wake;
  int listener; /* or -1 */
  LoadSinkConnection *connections;
  GString *replies; /* to what one read brought */
  char *buffer;
  LoadSinkMode mode;
  gboolean stop;

  /* An order to the thread */
  GMutex mutex;
  GCond cond;
  gboolean ordered;
  gboolean wanted_stop;
  LoadSinkMode wanted;
  GError *error;
};

/* Takes what came in over @connection, and puts what is said to it into the replies.
   Returns: how many octets were used; the rest wants more behind it */
gsize
load_sink_consume (LoadSink *self, LoadSinkConnection *connection, const char *data, gsize octets);

G_END_DECLS
