/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RerouteOutcomes:
 *
 * What became of the calls that save, for a caller whose connection was lost before the answer.  A
 * call is known by its name: reroute_outcomes_name().  Those that run are all kept, of those that
 * ended or were given up the newest REROUTE_LIMIT_OUTCOMES.
 */
typedef struct _RerouteOutcomes RerouteOutcomes;

/* @serial: the generation that the call saved, or 0 */
typedef void (*RerouteOutcomeFunc) (guint64 serial, gpointer user_data);

RerouteOutcomes *reroute_outcomes_new (void);
void reroute_outcomes_free (RerouteOutcomes *self);

/* (transfer full): of the message @number of @sender, a unique name on the bus */
char *reroute_outcomes_name (const char *sender, guint number);

/* A call has come.  FALSE: it was given up before, and must not run. */
gboolean reroute_outcomes_begin (RerouteOutcomes *self, const char *name);
/* It is through: whoever waits is told. */
void reroute_outcomes_end (RerouteOutcomes *self, const char *name, guint64 serial);

/**
 * reroute_outcomes_ask:
 *
 * Tells at once, or once the call is through.  One that has not come is given up.
 *
 * Returns: FALSE: nothing is known of it; @func is not called
 */
gboolean reroute_outcomes_ask (RerouteOutcomes *self,
                               const char *name,
                               RerouteOutcomeFunc func,
                               gpointer user_data);

G_END_DECLS
