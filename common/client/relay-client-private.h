/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/relay-client.h"

G_BEGIN_DECLS

/* Takes @task over, whose source is the client; the reply, of @reply_type, becomes its pointer. */
void reroute_relay_client_start_call (
  GTask *task, const char *method, GVariant *arguments, const char *reply_type, int timeout_ms);

/* The first value of the reply; (transfer full): %NULL with @error */
GVariant *
reroute_relay_client_finish_values (RerouteRelayClient *self, GAsyncResult *result, GError **error);

G_END_DECLS
