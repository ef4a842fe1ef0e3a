/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/receive/tls-server.h"
#include "tests/bench/endpoint.h"
#include "tests/bench/ledger.h"
#include "tests/bench/shape.h"

G_BEGIN_DECLS

/* How the sink meets its clients; can be changed while it runs. */
typedef enum
{
  LOAD_SINK_OPEN,
  LOAD_SINK_CLOSED, /* nobody listens on its port */
  LOAD_SINK_REFUSE, /* 421 instead of a greeting */
  LOAD_SINK_DEFER,  /* 451 to every MAIL */
} LoadSinkMode;

typedef struct _LoadSink LoadSink;

/* The counts of a sink; complete when it has been stopped. */
typedef struct
{
  guint connections; /* since it was started */
  guint open;        /* now */
  guint most;        /* at the same time */
  guint refused;     /* connections that were met with 421 */
  guint deferred;    /* transactions that were answered 451 */
  guint wrong_content;
  guint
    wrong_recipients; /* of an address that was not expected, or in another message's envelope */
  guint foreign;      /* messages that are none of ours, such as a notice to the sender */
  double cpu_s;
} LoadSinkFigures;

LoadSink *load_sink_new (const LoadEndpoint *endpoint,
                         RerouteTlsServer *tls,
                         gboolean chunking,
                         const LoadShape *shape,
                         LoadLedger *ledger);
gboolean load_sink_set_mode (LoadSink *self, LoadSinkMode mode, GError **error);
LoadSinkFigures load_sink_stop (LoadSink *self);

G_END_DECLS
