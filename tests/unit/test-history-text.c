/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-history-text.c - what changed in an entry, in words
 */

#include "config.h"

#include "gui/history-text.h"

#include "common/email-domain.h"
#include "common/recipient.h"
#include "common/routing-entry.h"

/* What a row is made of, one field a line. */
static const struct
{
  const char *name;
  ReroutePage page;
  RerouteRowFields before;
  const char *target_before; /* "relay" of a routing entry, or hosts; NULL: inbound, or DNS */
  RerouteRowFields after;
  const char *target_after;
  gboolean by_turns; /* after */
  const char *shown_before;
  const char *shown_after;
} cases[] = {
#define ROW .domain = "a.test"
#define ON .enabled = TRUE, ROW
#define CASE(name, page, ...)                                                                      \
  {                                                                                                \
    name, REROUTE_PAGE_##page, __VA_ARGS__                                                         \
  }
  /* clang-format off */
  CASE ("domain", ROUTING, { .enabled = TRUE, .domain = "b.test" }, "relay", { ON }, "relay", FALSE,
        "Sent To: b.test", "Sent To: a.test"),
  CASE ("exact", CONNECTIONS, { ON }, NULL, { ON, .exact = TRUE }, NULL, FALSE,
        "E-Mail Domain: a.test", "E-Mail Domain: #a.test"),
  CASE ("enabled", ROUTING, { ON }, "relay", { ROW }, "relay", FALSE, "Entry is on: Yes", "Entry is on: No"),
  CASE ("action", ROUTING, { ON }, "relay", { ON }, NULL, FALSE, "<always relay>", "<inbound>"),
  CASE ("hosts", CONNECTIONS, { ON }, "mx1.test", { ON }, "mx1.test:26", FALSE, "mx1.test", "mx1.test:26"),
  CASE ("exchangers", CONNECTIONS, { ON }, "a.test", { ON }, "mx:a.test", FALSE, "a.test", "MX of a.test"),
  CASE ("by-turns", CONNECTIONS, { ON }, "a.test,b.test", { ON }, "a.test,b.test", TRUE,
        "Tried from top to bottom", "Taken by turns"),
  CASE ("etrn", CONNECTIONS, { ON }, "a.test", { ON, .queue_for_etrn = TRUE }, "a.test", FALSE,
        "Queue messages for ETRN: No", "Queue messages for ETRN: Yes"),
  CASE ("tls", CONNECTIONS, { ON }, NULL, { ON, .tls = REROUTE_TLS_ENCRYPTED }, NULL, FALSE,
        "TLS: As set for all domains", "TLS: Required"),
  CASE ("account", CONNECTIONS, { ON }, "a.test", { ON, .account = "smart" }, "a.test", FALSE,
        "Account: –", "Account: smart"),
  CASE ("certificate", CONNECTIONS, { ON, .certificate = "/a/we.pem" }, "a.test",
        { ON, .certificate = "/b/we.pem" }, "a.test", FALSE, "Certificate: /a/we.pem", "Certificate: /b/we.pem"),
  CASE ("accept-from", ROUTING, { ON }, "relay", { ON, .accept_from = REROUTE_ACCEPT_FROM_PERMITTED }, "relay", FALSE,
        "Accept From: Anyone", "Accept From: Permitted hosts"),
  CASE ("recipient-check", ROUTING, { ON }, "relay", { ON, .recipient_check = REROUTE_RECIPIENT_CHECK_LIST }, "relay",
        FALSE, "Recipient Check: –", "Recipient Check: By its list"),
  CASE ("leaves", ROUTING, { ON }, "relay", { ON, .leaves = TRUE }, "relay", FALSE, "Leaves: No", "Leaves: Yes"),
  CASE ("comment", ROUTING, { ON }, "relay", { ON, .comment = "why" }, "relay", FALSE, "Comment: –", "Comment: why"),
  CASE ("comment-of-a-recipient", RECIPIENTS, { .enabled = TRUE, .domain = "u@a.test", .comment = "who" }, NULL,
        { .enabled = TRUE, .domain = "u@a.test", .comment = "why" }, NULL, FALSE, "Comment: who", "Comment: why"),
  CASE ("more-than-one", CONNECTIONS, { ON }, NULL, { ON, .comment = "why" }, "a.test", FALSE,
        "Deliver Using: DNS; Comment: –", "Deliver Using: a.test; Comment: why"),
/* clang-format on */
#undef CASE
#undef ON
#undef ROW
};

static RerouteRow *
make_row (ReroutePage page, const RerouteRowFields *fields, const char *target, gboolean by_turns)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteHosts) hosts = NULL;
  RerouteRow *row = NULL;

  if (page == REROUTE_PAGE_CONNECTIONS && target != NULL)
    hosts = reroute_hosts_parse (target, by_turns, &error);
  g_assert_no_error (error);
  if (page == REROUTE_PAGE_ROUTING)
    row = (RerouteRow *) reroute_routing_entry_new (
      fields, target != NULL ? REROUTE_ROUTING_RELAY : REROUTE_ROUTING_INBOUND, NULL, &error);
  else if (page == REROUTE_PAGE_CONNECTIONS)
    row = (RerouteRow *) reroute_email_domain_new (fields, hosts, &error);
  else
    row = reroute_recipient_new (fields, &error);
  g_assert_no_error (error);
  return row;
}

/* Without what keeps a value in its order. */
static char *
dup_shown (const RerouteChange *change, guint fields)
{
  g_autofree char *text = reroute_change_dup_content (change, fields);
  g_autoptr (GString) shown = g_string_new (text);

  g_string_replace (shown, "\342\201\250", "", 0);
  g_string_replace (shown, "\342\201\251", "", 0);
  return g_string_free (g_steal_pointer (&shown), FALSE);
}

static void
test_field (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (RerouteRow) before =
               make_row (cases[i].page, &cases[i].before, cases[i].target_before, FALSE);
  g_autoptr (RerouteRow) after =
               make_row (cases[i].page, &cases[i].after, cases[i].target_after, cases[i].by_turns);
  g_autoptr (RerouteChange) from = reroute_change_new_put (before);
  g_autoptr (RerouteChange) to = reroute_change_new_put (after);
  const RerouteDifference difference = { from, to };
  guint fields = reroute_difference_get_fields (&difference);
  g_autofree char *shown_before = dup_shown (from, fields);
  g_autofree char *shown_after = dup_shown (to, fields);

  g_assert_cmpstr (shown_before, ==, cases[i].shown_before);
  g_assert_cmpstr (shown_after, ==, cases[i].shown_after);
}

/* What is new or gone is told by where its mail goes. */
static void
test_one_side (void)
{
  const RerouteRowFields fields = { .domain = "a.test", .enabled = TRUE, .comment = "why" };
  g_autoptr (RerouteRow) row = make_row (REROUTE_PAGE_CONNECTIONS, &fields, "a.test", FALSE);
  g_autoptr (RerouteChange) put = reroute_change_new_put (row);
  const RerouteDifference difference = { NULL, put };
  guint told = reroute_difference_get_fields (&difference);
  g_autofree char *before = dup_shown (NULL, told);
  g_autofree char *after = dup_shown (put, told);

  g_assert_cmpstr (before, ==, "–");
  g_assert_cmpstr (after, ==, "a.test");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/history-text/", cases[i].name, NULL);

      g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_field);
    }
  g_test_add_func ("/history-text/one-side", test_one_side);
  return g_test_run ();
}
