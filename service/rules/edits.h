/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/change.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * RerouteEdits:
 *
 * The edits that are open, each bound to the unique name of who opened it: nobody else can name it,
 * and it ends when that one leaves the bus.
 */
typedef struct _RerouteEdits RerouteEdits;

RerouteEdits *reroute_edits_new (void);
void reroute_edits_free (RerouteEdits *self);

/* Errors: %REROUTE_ERROR_TOO_LARGE with REROUTE_LIMIT_EDITS_PER_CALLER open.  Returns: its number,
 * or 0 */
guint reroute_edits_begin (RerouteEdits *self,
                           GDBusConnection *connection,
                           const char *owner,
                           GError **error);

/* Errors of these: %REROUTE_ERROR_NO_SUCH_EDIT.
   (transfer full) (element-type RerouteChange): a snapshot that nobody changes any more */
GPtrArray *
reroute_edits_dup_changes (RerouteEdits *self, const char *owner, guint number, GError **error);
/* By who was admitted to it: who may stage one part may stage the others, and is asked again when
   the edit is committed.  Errors: also %REROUTE_ERROR_TOO_LARGE over
   REROUTE_LIMIT_CHANGES_PER_EDIT. */
gboolean reroute_edits_stage (
  RerouteEdits *self, const char *owner, guint number, GPtrArray *changes, GError **error);
/* Whether a part was staged in the edit @number, which is of @owner. */
gboolean reroute_edits_is_admitted (RerouteEdits *self, const char *owner, guint number);
gboolean
reroute_edits_discard (RerouteEdits *self, const char *owner, guint number, GError **error);

G_END_DECLS
