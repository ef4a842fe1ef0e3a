/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The two parts of a notice that we write ourselves; lines end in LF. */

#pragma once

#include "service/relay/smtp/dsn.h"

G_BEGIN_DECLS

/* For people: which recipient, what happened, what to do; UTF-8 when a recipient is.  (transfer
 * full) */
char *reroute_dsn_format_text (const RerouteDsnRequest *request);

/* message/delivery-status (RFC 3464 2); ASCII.  (transfer full) */
char *reroute_dsn_format_status (const RerouteDsnRequest *request);

/**
 * reroute_dsn_hide_hosts:
 * @diagnostic: a remote reply, or what we say ourselves
 * @recipient: as received: its own domain may stand
 *
 * The sender is told what was said, not by whom: host names and addresses become "(host)", so that
 * neither the next hop nor the domain of a reroute is given away.
 *
 * Returns: (transfer full): one line of printable ASCII
 */
char *reroute_dsn_hide_hosts (const char *diagnostic, const char *recipient);

G_END_DECLS
