/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-pace.c - a time limit that goes by progress
 */

#include "config.h"

#include "service/relay/pace.h"

#define LIMIT_US ((gint64) 10 * G_USEC_PER_SEC)
#define RATE REROUTE_LIMIT_CONTENT_OCTETS_PER_S

typedef struct
{
  const char *name;
  double deadline_s; /* now is 100 */
  gsize octets;
  double moved_s;
} Row;

static const Row rows[] = {
  /* clang-format off */
  { "nothing",           105, 0,            105 },
  { "a-second's-worth",  105, RATE,         106 },
  { "half-of-it",        105, RATE / 2,     105.5 },
  { "to-the-limit",      105, 5 * RATE,     110 },
  { "not-beyond",        105, 6 * RATE,     110 },
  { "a-great-deal",      105, G_MAXINT32,   110 },
  { "never-back",        115, RATE,         115 },
  { "behind-its-time",   90,  RATE,         91 },
  /* clang-format on */
};

static gint64
to_us (double seconds)
{
  return (gint64) (seconds * G_USEC_PER_SEC);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;

  g_assert_cmpint (
    reroute_pace_move_on (to_us (row->deadline_s), to_us (100), LIMIT_US, row->octets),
    ==,
    to_us (row->moved_s));
}

/* A peer that takes so many octets every second: how long it is waited for. */
static int
wait_for (gsize octets)
{
  gint64 deadline_us = LIMIT_US;
  int seconds = 0;

  while (seconds < 1000 && deadline_us > seconds * G_USEC_PER_SEC)
    {
      seconds++;
      deadline_us = reroute_pace_move_on (deadline_us, seconds * G_USEC_PER_SEC, LIMIT_US, octets);
    }
  return seconds;
}

static void
test_slow_and_steady (void)
{
  g_assert_cmpint (wait_for (0), ==, 10);
  g_assert_cmpint (wait_for (1), ==, 11);
  g_assert_cmpint (wait_for (RATE / 2), ==, 20);
  g_assert_cmpint (wait_for (RATE), ==, 1000);
  g_assert_cmpint (wait_for (2 * RATE), ==, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/pace/%s", rows[i].name);

      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/pace/slow-and-steady", test_slow_and_steady);
  return g_test_run ();
}
