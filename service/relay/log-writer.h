/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/log-ring.h"

G_BEGIN_DECLS

/**
 * reroute_log_writer_start:
 *
 * From now on what the program logs is gathered and written to standard error by a thread of its
 * own, some milliseconds late: a busy relay logs two lines a message, and a write() for each costs
 * more than the decision.  A warning, and what is worse, is written before g_log() returns, unless
 * the reader of standard error takes more than a second.  Which lines are shown is the say of
 * reroute_log_writer_set_levels(), and of G_MESSAGES_DEBUG, as with GLib.
 *
 * Lines begin with the time.  When standard error leads to journald they go there as entries, with
 * the fields of reroute_log_line().  A reader that
 * stops reading loses lines, which are counted, and stops nothing.
 */
void reroute_log_writer_start (void);

/* @levels_wanted: (array length=REROUTE_N_LOG_CATEGORIES): how much is said; all minimum at the
 * start. */
void reroute_log_writer_set_levels (const RerouteLogLevel *levels_wanted);

/* (transfer none): the last lines that were written; kept until the program ends. */
RerouteLogRing *reroute_log_writer_get_ring (void);

/* Writes what is left; what is logged later is written at once. */
void reroute_log_writer_stop (void);

G_END_DECLS
