/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-address.c - mailboxes are taken apart and leave as they came
 */

#include "config.h"

#include "common/address.h"

#include "common/error.h"
#include "common/limits.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *source;
  const char *text;
  gboolean utf8;
  const char *leaves; /* NULL: refused */
  const char *local_part;
  const char *key;
  const char *message; /* part of the refusal */
} Row;

static const Row rows[] = {
  { "plain",
    "RFC 5321 4.1.2",
    "User.Name+tag@Test.Com",
    FALSE,
    "User.Name+tag@Test.Com",
    "User.Name+tag",
    "test.com",
    NULL },
  { "blank-behind", "Q228998", "user@test.com ", FALSE, "user@test.com", "user", "test.com", NULL },
  { "trailing-dot",
    "design 3",
    "user@test.com.",
    FALSE,
    "user@test.com",
    "user",
    "test.com",
    NULL },
  { "source-route",
    "Q140940",
    "@a.example,@b.example:u@c.example",
    FALSE,
    "u@c.example",
    "u",
    "c.example",
    NULL },
  { "source-route-literal",
    "RFC 821",
    "@[IPv6:::1],@b:u@c.example",
    FALSE,
    "u@c.example",
    "u",
    "c.example",
    NULL },
  { "open-route", "RFC 821", "@a.example,u@c.example", FALSE, NULL, NULL, NULL, "starts with “@”" },
  { "quoted",
    "RFC 5321 4.1.2",
    "\"a b\"@c.example",
    FALSE,
    "\"a b\"@c.example",
    "\"a b\"",
    "c.example",
    NULL },
  { "quoted-at",
    "Q304897",
    "\"a@b\"@c.example",
    FALSE,
    "\"a@b\"@c.example",
    "\"a@b\"",
    "c.example",
    NULL },
  { "quoted-escape",
    "RFC 5321 4.1.2",
    "\"a\\\"b\"@c.example",
    FALSE,
    "\"a\\\"b\"@c.example",
    "\"a\\\"b\"",
    "c.example",
    NULL },
  { "open-quote", "RFC 5321 4.1.2", "\"a@c.example", FALSE, NULL, NULL, NULL, "never closed" },
  { "behind-quote",
    "RFC 5321 4.1.2",
    "\"a\"b@c.example",
    FALSE,
    NULL,
    NULL,
    NULL,
    "closing quotation mark" },
  { "two-at", "RFC 5321 4.1.2", "a@b@c.example", FALSE, NULL, NULL, NULL, "has two “@”" },
  { "percent", "Q304897", "a%b@c.example", FALSE, "a%b@c.example", "a%b", "c.example", NULL },
  { "odd-dots",
    "local part is opaque",
    "a..b.@c.example",
    FALSE,
    "a..b.@c.example",
    "a..b.",
    "c.example",
    NULL },
  { "literal", "Q249100", "a@[192.0.2.1]", FALSE, "a@[192.0.2.1]", "a", "[192.0.2.1]", NULL },
  { "underscore",
    "compared as it came",
    "a@b_c.example",
    FALSE,
    "a@b_c.example",
    "a",
    "b_c.example",
    NULL },
  { "postmaster", "RFC 5321 4.5.1", "PostMaster", FALSE, "PostMaster", "PostMaster", "", NULL },
  { "no-domain", "Q156997", "bob", FALSE, NULL, NULL, NULL, "has no domain" },
  { "empty-domain", "RFC 5321 4.1.2", "bob@", FALSE, NULL, NULL, NULL, "nothing behind its “@”" },
  { "empty-local", "RFC 5321 4.1.2", "@c.example", FALSE, NULL, NULL, NULL, "starts with “@”" },
  { "empty", "RFC 5321 4.1.2", " ", FALSE, NULL, NULL, NULL, "is empty" },
  { "empty-label",
    "RFC 5321 4.1.2",
    "a@b..c",
    FALSE,
    NULL,
    NULL,
    NULL,
    "“b..c” has an empty part" },
  { "leading-dot", "RFC 5321 4.1.2", "a@.c", FALSE, NULL, NULL, NULL, "no valid domain" },
  { "blank-inside",
    "RFC 5321 4.1.2",
    "a b@c.example",
    FALSE,
    NULL,
    NULL,
    NULL,
    "between quotation marks" },
  { "angle", "injection", "a>@c.example", FALSE, NULL, NULL, NULL, "between quotation marks" },
  { "line-break",
    "injection",
    "a\r\nDATA@c.example",
    FALSE,
    NULL,
    NULL,
    NULL,
    "control character" },
  { "quoted-line-break",
    "injection",
    "\"a\r\n\"@c.example",
    FALSE,
    NULL,
    NULL,
    NULL,
    "control character" },
  { "utf8-refused", "RFC 6531", "ü@c.example", FALSE, NULL, NULL, NULL, "SMTPUTF8" },
  { "utf8",
    "RFC 6531",
    "ü@bücher.example",
    TRUE,
    "ü@bücher.example",
    "ü",
    "xn--bcher-kva.example",
    NULL },
  { "bad-utf8", "RFC 6531", "\xfc@c.example", TRUE, NULL, NULL, NULL, "is not UTF-8" },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteAddress) address = reroute_address_parse (row->text, row->utf8, &error);

  if (row->leaves == NULL)
    {
      g_assert_null (address);
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_ADDRESS);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, row->message));
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpstr (address->text, ==, row->leaves);
  g_assert_cmpstr (address->local_part, ==, row->local_part);
  g_assert_cmpstr (address->key, ==, row->key);
  const char *at = strrchr (row->leaves, '@');
  g_assert_cmpstr (address->domain, ==, at != NULL ? at + 1 : "");
}

static void
test_with_domain (void)
{
  g_autoptr (RerouteAddress) address =
               reroute_address_parse ("\"First Last\"@test.com", FALSE, NULL);
  g_autofree char *changed = reroute_address_with_domain (address, "Example.COM");

  g_assert_cmpstr (changed, ==, "\"First Last\"@Example.COM");
}

static void
test_source_routed (void)
{
  static const struct
  {
    const char *text;
    gboolean routed;
  } cases[] = {
    { "a%b@c.example", TRUE },
    { "host!a@c.example", TRUE },
    { "\"a@b\"@c.example", TRUE },
    { "a.b+c@c.example", FALSE },
    { "postmaster", FALSE },
    { "IMCEASMTP-a+40b@c.example", TRUE },
    { "\"imceasmtp-a b\"@c.example", TRUE },
    { "\"\\IMCEASMTP-a+40b\"@c.example", TRUE },
    { "\"im\\c\\easmtp\\-a b\"@c.example", TRUE },
    { "\"\\\\IMCEASMTP-a\"@c.example", FALSE },
    { "\"a\\%b\"@c.example", TRUE },
    { "\"a\\!b\"@c.example", TRUE },
    { "\"a\\@b\"@c.example", TRUE },
    { "\"IMCEASMTP\"@c.example", FALSE },
    { "IMCEAEX-_O=X@c.example", FALSE },
    { "x-IMCEASMTP-a@c.example", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (RerouteAddress) address = reroute_address_parse (cases[i].text, FALSE, NULL);
      g_assert_cmpint (reroute_address_is_source_routed (address), ==, cases[i].routed);
    }
}

static void
test_postmaster (void)
{
  g_autoptr (RerouteAddress) plain = reroute_address_parse ("POSTMASTER@c.example", FALSE, NULL);
  g_autoptr (RerouteAddress) quoted =
               reroute_address_parse ("\"postmaster\"@c.example", FALSE, NULL);
  g_autoptr (RerouteAddress) prefix = reroute_address_parse ("postmaster1@c.example", FALSE, NULL);

  g_assert_true (reroute_address_is_postmaster (plain));
  g_assert_true (reroute_address_is_postmaster (quoted));
  g_assert_false (reroute_address_is_postmaster (prefix));
}

static void
test_longest (void)
{
  g_autofree char *local = g_strnfill (REROUTE_LIMIT_PATH_OCTETS - 10, 'a');
  g_autofree char *fits = g_strconcat (local, "@c.example", NULL);
  g_autofree char *over = g_strconcat ("a", fits, NULL);
  g_autoptr (RerouteAddress) address = reroute_address_parse (fits, FALSE, NULL);
  g_autoptr (RerouteAddress) again = reroute_address_ref (address);

  g_assert_cmpstr (again->text, ==, fits);
  g_assert_null (reroute_address_parse (over, FALSE, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/address/parse/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/address/with-domain", test_with_domain);
  g_test_add_func ("/address/source-routed", test_source_routed);
  g_test_add_func ("/address/postmaster", test_postmaster);
  g_test_add_func ("/address/longest", test_longest);
  return g_test_run ();
}
