/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * own-mail-filter.c - mail that the relay itself writes, on its way through mail filters
 *
 * So that it is signed: the filters may change its header and body, and nothing else.  A filter
 * that refuses the mail or cannot be asked is done without, and what is left half changed goes as
 * it was written.  All of it, the wait for its turn too, has one time limit.
 *
 * Standards: RFC 8460 section 3 (a report by mail has a signature by DKIM).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"

#include "service/relay/milter/chain.h"
#include "service/relay/smtp/body.h"

#define FILTERED_MOST 8 /* at a time */
#define WAITING_OCTETS (32 * 1024 * 1024)
#define OVERHEAD_OCTETS 4096 /* of each, besides its content */

typedef enum
{
  ASKED_MAIL,
  ASKED_RCPT,
  ASKED_MESSAGE,
} Asked;

typedef struct
{
  RerouteTimer timer;
  GList link; /* in RerouteScheduler.own_mail_filters */
  RerouteScheduler *scheduler;
  const RerouteEnvelope *envelope;
  char *id;
  GBytes *content;
  RerouteMilterMessage *message; /* NULL: its turn has not come */
  RerouteMilterChain *chain;     /* the same */
  Asked asked;
  RerouteOwnMailFilterFunc func;
  gpointer user_data;
} Filter;

static void begin_more (RerouteScheduler *scheduler);

/* --- the end --- */

static gsize
get_octets (const Filter *self)
{
  return g_bytes_get_size (self->content) + OVERHEAD_OCTETS;
}

/* @content: (transfer full).  Frees @self. */
static void
finish (Filter *self, GBytes *content)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteOwnMailFilterFunc func = self->func;
  g_autoptr (GBytes) filtered = content;
  gpointer user_data = self->user_data;

  g_queue_unlink (&scheduler->own_mail_filters, &self->link);
  scheduler->own_mail_octets -= get_octets (self);
  reroute_worker_disarm_timer (scheduler->thread, &self->timer);
  g_clear_pointer (&self->chain, reroute_milter_chain_free);
  g_clear_pointer (&self->message, reroute_milter_message_free);
  g_bytes_unref (self->content);
  g_free (self->id);
  g_free (self);
  func (filtered, user_data);
  begin_more (scheduler);
}

static void
finish_without (Filter *self, const char *why)
{
  g_warning ("id=%s goes as it was written, not as mail filters want it: %s", self->id, why);
  finish (self, g_bytes_ref (self->content));
}

static void
time_limit_cb (RerouteTimer *timer)
{
  Filter *self = (Filter *) ((char *) timer - G_STRUCT_OFFSET (Filter, timer));

  timer->due_us = 0;
  finish_without (self, "they take too long");
}

/* --- what has become of it --- */

static void
scanned_cb (const guint8 *octets, gsize length, gpointer user_data)
{
  g_byte_array_append (user_data, octets, (guint) length);
}

/* In wire form, dot-stuffed, whatever the filters have made of it.
   Returns: (transfer full) (nullable): NULL with @error, or when it cannot be sent */
static GBytes *
read_message (const RerouteMilterMessage *message, GError **error)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();
  g_autoptr (GByteArray) chunk = g_byte_array_new ();
  RerouteBody scan;
  guint64 place = 0;
  gsize taken;
  gboolean read;

  reroute_body_init (&scan);
  scan.normalize = TRUE;
  scan.sink = scanned_cb;
  scan.sink_data = wire;
  reroute_body_begin (&scan, TRUE);
  do
    {
      g_byte_array_set_size (chunk, 0);
      read = reroute_milter_message_read (message, &place, chunk, error);
      if (read && chunk->len > 0)
        reroute_body_feed (&scan, chunk->data, chunk->len, &taken);
    }
  while (read && chunk->len > 0 && scan.fault == REROUTE_BODY_SOUND);
  reroute_body_finish (&scan);
  read = read && scan.fault == REROUTE_BODY_SOUND;
  reroute_body_clear (&scan);
  return read ? g_byte_array_free_to_bytes (g_steal_pointer (&wire)) : NULL;
}

static void
take_message (Filter *self)
{
  g_autoptr (GError) error = NULL;
  GBytes *content = read_message (self->message, &error);
  guint n_wishes;

  reroute_milter_message_get_wishes (self->message, &n_wishes);
  if (n_wishes > 0 || reroute_milter_chain_get_quarantine (self->chain) != NULL)
    g_warning ("id=%s mail filters want other addresses, or to hold it: mail of this server stays "
               "as it is",
               self->id);
  if (content != NULL)
    finish (self, content);
  else
    finish_without (self, error != NULL ? error->message : "it could not be sent");
}

/* --- asking --- */

static void
outcome_cb (const RerouteMilterOutcome *outcome, gpointer user_data)
{
  Filter *self = user_data;
  Asked asked = self->asked;

  if (outcome->refusal != NULL)
    finish_without (self, "one was lost at its work");
  else if (asked == ASKED_MAIL)
    {
      self->asked = ASKED_RCPT;
      reroute_milter_chain_ask_rcpt (self->chain,
                                     reroute_envelope_get_recipient (self->envelope, 0)->address);
    }
  else if (asked == ASKED_RCPT)
    {
      self->asked = ASKED_MESSAGE;
      reroute_milter_chain_ask_message (self->chain, self->message, self->id);
    }
  else
    take_message (self);
}

/* To the filters it comes from this very machine, by SMTP. */
static void
begin (Filter *self)
{
  RerouteScheduler *scheduler = self->scheduler;
  RerouteMilterSession session = { .hostname = reroute_scheduler_get_hostname (scheduler),
                                   .client_name = "localhost" };
  g_autoptr (GError) error = NULL;

  reroute_ip_parse ("127.0.0.1", &session.client_ip);
  self->message = reroute_milter_message_new (reroute_spool_get_directory_fd (scheduler->spool));
  self->chain = reroute_milter_chain_new (scheduler->thread,
                                          reroute_scheduler_get_settings (scheduler),
                                          REROUTE_SETTING_MILTERS_FOR_OWN_MAIL,
                                          &session,
                                          outcome_cb,
                                          self);
  reroute_milter_message_append (
    self->message, g_bytes_get_data (self->content, NULL), g_bytes_get_size (self->content));
  self->asked = ASKED_MAIL;
  if (reroute_milter_message_finish (self->message, &error))
    reroute_milter_chain_ask_mail (self->chain, self->envelope, NULL);
  else
    finish_without (self, error->message);
}

/* (nullable) */
static Filter *
find_next (RerouteScheduler *scheduler)
{
  guint n = 0;

  for (GList *link = scheduler->own_mail_filters.head; link != NULL && n < FILTERED_MOST;
       link = link->next, n++)
    if (((Filter *) link->data)->chain == NULL)
      return link->data;
  return NULL;
}

/* One that cannot begin is over at once, and comes here again. */
static void
begin_more (RerouteScheduler *scheduler)
{
  Filter *next;

  if (scheduler->own_mail_begins)
    return;
  scheduler->own_mail_begins = TRUE;
  while ((next = find_next (scheduler)) != NULL)
    begin (next);
  scheduler->own_mail_begins = FALSE;
}

/* --- public --- */

/* What one filter that keeps to its own times can take, for all of them. */
static gint64
get_limit_us (const RerouteMilterSpec *specs, gsize n)
{
  gint64 limit_s = 0;

  for (gsize i = 0; i < n; i++)
    limit_s += specs[i].connect_s + specs[i].command_s + specs[i].content_s;
  return limit_s * G_USEC_PER_SEC;
}

static void
arm (Filter *self, gint64 due_us)
{
  if (self->scheduler->own_mail_until_us > 0)
    due_us = MIN (due_us, self->scheduler->own_mail_until_us);
  reroute_worker_arm_timer (self->scheduler->thread, &self->timer, due_us);
}

gboolean
reroute_own_mail_filter (RerouteScheduler *scheduler,
                         const RerouteSpoolDraft *draft,
                         const RerouteEnvelope *envelope,
                         GBytes *content,
                         RerouteOwnMailFilterFunc func,
                         gpointer user_data)
{
  gsize n;
  const RerouteMilterSpec *specs = reroute_settings_get_milters (
    reroute_scheduler_get_settings (scheduler), REROUTE_SETTING_MILTERS_FOR_OWN_MAIL, &n);

  if (n == 0)
    return FALSE;
  if (scheduler->own_mail_octets >= WAITING_OCTETS)
    {
      g_autofree char *id = reroute_message_id_to_string (reroute_spool_draft_get_id (draft));

      g_warning ("id=%s goes as it was written: too much waits for mail filters", id);
      return FALSE;
    }
  Filter *self = g_new0 (Filter, 1);
  self->timer.func = time_limit_cb;
  self->link.data = self;
  self->scheduler = scheduler;
  self->envelope = envelope;
  self->id = reroute_message_id_to_string (reroute_spool_draft_get_id (draft));
  self->content = g_bytes_ref (content);
  self->func = func;
  self->user_data = user_data;
  g_queue_push_tail_link (&scheduler->own_mail_filters, &self->link);
  scheduler->own_mail_octets += get_octets (self);
  arm (self, reroute_worker_now_us (scheduler->thread) + get_limit_us (specs, n));
  begin_more (scheduler);
  return TRUE;
}

void
reroute_own_mail_hurry (RerouteScheduler *scheduler, gint64 grace_us)
{
  scheduler->own_mail_until_us = reroute_worker_now_us (scheduler->thread) + grace_us;
  for (GList *link = scheduler->own_mail_filters.head; link != NULL; link = link->next)
    arm (link->data, ((Filter *) link->data)->timer.due_us);
}
