/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session-auth.c - a client logs in
 *
 * Every step of an exchange runs on a thread of the receiver's, for a password is checked in some
 * 20 ms, and other sessions have better to do meanwhile.  Who fails too often is not listened to.
 *
 * Standards: RFC 4954.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-session"

#include "common/limits.h"
#include "service/relay/receive/session-log.h"
#include "service/relay/receive/session-private.h"

/* Of who has hung up as well: that he does not hear of it makes it no other guess. */
static void
fail (RerouteSession *self)
{
  RerouteReceiver *receiver = self->receiver;
  g_autoptr (RerouteReply) reply = reroute_reply_new (535, "5.7.8", "Authentication failed");

  reroute_admission_count_failed_login (
    receiver->config.admission, &self->client.ip, reroute_worker_now_us (receiver->worker));
  reroute_session_log_login (&self->client.ip, self->sasl, reply);
  if (!self->closed)
    reroute_smtp_server_finish_auth (self->machine, reply);
}

/* Whether the login that was checked by @accounts is good by those in force as well. */
static gboolean
is_good (const RerouteSession *self, const RerouteAccounts *accounts, const char *name)
{
  const RerouteAccounts *in_force = self->receiver->accounts;

  return in_force != NULL && reroute_accounts_agree (in_force, accounts, name);
}

/* Its account may have gone while the password was checked. */
static gboolean
has_succeeded (const RerouteSession *self)
{
  return self->sasl_state == REROUTE_SASL_SUCCEEDED &&
         is_good (self,
                  reroute_sasl_server_get_accounts (self->sasl),
                  reroute_sasl_server_get_name (self->sasl));
}

static void
succeed (RerouteSession *self)
{
  g_autoptr (RerouteReply) reply = reroute_reply_new (235, "2.7.0", "Authentication successful");

  self->client.authenticated = self->permitted = TRUE;
  self->account = g_strdup (reroute_sasl_server_get_name (self->sasl));
  self->mechanism = g_strdup (reroute_sasl_server_get_mechanism (self->sasl));
  self->accounts = reroute_accounts_ref (self->receiver->accounts);
  reroute_session_log_login (&self->client.ip, self->sasl, reply);
  reroute_smtp_server_finish_auth (self->machine, reply);
}

static void
challenge (RerouteSession *self, GBytes *octets)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (octets, &length);

  reroute_smtp_server_continue_auth (self->machine, data, length);
}

/* Back on the worker. */
static void
take_step_cb (RerouteWorker *worker, gpointer user_data)
{
  RerouteSession *self = user_data;
  g_autoptr (GBytes) octets = g_steal_pointer (&self->sasl_challenge);

  if (self->sasl_state != REROUTE_SASL_CONTINUES && !has_succeeded (self))
    fail (self);
  else if (!self->closed && self->sasl_state == REROUTE_SASL_CONTINUES)
    challenge (self, octets);
  else if (!self->closed)
    succeed (self);
  if (self->sasl_state != REROUTE_SASL_CONTINUES)
    g_clear_pointer (&self->sasl, reroute_sasl_server_free);
  if (!self->closed)
    reroute_session_advance (self);
  reroute_session_unref (self);
}

/* On the thread for logins. */
static void
step_cb (gpointer data, gpointer user_data)
{
  RerouteSession *self = data;
  g_autoptr (GBytes) response = g_steal_pointer (&self->sasl_response);

  self->sasl_state = reroute_sasl_server_step (self->sasl, response, &self->sasl_challenge);
  reroute_worker_post (self->receiver->worker, take_step_cb, self);
}

/* FALSE: it was refused. */
static gboolean
begin (RerouteSession *self, const char *mechanism)
{
  RerouteReceiver *receiver = self->receiver;
  g_autoptr (RerouteReply) refusal =
               reroute_admission_judge_login (receiver->config.admission,
                                              receiver->settings,
                                              &self->client.ip,
                                              reroute_worker_now_us (receiver->worker));

  /* The last account may have gone since EHLO. */
  if (refusal == NULL && receiver->accounts == NULL)
    refusal = reroute_reply_new (454, "4.7.0", "Nobody can log in at present");
  if (refusal == NULL && receiver->logins != NULL &&
      g_thread_pool_unprocessed (receiver->logins) >= REROUTE_LIMIT_LOGINS_WAITING)
    refusal = reroute_reply_new (454, "4.7.0", "Too many log in at present, try again later");
  if (refusal != NULL)
    {
      reroute_smtp_server_finish_auth (self->machine, refusal);
      return FALSE;
    }
  g_clear_pointer (&self->sasl, reroute_sasl_server_free);
  self->sasl = reroute_sasl_server_new (receiver->accounts, mechanism);
  return TRUE;
}

void
reroute_session_auth_cb (RerouteSmtpServer *machine,
                         const char *mechanism,
                         GBytes *response,
                         gpointer user_data)
{
  RerouteSession *self = user_data;
  RerouteReceiver *receiver = self->receiver;

  if (mechanism != NULL && !begin (self, mechanism))
    return;
  self->sasl_response = response != NULL ? g_bytes_ref (response) : NULL;
  if (receiver->logins == NULL)
    receiver->logins = g_thread_pool_new (step_cb, NULL, 1, FALSE, NULL);
  g_thread_pool_push (receiver->logins, reroute_session_ref (self), NULL);
}

void
reroute_session_follow_accounts (RerouteSession *self)
{
  if (self->accounts == NULL)
    return;
  if (!is_good (self, self->accounts, self->account))
    {
      reroute_session_dismiss (
        self, reroute_reply_new (421, "4.7.0", "Your login has changed, connect again"));
      return;
    }
  /* The former ones need not be kept for it. */
  reroute_accounts_unref (self->accounts);
  self->accounts = reroute_accounts_ref (self->receiver->accounts);
}
