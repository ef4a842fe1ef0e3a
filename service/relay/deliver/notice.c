/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * notice.c - delivery status notifications of our own
 *
 * The notice is spooled first and the verdict recorded after it: a crash in between repeats the
 * notice, it never loses it.  A notice is a message like any other, decided by the rules, from the
 * null reverse-path.
 *
 * Standards: RFC 5321 sections 3.6.3, 4.5.5, 6.1; RFC 3461 sections 5 and 6; RFC 3464.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"

#include <string.h>

#include "common/limits.h"

static const RerouteTally tallies_of_kind[] = {
  [REROUTE_DSN_FAILED] = REROUTE_TALLY_NOTICES_FAILED,
  [REROUTE_DSN_DELAYED] = REROUTE_TALLY_NOTICES_DELAYED,
  [REROUTE_DSN_RELAYED] = REROUTE_TALLY_NOTICES_RELAYED,
};

/* A notice on its way into the spool. */
typedef struct
{
  RerouteQueued *queued;
  RerouteDsnKind kind;
  guint n;
  RerouteOutcome *outcomes;
  gboolean in_line;       /* the recipients are, and go on */
  RerouteMessage *notice; /* NULL: it could not be spooled */
} Notice;

static void
notice_free (Notice *self)
{
  for (guint i = 0; i < self->n; i++)
    reroute_reply_free (self->outcomes[i].reply);
  g_free (self->outcomes);
  g_clear_pointer (&self->notice, reroute_message_unref);
  reroute_queued_unref (self->queued);
  g_free (self);
}

/* --- what is given back --- */

/* The first octets of the content as it was received, at most @most of them in wire form. */
static GByteArray *
read_content (RerouteQueued *self, gsize most, guint *headers)
{
  gsize wanted = MIN (self->message->content_octets, most);
  GByteArray *content = g_byte_array_sized_new ((guint) wanted);
  g_autoptr (GError) error = NULL;

  while (content->len < wanted && error == NULL)
    {
      g_autoptr (GBytes) octets =
                   reroute_spool_load (self->scheduler->spool, self->message, content->len, &error);
      if (octets != NULL)
        g_byte_array_append (content,
                             g_bytes_get_data (octets, NULL),
                             (guint) MIN (g_bytes_get_size (octets), wanted - content->len));
    }
  if (error != NULL)
    g_warning ("%s", error->message);
  *headers = reroute_dsn_unstuff (content);
  return content;
}

GByteArray *
reroute_queued_dup_headers (RerouteQueued *self)
{
  guint headers;
  GByteArray *content = read_content (self, REROUTE_LIMIT_HEADER_OCTETS, &headers);

  g_byte_array_set_size (content, headers);
  return content;
}

/* --- after the spool --- */

/* Those of RELAYED were recorded as sent when they were. */
static void
settle (Notice *self)
{
  if (self->kind == REROUTE_DSN_RELAYED)
    return;
  if (self->in_line)
    {
      reroute_queued_record_told (self->queued, self->outcomes, self->n);
      return;
    }

  g_autoptr (GStringChunk) texts = g_string_chunk_new (256);
  g_autofree RerouteVerdict *verdicts = g_new (RerouteVerdict, self->n);
  RerouteTelling *telling = self->queued->scheduler->telling;

  reroute_telling_begin (telling, self->queued, texts);
  for (guint i = 0; i < self->n; i++)
    {
      RerouteOutcome *outcome = &self->outcomes[i];

      verdicts[i] = reroute_queued_make_verdict (
        self->queued, outcome, reroute_telling_find_text (telling, outcome->reply));
      if (self->kind == REROUTE_DSN_DELAYED)
        verdicts[i].flags |= REROUTE_VERDICT_DELAY_NOTICE_SENT;
    }
  reroute_queued_record (self->queued, verdicts, self->n);
}

/* The spool took no notice: the recipients wait and the next try comes to the same, or the next
   look at those in line or held.  What was passed on is not sent again for a notice's sake. */
static void
settle_without (Notice *self)
{
  gsize n_waits;
  const gint64 *waits_s =
    reroute_settings_get_numbers (reroute_scheduler_get_settings (self->queued->scheduler),
                                  REROUTE_SETTING_RETRY_INTERVALS,
                                  &n_waits);
  RerouteWorker *thread = self->queued->scheduler->thread;
  gint64 wait_us = waits_s[0] * G_USEC_PER_SEC;
  gint64 due_us = g_get_real_time () + wait_us;

  if (self->kind == REROUTE_DSN_RELAYED)
    return;
  self->queued->tells_s =
    (guint32) ((reroute_worker_now_us (thread) + wait_us) / G_USEC_PER_SEC + 1);
  if (self->in_line)
    {
      self->queued->is_telling = FALSE;
      return;
    }
  for (guint i = 0; i < self->n; i++)
    {
      RerouteWaiting *recipient = &self->queued->recipients[self->outcomes[i].recipient];

      recipient->phase = REROUTE_PHASE_IDLE;
      recipient->due_us = self->kind == REROUTE_DSN_DELAYED ? self->outcomes[i].due_us : due_us;
    }
}

static void
finish (Notice *self)
{
  RerouteQueued *queued = self->queued;
  RerouteScheduler *scheduler = queued->scheduler;

  if (self->notice != NULL)
    {
      g_autofree char *id = reroute_message_id_to_string (queued->message->id);
      g_autofree char *notice_id = reroute_message_id_to_string (self->notice->id);

      reroute_tallies_add (
        reroute_worker_get_tallies (scheduler->thread), tallies_of_kind[self->kind], 1);
      g_message ("id=%s notice=%s (%s)", id, notice_id, reroute_dsn_kind_to_string (self->kind));
      reroute_queued_track_notice (queued, self->notice, self->kind);
      reroute_scheduler_enqueue (scheduler, self->notice, queued->worker);
      settle (self);
    }
  else
    {
      scheduler->n_notices_lost += self->kind == REROUTE_DSN_FAILED;
      settle_without (self);
    }
  if (queued->n_alive > 0)
    reroute_queued_arm (queued);
  notice_free (self);
}

static void
spooled (RerouteMessage *notice, gpointer user_data)
{
  Notice *self = user_data;

  if (notice != NULL)
    self->notice = reroute_message_ref (notice);
  finish (self);
}

/* --- making it --- */

static const char *
get_status (const RerouteOutcome *outcome)
{
  if (outcome->reply->status[0] != '\0')
    return outcome->reply->status;
  return outcome->kind == REROUTE_OUTCOME_SENT     ? "2.0.0"
         : outcome->kind == REROUTE_OUTCOME_FAILED ? "5.0.0"
                                                   : "4.0.0";
}

/* Whether the whole message is asked for, and not too much of it (RFC 3461 4.3); what may go in TLS
   alone never is (RFC 8689 5). */
static gboolean
returns_content (const Notice *self)
{
  const RerouteMessage *message = self->queued->message;
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (self->queued);

  return self->kind == REROUTE_DSN_FAILED && !envelope->requiretls &&
         envelope->returns == REROUTE_RETURN_FULL &&
         message->content_octets <= REROUTE_LIMIT_RETURNED_OCTETS;
}

static GBytes *
format (Notice *self, GPtrArray *diagnostics)
{
  RerouteQueued *queued = self->queued;
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (queued);
  guint headers_length;
  g_autoptr (GByteArray) content =
               read_content (queued, REROUTE_LIMIT_HEADER_OCTETS, &headers_length);
  g_autofree RerouteDsnRecipient *recipients = g_new0 (RerouteDsnRecipient, self->n);
  g_autofree char *id = reroute_message_id_to_string (queued->message->id);
  const RerouteDsnRequest request = {
    .kind = self->kind,
    .hostname = reroute_scheduler_get_hostname (queued->scheduler),
    .queue_id = id,
    .reverse_path = envelope->reverse_path,
    .envelope_id = envelope->id,
    .arrived_us = queued->message->received_us,
    .recipients = recipients,
    .n_recipients = self->n,
    .headers = content->data,
    .headers_length = headers_length,
    .content = returns_content (self) ? content->data : NULL,
    .content_length = content->len,
    .now_us = g_get_real_time (),
  };

  for (guint i = 0; i < self->n; i++)
    {
      const RerouteOutcome *outcome = &self->outcomes[i];
      const RerouteRecipient *recipient =
        reroute_envelope_get_recipient (envelope, outcome->recipient);

      g_ptr_array_add (diagnostics, reroute_reply_to_string (outcome->reply));
      recipients[i] = (RerouteDsnRecipient){
        .recipient = recipient->address->text,
        .original = recipient->original,
        .status = get_status (outcome),
        .diagnostic = diagnostics->pdata[i],
        .will_retry_until_us = reroute_queued_get_expiry_us (queued),
      };
    }
  return reroute_dsn_format (&request);
}

void
reroute_notice_send (RerouteQueued *queued, RerouteDsnKind kind, RerouteOutcome *outcomes, guint n)
{
  g_autoptr (RerouteAddress) to = reroute_address_parse (
    reroute_queued_get_envelope (queued)->reverse_path, TRUE, NULL);
  g_autoptr (GPtrArray) diagnostics = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GBytes) content = NULL;
  Notice *self = g_new0 (Notice, 1);

  self->queued = reroute_queued_ref (queued);
  self->kind = kind;
  self->n = n;
  self->outcomes = g_memdup2 (outcomes, n * sizeof outcomes[0]);
  self->in_line = kind == REROUTE_DSN_DELAYED &&
                  queued->recipients[outcomes[0].recipient].phase != REROUTE_PHASE_NOTICE;
  if (to == NULL)
    {
      g_message ("no notice can be sent: the reverse-path is no address");
      settle (self);
      notice_free (self);
      return;
    }
  content = format (self, diagnostics);
  reroute_own_mail_spool (queued->scheduler,
                          to,
                          content,
                          reroute_queued_get_envelope (queued)->requiretls
                            ? REROUTE_OWN_MAIL_TLS_REQUIRED
                            : REROUTE_OWN_MAIL_TLS_USUAL,
                          spooled,
                          self);
}
