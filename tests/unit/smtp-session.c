/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * smtp-session.c - a server machine with an owner that keeps what it is given
 */

#include "config.h"

#include "tests/unit/smtp-session.h"

#include <string.h>

static void
message_free (gpointer data)
{
  TestMessage *self = data;

  reroute_envelope_free (self->envelope);
  g_string_free (self->content, TRUE);
  g_free (self);
}

static void
hold (TestSession *self)
{
  self->holds_etrn = FALSE;
  reroute_smtp_server_hold (self->machine);
  if (self->answer_held)
    reroute_smtp_server_finish_held (self->machine, NULL);
}

static RerouteReply *
helo_cb (RerouteSmtpServer *machine, const char *name, gpointer user_data)
{
  if (g_str_equal (name, "refused.test"))
    return reroute_reply_new (550, "5.7.1", "Not by that name");
  if (g_str_equal (name, "held.test"))
    hold (user_data);
  return NULL;
}

static RerouteReply *
mail_cb (RerouteSmtpServer *machine, const RerouteEnvelope *envelope, gpointer user_data)
{
  if (g_str_has_suffix (envelope->reverse_path, "@refused.test"))
    return reroute_reply_new (550, "5.7.1", "Not from there");
  if (g_str_has_suffix (envelope->reverse_path, "@held.test"))
    hold (user_data);
  return NULL;
}

static RerouteReply *
rcpt_cb (RerouteSmtpServer *machine,
         const RerouteAddress *recipient,
         RerouteRowRef *admitted_by,
         gpointer user_data)
{
  if (g_str_equal (recipient->key, "refused.test"))
    return reroute_reply_new (550, "5.7.1", "Relaying denied");
  if (g_str_equal (recipient->key, "later.test"))
    return reroute_reply_new (451, "4.3.0", "Later");
  if (g_str_equal (recipient->key, "closing.test"))
    return reroute_reply_new (421, "4.3.2", "Closing");
  admitted_by->id = 7;
  if (g_str_equal (recipient->key, "held.test"))
    hold (user_data);
  return NULL;
}

static RerouteReply *
data_cb (RerouteSmtpServer *machine, const RerouteEnvelope *envelope, gpointer user_data)
{
  g_assert_cmpuint (envelope->recipients->len, >, 0);
  if (g_str_has_suffix (envelope->reverse_path, "@full.test"))
    return reroute_reply_new (452, "4.3.1", "The spool is full");
  return NULL;
}

static void
content_cb (RerouteSmtpServer *machine, const guint8 *octets, gsize length, gpointer user_data)
{
  TestSession *self = user_data;

  g_string_append_len (self->content, (const char *) octets, (gssize) length);
}

static void
end_of_data_cb (RerouteSmtpServer *machine, RerouteEnvelope *envelope, gpointer user_data)
{
  TestSession *self = user_data;
  TestMessage *message = g_new0 (TestMessage, 1);

  message->envelope = envelope;
  message->content = g_steal_pointer (&self->content);
  self->content = g_string_new (NULL);
  g_ptr_array_add (self->messages, message);
  if (self->answer_late)
    return;
  g_autoptr (RerouteReply) reply = self->store_fails
                                     ? reroute_reply_new (452, "4.3.1", "The spool is full")
                                     : reroute_reply_new (250, "2.0.0", "Taken");
  reroute_smtp_server_finish_data (machine, reply);
}

static void
abort_data_cb (RerouteSmtpServer *machine, gpointer user_data)
{
  TestSession *self = user_data;

  g_string_truncate (self->content, 0);
  self->n_aborted++;
}

static void
rejected_cb (RerouteSmtpServer *machine, guint code, gpointer user_data)
{
  TestSession *self = user_data;

  self->n_rejected++;
}

static void
end_auth (RerouteSmtpServer *machine, gboolean good)
{
  g_autoptr (RerouteReply) reply = good ? reroute_reply_new (235, "2.7.0", "Welcome")
                                        : reroute_reply_new (535, "5.7.8", "Not so");

  reroute_smtp_server_finish_auth (machine, reply);
}

static gboolean
says (GBytes *response, const char *text, gsize length)
{
  g_autoptr (GBytes) wanted = g_bytes_new_static (text, length);

  return g_bytes_equal (response, wanted);
}

static void
ask (RerouteSmtpServer *machine, const char *challenge)
{
  reroute_smtp_server_continue_auth (machine, (const guint8 *) challenge, strlen (challenge));
}

static void
auth_cb (RerouteSmtpServer *machine, const char *mechanism, GBytes *response, gpointer user_data)
{
  TestSession *self = user_data;
  static const char plain[] = "\0alice\0secret";

  if (self->answer_late)
    return;
  if (mechanism != NULL)
    {
      self->auth_is_login = g_str_equal (mechanism, "LOGIN");
      self->auth_has_name = FALSE;
    }
  if (response == NULL)
    ask (machine, self->auth_is_login ? "User Name" : "");
  else if (!self->auth_is_login)
    end_auth (machine, says (response, plain, sizeof plain - 1));
  else if (self->auth_has_name)
    end_auth (machine, says (response, "secret", 6));
  else
    {
      self->auth_has_name = TRUE;
      ask (machine, "Password");
    }
}

/* 192.0.2.66 may not come in; who has logged in, or comes from 192.0.2.1, is permitted. */
static RerouteReply *
xclient_cb (RerouteSmtpServer *machine, const RerouteSmtpServerXclient *said, gpointer user_data)
{
  g_autofree char *ip = reroute_ip_to_string (&said->ip);
  gboolean permitted = g_str_equal (ip, "192.0.2.1") || said->login != NULL;

  if (g_str_equal (ip, "192.0.2.66"))
    return reroute_reply_new (554, "5.7.1", "access denied");
  reroute_smtp_server_set_client (machine, &said->ip, permitted, said->login != NULL);
  if (g_str_equal (ip, "192.0.2.67"))
    hold (user_data);
  return NULL;
}

static gboolean
offers_etrn_cb (RerouteSmtpServer *machine, gpointer user_data)
{
  return ((TestSession *) user_data)->offers_etrn;
}

static RerouteReply *
etrn_cb (RerouteSmtpServer *machine, const RerouteEtrn *wanted, gpointer user_data)
{
  TestSession *self = user_data;

  self->holds_etrn = g_str_equal (wanted->domain, "held.test");
  if (self->holds_etrn)
    reroute_smtp_server_hold (machine);
  if (self->holds_etrn)
    return NULL;
  if (g_str_equal (wanted->domain, "none.test.com"))
    return reroute_reply_new (251, "2.0.0", "Nothing");
  if (!g_str_equal (wanted->domain, "test.com"))
    return reroute_reply_new (459, "4.7.1", "Not for that");
  return reroute_reply_new (253, "2.0.0", wanted->subdomains ? "All of it" : "Some of it");
}

TestSession *
test_session_new (const RerouteSmtpServerConfig *config)
{
  static const RerouteSmtpServerHandler handler = {
    mail_cb, rcpt_cb,    data_cb,        content_cb, end_of_data_cb, abort_data_cb,
    auth_cb, xclient_cb, offers_etrn_cb, etrn_cb,    helo_cb,        rejected_cb,
  };
  TestSession *self = g_new0 (TestSession, 1);

  self->output = g_string_new (NULL);
  self->content = g_string_new (NULL);
  self->messages = g_ptr_array_new_with_free_func (message_free);
  self->machine = reroute_smtp_server_new (config, &handler, self);
  return self;
}

TestSession *
test_session_new_in_transaction (gboolean permitted)
{
  const RerouteSmtpServerConfig config = {
    .hostname = "mx.test",
    .max_message_octets = 1000000,
    .max_recipients = 3,
    .client_permitted = permitted,
  };
  TestSession *session = test_session_new (&config);

  reroute_smtp_server_greet (session->machine, NULL);
  test_session_feed (session, "EHLO client.test\r\n", -1);
  test_session_feed (session, "MAIL FROM:<a@client.test>\r\nRCPT TO:<b@test.com>\r\n", -1);
  g_free (test_session_take_output (session));
  return session;
}

void
test_session_free (TestSession *self)
{
  reroute_smtp_server_free (self->machine);
  g_string_free (self->output, TRUE);
  g_string_free (self->content, TRUE);
  g_ptr_array_unref (self->messages);
  g_free (self);
}

void
test_session_collect (TestSession *self)
{
  gsize length;
  const guint8 *octets = reroute_smtp_server_peek_output (self->machine, &length);

  /* In two goes, as a socket may take it. */
  gsize half = length / 2;
  g_string_append_len (self->output, (const char *) octets, (gssize) half);
  reroute_smtp_server_sent (self->machine, half);
  octets = reroute_smtp_server_peek_output (self->machine, &length);
  g_string_append_len (self->output, (const char *) octets, (gssize) length);
  reroute_smtp_server_sent (self->machine, length);
  reroute_smtp_server_peek_output (self->machine, &length);
  g_assert_cmpuint (length, ==, 0);
}

gsize
test_session_feed (TestSession *self, const char *octets, gssize length)
{
  gsize n = length < 0 ? strlen (octets) : (gsize) length;
  gsize taken = reroute_smtp_server_feed (self->machine, (const guint8 *) octets, n);

  test_session_collect (self);
  return taken;
}

char *
test_session_take_output (TestSession *self)
{
  char *text = g_strdup (self->output->str);

  g_string_truncate (self->output, 0);
  return text;
}

const TestMessage *
test_session_message (const TestSession *self, guint index)
{
  g_assert_cmpuint (index, <, self->messages->len);
  return g_ptr_array_index (self->messages, index);
}
