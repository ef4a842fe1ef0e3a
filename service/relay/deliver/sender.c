/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sender.c - the sender that mail goes out with, and the one that it came from
 *
 * Mail that leaves our organisation goes out with a sender that SPF allows us (smtp/srs.c), unless
 * it is ours to begin with.  A notice that comes back is for the sender as it was.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-srs"

#include "service/relay/deliver/scheduler-private.h"

RerouteAddress *
reroute_scheduler_unwrap (RerouteScheduler *self,
                          RerouteAddress *recipient,
                          gint64 now_s,
                          RerouteSrsVerdict *verdict)
{
  RerouteSrsVerdict said;

  if (self->srs == NULL || !reroute_srs_is_ours (self->srs, recipient))
    return reroute_address_ref (recipient);
  return reroute_srs_reverse (self->srs, recipient, now_s, verdict != NULL ? verdict : &said);
}

RerouteOutcome
reroute_recipient_fail_expired (guint recipient)
{
  return (RerouteOutcome){
    .kind = REROUTE_OUTCOME_FAILED,
    .recipient = recipient,
    .reply = reroute_reply_new (550, "5.7.1", reroute_srs_verdict_to_string (REROUTE_SRS_EXPIRED)),
  };
}

char *
reroute_scheduler_rewrite_sender (RerouteScheduler *self, const char *reverse_path)
{
  g_autoptr (RerouteAddress) sender = NULL;
  g_autoptr (GError) error = NULL;
  char *rewritten;

  if (self->srs == NULL || *reverse_path == '\0')
    return NULL;
  sender = reroute_address_parse (reverse_path, TRUE, NULL);
  if (sender == NULL || g_str_equal (sender->key, reroute_srs_get_domain (self->srs)) ||
      reroute_ruleset_is_ours (self->ruleset, sender->key))
    return NULL;
  rewritten = reroute_srs_forward (self->srs, sender, g_get_real_time () / G_USEC_PER_SEC, &error);
  if (error != NULL)
    g_warning ("%s: a sender too long for an address stays", error->message);
  return rewritten;
}
