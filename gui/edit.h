/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

#include "common/change.h"
#include "common/settings.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_EDIT_UNTOUCHED,
  REROUTE_EDIT_ADDED,
  REROUTE_EDIT_CHANGED,
  REROUTE_EDIT_REMOVED,
} RerouteEditState;

/**
 * RerouteEdit:
 *
 * What the property sheet would save: rows added, changed and removed, settings given a value.
 * It lies over the saved generation and knows nothing of a bus or a widget.  A row that was
 * added has a negative id of the edit's own.
 *
 * Signal "changed": (ReroutePage or -1 for a setting, row id); (-1, -1) for many changes.
 */
#define REROUTE_TYPE_EDIT (reroute_edit_get_type ())
G_DECLARE_FINAL_TYPE (RerouteEdit, reroute_edit, REROUTE, EDIT, GObject)

RerouteEdit *reroute_edit_new (void);
/* A copy without its undo: to try something out. */
RerouteEdit *reroute_edit_copy (RerouteEdit *self);

/* Steps that are made between two calls are undone together. */
void reroute_edit_begin_step (RerouteEdit *self);

/* "changed" for what comes between the two is emitted once, behind it. */
void reroute_edit_freeze_changed (RerouteEdit *self);
void reroute_edit_thaw_changed (RerouteEdit *self);

/**
 * reroute_edit_put_row:
 * @row: the row as it shall be; id 0 adds it
 * @base: (nullable): the saved row of that id
 *
 * A row that is put back to what is saved is no change any more.  The id that a row had before it
 * was saved stands for the saved one after reroute_edit_adopt(), here and for removal.
 *
 * Returns: the id that the row has in this edit
 */
gint64 reroute_edit_put_row (RerouteEdit *self, RerouteRow *row, RerouteRow *base);
void reroute_edit_remove_row (RerouteEdit *self, RerouteRow *row);
/* By ids alone, saved ones and the edit's own: for more rows than anybody reads. */
void reroute_edit_remove_ids (RerouteEdit *self, ReroutePage page, const RerouteIdSet *ids);
/* (transfer none) (nullable): the saved rows that were removed by ids; another set after each
   change of them. */
RerouteIdSet *reroute_edit_get_removed_ids (RerouteEdit *self, ReroutePage page);
/* @value: canonical text; @saved: the saved one. */
void
reroute_edit_set (RerouteEdit *self, RerouteSettingId id, const char *value, const char *saved);

/* (transfer none): the row as edited, NULL when untouched or removed. */
RerouteRow *reroute_edit_get_row (RerouteEdit *self, ReroutePage page, gint64 id);
/* (transfer none) (nullable): the saved row under a changed one, or one that was removed as a row.
 */
RerouteRow *reroute_edit_get_base (RerouteEdit *self, ReroutePage page, gint64 id);
RerouteEditState reroute_edit_get_state (RerouteEdit *self, ReroutePage page, gint64 id);
/* (nullable): the value given to a setting. */
const char *reroute_edit_get_setting (RerouteEdit *self, RerouteSettingId id);
guint reroute_edit_get_n_changes (RerouteEdit *self);

/* (transfer full) (element-type RerouteRow): in the order they were added. */
GPtrArray *reroute_edit_dup_added (RerouteEdit *self, ReroutePage page);
/* (transfer full) (element-type RerouteChange): removals, replacements, additions, settings.  Those
   by ids are REROUTE_CHANGE_REMOVE_MANY. */
GPtrArray *reroute_edit_dup_changes (RerouteEdit *self);
/* The id in this edit of a row that a finding names: rows of the edit's own have other negative
   ids on the service's side, by the order of reroute_edit_dup_changes(). */
gint64 reroute_edit_resolve_id (RerouteEdit *self, gint64 id);

gboolean reroute_edit_can_undo (RerouteEdit *self);
void reroute_edit_undo (RerouteEdit *self);
/* A place to come back to: what Cancel of a list dialog does.  After reroute_edit_clear() it stands
   for the cleared edit. */
guint reroute_edit_get_mark (RerouteEdit *self);
void reroute_edit_undo_to (RerouteEdit *self, guint mark);

void reroute_edit_clear (RerouteEdit *self);

/**
 * reroute_edit_rebase:
 * @changes: (element-type RerouteChange): what someone else saved
 *
 * Lays the edit over the new generation: hers is kept where both touched the same thing; a row that
 * is gone and that she has changed is added anew.
 *
 * Returns: (transfer full) (element-type RerouteDifference): after: those of @changes that touch
 * the same row or setting as the edit and differ from it; before: the row that the edit lay over,
 *   %NULL when it is not known or a setting
 */
GPtrArray *reroute_edit_rebase (RerouteEdit *self, GPtrArray *changes);

/**
 * reroute_edit_adopt:
 * @sent: the edit as it was sent to be saved, from which @self has gone on
 * @differences: (nullable) (element-type RerouteDifference): the generation that it became; %NULL
 *   when that cannot be told any more
 *
 * What was sent is known to be saved: @self is from now on what differs from that, and what she has
 * taken back since is a change of its own, also when it is undone later; but for removals by ids,
 * whose undo brings nothing back once they are saved.  reroute_edit_rebase() over later generations
 * comes after it.  Without @differences what is still as it was sent is dropped.
 */
void reroute_edit_adopt (RerouteEdit *self, RerouteEdit *sent, GPtrArray *differences);

G_END_DECLS
