/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Another computer, as --host=[USER@]HOST[:PORT] names it. */
typedef struct
{
  char *name; /* as it was given: "admin@relay1:2222" */
  char *user; /* (nullable): ssh knows */
  char *host; /* a name or an address, without brackets; perhaps an alias of ssh's own */
  guint port; /* 0: ssh knows */
} RerouteRemote;

/* Errors: %REROUTE_ERROR_HOST when it is not [USER@]HOST[:PORT], or when ssh would take a part of
   it for an option. */
RerouteRemote *reroute_remote_parse (const char *text, GError **error);
void reroute_remote_free (RerouteRemote *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRemote, reroute_remote_free)

/* (transfer full): the command that leads @self to a prompt, for a person to try */
char *reroute_remote_dup_command (const RerouteRemote *self);

/**
 * reroute_remote_connect_async:
 * @address: (nullable): of a bus on that computer; %NULL: its system bus
 * @asks: whether ssh may ask the person, at her terminal or by SSH_ASKPASS
 *
 * Runs ssh with systemd-stdio-bridge on the other side, as systemctl(1) does with --host, and makes
 * a connection to the bus there of it.  Cancelling ends ssh; so does the limit of a try (limits.h),
 * which is a failure like others.
 */
void reroute_remote_connect_async (const RerouteRemote *self,
                                   const char *address,
                                   gboolean asks,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);

/**
 * reroute_remote_connect_finish:
 *
 * Errors: %REROUTE_ERROR_UNAVAILABLE with what ssh said and what to do; %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): ssh ends when it is closed
 */
GDBusConnection *reroute_remote_connect_finish (GAsyncResult *result, GError **error);

G_END_DECLS
