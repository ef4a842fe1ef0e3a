/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * index.c - what the spool keeps in memory: segments, and an entry a message
 *
 * Each entry hangs in the list of the segment that holds its oldest record, so the oldest segment
 * knows what must be copied before it can be freed.
 */

#include "config.h"

#include "service/relay/spool/index.h"

#include <unistd.h>

#define MAX_PARTS (1u << 20)

RerouteSegment *
reroute_segment_new (guint64 serial, guint64 size)
{
  RerouteSegment *self = g_new0 (RerouteSegment, 1);

  self->serial = serial;
  self->size = size;
  self->fd = -1;
  return self;
}

void
reroute_segment_free (RerouteSegment *self)
{
  g_assert (self->first == NULL);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self);
}

static void
leave_home (RerouteEntry *self)
{
  if (self->home == NULL)
    return;
  if (self->previous != NULL)
    self->previous->next = self->next;
  else
    self->home->first = self->next;
  if (self->next != NULL)
    self->next->previous = self->previous;
  self->next = self->previous = NULL;
  self->home = NULL;
}

static void
find_home (RerouteEntry *self)
{
  RerouteSegment *oldest = self->record.segment;

  for (guint32 i = 0; i < self->n_parts; i++)
    {
      RerouteSegment *segment = self->parts[i].location.segment;
      if (segment != NULL && (oldest == NULL || segment->serial < oldest->serial))
        oldest = segment;
    }
  if (oldest == self->home)
    return;
  leave_home (self);
  self->home = oldest;
  if (oldest == NULL)
    return;
  self->next = oldest->first;
  if (self->next != NULL)
    self->next->previous = self;
  oldest->first = self;
}

static void
move (RerouteEntry *self, RerouteLocation *from, const RerouteLocation *to)
{
  RerouteSegment *left = from->segment;

  if (left != NULL)
    left->live_octets -= reroute_record_octets (from->length);
  *from = *to;
  if (to->segment != NULL)
    to->segment->live_octets += reroute_record_octets (to->length);
  if (self->home == NULL || left == self->home)
    find_home (self);
}

RerouteEntry *
reroute_entry_new (guint64 id)
{
  RerouteEntry *self = g_new0 (RerouteEntry, 1);

  self->id = id;
  return self;
}

void
reroute_entry_free (RerouteEntry *self)
{
  leave_home (self);
  reroute_entry_drop_contents (self);
  if (self->record.segment != NULL)
    self->record.segment->live_octets -= reroute_record_octets (self->record.length);
  for (guint32 i = 0; i < self->n_parts; i++)
    {
      const RerouteLocation *location = &self->parts[i].location;
      if (location->segment != NULL)
        location->segment->live_octets -= reroute_record_octets (location->length);
    }
  reroute_recipient_statuses_free (self->statuses, self->n_recipients);
  if (self->message != NULL)
    self->message->location = NULL;
  g_clear_pointer (&self->message, reroute_message_unref);
  g_free (self->parts);
  g_free (self);
}

static void
forget_statuses (RerouteEntry *self)
{
  reroute_recipient_statuses_free (self->statuses, self->n_recipients);
  self->statuses = NULL;
  self->n_open = self->n_recipients;
}

void
reroute_entry_set_message (RerouteEntry *self, RerouteMessage *message)
{
  forget_statuses (self);
  if (self->message != NULL)
    self->message->location = NULL;
  g_clear_pointer (&self->message, reroute_message_unref);
  self->message = reroute_message_ref (message);
  self->n_recipients = message->n_recipients;
  self->n_open = self->n_recipients;
  message->location = self;
}

void
reroute_entry_set_record (RerouteEntry *self,
                          const RerouteLocation *location,
                          const RerouteMessageRecord *fields)
{
  move (self, &self->record, location);
  self->content_offset = fields->content_offset;
  self->inline_octets = fields->inline_octets;
  self->n_parts_named = fields->n_parts;
}

gboolean
reroute_entry_set_part (RerouteEntry *self, guint32 index, const RerouteLocation *location)
{
  if (index >= MAX_PARTS)
    return FALSE;
  if (index >= self->n_parts)
    {
      guint32 n = index + 1;
      self->parts = g_renew (ReroutePart, self->parts, n);
      for (guint32 i = self->n_parts; i < n; i++)
        self->parts[i] = (ReroutePart){ { NULL, 0, 0 }, NULL };
      self->n_parts = n;
    }
  move (self, &self->parts[index].location, location);
  return TRUE;
}

void
reroute_entry_keep_content (RerouteEntry *self, guint32 index, GBytes *content)
{
  g_assert (index < self->n_parts && self->parts[index].content == NULL);
  self->parts[index].content = g_bytes_ref (content);
}

GBytes *
reroute_entry_take_content (RerouteEntry *self, guint32 index)
{
  return g_steal_pointer (&self->parts[index].content);
}

gsize
reroute_entry_drop_contents (RerouteEntry *self)
{
  gsize octets = 0;

  for (guint32 i = 0; i < self->n_parts; i++)
    {
      g_autoptr (GBytes) content = reroute_entry_take_content (self, i);
      octets += content != NULL ? g_bytes_get_size (content) : 0;
    }
  return octets;
}

void
reroute_entry_apply (RerouteEntry *self, const RerouteVerdict *verdict)
{
  if (verdict->recipient >= self->n_recipients)
    return;
  if (self->statuses == NULL)
    self->statuses = g_new0 (RerouteRecipientStatus, self->n_recipients);

  RerouteRecipientStatus *status = &self->statuses[verdict->recipient];
  if (reroute_recipient_state_is_final (status->state))
    return;
  status->state = verdict->state;
  status->tries = verdict->tries;
  status->flags = verdict->flags;
  status->due_us = verdict->due_us;
  if (reroute_recipient_state_is_final (status->state) && --self->n_open == 0)
    return; /* the entry goes, whatever was said */
  g_free (status->reply);
  status->reply = g_strdup (verdict->reply);
}

guint32
reroute_part_octets (const RerouteLocation *location)
{
  return location->length - REROUTE_PART_PREFIX_OCTETS;
}

gboolean
reroute_entry_is_whole (const RerouteEntry *self)
{
  guint64 octets = self->inline_octets;

  for (guint32 i = 0; i < self->n_parts_named; i++)
    {
      if (i >= self->n_parts || self->parts[i].location.segment == NULL)
        return FALSE;
      octets += reroute_part_octets (&self->parts[i].location);
    }
  return octets == self->message->content_octets;
}
