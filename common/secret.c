/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * secret.c - what the relay logs in with at a next hop
 */

#include "config.h"

#include "common/secret.h"

#include "common/base64.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/program-name.h"

#include <glib/gi18n-lib.h>
#include <string.h>

static const char *const kinds[] = {
  [REROUTE_SECRET_PASSWORD] = "password",
  [REROUTE_SECRET_TOKEN_FILE] = "token-file",
  [REROUTE_SECRET_TOKEN_COMMAND] = "token-command",
};

/* What fits into one message of every mechanism. */
static gboolean
check_text (const char *text, gsize most, const char *refusal, GError **error)
{
  gboolean good = *text != '\0' && strlen (text) <= most && g_utf8_validate (text, -1, NULL);

  for (const char *at = text; good && *at != '\0'; at++)
    good = !g_ascii_iscntrl (*at);
  if (!good)
    g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, refusal);
  return good;
}

static gboolean
check_file (const char *name, GError **error)
{
  if (g_path_is_absolute (name))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               _ ("file name “%s” does not begin with a slash: wanted an absolute one"), name);
  return FALSE;
}

gboolean
reroute_secret_check_command (const char *name, GError **error)
{
  g_return_val_if_fail (name != NULL, FALSE);

  gboolean good = reroute_program_name_is_bare (name);

  if (!good)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_VALUE,
                 _ ("“%s” is no token command: wanted the bare name of a program in the relay's directory of them"),
                    name);
  return good;
}

RerouteSecret *
reroute_secret_new (RerouteSecretKind kind, const char *user, const char *value, GError **error)
{
  g_return_val_if_fail (user != NULL && value != NULL, NULL);

  const char *const refusals[] = {
    [REROUTE_SECRET_PASSWORD] =
      _ ("the password is empty, too long or has control characters"),
         [REROUTE_SECRET_TOKEN_FILE] =
           _ ("the name of the token's file is empty, too long or has control characters"),
              [REROUTE_SECRET_TOKEN_COMMAND] =
                _ ("the name of the token's command is empty, too long or has control characters"),
              };

  if (!check_text (user,
                   REROUTE_LIMIT_ACCOUNT_OCTETS,
                   _ ("the user name is empty, too long or has control characters"), error) ||
                   !check_text (value, REROUTE_LIMIT_PASSWORD_OCTETS, refusals[kind], error) ||
                   (kind == REROUTE_SECRET_TOKEN_FILE && !check_file (value, error)) ||
                   (kind == REROUTE_SECRET_TOKEN_COMMAND &&
                    !reroute_secret_check_command (value, error)))
    return NULL;
  RerouteSecret *self = g_new0 (RerouteSecret, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->kind = kind;
  self->user = g_strdup (user);
  self->value = g_strdup (value);
  return self;
}

RerouteSecret *
reroute_secret_ref (RerouteSecret *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_secret_unref (RerouteSecret *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  explicit_bzero (self->value, strlen (self->value));
  g_free (self->value);
  g_free (self->user);
  g_free (self);
}

char *
reroute_secret_to_string (const RerouteSecret *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autofree char *user = g_base64_encode ((const guchar *) self->user, strlen (self->user));
  g_autofree char *value = g_base64_encode ((const guchar *) self->value, strlen (self->value));

  char *text = g_strdup_printf ("%s %s %s", kinds[self->kind], user, value);
  explicit_bzero (value, strlen (value));
  return text;
}

/* (nullable) (transfer full): text without a NUL in it */
static char *
decode (const char *text)
{
  g_autoptr (GBytes) octets = reroute_base64_decode (text);
  gsize length = 0;
  const char *data = octets != NULL ? g_bytes_get_data (octets, &length) : NULL;

  return data != NULL && memchr (data, '\0', length) == NULL ? g_strndup (data, length) : NULL;
}

RerouteSecret *
reroute_secret_parse (const char *text, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);

  g_auto (GStrv) words = g_strsplit (text, " ", 4);
  gboolean is_whole = g_strv_length (words) == 3;
  g_autofree char *user = is_whole ? decode (words[1]) : NULL;
  g_autofree char *value = is_whole ? decode (words[2]) : NULL;
  gsize kind = 0;
  RerouteSecret *self = NULL;

  while (kind < G_N_ELEMENTS (kinds) && is_whole && !g_str_equal (words[0], kinds[kind]))
    kind++;
  if (kind < G_N_ELEMENTS (kinds) && user != NULL && value != NULL)
    self = reroute_secret_new ((RerouteSecretKind) kind, user, value, error);
  else
    g_set_error_literal (
      error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "the secret of an account is malformed");
  if (value != NULL)
    explicit_bzero (value, strlen (value));
  return self;
}
