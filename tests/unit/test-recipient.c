/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-recipient.c - the lists of recipients that exist: their form, their way, what they decide
 */

#include "config.h"

#include "common/recipient.h"

#include "common/codec.h"
#include "common/csv.h"
#include "common/error.h"
#include "common/row-columns.h"
#include "tests/unit/sample-rules.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *source;
  const char *line;   /* of the list of test.com */
  const char *expect; /* its key, or “!” and a part of the refusal */
} Line;

static const Line lines[] = {
  { "whole", "issue 4", "user@test.com", "user@test.com" },
  { "local-part", "issue 4", "  user ", "user@test.com" },
  { "case", "issue 4", "First.LAST@Test.Com.", "first.last@test.com" },
  { "subdomain", "issue 4", "user@Sub.test.com", "user@sub.test.com" },
  { "tag", "RFC 5233", "user+tag", "user+tag@test.com" },
  { "needless-quotes", "RFC 5321 4.1.2", "\"User\"@test.com", "user@test.com" },
  { "quoted", "RFC 5321 4.1.2", "\"Two Words\"", "\"two words\"@test.com" },
  { "quoted-at", "RFC 5321 4.1.2", "\"a@b\"@test.com", "\"a@b\"@test.com" },
  { "utf8", "RFC 6531", "JÖRG", "jörg@test.com" },
  { "utf8-decomposed", "RFC 6532 3.1", "jo\xcc\x88rg", "jörg@test.com" },
  { "other-domain", "issue 4", "user@other.test", "!is not of “test.com”" },
  { "not-below", "issue 4", "user@nottest.com", "!is not of “test.com”" },
  { "empty", "issue 4", "", "!is empty" },
  { "two-words", "issue 4", "two words", "!only stands between quotation marks" },
  { "no-local-part", "issue 4", "@test.com", "!a mailbox belongs in front of it" },
  { "bad-domain", "issue 4", "user@a..test.com", "!" },
};

static void
test_line (gconstpointer data)
{
  const Line *line = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRow) row = reroute_recipient_parse_line (line->line, "test.com", &error);

  if (line->expect[0] == '!')
    {
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_ADDRESS);
      g_assert_nonnull (strstr (error->message, line->expect + 1));
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpstr (row->domain, ==, line->expect);
  g_assert_true (row->exact && row->enabled);

  /* What is listed is written, and read again, as it stands. */
  g_autofree char *label = reroute_row_dup_label (row);
  g_autoptr (RerouteRow) again = reroute_recipient_parse_line (label, "test.com", &error);
  g_assert_no_error (error);
  g_assert_true (reroute_row_equal (row, again));
}

static RerouteRow *
make (void)
{
  RerouteRowFields fields = {
    .id = 17,
    .domain = "\"Two Words\"@test.com",
    .enabled = TRUE,
    .comment = "ünïcode, \"quoted\"",
    .changed_by = "anna",
    .changed_us = 18,
  };

  return reroute_recipient_new (&fields, NULL);
}

static void
assert_arrived (const RerouteRow *row, const RerouteRow *arrived)
{
  g_assert_nonnull (arrived);
  g_assert_true (reroute_row_equal (row, arrived));
  g_assert_cmpstr (arrived->changed_by, ==, "anna");
  g_assert_cmpint (arrived->changed_us, ==, 18);
}

typedef struct
{
  const char *filter;
  const char *domain; /* NULL: it asks for no list */
  const char *word;
} Filter;

static void
test_filter (void)
{
  const Filter filters[] = {
    { "@test.com", "test.com", "" },
    { "@Test.COM.", "test.com", "" },
    { "@test.com  a b", "test.com", "a b" },
    { "@test.com ", "test.com", "" },
    { "@", NULL, NULL },
    { "@a..b", NULL, NULL },
    { "anna@test.com", NULL, NULL },
    { "=anna@test.com", NULL, NULL },
    { "", NULL, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      const char *word = NULL;
      g_autofree char *domain = reroute_recipient_filter_dup_domain (filters[i].filter, &word);

      g_assert_cmpstr (domain, ==, filters[i].domain);
      if (domain != NULL)
        g_assert_cmpstr (word, ==, filters[i].word);
    }
}

static void
test_travels (void)
{
  g_autoptr (RerouteRow) row = make ();
  g_autoptr (RerouteRow) stamped = reroute_row_stamp (row, 17, "anna", 18);
  g_autoptr (RerouteColumnsWriter) writer = reroute_columns_writer_new (REROUTE_PAGE_RECIPIENTS);
  reroute_columns_writer_add (writer, row);
  g_autoptr (GVariant) columns = g_variant_ref_sink (reroute_columns_writer_get_columns (writer));
  g_autoptr (GPtrArray) rows = reroute_rows_from_columns (REROUTE_PAGE_RECIPIENTS, columns, NULL);
  g_autoptr (GVariant) variant = g_variant_ref_sink (reroute_row_to_variant (row));
  g_autoptr (RerouteRow) decoded = reroute_row_from_variant (variant, NULL);

  assert_arrived (row, stamped);
  assert_arrived (row, rows->pdata[0]);
  assert_arrived (row, decoded);
}

static void
test_csv (void)
{
  g_autoptr (RerouteRow) row = make ();
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) errors = NULL;

  reroute_csv_append_header (text);
  reroute_csv_append_row (text, row);
  g_autoptr (GPtrArray) rows = reroute_csv_parse (text->str, text->len, NULL, &errors);
  g_assert_nonnull (rows);
  g_autoptr (RerouteRow) stamped = reroute_row_stamp (rows->pdata[0], 17, "anna", 18);
  assert_arrived (row, stamped);
}

static void
test_csv_refused (void)
{
  const struct
  {
    const char *line;
    const char *says;
  } refused[] = {
    { "recipients,u@test.com,subdomains,,,,", "match “subdomains” is of no use" },
    { "recipients,u@test.com,,relay,,,", "action “relay” is of no use" },
    { "recipients,u@test.com,,,b.test,,", "target “b.test” is of no use" },
    { "recipients,u@test.com,,,,permitted,", "accept_from “permitted” is of no use" },
    { "recipients,u@test.com,,,,,no", "enabled “no” is of no use" },
    { "recipients,test.com,,,,,", "has no domain" },
    { "recipients,u@test.com,,,,,\nrecipients,U@TEST.com,,,,,",
      "recipient “u@test.com” stands in line 2 already" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autofree char *text = g_strconcat (
        "page,domain,match,action,target,accept_from,enabled\n", refused[i].line, "\n", NULL);
      g_autoptr (GPtrArray) errors = NULL;

      g_assert_null (reroute_csv_parse (text, strlen (text), NULL, &errors));
      g_assert_cmpuint (errors->len, ==, 1);
      g_assert_nonnull (strstr (((RerouteCsvError *) errors->pdata[0])->message, refused[i].says));
    }
}

/* A peer may say of a recipient what only an entry has. */
static void
test_off_is_refused (void)
{
  RerouteRowFields fields = { .domain = "u@test.com", .enabled = FALSE };
  g_autoptr (GError) error = NULL;

  g_assert_null (reroute_recipient_new (&fields, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
}

typedef struct
{
  const char *recipient;
  gboolean taken;
} Asked;

static const Asked asked[] = {
  { "user@test.com", TRUE },
  { "USER@Test.Com", TRUE },
  { "\"user\"@test.com", TRUE },
  { "user+news@test.com", TRUE },
  { "user+@test.com", TRUE },
  { "user@sub.test.com", TRUE }, /* the list of the entry, which is for subdomains too */
  { "user+news@deep.sub.test.com", TRUE },
  { "only@sub.test.com", TRUE },
  { "tag+one@test.com", TRUE },
  { "Postmaster@test.com", TRUE },
  { "\"two words\"@test.com", TRUE },
  { "only@test.com", FALSE },
  { "only@other.test.com", FALSE },
  { "tag@test.com", FALSE },
  { "tag+two@test.com", FALSE },
  { "+user@test.com", FALSE },
  { "\"user+x\"@test.com", FALSE },
  { "nobody@test.com", FALSE },
  { "use@test.com", FALSE },
  { "user@elsewhere.test", TRUE }, /* no list there */
};

static void
test_decides (void)
{
  const RerouteClient stranger = { .authenticated = FALSE };
  g_autoptr (RerouteRuleset) rules = sample_rules (
    "routing,test.com,,reroute,b.test,,,,list\nconnections,elsewhere.test,,host,gw.test\n"
    "recipients,user@test.com\nrecipients,only@sub.test.com\nrecipients,tag+one@test.com\n"
    "recipients,\"\"\"two words\"\"@test.com\"",
    "");

  for (gsize i = 0; i < G_N_ELEMENTS (asked); i++)
    {
      g_autoptr (RerouteAddress) recipient = reroute_address_parse (asked[i].recipient, TRUE, NULL);
      g_autoptr (RerouteDecision) arrives =
                   reroute_ruleset_decide (rules, recipient, &stranger, NULL);
      g_autoptr (RerouteDecision) waits = reroute_ruleset_decide (rules, recipient, NULL, NULL);

      g_test_message ("%s", asked[i].recipient);
      g_assert_cmpuint (arrives->reply_code, ==, asked[i].taken ? 250 : 550);
      if (!asked[i].taken)
        {
          g_assert_cmpstr (arrives->reply_status, ==, "5.1.1");
          g_assert_cmpstr (arrives->reply_text, ==, "There is no such recipient");
        }
      /* The queue's mail was taken already. */
      g_assert_cmpuint (waits->reply_code, ==, 250);
    }
}

/* Who may send is judged first: a stranger does not learn who is on the list. */
static void
test_strangers_learn_nothing (void)
{
  const RerouteClient stranger = { .authenticated = FALSE };
  g_autoptr (RerouteRuleset) rules = sample_rules (
    "connections,test.com,,host,gw.test,permitted,,,list\nrecipients,user@test.com", "");
  g_autoptr (RerouteAddress) recipient = reroute_address_parse ("nobody@test.com", FALSE, NULL);
  g_autoptr (RerouteDecision) decision = reroute_ruleset_decide (rules, recipient, &stranger, NULL);

  g_assert_cmpstr (decision->reply_status, ==, "5.7.1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree char *path = g_strdup_printf ("/recipient/line/%s", lines[i].name);
      g_test_add_data_func (path, &lines[i], test_line);
    }
  g_test_add_func ("/recipient/filter", test_filter);
  g_test_add_func ("/recipient/travels", test_travels);
  g_test_add_func ("/recipient/csv", test_csv);
  g_test_add_func ("/recipient/csv-refused", test_csv_refused);
  g_test_add_func ("/recipient/off-is-refused", test_off_is_refused);
  g_test_add_func ("/recipient/decides", test_decides);
  g_test_add_func ("/recipient/strangers-learn-nothing", test_strangers_learn_nothing);
  return g_test_run ();
}
