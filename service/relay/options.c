/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * options.c - the command line of reroute-relayd
 */

#include "config.h"

#include "service/relay/options.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/receive/listener.h"

#define TOKEN_COMMANDS "token-commands"
#define ALARM_COMMANDS "alarm-commands"

typedef struct
{
  RerouteRelayOptions values;
  int mx_port;
  int mta_sts_port;
} Parsed;

static gboolean
parse (Parsed *parsed, char ***arguments, GError **error)
{
  RerouteRelayOptions *values = &parsed->values;
  /* clang-format off */
  const GOptionEntry entries[] = {
    { "session", 0, 0, G_OPTION_ARG_NONE, &values->session, "Use the session bus", NULL },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &values->bus, "Use the bus at ADDRESS", "ADDRESS" },
    { "spool", 0, 0, G_OPTION_ARG_FILENAME, &values->spool, "Keep the queue in DIR", "DIR" },
    { "listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &values->listen, "Receive there, whatever the setting “listen” says; may be repeated", "HOST:PORT" },
    { "metrics-listen", 0, 0, G_OPTION_ARG_STRING_ARRAY, &values->metrics_listen, "Serve metrics there, whatever the setting “metrics-listen” says; may be repeated", "HOST:PORT" },
    { "dns", 0, 0, G_OPTION_ARG_STRING_ARRAY, &values->dns, "Ask this name server, whatever the setting “dns-servers” says; may be repeated", "HOST:PORT" },
    { "trust-anchor", 0, 0, G_OPTION_ARG_FILENAME, &values->trust_anchor, "Validate DNS from the DS or DNSKEY records in FILE", "FILE" },
    { "token-commands", 0, 0, G_OPTION_ARG_FILENAME, &values->token_commands, "Run programs in DIR that print access tokens", "DIR" },
    { "alarm-commands", 0, 0, G_OPTION_ARG_FILENAME, &values->alarm_commands, "Run programs in DIR that are told of alarms", "DIR" },
    { "mx-port", 0, 0, G_OPTION_ARG_INT, &parsed->mx_port, "Connect to mail exchangers on port N", "N" },
    { "mta-sts-port", 0, 0, G_OPTION_ARG_INT, &parsed->mta_sts_port, "Fetch MTA-STS policies from port N", "N" },
    { "check", 0, 0, G_OPTION_ARG_NONE, &values->check, "Read the queue, tell what is in it, change nothing", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &values->version, "Print the version", NULL },
    { "no-sandbox", 0, 0, G_OPTION_ARG_NONE, &values->no_sandbox, "Keep every right that the user has", NULL },
    { "exit-after-startup", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &values->exit_after_startup, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  /* clang-format on */
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, "The relay of Reroute: receives mail, and delivers it.");
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse_strv (context, arguments, error);
}

static gboolean
check_endpoints (char **endpoints, GError **error)
{
  RerouteIp ip;
  guint16 port;

  for (char **endpoint = endpoints; endpoint != NULL && *endpoint != NULL; endpoint++)
    if (!reroute_endpoint_parse (*endpoint, &ip, &port, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_loopback (char **endpoints, GError **error)
{
  RerouteIp ip;
  guint16 port;

  for (char **endpoint = endpoints; endpoint != NULL && *endpoint != NULL; endpoint++)
    {
      if (!reroute_endpoint_parse (*endpoint, &ip, &port, error))
        return FALSE;
      if (reroute_ip_is_loopback (&ip))
        continue;
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "--metrics-listen=%s can be reached from outside: wanted a loopback address",
                   *endpoint);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_port (const char *option, int port, GError **error)
{
  if (port >= 1 && port <= G_MAXUINT16)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "--%s=%d is no port: wanted 1 to 65535",
               option,
               port);
  return FALSE;
}

static gboolean
check (const Parsed *parsed, char **arguments, GError **error)
{
  const RerouteRelayOptions *values = &parsed->values;

  if (arguments[0] != NULL && arguments[1] != NULL)
    g_set_error (
      error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "“%s” is no option: see --help", arguments[1]);
  else if (values->session && values->bus != NULL)
    g_set_error (
      error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "--session and --bus exclude each other");
  else
    return check_port ("mx-port", parsed->mx_port, error) &&
           check_port ("mta-sts-port", parsed->mta_sts_port, error) &&
           check_endpoints (values->listen, error) && check_endpoints (values->dns, error) &&
           check_loopback (values->metrics_listen, error);
  return FALSE;
}

gboolean
reroute_relay_options_parse (RerouteRelayOptions *self, char ***arguments, GError **error)
{
  g_return_val_if_fail (self != NULL && arguments != NULL, FALSE);

  Parsed parsed = { .mx_port = REROUTE_DEFAULT_SMTP_PORT,
                    .mta_sts_port = REROUTE_DEFAULT_HTTPS_PORT };

  *self = (RerouteRelayOptions){ 0 };
  if (!parse (&parsed, arguments, error) || !check (&parsed, *arguments, error))
    {
      reroute_relay_options_clear (&parsed.values);
      return FALSE;
    }
  *self = parsed.values;
  self->mx_port = (guint16) parsed.mx_port;
  self->mta_sts_port = (guint16) parsed.mta_sts_port;
  return TRUE;
}

void
reroute_relay_options_clear (RerouteRelayOptions *self)
{
  g_return_if_fail (self != NULL);

  g_clear_pointer (&self->bus, g_free);
  g_clear_pointer (&self->spool, g_free);
  g_clear_pointer (&self->token_commands, g_free);
  g_clear_pointer (&self->alarm_commands, g_free);
  g_clear_pointer (&self->listen, g_strfreev);
  g_clear_pointer (&self->metrics_listen, g_strfreev);
  g_clear_pointer (&self->dns, g_strfreev);
  g_clear_pointer (&self->trust_anchor, g_free);
}

char *
reroute_relay_options_dup_spool (const RerouteRelayOptions *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (self->spool != NULL)
    return g_strdup (self->spool);
  if (self->session || self->bus != NULL)
    return g_build_filename (g_get_user_state_dir (), "reroute", "spool", NULL);
  /* Not within the state directory of reroute-rulesd, which is another user's. */
  return g_strdup (REROUTE_STATE_DIR "-relay");
}

/* @chosen: (nullable): the option */
static char *
dup_configuration (const RerouteRelayOptions *self, const char *chosen, const char *name)
{
  if (chosen != NULL)
    return g_strdup (chosen);
  if (self->session || self->bus != NULL)
    return g_build_filename (g_get_user_config_dir (), "reroute", name, NULL);
  return g_build_filename (REROUTE_CONFIG_DIR, name, NULL);
}

char *
reroute_relay_options_dup_token_commands (const RerouteRelayOptions *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return dup_configuration (self, self->token_commands, TOKEN_COMMANDS);
}

char *
reroute_relay_options_dup_alarm_commands (const RerouteRelayOptions *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return dup_configuration (self, self->alarm_commands, ALARM_COMMANDS);
}

GStrv
reroute_relay_options_list_endpoints (const RerouteRelayOptions *self, RerouteRuleset *ruleset)
{
  g_autoptr (RerouteSettings) settings =
               ruleset != NULL ? reroute_settings_ref (reroute_ruleset_get_settings (ruleset))
                               : reroute_settings_new ();
  const char *const *clear = self->listen != NULL
                               ? (const char *const *) self->listen
                               : reroute_settings_get_endpoints (settings, REROUTE_SETTING_LISTEN);
  const char *const *in_tls = reroute_settings_get_endpoints (settings, REROUTE_SETTING_LISTEN_TLS);
  g_autoptr (GStrvBuilder) endpoints = g_strv_builder_new ();

  g_strv_builder_addv (endpoints, (const char **) clear);
  for (gsize i = 0; in_tls[i] != NULL; i++)
    {
      g_autofree char *endpoint = g_strconcat (REROUTE_LISTENER_IN_TLS, in_tls[i], NULL);
      g_strv_builder_add (endpoints, endpoint);
    }
  return g_strv_builder_end (endpoints);
}
