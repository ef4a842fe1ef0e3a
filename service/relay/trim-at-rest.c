/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trim-at-rest.c - what a start leaves behind goes back
 *
 * Every library is bound at the start, each symbol of it looked up once, and a resolver is tried
 * and thrown away.  A relay with a little to do would carry that for ever.
 */

#include "config.h"

#include "service/relay/trim-at-rest.h"

#include "service/memory-trim.h"

#define LOOK_EVERY_S 1

struct _RerouteTrimAtRest
{
  const RerouteRelayParts *parts;
  guint look_id; /* 0: done */
};

static gboolean
is_at_rest (const RerouteRelayParts *parts)
{
  RerouteSchedulerFigures figures;

  reroute_scheduler_get_figures (parts->scheduler, &figures);
  g_free (figures.dns);
  return figures.is_restored && figures.connections == 0 &&
         reroute_admission_get_n_sessions (parts->admission) == 0;
}

static gboolean
look_cb (gpointer user_data)
{
  RerouteTrimAtRest *self = user_data;

  if (!is_at_rest (self->parts))
    return G_SOURCE_CONTINUE;
  reroute_memory_trim_now ();
  self->look_id = 0;
  return G_SOURCE_REMOVE;
}

RerouteTrimAtRest *
reroute_trim_at_rest_new (const RerouteRelayParts *parts)
{
  g_return_val_if_fail (parts != NULL, NULL);

  RerouteTrimAtRest *self = g_new0 (RerouteTrimAtRest, 1);
  self->parts = parts;
  self->look_id = g_timeout_add_seconds (LOOK_EVERY_S, look_cb, self);
  return self;
}

void
reroute_trim_at_rest_free (RerouteTrimAtRest *self)
{
  g_return_if_fail (self != NULL);

  g_clear_handle_id (&self->look_id, g_source_remove);
  g_free (self);
}
