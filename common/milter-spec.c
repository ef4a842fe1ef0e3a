/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * milter-spec.c - a milter as an administrator names it: its socket, its default action, its time
 * limits
 *
 * Source of the defaults: postconf(5), milter_default_action, milter_connect_timeout,
 * milter_command_timeout, milter_content_timeout.
 */

#include "config.h"

#include "common/milter-spec.h"

#include "common/host.h"

#include "common/domain-private.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/quantity.h"

#include <string.h>

#define DEFAULT_CONNECT_S 30
#define DEFAULT_COMMAND_S 30
#define DEFAULT_CONTENT_S 300
#define TIME_MAX_S 3600

static const char *const actions[] = {
  [REROUTE_MILTER_TEMPFAIL] = "tempfail",
  [REROUTE_MILTER_ACCEPT] = "accept",
  [REROUTE_MILTER_REJECT] = "reject",
};

/* The time limits by their words. */
static const struct
{
  const char *word;
  gsize offset;
  gint64 default_s;
} limits[] = {
  { "connect", G_STRUCT_OFFSET (RerouteMilterSpec, connect_s), DEFAULT_CONNECT_S },
  { "command", G_STRUCT_OFFSET (RerouteMilterSpec, command_s), DEFAULT_COMMAND_S },
  { "content", G_STRUCT_OFFSET (RerouteMilterSpec, content_s), DEFAULT_CONTENT_S },
};

static gboolean
fail (GError **error, const char *text, const char *wanted)
{
  g_autofree char *value = reroute_quote_value (text, -1);

  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "milter %s %s", value, wanted);
  return FALSE;
}

static gint64 *
get_limit (RerouteMilterSpec *self, gsize i)
{
  return (gint64 *) (gpointer) ((char *) self + limits[i].offset);
}

static gboolean
parse_path (const char *path, RerouteMilterSpec *spec, GError **error)
{
  const char *trouble = reroute_socket_path_check (path);

  if (trouble != NULL)
    return fail (error, path, trouble);
  spec->path = g_strdup (path);
  return TRUE;
}

/* @place: "192.0.2.1:8891", "[::1]:8891", or libmilter's "8891@192.0.2.1". */
static gboolean
parse_place (const char *place, RerouteMilterSpec *spec, GError **error)
{
  g_autofree char *copy = g_strdup (place);
  char *at = strchr (copy, '@');
  char *colon = strrchr (copy, ':');
  char *address = at != NULL ? at + 1 : copy;
  const char *port = at != NULL ? copy : colon != NULL ? colon + 1 : "";
  guint64 number;

  if (at != NULL)
    *at = '\0';
  else if (colon != NULL)
    *colon = '\0';
  gsize length = strlen (address);
  if (*address == '[' && address[length - 1] == ']')
    {
      address[length - 1] = '\0';
      address++;
    }
  if (!reroute_ip_parse (address, &spec->ip) ||
      !g_ascii_string_to_unsigned (port, 10, 1, 65535, &number, NULL))
    return fail (
      error, place, "is no address with a port: write “inet:127.0.0.1:8891” or “unix:/run/socket”");
  spec->port = (guint16) number;
  return TRUE;
}

static gboolean
parse_address (const char *text, RerouteMilterSpec *spec, GError **error)
{
  static const char *const path_prefixes[] = { "unix:", "local:" };

  for (gsize i = 0; i < G_N_ELEMENTS (path_prefixes); i++)
    if (g_ascii_strncasecmp (text, path_prefixes[i], strlen (path_prefixes[i])) == 0)
      return parse_path (text + strlen (path_prefixes[i]), spec, error);
  if (*text == '/')
    return parse_path (text, spec, error);
  if (g_ascii_strncasecmp (text, "inet6:", strlen ("inet6:")) == 0)
    text += strlen ("inet6:");
  else if (g_ascii_strncasecmp (text, "inet:", strlen ("inet:")) == 0)
    text += strlen ("inet:");
  return parse_place (text, spec, error);
}

static gboolean
parse_option (const char *word, RerouteMilterSpec *spec, GError **error)
{
  const char *equals = strchr (word, '=');
  gsize length = equals != NULL ? (gsize) (equals - word) : 0;

  if (length == strlen ("action") && g_ascii_strncasecmp (word, "action", length) == 0)
    {
      for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
        if (g_ascii_strcasecmp (equals + 1, actions[i]) == 0)
          {
            spec->action = i;
            return TRUE;
          }
      return fail (error, word, "is unknown: “accept”, “tempfail”, “reject” are possible");
    }
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    if (length == strlen (limits[i].word) &&
        g_ascii_strncasecmp (word, limits[i].word, length) == 0)
      {
        gint64 *limit_s = get_limit (spec, i);
        if (!reroute_duration_parse (equals + 1, limit_s, error))
          return FALSE;
        return (*limit_s >= 1 && *limit_s <= TIME_MAX_S) ||
               fail (error, word, "is out of range: “1s” to “1h” is possible");
      }
  return fail (
    error, word, "is unknown: “action=”, “connect=”, “command=”, “content=” are possible");
}

gboolean
reroute_milter_spec_parse (const char *text, RerouteMilterSpec *spec, GError **error)
{
  g_return_val_if_fail (text != NULL && spec != NULL, FALSE);

  g_auto (GStrv) words = g_strsplit_set (text, " \t\n", -1);
  RerouteMilterSpec parsed = { .action = REROUTE_MILTER_TEMPFAIL };
  gboolean sound = TRUE, has_address = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    *get_limit (&parsed, i) = limits[i].default_s;
  for (gsize i = 0; words[i] != NULL && sound; i++)
    {
      if (*words[i] == '\0')
        continue;
      sound = has_address ? parse_option (words[i], &parsed, error)
                          : parse_address (words[i], &parsed, error);
      has_address = TRUE;
    }
  if (sound && !has_address)
    sound = fail (error, text, "has no address: write “inet:127.0.0.1:8891” or “unix:/run/socket”");
  if (sound)
    *spec = parsed;
  else
    reroute_milter_spec_clear (&parsed);
  return sound;
}

void
reroute_milter_spec_clear (RerouteMilterSpec *self)
{
  g_clear_pointer (&self->path, g_free);
}

char *
reroute_milter_spec_dup_address (const RerouteMilterSpec *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (self->path != NULL)
    return g_strconcat ("unix:", self->path, NULL);

  g_autofree char *ip = reroute_ip_to_string (&self->ip);
  return g_strdup_printf (
    reroute_ip_is_ipv4 (&self->ip) ? "inet:%s:%u" : "inet:[%s]:%u", ip, self->port);
}

char *
reroute_milter_spec_to_string (const RerouteMilterSpec *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autofree char *address = reroute_milter_spec_dup_address (self);
  GString *text = g_string_new (address);

  if (self->action != REROUTE_MILTER_TEMPFAIL)
    g_string_append_printf (text, " action=%s", actions[self->action]);
  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      gint64 limit_s = *get_limit ((RerouteMilterSpec *) self, i);
      g_autofree char *shown = reroute_duration_to_string (limit_s);
      if (limit_s != limits[i].default_s)
        g_string_append_printf (text, " %s=%s", limits[i].word, shown);
    }
  return g_string_free (text, FALSE);
}
