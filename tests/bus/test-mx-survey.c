/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-mx-survey.c - rulesd asks a relay where the MX of open domains leads
 *
 * The relay is played by the test.
 */

#include "config.h"

#include "tests/bus/bus-fixture.h"

#include "common/client/dbus-relay1.h"
#include "common/limits.h"
#include "common/names.h"

#define ELSEWHERE "elsewhere."
#define FIRST "put routing,first.example,,relay,,permitted"

typedef struct
{
  RerouteBus *bus;
  RerouteDBusRelay1 *skeleton;
  gboolean published;
  guint n_calls;
  guint n_most;     /* calls that are answered; 0: all */
  gboolean is_late; /* as long as it is asked for many */
} FakeRelay;

static void
add_answers (FakeRelay *relay,
             const char *const *domains,
             GVariantBuilder *answers,
             GStrvBuilder *silent)
{
  for (guint i = 0; domains[i] != NULL; i++)
    if (g_str_has_prefix (domains[i], "silent"))
      g_strv_builder_add (silent, domains[i]);
    else if (!g_str_has_prefix (domains[i], ELSEWHERE))
      g_variant_builder_add (answers, "{sb}", domains[i], TRUE);
    else if (!relay->is_late || domains[1] == NULL)
      g_variant_builder_add (answers, "{sb}", domains[i], FALSE);
}

static gboolean
mx_leads_here_cb (RerouteDBusRelay1 *skeleton,
                  GDBusMethodInvocation *invocation,
                  const char *const *domains,
                  gpointer user_data)
{
  FakeRelay *relay = user_data;
  GVariantBuilder answers;
  g_autoptr (GStrvBuilder) silent = g_strv_builder_new ();

  g_assert_cmpuint (g_strv_length ((char **) domains), <=, REROUTE_LIMIT_MX_QUESTIONS);
  relay->n_calls++;
  if (relay->n_most > 0 && relay->n_calls > relay->n_most)
    {
      g_dbus_method_invocation_return_dbus_error (invocation, "org.example.Error", "broken");
      return TRUE;
    }
  g_variant_builder_init (&answers, G_VARIANT_TYPE ("a{sb}"));
  add_answers (relay, domains, &answers, silent);
  g_auto (GStrv) names = g_strv_builder_end (silent);
  reroute_dbus_relay1_complete_mx_leads_here (
    skeleton, invocation, g_variant_builder_end (&answers), (const char *const *) names);
  return TRUE;
}

static void
published_cb (RerouteBus *bus, gpointer published)
{
  *(gboolean *) published = TRUE;
}

/* rulesd runs before, has saved @lines, and hears of its name. */
static void
start_relay (FakeRelay *self, BusFixture *f, const char *lines)
{
  bus_save (f, lines, 0);
  self->bus = bus_connect (f);
  self->skeleton = reroute_dbus_relay1_skeleton_new ();
  g_signal_connect (self->skeleton, "handle-mx-leads-here", G_CALLBACK (mx_leads_here_cb), self);
  g_signal_connect (self->bus, "published", G_CALLBACK (published_cb), &self->published);
  reroute_bus_publish (self->bus,
                       G_DBUS_INTERFACE_SKELETON (self->skeleton),
                       REROUTE_RELAY_PATH,
                       REROUTE_RELAY_BUS_NAME);
  BUS_WAIT_FOR (self->published);
}

static void
stop_relay (FakeRelay *self)
{
  reroute_bus_unpublish (self->bus);
  g_clear_object (&self->skeleton);
  g_clear_object (&self->bus);
}

/* Open rows, and @further. */
static char *
make_rows (guint n, const char *further)
{
  GString *lines = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    {
      if (i == n / 2)
        g_string_append (lines, further);
      g_string_append_printf (lines, "put connections,n%03u.example,,host,smart.example.net\n", i);
    }
  return g_string_free (lines, FALSE);
}

static GPtrArray *
check_saved (BusFixture *f)
{
  GAsyncResult *pending = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  reroute_rules_client_check_async (f->client, NULL, NULL, bus_result_cb, &pending);
  result = bus_await (&pending);
  GPtrArray *findings = reroute_rules_client_check_finish (f->client, result, &error);
  g_assert_no_error (error);
  return findings;
}

/* One row among many, which takes several calls. */
static void
test_every_row_is_asked_for (BusFixture *f, gconstpointer data)
{
  g_autofree char *lines =
    make_rows (301, "put connections,elsewhere.example,,host,smart.example.net\n");
  FakeRelay relay = { 0 };
  g_autoptr (GError) error = NULL;

  start_relay (&relay, f, FIRST);
  g_autoptr (RerouteCommitResult) outcome = bus_apply (f, lines, 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (outcome->state, ==, REROUTE_COMMIT_CONFIRM);
  g_assert_cmpuint (relay.n_calls, ==, 4);
  RerouteFinding *finding = bus_find_finding (outcome->findings, "anyone-not-ours");
  g_assert_nonnull (finding);
  g_assert_cmpstr (finding->arguments[0], ==, "elsewhere.example");
  g_assert_null (bus_find_finding (outcome->findings, "anyone-not-asked"));
  stop_relay (&relay);
}

/* design.md section 3: no DNS answer is no finding. */
static void
test_silence_is_no_finding (BusFixture *f, gconstpointer data)
{
  FakeRelay relay = { 0 };

  start_relay (&relay, f, FIRST);
  bus_save (f, "put connections,silent.example,,host,smart.example.net", 1);
  g_assert_cmpuint (relay.n_calls, ==, 1);
  stop_relay (&relay);
}

/* What could not be asked is one question of its own, and its answer holds for all of them. */
static void
test_not_asked_is_confirmed (BusFixture *f, gconstpointer data)
{
  g_autofree char *lines = make_rows (950, "put connections,elsewhere.example,,dns\n");
  FakeRelay relay = { .n_most = 2 };
  g_autoptr (GError) error = NULL;

  start_relay (&relay, f, FIRST);
  g_autoptr (RerouteCommitResult) asked = bus_apply (f, lines, 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (asked->state, ==, REROUTE_COMMIT_CONFIRM);
  RerouteFinding *finding = bus_find_finding (asked->findings, "anyone-not-asked");
  g_assert_nonnull (finding);
  g_assert_cmpint (finding->level, ==, REROUTE_FINDING_CONFIRM);
  g_assert_cmpstr (finding->arguments[0], ==, "751");
  relay.n_most = 0;
  g_autoptr (RerouteCommitResult) agreed = bus_apply (f, lines, 1, REROUTE_KEY_NOT_ASKED, &error);
  g_assert_no_error (error);
  g_assert_cmpint (agreed->state, ==, REROUTE_COMMIT_SAVED);
  g_assert_nonnull (bus_find_finding (agreed->findings, "anyone-not-ours"));
  stop_relay (&relay);
}

/* DNS that does not keep up with many at once is asked again. */
static void
test_late_is_asked_again (BusFixture *f, gconstpointer data)
{
  g_autofree char *lines = make_rows (150, "put connections,elsewhere.example,,dns\n");
  FakeRelay relay = { .is_late = TRUE };
  g_autoptr (GError) error = NULL;

  start_relay (&relay, f, FIRST);
  g_autoptr (RerouteCommitResult) outcome = bus_apply (f, lines, 1, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (relay.n_calls, ==, 3);
  g_assert_cmpint (outcome->state, ==, REROUTE_COMMIT_CONFIRM);
  g_assert_nonnull (bus_find_finding (outcome->findings, "anyone-not-ours"));
  stop_relay (&relay);
}

/* Rows that nobody was asked about when they were saved, or whose MX has moved. */
static void
test_saved_rows_are_asked_for (BusFixture *f, gconstpointer data)
{
  g_autofree char *lines = make_rows (120, "put connections,elsewhere.example,,dns\n");
  FakeRelay relay = { 0 };

  start_relay (&relay, f, lines);
  g_autoptr (GPtrArray) findings = check_saved (f);
  g_assert_cmpuint (relay.n_calls, ==, 2);
  RerouteFinding *finding = bus_find_finding (findings, "anyone-not-ours");
  g_assert_nonnull (finding);
  g_assert_cmpstr (finding->arguments[0], ==, "elsewhere.example");
  relay.n_most = 1;
  g_autoptr (GPtrArray) broken = check_saved (f);
  finding = bus_find_finding (broken, "anyone-not-asked");
  g_assert_nonnull (finding);
  g_assert_cmpstr (finding->arguments[0], ==, "121");
  stop_relay (&relay);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/mx-survey/" name, BusFixture, NULL, bus_set_up, func, bus_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  ADD ("every-row-is-asked-for", test_every_row_is_asked_for);
  ADD ("silence-is-no-finding", test_silence_is_no_finding);
  ADD ("not-asked-is-confirmed", test_not_asked_is_confirmed);
  ADD ("late-is-asked-again", test_late_is_asked_again);
  ADD ("saved-rows-are-asked-for", test_saved_rows_are_asked_for);
  return g_test_run ();
}
