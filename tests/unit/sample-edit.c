/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sample-edit.c - edits for tests, one change a line
 */

#include "config.h"

#include "tests/unit/sample-edit.h"

#include "common/csv.h"

#include <string.h>

#define HEADER "page,domain,match,action,target,accept_from,enabled,comment\n"
#define N_COMMAS 7

static RerouteChange *
make_put (const char *text)
{
  gint64 id = 0;
  guint commas = 0;

  if (g_ascii_isdigit (*text))
    id = g_ascii_strtoll (text, (char **) &text, 10);
  while (*text == ' ')
    text++;
  for (const char *p = text; *p != '\0'; p++)
    commas += *p == ',';
  g_autofree char *csv = g_strconcat (HEADER, text, &",,,,,,,"[MIN (commas, N_COMMAS)], "\n", NULL);
  g_autoptr (GPtrArray) errors = NULL;
  g_autoptr (GPtrArray) rows = reroute_csv_parse (csv, strlen (csv), NULL, &errors);
  if (rows == NULL)
    g_error ("%s: %s", text, ((RerouteCsvError *) errors->pdata[0])->message);
  g_autoptr (RerouteRow) row = reroute_row_stamp (rows->pdata[0], id, "", 0);
  return reroute_change_new_put (row);
}

static RerouteChange *
make_change (const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  ReroutePage page = REROUTE_PAGE_ROUTING;

  if (g_str_equal (words[0], "put"))
    return make_put (line + strlen ("put "));
  if (g_str_equal (words[0], "set"))
    return reroute_change_new_set (words[1], words[2], NULL);
  if (g_str_equal (words[0], "reset"))
    return reroute_change_new_set (words[1], NULL, NULL);
  g_assert_cmpstr (words[0], ==, "remove");
  g_assert_true (reroute_page_from_string (words[1], &page, NULL));
  return reroute_change_new_remove (page, g_ascii_strtoll (words[2], NULL, 10));
}

GPtrArray *
sample_edit (const char *lines)
{
  GPtrArray *changes = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_auto (GStrv) split = g_strsplit (lines, "\n", -1);

  for (guint i = 0; split[i] != NULL; i++)
    if (*split[i] != '\0')
      {
        RerouteChange *change = make_change (split[i]);
        g_assert_nonnull (change);
        g_ptr_array_add (changes, change);
      }
  return changes;
}
