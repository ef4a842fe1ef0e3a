/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/envelope.h"

G_BEGIN_DECLS

/**
 * reroute_envelope_pack:
 * @self: a complete envelope
 *
 * What @self holds in one small allocation, a fifth of its size, for a message that only waits.
 * The octets are for this process alone: the journal has a format of its own.
 *
 * Returns: (transfer full): for reroute_envelope_unpack() and g_free()
 */
guint8 *reroute_envelope_pack (const RerouteEnvelope *self);

/* @packed: by reroute_envelope_pack(); stays as it is.  (transfer full) */
RerouteEnvelope *reroute_envelope_unpack (const guint8 *packed);

G_END_DECLS
