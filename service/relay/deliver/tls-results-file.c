/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-results-file.c - the results of TLS as a file of the spool
 *
 * A first line, a GVariant in little-endian order, and four octets of checksum over both.
 * See reroute-spool(5).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/tls-results-private.h"

#include "common/domain.h"
#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/crc32c.h"

#include <string.h>

#define FIRST_LINE "reroute-tls-report 1\n"
#define SUM_OCTETS 4

#define FAILURES "a(ssssst)"
#define POLICIES "a(usasastt" FAILURES ")"
#define DOMAINS "a(s" POLICIES ")"
#define DAYS "a(x" DOMAINS ")"

/* --- writing --- */

static GVariant *
write_failures (const RerouteTlsPolicy *policy)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (FAILURES));
  for (guint i = 0; i < policy->failures->len; i++)
    {
      const RerouteTlsFailure *failure = policy->failures->pdata[i];

      g_variant_builder_add (&builder,
                             "(ssssst)",
                             reroute_tls_verdict_to_string (failure->verdict),
                             failure->mx,
                             failure->receiving_ip,
                             failure->sending_ip,
                             failure->reason,
                             failure->count);
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
write_domain (const RerouteTlsDomain *domain)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (POLICIES));
  for (guint i = 0; i < domain->policies->len; i++)
    {
      const RerouteTlsPolicy *policy = domain->policies->pdata[i];

      g_variant_builder_add (&builder,
                             "(us^as^astt@" FAILURES ")",
                             policy->kind,
                             policy->domain,
                             policy->strings,
                             policy->mx,
                             policy->n_succeeded,
                             policy->n_failed,
                             write_failures (policy));
    }
  return g_variant_new ("(s@" POLICIES ")", domain->name, g_variant_builder_end (&builder));
}

static GVariant *
write_day (const RerouteTlsDay *day)
{
  GVariantBuilder builder;
  GHashTableIter iter;
  gpointer domain;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (DOMAINS));
  g_hash_table_iter_init (&iter, day->domains);
  while (g_hash_table_iter_next (&iter, NULL, &domain))
    g_variant_builder_add_value (&builder, write_domain (domain));
  return g_variant_new ("(x@" DOMAINS ")", day->day, g_variant_builder_end (&builder));
}

static GVariant *
to_little_endian (GVariant *value)
{
  return G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_variant_ref (value) : g_variant_byteswap (value);
}

GBytes *
reroute_tls_results_to_file (RerouteTlsResults *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  GVariantBuilder builder;
  g_autoptr (GVariant) days = NULL;
  g_autoptr (GVariant) stored = NULL;
  GByteArray *octets = g_byte_array_new ();
  guint32 sum;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (DAYS));
  for (guint i = 0; i < self->days->len; i++)
    g_variant_builder_add_value (&builder, write_day (self->days->pdata[i]));
  days = g_variant_ref_sink (g_variant_builder_end (&builder));
  stored = to_little_endian (days);
  g_byte_array_append (octets, (const guint8 *) FIRST_LINE, strlen (FIRST_LINE));
  g_byte_array_append (octets, g_variant_get_data (stored), (guint) g_variant_get_size (stored));
  sum = GUINT32_TO_LE (reroute_crc32c (0, octets->data, octets->len));
  g_byte_array_append (octets, (const guint8 *) &sum, sizeof sum);
  return g_byte_array_free_to_bytes (octets);
}

/* --- reading --- */

static gboolean
fail (GError **error, const char *why)
{
  g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, why);
  return FALSE;
}

/* Returns: (transfer full): %NULL: the file is not what was written */
static GVariant *
unwrap (GBytes *octets)
{
  gsize length;
  const char *data = g_bytes_get_data (octets, &length);
  gsize n_first = strlen (FIRST_LINE);
  guint32 sum;

  if (length < n_first + SUM_OCTETS || memcmp (data, FIRST_LINE, n_first) != 0)
    return NULL;
  memcpy (&sum, data + length - SUM_OCTETS, sizeof sum);
  if (GUINT32_FROM_LE (sum) != reroute_crc32c (0, data, length - SUM_OCTETS))
    return NULL;

  g_autoptr (GBytes) stored =
               g_bytes_new_from_bytes (octets, n_first, length - n_first - SUM_OCTETS);
  g_autoptr (GVariant) value =
               g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (DAYS), stored, FALSE));
  g_autoptr (GVariant) native = to_little_endian (value);
  return g_variant_is_normal_form (native) ? g_steal_pointer (&native) : NULL;
}

static gboolean
take_failures (RerouteTlsPolicy *policy, GVariantIter *failures, GError **error)
{
  const char *verdict, *mx, *receiving, *sending, *reason;
  guint64 count;

  while (g_variant_iter_next (
    failures, "(&s&s&s&s&st)", &verdict, &mx, &receiving, &sending, &reason, &count))
    {
      RerouteTlsFailure *failure = g_new (RerouteTlsFailure, 1);

      *failure = (RerouteTlsFailure){
        reroute_tls_verdict_from_string (verdict),
        g_strdup (mx),
        g_strdup (receiving),
        g_strdup (sending),
        g_strdup (reason),
        count,
      };
      g_ptr_array_add (policy->failures, failure);
      if (failure->verdict == REROUTE_TLS_VERDICT_NONE)
        return fail (error, "a failure has no type");
    }
  return policy->failures->len <= REROUTE_LIMIT_TLS_REPORT_FAILURES ||
         fail (error, "a policy has too many failures");
}

static gboolean
take_policies (RerouteTlsDomain *domain, GVariantIter *policies, GError **error)
{
  gboolean is_good = TRUE;
  GVariant *each;

  while (is_good && (each = g_variant_iter_next_value (policies)) != NULL)
    {
      g_autoptr (GVariant) value = each;
      g_autoptr (GVariantIter) failures = NULL;
      g_auto (GStrv) strings = NULL;
      g_auto (GStrv) mx = NULL;
      const char *name;
      RerouteTlsPolicy *policy;
      guint64 n_succeeded, n_failed;
      guint kind;

      g_variant_get (value,
                     "(u&s^as^astt" FAILURES ")",
                     &kind,
                     &name,
                     &strings,
                     &mx,
                     &n_succeeded,
                     &n_failed,
                     &failures);
      if (kind >= REROUTE_N_TLS_POLICIES)
        return fail (error, "a policy has no type");
      policy = reroute_tls_policy_new ((RerouteTlsPolicyKind) kind, name);
      policy->strings = g_steal_pointer (&strings);
      policy->mx = g_steal_pointer (&mx);
      policy->n_succeeded = n_succeeded;
      policy->n_failed = n_failed;
      g_ptr_array_add (domain->policies, policy);
      is_good = take_failures (policy, failures, error);
    }
  return is_good && (domain->policies->len <= REROUTE_LIMIT_TLS_REPORT_POLICIES ||
                     fail (error, "a domain has too many policies"));
}

static gboolean
take_domains (RerouteTlsResults *self, gint64 day, GVariantIter *domains, GError **error)
{
  GVariantIter *each;
  const char *name;

  while (g_variant_iter_next (domains, "(&s" POLICIES ")", &name, &each))
    {
      g_autoptr (GVariantIter) policies = each;
      g_autofree char *normal = reroute_domain_normalize (name, NULL);
      RerouteTlsDomain *domain;

      if (g_strcmp0 (normal, name) != 0)
        return fail (error, "results are of no domain");
      domain = reroute_tls_results_get_domain (self, day, name);
      if (domain == NULL || domain->policies->len > 0)
        return fail (error, "a day has too many domains, or one twice");
      if (!take_policies (domain, policies, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
reroute_tls_results_take_file (RerouteTlsResults *self, GBytes *octets, GError **error)
{
  g_return_val_if_fail (self != NULL && octets != NULL, FALSE);

  g_autoptr (RerouteTlsResults) taken = reroute_tls_results_new ();
  g_autoptr (GVariant) days = unwrap (octets);
  GVariantIter iter;
  GVariantIter *each;
  gint64 day;

  if (days == NULL)
    return fail (error, "its checksum is wrong");
  g_variant_iter_init (&iter, days);
  while (g_variant_iter_next (&iter, "(x" DOMAINS ")", &day, &each))
    {
      g_autoptr (GVariantIter) domains = each;

      if (day < 0 || day > REROUTE_TLS_LAST_DAY)
        return fail (error, "a day is none");
      if (!take_domains (taken, day, domains, error))
        return FALSE;
    }
  g_ptr_array_unref (self->days);
  self->days = g_ptr_array_ref (taken->days);
  return TRUE;
}
