/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-row-columns.c - rows that travel as columns arrive the same, and a peer is never trusted
 */

#include "config.h"

#include "common/row-columns.h"

#include "common/error.h"
#include "common/routing-entry.h"
#include "tests/unit/sample-rules.h"

#include <string.h>

/* As they arrive from the bus: serialised, their parts not checked. */
static GVariant *
travel (GVariant *variant)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (variant);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (sunk);

  return g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (sunk), bytes, FALSE));
}

static void
assert_page_travels (const char *lines, ReroutePage page, gint64 first_id, guint n_rows)
{
  g_autoptr (RerouteRuleset) rules = sample_rules (lines, "");
  g_autoptr (RerouteColumnsWriter) writer = reroute_columns_writer_new (page);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n_rows; i++)
    reroute_columns_writer_add (writer, reroute_ruleset_get_row (rules, page, first_id + i));
  g_autoptr (GVariant) columns = travel (reroute_columns_writer_get_columns (writer));
  g_assert_cmpstr (g_variant_get_type_string (columns), ==, REROUTE_COLUMNS_TYPE);
  g_assert_cmpint (reroute_columns_peek_last_id (columns), ==, first_id + n_rows - 1);
  g_autoptr (GPtrArray) arrived = reroute_rows_from_columns (page, columns, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (arrived->len, ==, n_rows);
  for (guint i = 0; i < n_rows; i++)
    {
      const RerouteRow *row = arrived->pdata[i];
      g_assert_true (reroute_row_equal (reroute_ruleset_get_row (rules, page, first_id + i), row));
      g_assert_cmpstr (row->changed_by, ==, "tester");
      g_assert_cmpint (row->changed_us, ==, 1);
    }
}

static void
test_rows (void)
{
  static const char lines[] = "routing,a.test,,reroute,Example.COM\n"
                              "routing,a.test,exact,inbound\n"
                              "routing,b.test,,relay,,permitted,no\n"
                              "routing,f.test,,reroute,[192.0.2.1]\n"
                              "connections,a.test,,dns\n"
                              "connections,b.test,exact,host,mx1.test:2525;mx:b.test,permitted\n"
                              "connections,c.test,,host,[::1]:26,,no";

  assert_page_travels (lines, REROUTE_PAGE_ROUTING, 1, 4);
  assert_page_travels (lines, REROUTE_PAGE_CONNECTIONS, 5, 3);
}

/* A row with nothing at its default: what is forgotten here would be lost on the way to the relay.
 */
static void
test_every_field (void)
{
  g_autoptr (RerouteHosts) hosts = reroute_hosts_parse ("a.test;b.test", TRUE, NULL);
  RerouteRowFields fields = {
    .id = 17,
    .domain = "a.test",
    .exact = TRUE,
    .enabled = FALSE,
    .leaves = TRUE,
    .accept_from = REROUTE_ACCEPT_FROM_PERMITTED,
    .tls = REROUTE_TLS_VERIFIED,
    .recipient_check = REROUTE_RECIPIENT_CHECK_CALL_AHEAD,
    .account = "smart",
    .certificate = "/etc/reroute/we.pem",
    .queue_for_etrn = TRUE,
    .comment = "ünïcode, \"quoted\"",
    .changed_by = "anna",
    .changed_us = 18,
  };
  g_autoptr (RerouteEmailDomain) row = reroute_email_domain_new (&fields, hosts, NULL);
  g_autoptr (RerouteColumnsWriter) writer = reroute_columns_writer_new (REROUTE_PAGE_CONNECTIONS);
  reroute_columns_writer_add (writer, &row->row);
  g_autoptr (GVariant) columns = travel (reroute_columns_writer_get_columns (writer));
  g_autoptr (GPtrArray) arrived =
               reroute_rows_from_columns (REROUTE_PAGE_CONNECTIONS, columns, NULL);

  const RerouteRow *other = arrived->pdata[0];
  g_assert_true (reroute_row_equal (&row->row, other));
  g_assert_true (((const RerouteEmailDomain *) other)->hosts->by_turns);
  g_assert_cmpint (other->tls, ==, REROUTE_TLS_VERIFIED);
  g_assert_cmpstr (((const RerouteEmailDomain *) other)->account, ==, "smart");
  g_assert_cmpstr (((const RerouteEmailDomain *) other)->certificate, ==, "/etc/reroute/we.pem");
  g_assert_true (other->leaves);
  g_assert_true (other->queue_for_etrn);
  g_assert_cmpint (other->recipient_check, ==, REROUTE_RECIPIENT_CHECK_CALL_AHEAD);
  g_assert_cmpstr (other->changed_by, ==, "anna");
  g_assert_cmpint (other->changed_us, ==, 18);
}

static void
test_defaults_take_no_room (void)
{
  RerouteRowFields fields = { .domain = "a.test", .enabled = TRUE };
  g_autoptr (RerouteRoutingEntry) row =
               reroute_routing_entry_new (&fields, REROUTE_ROUTING_REROUTE, "b.test", NULL);
  g_autoptr (RerouteColumnsWriter) writer = reroute_columns_writer_new (REROUTE_PAGE_ROUTING);
  g_autoptr (GVariant) none = g_variant_ref_sink (reroute_columns_writer_get_columns (writer));
  reroute_columns_writer_add (writer, &row->row);
  g_autoptr (GVariant) one = g_variant_ref_sink (reroute_columns_writer_get_columns (writer));

  g_assert_cmpuint (g_variant_n_children (none), ==, 0);
  g_assert_cmpint (reroute_columns_peek_last_id (none), ==, 0);
  g_assert_cmpuint (g_variant_n_children (one), ==, 2);
  g_assert_cmpint (reroute_columns_peek_last_id (one), ==, 0);
  g_autoptr (GPtrArray) nothing = reroute_rows_from_columns (REROUTE_PAGE_ROUTING, none, NULL);
  g_assert_cmpuint (nothing->len, ==, 0);
}

typedef struct
{
  const char *name;
  ReroutePage page;
  const char *text; /* columns in the text form of GVariant */
  int code;
  const char *message; /* part of the refusal */
} Row;

#define A "'domain': <b'a.test'>, 'action': <b'relay'>"

static const Row rows[] = {
  { "unknown-column",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'colour': <b'red'>}",
    REROUTE_ERROR_PROTOCOL,
    "has no “colour”" },
  { "column-of-other-page",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'hosts': <b'gw.test'>}",
    REROUTE_ERROR_PROTOCOL,
    "has no “hosts”" },
  { "action-of-other-page",
    REROUTE_PAGE_CONNECTIONS,
    "{" A "}",
    REROUTE_ERROR_PROTOCOL,
    "has no “action”" },
  { "twice",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'domain': <b'b.test'>}",
    REROUTE_ERROR_PROTOCOL,
    "“domain” arrived twice" },
  { "text-as-string",
    REROUTE_PAGE_ROUTING,
    "{'domain': <'a.test'>}",
    REROUTE_ERROR_PROTOCOL,
    "the type “s” arrived where “ay”" },
  { "id-as-octets",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'id': <b'1'>}",
    REROUTE_ERROR_PROTOCOL,
    "the type “ay” arrived where “ax”" },
  { "no-domain",
    REROUTE_PAGE_ROUTING,
    "{'id': <[int64 1]>}",
    REROUTE_ERROR_PROTOCOL,
    "“id” does not have one value a row" },
  { "ids-too-few",
    REROUTE_PAGE_ROUTING,
    "{'domain': <[byte 97, 0, 98, 0]>, 'id': <[int64 1]>}",
    REROUTE_ERROR_PROTOCOL,
    "“id” does not have one value a row" },
  { "flags-too-many",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'exact': <[byte 0, 1]>}",
    REROUTE_ERROR_PROTOCOL,
    "“exact” does not have one value a row" },
  { "texts-too-few",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'comment': <@ay []>}",
    REROUTE_ERROR_PROTOCOL,
    "“comment” does not have one value a row" },
  { "flag-of-two",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'enabled': <[byte 2]>}",
    REROUTE_ERROR_PROTOCOL,
    "“enabled” has more than 0 and 1" },
  { "text-without-end",
    REROUTE_PAGE_ROUTING,
    "{'domain': <[byte 97, 0, 98]>}",
    REROUTE_ERROR_PROTOCOL,
    "“domain” is not UTF-8 text with NUL at the end" },
  { "not-utf-8",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'comment': <[byte 0xc3, 0]>}",
    REROUTE_ERROR_PROTOCOL,
    "“comment” is not UTF-8 text" },
  { "bad-domain",
    REROUTE_PAGE_ROUTING,
    "{'domain': <b'a..test'>, 'action': <b'relay'>}",
    REROUTE_ERROR_DOMAIN,
    "sent-to domain “a..test”" },
  { "empty-domain",
    REROUTE_PAGE_CONNECTIONS,
    "{'domain': <b''>}",
    REROUTE_ERROR_DOMAIN,
    "e-mail domain is empty" },
  { "unknown-action",
    REROUTE_PAGE_ROUTING,
    "{'domain': <b'a.test'>, 'action': <b'drop'>}",
    REROUTE_ERROR_VALUE,
    "action “drop” is unknown" },
  { "target-missing",
    REROUTE_PAGE_ROUTING,
    "{'domain': <b'a.test'>}",
    REROUTE_ERROR_VALUE,
    "target is empty" },
  { "target-useless",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'target': <b'b.test'>}",
    REROUTE_ERROR_VALUE,
    "is of no use" },
  { "accept-from",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'accept-from': <b'all'>}",
    REROUTE_ERROR_VALUE,
    "accept-from “all” is unknown" },
  { "comment-break",
    REROUTE_PAGE_ROUTING,
    "{" A ", 'comment': <b'a\\nb'>}",
    REROUTE_ERROR_VALUE,
    "line break" },
  { "bad-port",
    REROUTE_PAGE_CONNECTIONS,
    "{'domain': <b'a.test'>, 'hosts': <b'gw.test:0'>}",
    REROUTE_ERROR_HOST,
    "port “0”" },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GError) error = NULL;
  GVariant *parsed =
    g_variant_parse (G_VARIANT_TYPE (REROUTE_COLUMNS_TYPE), row->text, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GVariant) columns = travel (parsed);
  g_autoptr (GPtrArray) arrived = reroute_rows_from_columns (row->page, columns, &error);

  g_variant_unref (parsed);
  g_assert_null (arrived);
  g_assert_error (error, REROUTE_ERROR, row->code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, row->message));
}

/* Bytes that are no value of the type at all, and columns cut anywhere. */
static void
test_noise (void)
{
  g_autoptr (RerouteRuleset) rules =
               sample_rules ("routing,a.test,,reroute,Example.COM\nrouting,b.test,,relay", "");
  g_autoptr (RerouteColumnsWriter) writer = reroute_columns_writer_new (REROUTE_PAGE_ROUTING);
  for (gint64 id = 1; id <= 2; id++)
    reroute_columns_writer_add (writer, reroute_ruleset_get_row (rules, REROUTE_PAGE_ROUTING, id));
  g_autoptr (GVariant) whole = g_variant_ref_sink (reroute_columns_writer_get_columns (writer));
  gsize size = g_variant_get_size (whole);

  for (int i = 0; i < 5000; i++)
    {
      g_autofree guint8 *octets = g_memdup2 (g_variant_get_data (whole), size);
      for (int j = g_test_rand_int_range (0, 4); j > 0; j--)
        octets[g_test_rand_int_range (0, (gint32) size)] = (guint8) g_test_rand_int_range (0, 256);
      gsize n = (gsize) g_test_rand_int_range ((gint32) size / 2, (gint32) size + 1);
      g_autoptr (GBytes) bytes = g_bytes_new (octets, n);
      g_autoptr (GVariant) columns = g_variant_ref_sink (
        g_variant_new_from_bytes (G_VARIANT_TYPE (REROUTE_COLUMNS_TYPE), bytes, FALSE));
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) arrived =
                   reroute_rows_from_columns (REROUTE_PAGE_ROUTING, columns, &error);
      g_assert_true ((arrived == NULL) == (error != NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/row-columns/rows", test_rows);
  g_test_add_func ("/row-columns/every-field", test_every_field);
  g_test_add_func ("/row-columns/defaults-take-no-room", test_defaults_take_no_room);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/row-columns/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/row-columns/noise", test_noise);
  return g_test_run ();
}
