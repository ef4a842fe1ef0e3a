/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * alarm-webhook.c - alarms as JSON, posted to a web server
 *
 * The server's certificate is checked by the authorities of the setting tls-trust, or the
 * machine's. No redirect is followed and no proxy asked: the address is where it goes.
 *
 * Standards: RFC 9110 section 15 (status codes), RFC 7617 section 2 (Basic), RFC 6750 section 2.1
 * (Bearer).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/alarm-webhook.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/deliver/tls-trust.h"

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

#define GIVE_UP_US (REROUTE_LIMIT_ALARM_GIVE_UP_S * (gint64) G_USEC_PER_SEC)

/* One alarm to be posted. */
typedef struct
{
  GBytes *body;
  gint64 began_us; /* monotonic: of the first try; 0: there was none */
} Post;

/* A try; it outlives the webhook when that is freed before libsoup has answered. */
typedef struct
{
  RerouteAlarmWebhook *webhook; /* NULL: nobody wants to know */
  SoupSession *session;
  SoupMessage *message;
  GPtrArray *databases; /* (element-type GTlsDatabase): none: the machine's */
  GCancellable *cancellable;
  guint time_limit_id;
  gboolean timed_out;
} Attempt;

struct _RerouteAlarmWebhook
{
  const RerouteSecretsKeeper *secrets;
  char *url;        /* "": off */
  char *account;    /* "": none */
  char *trust;      /* the text of the setting */
  GStrv trusted;    /* its files */
  GQueue waiting;   /* (element-type Post) */
  Attempt *attempt; /* NULL: none runs */
  guint retry_id;
  guint wait_s; /* before the next try */
};

static void begin (RerouteAlarmWebhook *self);

static void
post_free (Post *post)
{
  g_bytes_unref (post->body);
  g_free (post);
}

/* --- what a try came to --- */

static void
drop_post (RerouteAlarmWebhook *self)
{
  post_free (g_queue_pop_head (&self->waiting));
  self->wait_s = REROUTE_LIMIT_ALARM_RETRY_FIRST_S;
}

static gboolean
retry_cb (gpointer user_data)
{
  RerouteAlarmWebhook *self = user_data;

  self->retry_id = 0;
  begin (self);
  return G_SOURCE_REMOVE;
}

static void
try_later (RerouteAlarmWebhook *self, const char *why)
{
  const Post *post = g_queue_peek_head (&self->waiting);

  if (g_get_monotonic_time () - post->began_us >= GIVE_UP_US)
    {
      g_warning ("an alarm was not told: %s", why);
      drop_post (self);
      begin (self);
      return;
    }
  g_message ("an alarm is posted again in %u s: %s", self->wait_s, why);
  self->retry_id = g_timeout_add_seconds (self->wait_s, retry_cb, self);
  self->wait_s = MIN (self->wait_s * 2, REROUTE_LIMIT_ALARM_RETRY_LAST_S);
}

/* Whether another try may have another answer (RFC 9110 section 15.5). */
static gboolean
is_passing (guint status)
{
  return status >= SOUP_STATUS_INTERNAL_SERVER_ERROR || status == SOUP_STATUS_REQUEST_TIMEOUT ||
         status == 425 || status == 429;
}

static void
finish (RerouteAlarmWebhook *self, guint status, const char *why)
{
  g_autofree char *said = g_strdup_printf ("the web server answers with status %u", status);

  if (why != NULL)
    try_later (self, why);
  else if (is_passing (status))
    try_later (self, said);
  else
    {
      if (!SOUP_STATUS_IS_SUCCESSFUL (status))
        g_warning ("an alarm was not told: %s; see the setting “alarm-webhook”", said);
      drop_post (self);
      begin (self);
    }
}

/* --- a try --- */

static void
attempt_free (Attempt *attempt)
{
  g_clear_handle_id (&attempt->time_limit_id, g_source_remove);
  g_clear_object (&attempt->message);
  g_clear_object (&attempt->session);
  g_object_unref (attempt->cancellable);
  g_clear_pointer (&attempt->databases, g_ptr_array_unref);
  g_free (attempt);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attempt *attempt = user_data;
  RerouteAlarmWebhook *self = attempt->webhook;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream = soup_session_send_finish (attempt->session, result, &error);
  guint status = soup_message_get_status (attempt->message);
  g_autofree char *why = NULL;

  if (attempt->timed_out)
    why = g_strdup_printf ("no answer of the web server within %d s", REROUTE_LIMIT_ALARM_POST_S);
  else if (stream == NULL)
    why = g_strdup (error->message);
  g_clear_object (&stream);
  attempt_free (attempt);
  if (self == NULL)
    return;
  self->attempt = NULL;
  finish (self, status, why);
}

static gboolean
time_limit_cb (gpointer user_data)
{
  Attempt *attempt = user_data;

  attempt->time_limit_id = 0;
  attempt->timed_out = TRUE;
  g_cancellable_cancel (attempt->cancellable);
  return G_SOURCE_REMOVE;
}

static gboolean
accept_certificate_cb (SoupMessage *message,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags errors,
                       gpointer user_data)
{
  Attempt *attempt = user_data;
  GUri *uri = soup_message_get_uri (message);

  return reroute_tls_trust_accepts (
    attempt->databases, certificate, g_uri_get_host (uri), (guint16) g_uri_get_port (uri));
}

/* (transfer full) (nullable): of the header field Authorization */
static char *
make_authorization (const RerouteSecret *secret, GError **error)
{
  const char *scheme = secret->kind == REROUTE_SECRET_PASSWORD ? "Basic " : "Bearer ";
  g_autofree char *clear = NULL;
  g_autofree char *proof = NULL;
  char *value;

  if (secret->kind == REROUTE_SECRET_PASSWORD)
    {
      clear = g_strconcat (secret->user, ":", secret->value, NULL);
      proof = g_base64_encode ((const guchar *) clear, strlen (clear));
      explicit_bzero (clear, strlen (clear));
    }
  else
    proof = reroute_secret_read_token (secret, error);
  if (proof == NULL)
    return NULL;
  value = g_strconcat (scheme, proof, NULL);
  explicit_bzero (proof, strlen (proof));
  return value;
}

/* Errors: without what is secret. */
static gboolean
authorise (RerouteAlarmWebhook *self, SoupMessage *message, GError **error)
{
  g_autoptr (RerouteSecret) secret = NULL;
  g_autofree char *value = NULL;
  const char *why = NULL;

  if (*self->account == '\0')
    return TRUE;
  secret = reroute_secrets_keeper_find (self->secrets, self->account);
  if (secret == NULL)
    why = "is not there: see “reroutectl account list”";
  else if (secret->kind == REROUTE_SECRET_TOKEN_COMMAND)
    why = "has a token command: wanted a password or a token's file";
  else if (secret->kind == REROUTE_SECRET_PASSWORD && strchr (secret->user, ':') != NULL)
    why = "has a user name with a colon, which a web server does not understand";
  if (why != NULL)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "the account “%s” of the setting “alarm-webhook-account” %s",
                   self->account,
                   why);
      return FALSE;
    }
  value = make_authorization (secret, error);
  if (value == NULL)
    return FALSE;
  soup_message_headers_replace (soup_message_get_request_headers (message), "Authorization", value);
  explicit_bzero (value, strlen (value));
  return TRUE;
}

static gboolean
make_request (RerouteAlarmWebhook *self, Attempt *attempt, GBytes *body, GError **error)
{
  attempt->databases = reroute_tls_trust_open ((const char *const *) self->trusted, error);
  if (attempt->databases == NULL)
    return FALSE;
  attempt->session = soup_session_new_with_options ("max-conns", 1, NULL);
  soup_session_set_proxy_resolver (attempt->session, NULL);
  /* Nobody could answer its questions. */
  soup_session_remove_feature_by_type (attempt->session, SOUP_TYPE_AUTH_MANAGER);
  if (attempt->databases->len > 0)
    soup_session_set_tls_database (attempt->session, attempt->databases->pdata[0]);
  attempt->message = soup_message_new (SOUP_METHOD_POST, self->url);
  if (attempt->message == NULL)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "nothing can be posted to “%s”: see the setting “alarm-webhook”",
                   self->url);
      return FALSE;
    }
  if (!authorise (self, attempt->message, error))
    return FALSE;
  soup_message_set_flags (attempt->message, SOUP_MESSAGE_NO_REDIRECT);
  soup_message_set_request_body_from_bytes (attempt->message, "application/json", body);
  g_signal_connect (
    attempt->message, "accept-certificate", G_CALLBACK (accept_certificate_cb), attempt);
  return TRUE;
}

/* Posts the first one that waits, unless something is under way. */
static void
begin (RerouteAlarmWebhook *self)
{
  Post *post = g_queue_peek_head (&self->waiting);
  g_autoptr (GError) error = NULL;
  Attempt *attempt;

  if (post == NULL || self->attempt != NULL || self->retry_id != 0)
    return;
  if (post->began_us == 0)
    post->began_us = g_get_monotonic_time ();
  attempt = g_new0 (Attempt, 1);
  attempt->webhook = self;
  attempt->cancellable = g_cancellable_new ();
  if (!make_request (self, attempt, post->body, &error))
    {
      attempt_free (attempt);
      try_later (self, error->message);
      return;
    }
  attempt->time_limit_id =
    g_timeout_add_seconds (REROUTE_LIMIT_ALARM_POST_S, time_limit_cb, attempt);
  self->attempt = attempt;
  soup_session_send_async (
    attempt->session, attempt->message, G_PRIORITY_DEFAULT, attempt->cancellable, sent_cb, attempt);
}

/* Nothing is under way any more. */
static void
withdraw (RerouteAlarmWebhook *self)
{
  g_clear_handle_id (&self->retry_id, g_source_remove);
  self->wait_s = REROUTE_LIMIT_ALARM_RETRY_FIRST_S;
  if (self->attempt == NULL)
    return;
  self->attempt->webhook = NULL;
  g_cancellable_cancel (self->attempt->cancellable);
  self->attempt = NULL;
}

/* --- the alarm --- */

static void
add_string (JsonBuilder *builder, const char *name, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, valid);
}

static GBytes *
describe (const char *hostname, const RerouteAlarm *alarm, gboolean raised)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GDateTime) since = g_date_time_new_from_unix_utc (alarm->since_us / G_USEC_PER_SEC);
  g_autofree char *time = g_date_time_format_iso8601 (since);
  const char *state = raised ? "raised" : "cleared";
  g_autofree char *line = g_strdup_printf (
    "%s: %s: %s %s", hostname, state, alarm->sentence, raised ? alarm->advice : "");

  json_builder_begin_object (builder);
  add_string (builder, "alarm", reroute_alarm_kind_to_string (alarm->kind));
  add_string (builder, "state", state);
  add_string (builder, "subject", alarm->subject);
  add_string (builder, "since", time);
  add_string (builder, "sentence", alarm->sentence);
  add_string (builder, "advice", alarm->advice);
  add_string (builder, "host", hostname);
  add_string (builder, "text", g_strchomp (line));
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);

  char *text = json_generator_to_data (generator, NULL);
  return g_bytes_new_take (text, strlen (text));
}

/* --- public --- */

RerouteAlarmWebhook *
reroute_alarm_webhook_new (const RerouteSecretsKeeper *secrets)
{
  RerouteAlarmWebhook *self = g_new0 (RerouteAlarmWebhook, 1);

  self->secrets = secrets;
  self->url = g_strdup ("");
  self->account = g_strdup ("");
  self->trust = g_strdup ("");
  self->trusted = g_new0 (char *, 1);
  self->wait_s = REROUTE_LIMIT_ALARM_RETRY_FIRST_S;
  g_queue_init (&self->waiting);
  return self;
}

void
reroute_alarm_webhook_free (RerouteAlarmWebhook *self)
{
  g_return_if_fail (self != NULL);

  withdraw (self);
  g_queue_clear_full (&self->waiting, (GDestroyNotify) post_free);
  g_free (self->url);
  g_free (self->account);
  g_free (self->trust);
  g_strfreev (self->trusted);
  g_free (self);
}

void
reroute_alarm_webhook_set_settings (RerouteAlarmWebhook *self, const RerouteSettings *settings)
{
  g_return_if_fail (self != NULL && settings != NULL);

  const char *url = reroute_settings_get_text (settings, REROUTE_SETTING_ALARM_WEBHOOK);
  const char *account = reroute_settings_get_text (settings, REROUTE_SETTING_ALARM_WEBHOOK_ACCOUNT);
  const char *trust = reroute_settings_get_text (settings, REROUTE_SETTING_TLS_TRUST);

  if (g_str_equal (url, self->url) && g_str_equal (account, self->account) &&
      g_str_equal (trust, self->trust))
    return;
  withdraw (self);
  g_free (self->url);
  self->url = g_strdup (url);
  g_free (self->account);
  self->account = g_strdup (account);
  g_free (self->trust);
  self->trust = g_strdup (trust);
  g_strfreev (self->trusted);
  self->trusted =
    g_strdupv ((char **) reroute_settings_get_paths (settings, REROUTE_SETTING_TLS_TRUST));
  if (*url == '\0')
    g_queue_clear_full (&self->waiting, (GDestroyNotify) post_free);
  else
    begin (self);
}

void
reroute_alarm_webhook_tell (RerouteAlarmWebhook *self,
                            const char *hostname,
                            const RerouteAlarm *alarm,
                            gboolean raised)
{
  g_return_if_fail (self != NULL && hostname != NULL && alarm != NULL);

  Post *post;

  if (*self->url == '\0')
    return;
  if (self->waiting.length >= REROUTE_LIMIT_ALARM_WAITING)
    {
      g_warning ("an alarm was not told: too many wait for the web server");
      return;
    }
  post = g_new0 (Post, 1);
  post->body = describe (hostname, alarm, raised);
  g_queue_push_tail (&self->waiting, post);
  begin (self);
}
