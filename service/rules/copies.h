/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/rules/restoration.h"
#include "service/rules/rulebook.h"

G_BEGIN_DECLS

/**
 * RerouteCopies:
 *
 * Copies of the database on their way: backups that go out, and one that comes in to be restored.
 * Each is bound to the unique name of who began it: nobody else can name it, and it ends when that
 * one leaves the bus.  Their files lie beside the database, and none stays.
 *
 * Belongs to the main thread; what takes time is done to a single copy, in another.
 */
typedef struct _RerouteCopies RerouteCopies;
typedef struct _RerouteCopy RerouteCopy;

/* Removes what a rulesd that was killed left.  @rulebook: borrowed */
RerouteCopies *reroute_copies_new (RerouteRulebook *rulebook);
void reroute_copies_free (RerouteCopies *self);

/* What is being done to any copy ends with %G_IO_ERROR_CANCELLED. */
void reroute_copies_cancel (RerouteCopies *self);

typedef enum
{
  REROUTE_COPY_BACKUP,
  REROUTE_COPY_RESTORE,
} RerouteCopyKind;

/* (transfer full): a copy to be taken.  Errors: %REROUTE_ERROR_TOO_LARGE with REROUTE_LIMIT_COPIES
   on their way. */
RerouteCopy *reroute_copies_begin_backup (RerouteCopies *self,
                                          GDBusConnection *connection,
                                          const char *owner,
                                          GError **error);

/* (transfer full): a copy that is to arrive.  @sha256: of its octets, in hexadecimal.
   Errors: %REROUTE_ERROR_TOO_LARGE with another one on its way, or for more octets than there may
   be, or than there is room for; %REROUTE_ERROR_VALUE; %REROUTE_ERROR_STORE. */
RerouteCopy *reroute_copies_begin_restore (RerouteCopies *self,
                                           GDBusConnection *connection,
                                           const char *owner,
                                           guint64 n_octets,
                                           const char *sha256,
                                           GError **error);

/* (transfer full).  Errors: %REROUTE_ERROR_NO_SUCH_EDIT, also while something is done to it. */
RerouteCopy *reroute_copies_find (
  RerouteCopies *self, const char *owner, RerouteCopyKind kind, guint number, GError **error);

/* Its file goes when the last reference does. */
void reroute_copies_end (RerouteCopies *self, RerouteCopy *copy);

RerouteCopy *reroute_copy_ref (RerouteCopy *self);
void reroute_copy_unref (RerouteCopy *self);
guint reroute_copy_get_number (RerouteCopy *self);

/* Around what is done to it in another thread. */
void reroute_copy_set_busy (RerouteCopy *self, gboolean busy);

/* --- in any thread, one at a time --- */

/* What a copy holds. */
typedef struct
{
  guint64 n_octets;
  char sha256[65];
  guint64 serial;
  guint n_rows[REROUTE_N_PAGES];
} RerouteCopyFacts;

/* Copies the newest generation, whatever is saved meanwhile, and looks whether the copy is good.
   Errors: %REROUTE_ERROR_STORE, %REROUTE_ERROR_TOO_LARGE, %G_IO_ERROR_CANCELLED. */
gboolean reroute_copy_take (RerouteCopy *self, RerouteCopyFacts *facts, GError **error);

/* At most @count octets from @offset; none at the end.  Errors: %REROUTE_ERROR_STORE. */
GBytes *reroute_copy_read (RerouteCopy *self, guint64 offset, guint count, GError **error);

/* @offset: where what came before ends.  Errors: %REROUTE_ERROR_VALUE, %REROUTE_ERROR_STORE. */
gboolean reroute_copy_write (RerouteCopy *self, guint64 offset, GBytes *octets, GError **error);

/* (transfer none): what arrived, examined the first time.
   Errors: %REROUTE_ERROR_VALUE when it did not arrive whole; reroute_restoration_open(). */
RerouteRestoration *reroute_copy_examine (RerouteCopy *self, GError **error);

/* (transfer none) (nullable): what was examined */
RerouteRestoration *reroute_copy_get_restoration (RerouteCopy *self);

G_END_DECLS
