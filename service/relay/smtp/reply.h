/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A reply of either side (RFC 5321 4.2, RFC 2034).  Never changed once it is made. */
typedef struct
{
  guint code;      /* 200 to 599 */
  char status[12]; /* "5.7.1", or "" when there is none */
  char *text;      /* one line, or lines parted by "\n"; ASCII when it is ours */
  int n_holders;   /* atomic; 0: a constant, which nobody holds */
} RerouteReply;

RerouteReply *reroute_reply_new (guint code, const char *status, const char *text);
/* The same value, to be freed once more; from any thread. */
RerouteReply *reroute_reply_copy (const RerouteReply *self);
void reroute_reply_free (RerouteReply *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteReply, reroute_reply_free)

/* A refusal of RCPT: whether it says that the transaction has recipients enough, by its status or,
   where it has none, by its code (RFC 5321 4.5.3.1.10, RFC 3463 3.6). */
gboolean reroute_reply_is_too_many (const RerouteReply *self);

/* "550 5.7.1 text", one line, control characters made harmless: for verdicts and logs. */
char *reroute_reply_to_string (const RerouteReply *self);

/* Appends the reply as it is sent: a line for each line of the text, CR LF behind each, within
   512 octets a line; whatever is not printable ASCII becomes "?". */
void reroute_reply_append (const RerouteReply *self, GString *wire);

G_END_DECLS
