/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.c - everything on the property sheet that is not a row: one table
 *
 * The dialog, reroutectl, the man page and both daemons read this table; a test checks it.
 * Sources of the defaults: design.md sections 6 and 8, wire-defaults.md.
 */

#include "config.h"

#include "common/settings.h"
#include "common/settings-private.h"

#include "common/domain-private.h"
#include "common/error.h"

#include <glib/gi18n-lib.h>

#define MINUTE_S 60
#define HOUR_S (60 * MINUTE_S)
#define DAY_S (24 * HOUR_S)
#define KIB ((gint64) 1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const char *const transfer_modes[] = { "both", "inbound", "outbound", "none", NULL };
static const char *const tls_levels[] = { "none", "opportunistic", "encrypted", "verified", NULL };
static const char *const dns_choices[] = { "system", "recursive", NULL };

#define ID(name) REROUTE_SETTING_##name
#define TYPE(name) REROUTE_SETTING_TYPE_##name

/* Minimum and maximum: seconds, octets, a count, or the number of elements of a list. */
/* clang-format off */
static const RerouteSettingSpec specs[REROUTE_N_SETTINGS] = {
  { ID (HOSTNAME), "hostname", TYPE (HOSTNAME), "", 0, 0, NULL,
    N_("Full name of this server in greetings and trace lines; empty: the name of the machine.") },
  { ID (LISTEN), "listen", TYPE (ENDPOINTS), "0.0.0.0:25, [::]:25", 1, 64, NULL,
    N_("Addresses and ports where mail is received.") },
  { ID (REROUTE), "reroute", TYPE (BOOLEAN), "yes", 0, 0, NULL,
    N_("Whether the Routing table is used: “Reroute incoming SMTP mail”.") },
  { ID (DEFAULT_DELIVERY), "default-delivery", TYPE (DELIVERY), "dns", 0, 0, NULL,
    N_("How mail leaves for domains without an entry: “dns”, or hosts that take turns.") },
  { ID (INBOUND_HOST), "inbound-host", TYPE (HOST), "", 0, 0, NULL,
    N_("Host that takes the mail of inbound domains, by SMTP or, with “lmtp:” in front, by LMTP.") },
  { ID (PERMITTED_HOSTS), "permitted-hosts", TYPE (RANGES), "", 0, 10000, NULL,
    N_("Addresses and ranges of clients that may send to any domain; empty: nobody.") },
  { ID (FORBIDDEN_HOSTS), "forbidden-hosts", TYPE (RANGES), "", 0, 10000, NULL,
    N_("Addresses and ranges of clients that may not connect at all.") },
  { ID (TRANSFER_MODE), "transfer-mode", TYPE (ENUM), "both", 0, 0, transfer_modes,
    N_("Whether mail is received and sent: “both”, “inbound”, “outbound” or “none”.") },
  { ID (RETRY_INTERVALS), "retry-intervals", TYPE (DURATIONS), "1m,5m,10m,20m,30m,1h", 1, 7 * DAY_S, NULL,
    N_("Waits between tries to deliver; the last one repeats.") },
  { ID (MESSAGE_TIMEOUT), "message-timeout", TYPE (DURATION), "5d", 1, 60 * DAY_S, NULL,
    N_("Age at which a message goes back to its sender.") },
  { ID (BOUNCE_TIMEOUT), "bounce-timeout", TYPE (DURATION), "1d", 1, 60 * DAY_S, NULL,
    N_("Age at which a notice that cannot be delivered is dropped.") },
  { ID (DELAY_NOTICE), "delay-notice", TYPE (DURATION), "4h", 0, 60 * DAY_S, NULL,
    N_("Age at which the sender is told of a delay; “0s”: never.") },
  { ID (POSTMASTER), "postmaster", TYPE (MAILBOX), "", 0, 0, NULL,
    N_("Mailbox for mail to the postmaster of this server; empty: the inbound host takes it.") },
  { ID (DNS_SERVERS), "dns-servers", TYPE (DNS), "system", 1, 16, dns_choices,
    N_("Name servers: “system” as the machine does, “recursive” from the root, or addresses.") },
  { ID (OWN_ADDRESSES), "own-addresses", TYPE (ADDRESSES), "", 0, 1000, NULL,
    N_("Further addresses of this server, such as the public one behind address translation.") },
  { ID (SOURCE_ADDRESS), "source-address", TYPE (ADDRESSES), "", 0, 2, NULL,
    N_("Addresses that outgoing connections come from, at most one each of IPv4 and IPv6.") },
  { ID (MAX_MESSAGE_SIZE), "max-message-size", TYPE (OCTETS), "50 MiB", KIB, 2 * GIB, NULL,
    N_("Largest message that is taken.") },
  { ID (MAX_RECIPIENTS), "max-recipients", TYPE (COUNT), "1000", 1, 100000, NULL,
    N_("Most recipients of one message.") },
  { ID (MAX_INBOUND_CONNECTIONS), "max-inbound-connections", TYPE (COUNT), "1000", 1, 100000, NULL,
    N_("Most connections from clients at a time.") },
  { ID (MAX_OUTBOUND_CONNECTIONS), "max-outbound-connections", TYPE (COUNT), "500", 1, 100000, NULL,
    N_("Most connections to other hosts at a time.") },
  { ID (MAX_CONNECTIONS_PER_HOST), "max-connections-per-host", TYPE (COUNT), "20", 1, 10000, NULL,
    N_("Most connections to one host at a time.") },
  { ID (MAX_MESSAGES_PER_CONNECTION), "max-messages-per-connection", TYPE (COUNT), "100", 1, 1000000, NULL,
    N_("Most messages that leave through one connection.") },
  { ID (MAX_CONNECTIONS_PER_CLIENT), "max-connections-per-client", TYPE (COUNT), "50", 1, 100000, NULL,
    N_("Most connections from one client at a time.") },
  { ID (IDLE_TIMEOUT), "idle-timeout", TYPE (DURATION), "5m", 1, DAY_S, NULL,
    N_("Wait for a client's next command before its connection is closed.") },
  { ID (CONNECT_TIMEOUT), "connect-timeout", TYPE (DURATION), "30s", 1, HOUR_S, NULL,
    N_("Wait for a connection to another host.") },
  { ID (COMMAND_TIMEOUT), "command-timeout", TYPE (DURATION), "5m", 1, DAY_S, NULL,
    N_("Wait for another host's reply to a command.") },
  { ID (DATA_TIMEOUT), "data-timeout", TYPE (DURATION), "10m", 1, DAY_S, NULL,
    N_("Wait for another host's reply to the end of a message.") },
  { ID (WORKERS), "workers", TYPE (COUNT), "1", 1, 64, NULL,
    N_("Threads that receive and deliver.") },
  { ID (HEALTH_LISTEN), "health-listen", TYPE (ENDPOINTS), "", 0, 4, NULL,
    N_("Loopback addresses and ports where the state of the relay is told over HTTP; empty: none.") },
  { ID (METRICS_LISTEN), "metrics-listen", TYPE (ENDPOINTS), "", 0, 4, NULL,
    N_("Loopback addresses and ports where Prometheus finds the relay's figures; empty: none.") },
  { ID (MAX_BAD_COMMANDS), "max-bad-commands", TYPE (COUNT), "20", 1, 10000, NULL,
    N_("Commands with an error in them before a client's connection is closed.") },
  { ID (MAX_JUNK_COMMANDS), "max-junk-commands", TYPE (COUNT), "100", 1, 1000000, NULL,
    N_("Commands that lead to no message before a client's connection is closed.") },
  { ID (MAX_REFUSED_RECIPIENTS), "max-refused-recipients", TYPE (COUNT), "100", 1, 1000000, NULL,
    N_("Recipients refused in one connection before it is closed.") },
  { ID (MAX_MESSAGE_RATE), "max-message-rate", TYPE (COUNT), "0", 0, 1000000, NULL,
    N_("Most messages in a minute from one client that is not permitted; 0: no limit.") },
  { ID (MAX_RECIPIENT_RATE), "max-recipient-rate", TYPE (COUNT), "0", 0, 1000000, NULL,
    N_("Most recipients in a minute from one client that is not permitted; 0: no limit.") },
  { ID (MAX_ERROR_RATE), "max-error-rate", TYPE (COUNT), "500", 0, 1000000, NULL,
    N_("Most errors in a minute from one client that is not permitted; 0: no limit.") },
  { ID (PROXY_HOSTS), "proxy-hosts", TYPE (RANGES), "", 0, 10000, NULL,
    N_("Addresses and ranges of proxies that tell the client's address by the PROXY protocol.") },
  { ID (XCLIENT_HOSTS), "xclient-hosts", TYPE (RANGES), "", 0, 10000, NULL,
    N_("Addresses and ranges of hosts that may say by XCLIENT whose session theirs is.") },
  { ID (LISTEN_TLS), "listen-tls", TYPE (ENDPOINTS), "", 0, 64, NULL,
    N_("Addresses and ports where mail is received in TLS from the first octet; empty: none.") },
  { ID (TLS_CERTIFICATE), "tls-certificate", TYPE (PATHS), "", 0, 32, NULL,
    N_("Certificates of this server, each with its chain; empty: clients are not offered TLS.") },
  { ID (TLS_KEY), "tls-key", TYPE (PATHS), "", 0, 32, NULL,
    N_("Keys of the certificates, in the same order; empty: they stand in the certificates' files.") },
  { ID (TLS_LEVEL), "tls-level", TYPE (ENUM), "opportunistic", 0, 0, tls_levels,
    N_("TLS to other hosts: “none”, “opportunistic”, “encrypted” or “verified”.") },
  { ID (TLS_TRUST), "tls-trust", TYPE (PATHS), "", 0, 32, NULL,
    N_("Certification authorities whose certificates count as verified; empty: the machine's.") },
  { ID (SRS_DOMAIN), "srs-domain", TYPE (HOSTNAME), "", 0, 0, NULL,
    N_("Domain of ours that senders are rewritten at when mail leaves our organisation; empty: none are.") },
  { ID (DEFAULT_LEAVES), "default-leaves", TYPE (BOOLEAN), "no", 0, 0, NULL,
    N_("Whether mail that goes by the default delivery leaves our organisation.") },
  { ID (LEAVING_RATE), "leaving-rate", TYPE (COUNT), "10", 0, 100000, NULL,
    N_("Most messages in a second that leave our organisation for one host; 0: no limit.") },
  { ID (LEAVING_STOP), "leaving-stop", TYPE (COUNT), "20", 0, 100000, NULL,
    N_("Messages that leave our organisation, refused in a row, before a host gets no more; 0: never.") },
  { ID (MTA_STS), "mta-sts", TYPE (BOOLEAN), "yes", 0, 0, NULL,
    N_("Whether the MTA-STS policies of other domains are asked for and kept to.") },
  { ID (MAX_AUTH_FAILURES), "max-auth-failures", TYPE (COUNT), "10", 0, 1000000, NULL,
    N_("Most failed logins of one client in ten minutes; 0: no limit.") },
  { ID (DEFAULT_ACCOUNT), "default-account", TYPE (ACCOUNT), "", 0, 0, NULL,
    N_("Account at the hosts of the default delivery that the relay logs in to; empty: none.") },
  { ID (DEFAULT_CERTIFICATE), "default-certificate", TYPE (PATHS), "", 0, 1, NULL,
    N_("Certificate with chain and key, one file, that hosts of the default delivery are shown; empty: none.") },
  { ID (MILTERS), "milters", TYPE (MILTERS), "", 0, 16, NULL,
    N_("Mail filters that are asked about every message that comes in, in order; empty: none.") },
  { ID (MILTERS_FOR_OWN_MAIL), "milters-for-own-mail", TYPE (MILTERS), "", 0, 16, NULL,
    N_("Mail filters that notices and reports of this server go through, to be signed; empty: none.") },
  { ID (LOG_LEVELS), "log-levels", TYPE (LOG_LEVELS), "", 0, 0, NULL,
    N_("How much the relay's log tells, by category; what is not named: “minimum”.") },
  { ID (TRACK_DAYS), "track-days", TYPE (COUNT), "30", 0, 3650, NULL,
    N_("Days for which it is kept what became of each message; 0: nothing is kept.") },
  { ID (TRACK_SIZE), "track-size", TYPE (OCTETS), "1 GiB", 16 * MIB, 64 * GIB, NULL,
    N_("Most room on the disk for what became of messages; the oldest goes first.") },
  { ID (TLS_REPORT), "tls-report", TYPE (BOOLEAN), "no", 0, 0, NULL,
    N_("Whether other domains are sent the reports about TLS with their hosts that they ask for.") },
  { ID (TLS_REPORT_FROM), "tls-report-from", TYPE (MAILBOX), "", 0, 0, NULL,
    N_("Mailbox that reports about TLS name for questions; empty: the postmaster of this server.") },
  { ID (TLS_REPORT_ORGANIZATION), "tls-report-organization", TYPE (TEXT), "", 0, 200, NULL,
    N_("Organisation that reports about TLS come from; empty: the name of this server.") },
  { ID (REQUIRETLS), "requiretls", TYPE (BOOLEAN), "no", 0, 0, NULL,
    N_("Whether senders may demand TLS all the way for a message, or do without (REQUIRETLS).") },
  { ID (PRIVATE_TARGETS), "private-targets", TYPE (RANGES), "", 0, 10000, NULL,
    N_("Private networks that DNS may send the mail of domains without an entry to; empty: none.") },
  { ID (CHUNKING), "chunking", TYPE (BOOLEAN), "yes", 0, 0, NULL,
    N_("Whether mail goes by BDAT to hosts that offer CHUNKING, and not by DATA.") },
  { ID (ALARM_COMMAND), "alarm-command", TYPE (PROGRAM), "", 0, 0, NULL,
    N_("Program that is run when an alarm is raised or cleared; empty: none.") },
  { ID (ALARM_WEBHOOK), "alarm-webhook", TYPE (URL), "", 0, 0, NULL,
    N_("Web address that alarms are posted to when they are raised or cleared; empty: none.") },
  { ID (ALARM_WEBHOOK_ACCOUNT), "alarm-webhook-account", TYPE (ACCOUNT), "", 0, 0, NULL,
    N_("Account that alarms are posted with; empty: without one.") },
  { ID (ALARM_OLDEST), "alarm-oldest", TYPE (DURATION), "1d", 0, 60 * DAY_S, NULL,
    N_("Age of the oldest message in the queue that raises an alarm; “0s”: never.") },
  { ID (ALARM_SPOOL), "alarm-spool", TYPE (COUNT), "90", 0, 99, NULL,
    N_("Per cent of the spool's file system whose use raises an alarm; 0: never.") },
  { ID (ALARM_CERTIFICATE), "alarm-certificate", TYPE (COUNT), "14", 0, 3650, NULL,
    N_("Days before the end of a certificate of ours that an alarm is raised; 0: never.") },
  { ID (ALARM_NEXT_HOP), "alarm-next-hop", TYPE (DURATION), "1h", 0, 60 * DAY_S, NULL,
    N_("Time that a host of an entry takes no mail before an alarm is raised; “0s”: never.") },
  { ID (ALARM_RULES), "alarm-rules", TYPE (DURATION), "5m", 0, 60 * DAY_S, NULL,
    N_("Time that the newest rules are not in force before an alarm is raised; “0s”: never.") },
};
/* clang-format on */

struct _RerouteSettings
{
  RerouteSettingValue *values[REROUTE_N_SETTINGS];
};

const RerouteSettingSpec *
reroute_setting_specs (void)
{
  return specs;
}

const RerouteSettingSpec *
reroute_setting_find (const char *key, GError **error)
{
  g_return_val_if_fail (key != NULL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (specs); i++)
    if (g_str_equal (specs[i].key, key))
      return &specs[i];

  g_autofree char *value = reroute_quote_value (key, -1);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_SETTING,
               _ ("setting %s is unknown: “reroutectl settings list” names them all"), value);
  return NULL;
}

static void
set_error (const RerouteSettingSpec *spec, const GError *why, GError **error)
{
  g_set_error (
    error, REROUTE_ERROR, REROUTE_ERROR_VALUE, _ ("setting “%s”: %s"), spec->key, why->message);
}

static RerouteSettingValue *
parse (const RerouteSettingSpec *spec, const char *text, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  RerouteSettingValue *value = reroute_setting_value_parse (spec, text, &local_error);

  if (value == NULL)
    set_error (spec, local_error, error);
  return value;
}

char *
reroute_setting_canonicalize (const RerouteSettingSpec *spec, const char *text, GError **error)
{
  g_return_val_if_fail (spec != NULL && text != NULL, NULL);

  g_autoptr (RerouteSettingValue) value = parse (spec, text, error);
  return value != NULL ? g_strdup (value->text) : NULL;
}

gboolean
reroute_setting_check_typed (const RerouteSettingSpec *spec, const char *text, GError **error)
{
  g_return_val_if_fail (spec != NULL && text != NULL, FALSE);

  g_autoptr (GError) local_error = NULL;
  gboolean has_hosts =
    spec->type == REROUTE_SETTING_TYPE_DELIVERY || spec->type == REROUTE_SETTING_TYPE_HOST;
  if (!has_hosts || reroute_hosts_check_typed (text, &local_error))
    return TRUE;
  set_error (spec, local_error, error);
  return FALSE;
}

/* Parsed once for the life of the process. */
static RerouteSettingValue *const *
get_defaults (void)
{
  static RerouteSettingValue *defaults[REROUTE_N_SETTINGS];
  static gsize done;

  if (g_once_init_enter (&done))
    {
      for (gsize i = 0; i < REROUTE_N_SETTINGS; i++)
        {
          defaults[i] = reroute_setting_value_parse (&specs[i], specs[i].default_value, NULL);
          g_assert (defaults[i] != NULL);
        }
      g_once_init_leave (&done, 1);
    }
  return defaults;
}

static void
clear_settings (gpointer data)
{
  RerouteSettings *self = data;

  for (gsize i = 0; i < REROUTE_N_SETTINGS; i++)
    g_clear_pointer (&self->values[i], reroute_setting_value_unref);
}

static RerouteSettings *
copy (RerouteSettingValue *const *values)
{
  RerouteSettings *self = g_atomic_rc_box_new0 (RerouteSettings);

  for (gsize i = 0; i < REROUTE_N_SETTINGS; i++)
    self->values[i] = reroute_setting_value_ref (values[i]);
  return self;
}

RerouteSettings *
reroute_settings_new (void)
{
  return copy (get_defaults ());
}

RerouteSettings *
reroute_settings_with (const RerouteSettings *self,
                       const char *key,
                       const char *value,
                       GError **error)
{
  g_return_val_if_fail (self != NULL && key != NULL, NULL);

  const RerouteSettingSpec *spec = reroute_setting_find (key, error);
  if (spec == NULL)
    return NULL;
  RerouteSettingValue *parsed = value != NULL
                                  ? parse (spec, value, error)
                                  : reroute_setting_value_ref (get_defaults ()[spec->id]);
  if (parsed == NULL)
    return NULL;
  RerouteSettings *changed = copy (self->values);
  reroute_setting_value_unref (changed->values[spec->id]);
  changed->values[spec->id] = parsed;
  return changed;
}

RerouteSettings *
reroute_settings_ref (RerouteSettings *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
reroute_settings_unref (RerouteSettings *self)
{
  g_atomic_rc_box_release_full (self, clear_settings);
}

static const RerouteSettingValue *
get_value (const RerouteSettings *self, RerouteSettingId id)
{
  g_assert (self != NULL && id < REROUTE_N_SETTINGS);
  return self->values[id];
}

const char *
reroute_settings_get_text (const RerouteSettings *self, RerouteSettingId id)
{
  return get_value (self, id)->text;
}

gboolean
reroute_settings_is_default (const RerouteSettings *self, RerouteSettingId id)
{
  return g_str_equal (get_value (self, id)->text, specs[id].default_value);
}

gboolean
reroute_settings_get_boolean (const RerouteSettings *self, RerouteSettingId id)
{
  return get_value (self, id)->number != 0;
}

gint64
reroute_settings_get_number (const RerouteSettings *self, RerouteSettingId id)
{
  return get_value (self, id)->number;
}

const gint64 *
reroute_settings_get_numbers (const RerouteSettings *self, RerouteSettingId id, gsize *n)
{
  const RerouteSettingValue *value = get_value (self, id);

  *n = value->numbers != NULL ? value->numbers->len : 0;
  return *n > 0 ? (const gint64 *) (gpointer) value->numbers->data : NULL;
}

RerouteHosts *
reroute_settings_get_hosts (const RerouteSettings *self, RerouteSettingId id)
{
  return get_value (self, id)->hosts;
}

const RerouteIpRange *
reroute_settings_get_ranges (const RerouteSettings *self, RerouteSettingId id, gsize *n)
{
  const RerouteSettingValue *value = get_value (self, id);

  *n = value->ranges != NULL ? value->ranges->len : 0;
  return *n > 0 ? (const RerouteIpRange *) (gpointer) value->ranges->data : NULL;
}

const char *const *
reroute_settings_get_endpoints (const RerouteSettings *self, RerouteSettingId id)
{
  return (const char *const *) get_value (self, id)->endpoints;
}

const char *const *
reroute_settings_get_paths (const RerouteSettings *self, RerouteSettingId id)
{
  return (const char *const *) get_value (self, id)->paths;
}

const RerouteMilterSpec *
reroute_settings_get_milters (const RerouteSettings *self, RerouteSettingId id, gsize *n)
{
  const RerouteSettingValue *value = get_value (self, id);

  *n = value->milters != NULL ? value->milters->len : 0;
  return *n > 0 ? (const RerouteMilterSpec *) (gpointer) value->milters->data : NULL;
}

gboolean
reroute_settings_contains (const RerouteSettings *self, RerouteSettingId id, const RerouteIp *ip)
{
  gsize n;
  const RerouteIpRange *ranges = reroute_settings_get_ranges (self, id, &n);

  for (gsize i = 0; i < n; i++)
    if (reroute_ip_range_contains (&ranges[i], ip))
      return TRUE;
  return FALSE;
}
