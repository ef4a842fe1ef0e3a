/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-milter.c - what milters have to say about the mail of a session
 *
 * They are told of the client before it is greeted, so that one that they do not want never comes
 * in.  While there are milters the content is kept beside the draft.  Once they have judged and
 * changed it, it goes into the draft below our trace line, by way of the scanner that watches over
 * every content: whatever a milter made of a body is on the wire what the client could have sent.
 *
 * What they want of the envelope is decided by the rules like the client's own RCPT.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-session"

#include "service/relay/receive/session-milter.h"

#include "service/relay/milter/chain.h"
#include "service/relay/receive/session-log.h"
#include "service/relay/smtp/body.h"

#include "common/limits.h"

#include <string.h>

typedef enum
{
  ABOUT_COMMAND, /* which the machine holds */
  ABOUT_CLIENT,  /* the same, or before it is greeted */
  ABOUT_MESSAGE,
} About;

struct _RerouteSessionMilters
{
  RerouteSession *session;
  RerouteSettings *settings;     /* that name them */
  RerouteMilterChain *chain;     /* NULL before the first question */
  About about;                   /* what is asked */
  gboolean at_door;              /* counted as such */
  RerouteMilterLogin login;      /* borrows from the session */
  RerouteMilterMessage *message; /* from DATA on */
  RerouteEnvelope *envelope;     /* of the message that is judged */
  gboolean body_8bitmime;        /* was declared: they may make 8-bit content of any */
  gboolean discards;             /* the message, by what was said of MAIL or RCPT */
  gboolean asking;               /* a question is on its way out: who asks goes on by himself */

  /* on the way into the draft */
  gboolean pouring;
  RerouteBody scan;
  guint64 place;
};

static void
free_transaction (RerouteSessionMilters *self)
{
  g_clear_pointer (&self->message, reroute_milter_message_free);
  g_clear_pointer (&self->envelope, reroute_envelope_free);
  self->pouring = FALSE;
}

/* The machine was answered.  In the midst of a turn the session comes to what is next by itself. */
static void
advance (RerouteSessionMilters *self)
{
  if (!self->asking)
    reroute_session_advance (self->session);
}

/* The message goes no further: @reply is the answer to the end of data. */
static void
finish_with (RerouteSessionMilters *self, const RerouteReply *reply)
{
  RerouteSession *session = self->session;

  g_clear_pointer (&session->draft, reroute_spool_draft_discard);
  free_transaction (self);
  reroute_smtp_server_finish_data (session->machine, reply);
  advance (self);
}

static void
finish_with_error (RerouteSessionMilters *self, const GError *error)
{
  g_autoptr (RerouteReply) reply = reroute_session_log_commit (
    &self->session->client.ip, self->session->account, NULL, error);

  finish_with (self, reply);
}

/* --- into the draft --- */

static void
scanned_cb (const guint8 *octets, gsize length, gpointer user_data)
{
  RerouteSessionMilters *self = user_data;

  reroute_spool_draft_append (self->session->draft, octets, length);
}

/* Returns: FALSE when it goes no further */
static gboolean
check_scan (RerouteSessionMilters *self)
{
  static const RerouteReply reply = {
    451, "4.7.1", (char *) "A mail filter has made of the message what cannot be sent"
  };

  if (self->scan.fault == REROUTE_BODY_SOUND)
    return TRUE;
  finish_with (self, &reply);
  return FALSE;
}

static void
commit (RerouteSessionMilters *self)
{
  RerouteEnvelope *envelope = g_steal_pointer (&self->envelope);

  envelope->body_8bitmime = self->body_8bitmime;
  reroute_envelope_note_content (envelope, self->scan.has_8bit, self->scan.has_8bit_header);
  free_transaction (self);
  reroute_session_commit (self->session, envelope);
}

static void
pour (RerouteSessionMilters *self)
{
  g_autoptr (GByteArray) chunk = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  gsize taken;

  while (self->pouring && !reroute_spool_draft_is_behind (self->session->draft))
    {
      g_byte_array_set_size (chunk, 0);
      if (!reroute_milter_message_read (self->message, &self->place, chunk, &error))
        {
          finish_with_error (self, error);
          return;
        }
      if (chunk->len > 0)
        reroute_body_feed (&self->scan, chunk->data, chunk->len, &taken);
      else
        reroute_body_finish (&self->scan);
      if (!check_scan (self))
        return;
      if (chunk->len == 0)
        {
          commit (self);
          return;
        }
    }
}

void
reroute_session_milters_resume (RerouteSessionMilters *self)
{
  if (self->pouring)
    pour (self);
}

static void
begin_to_pour (RerouteSessionMilters *self)
{
  reroute_session_put_trace (self->session, self->envelope);
  self->place = 0;
  self->pouring = TRUE;
  reroute_body_begin (&self->scan, TRUE);
  pour (self);
}

/* --- what they want of the envelope --- */

/* Returns: FALSE: it is not granted */
static gboolean
deny (const RerouteSessionMilters *self, const char *what, const char *address, const char *why)
{
  g_autofree char *id =
    reroute_message_id_to_string (reroute_spool_draft_get_id (self->session->draft));
  g_autofree char *shown = g_strescape (address, NULL);

  g_message ("id=%s milter wants %s <%s>: %s", id, what, shown, why);
  return FALSE;
}

static gboolean
add_recipient (RerouteSessionMilters *self, const char *text)
{
  RerouteReceiver *receiver = self->session->receiver;
  const RerouteAdmissionRules rules = reroute_receiver_get_rules (receiver);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteAddress) address =
               reroute_address_parse (text, self->envelope->smtputf8, &error);
  g_autoptr (RerouteReply) refusal = NULL;
  RerouteAdmitted admitted = { 0 };

  if (address == NULL)
    return deny (self, "recipient", text, error->message);
  if (self->envelope->recipients->len >= receiver->session_config.max_recipients)
    refusal = reroute_reply_new (452, "4.5.3", "Too many recipients in one message");
  else
    refusal = reroute_admission_rcpt (
      &rules, &self->session->client, self->envelope->reverse_path[0] == '\0', address, &admitted);
  /* A filter has its reasons: the next hop may say no later. */
  g_clear_pointer (&admitted.ask, reroute_decision_free);
  if (refusal != NULL)
    {
      g_autofree char *why = reroute_reply_to_string (refusal);
      return deny (self, "recipient", text, why);
    }
  reroute_envelope_add_recipient (self->envelope, address, admitted.by);
  return TRUE;
}

static gboolean
delete_recipient (RerouteSessionMilters *self, const char *text)
{
  GArray *recipients = self->envelope->recipients;
  gboolean found = FALSE;

  for (guint i = recipients->len; i > 0; i--)
    if (g_ascii_strcasecmp (reroute_envelope_get_recipient (self->envelope, i - 1)->address->text,
                            text) == 0)
      {
        g_array_remove_index (recipients, i - 1);
        found = TRUE;
      }
  return found || deny (self, "to do without", text, "there is no such recipient");
}

static gboolean
change_sender (RerouteSessionMilters *self, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteAddress) address = NULL;

  if (*text != '\0')
    {
      address = reroute_address_parse (text, self->envelope->smtputf8, &error);
      if (address == NULL || address->domain[0] == '\0')
        return deny (self, "sender", text, error != NULL ? error->message : "it has no domain");
    }
  g_free (self->envelope->reverse_path);
  self->envelope->reverse_path = g_strdup (address != NULL ? address->text : "");
  return TRUE;
}

/* Returns: FALSE: a recipient is gone, and one that was to come, in its place perhaps, refused */
static gboolean
grant_wishes (RerouteSessionMilters *self)
{
  static gboolean (*const grant[]) (RerouteSessionMilters * self, const char *text) = {
    [REROUTE_MILTER_ADDS_RCPT] = add_recipient,
    [REROUTE_MILTER_DELETES_RCPT] = delete_recipient,
    [REROUTE_MILTER_CHANGES_FROM] = change_sender,
  };
  gboolean added_all = TRUE;
  gboolean deleted_any = FALSE;
  guint n;
  const RerouteMilterWish *wishes = reroute_milter_message_get_wishes (self->message, &n);

  for (guint i = 0; i < n; i++)
    {
      gboolean granted = grant[wishes[i].kind](self, wishes[i].address);
      added_all = added_all && (granted || wishes[i].kind != REROUTE_MILTER_ADDS_RCPT);
      deleted_any = deleted_any || (granted && wishes[i].kind == REROUTE_MILTER_DELETES_RCPT);
    }
  return added_all || !deleted_any;
}

/* --- verdicts --- */

static void
log_verdict (const RerouteSessionMilters *self, const RerouteMilterOutcome *outcome)
{
  g_autofree char *client = reroute_ip_to_string (&self->session->client.ip);
  g_autofree char *said =
    outcome->refusal != NULL ? reroute_reply_to_string (outcome->refusal) : NULL;

  if (outcome->milter != NULL)
    g_message ("client=[%s] milter=%s status=%s%s%s%s",
               client,
               outcome->milter,
               outcome->discard ? "discarded" : "refused",
               said != NULL ? " (" : "",
               said != NULL ? said : "",
               said != NULL ? ")" : "");
}

static void
discard (RerouteSessionMilters *self)
{
  static const RerouteReply taken = { 250, "2.0.0", (char *) "Ok" };

  finish_with (self, &taken);
}

/* The client keeps the message, for everybody: which of those that were added stands for which that
   was deleted is known to the filter alone. */
static void
refuse_redirection (RerouteSessionMilters *self)
{
  static const RerouteReply reply = {
    451, "4.7.1", (char *) "A mail filter wants a recipient that this host does not take"
  };
  g_autofree char *id =
    reroute_message_id_to_string (reroute_spool_draft_get_id (self->session->draft));
  g_autofree char *said = reroute_reply_to_string (&reply);

  g_warning ("id=%s status=refused (%s)", id, said);
  finish_with (self, &reply);
}

static void
discard_for_nobody (RerouteSessionMilters *self)
{
  g_autofree char *id =
    reroute_message_id_to_string (reroute_spool_draft_get_id (self->session->draft));

  g_message ("id=%s status=discarded (milters leave no recipient)", id);
  discard (self);
}

/* A message that is held waits in the queue until an administrator says what becomes of it. */
static void
hold (RerouteSessionMilters *self)
{
  const char *reason = reroute_milter_chain_get_quarantine (self->chain);

  if (reason == NULL)
    return;
  g_autofree char *id =
    reroute_message_id_to_string (reroute_spool_draft_get_id (self->session->draft));
  g_autofree char *shown = g_strescape (reason, NULL);
  g_message ("id=%s status=held (%s)", id, shown);
  self->envelope->held = TRUE;
}

static void
judged (RerouteSessionMilters *self, const RerouteMilterOutcome *outcome)
{
  if (outcome->refusal != NULL)
    {
      finish_with (self, outcome->refusal);
      return;
    }
  if (outcome->discard)
    discard (self);
  else if (!grant_wishes (self))
    refuse_redirection (self);
  else if (self->envelope->recipients->len == 0)
    discard_for_nobody (self);
  else
    {
      hold (self);
      begin_to_pour (self);
    }
}

static void
leave_door (RerouteSessionMilters *self)
{
  if (self->at_door)
    self->session->receiver->n_at_door--;
  self->at_door = FALSE;
}

/* A greeting has two codes to refuse by (RFC 5321 4.3.2), and each ends the session. */
static void
client_judged (RerouteSessionMilters *self, const RerouteReply *refusal)
{
  RerouteSmtpServer *machine = self->session->machine;
  g_autoptr (RerouteReply) reply = NULL;

  leave_door (self);
  if (refusal != NULL)
    reply = reroute_reply_new (refusal->code < 500 ? 421 : 554, refusal->status, refusal->text);
  if (reroute_smtp_server_is_new (machine))
    reroute_smtp_server_greet (machine, reply);
  else
    reroute_smtp_server_finish_held (machine, reply);
}

static void
outcome_cb (const RerouteMilterOutcome *outcome, gpointer user_data)
{
  RerouteSessionMilters *self = user_data;

  log_verdict (self, outcome);
  if (self->about == ABOUT_MESSAGE)
    {
      judged (self, outcome);
      return;
    }
  self->discards = self->discards || outcome->discard;
  if (self->about == ABOUT_CLIENT)
    client_judged (self, outcome->refusal);
  else
    reroute_smtp_server_finish_held (self->session->machine, outcome->refusal);
  advance (self);
}

/* --- for the session --- */

static void
make_chain (RerouteSessionMilters *self)
{
  RerouteSession *session = self->session;
  const RerouteMilterSession about = { .hostname = session->receiver->hostname,
                                       .client_ip = session->client.ip,
                                       .tls = reroute_smtp_server_get_tls (session->machine) };

  self->chain = reroute_milter_chain_new (
    session->receiver->worker, self->settings, REROUTE_SETTING_MILTERS, &about, outcome_cb, self);
}

gboolean
reroute_session_milters_ask_client (RerouteSessionMilters *self)
{
  RerouteReceiver *receiver = self->session->receiver;

  g_clear_pointer (&self->chain, reroute_milter_chain_free);
  if (receiver->n_at_door >= REROUTE_LIMIT_AT_DOOR)
    return FALSE;
  receiver->n_at_door++;
  self->at_door = TRUE;
  make_chain (self);
  self->about = ABOUT_CLIENT;
  self->asking = TRUE;
  reroute_milter_chain_ask_connect (self->chain);
  self->asking = FALSE;
  return TRUE;
}

void
reroute_session_milters_ask_helo (RerouteSessionMilters *self, const char *name)
{
  RerouteSmtpServer *machine = self->session->machine;

  if (self->chain == NULL) /* too many waited at the door */
    return;
  reroute_smtp_server_hold (machine);
  self->about = ABOUT_COMMAND;
  self->asking = TRUE;
  reroute_milter_chain_ask_helo (self->chain, name, reroute_smtp_server_get_tls (machine));
  self->asking = FALSE;
}

void
reroute_session_milters_ask_mail (RerouteSessionMilters *self, const RerouteEnvelope *envelope)
{
  self->discards = FALSE;
  self->body_8bitmime = envelope->body_8bitmime;
  if (self->chain == NULL)
    make_chain (self);
  self->about = ABOUT_COMMAND;
  self->asking = TRUE;
  self->login = (RerouteMilterLogin){ self->session->mechanism, self->session->account };
  reroute_milter_chain_ask_mail (
    self->chain, envelope, self->session->account != NULL ? &self->login : NULL);
  self->asking = FALSE;
}

void
reroute_session_milters_ask_rcpt (RerouteSessionMilters *self, const RerouteAddress *recipient)
{
  self->about = ABOUT_COMMAND;
  self->asking = TRUE;
  reroute_milter_chain_ask_rcpt (self->chain, recipient);
  self->asking = FALSE;
}

void
reroute_session_milters_begin (RerouteSessionMilters *self)
{
  free_transaction (self);
  self->message = reroute_milter_message_new (
    reroute_spool_get_directory_fd (self->session->receiver->config.spool));
}

void
reroute_session_milters_append (RerouteSessionMilters *self, const guint8 *octets, gsize length)
{
  reroute_milter_message_append (self->message, octets, length);
}

void
reroute_session_milters_drop (RerouteSessionMilters *self)
{
  free_transaction (self);
}

/* Each may delete all recipients, and add as many as a message may have. */
static guint
get_most_wishes (const RerouteSessionMilters *self)
{
  return REROUTE_LIMIT_MILTER_WISHES + self->envelope->recipients->len +
         self->session->receiver->session_config.max_recipients;
}

void
reroute_session_milters_judge (RerouteSessionMilters *self, RerouteEnvelope *envelope)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *id =
    reroute_message_id_to_string (reroute_spool_draft_get_id (self->session->draft));

  self->envelope = envelope;
  reroute_milter_message_set_most_wishes (self->message, get_most_wishes (self));
  self->about = ABOUT_MESSAGE;
  self->asking = TRUE;
  if (!reroute_milter_message_finish (self->message, &error))
    finish_with_error (self, error);
  else if (self->discards)
    discard (self);
  else
    reroute_milter_chain_ask_message (self->chain, self->message, id);
  self->asking = FALSE;
}

RerouteSessionMilters *
reroute_session_milters_new (RerouteSession *session)
{
  gsize n;

  reroute_settings_get_milters (session->receiver->settings, REROUTE_SETTING_MILTERS, &n);
  if (n == 0)
    return NULL;
  RerouteSessionMilters *self = g_new0 (RerouteSessionMilters, 1);
  self->session = session;
  self->settings = reroute_settings_ref (session->receiver->settings);
  reroute_body_init (&self->scan);
  self->scan.normalize = self->scan.looks_for_8bit = TRUE;
  self->scan.sink = scanned_cb;
  self->scan.sink_data = self;
  return self;
}

void
reroute_session_milters_renew (RerouteSession *session)
{
  RerouteSessionMilters *before = session->milters;
  const char *asked =
    before != NULL ? reroute_settings_get_text (before->settings, REROUTE_SETTING_MILTERS) : "";

  if (g_str_equal (
        asked, reroute_settings_get_text (session->receiver->settings, REROUTE_SETTING_MILTERS)))
    return;
  g_clear_pointer (&session->milters, reroute_session_milters_free);
  session->milters = reroute_session_milters_new (session);
}

void
reroute_session_milters_free (RerouteSessionMilters *self)
{
  leave_door (self);
  g_clear_pointer (&self->chain, reroute_milter_chain_free);
  free_transaction (self);
  reroute_body_clear (&self->scan);
  reroute_settings_unref (self->settings);
  g_free (self);
}
