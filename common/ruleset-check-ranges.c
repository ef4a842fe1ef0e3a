/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ruleset-check-ranges.c - ranges of trusted hosts that are too wide to be meant
 *
 * A range of all hosts makes an open relay of the server (exchange-reference.md, defect 8).
 */

#include "config.h"

#include "common/ruleset-check-private.h"

/* clang-format off */
static const struct
{
  RerouteSettingId id;
  const char *code;
  guint ipv4_bits; /* of the widest range that is taken without a word */
  guint ipv6_bits;
} limits[] = {
  { REROUTE_SETTING_PERMITTED_HOSTS, "permitted-wide", 8, 16 },
  { REROUTE_SETTING_XCLIENT_HOSTS,   "xclient-wide",   1, 1 },
  { REROUTE_SETTING_PROXY_HOSTS,     "proxy-wide",     1, 1 },
};
/* clang-format on */

/* “::/80” has every IPv4 address in it too. */
static gboolean
is_wide (const RerouteIpRange *range, guint ipv4_bits, guint ipv6_bits)
{
  const RerouteIp ipv4 = { .octets = { [10] = 0xff, [11] = 0xff } };
  gboolean has_ipv4 =
    reroute_ip_is_ipv4 (&range->first) || reroute_ip_range_contains (range, &ipv4);

  return range->prefix_bits < (has_ipv4 ? REROUTE_IP_IPV4_BITS + ipv4_bits : ipv6_bits);
}

static gboolean
has_range (const RerouteRuleset *rules, RerouteSettingId id, const RerouteIpRange *range)
{
  gsize n = 0;
  const RerouteIpRange *ranges =
    reroute_settings_get_ranges (reroute_ruleset_get_settings (rules), id, &n);

  for (gsize i = 0; i < n; i++)
    if (ranges[i].prefix_bits == range->prefix_bits &&
        reroute_ip_equal (&ranges[i].first, &range->first))
      return TRUE;
  return FALSE;
}

static void
say_wide (RerouteCheck *check, const char *code, const RerouteIpRange *range)
{
  g_autofree char *text = reroute_ip_range_to_string (range);
  RerouteFinding *finding = reroute_check_say (check, code, text, NULL, NULL);

  if (finding == NULL)
    return;
  g_free (finding->key);
  finding->key = g_strconcat (code, " ", text, NULL);
}

void
reroute_check_ranges (RerouteCheck *check)
{
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      gsize n = 0;
      const RerouteIpRange *ranges =
        reroute_settings_get_ranges (check->settings, limits[i].id, &n);

      for (gsize k = 0; k < n; k++)
        if (is_wide (&ranges[k], limits[i].ipv4_bits, limits[i].ipv6_bits) &&
            (check->base == NULL || !has_range (check->base, limits[i].id, &ranges[k])))
          say_wide (check, limits[i].code, &ranges[k]);
    }
}
