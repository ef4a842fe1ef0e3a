/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define REROUTE_TYPE_GREETING_STREAM (reroute_greeting_stream_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteGreetingStream, reroute_greeting_stream, REROUTE, GREETING_STREAM, GFilterInputStream)

/**
 * reroute_greeting_stream_new:
 * @base: what the other side says; a reference is taken
 *
 * Hands @base on as it comes, up to REROUTE_LIMIT_SSH_GREETING_OCTETS in all; reading more fails
 * with %G_IO_ERROR_MESSAGE_TOO_LARGE until reroute_greeting_stream_open().
 *
 * Returns: (transfer full): closes @base with itself
 */
RerouteGreetingStream *reroute_greeting_stream_new (GInputStream *base);

/* Whoever speaks there is known: from now on everything passes.  From any thread. */
void reroute_greeting_stream_open (RerouteGreetingStream *self);

/* Whether reading has failed for what is said there having no end.  From any thread. */
gboolean reroute_greeting_stream_is_exceeded (RerouteGreetingStream *self);

G_END_DECLS
