/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-client-tls.c - org.reroute.Relay1 from the other side: certificates, reports about TLS
 */

#include "config.h"

#include "common/client/relay-client.h"

#include "common/client/relay-client-private.h"
#include "common/limits.h"

void
reroute_relay_client_tls_report_async (RerouteRelayClient *self,
                                       const char *domain,
                                       guint offset,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self) && domain != NULL);

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   "TlsReport",
                                   g_variant_new ("(suu)", domain, offset, REROUTE_LIMIT_PAGE_ROWS),
                                   "(ua(ssssttas))",
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

GVariant *
reroute_relay_client_tls_report_finish (RerouteRelayClient *self,
                                        GAsyncResult *result,
                                        GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

void
reroute_relay_client_send_tls_reports_async (RerouteRelayClient *self,
                                             gboolean today,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   "SendTlsReports",
                                   g_variant_new ("(b)", today),
                                   "(u)",
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

gboolean
reroute_relay_client_send_tls_reports_finish (RerouteRelayClient *self,
                                              GAsyncResult *result,
                                              guint *count,
                                              GError **error)
{
  g_autoptr (GVariant) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self) && count != NULL, FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(u)", count);
  return TRUE;
}

void
reroute_relay_client_judge_certificates_async (RerouteRelayClient *self,
                                               const char *shown_to,
                                               const char *const *certificates,
                                               const char *const *keys,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (self));
  g_return_if_fail (shown_to != NULL && certificates != NULL && keys != NULL);

  reroute_relay_client_start_call (g_task_new (self, cancellable, callback, user_data),
                                   "JudgeCertificates",
                                   g_variant_new ("(s^as^as)", shown_to, certificates, keys),
                                   "(s)",
                                   REROUTE_LIMIT_CERTIFICATE_ANSWER_MS);
}

gboolean
reroute_relay_client_judge_certificates_finish (RerouteRelayClient *self,
                                                GAsyncResult *result,
                                                char **remark,
                                                GError **error)
{
  g_autoptr (GVariant) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self) && remark != NULL, FALSE);

  *remark = NULL;
  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(s)", remark);
  if (**remark == '\0')
    g_clear_pointer (remark, g_free);
  return TRUE;
}
