/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * store-fixture.c - a database of rules for a test, and edits of it
 */

#include "config.h"

#include "tests/unit/store-fixture.h"

#include "service/rules/history.h"
#include "tests/unit/sample-edit.h"

#include <glib/gstdio.h>

void
store_open_book (StoreFixture *f)
{
  g_autoptr (GError) error = NULL;

  f->book = reroute_rulebook_open (f->path, &error);
  g_assert_no_error (error);
}

void
store_reopen_book (StoreFixture *f)
{
  g_clear_pointer (&f->book, reroute_rulebook_close);
  store_open_book (f);
}

void
store_set_up (StoreFixture *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("reroute-store-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "rules.db", NULL);
}

void
store_set_up_open (StoreFixture *f, gconstpointer data)
{
  store_set_up (f, data);
  store_open_book (f);
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

void
store_tear_down (StoreFixture *f, gconstpointer data)
{
  g_clear_pointer (&f->book, reroute_rulebook_close);
  remove_folder (f->folder);
  g_free (f->path);
  g_free (f->folder);
}

RerouteProposal *
store_propose (RerouteRulebook *book, GPtrArray *changes, gboolean restores, GError **error)
{
  RerouteProposalOrigin origin = {
    .next_row_id = reroute_rulebook_get_next_row_id (book),
    .restores = restores,
    .who = "anna",
    .when_us = 1700000000000000,
  };

  return reroute_proposal_new (reroute_rulebook_get_ruleset (book), changes, &origin, error);
}

gboolean
store_try_edit (StoreFixture *f, const char *lines, GError **error)
{
  g_autoptr (GPtrArray) changes = sample_edit (lines);
  g_autoptr (RerouteProposal) proposal = store_propose (f->book, changes, FALSE, error);

  if (proposal == NULL)
    return FALSE;
  if (proposal->deltas->len == 0)
    return TRUE;
  if (!reroute_rulebook_save (f->book, proposal, error))
    return FALSE;
  reroute_rulebook_advance (f->book, proposal);
  return TRUE;
}

void
store_edit (StoreFixture *f, const char *lines)
{
  g_autoptr (GError) error = NULL;

  store_try_edit (f, lines, &error);
  g_assert_no_error (error);
}

void
store_revert (StoreFixture *f, guint64 serial)
{
  g_autoptr (GError) error = NULL;
  RerouteStore *reader = reroute_rulebook_borrow_reader (f->book, &error);
  g_autoptr (GPtrArray) changes = reroute_history_undo (reader, serial, &error);
  g_autoptr (RerouteProposal) proposal = NULL;

  g_assert_no_error (error);
  reroute_rulebook_return_reader (f->book, reader);
  proposal = store_propose (f->book, changes, TRUE, &error);
  g_assert_no_error (error);
  g_assert_true (reroute_rulebook_save (f->book, proposal, &error));
  g_assert_no_error (error);
  reroute_rulebook_advance (f->book, proposal);
}

static gboolean
add_label (RerouteRow *row, gpointer user_data)
{
  g_autofree char *label = reroute_row_dup_label (row);

  g_ptr_array_add (
    user_data,
    g_strdup_printf (
      "%s %" G_GINT64_FORMAT " %s", reroute_page_to_string (row->page), row->id, label));
  return TRUE;
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(char *const *) a, *(char *const *) b);
}

/* "connections 2 fwd.test; routing 1 test.com": what is held in memory. */
void
store_assert_rows (StoreFixture *f, const char *wanted)
{
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *text = NULL;

  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    reroute_ruleset_foreach (reroute_rulebook_get_ruleset (f->book), page, add_label, labels);
  g_ptr_array_sort (labels, compare_texts);
  g_ptr_array_add (labels, NULL);
  text = g_strjoinv ("; ", (char **) labels->pdata);
  g_assert_cmpstr (text, ==, wanted);
}

const char *
store_get_setting (StoreFixture *f, RerouteSettingId id)
{
  return reroute_settings_get_text (
    reroute_ruleset_get_settings (reroute_rulebook_get_ruleset (f->book)), id);
}
