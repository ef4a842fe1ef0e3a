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
#define LINES_OCTETS 65536 /* of the log, that are gathered at most */

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

/* --- what several outcomes have in common --- */

/* The fields are for journald: see reroute-relayd(8). */
enum
{
  FIELD_DOMAIN,
  FIELD_ID,
  FIELD_SENDER,
  FIELD_RECIPIENT,
  FIELD_RCPT_OUT,
  FIELD_ENTRY,
  FIELD_NEXT_HOP,
  FIELD_RELAY,
  FIELD_TLS,
  FIELD_DELAY,
  FIELD_DSN,
  FIELD_STATUS,
  FIELD_REPLY,
  N_FIELDS
};

struct _RerouteTelling
{
  RerouteQueued *queued; /* borrowed, as are the texts */
  GStringChunk *texts;   /* of replies */
  RerouteOutcome like;   /* the one before; its reply NULL: there was none */
  RerouteTrackKind kind; /* of that one, as follows */
  const RerouteReply *replied;
  const char *said; /* @replied, in @texts */

  gint64 now_us; /* wall clock */
  char *id;
  char delay[DELAY_OCTETS];
  GString *entry;
  gboolean by_fields; /* the log takes them: a call for each line */
  GString *head;      /* what begins a line of the log */
  GString *lines;     /* that are not logged yet */
  GString *tail;      /* what ends a line */
  GLogField fields[N_FIELDS];
  GByteArray *tracked; /* texts of the event */
};

RerouteTelling *
reroute_telling_new (void)
{
  RerouteTelling *self = g_new0 (RerouteTelling, 1);

  self->entry = g_string_new (NULL);
  self->by_fields = reroute_log_takes_fields ();
  self->head = g_string_new (NULL);
  self->lines = g_string_new (NULL);
  self->tail = g_string_new (NULL);
  self->tracked = g_byte_array_new ();
  return self;
}

void
reroute_telling_free (RerouteTelling *self)
{
  g_free (self->id);
  g_string_free (self->entry, TRUE);
  g_string_free (self->head, TRUE);
  g_string_free (self->lines, TRUE);
  g_string_free (self->tail, TRUE);
  g_byte_array_unref (self->tracked);
  g_free (self);
}

void
reroute_telling_begin (RerouteTelling *self, RerouteQueued *queued, GStringChunk *texts)
{
  self->queued = queued;
  self->texts = texts;
  self->like = (RerouteOutcome){ .reply = NULL };
  self->replied = NULL;
  self->now_us = g_get_real_time ();
  g_free (self->id);
  self->id = reroute_message_id_to_string (queued->message->id);
  g_string_assign (self->head, "id=");
  g_string_append (self->head, self->id);
  g_string_append (self->head, " to=<");
}

const char *
reroute_telling_find_text (RerouteTelling *self, const RerouteReply *reply)
{
  g_autofree char *text = NULL;

  if (self->replied == reply)
    return self->said;
  text = reroute_reply_to_string (reply);
  self->replied = reply;
  self->said = g_string_chunk_insert (self->texts, text);
  return self->said;
}

static gboolean
is_like_before (const RerouteTelling *self, const RerouteOutcome *outcome)
{
  const RerouteOutcome *like = &self->like;

  return like->reply == outcome->reply && like->kind == outcome->kind &&
         like->next_hop == outcome->next_hop && like->relay == outcome->relay &&
         like->tls == outcome->tls && like->by.deciding == outcome->by.deciding &&
         like->by.admitting == outcome->by.admitting;
}

static void
name_entry (GString *name, const RerouteRow *entry)
{
  g_string_truncate (name, 0);
  if (entry == NULL)
    return;
  g_string_append (name, reroute_page_to_string (entry->page));
  g_string_append (name, entry->exact ? " #" : " ");
  g_string_append (name, entry->domain);
}

static void
append_part (GString *tail, const char *name, const char *value)
{
  g_string_append (tail, name);
  g_string_append (tail, value != NULL ? value : "none");
}

static void
prepare_line (RerouteTelling *self, const RerouteOutcome *outcome)
{
  const char *sender = reroute_queued_get_envelope (self->queued)->reverse_path;
  gint64 age_us = self->now_us - self->queued->message->received_us;
  const char *delay_s = format_delay (MAX (age_us, 0) / 1000, self->delay);
  const char *dsn = find_status (outcome);
  const char *status = reroute_track_kind_to_string (self->kind);
  const GLogField fields[N_FIELDS] = {
    [FIELD_DOMAIN] = { "GLIB_DOMAIN", G_LOG_DOMAIN, -1 },
    [FIELD_ID] = { "REROUTE_ID", self->id, -1 },
    [FIELD_SENDER] = { "REROUTE_SENDER", sender, -1 },
    [FIELD_RECIPIENT] = { "REROUTE_RECIPIENT", NULL, -1 },
    [FIELD_RCPT_OUT] = { "REROUTE_RCPT_OUT", NULL, -1 },
    [FIELD_ENTRY] = { "REROUTE_ENTRY", self->entry->len > 0 ? self->entry->str : NULL, -1 },
    [FIELD_NEXT_HOP] = { "REROUTE_NEXT_HOP", outcome->next_hop, -1 },
    [FIELD_RELAY] = { "REROUTE_RELAY", outcome->relay, -1 },
    [FIELD_TLS] = { "REROUTE_TLS", outcome->tls, -1 },
    [FIELD_DELAY] = { "REROUTE_DELAY", delay_s, -1 },
    [FIELD_DSN] = { "REROUTE_DSN", dsn, -1 },
    [FIELD_STATUS] = { "REROUTE_STATUS", status, -1 },
    [FIELD_REPLY] = { "REROUTE_REPLY", self->said, -1 },
  };

  memcpy (self->fields, fields, sizeof fields);
  g_string_assign (self->tail, ">");
  append_part (self->tail, " nexthop=", outcome->next_hop);
  append_part (self->tail, " relay=", outcome->relay);
  append_part (self->tail, " tls=<", outcome->tls);
  append_part (self->tail, "> delay_s=", delay_s);
  append_part (self->tail, " dsn=", dsn);
  append_part (self->tail, " status=", status);
  append_part (self->tail, " (", self->said);
  g_string_append_c (self->tail, ')');
}

/* Every recipient comes through here: neither printf() nor an allocation. */
static void
log_outcome (RerouteTelling *self, const char *received, const char *rcpt_out)
{
  GString *lines = self->lines;

  g_string_append_len (lines, self->head->str, (gssize) self->head->len);
  g_string_append (lines, rcpt_out);
  if (!g_str_equal (rcpt_out, received))
    {
      g_string_append (lines, "> orig_to=<");
      g_string_append (lines, received);
    }
  g_string_append_len (lines, self->tail->str, (gssize) self->tail->len);
  if (!self->by_fields)
    {
      g_string_append_c (lines, '\n');
      if (lines->len > LINES_OCTETS)
        reroute_telling_end (self);
      return;
    }
  self->fields[FIELD_RECIPIENT].value = received;
  self->fields[FIELD_RCPT_OUT].value = rcpt_out;
  reroute_log_line (lines->str, self->fields, N_FIELDS);
  g_string_truncate (lines, 0);
}

void
reroute_telling_end (RerouteTelling *self)
{
  GString *lines = self->lines;

  if (lines->len == 0)
    return;
  g_string_truncate (lines, lines->len - 1);
  reroute_log_lines (G_LOG_DOMAIN, lines->str);
  g_string_truncate (lines, 0);
}

/* --- tracking --- */

/* Who sent the message. */
static void
add_origin (GByteArray *octets, const RerouteEnvelope *envelope)
{
  char client[REROUTE_IP_TEXT_OCTETS];

  reroute_track_record_add (octets, REROUTE_TRACK_SENDER, envelope->reverse_path);
  if (!reroute_ip_is_unspecified (&envelope->client_ip))
    reroute_track_record_add (
      octets, REROUTE_TRACK_CLIENT, reroute_ip_format (&envelope->client_ip, client));
}

/* Begins an event of a recipient, or of %REROUTE_TRACK_WHOLE_MESSAGE.
   @now_us: wall clock */
static gboolean
begin_event (RerouteQueued *queued,
             guint recipient,
             RerouteTrackKind kind,
             gint64 now_us,
             RerouteTrackWriter *writer)
{
  const RerouteMessage *message = queued->message;
  const RerouteTrackHead head = {
    .kind = kind,
    .recipient = recipient,
    .n_recipients = message->n_recipients,
    .id = message->id,
    .time_us = now_us,
    .received_us = message->received_us,
  };
  const char *received =
    recipient != REROUTE_TRACK_WHOLE_MESSAGE ? get_received (queued, recipient) : NULL;

  if (!reroute_tracker_begin (queued->scheduler->tracker, &head, writer))
    return FALSE;
  reroute_track_record_add (writer->octets, REROUTE_TRACK_RECIPIENT, received);
  return TRUE;
}

static void
track_entry (GByteArray *octets, RerouteTrackField field, const RerouteRow *entry)
{
  if (entry != NULL)
    reroute_track_record_add_entry (
      octets, field, reroute_page_to_string (entry->page), entry->exact ? "#" : "", entry->domain);
}

static void
prepare_event (RerouteTelling *self, const RerouteOutcome *outcome)
{
  GByteArray *tracked = self->tracked;

  g_byte_array_set_size (tracked, 0);
  if (!reroute_tracker_is_on (self->queued->scheduler->tracker))
    return;
  add_origin (tracked, reroute_queued_get_envelope (self->queued));
  track_entry (tracked, REROUTE_TRACK_ENTRY, outcome->by.deciding);
  if (outcome->by.admitting != outcome->by.deciding)
    track_entry (tracked, REROUTE_TRACK_ADMITTING, outcome->by.admitting);
  reroute_track_record_add (tracked, REROUTE_TRACK_NEXT_HOP, outcome->next_hop);
  reroute_track_record_add (tracked, REROUTE_TRACK_RELAY, outcome->relay);
  reroute_track_record_add (tracked, REROUTE_TRACK_TLS, outcome->tls);
  reroute_track_record_add (tracked, REROUTE_TRACK_REPLY, self->said);
}

static void
track_outcome (RerouteTelling *self, guint recipient, const char *received, const char *rcpt_out)
{
  RerouteTrackWriter writer;

  /* Nothing was prepared while it was off. */
  if (self->tracked->len == 0 ||
      !begin_event (self->queued, recipient, self->kind, self->now_us, &writer))
    return;
  if (!g_str_equal (rcpt_out, received))
    reroute_track_record_add (writer.octets, REROUTE_TRACK_RCPT_OUT, rcpt_out);
  g_byte_array_append (writer.octets, self->tracked->data, self->tracked->len);
  reroute_tracker_end (&writer);
}

void
reroute_telling_tell (RerouteTelling *self, const RerouteOutcome *outcome)
{
  const char *received = get_received (self->queued, outcome->recipient);
  const char *rcpt_out = outcome->rcpt_out != NULL ? outcome->rcpt_out : received;

  reroute_telling_find_text (self, outcome->reply);
  if (!is_like_before (self, outcome))
    {
      self->like = *outcome;
      self->kind = name_outcome (outcome);
      name_entry (self->entry, outcome->by.deciding);
      prepare_line (self, outcome);
      prepare_event (self, outcome);
    }
  log_outcome (self, received, rcpt_out);
  track_outcome (self, outcome->recipient, received, rcpt_out);
}

void
reroute_queued_track (RerouteQueued *self,
                      guint recipient,
                      RerouteTrackKind kind,
                      const char *reply)
{
  RerouteTrackWriter writer;

  if (!begin_event (self, recipient, kind, g_get_real_time (), &writer))
    return;
  add_origin (writer.octets, reroute_queued_get_envelope (self));
  reroute_track_record_add (writer.octets, REROUTE_TRACK_REPLY, reply);
  reroute_tracker_end (&writer);
}

void
reroute_queued_track_notice (RerouteQueued *self, const RerouteMessage *notice, RerouteDsnKind kind)
{
  g_autofree char *id = reroute_message_id_to_string (notice->id);
  RerouteTrackWriter writer;

  if (!begin_event (
        self, REROUTE_TRACK_WHOLE_MESSAGE, REROUTE_TRACK_NOTICE, g_get_real_time (), &writer))
    return;
  add_origin (writer.octets, reroute_queued_get_envelope (self));
  reroute_track_record_add (writer.octets, REROUTE_TRACK_NOTICE_ID, id);
  reroute_track_record_add (writer.octets, REROUTE_TRACK_REPLY, reroute_dsn_kind_to_string (kind));
  reroute_tracker_end (&writer);
}
