/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ctl.c - what the verbs of reroutectl share: proxies, options, JSON
 *
 * A command at a prompt does one thing and ends, so its calls are synchronous.
 */

#include "config.h"

#include "service/ctl/ctl.h"

#include "common/error.h"
#include "common/names.h"

/* A commit of a million rows takes longer than the bus's 25 s. */
#define CALL_TIMEOUT_MS (10 * 60 * 1000)

void
reroute_ctl_clear (RerouteCtl *self)
{
  g_clear_object (&self->rules);
  g_clear_object (&self->relay);
  g_clear_object (&self->bus);
}

RerouteDBusRules1 *
reroute_ctl_get_rules (RerouteCtl *self, GError **error)
{
  if (self->rules == NULL)
    {
      self->rules = reroute_dbus_rules1_proxy_new_sync (self->bus,
                                                        G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES |
                                                          G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS,
                                                        REROUTE_RULES_BUS_NAME,
                                                        REROUTE_RULES_PATH,
                                                        NULL,
                                                        error);
      if (self->rules == NULL)
        return NULL;
      g_dbus_proxy_set_default_timeout (G_DBUS_PROXY (self->rules), CALL_TIMEOUT_MS);
    }
  return self->rules;
}

RerouteDBusRelay1 *
reroute_ctl_get_relay (RerouteCtl *self, GError **error)
{
  if (self->relay == NULL)
    {
      self->relay = reroute_dbus_relay1_proxy_new_sync (self->bus,
                                                        G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES |
                                                          G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS |
                                                          G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
                                                        REROUTE_RELAY_BUS_NAME,
                                                        REROUTE_RELAY_PATH,
                                                        NULL,
                                                        error);
    }
  return self->relay;
}

gboolean
reroute_ctl_parse (RerouteCtl *self,
                   const GOptionEntry *entries,
                   int *argc,
                   char ***argv,
                   int minimum,
                   int maximum,
                   GError **error)
{
  const GOptionEntry common[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &self->json, "Print JSON", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  int n_words;

  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, common, NULL);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;

  n_words = *argc - 1;
  if (n_words < minimum || n_words > maximum)
    {
      g_set_error (error,
                   G_OPTION_ERROR,
                   G_OPTION_ERROR_FAILED,
                   n_words < minimum ? "“%s” wants more arguments" : "“%s” has too many arguments",
                   (*argv)[0]);
      return FALSE;
    }
  return TRUE;
}

void
reroute_ctl_print_json (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autofree char *text = NULL;

  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  text = json_generator_to_data (generator, NULL);
  g_print ("%s\n", text);
}
