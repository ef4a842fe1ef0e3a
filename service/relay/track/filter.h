/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/track/record.h"

G_BEGIN_DECLS

/* Which messages are looked for. */
typedef struct _RerouteTrackFilter RerouteTrackFilter;

/**
 * reroute_track_filter_new:
 * @values: a{sv} as Relay1.Track takes it; a reference is not kept
 *
 * Errors: %REROUTE_ERROR_VALUE: an unknown key, a wrong type, no id
 */
RerouteTrackFilter *reroute_track_filter_new (GVariant *values, GError **error);
void reroute_track_filter_free (RerouteTrackFilter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTrackFilter, reroute_track_filter_free)

/* Wall clock; G_MININT64: any.  No record before it can be of a message that is looked for. */
gint64 reroute_track_filter_get_since_us (const RerouteTrackFilter *self);

/* @recipient: (out): index in the envelope of the first one that the record matches by */
gboolean reroute_track_filter_matches (const RerouteTrackFilter *self,
                                       const RerouteTrackRecord *record,
                                       guint32 *recipient);

G_END_DECLS
