/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * variant-writer.c - GVariants octet by octet
 *
 * Containers start on a multiple of 8.  The ends of members stand behind the last one, counted
 * from the start, in as many octets each as the size of the whole needs; those of a tuple in
 * reverse.
 *
 * Source: GVariant Specification (Lortie), sections 2.3 and 2.5; GLib makes the same octets.
 */

#include "config.h"

#include "common/variant-writer.h"

#include <string.h>

#define ALIGNMENT 8u
#define USUAL_OCTETS 256

void
reroute_variant_writer_init (RerouteVariantWriter *self)
{
  self->octets = g_byte_array_sized_new (USUAL_OCTETS);
}

GVariant *
reroute_variant_writer_end (RerouteVariantWriter *self, const GVariantType *type)
{
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&self->octets));

  return g_variant_new_from_bytes (type, bytes, TRUE);
}

static void
put (RerouteVariantWriter *self, gconstpointer data, gsize length)
{
  g_byte_array_append (self->octets, data, (guint) length);
}

static void
align (RerouteVariantWriter *self)
{
  static const guint8 zeros[ALIGNMENT];

  put (self, zeros, -self->octets->len % ALIGNMENT);
}

RerouteVariantContainer
reroute_variant_writer_open (RerouteVariantWriter *self)
{
  RerouteVariantContainer container;

  align (self);
  container.start = self->octets->len;
  container.n_ends = 0;
  return container;
}

void
reroute_variant_writer_note_end (RerouteVariantWriter *self, RerouteVariantContainer *container)
{
  g_assert (container->n_ends < G_N_ELEMENTS (container->ends));
  container->ends[container->n_ends++] = self->octets->len - container->start;
}

/* Octets of each end, so that the largest number in the whole fits. */
static gsize
measure_end (RerouteVariantWriter *self, const RerouteVariantContainer *container)
{
  gsize body = self->octets->len - container->start;

  if (body + container->n_ends <= G_MAXUINT8)
    return 1;
  return body + container->n_ends * 2 <= G_MAXUINT16 ? 2 : 4;
}

static void
put_end (RerouteVariantWriter *self, gsize end, gsize size)
{
  guint32 value = GUINT32_TO_LE ((guint32) end);

  put (self, &value, size);
}

void
reroute_variant_writer_close_tuple (RerouteVariantWriter *self,
                                    const RerouteVariantContainer *container)
{
  gsize size = measure_end (self, container);

  for (guint i = container->n_ends; i > 0; i--)
    put_end (self, container->ends[i - 1], size);
}

void
reroute_variant_writer_close_array (RerouteVariantWriter *self,
                                    const RerouteVariantContainer *container)
{
  gsize size = measure_end (self, container);

  for (guint i = 0; i < container->n_ends; i++)
    put_end (self, container->ends[i], size);
}

void
reroute_variant_writer_put_string (RerouteVariantWriter *self, const char *text)
{
  put (self, text, strlen (text) + 1);
}

void
reroute_variant_writer_put_int64 (RerouteVariantWriter *self, gint64 value)
{
  align (self);
  put (self, &value, sizeof value);
}

void
reroute_variant_writer_put_boolean (RerouteVariantWriter *self, gboolean value)
{
  guint8 octet = value ? 1 : 0;

  put (self, &octet, sizeof octet);
}

void
reroute_variant_writer_open_variant (RerouteVariantWriter *self)
{
  align (self);
}

void
reroute_variant_writer_close_variant (RerouteVariantWriter *self, const char *type)
{
  put (self, "", 1);
  put (self, type, strlen (type));
}

/* Up to the value. */
static RerouteVariantContainer
open_entry (RerouteVariantWriter *self, const char *name)
{
  RerouteVariantContainer entry = reroute_variant_writer_open (self);

  reroute_variant_writer_put_string (self, name);
  reroute_variant_writer_note_end (self, &entry);
  reroute_variant_writer_open_variant (self);
  return entry;
}

static void
close_entry (RerouteVariantWriter *self,
             const RerouteVariantContainer *entry,
             const char *type,
             RerouteVariantContainer *dict)
{
  reroute_variant_writer_close_variant (self, type);
  reroute_variant_writer_close_tuple (self, entry);
  reroute_variant_writer_note_end (self, dict);
}

void
reroute_variant_writer_add_string (RerouteVariantWriter *self,
                                   RerouteVariantContainer *dict,
                                   const char *name,
                                   const char *value)
{
  RerouteVariantContainer entry = open_entry (self, name);

  reroute_variant_writer_put_string (self, value);
  close_entry (self, &entry, "s", dict);
}

void
reroute_variant_writer_add_int64 (RerouteVariantWriter *self,
                                  RerouteVariantContainer *dict,
                                  const char *name,
                                  gint64 value)
{
  RerouteVariantContainer entry = open_entry (self, name);

  reroute_variant_writer_put_int64 (self, value);
  close_entry (self, &entry, "x", dict);
}

void
reroute_variant_writer_add_boolean (RerouteVariantWriter *self,
                                    RerouteVariantContainer *dict,
                                    const char *name,
                                    gboolean value)
{
  RerouteVariantContainer entry = open_entry (self, name);

  reroute_variant_writer_put_boolean (self, value);
  close_entry (self, &entry, "b", dict);
}
