/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset-check.h"

G_BEGIN_DECLS

/* @code and the number of @arguments stand in the table of finding.c. */
RerouteFinding *reroute_finding_new (const char *code, const char *const *arguments);
void reroute_finding_add_row (RerouteFinding *self, const RerouteRow *row);

G_END_DECLS
