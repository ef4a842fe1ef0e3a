/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * secrets.c - what the relay logs in with at next hops
 */

#include "config.h"

#include "service/relay/deliver/secrets.h"

#include "common/error.h"
#include "common/limits.h"
#include "common/verifier.h"
#include "service/relay/ordinary-file.h"

#include <string.h>

#define SECRET "secret"

struct _RerouteSecrets
{
  gatomicrefcount ref_count;
  GHashTable *by_account; /* (element-type utf8 RerouteSecret) */
};

static gboolean
parse_line (RerouteSecrets *self, const char *line, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  RerouteSecret *secret;

  if (g_strv_length (words) != 3 || !g_str_equal (words[0], SECRET))
    {
      g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "it is no secret");
      return FALSE;
    }
  if (!reroute_account_check_name (words[1], error) ||
      (secret = reroute_secret_parse (words[2], error)) == NULL)
    return FALSE;
  g_hash_table_replace (self->by_account, g_strdup (words[1]), secret);
  explicit_bzero (words[2], strlen (words[2]));
  return TRUE;
}

RerouteSecrets *
reroute_secrets_parse (const char *text, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);

  g_autoptr (RerouteSecrets) self = g_new0 (RerouteSecrets, 1);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_atomic_ref_count_init (&self->ref_count);
  self->by_account =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) reroute_secret_unref);
  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0' && !parse_line (self, lines[i], error))
      {
        g_prefix_error (error, "line %u of the secrets: ", i + 1);
        return NULL;
      }
  return g_steal_pointer (&self);
}

RerouteSecrets *
reroute_secrets_ref (RerouteSecrets *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_secrets_unref (RerouteSecrets *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->by_account);
  g_free (self);
}

static gboolean
is_token (const char *text)
{
  gsize length = 0;

  while (g_ascii_isgraph (text[length]))
    length++;
  return length > 0 && length <= REROUTE_LIMIT_TOKEN_OCTETS && text[length] == '\0';
}

char *
reroute_secret_read_token (const RerouteSecret *secret, GError **error)
{
  g_return_val_if_fail (secret != NULL && secret->kind == REROUTE_SECRET_TOKEN_FILE, NULL);

  const char *why = NULL;
  g_autoptr (RerouteFileText) text = reroute_ordinary_file_read (secret->value, &why);
  g_autoptr (RerouteFileText) token = NULL;

  if (text == NULL)
    {
      g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "the token cannot be read: %s", why);
      return NULL;
    }
  token = g_strstrip (g_strndup (text, strcspn (text, "\r\n")));
  if (is_token (token))
    return g_steal_pointer (&token);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "the first line of “%s” is no token: wanted 1 to %d octets without blanks",
               secret->value,
               REROUTE_LIMIT_TOKEN_OCTETS);
  return NULL;
}

RerouteSecret *
reroute_secrets_find (const RerouteSecrets *self, const char *account)
{
  g_return_val_if_fail (self != NULL && account != NULL, NULL);

  return g_hash_table_lookup (self->by_account, account);
}
