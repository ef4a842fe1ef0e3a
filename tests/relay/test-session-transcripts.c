/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-session-transcripts.c - the server's conversations of tests/transcripts/ over a socket
 *
 * Each one as it stands and octet by octet.  Left out are those whose policy no rule can have: the
 * pure machine plays them in the unit tests.
 */

#include "config.h"

#include "tests/relay/receive-fixture.h"
#include "tests/unit/sample-rules.h"
#include "tests/unit/transcript.h"

#include "service/relay/smtp/dsn-parameters.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RULES "routing,test.com,exact,relay,,anyone,yes\n"
#define SETTINGS "hostname=mx.test\nmax-message-size=100000\npostmaster=p@test.com\n"

static const char *const left_out[] = { "early",   "store-fails", "max-octets", "tls",
                                        "xclient", "client",      "etrn" };
static const char *const other_policy[] = {
  "later.test", "closing.test", "full.test", "FROM:<a@refused"
};

static const TranscriptStep *
get_step (const Transcript *transcript, guint index)
{
  return &g_array_index (transcript->steps, TranscriptStep, index);
}

static gboolean
is_for_socket (const Transcript *transcript)
{
  for (gsize i = 0; i < G_N_ELEMENTS (left_out); i++)
    if (transcript_has_option (transcript, left_out[i]))
      return FALSE;
  for (guint i = 0; i < transcript->steps->len; i++)
    for (gsize j = 0; j < G_N_ELEMENTS (other_policy); j++)
      if (g_strstr_len (get_step (transcript, i)->text, -1, other_policy[j]) != NULL)
        return FALSE;
  return TRUE;
}

static RerouteRuleset *
make_rules (const Transcript *transcript)
{
  const char *most = transcript_get_option (transcript, "max-recipients");
  g_autofree char *settings =
    g_strdup_printf (SETTINGS "max-recipients=%s\npermitted-hosts=%s",
                     most != NULL ? most : "10",
                     transcript_has_option (transcript, "permitted") ? "127.0.0.1" : "192.0.2.1");

  return sample_rules (RULES, settings);
}

/* The session may end while octets are on their way. */
static void
say (int fd, const TranscriptStep *step, gboolean single)
{
  gsize piece = single ? 1 : step->length;

  for (gsize i = 0; i < step->length; i += piece)
    if (send (fd, step->text + i, piece, MSG_NOSIGNAL) < 0)
      g_assert_true (errno == EPIPE || errno == ECONNRESET);
}

/* A line as it stands in the file; the queue id is of no interest. */
static void
hear (int fd, const Transcript *transcript, const TranscriptStep *step)
{
  g_auto (GStrv) lines = g_strsplit (step->text, "\r\n", -1);

  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    {
      g_autofree char *found = client_read_line (fd);
      if (g_str_has_prefix (found, "250 2.0.0 Ok: queued as ") && g_str_has_suffix (*line, "Taken"))
        continue;
      if (!g_str_equal (found, *line))
        g_error ("%s:%u: expected “%s”, found “%s”", transcript->name, step->line, *line, found);
    }
}

/* Past our Received line and what is folded to it. */
static const char *
skip_trace (const char *content)
{
  do
    content = strstr (content, "\r\n") + 2;
  while (*content == ' ' || *content == '\t');
  return content;
}

static void
describe (ReceiveFixture *fixture, GString *text)
{
  g_autoptr (RerouteMessage) message = receive_fixture_pop (fixture);
  g_autofree char *content = receive_fixture_read (fixture, message);
  g_auto (GStrv) lines = g_strsplit (skip_trace (content), "\r\n", -1);

  g_string_append_printf (text, "M: <%s>", message->envelope->reverse_path);
  reroute_dsn_append_mail (text, message->envelope);
  for (guint i = 0; i < message->envelope->recipients->len; i++)
    {
      const RerouteRecipient *recipient = reroute_envelope_get_recipient (message->envelope, i);
      g_string_append_printf (text, "%s<%s>", i > 0 ? "," : " ", recipient->address->text);
      reroute_dsn_append_rcpt (text, recipient, recipient->address->text);
    }
  g_string_append (text, "\n");
  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++)
    g_string_append_printf (text, "B: %s\n", lines[i]);
}

static void
check_messages (ReceiveFixture *fixture, const Transcript *transcript)
{
  g_autoptr (GString) expected = g_string_new (NULL);
  g_autoptr (GString) found = g_string_new (NULL);

  for (guint i = 0; i < transcript->steps->len; i++)
    {
      const TranscriptStep *step = get_step (transcript, i);
      if (step->kind == 'M')
        describe (fixture, found);
      if (strchr ("MB", step->kind) != NULL)
        g_string_append_printf (expected, "%c: %s\n", step->kind, step->text);
    }
  g_assert_cmpstr (found->str, ==, expected->str);
  g_assert_cmpint (g_async_queue_length (fixture->accepted), ==, 0);
}

static void
play (const Transcript *transcript, gboolean single)
{
  ReceiveFixture fixture;
  gboolean closed = FALSE;

  receive_fixture_init (&fixture, make_rules (transcript));
  int fd = client_connect (((RerouteListener *) fixture.listeners->pdata[0])->port);
  for (guint i = 0; i < transcript->steps->len; i++)
    {
      const TranscriptStep *step = get_step (transcript, i);
      if (step->kind == 'C')
        say (fd, step, single);
      else if (step->kind == 'S')
        hear (fd, transcript, step);
      closed = closed || step->kind == 'X';
    }
  if (closed)
    client_expect_end (fd);
  close (fd);
  check_messages (&fixture, transcript);
  receive_fixture_clear (&fixture);
}

static void
test_transcript (gconstpointer data)
{
  const Transcript *transcript = data;

  play (transcript, FALSE);
  if (!transcript_has_option (transcript, "whole"))
    play (transcript, TRUE);
}

static void
add_transcript (GPtrArray *transcripts, const char *folder, const char *name)
{
  g_autofree char *file = g_build_filename (folder, name, NULL);
  g_autofree char *path = g_strconcat ("/socket/", name, NULL);
  g_autoptr (Transcript) transcript = transcript_load (file);

  if (!is_for_socket (transcript))
    return;
  g_test_add_data_func (path, transcript, test_transcript);
  g_ptr_array_add (transcripts, g_steal_pointer (&transcript));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, "transcripts", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) transcripts =
               g_ptr_array_new_with_free_func ((GDestroyNotify) transcript_free);
  const char *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "server-") && g_str_has_suffix (name, ".txt"))
      add_transcript (transcripts, folder, name);
  g_assert_cmpuint (transcripts->len, >, 0);
  return g_test_run ();
}
