/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Writes the octets of a GVariant without making its parts: a tree of a row takes some thirty
 * allocations, and a million rows are moved at once.  Everything is written in the order of the
 * type; reroute_variant_writer_end() makes the whole of it.
 */

#define REROUTE_VARIANT_WRITER_ENTRIES 16

/* A tuple, a dictionary entry or an array whose members do not have all the same size. */
typedef struct
{
  gsize start;
  guint n_ends;
  gsize ends[REROUTE_VARIANT_WRITER_ENTRIES]; /* of members that have to be told */
} RerouteVariantContainer;

typedef struct
{
  GByteArray *octets;
} RerouteVariantWriter;

void reroute_variant_writer_init (RerouteVariantWriter *self);

/* The type of what was written; (transfer floating).  @self is as before its init. */
GVariant *reroute_variant_writer_end (RerouteVariantWriter *self, const GVariantType *type);

/* A container that holds an int64 or a variant somewhere, as all of ours do. */
RerouteVariantContainer reroute_variant_writer_open (RerouteVariantWriter *self);
/* Behind a member whose size is not fixed, but for the last member of a tuple. */
void reroute_variant_writer_note_end (RerouteVariantWriter *self,
                                      RerouteVariantContainer *container);
void reroute_variant_writer_close_tuple (RerouteVariantWriter *self,
                                         const RerouteVariantContainer *container);
void reroute_variant_writer_close_array (RerouteVariantWriter *self,
                                         const RerouteVariantContainer *container);

void reroute_variant_writer_put_string (RerouteVariantWriter *self, const char *text); /* UTF-8 */
void reroute_variant_writer_put_int64 (RerouteVariantWriter *self, gint64 value);
void reroute_variant_writer_put_boolean (RerouteVariantWriter *self, gboolean value);

/* A variant is opened as what it holds is, which then follows. */
void reroute_variant_writer_open_variant (RerouteVariantWriter *self);
void reroute_variant_writer_close_variant (RerouteVariantWriter *self, const char *type);

/* An entry of an a{sv}, at most REROUTE_VARIANT_WRITER_ENTRIES of them. */
void reroute_variant_writer_add_string (RerouteVariantWriter *self,
                                        RerouteVariantContainer *dict,
                                        const char *name,
                                        const char *value);
void reroute_variant_writer_add_int64 (RerouteVariantWriter *self,
                                       RerouteVariantContainer *dict,
                                       const char *name,
                                       gint64 value);
void reroute_variant_writer_add_boolean (RerouteVariantWriter *self,
                                         RerouteVariantContainer *dict,
                                         const char *name,
                                         gboolean value);

G_END_DECLS
