/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/relay-track.h"

G_BEGIN_DECLS

/* Cells and sentences of the Tracking page; all are (transfer full).  @message: a
   RerouteTrackedMessage; @event: a GVariant, a{sv} of Relay1.TrackMessage */

/* (transfer full): what a column of kinds has to have room for, @title first. */
GStrv reroute_track_dup_kinds (const char *title);

char *reroute_tracked_dup_received (gpointer message, gpointer user_data);
char *reroute_tracked_dup_sender (gpointer message, gpointer user_data);
/* "user@test.com", "user@test.com → user@example.com", "user@test.com and 3 more" */
char *reroute_tracked_dup_recipient (gpointer message, gpointer user_data);
char *reroute_tracked_dup_state (gpointer message, gpointer user_data);
char *reroute_tracked_dup_reply (gpointer message, gpointer user_data);

char *reroute_track_event_dup_time (gpointer event, gpointer user_data);
char *reroute_track_event_dup_kind (gpointer event, gpointer user_data);
/* As it left, or as it came. */
char *reroute_track_event_dup_recipient (gpointer event, gpointer user_data);
/* Who was spoken to. */
char *reroute_track_event_dup_host (gpointer event, gpointer user_data);
char *reroute_track_event_dup_reply (gpointer event, gpointer user_data);

/* Markup: all that is known of the event. */
char *reroute_track_event_dup_markup (GVariant *event);

G_END_DECLS
