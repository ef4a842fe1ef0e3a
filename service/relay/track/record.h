/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What happened to a message.  The numbers stand in files. */
typedef enum
{
  REROUTE_TRACK_ACCEPTED = 1, /* it is ours */
  REROUTE_TRACK_SENT = 2,
  REROUTE_TRACK_DEFERRED = 3,
  REROUTE_TRACK_FAILED = 4,
  REROUTE_TRACK_EXPIRED = 5,
  REROUTE_TRACK_NOTICE = 6, /* its sender was told; REPLY says of what */
  REROUTE_TRACK_HELD = 7,
  REROUTE_TRACK_RELEASED = 8,
  REROUTE_TRACK_DELETED = 9,
  REROUTE_N_TRACK_KINDS,
} RerouteTrackKind;

const char *reroute_track_kind_to_string (RerouteTrackKind kind); /* "accepted"; "" for others */

/* A text of an event.  The numbers stand in files. */
typedef enum
{
  REROUTE_TRACK_SENDER = 1,
  REROUTE_TRACK_RECIPIENT = 2, /* as received; of ACCEPTED one for each */
  REROUTE_TRACK_RCPT_OUT = 3,  /* when it is another */
  REROUTE_TRACK_ENTRY = 4,     /* that decided: "routing test.com" */
  REROUTE_TRACK_CLIENT = 5,    /* its address */
  REROUTE_TRACK_HELO = 6,
  REROUTE_TRACK_ACCOUNT = 7, /* that the client has logged in to */
  REROUTE_TRACK_NEXT_HOP = 8,
  REROUTE_TRACK_RELAY = 9, /* who answered: "mx1.example.net[192.0.2.1]:25" */
  REROUTE_TRACK_TLS = 10,
  REROUTE_TRACK_REPLY = 11,
  REROUTE_TRACK_NOTICE_ID = 12, /* of the message that tells the sender */
  REROUTE_TRACK_ADMITTING = 13, /* the entry that let it in, when another decided */
  REROUTE_N_TRACK_FIELDS,
} RerouteTrackField;

const char *reroute_track_field_to_string (RerouteTrackField field); /* "sender"; "" for others */

#define REROUTE_TRACK_WHOLE_MESSAGE G_MAXUINT32

/* What every event has. */
typedef struct
{
  RerouteTrackKind kind; /* may be unknown when it was read */
  guint32 recipient;     /* index in the envelope; of ACCEPTED that of the first one named */
  guint32 n_recipients;  /* of the message */
  guint64 id;            /* of the message */
  gint64 time_us;        /* wall clock */
  gint64 received_us;    /* of the message, likewise */
  guint64 octets;        /* of its content; ACCEPTED alone */
} RerouteTrackHead;

/* --- writing --- */

/* Appends to @octets.  Returns: where the record begins, for reroute_track_record_end() */
guint reroute_track_record_begin (GByteArray *octets, const RerouteTrackHead *head);
/* @text: (nullable): nothing is added; what is over 65,535 octets is cut */
void reroute_track_record_add (GByteArray *octets, RerouteTrackField field, const char *text);
/* An entry from its parts, "" in front of @domain or "#". */
void reroute_track_record_add_entry (GByteArray *octets,
                                     RerouteTrackField field,
                                     const char *page,
                                     const char *mark,
                                     const char *domain);
void reroute_track_record_end (GByteArray *octets, guint start);

/* --- reading --- */

/* A record in memory that was checked. */
typedef struct
{
  const guint8 *octets;
  guint32 length;
} RerouteTrackRecord;

/* FALSE: no whole record stands at the start of the @length octets. */
gboolean
reroute_track_record_parse (const guint8 *octets, gsize length, RerouteTrackRecord *record);
RerouteTrackHead reroute_track_record_get_head (const RerouteTrackRecord *self);
guint64 reroute_track_record_get_id (const RerouteTrackRecord *self);

/* A text of a record, borrowed and not terminated. */
typedef struct
{
  RerouteTrackField field;
  const char *text;
  guint length;
  guint32 next; /* private */
} RerouteTrackText;

/* The next text; @text: (inout): zeroed for the first.  FALSE: there is none. */
gboolean reroute_track_record_next (const RerouteTrackRecord *self, RerouteTrackText *text);
/* The first text of @field; FALSE: there is none. */
gboolean reroute_track_record_find (const RerouteTrackRecord *self,
                                    RerouteTrackField field,
                                    RerouteTrackText *text);
/* (transfer full): valid UTF-8; "" when there is none */
char *reroute_track_record_dup (const RerouteTrackRecord *self, RerouteTrackField field);

/* --- frames: what is written at a time --- */

#define REROUTE_TRACK_FRAME_HEADER_OCTETS 16

/* Appends the records in @octets to @frames, in one frame. */
void reroute_track_frame_append (GByteArray *frames, const guint8 *octets, gsize length);

/**
 * reroute_track_frames_index:
 * @octets: (array length=length): of a file, from its beginning
 * @offsets: (element-type guint32): where each record of a whole frame begins is added, in order
 *
 * Damage is passed over: the next frame whose checksum is right counts.
 *
 * Returns: octets that are part of no frame, the file's header aside
 */
gsize reroute_track_frames_index (const guint8 *octets, gsize length, GArray *offsets);

/* What every file begins with. */
#define REROUTE_TRACK_FILE_HEADER "REROUTE TRACK 1\n"
#define REROUTE_TRACK_FILE_HEADER_OCTETS (sizeof REROUTE_TRACK_FILE_HEADER - 1)

G_END_DECLS
