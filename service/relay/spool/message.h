/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/envelope.h"

G_BEGIN_DECLS

/**
 * RerouteMessage:
 *
 * A message the spool holds, or is about to.  Reference-counted, shared between threads; all but
 * the cached content is immutable after the commit.  The journal's reader and the scheduler pack
 * the envelope of a message that only waits: whoever it hands the message to finds it unpacked.
 */
typedef struct
{
  gatomicrefcount ref_count;
  guint n_recipients : 31;
  guint held : 1;            /* the envelope's */
  guint64 id;                /* never repeats within a spool */
  gint64 received_us;        /* wall clock */
  RerouteEnvelope *envelope; /* (nullable): NULL while it is packed */
  gsize content_octets; /* in wire form (dot-stuffed, our Received line on top, no final dot) */
  /*< private >*/
  guint8 *packed; /* (nullable): the envelope, of reroute_envelope_pack() */
  GMutex lock;
  GBytes *content;   /* NULL when it is large or was released */
  gpointer location; /* the spool's own */
} RerouteMessage;

/* @envelope: (transfer full).  For the spool; the content is not in memory yet. */
RerouteMessage *reroute_message_new (guint64 id,
                                     gint64 received_us,
                                     RerouteEnvelope *envelope,
                                     gsize content_octets);

RerouteMessage *reroute_message_ref (RerouteMessage *self);
void reroute_message_unref (RerouteMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteMessage, reroute_message_unref)

/* For the only thread that uses the message: packs the envelope, or does nothing when it is. */
void reroute_message_pack (RerouteMessage *self);

/* Likewise.  Returns: (transfer none): the envelope, unpacked until reroute_message_pack() */
const RerouteEnvelope *reroute_message_unpack (RerouteMessage *self);

/* "1a2b3c4d": how the id is shown to people and peers, and back. */
char *reroute_message_id_to_string (guint64 id);
gboolean reroute_message_id_from_string (const char *text, guint64 *id);

G_END_DECLS
