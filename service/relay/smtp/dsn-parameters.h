/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The parameters of MAIL and RCPT by which a sender asks for notices (RFC 3461 4). */

#pragma once

#include "service/relay/smtp/envelope.h"

G_BEGIN_DECLS

/* Values as they stand behind "=".  Each returns FALSE for what RFC 3461 does not allow. */
gboolean reroute_dsn_parse_notify (const char *value, RerouteNotify *notify);
gboolean reroute_dsn_parse_ret (const char *value, RerouteReturn *returns);
gboolean reroute_dsn_check_envid (const char *value);
/* "rfc822;" or another type of address, then xtext; @smtputf8: behind "utf-8;" also UTF-8 (RFC 6533
   3). */
gboolean reroute_dsn_check_orcpt (const char *value, gboolean smtputf8);

gboolean reroute_dsn_check_xtext (const char *value);

/* " RET=HDRS ENVID=x", or "" when nothing was said. */
void reroute_dsn_append_mail (GString *command, const RerouteEnvelope *envelope);

/**
 * reroute_dsn_append_rcpt:
 * @rcpt_out: the recipient as it leaves
 *
 * Appends " NOTIFY=… ORCPT=…".  A recipient that was rewritten says what it was before, when its
 * sender did not (RFC 3461 5.2.1) and what it was fits in (4.2).
 */
void
reroute_dsn_append_rcpt (GString *command, const RerouteRecipient *recipient, const char *rcpt_out);

/* What xtext stands for; what is not printable ASCII in it becomes "?".  (transfer full) */
char *reroute_dsn_decode_xtext (const char *xtext);

/* "rfc822; user@test.com" of an ORCPT, for the field of a report; ASCII whatever it holds.
   (transfer full) */
char *reroute_dsn_format_original (const char *orcpt);

/* A UTF-8 address in the ASCII of reports and commands: "utf-8-addr-xtext" (RFC 6533 3). */
void reroute_dsn_append_utf8_address (GString *text, const char *address);

G_END_DECLS
