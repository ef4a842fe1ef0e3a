/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* One recipient of a transaction, as received. */
typedef struct
{
  RerouteAddress *address;
  RerouteRowRef
    admitted_by; /* the row that matched it as received; id 0: none did, the client was permitted */
} RerouteRecipient;

/**
 * RerouteEnvelope:
 *
 * What MAIL and RCPT said and who said it (RFC 5321 2.3.1).  Immutable once the message is
 * committed.
 */
typedef struct
{
  char *reverse_path;     /* mailbox without angle brackets; "" is the null reverse-path */
  gboolean body_8bitmime; /* BODY=8BITMIME was declared (RFC 6152) */
  gboolean smtputf8;      /* SMTPUTF8 was declared (RFC 6531) */
  char *helo;             /* what the client called itself */
  RerouteIp client_ip;
  gboolean client_permitted; /* a permitted host, or authenticated */
  GArray *recipients;        /* (element-type RerouteRecipient) */
} RerouteEnvelope;

RerouteEnvelope *reroute_envelope_new (void);
void reroute_envelope_free (RerouteEnvelope *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteEnvelope, reroute_envelope_free)

/* @address: (transfer none) */
void reroute_envelope_add_recipient (RerouteEnvelope *self,
                                     RerouteAddress *address,
                                     RerouteRowRef admitted_by);
const RerouteRecipient *reroute_envelope_get_recipient (const RerouteEnvelope *self, guint index);

G_END_DECLS
