/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RerouteMilterStore:
 *
 * Octets that are written once from front to back and then read: in memory while they are few, and
 * those of all stores are not too many, else in a file without a name.  Any thread, one at a time.
 */
typedef struct _RerouteMilterStore RerouteMilterStore;

/* @dir_fd: of the folder that the file is made in; borrowed, outlives the store */
RerouteMilterStore *reroute_milter_store_new (int dir_fd);
void reroute_milter_store_free (RerouteMilterStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteMilterStore, reroute_milter_store_free)

/* Errors: %REROUTE_ERROR_SPOOL: the file cannot be made or written */
gboolean reroute_milter_store_append (RerouteMilterStore *self,
                                      const guint8 *octets,
                                      gsize length,
                                      GError **error);
gsize reroute_milter_store_get_size (const RerouteMilterStore *self);

/**
 * reroute_milter_store_read:
 * @most: octets, at most
 *
 * Appends what stands from @offset on to @out; nothing at the end.
 *
 * Errors: %REROUTE_ERROR_SPOOL: the file cannot be read
 */
gboolean reroute_milter_store_read (
  const RerouteMilterStore *self, gsize offset, gsize most, GByteArray *out, GError **error);

G_END_DECLS
