/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

#include "common/limits.h"

G_BEGIN_DECLS

/**
 * reroute_pace_move_on:
 * @deadline_us: monotonic, like @now_us
 * @limit_us: the longest wait
 * @octets: of content that have passed since it was set or moved
 *
 * A peer moves its time limit on by octets of content, each by its share of a second, but not
 * further than it would be had all begun now.  An octet now and then is no progress.
 *
 * Returns: the deadline, never an earlier one
 */
static inline gint64
reroute_pace_move_on (gint64 deadline_us, gint64 now_us, gint64 limit_us, gsize octets)
{
  gint64 latest_us = MAX (now_us + limit_us, deadline_us);
  gint64 earned_us = (gint64) octets * (G_USEC_PER_SEC / REROUTE_LIMIT_CONTENT_OCTETS_PER_S);

  return MIN (deadline_us + earned_us, latest_us);
}

G_END_DECLS
