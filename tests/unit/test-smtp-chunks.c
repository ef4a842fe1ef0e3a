/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-smtp-chunks.c - content by BDAT: sizes, borders, memory
 */

#include "config.h"

#include "tests/unit/smtp-session.h"

#include "common/limits.h"

#include <malloc.h>
#include <string.h>

#define ENVELOPE "MAIL FROM:<a@client.test>\r\nRCPT TO:<b@test.com>\r\n"
#define BARE                                                                                       \
  "554 5.5.2 A CR, LF or NUL stands where it may not; lines end in CR LF and nothing else\r\n"
#define TAKEN "250 2.0.0 Taken\r\n"
#define TINY_CHUNKS 300000
#define ERRORS_MOST 5
#define MESSAGE_OCTETS_MOST 1000000
#define REST_CHUNKS (10 * ERRORS_MOST)

static void
feed_chunk (TestSession *session, const char *octets, gsize length, const char *last)
{
  g_autofree char *command = g_strdup_printf ("BDAT %" G_GSIZE_FORMAT "%s\r\n", length, last);

  test_session_feed (session, command, -1);
  test_session_feed (session, octets, (gssize) length);
}

/* The last line that was put out. */
static char *
take_last_reply (TestSession *session)
{
  g_autofree char *output = test_session_take_output (session);
  const char *line;

  g_assert_true (g_str_has_suffix (output, "\r\n"));
  output[strlen (output) - 2] = '\0';
  line = strrchr (output, '\n');
  return g_strconcat (line != NULL ? line + 1 : output, "\r\n", NULL);
}

static const struct
{
  const char *name;
  const char *source;
  gboolean permitted;
  const char *sent;
  const char *content; /* NULL: refused, and the session is closed */
} rows[] = {
  /* clang-format off */
  { "plain",              "RFC 3030 2",          FALSE, "a: b\r\n\r\nc\r\n",         "a: b\r\n\r\nc\r\n" },
  { "dots",               "RFC 5321 4.5.2",      FALSE, ".\r\n..\r\n.b\r\nc.\r\n",   "..\r\n...\r\n..b\r\nc.\r\n" },
  { "end-of-data",        "smuggling 2023",      FALSE, "a\r\n.\r\nQUIT\r\n",        "a\r\n..\r\nQUIT\r\n" },
  { "end-of-data-first",  "smuggling 2023",      FALSE, ".\r\n",                     "..\r\n" },
  { "unfinished-line",    "RFC 3030 3",          FALSE, "a\r\n.b",                   "a\r\n..b\r\n" },
  { "unfinished-dot",     "smuggling 2023",      FALSE, "a\r\n.",                    "a\r\n..\r\n" },
  { "bare-lf",            "design.md section 6", FALSE, "a\nb\r\n",                  NULL },
  { "bare-cr",            "design.md section 6", FALSE, "a\rb\r\n",                  NULL },
  { "bare-cr-last",       "design.md section 6", FALSE, "a\r",                       NULL },
  { "lf-dot-lf",          "smuggling 2023",      FALSE, "a\n.\nQUIT\r\n",            NULL },
  { "lf-dot-crlf",        "smuggling 2023",      FALSE, "a\n.\r\nQUIT\r\n",          NULL },
  { "crlf-dot-lf",        "smuggling 2023",      FALSE, "a\r\n.\nQUIT\r\n",          NULL },
  { "crlf-dot-cr",        "smuggling 2023",      FALSE, "a\r\n.\rQUIT\r\n",          NULL },
  { "cr-dot-cr",          "smuggling 2023",      FALSE, "a\r.\rQUIT\r\n",            NULL },
  { "cr-cr-lf",           "smuggling 2023",      FALSE, "a\r\n.\r\r\n",              NULL },
  { "permitted-lf",       "design.md section 6", TRUE,  "a\nb\n\nc\r\n",             "a\r\nb\r\n\r\nc\r\n" },
  { "permitted-lf-dot",   "smuggling 2023",      TRUE,  "a\n.\nb\n..\n",             "a\r\n..\r\nb\r\n...\r\n" },
  { "permitted-dot-cr",   "smuggling 2023",      TRUE,  "a\r\n.\r.\r\r\nb\r\n",      "a\r\n.. .\r\nb\r\n" },
  { "permitted-cr-last",  "smuggling 2023",      TRUE,  "a\r\n.\r",                  "a\r\n..\r\n" },
  /* clang-format on */
};

/* In three chunks with their borders everywhere. */
static void
test_borders (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    for (gsize first = 0; first <= strlen (rows[i].sent); first++)
      for (gsize second = first; second <= strlen (rows[i].sent); second++)
        {
          g_autoptr (TestSession) session = test_session_new_in_transaction (rows[i].permitted);
          g_test_message (
            "%s, borders at %" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT, rows[i].name, first, second);
          feed_chunk (session, rows[i].sent, first, "");
          feed_chunk (session, rows[i].sent + first, second - first, "");
          feed_chunk (session, rows[i].sent + second, strlen (rows[i].sent + second), " LAST");
          g_autofree char *reply = take_last_reply (session);
          g_assert_cmpstr (reply, ==, rows[i].content != NULL ? TAKEN : BARE);
          g_assert_true (reroute_smtp_server_wants_close (session->machine) ==
                         (rows[i].content == NULL));
          g_assert_cmpuint (session->n_aborted, ==, rows[i].content == NULL ? 1 : 0);
          g_assert_cmpuint (session->messages->len, ==, rows[i].content == NULL ? 0 : 1);
          if (rows[i].content != NULL)
            g_assert_cmpstr (test_session_message (session, 0)->content->str, ==, rows[i].content);
        }
}

static void
test_sizes (void)
{
  static const char *const bad[] = {
    "BDAT\r\n",
    "BDAT -1\r\n",
    "BDAT +1\r\n",
    "BDAT 1x\r\n",
    "BDAT 0x1\r\n",
    "BDAT 1.0\r\n",
    "BDAT LAST\r\n",
    "BDAT 1 LAST x\r\n",
    "BDAT 1  LAST\r\n",
    "BDAT 1 LASTLY\r\n",
    "BDAT 1 LAS\r\n",
    "BDAT 9223372036854775807\r\n",
    "BDAT 18446744073709551616\r\n",
    "BDAT 99999999999999999999 LAST\r\n",
    "BDAT 000000000000000000001\r\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (TestSession) session = test_session_new_in_transaction (FALSE);
      g_test_message ("%s", bad[i]);
      test_session_feed (session, bad[i], -1);
      test_session_feed (session, "NOOP\r\n", -1);
      g_autofree char *output = test_session_take_output (session);
      g_assert_cmpstr (
        output, ==, "501 5.5.4 Wanted: BDAT SIZE or BDAT SIZE LAST; closing the connection\r\n");
      g_assert_true (reroute_smtp_server_wants_close (session->machine));
    }
}

/* A chunk that says it is larger than anything is refused before it comes, and waited out. */
static void
test_huge (void)
{
  g_autoptr (TestSession) session = test_session_new_in_transaction (FALSE);

  test_session_feed (session, "BDAT 9223372036854775806\r\nNOOP\r\nQUIT\r\n", -1);
  g_autofree char *output = test_session_take_output (session);
  g_assert_cmpstr (output, ==, "");
  g_assert_false (reroute_smtp_server_wants_close (session->machine));
  g_assert_true (reroute_smtp_server_in_data (session->machine));
  g_assert_cmpuint (session->n_aborted, ==, 0);
}

/* Regression list 3: nothing is kept of a chunk that is over. */
static void
test_tiny_chunks (void)
{
  g_autoptr (TestSession) session = test_session_new_in_transaction (FALSE);

  g_string_set_size (session->content, TINY_CHUNKS + 1024);
  g_string_truncate (session->content, 0);
  feed_chunk (session, "x", 1, "");
  g_free (test_session_take_output (session));
  gsize before = mallinfo2 ().uordblks;
  for (guint i = 0; i < TINY_CHUNKS; i++)
    {
      test_session_feed (session, i % 64 == 63 ? "BDAT 2\r\n\r\n" : "BDAT 1\r\nx", -1);
      g_string_truncate (session->output, 0);
    }
  gsize after = mallinfo2 ().uordblks;
  g_assert_cmpuint (after, <, before + 4096);
  test_session_feed (session, "BDAT 0 LAST\r\n", -1);
  g_autofree char *reply = take_last_reply (session);
  g_assert_cmpstr (reply, ==, TAKEN);
}

/* Faults that are seen in a chunk are told at its end, and nothing of the transaction stays. */
static void
test_fault_resets (void)
{
  g_autoptr (TestSession) session = test_session_new_in_transaction (FALSE);
  g_autofree char *line = g_strnfill (70000, 'x');

  feed_chunk (session, "a: b\r\n\r\n", 8, "");
  feed_chunk (session, line, 70000, "");
  test_session_feed (session, "BDAT 2 LAST\r\n\r\nDATA\r\n" ENVELOPE, -1);
  g_autofree char *output = test_session_take_output (session);
  g_assert_cmpstr (output,
                   ==,
                   "250 2.0.0 Chunk taken\r\n"
                   "554 5.6.0 A line of the message is too long\r\n"
                   "503 5.5.1 MAIL and RCPT come first\r\n"
                   "554 5.5.0 Wait for the reply before you go on\r\n");
  g_assert_cmpuint (session->n_aborted, ==, 1);
  g_assert_cmpuint (session->messages->len, ==, 0);
}

/* In a transaction; a few errors, or commands that lead to nothing, end it. */
static TestSession *
new_strict (void)
{
  const RerouteSmtpServerConfig config = {
    .hostname = "mx.test",
    .max_message_octets = MESSAGE_OCTETS_MOST,
    .max_recipients = 3,
    .max_bad_commands = ERRORS_MOST,
    .max_junk_commands = ERRORS_MOST,
  };
  TestSession *session = test_session_new (&config);

  reroute_smtp_server_greet (session->machine, NULL);
  test_session_feed (session, "EHLO client.test\r\n", -1);
  test_session_feed (session, ENVELOPE, -1);
  return session;
}

/* Why the first chunk of a message is refused. */
typedef struct
{
  const char *name;
  const char *envelope;
  gsize octets;
} RefusedRow;

static const RefusedRow refused_rows[] = {
  { "content", ENVELOPE, 70000 }, /* in one line */
  { "too-large", ENVELOPE, MESSAGE_OCTETS_MOST + 1 },
  { "no-recipients", "MAIL FROM:<a@client.test>\r\n", 4 },
};

static void
feed_refused (TestSession *session, const RefusedRow *row)
{
  g_autofree char *line = g_strnfill (row->octets, 'x');

  test_session_feed (session, "RSET\r\n", -1);
  test_session_feed (session, row->envelope, -1);
  feed_chunk (session, line, row->octets, "");
}

/* What was sent before the client could hear of it is no error of its: RFC 2920 lets it. */
static void
test_rest_of_refused (gconstpointer data)
{
  g_autoptr (TestSession) session = new_strict ();

  for (guint message = 0; message < 2; message++)
    {
      feed_refused (session, data);
      for (guint i = 0; i < REST_CHUNKS; i++)
        feed_chunk (session, "more", 4, i == REST_CHUNKS - 1 ? " LAST" : "");
      g_assert_false (reroute_smtp_server_wants_close (session->machine));
      g_assert_cmpuint (session->n_rejected, ==, message + 1);
      g_free (test_session_take_output (session));
    }
  test_session_feed (session, ENVELOPE, -1);
  feed_chunk (session, "a: b\r\n\r\n", 8, " LAST");
  g_autofree char *reply = take_last_reply (session);
  g_assert_cmpstr (reply, ==, TAKEN);
}

/* Whoever goes on without a look at the replies is ended all the same, in one message or several.
 */
static void
test_rest_has_an_end (gconstpointer data)
{
  g_autoptr (TestSession) session = new_strict ();
  guint n = 0;

  while (n < 2 * REROUTE_LIMIT_REST_CHUNKS && !reroute_smtp_server_wants_close (session->machine))
    {
      if (n % (REROUTE_LIMIT_REST_CHUNKS / 2) == 0)
        feed_refused (session, data);
      feed_chunk (session, "more", 4, "");
      n++;
    }
  g_assert_cmpuint (n, ==, REROUTE_LIMIT_REST_CHUNKS + ERRORS_MOST);
}

/* Behind its last one, or another command, a chunk has nothing to belong to; empty ones are junk.
 */
static void
test_chunks_of_nothing (gconstpointer data)
{
  const char *first = data;
  g_autoptr (TestSession) session = new_strict ();
  g_autofree char *line = g_strnfill (70000, 'x');

  feed_chunk (session, line, 70000, "");
  for (guint i = 0; i < REST_CHUNKS && !reroute_smtp_server_wants_close (session->machine); i++)
    test_session_feed (session, i == 0 ? first : strchr (first, 'B'), -1);
  g_assert_true (reroute_smtp_server_wants_close (session->machine));
}

/* The hop limit and our own token hold in chunks; a field may lie across two of them. */
static void
test_received_lines (void)
{
  static const char field[] = "Received: from a by b id 1.t0k3n\r\n";

  for (guint n = 3; n <= 4; n++)
    {
      g_autoptr (TestSession) session = test_session_new_in_transaction (FALSE);
      reroute_smtp_server_set_token (session->machine, "t0k3n");
      for (guint i = 0; i < n; i++)
        {
          feed_chunk (session, field, 5, "");
          feed_chunk (session, field + 5, strlen (field) - 5, "");
        }
      feed_chunk (session, "\r\nbody", 6, " LAST");
      g_autofree char *reply = take_last_reply (session);
      g_assert_cmpstr (
        reply, ==, n == 3 ? TAKEN : "554 5.4.6 Mail loop: this message was here before\r\n");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/smtp/chunks/borders", test_borders);
  g_test_add_func ("/smtp/chunks/sizes", test_sizes);
  g_test_add_func ("/smtp/chunks/huge", test_huge);
  g_test_add_func ("/smtp/chunks/tiny-chunks", test_tiny_chunks);
  g_test_add_func ("/smtp/chunks/fault-resets", test_fault_resets);
  g_test_add_func ("/smtp/chunks/received-lines", test_received_lines);
  for (gsize i = 0; i < G_N_ELEMENTS (refused_rows); i++)
    {
      g_autofree char *rest = g_strconcat ("/smtp/chunks/rest/", refused_rows[i].name, NULL);
      g_autofree char *end = g_strconcat ("/smtp/chunks/end-of-rest/", refused_rows[i].name, NULL);
      g_test_add_data_func (rest, &refused_rows[i], test_rest_of_refused);
      g_test_add_data_func (end, &refused_rows[i], test_rest_has_an_end);
    }
  g_test_add_data_func (
    "/smtp/chunks/of-nothing/last", "BDAT 4 LAST\r\nmore", test_chunks_of_nothing);
  g_test_add_data_func (
    "/smtp/chunks/of-nothing/reset", "RSET\r\nBDAT 4\r\nmore", test_chunks_of_nothing);
  g_test_add_data_func ("/smtp/chunks/of-nothing/empty", "BDAT 0\r\n", test_chunks_of_nothing);
  return g_test_run ();
}
