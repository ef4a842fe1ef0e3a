/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * own-mail.c - mail that the relay itself writes, on its way into the queue
 *
 * It comes from the null reverse-path, so nothing ever answers it, goes through the mail filters
 * that are set for it, and is decided by the rules like any other.
 *
 * Standards: RFC 5321 section 4.5.5.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"

#include "service/relay/track/accepted.h"

/* On its way through the filters and the spool's thread. */
typedef struct
{
  RerouteScheduler *scheduler;
  RerouteSpoolDraft *draft;  /* until it is committed */
  RerouteEnvelope *envelope; /* the same */
  RerouteOwnMailFunc func;
  gpointer user_data;
  RerouteMessage *message; /* NULL: it could not be spooled */
} OwnMail;

static void
spooled_here (RerouteWorker *thread, gpointer user_data)
{
  g_autofree OwnMail *self = user_data;
  g_autoptr (RerouteMessage) message = self->message;

  self->scheduler->n_spooling--;
  if (message != NULL)
    reroute_track_accepted (self->scheduler->tracker, message, NULL);
  self->func (message, self->user_data);
  reroute_scheduler_check_drained (self->scheduler);
}

/* On the spool's thread. */
static void
spooled (RerouteMessage *message, const GError *error, gpointer user_data)
{
  OwnMail *self = user_data;

  if (error == NULL)
    self->message = reroute_message_ref (message);
  else
    g_warning ("cannot spool mail of our own: %s", error->message);
  reroute_worker_post (self->scheduler->thread, spooled_here, self);
}

static RerouteEnvelope *
make_envelope (RerouteScheduler *scheduler, RerouteAddress *to)
{
  RerouteEnvelope *envelope = reroute_envelope_new ();
  const RerouteRowRef nobody = { 0 };

  g_free (envelope->reverse_path);
  envelope->reverse_path = g_strdup ("");
  g_free (envelope->helo);
  envelope->helo = g_strdup (reroute_scheduler_get_hostname (scheduler));
  envelope->smtputf8 = !g_str_is_ascii (to->text);
  envelope->client_permitted = TRUE;
  reroute_envelope_add_recipient (envelope, to, nobody);
  return envelope;
}

static void
commit (GBytes *content, gpointer user_data)
{
  OwnMail *self = user_data;

  reroute_spool_draft_append (
    self->draft, g_bytes_get_data (content, NULL), g_bytes_get_size (content));
  reroute_spool_commit (self->scheduler->spool,
                        g_steal_pointer (&self->draft),
                        g_steal_pointer (&self->envelope),
                        spooled,
                        self);
}

void
reroute_own_mail_spool (RerouteScheduler *scheduler,
                        RerouteAddress *to,
                        GBytes *content,
                        RerouteOwnMailTls tls,
                        RerouteOwnMailFunc func,
                        gpointer user_data)
{
  OwnMail *self = g_new0 (OwnMail, 1);

  self->scheduler = scheduler;
  self->draft = reroute_spool_begin (scheduler->spool);
  self->envelope = make_envelope (scheduler, to);
  self->func = func;
  self->user_data = user_data;
  self->envelope->tls_optional = tls == REROUTE_OWN_MAIL_TLS_OPTIONAL;
  self->envelope->requiretls = tls == REROUTE_OWN_MAIL_TLS_REQUIRED;
  scheduler->n_spooling++;
  if (!reroute_own_mail_filter (scheduler, self->draft, self->envelope, content, commit, self))
    commit (content, self);
}
