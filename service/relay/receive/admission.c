/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * admission.c - who may connect and who may relay
 *
 * The door asks the settings, a recipient asks the ruleset; nothing is decided here that
 * reroute_ruleset_decide() does not say.
 *
 * Standards: RFC 5321 section 3.8 (421), RFC 7504 (554 greeting), RFC 3463 (status codes).
 */

#include "config.h"

#include "service/relay/receive/admission.h"

#include "common/limits.h"

#include <string.h>

/* The choices of the setting transfer-mode, in the order of its table. */
enum
{
  TRANSFER_BOTH,
  TRANSFER_INBOUND,
  TRANSFER_OUTBOUND,
  TRANSFER_NONE,
};

struct _RerouteAdmission
{
  GMutex lock;
  GHashTable *by_client; /* (element-type RerouteIp guint) */
  guint n_sessions;
  gsize refused[REROUTE_N_REFUSED]; /* atomic */
  GHashTable *rates;                /* (element-type RerouteIp Rate): of this minute */
  gint64 minute;                    /* that rates are of */
  GHashTable *failed_logins;        /* (element-type RerouteIp Failures) */
  GHashTable *errors;               /* (element-type RerouteIp Failures): replies of 5xx */
};

/* Of one client. */
typedef struct
{
  guint n;
  gint64 until_us; /* monotonic; then they are forgotten */
} Failures;

/* What one client did in a minute. */
typedef struct
{
  guint messages;
  guint recipients;
} Rate;

static guint
hash_ip (gconstpointer data)
{
  const RerouteIp *ip = data;
  guint hash = 2166136261u; /* FNV-1a */

  for (gsize i = 0; i < sizeof ip->octets; i++)
    hash = (hash ^ ip->octets[i]) * 16777619u;
  return hash;
}

static gboolean
equal_ip (gconstpointer a, gconstpointer b)
{
  return reroute_ip_equal (a, b);
}

RerouteAdmission *
reroute_admission_new (void)
{
  RerouteAdmission *self = g_new0 (RerouteAdmission, 1);

  g_mutex_init (&self->lock);
  self->by_client = g_hash_table_new_full (hash_ip, equal_ip, g_free, NULL);
  self->rates = g_hash_table_new_full (hash_ip, equal_ip, g_free, g_free);
  self->failed_logins = g_hash_table_new_full (hash_ip, equal_ip, g_free, g_free);
  self->errors = g_hash_table_new_full (hash_ip, equal_ip, g_free, g_free);
  return self;
}

void
reroute_admission_free (RerouteAdmission *self)
{
  g_hash_table_unref (self->by_client);
  g_hash_table_unref (self->rates);
  g_hash_table_unref (self->failed_logins);
  g_hash_table_unref (self->errors);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Who is counted as one client. */
static RerouteIp
client_of (const RerouteIp *ip)
{
  RerouteIp client = *ip;

  if (!reroute_ip_is_ipv4 (ip))
    memset (client.octets + 8, 0, 8);
  return client;
}

void
reroute_admission_note_refused (RerouteAdmission *self, RerouteRefusedReason reason)
{
  g_return_if_fail (self != NULL && reason < REROUTE_N_REFUSED);

  __atomic_fetch_add (&self->refused[reason], 1, __ATOMIC_RELAXED);
}

void
reroute_admission_get_refused (RerouteAdmission *self, guint64 *counts)
{
  g_return_if_fail (self != NULL && counts != NULL);

  for (guint i = 0; i < REROUTE_N_REFUSED; i++)
    counts[i] = __atomic_load_n (&self->refused[i], __ATOMIC_RELAXED);
}

/* --- failures --- */

static gboolean
is_over_cb (gpointer key, gpointer value, gpointer user_data)
{
  const Failures *failures = value;

  return *(const gint64 *) user_data >= failures->until_us;
}

/* With the lock held.  How many of @client's count now. */
static guint
count_failures (GHashTable *table, const RerouteIp *client, gint64 now_us)
{
  const Failures *failures = g_hash_table_lookup (table, client);

  return failures != NULL && now_us < failures->until_us ? failures->n : 0;
}

/* With the lock held.  Adds one; the first is forgotten after @window_s, and with it those behind
   it. */
static Failures *
add_failure (GHashTable *table, const RerouteIp *client, guint window_s, gint64 now_us)
{
  if (g_hash_table_size (table) >= REROUTE_LIMIT_RATE_CLIENTS)
    g_hash_table_foreach_remove (table, is_over_cb, &now_us);
  if (g_hash_table_size (table) >= REROUTE_LIMIT_RATE_CLIENTS)
    g_hash_table_remove_all (table);
  Failures *failures = g_hash_table_lookup (table, client);
  if (failures == NULL)
    {
      failures = g_new0 (Failures, 1);
      g_hash_table_insert (table, g_memdup2 (client, sizeof *client), failures);
    }
  if (now_us >= failures->until_us)
    *failures = (Failures){ .until_us = now_us + (gint64) window_s * G_USEC_PER_SEC };
  failures->n++;
  return failures;
}

/* --- at the door --- */

static RerouteReply *
reply_of (const RerouteDecision *decision)
{
  return reroute_reply_new (decision->reply_code, decision->reply_status, decision->reply_text);
}

/* (transfer full): @reply, counted */
static RerouteReply *
refuse (RerouteAdmission *self, RerouteRefusedReason reason, RerouteReply *reply)
{
  reroute_admission_note_refused (self, reason);
  return reply;
}

static RerouteReply *
judge_settings (RerouteAdmission *self,
                RerouteRuleset *ruleset,
                const RerouteSettings *settings,
                const RerouteIp *ip,
                gboolean may_log_in)
{
  const RerouteClient client = { .ip = *ip };
  gint64 mode = reroute_settings_get_number (settings, REROUTE_SETTING_TRANSFER_MODE);
  g_autoptr (RerouteDecision) forbidden = reroute_decision_new_forbidden (settings, ip, NULL);

  if (forbidden != NULL)
    return refuse (self, REROUTE_REFUSED_FORBIDDEN, reply_of (forbidden));
  if (mode == TRANSFER_NONE)
    return refuse (self,
                   REROUTE_REFUSED_MODE,
                   reroute_reply_new (421, "4.3.2", "no mail is received at present"));
  if (mode == TRANSFER_OUTBOUND && !may_log_in &&
      (ruleset == NULL || !reroute_ruleset_permits (ruleset, &client)))
    return refuse (self,
                   REROUTE_REFUSED_MODE,
                   reroute_reply_new (421, "4.3.2", "no inbound mail is received at present"));
  return NULL;
}

RerouteReply *
reroute_admission_new_put_off (void)
{
  return reroute_reply_new (421, "4.7.0", "too many errors from your address, try again later");
}

static RerouteReply *
judge_errors (RerouteAdmission *self,
              RerouteRuleset *ruleset,
              const RerouteSettings *settings,
              const RerouteIp *ip,
              gint64 now_us)
{
  const RerouteClient client = { .ip = *ip };
  gint64 most = reroute_settings_get_number (settings, REROUTE_SETTING_MAX_ERROR_RATE);
  RerouteIp counted = client_of (ip);
  guint n;

  if (most == 0 || ruleset == NULL || reroute_ruleset_permits (ruleset, &client))
    return NULL;
  g_mutex_lock (&self->lock);
  n = count_failures (self->errors, &counted, now_us);
  g_mutex_unlock (&self->lock);
  return n < most ? NULL : refuse (self, REROUTE_REFUSED_ERRORS, reroute_admission_new_put_off ());
}

/* What does not depend on who else is there. */
static RerouteReply *
judge_client (RerouteAdmission *self,
              RerouteRuleset *ruleset,
              const RerouteSettings *settings,
              const RerouteIp *ip,
              gboolean may_log_in,
              gint64 now_us)
{
  RerouteReply *refusal = judge_settings (self, ruleset, settings, ip, may_log_in);

  return refusal != NULL ? refusal : judge_errors (self, ruleset, settings, ip, now_us);
}

/* With the lock held.  (transfer full) (nullable): the refusal */
static RerouteReply *
judge_room (RerouteAdmission *self, const RerouteSettings *settings)
{
  gint64 most = reroute_settings_get_number (settings, REROUTE_SETTING_MAX_INBOUND_CONNECTIONS);

  return self->n_sessions < most
           ? NULL
           : refuse (self,
                     REROUTE_REFUSED_FULL,
                     reroute_reply_new (421, "4.3.2", "too many connections, try again later"));
}

/* With the lock held.  (transfer full) (nullable): the refusal */
static RerouteReply *
count_client_in (RerouteAdmission *self, const RerouteSettings *settings, const RerouteIp *client)
{
  gint64 most = reroute_settings_get_number (settings, REROUTE_SETTING_MAX_CONNECTIONS_PER_CLIENT);
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->by_client, client));

  if (n >= most)
    return refuse (self,
                   REROUTE_REFUSED_CLIENT,
                   reroute_reply_new (421, "4.7.0", "too many connections from your address"));
  g_hash_table_replace (
    self->by_client, g_memdup2 (client, sizeof *client), GUINT_TO_POINTER (n + 1));
  return NULL;
}

/* With the lock held. */
static void
count_client_out (RerouteAdmission *self, const RerouteIp *client)
{
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->by_client, client));

  g_return_if_fail (n > 0);
  if (n == 1)
    g_hash_table_remove (self->by_client, client);
  else
    g_hash_table_replace (
      self->by_client, g_memdup2 (client, sizeof *client), GUINT_TO_POINTER (n - 1));
}

static RerouteReply *
count_in (RerouteAdmission *self, const RerouteSettings *settings, const RerouteIp *ip)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  RerouteIp client = client_of (ip);
  RerouteReply *refusal = judge_room (self, settings);

  if (refusal == NULL)
    refusal = count_client_in (self, settings, &client);
  if (refusal == NULL)
    self->n_sessions++;
  return refusal;
}

RerouteReply *
reroute_admission_enter (RerouteAdmission *self,
                         RerouteRuleset *ruleset,
                         const RerouteIp *ip,
                         gboolean may_log_in,
                         gint64 now_us)
{
  g_return_val_if_fail (self != NULL && ip != NULL, NULL);

  g_autoptr (RerouteSettings) settings =
               ruleset != NULL ? reroute_settings_ref (reroute_ruleset_get_settings (ruleset))
                               : reroute_settings_new ();
  RerouteReply *refusal = judge_client (self, ruleset, settings, ip, may_log_in, now_us);

  return refusal != NULL ? refusal : count_in (self, settings, ip);
}

void
reroute_admission_leave (RerouteAdmission *self, const RerouteIp *ip)
{
  g_return_if_fail (self != NULL && ip != NULL);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  RerouteIp client = client_of (ip);
  self->n_sessions--;
  count_client_out (self, &client);
}

RerouteReply *
reroute_admission_move (RerouteAdmission *self,
                        RerouteRuleset *ruleset,
                        const RerouteIp *from,
                        const RerouteIp *to,
                        gboolean may_log_in,
                        gint64 now_us)
{
  g_return_val_if_fail (self != NULL && from != NULL && to != NULL, NULL);

  g_autoptr (RerouteSettings) settings =
               ruleset != NULL ? reroute_settings_ref (reroute_ruleset_get_settings (ruleset))
                               : reroute_settings_new ();
  RerouteIp before = client_of (from);
  RerouteIp after = client_of (to);
  RerouteReply *refusal = judge_client (self, ruleset, settings, to, may_log_in, now_us);
  if (refusal != NULL || equal_ip (&before, &after))
    return refusal;

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  refusal = count_client_in (self, settings, &after);
  if (refusal == NULL)
    count_client_out (self, &before);
  return refusal;
}

RerouteReply *
reroute_admission_enter_proxy (RerouteAdmission *self, const RerouteSettings *settings)
{
  g_return_val_if_fail (self != NULL && settings != NULL, NULL);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  RerouteReply *refusal = judge_room (self, settings);
  if (refusal == NULL)
    self->n_sessions++;
  return refusal;
}

void
reroute_admission_leave_proxy (RerouteAdmission *self)
{
  g_return_if_fail (self != NULL);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  self->n_sessions--;
}

guint
reroute_admission_get_n_sessions (RerouteAdmission *self)
{
  g_return_val_if_fail (self != NULL, 0);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  return self->n_sessions;
}

/* --- of those who are in --- */

/* Of this minute: what is older says nothing. */
static Rate *
get_rate (RerouteAdmission *self, const RerouteIp *client, gint64 now_us)
{
  gint64 minute = now_us / (60 * G_USEC_PER_SEC);
  Rate *rate;

  if (minute != self->minute || g_hash_table_size (self->rates) >= REROUTE_LIMIT_RATE_CLIENTS)
    g_hash_table_remove_all (self->rates);
  self->minute = minute;
  rate = g_hash_table_lookup (self->rates, client);
  if (rate == NULL)
    {
      rate = g_new0 (Rate, 1);
      g_hash_table_insert (self->rates, g_memdup2 (client, sizeof *client), rate);
    }
  return rate;
}

/* 0: there is none for @client */
static gint64
get_rate_limit (RerouteRuleset *ruleset, const RerouteClient *client, RerouteSettingId rate)
{
  gint64 most = ruleset != NULL
                  ? reroute_settings_get_number (reroute_ruleset_get_settings (ruleset), rate)
                  : 0;

  return most == 0 || reroute_ruleset_permits (ruleset, client) ? 0 : most;
}

RerouteReply *
reroute_admission_count (RerouteAdmission *self,
                         RerouteRuleset *ruleset,
                         const RerouteClient *client,
                         RerouteSettingId rate,
                         gint64 now_us)
{
  g_return_val_if_fail (self != NULL && client != NULL, NULL);

  gint64 most = get_rate_limit (ruleset, client, rate);
  if (most == 0)
    return NULL;

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  RerouteIp ip = client_of (&client->ip);
  Rate *counted = get_rate (self, &ip, now_us);
  if (rate == REROUTE_SETTING_MAX_MESSAGE_RATE)
    return counted->messages++ < most
             ? NULL
             : reroute_reply_new (450, "4.7.1", "too many messages from you, try again later");
  return counted->recipients++ < most
           ? NULL
           : reroute_reply_new (450, "4.7.1", "too many recipients from you, try again later");
}

gboolean
reroute_admission_count_error (RerouteAdmission *self,
                               RerouteRuleset *ruleset,
                               const RerouteClient *client,
                               gint64 now_us)
{
  g_return_val_if_fail (self != NULL && client != NULL, FALSE);

  gint64 most = get_rate_limit (ruleset, client, REROUTE_SETTING_MAX_ERROR_RATE);
  if (most == 0)
    return FALSE;

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  RerouteIp ip = client_of (&client->ip);
  Failures *errors = add_failure (self->errors, &ip, REROUTE_LIMIT_ERRORS_WINDOW_S, now_us);
  if (errors->n == most)
    errors->until_us = now_us + REROUTE_LIMIT_ERRORS_PAUSE_S * G_USEC_PER_SEC;
  return errors->n >= most;
}

RerouteReply *
reroute_admission_judge_login (RerouteAdmission *self,
                               const RerouteSettings *settings,
                               const RerouteIp *ip,
                               gint64 now_us)
{
  g_return_val_if_fail (self != NULL && settings != NULL && ip != NULL, NULL);

  gint64 most = reroute_settings_get_number (settings, REROUTE_SETTING_MAX_AUTH_FAILURES);
  RerouteIp client = client_of (ip);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  if (most == 0 || count_failures (self->failed_logins, &client, now_us) < most)
    return NULL;
  return reroute_reply_new (421, "4.7.0", "too many failed logins from you, try again later");
}

void
reroute_admission_count_failed_login (RerouteAdmission *self, const RerouteIp *ip, gint64 now_us)
{
  g_return_if_fail (self != NULL && ip != NULL);

  RerouteIp client = client_of (ip);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  add_failure (self->failed_logins, &client, REROUTE_LIMIT_AUTH_FAILURES_WINDOW_S, now_us);
}

/* The sender that @recipient was made from; NULL with the refusal. */
static RerouteAddress *
unwrap (const RerouteSrs *srs, const RerouteAddress *recipient, RerouteReply **refusal)
{
  RerouteSrsVerdict verdict;
  RerouteAddress *sender =
    reroute_srs_reverse (srs, recipient, g_get_real_time () / G_USEC_PER_SEC, &verdict);

  if (sender == NULL)
    *refusal = reroute_reply_new (550, "5.7.1", reroute_srs_verdict_to_string (verdict));
  return sender;
}

static RerouteReply *
judge_recipient (const RerouteAdmissionRules *rules,
                 const RerouteClient *client,
                 const RerouteAddress *recipient,
                 RerouteAdmitted *admitted)
{
  const RerouteDecision *decision =
    reroute_decision_memo_decide (rules->memo, rules->ruleset, recipient, client);

  if (decision->action == REROUTE_ACTION_REJECT)
    return reply_of (decision);
  if (decision->admitting != NULL)
    admitted->by = (RerouteRowRef){ decision->admitting->page, decision->admitting->id };
  if (decision->recipient_check == REROUTE_RECIPIENT_CHECK_CALL_AHEAD)
    admitted->ask = reroute_decision_memo_take (rules->memo);
  return NULL;
}

RerouteReply *
reroute_admission_rcpt (const RerouteAdmissionRules *rules,
                        const RerouteClient *client,
                        gboolean is_notice,
                        const RerouteAddress *recipient,
                        RerouteAdmitted *admitted)
{
  g_return_val_if_fail (rules != NULL && client != NULL, NULL);
  g_return_val_if_fail (recipient != NULL && admitted != NULL, NULL);

  *admitted = (RerouteAdmitted){ 0 };
  if (rules->ruleset == NULL)
    return reroute_reply_new (451, "4.3.0", "rules are not loaded yet");
  if (rules->srs == NULL || !reroute_srs_is_ours (rules->srs, recipient))
    return judge_recipient (rules, client, recipient, admitted);

  RerouteClient trusted = *client;
  RerouteReply *refusal = NULL;
  g_autoptr (RerouteAddress) sender = unwrap (rules->srs, recipient, &refusal);
  if (sender == NULL)
    return refusal;
  trusted.authenticated |= is_notice;
  trusted.brings_notice = is_notice;
  refusal = judge_recipient (rules, &trusted, sender, admitted);
  /* Whoever has sent is no stranger's guess. */
  g_clear_pointer (&admitted->ask, reroute_decision_free);
  return refusal;
}
