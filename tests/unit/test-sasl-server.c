/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-sasl-server.c - who may log in, and what a client may say instead of a login
 */

#include "config.h"

#include "service/relay/receive/sasl-server.h"

#include "common/error.h"

#include <string.h>

/* RFC 7677 3: user "user", password "pencil". */
#define VERIFIER                                                                                   \
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="       \
  ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define KEY "decoy AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
#define RANDOM_TRIES 300
#define RANDOM_OCTETS 40

static RerouteAccounts *
make_accounts (void)
{
  g_autoptr (GError) error = NULL;
  RerouteAccounts *accounts = reroute_accounts_parse (KEY "account user " VERIFIER "\n", &error);

  g_assert_no_error (error);
  return accounts;
}

/* --- the file --- */

static void
test_accounts (void)
{
  g_autoptr (RerouteAccounts) accounts = make_accounts ();
  RerouteVerifier found = reroute_accounts_find (accounts, "user");
  RerouteVerifier decoy = reroute_accounts_find (accounts, "nobody");
  RerouteVerifier again = reroute_accounts_find (accounts, "nobody");

  g_assert_cmpuint (reroute_accounts_get_n (accounts), ==, 1);
  g_assert_true (reroute_verifier_matches (&found, "pencil"));
  g_assert_false (reroute_verifier_matches (&decoy, "pencil"));
  g_assert_cmpstr (decoy.salt, ==, again.salt);
  reroute_verifier_clear (&found);
  reroute_verifier_clear (&decoy);
  reroute_verifier_clear (&again);
}

/* One that somebody has put together without a key: nobody can tell which salts it makes up. */
static void
test_accounts_without_key (void)
{
  g_autoptr (RerouteAccounts) first = reroute_accounts_parse ("account user " VERIFIER, NULL);
  g_autoptr (RerouteAccounts) second = reroute_accounts_parse ("account user " VERIFIER, NULL);
  RerouteVerifier one = reroute_accounts_find (first, "nobody");
  RerouteVerifier other = reroute_accounts_find (second, "nobody");

  g_assert_cmpstr (one.salt, !=, other.salt);
  reroute_verifier_clear (&one);
  reroute_verifier_clear (&other);
}

static void
test_accounts_refused (void)
{
  static const char *const texts[] = {
    "user " VERIFIER,     "account " VERIFIER,    "account user", "account user pencil",
    "account  " VERIFIER, "decoy AAECAwQFBgcICQ", "decoy ",       KEY "secret user x",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", texts[i]);
      g_assert_null (reroute_accounts_parse (texts[i], &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
      g_assert_null (strstr (error->message, "pencil"));
    }
}

/* --- exchanges --- */

typedef struct
{
  const char *text; /* NULL: nothing is said */
  gsize length;
} Said;

#define SAY(text)                                                                                  \
  {                                                                                                \
    text, sizeof (text) - 1                                                                        \
  }

static RerouteSaslState
converse (const char *mechanism, const Said *said, gsize n)
{
  g_autoptr (RerouteAccounts) accounts = make_accounts ();
  g_autoptr (RerouteSaslServer) server = reroute_sasl_server_new (accounts, mechanism);
  RerouteSaslState state = REROUTE_SASL_CONTINUES;

  for (gsize i = 0; i < n && state == REROUTE_SASL_CONTINUES; i++)
    {
      g_autoptr (GBytes) response =
                   said[i].text != NULL ? g_bytes_new (said[i].text, said[i].length) : NULL;
      g_autoptr (GBytes) challenge = NULL;

      state = reroute_sasl_server_step (server, response, &challenge);
      g_assert_true ((challenge != NULL) == (state == REROUTE_SASL_CONTINUES));
      g_assert_true (state != REROUTE_SASL_SUCCEEDED ||
                     g_str_equal (reroute_sasl_server_get_name (server), "user"));
    }
  return state;
}

static const struct
{
  const char *mechanism;
  Said said[4];
  gsize n;
  RerouteSaslState state;
} conversations[] = {
  { "PLAIN", { SAY ("\0user\0pencil") }, 1, REROUTE_SASL_SUCCEEDED },
  { "PLAIN", { { NULL }, SAY ("\0user\0pencil") }, 2, REROUTE_SASL_SUCCEEDED },
  { "PLAIN", { SAY ("user\0user\0pencil") }, 1, REROUTE_SASL_SUCCEEDED },
  { "PLAIN", { SAY ("root\0user\0pencil") }, 1, REROUTE_SASL_FAILED },
  { "PLAIN", { SAY ("\0user\0pencil\0") }, 1, REROUTE_SASL_FAILED },
  { "PLAIN", { SAY ("\0user\0pencil\0x") }, 1, REROUTE_SASL_FAILED },
  { "PLAIN", { SAY ("\0User\0pencil") }, 1, REROUTE_SASL_FAILED },
  { "PLAIN", { SAY ("\0user\0") }, 1, REROUTE_SASL_FAILED },
  { "PLAIN", { SAY ("\0\0pencil") }, 1, REROUTE_SASL_FAILED },
  { "PLAIN", { SAY ("\0\0") }, 1, REROUTE_SASL_FAILED },
  { "PLAIN", { SAY ("user pencil") }, 1, REROUTE_SASL_FAILED },
  { "PLAIN", { SAY ("\0user\0\xff\xfe") }, 1, REROUTE_SASL_FAILED },
  { "PLAIN", { SAY ("\0us\xff\0pencil") }, 1, REROUTE_SASL_FAILED },
  { "LOGIN", { { NULL }, SAY ("user"), SAY ("pencil") }, 3, REROUTE_SASL_SUCCEEDED },
  { "LOGIN", { SAY ("user"), SAY ("pencil") }, 2, REROUTE_SASL_SUCCEEDED },
  { "LOGIN", { SAY ("user"), SAY ("Pencil") }, 2, REROUTE_SASL_FAILED },
  { "LOGIN", { SAY ("user\0x"), SAY ("pencil") }, 2, REROUTE_SASL_FAILED },
  { "LOGIN", { SAY ("user"), SAY ("pencil\0x") }, 2, REROUTE_SASL_FAILED },
  { "LOGIN", { SAY (""), SAY ("") }, 2, REROUTE_SASL_FAILED },
  { "SCRAM-SHA-256", { SAY ("n,,n=user,r=abc") }, 1, REROUTE_SASL_CONTINUES },
  { "SCRAM-SHA-256", { SAY ("n,,n=nobody,r=abc") }, 1, REROUTE_SASL_CONTINUES },
  { "SCRAM-SHA-256", { SAY ("n,,n=user,r=abc"), SAY ("c=biws,r=x,p=x") }, 2, REROUTE_SASL_FAILED },
  { "SCRAM-SHA-256", { SAY ("n,,n=user,r=abc"), SAY ("") }, 2, REROUTE_SASL_FAILED },
  { "SCRAM-SHA-256", { SAY ("p=tls-exporter,,n=user,r=abc") }, 1, REROUTE_SASL_FAILED },
  { "SCRAM-SHA-256", { SAY ("n,,n=us\0er,r=abc") }, 1, REROUTE_SASL_FAILED },
  { "SCRAM-SHA-256", { SAY ("n,,") }, 1, REROUTE_SASL_FAILED },
  { "SCRAM-SHA-256", { SAY ("") }, 1, REROUTE_SASL_CONTINUES },
  { "NO-SUCH-ONE", { SAY ("x") }, 1, REROUTE_SASL_FAILED },
};

static void
test_conversations (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (conversations); i++)
    {
      g_test_message ("%s %" G_GSIZE_FORMAT, conversations[i].mechanism, i);
      g_assert_cmpint (
        converse (conversations[i].mechanism, conversations[i].said, conversations[i].n),
        ==,
        conversations[i].state);
    }
}

/* Whatever octets come, nobody gets in and nothing breaks (regression list 8). */
static void
test_rubbish (void)
{
  static const char *const mechanisms[] = { "SCRAM-SHA-256", "PLAIN", "LOGIN" };
  static const char alphabet[] = "\0\0,=nrpcyiusea\xff\x80";

  for (guint i = 0; i < RANDOM_TRIES; i++)
    {
      char octets[3][RANDOM_OCTETS];
      Said said[3];

      for (guint j = 0; j < G_N_ELEMENTS (said); j++)
        {
          said[j] = (Said){ octets[j], (gsize) g_test_rand_int_range (0, RANDOM_OCTETS) };
          for (gsize k = 0; k < said[j].length; k++)
            octets[j][k] = alphabet[g_test_rand_int_range (0, sizeof alphabet - 1)];
        }
      RerouteSaslState state =
        converse (mechanisms[i % G_N_ELEMENTS (mechanisms)], said, G_N_ELEMENTS (said));
      g_assert_cmpint (state, !=, REROUTE_SASL_SUCCEEDED);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/sasl-server/accounts", test_accounts);
  g_test_add_func ("/sasl-server/accounts-without-key", test_accounts_without_key);
  g_test_add_func ("/sasl-server/accounts-refused", test_accounts_refused);
  g_test_add_func ("/sasl-server/conversations", test_conversations);
  g_test_add_func ("/sasl-server/rubbish", test_rubbish);
  return g_test_run ();
}
