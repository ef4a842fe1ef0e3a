/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * setting-text.c - what is said of the value of a setting that was refused
 *
 * common/settings judges; here its answer becomes a sentence in the reader's language.
 */

#include "config.h"

#include "common/setting-text.h"

#include "common/log-level.h"
#include "common/refusal-text.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Between the elements of a list: a file name and a filter with its options have blanks in them. */
static const char *
get_separators (const RerouteSettingSpec *spec)
{
  gboolean has_blanks =
    spec->type == REROUTE_SETTING_TYPE_PATHS || spec->type == REROUTE_SETTING_TYPE_MILTERS;

  return has_blanks ? "," : ", \t\n";
}

/* (transfer full) (nullable): the first element of a list that is wrong by itself.  @n: counts
   those in front of it */
static char *
dup_wrong_part (const RerouteSettingSpec *spec, const char *text, guint *n)
{
  g_auto (GStrv) parts = g_strsplit_set (text, get_separators (spec), -1);

  for (char **part = parts; *part != NULL; part++)
    {
      g_autofree char *value = NULL;

      if (*g_strstrip (*part) == '\0')
        continue;
      value = reroute_setting_canonicalize (spec, *part, NULL);
      if (value == NULL)
        return g_strdup (*part);
      ++*n;
    }
  return NULL;
}

static char *
dup_range_error (const char *part)
{
  RerouteIpRange range = { .prefix_bits = G_MAXUINT };
  g_autofree char *meant = NULL;

  if (reroute_ip_range_parse (part, &range, NULL) || range.prefix_bits == G_MAXUINT)
    return g_strdup_printf (_ ("“%s” is no address or range. Write “192.0.2.7”, “192.0.2.0/24” or “2001:db8::/32”."), part);
  meant = reroute_ip_range_to_string (&range);
  return g_strdup_printf (
    /* Translators: what was typed, and the whole network that it lies in */
    _ ("“%s” starts inside a network. Write “%s” for the network, or one address."), part, meant);
}

static char *
dup_endpoint_error (const RerouteSettingSpec *spec, const char *part)
{
  if (part[0] == '\0')
    return g_strdup (
      _ ("Write at least one address with its port, such as “0.0.0.0:25” or “[::]:25”."));
  if (spec->id == REROUTE_SETTING_HEALTH_LISTEN || spec->id == REROUTE_SETTING_METRICS_LISTEN)
    return g_strdup_printf (
      _ ("“%s” is no loopback address with a port. Write one such as “127.0.0.1:8025”."), part);
  if (spec->id == REROUTE_SETTING_LISTEN_TLS)
    return g_strdup_printf (
      _ ("“%s” is no address with a port. Write one such as “0.0.0.0:465” or “[::]:465”."), part);
  return g_strdup_printf (
    _ ("“%s” is no address with a port. Write one such as “0.0.0.0:25” or “[::]:25”."), part);
}

/* The inbound host. */
static char *
dup_host_error (const char *text)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text));

  if (g_ascii_strncasecmp (trimmed, "lmtp:", strlen ("lmtp:")) != 0)
    return reroute_dup_host_error (text);
  return g_strdup_printf (_ ("“%s” is no LMTP server. Write “lmtp:mail.example.com:24” for a host, or “lmtp:/run/dovecot/lmtp” for a socket."),
                             trimmed);
}

static char *
dup_limits_error (const RerouteSettingSpec *spec)
{
  g_autofree char *least = NULL;
  g_autofree char *most = NULL;

  switch (spec->type)
    {
    case REROUTE_SETTING_TYPE_OCTETS:
      least = reroute_octets_to_string (spec->minimum);
      most = reroute_octets_to_string (spec->maximum);
      return g_strdup_printf (
        /* Translators: sizes, “1 KiB”, the last one the default */
        _ ("Write a size from %s to %s, such as “%s”."), least, most, spec->default_value);
    case REROUTE_SETTING_TYPE_DURATION:
      least = reroute_duration_to_string (spec->minimum);
      most = reroute_duration_to_string (spec->maximum);
      return g_strdup_printf (
        /* Translators: times as they are typed, “5m”, the last one the default; the letters stay */
        _ ("Write a time from %s to %s, such as “%s”: a number, then s, m, h or d."),
           least,
           most,
           spec->default_value);
    default:
      return g_strdup_printf (
        /* Translators: the least and the most */
        _ ("Write a whole number from %'d to %'d."), (int) spec->minimum, (int) spec->maximum);
    }
}

static char *
dup_choices_error (const RerouteSettingSpec *spec)
{
  g_autofree char *words = g_strjoinv (", ", (char **) spec->choices);

  /* Translators: words that are typed, which are not translated */
  return g_strdup_printf (_ ("Write one of these words: %s."), words);
}

static char *
dup_log_levels_error (const char *part)
{
  const char *categories[REROUTE_N_LOG_CATEGORIES + 1] = { NULL };
  const char *levels[REROUTE_N_LOG_LEVELS + 1] = { NULL };
  g_autofree char *all_categories = NULL;
  g_autofree char *all_levels = NULL;

  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    categories[i] = reroute_log_category_to_string (i);
  for (guint i = 0; i < REROUTE_N_LOG_LEVELS; i++)
    levels[i] = reroute_log_level_to_string (i);
  all_categories = g_strjoinv (", ", (char **) categories);
  all_levels = g_strjoinv (", ", (char **) levels);
  /* Translators: what was typed; then words that are typed, which are not translated */
  return g_strdup_printf (_ ("“%s” is no logging level. Write levels such as “session=medium”. Categories: %s. Levels: %s."),
    part,
    all_categories,
    all_levels);
}

/* Whether it is no list. */
static gboolean
is_one (const RerouteSettingSpec *spec)
{
  return spec->type == REROUTE_SETTING_TYPE_ACCOUNT || spec->type == REROUTE_SETTING_TYPE_PROGRAM ||
         spec->type == REROUTE_SETTING_TYPE_URL;
}

/* Whether it is a list whose elements are counted. */
static gboolean
is_counted (const RerouteSettingSpec *spec)
{
  switch (spec->type)
    {
    case REROUTE_SETTING_TYPE_ENDPOINTS:
    case REROUTE_SETTING_TYPE_RANGES:
    case REROUTE_SETTING_TYPE_ADDRESSES:
    case REROUTE_SETTING_TYPE_DNS:
    case REROUTE_SETTING_TYPE_PATHS:
    case REROUTE_SETTING_TYPE_MILTERS:
      return spec->maximum > 1;
    default:
      return FALSE;
    }
}

/* @part: of @text, or all of it */
static char *
dup_part_error (const RerouteSettingSpec *spec, const char *text, const char *part)
{
  switch (spec->type)
    {
    case REROUTE_SETTING_TYPE_HOSTNAME:
      return g_strdup_printf (
        spec->id == REROUTE_SETTING_SRS_DOMAIN
        ? _ ("“%s” is no domain. Write one of yours, such as “example.com”.")
        : _ ("“%s” is no host name. Write a whole one, such as “mail.example.com”."), part);
    case REROUTE_SETTING_TYPE_ENDPOINTS:
      return dup_endpoint_error (spec, part);
    case REROUTE_SETTING_TYPE_RANGES:
      return dup_range_error (part);
    case REROUTE_SETTING_TYPE_ADDRESSES:
      return g_strdup_printf (
        _ ("“%s” is no address. Write one such as “192.0.2.25” or “2001:db8::25”."), part);
    case REROUTE_SETTING_TYPE_DNS:
      return g_strdup_printf (_ ("“%s” is no name server. Write addresses such as “192.0.2.53”."),
                                 part);
    case REROUTE_SETTING_TYPE_MAILBOX:
      return g_strdup_printf (
        _ ("“%s” is no e-mail address. Write one such as “postmaster@example.com”."), part);
    case REROUTE_SETTING_TYPE_TEXT:
      return g_strdup_printf (_ ("Write one line of at most %'d octets."), (int) spec->maximum);
    case REROUTE_SETTING_TYPE_MILTERS:
      return g_strdup_printf (
        _ ("“%s” is no mail filter. Write filters such as “unix:/run/rspamd/milter.sock action=accept, inet:127.0.0.1:8891”."),
           part);
    case REROUTE_SETTING_TYPE_PATHS:
      return reroute_dup_file_name_error (part);
    case REROUTE_SETTING_TYPE_ACCOUNT:
      return reroute_dup_account_error (part);
    case REROUTE_SETTING_TYPE_DURATIONS:
      return g_strdup (_ ("Write times such as “1m, 5m, 30m, 1h”: a number, then s, m, h or d."));
    case REROUTE_SETTING_TYPE_OCTETS:
    case REROUTE_SETTING_TYPE_DURATION:
    case REROUTE_SETTING_TYPE_COUNT:
      return dup_limits_error (spec);
    case REROUTE_SETTING_TYPE_BOOLEAN:
      return g_strdup (_ ("Write “yes” or “no”."));
    case REROUTE_SETTING_TYPE_ENUM:
      return dup_choices_error (spec);
    case REROUTE_SETTING_TYPE_LOG_LEVELS:
      return dup_log_levels_error (part);
    case REROUTE_SETTING_TYPE_PROGRAM:
      return g_strdup_printf (
        _ ("“%s” is no bare name of a program. Write one such as “page-operator”."), part);
    case REROUTE_SETTING_TYPE_URL:
      return g_strdup_printf (_ ("“%s” is no web address for alarms. Write one such as “https://alarms.example.com/reroute”, without a password."),
                                 part);
    default:
      return dup_host_error (text);
    }
}

char *
reroute_dup_setting_error (const RerouteSettingSpec *spec, const char *text)
{
  g_autofree char *part = NULL;
  guint n = 0;

  g_return_val_if_fail (spec != NULL && text != NULL, NULL);

  if (!is_one (spec))
    part = dup_wrong_part (spec, text, &n);
  if (part == NULL && is_counted (spec) && n > spec->maximum)
    return g_strdup_printf (
      /* Translators: the most elements that a list takes, at least 2 */
      _ ("These are too many: the list takes at most %'d."), (int) spec->maximum);
  if (part == NULL)
    part = g_strstrip (g_strdup (text));
  return dup_part_error (spec, text, part);
}
