/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-news.c - what others saved meanwhile: whose it is, and what of it touches hers
 */

#include "config.h"

#include "gui/news.h"

#include "tests/unit/sample-steps.h"

#define PAGE REROUTE_PAGE_ROUTING

typedef struct
{
  RerouteEdit *edit;
  RerouteNews *news;
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
  g_clear_pointer (&f->news, reroute_news_free);
}

static RerouteChange *
new_put (gint64 id, const char *domain, const char *who)
{
  g_autoptr (RerouteRow) row = sample_row (id, domain);
  g_autoptr (RerouteRow) stamped = reroute_row_stamp (row, id, who, 1);

  return reroute_change_new_put (stamped);
}

/* Others save @change, which is taken. */
static void
save (Fixture *f, guint64 since, guint64 serial, RerouteChange *change)
{
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_autoptr (RerouteNews) news = NULL;

  g_ptr_array_add (changes, change);
  news = reroute_news_new (since, serial, changes, reroute_edit_rebase (f->edit, changes));
  reroute_news_add (&f->news, news);
}

#define ASSERT_WHO(f, name)                                                                        \
  do                                                                                               \
    {                                                                                              \
      g_autofree char *who = reroute_news_dup_who ((f)->news);                                     \
      g_assert_cmpstr (who, ==, name);                                                             \
    }                                                                                              \
  while (FALSE)

/* Who saved last something else changed none of her entries. */
static void
test_who (Fixture *f, gconstpointer data)
{
  sample_put (f->edit, 1, "hers.test", "old.test");
  sample_put (f->edit, 2, "hers2.test", "old2.test");
  save (f, 4, 5, new_put (9, "other.test", "bert"));
  ASSERT_WHO (f, "bert");
  g_assert_false (reroute_news_is_touching (f->news));
  save (f, 5, 6, new_put (1, "theirs.test", "anna"));
  save (f, 6, 7, new_put (8, "other2.test", "bert"));
  g_assert_true (reroute_news_is_touching (f->news));
  ASSERT_WHO (f, "anna");
  g_assert_cmpuint (reroute_news_get_serial (f->news), ==, 6);
  save (f, 7, 8, new_put (1, "theirs2.test", "anna"));
  ASSERT_WHO (f, "anna");
  save (f, 8, 9, new_put (2, "theirs.test", "carl"));
  ASSERT_WHO (f, "anna, carl");
  g_assert_cmpuint (reroute_news_get_serial (f->news), ==, 9);
}

/* A row that is gone, and a setting, do not tell. */
static void
test_who_is_not_known (Fixture *f, gconstpointer data)
{
  sample_put (f->edit, 1, "hers.test", "old.test");
  save (f, 4, 5, new_put (9, "other.test", "bert"));
  save (f, 5, 6, reroute_change_new_remove (PAGE, 1));
  save (f, 6, 7, new_put (8, "other2.test", "bert"));
  ASSERT_WHO (f, "");
}

/* What hers lay over is kept with it. */
static void
test_before (Fixture *f, gconstpointer data)
{
  const RerouteConflict *conflict = NULL;

  sample_put (f->edit, 1, "hers.test", "old.test");
  save (f, 4, 5, new_put (1, "theirs.test", "anna"));
  g_assert_cmpuint (f->news->conflicts->len, ==, 1);
  conflict = g_ptr_array_index (f->news->conflicts, 0);
  g_assert_cmpstr (conflict->difference->before->row->domain, ==, "old.test");
  g_assert_cmpstr (conflict->difference->after->row->domain, ==, "theirs.test");
}

/* Of the same row or setting, whatever was made of it. */
static void
test_has_conflict (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteChange) put = new_put (1, "third.test", "anna");
  g_autoptr (RerouteChange) gone = reroute_change_new_remove (PAGE, 1);
  g_autoptr (RerouteChange) other = new_put (2, "theirs.test", "anna");
  g_autoptr (RerouteChange) set = reroute_change_new_set ("postmaster", NULL, NULL);
  g_autoptr (RerouteChange) other_set = reroute_change_new_set ("hostname", NULL, NULL);

  sample_put (f->edit, 1, "hers.test", "old.test");
  reroute_edit_set (f->edit, REROUTE_SETTING_POSTMASTER, "hers@new.test", "");
  save (f, 4, 5, new_put (1, "theirs.test", "anna"));
  save (f, 5, 6, reroute_change_new_set ("postmaster", "theirs@new.test", NULL));
  g_assert_true (reroute_news_has_conflict (f->news, put));
  g_assert_true (reroute_news_has_conflict (f->news, gone));
  g_assert_true (reroute_news_has_conflict (f->news, set));
  g_assert_false (reroute_news_has_conflict (f->news, other));
  g_assert_false (reroute_news_has_conflict (f->news, other_set));
}

/* What she takes back is not touched any more. */
static void
test_drop (Fixture *f, gconstpointer data)
{
  sample_put (f->edit, 1, "hers.test", "old.test");
  reroute_edit_begin_step (f->edit);
  reroute_edit_set (f->edit, REROUTE_SETTING_POSTMASTER, "hers@new.test", "");
  sample_put (f->edit, 2, "hers2.test", "old2.test");
  save (f, 4, 5, new_put (1, "theirs.test", "anna"));
  save (f, 5, 6, reroute_change_new_set ("postmaster", "theirs@new.test", NULL));
  save (f, 6, 7, reroute_change_new_remove (PAGE, 2));
  reroute_news_drop_untouched (f->news, f->edit);
  g_assert_cmpuint (f->news->conflicts->len, ==, 3);
  for (guint left = 3; left > 0; left--)
    {
      reroute_edit_undo (f->edit);
      reroute_news_drop_untouched (f->news, f->edit);
      g_assert_cmpuint (f->news->conflicts->len, ==, left - 1);
    }
  g_assert_false (reroute_news_is_touching (f->news));
}

#define ADD(name, func) g_test_add ("/news/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("who", test_who);
  ADD ("who-is-not-known", test_who_is_not_known);
  ADD ("before", test_before);
  ADD ("has-conflict", test_has_conflict);
  ADD ("drop", test_drop);
  return g_test_run ();
}
