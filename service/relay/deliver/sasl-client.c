/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sasl-client.c - the mechanisms by which we log in at other hosts
 *
 * GNU SASL has all but XOAUTH2, which is one message.  A host that wants a password hashed without
 * end is refused before that is begun.
 *
 * Standards: RFC 4616 (PLAIN), RFC 5802 and RFC 7677 (SCRAM-SHA-256); XOAUTH2 as Google and
 * Microsoft document it.
 */

#include "config.h"

#include "service/relay/deliver/sasl-client.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/deliver/secrets.h"

#include <gsasl.h>
#include <string.h>

#define XOAUTH2 "XOAUTH2"

struct _RerouteSaslClient
{
  RerouteSecret *secret;
  const char *mechanism;
  Gsasl_session *session; /* NULL: XOAUTH2 */
  char *token;            /* of XOAUTH2 */
  gboolean complete;
};

/* The strongest first. */
static const struct
{
  const char *name;
  RerouteSecretKind kind;
  gboolean speaks_second; /* the host does first */
} mechanisms[] = {
  { "SCRAM-SHA-256", REROUTE_SECRET_PASSWORD, FALSE },
  { "PLAIN", REROUTE_SECRET_PASSWORD, FALSE },
  { "LOGIN", REROUTE_SECRET_PASSWORD, TRUE },
  { XOAUTH2, REROUTE_SECRET_TOKEN_FILE, FALSE },
  { XOAUTH2, REROUTE_SECRET_TOKEN_COMMAND, FALSE },
};

static gboolean
fail (GError **error, const char *message)
{
  g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, message);
  return FALSE;
}

static int
property_cb (Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
  RerouteSaslClient *self = gsasl_session_hook_get (session);
  const char *iterations;

  switch (property)
    {
    case GSASL_AUTHID:
      return gsasl_property_set (session, property, self->secret->user);
    case GSASL_PASSWORD:
      iterations = gsasl_property_fast (session, GSASL_SCRAM_ITER);
      if (iterations != NULL &&
          g_ascii_strtoull (iterations, NULL, 10) > REROUTE_LIMIT_SCRAM_ITERATIONS_OUT)
        return GSASL_AUTHENTICATION_ERROR;
      return gsasl_property_set (session, property, self->secret->value);
    default:
      return GSASL_NO_CALLBACK;
    }
}

static Gsasl *
get_library (void)
{
  static Gsasl *library;
  static gsize done;

  if (g_once_init_enter (&done))
    {
      int status = gsasl_init (&library);
      g_assert (status == GSASL_OK);
      gsasl_callback_set (library, property_cb);
      g_once_init_leave (&done, 1);
    }
  return library;
}

static const char *
choose_mechanism (const RerouteSecret *secret, const char *offered)
{
  g_auto (GStrv) words = g_strsplit (offered, " ", -1);

  for (gsize i = 0; i < G_N_ELEMENTS (mechanisms); i++)
    if (mechanisms[i].kind == secret->kind &&
        g_strv_contains ((const char *const *) words, mechanisms[i].name))
      return mechanisms[i].name;
  return NULL;
}

RerouteSaslClient *
reroute_sasl_client_new (RerouteSecret *secret, const char *offered, GError **error)
{
  g_return_val_if_fail (secret != NULL && offered != NULL, NULL);

  g_autoptr (RerouteSaslClient) self = g_new0 (RerouteSaslClient, 1);

  self->secret = reroute_secret_ref (secret);
  self->mechanism = choose_mechanism (secret, offered);
  if (self->mechanism == NULL)
    {
      fail (error,
            secret->kind == REROUTE_SECRET_PASSWORD
              ? "the host offers no mechanism for a password that we have"
              : "the host does not offer XOAUTH2, which the account's token is for");
      return NULL;
    }
  if (secret->kind == REROUTE_SECRET_TOKEN_FILE)
    {
      self->token = reroute_secret_read_token (secret, error);
      return self->token != NULL ? g_steal_pointer (&self) : NULL;
    }
  if (secret->kind == REROUTE_SECRET_TOKEN_COMMAND)
    return g_steal_pointer (&self);
  if (gsasl_client_start (get_library (), self->mechanism, &self->session) != GSASL_OK)
    {
      fail (error, "the library for AUTH does not have the mechanism");
      return NULL;
    }
  gsasl_session_hook_set (self->session, self);
  return g_steal_pointer (&self);
}

void
reroute_sasl_client_free (RerouteSaslClient *self)
{
  g_return_if_fail (self != NULL);

  if (self->session != NULL)
    gsasl_finish (self->session);
  if (self->token != NULL)
    explicit_bzero (self->token, strlen (self->token));
  g_free (self->token);
  reroute_secret_unref (self->secret);
  g_free (self);
}

gboolean
reroute_sasl_client_wants_token (const RerouteSaslClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->secret->kind == REROUTE_SECRET_TOKEN_COMMAND && self->token == NULL;
}

void
reroute_sasl_client_take_token (RerouteSaslClient *self, char *token)
{
  g_return_if_fail (self != NULL && reroute_sasl_client_wants_token (self));

  self->token = token;
}

const char *
reroute_sasl_client_get_token (const RerouteSaslClient *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->token;
}

const char *
reroute_sasl_client_get_mechanism (const RerouteSaslClient *self)
{
  g_return_val_if_fail (self != NULL, "");

  return self->mechanism;
}

static gboolean
speaks_second (const RerouteSaslClient *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (mechanisms); i++)
    if (mechanisms[i].name == self->mechanism)
      return mechanisms[i].speaks_second;
  return FALSE;
}

/* All is said at once; what the host asks then is why it refuses, and wants an empty answer. */
static GBytes *
step_xoauth2 (RerouteSaslClient *self, GBytes *challenge)
{
  if (challenge != NULL)
    return g_bytes_new (NULL, 0);
  char *text = g_strdup_printf ("user=%s\1auth=Bearer %s\1\1", self->secret->user, self->token);
  self->complete = TRUE;
  return g_bytes_new_take (text, strlen (text));
}

gboolean
reroute_sasl_client_step (RerouteSaslClient *self,
                          GBytes *challenge,
                          GBytes **response,
                          GError **error)
{
  g_return_val_if_fail (self != NULL && response != NULL, FALSE);

  gsize length = 0;
  const char *octets = challenge != NULL ? g_bytes_get_data (challenge, &length) : NULL;
  char *output = NULL;
  size_t output_length = 0;
  int result;

  *response = NULL;
  if (self->session == NULL)
    {
      *response = step_xoauth2 (self, challenge);
      return TRUE;
    }
  if (challenge == NULL && speaks_second (self))
    return TRUE;
  if (self->complete)
    return fail (error, "the host asks on when all is said");
  result = gsasl_step (self->session, octets, length, &output, &output_length);
  if (result == GSASL_OK || result == GSASL_NEEDS_MORE)
    {
      *response = g_bytes_new (output, output_length);
      gsasl_free (output);
      self->complete = result == GSASL_OK;
      return TRUE;
    }
  gsasl_free (output);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_PROTOCOL,
               "%s goes wrong: %s",
               self->mechanism,
               gsasl_strerror (result));
  return FALSE;
}

gboolean
reroute_sasl_client_is_complete (const RerouteSaslClient *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->complete;
}
