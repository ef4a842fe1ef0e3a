/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/bus.h"

G_BEGIN_DECLS

/**
 * RerouteAuthority:
 *
 * Who may do what, for both daemons (design.md section 4).  On the system bus polkit decides; on
 * any other bus, and where polkit is not running, only root and our own uid are served.
 */
#define REROUTE_TYPE_AUTHORITY (reroute_authority_get_type ())
G_DECLARE_FINAL_TYPE (RerouteAuthority, reroute_authority, REROUTE, AUTHORITY, GObject)

RerouteAuthority *reroute_authority_new (RerouteBus *bus);

/* Who calls, and from where. */
typedef struct
{
  guint uid;
  char *where; /* "192.0.2.7 by sshd", "tty1", "session c2", "process 4711"; NULL: not known */
} RerouteCaller;

void reroute_caller_clear (RerouteCaller *self);
/* (transfer full): "uid 0 from tty1": for a log */
char *reroute_caller_to_string (const RerouteCaller *self);

/* What a call needs. */
typedef struct
{
  const char *action; /* (nullable): a polkit action (names.h), or %NULL for what is free to read on
                         the system bus; off it that, too, is for root and our own uid only */
  gboolean tells_where; /* the log is to say where its caller sits */
} RerouteAccess;

/**
 * reroute_authority_check_async:
 * @invocation: the call to judge; its sender, and whether the sender lets polkit ask it
 * @access: copied
 *
 * Only where @access tells it, and on the system bus, is logind asked where the caller sits
 * (org.freedesktop.login1.Session).
 */
void reroute_authority_check_async (RerouteAuthority *self,
                                    GDBusMethodInvocation *invocation,
                                    const RerouteAccess *access,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);

/**
 * reroute_authority_check_finish:
 * @caller: (out): reroute_caller_clear() frees what is in it
 *
 * Errors: %REROUTE_ERROR_ACCESS with a sentence that names what is missing;
 *   %REROUTE_ERROR_UNAVAILABLE when the caller has left.
 */
gboolean reroute_authority_check_finish (RerouteAuthority *self,
                                         GAsyncResult *result,
                                         RerouteCaller *caller,
                                         GError **error);

/* "anna", or "uid 4711" when there is no such user.  May ask the network: for a worker thread. */
char *reroute_authority_dup_user_name (guint uid);

G_END_DECLS
