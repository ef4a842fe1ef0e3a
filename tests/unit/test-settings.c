/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-settings.c - the settings table is whole, and every value has one canonical text
 */

#include "config.h"

#include "common/settings.h"

#include "common/error.h"

#include <string.h>

/* The keys that every part agrees on, in the order of the table: design.md section 8. */
static const char *const keys[] = {
  "hostname",
  "listen",
  "reroute",
  "default-delivery",
  "inbound-host",
  "permitted-hosts",
  "forbidden-hosts",
  "transfer-mode",
  "retry-intervals",
  "message-timeout",
  "bounce-timeout",
  "delay-notice",
  "postmaster",
  "dns-servers",
  "own-addresses",
  "source-address",
  "max-message-size",
  "max-recipients",
  "max-inbound-connections",
  "max-outbound-connections",
  "max-connections-per-host",
  "max-messages-per-connection",
  "max-connections-per-client",
  "idle-timeout",
  "connect-timeout",
  "command-timeout",
  "data-timeout",
  "workers",
  "health-listen",
  "metrics-listen",
  "max-bad-commands",
  "max-junk-commands",
  "max-refused-recipients",
  "max-message-rate",
  "max-recipient-rate",
  "max-error-rate",
  "proxy-hosts",
  "xclient-hosts",
  "listen-tls",
  "tls-certificate",
  "tls-key",
  "tls-level",
  "tls-trust",
  "srs-domain",
  "default-leaves",
  "leaving-rate",
  "leaving-stop",
  "mta-sts",
  "max-auth-failures",
  "default-account",
  "default-certificate",
  "milters",
  "milters-for-own-mail",
  "log-levels",
  "track-days",
  "track-size",
  "tls-report",
  "tls-report-from",
  "tls-report-organization",
  "requiretls",
  "private-targets",
  "chunking",
  "alarm-command",
  "alarm-webhook",
  "alarm-webhook-account",
  "alarm-oldest",
  "alarm-spool",
  "alarm-certificate",
  "alarm-next-hop",
  "alarm-rules",
};

static void
test_table (void)
{
  const RerouteSettingSpec *specs = reroute_setting_specs ();
  g_autoptr (RerouteSettings) settings = reroute_settings_new ();

  g_assert_cmpuint (G_N_ELEMENTS (keys), ==, REROUTE_N_SETTINGS);
  for (guint i = 0; i < REROUTE_N_SETTINGS; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *canonical =
        reroute_setting_canonicalize (&specs[i], specs[i].default_value, &error);
      g_assert_no_error (error);
      g_assert_cmpint (specs[i].id, ==, i);
      g_assert_cmpstr (specs[i].key, ==, keys[i]);
      g_assert_cmpstr (canonical, ==, specs[i].default_value);
      g_assert_cmpuint (strlen (specs[i].summary), >, 10);
      g_assert_true (g_str_has_suffix (specs[i].summary, "."));
      g_assert_cmpint (specs[i].minimum, <=, specs[i].maximum);
      g_assert_true (reroute_setting_find (keys[i], NULL) == &specs[i]);
      g_assert_true (reroute_settings_is_default (settings, i));
      g_assert_cmpstr (reroute_settings_get_text (settings, i), ==, specs[i].default_value);
    }
}

typedef struct
{
  const char *name;
  const char *key;
  const char *text;
  const char *canonical; /* NULL: refused */
  const char *message;   /* part of the refusal */
} Row;

#define TEXT_67 "An organisation with a name that is longer than any that is needed."
#define TEXT_201 TEXT_67 TEXT_67 TEXT_67

static const Row rows[] = {
  { "hostname", "hostname", "Mail.Example.COM.", "mail.example.com", NULL },
  { "hostname-none", "hostname", " ", "", NULL },
  { "hostname-address", "hostname", "[192.0.2.1]", NULL, "is an address" },
  { "hostname-port", "hostname", "a.example:25", NULL, "host name “a.example:25” has a “:”" },
  { "listen", "listen", "127.0.0.1:2525 [::1]:25", "127.0.0.1:2525, [::1]:25", NULL },
  { "listen-default-port", "listen", "127.0.0.1,::1", "127.0.0.1:25, [::1]:25", NULL },
  { "listen-twice",
    "listen",
    "127.0.0.1:2525, [::1]:25 127.0.0.1:2525,[0:0::1]",
    "127.0.0.1:2525, [::1]:25",
    NULL },
  { "listen-none", "listen", "", NULL, "at least one is wanted" },
  { "listen-name", "listen", "localhost:25", NULL, "is no address with a port" },
  { "listen-port", "listen", "127.0.0.1:65536", NULL, "has no port from 1 to 65535" },
  { "listen-port-zero", "listen", "127.0.0.1:0", NULL, "has no port from 1 to 65535" },
  { "listen-open-bracket", "listen", "[::1:25", NULL, "is no address with a port" },
  { "listen-behind-bracket", "listen", "[::1]25x", NULL, "has no port" },
  { "health", "health-listen", "127.0.0.1:8025", "127.0.0.1:8025", NULL },
  { "health-off", "health-listen", "", "", NULL },
  { "health-outside", "health-listen", "0.0.0.0:8025", NULL, "can be reached from outside" },
  { "health-no-port", "health-listen", "127.0.0.1", NULL, "has no port" },
  { "metrics", "metrics-listen", "[::1]:9625", "[::1]:9625", NULL },
  { "metrics-off", "metrics-listen", "", "", NULL },
  { "metrics-outside",
    "metrics-listen",
    "127.0.0.1:1, 192.0.2.1:9625",
    NULL,
    "be reached from outside" },
  { "metrics-any", "metrics-listen", "[::]:9625", NULL, "be reached from outside" },
  { "metrics-no-port", "metrics-listen", "127.0.0.1", NULL, "has no port" },
  { "listen-tls", "listen-tls", "127.0.0.1", "127.0.0.1:465", NULL },
  { "listen-tls-none", "listen-tls", "", "", NULL },
  { "paths", "tls-certificate", "/etc/a b.pem ,/etc/c.pem", "/etc/a b.pem, /etc/c.pem", NULL },
  { "tls-level", "tls-level", "Verified", "verified", NULL },
  { "account", "default-account", " smart ", "smart", NULL },
  { "account-blank", "default-account", "a b", NULL, "name of an account is malformed" },
  { "tls-level-bad", "tls-level", "may", NULL, "“verified” are possible" },
  { "paths-none", "tls-certificate", "", "", NULL },
  { "paths-relative", "tls-key", "key.pem", NULL, "“key.pem” is no full file name" },
  { "paths-control", "tls-key", "/etc/a\nb", NULL, "has a control character" },
  { "boolean", "reroute", "No", "no", NULL },
  { "boolean-other", "reroute", "true", "yes", NULL },
  { "boolean-bad", "reroute", "perhaps", NULL, "setting “reroute”: “perhaps” is neither" },
  { "enum", "transfer-mode", "Inbound", "inbound", NULL },
  { "enum-bad",
    "transfer-mode",
    "off",
    NULL,
    "“both”, “inbound”, “outbound”, “none” are possible" },
  { "delivery-dns", "default-delivery", "DNS", "dns", NULL },
  { "delivery-hosts",
    "default-delivery",
    "192.0.2.1, 192.0.2.2:26",
    "192.0.2.1;192.0.2.2:26",
    NULL },
  { "delivery-bad", "default-delivery", "a.example:0", NULL, "port “0” is not a number" },
  { "host", "inbound-host", "[::1]:2526", "[::1]:2526", NULL },
  { "host-lmtp", "inbound-host", "lmtp:unix:/run/dovecot/lmtp", "lmtp:/run/dovecot/lmtp", NULL },
  { "host-lmtp-bad", "inbound-host", "lmtp:/", NULL, "socket “/” names no socket" },
  { "delivery-lmtp", "default-delivery", "lmtp:/run/lmtp", NULL, "is a web address" },
  { "milters",
    "milters",
    "unix:/run/a.sock  action=Accept, inet:8891@127.0.0.1 command=60s content=5m connect=1m",
    "unix:/run/a.sock action=accept, inet:127.0.0.1:8891 connect=1m command=1m",
    NULL },
  { "log-levels",
    "log-levels",
    " Delivery=Maximum,session = none , tls=minimum",
    "session=none, delivery=maximum",
    NULL },
  { "log-levels-all", "log-levels", "", "", NULL },
  { "log-levels-level",
    "log-levels",
    "session=loud",
    NULL,
    "“session=loud” is no level of the log" },
  { "log-levels-category", "log-levels", "dns=medium", NULL, "of session, tls, delivery" },
  { "log-levels-bare", "log-levels", "medium", NULL, "wanted like “session=medium”" },
  { "milters-short", "milters", "/run/a.sock,[::1]:1", "unix:/run/a.sock, inet:[::1]:1", NULL },
  { "milters-none", "milters", " , ", "", NULL },
  { "milters-own",
    "milters-for-own-mail",
    "/run/a.sock connect=1s",
    "unix:/run/a.sock connect=1s",
    NULL },
  { "milter-name", "milters", "inet:localhost:8891", NULL, "is no address with a port" },
  { "milter-port", "milters", "inet:127.0.0.1", NULL, "is no address with a port" },
  { "milter-path", "milters", "unix:run/a.sock", NULL, "from the first “/” on" },
  { "milter-action", "milters", "/run/a action=hope", NULL, "“tempfail”, “reject” are possible" },
  { "milter-word", "milters", "/run/a timeout=3s", NULL, "“content=” are possible" },
  { "milter-limit", "milters", "/run/a command=0s", NULL, "“1s” to “1h” is possible" },
  { "text", "tls-report-organization", " Größe & Co. ", "Größe & Co.", NULL },
  { "text-control", "tls-report-organization", "a\nb", NULL, "has a control character" },
  { "text-long", "tls-report-organization", TEXT_201, NULL, "at most 200 octets are possible" },
  { "program", "alarm-command", " page-operator.sh ", "page-operator.sh", NULL },
  { "program-none", "alarm-command", "", "", NULL },
  { "program-path", "alarm-command", "/bin/sh", NULL, "is no bare name of a program" },
  { "program-hidden", "alarm-command", "..", NULL, "is no bare name of a program" },
  { "program-words", "alarm-command", "rm -rf", NULL, "is no bare name of a program" },
  { "url", "alarm-webhook", "https://a.example:8443/b?c=d", "https://a.example:8443/b?c=d", NULL },
  { "url-none", "alarm-webhook", " ", "", NULL },
  { "url-loopback", "alarm-webhook", "http://[::1]:8025/", "http://[::1]:8025/", NULL },
  { "url-localhost", "alarm-webhook", "http://localhost/a", "http://localhost/a", NULL },
  { "url-clear", "alarm-webhook", "http://a.example/", NULL, "in clear text" },
  { "url-address", "alarm-webhook", "http://192.0.2.1/", NULL, "in clear text" },
  { "url-scheme", "alarm-webhook", "ftp://a.example/", NULL, "is no web address" },
  { "url-bare", "alarm-webhook", "a.example/b", NULL, "is no web address" },
  { "url-no-host", "alarm-webhook", "https:///b", NULL, "is no web address" },
  { "url-blank", "alarm-webhook", "https://a.example/b c", NULL, "is no web address" },
  { "url-password", "alarm-webhook", "https://u:p@a.example/", NULL, "settings are no secret" },
  { "url-user", "alarm-webhook", "https://u@a.example/", NULL, "settings are no secret" },
  { "percent", "alarm-spool", "100", NULL, "“0” to “99”" },
  { "host-none", "inbound-host", "", "", NULL },
  { "host-two", "inbound-host", "a.example;b.example", NULL, "one is possible" },
  { "ranges",
    "permitted-hosts",
    "10.0.0.0/8 192.168.1.0;255.255.255.0,::1",
    "10.0.0.0/8, 192.168.1.0/24, ::1",
    NULL },
  { "ranges-host-bits",
    "permitted-hosts",
    "10.0.0.1/8",
    NULL,
    "write “10.0.0.0/8” for the network" },
  { "addresses", "own-addresses", "192.0.2.1 2001:db8::1", "192.0.2.1, 2001:db8::1", NULL },
  { "addresses-range", "own-addresses", "192.0.2.0/24", NULL, "write single addresses" },
  { "addresses-three",
    "source-address",
    "192.0.2.1 192.0.2.2 192.0.2.3",
    NULL,
    "at most 2 are possible" },
  { "dns-system", "dns-servers", "System", "system", NULL },
  { "dns-recursive", "dns-servers", "recursive", "recursive", NULL },
  { "dns-list",
    "dns-servers",
    "192.0.2.53, [2001:db8::53]:5353",
    "192.0.2.53:53, [2001:db8::53]:5353",
    NULL },
  { "dns-name", "dns-servers", "dns.example", NULL, "is no name server" },
  { "mailbox", "postmaster", "Admin@Example.com", "Admin@Example.com", NULL },
  { "mailbox-bare", "postmaster", "postmaster", NULL, "has no domain" },
  { "mailbox-bad", "postmaster", "admin@", NULL, "nothing behind its “@”" },
  { "duration-shortest", "message-timeout", "48h", "2d", NULL },
  { "duration-sum", "delay-notice", "1h30m", "90m", NULL },
  { "duration-never", "delay-notice", "0s", "0s", NULL },
  { "duration-zero", "message-timeout", "0s", NULL, "“0s” is out of range: “1s” to “60d”" },
  { "duration-long", "message-timeout", "61d", NULL, "is out of range" },
  { "duration-unit", "message-timeout", "5", NULL, "has no unit" },
  { "duration-sign", "message-timeout", "-5d", NULL, "is none: write one such as" },
  { "duration-order", "message-timeout", "5m1h", NULL, "is none" },
  { "duration-huge", "message-timeout", "99999999999d", NULL, "is none" },
  { "durations", "retry-intervals", "15m, 30m,60m 4h", "15m,30m,1h,4h", NULL },
  { "durations-none", "retry-intervals", ",", NULL, "at least one duration" },
  { "durations-zero", "retry-intervals", "0s", NULL, "is out of range" },
  { "octets", "max-message-size", "1024 KiB", "1 MiB", NULL },
  { "octets-short", "max-message-size", "50M", "50 MiB", NULL },
  { "octets-plain", "max-message-size", "50000", "50000", NULL },
  { "octets-decimal", "max-message-size", "50 MB", "50000000", NULL },
  { "octets-unit", "max-message-size", "50 Ei", NULL, "has an unknown unit" },
  { "octets-small", "max-message-size", "1", NULL, "“1” is out of range: “1 KiB” to “2 GiB”" },
  { "count", "max-recipients", "0100", "100", NULL },
  { "count-zero", "max-recipients", "0", NULL, "“0” is out of range: “1” to “100000”" },
  { "count-word", "max-recipients", "ten", NULL, "is no whole number" },
  { "not-utf8", "postmaster", "\xff", NULL, "is not UTF-8" },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteSettings) before = reroute_settings_new ();
  const RerouteSettingSpec *spec = reroute_setting_find (row->key, &error);
  g_assert_no_error (error);
  g_autoptr (RerouteSettings) settings =
               reroute_settings_with (before, row->key, row->text, &error);

  if (row->canonical == NULL)
    {
      g_autofree char *start = g_strdup_printf ("setting “%s”: ", row->key);
      g_assert_null (settings);
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
      g_test_message ("%s", error->message);
      g_assert_true (g_str_has_prefix (error->message, start));
      g_assert_nonnull (strstr (error->message, row->message));
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpstr (reroute_settings_get_text (settings, spec->id), ==, row->canonical);
  g_assert_cmpstr (reroute_settings_get_text (before, spec->id), ==, spec->default_value);
  g_autofree char *again = reroute_setting_canonicalize (spec, row->canonical, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again, ==, row->canonical);
}

static RerouteSettings *
make (const char *key, const char *value)
{
  g_autoptr (RerouteSettings) defaults = reroute_settings_new ();
  g_autoptr (GError) error = NULL;
  RerouteSettings *settings = reroute_settings_with (defaults, key, value, &error);

  g_assert_no_error (error);
  return settings;
}

static void
test_values (void)
{
  g_autoptr (RerouteSettings) defaults = reroute_settings_new ();
  gsize n;

  g_assert_true (reroute_settings_get_boolean (defaults, REROUTE_SETTING_REROUTE));
  g_assert_cmpint (
    reroute_settings_get_number (defaults, REROUTE_SETTING_MESSAGE_TIMEOUT), ==, 432000);
  g_assert_cmpint (
    reroute_settings_get_number (defaults, REROUTE_SETTING_MAX_MESSAGE_SIZE), ==, 52428800);
  g_assert_cmpint (reroute_settings_get_number (defaults, REROUTE_SETTING_WORKERS), ==, 1);
  g_assert_null (reroute_settings_get_hosts (defaults, REROUTE_SETTING_DEFAULT_DELIVERY));
  g_assert_null (reroute_settings_get_ranges (defaults, REROUTE_SETTING_PERMITTED_HOSTS, &n));
  g_assert_cmpuint (n, ==, 0);
  const gint64 *waits =
    reroute_settings_get_numbers (defaults, REROUTE_SETTING_RETRY_INTERVALS, &n);
  g_assert_cmpuint (n, ==, 6);
  g_assert_cmpint (waits[0], ==, 60);
  g_assert_cmpint (waits[5], ==, 3600);
  const char *const *listen = reroute_settings_get_endpoints (defaults, REROUTE_SETTING_LISTEN);
  g_assert_cmpstr (listen[0], ==, "0.0.0.0:25");
  g_assert_cmpstr (listen[1], ==, "[::]:25");
  g_assert_null (listen[2]);
  g_assert_null (reroute_settings_get_endpoints (defaults, REROUTE_SETTING_DNS_SERVERS)[0]);
}

static void
test_changed_values (void)
{
  g_autoptr (RerouteSettings) mode = make ("transfer-mode", "outbound");
  g_autoptr (RerouteSettings) hosts = make ("default-delivery", "a.example;b.example");
  g_autoptr (RerouteSettings) permitted = make ("permitted-hosts", "10.0.0.0/8, ::1");
  g_autoptr (RerouteSettings) back =
               reroute_settings_with (permitted, "permitted-hosts", NULL, NULL);
  RerouteIp ip;

  g_assert_cmpint (reroute_settings_get_number (mode, REROUTE_SETTING_TRANSFER_MODE), ==, 2);
  g_assert_false (reroute_settings_is_default (mode, REROUTE_SETTING_TRANSFER_MODE));
  /* Q279323: the page's hosts take turns. */
  g_assert_true (reroute_settings_get_hosts (hosts, REROUTE_SETTING_DEFAULT_DELIVERY)->by_turns);
  g_assert_true (reroute_ip_parse ("10.1.2.3", &ip));
  g_assert_true (reroute_settings_contains (permitted, REROUTE_SETTING_PERMITTED_HOSTS, &ip));
  g_assert_false (reroute_settings_contains (back, REROUTE_SETTING_PERMITTED_HOSTS, &ip));
  g_assert_true (reroute_settings_is_default (back, REROUTE_SETTING_PERMITTED_HOSTS));
}

static void
test_unknown (void)
{
  g_autoptr (RerouteSettings) defaults = reroute_settings_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (reroute_settings_with (defaults, "colour", "red", &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SETTING);
  g_assert_nonnull (strstr (error->message, "“colour”"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/table", test_table);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/settings/text/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/settings/values", test_values);
  g_test_add_func ("/settings/changed-values", test_changed_values);
  g_test_add_func ("/settings/unknown", test_unknown);
  return g_test_run ();
}
