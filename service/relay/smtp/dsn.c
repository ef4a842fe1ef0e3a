/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dsn.c - notices to the sender: failed for good, delayed, or passed on
 *
 * Three parts: for people, for programs, and the header section of the message or all of it.  Names
 * no host but this one, has no octet over 127, and answers no notice (the caller never asks for one
 * to <>).
 *
 * Standards: RFC 3462 (6522), RFC 3464, RFC 3463, RFC 3834, RFC 5321 section 6.1, RFC 6533.
 */

#include "config.h"

#include "service/relay/smtp/dsn.h"

#include "service/relay/smtp/date.h"
#include "service/relay/smtp/dsn-text.h"
#include "service/relay/smtp/mime-private.h"

#include "common/limits.h"

#include <string.h>

static const struct
{
  const char *action; /* RFC 3464 2.3.3 */
  const char *subject;
} kinds[] = {
  [REROUTE_DSN_FAILED] = { "failed", "Your message could not be delivered" },
  [REROUTE_DSN_DELAYED] = { "delayed", "Your message is delayed" },
  [REROUTE_DSN_RELAYED] = { "relayed", "Your message was passed on" },
};

const char *
reroute_dsn_kind_to_string (RerouteDsnKind kind)
{
  g_return_val_if_fail ((guint) kind < G_N_ELEMENTS (kinds), NULL);

  return kinds[kind].action;
}

/* With LF at its line ends, which gmime turns to CR LF, and one of them at the end.  (transfer
   full) */
static GString *
read_lines (const guint8 *octets, gsize length)
{
  GString *lines = g_string_sized_new (length);

  for (gsize i = 0; i < length; i++)
    if (octets[i] != '\r')
      g_string_append_c (lines, (char) octets[i]);
  while (lines->len > 0 && lines->str[lines->len - 1] == '\n')
    g_string_truncate (lines, lines->len - 1);
  return g_string_append_c (lines, '\n');
}

/* What is given back: the message where it was asked for and fits, else its header section. */
static void
add_returned (GMimeMultipart *report, const RerouteDsnRequest *request)
{
  const char *content = (const char *) request->content;

  if (content != NULL && reroute_mime_is_plain (content, request->content_length))
    {
      g_autoptr (GString) lines = read_lines (request->content, request->content_length);
      reroute_mime_add_part (report,
                             reroute_mime_make_text ("message", "rfc822", lines->str, lines->len),
                             "The message");
      return;
    }
  g_autoptr (GString) lines = read_lines (request->headers, request->headers_length);
  reroute_mime_add_part (report,
                         reroute_mime_make_text ("text", "rfc822-headers", lines->str, lines->len),
                         "Headers of the message");
}

static GMimeMultipart *
make_report (const RerouteDsnRequest *request)
{
  GMimeMultipart *report = g_mime_multipart_new_with_subtype ("report");
  g_autofree char *text = reroute_dsn_format_text (request);
  g_autofree char *status = reroute_dsn_format_status (request);
  GMimeObject *people = reroute_mime_make_text ("text", "plain", text, strlen (text));

  g_mime_object_set_content_type_parameter (
    GMIME_OBJECT (report), "report-type", "delivery-status");
  g_mime_object_set_content_type_parameter (people, "charset", REROUTE_MIME_CHARSET);
  reroute_mime_add_part (report, people, "Notification");
  reroute_mime_add_part (
    report,
    reroute_mime_make_text ("message", "delivery-status", status, strlen (status)),
    "Delivery report");
  add_returned (report, request);
  return report;
}

/* Not a mailbox with octets over 127 in it: such a header would need SMTPUTF8 all the way (RFC
 * 6857 3.1.7). */
static void
set_to (GMimeMessage *message, const char *reverse_path)
{
  if (g_str_is_ascii (reverse_path))
    {
      InternetAddress *mailbox = internet_address_mailbox_new (NULL, reverse_path);
      internet_address_list_add (g_mime_message_get_to (message), mailbox);
      g_object_unref (mailbox);
      return;
    }
  InternetAddress *group = internet_address_group_new (reverse_path);
  internet_address_set_charset (group, REROUTE_MIME_CHARSET);
  internet_address_list_add (g_mime_message_get_to (message), group);
  g_object_unref (group);
}

static GMimeMessage *
make_message (const RerouteDsnRequest *request)
{
  GMimeMessage *message = g_mime_message_new (TRUE);
  g_autofree char *from = g_strdup_printf ("MAILER-DAEMON@%s", request->hostname);
  g_autofree char *date = reroute_date_format (request->now_us);
  g_autofree char *id = g_strdup_printf ("%s.%" G_GINT64_MODIFIER "x.%s@%s",
                                         request->queue_id,
                                         request->now_us,
                                         kinds[request->kind].action,
                                         request->hostname);
  GMimeMultipart *report = make_report (request);

  g_mime_message_add_mailbox (message, GMIME_ADDRESS_TYPE_FROM, "Mail Delivery System", from);
  set_to (message, request->reverse_path);
  g_mime_message_set_subject (message, kinds[request->kind].subject, REROUTE_MIME_CHARSET);
  g_mime_object_set_header (GMIME_OBJECT (message), "Date", date, REROUTE_MIME_CHARSET);
  g_mime_message_set_message_id (message, id);
  g_mime_object_set_header (
    GMIME_OBJECT (message), "Auto-Submitted", "auto-replied", REROUTE_MIME_CHARSET);
  g_mime_object_set_header (GMIME_OBJECT (message), "MIME-Version", "1.0", REROUTE_MIME_CHARSET);
  g_mime_message_set_mime_part (message, GMIME_OBJECT (report));
  g_object_unref (report);
  return message;
}

guint
reroute_dsn_unstuff (GByteArray *content)
{
  g_return_val_if_fail (content != NULL, 0);

  guint headers = 0;
  guint kept = 0;
  gboolean in_headers = TRUE;
  gboolean line_begins = TRUE;

  for (guint at = 0; at < content->len; at++)
    {
      guint8 octet = content->data[at];

      in_headers = in_headers && !(line_begins && octet == '\r');
      if (!(line_begins && octet == '.'))
        content->data[kept++] = octet;
      line_begins = octet == '\n';
      if (in_headers)
        headers = kept;
    }
  g_byte_array_set_size (content, kept);
  return headers;
}

GBytes *
reroute_dsn_format (const RerouteDsnRequest *request)
{
  g_return_val_if_fail (request != NULL && request->n_recipients > 0, NULL);
  g_return_val_if_fail (*request->reverse_path != '\0', NULL);

  reroute_mime_ensure_ready ();
  return reroute_mime_to_wire (make_message (request));
}
