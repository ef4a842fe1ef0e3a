/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * job.c - what the writer is asked to do, and rows of it
 */

#include "config.h"

#include "service/relay/spool/spool-private.h"

#include "service/relay/spool/crc32c.h"

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
