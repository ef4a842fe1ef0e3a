/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/domain.h"

G_BEGIN_DECLS

/* How a name is judged and what its refusals call it. */
typedef struct
{
  const char *noun;    /* how messages start: "sent-to domain" */
  int code;            /* of REROUTE_ERROR */
  gboolean underscore; /* whether "_" may stand in a label, as it does in the names of hosts */
} RerouteNameRules;

/* reroute_domain_normalize() with a noun and a code of the caller's. */
char *reroute_name_normalize (const char *text, const RerouteNameRules *rules, GError **error);

/* The same into @buffer of REROUTE_LIMIT_DOMAIN_OCTETS + 1 octets: its length, or 0 with an error.
 */
gsize reroute_name_normalize_into (const char *text,
                                   const RerouteNameRules *rules,
                                   char *buffer,
                                   GError **error);

/* @text as it is quoted in a message: whole when it is short, else its beginning and "…". */
char *reroute_quote_value (const char *text, gssize length);

G_END_DECLS
