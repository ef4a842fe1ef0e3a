/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ruleset-check-settings.c - settings that contradict each other
 *
 * By the settings alone: no row is looked at.
 */

#include "config.h"

#include "common/ruleset-check-private.h"

#include <string.h>

/* --- TLS --- */

static guint
count_paths (const RerouteCheck *check, RerouteSettingId id)
{
  return g_strv_length ((char **) reroute_settings_get_paths (check->settings, id));
}

static void
check_tls (RerouteCheck *check)
{
  guint n_certificates = count_paths (check, REROUTE_SETTING_TLS_CERTIFICATE);
  guint n_keys = count_paths (check, REROUTE_SETTING_TLS_KEY);
  const char *listen = reroute_settings_get_text (check->settings, REROUTE_SETTING_LISTEN_TLS);

  if (!reroute_check_differs (check, REROUTE_SETTING_TLS_CERTIFICATE) &&
      !reroute_check_differs (check, REROUTE_SETTING_TLS_KEY) &&
      !reroute_check_differs (check, REROUTE_SETTING_LISTEN_TLS))
    return;
  if (n_keys > 0 && n_keys != n_certificates)
    reroute_check_say (check, "tls-key-missing", NULL, NULL, NULL);
  if (*listen != '\0' && n_certificates == 0)
    reroute_check_say (check, "tls-certificate-missing", NULL, NULL, NULL);
}

/* --- ports --- */

static const RerouteSettingId listening[] = {
  REROUTE_SETTING_LISTEN,
  REROUTE_SETTING_LISTEN_TLS,
  REROUTE_SETTING_HEALTH_LISTEN,
  REROUTE_SETTING_METRICS_LISTEN,
};

/* An endpoint that is listened on. */
typedef struct
{
  const char *endpoint;
  RerouteSettingId id;
} Named;

/* "0.0.0.0:25" of "192.0.2.1:25": all addresses of its family. */
static char *
make_wildcard (const char *endpoint)
{
  return g_strconcat (*endpoint == '[' ? "[::]" : "0.0.0.0", strrchr (endpoint, ':'), NULL);
}

static gboolean
clash (const char *left, const char *right)
{
  g_autofree char *left_wildcard = make_wildcard (left);
  g_autofree char *right_wildcard = make_wildcard (right);

  return g_str_equal (left, right) || g_str_equal (left_wildcard, right) ||
         g_str_equal (left, right_wildcard);
}

static const Named *
find_clash (const GArray *earlier, const char *endpoint)
{
  for (guint i = 0; i < earlier->len; i++)
    {
      const Named *named = &g_array_index (earlier, Named, i);
      if (clash (named->endpoint, endpoint))
        return named;
    }
  return NULL;
}

static char *
make_label (const Named *named)
{
  return g_strdup_printf ("%s (%s)", named->endpoint, reroute_setting_specs ()[named->id].key);
}

/* Adds the endpoints of a setting to @earlier (element-type Named) up to one that cannot be had
   beside one of them. */
static gboolean
check_endpoints (RerouteCheck *check, RerouteSettingId id, GArray *earlier)
{
  const char *const *endpoints = reroute_settings_get_endpoints (check->settings, id);

  for (gsize i = 0; endpoints[i] != NULL; i++)
    {
      const Named named = { endpoints[i], id };
      const Named *other = find_clash (earlier, endpoints[i]);

      if (other != NULL)
        {
          g_autofree char *first = make_label (other);
          g_autofree char *second = make_label (&named);

          reroute_check_say (check, "port-twice", first, second, NULL);
          return FALSE;
        }
      g_array_append_val (earlier, named);
    }
  return TRUE;
}

static void
check_ports (RerouteCheck *check)
{
  g_autoptr (GArray) named = g_array_new (FALSE, FALSE, sizeof (Named));
  gboolean wanted = FALSE, goes_on = TRUE;

  for (gsize i = 0; i < G_N_ELEMENTS (listening); i++)
    wanted = wanted || reroute_check_differs (check, listening[i]);
  for (gsize i = 0; wanted && goes_on && i < G_N_ELEMENTS (listening); i++)
    goes_on = check_endpoints (check, listening[i], named);
}

/* --- where outgoing connections come from --- */

static void
check_source_address (RerouteCheck *check)
{
  const RerouteSettingId id = REROUTE_SETTING_SOURCE_ADDRESS;
  gsize n = 0;
  const RerouteIpRange *sources = reroute_settings_get_ranges (check->settings, id, &n);
  guint n_ipv4 = 0;

  for (gsize i = 0; i < n; i++)
    n_ipv4 += reroute_ip_is_ipv4 (&sources[i].first);
  if (reroute_check_differs (check, id) && (n_ipv4 > 1 || n - n_ipv4 > 1))
    reroute_check_say (
      check, "source-address-twice", reroute_settings_get_text (check->settings, id), NULL, NULL);
}

void
reroute_check_settings_alone (RerouteCheck *check)
{
  check_tls (check);
  check_ports (check);
  check_source_address (check);
}
