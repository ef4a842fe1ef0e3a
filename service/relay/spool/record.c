/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * record.c - the octets of the journal's records, both ways
 *
 * Pure: no file, no clock.  What is read is checked field by field; the checksum only says that it
 * is what was written.
 */

#include "config.h"

#include "service/relay/spool/record.h"

#include "service/relay/spool/crc32c.h"
#include "service/relay/spool/octets-private.h"

#define MAGIC 0x31505352u /* "RSP1" */
#define MESSAGE_FIXED_OCTETS 40u
#define STATUS_FIXED_OCTETS 28u
#define NO_REPLY G_MAXUINT32
#define VERDICTS_FIXED_OCTETS 12u

gboolean
reroute_recipient_state_is_final (RerouteRecipientState state)
{
  return state >= REROUTE_RECIPIENT_SENT;
}

void
reroute_recipient_statuses_free (RerouteRecipientStatus *statuses, guint n)
{
  for (guint i = 0; statuses != NULL && i < n; i++)
    g_free (statuses[i].reply);
  g_free (statuses);
}

gsize
reroute_record_octets (gsize payload_octets)
{
  gsize octets = REROUTE_RECORD_HEADER_OCTETS + payload_octets;
  return (octets + REROUTE_RECORD_ALIGNMENT - 1) & ~(gsize) (REROUTE_RECORD_ALIGNMENT - 1);
}

void
reroute_record_header_encode (const RerouteRecordHeader *self, guint32 payload_crc, guint8 *octets)
{
  store_u32 (octets, MAGIC);
  store_u32 (octets + 8, self->length);
  store_u32 (octets + 12, self->type);
  store_u64 (octets + 16, self->sequence);
  store_u64 (octets + 24, self->serial);
  store_u32 (octets + 4,
             reroute_crc32c (payload_crc, octets + 8, REROUTE_RECORD_HEADER_OCTETS - 8));
}

gboolean
reroute_record_header_claims (const guint8 *octets, guint64 serial)
{
  return load_u32 (octets) == MAGIC && load_u64 (octets + 24) == serial;
}

gboolean
reroute_record_header_decode (RerouteRecordHeader *self,
                              const guint8 *octets,
                              gsize available,
                              guint64 serial)
{
  if (available < REROUTE_RECORD_HEADER_OCTETS || load_u32 (octets) != MAGIC)
    return FALSE;

  guint32 type = load_u32 (octets + 12);
  self->length = load_u32 (octets + 8);
  self->sequence = load_u64 (octets + 16);
  self->serial = load_u64 (octets + 24);
  if (self->serial != serial || self->length > available - REROUTE_RECORD_HEADER_OCTETS ||
      type < REROUTE_RECORD_BATCH || type > REROUTE_RECORD_VERDICT)
    return FALSE;
  self->type = type;
  guint32 crc = reroute_crc32c (0, octets + REROUTE_RECORD_HEADER_OCTETS, self->length);
  crc = reroute_crc32c (crc, octets + 8, REROUTE_RECORD_HEADER_OCTETS - 8);
  return crc == load_u32 (octets + 4);
}

void
reroute_batch_record_encode (const RerouteBatchRecord *self, guint8 *payload)
{
  store_u64 (payload, self->synced);
  store_u64 (payload + 8, self->ids);
  store_u32 (payload + 16, self->n_records);
  store_u32 (payload + 20, 0);
}

gboolean
reroute_batch_record_decode (RerouteBatchRecord *self, const guint8 *payload, gsize length)
{
  if (length != REROUTE_BATCH_PAYLOAD_OCTETS)
    return FALSE;
  self->synced = load_u64 (payload);
  self->ids = load_u64 (payload + 8);
  self->n_records = load_u32 (payload + 16);
  return self->n_records > 0;
}

void
reroute_part_prefix_encode (guint64 id, guint32 index, guint8 *payload)
{
  store_u64 (payload, id);
  store_u32 (payload + 8, index);
  store_u32 (payload + 12, 0);
}

void
reroute_part_prefix_decode (const guint8 *payload, guint64 *id, guint32 *index)
{
  *id = load_u64 (payload);
  *index = load_u32 (payload + 8);
}

static void
append_status (GByteArray *octets, guint recipient, const RerouteRecipientStatus *status)
{
  guint8 fixed[STATUS_FIXED_OCTETS];
  gsize n_reply = status->reply != NULL ? strlen (status->reply) : 0;

  store_u32 (fixed, recipient);
  store_u32 (fixed + 4, status->state | status->flags << 8);
  store_u64 (fixed + 8, (guint64) status->due_us);
  store_u32 (fixed + 16, status->tries);
  store_u32 (fixed + 20, status->reply != NULL ? (guint32) n_reply : NO_REPLY);
  store_u32 (fixed + 24, 0);
  g_byte_array_append (octets, fixed, sizeof fixed);
  if (n_reply > 0)
    {
      guint start = octets->len;
      g_byte_array_append (octets, (const guint8 *) status->reply, (guint) n_reply);
      for (guint8 *p = octets->data + start; p < octets->data + octets->len; p++)
        if (*p == '\r' || *p == '\n')
          *p = ' ';
    }
}

GByteArray *
reroute_message_record_encode (RerouteMessageRecord *fields,
                               const guint8 *envelope,
                               gsize n_envelope,
                               const RerouteRecipientStatus *statuses,
                               guint n_statuses)
{
  GByteArray *octets = g_byte_array_sized_new ((guint) (MESSAGE_FIXED_OCTETS + n_envelope));

  g_byte_array_set_size (octets, MESSAGE_FIXED_OCTETS);
  g_byte_array_append (octets, envelope, (guint) n_envelope);
  for (guint i = 0; statuses != NULL && i < n_statuses; i++)
    append_status (octets, i, &statuses[i]);
  fields->envelope_offset = MESSAGE_FIXED_OCTETS;
  fields->envelope_octets = (guint32) n_envelope;
  fields->states_offset = MESSAGE_FIXED_OCTETS + fields->envelope_octets;
  fields->states_octets = octets->len - fields->states_offset;
  fields->content_offset = octets->len;

  guint8 *fixed = octets->data;
  store_u64 (fixed, fields->id);
  store_u64 (fixed + 8, (guint64) fields->received_us);
  store_u64 (fixed + 16, fields->content_octets);
  store_u32 (fixed + 24, fields->n_parts);
  store_u32 (fixed + 28, fields->inline_octets);
  store_u32 (fixed + 32, fields->envelope_octets);
  store_u32 (fixed + 36, fields->states_octets);
  return octets;
}

gboolean
reroute_message_record_decode (RerouteMessageRecord *self, const guint8 *payload, gsize length)
{
  if (length < MESSAGE_FIXED_OCTETS)
    return FALSE;
  self->id = load_u64 (payload);
  self->received_us = (gint64) load_u64 (payload + 8);
  self->content_octets = load_u64 (payload + 16);
  self->n_parts = load_u32 (payload + 24);
  self->inline_octets = load_u32 (payload + 28);
  self->envelope_octets = load_u32 (payload + 32);
  self->states_octets = load_u32 (payload + 36);

  gsize rest = length - MESSAGE_FIXED_OCTETS;
  if (self->envelope_octets > rest || self->states_octets > rest - self->envelope_octets ||
      self->inline_octets != rest - self->envelope_octets - self->states_octets)
    return FALSE;
  self->envelope_offset = MESSAGE_FIXED_OCTETS;
  self->states_offset = self->envelope_offset + self->envelope_octets;
  self->content_offset = self->states_offset + self->states_octets;
  return self->id != 0 && self->content_octets >= self->inline_octets &&
         (self->n_parts > 0 || self->content_octets == self->inline_octets);
}

GByteArray *
reroute_verdicts_encode (guint64 id, const RerouteVerdict *verdicts, guint n_verdicts)
{
  GByteArray *octets =
    g_byte_array_sized_new (VERDICTS_FIXED_OCTETS + n_verdicts * (STATUS_FIXED_OCTETS + 80));
  guint8 fixed[VERDICTS_FIXED_OCTETS];

  store_u64 (fixed, id);
  store_u32 (fixed + 8, n_verdicts);
  g_byte_array_append (octets, fixed, sizeof fixed);
  for (guint i = 0; i < n_verdicts; i++)
    {
      RerouteRecipientStatus status = { verdicts[i].state,
                                        verdicts[i].tries,
                                        verdicts[i].flags,
                                        verdicts[i].due_us,
                                        (char *) verdicts[i].reply };
      append_status (octets, verdicts[i].recipient, &status);
    }
  return octets;
}

gboolean
reroute_statuses_decode (const guint8 *octets,
                         gsize length,
                         RerouteVerdictFunc func,
                         gpointer user_data)
{
  while (length > 0)
    {
      if (length < STATUS_FIXED_OCTETS)
        return FALSE;
      guint32 state = load_u32 (octets + 4);
      guint32 n_reply = load_u32 (octets + 20);
      RerouteVerdict verdict = {
        .recipient = load_u32 (octets),
        .state = state & 0xff,
        .due_us = (gint64) load_u64 (octets + 8),
        .tries = load_u32 (octets + 16),
        .flags = state >> 8,
      };
      octets += STATUS_FIXED_OCTETS;
      length -= STATUS_FIXED_OCTETS;
      if (verdict.state > REROUTE_RECIPIENT_DELETED || (n_reply != NO_REPLY && n_reply > length))
        return FALSE;
      if (n_reply == NO_REPLY)
        {
          func (&verdict, user_data);
          continue;
        }
      if (memchr (octets, '\0', n_reply) != NULL)
        return FALSE;
      g_autofree char *reply = g_strndup ((const char *) octets, n_reply);
      verdict.reply = reply;
      func (&verdict, user_data);
      octets += n_reply;
      length -= n_reply;
    }
  return TRUE;
}

gboolean
reroute_verdicts_decode (
  const guint8 *octets, gsize length, guint64 *id, RerouteVerdictFunc func, gpointer user_data)
{
  if (length < VERDICTS_FIXED_OCTETS)
    return FALSE;
  *id = load_u64 (octets);
  return reroute_statuses_decode (
    octets + VERDICTS_FIXED_OCTETS, length - VERDICTS_FIXED_OCTETS, func, user_data);
}
