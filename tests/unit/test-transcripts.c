/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-transcripts.c - the conversations of tests/transcripts/ against the pure machines
 *
 * Each one as it stands, octet by octet, and in two pieces at every octet.
 */

#include "config.h"

#include "tests/unit/smtp-session.h"
#include "tests/unit/transcript.h"

#include "service/relay/smtp/client.h"
#include "service/relay/smtp/dsn-parameters.h"

#include <string.h>

/* What a client's transaction by chunks begins with. */
#define HEAD "Received: from here\r\n"

/* How what a machine is given is cut. */
typedef struct
{
  gboolean single; /* octet by octet */
  gsize cut;       /* else once, at this octet of all */
  gsize n_fed;
} Cut;

static gsize
next_piece (Cut *cut, gsize length)
{
  gsize n = length;

  if (cut->single)
    n = 1;
  else if (cut->cut > cut->n_fed && cut->cut < cut->n_fed + length)
    n = cut->cut - cut->n_fed;
  cut->n_fed += n;
  return n;
}

static const TranscriptStep *
get_step (const Transcript *transcript, guint index)
{
  return &g_array_index (transcript->steps, TranscriptStep, index);
}

static void
fail (const Transcript *transcript,
      const TranscriptStep *step,
      const char *expected,
      const char *found)
{
  g_error ("%s:%u: expected “%s”, found “%s”", transcript->name, step->line, expected, found);
}

/* --- the server --- */

static void
server_say (TestSession *session, const TranscriptStep *step, Cut *cut)
{
  for (gsize i = 0; i < step->length;)
    {
      gsize n = next_piece (cut, step->length - i);
      g_assert_cmpuint (test_session_feed (session, step->text + i, (gssize) n), ==, n);
      i += n;
    }
}

static void
server_shake_hands (TestSession *session, const TranscriptStep *step)
{
  g_assert_true (reroute_smtp_server_wants_tls (session->machine));
  reroute_smtp_server_set_tls (session->machine, step->text);
  g_assert_false (reroute_smtp_server_wants_tls (session->machine));
  g_assert_cmpstr (reroute_smtp_server_get_tls (session->machine), ==, step->text);
  g_assert_cmpstr (reroute_smtp_server_get_helo (session->machine), ==, "");
}

/* "M: FROM TO,TO", each with what it said about notices, and "B: LINE" for each line of the
   content. */
static char *
describe_messages (const TestSession *session)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < session->messages->len; i++)
    {
      const TestMessage *message = test_session_message (session, i);
      g_string_append_printf (text, "M: <%s>", message->envelope->reverse_path);
      reroute_dsn_append_mail (text, message->envelope);
      for (guint j = 0; j < message->envelope->recipients->len; j++)
        {
          const RerouteRecipient *recipient = reroute_envelope_get_recipient (message->envelope, j);
          g_string_append_printf (text, "%s<%s>", j > 0 ? "," : " ", recipient->address->text);
          reroute_dsn_append_rcpt (text, recipient, recipient->address->text);
        }
      g_string_append (text, "\n");
      g_auto (GStrv) lines = g_strsplit (message->content->str, "\r\n", -1);
      for (guint j = 0; lines[j] != NULL && lines[j + 1] != NULL; j++)
        g_string_append_printf (text, "B: %s\n", lines[j]);
    }
  return g_string_free (text, FALSE);
}

static void
check_messages (const Transcript *transcript, const TestSession *session)
{
  g_autoptr (GString) expected = g_string_new (NULL);
  g_autofree char *found = describe_messages (session);

  for (guint i = 0; i < transcript->steps->len; i++)
    if (strchr ("MB", get_step (transcript, i)->kind) != NULL)
      g_string_append_printf (
        expected, "%c: %s\n", get_step (transcript, i)->kind, get_step (transcript, i)->text);
  g_assert_cmpstr (found, ==, expected->str);
}

static guint64
number_option (const Transcript *transcript, const char *name, guint64 otherwise)
{
  const char *text = transcript_get_option (transcript, name);

  return text != NULL ? g_ascii_strtoull (text, NULL, 10) : otherwise;
}

static void
run_server (const Transcript *transcript, Cut *cut)
{
  RerouteSmtpServerConfig config = {
    .hostname = "mx.test",
    .max_message_octets = (gint64) number_option (transcript, "max-octets", 100000),
    .max_recipients = (guint) number_option (transcript, "max-recipients", 10),
    .max_bad_commands = 20,
    .client_permitted = transcript_has_option (transcript, "permitted"),
    .offers_tls = transcript_has_option (transcript, "tls"),
    .offers_xclient = transcript_has_option (transcript, "xclient"),
    .knows_requiretls = transcript_has_option (transcript, "requiretls"),
    .auth_mechanisms = transcript_has_option (transcript, "auth") ? "PLAIN LOGIN" : NULL,
  };
  g_autoptr (TestSession) session = test_session_new (&config);
  gboolean closed = FALSE;

  session->store_fails = transcript_has_option (transcript, "store-fails");
  session->offers_etrn = transcript_has_option (transcript, "etrn");
  if (!transcript_has_option (transcript, "early"))
    reroute_smtp_server_greet (session->machine, NULL);
  test_session_collect (session);
  for (guint i = 0; i < transcript->steps->len; i++)
    {
      const TranscriptStep *step = get_step (transcript, i);
      if (step->kind == 'C')
        server_say (session, step, cut);
      else if (step->kind == 'K')
        server_shake_hands (session, step);
      closed = closed || step->kind == 'X';
      const TranscriptStep *next =
        i + 1 < transcript->steps->len ? get_step (transcript, i + 1) : NULL;
      if (step->kind != 'S' && (step->kind != 'C' || (next != NULL && next->kind == 'S')))
        continue;
      g_autofree char *output = test_session_take_output (session);
      if (g_strcmp0 (output, step->kind == 'S' ? step->text : "") != 0)
        fail (transcript, step, step->kind == 'S' ? step->text : "", output);
    }
  g_assert_true (reroute_smtp_server_wants_close (session->machine) == closed);
  check_messages (transcript, session);
}

/* --- the client --- */

typedef struct
{
  RerouteSmtpClient *machine;
  RerouteSmtpTransaction transaction;
  GStrv words; /* of the T line */
  GStrv recipients;
  RerouteEnvelope *envelope; /* of words that ask for notices */
  GArray *indices;           /* (element-type guint): 0, 1, 2, … */
  guint n_replies;           /* checked */
  GString *output;
  GError *error;
} ClientRun;

static void
collect (ClientRun *run)
{
  gsize length;
  const guint8 *octets = reroute_smtp_client_peek_output (run->machine, &length);

  g_string_append_len (run->output, (const char *) octets, (gssize) length);
  reroute_smtp_client_sent (run->machine, length);
}

static void
client_say (ClientRun *run, const TranscriptStep *step, Cut *cut)
{
  for (gsize i = 0; i < step->length && run->error == NULL;)
    {
      gsize n = next_piece (cut, step->length - i);
      reroute_smtp_client_feed (run->machine, (const guint8 *) step->text + i, n, &run->error);
      collect (run);
      i += n;
    }
}

static const char *
find_value (ClientRun *run, const char *name)
{
  for (guint i = 2; run->words[i] != NULL; i++)
    if (g_str_has_prefix (run->words[i], name))
      return run->words[i] + strlen (name);
  return NULL;
}

/* What every recipient asks for, and was before it was rewritten. */
static void
make_envelope (ClientRun *run)
{
  const char *ret = find_value (run, "ret=");
  const char *notify = find_value (run, "notify=");
  const char *received = find_value (run, "received=");

  g_clear_pointer (&run->envelope, reroute_envelope_free);
  run->envelope = reroute_envelope_new ();
  run->envelope->id = g_strdup (find_value (run, "envid="));
  if (ret != NULL)
    g_assert_true (reroute_dsn_parse_ret (ret, &run->envelope->returns));
  for (guint i = 0; run->recipients[i] != NULL; i++)
    {
      g_autoptr (RerouteAddress) address = reroute_address_parse (
        received != NULL ? received : run->recipients[i], TRUE, NULL);
      g_assert_nonnull (address);
      RerouteRecipient *recipient =
        reroute_envelope_add_recipient (run->envelope, address, (RerouteRowRef){ 0 });
      recipient->original = g_strdup (find_value (run, "orcpt="));
      if (notify != NULL)
        g_assert_true (reroute_dsn_parse_notify (notify, &recipient->notify));
      g_array_append_val (run->indices, i);
    }
}

/* "A: OFFERS MECHANISM [FIRST]": the offers are joined by commas; "*" stands for 600 octets, "="
   for none */
static void
begin_auth (ClientRun *run, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", 3);
  g_autofree char *offers = g_strdelimit (g_strdup (words[0]), ",", ' ');
  g_autofree char *long_text = g_strnfill (600, 'x');
  const char *first = words[2];
  if (g_strcmp0 (first, "*") == 0)
    first = long_text;
  else if (g_strcmp0 (first, "=") == 0)
    first = "";
  g_autoptr (GBytes) initial = first != NULL ? g_bytes_new (first, strlen (first)) : NULL;

  g_assert_cmpstr (reroute_smtp_client_get_auth_offers (run->machine), ==, offers);
  reroute_smtp_client_begin_auth (run->machine, words[1], initial);
  collect (run);
}

/* "H: CHALLENGE RESPONSE" */
static void
answer_challenge (ClientRun *run, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", 2);
  g_autoptr (GBytes) expected = g_bytes_new (words[0], strlen (words[0]));
  g_autoptr (GBytes) response = g_bytes_new (words[1], strlen (words[1]));

  g_assert_true (g_bytes_equal (reroute_smtp_client_get_challenge (run->machine), expected));
  reroute_smtp_client_respond (run->machine, response);
  collect (run);
}

/* "B: N [last]": the command of a chunk is out, and nothing of the chunk. */
static void
put_chunk (ClientRun *run, const char *text)
{
  char *end;
  gsize length = (gsize) g_ascii_strtoull (text, &end, 10);

  g_assert_true (reroute_smtp_client_goes_by_chunks (run->machine));
  g_assert_cmpuint (reroute_smtp_client_get_chunk_left (run->machine), ==, 0);
  reroute_smtp_client_put_chunk (run->machine, length, g_str_equal (end, " last"));
  collect (run);
}

/* "D:", "D: N" of a chunk */
static void
send_content (ClientRun *run, const char *text)
{
  if (!reroute_smtp_client_goes_by_chunks (run->machine))
    {
      reroute_smtp_client_content_sent (run->machine);
      g_assert_true (reroute_smtp_client_may_have_delivered (run->machine));
      return;
    }
  gsize left = reroute_smtp_client_get_chunk_left (run->machine);
  g_assert_cmpuint (left, >, 0);
  reroute_smtp_client_chunk_sent (
    run->machine, text[0] != '\0' ? (gsize) g_ascii_strtoull (text, NULL, 10) : left);
}

/* "T: FROM TO,TO [8bitmime] [smtputf8] [probe] [chunks] [size=N] [ret=] [envid=] [notify=] [orcpt=]
 * [received=]" */
static void
begin (ClientRun *run, const TranscriptStep *step)
{
  g_strfreev (run->words);
  g_strfreev (run->recipients);
  run->words = g_strsplit (step->text, " ", -1);
  g_assert_cmpuint (g_strv_length (run->words), >=, 2);
  run->recipients = g_strsplit (run->words[1], ",", -1);
  run->n_replies = 0;
  g_array_set_size (run->indices, 0);
  make_envelope (run);
  run->transaction = (RerouteSmtpTransaction){
    .reverse_path = g_str_equal (run->words[0], "<>") ? "" : run->words[0],
    .body_8bitmime = g_strv_contains ((const char *const *) run->words, "8bitmime"),
    .smtputf8 = g_strv_contains ((const char *const *) run->words, "smtputf8"),
    .probe = g_strv_contains ((const char *const *) run->words, "probe"),
    .recipients = (const char *const *) run->recipients,
    .n_recipients = g_strv_length (run->recipients),
    .envelope = run->envelope,
    .indices = (const guint *) (gpointer) run->indices->data,
    .chunks = g_strv_contains ((const char *const *) run->words, "chunks"),
  };
  if (run->transaction.chunks && reroute_smtp_client_wants_head (run->machine))
    {
      run->transaction.head = (const guint8 *) HEAD;
      run->transaction.head_octets = strlen (HEAD);
    }
  const char *size = find_value (run, "size=");
  if (size != NULL)
    run->transaction.content_octets = (gsize) g_ascii_strtoull (size, NULL, 10);
  reroute_smtp_client_begin (run->machine, &run->transaction);
  collect (run);
}

static void
check_reply (const Transcript *transcript, const TranscriptStep *step, const RerouteReply *reply)
{
  g_autofree char *found = reply != NULL ? reroute_reply_to_string (reply) : g_strdup ("none");

  if (g_strcmp0 (found, step->text) != 0)
    fail (transcript, step, step->text, found);
}

static void
check_output (const Transcript *transcript, ClientRun *run, const TranscriptStep *step)
{
  if (strcmp (run->output->str, step->text) != 0)
    fail (transcript, step, step->text, run->output->str);
  g_string_truncate (run->output, 0);
}

static void
check_recipient (const Transcript *transcript, ClientRun *run, const TranscriptStep *step)
{
  RerouteSmtpClientState state = reroute_smtp_client_get_state (run->machine);

  g_assert_true (
    state == REROUTE_SMTP_CLIENT_CLOSED ||
    (state == REROUTE_SMTP_CLIENT_DONE && !reroute_smtp_client_may_have_delivered (run->machine)));
  check_reply (
    transcript, step, reroute_smtp_client_get_recipient_reply (run->machine, run->n_replies++));
}

/* What the owner does where the machine waits for it. */
static void
run_owner_step (const Transcript *transcript, ClientRun *run, const TranscriptStep *step)
{
  RerouteSmtpClientState state = reroute_smtp_client_get_state (run->machine);

  switch (step->kind)
    {
    case 'D':
      g_assert_cmpint (state, ==, REROUTE_SMTP_CLIENT_SEND_CONTENT);
      send_content (run, step->text);
      break;
    case 'B':
      g_assert_cmpint (state, ==, REROUTE_SMTP_CLIENT_SEND_CONTENT);
      put_chunk (run, step->text);
      break;
    case 'K':
      g_assert_cmpint (state, ==, REROUTE_SMTP_CLIENT_START_TLS);
      reroute_smtp_client_tls_begun (run->machine);
      collect (run);
      break;
    case 'A':
      g_assert_cmpint (state, ==, REROUTE_SMTP_CLIENT_START_AUTH);
      begin_auth (run, step->text);
      break;
    case 'H':
      g_assert_cmpint (state, ==, REROUTE_SMTP_CLIENT_AUTH_CHALLENGE);
      answer_challenge (run, step->text);
      break;
    default:
      g_error ("%s:%u: no line of a client's transcript", transcript->name, step->line);
    }
}

static void
run_client_step (const Transcript *transcript, ClientRun *run, const TranscriptStep *step, Cut *cut)
{
  RerouteSmtpClientState state = reroute_smtp_client_get_state (run->machine);

  switch (step->kind)
    {
    case 'S':
      if (run->output->len > 0)
        fail (transcript, step, "nothing sent before", run->output->str);
      client_say (run, step, cut);
      break;
    case 'C':
      check_output (transcript, run, step);
      break;
    case 'T':
      g_assert_true (reroute_smtp_client_is_reusable (run->machine));
      begin (run, step);
      break;
    case 'F':
      g_assert_cmpint (state, ==, REROUTE_SMTP_CLIENT_CLOSED);
      g_assert_true (reroute_smtp_client_has_tripped (run->machine) ==
                     g_str_equal (step->text, "yes"));
      break;
    case 'R':
      check_recipient (transcript, run, step);
      break;
    case 'Q':
      reroute_smtp_client_quit (run->machine);
      collect (run);
      break;
    case 'P':
      g_assert_cmpstr (reroute_smtp_client_phase (run->machine), ==, step->text);
      break;
    case 'E':
      g_assert_nonnull (run->error);
      g_assert_nonnull (strstr (run->error->message, step->text));
      break;
    case 'X':
      g_assert_cmpint (state, ==, REROUTE_SMTP_CLIENT_CLOSED);
      check_reply (transcript, step, reroute_smtp_client_get_session_reply (run->machine));
      break;
    case '!':
      break;
    default:
      run_owner_step (transcript, run, step);
    }
}

static void
run_client (const Transcript *transcript, Cut *cut)
{
  ClientRun run = { .machine = reroute_smtp_client_new ("relay.test"),
                    .output = g_string_new (NULL),
                    .indices = g_array_new (FALSE, FALSE, sizeof (guint)) };
  gboolean error_expected = FALSE;

  if (transcript_has_option (transcript, "tls"))
    reroute_smtp_client_set_tls (run.machine, REROUTE_SMTP_CLIENT_TLS_IF_OFFERED);
  if (transcript_has_option (transcript, "auth"))
    reroute_smtp_client_set_auth (run.machine, REROUTE_SMTP_CLIENT_AUTH_IN_TLS);
  if (transcript_has_option (transcript, "auth-always"))
    reroute_smtp_client_set_auth (run.machine, REROUTE_SMTP_CLIENT_AUTH_ALWAYS);
  if (transcript_has_option (transcript, "tls-always"))
    reroute_smtp_client_set_tls (run.machine, REROUTE_SMTP_CLIENT_TLS_ALWAYS);
  if (transcript_has_option (transcript, "lmtp"))
    reroute_smtp_client_set_lmtp (run.machine);
  for (guint i = 0; i < transcript->steps->len; i++)
    {
      run_client_step (transcript, &run, get_step (transcript, i), cut);
      error_expected = error_expected || get_step (transcript, i)->kind == 'E';
    }
  if (!error_expected)
    g_assert_no_error (run.error);
  g_assert_cmpstr (run.output->str, ==, "");
  g_clear_error (&run.error);
  reroute_smtp_client_free (run.machine);
  g_string_free (run.output, TRUE);
  g_strfreev (run.words);
  g_strfreev (run.recipients);
  g_clear_pointer (&run.envelope, reroute_envelope_free);
  g_array_unref (run.indices);
}

/* --- all of them --- */

static void
test_transcript (gconstpointer data)
{
  g_autoptr (Transcript) transcript = transcript_load (data);
  gboolean client = transcript_has_option (transcript, "client");
  void (*run) (const Transcript *, Cut *) = client ? run_client : run_server;
  gsize n = transcript_count_octets (transcript, client ? 'S' : 'C');

  g_assert_cmpuint (n, >, 0);
  run (transcript, &(Cut){ 0 });
  /* What was pipelined out of turn is told by what arrives together. */
  if (transcript_has_option (transcript, "whole"))
    return;
  run (transcript, &(Cut){ .single = TRUE });
  for (gsize cut = 1; cut < n; cut++)
    run (transcript, &(Cut){ .cut = cut });
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);

  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, "transcripts", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) files = g_dir_open (folder, 0, &error);
  g_assert_no_error (error);
  for (const char *name = g_dir_read_name (files); name != NULL; name = g_dir_read_name (files))
    if (g_str_has_suffix (name, ".txt"))
      {
        g_autofree char *test = g_strdup_printf ("/smtp/transcript/%s", name);
        g_test_add_data_func_full (
          test, g_build_filename (folder, name, NULL), test_transcript, g_free);
      }
  return g_test_run ();
}
