/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * secrets-keeper.c - accounts and secrets: two files, and what is made of them
 *
 * A line is a word, a name and a value.  What is in the files is for nobody's eyes: no log line, no
 * reply and no error shows a value.
 *
 * A file among the credentials that the service manager hands over comes in place of the one in the
 * spool's directory; it is read like that one, and never written.
 *
 * Source: systemd.exec(5), CREDENTIALS_DIRECTORY.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-secrets"

#include "service/relay/secrets-keeper.h"

#include "common/error.h"
#include "common/limits.h"
#include "common/secret.h"
#include "service/relay/spool/directory.h"

#include <string.h>

#define LOOK_EVERY_S 5
#define DECOY "decoy "
#define FILE_MARGIN_OCTETS 100 /* the decoy key's line, and ends of lines */
#define DECOY_KEY_NUMBERS 4    /* 32 octets */

typedef enum
{
  KIND_IN,
  KIND_OUT,
  N_KINDS,
} Kind;

struct _RerouteSecretsKeeper
{
  RerouteSpool *spool;
  RerouteReceiver *const *receivers;
  guint n_receivers;
  RerouteScheduler *scheduler;
  guint look_id;
  char *texts[N_KINDS];    /* of the files, as they are in force */
  char *failures[N_KINDS]; /* (nullable): why the files as they are cannot be used */
};

/* --- what becomes of a text --- */

static gboolean
put_accounts_in_force (RerouteSecretsKeeper *self, const char *text, GError **error)
{
  g_autoptr (RerouteAccounts) accounts = reroute_accounts_parse (text, error);
  RerouteAccounts *offered;

  if (accounts == NULL)
    return FALSE;
  offered = reroute_accounts_get_n (accounts) > 0 ? accounts : NULL;
  for (guint i = 0; i < self->n_receivers; i++)
    reroute_receiver_set_accounts (self->receivers[i], offered);
  return TRUE;
}

static gboolean
put_secrets_in_force (RerouteSecretsKeeper *self, const char *text, GError **error)
{
  g_autoptr (RerouteSecrets) secrets = reroute_secrets_parse (text, error);

  if (secrets == NULL)
    return FALSE;
  reroute_scheduler_set_secrets (self->scheduler, secrets);
  return TRUE;
}

static gboolean
check_verifier (const char *value, GError **error)
{
  RerouteVerifier verifier;

  if (!reroute_verifier_parse (&verifier, value, error))
    return FALSE;
  reroute_verifier_clear (&verifier);
  return TRUE;
}

static gboolean
check_secret (const char *value, GError **error)
{
  g_autoptr (RerouteSecret) secret = reroute_secret_parse (value, error);

  return secret != NULL;
}

static const struct
{
  const char *file;
  const char *word;   /* that a line begins with */
  const char *prefix; /* of a name on the bus */
  gboolean (*put_in_force) (RerouteSecretsKeeper *self, const char *text, GError **error);
  gboolean (*check) (const char *value, GError **error);
} kinds[N_KINDS] = {
  [KIND_IN] = { "accounts", "account ", "in:", put_accounts_in_force, check_verifier },
  [KIND_OUT] = { "secrets", "secret ", "out:", put_secrets_in_force, check_secret },
};

/* (nullable) (transfer full): its path among the credentials, where it is there */
static char *
find_credential (const char *file)
{
  const char *directory = g_getenv ("CREDENTIALS_DIRECTORY");
  g_autofree char *path = directory != NULL ? g_build_filename (directory, file, NULL) : NULL;

  return path != NULL && g_file_test (path, G_FILE_TEST_EXISTS) ? g_steal_pointer (&path) : NULL;
}

static char *
read_credential (const char *path, GError **error)
{
  char *text = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, error))
    {
      g_prefix_error (error, "cannot read a credential: ");
      return NULL;
    }
  if (length <= REROUTE_LIMIT_SECRETS_FILE_OCTETS && strlen (text) == length)
    return text;
  explicit_bzero (text, length);
  g_free (text);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "credential “%s” is too long, or no text: wanted at most %d octets",
               path,
               REROUTE_LIMIT_SECRETS_FILE_OCTETS);
  return NULL;
}

static char *
read_text (RerouteSecretsKeeper *self, const char *file, GError **error)
{
  g_autofree char *credential = find_credential (file);

  if (credential != NULL)
    return read_credential (credential, error);
  g_autoptr (GBytes) octets = reroute_spool_read_file (
    self->spool, file, REROUTE_LIMIT_SECRETS_FILE_OCTETS, error);
  gsize length = 0;
  const char *data = octets != NULL ? g_bytes_get_data (octets, &length) : NULL;

  return octets != NULL ? g_strndup (data != NULL ? data : "", length) : NULL;
}

static gboolean
write_text (RerouteSecretsKeeper *self, const char *file, const GString *text, GError **error)
{
  g_autoptr (GBytes) octets = g_bytes_new_static (text->str, text->len);

  return reroute_spool_write_file (self->spool, file, octets, error);
}

/* Makes what is in the file the one that is in force; keeps what was, when it cannot. */
static gboolean
load (RerouteSecretsKeeper *self, Kind kind, GError **error)
{
  g_autofree char *text = read_text (self, kinds[kind].file, error);

  if (text == NULL)
    return FALSE;
  if (g_strcmp0 (text, self->texts[kind]) == 0)
    return TRUE;
  if (!kinds[kind].put_in_force (self, text, error))
    return FALSE;
  g_free (self->texts[kind]);
  self->texts[kind] = g_steal_pointer (&text);
  return TRUE;
}

/* Says once what is wrong. */
static void
look (RerouteSecretsKeeper *self, Kind kind)
{
  g_autoptr (GError) error = NULL;
  gboolean known;

  load (self, kind, &error);
  known = error == NULL || g_strcmp0 (error->message, self->failures[kind]) == 0;
  if (!known)
    g_warning ("%s; what was in force before stays", error->message);
  g_free (self->failures[kind]);
  self->failures[kind] = error != NULL ? g_strdup (error->message) : NULL;
}

void
reroute_secrets_keeper_reload (RerouteSecretsKeeper *self)
{
  g_return_if_fail (self != NULL);

  for (Kind kind = 0; kind < N_KINDS; kind++)
    look (self, kind);
}

static gboolean
look_cb (gpointer user_data)
{
  reroute_secrets_keeper_reload (user_data);
  return G_SOURCE_CONTINUE;
}

RerouteSecretsKeeper *
reroute_secrets_keeper_new (RerouteSpool *spool,
                            RerouteReceiver *const *receivers,
                            guint n_receivers,
                            RerouteScheduler *scheduler)
{
  g_return_val_if_fail (spool != NULL && receivers != NULL && scheduler != NULL, NULL);

  RerouteSecretsKeeper *self = g_new0 (RerouteSecretsKeeper, 1);

  self->spool = spool;
  self->receivers = receivers;
  self->n_receivers = n_receivers;
  self->scheduler = scheduler;
  reroute_secrets_keeper_reload (self);
  self->look_id = g_timeout_add_seconds (LOOK_EVERY_S, look_cb, self);
  return self;
}

static void
free_text (char *text)
{
  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
}

void
reroute_secrets_keeper_free (RerouteSecretsKeeper *self)
{
  g_return_if_fail (self != NULL);

  g_source_remove (self->look_id);
  for (Kind kind = 0; kind < N_KINDS; kind++)
    {
      free_text (self->texts[kind]);
      g_free (self->failures[kind]);
    }
  g_free (self);
}

/* --- changes --- */

static gboolean
find_kind (const char *name, Kind *kind, GError **error)
{
  for (*kind = 0; *kind < N_KINDS; (*kind)++)
    if (g_str_has_prefix (name, kinds[*kind].prefix))
      return reroute_account_check_name (name + strlen (kinds[*kind].prefix), error);
  g_set_error_literal (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_VALUE,
                       "the name of a secret begins with neither “in:” nor “out:”");
  return FALSE;
}

/* The lines of a file without the one that begins with @start; how many others begin with @word, as
   the accounts do, and whether it was there. */
static GString *
copy_others (
  const char *text, const char *word, const char *start, guint *n_others, gboolean *found)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *copy = g_string_new (NULL);

  *n_others = 0;
  *found = FALSE;
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], start))
      *found = TRUE;
    else if (*lines[i] != '\0')
      {
        g_string_append_printf (copy, "%s\n", lines[i]);
        *n_others += g_str_has_prefix (lines[i], word);
      }
  return copy;
}

static void
add_decoy_key (GString *text)
{
  guint64 numbers[DECOY_KEY_NUMBERS];

  for (guint i = 0; i < DECOY_KEY_NUMBERS; i++)
    numbers[i] = reroute_spool_random ();
  g_autofree char *key = g_base64_encode ((const guchar *) numbers, sizeof numbers);
  g_string_prepend (text, "\n");
  g_string_prepend (text, key);
  g_string_prepend (text, DECOY);
}

/* Whether the names of @kind are kept where we may write. */
static gboolean
check_writable (Kind kind, GError **error)
{
  g_autofree char *credential = find_credential (kinds[kind].file);

  if (credential != NULL)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_VALUE,
                 "these accounts come from the credential “%s”: change that one",
                 credential);
  return credential == NULL;
}

gboolean
reroute_secrets_keeper_set (RerouteSecretsKeeper *self,
                            const char *name,
                            const char *value,
                            GError **error)
{
  g_return_val_if_fail (self != NULL && name != NULL && value != NULL, FALSE);

  Kind kind;
  guint n_others;
  gboolean found;

  if (!find_kind (name, &kind, error) || !check_writable (kind, error) ||
      (*value != '\0' && !kinds[kind].check (value, error)) || !load (self, kind, error))
    return FALSE;
  const char *bare = name + strlen (kinds[kind].prefix);
  g_autofree char *start = g_strdup_printf ("%s%s ", kinds[kind].word, bare);
  g_autoptr (GString) text =
               copy_others (self->texts[kind], kinds[kind].word, start, &n_others, &found);
  if (*value == '\0' && !found)
    {
      g_set_error (
        error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_ENTRY, "there is no account “%s”", bare);
      return FALSE;
    }
  if (*value != '\0' && (n_others >= REROUTE_LIMIT_ACCOUNTS ||
                         text->len + strlen (start) + strlen (value) + FILE_MARGIN_OCTETS >
                           REROUTE_LIMIT_SECRETS_FILE_OCTETS))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_TOO_LARGE,
                   "there is no room for another account: wanted at most %d",
                   REROUTE_LIMIT_ACCOUNTS);
      return FALSE;
    }
  if (*value != '\0')
    g_string_append_printf (text, "%s%s\n", start, value);
  if (kind == KIND_IN && strstr (text->str, DECOY) != text->str)
    add_decoy_key (text);
  gboolean done = write_text (self, kinds[kind].file, text, error) && load (self, kind, error);
  explicit_bzero (text->str, text->len);
  return done;
}

RerouteSecret *
reroute_secrets_keeper_find (const RerouteSecretsKeeper *self, const char *account)
{
  g_return_val_if_fail (self != NULL && account != NULL, NULL);

  const char *text = self->texts[KIND_OUT];
  g_autoptr (RerouteSecrets) secrets = reroute_secrets_parse (text != NULL ? text : "", NULL);
  RerouteSecret *secret = secrets != NULL ? reroute_secrets_find (secrets, account) : NULL;

  return secret != NULL ? reroute_secret_ref (secret) : NULL;
}

GStrv
reroute_secrets_keeper_list (const RerouteSecretsKeeper *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (Kind kind = 0; kind < N_KINDS; kind++)
    {
      g_auto (GStrv) lines =
                g_strsplit (self->texts[kind] != NULL ? self->texts[kind] : "", "\n", -1);

      for (guint i = 0; lines[i] != NULL; i++)
        {
          g_auto (GStrv) words = g_strsplit (lines[i], " ", 3);

          if (!g_str_has_prefix (lines[i], kinds[kind].word) || g_strv_length (words) < 3)
            continue;
          g_autofree char *name = g_strconcat (kinds[kind].prefix, words[1], NULL);
          g_strv_builder_add (names, name);
        }
    }
  return g_strv_builder_end (names);
}
