/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * account.c - reroutectl account list | add | remove
 *
 * Two kinds: accounts that clients log in to here, and, with --out, those that the relay logs in to
 * elsewhere.  A password of the first kind leaves this program as a verifier alone.
 */

#include "config.h"

#include "service/ctl/ctl.h"
#include "service/ctl/password.h"
#include "service/ctl/refusal.h"
#include "service/ctl/table.h"

#include "common/secret.h"
#include "common/verifier.h"

#include <glib/gi18n.h>
#include <string.h>

#define IN "in:"
#define OUT "out:"

typedef struct
{
  gboolean out;
  gboolean from_stdin;
  char *user;
  char *token_file;
  char *token_command;
} AccountOptions;

static void
account_options_clear (AccountOptions *options)
{
  g_clear_pointer (&options->user, g_free);
  g_clear_pointer (&options->token_file, g_free);
  g_clear_pointer (&options->token_command, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AccountOptions, account_options_clear)

static gboolean
set_secret (RerouteCtl *ctl, gboolean out, const char *account, const char *value, GError **error)
{
  g_autofree char *name = g_strconcat (out ? OUT : IN, account, NULL);
  g_autoptr (GAsyncResult) result = NULL;

  reroute_relay_client_set_secret_async (
    ctl->relay, name, value, NULL, reroute_ctl_wait_cb, &result);
  return reroute_relay_client_set_secret_finish (ctl->relay, reroute_ctl_wait (&result), error);
}

/* --- list --- */

static void
list_account (const char *name, RerouteTable *table, JsonBuilder *builder)
{
  gboolean out = g_str_has_prefix (name, OUT);
  const char *kind = out ? "out" : "in";
  const char *bare = name + strlen (out ? OUT : IN);

  json_builder_begin_object (builder);
  reroute_ctl_add_string (builder, "name", bare);
  reroute_ctl_add_string (builder, "kind", kind);
  json_builder_end_object (builder);
  reroute_table_add (table,
                     bare,
                     kind,
                     out
                     ? _ ("the relay logs in with it elsewhere")
                     : _ ("a client may log in here"), NULL);
}

gboolean
reroute_ctl_account_list (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  const char *const titles[] = {
    C_ ("heading", "NAME"), C_ ("heading", "KIND"), C_ ("heading", "MEANING"), NULL
  };
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_auto (GStrv) names = NULL;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 0, error))
    return FALSE;
  reroute_relay_client_list_secrets_async (ctl->relay, NULL, reroute_ctl_wait_cb, &result);
  names = reroute_relay_client_list_secrets_finish (ctl->relay, reroute_ctl_wait (&result), error);
  if (names == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  for (char **name = names; *name != NULL; name++)
    list_account (*name, table, builder);
  json_builder_end_array (builder);
  if (ctl->json)
    reroute_ctl_print_json (builder);
  else
    reroute_table_print (table);
  return TRUE;
}

/* --- add --- */

static gboolean
parse_options (RerouteCtl *ctl, AccountOptions *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "out", 0, 0, G_OPTION_ARG_NONE, &options->out, NULL, NULL },
    { "user", 0, 0, G_OPTION_ARG_STRING, &options->user, NULL, NULL },
    { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &options->token_file, NULL, NULL },
    { "token-command", 0, 0, G_OPTION_ARG_STRING, &options->token_command, NULL, NULL },
    { "password-stdin", 0, 0, G_OPTION_ARG_NONE, &options->from_stdin, NULL, NULL },
    { NULL },
  };

  if (!reroute_ctl_parse (ctl, entries, argc, argv, 1, 1, error))
    return FALSE;
  if (!reroute_account_check_name ((*argv)[1], error))
    {
      reroute_ctl_reword_account (error, (*argv)[1]);
      return FALSE;
    }
  if (!options->out &&
      (options->user != NULL || options->token_file != NULL || options->token_command != NULL))
    {
      g_set_error_literal (error,
                           G_OPTION_ERROR,
                           G_OPTION_ERROR_FAILED,
                           _ ("--user, --token-file and --token-command are for the relay's own logins: say --out too"));
      return FALSE;
    }
  if ((options->token_file != NULL) + (options->token_command != NULL) + options->from_stdin > 1)
    {
      g_set_error_literal (
        error,
        G_OPTION_ERROR,
        G_OPTION_ERROR_FAILED,
        _ ("--token-file, --token-command and --password-stdin exclude each other"));
      return FALSE;
    }
  return TRUE;
}

/* What the relay is told of @password. */
static char *
make_value (const AccountOptions *options,
            const char *account,
            const char *password,
            GError **error)
{
  const char *user = options->user != NULL ? options->user : account;
  g_autoptr (RerouteSecret) secret = NULL;

  if (!options->out)
    return reroute_verifier_make (password, error);
  if (options->token_file != NULL)
    secret = reroute_secret_new (REROUTE_SECRET_TOKEN_FILE, user, options->token_file, error);
  else if (options->token_command != NULL)
    secret = reroute_secret_new (REROUTE_SECRET_TOKEN_COMMAND, user, options->token_command, error);
  else
    secret = reroute_secret_new (REROUTE_SECRET_PASSWORD, user, password, error);
  return secret != NULL ? reroute_secret_to_string (secret) : NULL;
}

gboolean
reroute_ctl_account_add (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (AccountOptions) options = { 0 };
  char *password = NULL;
  char *value;
  gboolean done;

  if (!parse_options (ctl, &options, &argc, &argv, error))
    return FALSE;
  if (options.token_file == NULL && options.token_command == NULL)
    {
      const char *user = options.user != NULL ? options.user : argv[1];

      password = reroute_ctl_read_password (options.from_stdin ? NULL : user, error);
      if (password == NULL)
        return FALSE;
    }
  value = make_value (&options, argv[1], password, error);
  reroute_ctl_free_password (password);
  done = value != NULL && set_secret (ctl, options.out, argv[1], value, error);
  reroute_ctl_free_password (value);
  return done;
}

/* --- remove --- */

gboolean
reroute_ctl_account_remove (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  gboolean out = FALSE;
  const GOptionEntry entries[] = {
    { "out", 0, 0, G_OPTION_ARG_NONE, &out, NULL, NULL },
    { NULL },
  };

  return reroute_ctl_parse (ctl, entries, &argc, &argv, 1, 1, error) &&
         set_secret (ctl, out, argv[1], "", error);
}
