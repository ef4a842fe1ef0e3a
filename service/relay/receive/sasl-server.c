/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sasl-server.c - the mechanisms by which clients log in, by GNU SASL
 *
 * All of them end at the verifier of the name, or at a decoy: a name without an account takes the
 * same way as a wrong password.  Nobody may act for another.
 *
 * Standards: RFC 4422, RFC 4616 (PLAIN), RFC 5802 and RFC 7677 (SCRAM-SHA-256).
 */

#include "config.h"

#include "service/relay/receive/sasl-server.h"

#include <gsasl.h>
#include <string.h>

struct _RerouteSaslServer
{
  RerouteAccounts *accounts;
  char *mechanism;
  char *name;
  Gsasl_session *session; /* NULL: the library has no such mechanism, or no memory */
  gboolean begun;
  gboolean heard;  /* the client has said something */
  gboolean proved; /* the client awaits what the server proves, and says no more */
};

static int
set_key (Gsasl_session *session, Gsasl_property property, const guint8 *key)
{
  g_autofree char *text = g_base64_encode (key, REROUTE_VERIFIER_KEY_OCTETS);

  return gsasl_property_set (session, property, text);
}

static int
tell_verifier (Gsasl_session *session, Gsasl_property property, const RerouteVerifier *verifier)
{
  char iterations[16];

  switch (property)
    {
    case GSASL_SCRAM_ITER:
      g_snprintf (iterations, sizeof iterations, "%u", verifier->iterations);
      return gsasl_property_set (session, property, iterations);
    case GSASL_SCRAM_SALT:
      return gsasl_property_set (session, property, verifier->salt);
    case GSASL_SCRAM_STOREDKEY:
      return set_key (session, property, verifier->stored_key);
    case GSASL_SCRAM_SERVERKEY:
      return set_key (session, property, verifier->server_key);
    default:
      return GSASL_NO_CALLBACK;
    }
}

static int
property_cb (Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
  RerouteSaslServer *self = gsasl_session_hook_get (session);
  const char *name = gsasl_property_fast (session, GSASL_AUTHID);
  const char *password;
  RerouteVerifier verifier;
  int result;

  if (name == NULL)
    return GSASL_NO_AUTHID;
  verifier = reroute_accounts_find (self->accounts, name);
  if (property != GSASL_VALIDATE_SIMPLE)
    result = tell_verifier (session, property, &verifier);
  else
    {
      password = gsasl_property_fast (session, GSASL_PASSWORD);
      result = password != NULL && reroute_verifier_matches (&verifier, password)
                 ? GSASL_OK
                 : GSASL_AUTHENTICATION_ERROR;
    }
  reroute_verifier_clear (&verifier);
  return result;
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

RerouteSaslServer *
reroute_sasl_server_new (RerouteAccounts *accounts, const char *mechanism)
{
  g_return_val_if_fail (accounts != NULL && mechanism != NULL, NULL);

  RerouteSaslServer *self = g_new0 (RerouteSaslServer, 1);
  self->accounts = reroute_accounts_ref (accounts);
  self->mechanism = g_strdup (mechanism);
  if (gsasl_server_start (get_library (), mechanism, &self->session) == GSASL_OK)
    gsasl_session_hook_set (self->session, self);
  return self;
}

void
reroute_sasl_server_free (RerouteSaslServer *self)
{
  g_return_if_fail (self != NULL);

  if (self->session != NULL)
    gsasl_finish (self->session);
  reroute_accounts_unref (self->accounts);
  g_free (self->mechanism);
  g_free (self->name);
  g_free (self);
}

static gboolean
speaks_first (const RerouteSaslServer *self)
{
  return g_str_equal (self->mechanism, "LOGIN");
}

/* One step of the library. */
static int
run (RerouteSaslServer *self, GBytes *response, GBytes **challenge)
{
  gsize length = 0;
  const char *octets = response != NULL ? g_bytes_get_data (response, &length) : NULL;
  char *output = NULL;
  size_t output_length = 0;
  int result;

  /* The library takes no octets for none said, and "" for a response that is empty. */
  if (octets == NULL && response != NULL)
    octets = "";
  result = gsasl_step (self->session, octets, length, &output, &output_length);
  g_clear_pointer (challenge, g_bytes_unref);
  *challenge = g_bytes_new (output, output_length);
  gsasl_free (output);
  return result;
}

static gboolean
acts_for_itself (const RerouteSaslServer *self)
{
  const char *name = gsasl_property_fast (self->session, GSASL_AUTHID);
  const char *other = gsasl_property_fast (self->session, GSASL_AUTHZID);

  return name != NULL && (other == NULL || *other == '\0' || g_str_equal (other, name));
}

static RerouteSaslState
judge (RerouteSaslServer *self, int result, GBytes *challenge)
{
  if (result == GSASL_NEEDS_MORE)
    return REROUTE_SASL_CONTINUES;
  if (result != GSASL_OK || !acts_for_itself (self))
    return REROUTE_SASL_FAILED;
  /* SMTP has no room for it in 235: it is a challenge, and the response is empty (RFC 4954 4). */
  self->proved = g_bytes_get_size (challenge) > 0;
  return self->proved ? REROUTE_SASL_CONTINUES : REROUTE_SASL_SUCCEEDED;
}

/* RFC 5802 6: we offer no channel binding, so who asks for it speaks to another mechanism. */
static gboolean
asks_for_binding (GBytes *response)
{
  gsize length = 0;
  const char *octets = response != NULL ? g_bytes_get_data (response, &length) : NULL;

  return length > 1 && octets[0] == 'p' && octets[1] == '=';
}

RerouteSaslState
reroute_sasl_server_step (RerouteSaslServer *self, GBytes *response, GBytes **challenge)
{
  g_return_val_if_fail (self != NULL && challenge != NULL, REROUTE_SASL_FAILED);

  g_autoptr (GBytes) said = NULL;
  const char *name;
  RerouteSaslState state;
  int result = GSASL_OK;

  *challenge = NULL;
  gboolean binds =
    !self->heard && asks_for_binding (response) && g_str_equal (self->mechanism, "SCRAM-SHA-256");
  self->heard = self->heard || response != NULL;
  if (self->session == NULL || binds)
    return REROUTE_SASL_FAILED;
  if (self->proved)
    return response != NULL && g_bytes_get_size (response) == 0 ? REROUTE_SASL_SUCCEEDED
                                                                : REROUTE_SASL_FAILED;
  /* The client may answer what it was not asked yet (RFC 4954 4 forbids it, clients do it). */
  if (!self->begun && response != NULL && speaks_first (self))
    result = run (self, NULL, &said);
  self->begun = TRUE;
  if (result == GSASL_OK || result == GSASL_NEEDS_MORE)
    result = run (self, response, &said);
  name = gsasl_property_fast (self->session, GSASL_AUTHID);
  g_free (self->name);
  self->name = g_strdup (name);
  state = judge (self, result, said);
  if (state == REROUTE_SASL_CONTINUES)
    *challenge = g_steal_pointer (&said);
  return state;
}

RerouteAccounts *
reroute_sasl_server_get_accounts (const RerouteSaslServer *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->accounts;
}

const char *
reroute_sasl_server_get_mechanism (const RerouteSaslServer *self)
{
  g_return_val_if_fail (self != NULL, "");

  return self->mechanism;
}

const char *
reroute_sasl_server_get_name (const RerouteSaslServer *self)
{
  g_return_val_if_fail (self != NULL, "");

  return self->name != NULL ? self->name : "";
}
