/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset-check.h"

G_BEGIN_DECLS

typedef struct
{
  const RerouteRuleset *rules;
  const RerouteRuleset *base; /* (nullable) */
  const RerouteSettings *settings;
  RerouteMxFacts *mx_facts;
  GPtrArray *findings;
  GHashTable *counts;    /* (element-type utf8 uint): findings of each code */
  GHashTable *seen;      /* (element-type utf8): what was said already, of rows that come twice */
  GHashTable *rows;      /* (element-type RerouteRow): neighbours to judge */
  GHashTable *not_asked; /* (element-type utf8 RerouteRow): open domains without a fact */
  GHashTable *listed;    /* as of reroute_check_find_listed(); NULL: not looked up */
  guint n_more;
  guint longest_chain; /* entries of Routing that act one after the other, of those judged */
  gboolean whole;      /* every row is judged, once */
  gboolean reroute;
  RerouteTlsLevel default_tls; /* of entries that say none of their own */
  gboolean inbound_missing;
  gboolean inbound_said;
} RerouteCheck;

/* Notes a finding of @code; NULL when there are enough of it.  @first, @second, @third: (nullable):
   what stands in its sentence */
RerouteFinding *reroute_check_say (
  RerouteCheck *check, const char *code, const char *first, const char *second, const char *third);
void reroute_check_say_of (RerouteCheck *check,
                           const RerouteRow *row,
                           const char *code,
                           const char *first,
                           const char *second);
/* TRUE the first time. */
gboolean
reroute_check_is_first (RerouteCheck *check, const char *kind, ReroutePage page, gint64 id);

/* Follows the chain from @row, which reroutes, as the decision does. */
void reroute_check_chain (RerouteCheck *check, RerouteRow *row);
/* After all rows: the entries that lead to those that were judged, as far as it can matter. */
void reroute_check_leading (RerouteCheck *check);
/* @row of Connections: whether Routing keeps its mail from ever getting to it, or admits it
   otherwise. */
void reroute_check_reached (RerouteCheck *check, RerouteRow *row);
/* @row of Routing, which says always relay: what of it does not act, for Connections decides. */
void reroute_check_relayed (RerouteCheck *check, RerouteRow *row);

/* Ranges of trusted hosts that are wider than those before, and than anybody's network. */
void reroute_check_ranges (RerouteCheck *check);

/* The code of the finding when a row lets strangers do more than before, for a domain that is
   perhaps not ours; NULL: none.  @before: (nullable); @after: (nullable); @mx_facts: (nullable) */
const char *
reroute_check_anyone (const RerouteRow *before, const RerouteRow *after, RerouteMxFacts *mx_facts);

/* (transfer full) (element-type utf8 gboolean): every domain with a recipient on a list (TRUE), and
   those above it alone (FALSE); borrowed from the rows of @rules */
GHashTable *reroute_check_find_listed (const RerouteRuleset *rules);

/* Whether recipients that @row admits are asked for at what DNS names: hosts that nobody has
   chosen. */
gboolean reroute_check_asks_strangers (const RerouteRuleset *rules, const RerouteRow *row);

/* Whether every host is a loopback address or localhost. */
gboolean reroute_check_is_this_machine (const RerouteHosts *hosts);

/* Whether the mail of @row waits for ETRN and no host is permitted to ask for it.  Clients that log
   in are, but whether there are accounts is none of the rules. */
gboolean reroute_check_waits_for_nobody (const RerouteRuleset *rules, const RerouteRow *row);

/* Whether a setting is another one than before; with no base, always. */
gboolean reroute_check_differs (const RerouteCheck *check, RerouteSettingId id);

/* What settings say against each other, of those that differ. */
void reroute_check_settings_alone (RerouteCheck *check);

G_END_DECLS
