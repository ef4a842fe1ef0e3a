/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/**
 * reroute_changes_squash:
 * @changes: (element-type RerouteChange): an edit, or several in a row
 *
 * The last change of each row and of each setting, in the order in which they were first touched.
 * A "put" of id 0 adds a row of its own each time.
 *
 * Returns: (transfer full) (element-type RerouteChange)
 */
GPtrArray *reroute_changes_squash (GPtrArray *changes);

/**
 * reroute_ruleset_catch_up:
 * @base: a generation, or what a load that ran through several of them gave
 * @changes: (element-type RerouteChange): what happened from @base's serial to @serial
 *
 * Brings @base to @serial.  Changes that @base holds already do no harm, nor does the removal
 * of a row that it never saw.
 *
 * Returns: (transfer full): the generation @serial, or %NULL when a change makes no sense
 */
RerouteRuleset *
reroute_ruleset_catch_up (RerouteRuleset *base, GPtrArray *changes, guint64 serial, GError **error);

G_END_DECLS
