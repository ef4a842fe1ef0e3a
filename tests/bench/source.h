/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/tls-client.h"
#include "tests/bench/endpoint.h"
#include "tests/bench/ledger.h"
#include "tests/bench/shape.h"

G_BEGIN_DECLS

typedef struct
{
  guint sessions;
  guint per_connection; /* messages; 0: no limit */
  double rate;          /* messages per second that are offered; 0: as fast as they are taken */
  gboolean ahead;       /* the next envelope goes with the content of a message */
  gboolean retry;       /* a message that was answered 4xx, or broken off, is sent again */
  guint wait_ms;        /* before a session that was turned away connects anew */

  RerouteTlsClient *tls; /* (nullable): every session says STARTTLS, and sends nothing without it */
} LoadPlan;

typedef struct _LoadSource LoadSource;

typedef struct
{
  gint64 begun_ns;           /* the first connect() */
  guint connections;         /* that were greeted */
  guint most;                /* sessions that were greeted, at the same time */
  guint refused_connections; /* greeted with another code than 220, or not accepted at all */
  guint lost_connections;    /* that broke behind the greeting */
  guint refused[6];          /* attempts at a message, by the first digit of the reply */
  guint last_code;           /* of a refusal */
  guint refused_recipients;  /* of messages that were accepted */
  double cpu_s;
} LoadSourceFigures;

LoadSource *load_source_new (const LoadEndpoint *endpoint,
                             const LoadPlan *plan,
                             const LoadShape *shape,
                             LoadLedger *ledger);
LoadSourceFigures load_source_stop (LoadSource *self);

G_END_DECLS
