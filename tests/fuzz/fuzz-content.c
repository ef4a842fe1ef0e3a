/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-content.c - content on its way out, by DATA or BDAT, to a host that answers what it likes
 *
 * What is driven is connection-content.c with the machine that it serves; here are the spool it
 * loads from, whose pieces end anywhere, and the stream it writes to, which takes as much as it
 * likes.  The host decodes what it got: the message, to the octet, and none of it as a command.
 * What is said of a recipient is what the host said.
 *
 * The input: flags, octets of a piece, how many octets are the script, the script, the content.
 */

#include "config.h"

#include "service/relay/deliver/connection-private.h"
#include "service/relay/smtp/body.h"

#include "common/error.h"
#include "common/limits.h"

#include "tests/fuzz/model-host.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define TRANSACTIONS 3
#define STEPS 20000
#define HEAD "Received: from here\r\n"
#define RECORD_OCTETS 16384

enum
{
  FLAG_CHUNKS = 1,
  FLAG_PIPELINING = 2,
  FLAG_LMTP = 4,
  FLAG_HEADLESS = 8, /* the content begins with what a command may begin with, too */
  FLAG_DISK_FAILS = 16,
  FLAG_KIND = 32, /* of host: times 0 to 2 */
};

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

/* What the connection is between. */
static struct
{
  ModelScript script;
  ModelHost host;
  const GByteArray *wire;
  gsize piece;
  guint n_loaded;
  gboolean disk_fails;
  gboolean disk_failed;
  gboolean lost;
  GByteArray *record; /* that the stream holds, offered in vain */
} world;

/* --- the spool --- */

GBytes *
reroute_spool_load (RerouteSpool *spool, RerouteMessage *message, gsize offset, GError **error)
{
  gsize wanted = world.piece * (1 + world.n_loaded++ % 3);

  g_assert_cmpuint (offset, <, world.wire->len);
  if (world.disk_fails && world.n_loaded % 8 == 7)
    {
      world.disk_failed = TRUE;
      g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL, "the disk");
      return NULL;
    }
  /* In memory of its own, so that nothing is read behind its end. */
  return g_bytes_new (world.wire->data + offset, MIN (wanted, world.wire->len - offset));
}

/* --- the stream --- */

static gssize
deliver_record (void)
{
  gssize length = world.record->len;

  model_host_read (&world.host, world.record->data, world.record->len);
  g_byte_array_set_size (world.record, 0);
  return length;
}

/* As TLS does it: a record that the socket did not take goes before all else. */
gssize
reroute_stream_write_tls (RerouteStream *stream, const struct iovec *parts, gsize n_parts)
{
  guint how = model_script_next (&world.script);
  g_autoptr (GByteArray) offered = g_byte_array_new ();
  gsize most = (how & 7) == 6 ? 1 + how / 8 : RECORD_OCTETS;

  for (gsize i = 0; i < n_parts; i++)
    if (parts[i].iov_len > 0)
      g_byte_array_append (offered, parts[i].iov_base, (guint) parts[i].iov_len);
  if (world.record->len > 0)
    {
      g_assert_cmpuint (offered->len, >=, world.record->len);
      g_assert_cmpmem (offered->data, world.record->len, world.record->data, world.record->len);
    }
  else
    g_byte_array_append (world.record, offered->data, (guint) MIN (most, offered->len));
  if ((how & 7) == 5)
    {
      errno = EAGAIN;
      return -1;
    }
  if (how == 255 || world.host.closed)
    {
      errno = EPROTO;
      return -1;
    }
  return deliver_record ();
}

gssize
reroute_stream_read_tls (RerouteStream *stream, gpointer octets, gsize length)
{
  g_assert_not_reached ();
}

/* --- the connection's other half --- */

static RerouteSendResult
send_output (RerouteConnection *self)
{
  gsize length;
  const guint8 *output;

  while ((output = reroute_smtp_client_peek_output (self->machine, &length)) != NULL && length > 0)
    {
      gssize sent = reroute_stream_write (&self->stream, output, length);

      if (sent < 0)
        return errno == EAGAIN ? REROUTE_SEND_BLOCKED : REROUTE_SEND_FAILED;
      reroute_smtp_client_sent (self->machine, (gsize) sent);
    }
  return REROUTE_SEND_ALL;
}

static gboolean
sends_content (const RerouteConnection *self)
{
  return reroute_smtp_client_get_state (self->machine) == REROUTE_SMTP_CLIENT_SEND_CONTENT;
}

static void
send_all (RerouteConnection *self)
{
  RerouteSendResult result = REROUTE_SEND_ALL;

  if (!sends_content (self) || !reroute_smtp_client_goes_by_chunks (self->machine))
    result = send_output (self);
  while (result == REROUTE_SEND_ALL && sends_content (self))
    {
      g_autoptr (GError) error = NULL;

      world.disk_failed = FALSE;
      result = reroute_connection_send_content (self, &error);
      g_assert_true (world.disk_failed == (error != NULL));
      g_assert_true (error == NULL || result == REROUTE_SEND_FAILED);
    }
  world.lost = result == REROUTE_SEND_FAILED;
}

/* Nothing is under way, and neither side knows more to say: one of them runs into its time limit,
   which only nonsense leads to. */
static gboolean
is_stuck (const RerouteConnection *self)
{
  gsize n_output;

  reroute_smtp_client_peek_output (self->machine, &n_output);
  if (world.host.replies->len > 0 || world.host.closed || world.record->len > 0 || n_output > 0 ||
      reroute_smtp_client_get_state (self->machine) != REROUTE_SMTP_CLIENT_WORKING)
    return FALSE;
  g_assert_false (world.host.honest);
  return TRUE;
}

/* Some octets of what the host has said. */
static void
receive (RerouteConnection *self)
{
  GString *replies = world.host.replies;
  guint how = model_script_next (&world.script);
  gsize n = MIN (replies->len, (how & 1) != 0 ? 1 + how / 2 : replies->len);

  if (n == 0)
    {
      world.lost = world.host.closed || is_stuck (self);
      return;
    }
  g_autofree guint8 *octets = g_memdup2 (replies->str, n);
  g_string_erase (replies, 0, (gssize) n);
  if (!reroute_smtp_client_feed (self->machine, octets, n, NULL))
    world.lost = TRUE;
}

/* --- what is said of the recipients --- */

static void
check_recipient (const RerouteConnection *self, guint index, gboolean over)
{
  const RerouteReply *reply = reroute_smtp_client_get_recipient_reply (self->machine, index);

  g_assert_true (reply != NULL || !over);
  if (reply == NULL)
    return;
  g_assert_cmpuint (reply->code, >=, 200);
  g_assert_cmpuint (reply->code, <, 600);
  g_assert_true (reply->code < 300 || reply->code >= 400);
  if (!world.host.honest)
    return;
  if (reply->code < 300)
    g_assert_true (world.host.took[index]);
  else if (over)
    g_assert_false (world.host.took[index]);
  if (reply->code >= 500)
    g_assert_true (world.host.refused);
}

static void
check_recipients (const RerouteConnection *self, gboolean over)
{
  for (guint i = 0; i < MODEL_HOST_RECIPIENTS; i++)
    check_recipient (self, i, over);
}

/* --- the session --- */

static void
begin (RerouteConnection *self, RerouteMessage *message, gboolean chunks)
{
  static const char *const recipients[MODEL_HOST_RECIPIENTS] = { "recipient0@test.com",
                                                                 "recipient1@test.com",
                                                                 "recipient2@test.com" };
  RerouteSmtpTransaction transaction = {
    .reverse_path = "sender@client.test",
    .recipients = recipients,
    .n_recipients = MODEL_HOST_RECIPIENTS,
    .chunks = chunks,
  };

  reroute_connection_forget_content (self);
  reroute_connection_set_content (self, NULL, message);
  if (chunks && reroute_smtp_client_wants_head (self->machine))
    reroute_connection_find_head (self, &transaction);
  world.host.refused = FALSE;
  reroute_smtp_client_begin (self->machine, &transaction);
}

static void
run_session (RerouteConnection *self, RerouteMessage *message, gboolean chunks)
{
  guint n_begun = 0;

  for (guint step = 0; step < STEPS && !world.lost; step++)
    {
      RerouteSmtpClientState state = reroute_smtp_client_get_state (self->machine);

      if (state == REROUTE_SMTP_CLIENT_CLOSED)
        break;
      if (state == REROUTE_SMTP_CLIENT_DONE)
        check_recipients (self, TRUE);
      if (state == REROUTE_SMTP_CLIENT_READY || state == REROUTE_SMTP_CLIENT_DONE)
        {
          /* As the pool does. */
          if (n_begun == TRANSACTIONS || !reroute_smtp_client_is_reusable (self->machine))
            return;
          n_begun++;
          begin (self, message, chunks);
        }
      send_all (self);
      if (!world.lost)
        receive (self);
      g_assert_cmpuint (step, <, STEPS - 1);
    }
  if (n_begun > 0)
    check_recipients (self, FALSE);
}

/* --- the input --- */

static void
sink_cb (const guint8 *octets, gsize length, gpointer user_data)
{
  g_byte_array_append (user_data, octets, (guint) length);
}

/* (transfer full) (nullable): as the spool has it; NULL: the relay would not have taken it */
static GByteArray *
store (const GByteArray *content)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();
  RerouteBody body;
  gsize taken;

  reroute_body_init (&body);
  body.sink = sink_cb;
  body.sink_data = wire;
  reroute_body_begin (&body, TRUE);
  if (content->len > 0)
    reroute_body_feed (&body, content->data, content->len, &taken);
  reroute_body_finish (&body);
  gboolean sound = body.fault == REROUTE_BODY_SOUND;
  reroute_body_clear (&body);
  return sound && wire->len > 0 ? g_steal_pointer (&wire) : NULL;
}

/* (transfer full) */
static GByteArray *
make_content (const uint8_t *octets, size_t length, gboolean headless)
{
  GByteArray *content = g_byte_array_new ();

  if (!headless)
    g_byte_array_append (content, (const guint8 *) HEAD, strlen (HEAD));
  g_byte_array_append (content, octets, (guint) length);
  if (content->len > 0 && content->data[content->len - 1] != '\n')
    g_byte_array_append (content, (const guint8 *) "\r\n", 2);
  return content;
}

static void
prepare (guint8 flags, gsize piece, const GByteArray *content, const GByteArray *wire)
{
  world.wire = wire;
  world.piece = 1 + piece;
  world.n_loaded = 0;
  world.disk_fails = (flags & FLAG_DISK_FAILS) != 0;
  world.lost = FALSE;
  world.record = g_byte_array_new ();
  world.host = (ModelHost){
    .script = &world.script,
    .kind = flags / FLAG_KIND % 3,
    .pipelining = (flags & FLAG_PIPELINING) != 0,
    .lmtp = (flags & FLAG_LMTP) != 0,
    .content = content,
    .head_octets = reroute_smtp_client_find_head (content->data, content->len),
  };
  model_host_begin (&world.host);
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  if (length < 3)
    return 0;
  guint8 flags = octets[0];
  gsize script = MIN (octets[2], length - 3);
  world.script = (ModelScript){ octets + 3, script };
  g_autoptr (GByteArray) content = make_content (
    octets + 3 + script, length - 3 - script, (flags & FLAG_HEADLESS) != 0);
  g_autoptr (GByteArray) wire = store (content);
  if (wire == NULL)
    return 0;
  prepare (flags, octets[1], content, wire);

  /* In TLS, whose functions are here. */
  RerouteConnection self = { .stream = { -1, (RerouteTls *) &world } };
  g_autoptr (RerouteMessage) message =
               reroute_message_new (1, 0, reroute_envelope_new (), wire->len);
  g_autoptr (RerouteSmtpClient) machine = reroute_smtp_client_new ("relay.test");
  self.machine = machine;
  if (world.host.lmtp)
    reroute_smtp_client_set_lmtp (machine);
  run_session (&self, message, (flags & FLAG_CHUNKS) != 0);
  reroute_connection_forget_content (&self);
  model_host_clear (&world.host);
  g_byte_array_unref (world.record);
  return 0;
}
