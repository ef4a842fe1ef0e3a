/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-decide-inbound.c - mail for the inbound host: by SMTP or by LMTP, and with which TLS
 */

#include "config.h"

#include "common/ruleset.h"

#include "tests/unit/sample-rules.h"

/* TLS is for what goes over a network. */
static void
test_inbound_by_lmtp (void)
{
  static const struct
  {
    const char *host;
    const char *via;
    RerouteTlsLevel tls;
    const char *sentence;
  } cases[] = {
    { "in.test", "a", REROUTE_TLS_VERIFIED, "It goes to the inbound host, in.test." },
    { "lmtp:in.test", "a", REROUTE_TLS_VERIFIED, "It goes to the inbound host, in.test, by LMTP." },
    { "lmtp:/run/lmtp",
      "socket",
      REROUTE_TLS_NONE,
      "It goes to the inbound host, /run/lmtp, by LMTP." },
  };

  RerouteClient client = { .authenticated = FALSE };
  g_autoptr (RerouteAddress) address = reroute_address_parse ("u@a.test", FALSE, NULL);

  g_assert_true (reroute_ip_parse ("198.51.100.7", &client.ip));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *settings =
        g_strdup_printf ("inbound-host=%s\ntls-level=verified", cases[i].host);
      g_autoptr (RerouteRuleset) rules = sample_rules ("routing,a.test,,inbound", settings);
      g_autoptr (GPtrArray) steps =
                   g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_step_free);
      g_autoptr (RerouteDecision) decision =
                   reroute_ruleset_decide (rules, address, &client, steps);
      gboolean told = FALSE;

      g_assert_cmpint (decision->action, ==, REROUTE_ACTION_INBOUND);
      g_assert_cmpstr (reroute_decision_get_via (decision), ==, cases[i].via);
      g_assert_cmpint (decision->tls, ==, cases[i].tls);
      for (guint j = 0; j < steps->len; j++)
        told = told || g_str_equal (((RerouteStep *) steps->pdata[j])->sentence, cases[i].sentence);
      g_assert_true (told);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/decide-inbound/lmtp", test_inbound_by_lmtp);
  return g_test_run ();
}
