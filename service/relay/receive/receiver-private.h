/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/receive/receiver.h"

G_BEGIN_DECLS

#define REROUTE_RECEIVE_BUFFER_OCTETS 65536 /* read at most in one turn of a session */

struct _RerouteReceiver
{
  RerouteWorker *worker;
  RerouteReceiverConfig config;
  char *machine_hostname;

  RerouteRuleset *ruleset;   /* NULL until the first one came */
  RerouteSettings *settings; /* of the ruleset, or the defaults */
  const char *hostname;      /* as the settings say, else the machine's */
  gint64 idle_us;
  gint64 data_us;

  GPtrArray *doors; /* (element-type Door) */
  RerouteTimer knock;
  gboolean paused;
  gboolean draining;
  GQueue sessions; /* links are in the sessions */
  RerouteTimer grace;

  guint8 buffer[REROUTE_RECEIVE_BUFFER_OCTETS]; /* of the session that reads */
};

/* A session is gone for good. */
void reroute_receiver_forget_session (RerouteReceiver *self, GList *link);

G_END_DECLS
