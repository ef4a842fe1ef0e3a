/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-header.c - whatever stands at the head of a message, for all that read it there
 *
 * The scanner lets pass what is sound.  A notice gives its header section back, whole and in a form
 * that every host takes; a milter is shown fields that put together are the message again.
 *
 * Of the first two octets one says how it comes, the other how often the rest is repeated, so that
 * a line and the header section can grow to their limits.
 */

#include "config.h"

#include "common/limits.h"
#include "service/relay/milter/message.h"
#include "service/relay/smtp/body.h"
#include "service/relay/smtp/dsn.h"

#include <fcntl.h>
#include <gmime/gmime.h>
#include <stdint.h>
#include <string.h>

#define CONTENT_OCTETS_MOST (REROUTE_LIMIT_HEADER_OCTETS + REROUTE_LIMIT_TEXT_LINE_OCTETS)
#define NOTICE_LINE_OCTETS_MOST (998 + 2) /* RFC 5321 4.5.3.1.6 */
#define NORMALIZES 1
#define GIVES_CONTENT_BACK 2
#define PIECE_SHIFT 2
#define DOUBLED_MOST 16

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

static void
wire_cb (const guint8 *octets, gsize length, gpointer user_data)
{
  g_byte_array_append (user_data, octets, (guint) length);
}

/* (transfer full) (nullable): in wire form; NULL: it is refused */
static GByteArray *
scan (const GByteArray *input, gboolean normalize)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();
  RerouteBody body;
  gsize taken;

  reroute_body_init (&body);
  body.normalize = normalize;
  body.token = "t0";
  body.sink = wire_cb;
  body.sink_data = wire;
  reroute_body_begin (&body, TRUE);
  if (input->len > 0)
    reroute_body_feed (&body, input->data, input->len, &taken);
  reroute_body_finish (&body);
  gboolean sound = body.fault == REROUTE_BODY_SOUND;
  reroute_body_clear (&body);
  return sound ? g_steal_pointer (&wire) : NULL;
}

/* --- as milters see it --- */

static void
check_field (const RerouteMilterMessage *message, guint index)
{
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;

  reroute_milter_message_get_field (message, index, TRUE, &name, &value);
  g_assert_cmpint (name[0], !=, '\0');
  for (const char *p = name; *p != '\0'; p++)
    g_assert_true (g_ascii_isgraph (*p) && *p != ':');
  for (const char *p = value; *p != '\0'; p++)
    g_assert_true (*p != '\r' && (*p != '\n' || p[1] == ' ' || p[1] == '\t'));
}

static void
check_fields (const GByteArray *wire, const GByteArray *plain, gsize piece)
{
  g_autoptr (RerouteMilterMessage) message = reroute_milter_message_new (AT_FDCWD);
  g_autoptr (GByteArray) whole = g_byte_array_new ();
  guint64 place = 0;

  for (gsize i = 0; i < wire->len; i += piece)
    reroute_milter_message_append (message, wire->data + i, MIN (piece, wire->len - i));
  g_assert_true (reroute_milter_message_finish (message, NULL));
  for (guint i = 0; i < reroute_milter_message_get_n_fields (message); i++)
    check_field (message, i);
  for (guint before = G_MAXUINT; before != whole->len;)
    {
      before = whole->len;
      g_assert_true (reroute_milter_message_read (message, &place, whole, NULL));
    }
  g_assert_cmpmem (whole->data, whole->len, plain->data, plain->len);
}

/* --- as it is given back --- */

/* What every host takes as it is (RFC 5321 2.3.1, 2.3.8): then nothing happens to it on its way. */
static void
check_wire (const guint8 *octets, gsize length)
{
  gsize start = 0;

  for (gsize i = 0; i < length; i++)
    {
      g_assert_true (octets[i] != '\0' && octets[i] < 0x80);
      g_assert_true (octets[i] != '\r' || (i + 1 < length && octets[i + 1] == '\n'));
      if (octets[i] != '\n')
        continue;
      g_assert_true (i > 0 && octets[i - 1] == '\r');
      g_assert_true (octets[start] != '.' || octets[start + 1] == '.');
      g_assert_cmpuint (i + 1 - start, <=, NOTICE_LINE_OCTETS_MOST);
      start = i + 1;
    }
  g_assert_cmpuint (start, ==, length);
}

/* As a reader of mail takes it apart.  (transfer full) */
static GMimeMessage *
parse (const GByteArray *plain)
{
  GMimeStream *stream = g_mime_stream_mem_new_with_buffer ((const char *) plain->data, plain->len);
  GMimeParser *parser = g_mime_parser_new_with_stream (stream);
  GMimeMessage *message = g_mime_parser_construct_message (parser, NULL);

  g_object_unref (parser);
  g_object_unref (stream);
  g_assert_nonnull (message);
  return message;
}

/* The lines of @octets with LF at their ends, without the empty ones behind them. */
static GString *
read_lines (const guint8 *octets, gsize length)
{
  GString *lines = g_string_new (NULL);

  for (gsize i = 0; i < length; i++)
    if (octets[i] != '\r')
      g_string_append_c (lines, (char) octets[i]);
  while (lines->len > 0 && lines->str[lines->len - 1] == '\n')
    g_string_truncate (lines, lines->len - 1);
  return lines;
}

/* The third part has the header section that it was made from. */
static void
check_returned_headers (GMimeObject *part, const guint8 *headers, gsize length)
{
  GMimeStream *stream = g_mime_stream_mem_new ();

  g_mime_data_wrapper_write_to_stream (g_mime_part_get_content (GMIME_PART (part)), stream);
  const GByteArray *content = g_mime_stream_mem_get_byte_array (GMIME_STREAM_MEM (stream));
  g_autoptr (GString) lines = read_lines (content->data, content->len);
  g_autoptr (GString) wanted = read_lines (headers, length);
  g_assert_cmpmem (lines->str, lines->len, wanted->str, wanted->len);
  g_object_unref (stream);
}

static void
check_notice (const GByteArray *plain, guint n_headers, gboolean gives_content)
{
  const RerouteDsnRecipient recipient = { .recipient = "u@test.com", .status = "5.1.1" };
  const RerouteDsnRequest request = {
    .kind = REROUTE_DSN_FAILED,
    .hostname = "relay.test",
    .queue_id = "1a2b",
    .reverse_path = "s@client.test",
    .recipients = &recipient,
    .n_recipients = 1,
    .headers = plain->data,
    .headers_length = n_headers,
    .content = gives_content ? plain->data : NULL,
    .content_length = plain->len,
  };
  g_autoptr (GBytes) notice = reroute_dsn_format (&request);
  g_autoptr (GByteArray) unstuffed = g_byte_array_new ();
  gsize length;
  const guint8 *octets = g_bytes_get_data (notice, &length);

  check_wire (octets, length);
  g_byte_array_append (unstuffed, octets, (guint) length);
  reroute_dsn_unstuff (unstuffed);
  GMimeMessage *message = parse (unstuffed);
  GMimeObject *report = g_mime_message_get_mime_part (message);
  g_assert_true (GMIME_IS_MULTIPART (report));
  g_assert_cmpint (g_mime_multipart_get_count (GMIME_MULTIPART (report)), ==, 3);
  GMimeObject *returned = g_mime_multipart_get_part (GMIME_MULTIPART (report), 2);
  if (GMIME_IS_MESSAGE_PART (returned))
    g_assert_true (gives_content);
  else
    check_returned_headers (returned, plain->data, n_headers);
  g_object_unref (message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  if (length < 2)
    return 0;
  g_autoptr (GByteArray) input = g_byte_array_new ();
  guint n_times = octets[1] <= DOUBLED_MOST ? 1u << octets[1] : 1;
  for (; n_times > 0 && input->len + length < CONTENT_OCTETS_MOST; n_times--)
    g_byte_array_append (input, octets + 2, (guint) length - 2);
  g_autoptr (GByteArray) wire = scan (input, (octets[0] & NORMALIZES) != 0);
  if (wire == NULL)
    return 0;

  g_autoptr (GByteArray) plain = g_byte_array_new ();
  g_byte_array_append (plain, wire->data, wire->len);
  guint n_headers = reroute_dsn_unstuff (plain);
  g_assert_cmpuint (n_headers, <=, plain->len);
  g_assert_true (n_headers < 2 || memcmp (plain->data, "\r\n", 2) != 0);
  g_assert_true (n_headers == 0 ||
                 g_strstr_len ((const char *) plain->data, n_headers, "\r\n\r\n") == NULL);
  g_assert_true (n_headers == plain->len || plain->data[n_headers] == '\r');
  check_fields (wire, plain, 1 + (gsize) (octets[0] >> PIECE_SHIFT));
  check_notice (plain, n_headers, (octets[0] & GIVES_CONTENT_BACK) != 0);
  return 0;
}
