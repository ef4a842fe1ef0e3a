/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * overlay.c - what the edit makes of one row
 */

#include "config.h"

#include "gui/overlay.h"

RerouteOverlay *
reroute_overlay_new (RerouteEditState state, RerouteRow *row, RerouteRow *base)
{
  RerouteOverlay *self = g_new0 (RerouteOverlay, 1);

  self->state = state;
  self->row = row != NULL ? reroute_row_ref (row) : NULL;
  self->base = base != NULL ? reroute_row_ref (base) : NULL;
  return self;
}

void
reroute_overlay_free (RerouteOverlay *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->row, reroute_row_unref);
  g_clear_pointer (&self->base, reroute_row_unref);
  g_free (self);
}

gboolean
reroute_overlay_rebase (RerouteOverlay *self, const RerouteChange *change)
{
  if (self->state == REROUTE_EDIT_ADDED && change->kind == REROUTE_CHANGE_REMOVE)
    return FALSE;
  /* The saved row of that id was gone, and was brought back. */
  if (self->state == REROUTE_EDIT_ADDED)
    self->state = REROUTE_EDIT_CHANGED;

  g_clear_pointer (&self->base, reroute_row_unref);
  if (change->kind == REROUTE_CHANGE_REMOVE)
    {
      gboolean kept = self->state == REROUTE_EDIT_CHANGED;

      self->state = kept ? REROUTE_EDIT_ADDED : REROUTE_EDIT_UNTOUCHED;
      return kept;
    }

  self->base = reroute_row_ref (change->row);
  if (self->state == REROUTE_EDIT_CHANGED && reroute_row_equal (self->row, self->base))
    {
      self->state = REROUTE_EDIT_UNTOUCHED;
      return FALSE;
    }
  return TRUE;
}
