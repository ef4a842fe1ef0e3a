/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-machine.c - what the machine of a session asks for, and what it is made with
 *
 * Each command that the machine has understood is counted, judged by the rules in force and by the
 * milters, and answered here.
 */

#include "config.h"

#include "service/relay/receive/session-log.h"
#include "service/relay/receive/session-milter.h"
#include "service/relay/receive/session-private.h"

static RerouteReply *
count (RerouteSession *self, RerouteSettingId rate)
{
  RerouteReceiver *receiver = self->receiver;

  return reroute_admission_count (receiver->config.admission,
                                  receiver->ruleset,
                                  &self->client,
                                  rate,
                                  reroute_worker_now_us (receiver->worker));
}

static RerouteReply *
helo_cb (RerouteSmtpServer *machine, const char *name, gpointer user_data)
{
  RerouteSession *self = user_data;

  if (self->milters != NULL)
    reroute_session_milters_ask_helo (self->milters, name);
  return NULL;
}

/* Any sender may try: admission goes by the recipient. */
static RerouteReply *
mail_cb (RerouteSmtpServer *machine, const RerouteEnvelope *envelope, gpointer user_data)
{
  RerouteSession *self = user_data;

  RerouteReply *refusal = count (self, REROUTE_SETTING_MAX_MESSAGE_RATE);

  self->is_notice = envelope->reverse_path[0] == '\0';
  self->client_is_told = TRUE;
  reroute_session_milters_renew (self);
  if (refusal == NULL && self->milters != NULL)
    {
      reroute_smtp_server_hold (machine);
      reroute_session_milters_ask_mail (self->milters, envelope);
    }
  return refusal;
}

static RerouteReply *
rcpt_cb (RerouteSmtpServer *machine,
         const RerouteAddress *recipient,
         RerouteRowRef *admitted_by,
         gpointer user_data)
{
  RerouteSession *self = user_data;
  const RerouteAdmissionRules rules = reroute_receiver_get_rules (self->receiver);
  /* It is not told to leave between commands that it sent in one piece. */
  RerouteReply *refusal = self->farewell != NULL ? reroute_reply_copy (self->farewell)
                                                 : count (self, REROUTE_SETTING_MAX_RECIPIENT_RATE);
  RerouteAdmitted admitted = { 0 };

  if (refusal == NULL)
    refusal = reroute_admission_rcpt (&rules, &self->client, self->is_notice, recipient, &admitted);
  *admitted_by = admitted.by;
  self->permitted = rules.ruleset != NULL && reroute_ruleset_permits (rules.ruleset, &self->client);
  if (refusal != NULL)
    reroute_session_log_refused (&self->client.ip, recipient, refusal);
  else
    reroute_session_check_recipient (self, recipient, admitted.ask);
  return refusal;
}

static RerouteReply *
data_cb (RerouteSmtpServer *machine, const RerouteEnvelope *envelope, gpointer user_data)
{
  RerouteSession *self = user_data;

  g_assert (self->draft == NULL);
  reroute_session_begin_draft (self);
  if (self->milters != NULL)
    reroute_session_milters_begin (self->milters);
  else
    reroute_session_put_trace (self, envelope);
  return NULL;
}

static void
content_cb (RerouteSmtpServer *machine, const guint8 *octets, gsize length, gpointer user_data)
{
  RerouteSession *self = user_data;

  if (self->milters != NULL)
    reroute_session_milters_append (self->milters, octets, length);
  else
    reroute_spool_draft_append (self->draft, octets, length);
}

static void
abort_data_cb (RerouteSmtpServer *machine, gpointer user_data)
{
  RerouteSession *self = user_data;

  if (self->milters != NULL)
    reroute_session_milters_drop (self->milters);
  g_clear_pointer (&self->draft, reroute_spool_draft_discard);
}

static void
end_of_data_cb (RerouteSmtpServer *machine, RerouteEnvelope *envelope, gpointer user_data)
{
  RerouteSession *self = user_data;

  envelope->client_permitted = self->permitted;
  if (self->milters != NULL)
    reroute_session_milters_judge (self->milters, envelope);
  else
    reroute_session_commit (self, envelope);
}

static void
rejected_cb (RerouteSmtpServer *machine, guint code, gpointer user_data)
{
  RerouteSession *self = user_data;
  RerouteReceiver *receiver = self->receiver;

  reroute_tallies_add (reroute_worker_get_tallies (receiver->worker),
                       code < 500 ? REROUTE_TALLY_REJECTIONS_4XX : REROUTE_TALLY_REJECTIONS_5XX,
                       1);
  if (code >= 500 && reroute_admission_count_error (receiver->config.admission,
                                                    receiver->ruleset,
                                                    &self->client,
                                                    reroute_worker_now_us (receiver->worker)))
    self->put_off = TRUE;
}

/* (transfer full) (element-type RerouteRow): those that have admitted the recipients */
static GPtrArray *
list_entries (RerouteRuleset *ruleset, const RerouteEnvelope *envelope)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func (reroute_row_unref);

  for (guint i = 0; ruleset != NULL && i < envelope->recipients->len; i++)
    {
      RerouteRowRef by = reroute_envelope_get_recipient (envelope, i)->admitted_by;
      RerouteRow *row = by.id != 0 ? reroute_ruleset_get_row (ruleset, by.page, by.id) : NULL;

      if (row != NULL && !g_ptr_array_find (entries, row, NULL))
        g_ptr_array_add (entries, reroute_row_ref (row));
    }
  return entries;
}

/* A client that has the message again is told by which entry: it covers a domain that the client
   itself has named, so nothing is told that it does not know. */
static RerouteReply *
content_refused_cb (RerouteSmtpServer *machine,
                    const RerouteEnvelope *envelope,
                    gboolean is_loop,
                    RerouteReply *reply,
                    gpointer user_data)
{
  RerouteSession *self = user_data;

  if (!is_loop)
    {
      reroute_session_log_content_refused (&self->client.ip, envelope, reply);
      return reply;
    }

  g_autoptr (GPtrArray) entries = list_entries (self->receiver->ruleset, envelope);
  if (entries->len > 0)
    {
      g_autoptr (RerouteReply) bare = reply;
      const RerouteRow *entry = entries->pdata[0];
      g_autofree char *text =
        g_strdup_printf ("%s; it came by the entry for %s", bare->text, entry->domain);
      reply = reroute_reply_new (bare->code, bare->status, text);
    }
  reroute_session_log_loop (&self->client.ip, envelope, entries, reply);
  return reply;
}

static const RerouteSmtpServerHandler handler = {
  .mail = mail_cb,
  .rcpt = rcpt_cb,
  .data = data_cb,
  .content = content_cb,
  .end_of_data = end_of_data_cb,
  .abort_data = abort_data_cb,
  .auth = reroute_session_auth_cb,
  .xclient = reroute_session_xclient_cb,
  .offers_etrn = reroute_session_offers_etrn_cb,
  .etrn = reroute_session_etrn_cb,
  .helo = helo_cb,
  .rejected = rejected_cb,
  .content_refused = content_refused_cb,
};

RerouteSmtpServer *
reroute_session_make_machine (RerouteSession *self)
{
  RerouteReceiver *receiver = self->receiver;
  RerouteSmtpServerConfig config = receiver->session_config;

  config.client_ip = self->client.ip;
  config.client_permitted = self->permitted;
  config.offers_tls = self->tls != NULL;
  self->may_xclient =
    reroute_settings_contains (receiver->settings, REROUTE_SETTING_XCLIENT_HOSTS, &self->host);
  config.offers_xclient = self->may_xclient;
  config.auth_mechanisms = receiver->accounts != NULL ? REROUTE_SASL_SERVER_MECHANISMS : NULL;
  RerouteSmtpServer *machine = reroute_smtp_server_new (&config, &handler, self);
  reroute_smtp_server_set_token (machine, reroute_spool_get_token (receiver->config.spool));
  return machine;
}
