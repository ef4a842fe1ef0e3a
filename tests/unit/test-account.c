/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-account.c - accounts at next hops: which one, what is kept, how it is told
 */

#include "config.h"

#include "service/relay/deliver/sasl-client.h"
#include "service/relay/deliver/secrets.h"
#include "tests/unit/sample-rules.h"

#include "common/error.h"

#include <glib/gstdio.h>
#include <string.h>

/* --- which one --- */

typedef struct
{
  const char *rows;
  const char *settings;
  const char *account;
  RerouteTlsLevel tls;
} AccountRow;

/* Mail for a.test: an account is for hosts that were typed, and asks for TLS. */
static const AccountRow account_rows[] = {
  { "connections,a.test,,host,gw.test,,,,,,smart", "", "smart", REROUTE_TLS_ENCRYPTED },
  { "connections,a.test,,host,gw.test,,,,,verified,smart", "", "smart", REROUTE_TLS_VERIFIED },
  { "connections,a.test,,host,127.0.0.1,,,,,none,smart", "", "smart", REROUTE_TLS_NONE },
  { "connections,a.test,,host,gw.test,,,,,,smart", "tls-level=none", "smart", REROUTE_TLS_NONE },
  { "connections,a.test,,host,gw.test", "default-account=x", NULL, REROUTE_TLS_OPPORTUNISTIC },
  { "connections,a.test,,dns,", "default-account=x", NULL, REROUTE_TLS_OPPORTUNISTIC },
  { "", "default-account=x", NULL, REROUTE_TLS_OPPORTUNISTIC },
  { "", "default-account=x\ndefault-delivery=gw.test", "x", REROUTE_TLS_ENCRYPTED },
  { "", "default-delivery=gw.test", NULL, REROUTE_TLS_OPPORTUNISTIC },
  { "routing,a.test,,reroute,b.test\nconnections,b.test,,host,gw.test,,,,,,smart",
    "",
    "smart",
    REROUTE_TLS_ENCRYPTED },
  { "routing,a.test,,reroute,b.test",
    "default-account=x\ndefault-delivery=gw.test",
    "x",
    REROUTE_TLS_ENCRYPTED },
  { "routing,a.test,,inbound",
    "default-account=x\ndefault-delivery=gw.test\ninbound-host=in.test",
    NULL,
    REROUTE_TLS_OPPORTUNISTIC },
};

static void
test_decided (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (account_rows); i++)
    {
      g_autoptr (RerouteRuleset) rules =
                   sample_rules (account_rows[i].rows, account_rows[i].settings);
      g_autoptr (RerouteAddress) recipient = reroute_address_parse ("u@a.test", FALSE, NULL);
      g_autoptr (RerouteDecision) decision = reroute_ruleset_decide (rules, recipient, NULL, NULL);

      g_test_message ("%s %s", account_rows[i].rows, account_rows[i].settings);
      g_assert_cmpint (decision->action, !=, REROUTE_ACTION_REJECT);
      g_assert_cmpstr (decision->account, ==, account_rows[i].account);
      g_assert_cmpint (decision->tls, ==, account_rows[i].tls);
    }
}

/* --- what is kept --- */

static void
test_secret_travels (void)
{
  g_autoptr (RerouteSecret) secret =
               reroute_secret_new (REROUTE_SECRET_PASSWORD, "me@test.com", "pass word: ä", NULL);
  g_autofree char *text = reroute_secret_to_string (secret);
  g_autofree char *file = g_strconcat ("secret smart ", text, "\nsecret other ", text, "\n", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteSecrets) secrets = reroute_secrets_parse (file, &error);

  g_assert_no_error (error);
  g_assert_null (strstr (file, "pass word"));
  g_assert_null (reroute_secrets_find (secrets, "nobody"));
  const RerouteSecret *found = reroute_secrets_find (secrets, "smart");
  g_assert_cmpint (found->kind, ==, REROUTE_SECRET_PASSWORD);
  g_assert_cmpstr (found->user, ==, "me@test.com");
  g_assert_cmpstr (found->value, ==, "pass word: ä");
}

static void
test_secret_refused (void)
{
  static const char *const texts[] = {
    "secret smart",
    "secret smart password",
    "secret smart password bWU=",
    "secret smart password bWU= c2VjcmV0 x",
    "secret smart password bWU= ",
    "secret smart password  c2VjcmV0",
    "secret smart password bQBl c2VjcmV0",
    "secret smart password bWU= AWE=",
    "secret smart password bWU c2VjcmV0",
    "secret smart token bWU= c2VjcmV0",
    "secret smart token-file bWU= c2VjcmV0",
    "account smart password bWU= c2VjcmV0",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", texts[i]);
      g_assert_null (reroute_secrets_parse (texts[i], &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
      g_assert_true (g_str_has_prefix (error->message, "line 1 of the secrets: "));
      g_assert_null (strstr (error->message, "c2VjcmV0"));
    }
}

/* GLib's decoder would pass over the line's end, and the file that is kept would have two lines. */
static void
test_secret_is_one_line (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reroute_secret_parse ("password bWU= c2Vj\ncmV0", &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
}

/* --- how it is told --- */

static char *
step (RerouteSaslClient *client, const char *challenge)
{
  g_autoptr (GBytes) asked = challenge != NULL ? g_bytes_new (challenge, strlen (challenge)) : NULL;
  g_autoptr (GBytes) response = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  if (!reroute_sasl_client_step (client, asked, &response, &error))
    {
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
      return g_strdup ("refused");
    }
  if (response == NULL)
    return NULL;
  const char *octets = g_bytes_get_data (response, &length);
  return g_strdelimit (g_strndup (octets != NULL ? octets : "", length), "\1", '|');
}

static void
test_strongest (void)
{
  static const struct
  {
    const char *offered;
    RerouteSecretKind kind;
    const char *taken; /* NULL: none */
  } rows[] = {
    { "LOGIN PLAIN SCRAM-SHA-256 CRAM-MD5", REROUTE_SECRET_PASSWORD, "SCRAM-SHA-256" },
    { "LOGIN PLAIN XOAUTH2", REROUTE_SECRET_PASSWORD, "PLAIN" },
    { "LOGIN", REROUTE_SECRET_PASSWORD, "LOGIN" },
    { "CRAM-MD5 XOAUTH2 PLAINER", REROUTE_SECRET_PASSWORD, NULL },
    { "", REROUTE_SECRET_PASSWORD, NULL },
    { "PLAIN XOAUTH2", REROUTE_SECRET_TOKEN_FILE, "XOAUTH2" },
    { "PLAIN SCRAM-SHA-256", REROUTE_SECRET_TOKEN_FILE, NULL },
  };
  g_autofree char *path = g_build_filename (g_get_user_cache_dir (), "token", NULL);

  g_assert_cmpint (g_mkdir_with_parents (g_get_user_cache_dir (), 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, "token\n", -1, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (RerouteSecret) secret = reroute_secret_new (rows[i].kind, "me", path, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (RerouteSaslClient) client =
                   reroute_sasl_client_new (secret, rows[i].offered, &error);

      g_test_message ("%s", rows[i].offered);
      g_assert_cmpstr (
        client != NULL ? reroute_sasl_client_get_mechanism (client) : NULL, ==, rows[i].taken);
      if (rows[i].taken == NULL)
        g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
    }
}

static RerouteSaslClient *
begin (const char *mechanism)
{
  g_autoptr (RerouteSecret) secret =
               reroute_secret_new (REROUTE_SECRET_PASSWORD, "user", "pencil", NULL);
  RerouteSaslClient *client = reroute_sasl_client_new (secret, mechanism, NULL);

  g_assert_nonnull (client);
  return client;
}

/* A host is believed when it has proved that it knows the password, and not before. */
static void
test_scram_proof (void)
{
  g_autoptr (RerouteSaslClient) client = begin ("SCRAM-SHA-256");
  g_autofree char *first = step (client, NULL);
  g_autofree char *nonce = g_strdup (strstr (first, ",r=") + strlen (",r="));
  g_autofree char *challenge = g_strdup_printf ("r=%sx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", nonce);
  g_autofree char *final = step (client, challenge);

  g_assert_true (g_str_has_prefix (first, "n,,n=user,r="));
  g_assert_true (g_str_has_prefix (final, "c=biws,r="));
  g_assert_false (reroute_sasl_client_is_complete (client));
  g_autofree char *answer = step (client, "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  g_assert_cmpstr (answer, ==, "refused");
  g_assert_false (reroute_sasl_client_is_complete (client));
}

static void
test_scram_without_end (void)
{
  static const char *const counts[] = { "131073", "4000000000", "99999999999999999999" };

  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_autoptr (RerouteSaslClient) client = begin ("SCRAM-SHA-256");
      g_autofree char *first = step (client, NULL);
      g_autofree char *challenge = g_strdup_printf (
        "r=%sx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=%s", strstr (first, ",r=") + strlen (",r="), counts[i]);
      g_autofree char *answer = step (client, challenge);

      g_assert_cmpstr (answer, ==, "refused");
    }
}

static void
test_login (void)
{
  g_autoptr (RerouteSaslClient) client = begin ("LOGIN");
  g_autofree char *nothing = step (client, NULL);
  g_autofree char *user = step (client, "Username:");
  g_autofree char *password = step (client, "Password:");
  g_autofree char *more = step (client, "and?");

  g_assert_null (nothing);
  g_assert_cmpstr (user, ==, "user");
  g_assert_cmpstr (password, ==, "pencil");
  g_assert_true (reroute_sasl_client_is_complete (client));
  g_assert_cmpstr (more, ==, "refused");
}

static void
test_xoauth2 (void)
{
  static const struct
  {
    const char *text;  /* NULL: no file */
    const char *token; /* NULL: refused */
  } rows[] = {
    { "ya29.abc\n", "ya29.abc" }, { " ya29.abc \r\nrest\n", "ya29.abc" },
    { "ya29", "ya29" },           { "", NULL },
    { "\nya29\n", NULL },         { "a b\n", NULL },
    { "a\1b\n", NULL },           { NULL, NULL },
  };
  g_autofree char *path = g_build_filename (g_get_user_cache_dir (), "token", NULL);
  g_autoptr (RerouteSecret) secret =
               reroute_secret_new (REROUTE_SECRET_TOKEN_FILE, "me@test.com", path, NULL);

  g_assert_cmpint (g_mkdir_with_parents (g_get_user_cache_dir (), 0700), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;

      g_unlink (path);
      if (rows[i].text != NULL)
        g_assert_true (g_file_set_contents (path, rows[i].text, -1, NULL));
      g_autoptr (RerouteSaslClient) client = reroute_sasl_client_new (secret, "XOAUTH2", &error);
      if (rows[i].token == NULL)
        {
          g_assert_null (client);
          g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
          continue;
        }
      g_autofree char *said = step (client, NULL);
      g_autofree char *wanted =
        g_strdup_printf ("user=me@test.com|auth=Bearer %s||", rows[i].token);
      g_assert_cmpstr (said, ==, wanted);
      /* It says why it refuses, and wants an answer to that. */
      g_autofree char *answer = step (client, "{\"status\":\"400\"}");
      g_assert_cmpstr (answer, ==, "");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/account/decided", test_decided);
  g_test_add_func ("/account/secret-travels", test_secret_travels);
  g_test_add_func ("/account/secret-refused", test_secret_refused);
  g_test_add_func ("/account/secret-is-one-line", test_secret_is_one_line);
  g_test_add_func ("/account/strongest", test_strongest);
  g_test_add_func ("/account/scram-proof", test_scram_proof);
  g_test_add_func ("/account/scram-without-end", test_scram_without_end);
  g_test_add_func ("/account/login", test_login);
  g_test_add_func ("/account/xoauth2", test_xoauth2);
  return g_test_run ();
}
