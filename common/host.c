/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * host.c - where mail is forwarded to, as an administrator types it
 *
 * A typed name is this very host; "mx:" in front asks for its exchangers (design.md section 3).
 * "lmtp:" in front is for the inbound host alone.
 */

#include "config.h"

#include "common/host.h"

#include "common/domain-private.h"
#include "common/error.h"
#include "common/ip.h"
#include "common/limits.h"

#include <string.h>

#define MX_PREFIX "mx:"
#define LMTP_PREFIX "lmtp:"
#define PORT_MAX 65535
#define HASH_FACTOR 31

static const RerouteNameRules host_rules = { "host", REROUTE_ERROR_HOST, TRUE };

gboolean
reroute_port_parse (const char *text, guint16 *port, GError **error)
{
  guint64 number;

  g_return_val_if_fail (text != NULL && port != NULL, FALSE);

  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  if (*trimmed == '\0')
    {
      *port = REROUTE_DEFAULT_SMTP_PORT;
      return TRUE;
    }
  if (!g_ascii_string_to_unsigned (trimmed, 10, 1, PORT_MAX, &number, NULL))
    {
      g_autofree char *value = reroute_quote_value (trimmed, -1);
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_HOST,
                   "port %s is not a number from 1 to %d",
                   value,
                   PORT_MAX);
      return FALSE;
    }
  *port = (guint16) number;
  return TRUE;
}

/* The name as it is kept: an address in canonical text without brackets, a name as typed
   without its trailing dot; one beyond ASCII as DNS knows it. */
static char *
normalize_host (const char *name, gboolean *literal, GError **error)
{
  g_autofree char *key = reroute_name_normalize (name, &host_rules, error);

  if (key == NULL)
    return NULL;
  *literal = reroute_domain_is_literal (key);
  if (*literal)
    return reroute_domain_dup_literal_address (key);
  if (!g_str_is_ascii (name))
    return g_steal_pointer (&key);
  char *kept = g_strstrip (g_strdup (name));
  if (*kept == '.')
    memmove (kept, kept + 1, strlen (kept));
  if (g_str_has_suffix (kept, "."))
    kept[strlen (kept) - 1] = '\0';
  return kept;
}

gboolean
reroute_host_validate (const char *name, GError **error)
{
  gboolean literal;

  g_return_val_if_fail (name != NULL, FALSE);

  g_autofree char *kept = normalize_host (name, &literal, error);
  return kept != NULL;
}

/* Where the port's colon stands in "NAME:PORT", "[IPv6]:PORT"; NULL: there is no port. */
static char *
find_port (char *text)
{
  RerouteIp ip;

  if (*text == '[')
    {
      char *close = strchr (text, ']');
      return close != NULL && close[1] == ':' ? close + 1 : NULL;
    }
  return reroute_ip_parse (text, &ip) ? NULL : strrchr (text, ':');
}

/* Takes @prefix and blanks behind it off; FALSE: it is not there.  With a number behind it, it is a
   host of that name with a port. */
static gboolean
strip_prefix (char *text, const char *prefix)
{
  const char *rest = text + strlen (prefix);

  if (g_ascii_strncasecmp (text, prefix, strlen (prefix)) != 0 ||
      (*rest != '\0' && rest[strspn (rest, "0123456789")] == '\0'))
    return FALSE;
  memmove (text, text + strlen (prefix), strlen (text) - strlen (prefix) + 1);
  g_strchug (text);
  return TRUE;
}

static gboolean
parse_host (const char *text, guint16 default_port, RerouteHost *host, GError **error)
{
  g_autofree char *rest = g_strstrip (g_strdup (text));

  host->mx = strip_prefix (rest, MX_PREFIX);
  host->port = default_port;
  char *colon = find_port (rest);
  if (colon != NULL && strchr (rest, '/') == NULL && strchr (rest, '@') == NULL)
    {
      g_autofree char *value = reroute_quote_value (rest, -1);
      if (colon[1] == '\0')
        {
          g_set_error (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_HOST,
                       "host %s has no port behind its “:”: write a number from 1 to %d",
                       value,
                       PORT_MAX);
          return FALSE;
        }
      *colon = '\0';
      if (!reroute_port_parse (colon + 1, &host->port, error))
        {
          g_prefix_error (error, "host %s: ", value);
          return FALSE;
        }
    }
  host->name = normalize_host (rest, &host->literal, error);
  if (host->name == NULL)
    return FALSE;
  if (host->mx && host->literal)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_HOST,
                   "host “%s” is an address and has no MX: write it without “mx:”",
                   host->name);
      return FALSE;
    }
  return TRUE;
}

static void
clear_hosts (gpointer data)
{
  RerouteHosts *self = data;

  for (gsize i = 0; i < self->n_hosts; i++)
    g_free (self->hosts[i].name);
  g_free (self->hosts);
}

RerouteHosts *
reroute_hosts_parse (const char *text, gboolean by_turns, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);

  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  g_auto (GStrv) parts = g_strsplit_set (trimmed, ";,", -1);
  g_autoptr (RerouteHosts) self = g_atomic_rc_box_new0 (RerouteHosts);
  gsize n_parts = g_strv_length (parts);

  self->by_turns = by_turns;
  if (n_parts == 0)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_HOST,
                   "host is empty: write a name such as “mx1.example.com” or an address");
      return NULL;
    }
  if (n_parts > REROUTE_LIMIT_HOSTS_PER_ROW)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_HOST,
                   "%" G_GSIZE_FORMAT " hosts are listed: at most %d are possible",
                   n_parts,
                   REROUTE_LIMIT_HOSTS_PER_ROW);
      return NULL;
    }
  self->hosts = g_new0 (RerouteHost, n_parts);
  for (; self->n_hosts < n_parts; self->n_hosts++)
    {
      RerouteHost *host = &self->hosts[self->n_hosts];
      if (!parse_host (parts[self->n_hosts], REROUTE_DEFAULT_SMTP_PORT, host, error))
        {
          g_clear_pointer (&host->name, g_free);
          return NULL;
        }
      if (host->mx)
        host->port = REROUTE_DEFAULT_SMTP_PORT;
    }
  return g_steal_pointer (&self);
}

gboolean
reroute_hosts_check_typed (const char *text, GError **error)
{
  g_return_val_if_fail (text != NULL, FALSE);

  g_autofree char *rest = g_strstrip (g_strdup (text));
  if (strip_prefix (rest, LMTP_PREFIX))
    return TRUE;
  g_auto (GStrv) parts = g_strsplit_set (rest, ";,", -1);
  for (char **part = parts; *part != NULL; part++)
    {
      RerouteHost host = { 0 };
      gboolean parsed = parse_host (*part, REROUTE_DEFAULT_SMTP_PORT, &host, NULL);
      g_free (host.name);
      if (!parsed || !host.mx || host.port == REROUTE_DEFAULT_SMTP_PORT)
        continue;
      g_autofree char *value = reroute_quote_value (g_strstrip (*part), -1);
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_HOST,
                   "host %s has a port: an MX is always reached at port %d, leave the port out",
                   value,
                   REROUTE_DEFAULT_SMTP_PORT);
      return FALSE;
    }
  return TRUE;
}

const char *
reroute_socket_path_check (const char *path)
{
  g_return_val_if_fail (path != NULL, NULL);

  if (*path != '/')
    return "is no full path of a socket: write it from the first “/” on";
  if (path[1] == '\0')
    return "names no socket: write its full path, from the first “/” on";
  if (strlen (path) > REROUTE_LIMIT_SOCKET_PATH_OCTETS)
    return "is longer than the path of a socket can be";
  for (const char *at = path; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      return "has a control character";
  return NULL;
}

static gboolean
parse_socket (const char *path, RerouteHost *host, GError **error)
{
  const char *trouble = reroute_socket_path_check (path);

  if (trouble != NULL)
    {
      g_autofree char *value = reroute_quote_value (path, -1);
      g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_HOST, "socket %s %s", value, trouble);
      return FALSE;
    }
  host->name = g_strdup (path);
  host->local = TRUE;
  host->port = 0;
  return TRUE;
}

/* @rest: what stands behind "lmtp:" */
static gboolean
parse_lmtp_host (char *rest, RerouteHost *host, GError **error)
{
  host->lmtp = TRUE;
  /* A path that does not begin with a slash is told from a web address. */
  gboolean is_path = strchr (rest, '/') != NULL && strstr (rest, "://") == NULL;
  if (strip_prefix (rest, "unix:") || is_path)
    return parse_socket (rest, host, error);
  strip_prefix (rest, "inet:");
  if (*rest == '\0')
    {
      g_set_error_literal (
        error,
        REROUTE_ERROR,
        REROUTE_ERROR_HOST,
        "host is empty: write “lmtp:mail.example.com” or “lmtp:/run/dovecot/lmtp”");
      return FALSE;
    }
  if (strpbrk (rest, ";,") != NULL)
    {
      g_autofree char *value = reroute_quote_value (rest, -1);
      g_set_error (
        error, REROUTE_ERROR, REROUTE_ERROR_HOST, "%s names several hosts: one is possible", value);
      return FALSE;
    }
  if (!parse_host (rest, REROUTE_DEFAULT_LMTP_PORT, host, error))
    return FALSE;
  if (host->mx)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_HOST,
                   "host “%s”: an exchanger is not spoken to by LMTP: write it without “mx:”",
                   host->name);
      return FALSE;
    }
  return TRUE;
}

RerouteHosts *
reroute_inbound_host_parse (const char *text, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);

  g_autofree char *rest = g_strstrip (g_strdup (text));
  if (!strip_prefix (rest, LMTP_PREFIX))
    return reroute_hosts_parse (text, FALSE, error);

  g_autoptr (RerouteHosts) self = g_atomic_rc_box_new0 (RerouteHosts);
  self->hosts = g_new0 (RerouteHost, 1);
  self->n_hosts = 1;
  return parse_lmtp_host (rest, &self->hosts[0], error) ? g_steal_pointer (&self) : NULL;
}

RerouteHosts *
reroute_hosts_ref (RerouteHosts *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
reroute_hosts_unref (RerouteHosts *self)
{
  g_atomic_rc_box_release_full (self, clear_hosts);
}

gboolean
reroute_hosts_equal (const RerouteHosts *a, const RerouteHosts *b)
{
  if (a == b)
    return TRUE;
  if (a == NULL || b == NULL || a->n_hosts != b->n_hosts || !a->by_turns != !b->by_turns)
    return FALSE;
  for (gsize i = 0; i < a->n_hosts; i++)
    if (!g_str_equal (a->hosts[i].name, b->hosts[i].name) || a->hosts[i].port != b->hosts[i].port ||
        a->hosts[i].mx != b->hosts[i].mx || a->hosts[i].lmtp != b->hosts[i].lmtp ||
        a->hosts[i].local != b->hosts[i].local)
      return FALSE;
  return TRUE;
}

guint
reroute_hosts_hash (const RerouteHosts *self)
{
  guint hash = 0;

  g_return_val_if_fail (self != NULL, 0);

  for (gsize i = 0; i < self->n_hosts; i++)
    hash = hash * HASH_FACTOR + g_str_hash (self->hosts[i].name) + self->hosts[i].port;
  return hash;
}

char *
reroute_hosts_to_string (const RerouteHosts *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autoptr (GString) out = g_string_new (NULL);
  for (gsize i = 0; i < self->n_hosts; i++)
    {
      const RerouteHost *host = &self->hosts[i];
      guint16 default_port = host->lmtp ? REROUTE_DEFAULT_LMTP_PORT : REROUTE_DEFAULT_SMTP_PORT;
      gboolean has_port = !host->local && host->port != default_port;
      gboolean brackets = host->literal && strchr (host->name, ':') != NULL;
      g_string_append (out, i > 0 ? ";" : "");
      g_string_append (out, host->mx ? MX_PREFIX : host->lmtp ? LMTP_PREFIX : "");
      g_string_append_printf (out, brackets ? "[%s]" : "%s", host->name);
      if (has_port)
        g_string_append_printf (out, ":%u", host->port);
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}
