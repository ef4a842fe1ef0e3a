/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-edit.c - what the property sheet would save: rows removed by their ids, undo, others'
 * changes
 */

#include "config.h"

#include "gui/edit.h"

#include "tests/unit/sample-steps.h"

#define PAGE REROUTE_PAGE_ROUTING
#define MANY 120000

typedef struct
{
  RerouteEdit *edit;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->edit = reroute_edit_new ();
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_clear_object (&f->edit);
}

/* Ids from @first on. */
static void
remove_ids (Fixture *f, gint64 first, guint n)
{
  g_autofree gint64 *ids = g_new (gint64, n);
  g_autoptr (RerouteIdSet) set = NULL;

  for (guint i = 0; i < n; i++)
    ids[i] = first + i;
  set = reroute_id_set_new (ids, n);
  reroute_edit_begin_step (f->edit);
  reroute_edit_remove_ids (f->edit, PAGE, set);
}

static RerouteEditState
state_of (Fixture *f, gint64 id)
{
  return reroute_edit_get_state (f->edit, PAGE, id);
}

static void
test_undo (Fixture *f, gconstpointer data)
{
  remove_ids (f, 1, 10);
  remove_ids (f, 8, 5);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 12);
  g_assert_cmpint (state_of (f, 12), ==, REROUTE_EDIT_REMOVED);
  reroute_edit_undo (f->edit);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 10);
  g_assert_cmpint (state_of (f, 12), ==, REROUTE_EDIT_UNTOUCHED);
  g_assert_cmpint (state_of (f, 10), ==, REROUTE_EDIT_REMOVED);
  reroute_edit_undo (f->edit);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
  g_assert_false (reroute_edit_can_undo (f->edit));
}

/* Parts that fit into messages, each id once. */
static void
test_changes (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) changes = NULL;
  gint64 next = 1;

  remove_ids (f, 1, MANY);
  changes = reroute_edit_dup_changes (f->edit);
  g_assert_cmpuint (changes->len, >, 1);
  for (guint i = 0; i < changes->len; i++)
    {
      const RerouteChange *change = g_ptr_array_index (changes, i);

      g_assert_cmpint (change->kind, ==, REROUTE_CHANGE_REMOVE_MANY);
      for (gsize j = 0; j < reroute_id_set_get_size (change->ids); j++)
        g_assert_cmpint (reroute_id_set_get_ids (change->ids)[j], ==, next++);
    }
  g_assert_cmpint (next, ==, MANY + 1);
}

/* Rows that were added or changed before go with the others, and come back as they were. */
static void
test_touched (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteRow) saved = sample_row (5, "saved.test");
  g_autoptr (RerouteRow) changed = sample_row (5, "changed.test");
  g_autoptr (RerouteRow) added = sample_row (0, "added.test");
  gint64 own = 0;

  reroute_edit_begin_step (f->edit);
  reroute_edit_put_row (f->edit, changed, saved);
  own = reroute_edit_put_row (f->edit, added, NULL);
  g_assert_cmpint (own, <, 0);
  remove_ids (f, own, (guint) (7 - own));
  g_assert_cmpint (state_of (f, own), ==, REROUTE_EDIT_UNTOUCHED);
  g_assert_cmpint (state_of (f, 5), ==, REROUTE_EDIT_REMOVED);
  g_assert_cmpint (state_of (f, 6), ==, REROUTE_EDIT_REMOVED);

  reroute_edit_undo (f->edit);
  g_assert_cmpint (state_of (f, own), ==, REROUTE_EDIT_ADDED);
  g_assert_cmpint (state_of (f, 5), ==, REROUTE_EDIT_CHANGED);
  g_assert_cmpstr (reroute_edit_get_row (f->edit, PAGE, 5)->domain, ==, "changed.test");
  g_assert_cmpint (state_of (f, 6), ==, REROUTE_EDIT_UNTOUCHED);
}

/* One of them is put back by itself: as the list of recipients does when it is typed again. */
static void
test_put_back (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteRow) row = sample_row (2, "two.test");

  remove_ids (f, 1, 3);
  reroute_edit_begin_step (f->edit);
  reroute_edit_put_row (f->edit, row, row);
  g_assert_cmpint (state_of (f, 2), ==, REROUTE_EDIT_UNTOUCHED);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 2);
  reroute_edit_undo (f->edit);
  g_assert_cmpint (state_of (f, 2), ==, REROUTE_EDIT_REMOVED);
  reroute_edit_remove_row (f->edit, row);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 3);
}

/* Others removed one of them, and changed another. */
static void
test_rebase (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteRow) theirs = sample_row (3, "theirs.test");
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_autoptr (GPtrArray) conflicts = NULL;

  remove_ids (f, 1, 3);
  remove_ids (f, 4, 3);
  g_ptr_array_add (changes, reroute_change_new_remove (PAGE, 2));
  g_ptr_array_add (changes, reroute_change_new_put (theirs));
  conflicts = reroute_edit_rebase (f->edit, changes);
  g_assert_cmpuint (conflicts->len, ==, 1);
  g_assert_true (((RerouteDifference *) g_ptr_array_index (conflicts, 0))->after ==
                 g_ptr_array_index (changes, 1));
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 5);
  g_assert_cmpint (state_of (f, 2), ==, REROUTE_EDIT_UNTOUCHED);
  g_assert_cmpint (state_of (f, 3), ==, REROUTE_EDIT_REMOVED);
  reroute_edit_undo (f->edit);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 2);
  reroute_edit_undo (f->edit);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
}

static void
test_copy_and_clear (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteEdit) copy = NULL;

  remove_ids (f, 1, 3);
  copy = reroute_edit_copy (f->edit);
  reroute_edit_clear (f->edit);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
  g_assert_null (reroute_edit_get_removed_ids (f->edit, PAGE));
  g_assert_cmpuint (reroute_edit_get_n_changes (copy), ==, 3);
}

static void
add_difference (GPtrArray *differences, RerouteChange *before, RerouteChange *after)
{
  RerouteDifference *difference = g_new0 (RerouteDifference, 1);

  difference->before = before;
  difference->after = after;
  g_ptr_array_add (differences, difference);
}

static RerouteChange *
new_put (gint64 id, const char *domain)
{
  g_autoptr (RerouteRow) row = sample_row (id, domain);

  return reroute_change_new_put (row);
}

static GPtrArray *
new_differences (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_difference_free);
}

static void
assert_row (Fixture *f, gint64 id, RerouteEditState state, const char *domain)
{
  const RerouteRow *row = reroute_edit_get_row (f->edit, PAGE, id);

  g_assert_cmpint (state_of (f, id), ==, state);
  g_assert_cmpstr (row != NULL ? row->domain : NULL, ==, domain);
}

/* Three rows were sent; then she changed one and removed another: they were saved. */
static void
test_adopt (Fixture *f, gconstpointer data)
{
  static const char *const domains[] = { "same.test", "changed.test", "removed.test" };
  g_autoptr (RerouteEdit) sent = NULL;
  g_autoptr (GPtrArray) differences = new_differences ();

  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      sample_put (f->edit, 0, domains[i], NULL);
      add_difference (differences, NULL, new_put (7 + i, domains[i]));
    }
  sent = reroute_edit_copy (f->edit);
  sample_put (f->edit, -2, "other.test", NULL);
  sample_take_away (f->edit, -3, "removed.test");

  reroute_edit_adopt (f->edit, sent, differences);
  assert_row (f, 7, REROUTE_EDIT_UNTOUCHED, NULL);
  assert_row (f, 8, REROUTE_EDIT_CHANGED, "other.test");
  assert_row (f, 9, REROUTE_EDIT_REMOVED, NULL);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 2);
  reroute_edit_undo (f->edit);
  g_assert_cmpint (state_of (f, 9), ==, REROUTE_EDIT_UNTOUCHED);
  reroute_edit_undo (f->edit);
  g_assert_cmpint (state_of (f, 8), ==, REROUTE_EDIT_UNTOUCHED);
  reroute_edit_undo (f->edit);
  g_assert_cmpint (state_of (f, 9), ==, REROUTE_EDIT_REMOVED);
}

/* The list has shown her the saved rows meanwhile, and she has gone on with those. */
static void
test_adopt_shown (Fixture *f, gconstpointer data)
{
  static const char *const domains[] = { "changed.test", "removed.test", "by-id.test" };
  g_autoptr (RerouteEdit) sent = NULL;
  g_autoptr (GPtrArray) differences = new_differences ();

  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      sample_put (f->edit, 0, domains[i], NULL);
      add_difference (differences, NULL, new_put (7 + i, domains[i]));
    }
  sent = reroute_edit_copy (f->edit);
  sample_put (f->edit, 7, "other.test", "changed.test");
  sample_take_away (f->edit, 8, "removed.test");
  remove_ids (f, 9, 1);

  reroute_edit_adopt (f->edit, sent, differences);
  assert_row (f, 7, REROUTE_EDIT_CHANGED, "other.test");
  assert_row (f, 8, REROUTE_EDIT_REMOVED, NULL);
  assert_row (f, 9, REROUTE_EDIT_REMOVED, NULL);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 3);
}

/* What was sent of saved rows: changed, and removed as a row and by its id. */
static void
send_saved_rows (Fixture *f, GPtrArray *differences)
{
  sample_put (f->edit, 1, "one.sent.test", "one.test");
  sample_take_away (f->edit, 2, "two.test");
  remove_ids (f, 3, 1);
  add_difference (differences, new_put (1, "one.test"), new_put (1, "one.sent.test"));
  add_difference (differences, new_put (2, "two.test"), NULL);
  add_difference (differences, new_put (3, "three.test"), NULL);
}

/* All of it is undone before it is known to be saved: to be saved anew. */
static void
test_adopt_undone (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteEdit) sent = NULL;
  g_autoptr (GPtrArray) differences = new_differences ();

  send_saved_rows (f, differences);
  sent = reroute_edit_copy (f->edit);
  while (reroute_edit_can_undo (f->edit))
    reroute_edit_undo (f->edit);
  reroute_edit_adopt (f->edit, sent, differences);
  assert_row (f, 1, REROUTE_EDIT_CHANGED, "one.test");
  assert_row (f, 2, REROUTE_EDIT_ADDED, "two.test");
  assert_row (f, 3, REROUTE_EDIT_ADDED, "three.test");
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 3);
}

/* She goes on from it, and takes it back later. */
static void
test_adopt_further (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteEdit) sent = NULL;
  g_autoptr (GPtrArray) differences = new_differences ();

  send_saved_rows (f, differences);
  sent = reroute_edit_copy (f->edit);
  sample_put (f->edit, 1, "one.further.test", "one.test");
  reroute_edit_adopt (f->edit, sent, differences);
  assert_row (f, 1, REROUTE_EDIT_CHANGED, "one.further.test");
  g_assert_cmpstr (reroute_edit_get_base (f->edit, PAGE, 1)->domain, ==, "one.sent.test");
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 1);
  reroute_edit_undo (f->edit);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
  reroute_edit_undo (f->edit);
  reroute_edit_undo (f->edit);
  assert_row (f, 2, REROUTE_EDIT_ADDED, "two.test");
  reroute_edit_undo (f->edit);
  assert_row (f, 1, REROUTE_EDIT_CHANGED, "one.test");
}

static RerouteChange *
new_set (RerouteSettingId id, const char *value)
{
  return reroute_change_new_set (reroute_setting_specs ()[id].key, value, NULL);
}

static void
set (Fixture *f, RerouteSettingId id, const char *value, const char *saved)
{
  reroute_edit_begin_step (f->edit);
  reroute_edit_set (f->edit, id, value, saved);
}

/* One setting is taken back, one gets another value, one stays as it was sent. */
static void
test_adopt_settings (Fixture *f, gconstpointer data)
{
  static const RerouteSettingId ids[] = { REROUTE_SETTING_HOSTNAME,
                                          REROUTE_SETTING_POSTMASTER,
                                          REROUTE_SETTING_MESSAGE_TIMEOUT };
  static const char *const sent_values[] = { "sent.test", "sent@sent.test", "2d" };
  static const char *const saved[] = { "", "old@old.test", "5d" };
  g_autoptr (RerouteEdit) sent = NULL;
  g_autoptr (GPtrArray) differences = new_differences ();

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      set (f, ids[i], sent_values[i], saved[i]);
      add_difference (
        differences, i == 1 ? new_set (ids[i], saved[i]) : NULL, new_set (ids[i], sent_values[i]));
    }
  sent = reroute_edit_copy (f->edit);
  set (f, ids[0], saved[0], saved[0]);
  set (f, ids[1], "new@new.test", saved[1]);
  reroute_edit_adopt (f->edit, sent, differences);
  g_assert_cmpstr (reroute_edit_get_setting (f->edit, ids[0]), ==, "");
  g_assert_cmpstr (reroute_edit_get_setting (f->edit, ids[1]), ==, "new@new.test");
  g_assert_null (reroute_edit_get_setting (f->edit, ids[2]));
  reroute_edit_undo (f->edit);
  g_assert_null (reroute_edit_get_setting (f->edit, ids[1]));
  reroute_edit_undo (f->edit);
  g_assert_null (reroute_edit_get_setting (f->edit, ids[0]));
  reroute_edit_undo (f->edit);
  g_assert_cmpstr (reroute_edit_get_setting (f->edit, ids[2]), ==, "5d");
  reroute_edit_undo (f->edit);
  g_assert_cmpstr (reroute_edit_get_setting (f->edit, ids[1]), ==, "old@old.test");
}

/* What a third person did to a row that was saved after all is asked about. */
static const struct
{
  const char *name;
  const char *hers;   /* since it was sent; NULL: nothing */
  const char *theirs; /* NULL: it is gone */
  guint n_conflicts;
  RerouteEditState state; /* of the row, in the end */
} later[] = {
  { "changed", NULL, "theirs.test", 0, REROUTE_EDIT_UNTOUCHED },
  { "changed-both", "hers.test", "theirs.test", 1, REROUTE_EDIT_CHANGED },
  { "changed-alike", "hers.test", "hers.test", 0, REROUTE_EDIT_UNTOUCHED },
  { "removed", NULL, NULL, 0, REROUTE_EDIT_UNTOUCHED },
  { "removed-changed", "hers.test", NULL, 1, REROUTE_EDIT_ADDED },
};

static void
check_adopt_and_rebase (gsize i, gboolean added)
{
  Fixture f = { reroute_edit_new () };
  g_autoptr (RerouteEdit) sent = NULL;
  g_autoptr (GPtrArray) differences = new_differences ();
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_autoptr (GPtrArray) conflicts = NULL;
  gint64 id = sample_put (f.edit, added ? 0 : 7, "sent.test", added ? NULL : "old.test");

  g_test_message ("%s, %s", later[i].name, added ? "added" : "saved");
  sent = reroute_edit_copy (f.edit);
  if (later[i].hers != NULL)
    sample_put (f.edit, id, later[i].hers, added ? NULL : "old.test");
  add_difference (differences, added ? NULL : new_put (7, "old.test"), new_put (7, "sent.test"));
  g_ptr_array_add (changes,
                   later[i].theirs != NULL ? new_put (7, later[i].theirs)
                                           : reroute_change_new_remove (PAGE, 7));
  reroute_edit_adopt (f.edit, sent, differences);
  conflicts = reroute_edit_rebase (f.edit, changes);
  g_assert_cmpuint (conflicts->len, ==, later[i].n_conflicts);
  assert_row (
    &f, 7, later[i].state, later[i].state != REROUTE_EDIT_UNTOUCHED ? later[i].hers : NULL);
  tear_down (&f, NULL);
}

static void
test_adopt_and_rebase (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (later); i++)
    {
      check_adopt_and_rebase (i, TRUE);
      check_adopt_and_rebase (i, FALSE);
    }
}

static GPtrArray *
rebase_one (Fixture *f, RerouteChange *change)
{
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);

  g_ptr_array_add (changes, change);
  return reroute_edit_rebase (f->edit, changes);
}

/* Others removed what she has changed, and brought it back. */
static void
test_brought_back (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) gone = NULL;
  g_autoptr (GPtrArray) back = NULL;
  g_autoptr (GPtrArray) alike = NULL;

  sample_put (f->edit, 7, "first.test", "saved.test");
  sample_put (f->edit, 7, "hers.test", "saved.test");
  gone = rebase_one (f, reroute_change_new_remove (PAGE, 7));
  g_assert_cmpuint (gone->len, ==, 1);
  assert_row (f, 7, REROUTE_EDIT_ADDED, "hers.test");
  back = rebase_one (f, new_put (7, "saved.test"));
  g_assert_cmpuint (back->len, ==, 1);
  assert_row (f, 7, REROUTE_EDIT_CHANGED, "hers.test");
  g_assert_cmpstr (reroute_edit_get_base (f->edit, PAGE, 7)->domain, ==, "saved.test");
  reroute_edit_undo (f->edit);
  assert_row (f, 7, REROUTE_EDIT_CHANGED, "first.test");
  g_assert_cmpstr (reroute_edit_get_base (f->edit, PAGE, 7)->domain, ==, "saved.test");

  g_ptr_array_unref (rebase_one (f, reroute_change_new_remove (PAGE, 7)));
  alike = rebase_one (f, new_put (7, "first.test"));
  g_assert_cmpuint (alike->len, ==, 0);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
}

/* A dialog that was opened before knows the row by the id that it had then. */
static void
test_adopt_under_a_dialog (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteEdit) sent = NULL;
  g_autoptr (RerouteEdit) trial = NULL;
  g_autoptr (GPtrArray) differences = new_differences ();
  gint64 own = sample_put (f->edit, 0, "sent.test", NULL);

  sent = reroute_edit_copy (f->edit);
  add_difference (differences, NULL, new_put (7, "sent.test"));
  reroute_edit_adopt (f->edit, sent, differences);
  reroute_edit_clear (f->edit);

  g_assert_cmpint (sample_put (f->edit, own, "typed.test", "sent.test"), ==, 7);
  assert_row (f, 7, REROUTE_EDIT_CHANGED, "typed.test");
  g_assert_cmpint (state_of (f, own), ==, REROUTE_EDIT_UNTOUCHED);
  sample_put (f->edit, own, "sent.test", "sent.test");
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
  sample_take_away (f->edit, own, "sent.test");
  assert_row (f, 7, REROUTE_EDIT_REMOVED, NULL);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 1);

  trial = g_steal_pointer (&f->edit);
  f->edit = reroute_edit_copy (trial);
  g_assert_cmpint (sample_put (f->edit, own, "tried.test", NULL), ==, 7);
}

/* The history does not reach back. */
static void
test_adopt_blindly (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteEdit) sent = NULL;
  gint64 same = sample_put (f->edit, 0, "same.test", NULL);
  gint64 changed = sample_put (f->edit, 0, "changed.test", NULL);

  sample_put (f->edit, 1, "one.sent.test", "one.test");
  sample_take_away (f->edit, 2, "two.test");
  remove_ids (f, 3, 4);
  set (f, REROUTE_SETTING_HOSTNAME, "sent.test", "");
  sent = reroute_edit_copy (f->edit);
  sample_put (f->edit, changed, "other.test", NULL);
  sample_take_away (f->edit, 8, "eight.test");
  reroute_edit_adopt (f->edit, sent, NULL);
  g_assert_cmpint (state_of (f, same), ==, REROUTE_EDIT_UNTOUCHED);
  assert_row (f, changed, REROUTE_EDIT_ADDED, "other.test");
  assert_row (f, 8, REROUTE_EDIT_REMOVED, NULL);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 2);
}

/* A dialog is open while all is saved: its Cancel takes back what was done since. */
static void
test_mark_before_clear (Fixture *f, gconstpointer data)
{
  guint mark = 0;

  sample_put (f->edit, 0, "one.test", NULL);
  sample_put (f->edit, 0, "two.test", NULL);
  mark = reroute_edit_get_mark (f->edit);
  reroute_edit_clear (f->edit);
  g_assert_cmpuint (reroute_edit_get_mark (f->edit), ==, mark);

  sample_take_away (f->edit, 7, "saved.test");
  g_assert_cmpuint (reroute_edit_get_mark (f->edit), >, mark);
  reroute_edit_undo_to (f->edit, mark);
  g_assert_cmpint (state_of (f, 7), ==, REROUTE_EDIT_UNTOUCHED);
  g_assert_false (reroute_edit_can_undo (f->edit));
  g_assert_cmpuint (reroute_edit_get_mark (f->edit), ==, mark);

  sample_take_away (f->edit, 7, "saved.test");
  reroute_edit_undo_to (f->edit, 0);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
}

#define ADD(name, func) g_test_add ("/edit/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("undo", test_undo);
  ADD ("changes", test_changes);
  ADD ("touched", test_touched);
  ADD ("put-back", test_put_back);
  ADD ("rebase", test_rebase);
  ADD ("brought-back", test_brought_back);
  ADD ("adopt", test_adopt);
  ADD ("adopt-shown", test_adopt_shown);
  ADD ("adopt-undone", test_adopt_undone);
  ADD ("adopt-further", test_adopt_further);
  ADD ("adopt-settings", test_adopt_settings);
  ADD ("adopt-and-rebase", test_adopt_and_rebase);
  ADD ("adopt-under-a-dialog", test_adopt_under_a_dialog);
  ADD ("adopt-blindly", test_adopt_blindly);
  ADD ("copy-and-clear", test_copy_and_clear);
  ADD ("mark-before-clear", test_mark_before_clear);
  return g_test_run ();
}
