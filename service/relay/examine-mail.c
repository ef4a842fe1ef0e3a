/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * examine-mail.c - the way out, the postmaster, and how long mail has been waiting
 *
 * Standards: RFC 5321 section 4.5.1 (a server takes mail for its postmaster, also notices).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/examination-private.h"

#include "common/diagnosis.h"
#include "service/relay/receive/admission.h"

#define OLD_WITHOUT_NOTICE_S (24 * 3600) /* where senders are told of no delay */

/* --- the way out --- */

typedef struct
{
  const char *label;
  guint state; /* RerouteVisitState */
  const char *why;
} Host;

static void
report_host (RerouteCheck *self, const Host *host, gboolean any_answers)
{
  if (host->state == REROUTE_VISIT_ANSWERED)
    reroute_check_report (self, "outbound-ok", host->label, NULL);
  else if (host->state == REROUTE_VISIT_UNRESOLVED)
    reroute_check_report (self, "outbound-unresolved", host->label, host->why, NULL);
  else
    reroute_check_report (
      self, any_answers ? "outbound-failed" : "outbound-closed", host->label, host->why, NULL);
}

static void
visited_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteCheck *self = user_data;
  g_autoptr (GVariant) answer = g_task_propagate_pointer (G_TASK (result), NULL);
  g_autoptr (GVariant) hosts = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
  gsize n = hosts != NULL ? g_variant_n_children (hosts) : 0;
  gboolean any_answers = FALSE;
  Host host;

  for (gsize i = 0; i < n; i++)
    {
      g_variant_get_child (hosts, i, "(&su&s)", &host.label, &host.state, &host.why);
      any_answers |= host.state == REROUTE_VISIT_ANSWERED;
    }
  for (gsize i = 0; i < n; i++)
    {
      g_variant_get_child (hosts, i, "(&su&s)", &host.label, &host.state, &host.why);
      report_host (self, &host, any_answers);
    }
  if (hosts != NULL && n == 0)
    reroute_check_report (self, "outbound-untested", NULL);
  reroute_check_end_step (self);
}

void
reroute_examine_outbound (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);

  if (parts == NULL)
    return;
  reroute_check_begin_step (self);
  reroute_scheduler_visit_hosts_async (parts->scheduler,
                                       reroute_check_get_domain (self),
                                       reroute_check_get_cancellable (self),
                                       visited_cb,
                                       self);
}

/* --- the postmaster --- */

/* What the explanation says last is why it goes nowhere. */
static char *
dup_reason (GVariant *values, GVariant *steps)
{
  const char *action = "", *reply = "", *sentence = "";
  gsize n = g_variant_n_children (steps);

  g_variant_lookup (values, "action", "&s", &action);
  g_variant_lookup (values, "reply", "&s", &reply);
  if (n > 0)
    g_variant_get_child (steps, n - 1, "(&s&s&sx)", NULL, &sentence, NULL, NULL);
  return g_strdup (g_str_equal (action, "reject") || *sentence == '\0' ? reply : sentence);
}

static void
explained_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteCheck *self = user_data;
  g_autoptr (GVariant) answer = g_task_propagate_pointer (G_TASK (result), NULL);
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariant) steps = NULL;
  g_autofree const char **addresses = NULL;
  const char *next_hop = "";

  if (answer != NULL)
    {
      g_variant_get (answer, "(@a{sv}@a(sssx))", &values, &steps);
      g_variant_lookup (values, "addresses", "^a&s", &addresses);
      g_variant_lookup (values, "next_hop", "&s", &next_hop);
      g_autofree char *reason = dup_reason (values, steps);
      if (addresses != NULL && addresses[0] != NULL)
        reroute_check_report (self, "postmaster-ok", next_hop, NULL);
      else
        reroute_check_report (self, "postmaster-unreachable", reason, NULL);
    }
  reroute_check_end_step (self);
}

static gboolean
is_unset (const RerouteSettings *settings)
{
  return reroute_settings_get_text (settings, REROUTE_SETTING_POSTMASTER)[0] == '\0' &&
         reroute_settings_get_hosts (settings, REROUTE_SETTING_INBOUND_HOST) == NULL;
}

/* What a stranger is told who sends a notice. */
static RerouteReply *
judge_notice (RerouteRuleset *ruleset)
{
  g_autoptr (RerouteAddress) postmaster = reroute_address_parse ("postmaster", FALSE, NULL);
  RerouteClient stranger = { .authenticated = FALSE };
  RerouteDecisionMemo memo = { 0 };
  const RerouteAdmissionRules rules = { .ruleset = ruleset, .memo = &memo };
  RerouteAdmitted admitted = { 0 };
  RerouteReply *refusal;

  reroute_ip_parse ("192.0.2.1", &stranger.ip);
  refusal = reroute_admission_rcpt (&rules, &stranger, TRUE, postmaster, &admitted);
  g_clear_pointer (&admitted.ask, reroute_decision_free);
  reroute_decision_memo_clear (&memo);
  return refusal;
}

void
reroute_examine_postmaster (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  g_autoptr (RerouteReply) refusal = NULL;

  if (parts == NULL || parts->ruleset == NULL)
    return;
  refusal = judge_notice (parts->ruleset);
  if (refusal != NULL && is_unset (reroute_ruleset_get_settings (parts->ruleset)))
    reroute_check_report (self, "postmaster-unset", NULL);
  else if (refusal != NULL)
    {
      g_autofree char *text = reroute_reply_to_string (refusal);
      reroute_check_report (self, "postmaster-refused", text, NULL);
    }
  else
    {
      reroute_check_begin_step (self);
      reroute_scheduler_explain_async (parts->scheduler,
                                       "postmaster",
                                       NULL,
                                       parts->ruleset,
                                       reroute_check_get_cancellable (self),
                                       explained_cb,
                                       self);
    }
}

/* --- the queue --- */

void
reroute_examine_queue (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  RerouteSchedulerFigures figures = { 0 };
  gint64 notice_s = 0;

  if (parts == NULL)
    return;
  reroute_scheduler_get_figures (parts->scheduler, &figures);
  g_free (figures.dns);
  if (parts->ruleset != NULL)
    notice_s = reroute_settings_get_number (reroute_ruleset_get_settings (parts->ruleset),
                                            REROUTE_SETTING_DELAY_NOTICE);
  if (notice_s == 0)
    notice_s = OLD_WITHOUT_NOTICE_S;
  if (!figures.is_restored)
    reroute_check_report (self, "queue-unread", NULL);
  else if (figures.oldest_us == 0)
    reroute_check_report (self, "queue-empty", NULL);
  else
    {
      g_autofree char *since = reroute_check_format_time (figures.oldest_us);
      gint64 age_us = g_get_real_time () - figures.oldest_us;
      reroute_check_report (
        self, age_us > notice_s * G_USEC_PER_SEC ? "queue-old" : "queue-waits", since, NULL);
    }
}
