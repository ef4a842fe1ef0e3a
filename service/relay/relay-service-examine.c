/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-service-examine.c - the method of org.reroute.Relay1 that examines the relay
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay-service"

#include "service/relay/relay-service-private.h"

#include "common/diagnosis.h"
#include "common/domain.h"
#include "common/error.h"
#include "common/limits.h"
#include "service/relay/examination.h"

static void
examined_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteRelayCall *call = user_data;
  RerouteRelayService *self = call->service;
  GError *error = NULL;
  g_autoptr (GPtrArray) diagnoses = reroute_examination_finish (result, &error);

  self->n_examinations--;
  if (self->parts == NULL)
    {
      g_clear_error (&error);
      reroute_relay_call_fail (call, reroute_bus_describe_stopping ());
    }
  else if (diagnoses == NULL)
    reroute_relay_call_fail (call, error);
  else
    reroute_relay_call_reply (
      call,
      g_variant_new ("(@a" REROUTE_DIAGNOSIS_TYPE ")", reroute_diagnoses_to_variant (diagnoses)));
}

void
reroute_relay_run_examine (RerouteRelayCall *call)
{
  RerouteRelayService *self = call->service;
  g_autofree const char **checks = NULL;
  g_autofree char *normal = NULL;
  const char *domain;
  GError *error = NULL;

  g_variant_get (call->arguments, "(^a&s&s)", &checks, &domain);
  if (*domain != '\0' && (normal = reroute_domain_normalize (domain, &error)) == NULL)
    {
      reroute_relay_call_fail (call, error);
      return;
    }
  if (self->n_examinations >= REROUTE_LIMIT_EXAMINATIONS)
    {
      reroute_relay_call_fail (call,
                               g_error_new (REROUTE_ERROR,
                                            REROUTE_ERROR_UNAVAILABLE,
                                            "%d examinations are under way: wait for one to end",
                                            REROUTE_LIMIT_EXAMINATIONS));
      return;
    }
  self->n_examinations++;
  reroute_examination_run_async (
    self->parts, checks, normal != NULL ? normal : "", self->cancellable, examined_cb, call);
}
