/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connection-tls.c - TLS of an outgoing connection: the handshake, and what it must prove
 *
 * Where TLS is only an opportunity any certificate will do, and a failure is told apart so that the
 * owner can try again in clear text.
 *
 * Validated TLSA records come before every level but none: with them TLS is demanded, and they say
 * which certificate will do.  Behind them, or where none of them is of use, comes the domain's
 * MTA-STS policy: enforced, it demands a certificate for the exchanger's name; on trial, what it
 * would refuse is logged.
 *
 * Standards: RFC 3207, RFC 7672 (DANE), RFC 7817 (which names a certificate must be for), RFC 8461
 * sections 4 and 5 (MTA-STS).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/connection-private.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/deliver/dane.h"

#include <string.h>
#include <sys/epoll.h>

/* A session that is resumed is one with the certificate that was shown first. */
static void
set_certificate (RerouteConnection *self, RerouteClientCertificate *certificate)
{
  g_autofree char *label = NULL;

  if (certificate == NULL)
    return;
  label = self->session_key;
  self->certificate = reroute_client_certificate_ref (certificate);
  self->session_key =
    g_strconcat (label, " as ", reroute_client_certificate_get_fingerprint (certificate), NULL);
}

void
reroute_connection_set_tls (RerouteConnection *self, const RerouteConnectionConfig *config)
{
  RerouteTlsLevel level = config->tls_level;
  static const RerouteSmtpClientTls of_level[] = {
    [REROUTE_TLS_NONE] = REROUTE_SMTP_CLIENT_TLS_NEVER,
    [REROUTE_TLS_OPPORTUNISTIC] = REROUTE_SMTP_CLIENT_TLS_IF_OFFERED,
    [REROUTE_TLS_ENCRYPTED] = REROUTE_SMTP_CLIENT_TLS_ALWAYS,
    [REROUTE_TLS_VERIFIED] = REROUTE_SMTP_CLIENT_TLS_ALWAYS,
  };

  gboolean demanded = level != REROUTE_TLS_NONE && (self->endpoint.tlsa != NULL ||
                                                    reroute_endpoint_is_enforced (&self->endpoint));

  self->tls = reroute_tls_client_ref (config->tls);
  self->tls_level = level;
  self->session_key = reroute_connection_dup_label (self);
  set_certificate (self, config->certificate);
  reroute_smtp_client_set_tls (self->machine,
                               demanded ? REROUTE_SMTP_CLIENT_TLS_ALWAYS : of_level[level]);
}

/* The first failure counts. */
static void
note_verdict (RerouteConnection *self, RerouteTlsVerdict verdict, const char *reason)
{
  if (self->tls_verdict > REROUTE_TLS_VERDICT_SUCCESS)
    return;
  self->tls_verdict = verdict;
  self->tls_reason = g_strdup (reason);
}

/* A domain whose policy is on trial wants to know. */
static void
log_trial (const RerouteConnection *self, const char *why)
{
  g_autofree char *label = reroute_connection_dup_label (self);

  g_message ("MTA-STS policy of %s, testing: mail to %s would wait if it were enforced: %s",
             self->endpoint.domain,
             label,
             why);
}

static gboolean
is_on_trial (const RerouteConnection *self)
{
  return self->endpoint.sts != NULL && self->endpoint.sts->mode == REROUTE_STS_TESTING &&
         self->tls_level != REROUTE_TLS_NONE;
}

void
reroute_connection_note_clear_text (RerouteConnection *self)
{
  if (self->stream.tls != NULL || self->tls_level == REROUTE_TLS_NONE)
    return;
  note_verdict (self, REROUTE_TLS_VERDICT_STARTTLS_NOT_SUPPORTED, NULL);
  if (is_on_trial (self))
    log_trial (self, "the host does not do STARTTLS");
}

static void
count (RerouteConnection *self, RerouteTally tally)
{
  reroute_tallies_add (reroute_worker_get_tallies (self->worker), tally, 1);
}

void
reroute_connection_fail_tls (RerouteConnection *self, const char *why)
{
  g_autofree char *text = g_strdup_printf ("TLS failed: %s", why);

  count (self, REROUTE_TALLY_TLS_OUT_FAILED);
  self->tls_failed = TRUE;
  note_verdict (self, REROUTE_TLS_VERDICT_VALIDATION_FAILURE, why);
  if (is_on_trial (self))
    log_trial (self, text);
  reroute_connection_fail (self, reroute_connection_trouble (self, "4.7.5", text));
}

/* --- what the certificate must be for --- */

static gboolean
is_below (const char *name, const char *domain)
{
  gsize n = strlen (name);
  gsize n_domain = strlen (domain);

  return n > n_domain && name[n - n_domain - 1] == '.' &&
         g_ascii_strcasecmp (name + n - n_domain, domain) == 0;
}

/* What the host is an alias of, where TLSA records there judge it; (nullable) */
static const char *
get_dane_name (const RerouteConnection *self)
{
  return reroute_endpoint_is_judged_by_dane (&self->endpoint) ? self->endpoint.tlsa_name : NULL;
}

/* A typed host is what she meant.  An exchanger is what DNS says, which anyone may have said: it
   counts when it is below the domain that the mail is for, or was validated; or where the sender's
   demand is that the certificate is for it. */
static GStrv
list_names (const RerouteConnection *self)
{
  const RerouteEndpoint *endpoint = &self->endpoint;
  const char *dane_name = get_dane_name (self);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  if (endpoint->domain != NULL &&
      (!self->requires_tls || reroute_endpoint_is_judged_by_dane (endpoint)))
    g_strv_builder_add (names, endpoint->domain);
  if (self->requires_tls || endpoint->domain == NULL || endpoint->tlsa != NULL ||
      is_below (endpoint->name, endpoint->domain))
    g_strv_builder_add (names, endpoint->name);
  if (dane_name != NULL)
    g_strv_builder_add (names, dane_name);
  return g_strv_builder_end (names);
}

/* By the authorities that are trusted. */
static gboolean
check_certificate (RerouteConnection *self, const char *const *names, GError **error)
{
  RerouteTlsVerdict verdict;
  g_autoptr (GError) local_error = NULL;

  if (reroute_tls_client_verify (self->tls, &self->stream, names, &verdict, &local_error))
    return TRUE;
  note_verdict (self, verdict, local_error->message);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/* What a policy demands of a host. */
static gboolean
check_by_sts (RerouteConnection *self, GError **error)
{
  const char *const names[] = { self->endpoint.name, NULL };

  if (!reroute_sts_policy_covers (self->endpoint.sts, self->endpoint.name))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_PROTOCOL,
                   "“%s” is none of the exchangers that the policy names",
                   self->endpoint.name);
      note_verdict (self, REROUTE_TLS_VERDICT_VALIDATION_FAILURE, REROUTE_TLS_REASON_BARRED);
      return FALSE;
    }
  if (check_certificate (self, names, error))
    return TRUE;
  g_prefix_error (error, "MTA-STS policy of “%s”: ", self->endpoint.domain);
  return FALSE;
}

static void
try_policy (RerouteConnection *self)
{
  g_autoptr (GError) error = NULL;

  if (!check_by_sts (self, &error))
    log_trial (self, error->message);
}

static gboolean
check_peer (RerouteConnection *self, GError **error)
{
  g_auto (GStrv) names = list_names (self);

  if (reroute_endpoint_is_judged_by_dane (&self->endpoint))
    return reroute_dane_verify (self->endpoint.tlsa,
                                reroute_stream_get_session (&self->stream),
                                (const char *const *) names,
                                error);
  if (reroute_endpoint_is_enforced (&self->endpoint))
    return check_by_sts (self, error);
  if (is_on_trial (self))
    try_policy (self);
  if (self->endpoint.tlsa != NULL && self->endpoint.sts == NULL)
    note_verdict (self, REROUTE_TLS_VERDICT_TLSA_INVALID, NULL);
  return self->tls_level < REROUTE_TLS_VERIFIED ||
         check_certificate (self, (const char *const *) names, error);
}

/* --- the handshake --- */

void
reroute_connection_shake_hands (RerouteConnection *self)
{
  RerouteHandshake result = reroute_stream_shake_hands (&self->stream);
  g_autoptr (GError) error = NULL;

  if (result == REROUTE_HANDSHAKE_WAITS)
    reroute_worker_set_events (
      self->worker, &self->io, reroute_stream_get_wanted_events (&self->stream));
  else if (result == REROUTE_HANDSHAKE_FAILED)
    reroute_connection_fail_tls (self, reroute_stream_get_failure (&self->stream));
  else if (!check_peer (self, &error))
    reroute_connection_fail_tls (self, error->message);
  else
    {
      self->shaking = FALSE;
      count (self,
             reroute_stream_is_tls_1_3 (&self->stream) ? REROUTE_TALLY_TLS_OUT_1_3
                                                       : REROUTE_TALLY_TLS_OUT_1_2);
      note_verdict (self, REROUTE_TLS_VERDICT_SUCCESS, NULL);
      reroute_worker_arm_timer (
        self->worker,
        &self->timer,
        reroute_worker_now_us (self->worker) +
          reroute_settings_get_number (self->settings, REROUTE_SETTING_COMMAND_TIMEOUT) *
            G_USEC_PER_SEC);
      reroute_smtp_client_tls_begun (self->machine);
      reroute_connection_pump (self);
    }
}

void
reroute_connection_begin_tls (RerouteConnection *self)
{
  RerouteIp ip;
  const char *host = reroute_ip_parse (self->endpoint.name, &ip) ? NULL : self->endpoint.name;
  const char *dane_name = get_dane_name (self);
  g_autoptr (GError) error = NULL;

  gint64 command_s = reroute_settings_get_number (self->settings, REROUTE_SETTING_COMMAND_TIMEOUT);
  gint64 limit_s = MIN (REROUTE_LIMIT_TLS_HANDSHAKE_S, command_s);

  self->shaking = TRUE;
  reroute_worker_arm_timer (
    self->worker, &self->timer, reroute_worker_now_us (self->worker) + limit_s * G_USEC_PER_SEC);
  if (reroute_tls_client_begin (self->tls,
                                &self->stream,
                                dane_name != NULL ? dane_name : host,
                                self->session_key,
                                self->certificate,
                                &error))
    reroute_connection_shake_hands (self);
  else
    reroute_connection_fail_tls (self, error->message);
}

/* --- for the owner --- */

gboolean
reroute_connection_shows (const RerouteConnection *self,
                          const RerouteClientCertificate *certificate)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->certificate == certificate;
}

RerouteTlsVerdict
reroute_connection_get_tls_verdict (const RerouteConnection *self,
                                    const char **reason,
                                    RerouteIp *sending)
{
  g_return_val_if_fail (self != NULL, REROUTE_TLS_VERDICT_NONE);

  *reason = self->tls_reason;
  *sending = reroute_connection_get_source (self);
  return self->tls_verdict;
}

gnutls_session_t
reroute_connection_get_tls_session (const RerouteConnection *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return reroute_stream_get_session (&self->stream);
}

gboolean
reroute_connection_verify (RerouteConnection *self,
                           const char *const *names,
                           RerouteTlsVerdict *verdict,
                           GError **error)
{
  g_return_val_if_fail (reroute_connection_get_tls_session (self) != NULL, FALSE);

  return reroute_tls_client_verify (self->tls, &self->stream, names, verdict, error);
}

gboolean
reroute_connection_may_go_in_clear (const RerouteConnection *self, RerouteTlsLevel level)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->tls_failed && level == REROUTE_TLS_OPPORTUNISTIC && self->endpoint.tlsa == NULL &&
         !reroute_endpoint_is_enforced (&self->endpoint);
}

gboolean
reroute_connection_has_failed_tls (const RerouteConnection *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->tls_failed || reroute_smtp_client_lacks_tls (self->machine);
}

/* What its TLS has proved. */
static RerouteTally
judge_proof (const RerouteConnection *self)
{
  if (self->stream.tls == NULL)
    return REROUTE_TALLY_OUT_IN_CLEAR;
  if (reroute_endpoint_is_judged_by_dane (&self->endpoint))
    return REROUTE_TALLY_OUT_BY_DANE;
  if (reroute_endpoint_is_enforced (&self->endpoint))
    return REROUTE_TALLY_OUT_BY_MTA_STS;
  return self->tls_level == REROUTE_TLS_VERIFIED ? REROUTE_TALLY_OUT_VERIFIED
                                                 : REROUTE_TALLY_OUT_OPPORTUNISTIC;
}

void
reroute_connection_count_session (RerouteConnection *self)
{
  count (self, judge_proof (self));
}

char *
reroute_connection_dup_tls (RerouteConnection *self)
{
  static const char *const verdicts[REROUTE_N_TALLIES] = {
    [REROUTE_TALLY_OUT_BY_DANE] = ", verified by DANE",
    [REROUTE_TALLY_OUT_BY_MTA_STS] = ", verified by MTA-STS",
    [REROUTE_TALLY_OUT_VERIFIED] = ", verified",
  };
  g_autofree char *description = NULL;
  const char *verdict = verdicts[judge_proof (self)];

  if (self->stream.tls == NULL || self->shaking)
    return NULL;
  /* A ticket comes behind the handshake: by now it is here. */
  if (!self->session_kept)
    reroute_tls_client_keep_session (self->tls, &self->stream, self->session_key);
  self->session_kept = TRUE;
  description = reroute_stream_describe (&self->stream);
  return g_strconcat (description, verdict != NULL ? verdict : "", NULL);
}
