/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * job.c - what the writer is asked to do: rows of it, the queue, and what is left of it
 */

#include "config.h"

#include "service/relay/spool/spool-private.h"

#include "service/relay/spool/crc32c.h"

#define DONE_JOBS_MOST 256
#define DONE_OCTETS_MOST (16 * 1024) /* of one, or of its message */
#define DONE_RECIPIENTS_MOST 100

RerouteJob *
reroute_job_new (RerouteJobKind kind)
{
  RerouteJob *self = g_new0 (RerouteJob, 1);

  self->kind = kind;
  return self;
}

void
reroute_job_free (RerouteJob *self)
{
  g_clear_pointer (&self->head, g_byte_array_unref);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_clear_pointer (&self->message, reroute_message_unref);
  g_clear_pointer (&self->draft, reroute_spool_draft_unref);
  g_clear_error (&self->error);
  g_free (self);
}

void
reroute_job_set_payload (RerouteJob *self, GByteArray *head, GBytes *body)
{
  self->head = head;
  self->body = body;
  self->payload_crc = reroute_crc32c (0, head->data, head->len);
  if (body != NULL)
    {
      gsize length;
      const guint8 *octets = g_bytes_get_data (body, &length);
      self->payload_crc = reroute_crc32c (self->payload_crc, octets, length);
    }
}

gsize
reroute_job_get_payload_octets (const RerouteJob *self)
{
  return self->head->len + (self->body != NULL ? g_bytes_get_size (self->body) : 0);
}

void
reroute_jobs_push (RerouteJobs *self, RerouteJob *job)
{
  job->next = NULL;
  if (self->last != NULL)
    self->last->next = job;
  else
    self->first = job;
  self->last = job;
}

RerouteJob *
reroute_jobs_pop (RerouteJobs *self)
{
  RerouteJob *job = self->first;

  if (job == NULL)
    return NULL;
  self->first = job->next;
  if (self->first == NULL)
    self->last = NULL;
  job->next = NULL;
  return job;
}

void
reroute_jobs_append (RerouteJobs *self, RerouteJobs *others)
{
  if (others->first == NULL)
    return;
  if (self->last != NULL)
    self->last->next = others->first;
  else
    self->first = others->first;
  self->last = others->last;
  *others = (RerouteJobs){ NULL, NULL };
}

void
reroute_jobs_free (RerouteJobs *self)
{
  for (RerouteJob *job = reroute_jobs_pop (self); job != NULL; job = reroute_jobs_pop (self))
    reroute_job_free (job);
}

/* --- the queue --- */

static RerouteJobs
take_done (RerouteSpool *self)
{
  RerouteJobs done = self->done;

  self->done = (RerouteJobs){ NULL, NULL };
  self->n_done = 0;
  return done;
}

static gboolean
is_small (const RerouteJob *job)
{
  const RerouteMessage *message = job->message;
  gsize octets = job->head != NULL ? reroute_job_get_payload_octets (job) : 0;

  if (job->draft != NULL && job->draft->entry != NULL)
    return FALSE;
  return octets <= DONE_OCTETS_MOST &&
         (message == NULL || (message->content_octets <= DONE_OCTETS_MOST &&
                              message->n_recipients <= DONE_RECIPIENTS_MOST));
}

void
reroute_spool_give_back (RerouteSpool *self, RerouteJob *job)
{
  RerouteJobs done = { NULL, NULL };

  if (!is_small (job))
    {
      reroute_job_free (job);
      return;
    }
  g_mutex_lock (&self->queue_lock);
  if (self->n_done == DONE_JOBS_MOST)
    done = take_done (self);
  reroute_jobs_push (&self->done, job);
  self->n_done++;
  g_mutex_unlock (&self->queue_lock);
  reroute_jobs_free (&done);
}

void
reroute_spool_free_done (RerouteSpool *self)
{
  RerouteJobs done = take_done (self);

  g_mutex_unlock (&self->queue_lock);
  reroute_jobs_free (&done);
  g_mutex_lock (&self->queue_lock);
}

void
reroute_spool_push (RerouteSpool *self, RerouteJob *job)
{
  /* A verdict that nobody waits for rides on the next commit. */
  gboolean is_urgent = job->kind != REROUTE_JOB_VERDICT || job->func != NULL;

  g_mutex_lock (&self->queue_lock);
  reroute_jobs_push (&self->queue, job);
  self->n_urgent += is_urgent;
  gboolean wakes = self->writer_waits == REROUTE_WRITER_WAITS_FOR_ANY ||
                   (is_urgent && self->writer_waits == REROUTE_WRITER_WAITS_FOR_URGENT);
  if (wakes)
    self->writer_waits = REROUTE_WRITER_BUSY;
  RerouteJobs done = take_done (self);
  g_mutex_unlock (&self->queue_lock);
  if (wakes)
    g_cond_signal (&self->queue_cond);
  reroute_jobs_free (&done);
}
