/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-sts-policy.c - the policies and the records of MTA-STS
 */

#include "config.h"

#include "service/relay/smtp/sts-policy.h"

#include "common/error.h"
#include "common/limits.h"

#include <string.h>

#define HEAD "version: STSv1\n"
#define REST "max_age: 86400\n"
#define MX "mx: mx.a.test\n"

typedef struct
{
  const char *name;
  const char *text;
  const char *read; /* as to_text() gives it; or "!" and a part of the refusal */
} Row;

/* clang-format off */
static const Row policies[] = {
  /* name              text                                                     what is made of it */
  { "rfc",             "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n",
    HEAD "mode: enforce\nmax_age: 604800\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\n" },
  { "line-feeds",      HEAD "mode: testing\n" MX REST,                          HEAD "mode: testing\n" REST MX },
  { "any-order",       MX REST "mode: enforce\n" HEAD,                          HEAD "mode: enforce\n" REST MX },
  { "no-end",          HEAD "mode: enforce\n" MX "max_age: 5",                  HEAD "mode: enforce\nmax_age: 5\n" MX },
  { "blanks",          "version:STSv1\nmode: \t enforce \t\n" MX "\n" REST,     HEAD "mode: enforce\n" REST MX },
  { "none",            HEAD "mode: none\n" REST,                                HEAD "mode: none\n" REST },
  { "unknown-field",   HEAD "mode: enforce\nnew.field-1: w\303\266rter: x\n" MX REST, HEAD "mode: enforce\n" REST MX },
  { "first-counts",    HEAD "version: STSv2\nmode: testing\nmode: enforce\n" MX REST "max_age: 1\n", HEAD "mode: testing\n" REST MX },
  { "upper-case-mx",   HEAD "mode: enforce\nmx: MX.A.Test\n" REST,              HEAD "mode: enforce\n" REST MX },
  { "a-year-at-most",  HEAD "mode: none\nmax_age: 9999999999\n",                HEAD "mode: none\nmax_age: 31557600\n" },
  { "empty",           "",                                                      "!it has no “version”" },
  { "no-version",      "mode: enforce\n" MX REST,                               "!it has no “version”" },
  { "other-version",   "version: STSv2\nmode: enforce\n" MX REST,               "!unknown version “STSv2”" },
  { "no-mode",         HEAD MX REST,                                            "!it has no “mode”" },
  { "other-mode",      HEAD "mode: Enforce\n" MX REST,                          "!unknown mode “Enforce”" },
  { "no-age",          HEAD "mode: enforce\n" MX,                               "!it has no “max_age”" },
  { "negative-age",    HEAD "mode: enforce\n" MX "max_age: -1\n",               "!max_age" },
  { "signed-age",      HEAD "mode: enforce\n" MX "max_age: +1\n",               "!max_age" },
  { "age-with-text",   HEAD "mode: enforce\n" MX "max_age: 1d\n",               "!max_age" },
  { "long-age",        HEAD "mode: enforce\n" MX "max_age: 00000000001\n",      "!max_age" },
  { "no-mx",           HEAD "mode: enforce\n" REST,                             "!it has no “mx”" },
  { "testing-no-mx",   HEAD "mode: testing\n" REST,                             "!it has no “mx”" },
  { "mx-star",         HEAD "mode: enforce\nmx: *\n" REST,                      "!mx is no host name: “*”" },
  { "mx-star-inside",  HEAD "mode: enforce\nmx: mx.*.test\n" REST,              "!mx is no host name" },
  { "mx-two-stars",    HEAD "mode: enforce\nmx: *.*.test\n" REST,               "!mx is no host name" },
  { "mx-half-star",    HEAD "mode: enforce\nmx: mx*.a.test\n" REST,             "!mx is no host name" },
  { "mx-leading-dot",  HEAD "mode: enforce\nmx: .a.test\n" REST,                "!mx is no host name" },
  { "mx-literal",      HEAD "mode: enforce\nmx: [192.0.2.1]\n" REST,            "!mx is no host name" },
  { "no-colon",        HEAD "mode enforce\n" MX REST,                           "!no field: “mode enforce”" },
  { "name-with-blank", HEAD "mode : enforce\n" MX REST,                         "!no name of a field: “mode ”" },
  { "html",            "<!DOCTYPE html>\n",                                     "!no field" },
  { "escape",          HEAD "mode: \033[2J\n",                                  "!“\\033[2J”" },
  { "no-utf8",         HEAD "mode: none\n" REST "x: \377\n",                    "!no text" },
};
/* clang-format on */

static void
test_policy (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteStsPolicy) policy =
               reroute_sts_policy_parse (row->text, strlen (row->text), &error);

  if (row->read[0] == '!')
    {
      g_assert_null (policy);
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
      g_assert_nonnull (strstr (error->message, row->read + 1));
      return;
    }
  g_assert_no_error (error);
  g_autofree char *text = reroute_sts_policy_to_text (policy);
  g_assert_cmpstr (text, ==, row->read);
}

static void
test_bounds (void)
{
  static const char with_nul[] = HEAD "mode: none\n" REST;
  g_autoptr (GString) text = g_string_new (HEAD "mode: enforce\n" REST);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < REROUTE_LIMIT_STS_PATTERNS; i++)
    g_string_append_printf (text, "mx: mx%u.a.test\n", i);
  g_autoptr (RerouteStsPolicy) whole = reroute_sts_policy_parse (text->str, text->len, NULL);
  g_assert_nonnull (whole);
  g_string_append (text, MX);
  g_assert_null (reroute_sts_policy_parse (text->str, text->len, &error));
  g_assert_nonnull (strstr (error->message, "too many mx"));

  g_string_assign (text, HEAD "mode: none\n" REST "x: ");
  while (text->len < REROUTE_LIMIT_STS_POLICY_OCTETS)
    g_string_append_c (text, 'x');
  g_autoptr (RerouteStsPolicy) longest = reroute_sts_policy_parse (text->str, text->len, NULL);
  g_assert_nonnull (longest);
  g_string_append_c (text, 'x');
  g_assert_null (reroute_sts_policy_parse (text->str, text->len, NULL));
  /* A NUL hides nothing. */
  g_assert_null (reroute_sts_policy_parse (with_nul, sizeof with_nul, NULL));
}

/* clang-format off */
static const struct
{
  const char *pattern, *host;
  gboolean covers;
} hosts[] = {
  /* RFC 8461 4.1 */
  { "mail.example.com", "mail.example.com",     TRUE },
  { "mail.example.com", "MAIL.example.com",     TRUE },
  { "mail.example.com", "xmail.example.com",    FALSE },
  { "mail.example.com", "mail.example.com.x",   FALSE },
  { "*.example.com",    "mail.example.com",     TRUE },
  { "*.example.com",    "example.com",          FALSE },
  { "*.example.com",    "a.mail.example.com",   FALSE },
  { "*.example.com",    "mail.xexample.com",    FALSE },
  { "*.example.com",    ".example.com",         FALSE },
  { "*.com",            "example.com",          TRUE },
  { "*.example.com",    "localhost",            FALSE },
};
/* clang-format on */

static void
test_covers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      g_autofree char *text =
        g_strdup_printf (HEAD "mode: enforce\nmx: other.test\nmx: %s\n" REST, hosts[i].pattern);
      g_autoptr (RerouteStsPolicy) policy = reroute_sts_policy_parse (text, strlen (text), NULL);

      g_test_message ("%s, %s", hosts[i].pattern, hosts[i].host);
      g_assert_true (reroute_sts_policy_covers (policy, hosts[i].host) == hosts[i].covers);
    }
}

/* clang-format off */
static const struct
{
  const char *name;
  const char *records[3];
  const char *id; /* NULL: none of use */
} records[] = {
  /* RFC 8461 3.1 */
  { "rfc",              { "v=STSv1; id=20160831085700Z;" },           "20160831085700Z" },
  { "no-end",           { "v=STSv1;id=1" },                           "1" },
  { "blanks",           { "v=STSv1 ;\t id=1 ; " },                    "1" },
  { "extension",        { "v=STSv1; x-y.z_1=a:b; id=1;" },            "1" },
  { "others",           { "v=spf1 -all", "v=STSv1; id=1", "hello" },  "1" },
  { "longest-id",       { "v=STSv1; id=12345678901234567890123456789012" }, "12345678901234567890123456789012" },
  { "none",             { NULL },                                     NULL },
  { "other",            { "v=spf1 -all" },                            NULL },
  { "two",              { "v=STSv1; id=1", "v=STSv1; id=1" },         NULL },
  { "no-semicolon",     { "v=STSv1" },                                NULL },
  { "version-longer",   { "v=STSv11; id=1" },                         NULL },
  { "version-case",     { "v=stsv1; id=1" },                          NULL },
  { "blank-first",      { " v=STSv1; id=1" },                         NULL },
  { "no-id",            { "v=STSv1; x=1" },                           NULL },
  { "empty-id",         { "v=STSv1; id=;" },                          NULL },
  { "long-id",          { "v=STSv1; id=123456789012345678901234567890123" }, NULL },
  { "bad-id",           { "v=STSv1; id=1-2" },                        NULL },
  { "id-with-blank",    { "v=STSv1; id= 1" },                         NULL },
  { "empty-field",      { "v=STSv1;; id=1" },                         NULL },
  { "no-equals",        { "v=STSv1; id=1; x" },                       NULL },
  { "first-id",         { "v=STSv1; id=1; id=2" },                    "1" },
};
/* clang-format on */

static void
test_records (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
    {
      g_autoptr (GPtrArray) texts = g_ptr_array_new ();
      g_autofree char *id = NULL;

      for (gsize j = 0; j < G_N_ELEMENTS (records[i].records) && records[i].records[j] != NULL; j++)
        g_ptr_array_add (texts, (char *) records[i].records[j]);
      id = reroute_sts_record_parse (texts);
      g_test_message ("%s", records[i].name);
      g_assert_cmpstr (id, ==, records[i].id);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (policies); i++)
    {
      g_autofree char *path = g_strconcat ("/sts-policy/", policies[i].name, NULL);
      g_test_add_data_func (path, &policies[i], test_policy);
    }
  g_test_add_func ("/sts-policy/bounds", test_bounds);
  g_test_add_func ("/sts-policy/covers", test_covers);
  g_test_add_func ("/sts-policy/records", test_records);
  return g_test_run ();
}
