/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/**
 * sample_rules:
 * @rows: CSV lines without a header, in the columns page,domain,match,action,target,accept_from,
 *   enabled,leaves,recipient_check,tls,account,queue_for_etrn,certificate; a row gets the number of
 * its line as id
 * @settings: "key=value" lines
 *
 * Returns: (transfer full): serial 1
 */
RerouteRuleset *sample_rules (const char *rows, const char *settings);

/* The same on top of @base: a row replaces the one of its domain and match, "-" as the action
   removes it. */
RerouteRuleset *sample_rules_edit (RerouteRuleset *base, const char *rows, const char *settings);

G_END_DECLS
