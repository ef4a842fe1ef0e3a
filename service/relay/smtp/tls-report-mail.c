/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-report-mail.c - a report about TLS as mail
 *
 * Two parts: for people, and the report.  It asks to be delivered whatever becomes of TLS on its
 * way, for that may be what it is about.
 *
 * Standards: RFC 8460 sections 3 and 5.3, RFC 6522, RFC 8689 section 3 (TLS-Required).
 */

#include "config.h"

#include "service/relay/smtp/tls-report-mail.h"

#include "service/relay/smtp/date.h"
#include "service/relay/smtp/mime-private.h"

#include <string.h>

static GMimeObject *
make_attachment (const RerouteTlsReportMail *mail)
{
  GMimePart *part = g_mime_part_new_with_type ("application", "tlsrpt+gzip");
  gsize length;
  const char *octets = g_bytes_get_data (mail->report, &length);
  GMimeStream *stream = g_mime_stream_mem_new_with_buffer (octets, length);
  GMimeDataWrapper *content =
    g_mime_data_wrapper_new_with_stream (stream, GMIME_CONTENT_ENCODING_DEFAULT);

  g_mime_part_set_content (part, content);
  g_mime_part_set_content_encoding (part, GMIME_CONTENT_ENCODING_BASE64);
  g_mime_object_set_disposition (GMIME_OBJECT (part), GMIME_DISPOSITION_ATTACHMENT);
  g_mime_part_set_filename (part, mail->file_name);
  g_object_unref (content);
  g_object_unref (stream);
  return GMIME_OBJECT (part);
}

static GMimeMultipart *
make_report (const RerouteTlsReportMail *mail)
{
  GMimeMultipart *report = g_mime_multipart_new_with_subtype ("report");
  g_autofree char *text =
    g_strdup_printf ("This is a report about TLS of mail from %s to %s on %s (UTC).\n"
                     "It was asked for by the DNS record _smtp._tls.%s; see RFC 8460.\n",
                     mail->submitter,
                     mail->domain,
                     mail->day,
                     mail->domain);
  GMimeObject *people = reroute_mime_make_text ("text", "plain", text, strlen (text));

  g_mime_object_set_content_type_parameter (GMIME_OBJECT (report), "report-type", "tlsrpt");
  g_mime_object_set_content_type_parameter (people, "charset", REROUTE_MIME_CHARSET);
  reroute_mime_add_part (report, people, "Notification");
  reroute_mime_add_part (report, make_attachment (mail), "TLS report");
  return report;
}

static void
set_header (GMimeMessage *message, const char *name, const char *value)
{
  g_mime_object_set_header (GMIME_OBJECT (message), name, value, REROUTE_MIME_CHARSET);
}

GBytes *
reroute_tls_report_mail_format (const RerouteTlsReportMail *mail)
{
  g_return_val_if_fail (mail != NULL && mail->report != NULL, NULL);

  reroute_mime_ensure_ready ();
  GMimeMessage *message = g_mime_message_new (TRUE);
  GMimeMultipart *report = make_report (mail);
  g_autofree char *date = reroute_date_format (mail->now_us);
  g_autofree char *id = g_strdup_printf ("%s@%s", mail->id, mail->submitter);
  g_autofree char *subject = g_strdup_printf (
    "Report Domain: %s Submitter: %s Report-ID: <%s>", mail->domain, mail->submitter, id);

  g_mime_message_add_mailbox (message, GMIME_ADDRESS_TYPE_FROM, NULL, mail->from);
  g_mime_message_add_mailbox (message, GMIME_ADDRESS_TYPE_TO, NULL, mail->to);
  g_mime_message_set_subject (message, subject, REROUTE_MIME_CHARSET);
  set_header (message, "Date", date);
  g_mime_message_set_message_id (message, id);
  set_header (message, "TLS-Report-Domain", mail->domain);
  set_header (message, "TLS-Report-Submitter", mail->submitter);
  set_header (message, "TLS-Required", "No");
  set_header (message, "Auto-Submitted", "auto-generated");
  set_header (message, "MIME-Version", "1.0");
  g_mime_message_set_mime_part (message, GMIME_OBJECT (report));
  g_object_unref (report);
  return reroute_mime_to_wire (message);
}
