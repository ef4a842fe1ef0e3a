/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Ids of rows, rising, each once: 8 octets an id; immutable, reference-counted.  Where a set is
   (nullable), NULL is the empty one. */
typedef struct _RerouteIdSet RerouteIdSet;

/* @ids: (array length=n_ids): in any order, perhaps more than once; copied.  (transfer full) */
RerouteIdSet *reroute_id_set_new (const gint64 *ids, gsize n_ids);
RerouteIdSet *reroute_id_set_ref (RerouteIdSet *self);
void reroute_id_set_unref (RerouteIdSet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteIdSet, reroute_id_set_unref)

/* @self: (nullable) */
gsize reroute_id_set_get_size (const RerouteIdSet *self);
/* @self: (nullable).  (transfer none) (array) (nullable): rising */
const gint64 *reroute_id_set_get_ids (const RerouteIdSet *self);
/* @self: (nullable) */
gboolean reroute_id_set_contains (const RerouteIdSet *self, gint64 id);

/* Those of either; @a, @b: (nullable).  (transfer full) */
RerouteIdSet *reroute_id_set_unite (const RerouteIdSet *a, const RerouteIdSet *b);
/* Those of @a that are not of @b; @a, @b: (nullable).  (transfer full) (nullable): NULL: none */
RerouteIdSet *reroute_id_set_subtract (const RerouteIdSet *a, const RerouteIdSet *b);

G_END_DECLS
