/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-smuggling.c - every look-alike of an end of data, by DATA and by BDAT, in two pieces at
 * every place
 *
 * A line end, a dot, a line end: each of what a careless host takes for a line end, or drops.  One
 * of them alone ends the content; from a stranger the others are refused, and whatever is taken
 * holds none of them when it leaves, and by BDAT, behind its length, is what it was.
 */

#include "config.h"

#include "tests/unit/smtp-session.h"
#include "tests/unit/stride.h"

#include "service/relay/smtp/dots.h"

#include <string.h>

#define REFUSED                                                                                    \
  "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n"
#define SMUGGLED "MAIL FROM:<evil@client.test>\r\nRCPT TO:<b@test.com>\r\nDATA\r\nsmuggled"

typedef struct
{
  const char *octets;
  gsize length;
} Octets;

#define OCTETS(text)                                                                               \
  {                                                                                                \
    text, sizeof text - 1                                                                          \
  }

/* In front of the dot and behind it. */
static const Octets ends[] = {
  OCTETS ("\r\n"), OCTETS ("\n"),   OCTETS ("\r"),     OCTETS ("\r\r\n"),   OCTETS ("\n\r"),
  OCTETS ("\n\n"), OCTETS ("\r\r"), OCTETS ("\r\n\0"), OCTETS ("\0\r\n"),   OCTETS ("\r\0\n"),
  OCTETS ("\n\0"), OCTETS ("\0\n"), OCTETS ("\0\r"),   OCTETS ("\r\n\0\0"),
};
static const Octets dots[] = { OCTETS ("."), OCTETS (".\0"), OCTETS ("\0.") };

static GString *
make_content (guint front, guint dot, guint behind)
{
  GString *content = g_string_new ("Subject: x\r\n\r\nbody");

  g_string_append_len (content, ends[front].octets, (gssize) ends[front].length);
  g_string_append_len (content, dots[dot].octets, (gssize) dots[dot].length);
  g_string_append_len (content, ends[behind].octets, (gssize) ends[behind].length);
  g_string_append (content, SMUGGLED "\r\n");
  return content;
}

/* What leaves: CR LF and nothing else ends a line, and no line is a dot, also when a later host
   drops every NUL. */
static void
check_content (const GString *content)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (gsize i = 0; i < content->len; i++)
    {
      char octet = content->str[i];
      if (octet == '\r')
        g_assert_cmpint (content->str[i + 1], ==, '\n');
      else if (octet == '\n')
        {
          g_assert_cmpint (content->str[i - 1], ==, '\r');
          g_assert_cmpstr (line->str, !=, ".");
          g_string_truncate (line, 0);
        }
      else if (octet != '\0')
        g_string_append_c (line, octet);
    }
  g_assert_cmpuint (line->len, ==, 0);
}

/* What no stranger may send: told by looking at it, not by reading it as the machine does. */
static gboolean
is_suspicious (const GString *content, gboolean chunked)
{
  gsize start = 0;

  for (gsize i = 0; i < content->len; i++)
    {
      const char *at = content->str + i;
      gboolean behind_dot = i == start + 1 && content->str[start] == '.';
      if (*at == '\0' && (i == start || (behind_dot && !chunked)))
        return TRUE;
      if (*at == '\r' && at[1] != '\n')
        return TRUE;
      if (*at == '\n' && (i == 0 || at[-1] != '\r'))
        return TRUE;
      if (*at == '\n')
        start = i + 1;
    }
  return FALSE;
}

static gboolean
has_end_of_data (const GString *content)
{
  return memmem (content->str, content->len, "\r\n.\r\n", 5) != NULL;
}

static void
feed_chunk (TestSession *session, const char *octets, gsize length, const char *last)
{
  g_autofree char *command = g_strdup_printf ("BDAT %" G_GSIZE_FORMAT "%s\r\n", length, last);

  test_session_feed (session, command, -1);
  test_session_feed (session, octets, (gssize) length);
}

/* The content as it is, read from wire form in two pieces. */
static GString *
unstuff (const GString *wire, gsize split)
{
  GString *content = g_string_new (NULL);
  RerouteDots removed = { 0 };
  RerouteDots counted = { 0 };
  const gsize lengths[] = { MIN (split, wire->len), wire->len - MIN (split, wire->len) };
  const char *octets = wire->str;

  for (gsize i = 0; i < G_N_ELEMENTS (lengths); octets += lengths[i++])
    {
      gsize n = lengths[i] - reroute_dots_count (&counted, (const guint8 *) octets, lengths[i]);
      g_autoptr (GBytes) piece = reroute_dots_remove (&removed, g_bytes_new (octets, lengths[i]));
      g_assert_cmpuint (g_bytes_get_size (piece), ==, n);
      g_string_append_len (content, g_bytes_get_data (piece, NULL), (gssize) n);
    }
  return content;
}

/* What leaves by BDAT is for a strict host what came. */
static void
check_chunks_out (const GString *wire, gsize split)
{
  g_autoptr (TestSession) session = test_session_new_in_transaction (FALSE);
  g_autoptr (GString) content = unstuff (wire, split);

  feed_chunk (session, content->str, content->len, " LAST");
  g_assert_cmpuint (session->messages->len, ==, 1);
  g_assert_false (reroute_smtp_server_wants_close (session->machine));
  g_autoptr (GString) arrived = unstuff (test_session_message (session, 0)->content, split);
  g_assert_true (g_string_equal (arrived, content));
}

/* One message of the first sender's, or none and the session closed. */
static void
check (TestSession *session, gboolean taken, gsize split)
{
  g_assert_cmpuint (session->messages->len, ==, taken ? 1 : 0);
  g_assert_true (reroute_smtp_server_wants_close (session->machine) == !taken);
  if (!taken)
    {
      g_assert_true (g_str_has_suffix (session->output->str, REFUSED));
      return;
    }
  const TestMessage *message = test_session_message (session, 0);
  g_assert_cmpstr (message->envelope->reverse_path, ==, "a@client.test");
  check_content (message->content);
  check_chunks_out (message->content, split);
}

static void
by_data (const GString *content, gsize split, gboolean permitted)
{
  g_autoptr (TestSession) session = test_session_new_in_transaction (permitted);

  test_session_feed (session, "DATA\r\n", -1);
  test_session_feed (session, content->str, (gssize) split);
  test_session_feed (session, content->str + split, (gssize) (content->len - split));
  test_session_feed (session, "\r\n.\r\n", -1);
  check (session, permitted, split);
}

/* In a chunk even the right one ends nothing. */
static void
by_chunks (const GString *content, gsize split, gboolean permitted)
{
  g_autoptr (TestSession) session = test_session_new_in_transaction (permitted);

  feed_chunk (session, content->str, split, "");
  feed_chunk (session, content->str + split, content->len - split, " LAST");
  check (session, permitted || !is_suspicious (content, TRUE), split);
}

static void
test_look_alike (guint front, guint dot, guint behind)
{
  g_autoptr (GString) content = make_content (front, dot, behind);
  gboolean ends_here = has_end_of_data (content);

  g_test_message ("%u %u %u", front, dot, behind);
  g_assert_true (ends_here || is_suspicious (content, FALSE));
  for (gsize split = 0; split <= content->len; split += test_get_stride ())
    {
      by_chunks (content, split, TRUE);
      by_chunks (content, split, FALSE);
      if (ends_here)
        continue;
      by_data (content, split, TRUE);
      by_data (content, split, FALSE);
    }
}

static void
test_look_alikes (void)
{
  for (guint front = 0; front < G_N_ELEMENTS (ends); front++)
    for (guint dot = 0; dot < G_N_ELEMENTS (dots); dot++)
      for (guint behind = 0; behind < G_N_ELEMENTS (ends); behind++)
        test_look_alike (front, dot, behind);
}

/* The one that ends: what stands behind it are commands. */
static void
test_right_one (void)
{
  g_autoptr (GString) content = make_content (0, 0, 0);
  g_autoptr (TestSession) session = test_session_new_in_transaction (FALSE);

  test_session_feed (session, "DATA\r\n", -1);
  test_session_feed (
    session, content->str, (gssize) (strstr (content->str, "smuggled") - content->str));
  test_session_feed (session, "not smuggled\r\n.\r\n", -1);
  g_assert_cmpuint (session->messages->len, ==, 2);
  g_assert_cmpstr (
    test_session_message (session, 1)->envelope->reverse_path, ==, "evil@client.test");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/smuggling/right-one", test_right_one);
  g_test_add_func ("/smuggling/look-alikes", test_look_alikes);
  return g_test_run ();
}
