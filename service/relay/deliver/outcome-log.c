/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * outcome-log.c - what is told of an outcome: the delivery line of the log, and to who tracks
 *
 * Standards: RFC 3463 (status codes; 4.4.7: delivery time expired).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/scheduler-private.h"

#include "service/relay/log-line.h"

#define EXPIRED "4.4.7" /* RFC 3463 3.5: delivery time expired */
#define DELAY_PLACES 3
#define DELAY_OCTETS 32

RerouteReply *
reroute_reply_new_expired (const char *last)
{
  g_autofree char *text = g_strdup_printf ("delivery time expired: %s", last);

  return reroute_reply_new (550, EXPIRED, text);
}

static const char *
find_status (const RerouteOutcome *outcome)
{
  if (outcome->reply->status[0] != '\0')
    return outcome->reply->status;
  return outcome->kind == REROUTE_OUTCOME_SENT     ? "2.0.0"
         : outcome->kind == REROUTE_OUTCOME_FAILED ? "5.0.0"
                                                   : "4.0.0";
}

static RerouteTrackKind
name_outcome (const RerouteOutcome *outcome)
{
  if (outcome->kind == REROUTE_OUTCOME_SENT)
    return REROUTE_TRACK_SENT;
  if (outcome->kind != REROUTE_OUTCOME_FAILED)
    return REROUTE_TRACK_DEFERRED;
  return g_str_equal (outcome->reply->status, EXPIRED) ? REROUTE_TRACK_EXPIRED
                                                       : REROUTE_TRACK_FAILED;
}

static const char *
get_received (RerouteQueued *queued, guint recipient)
{
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (queued);

  return reroute_envelope_get_recipient (envelope, recipient)->address->text;
}

static char *
dup_entry (const RerouteRow *entry)
{
  return entry != NULL
           ? g_strconcat (
               reroute_page_to_string (entry->page), entry->exact ? " #" : " ", entry->domain, NULL)
           : NULL;
}

/* Seconds with three places, in @buffer. */
static const char *
format_delay (gint64 delay_ms, char buffer[DELAY_OCTETS])
{
  char *first = buffer + DELAY_OCTETS - 1;

  *first = '\0';
  for (guint place = 0; place <= DELAY_PLACES || delay_ms > 0; place++)
    {
      if (place == DELAY_PLACES)
        *--first = '.';
      *--first = (char) ('0' + delay_ms % 10);
      delay_ms /= 10;
    }
  return first;
}

/* The fields are for journald: see reroute-relayd(8).  Every recipient comes through here: no
   printf(). */
static void
log_outcome (RerouteQueued *queued,
             const RerouteOutcome *outcome,
             RerouteTrackKind kind,
             const char *said)
{
  const char *received = get_received (queued, outcome->recipient);
  const char *rcpt_out = outcome->rcpt_out != NULL ? outcome->rcpt_out : received;
  gboolean rewritten = !g_str_equal (rcpt_out, received);
  g_autofree char *id = reroute_message_id_to_string (queued->message->id);
  g_autofree char *entry = dup_entry (outcome->by.deciding);
  g_autofree char *text = NULL;
  gint64 age_us = g_get_real_time () - queued->message->received_us;
  char buffer[DELAY_OCTETS];
  const char *delay_s = format_delay (MAX (age_us, 0) / 1000, buffer);
  const GLogField fields[] = {
    { "GLIB_DOMAIN", G_LOG_DOMAIN, -1 },
    { "REROUTE_ID", id, -1 },
    { "REROUTE_SENDER", reroute_queued_get_envelope (queued)->reverse_path, -1 },
    { "REROUTE_RECIPIENT", received, -1 },
    { "REROUTE_RCPT_OUT", rcpt_out, -1 },
    { "REROUTE_ENTRY", entry, -1 },
    { "REROUTE_NEXT_HOP", outcome->next_hop, -1 },
    { "REROUTE_RELAY", outcome->relay, -1 },
    { "REROUTE_TLS", outcome->tls, -1 },
    { "REROUTE_DELAY", delay_s, -1 },
    { "REROUTE_DSN", find_status (outcome), -1 },
    { "REROUTE_STATUS", reroute_track_kind_to_string (kind), -1 },
    { "REROUTE_REPLY", said, -1 },
  };

  text = g_strconcat ("id=",
                      id,
                      " to=<",
                      rcpt_out,
                      rewritten ? "> orig_to=<" : "",
                      rewritten ? received : "",
                      "> nexthop=",
                      outcome->next_hop != NULL ? outcome->next_hop : "none",
                      " relay=",
                      outcome->relay != NULL ? outcome->relay : "none",
                      " tls=<",
                      outcome->tls != NULL ? outcome->tls : "none",
                      "> delay_s=",
                      delay_s,
                      " dsn=",
                      find_status (outcome),
                      " status=",
                      reroute_track_kind_to_string (kind),
                      " (",
                      said,
                      ")",
                      NULL);
  reroute_log_line (text, fields, G_N_ELEMENTS (fields));
}

/* --- tracking --- */

/* Begins an event with what every one of a recipient has. */
static gboolean
begin_event (RerouteQueued *queued,
             guint recipient,
             RerouteTrackKind kind,
             RerouteTrackWriter *writer)
{
  const RerouteMessage *message = queued->message;
  const RerouteTrackHead head = {
    .kind = kind,
    .recipient = recipient,
    .n_recipients = message->n_recipients,
    .id = message->id,
    .time_us = g_get_real_time (),
    .received_us = message->received_us,
  };
  const RerouteEnvelope *envelope;
  char client[REROUTE_IP_TEXT_OCTETS];

  if (!reroute_tracker_is_on (queued->scheduler->tracker))
    return FALSE;
  envelope = reroute_queued_get_envelope (queued);
  if (!reroute_tracker_begin (queued->scheduler->tracker, &head, writer))
    return FALSE;
  reroute_track_record_add (writer->octets, REROUTE_TRACK_SENDER, envelope->reverse_path);
  if (!reroute_ip_is_unspecified (&envelope->client_ip))
    reroute_track_record_add (
      writer->octets, REROUTE_TRACK_CLIENT, reroute_ip_format (&envelope->client_ip, client));
  if (recipient != REROUTE_TRACK_WHOLE_MESSAGE)
    reroute_track_record_add (
      writer->octets, REROUTE_TRACK_RECIPIENT, get_received (queued, recipient));
  return TRUE;
}

static void
track_entry (RerouteTrackWriter *writer, RerouteTrackField field, const RerouteRow *entry)
{
  if (entry != NULL)
    reroute_track_record_add_entry (writer->octets,
                                    field,
                                    reroute_page_to_string (entry->page),
                                    entry->exact ? "#" : "",
                                    entry->domain);
}

static void
track_outcome (RerouteQueued *queued,
               const RerouteOutcome *outcome,
               RerouteTrackKind kind,
               const char *said)
{
  const char *received = get_received (queued, outcome->recipient);
  RerouteTrackWriter writer;

  if (!begin_event (queued, outcome->recipient, kind, &writer))
    return;
  if (outcome->rcpt_out != NULL && !g_str_equal (outcome->rcpt_out, received))
    reroute_track_record_add (writer.octets, REROUTE_TRACK_RCPT_OUT, outcome->rcpt_out);
  track_entry (&writer, REROUTE_TRACK_ENTRY, outcome->by.deciding);
  if (outcome->by.admitting != outcome->by.deciding)
    track_entry (&writer, REROUTE_TRACK_ADMITTING, outcome->by.admitting);
  reroute_track_record_add (writer.octets, REROUTE_TRACK_NEXT_HOP, outcome->next_hop);
  reroute_track_record_add (writer.octets, REROUTE_TRACK_RELAY, outcome->relay);
  reroute_track_record_add (writer.octets, REROUTE_TRACK_TLS, outcome->tls);
  reroute_track_record_add (writer.octets, REROUTE_TRACK_REPLY, said);
  reroute_tracker_end (&writer);
}

void
reroute_queued_tell_outcome (RerouteQueued *self, const RerouteOutcome *outcome)
{
  RerouteTrackKind kind = name_outcome (outcome);
  g_autofree char *said = reroute_reply_to_string (outcome->reply);

  log_outcome (self, outcome, kind, said);
  track_outcome (self, outcome, kind, said);
}

void
reroute_queued_track (RerouteQueued *self,
                      guint recipient,
                      RerouteTrackKind kind,
                      const char *reply)
{
  RerouteTrackWriter writer;

  if (!begin_event (self, recipient, kind, &writer))
    return;
  reroute_track_record_add (writer.octets, REROUTE_TRACK_REPLY, reply);
  reroute_tracker_end (&writer);
}

void
reroute_queued_track_notice (RerouteQueued *self, const RerouteMessage *notice, RerouteDsnKind kind)
{
  g_autofree char *id = reroute_message_id_to_string (notice->id);
  RerouteTrackWriter writer;

  if (!begin_event (self, REROUTE_TRACK_WHOLE_MESSAGE, REROUTE_TRACK_NOTICE, &writer))
    return;
  reroute_track_record_add (writer.octets, REROUTE_TRACK_NOTICE_ID, id);
  reroute_track_record_add (writer.octets, REROUTE_TRACK_REPLY, reroute_dsn_kind_to_string (kind));
  reroute_tracker_end (&writer);
}
