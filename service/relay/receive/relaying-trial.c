/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relaying-trial.c - whether strangers could send through this relay
 *
 * Sources: the forms of unixwiz.net and abuse.net that open relays were found by; tests/relay/
 * test-relay-abuse.c has them all, over a socket.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-receive"

#include "service/relay/receive/relaying-trial.h"

#include "service/relay/receive/admission.h"
#include "service/relay/smtp/server.h"

#include <string.h>

/* Addresses of documentation: nobody who is permitted has one of them by right. */
static const char *const strangers[] = { "192.0.2.1", "2001:db8::1" };

/* %V: a domain of somebody else; %H: our host name. */
static const char *const senders[] = { "", "v@%V", "v@%H", "postmaster@%H", "v@localhost" };

static const char *const recipients[] = {
  "v@%V",
  "postmaster@%V",
  "v%%V@%H",
  "v%%V@[127.0.0.1]",
  "\"v@%V\"",
  "\"v%%V\"",
  "v@%V@%H",
  "\"v@%V\"@%H",
  "v@%V@[127.0.0.1]",
  "@%H:v@%V",
  "@[127.0.0.1]:v@%V",
  "%V!v",
  "%V!v@%H",
  "%V!v@[127.0.0.1]",
  "IMCEASMTP-v+40%V@%H",
};

/* Nobody has them, and an entry for a whole top level shows. */
static const char *const victims[] = { "reroute-open-relay.invalid",
                                       "reroute-open-relay.com",
                                       "reroute-open-relay.net",
                                       "reroute-open-relay.org" };

typedef struct
{
  RerouteRuleset *ruleset;
  const char *hostname;
  RerouteClient client;
  gboolean is_notice;
  RerouteSmtpServer *machine;
  RerouteRelayingTrial *trial;
} Trial;

static RerouteReply *
mail_cb (RerouteSmtpServer *machine, const RerouteEnvelope *envelope, gpointer user_data)
{
  Trial *self = user_data;

  self->is_notice = envelope->reverse_path[0] == '\0';
  return NULL;
}

static RerouteReply *
rcpt_cb (RerouteSmtpServer *machine,
         const RerouteAddress *recipient,
         RerouteRowRef *admitted_by,
         gpointer user_data)
{
  Trial *self = user_data;
  RerouteAdmitted admitted = { 0 };
  RerouteDecisionMemo memo = { 0 };
  const RerouteAdmissionRules rules = { .ruleset = self->ruleset, .memo = &memo };
  RerouteReply *refusal =
    reroute_admission_rcpt (&rules, &self->client, self->is_notice, recipient, &admitted);

  *admitted_by = admitted.by;
  g_clear_pointer (&admitted.ask, reroute_decision_free);
  reroute_decision_memo_clear (&memo);
  return refusal;
}

/* No content is ever said. */
static RerouteReply *
data_cb (RerouteSmtpServer *machine, const RerouteEnvelope *envelope, gpointer user_data)
{
  g_assert_not_reached ();
  return NULL;
}

static const RerouteSmtpServerHandler handler = { .mail = mail_cb,
                                                  .rcpt = rcpt_cb,
                                                  .data = data_cb };

/* (transfer full): the first line of the reply */
static char *
say (RerouteSmtpServer *machine, const char *command)
{
  g_autofree char *line = g_strconcat (command, "\r\n", NULL);
  g_autofree char *reply = NULL;
  const guint8 *octets;
  gsize length;

  reroute_smtp_server_feed (machine, (const guint8 *) line, strlen (line));
  octets = reroute_smtp_server_peek_output (machine, &length);
  reply = g_strndup ((const char *) octets, length);
  reroute_smtp_server_sent (machine, length);
  reply[strcspn (reply, "\r\n")] = '\0';
  return g_steal_pointer (&reply);
}

/* "RCPT TO:<v%else.invalid@relay.test>" */
static char *
make_command (const Trial *self, const char *verb, const char *path, const char *victim)
{
  g_autoptr (GString) text = g_string_new (path);

  g_string_replace (text, "%V", victim, 0);
  g_string_replace (text, "%H", self->hostname, 0);
  return g_strdup_printf ("%s:<%s>", verb, text->str);
}

static void
note (Trial *self, const char *command, const char *reply)
{
  RerouteRelayingTrial *trial = self->trial;
  RerouteRelayingVerdict verdict = REROUTE_RELAYING_REFUSED;

  if (reply[0] == '2')
    verdict = REROUTE_RELAYING_OPEN;
  else if (reply[0] != '5')
    verdict = REROUTE_RELAYING_DEFERRED;
  else
    trial->n_refused++;
  if (verdict <= trial->verdict)
    return;
  trial->verdict = verdict;
  g_free (trial->command);
  g_free (trial->client);
  g_free (trial->reply);
  trial->command = g_strdup (command);
  trial->client = reroute_ip_to_string (&self->client.ip);
  trial->reply = g_strdup (reply);
}

static void
try_sender (Trial *self, const char *sender, const char *victim)
{
  g_autofree char *mail = make_command (self, "MAIL FROM", sender, victim);
  g_autofree char *reply = say (self->machine, mail);
  g_autofree char *reset = NULL;

  if (reply[0] != '2')
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (recipients); i++)
    {
      g_autofree char *command = make_command (self, "RCPT TO", recipients[i], victim);
      g_autofree char *answer = say (self->machine, command);
      note (self, command, answer);
    }
  reset = say (self->machine, "RSET");
}

static void
try_stranger (Trial *self, const char *address)
{
  g_autofree char *ehlo = NULL;
  gboolean is_address = reroute_ip_parse (address, &self->client.ip);

  g_assert (is_address);
  const RerouteSmtpServerConfig config = {
    .hostname = self->hostname,
    .max_message_octets = G_MAXINT32,
    .max_recipients = G_MAXUINT,
    .client_ip = self->client.ip,
    .client_permitted =
      self->ruleset != NULL && reroute_ruleset_permits (self->ruleset, &self->client),
  };

  self->machine = reroute_smtp_server_new (&config, &handler, self);
  reroute_smtp_server_greet (self->machine, NULL);
  ehlo = say (self->machine, "EHLO stranger.invalid");
  for (gsize i = 0; i < G_N_ELEMENTS (victims); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (senders); j++)
      try_sender (self, senders[j], victims[i]);
  g_clear_pointer (&self->machine, reroute_smtp_server_free);
}

RerouteRelayingTrial *
reroute_relaying_trial_run (RerouteRuleset *ruleset, const char *hostname)
{
  g_return_val_if_fail (hostname != NULL, NULL);

  Trial self = { .ruleset = ruleset,
                 .hostname = hostname,
                 .trial = g_new0 (RerouteRelayingTrial, 1) };

  for (gsize i = 0; i < G_N_ELEMENTS (strangers); i++)
    try_stranger (&self, strangers[i]);
  return self.trial;
}

void
reroute_relaying_trial_free (RerouteRelayingTrial *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->command);
  g_free (self->client);
  g_free (self->reply);
  g_free (self);
}
