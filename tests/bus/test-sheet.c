/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-sheet.c - the property sheet over rulesd: an Apply whose answer is lost, and what she does
 * until it is known what became of it; what others save while a dialog is open
 */

#include "config.h"

#include "gui/sheet-private.h"

#include "tests/bus/bus-fixture.h"
#include "tests/unit/sample-steps.h"

#include <signal.h>

#define PAGE REROUTE_PAGE_ROUTING

typedef struct
{
  BusFixture bus;
  RerouteSheet *sheet;
  RerouteEdit *edit;
  GPid pid; /* of rulesd, while it is stopped */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  bus_set_up (&f->bus, data);
  bus_save (&f->bus, "put routing,old.test,,relay\nset postmaster old@old.test", 0);
  f->sheet = reroute_sheet_new (f->bus.bus);
  f->edit = reroute_sheet_get_edit (f->sheet);
  BUS_WAIT_FOR (reroute_sheet_is_loaded (f->sheet));
  g_assert_cmpuint (reroute_sheet_get_serial (f->sheet), ==, 1);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  reroute_sheet_close (f->sheet);
  g_object_run_dispose (G_OBJECT (f->sheet));
  g_clear_object (&f->sheet);
  bus_tear_down (&f->bus, data);
}

static void
apply_and_save (Fixture *f)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  RerouteApplyState state = REROUTE_APPLY_REFUSED;

  reroute_sheet_apply_async (f->sheet, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  g_assert_true (reroute_sheet_apply_finish (f->sheet, result, &state, &error));
  g_assert_cmpint (state, ==, REROUTE_APPLY_SAVED);
}

/* rulesd has not read it yet, and she stops waiting. */
static void
apply_and_lose (Fixture *f)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  RerouteApplyState state = REROUTE_APPLY_REFUSED;

  f->pid = bus_get_rulesd_pid (&f->bus);
  kill (f->pid, SIGSTOP);
  reroute_sheet_apply_async (f->sheet, NULL, bus_result_cb, &pending);
  reroute_sheet_stop (f->sheet);
  result = bus_await (&pending);
  g_assert_false (reroute_sheet_apply_finish (f->sheet, result, &state, &error));
  g_assert_true (reroute_sheet_is_unsettled (f->sheet));
}

static void
go_on (Fixture *f, guint64 serial)
{
  BUS_WAIT_FOR (!reroute_sheet_is_unsettled (f->sheet) &&
                reroute_sheet_get_serial (f->sheet) == serial);
}

/* Of the rows that are saved, "a.test b.test" by their names. */
static char *
dup_saved (Fixture *f)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRowPage) page = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  reroute_rules_client_list_async (
    f->bus.client, PAGE, "", "domain", 0, 100, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  page = reroute_rules_client_list_finish (f->bus.client, result, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < page->rows->len; i++)
    g_string_append_printf (
      text, "%s%s", i > 0 ? " " : "", ((RerouteRow *) page->rows->pdata[i])->domain);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
is_saved (Fixture *f, const char *names)
{
  g_autofree char *saved = dup_saved (f);

  return g_str_equal (saved, names);
}

#define ASSERT_SAVED(f, names)                                                                     \
  do                                                                                               \
    {                                                                                              \
      g_autofree char *saved = dup_saved (f);                                                      \
      g_assert_cmpstr (saved, ==, names);                                                          \
    }                                                                                              \
  while (FALSE)

/* Settings that are read before it is known are of the generation that it became, whose rows are
   @names. */
static void
read_settings_in_doubt (Fixture *f, const char *names)
{
  kill (f->pid, SIGCONT);
  BUS_WAIT_FOR (is_saved (f, names));
  g_assert_true (reroute_sheet_is_unsettled (f->sheet));
  reroute_sheet_load_settings (f->sheet);
}

static void
test_removed_in_doubt (Fixture *f, gconstpointer data)
{
  gint64 id = sample_put (f->edit, 0, "new.test", NULL);

  apply_and_lose (f);
  sample_take_away (f->edit, id, "new.test");
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
  read_settings_in_doubt (f, "new.test old.test");
  go_on (f, 2);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 1);
  g_assert_null (reroute_sheet_get_news (f->sheet));
  apply_and_save (f);
  ASSERT_SAVED (f, "old.test");
}

static void
test_undone_in_doubt (Fixture *f, gconstpointer data)
{
  sample_put (f->edit, 1, "changed.test", "old.test");
  reroute_sheet_set_setting (f->sheet, REROUTE_SETTING_POSTMASTER, "new@new.test");
  reroute_sheet_set_setting (f->sheet, REROUTE_SETTING_HOSTNAME, "new.test");
  apply_and_lose (f);
  while (reroute_edit_can_undo (f->edit))
    reroute_edit_undo (f->edit);
  read_settings_in_doubt (f, "changed.test");
  go_on (f, 2);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 3);
  g_assert_cmpstr (
    reroute_sheet_get_setting (f->sheet, REROUTE_SETTING_POSTMASTER), ==, "old@old.test");
  apply_and_save (f);
  ASSERT_SAVED (f, "old.test");
  BUS_WAIT_FOR (reroute_edit_get_n_changes (f->edit) == 0 &&
                g_str_equal (reroute_sheet_get_setting (f->sheet, REROUTE_SETTING_HOSTNAME), ""));
}

/* Nothing was done meanwhile: it is as if the answer had come, but for a dialog that is open. */
static void
test_nothing_in_doubt (Fixture *f, gconstpointer data)
{
  gint64 id = sample_put (f->edit, 0, "new.test", NULL);

  reroute_sheet_set_setting (f->sheet, REROUTE_SETTING_HOSTNAME, "new.test");
  apply_and_lose (f);
  read_settings_in_doubt (f, "new.test old.test");
  go_on (f, 2);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
  g_assert_false (reroute_edit_can_undo (f->edit));
  BUS_WAIT_FOR (
    g_str_equal (reroute_sheet_get_setting (f->sheet, REROUTE_SETTING_HOSTNAME), "new.test"));
  sample_put (f->edit, id, "typed.test", "new.test");
  apply_and_save (f);
  ASSERT_SAVED (f, "old.test typed.test");
}

/* Only what others saved is news, and they changed the row that she has changed. */
static void
test_others_after_it (Fixture *f, gconstpointer data)
{
  gint64 id = sample_put (f->edit, 0, "new.test", NULL);
  const RerouteNews *news = NULL;

  apply_and_lose (f);
  sample_put (f->edit, id, "hers.test", NULL);
  read_settings_in_doubt (f, "new.test old.test");
  bus_save (&f->bus, "put 2 routing,theirs.test,,relay", 2);
  go_on (f, 3);
  g_assert_cmpint (reroute_edit_get_state (f->edit, PAGE, 2), ==, REROUTE_EDIT_CHANGED);
  g_assert_cmpstr (reroute_edit_get_base (f->edit, PAGE, 2)->domain, ==, "theirs.test");
  news = reroute_sheet_get_news (f->sheet);
  g_assert_nonnull (news);
  g_assert_cmpuint (news->since, ==, 2);
  g_assert_cmpuint (news->changes->len, ==, 1);
  g_assert_cmpuint (news->conflicts->len, ==, 1);
}

/* What she takes back touches nothing of theirs any more; without a change there are no news. */
static void
test_taken_back (Fixture *f, gconstpointer data)
{
  sample_put (f->edit, 0, "other.test", NULL);
  sample_put (f->edit, 1, "hers.test", "old.test");
  bus_save (&f->bus, "put 1 routing,theirs.test,,relay", 1);
  go_on (f, 2);
  g_assert_true (reroute_news_is_touching (reroute_sheet_get_news (f->sheet)));
  reroute_edit_undo (f->edit);
  g_assert_false (reroute_news_is_touching (reroute_sheet_get_news (f->sheet)));
  reroute_edit_undo (f->edit);
  g_assert_null (reroute_sheet_get_news (f->sheet));
}

/* The answer comes, and she has gone on before. */
static void
test_changed_while_applying (Fixture *f, gconstpointer data)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  gint64 id = sample_put (f->edit, 0, "new.test", NULL);

  reroute_sheet_apply_async (f->sheet, NULL, bus_result_cb, &pending);
  sample_put (f->edit, id, "further.test", NULL);
  sample_put (f->edit, 0, "more.test", NULL);
  result = bus_await (&pending);
  ASSERT_SAVED (f, "new.test old.test");
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 2);
  apply_and_save (f);
  ASSERT_SAVED (f, "further.test more.test old.test");
}

static void
others_saved_cb (RerouteSheet *sheet, const RerouteNews *news, gpointer user_data)
{
  reroute_news_add (user_data, news);
}

/* It was opened before others saved it twice: hers lies over the last, also when it is as the first
   left it. */
static void
test_row_in_a_dialog (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteNews) others = NULL;
  const RerouteNews *news = NULL;

  g_signal_connect (f->sheet, "others-saved", G_CALLBACK (others_saved_cb), &others);
  bus_save (&f->bus, "put 1 routing,first.test,,relay", 1);
  bus_save (&f->bus, "put 1 routing,second.test,,relay", 2);
  go_on (f, 3);
  sample_put (f->edit, 0, "other.test", NULL);
  sample_put (f->edit, 1, "first.test", "old.test");
  g_assert_null (reroute_sheet_get_news (f->sheet));
  reroute_sheet_lay_row (f->sheet, PAGE, 1, others);
  g_assert_cmpint (reroute_edit_get_state (f->edit, PAGE, 1), ==, REROUTE_EDIT_CHANGED);
  g_assert_cmpstr (reroute_edit_get_base (f->edit, PAGE, 1)->domain, ==, "second.test");
  news = reroute_sheet_get_news (f->sheet);
  g_assert_nonnull (news);
  g_assert_cmpuint (news->since, ==, 1);
  g_assert_cmpuint (news->serial, ==, 3);
  g_assert_cmpuint (news->conflicts->len, ==, 1);
}

/* What others left alone, or made as she did, is no news. */
static void
test_row_in_a_dialog_alone (Fixture *f, gconstpointer data)
{
  g_autoptr (RerouteNews) others = NULL;

  g_signal_connect (f->sheet, "others-saved", G_CALLBACK (others_saved_cb), &others);
  bus_save (&f->bus, "put routing,new.test,,relay\nput 1 routing,both.test,,relay", 1);
  go_on (f, 2);
  sample_put (f->edit, 1, "both.test", "old.test");
  reroute_sheet_lay_row (f->sheet, PAGE, 1, others);
  reroute_sheet_lay_row (f->sheet, PAGE, -1, others);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
  g_assert_null (reroute_sheet_get_news (f->sheet));
}

static void
set_while_unread_cb (RerouteSheet *sheet, const RerouteNews *news, gpointer user_data)
{
  const char *value = user_data;

  reroute_sheet_set_setting (sheet, REROUTE_SETTING_POSTMASTER, value);
}

/* Theirs is known, and not read yet: a check button shows what was saved before. */
static void
test_setting_while_unread (Fixture *f, gconstpointer data)
{
  const RerouteNews *news = NULL;

  g_signal_connect (
    f->sheet, "others-saved", G_CALLBACK (set_while_unread_cb), (gpointer) "hers@hers.test");
  bus_save (&f->bus, "set postmaster theirs@theirs.test", 1);
  go_on (f, 2);
  news = reroute_sheet_get_news (f->sheet);
  g_assert_nonnull (news);
  g_assert_cmpuint (news->conflicts->len, ==, 1);
  g_assert_cmpstr (
    reroute_sheet_get_setting (f->sheet, REROUTE_SETTING_POSTMASTER), ==, "hers@hers.test");
}

/* Hers is what they made it. */
static void
test_setting_while_unread_alike (Fixture *f, gconstpointer data)
{
  g_signal_connect (
    f->sheet, "others-saved", G_CALLBACK (set_while_unread_cb), (gpointer) "theirs@theirs.test");
  bus_save (&f->bus, "set postmaster theirs@theirs.test", 1);
  go_on (f, 2);
  g_assert_cmpuint (reroute_edit_get_n_changes (f->edit), ==, 0);
  g_assert_null (reroute_sheet_get_news (f->sheet));
}

#define ADD(name, func) g_test_add ("/sheet/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("removed-in-doubt", test_removed_in_doubt);
  ADD ("undone-in-doubt", test_undone_in_doubt);
  ADD ("nothing-in-doubt", test_nothing_in_doubt);
  ADD ("others-after-it", test_others_after_it);
  ADD ("taken-back", test_taken_back);
  ADD ("changed-while-applying", test_changed_while_applying);
  ADD ("row-in-a-dialog", test_row_in_a_dialog);
  ADD ("row-in-a-dialog-alone", test_row_in_a_dialog_alone);
  ADD ("setting-while-unread", test_setting_while_unread);
  ADD ("setting-while-unread-alike", test_setting_while_unread_alike);
  return g_test_run ();
}
