/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-shortened.c - texts of other programs, cut between characters
 */

#include "config.h"

#include "common/shortened.h"

static void
test_shortened (void)
{
  const struct
  {
    const char *text;
    gsize most;
    const char *shown;
  } rows[] = {
    { "", 0, "" },     { "short", 5, "short" }, { "shorter", 5, "short…" }, { "é", 1, "…" },
    { "aé", 2, "a…" }, { "aé", 3, "aé" },       { "aéb", 3, "aé…" },        { "📧📧", 7, "📧…" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *shown = reroute_dup_shortened (rows[i].text, rows[i].most);

      g_assert_cmpstr (shown, ==, rows[i].shown);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shortened/rows", test_shortened);
  return g_test_run ();
}
