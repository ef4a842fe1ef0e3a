/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/spool.h"

G_BEGIN_DECLS

/*
 * The octets of the journal, little-endian throughout (data/man/reroute-spool.5).  Every record is
 * a header of 32 octets and its payload, filled up to a multiple of 8.
 */
/* Written.  Read are also 2, without what RFC 8689 adds, and 1, without what RFC 3461 adds. */
#define REROUTE_SPOOL_VERSION 3u
#define REROUTE_SPOOL_OLDEST_VERSION 1u
#define REROUTE_SPOOL_BLOCK_OCTETS 4096u   /* a batch starts and ends on one */
#define REROUTE_SPOOL_IDS_AHEAD (1u << 16) /* reserved by each batch */
#define REROUTE_RECORD_HEADER_OCTETS 32u
#define REROUTE_RECORD_ALIGNMENT 8u
#define REROUTE_BATCH_PAYLOAD_OCTETS 24u
#define REROUTE_PART_PREFIX_OCTETS 16u
#define REROUTE_RECORD_MAX_OCTETS (1u << 30)

typedef enum
{
  REROUTE_RECORD_BATCH = 1, /* opens a batch: what is known synced */
  REROUTE_RECORD_MESSAGE,   /* envelope, every recipient's state, content or the rest of it */
  REROUTE_RECORD_PART,      /* a piece of a large content */
  REROUTE_RECORD_VERDICT,   /* what became of recipients */
} RerouteRecordType;

typedef struct
{
  guint32 length; /* of the payload */
  RerouteRecordType type;
  guint64 sequence;
  guint64 serial; /* of the segment */
} RerouteRecordHeader;

/* What the first record of a batch says. */
typedef struct
{
  guint64 synced; /* records up to this number count; numbers between it and the batch's are void */
  guint64 ids;    /* no message id from here on was given away */
  guint32 n_records; /* with this one */
} RerouteBatchRecord;

/* Where the fields of a message record lie in its payload. */
typedef struct
{
  guint64 id;
  gint64 received_us;
  guint64 content_octets; /* whole */
  guint32 n_parts;
  guint32 envelope_offset, envelope_octets;
  guint32 states_offset, states_octets;
  guint32 content_offset, inline_octets; /* what stands in this record: the end of the content */
} RerouteMessageRecord;

/* One recipient's state, as the spool keeps it. */
typedef struct
{
  RerouteRecipientState state;
  guint tries;
  guint flags;
  gint64 due_us;
  char *reply; /* (nullable): owned */
} RerouteRecipientStatus;

gboolean reroute_recipient_state_is_final (RerouteRecipientState state);
void reroute_recipient_statuses_free (RerouteRecipientStatus *statuses, guint n);

/* The record as it lies on disk, without its payload: 8-octet multiple. */
gsize reroute_record_octets (gsize payload_octets);

/* @payload_crc: the checksum of the payload; the header's own fields are added to it here */
void
reroute_record_header_encode (const RerouteRecordHeader *self, guint32 payload_crc, guint8 *octets);

/* Whether the header at @octets, which are as many as one has, says that it is of segment @serial;
   it may be damaged for all that. */
gboolean reroute_record_header_claims (const guint8 *octets, guint64 serial);

/* Whether a whole, undamaged record of segment @serial starts at @octets. */
gboolean reroute_record_header_decode (RerouteRecordHeader *self,
                                       const guint8 *octets,
                                       gsize available,
                                       guint64 serial);

void reroute_batch_record_encode (const RerouteBatchRecord *self, guint8 *payload);
gboolean
reroute_batch_record_decode (RerouteBatchRecord *self, const guint8 *payload, gsize length);

void reroute_part_prefix_encode (guint64 id, guint32 index, guint8 *payload);
void reroute_part_prefix_decode (const guint8 *payload, guint64 *id, guint32 *index);

/**
 * reroute_message_record_encode:
 * @fields: id, received_us, content_octets, n_parts and inline_octets are read
 * @envelope: (array length=n_envelope): by reroute_envelope_encode()
 * @statuses: (nullable) (array length=n_statuses): %NULL when no recipient was tried
 *
 * Returns: (transfer full): the payload in front of the inline content
 */
GByteArray *reroute_message_record_encode (RerouteMessageRecord *fields,
                                           const guint8 *envelope,
                                           gsize n_envelope,
                                           const RerouteRecipientStatus *statuses,
                                           guint n_statuses);
gboolean
reroute_message_record_decode (RerouteMessageRecord *self, const guint8 *payload, gsize length);

/* Errors: %REROUTE_ERROR_VALUE for a NUL, a line break or no recipients (wire-defaults.md,
 * regression 5). */
GByteArray *reroute_envelope_encode (const RerouteEnvelope *envelope, GError **error);
RerouteEnvelope *reroute_envelope_decode (const guint8 *octets, gsize length, GError **error);

/* Verdicts: id, count, then one status each.  A line break in a reply becomes a blank. */
GByteArray *reroute_verdicts_encode (guint64 id, const RerouteVerdict *verdicts, guint n_verdicts);

typedef void (*RerouteVerdictFunc) (const RerouteVerdict *verdict, gpointer user_data);

/* Calls @func for each; @verdict and its reply are only lent.  FALSE when it is malformed, perhaps
 * after some calls. */
gboolean reroute_verdicts_decode (
  const guint8 *octets, gsize length, guint64 *id, RerouteVerdictFunc func, gpointer user_data);
/* The same for the states inside a message record, which have no id and count in front. */
gboolean reroute_statuses_decode (const guint8 *octets,
                                  gsize length,
                                  RerouteVerdictFunc func,
                                  gpointer user_data);

G_END_DECLS
