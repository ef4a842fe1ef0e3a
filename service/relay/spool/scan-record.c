/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * scan-record.c - takes the records that count into the index; sets aside those that cannot be used
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-spool"

#include "service/relay/spool/scan.h"

#include "service/relay/spool/directory.h"
#include "service/relay/spool/fault-point.h"
#include "service/relay/spool/foresee.h"
#include "service/relay/spool/segment.h"

#include <unistd.h>

#define DAMAGED_NAME_OCTETS 64
/* An entry and its message take 300 to 600 octets. */
#define FORESEEN_ENTRIES 1024

void
reroute_scan_set_aside (RerouteScan *self,
                        guint64 serial,
                        guint64 offset,
                        const guint8 *octets,
                        gsize length,
                        const char *what)
{
  char name[DAMAGED_NAME_OCTETS];
  g_autoptr (GError) error = NULL;

  g_snprintf (name,
              sizeof name,
              REROUTE_SPOOL_DAMAGED "%016" G_GINT64_MODIFIER "x-%08" G_GINT64_MODIFIER "x%s",
              serial,
              offset,
              octets != NULL ? "" : REROUTE_SPOOL_UNREAD);
  g_autofree char *damage =
    g_strdup_printf ("segment %" G_GINT64_MODIFIER "x is damaged at octet %" G_GUINT64_FORMAT
                     ", %" G_GSIZE_FORMAT " octets long: %s",
                     serial,
                     offset,
                     length,
                     what);
  const char *kept = octets != NULL ? "kept" : "noted";
  gboolean is_kept = faccessat (self->dir_fd, name, F_OK, 0) == 0;
  if (self->repair && !is_kept)
    {
      is_kept = reroute_spool_directory_write (
        self->dir_fd, name, octets, octets != NULL ? length : 0, &error);
      if (is_kept)
        g_warning ("the spool's %s; %s in %s", damage, kept, name);
      else
        g_warning ("the spool's %s; it cannot be %s in %s: %s", damage, kept, name, error->message);
      REROUTE_FAULT_POINT ("damage-set-aside");
    }
  g_ptr_array_add (self->damages,
                   is_kept ? g_strdup_printf ("%s; %s in %s", damage, kept, name)
                           : g_steal_pointer (&damage));
}

static void
apply_cb (const RerouteVerdict *verdict, gpointer user_data)
{
  reroute_entry_apply (user_data, verdict);
}

static RerouteEntry *
get_entry (RerouteScan *self, guint64 id)
{
  RerouteEntry *entry = g_hash_table_lookup (self->entries, &id);

  if (entry == NULL)
    {
      guint n = g_hash_table_size (self->entries);
      if (n > 0 && n % FORESEEN_ENTRIES == 0)
        reroute_foresee_memory (REROUTE_FORESEEN_OCTETS);
      entry = reroute_entry_new (id);
      g_hash_table_insert (self->entries, &entry->id, entry);
    }
  return entry;
}

static gboolean
take_message (RerouteScan *self, const RerouteLocation *location, const guint8 *payload)
{
  RerouteMessageRecord fields;

  if (!reroute_message_record_decode (&fields, payload, location->length))
    return FALSE;
  g_autoptr (RerouteEnvelope) envelope = reroute_envelope_decode (
    payload + fields.envelope_offset, fields.envelope_octets, NULL);
  if (envelope == NULL)
    return FALSE;
  g_autoptr (RerouteMessage) message = reroute_message_new (
    fields.id, fields.received_us, g_steal_pointer (&envelope), fields.content_octets);
  reroute_message_pack (message);
  /* A copy made when an old segment was freed stands for itself, as it will when that is gone. */
  RerouteEntry *entry = get_entry (self, fields.id);
  reroute_entry_set_message (entry, message);
  reroute_entry_set_record (entry, location, &fields);
  self->ids = MAX (self->ids, fields.id + 1);
  return reroute_statuses_decode (
    payload + fields.states_offset, fields.states_octets, apply_cb, entry);
}

static gboolean
take_part (RerouteScan *self, const RerouteLocation *location, const guint8 *payload)
{
  guint64 id;
  guint32 index;

  if (location->length < REROUTE_PART_PREFIX_OCTETS)
    return FALSE;
  reroute_part_prefix_decode (payload, &id, &index);
  return id != 0 && reroute_entry_set_part (get_entry (self, id), index, location);
}

typedef struct
{
  RerouteScan *scan;
  guint64 id;
} VerdictsBeingTaken;

static void
take_verdict_cb (const RerouteVerdict *verdict, gpointer user_data)
{
  VerdictsBeingTaken *taking = user_data;
  RerouteEntry *entry = g_hash_table_lookup (taking->scan->entries, &taking->id);

  /* The message may be gone for long: its verdicts outlive it. */
  if (entry == NULL || entry->message == NULL)
    return;
  reroute_entry_apply (entry, verdict);
  if (entry->n_open == 0)
    g_hash_table_remove (taking->scan->entries, &taking->id);
}

static gboolean
take_verdicts (RerouteScan *self, const RerouteLocation *location, const guint8 *payload)
{
  VerdictsBeingTaken taking = { self, 0 };

  return reroute_verdicts_decode (payload, location->length, &taking.id, take_verdict_cb, &taking);
}

void
reroute_scan_take (RerouteScan *self,
                   RerouteSegment *segment,
                   guint64 offset,
                   const RerouteRecordHeader *header,
                   const guint8 *payload)
{
  static gboolean (*const takers[]) (
    RerouteScan * self, const RerouteLocation *location, const guint8 *payload) = {
    [REROUTE_RECORD_MESSAGE] = take_message,
    [REROUTE_RECORD_PART] = take_part,
    [REROUTE_RECORD_VERDICT] = take_verdicts,
  };
  RerouteLocation location = { segment, offset, header->length };

  if (!takers[header->type](self, &location, payload))
    reroute_scan_set_aside (
      self, segment->serial, offset, payload, header->length, "a record cannot be understood");
}
