/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * draft.c - a message while it is received
 *
 * What is small is kept and goes with the closing record.  Of what is large each 256 KiB go to the
 * journal as they come, so memory stays bounded whatever the sender does.  Where many do so at
 * once, or say the beginning and no more, parts are small and each is awaited.
 */

#include "config.h"

#include "service/relay/spool/spool-private.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/fault-point.h"

#define ID_MARGIN (1u << 15) /* ids left when more are reserved */
#define FIRST_OCTETS 4096    /* room for most messages without growing */

/* Counts octets of content that are in memory until the writer has them; negative: no longer. */
static void
hold (RerouteSpoolDraft *self, gssize octets)
{
  __atomic_add_fetch (&self->held, (gsize) octets, __ATOMIC_RELAXED);
  __atomic_add_fetch (&self->spool->held, (gsize) octets, __ATOMIC_RELAXED);
}

/* Whether all drafts together hold more than they may. */
static gboolean
is_crowded (RerouteSpool *spool)
{
  return __atomic_load_n (&spool->held, __ATOMIC_RELAXED) > REROUTE_LIMIT_MEMORY_DRAFTS_OCTETS;
}

static RerouteSpoolDraft *
ref_draft (RerouteSpoolDraft *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_spool_draft_unref (RerouteSpoolDraft *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  hold (self, -(gssize) self->held);
  g_clear_pointer (&self->buffer, g_byte_array_unref);
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_free (self);
}

RerouteSpoolDraft *
reroute_spool_begin (RerouteSpool *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  RerouteSpoolDraft *draft = g_new0 (RerouteSpoolDraft, 1);
  g_atomic_ref_count_init (&draft->ref_count);
  g_mutex_init (&draft->lock);
  draft->spool = self;
  draft->id = __atomic_fetch_add (&self->next_id, 1, __ATOMIC_RELAXED);
  if (draft->id + ID_MARGIN > __atomic_load_n (&self->reserved_ids, __ATOMIC_RELAXED))
    reroute_spool_push_mark (self);
  return draft;
}

guint64
reroute_spool_draft_get_id (const RerouteSpoolDraft *draft)
{
  g_return_val_if_fail (draft != NULL, 0);

  return draft->id;
}

static void
drop_buffer (RerouteSpoolDraft *self)
{
  if (self->buffer == NULL)
    return;
  hold (self, -(gssize) self->buffer->len);
  g_clear_pointer (&self->buffer, g_byte_array_unref);
}

static void
hand_over_part (RerouteSpoolDraft *self)
{
  RerouteJob *job = reroute_job_new (REROUTE_JOB_PART);
  GByteArray *prefix = g_byte_array_sized_new (REROUTE_PART_PREFIX_OCTETS);

  g_byte_array_set_size (prefix, REROUTE_PART_PREFIX_OCTETS);
  reroute_part_prefix_encode (self->id, self->n_parts, prefix->data);
  job->draft = ref_draft (self);
  job->part = self->n_parts++;
  reroute_job_set_payload (
    job, prefix, g_byte_array_free_to_bytes (g_steal_pointer (&self->buffer)));
  g_mutex_lock (&self->lock);
  self->unsaved++;
  g_mutex_unlock (&self->lock);
  REROUTE_FAULT_POINT ("part-received");
  reroute_spool_push (self->spool, job);
}

/* Appends as much of @octets as this part takes.  Returns: how much that is */
static gsize
fill_part (RerouteSpoolDraft *self, const guint8 *octets, gsize length)
{
  gsize most =
    is_crowded (self->spool) ? REROUTE_LIMIT_PART_LEAST_OCTETS : REROUTE_LIMIT_PART_OCTETS;

  if (self->buffer != NULL && self->buffer->len >= most)
    hand_over_part (self);
  if (self->buffer == NULL)
    self->buffer = g_byte_array_sized_new (self->n_parts > 0 ? (guint) most : FIRST_OCTETS);
  gsize n = MIN (length, most - self->buffer->len);
  g_byte_array_append (self->buffer, octets, (guint) n);
  hold (self, (gssize) n);
  return n;
}

void
reroute_spool_draft_append (RerouteSpoolDraft *draft, const guint8 *octets, gsize length)
{
  g_return_if_fail (draft != NULL && (octets != NULL || length == 0));

  draft->octets += length;
  if (reroute_spool_draft_has_failed (draft))
    drop_buffer (draft);
  else
    for (gsize n; length > 0; octets += n, length -= n)
      n = fill_part (draft, octets, length);
}

/* With the lock held. */
static gboolean
is_behind (const RerouteSpoolDraft *self)
{
  return self->unsaved > (is_crowded (self->spool) ? 0 : REROUTE_LIMIT_PARTS_UNSAVED);
}

gboolean
reroute_spool_draft_is_behind (RerouteSpoolDraft *draft)
{
  g_return_val_if_fail (draft != NULL, FALSE);

  g_mutex_lock (&draft->lock);
  gboolean behind = is_behind (draft);
  draft->awaited |= behind;
  g_mutex_unlock (&draft->lock);
  return behind;
}

void
reroute_spool_draft_set_resume (RerouteSpoolDraft *draft, GFunc resume, gpointer user_data)
{
  g_return_if_fail (draft != NULL);

  g_mutex_lock (&draft->lock);
  draft->resume = resume;
  draft->resume_data = user_data;
  g_mutex_unlock (&draft->lock);
}

gboolean
reroute_spool_draft_has_failed (const RerouteSpoolDraft *draft)
{
  RerouteSpoolDraft *self = (RerouteSpoolDraft *) draft;

  g_return_val_if_fail (draft != NULL, TRUE);

  return g_atomic_pointer_get (&self->error) != NULL;
}

GError *
reroute_spool_draft_copy_error (RerouteSpoolDraft *self)
{
  g_mutex_lock (&self->lock);
  GError *error = self->error != NULL ? g_error_copy (self->error) : NULL;
  g_mutex_unlock (&self->lock);
  return error;
}

void
reroute_spool_draft_fail (RerouteSpoolDraft *self, const GError *error)
{
  g_mutex_lock (&self->lock);
  if (self->error == NULL)
    g_atomic_pointer_set (&self->error, g_error_copy (error));
  g_mutex_unlock (&self->lock);
}

void
reroute_spool_draft_part_done (RerouteSpoolDraft *self, gsize octets, const GError *error)
{
  if (error != NULL)
    reroute_spool_draft_fail (self, error);
  hold (self, -(gssize) octets);
  g_mutex_lock (&self->lock);
  self->unsaved--;
  /* Under the lock: once discard or set_resume returned, the old function does not run any more. */
  if (self->awaited && !is_behind (self) && self->resume != NULL)
    {
      self->awaited = FALSE;
      self->resume (self, self->resume_data);
    }
  g_mutex_unlock (&self->lock);
}

void
reroute_spool_draft_discard (RerouteSpoolDraft *draft)
{
  g_return_if_fail (draft != NULL);

  reroute_spool_draft_set_resume (draft, NULL, NULL);
  drop_buffer (draft);
  if (draft->n_parts > 0)
    {
      RerouteJob *job = reroute_job_new (REROUTE_JOB_DISCARD);
      job->draft = ref_draft (draft);
      reroute_spool_push (draft->spool, job);
    }
  reroute_spool_draft_unref (draft);
}

/* The message of a draft whose envelope is known.  Takes both apart. */
static void
fill_job (RerouteJob *job, RerouteSpoolDraft *draft, GByteArray *envelope)
{
  RerouteMessage *message = job->message;
  GBytes *rest =
    draft->buffer != NULL ? g_byte_array_free_to_bytes (g_steal_pointer (&draft->buffer)) : NULL;

  job->fields = (RerouteMessageRecord){
    .id = draft->id,
    .received_us = message->received_us,
    .content_octets = draft->octets,
    .n_parts = draft->n_parts,
    .inline_octets = rest != NULL ? (guint32) g_bytes_get_size (rest) : 0,
  };
  if (draft->n_parts == 0)
    message->content = rest != NULL ? g_bytes_ref (rest) : g_bytes_new_static ("", 0);
  GByteArray *head =
    reroute_message_record_encode (&job->fields, envelope->data, envelope->len, NULL, 0);
  reroute_job_set_payload (job, head, rest);
}

void
reroute_spool_commit (RerouteSpool *self,
                      RerouteSpoolDraft *draft,
                      RerouteEnvelope *envelope,
                      RerouteSpoolFunc func,
                      gpointer user_data)
{
  g_return_if_fail (self != NULL && draft != NULL && draft->spool == self && envelope != NULL);

  reroute_spool_draft_set_resume (draft, NULL, NULL);
  RerouteJob *job = reroute_job_new (REROUTE_JOB_MESSAGE);
  job->message = reroute_message_new (draft->id, g_get_real_time (), envelope, draft->octets);
  job->draft = draft;
  job->func = func;
  job->user_data = user_data;
  g_autoptr (GByteArray) encoded = reroute_envelope_encode (envelope, &job->error);
  if (encoded != NULL)
    fill_job (job, draft, encoded);
  REROUTE_FAULT_POINT ("message-received");
  reroute_spool_push (self, job);
}
