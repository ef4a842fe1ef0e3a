/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/ctl/ctl.h"

G_BEGIN_DECLS

/* How far a person has agreed to findings of level confirm. */
typedef enum
{
  REROUTE_CTL_ASK,     /* refuse, and say which option agrees */
  REROUTE_CTL_CONFIRM, /* she has said it */
} RerouteCtlConfirm;

/**
 * reroute_ctl_apply:
 * @changes: (element-type RerouteChange): any number
 * @serial: the generation they start from
 * @agree: the option that a refusal names, "--accept-from=anyone"
 *
 * Saves all of them or none; prints warnings and notes on standard error.
 *
 * Errors: %REROUTE_ERROR_FINDINGS, %REROUTE_ERROR_NOT_CONFIRMED, %REROUTE_ERROR_STALE_SERIAL, with the
 *   sentence; %REROUTE_ERROR_ACCESS.
 */
gboolean reroute_ctl_apply (RerouteCtl *ctl,
                            GPtrArray *changes,
                            guint64 serial,
                            RerouteCtlConfirm confirm,
                            const char *agree,
                            GError **error);

/* The same for an edit that is already staged. @edit is closed in every case. */
gboolean reroute_ctl_commit (RerouteCtl *ctl,
                             guint edit,
                             guint64 serial,
                             RerouteCtlConfirm confirm,
                             const char *agree,
                             GError **error);

/* Begins an edit and stages @changes in pieces that fit a message. */
gboolean reroute_ctl_stage (RerouteCtl *ctl, GPtrArray *changes, guint *edit, GError **error);

/* What Commit, Apply and Revert answer, judged; takes @findings. */
gboolean reroute_ctl_judge (const char *state, GVariant *findings, const char *agree, GError **error);

/* The keys of the findings that want a confirmation; (transfer full). */
char **reroute_ctl_confirm_keys (GVariant *findings);

/* Prints findings as sentences on standard error, or as JSON members of an open array. */
void reroute_ctl_print_findings (GPtrArray *findings);
void reroute_ctl_findings_to_json (GPtrArray *findings, JsonBuilder *builder);

G_END_DECLS
