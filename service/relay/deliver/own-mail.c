/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * own-mail.c - mail that the relay itself writes, on its way into the queue
 *
 * It comes from the null reverse-path, so nothing ever answers it, and is decided by the rules like
 * any other.
 *
 * Standards: RFC 5321 section 4.5.5.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"

#include "service/relay/track/accepted.h"

/* On its way through the spool's thread. */
typedef struct
{
  RerouteScheduler *scheduler;
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

void
reroute_own_mail_spool (RerouteScheduler *scheduler,
                        RerouteAddress *to,
                        GBytes *content,
                        RerouteOwnMailTls tls,
                        RerouteOwnMailFunc func,
                        gpointer user_data)
{
  RerouteSpoolDraft *draft = reroute_spool_begin (scheduler->spool);
  RerouteEnvelope *envelope = make_envelope (scheduler, to);
  OwnMail *self = g_new (OwnMail, 1);

  *self = (OwnMail){ scheduler, func, user_data, NULL };
  envelope->tls_optional = tls == REROUTE_OWN_MAIL_TLS_OPTIONAL;
  envelope->requiretls = tls == REROUTE_OWN_MAIL_TLS_REQUIRED;
  reroute_spool_draft_append (draft, g_bytes_get_data (content, NULL), g_bytes_get_size (content));
  scheduler->n_spooling++;
  reroute_spool_commit (scheduler->spool, draft, envelope, spooled, self);
}
