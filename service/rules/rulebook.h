/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/rules/proposal.h"
#include "service/rules/store.h"

G_BEGIN_DECLS

/* Changes of an edit whose memory is given back, once it is saved. */
#define REROUTE_LARGE_EDIT_CHANGES 10000

/**
 * RerouteRulebook:
 *
 * The database and the newest generation in memory, which move on together.
 * The main thread owns it; reroute_rulebook_save() alone may run in another, one at a time.
 * Once its file has gone, or another has taken its place, saving, copying and reading end with
 * %REROUTE_ERROR_STORE, which says what to do.
 */
typedef struct _RerouteRulebook RerouteRulebook;

/* Makes or migrates the database when need be.  Errors: as reroute_store_open(). */
RerouteRulebook *reroute_rulebook_open (const char *path, GError **error);
void reroute_rulebook_close (RerouteRulebook *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRulebook, reroute_rulebook_close)

/* For --check: whether the database can be read, and its rules judged; changes nothing.
   Errors: as reroute_store_open(); %REROUTE_ERROR_FINDINGS with what is wrong. */
gboolean reroute_rulebook_check (const char *path, char **summary, GError **error);

RerouteRuleset *reroute_rulebook_get_ruleset (RerouteRulebook *self);
gint64 reroute_rulebook_get_next_row_id (RerouteRulebook *self);
guint64 reroute_rulebook_get_serial (RerouteRulebook *self);

/**
 * reroute_rulebook_save:
 * @proposal: made from the newest generation
 *
 * One transaction, on the disk when it returns; on failure nothing has changed.
 *
 * Errors: %REROUTE_ERROR_STORE.
 */
gboolean
reroute_rulebook_save (RerouteRulebook *self, const RerouteProposal *proposal, GError **error);

/* The same for one that takes over what another database holds, history and all:
   reroute_restoration_take_over().  @from: that database.
   Errors: also %REROUTE_ERROR_STORE_VERSION for a history that cannot be understood. */
gboolean reroute_rulebook_adopt (RerouteRulebook *self,
                                 const RerouteProposal *proposal,
                                 RerouteStore *from,
                                 GError **error);

/* After it was saved, in the main thread: the generation becomes the newest. */
void reroute_rulebook_advance (RerouteRulebook *self, const RerouteProposal *proposal);

/* Of the database. */
const char *reroute_rulebook_get_path (RerouteRulebook *self);

/* Writes the newest generation of the database, history and all, into a new file at @path, which
   holds nothing that was deleted.  Any thread; the rulebook goes on meanwhile.
   Errors: %REROUTE_ERROR_STORE, %G_IO_ERROR_CANCELLED. */
gboolean reroute_rulebook_copy (RerouteRulebook *self,
                                const char *path,
                                GCancellable *cancellable,
                                GError **error);

/* A read-only connection beside the writer, for one thread at a time; inside a transaction, so that
   all it reads is of one generation.  Any thread. */
RerouteStore *reroute_rulebook_borrow_reader (RerouteRulebook *self, GError **error);
void reroute_rulebook_return_reader (RerouteRulebook *self, RerouteStore *reader);

G_END_DECLS
