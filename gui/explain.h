/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/sheet.h"

G_BEGIN_DECLS

/* Where a decision was made; each stage is a line of the comparison. */
typedef enum
{
  REROUTE_STAGE_ADMISSION,
  REROUTE_STAGE_ROUTING,
  REROUTE_STAGE_CONNECTIONS,
  REROUTE_STAGE_LOOK_UP,
  REROUTE_N_STAGES,
} RerouteStage;

/* What becomes of mail for an address under one set of rules; strings are translated. */
typedef struct
{
  char *recipient;
  char *rcpt_out;
  char *next_hop;                 /* "" when it is refused */
  char *reply;                    /* "550 5.7.1 …" when it is refused, else NULL */
  char *stages[REROUTE_N_STAGES]; /* sentences, one a line; "" when it was not asked */
  char *deciding;                 /* (nullable): the entry that decided, "#example.com" */
  gboolean without_dns;           /* the relay was away: nothing was looked up */
} RerouteExplanation;

void reroute_explanation_free (RerouteExplanation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteExplanation, reroute_explanation_free)

/* (transfer full): markup: one sentence that says what becomes of it. */
char *reroute_explanation_dup_verdict (const RerouteExplanation *self);
gboolean reroute_explanation_equal (const RerouteExplanation *a, const RerouteExplanation *b);

/**
 * reroute_explain_async:
 * @client: an IP address, "" decides without admission
 * @with_edit: whether under the sheet's unsaved changes, else the saved rules
 *
 * The relay is asked; while it is away rulesd is, which looks nothing up.
 */
void reroute_explain_async (RerouteSheet *sheet,
                            const char *address,
                            const char *client,
                            gboolean with_edit,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);
/* (transfer full) */
RerouteExplanation *
reroute_explain_finish (RerouteSheet *sheet, GAsyncResult *result, GError **error);

G_END_DECLS
