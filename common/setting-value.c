/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * setting-value.c - the text of a setting taken apart, one function a type
 *
 * Every function leaves the canonical text behind, so that what is stored, shown and compared is
 * one form.
 */

#include "config.h"

#include "common/settings.h"
#include "common/settings-private.h"

#include "common/address.h"
#include "common/domain-private.h"
#include "common/error.h"
#include "common/file-name.h"
#include "common/limits.h"
#include "common/log-level.h"
#include "common/program-name.h"
#include "common/quantity.h"
#include "common/verifier.h"
#include "common/web-address.h"

#include <string.h>

#define LIST_SEPARATORS ", \t\n"
#define DNS_PORT 53

typedef gboolean (*ParseFunc) (const RerouteSettingSpec *spec,
                               const char *text,
                               RerouteSettingValue *value,
                               GError **error);

static gboolean
fail (GError **error, const char *text, const char *wanted)
{
  g_autofree char *value = reroute_quote_value (text, -1);

  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "%s %s", value, wanted);
  return FALSE;
}

static gboolean
check_range (const RerouteSettingSpec *spec, gint64 number, GError **error)
{
  char *(*show) (gint64) = spec->type == REROUTE_SETTING_TYPE_OCTETS ? reroute_octets_to_string
                                                                     : reroute_duration_to_string;
  g_autofree char *low = NULL, *high = NULL, *shown = NULL;

  if (number >= spec->minimum && number <= spec->maximum)
    return TRUE;
  if (spec->type == REROUTE_SETTING_TYPE_COUNT)
    {
      low = g_strdup_printf ("%" G_GINT64_FORMAT, spec->minimum);
      high = g_strdup_printf ("%" G_GINT64_FORMAT, spec->maximum);
      shown = g_strdup_printf ("%" G_GINT64_FORMAT, number);
    }
  else
    {
      low = show (spec->minimum);
      high = show (spec->maximum);
      shown = show (number);
    }
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "“%s” is out of range: “%s” to “%s” is possible",
               shown,
               low,
               high);
  return FALSE;
}

static gboolean
parse_hostname (const RerouteSettingSpec *spec,
                const char *text,
                RerouteSettingValue *value,
                GError **error)
{
  static const RerouteNameRules rules = { "host name", REROUTE_ERROR_VALUE, FALSE };

  if (*text == '\0')
    {
      value->text = g_strdup ("");
      return TRUE;
    }
  value->text = reroute_name_normalize (text, &rules, error);
  if (value->text != NULL && value->text[0] == '[')
    return fail (error, text, "is an address: write the full name of this machine");
  return value->text != NULL;
}

/* "127.0.0.1:2525", "[::1]:2525", with @default_port also without a port (0: it is wanted). */
static char *
normalize_endpoint (const char *text, guint default_port, RerouteIp *ip, GError **error)
{
  g_autofree char *address = g_strdup (text);
  const char *port_text = NULL;
  guint64 port = default_port;

  if (address[0] == '[' && strchr (address, ']') != NULL)
    {
      char *close = strchr (address, ']');
      *close = '\0';
      port_text = close[1] == ':' ? close + 2 : close[1] == '\0' ? NULL : close + 1;
      memmove (address, address + 1, strlen (address));
    }
  else if (!reroute_ip_parse (address, ip) && strrchr (address, ':') != NULL)
    {
      char *colon = strrchr (address, ':');
      *colon = '\0';
      port_text = colon + 1;
    }
  if (!reroute_ip_parse (address, ip))
    {
      fail (error, text, "is no address with a port: write “127.0.0.1:2525” or “[::1]:2525”");
      return NULL;
    }
  if ((port_text == NULL && default_port == 0) ||
      (port_text != NULL && !g_ascii_string_to_unsigned (port_text, 10, 1, 65535, &port, NULL)))
    {
      fail (error, text, "has no port from 1 to 65535 behind its address");
      return NULL;
    }
  g_autofree char *canonical = reroute_ip_to_string (ip);
  return g_strdup_printf (reroute_ip_is_ipv4 (ip) ? "%s:%u" : "[%s]:%u", canonical, (guint) port);
}

static gboolean
check_count (const RerouteSettingSpec *spec, gsize n, const char *text, GError **error)
{
  if ((gint64) n < spec->minimum)
    return fail (error, text, "names none: at least one is wanted");
  if ((gint64) n > spec->maximum)
    {
      g_autofree char *wanted = g_strdup_printf (
        "names %" G_GSIZE_FORMAT ": at most %" G_GINT64_FORMAT " are possible", n, spec->maximum);
      return fail (error, text, wanted);
    }
  return TRUE;
}

static gboolean
parse_endpoints (const RerouteSettingSpec *spec,
                 const char *text,
                 RerouteSettingValue *value,
                 GError **error)
{
  gboolean http =
    spec->id == REROUTE_SETTING_HEALTH_LISTEN || spec->id == REROUTE_SETTING_METRICS_LISTEN;
  gboolean dns = spec->type == REROUTE_SETTING_TYPE_DNS;
  gboolean tls = spec->id == REROUTE_SETTING_LISTEN_TLS;
  guint default_port = dns    ? DNS_PORT
                       : http ? 0
                       : tls  ? REROUTE_DEFAULT_SMTPS_PORT
                              : REROUTE_DEFAULT_SMTP_PORT;
  g_auto (GStrv) parts = g_strsplit_set (text, LIST_SEPARATORS, -1);
  g_autoptr (GStrvBuilder) endpoints = g_strv_builder_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (gsize i = 0; parts[i] != NULL; i++)
    {
      RerouteIp ip;
      if (*parts[i] == '\0')
        continue;
      g_autofree char *endpoint = normalize_endpoint (parts[i], default_port, &ip, error);
      if (endpoint == NULL)
        return FALSE;
      if (http && !reroute_ip_is_loopback (&ip))
        return fail (
          error,
          parts[i],
          "can be reached from outside: write a loopback address such as “127.0.0.1:8025”");
      if (g_hash_table_add (seen, g_strdup (endpoint)))
        g_strv_builder_add (endpoints, endpoint);
    }
  value->endpoints = g_strv_builder_end (endpoints);
  value->text = g_strjoinv (", ", value->endpoints);
  return check_count (spec, g_hash_table_size (seen), text, error);
}

static gboolean
parse_dns (const RerouteSettingSpec *spec,
           const char *text,
           RerouteSettingValue *value,
           GError **error)
{
  for (gsize i = 0; spec->choices[i] != NULL; i++)
    if (g_ascii_strcasecmp (text, spec->choices[i]) == 0)
      {
        value->text = g_strdup (spec->choices[i]);
        value->endpoints = g_new0 (char *, 1);
        return TRUE;
      }
  if (*text == '\0' || g_ascii_isalpha (*text))
    return fail (
      error,
      text,
      "is no name server: write “system”, “recursive” or addresses such as “192.0.2.53”");
  return parse_endpoints (spec, text, value, error);
}

static gboolean
parse_boolean (const RerouteSettingSpec *spec,
               const char *text,
               RerouteSettingValue *value,
               GError **error)
{
  static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (text, words[i]) == 0)
      {
        value->number = i % 2;
        value->text = g_strdup (words[i % 2]);
        return TRUE;
      }
  return fail (error, text, "is neither “yes” nor “no”");
}

static gboolean
parse_enum (const RerouteSettingSpec *spec,
            const char *text,
            RerouteSettingValue *value,
            GError **error)
{
  for (gsize i = 0; spec->choices[i] != NULL; i++)
    if (g_ascii_strcasecmp (text, spec->choices[i]) == 0)
      {
        value->number = (gint64) i;
        value->text = g_strdup (spec->choices[i]);
        return TRUE;
      }
  g_autofree char *choices = g_strjoinv ("”, “", (char **) spec->choices);
  g_autofree char *wanted = g_strdup_printf ("is unknown: “%s” are possible", choices);
  return fail (error, text, wanted);
}

static gboolean
parse_delivery (const RerouteSettingSpec *spec,
                const char *text,
                RerouteSettingValue *value,
                GError **error)
{
  if (g_ascii_strcasecmp (text, "dns") == 0)
    {
      value->text = g_strdup ("dns");
      return TRUE;
    }
  /* The page's default hosts take turns, as in the original (Q279323). */
  value->hosts = reroute_hosts_parse (text, TRUE, error);
  if (value->hosts == NULL)
    return FALSE;
  value->text = reroute_hosts_to_string (value->hosts);
  return TRUE;
}

static gboolean
parse_host (const RerouteSettingSpec *spec,
            const char *text,
            RerouteSettingValue *value,
            GError **error)
{
  if (*text == '\0')
    {
      value->text = g_strdup ("");
      return TRUE;
    }
  value->hosts = reroute_inbound_host_parse (text, error);
  if (value->hosts == NULL)
    return FALSE;
  if (value->hosts->n_hosts > 1)
    return fail (error, text, "names several hosts: one is possible");
  value->text = reroute_hosts_to_string (value->hosts);
  return TRUE;
}

static gboolean
parse_ranges (const RerouteSettingSpec *spec,
              const char *text,
              RerouteSettingValue *value,
              GError **error)
{
  gboolean single = spec->type == REROUTE_SETTING_TYPE_ADDRESSES;
  g_auto (GStrv) parts = g_strsplit_set (text, LIST_SEPARATORS, -1);
  g_autoptr (GString) canonical = g_string_new (NULL);

  value->ranges = g_array_new (FALSE, FALSE, sizeof (RerouteIpRange));
  for (gsize i = 0; parts[i] != NULL; i++)
    {
      RerouteIpRange range;
      if (*parts[i] == '\0')
        continue;
      if (!reroute_ip_range_parse (parts[i], &range, error))
        return FALSE;
      if (single && range.prefix_bits != 128)
        return fail (error, parts[i], "is a range: write single addresses");
      g_autofree char *shown = reroute_ip_range_to_string (&range);
      g_string_append_printf (canonical, "%s%s", canonical->len > 0 ? ", " : "", shown);
      g_array_append_val (value->ranges, range);
    }
  value->text = g_string_free (g_steal_pointer (&canonical), FALSE);
  return check_count (spec, value->ranges->len, text, error);
}

static gboolean
parse_mailbox (const RerouteSettingSpec *spec,
               const char *text,
               RerouteSettingValue *value,
               GError **error)
{
  if (*text == '\0')
    {
      value->text = g_strdup ("");
      return TRUE;
    }
  g_autoptr (RerouteAddress) address = reroute_address_parse (text, FALSE, error);
  if (address == NULL)
    return FALSE;
  if (*address->key == '\0')
    return fail (error, text, "has no domain: “@” and a domain belong behind it");
  value->text = g_strdup (address->text);
  return TRUE;
}

static gboolean
parse_duration (const RerouteSettingSpec *spec,
                const char *text,
                RerouteSettingValue *value,
                GError **error)
{
  if (!reroute_duration_parse (text, &value->number, error) ||
      !check_range (spec, value->number, error))
    return FALSE;
  value->text = reroute_duration_to_string (value->number);
  return TRUE;
}

static gboolean
parse_durations (const RerouteSettingSpec *spec,
                 const char *text,
                 RerouteSettingValue *value,
                 GError **error)
{
  g_auto (GStrv) parts = g_strsplit_set (text, LIST_SEPARATORS, -1);
  g_autoptr (GString) canonical = g_string_new (NULL);

  value->numbers = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (gsize i = 0; parts[i] != NULL; i++)
    {
      gint64 seconds;
      if (*parts[i] == '\0')
        continue;
      if (!reroute_duration_parse (parts[i], &seconds, error) ||
          !check_range (spec, seconds, error))
        return FALSE;
      g_autofree char *shown = reroute_duration_to_string (seconds);
      g_string_append_printf (canonical, "%s%s", canonical->len > 0 ? "," : "", shown);
      g_array_append_val (value->numbers, seconds);
    }
  value->text = g_string_free (g_steal_pointer (&canonical), FALSE);
  return value->numbers->len > 0 ||
         fail (error, text, "names none: at least one duration is wanted");
}

static gboolean
parse_octets (const RerouteSettingSpec *spec,
              const char *text,
              RerouteSettingValue *value,
              GError **error)
{
  if (!reroute_octets_parse (text, &value->number, error) ||
      !check_range (spec, value->number, error))
    return FALSE;
  value->text = reroute_octets_to_string (value->number);
  return TRUE;
}

static gboolean
parse_count (const RerouteSettingSpec *spec,
             const char *text,
             RerouteSettingValue *value,
             GError **error)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &number, NULL))
    return fail (error, text, "is no whole number");
  value->number = (gint64) number;
  value->text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);
  return check_range (spec, value->number, error);
}

static gboolean
parse_paths (const RerouteSettingSpec *spec,
             const char *text,
             RerouteSettingValue *value,
             GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  gsize n = 0;

  for (gsize i = 0; parts[i] != NULL; i++)
    {
      const char *path = g_strstrip (parts[i]);
      if (*path == '\0')
        continue;
      if (!reroute_file_name_check (path, error))
        return FALSE;
      g_strv_builder_add (paths, path);
      n++;
    }
  value->paths = g_strv_builder_end (paths);
  value->text = g_strjoinv (", ", value->paths);
  return check_count (spec, n, text, error);
}

static gboolean
parse_account (const RerouteSettingSpec *spec,
               const char *text,
               RerouteSettingValue *value,
               GError **error)
{
  value->text = g_strdup (text);
  return *text == '\0' || reroute_account_check_name (text, error);
}

static gboolean
parse_text (const RerouteSettingSpec *spec,
            const char *text,
            RerouteSettingValue *value,
            GError **error)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      return fail (error, text, "has a control character");
  value->text = g_strdup (text);
  if ((gint64) strlen (text) <= spec->maximum)
    return TRUE;
  g_autofree char *wanted = g_strdup_printf (
    "is too long: at most %" G_GINT64_FORMAT " octets are possible", spec->maximum);
  return fail (error, text, wanted);
}

static gboolean
parse_milters (const RerouteSettingSpec *spec,
               const char *text,
               RerouteSettingValue *value,
               GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  g_autoptr (GString) canonical = g_string_new (NULL);

  value->milters = g_array_new (FALSE, FALSE, sizeof (RerouteMilterSpec));
  g_array_set_clear_func (value->milters, (GDestroyNotify) reroute_milter_spec_clear);
  for (gsize i = 0; parts[i] != NULL; i++)
    {
      RerouteMilterSpec milter;
      if (*g_strstrip (parts[i]) == '\0')
        continue;
      if (!reroute_milter_spec_parse (parts[i], &milter, error))
        return FALSE;
      g_array_append_val (value->milters, milter);
      g_autofree char *shown = reroute_milter_spec_to_string (&milter);
      g_string_append_printf (canonical, "%s%s", canonical->len > 0 ? ", " : "", shown);
    }
  value->text = g_string_free (g_steal_pointer (&canonical), FALSE);
  return check_count (spec, value->milters->len, text, error);
}

static gboolean
parse_log_levels (const RerouteSettingSpec *spec,
                  const char *text,
                  RerouteSettingValue *value,
                  GError **error)
{
  RerouteLogLevel levels[REROUTE_N_LOG_CATEGORIES];

  if (!reroute_log_levels_parse (text, levels, error))
    return FALSE;
  value->text = reroute_log_levels_to_string (levels);
  return TRUE;
}

static gboolean
parse_program (const RerouteSettingSpec *spec,
               const char *text,
               RerouteSettingValue *value,
               GError **error)
{
  value->text = g_strdup (text);
  return *text == '\0' || reroute_program_name_is_bare (text) ||
         fail (error, text, "is no bare name of a program: write one such as “page-operator”");
}

static gboolean
parse_url (const RerouteSettingSpec *spec,
           const char *text,
           RerouteSettingValue *value,
           GError **error)
{
  value->text = g_strdup (text);
  return *text == '\0' || reroute_web_address_check (text, error);
}

static const ParseFunc parsers[] = {
  [REROUTE_SETTING_TYPE_HOSTNAME] = parse_hostname,
  [REROUTE_SETTING_TYPE_ENDPOINTS] = parse_endpoints,
  [REROUTE_SETTING_TYPE_BOOLEAN] = parse_boolean,
  [REROUTE_SETTING_TYPE_ENUM] = parse_enum,
  [REROUTE_SETTING_TYPE_DELIVERY] = parse_delivery,
  [REROUTE_SETTING_TYPE_HOST] = parse_host,
  [REROUTE_SETTING_TYPE_RANGES] = parse_ranges,
  [REROUTE_SETTING_TYPE_ADDRESSES] = parse_ranges,
  [REROUTE_SETTING_TYPE_DNS] = parse_dns,
  [REROUTE_SETTING_TYPE_MAILBOX] = parse_mailbox,
  [REROUTE_SETTING_TYPE_DURATION] = parse_duration,
  [REROUTE_SETTING_TYPE_DURATIONS] = parse_durations,
  [REROUTE_SETTING_TYPE_OCTETS] = parse_octets,
  [REROUTE_SETTING_TYPE_COUNT] = parse_count,
  [REROUTE_SETTING_TYPE_PATHS] = parse_paths,
  [REROUTE_SETTING_TYPE_ACCOUNT] = parse_account,
  [REROUTE_SETTING_TYPE_TEXT] = parse_text,
  [REROUTE_SETTING_TYPE_MILTERS] = parse_milters,
  [REROUTE_SETTING_TYPE_LOG_LEVELS] = parse_log_levels,
  [REROUTE_SETTING_TYPE_PROGRAM] = parse_program,
  [REROUTE_SETTING_TYPE_URL] = parse_url,
};

static void
clear_value (gpointer data)
{
  RerouteSettingValue *self = data;

  g_free (self->text);
  g_clear_pointer (&self->numbers, g_array_unref);
  g_clear_pointer (&self->ranges, g_array_unref);
  g_clear_pointer (&self->hosts, reroute_hosts_unref);
  g_strfreev (self->endpoints);
  g_strfreev (self->paths);
  g_clear_pointer (&self->milters, g_array_unref);
}

RerouteSettingValue *
reroute_setting_value_ref (RerouteSettingValue *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
reroute_setting_value_unref (RerouteSettingValue *self)
{
  g_atomic_rc_box_release_full (self, clear_value);
}

RerouteSettingValue *
reroute_setting_value_parse (const RerouteSettingSpec *spec, const char *text, GError **error)
{
  g_autoptr (RerouteSettingValue) value = g_atomic_rc_box_new0 (RerouteSettingValue);

  if (!g_utf8_validate (text, -1, NULL))
    {
      fail (error, text, "is not UTF-8 text");
      return NULL;
    }
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  if (!parsers[spec->type](spec, trimmed, value, error))
    return NULL;
  return g_steal_pointer (&value);
}
