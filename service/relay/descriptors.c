/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * descriptors.c - whether the limit of open files has room for the connections of the settings
 *
 * A session takes a file, and one more for each mail filter; a connection out takes one, and so
 * does a next hop that is asked for recipients, which have a bound of their own; the rest of the
 * relay is bounded by itself.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/descriptors.h"

#include "common/limits.h"

#include <sys/resource.h>

#define FILES_A_WORKER 4    /* three of its own, and what it reads of the spool */
#define FILES_FOR_MILTERS 2 /* a large body, and the one that a milter puts in its place */

void
reroute_descriptors_raise_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
    return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
    g_debug ("the limit of open files stays as it is");
}

static guint
count_endpoints (const RerouteSettings *settings, RerouteSettingId id)
{
  return g_strv_length ((GStrv) reroute_settings_get_endpoints (settings, id));
}

/* Besides connections from clients and to other hosts. */
static guint64
count_others (const RerouteSettings *settings, guint n_workers)
{
  return REROUTE_LIMIT_OTHER_FILES + REROUTE_LIMIT_PROBE_CONNECTIONS +
         (guint64) n_workers * FILES_A_WORKER + count_endpoints (settings, REROUTE_SETTING_LISTEN) +
         count_endpoints (settings, REROUTE_SETTING_LISTEN_TLS);
}

void
reroute_descriptors_share (const RerouteSettings *settings,
                           guint n_workers,
                           guint64 limit,
                           RerouteDescriptorShare *share)
{
  g_return_if_fail (settings != NULL && share != NULL);

  guint64 inbound = reroute_settings_get_number (settings, REROUTE_SETTING_MAX_INBOUND_CONNECTIONS);
  guint64 outbound =
    reroute_settings_get_number (settings, REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS);
  guint64 others = count_others (settings, n_workers);
  guint64 room = limit - MIN (limit, others);
  gsize n_milters;

  reroute_settings_get_milters (settings, REROUTE_SETTING_MILTERS, &n_milters);
  guint64 each = n_milters > 0 ? 1 + n_milters + FILES_FOR_MILTERS : 1;
  guint64 wanted = inbound * each + outbound;
  if (wanted > room)
    {
      inbound = MAX (inbound * room / wanted, 1);
      outbound = MAX (outbound * room / wanted, 1);
    }
  *share = (RerouteDescriptorShare){
    .limit = limit,
    .needed = others + wanted,
    .inbound = (guint) inbound,
    .outbound = (guint) outbound,
  };
}

static void
tell (const RerouteDescriptorShare *share, const RerouteSettings *settings)
{
  g_warning (
    "at most %u connections from clients and %u to other hosts are open at a time, where the "
    "settings allow %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
    ": the limit of open files is %" G_GUINT64_FORMAT ", and %" G_GUINT64_FORMAT
    " are needed; raise LimitNOFILE of the unit, or lower “max-inbound-connections” and "
    "“max-outbound-connections”",
    share->inbound,
    share->outbound,
    reroute_settings_get_number (settings, REROUTE_SETTING_MAX_INBOUND_CONNECTIONS),
    reroute_settings_get_number (settings, REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS),
    share->limit,
    share->needed);
}

static gboolean
set_number (RerouteRulesetBuilder *builder, const char *key, guint number, GError **error)
{
  g_autofree char *value = g_strdup_printf ("%u", number);
  g_autoptr (RerouteChange) change = reroute_change_new_set (key, value, error);

  return change != NULL && reroute_ruleset_builder_apply (builder, change, error);
}

static RerouteRuleset *
lessen (RerouteRuleset *ruleset, const RerouteDescriptorShare *share)
{
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (ruleset);
  g_autoptr (GError) error = NULL;

  if (set_number (builder, "max-inbound-connections", share->inbound, &error) &&
      set_number (builder, "max-outbound-connections", share->outbound, &error))
    return reroute_ruleset_builder_build (builder, reroute_ruleset_get_serial (ruleset));
  g_warning ("connections are not fitted to the limit of open files: %s", error->message);
  return reroute_ruleset_ref (ruleset);
}

RerouteRuleset *
reroute_descriptors_fit (RerouteRuleset *ruleset, guint n_workers, RerouteDescriptorShare *share)
{
  g_return_val_if_fail (ruleset != NULL && share != NULL, NULL);

  const RerouteSettings *settings = reroute_ruleset_get_settings (ruleset);
  RerouteDescriptorShare before = *share;
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return reroute_ruleset_ref (ruleset);
  reroute_descriptors_share (settings, n_workers, limit.rlim_cur, share);
  if (share->needed <= share->limit)
    return reroute_ruleset_ref (ruleset);
  if (before.limit != share->limit || before.needed != share->needed)
    tell (share, settings);
  return lessen (ruleset, share);
}
