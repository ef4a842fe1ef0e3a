/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-report-record.c - where a domain wants reports about TLS to go
 *
 * Standards: RFC 8460 section 3 (the record), RFC 6068 (mailto), RFC 3986.
 */

#include "config.h"

#include "service/relay/smtp/tls-report-record.h"

#include "common/address.h"
#include "common/domain.h"
#include "common/ip.h"
#include "common/limits.h"

#include <string.h>

#define VERSION "v=TLSRPTv1"

static void
free_address (gpointer data)
{
  RerouteTlsReportAddress *self = data;

  g_free (self->mailbox);
  g_free (self->host);
  g_free (self->path);
  g_free (self);
}

/* A field must follow, behind a semicolon that blanks may precede (RFC 8460 3). */
static gboolean
is_version (const char *record)
{
  gsize n = strlen (VERSION);

  return strncmp (record, VERSION, n) == 0 && record[n + strspn (record + n, " \t")] == ';';
}

/* The one record of TLSRPT; NULL: there is none, or more than one. */
static const char *
find_record (const GPtrArray *records)
{
  const char *found = NULL;

  for (guint i = 0; i < records->len; i++)
    {
      if (!is_version (records->pdata[i]))
        continue;
      if (found != NULL)
        return NULL;
      found = records->pdata[i];
    }
  return found;
}

/* (transfer full): what the field "rua" says; NULL: there is none */
static char *
find_rua (const char *record)
{
  g_auto (GStrv) fields = g_strsplit (record, ";", -1);

  for (gsize i = 1; fields[0] != NULL && fields[i] != NULL; i++)
    {
      const char *field = g_strstrip (fields[i]);

      if (g_str_has_prefix (field, "rua="))
        return g_strdup (field + strlen ("rua="));
    }
  return NULL;
}

/* "mailto:reports@example.net", perhaps with header fields behind a question mark. */
static RerouteTlsReportAddress *
parse_mailto (const char *uri)
{
  g_autofree char *coded = g_strndup (uri, strcspn (uri, "?"));
  g_autofree char *text = g_uri_unescape_string (coded, "\r\n");
  g_autoptr (RerouteAddress) address =
               text != NULL ? reroute_address_parse (text, FALSE, NULL) : NULL;
  RerouteTlsReportAddress *self;

  if (address == NULL || *address->key == '\0')
    return NULL;
  self = g_new0 (RerouteTlsReportAddress, 1);
  self->mailbox = g_strdup (address->text);
  return self;
}

/* (transfer full): as certificates name it; NULL: it is no host */
static char *
normalize_host (const char *host)
{
  RerouteIp ip;

  return reroute_ip_parse (host, &ip) ? NULL : reroute_domain_normalize (host, NULL);
}

static RerouteTlsReportAddress *
parse_https (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_ENCODED, NULL);
  const char *shown = uri != NULL ? g_uri_get_host (uri) : NULL;
  g_autofree char *host = shown != NULL ? normalize_host (shown) : NULL;
  const char *path, *query;
  RerouteTlsReportAddress *self;

  if (host == NULL || g_uri_get_userinfo (uri) != NULL || g_uri_get_port (uri) == 0)
    return NULL;
  path = g_uri_get_path (uri);
  query = g_uri_get_query (uri);
  self = g_new0 (RerouteTlsReportAddress, 1);
  self->host = g_steal_pointer (&host);
  self->port =
    (guint16) (g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : REROUTE_DEFAULT_HTTPS_PORT);
  self->path = g_strconcat (
    *path != '\0' ? path : "/", query != NULL ? "?" : "", query != NULL ? query : "", NULL);
  return self;
}

/* What stands there is sent to other hosts. */
static gboolean
is_uri (const char *text)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isgraph (*text))
      return FALSE;
  return TRUE;
}

static RerouteTlsReportAddress *
parse_address (const char *uri)
{
  if (!is_uri (uri))
    return NULL;
  if (g_ascii_strncasecmp (uri, "mailto:", strlen ("mailto:")) == 0)
    return parse_mailto (uri + strlen ("mailto:"));
  if (g_ascii_strncasecmp (uri, "https:", strlen ("https:")) == 0)
    return parse_https (uri);
  return NULL;
}

GPtrArray *
reroute_tls_report_record_parse (const GPtrArray *records, guint most)
{
  g_return_val_if_fail (records != NULL, NULL);

  const char *record = find_record (records);
  g_autofree char *rua =
    record != NULL && g_utf8_validate (record, -1, NULL) ? find_rua (record) : NULL;
  g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (free_address);
  g_auto (GStrv) uris = NULL;

  if (rua == NULL)
    return NULL;
  uris = g_strsplit (rua, ",", -1);
  for (gsize i = 0; uris[i] != NULL && addresses->len < most; i++)
    {
      RerouteTlsReportAddress *address = parse_address (g_strstrip (uris[i]));

      if (address != NULL)
        g_ptr_array_add (addresses, address);
    }
  return g_steal_pointer (&addresses);
}
