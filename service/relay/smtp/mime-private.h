/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by those that write mail of our own, by gmime. */

#pragma once

#include <gmime/gmime.h>

G_BEGIN_DECLS

#define REROUTE_MIME_CHARSET "utf-8"

/* gmime is ready after it; any thread. */
void reroute_mime_ensure_ready (void);
/* Whether octets stand on the wire as they are: ASCII without NUL, lines within 998 octets. */
gboolean reroute_mime_is_plain (const char *octets, gsize length);
/* (transfer full).  @octets: text with LF or CR LF at its line ends */
GMimeObject *
reroute_mime_make_text (const char *type, const char *subtype, const char *octets, gsize length);
/* @part: (transfer full) */
void reroute_mime_add_part (GMimeMultipart *report, GMimeObject *part, const char *description);
/* (transfer full): the message in wire form, dot-stuffed.  @message: (transfer full) */
GBytes *reroute_mime_to_wire (GMimeMessage *message);

G_END_DECLS
