/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/relay-client.h"

G_BEGIN_DECLS

/* A message that was found, and one of its recipients. */
typedef struct
{
  guint64 id;
  gint64 received_us; /* wall clock */
  gint64 changed_us;  /* likewise: of the newest event */
  char *sender;       /* "" is the null reverse-path */
  char *recipient;    /* as received */
  char *rcpt_out;     /* as it left; "" the same */
  guint n_recipients; /* of the message */
  char *entry;        /* that decided: "routing test.com"; "" none */
  char *next_hop;
  char *relay; /* who answered: "mx1.example.net[192.0.2.1]:25" */
  char *kind;  /* of the newest event: "sent" */
  char *reply;
} RerouteTrackedMessage;

typedef struct
{
  guint64 next;        /* the cursor to go on with; 0: that was all */
  gint64 searched_us;  /* wall clock: back to which was searched */
  GPtrArray *messages; /* (element-type RerouteTrackedMessage): newest first */
} RerouteTrackPage;

void reroute_tracked_message_free (gpointer message); /* a RerouteTrackedMessage */
void reroute_track_page_free (RerouteTrackPage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteTrackPage, reroute_track_page_free)

/* What messages are found by; NULL or "" is anything, "=text" the whole of it. */
typedef struct
{
  const char *sender;
  const char *recipient; /* as received, or as it left */
  const char *entry;
  const char *host; /* the client's, or the next hop's */
  const char *id;
  gint64 since_us; /* wall clock, of the arrival; 0: whenever */
  gint64 until_us;
} RerouteTrackQuestion;

/**
 * reroute_relay_client_track_async:
 * @cursor: of the page before; 0: from the newest message
 *
 * Relay1.Track.  A page may be empty though there are more: what is read for one is bounded.
 */
void reroute_relay_client_track_async (RerouteRelayClient *relay,
                                       const RerouteTrackQuestion *question,
                                       guint64 cursor,
                                       guint limit,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
/* (transfer full).  Errors: as the relay gave them; %REROUTE_ERROR_UNAVAILABLE */
RerouteTrackPage *
reroute_relay_client_track_finish (RerouteRelayClient *relay, GAsyncResult *result, GError **error);

/* Relay1.TrackMessage: the first of its events. */
void reroute_relay_client_track_message_async (RerouteRelayClient *relay,
                                               guint64 id,
                                               guint offset,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
/* Returns: (transfer full): aa{sv}, oldest first, as Relay1.TrackMessage tells; @total: (out):
   events that there are */
GVariant *reroute_relay_client_track_message_finish (RerouteRelayClient *relay,
                                                     GAsyncResult *result,
                                                     guint *total,
                                                     GError **error);

G_END_DECLS
