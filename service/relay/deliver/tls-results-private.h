/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by tls-results.c and tls-results-file.c. */

#pragma once

#include "service/relay/deliver/tls-results.h"

G_BEGIN_DECLS

struct _RerouteTlsResults
{
  GPtrArray *days;     /* (element-type RerouteTlsDay): the oldest first */
  gint64 told_full_of; /* the day of which it was logged that it has too many domains */
};

void reroute_tls_failure_free (RerouteTlsFailure *self);
void reroute_tls_policy_free (RerouteTlsPolicy *self);
/* Without its strings and mx. */
RerouteTlsPolicy *reroute_tls_policy_new (RerouteTlsPolicyKind kind, const char *domain);
/* (transfer none) (nullable): NULL: there are as many as may be */
RerouteTlsDomain *
reroute_tls_results_get_domain (RerouteTlsResults *self, gint64 day, const char *name);

G_END_DECLS
