/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/relay.h"

G_BEGIN_DECLS

/**
 * RerouteTrimAtRest:
 *
 * Waits until the relay, whatever it has queued, rests for the first time, and gives back the
 * memory that only its start needed.
 */
typedef struct _RerouteTrimAtRest RerouteTrimAtRest;

/* @parts: borrowed */
RerouteTrimAtRest *reroute_trim_at_rest_new (const RerouteRelayParts *parts);
void reroute_trim_at_rest_free (RerouteTrimAtRest *self);

G_END_DECLS
