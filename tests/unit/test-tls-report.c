/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-tls-report.c - reports about TLS: where they go, what is counted, its bounds and its file
 */

#include "config.h"

#include "service/relay/deliver/tls-results.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/smtp/tls-report-record.h"

#include <string.h>

#define DAY 20783

/* --- the record --- */

static const struct
{
  const char *name;
  const char *records; /* separated by "|" */
  const char *wanted;  /* addresses; NULL: no record */
} records[] = {
  /* clang-format off */
  { "mail", "v=TLSRPTv1; rua=mailto:a@b.test", "a@b.test" },
  { "https", "v=TLSRPTv1;rua=https://b.test/v1?x=1", "b.test:443/v1?x=1" },
  { "https-port", "v=TLSRPTv1; rua=https://B.test:8443", "b.test:8443/" },
  { "both", "v=TLSRPTv1; rua=mailto:a@b.test , https://b.test/v1;", "a@b.test b.test:443/v1" },
  { "escaped", "v=TLSRPTv1; rua=mailto:a%2Bc@b.test?subject=x", "a+c@b.test" },
  { "extension", "v=TLSRPTv1; x=y; rua=mailto:a@b.test", "a@b.test" },
  { "others", "other|v=TLSRPTv1; rua=mailto:a@b.test|v=TLSRPTv12; rua=mailto:c@d.test", "a@b.test" },
  { "version-alone", "v=TLSRPTv1|v=TLSRPTv1 ; rua=mailto:a@b.test", "a@b.test" },
  { "unknown-kind", "v=TLSRPTv1; rua=http://b.test/, ftp://b.test, mailto:a@b.test", "a@b.test" },
  { "none-of-use", "v=TLSRPTv1; rua=ftp://b.test", "" },
  { "address-literal", "v=TLSRPTv1; rua=https://127.0.0.1/, https://[::1]/", "" },
  { "user-info", "v=TLSRPTv1; rua=https://user@b.test/", "" },
  { "port-none", "v=TLSRPTv1; rua=https://b.test:0/, https://b.test:65536/", "" },
  { "line-break", "v=TLSRPTv1; rua=mailto:a@b.test%0d%0aRCPT", "" },
  { "control", "v=TLSRPTv1; rua=https://b.test/a\r\nX: y, https://b.test/a b", "" },
  { "beyond-ascii", "v=TLSRPTv1; rua=https://b.test/\xc3\xa9,mailto:\xc3\xa9@b.test", "" },
  { "no-domain", "v=TLSRPTv1; rua=mailto:postmaster", "" },
  { "most", "v=TLSRPTv1; rua=mailto:a@b.test,mailto:b@b.test,mailto:c@b.test,mailto:d@b.test", "a@b.test b@b.test c@b.test" },
  { "two", "v=TLSRPTv1; rua=mailto:a@b.test|v=TLSRPTv1; rua=mailto:c@d.test", NULL },
  { "no-rua", "v=TLSRPTv1;", NULL },
  { "other-version", "v=TLSRPTv2; rua=mailto:a@b.test", NULL },
  /* clang-format on */
};

static void
test_record (gconstpointer data)
{
  const char *const *row = data;
  g_auto (GStrv) texts = g_strsplit (row[1], "|", -1);
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  g_autoptr (GPtrArray) addresses = NULL;
  g_autoptr (GString) found = g_string_new (NULL);

  for (gsize i = 0; texts[i] != NULL; i++)
    g_ptr_array_add (list, texts[i]);
  addresses = reroute_tls_report_record_parse (list, 3);
  g_assert_cmpint (addresses != NULL, ==, row[2] != NULL);
  for (guint i = 0; addresses != NULL && i < addresses->len; i++)
    {
      const RerouteTlsReportAddress *address = addresses->pdata[i];

      g_string_append (found, i > 0 ? " " : "");
      if (address->mailbox != NULL)
        g_string_append (found, address->mailbox);
      else
        g_string_append_printf (found, "%s:%u%s", address->host, address->port, address->path);
    }
  g_assert_cmpstr (found->str, ==, row[2] != NULL ? row[2] : "");
}

/* --- what is counted --- */

static RerouteEndpoint
make_endpoint (const char *name)
{
  RerouteEndpoint endpoint = { .name = g_strdup (name), .domain = g_strdup ("a.test") };

  g_assert_true (reroute_ip_parse ("192.0.2.1", &endpoint.ip));
  return endpoint;
}

static void
add (RerouteTlsResults *results,
     const char *domain,
     const RerouteEndpoint *endpoint,
     RerouteTlsVerdict verdict,
     const char *reason)
{
  const RerouteTlsResult result = { .verdict = verdict, .endpoint = endpoint, .reason = reason };

  reroute_tls_results_add (results, DAY, domain, &result);
}

static const RerouteTlsPolicy *
find (RerouteTlsResults *results, const char *domain, guint index)
{
  g_autoptr (GPtrArray) days = reroute_tls_results_list (results);
  const RerouteTlsDay *day;
  const RerouteTlsDomain *found;

  g_assert_cmpuint (days->len, ==, 1);
  day = days->pdata[0];
  found = g_hash_table_lookup (day->domains, domain);
  return found != NULL && index < found->policies->len ? found->policies->pdata[index] : NULL;
}

static void
test_sums (void)
{
  g_autoptr (RerouteTlsResults) results = reroute_tls_results_new ();
  RerouteEndpoint endpoint = make_endpoint ("mx.a.test");
  const RerouteTlsPolicy *policy;

  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_SUCCESS, NULL);
  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_SUCCESS, NULL);
  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_CERTIFICATE_EXPIRED, "old");
  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_CERTIFICATE_EXPIRED, "old");
  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_CERTIFICATE_EXPIRED, "older");
  policy = find (results, "a.test", 0);
  g_assert_cmpint (policy->kind, ==, REROUTE_TLS_POLICY_NONE);
  g_assert_cmpuint (policy->n_succeeded, ==, 2);
  g_assert_cmpuint (policy->n_failed, ==, 3);
  g_assert_cmpuint (policy->failures->len, ==, 2);
  g_assert_cmpuint (((RerouteTlsFailure *) policy->failures->pdata[0])->count, ==, 2);
  reroute_endpoint_clear (&endpoint);
}

static void
test_policies (void)
{
  static const guint8 record[] = { 3, 1, 1, 0xab, 0xcd };
  g_autoptr (RerouteTlsResults) results = reroute_tls_results_new ();
  const char *text = "version: STSv1\nmode: enforce\nmx: *.a.test\nmax_age: 60\n";
  RerouteEndpoint endpoint = make_endpoint ("mx.a.test");

  endpoint.sts = reroute_sts_policy_parse (text, strlen (text), NULL);
  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_SUCCESS, NULL);
  endpoint.tlsa = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_ptr_array_add (endpoint.tlsa, g_bytes_new_static (record, sizeof record));
  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_SUCCESS, NULL);
  add (results, "a.test", NULL, REROUTE_TLS_VERDICT_STS_POLICY_INVALID, "it is none");

  g_assert_cmpstr (find (results, "a.test", 0)->domain, ==, "a.test");
  g_assert_cmpstr (find (results, "a.test", 0)->mx[0], ==, "*.a.test");
  g_assert_cmpstr (find (results, "a.test", 0)->strings[1], ==, "mode: enforce");
  g_assert_cmpstr (find (results, "a.test", 1)->domain, ==, "mx.a.test");
  g_assert_cmpstr (find (results, "a.test", 1)->strings[0], ==, "3 1 1 abcd");
  g_assert_cmpint (find (results, "a.test", 2)->kind, ==, REROUTE_TLS_POLICY_STS);
  g_assert_null (find (results, "a.test", 2)->strings[0]);
  reroute_endpoint_clear (&endpoint);
}

static void
test_bounds (void)
{
  g_autoptr (RerouteTlsResults) results = reroute_tls_results_new ();
  RerouteEndpoint endpoint = make_endpoint ("mx.a.test");
  g_autofree char *long_reason = g_strnfill (2 * REROUTE_LIMIT_TLS_REPORT_REASON_OCTETS, 'x');
  const RerouteTlsPolicy *policy;

  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_VALIDATION_FAILURE, long_reason);
  for (guint i = 1; i < REROUTE_LIMIT_TLS_REPORT_FAILURES + 5; i++)
    {
      g_autofree char *reason = g_strdup_printf ("%u", i);
      add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_VALIDATION_FAILURE, reason);
    }
  policy = find (results, "a.test", 0);
  g_assert_cmpuint (policy->failures->len, ==, REROUTE_LIMIT_TLS_REPORT_FAILURES);
  g_assert_cmpuint (policy->n_failed, ==, REROUTE_LIMIT_TLS_REPORT_FAILURES + 5);
  g_assert_cmpuint (strlen (((RerouteTlsFailure *) policy->failures->pdata[0])->reason),
                    ==,
                    REROUTE_LIMIT_TLS_REPORT_REASON_OCTETS + strlen ("…"));

  for (guint i = 1; i < REROUTE_LIMIT_TLS_REPORT_DOMAINS; i++)
    {
      g_autofree char *domain = g_strdup_printf ("d%u.test", i);
      add (results, domain, &endpoint, REROUTE_TLS_VERDICT_SUCCESS, NULL);
    }
  g_test_expect_message ("reroute-deliver", G_LOG_LEVEL_WARNING, "*others go uncounted today*");
  add (results, "last.test", &endpoint, REROUTE_TLS_VERDICT_SUCCESS, NULL);
  add (results, "last.test", &endpoint, REROUTE_TLS_VERDICT_SUCCESS, NULL);
  g_test_assert_expected_messages ();
  g_assert_null (find (results, "last.test", 0));
  /* Those that are there go on. */
  add (results, "d1.test", &endpoint, REROUTE_TLS_VERDICT_SUCCESS, NULL);
  g_assert_cmpuint (find (results, "d1.test", 0)->n_succeeded, ==, 2);
  reroute_endpoint_clear (&endpoint);
}

static void
test_given_back (void)
{
  g_autoptr (RerouteTlsResults) results = reroute_tls_results_new ();
  RerouteEndpoint endpoint = make_endpoint ("mx.a.test");
  RerouteTlsDomain *stolen;

  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_CERTIFICATE_EXPIRED, "old");
  stolen = reroute_tls_results_steal (results, DAY, "a.test");
  g_assert_nonnull (stolen);
  g_assert_null (reroute_tls_results_steal (results, DAY, "a.test"));
  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_CERTIFICATE_EXPIRED, "old");
  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_SUCCESS, NULL);
  reroute_tls_results_give_back (results, DAY, stolen);
  g_assert_cmpuint (find (results, "a.test", 0)->n_failed, ==, 2);
  g_assert_cmpuint (find (results, "a.test", 0)->n_succeeded, ==, 1);
  g_assert_cmpuint (find (results, "a.test", 0)->failures->len, ==, 1);

  g_assert_cmpuint (reroute_tls_results_forget_before (results, DAY), ==, 0);
  g_assert_cmpuint (reroute_tls_results_forget_before (results, DAY + 1), ==, 1);
  reroute_endpoint_clear (&endpoint);
}

/* --- the file --- */

static gboolean
takes (const guint8 *octets, gsize length)
{
  g_autoptr (RerouteTlsResults) results = reroute_tls_results_new ();
  g_autoptr (GBytes) file = g_bytes_new (octets, length);
  g_autoptr (GPtrArray) days = NULL;
  g_autoptr (GError) error = NULL;
  gboolean taken = reroute_tls_results_take_file (results, file, &error);

  g_assert_cmpint (taken, ==, error == NULL);
  days = reroute_tls_results_list (results);
  g_assert_true (taken || days->len == 0);
  return taken;
}

static void
test_file (void)
{
  g_autoptr (RerouteTlsResults) results = reroute_tls_results_new ();
  g_autoptr (RerouteTlsResults) again = reroute_tls_results_new ();
  RerouteEndpoint endpoint = make_endpoint ("mx.a.test");
  g_autoptr (GBytes) file = NULL;
  g_autoptr (GBytes) same = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *octets = NULL;
  gsize length;

  add (results, "a.test", &endpoint, REROUTE_TLS_VERDICT_CERTIFICATE_EXPIRED, "old");
  add (results, "a.test", NULL, REROUTE_TLS_VERDICT_STS_WEBPKI_INVALID, "it is for another name");
  file = reroute_tls_results_to_file (results);
  g_assert_true (reroute_tls_results_take_file (again, file, &error));
  g_assert_no_error (error);
  same = reroute_tls_results_to_file (again);
  g_assert_true (g_bytes_equal (file, same));

  octets = g_memdup2 (g_bytes_get_data (file, &length), g_bytes_get_size (file));
  for (gsize i = 0; i < length; i++)
    {
      octets[i] ^= 0x20;
      g_assert_false (takes (octets, length));
      octets[i] ^= 0x20;
      g_assert_false (takes (octets, i));
    }
  g_assert_true (takes (octets, length));
  reroute_endpoint_clear (&endpoint);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
    {
      g_autofree char *path = g_strconcat ("/tls-report/record/", records[i].name, NULL);
      g_test_add_data_func (path, &records[i], test_record);
    }
  g_test_add_func ("/tls-report/sums", test_sums);
  g_test_add_func ("/tls-report/policies", test_policies);
  g_test_add_func ("/tls-report/bounds", test_bounds);
  g_test_add_func ("/tls-report/given-back", test_given_back);
  g_test_add_func ("/tls-report/file", test_file);
  return g_test_run ();
}
