/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-results.c - how TLS went with the hosts of other domains, day by day
 *
 * Sessions with the same policy are summed, and of those that failed the ones that failed alike.
 * Domains in a day, policies of a domain and kinds of failure are bounded: what comes on top is
 * summed without its details, or not counted.
 *
 * Standards: RFC 8460 sections 4.1 (a day is a day of UTC), 4.3, 4.4.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/tls-results-private.h"

#include "common/limits.h"
#include "common/shortened.h"

#include <string.h>

static const char *const kinds[REROUTE_N_TLS_POLICIES] = {
  [REROUTE_TLS_POLICY_NONE] = "no-policy-found",
  [REROUTE_TLS_POLICY_STS] = "sts",
  [REROUTE_TLS_POLICY_TLSA] = "tlsa",
};

const char *
reroute_tls_policy_kind_to_string (RerouteTlsPolicyKind kind)
{
  g_return_val_if_fail (kind < REROUTE_N_TLS_POLICIES, NULL);

  return kinds[kind];
}

char *
reroute_tls_day_to_string (gint64 day)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (day * REROUTE_TLS_DAY_S);

  return time != NULL ? g_date_time_format (time, "%F") : g_strdup ("");
}

/* --- making and freeing --- */

void
reroute_tls_failure_free (RerouteTlsFailure *self)
{
  g_free (self->mx);
  g_free (self->receiving_ip);
  g_free (self->sending_ip);
  g_free (self->reason);
  g_free (self);
}

void
reroute_tls_policy_free (RerouteTlsPolicy *self)
{
  g_free (self->domain);
  g_strfreev (self->strings);
  g_strfreev (self->mx);
  g_ptr_array_unref (self->failures);
  g_free (self);
}

void
reroute_tls_domain_free (RerouteTlsDomain *self)
{
  g_free (self->name);
  g_ptr_array_unref (self->policies);
  g_free (self);
}

static void
free_day (gpointer data)
{
  RerouteTlsDay *self = data;

  g_hash_table_unref (self->domains);
  g_free (self);
}

RerouteTlsResults *
reroute_tls_results_new (void)
{
  RerouteTlsResults *self = g_new0 (RerouteTlsResults, 1);

  self->days = g_ptr_array_new_with_free_func (free_day);
  self->told_full_of = -1;
  return self;
}

void
reroute_tls_results_free (RerouteTlsResults *self)
{
  g_return_if_fail (self != NULL);

  g_ptr_array_unref (self->days);
  g_free (self);
}

/* --- finding --- */

static RerouteTlsDay *
find_day (RerouteTlsResults *self, gint64 number)
{
  for (guint i = 0; i < self->days->len; i++)
    {
      RerouteTlsDay *day = self->days->pdata[i];

      if (day->day == number)
        return day;
    }
  return NULL;
}

static RerouteTlsDay *
get_day (RerouteTlsResults *self, gint64 number)
{
  RerouteTlsDay *day = find_day (self, number);
  guint place = 0;

  if (day != NULL)
    return day;
  while (place < self->days->len &&
         ((const RerouteTlsDay *) self->days->pdata[place])->day < number)
    place++;
  day = g_new (RerouteTlsDay, 1);
  *day = (RerouteTlsDay){
    number,
    g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) reroute_tls_domain_free)
  };
  g_ptr_array_insert (self->days, (int) place, day);
  return day;
}

RerouteTlsDomain *
reroute_tls_results_get_domain (RerouteTlsResults *self, gint64 number, const char *name)
{
  RerouteTlsDay *day = get_day (self, number);
  RerouteTlsDomain *domain = g_hash_table_lookup (day->domains, name);

  if (domain != NULL)
    return domain;
  if (g_hash_table_size (day->domains) >= REROUTE_LIMIT_TLS_REPORT_DOMAINS)
    {
      if (self->told_full_of != day->day)
        g_warning ("results of TLS are kept of %d domains a day: others go uncounted today",
                   REROUTE_LIMIT_TLS_REPORT_DOMAINS);
      self->told_full_of = day->day;
      return NULL;
    }
  domain = g_new (RerouteTlsDomain, 1);
  *domain =
    (RerouteTlsDomain){ g_strdup (name),
                        g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_tls_policy_free) };
  g_hash_table_insert (day->domains, domain->name, domain);
  return domain;
}

static gboolean
is_same_policy (const RerouteTlsPolicy *a, const RerouteTlsPolicy *b)
{
  return a->kind == b->kind && g_str_equal (a->domain, b->domain) &&
         g_strv_equal ((const char *const *) a->strings, (const char *const *) b->strings) &&
         g_strv_equal ((const char *const *) a->mx, (const char *const *) b->mx);
}

static RerouteTlsPolicy *
find_policy (const RerouteTlsDomain *domain, const RerouteTlsPolicy *wanted)
{
  for (guint i = 0; i < domain->policies->len; i++)
    if (is_same_policy (domain->policies->pdata[i], wanted))
      return domain->policies->pdata[i];
  return NULL;
}

/* Takes @wanted.  NULL: there are as many as may be. */
static RerouteTlsPolicy *
get_policy (RerouteTlsDomain *domain, RerouteTlsPolicy *wanted)
{
  RerouteTlsPolicy *policy = find_policy (domain, wanted);

  if (policy == NULL && domain->policies->len < REROUTE_LIMIT_TLS_REPORT_POLICIES)
    {
      g_ptr_array_add (domain->policies, wanted);
      return wanted;
    }
  reroute_tls_policy_free (wanted);
  return policy;
}

static gboolean
is_same_failure (const RerouteTlsFailure *a, const RerouteTlsFailure *b)
{
  return a->verdict == b->verdict && g_str_equal (a->mx, b->mx) &&
         g_str_equal (a->receiving_ip, b->receiving_ip) &&
         g_str_equal (a->sending_ip, b->sending_ip) && g_str_equal (a->reason, b->reason);
}

/* Takes @failure. */
static void
add_failure (RerouteTlsPolicy *policy, RerouteTlsFailure *failure)
{
  for (guint i = 0; i < policy->failures->len; i++)
    {
      RerouteTlsFailure *other = policy->failures->pdata[i];

      if (!is_same_failure (other, failure))
        continue;
      other->count += failure->count;
      reroute_tls_failure_free (failure);
      return;
    }
  if (policy->failures->len < REROUTE_LIMIT_TLS_REPORT_FAILURES)
    g_ptr_array_add (policy->failures, failure);
  else
    reroute_tls_failure_free (failure);
}

/* Takes the failures of @given. */
static void
merge_policy (RerouteTlsPolicy *policy, RerouteTlsPolicy *given)
{
  policy->n_succeeded += given->n_succeeded;
  policy->n_failed += given->n_failed;
  while (given->failures->len > 0)
    add_failure (policy, g_ptr_array_steal_index (given->failures, 0));
}

/* --- adding --- */

/* Usage, selector, matching type, and the rest in hexadecimal (RFC 6698 2.2). */
static char *
describe_record (GBytes *record)
{
  gsize length;
  const guint8 *octets = g_bytes_get_data (record, &length);
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (text, i < 3 ? "%u " : "%02x", octets[i]);
  return g_string_free (text, FALSE);
}

static GStrv
describe_records (const GPtrArray *records)
{
  g_autoptr (GStrvBuilder) strings = g_strv_builder_new ();

  for (guint i = 0; i < records->len && i < REROUTE_LIMIT_TLS_REPORT_RECORDS; i++)
    {
      g_autofree char *text = describe_record (records->pdata[i]);

      /* Programs read it: nothing but digits. */
      if (strlen (text) > REROUTE_LIMIT_TLS_REPORT_RECORD_OCTETS)
        text[REROUTE_LIMIT_TLS_REPORT_RECORD_OCTETS] = '\0';
      g_strv_builder_add (strings, text);
    }
  return g_strv_builder_end (strings);
}

static GStrv
list_lines (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GStrvBuilder) strings = g_strv_builder_new ();

  for (gsize i = 0; lines[i] != NULL; i++)
    if (*g_strchomp (lines[i]) != '\0')
      g_strv_builder_add (strings, lines[i]);
  return g_strv_builder_end (strings);
}

RerouteTlsPolicy *
reroute_tls_policy_new (RerouteTlsPolicyKind kind, const char *domain)
{
  RerouteTlsPolicy *policy = g_new0 (RerouteTlsPolicy, 1);

  policy->kind = kind;
  policy->domain = g_strdup (domain);
  policy->failures = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_tls_failure_free);
  return policy;
}

/* Records of no use leave the verdict to a policy, where there is one. */
static gboolean
is_by_dane (const RerouteTlsResult *result)
{
  const RerouteEndpoint *endpoint = result->endpoint;

  if (endpoint == NULL)
    return FALSE;
  return result->verdict == REROUTE_TLS_VERDICT_DNSSEC_INVALID ||
         reroute_endpoint_is_judged_by_dane (endpoint) ||
         (endpoint->tlsa != NULL && endpoint->sts == NULL);
}

/* Where its TLSA records stand. */
static const char *
get_tlsa_name (const RerouteEndpoint *endpoint)
{
  return endpoint->tlsa_name != NULL ? endpoint->tlsa_name : endpoint->name;
}

static RerouteTlsPolicy *
describe_policy (const char *domain, const RerouteTlsResult *result)
{
  const RerouteEndpoint *endpoint = result->endpoint;
  gboolean by_dane = is_by_dane (result);
  gboolean by_sts = !by_dane && (endpoint == NULL || endpoint->sts != NULL);
  RerouteTlsPolicy *policy = reroute_tls_policy_new (by_dane  ? REROUTE_TLS_POLICY_TLSA
                                                     : by_sts ? REROUTE_TLS_POLICY_STS
                                                              : REROUTE_TLS_POLICY_NONE,
                                                     by_dane ? get_tlsa_name (endpoint) : domain);

  if (by_dane && endpoint->tlsa != NULL)
    policy->strings = describe_records (endpoint->tlsa);
  if (by_sts && endpoint != NULL)
    {
      g_autofree char *text = reroute_sts_policy_to_text (endpoint->sts);

      policy->strings = list_lines (text);
      policy->mx = g_strdupv (endpoint->sts->mx);
    }
  if (policy->strings == NULL)
    policy->strings = g_new0 (char *, 1);
  if (policy->mx == NULL)
    policy->mx = g_new0 (char *, 1);
  return policy;
}

static RerouteTlsFailure *
describe_failure (const RerouteTlsResult *result)
{
  const RerouteEndpoint *endpoint = result->endpoint;
  RerouteTlsFailure *failure = g_new0 (RerouteTlsFailure, 1);
  g_autofree char *reason = g_utf8_make_valid (result->reason != NULL ? result->reason : "", -1);

  failure->verdict = result->verdict;
  failure->mx = g_strdup (endpoint != NULL ? endpoint->name : "");
  failure->receiving_ip = endpoint != NULL ? reroute_ip_to_string (&endpoint->ip) : g_strdup ("");
  failure->sending_ip =
    result->sending != NULL ? reroute_ip_to_string (result->sending) : g_strdup ("");
  failure->reason = reroute_dup_shortened (reason, REROUTE_LIMIT_TLS_REPORT_REASON_OCTETS);
  failure->count = 1;
  return failure;
}

void
reroute_tls_results_add (RerouteTlsResults *self,
                         gint64 day,
                         const char *domain,
                         const RerouteTlsResult *result)
{
  g_return_if_fail (self != NULL && domain != NULL);
  g_return_if_fail (result != NULL && result->verdict != REROUTE_TLS_VERDICT_NONE);

  RerouteTlsDomain *kept = reroute_tls_results_get_domain (self, day, domain);
  RerouteTlsPolicy *policy =
    kept != NULL ? get_policy (kept, describe_policy (domain, result)) : NULL;

  if (policy == NULL)
    return;
  if (result->verdict == REROUTE_TLS_VERDICT_SUCCESS)
    {
      policy->n_succeeded++;
      return;
    }
  policy->n_failed++;
  add_failure (policy, describe_failure (result));
}

/* --- reading and forgetting --- */

GPtrArray *
reroute_tls_results_list (RerouteTlsResults *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < self->days->len; i++)
    g_ptr_array_add (list, self->days->pdata[i]);
  return list;
}

RerouteTlsDomain *
reroute_tls_results_steal (RerouteTlsResults *self, gint64 day, const char *domain)
{
  g_return_val_if_fail (self != NULL && domain != NULL, NULL);

  RerouteTlsDay *found = find_day (self, day);
  gpointer stolen = NULL;

  if (found == NULL)
    return NULL;
  g_hash_table_steal_extended (found->domains, domain, NULL, &stolen);
  if (g_hash_table_size (found->domains) == 0)
    g_ptr_array_remove (self->days, found);
  return stolen;
}

void
reroute_tls_results_give_back (RerouteTlsResults *self, gint64 day, RerouteTlsDomain *domain)
{
  g_return_if_fail (self != NULL && domain != NULL);

  RerouteTlsDomain *kept = reroute_tls_results_get_domain (self, day, domain->name);

  while (kept != NULL && domain->policies->len > 0)
    {
      RerouteTlsPolicy *given = g_ptr_array_steal_index (domain->policies, 0);
      RerouteTlsPolicy *policy = find_policy (kept, given);

      if (policy != NULL)
        merge_policy (policy, given);
      else if (kept->policies->len < REROUTE_LIMIT_TLS_REPORT_POLICIES)
        g_ptr_array_add (kept->policies, g_steal_pointer (&given));
      g_clear_pointer (&given, reroute_tls_policy_free);
    }
  reroute_tls_domain_free (domain);
}

guint
reroute_tls_results_forget_before (RerouteTlsResults *self, gint64 day)
{
  g_return_val_if_fail (self != NULL, 0);

  guint n = 0;

  while (self->days->len > 0 && ((const RerouteTlsDay *) self->days->pdata[0])->day < day)
    {
      n += g_hash_table_size (((const RerouteTlsDay *) self->days->pdata[0])->domains);
      g_ptr_array_remove_index (self->days, 0);
    }
  return n;
}
