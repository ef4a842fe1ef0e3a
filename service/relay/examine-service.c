/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * examine-service.c - what clients meet: listeners, the certificate, who may relay
 *
 * The certificate is looked at as a client sees it, over STARTTLS at a listener of our own, unless
 * its files cannot be used: then they say why.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/examination-private.h"

#include "common/diagnosis.h"
#include "common/limits.h"
#include "service/relay/certificate.h"
#include "service/relay/ordinary-file.h"
#include "service/relay/receive/handed-socket.h"
#include "service/relay/receive/relaying-trial.h"

#include <gnutls/x509.h>
#include <string.h>

/* --- listeners --- */

/* A socket that takes IPv4 and IPv6 is two endpoints. */
static gboolean
is_received_by (const RerouteListener *listener, const char *endpoint)
{
  RerouteIp ip;
  guint16 port;
  gboolean in_tls = g_str_has_prefix (endpoint, REROUTE_LISTENER_IN_TLS);

  if (g_str_equal (listener->endpoint, endpoint))
    return TRUE;
  return listener->handed != NULL && listener->handed->is_dual && listener->in_tls == in_tls &&
         reroute_listener_endpoint_parse (endpoint, &ip, &port, NULL) && port == listener->port;
}

static gboolean
is_received (const RerouteRelayParts *parts, const char *endpoint)
{
  gboolean found = FALSE;

  for (guint i = 0; i < parts->listeners->len; i++)
    found |= is_received_by (parts->listeners->pdata[i], endpoint);
  return found;
}

/* Where there is no IPv6 its wildcard is left out, and nobody misses it. */
static gboolean
is_left_out (const char *endpoint)
{
  RerouteIp ip;
  guint16 port;

  return reroute_listener_endpoint_parse (endpoint, &ip, &port, NULL) &&
         reroute_ip_is_unspecified (&ip) && !reroute_ip_is_ipv4 (&ip) &&
         !g_file_test ("/proc/self/net/if_inet6", G_FILE_TEST_EXISTS);
}

void
reroute_examine_listeners (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  g_auto (GStrv) endpoints = NULL;
  g_autofree char *labels = NULL;

  if (parts == NULL)
    return;
  endpoints = reroute_relay_options_list_endpoints (parts->options, parts->ruleset);
  for (char **endpoint = endpoints; *endpoint != NULL; endpoint++)
    if (!is_received (parts, *endpoint) && !is_left_out (*endpoint))
      reroute_check_report (self, "listener-missing", *endpoint, NULL);
  labels = reroute_listeners_dup_labels (parts->listeners);
  if (*labels != '\0')
    reroute_check_report (self, "listeners-ok", labels, NULL);
}

/* --- the certificate --- */

/* When the first certificate of a PEM file ends, seconds since 1970; 0: it cannot be read */
static gint64
read_expiry_s (const char *file)
{
  const char *why = NULL;
  g_autoptr (RerouteFileText) pem = reroute_ordinary_file_read (file, &why);
  gnutls_x509_crt_t certificate;
  gint64 expiry_s = 0;

  if (pem == NULL || gnutls_x509_crt_init (&certificate) < 0)
    return 0;
  const gnutls_datum_t data = { (unsigned char *) pem, (unsigned int) strlen (pem) };
  if (gnutls_x509_crt_import (certificate, &data, GNUTLS_X509_FMT_PEM) >= 0)
    expiry_s = gnutls_x509_crt_get_expiration_time (certificate);
  gnutls_x509_crt_deinit (certificate);
  return expiry_s;
}

static void
report_unusable (RerouteCheck *self, const char *const *files, const char *failure)
{
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;

  for (gsize i = 0; files[i] != NULL; i++)
    {
      gint64 expiry_s = read_expiry_s (files[i]);
      g_autofree char *day = reroute_certificate_format_day (expiry_s);

      if (expiry_s == 0 || expiry_s >= now_s)
        continue;
      reroute_check_report (self, "certificate-expired", day, NULL);
      return;
    }
  reroute_check_report (self, "certificate-unusable", failure, NULL);
}

static void
report_end (RerouteCheck *self, gint64 until_s)
{
  g_autofree char *day = reroute_certificate_format_day (until_s);
  gint64 left_s = until_s - g_get_real_time () / G_USEC_PER_SEC;

  if (left_s < 0)
    reroute_check_report (self, "certificate-expired", day, NULL);
  else if (left_s < REROUTE_LIMIT_CERTIFICATE_SOON_DAYS * 24 * 3600)
    reroute_check_report (self, "certificate-ending", day, NULL);
}

static void
report_shown (RerouteCheck *self, const char *hostname, GVariant *values)
{
  g_autofree const char **names = NULL;
  g_autofree char *all = NULL;
  g_autofree char *day = NULL;
  const char *doubt = "";
  gint64 until_s = 0;
  gboolean for_name = FALSE, self_signed = FALSE;

  g_variant_lookup (values, "names", "^a&s", &names);
  g_variant_lookup (values, "until", "x", &until_s);
  g_variant_lookup (values, "for-name", "b", &for_name);
  g_variant_lookup (values, "self-signed", "b", &self_signed);
  g_variant_lookup (values, "doubt", "&s", &doubt);
  report_end (self, until_s);
  all = names != NULL ? g_strjoinv (", ", (char **) names) : g_strdup ("");
  if (!for_name)
    reroute_check_report (self, "certificate-other-name", hostname, *all != '\0' ? all : "?", NULL);
  if (self_signed)
    reroute_check_report (self, "certificate-self-signed", NULL);
  else if (*doubt != '\0' && until_s >= g_get_real_time () / G_USEC_PER_SEC)
    reroute_check_report (self, "certificate-untrusted", doubt, NULL);
  day = reroute_certificate_format_day (until_s);
  if (!reroute_check_has_complaint (self))
    reroute_check_report (self, "certificate-ok", hostname, day, NULL);
}

typedef struct
{
  RerouteCheck *check;
  char *hostname;
  char *label; /* of the listener */
} Visit;

static void
visited_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Visit *visit = user_data;
  g_autoptr (GVariant) answer = g_task_propagate_pointer (G_TASK (result), NULL);
  g_autoptr (GVariant) values = NULL;
  const char *failure;

  if (answer != NULL)
    {
      g_variant_get (answer, "(&s@a{sv})", &failure, &values);
      if (*failure != '\0')
        reroute_check_report (visit->check, "certificate-unseen", visit->label, failure, NULL);
      else
        report_shown (visit->check, visit->hostname, values);
    }
  reroute_check_end_step (visit->check);
  g_free (visit->hostname);
  g_free (visit->label);
  g_free (visit);
}

/* (nullable) */
static const RerouteListener *
find_starttls (const RerouteRelayParts *parts)
{
  for (guint i = 0; i < parts->listeners->len; i++)
    {
      const RerouteListener *listener = parts->listeners->pdata[i];
      if (!listener->in_tls)
        return listener;
    }
  return NULL;
}

static void
visit_listener (RerouteCheck *self, const RerouteRelayParts *parts)
{
  const RerouteListener *listener = find_starttls (parts);
  RerouteIp ip;
  Visit *visit;

  if (listener == NULL)
    {
      reroute_check_report (
        self, "certificate-unseen", parts->hostname, "no listener has STARTTLS", NULL);
      return;
    }
  ip = listener->ip;
  if (reroute_ip_is_unspecified (&ip))
    reroute_ip_parse (reroute_ip_is_ipv4 (&listener->ip) ? "127.0.0.1" : "::1", &ip);
  visit = g_new (Visit, 1);
  *visit = (Visit){ self, g_strdup (parts->hostname), g_strdup (listener->label) };
  reroute_check_begin_step (self);
  reroute_scheduler_visit_address_async (parts->scheduler,
                                         parts->hostname,
                                         &ip,
                                         listener->port,
                                         TRUE,
                                         reroute_check_get_cancellable (self),
                                         visited_cb,
                                         visit);
}

void
reroute_examine_certificate (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  const char *const *files;
  const char *failure;

  if (parts == NULL || parts->ruleset == NULL)
    return;
  files = reroute_settings_get_paths (reroute_ruleset_get_settings (parts->ruleset),
                                      REROUTE_SETTING_TLS_CERTIFICATE);
  failure = reroute_tls_keeper_get_failure (parts->tls);
  if (files[0] == NULL)
    reroute_check_report (self, "certificate-none", NULL);
  else if (failure != NULL)
    report_unusable (self, files, failure);
  else
    visit_listener (self, parts);
}

/* --- who may relay --- */

void
reroute_examine_relaying (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  g_autoptr (RerouteRelayingTrial) trial = NULL;
  g_autofree char *count = NULL;

  if (parts == NULL)
    return;
  trial = reroute_relaying_trial_run (parts->ruleset, parts->hostname);
  count = g_strdup_printf ("%u", trial->n_refused);
  if (trial->verdict == REROUTE_RELAYING_OPEN)
    reroute_check_report (self, "relaying-open", trial->command, trial->client, trial->reply, NULL);
  else if (trial->verdict == REROUTE_RELAYING_DEFERRED)
    reroute_check_report (
      self, "relaying-deferred", trial->command, trial->client, trial->reply, NULL);
  else
    reroute_check_report (self, "relaying-refused", count, NULL);
}
