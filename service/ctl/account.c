/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * account.c - reroutectl account list | add | remove
 *
 * A password leaves this program as a verifier alone.
 */

#include "config.h"

#include "service/ctl/ctl.h"
#include "service/ctl/password.h"
#include "service/ctl/table.h"

#include "common/verifier.h"

#include <string.h>

#define IN "in:"

static gboolean
set_secret (RerouteCtl *ctl, const char *name, const char *value, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  reroute_relay_client_set_secret_async (
    ctl->relay, name, value, NULL, reroute_ctl_wait_cb, &result);
  return reroute_relay_client_set_secret_finish (ctl->relay, reroute_ctl_wait (&result), error);
}

gboolean
reroute_ctl_account_list (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  static const char *const titles[] = { "NAME", NULL };
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
    if (g_str_has_prefix (*name, IN))
      {
        json_builder_begin_object (builder);
        reroute_ctl_add_string (builder, "name", *name + strlen (IN));
        json_builder_end_object (builder);
        reroute_table_add (table, *name + strlen (IN), NULL);
      }
  json_builder_end_array (builder);
  if (ctl->json)
    reroute_ctl_print_json (builder);
  else
    reroute_table_print (table);
  return TRUE;
}

gboolean
reroute_ctl_account_add (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  gboolean from_stdin = FALSE;
  const GOptionEntry entries[] = {
    { "password-stdin", 0, 0, G_OPTION_ARG_NONE, &from_stdin, NULL, NULL },
    { NULL },
  };
  g_autofree char *name = NULL;
  g_autofree char *prompt = NULL;
  g_autofree char *verifier = NULL;
  char *password;

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 1, 1, error) ||
      !reroute_account_check_name (argv[1], error))
    return FALSE;
  prompt = g_strdup_printf ("Password for %s", argv[1]);
  password = reroute_ctl_read_password (prompt, from_stdin, error);
  if (password == NULL)
    return FALSE;
  verifier = reroute_verifier_make (password, error);
  reroute_ctl_free_password (password);
  name = g_strconcat (IN, argv[1], NULL);
  return verifier != NULL && set_secret (ctl, name, verifier, error);
}

gboolean
reroute_ctl_account_remove (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_autofree char *name = NULL;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 1, 1, error))
    return FALSE;
  name = g_strconcat (IN, argv[1], NULL);
  return set_secret (ctl, name, "", error);
}
