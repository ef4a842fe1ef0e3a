/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset-check.h"

G_BEGIN_DECLS

/* One row or setting that differs, before and after. */
typedef struct
{
  ReroutePage page;
  gint64 id;             /* 0: a setting */
  RerouteChange *before; /* NULL: the row was not there */
  RerouteChange *after;  /* NULL: the row is gone */
} RerouteDelta;

/**
 * RerouteProposal:
 *
 * What an edit makes of a generation: the next one, judged and stored as it stands here.  Pure;
 * immutable once made.
 */
typedef struct
{
  RerouteRuleset *base;
  RerouteRuleset *next; /* @base itself when nothing is to change */
  GPtrArray *deltas;    /* (element-type RerouteDelta): what really changes; removals first */
  gint64 first_new_id;  /* new rows have the ids from here… */
  gint64 next_row_id;   /* …to under this one */
  char *who;
  char *where; /* (nullable) */
  char *call;  /* "" where it does not matter */
  gint64 when_us;
  char *summary;
} RerouteProposal;

/* Who edits, and with what. */
typedef struct
{
  gint64 next_row_id; /* the id of the first new row */
  gboolean restores;  /* rows may come back under ids that the base does not have, as by a revert */
  const char *who;
  const char *where; /* (nullable): RerouteCaller, for the log */
  const char *call;  /* (nullable): reroute_outcomes_name() of the call that saves it */
  gint64 when_us;    /* wall clock */
} RerouteProposalOrigin;

/**
 * reroute_proposal_new:
 * @changes: (element-type RerouteChange): the edit
 *
 * Errors: %REROUTE_ERROR_NO_SUCH_ENTRY when the edit names a row that is not there, and those of
 *   reroute_ruleset_builder_apply().
 */
RerouteProposal *reroute_proposal_new (RerouteRuleset *base,
                                       GPtrArray *changes,
                                       const RerouteProposalOrigin *origin,
                                       GError **error);
void reroute_proposal_free (RerouteProposal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteProposal, reroute_proposal_free)

/* In @findings, new rows are named as the caller knows them: -1 for its first new row, -2 for its
 * second. */
void reroute_proposal_name_new_rows (const RerouteProposal *self, GPtrArray *findings);

/* What the change signal carries: (transfer full) (element-type RerouteChange) */
GPtrArray *reroute_proposal_dup_changes (const RerouteProposal *self);

void reroute_delta_free (RerouteDelta *self);

/* The change that @self is to someone who has the state before it; (transfer full) */
RerouteChange *reroute_delta_dup_change (const RerouteDelta *self);

G_END_DECLS
