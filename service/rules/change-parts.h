/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/rules/proposal.h"

G_BEGIN_DECLS

/* Changes as they travel with the calls and the signal of Rules1. */

/* Of the argument number @index.  Errors: %REROUTE_ERROR_TOO_LARGE, and those of
   reroute_changes_from_variant().  (transfer full) (element-type RerouteChange) */
GPtrArray *reroute_change_parts_read (GVariant *arguments, guint index, GError **error);
/* Of StageColumns: a page and its columns behind the edit's number. */
GPtrArray *reroute_change_parts_read_columns (GVariant *arguments, GError **error);
/* (transfer floating): of Changed; empty when they do not fit into a signal */
GVariant *reroute_change_parts_announce (const RerouteProposal *proposal);

G_END_DECLS
