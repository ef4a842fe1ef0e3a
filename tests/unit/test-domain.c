/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-domain.c - one form for every way to write a domain, and a sentence for what is none
 */

#include "config.h"

#include "common/domain.h"

#include "common/error.h"
#include "common/limits.h"

#include <string.h>

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

typedef struct
{
  const char *name;
  const char *source;
  const char *text;
  const char *normal;  /* NULL: refused when typed */
  const char *message; /* part of the refusal */
  const char *fast;    /* what a recipient's domain gives; NULL: as normal */
} Row;

static const Row rows[] = {
  { "lower-case", "RFC 1035 2.3.3", "Test.COM", "test.com", NULL, NULL },
  { "trailing-dot", "conformance L05", "test.com.", "test.com", NULL, NULL },
  { "leading-dot", "conformance C04", ".com", "com", NULL, NULL },
  { "blanks", "conformance L08", " \ttest.com \r\n", "test.com", NULL, NULL },
  { "single-label", "design 3", "intranet", "intranet", NULL, NULL },
  { "digit-first", "RFC 1123 2.1", "3com.example", "3com.example", NULL, NULL },
  { "label-63", "RFC 1035 2.3.4", LABEL_63 ".example", LABEL_63 ".example", NULL, NULL },
  { "label-64", "RFC 1035 2.3.4", "a" LABEL_63 ".example", NULL, "label of 64 octets", NULL },
  { "u-label", "RFC 5891", "bücher.Example", "xn--bcher-kva.example", NULL, NULL },
  { "upper-u-label", "UTS 46", "BÜCHER.example", "xn--bcher-kva.example", NULL, NULL },
  { "a-label", "RFC 5891", "XN--bcher-kva.example", "xn--bcher-kva.example", NULL, NULL },
  { "non-transitional", "design 3", "straße.de", "xn--strae-oqa.de", NULL, NULL },
  { "wide-dot", "RFC 3490 3.1", "a。example", "a.example", NULL, NULL },
  { "bad-a-label", "RFC 5891", "xn--a.example", NULL, "(IDNA)", "xn--a.example" },
  { "not-utf8",
    "RFC 6531",
    "b\xfc"
    "cher.example",
    NULL,
    "is not UTF-8",
    NULL },
  { "ipv4", "conformance K05", "192.0.2.1", "[192.0.2.1]", NULL, NULL },
  { "ipv4-brackets", "RFC 5321 4.1.3", "[192.0.2.1]", "[192.0.2.1]", NULL, NULL },
  { "ipv6", "RFC 5952", "2001:DB8:0:0::1", "[IPv6:2001:db8::1]", NULL, NULL },
  { "ipv6-tag", "RFC 5321 4.1.3", "[ipv6:2001:db8::1]", "[IPv6:2001:db8::1]", NULL, NULL },
  { "ipv6-mapped", "RFC 4291", "[IPv6:::ffff:192.0.2.1]", "[192.0.2.1]", NULL, NULL },
  { "broken-literal",
    "RFC 5321 4.1.3",
    "[192.0.2]",
    NULL,
    "is no address: write “[192.0.2.1]”",
    NULL },
  { "half-address", "RFC 1123 2.1", "192.0.2", NULL, "ends in a number", "192.0.2" },
  { "empty", "issue 2", "", NULL, "domain is empty: write", NULL },
  { "only-dot", "issue 2", ".", NULL, "empty label", NULL },
  { "empty-label", "issue 2", "a..b", NULL, "domain “a..b” has an empty label: write “a.b”", NULL },
  { "two-dots-behind", "issue 2", "a.b..", NULL, "empty label: write “a.b”", NULL },
  { "star", "issue 2", "*", NULL, "subdomains are covered already", NULL },
  { "star-dot",
    "issue 2",
    "*.example.com",
    NULL,
    "write “example.com”, its subdomains are covered",
    NULL },
  { "hash", "design 3", "#a.example", NULL, "choose “this domain only”", NULL },
  { "mailbox",
    "issue 2",
    "user@a.example",
    NULL,
    "is an e-mail address: write the domain alone, “a.example”",
    NULL },
  { "port", "issue 2", "a.example:25", NULL, "a port has no place here", NULL },
  { "web-address", "issue 2", "http://a.example/", NULL, "is a web address", NULL },
  { "blank-inside", "issue 2", "a b.example", NULL, "has a blank inside", NULL },
  { "control", "issue 2", "a\001.example", NULL, "control character", NULL },
  { "comma", "issue 2", "a.example,b.example", NULL, "has a “,”", NULL },
  { "underscore", "RFC 1123 2.1", "a_b.example", NULL, "has a “_”", "a_b.example" },
  { "hyphen-first", "RFC 1123 2.1", "-a.example", NULL, "starts or ends with “-”", "-a.example" },
  { "hyphen-last", "RFC 1123 2.1", "a-.example", NULL, "starts or ends with “-”", "a-.example" },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  char buffer[REROUTE_LIMIT_DOMAIN_OCTETS + 1];
  g_autoptr (GError) error = NULL;
  g_autofree char *normal = reroute_domain_normalize (row->text, &error);
  gsize n = reroute_domain_normalize_fast (row->text, strlen (row->text), buffer);

  g_assert_cmpstr (normal, ==, row->normal);
  if (row->normal == NULL)
    {
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_DOMAIN);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, row->message));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
  else
    g_assert_no_error (error);
  const char *fast = row->fast != NULL ? row->fast : row->normal;
  g_assert_cmpuint (n, ==, fast != NULL ? strlen (fast) : 0);
  if (n > 0)
    g_assert_cmpstr (buffer, ==, fast);
}

/* RFC 1035 2.3.4: 253 octets are possible, 254 are not. */
static void
test_longest (void)
{
  g_autoptr (GString) name = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 3; i++)
    g_string_append (name, LABEL_63 ".");
  g_string_append_len (name, LABEL_63, 61);
  g_assert_cmpuint (name->len, ==, 253);
  g_autofree char *normal = reroute_domain_normalize (name->str, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (normal, ==, name->str);

  g_string_append_c (name, 'a');
  g_assert_null (reroute_domain_normalize (name->str, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_DOMAIN);
  g_assert_nonnull (strstr (error->message, "is 254 octets long: at most 253 are possible"));

  g_clear_error (&error);
  g_autofree char *wide = g_strnfill (5000, 'b');
  g_assert_null (reroute_domain_normalize (wide, &error));
  g_assert_cmpuint (strlen (error->message), <, 400);
}

static void
test_parent (void)
{
  g_assert_cmpstr (reroute_domain_parent ("a.b.c"), ==, "b.c");
  g_assert_null (reroute_domain_parent ("c"));
  g_assert_null (reroute_domain_parent ("[192.0.2.1]"));
}

static void
test_literal (void)
{
  g_autofree char *v4 = reroute_domain_dup_literal_address ("[192.0.2.1]");
  g_autofree char *v6 = reroute_domain_dup_literal_address ("[IPv6:2001:db8::1]");

  g_assert_cmpstr (v4, ==, "192.0.2.1");
  g_assert_cmpstr (v6, ==, "2001:db8::1");
  g_assert_null (reroute_domain_dup_literal_address ("a.example"));
  g_assert_true (reroute_domain_is_literal ("[192.0.2.1]"));
  g_assert_false (reroute_domain_is_literal ("a.example"));
}

static void
test_unicode (void)
{
  g_autofree char *shown = reroute_domain_to_unicode ("xn--bcher-kva.example");
  g_autofree char *plain = reroute_domain_to_unicode ("a.example");
  g_autofree char *broken = reroute_domain_to_unicode ("xn--a.example");

  g_assert_cmpstr (shown, ==, "bücher.example");
  g_assert_cmpstr (plain, ==, "a.example");
  g_assert_cmpstr (broken, ==, "xn--a.example");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/domain/normalize/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/domain/longest", test_longest);
  g_test_add_func ("/domain/parent", test_parent);
  g_test_add_func ("/domain/literal", test_literal);
  g_test_add_func ("/domain/unicode", test_unicode);
  return g_test_run ();
}
