/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-alarm-conditions.c - what raises an alarm, and what clears it; with a clock of its own
 */

#include "config.h"

#include "service/relay/alarm-conditions.h"
#include "service/relay/deliver/down-hosts.h"

#include "common/limits.h"

#include <locale.h>
#include <string.h>

#define S G_USEC_PER_SEC
#define DAY_S ((gint64) 86400)
#define START_US (G_GINT64_CONSTANT (1700000000) * S)

/* A relay to look at, and what was told of it: "+next-hop a:25 -next-hop a:25". */
typedef struct
{
  RerouteAlarmFigures figures;
  RerouteSettings *settings;
  RerouteAlarms *alarms;
  GString *told;
} World;

static void
told_cb (const RerouteAlarm *alarm, gboolean raised, gpointer user_data)
{
  World *world = user_data;

  g_string_append_printf (world->told,
                          "%s%c%s%s%s",
                          world->told->len > 0 ? " " : "",
                          raised ? '+' : '-',
                          reroute_alarm_kind_to_string (alarm->kind),
                          *alarm->subject != '\0' ? " " : "",
                          alarm->subject);
}

static void
set (World *world, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;
  RerouteSettings *changed = reroute_settings_with (world->settings, key, value, &error);

  g_assert_no_error (error);
  reroute_settings_unref (world->settings);
  world->settings = changed;
}

static void
set_up (World *world, gconstpointer data)
{
  world->figures = (RerouteAlarmFigures){
    .now_us = START_US,
    .certificates = g_array_new (FALSE, FALSE, sizeof (RerouteAlarmCertificate)),
    .next_hops = g_array_new (FALSE, FALSE, sizeof (RerouteAlarmNextHop)),
    .stops = g_array_new (FALSE, FALSE, sizeof (RerouteAlarmStop)),
  };
  world->settings = reroute_settings_new ();
  world->told = g_string_new (NULL);
  world->alarms = reroute_alarms_new (told_cb, world);
  set (world, "alarm-oldest", "100s");
  set (world, "alarm-spool", "80");
  set (world, "alarm-certificate", "10");
  set (world, "alarm-next-hop", "60s");
  set (world, "alarm-rules", "30s");
}

static void
tear_down (World *world, gconstpointer data)
{
  reroute_alarms_free (world->alarms);
  reroute_settings_unref (world->settings);
  g_string_free (world->told, TRUE);
  g_array_unref (world->figures.certificates);
  g_array_unref (world->figures.next_hops);
  g_array_unref (world->figures.stops);
}

/* Looks once; @wanted is what is told by that, "" is nothing. */
static void
look (World *world, const char *wanted)
{
  gboolean changed;

  g_string_truncate (world->told, 0);
  changed = reroute_alarm_conditions_look (&world->figures, world->settings, world->alarms);
  g_assert_cmpstr (world->told->str, ==, wanted);
  g_assert_true (changed == (*wanted != '\0'));
}

static void
look_at_age (World *world, gint64 age_s, const char *wanted)
{
  world->figures.oldest_us = world->figures.now_us - age_s * S;
  look (world, wanted);
}

static void
look_at_disk (World *world, double percent, const char *wanted)
{
  world->figures.spool_percent = percent;
  look (world, wanted);
}

static void
test_oldest (World *world, gconstpointer data)
{
  const RerouteAlarm *alarm;

  look (world, "");
  look_at_age (world, 99, "");
  look_at_age (world, 100, "+oldest-message");
  alarm = reroute_alarms_get_raised (world->alarms)->pdata[0];
  g_assert_cmpint (alarm->since_us, ==, START_US);
  g_assert_cmpstr (alarm->sentence, ==, "A message has been in the queue for longer than 100s.");
  world->figures.now_us += 7 * S;
  look_at_age (world, 76, "");
  look_at_age (world, 101, "");
  g_assert_cmpint (alarm->since_us, ==, START_US);
  look_at_age (world, 74, "-oldest-message");
  look_at_age (world, 76, "");
  look_at_age (world, 300, "+oldest-message");
  world->figures.oldest_us = 0;
  look (world, "-oldest-message");
}

/* A clock that was set back makes mail young, not old. */
static void
test_clock_set_back (World *world, gconstpointer data)
{
  look_at_age (world, -5000, "");
}

static void
test_spool (World *world, gconstpointer data)
{
  look_at_disk (world, 79.9, "");
  look_at_disk (world, 80, "+spool");
  look_at_disk (world, 79, "");
  look_at_disk (world, 75.1, "");
  look_at_disk (world, 74.9, "-spool");
  look_at_disk (world, 79, "");
  world->figures.spool_fails = TRUE;
  look_at_disk (world, 100, "+spool write +spool");
  world->figures.spool_fails = FALSE;
  look_at_disk (world, 10, "-spool write -spool");
}

/* Until somebody has taken it away, whatever room there is. */
static void
test_spool_damaged (World *world, gconstpointer data)
{
  world->figures.damaged_in = "/spool";
  look_at_disk (world, 10, "+spool damaged");
  const RerouteAlarm *alarm = reroute_alarms_get_raised (world->alarms)->pdata[0];
  g_assert_cmpstr (alarm->sentence,
                   ==,
                   "Damage was found in the queue; what could not be read is kept in /spool.");
  look_at_disk (world, 10, "");
  look_at_disk (world, 80, "+spool");
  world->figures.damaged_in = NULL;
  look_at_disk (world, 10, "-spool damaged -spool");
  set (world, "alarm-spool", "0");
  world->figures.damaged_in = "/spool";
  look_at_disk (world, 10, "");
}

/* Five per cent are more than a small threshold has. */
static void
test_spool_small (World *world, gconstpointer data)
{
  set (world, "alarm-spool", "4");
  look_at_disk (world, 4, "+spool");
  look_at_disk (world, 3.1, "");
  look_at_disk (world, 2.9, "-spool");
}

static void
test_certificates (World *world, gconstpointer data)
{
  const RerouteAlarmCertificate files[] = {
    { "/a", START_US / S + 10 * DAY_S + 1, NULL },
    { "/b", START_US / S - 1, NULL },
    { "/c", 0, "no such file" },
  };
  const GPtrArray *raised = reroute_alarms_get_raised (world->alarms);

  g_array_append_vals (world->figures.certificates, files, G_N_ELEMENTS (files));
  look (world, "+certificate /b +certificate /c");
  g_assert_cmpstr (((const RerouteAlarm *) raised->pdata[0])->sentence,
                   ==,
                   "The certificate /b has ended on 2023-11-14.");
  g_assert_cmpstr (((const RerouteAlarm *) raised->pdata[1])->sentence,
                   ==,
                   "A certificate cannot be shown: no such file.");
  world->figures.now_us += S;
  look (world, "+certificate /a");
  g_assert_cmpstr (((const RerouteAlarm *) raised->pdata[2])->sentence,
                   ==,
                   "The certificate /a ends on 2023-11-24.");
  g_array_index (world->figures.certificates, RerouteAlarmCertificate, 1).expiry_s += 90 * DAY_S;
  look (world, "-certificate /b");
  /* It is still raised, and told anew, as it has ended now. */
  gint64 since_us = ((const RerouteAlarm *) raised->pdata[1])->since_us;
  world->figures.now_us += 11 * DAY_S * S;
  look (world, "+certificate /a");
  g_assert_cmpstr (((const RerouteAlarm *) raised->pdata[1])->sentence,
                   ==,
                   "The certificate /a has ended on 2023-11-24.");
  g_assert_cmpint (((const RerouteAlarm *) raised->pdata[1])->since_us, ==, since_us);
  look (world, "");
}

static void
test_next_hops (World *world, gconstpointer data)
{
  const RerouteAlarmNextHop hops[] = { { "a:25", START_US - 61 * S }, { "b:25", START_US } };

  g_array_append_vals (world->figures.next_hops, hops, G_N_ELEMENTS (hops));
  look (world, "+next-hop a:25");
  world->figures.now_us += 59 * S;
  look (world, "");
  world->figures.now_us += S;
  look (world, "+next-hop b:25");
  /* It was up for a moment: it has to be down for the whole time again. */
  g_array_index (world->figures.next_hops, RerouteAlarmNextHop, 0).since_us = world->figures.now_us;
  g_array_remove_index (world->figures.next_hops, 1);
  look (world, "-next-hop b:25");
  g_array_set_size (world->figures.next_hops, 0);
  look (world, "-next-hop a:25");
}

/* It begins with its number of refusals, so nothing more is waited for. */
static void
test_stops (World *world, gconstpointer data)
{
  const RerouteAlarmStop stops[] = { { "a[192.0.2.1]:25", "550 5.7.1" },
                                     { "b[192.0.2.2]:25", "554 5.7.26" } };
  const GPtrArray *raised = reroute_alarms_get_raised (world->alarms);

  g_array_append_vals (world->figures.stops, stops, G_N_ELEMENTS (stops));
  look (world, "+leaving-stop a[192.0.2.1]:25 +leaving-stop b[192.0.2.2]:25");
  g_assert_cmpstr (((const RerouteAlarm *) raised->pdata[1])->sentence,
                   ==,
                   "The host b[192.0.2.2]:25 refuses mail that leaves our organisation, the last "
                   "time with 554 5.7.26: no more of it is sent there.");
  g_array_remove_index (world->figures.stops, 0);
  look (world, "-leaving-stop a[192.0.2.1]:25");
}

static void
test_rules (World *world, gconstpointer data)
{
  world->figures.rules = REROUTE_ALARM_RULES_AWAY;
  world->figures.rules_for_us = 29 * S;
  look (world, "");
  world->figures.rules_for_us = 30 * S;
  look (world, "+rules");
  world->figures.rules = REROUTE_ALARM_RULES_OLD;
  look (world, "+rules");
  look (world, "");
  world->figures.rules = REROUTE_ALARM_RULES_IN_FORCE;
  look (world, "-rules");
}

static void
test_off (World *world, gconstpointer data)
{
  const RerouteAlarmNextHop hop = { "a:25", START_US - DAY_S * S };
  const RerouteAlarmCertificate file = { "/c", 0, "no such file" };

  g_array_append_val (world->figures.next_hops, hop);
  g_array_append_val (world->figures.certificates, file);
  world->figures.rules = REROUTE_ALARM_RULES_NONE;
  world->figures.rules_for_us = DAY_S * S;
  world->figures.spool_fails = TRUE;
  world->figures.spool_percent = 100;
  look_at_age (
    world, DAY_S, "+oldest-message +spool write +spool +certificate /c +next-hop a:25 +rules");
  set (world, "alarm-oldest", "0s");
  set (world, "alarm-spool", "0");
  set (world, "alarm-certificate", "0");
  set (world, "alarm-next-hop", "0s");
  set (world, "alarm-rules", "0s");
  look (world, "-oldest-message -spool write -spool -certificate /c -next-hop a:25 -rules");
}

static void
test_bounded (World *world, gconstpointer data)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);
  const GPtrArray *raised = reroute_alarms_get_raised (world->alarms);
  const RerouteAlarmCertificate file = { "/c", 0, "no such file" };
  const RerouteAlarmStop stop = { "a[192.0.2.1]:25", "550 5.7.1" };

  for (guint i = 0; i < 2 * REROUTE_LIMIT_ALARMS; i++)
    {
      char *label = g_strdup_printf ("h%u:25", i);
      const RerouteAlarmNextHop hop = { label, START_US - DAY_S * S };

      g_ptr_array_add (labels, label);
      g_array_append_val (world->figures.next_hops, hop);
    }
  reroute_alarm_conditions_look (&world->figures, world->settings, world->alarms);
  g_assert_cmpuint (raised->len, ==, REROUTE_LIMIT_ALARMS);
  /* However many hosts are down: what is of another kind is told. */
  look_at_disk (world, 90, "+spool");
  look_at_disk (world, 10, "-spool");
  g_array_append_val (world->figures.certificates, file);
  g_array_append_val (world->figures.stops, stop);
  look (world, "+certificate /c +leaving-stop a[192.0.2.1]:25");
  g_array_set_size (world->figures.certificates, 0);
  g_array_set_size (world->figures.stops, 0);
  look (world, "-certificate /c -leaving-stop a[192.0.2.1]:25");
  g_array_remove_index (world->figures.next_hops, 0);
  reroute_alarm_conditions_look (&world->figures, world->settings, world->alarms);
  look (world, "+next-hop h64:25");
}

/* --- on the bus --- */

static void
test_variant (void)
{
  g_autoptr (GPtrArray) alarms =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_alarm_free);
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GPtrArray) again = NULL;
  const RerouteAlarm *alarm;

  g_ptr_array_add (alarms, reroute_alarm_new ("a:25", REROUTE_ALARM_TEXT_NEXT_HOP, "a:25", "1h"));
  g_ptr_array_add (alarms,
                   reroute_alarm_new ("\xff", REROUTE_ALARM_TEXT_CERTIFICATE_FAILS, "\xff", NULL));
  ((RerouteAlarm *) alarms->pdata[0])->since_us = 7;
  value = g_variant_ref_sink (reroute_alarms_to_variant (alarms));
  g_assert_true (g_variant_is_of_type (value, G_VARIANT_TYPE (REROUTE_ALARMS_TYPE)));
  again = reroute_alarms_from_variant (value);
  g_assert_cmpuint (again->len, ==, 2);
  alarm = again->pdata[0];
  g_assert_true (reroute_alarm_is_same (alarm, alarms->pdata[0]));
  g_assert_cmpint (alarm->since_us, ==, 7);
  g_assert_cmpstr (alarm->sentence, ==, "The host a:25 has taken no mail for longer than 1h.");
  g_assert_true (g_utf8_validate (((const RerouteAlarm *) again->pdata[1])->subject, -1, NULL));
}

static void
test_variant_of_others (void)
{
  g_autoptr (GVariant) unknown =
               g_variant_ref_sink (g_variant_new_parsed ("[('fire', '', int64 1, 'a', 'b')]"));
  g_autoptr (GVariant) text = g_variant_ref_sink (g_variant_new_string ("fire"));
  g_autoptr (GPtrArray) of_unknown = reroute_alarms_from_variant (unknown);
  g_autoptr (GPtrArray) of_text = reroute_alarms_from_variant (text);
  g_autoptr (GPtrArray) of_nothing = reroute_alarms_from_variant (NULL);

  g_assert_cmpuint (of_unknown->len + of_text->len + of_nothing->len, ==, 0);
}

/* --- hosts that are down --- */

static char *
print_down (RerouteDownHosts *down, gint64 now_us)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (reroute_down_hosts_list (down, now_us));

  return g_variant_print (value, FALSE);
}

static void
test_down_hosts (void)
{
  g_autoptr (RerouteDownHosts) down = reroute_down_hosts_new ();
  RerouteEndpoint host = { .name = (char *) "::1", .port = 25 };
  const RerouteEndpoint socket = { .name = (char *) "/run/lmtp", .local = TRUE };
  g_autofree char *first = NULL, *second = NULL, *third = NULL, *denied = NULL;

  /* Another address of the same host. */
  reroute_down_hosts_add (down, &host, NULL, 100, 60 * S);
  host.ip.octets[0] = 1;
  reroute_down_hosts_add (down, &host, NULL, 200, 60 * S);
  first = print_down (down, 300);
  g_assert_cmpstr (first, ==, "[('[::1]:25', 100)]");
  /* What it denies is told apart. */
  reroute_down_hosts_add (down, &host, "smart", 300, 60 * S);
  reroute_down_hosts_remove (down, &host, NULL);
  denied = print_down (down, 300);
  g_assert_cmpstr (denied, ==, "[('[::1]:25 (smart)', 300)]");
  reroute_down_hosts_remove (down, &host, "smart");
  reroute_down_hosts_add (down, &socket, NULL, 400, 60 * S);
  second = print_down (down, 400 + (60 + REROUTE_LIMIT_DOWN_HOST_S) * (gint64) S - 1);
  g_assert_cmpstr (second, ==, "[('/run/lmtp', 400)]");
  third = print_down (down, 400 + (60 + REROUTE_LIMIT_DOWN_HOST_S) * (gint64) S);
  g_assert_cmpstr (third, ==, "[]");
}

/* Behind a clock that was ahead it is down since it was looked at, and forgotten in time. */
static void
test_down_hosts_of_the_future (void)
{
  const RerouteEndpoint host = { .name = (char *) "a", .port = 25 };
  const gint64 ahead_us = 1000000 * (gint64) S;
  const gint64 forgotten_us = 300 + (60 + REROUTE_LIMIT_DOWN_HOST_S) * (gint64) S;
  g_autoptr (RerouteDownHosts) listed = reroute_down_hosts_new ();
  g_autoptr (RerouteDownHosts) added = reroute_down_hosts_new ();
  g_autofree char *first = NULL, *second = NULL, *third = NULL, *fourth = NULL;

  reroute_down_hosts_add (listed, &host, NULL, ahead_us, 60 * S);
  first = print_down (listed, 300);
  g_assert_cmpstr (first, ==, "[('a:25', 300)]");
  second = print_down (listed, forgotten_us - 1);
  g_assert_cmpstr (second, ==, "[('a:25', 300)]");
  third = print_down (listed, forgotten_us);
  g_assert_cmpstr (third, ==, "[]");

  reroute_down_hosts_add (added, &host, NULL, ahead_us, 60 * S);
  reroute_down_hosts_add (added, &host, NULL, 300, 60 * S);
  fourth = print_down (added, 400);
  g_assert_cmpstr (fourth, ==, "[('a:25', 300)]");
}

static void
test_down_hosts_bounded (void)
{
  g_autoptr (RerouteDownHosts) down = reroute_down_hosts_new ();
  g_autoptr (GVariant) value = NULL;

  for (guint port = 1; port <= REROUTE_LIMIT_DOWN_HOSTS + 1; port++)
    {
      const RerouteEndpoint host = { .name = (char *) "a", .port = (guint16) port };
      reroute_down_hosts_add (down, &host, NULL, 1, 1);
    }
  value = g_variant_ref_sink (reroute_down_hosts_list (down, 2));
  g_assert_cmpuint (g_variant_n_children (value), ==, REROUTE_LIMIT_DOWN_HOSTS);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (World *world, gconstpointer data);
  } cases[] = {
    { "/alarms/oldest", test_oldest },
    { "/alarms/clock-set-back", test_clock_set_back },
    { "/alarms/spool", test_spool },
    { "/alarms/spool-damaged", test_spool_damaged },
    { "/alarms/spool-small", test_spool_small },
    { "/alarms/certificates", test_certificates },
    { "/alarms/next-hops", test_next_hops },
    { "/alarms/stops", test_stops },
    { "/alarms/rules", test_rules },
    { "/alarms/off", test_off },
    { "/alarms/bounded", test_bounded },
  };

  setlocale (LC_MESSAGES, "C");
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add (cases[i].path, World, NULL, set_up, cases[i].func, tear_down);
  g_test_add_func ("/alarms/variant", test_variant);
  g_test_add_func ("/alarms/variant-of-others", test_variant_of_others);
  g_test_add_func ("/alarms/down-hosts", test_down_hosts);
  g_test_add_func ("/alarms/down-hosts-of-the-future", test_down_hosts_of_the_future);
  g_test_add_func ("/alarms/down-hosts-bounded", test_down_hosts_bounded);
  return g_test_run ();
}
