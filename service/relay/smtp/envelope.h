/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

/* When the sender of a recipient wants a notice; 0: nothing was said, which is FAILURE and DELAY
   (RFC 3461 4.1). */
typedef enum
{
  REROUTE_NOTIFY_NEVER = 1 << 0, /* alone */
  REROUTE_NOTIFY_SUCCESS = 1 << 1,
  REROUTE_NOTIFY_FAILURE = 1 << 2,
  REROUTE_NOTIFY_DELAY = 1 << 3,
} RerouteNotify;

/* What of the message a notice of failure gives back (RFC 3461 4.3). */
typedef enum
{
  REROUTE_RETURN_UNSAID,
  REROUTE_RETURN_FULL,
  REROUTE_RETURN_HEADERS,
} RerouteReturn;

/* One recipient of a transaction, as received. */
typedef struct
{
  RerouteAddress *address;
  RerouteRowRef
    admitted_by; /* the row that matched it as received; id 0: none did, the client was permitted */
  RerouteNotify notify;
  char *original; /* (nullable): ORCPT as it was given: "rfc822;user+40test.com" */
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
  gboolean body_8bitmime; /* BODY=8BITMIME was declared (RFC 6152), and the content needs it */
  gboolean smtputf8;      /* SMTPUTF8 was declared (RFC 6531) */
  gboolean ascii_header;  /* and the header section does not need it; FALSE: it does, or may */
  RerouteReturn returns;
  char *id;   /* (nullable): ENVID as it was given, in xtext */
  char *helo; /* what the client called itself */
  RerouteIp client_ip;
  gboolean client_permitted; /* a permitted host, or authenticated */
  gboolean held;             /* from the beginning: a mail filter wants it looked at */
  gboolean requiretls;       /* REQUIRETLS was declared (RFC 8689) */
  gboolean tls_optional;     /* it goes out whatever recipients' domains say of TLS (RFC 8689 3) */
  GArray *recipients;        /* (element-type RerouteRecipient) */
} RerouteEnvelope;

RerouteEnvelope *reroute_envelope_new (void);
void reroute_envelope_free (RerouteEnvelope *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteEnvelope, reroute_envelope_free)

/* @address: (transfer none).  Returns: (transfer none): for what else is known of it; until the
   next one is added */
RerouteRecipient *reroute_envelope_add_recipient (RerouteEnvelope *self,
                                                  RerouteAddress *address,
                                                  RerouteRowRef admitted_by);
const RerouteRecipient *reroute_envelope_get_recipient (const RerouteEnvelope *self, guint index);

/* All of the content was read: of what was declared, keeps what octets over 127 in it need.
   @has_8bit: there are any; @has_8bit_header: in the header section */
void
reroute_envelope_note_content (RerouteEnvelope *self, gboolean has_8bit, gboolean has_8bit_header);

/* Whether the sender of recipient @index wants a notice of this kind; one of the null reverse-path
   never does. */
gboolean
reroute_envelope_wants_notice (const RerouteEnvelope *self, guint index, RerouteNotify kind);

G_END_DECLS
