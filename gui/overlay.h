/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/edit.h"

G_BEGIN_DECLS

/* What the edit makes of one row. */
typedef struct
{
  RerouteEditState state;
  RerouteRow *row;  /* NULL when removed */
  RerouteRow *base; /* NULL when added */
} RerouteOverlay;

/* (transfer full); references of the rows are taken. */
RerouteOverlay *reroute_overlay_new (RerouteEditState state, RerouteRow *row, RerouteRow *base);
/* @self: (nullable) */
void reroute_overlay_free (RerouteOverlay *self);

/* Someone else saved @change of the same row: TRUE when the two differ.  The state UNTOUCHED says
   that nothing of it is left. */
gboolean reroute_overlay_rebase (RerouteOverlay *self, const RerouteChange *change);

G_END_DECLS
