/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/overlay.h"

G_BEGIN_DECLS

/* What was there before a step. */
typedef struct
{
  guint group;
  int page; /* -1: a setting */
  gint64 id;
  RerouteOverlay *before; /* NULL: was untouched */
  char *value;            /* NULL: was at its saved value */
  gboolean by_ids;        /* the step is one of the set of removed ids */
  RerouteIdSet *removed;  /* NULL: was empty */
} RerouteEditStep;

struct _RerouteEdit
{
  GObject parent_instance;

  GHashTable *rows[REROUTE_N_PAGES];      /* gint64 to Overlay */
  RerouteIdSet *removed[REROUTE_N_PAGES]; /* NULL: empty */
  char *settings[REROUTE_N_SETTINGS];
  GPtrArray *steps;
  guint n_dropped; /* steps that were dropped when all was saved; marks count on */
  guint group;
  gint64 next_id;
  GHashTable *saved_ids; /* gint64 to gint64: of rows that were added, and have been saved as */
  guint n_freezes;       /* of "changed" */
  gboolean untold;       /* it changed meanwhile */
};

/* (transfer none) (nullable) */
RerouteOverlay *reroute_edit_find (RerouteEdit *self, ReroutePage page, gint64 id);
/* Takes @overlay; NULL leaves the row as it is saved. */
void reroute_edit_place (RerouteEdit *self, ReroutePage page, gint64 id, RerouteOverlay *overlay);
void reroute_edit_set_saved_id (RerouteEdit *self, gint64 id, gint64 saved_id);
/* (transfer full): @row as it is called now: under the id that it was saved as, when what holds it
   has not heard of that. */
RerouteRow *reroute_edit_dup_as_saved (RerouteEdit *self, RerouteRow *row);
/* Saved rows that are gone are not removed by ids any more, nor by undo. */
void reroute_edit_forget_ids (RerouteEdit *self, ReroutePage page, const RerouteIdSet *gone);
/* Emits "changed"; @page: -1: of a setting, or of more than one thing */
void reroute_edit_tell (RerouteEdit *self, int page, gint64 id);

G_END_DECLS
