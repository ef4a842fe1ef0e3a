/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

#include "common/email-domain.h"
#include "common/refusal-text.h"
#include "common/routing-entry.h"
#include "common/ruleset-check.h"

G_BEGIN_DECLS

/* The columns of a list. */
typedef enum
{
  REROUTE_COLUMN_STATE,
  REROUTE_COLUMN_DOMAIN, /* "#example.com", "Off: oldname.example" */
  REROUTE_COLUMN_TARGET, /* "<inbound>", "example.com"; "DNS", "gw1.example:2525, gw2.example" */
  REROUTE_COLUMN_ACCEPT_FROM, /* "Anyone", "Permitted hosts" */
  REROUTE_COLUMN_COMMENT,
  /* Of E-Mail Domain rows; rulesd does not sort by these. */
  REROUTE_COLUMN_TLS,     /* "Required" */
  REROUTE_COLUMN_ACCOUNT, /* that the relay logs in to there */
  REROUTE_COLUMN_RECIPIENT_CHECK,
  REROUTE_COLUMN_LEAVES,
} RerouteColumn;

/* (transfer full): "#example.com", whether it is on or off; as it is read, without Punycode. */
char *reroute_row_dup_name (const RerouteRow *row);
char *reroute_row_dup_cell (const RerouteRow *row, RerouteColumn column);
/* How rulesd names the column in a sort; only of one that it sorts by. */
const char *reroute_column_to_sort (RerouteColumn column);
/* As rulesd sorts and filters, for rows that it does not have yet. */
int reroute_row_compare (const RerouteRow *a, const RerouteRow *b, RerouteColumn column);
gboolean reroute_row_matches (const RerouteRow *row, const char *filter);

/* (transfer full): @value for a place in a sentence: between U+2068 and U+2069, so that it keeps
   its order within one that reads the other way (UAX #9). */
char *reroute_dup_isolated (const char *value);
/* (transfer full): markup: the sentence that says what the entry does. */
char *reroute_row_dup_sentence (const RerouteRow *row);
/* (transfer full): "3 Mar 2026, 14:02", in the reader's time. */
char *reroute_dup_moment (gint64 wall_us);
/* (transfer full) (nullable): "Last changed by mailadm, 3 Mar 2026, 14:02" */
char *reroute_row_dup_provenance (const RerouteRow *row);

/* (transfer full): markup: a finding's sentence with what it speaks of in bold. */
char *reroute_finding_dup_markup (const RerouteFinding *finding);

/* (transfer full): "1 error, 2 warnings"; one of the numbers is over 0. */
char *reroute_dup_counts (guint n_errors, guint n_warnings);

G_END_DECLS
