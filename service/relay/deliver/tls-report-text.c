/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-report-text.c - a report about TLS as JSON, compressed
 *
 * Standards: RFC 8460 section 4.4 (and erratum 6241: mx-host is an array), RFC 3339, RFC 1952.
 */

#include "config.h"

#include "service/relay/deliver/tls-report-text.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define CHUNK_OCTETS 16384

static void
add_text (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

/* What is not known is left out. */
static void
add_known (JsonBuilder *builder, const char *name, const char *value)
{
  if (*value != '\0')
    add_text (builder, name, value);
}

static void
add_count (JsonBuilder *builder, const char *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) MIN (value, (guint64) G_MAXINT64));
}

static void
add_texts (JsonBuilder *builder, const char *name, char **values)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (gsize i = 0; values[i] != NULL; i++)
    json_builder_add_string_value (builder, values[i]);
  json_builder_end_array (builder);
}

static void
add_time (JsonBuilder *builder, const char *name, gint64 time_s)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (time_s);
  g_autofree char *text = g_date_time_format (time, "%FT%TZ");

  add_text (builder, name, text);
}

static void
add_failure (JsonBuilder *builder, const RerouteTlsFailure *failure)
{
  json_builder_begin_object (builder);
  add_text (builder, "result-type", reroute_tls_verdict_to_string (failure->verdict));
  add_known (builder, "sending-mta-ip", failure->sending_ip);
  add_known (builder, "receiving-mx-hostname", failure->mx);
  add_known (builder, "receiving-ip", failure->receiving_ip);
  add_count (builder, "failed-session-count", failure->count);
  add_known (builder, "failure-reason-code", failure->reason);
  json_builder_end_object (builder);
}

static void
add_policy (JsonBuilder *builder, const RerouteTlsPolicy *policy)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "policy");
  json_builder_begin_object (builder);
  add_text (builder, "policy-type", reroute_tls_policy_kind_to_string (policy->kind));
  if (policy->strings[0] != NULL)
    add_texts (builder, "policy-string", policy->strings);
  add_text (builder, "policy-domain", policy->domain);
  if (policy->mx[0] != NULL)
    add_texts (builder, "mx-host", policy->mx);
  json_builder_end_object (builder);

  json_builder_set_member_name (builder, "summary");
  json_builder_begin_object (builder);
  add_count (builder, "total-successful-session-count", policy->n_succeeded);
  add_count (builder, "total-failure-session-count", policy->n_failed);
  json_builder_end_object (builder);

  if (policy->failures->len > 0)
    {
      json_builder_set_member_name (builder, "failure-details");
      json_builder_begin_array (builder);
      for (guint i = 0; i < policy->failures->len; i++)
        add_failure (builder, policy->failures->pdata[i]);
      json_builder_end_array (builder);
    }
  json_builder_end_object (builder);
}

char *
reroute_tls_report_to_json (const RerouteTlsReport *report)
{
  g_return_val_if_fail (report != NULL && report->domain != NULL, NULL);

  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_text (builder, "organization-name", report->organization);
  json_builder_set_member_name (builder, "date-range");
  json_builder_begin_object (builder);
  add_time (builder, "start-datetime", report->begin_s);
  add_time (builder, "end-datetime", report->end_s);
  json_builder_end_object (builder);
  add_text (builder, "contact-info", report->contact);
  add_text (builder, "report-id", report->id);
  json_builder_set_member_name (builder, "policies");
  json_builder_begin_array (builder);
  for (guint i = 0; i < report->domain->policies->len; i++)
    add_policy (builder, report->domain->policies->pdata[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

GBytes *
reroute_tls_report_compress (const char *text)
{
  g_return_val_if_fail (text != NULL, NULL);

  g_autoptr (GZlibCompressor) compressor =
               g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1);
  GByteArray *octets = g_byte_array_new ();
  gsize length = strlen (text);
  GConverterResult result;

  do
    {
      guint8 chunk[CHUNK_OCTETS];
      gsize n_read = 0, n_written = 0;

      result = g_converter_convert (G_CONVERTER (compressor),
                                    text,
                                    length,
                                    chunk,
                                    sizeof chunk,
                                    G_CONVERTER_INPUT_AT_END,
                                    &n_read,
                                    &n_written,
                                    NULL);
      g_byte_array_append (octets, chunk, (guint) n_written);
      text += n_read;
      length -= n_read;
    }
  while (result == G_CONVERTER_CONVERTED);
  g_assert (result == G_CONVERTER_FINISHED);
  return g_byte_array_free_to_bytes (octets);
}
