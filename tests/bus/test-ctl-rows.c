/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-ctl-rows.c - what reroutectl reads while somebody else saves
 */

#include "config.h"

#include "service/ctl/rows.h"
#include "tests/bus/bus-fixture.h"

#include "common/error.h"
#include "common/limits.h"

/* One more than stand on the first page. */
#define N_ROWS (REROUTE_LIMIT_PAGE_ROWS + 1)

static void
save_rows (BusFixture *f)
{
  g_autoptr (GString) lines = g_string_new (NULL);

  for (guint i = 0; i < N_ROWS; i++)
    g_string_append_printf (lines, "put routing,n%04u.test,,inbound,,permitted\n", i);
  g_string_append (lines, "set inbound-host 192.0.2.1");
  bus_save (f, lines->str, 0);
}

typedef struct
{
  BusFixture *f;
  gboolean disturb; /* another generation is saved when the first row comes */
  guint n_rows;
} Reading;

static gboolean
count_row (RerouteRow *row, gpointer user_data)
{
  Reading *reading = user_data;

  if (reading->n_rows++ == 0 && reading->disturb)
    bus_save (reading->f, "remove routing 1", 1);
  return TRUE;
}

static gboolean
read_rows (Reading *reading, guint64 *serial, GError **error)
{
  RerouteCtl ctl = { .rules = reading->f->client };

  return reroute_ctl_foreach_row (
    &ctl, REROUTE_PAGE_ROUTING, "", count_row, reading, serial, error);
}

static void
test_nobody_saves (BusFixture *f, gconstpointer data)
{
  Reading reading = { .f = f };
  g_autoptr (GError) error = NULL;
  guint64 serial = 0;

  save_rows (f);
  g_assert_true (read_rows (&reading, &serial, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (reading.n_rows, ==, N_ROWS);
  g_assert_cmpuint (serial, ==, 1);
}

/* The row that went was on the page before: what was the first of the next page is on none. */
static void
test_somebody_saves_between_pages (BusFixture *f, gconstpointer data)
{
  Reading reading = { .f = f, .disturb = TRUE };
  g_autoptr (GError) error = NULL;
  guint64 serial = 0;

  save_rows (f);
  g_assert_false (read_rows (&reading, &serial, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STALE_SERIAL);
  g_assert_cmpuint (reading.n_rows, <, N_ROWS);
}

/* A row that moves to a page that is still to come would be there twice. */
static void
test_somebody_saves_behind_a_page (BusFixture *f, gconstpointer data)
{
  Reading reading = { .f = f, .disturb = TRUE };
  RerouteCtl ctl = { .rules = f->client };
  g_autoptr (GError) error = NULL;

  bus_save (f, "put routing,a.test,,relay,,permitted\nput connections,b.test,,dns,,permitted", 0);
  g_assert_false (reroute_ctl_foreach_row_of_all (&ctl, count_row, &reading, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_STALE_SERIAL);
  g_assert_cmpuint (reading.n_rows, ==, 1);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/ctl-rows/" name, BusFixture, NULL, bus_set_up, func, bus_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("nobody-saves", test_nobody_saves);
  ADD ("somebody-saves-between-pages", test_somebody_saves_between_pages);
  ADD ("somebody-saves-behind-a-page", test_somebody_saves_behind_a_page);
  return g_test_run ();
}
