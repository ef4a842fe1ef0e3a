/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chain.c - several milters in a row
 *
 * A milter that cannot be asked is gone without, or refuses what is asked, as its default action
 * says, until the next message.  Before the first one it is gone without: it may be back by then.
 * One that is lost when it has begun to change a message leaves half a message: that one is put off
 * whatever the default action is.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-milter"

#include "service/relay/milter/chain.h"

#include "service/relay/milter/connection.h"

typedef enum
{
  ASK_CONNECT,
  ASK_HELO,
  ASK_MAIL,
  ASK_RCPT,
  ASK_MESSAGE,
} Question;

typedef struct
{
  RerouteMilterChain *chain;
  const RerouteMilterSpec *spec; /* borrowed from the settings */
  char *label;
  RerouteMilterConnection *connection; /* NULL: not made, or lost */
  gboolean failed;                     /* for this message, or has had its say about it */
} Link;

struct _RerouteMilterChain
{
  RerouteWorker *worker;
  RerouteSettings *settings;
  gboolean advises; /* and decides nothing */
  char *hostname;
  char *client_name;
  char *tls;
  RerouteMilterSession session; /* borrows the three */
  RerouteMilterFunc func;
  gpointer user_data;
  gsize n_links;
  Link *links;

  Question question;
  char *helo; /* the client may be turned away while milters are asked */
  const RerouteEnvelope *envelope;
  const RerouteMilterLogin *login;
  const RerouteAddress *address;
  RerouteMilterMessage *message;
  char *queue_id;
  gsize index; /* of the link that is asked */
};

static void ask_links (RerouteMilterChain *self);

static void
finish (RerouteMilterChain *self, const RerouteReply *refusal, gboolean discard, const char *milter)
{
  const RerouteMilterOutcome outcome = { refusal, discard, milter };

  self->func (&outcome, self->user_data);
}

/* --- a milter that fails --- */

static void
fall_back (Link *link)
{
  static const RerouteReply later = { 451,
                                      "4.7.1",
                                      (char *) "A mail filter cannot be asked, try again later" };
  static const RerouteReply never = { 550, "5.7.1", (char *) "A mail filter cannot be asked" };
  RerouteMilterChain *self = link->chain;

  if (self->advises || link->spec->action == REROUTE_MILTER_ACCEPT || self->question < ASK_MAIL)
    {
      self->index++;
      ask_links (self);
      return;
    }
  finish (self, link->spec->action == REROUTE_MILTER_REJECT ? &never : &later, FALSE, link->label);
}

/* It takes no further part; @changed: when it had begun to change the message. */
static void
leave_out (Link *link, gboolean changed)
{
  static const RerouteReply halfway = {
    451, "4.7.1", (char *) "A mail filter was lost at its work, try again later"
  };

  link->failed = TRUE;
  if (changed)
    finish (link->chain, &halfway, FALSE, link->label);
  else
    fall_back (link);
}

static void
failed_cb (RerouteMilterConnection *connection, const char *why, gpointer user_data)
{
  Link *link = user_data;
  gboolean changed =
    reroute_milter_machine_has_changed (reroute_milter_connection_get_machine (connection));

  g_log (G_LOG_DOMAIN,
         link->chain->advises ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_MESSAGE,
         "milter=%s status=failed (%s)",
         link->label,
         why);
  g_clear_pointer (&link->connection, reroute_milter_connection_free);
  leave_out (link, changed);
}

/* --- asking --- */

/* What a milter has against mail that goes on all the same. */
static void
overrule (Link *link, const RerouteMilterMachine *machine)
{
  gboolean discards = reroute_milter_machine_get_verdict (machine) == REROUTE_MILTER_DISCARDS;
  g_autofree char *said =
    discards ? NULL : reroute_reply_to_string (reroute_milter_machine_get_reply (machine));

  g_warning ("milter=%s status=overruled (%s)", link->label, discards ? "discard it" : said);
  leave_out (link, reroute_milter_machine_has_changed (machine));
}

static void
judge (Link *link)
{
  RerouteMilterChain *self = link->chain;
  RerouteMilterMachine *machine = reroute_milter_connection_get_machine (link->connection);
  RerouteMilterVerdict verdict = reroute_milter_machine_get_verdict (machine);

  if (self->advises && (verdict == REROUTE_MILTER_REFUSES || verdict == REROUTE_MILTER_DISCARDS))
    {
      overrule (link, machine);
      return;
    }
  switch (verdict)
    {
    case REROUTE_MILTER_REFUSES:
      finish (self, reroute_milter_machine_get_reply (machine), FALSE, link->label);
      return;
    case REROUTE_MILTER_DISCARDS:
      finish (self, NULL, TRUE, link->label);
      return;
    default:
      self->index++;
      ask_links (self);
    }
}

static void
answered_cb (RerouteMilterConnection *connection, gpointer user_data)
{
  judge (user_data);
}

static const RerouteMilterConnectionHandler handler = { answered_cb, failed_cb };

static void
ask_link (Link *link)
{
  RerouteMilterChain *self = link->chain;

  if (link->connection == NULL)
    link->connection =
      reroute_milter_connection_new (self->worker, link->spec, &self->session, &handler, link);
  RerouteMilterMachine *machine = reroute_milter_connection_get_machine (link->connection);
  switch (self->question)
    {
    case ASK_CONNECT:
      reroute_milter_machine_ask_connect (machine);
      break;
    case ASK_HELO:
      reroute_milter_machine_ask_helo (machine, self->helo, self->tls);
      break;
    case ASK_MAIL:
      reroute_milter_machine_ask_mail (machine, self->envelope, self->login);
      break;
    case ASK_RCPT:
      reroute_milter_machine_ask_rcpt (machine, self->address);
      break;
    default:
      reroute_milter_machine_ask_message (machine, self->message, self->queue_id);
    }
  if (reroute_milter_machine_get_verdict (machine) == REROUTE_MILTER_WORKING)
    reroute_milter_connection_ask (link->connection, self->question == ASK_MESSAGE);
  else
    judge (link);
}

/* From the link at index on. */
static void
ask_links (RerouteMilterChain *self)
{
  if (self->index == self->n_links)
    {
      finish (self, NULL, FALSE, NULL);
      return;
    }
  Link *link = &self->links[self->index];
  /* A milter may hang up between two messages; within one it has lost what it was told. */
  if (link->connection != NULL && reroute_milter_connection_is_lost (link->connection))
    {
      g_clear_pointer (&link->connection, reroute_milter_connection_free);
      link->failed = self->question > ASK_MAIL;
    }
  if (link->failed)
    fall_back (link);
  else
    ask_link (link);
}

static void
ask (RerouteMilterChain *self, Question question)
{
  self->question = question;
  self->index = 0;
  ask_links (self);
}

void
reroute_milter_chain_ask_connect (RerouteMilterChain *self)
{
  g_return_if_fail (self != NULL);

  ask (self, ASK_CONNECT);
}

void
reroute_milter_chain_ask_helo (RerouteMilterChain *self, const char *helo, const char *tls)
{
  g_return_if_fail (self != NULL && helo != NULL);

  g_free (self->tls);
  self->tls = g_strdup (tls);
  self->session.tls = self->tls;
  g_free (self->helo);
  self->helo = g_strdup (helo);
  ask (self, ASK_HELO);
}

void
reroute_milter_chain_ask_mail (RerouteMilterChain *self,
                               const RerouteEnvelope *envelope,
                               const RerouteMilterLogin *login)
{
  g_return_if_fail (self != NULL && envelope != NULL);

  for (gsize i = 0; i < self->n_links; i++)
    self->links[i].failed = FALSE;
  self->envelope = envelope;
  self->login = login;
  ask (self, ASK_MAIL);
}

void
reroute_milter_chain_ask_rcpt (RerouteMilterChain *self, const RerouteAddress *address)
{
  g_return_if_fail (self != NULL && address != NULL);

  self->address = address;
  ask (self, ASK_RCPT);
}

void
reroute_milter_chain_ask_message (RerouteMilterChain *self,
                                  RerouteMilterMessage *message,
                                  const char *queue_id)
{
  g_return_if_fail (self != NULL && message != NULL && queue_id != NULL);

  g_free (self->queue_id);
  self->queue_id = g_strdup (queue_id);
  self->message = message;
  ask (self, ASK_MESSAGE);
}

const char *
reroute_milter_chain_get_quarantine (const RerouteMilterChain *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  for (gsize i = 0; i < self->n_links; i++)
    if (self->links[i].connection != NULL)
      {
        const char *reason = reroute_milter_machine_get_quarantine (
          reroute_milter_connection_get_machine (self->links[i].connection));
        if (reason != NULL)
          return reason;
      }
  return NULL;
}

/* --- life --- */

RerouteMilterChain *
reroute_milter_chain_new (RerouteWorker *worker,
                          RerouteSettings *settings,
                          RerouteSettingId list,
                          const RerouteMilterSession *session,
                          RerouteMilterFunc func,
                          gpointer user_data)
{
  g_return_val_if_fail (worker != NULL && settings != NULL && session != NULL, NULL);

  RerouteMilterChain *self = g_new0 (RerouteMilterChain, 1);
  const RerouteMilterSpec *specs = reroute_settings_get_milters (settings, list, &self->n_links);

  self->worker = worker;
  self->settings = reroute_settings_ref (settings);
  self->advises = list == REROUTE_SETTING_MILTERS_FOR_OWN_MAIL;
  self->hostname = g_strdup (session->hostname);
  self->client_name = g_strdup (session->client_name);
  self->tls = g_strdup (session->tls);
  self->session =
    (RerouteMilterSession){ self->hostname, self->client_name, session->client_ip, self->tls };
  self->func = func;
  self->user_data = user_data;
  self->links = g_new0 (Link, self->n_links);
  for (gsize i = 0; i < self->n_links; i++)
    self->links[i] = (Link){ .chain = self,
                             .spec = &specs[i],
                             .label = reroute_milter_spec_dup_address (&specs[i]) };
  return self;
}

void
reroute_milter_chain_free (RerouteMilterChain *self)
{
  g_return_if_fail (self != NULL);

  for (gsize i = 0; i < self->n_links; i++)
    {
      g_clear_pointer (&self->links[i].connection, reroute_milter_connection_free);
      g_free (self->links[i].label);
    }
  g_free (self->links);
  g_free (self->hostname);
  g_free (self->client_name);
  g_free (self->tls);
  g_free (self->helo);
  g_free (self->queue_id);
  reroute_settings_unref (self->settings);
  g_free (self);
}
