/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-row.c - what rows of both pages share; the Routing entry; the E-Mail Domain row; changes
 */

#include "config.h"

#include "common/change.h"
#include "common/email-domain.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/routing-entry.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *source;
  const char *domain;
  RerouteRoutingAction action;
  const char *target;
  const char *label;       /* NULL: refused */
  const char *kept_target; /* or the beginning of the refusal */
  int code;
} Row;

#define INBOUND REROUTE_ROUTING_INBOUND
#define REROUTE REROUTE_ROUTING_REROUTE
#define RELAY REROUTE_ROUTING_RELAY

static const Row rows[] = {
  { "reroute", "Q190710", "test.com", REROUTE, "example.com", "test.com", "example.com", 0 },
  { "as-typed",
    "conformance L01",
    "TEST.com",
    REROUTE,
    " Example.COM. ",
    "test.com",
    "Example.COM",
    0 },
  { "exact", "Q169683", "#ms.com", INBOUND, NULL, "#ms.com", NULL, 0 },
  { "leading-dot", "conformance C04", ".com", REROUTE, "hub.example", "com", "hub.example", 0 },
  { "pasted-at", "article paste", "@test.com", RELAY, "", "test.com", NULL, 0 },
  { "pasted-star-at", "article paste", " *@test.com", RELAY, NULL, "test.com", NULL, 0 },
  { "pasted-exact-at", "article paste", "#@test.com", RELAY, NULL, "#test.com", NULL, 0 },
  { "literal-target",
    "Q245740",
    "fax.example",
    REROUTE,
    "192.0.2.10",
    "fax.example",
    "[192.0.2.10]",
    0 },
  { "literal", "Q249100", "192.0.2.1", INBOUND, NULL, "[192.0.2.1]", NULL, 0 },
  { "empty-label",
    "style 1",
    "a..b",
    INBOUND,
    NULL,
    NULL,
    "sent-to domain “a..b” has an empty label",
    REROUTE_ERROR_DOMAIN },
  { "empty", "issue 2", "", INBOUND, NULL, NULL, "sent-to domain is empty", REROUTE_ERROR_DOMAIN },
  { "star",
    "issue 2",
    "*",
    INBOUND,
    NULL,
    NULL,
    "sent-to domain “*” has a “*”",
    REROUTE_ERROR_DOMAIN },
  { "host-port",
    "issue 2",
    "mx.test.com:25",
    INBOUND,
    NULL,
    NULL,
    "sent-to domain “mx.test.com:25” has a “:”",
    REROUTE_ERROR_DOMAIN },
  { "target-missing",
    "issue 2",
    "test.com",
    REROUTE,
    " ",
    NULL,
    "target is empty: write the domain that mail for “test.com”",
    REROUTE_ERROR_VALUE },
  { "target-useless",
    "issue 2",
    "test.com",
    RELAY,
    "a.example",
    NULL,
    "target “a.example” is of no use",
    REROUTE_ERROR_VALUE },
  { "target-mailbox",
    "issue 2",
    "test.com",
    REROUTE,
    "u@a.example",
    NULL,
    "target “u@a.example” is an e-mail address",
    REROUTE_ERROR_DOMAIN },
  { "target-hash",
    "issue 2",
    "test.com",
    REROUTE,
    "#a.example",
    NULL,
    "target “#a.example” has a “#”",
    REROUTE_ERROR_DOMAIN },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  RerouteRowFields fields = { .id = 7, .domain = row->domain, .enabled = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRoutingEntry) entry =
               reroute_routing_entry_new (&fields, row->action, row->target, &error);

  if (row->label == NULL)
    {
      g_assert_null (entry);
      g_assert_error (error, REROUTE_ERROR, row->code);
      g_test_message ("%s", error->message);
      g_assert_true (g_str_has_prefix (error->message, row->kept_target));
      return;
    }
  g_assert_no_error (error);
  g_autofree char *label = reroute_row_dup_label (&entry->row);
  g_assert_cmpstr (label, ==, row->label);
  g_assert_cmpstr (entry->target, ==, row->kept_target);
  g_assert_cmpint (entry->target_key != NULL, ==, row->kept_target != NULL);
}

static RerouteRow *
make_connection (RerouteRowFields fields, const char *hosts_text)
{
  g_autoptr (RerouteHosts) hosts =
               hosts_text != NULL ? reroute_hosts_parse (hosts_text, FALSE, NULL) : NULL;
  g_autoptr (GError) error = NULL;
  RerouteEmailDomain *row = reroute_email_domain_new (&fields, hosts, &error);

  g_assert_no_error (error);
  return &row->row;
}

static void
test_email_domain (void)
{
  RerouteRowFields fields = { .domain = "Test.COM", .enabled = TRUE, .comment = "a, \"b\"" };
  g_autoptr (RerouteRow) dns = make_connection (fields, NULL);
  g_autoptr (RerouteRow) host = make_connection (fields, "mx1.example.net:26");
  g_autoptr (GError) error = NULL;

  g_assert_null (((RerouteEmailDomain *) dns)->hosts);
  g_assert_cmpuint (((RerouteEmailDomain *) host)->hosts->hosts[0].port, ==, 26);
  g_assert_cmpstr (host->domain, ==, "test.com");
  g_assert_cmpstr (host->comment, ==, "a, \"b\"");
  g_assert_cmpstr (host->changed_by, ==, "");
  g_assert_false (reroute_row_equal (dns, host));
  fields.domain = "mx:a";
  g_assert_null (reroute_email_domain_new (&fields, NULL, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_DOMAIN);
  g_assert_true (g_str_has_prefix (error->message, "e-mail domain “mx:a”"));
}

static void
test_stamp (void)
{
  RerouteRowFields fields = { .domain = "#test.com",
                              .accept_from = REROUTE_ACCEPT_FROM_PERMITTED,
                              .comment = "why" };
  g_autoptr (RerouteRoutingEntry) entry =
               reroute_routing_entry_new (&fields, REROUTE, "Example.com", NULL);
  g_autoptr (RerouteRow) stamped = reroute_row_stamp (&entry->row, 9, "mailadm", 1700000000000000);

  g_assert_cmpint (stamped->id, ==, 9);
  g_assert_cmpstr (stamped->changed_by, ==, "mailadm");
  g_assert_cmpint (stamped->changed_us, ==, 1700000000000000);
  g_assert_true (stamped->exact);
  g_assert_false (stamped->enabled);
  g_assert_cmpstr (((RerouteRoutingEntry *) stamped)->target, ==, "Example.com");
  g_assert_cmpstr (((RerouteRoutingEntry *) stamped)->target_key, ==, "example.com");
  g_assert_false (reroute_row_equal (&entry->row, stamped));
  g_autoptr (RerouteRow) restamped = reroute_row_stamp (stamped, 9, "other", 5);
  g_assert_true (reroute_row_equal (stamped, restamped));

  RerouteRowFields again = reroute_row_get_fields (stamped);
  g_assert_cmpint (again.accept_from, ==, REROUTE_ACCEPT_FROM_PERMITTED);
  g_assert_true (again.exact);
  g_autoptr (RerouteRow) connection = make_connection (again, "a.example");
  g_autoptr (RerouteRow) copy = reroute_row_stamp (connection, 9, NULL, 0);
  g_assert_true (reroute_row_equal (connection, copy));
}

static void
test_comment_limit (void)
{
  g_autofree char *longest = g_strnfill (REROUTE_LIMIT_COMMENT_OCTETS, 'x');
  g_autofree char *over = g_strconcat (longest, "x", NULL);
  RerouteRowFields fields = { .domain = "a.example", .comment = longest };
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRoutingEntry) entry =
               reroute_routing_entry_new (&fields, INBOUND, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (entry->row.comment, ==, longest);
  fields.comment = over;
  g_assert_null (reroute_routing_entry_new (&fields, INBOUND, NULL, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
  g_clear_error (&error);
  fields.comment = "two\nlines";
  g_assert_null (reroute_routing_entry_new (&fields, INBOUND, NULL, &error));
  g_assert_nonnull (strstr (error->message, "line break"));
}

static void
test_words (void)
{
  g_autoptr (GError) error = NULL;
  ReroutePage page;
  RerouteAcceptFrom accept_from;
  RerouteRoutingAction action;

  for (guint i = 0; i < REROUTE_N_PAGES; i++)
    {
      g_assert_true (reroute_page_from_string (reroute_page_to_string (i), &page, NULL));
      g_assert_cmpint (page, ==, i);
    }
  for (guint i = 0; i < 2; i++)
    {
      const char *word = reroute_accept_from_to_string (i);
      g_assert_true (reroute_accept_from_from_string (word, &accept_from, NULL));
      g_assert_cmpint (accept_from, ==, i);
    }
  for (guint i = 0; i < 3; i++)
    {
      const char *word = reroute_routing_action_to_string (i);
      g_assert_true (reroute_routing_action_from_string (word, &action, NULL));
      g_assert_cmpint (action, ==, i);
    }
  g_assert_false (reroute_page_from_string ("general", &page, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
  g_assert_false (reroute_accept_from_from_string (NULL, &accept_from, NULL));
  g_assert_false (reroute_routing_action_from_string ("", &action, NULL));
}

static void
test_changes (void)
{
  RerouteRowFields fields = { .id = 3, .domain = "a.example" };
  g_autoptr (RerouteRow) row = make_connection (fields, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteChange) put = reroute_change_new_put (row);
  g_autoptr (RerouteChange) set = reroute_change_new_set ("message-timeout", "24h", &error);
  g_autoptr (RerouteChange) reset = reroute_change_new_set ("message-timeout", NULL, &error);
  g_autoptr (RerouteChange) removed = reroute_change_new_remove (REROUTE_PAGE_ROUTING, 5);

  g_assert_no_error (error);
  g_assert_true (put->row == row);
  g_assert_cmpstr (set->value, ==, "1d");
  g_assert_null (reset->value);
  g_assert_cmpint (removed->id, ==, 5);
  g_assert_null (reroute_change_new_set ("no-such", "1", &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SETTING);
  g_clear_error (&error);
  g_assert_null (reroute_change_new_set ("workers", "many", &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/row/routing-entry/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/row/email-domain", test_email_domain);
  g_test_add_func ("/row/stamp", test_stamp);
  g_test_add_func ("/row/comment-limit", test_comment_limit);
  g_test_add_func ("/row/words", test_words);
  g_test_add_func ("/row/changes", test_changes);
  return g_test_run ();
}
