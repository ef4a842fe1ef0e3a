/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_log_writer_start:
 *
 * From now on what the program logs is gathered and written to standard error by a thread of its
 * own, some milliseconds late: a busy relay logs two lines a message, and a write() for each costs
 * more than the decision.  A warning, and what is worse, is written before g_log() returns, unless
 * the reader of standard error takes more than a second.  Which lines are shown is
 * G_MESSAGES_DEBUG's say, as with GLib.
 *
 * Lines begin with the time, or with "<PRIORITY>" for journald when standard error leads there
 * (sd-daemon(3)).  A reader that stops reading loses lines, which are counted, and stops nothing.
 */
void reroute_log_writer_start (void);

/* Writes what is left; what is logged later is written at once. */
void reroute_log_writer_stop (void);

G_END_DECLS
