/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REROUTE_STS_NONE,    /* no policy any more */
  REROUTE_STS_TESTING, /* what fails is told, and mail goes out */
  REROUTE_STS_ENFORCE, /* what fails waits */
} RerouteStsMode;

/**
 * RerouteStsPolicy:
 *
 * What a domain says about mail to it (MTA-STS).  Immutable, reference-counted, shared between
 * threads.
 */
typedef struct
{
  RerouteStsMode mode;
  guint max_age_s;
  GStrv mx; /* (array zero-terminated=1): exchangers, in normal form, or "*." and a domain */
} RerouteStsPolicy;

/**
 * reroute_sts_policy_parse:
 * @octets: (array length=length): as the policy's host gave them
 *
 * Fields that are not known are passed over; of one that may stand once the first counts.
 *
 * Errors: %REROUTE_ERROR_PROTOCOL saying what is wrong.
 *
 * Source: RFC 8461 section 3.2.
 *
 * Returns: (transfer full): the policy, or %NULL
 */
RerouteStsPolicy *reroute_sts_policy_parse (const char *octets, gsize length, GError **error);
RerouteStsPolicy *reroute_sts_policy_ref (RerouteStsPolicy *self);
void reroute_sts_policy_unref (RerouteStsPolicy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteStsPolicy, reroute_sts_policy_unref)

/* (transfer full): a text that reroute_sts_policy_parse() makes the same policy of. */
char *reroute_sts_policy_to_text (const RerouteStsPolicy *self);
const char *reroute_sts_mode_to_string (RerouteStsMode mode);

/* Whether @host, in normal form, is one of the policy's exchangers (RFC 8461 section 4.1). */
gboolean reroute_sts_policy_covers (const RerouteStsPolicy *self, const char *host);

/**
 * reroute_sts_record_parse:
 * @records: (element-type utf8): the TXT records of _mta-sts.DOMAIN
 *
 * Source: RFC 8461 section 3.1.
 *
 * Returns: (transfer full): the policy's id; %NULL unless there is exactly one record of MTA-STS,
 *   and that a sound one
 */
char *reroute_sts_record_parse (const GPtrArray *records);
/* Whether @text may be an id. */
gboolean reroute_sts_is_id (const char *text);

G_END_DECLS
