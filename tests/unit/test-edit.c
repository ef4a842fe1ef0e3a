/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-edit.c - what the property sheet would save: rows removed by their ids, undo, others'
 * changes
 */

#include "config.h"

#include "gui/edit.h"

#include "common/routing-entry.h"

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

static RerouteRow *
make_row (gint64 id, const char *domain)
{
  const RerouteRowFields fields = { .domain = domain, .enabled = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRoutingEntry) row =
               reroute_routing_entry_new (&fields, REROUTE_ROUTING_RELAY, NULL, &error);

  g_assert_no_error (error);
  return reroute_row_stamp (&row->row, id, "", 0);
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
  g_autoptr (RerouteRow) saved = make_row (5, "saved.test");
  g_autoptr (RerouteRow) changed = make_row (5, "changed.test");
  g_autoptr (RerouteRow) added = make_row (0, "added.test");
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
  g_autoptr (RerouteRow) row = make_row (2, "two.test");

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
  g_autoptr (RerouteRow) theirs = make_row (3, "theirs.test");
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_autoptr (GPtrArray) conflicts = NULL;

  remove_ids (f, 1, 3);
  remove_ids (f, 4, 3);
  g_ptr_array_add (changes, reroute_change_new_remove (PAGE, 2));
  g_ptr_array_add (changes, reroute_change_new_put (theirs));
  conflicts = reroute_edit_rebase (f->edit, changes);
  g_assert_cmpuint (conflicts->len, ==, 1);
  g_assert_true (g_ptr_array_index (conflicts, 0) == g_ptr_array_index (changes, 1));
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

/* Three rows were sent; then she changed one and removed another: they were saved. */
static void
test_adopt (Fixture *f, gconstpointer data)
{
  static const char *const domains[] = { "same.test", "changed.test", "removed.test" };
  g_autoptr (GPtrArray) sent = NULL;
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_autoptr (RerouteRow) other = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      g_autoptr (RerouteRow) row = make_row (0, domains[i]);
      g_autoptr (RerouteRow) saved = make_row (7 + i, domains[i]);

      reroute_edit_begin_step (f->edit);
      reroute_edit_put_row (f->edit, row, NULL);
      g_ptr_array_add (changes, reroute_change_new_put (saved));
    }
  sent = reroute_edit_dup_added (f->edit, PAGE);
  other = make_row (-2, "other.test");
  reroute_edit_begin_step (f->edit);
  reroute_edit_put_row (f->edit, other, NULL);
  reroute_edit_begin_step (f->edit);
  reroute_edit_remove_row (f->edit, g_ptr_array_index (sent, 2));

  reroute_edit_adopt (f->edit, sent, changes);
  g_assert_cmpint (state_of (f, 7), ==, REROUTE_EDIT_UNTOUCHED);
  g_assert_cmpint (state_of (f, 8), ==, REROUTE_EDIT_CHANGED);
  g_assert_cmpstr (reroute_edit_get_row (f->edit, PAGE, 8)->domain, ==, "other.test");
  g_assert_cmpint (state_of (f, 9), ==, REROUTE_EDIT_REMOVED);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 2);
  reroute_edit_undo (f->edit);
  g_assert_cmpint (state_of (f, 9), ==, REROUTE_EDIT_UNTOUCHED);
  reroute_edit_undo (f->edit);
  g_assert_cmpint (state_of (f, 8), ==, REROUTE_EDIT_UNTOUCHED);
  reroute_edit_undo (f->edit);
  g_assert_cmpint (state_of (f, 9), ==, REROUTE_EDIT_REMOVED);
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
  ADD ("adopt", test_adopt);
  ADD ("copy-and-clear", test_copy_and_clear);
  return g_test_run ();
}
