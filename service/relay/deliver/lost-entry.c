/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lost-entry.c - recipients whose entry does not act any more
 *
 * Such a recipient waits until an entry matches it: never default delivery for mail that an entry
 * let in.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"

gboolean
reroute_recipient_lost_its_entry (const RerouteRecipient *recipient,
                                  const RerouteDecision *decision)
{
  return recipient->admitted_by.id != 0 && decision->admitting == NULL;
}

static const char *
describe_loss (const RerouteRuleset *ruleset, RerouteRowRef ref)
{
  const RerouteRow *row = reroute_ruleset_get_row (ruleset, ref.page, ref.id);

  if (row == NULL)
    return "its entry was removed";
  if (!row->enabled)
    return "its entry is off";
  if (row->page == REROUTE_PAGE_ROUTING &&
      !reroute_settings_get_boolean (reroute_ruleset_get_settings (ruleset),
                                     REROUTE_SETTING_REROUTE))
    return "incoming mail is not rerouted, so its entry does not act";
  return "its entry was changed and does not cover it any more";
}

RerouteOutcome
reroute_recipient_await_entry (const RerouteRuleset *ruleset,
                               const RerouteRecipient *recipient,
                               guint index)
{
  return (RerouteOutcome){
    .kind = REROUTE_OUTCOME_PUT_OFF,
    .recipient = index,
    .reply = reroute_reply_new (451, "4.3.5", describe_loss (ruleset, recipient->admitted_by)),
    .waits_for_rules = TRUE,
  };
}
