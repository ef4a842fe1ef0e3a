/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * explain.c - reroutectl explain: the relay answers, with look-ups; while it is away rulesd does,
 * without them
 */

#include "config.h"

#include "service/ctl/ctl.h"
#include "service/ctl/refusal.h"

#include "common/error.h"
#include "common/step-text.h"

#include <glib/gi18n.h>

static GVariant *
ask (RerouteCtl *ctl, const char *address, const char *client, GPtrArray **steps, GError **error)
{
  g_autoptr (GAsyncResult) from_relay = NULL;
  g_autoptr (GAsyncResult) from_rules = NULL;
  g_autoptr (GError) local_error = NULL;
  GVariant *answer;

  reroute_relay_client_explain_async (
    ctl->relay, address, client, FALSE, NULL, NULL, reroute_ctl_wait_cb, &from_relay);
  answer = reroute_relay_client_explain_finish (
    ctl->relay, reroute_ctl_wait (&from_relay), steps, &local_error);
  if (answer != NULL)
    return answer;
  if (!g_error_matches (local_error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }

  g_printerr ("%s\n",
              _ ("note: the relay is not running; this is what the saved rules say, without DNS"));
  reroute_rules_client_explain_async (
    ctl->rules, address, client, FALSE, NULL, NULL, reroute_ctl_wait_cb, &from_rules);
  return reroute_rules_client_explain_finish (
    ctl->rules, reroute_ctl_wait (&from_rules), steps, error);
}

static void
print_json (GVariant *answer, GPtrArray *steps)
{
  static const char *const keys[] = {
    "recipient", "action", "rcpt_out", "next_hop", "via", "reply"
  };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree const char **addresses = NULL;

  json_builder_begin_object (builder);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      const char *value = NULL;

      g_variant_lookup (answer, keys[i], "&s", &value);
      reroute_ctl_add_string (builder, keys[i], value);
    }
  json_builder_set_member_name (builder, "addresses");
  json_builder_begin_array (builder);
  g_variant_lookup (answer, "addresses", "^a&s", &addresses);
  for (gsize i = 0; addresses != NULL && addresses[i] != NULL; i++)
    json_builder_add_string_value (builder, addresses[i]);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "steps");
  json_builder_begin_array (builder);
  for (guint i = 0; i < steps->len; i++)
    {
      const RerouteStep *step = steps->pdata[i];

      json_builder_begin_object (builder);
      reroute_ctl_add_string (builder, "code", step->code);
      reroute_ctl_add_string (builder, "sentence", step->sentence);
      reroute_ctl_add_string (
        builder, "page", step->row.id != 0 ? reroute_page_to_string (step->row.page) : NULL);
      reroute_ctl_add_int (builder, "row", step->row.id);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  reroute_ctl_print_json (builder);
}

static void
print_text (GVariant *answer, GPtrArray *steps)
{
  const char *action = "";
  const char *recipient = "";
  const char *rcpt_out = "";
  const char *next_hop = "";
  const char *via = "";
  const char *reply = "";
  g_autofree char *verdict = NULL;

  g_variant_lookup (answer, "action", "&s", &action);
  g_variant_lookup (answer, "recipient", "&s", &recipient);
  g_variant_lookup (answer, "rcpt_out", "&s", &rcpt_out);
  g_variant_lookup (answer, "next_hop", "&s", &next_hop);
  g_variant_lookup (answer, "via", "&s", &via);
  g_variant_lookup (answer, "reply", "&s", &reply);
  for (guint i = 0; i < steps->len; i++)
    {
      const RerouteStep *step = steps->pdata[i];
      g_autofree char *sentence = reroute_step_dup_text (step->code, step->sentence, NULL);

      g_print ("%u. %s\n", i + 1, sentence);
    }
  if (g_str_equal (action, "reject"))
    /* Translators: an address; a reply of SMTP, "550 5.7.1 Relaying denied" */
    verdict = g_strdup_printf (_ ("%s is refused: %s"), recipient, reply);
  else if (via[0] == '\0')
    verdict = g_strdup_printf (
      /* Translators: the address as received, the address that leaves, the next hop, and how in one
         word that is not translated: "rewrite", "forward" */
      _ ("%s leaves as %s for %s (%s)"), recipient, rcpt_out, next_hop, action);
  else
    verdict = g_strdup_printf (
      /* Translators: the address as received, the address that leaves, the next hop, how in one
         word that is not translated, and what its host comes from: "mx", "a", "ip" */
      _ ("%s leaves as %s for %s (%s, via %s)"), recipient, rcpt_out, next_hop, action, via);
  g_print ("%s\n", verdict);
}

gboolean
reroute_ctl_explain (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_autofree char *client = NULL;
  const GOptionEntry entries[] = {
    { "from", 0, 0, G_OPTION_ARG_STRING, &client, NULL, NULL },
    { NULL },
  };
  g_autoptr (GPtrArray) steps = NULL;
  g_autoptr (GVariant) answer = NULL;
  RerouteIp ip;

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 1, 1, error))
    return FALSE;
  if (client != NULL && !reroute_ip_parse (client, &ip))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   _ ("client “%s” is not an IP address, as in --from=192.0.2.7"), client);
      return FALSE;
    }
  answer = ask (ctl, argv[1], client != NULL ? client : "", &steps, error);
  if (answer == NULL)
    {
      reroute_ctl_reword_address (error, argv[1]);
      return FALSE;
    }
  if (ctl->json)
    print_json (answer, steps);
  else
    print_text (answer, steps);
  return TRUE;
}
