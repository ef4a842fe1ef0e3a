/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * accepted.c - a message begins to be tracked
 */

#include "config.h"

#include "service/relay/track/accepted.h"

#include "common/limits.h"

static void
add_recipients (const RerouteTrackWriter *writer, const RerouteEnvelope *envelope, guint first)
{
  guint end = MIN (first + REROUTE_LIMIT_TRACK_RECIPIENTS, envelope->recipients->len);

  for (guint i = first; i < end; i++)
    reroute_track_record_add (writer->octets,
                              REROUTE_TRACK_RECIPIENT,
                              reroute_envelope_get_recipient (envelope, i)->address->text);
}

void
reroute_track_accepted (RerouteTracker *tracker, const RerouteMessage *message, const char *account)
{
  const RerouteEnvelope *envelope = message->envelope;
  RerouteTrackHead head = {
    .kind = REROUTE_TRACK_ACCEPTED,
    .n_recipients = message->n_recipients,
    .id = message->id,
    .time_us = message->received_us,
    .received_us = message->received_us,
    .octets = message->content_octets,
  };
  RerouteTrackWriter writer;
  char client[REROUTE_IP_TEXT_OCTETS];

  for (; head.recipient < envelope->recipients->len;
       head.recipient += REROUTE_LIMIT_TRACK_RECIPIENTS)
    {
      if (!reroute_tracker_begin (tracker, &head, &writer))
        return;
      reroute_track_record_add (writer.octets, REROUTE_TRACK_SENDER, envelope->reverse_path);
      add_recipients (&writer, envelope, head.recipient);
      if (!reroute_ip_is_unspecified (&envelope->client_ip))
        reroute_track_record_add (
          writer.octets, REROUTE_TRACK_CLIENT, reroute_ip_format (&envelope->client_ip, client));
      reroute_track_record_add (writer.octets, REROUTE_TRACK_HELO, envelope->helo);
      reroute_track_record_add (writer.octets, REROUTE_TRACK_ACCOUNT, account);
      if (message->held)
        reroute_track_record_add (writer.octets, REROUTE_TRACK_REPLY, "held by a mail filter");
      reroute_tracker_end (&writer);
    }
}
