/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-milter.c - whatever a milter answers, what becomes of the message can be sent
 *
 * The first octet cuts the input into pieces; the rest is what the milter says.
 */

#include "config.h"

#include "service/relay/milter/machine.h"
#include "service/relay/smtp/body.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

static const char content[] =
  "From: a@test\r\nX-Folded: 1\r\n\t2\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"
  "..dot\r\nbody\r\n";

typedef struct
{
  RerouteMilterMachine *machine;
  RerouteMilterMessage *message;
  RerouteEnvelope *envelope;
  RerouteAddress *address;
  guint n_asked;
} Run;

static void
wire_cb (const guint8 *octets, gsize length, gpointer user_data)
{
  g_string_append_len (user_data, (const char *) octets, (gssize) length);
}

/* As the session does it: by way of the scanner.  What comes out has no end of data in it. */
static void
check_message (const RerouteMilterMessage *message)
{
  g_autoptr (GByteArray) whole = g_byte_array_new ();
  g_autoptr (GString) wire = g_string_new (NULL);
  RerouteBody scan;
  guint64 place = 0;
  gsize taken;

  for (guint before = G_MAXUINT; before != whole->len;)
    {
      before = whole->len;
      g_assert_true (reroute_milter_message_read (message, &place, whole, NULL));
    }
  reroute_body_init (&scan);
  scan.normalize = TRUE;
  scan.sink = wire_cb;
  scan.sink_data = wire;
  reroute_body_begin (&scan, TRUE);
  if (whole->len > 0)
    reroute_body_feed (&scan, whole->data, whole->len, &taken);
  reroute_body_finish (&scan);
  if (scan.fault == REROUTE_BODY_SOUND)
    {
      g_assert_false (g_str_has_prefix (wire->str, ".\r\n"));
      g_assert_null (g_strstr_len (wire->str, (gssize) wire->len, "\n.\r\n"));
    }
  reroute_body_clear (&scan);
}

static void
ask_next (Run *run)
{
  if (run->n_asked == 0)
    reroute_milter_machine_ask_connect (run->machine);
  else if (run->n_asked % 4 == 1)
    reroute_milter_machine_ask_helo (run->machine, "client.test", NULL);
  else if (run->n_asked % 4 == 2)
    reroute_milter_machine_ask_mail (run->machine, run->envelope, NULL);
  else if (run->n_asked % 4 == 3)
    reroute_milter_machine_ask_rcpt (run->machine, run->address);
  else
    {
      g_clear_pointer (&run->message, reroute_milter_message_free);
      run->message = reroute_milter_message_new (AT_FDCWD);
      reroute_milter_message_append (run->message, (const guint8 *) content, strlen (content));
      g_assert_true (reroute_milter_message_finish (run->message, NULL));
      reroute_milter_machine_ask_message (run->machine, run->message, "1a2b");
    }
  run->n_asked++;
}

/* Takes what there is to send, and asks on when there is a verdict. */
static void
go_on (Run *run)
{
  const guint8 *octets;
  gsize length;

  for (guint i = 0; i < 64; i++)
    {
      g_assert_true (reroute_milter_machine_peek_output (run->machine, &octets, &length, NULL));
      reroute_milter_machine_sent (run->machine, length);
      RerouteMilterVerdict verdict = reroute_milter_machine_get_verdict (run->machine);
      if (verdict == REROUTE_MILTER_REFUSES)
        g_assert_cmpuint (reroute_milter_machine_get_reply (run->machine)->code, >=, 400);
      if (verdict == REROUTE_MILTER_WORKING && length == 0)
        return;
      if (verdict == REROUTE_MILTER_WORKING)
        continue;
      if (run->message != NULL)
        check_message (run->message);
      ask_next (run);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  const RerouteMilterSession session = { .hostname = "relay.test" };
  gboolean sound = TRUE;

  if (length < 1)
    return 0;
  Run run = { .machine = reroute_milter_machine_new (&session),
              .envelope = reroute_envelope_new (),
              .address = reroute_address_parse ("u@in.test", FALSE, NULL) };
  gsize piece = (gsize) octets[0] + 1;
  for (size_t i = 1; i < length && sound; i += piece)
    {
      g_autoptr (GError) error = NULL;
      go_on (&run);
      sound =
        reroute_milter_machine_feed (run.machine, octets + i, MIN (piece, length - i), &error);
      g_assert_true (sound == (error == NULL));
    }
  if (sound)
    go_on (&run);
  reroute_milter_machine_free (run.machine);
  g_clear_pointer (&run.message, reroute_milter_message_free);
  reroute_envelope_free (run.envelope);
  reroute_address_unref (run.address);
  return 0;
}
