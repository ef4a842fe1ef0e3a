/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * draft.c - a message while it is received
 *
 * What is small is kept and goes with the closing record.  Of what is large each 256 KiB go to the
 * journal as they come, so memory stays bounded whatever the sender does.
 */

#include "config.h"

#include "service/relay/spool/spool-private.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/fault-point.h"

#define ID_MARGIN (1u << 15) /* ids left when more are reserved */
#define FIRST_OCTETS 4096    /* room for most messages without growing */

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

void
reroute_spool_draft_append (RerouteSpoolDraft *draft, const guint8 *octets, gsize length)
{
  g_return_if_fail (draft != NULL && (octets != NULL || length == 0));

  draft->octets += length;
  if (reroute_spool_draft_has_failed (draft))
    g_clear_pointer (&draft->buffer, g_byte_array_unref);
  else
    while (length > 0)
      {
        if (draft->buffer != NULL && draft->buffer->len == REROUTE_LIMIT_PART_OCTETS)
          hand_over_part (draft);
        if (draft->buffer == NULL)
          draft->buffer =
            g_byte_array_sized_new (draft->n_parts > 0 ? REROUTE_LIMIT_PART_OCTETS : FIRST_OCTETS);
        gsize n = MIN (length, REROUTE_LIMIT_PART_OCTETS - draft->buffer->len);
        g_byte_array_append (draft->buffer, octets, (guint) n);
        octets += n;
        length -= n;
      }
}

guint
reroute_spool_draft_get_unsaved (const RerouteSpoolDraft *draft)
{
  RerouteSpoolDraft *self = (RerouteSpoolDraft *) draft;

  g_return_val_if_fail (draft != NULL, 0);

  g_mutex_lock (&self->lock);
  guint unsaved = self->unsaved;
  g_mutex_unlock (&self->lock);
  return unsaved;
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
reroute_spool_draft_part_done (RerouteSpoolDraft *self, const GError *error)
{
  if (error != NULL)
    reroute_spool_draft_fail (self, error);
  g_mutex_lock (&self->lock);
  self->unsaved--;
  /* Under the lock: once discard or set_resume returned, the old function does not run any more. */
  if (self->unsaved == REROUTE_LIMIT_PARTS_UNSAVED && self->resume != NULL)
    self->resume (self, self->resume_data);
  g_mutex_unlock (&self->lock);
}

void
reroute_spool_draft_discard (RerouteSpoolDraft *draft)
{
  g_return_if_fail (draft != NULL);

  reroute_spool_draft_set_resume (draft, NULL, NULL);
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
