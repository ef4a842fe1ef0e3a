/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-dots.c - content that comes by BDAT or DATA and goes out by either, cut anywhere
 *
 * What the next hop gets, by its own reading of RFC 5321 section 4.5.2, is what came, to the octet,
 * and it ends where ours ends.  The reading here is another one than the relay's.
 */

#include "config.h"

#include "service/relay/smtp/body.h"
#include "service/relay/smtp/dots.h"

#include <stdint.h>
#include <string.h>

#define END_OF_DATA ".\r\n"

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

static void
sink_cb (const guint8 *octets, gsize length, gpointer user_data)
{
  g_byte_array_append (user_data, octets, (guint) length);
}

/* Octets of the line that @octets begin with, its end among them; 0: it has none. */
static gsize
measure_line (const guint8 *octets, gsize length)
{
  for (gsize i = 1; i < length; i++)
    if (octets[i - 1] == '\r' && octets[i] == '\n')
      return i + 1;
  return 0;
}

/* As a receiver of DATA reads.  @end: (out): behind the end of data; 0: there is none */
static GByteArray *
read_data (const guint8 *octets, gsize length, gsize *end)
{
  GByteArray *content = g_byte_array_new ();
  gsize n;

  *end = 0;
  for (gsize i = 0; (n = measure_line (octets + i, length - i)) > 0; i += n)
    {
      gsize stuffed = octets[i] == '.';
      if (stuffed && n == strlen (END_OF_DATA))
        {
          *end = i + n;
          break;
        }
      g_byte_array_append (content, octets + i + stuffed, (guint) (n - stuffed));
    }
  return content;
}

/* (transfer full) (nullable): in wire form; NULL: it was refused, or has no end.  @taken: (out) */
static GByteArray *
receive (const guint8 *octets, gsize length, gsize piece, gboolean chunked, gsize *taken)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();
  RerouteBody body;
  gboolean ended = FALSE;

  reroute_body_init (&body);
  body.sink = sink_cb;
  body.sink_data = wire;
  reroute_body_begin (&body, chunked);
  *taken = 0;
  while (!ended && *taken < length && body.fault == REROUTE_BODY_SOUND)
    {
      gsize n;
      ended = reroute_body_feed (&body, octets + *taken, MIN (piece, length - *taken), &n);
      *taken += n;
    }
  if (chunked)
    reroute_body_finish (&body);
  gboolean sound = body.fault == REROUTE_BODY_SOUND && (chunked || ended);
  reroute_body_clear (&body);
  return sound ? g_steal_pointer (&wire) : NULL;
}

static void
check_by_data (const GByteArray *wire, const GByteArray *content)
{
  g_autoptr (GByteArray) sent = g_byte_array_new ();
  gsize end;

  g_byte_array_append (sent, wire->data, wire->len);
  g_byte_array_append (sent, (const guint8 *) END_OF_DATA, strlen (END_OF_DATA));
  g_autoptr (GByteArray) got = read_data (sent->data, sent->len, &end);
  g_assert_cmpuint (end, ==, sent->len);
  g_assert_cmpmem (got->data, got->len, content->data, content->len);
}

/* A chunk says how long it is before it is sent. */
static void
check_by_chunks (const GByteArray *wire, const GByteArray *content, gsize piece)
{
  g_autoptr (GByteArray) got = g_byte_array_new ();
  RerouteDots counted = { 0 };
  RerouteDots removed = { 0 };

  for (gsize i = 0; i < wire->len; i += piece)
    {
      gsize n = MIN (piece, wire->len - i);
      gsize n_dots = reroute_dots_count (&counted, wire->data + i, n);
      g_autoptr (GBytes) rest = reroute_dots_remove (&removed, g_bytes_new (wire->data + i, n));
      g_assert_cmpuint (g_bytes_get_size (rest), ==, n - n_dots);
      g_byte_array_append (got, g_bytes_get_data (rest, NULL), (guint) g_bytes_get_size (rest));
    }
  g_assert_cmpmem (got->data, got->len, content->data, content->len);
}

/* (transfer full): a last line without its end has one in the message */
static GByteArray *
end_last_line (const guint8 *octets, gsize length)
{
  GByteArray *content = g_byte_array_new ();

  g_byte_array_append (content, octets, (guint) length);
  if (length > 0 && octets[length - 1] != '\n')
    g_byte_array_append (content, (const guint8 *) "\r\n", 2);
  return content;
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  if (length < 3)
    return 0;
  gboolean chunked = (octets[0] & 1) != 0;
  gsize piece_in = 1 + octets[1];
  gsize piece_out = 1 + octets[2];
  gsize taken;
  gsize end;

  octets += 3;
  length -= 3;
  g_autoptr (GByteArray) wire = receive (octets, length, piece_in, chunked, &taken);
  if (wire == NULL)
    return 0;
  g_autoptr (GByteArray) content =
               chunked ? end_last_line (octets, length) : read_data (octets, length, &end);
  if (!chunked)
    g_assert_cmpuint (end, ==, taken);
  check_by_data (wire, content);
  check_by_chunks (wire, content, piece_out);
  return 0;
}
