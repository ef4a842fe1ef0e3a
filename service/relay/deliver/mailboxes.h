/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/delivery.h"

G_BEGIN_DECLS

/**
 * RerouteMailboxes:
 *
 * Which recipients of a delivery share a mailbox: once their domains are rewritten, those that were
 * written to under the old name and the new are the same.  The next hop hears of each mailbox once,
 * and what it says is for all who share it.
 *
 * Those who asked for other notices do not share (RFC 3461 section 4); of an ORCPT the first one
 * counts, unless a success is to be told.
 */

/* (transfer full) (nullable): %NULL: each has one of its own.  @delivery: borrowed, and it keeps
   its recipients */
RerouteMailboxes *reroute_mailboxes_new (const RerouteDelivery *delivery);
void reroute_mailboxes_free (RerouteMailboxes *self);

/* Each mailbox once; @transaction borrows them. */
void reroute_mailboxes_fill_in (const RerouteMailboxes *self, RerouteSmtpTransaction *transaction);
/* Where the mailbox of a recipient of the delivery stands in the transaction. */
guint reroute_mailboxes_get_place (const RerouteMailboxes *self, guint recipient);

G_END_DECLS
