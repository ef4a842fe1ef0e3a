/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-retry-schedule.c - when a deferred recipient is due again
 */

#include "config.h"

#include "service/relay/deliver/retry-schedule.h"

static const gint64 intervals_s[] = { 60, 300, 600, 1200, 1800, 3600 };

static const RerouteRetrySchedule schedule = { intervals_s,
                                               G_N_ELEMENTS (intervals_s),
                                               5 * 24 * 3600 };

typedef struct
{
  const char *name;
  const char *source;
  guint tries;
  gint64 age_s;
  gint64 wait_s; /* -1: expired */
} Row;

static const Row rows[] = {
  /* name          source                   tries  age_s   wait_s or -1 */
  { "first-wait", "RFC 5321 4.5.4.1", 1, 0, 60 },
  { "second-wait", "design 6", 2, 60, 300 },
  { "sixth-wait", "design 6", 6, 7000, 3600 },
  { "last-repeats", "Connections page", 9, 30000, 3600 },
  { "never-tried", "an index out of range", 0, 10, 60 },
  { "last-try-at-the-expiry", "retry-schedule.h", 99, 5 * 24 * 3600 - 100, 100 },
  { "too-old", "RFC 5321 4.5.4.1", 9, 5 * 24 * 3600, -1 },
  { "much-too-old", "a machine that slept", 1, 50 * 24 * 3600, -1 },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  const gint64 received_us = G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC;
  gint64 now_us = received_us + row->age_s * G_USEC_PER_SEC;
  gint64 next_us = reroute_retry_schedule_next (&schedule, row->tries, received_us, now_us);

  if (row->wait_s < 0)
    g_assert_cmpint (next_us, ==, -1);
  else
    g_assert_cmpint (next_us - now_us, ==, row->wait_s * G_USEC_PER_SEC);
}

static void
test_longest (void)
{
  const gint64 unordered_s[] = { 60, 7200, 300 };

  g_assert_cmpint (
    reroute_retry_schedule_get_longest_s (intervals_s, G_N_ELEMENTS (intervals_s)), ==, 3600);
  g_assert_cmpint (
    reroute_retry_schedule_get_longest_s (unordered_s, G_N_ELEMENTS (unordered_s)), ==, 7200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/retry-schedule/%s", rows[i].name);

      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/retry-schedule/longest", test_longest);
  return g_test_run ();
}
