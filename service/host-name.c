/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * host-name.c - the name that the relay goes by, also where the rules daemon speaks for it
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-host-name"

#include "service/host-name.h"

#include "common/domain.h"

char *
reroute_host_name_find (void)
{
  char *name = reroute_domain_normalize (g_get_host_name (), NULL);

  return name != NULL ? name : g_strdup ("localhost");
}

RerouteRuleset *
reroute_host_name_fill_in (RerouteRuleset *ruleset, const char *machine)
{
  g_return_val_if_fail (ruleset != NULL && machine != NULL, NULL);

  RerouteSettings *settings = reroute_ruleset_get_settings (ruleset);
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (ruleset);
  g_autoptr (RerouteChange) change = NULL;
  g_autoptr (GError) error = NULL;

  if (reroute_settings_get_text (settings, REROUTE_SETTING_HOSTNAME)[0] != '\0')
    return reroute_ruleset_ref (ruleset);
  change = reroute_change_new_set ("hostname", machine, &error);
  if (change == NULL || !reroute_ruleset_builder_apply (builder, change, &error))
    {
      g_warning ("the name of this machine is of no use: %s", error->message);
      return reroute_ruleset_ref (ruleset);
    }
  return reroute_ruleset_builder_build (builder, reroute_ruleset_get_serial (ruleset));
}
