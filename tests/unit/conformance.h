/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* One exchanger of a case's DNS. */
typedef struct
{
  guint preference;
  char *host;
} ConformanceMx;

/* One row of tests/data/conformance.json, made ready. */
typedef struct
{
  char *id;
  char *source;
  char *reason;
  RerouteRuleset *rules; /* inbound host CONFORMANCE_INBOUND_HOST */
  char *recipient;       /* as received */
  RerouteClient client;

  /* what is expected; NULL where the row says nothing or null */
  char *action;
  char *rcpt_out;
  char *next_hop;
  char *via;
  char *error;
  guint reply;          /* 0: the row says nothing */
  char **rotation;      /* next_hop_rotation: the first next hop of each message in turn */
  char **mx_candidates; /* in any order */

  /* the world; NULL where look-ups succeed and nothing points back to this server */
  gboolean has_dns;
  GHashTable *mx;          /* (element-type utf8 GPtrArray-of-ConformanceMx) */
  GHashTable *a;           /* (element-type utf8 GStrv) */
  char **server_addresses; /* of this server, perhaps none */
} ConformanceCase;

#define CONFORMANCE_INBOUND_HOST "inbound.test:2526"
#define CONFORMANCE_CASES 72

/* (transfer full) (element-type ConformanceCase): every row of the file */
GPtrArray *conformance_load_cases (void);

/* Whether the expectation of @self is only met after a look-up or by several messages, which
   test-conformance-next-hop judges; test-conformance judges everything up to there. */
gboolean conformance_needs_next_hop (const ConformanceCase *self);

G_END_DECLS
