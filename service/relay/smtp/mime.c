/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mime.c - what mail of our own is made of, by gmime
 *
 * Standards: RFC 2045, RFC 2046, RFC 5321 section 4.5.2 (dot-stuffing).
 */

#include "config.h"

#include "service/relay/smtp/mime-private.h"

#include <string.h>

void
reroute_mime_ensure_ready (void)
{
  static gsize ready;

  if (g_once_init_enter (&ready))
    {
      g_mime_init ();
      g_once_init_leave (&ready, 1);
    }
}

gboolean
reroute_mime_is_plain (const char *octets, gsize length)
{
  gsize n_line = 0;

  for (gsize i = 0; i < length; i++)
    {
      n_line = octets[i] == '\n' ? 0 : n_line + 1;
      if (octets[i] == '\0' || (guchar) octets[i] >= 0x80 || n_line > 998)
        return FALSE;
    }
  return TRUE;
}

GMimeObject *
reroute_mime_make_text (const char *type, const char *subtype, const char *octets, gsize length)
{
  GMimePart *part = g_mime_part_new_with_type (type, subtype);
  GMimeStream *stream = g_mime_stream_mem_new_with_buffer (octets, length);
  GMimeDataWrapper *content =
    g_mime_data_wrapper_new_with_stream (stream, GMIME_CONTENT_ENCODING_DEFAULT);

  g_mime_part_set_content (part, content);
  g_mime_part_set_content_encoding (part,
                                    reroute_mime_is_plain (octets, length)
                                      ? GMIME_CONTENT_ENCODING_7BIT
                                      : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  g_object_unref (content);
  g_object_unref (stream);
  return GMIME_OBJECT (part);
}

void
reroute_mime_add_part (GMimeMultipart *report, GMimeObject *part, const char *description)
{
  g_mime_object_set_header (part, "Content-Description", description, REROUTE_MIME_CHARSET);
  g_mime_multipart_add (report, part);
  g_object_unref (part);
}

/* Lines end in CR LF, whatever they ended in, and a dot in front is doubled. */
static GBytes *
stuff (const char *text)
{
  GString *wire = g_string_sized_new (strlen (text) + 1024);

  while (*text != '\0')
    {
      gsize length = strcspn (text, "\r\n");
      if (*text == '.')
        g_string_append_c (wire, '.');
      g_string_append_len (wire, text, (gssize) length);
      g_string_append_len (wire, "\r\n", 2);
      text += length;
      text += *text == '\r' && text[1] == '\n' ? 2 : *text != '\0';
    }
  return g_string_free_to_bytes (wire);
}

GBytes *
reroute_mime_to_wire (GMimeMessage *message)
{
  GMimeFormatOptions *options = g_mime_format_options_new ();

  g_mime_format_options_set_newline_format (options, GMIME_NEWLINE_FORMAT_DOS);
  g_autofree char *text = g_mime_object_to_string (GMIME_OBJECT (message), options);
  g_mime_format_options_free (options);
  g_object_unref (message);
  return stuff (text);
}
