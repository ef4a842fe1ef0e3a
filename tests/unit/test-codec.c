/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-codec.c - what travels arrives the same, and a peer is never trusted
 */

#include "config.h"

#include "common/codec.h"

#include "common/error.h"
#include "common/variant-writer.h"
#include "tests/unit/sample-rules.h"

#include <string.h>

/* As it arrives from the bus: serialised, its parts not checked. */
static GVariant *
travel (GVariant *variant)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (variant);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (sunk);

  return g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (sunk), bytes, FALSE));
}

static const char *const row_lines[] = {
  "routing,a.test,,reroute,Example.COM",
  "routing,a.test,exact,inbound",
  "routing,b.test,,relay,,permitted,no",
  "routing,f.test,,reroute,[192.0.2.1]",
  "connections,a.test,,dns",
  "connections,b.test,exact,host,mx1.test:2525;mx:b.test;[::1]:26,permitted",
};

static void
test_rows (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (row_lines); i++)
    {
      g_autoptr (RerouteRuleset) rules = sample_rules (row_lines[i], "");
      ReroutePage page = row_lines[i][0] == 'r' ? REROUTE_PAGE_ROUTING : REROUTE_PAGE_CONNECTIONS;
      RerouteRow *row = reroute_ruleset_get_row (rules, page, 1);
      g_autoptr (GVariant) variant = travel (reroute_row_to_variant (row));
      g_autoptr (GError) error = NULL;
      g_assert_cmpstr (g_variant_get_type_string (variant), ==, REROUTE_ROW_TYPE);
      g_autoptr (RerouteRow) arrived = reroute_row_from_variant (variant, &error);
      g_assert_no_error (error);
      g_assert_true (reroute_row_equal (row, arrived));
      g_assert_cmpstr (arrived->changed_by, ==, "tester");
      g_assert_cmpint (arrived->changed_us, ==, 1);
    }
}

/* What is written octet by octet are the octets that GLib makes of the same value. */
static void
assert_octets (GVariant *variant)
{
  g_autoptr (GVariant) ours = g_variant_ref_sink (variant);
  g_autofree char *text = g_variant_print (ours, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) theirs =
               g_variant_parse (g_variant_get_type (ours), text, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_variant_get_data (ours),
                   g_variant_get_size (ours),
                   g_variant_get_data (theirs),
                   g_variant_get_size (theirs));
  g_autoptr (GVariant) arrived = travel (ours);
  g_assert_true (g_variant_is_normal_form (arrived));
}

static void
assert_row_octets (const char *line)
{
  g_autoptr (RerouteRuleset) rules = sample_rules (line, "");
  ReroutePage page = line[0] == 'r' ? REROUTE_PAGE_ROUTING : REROUTE_PAGE_CONNECTIONS;
  g_autoptr (RerouteChange) change =
               reroute_change_new_put (reroute_ruleset_get_row (rules, page, 1));

  assert_octets (reroute_row_to_variant (change->row));
  assert_octets (reroute_change_to_variant (change));
}

/* Ends of one and of two octets, at every size about where they change. */
static void
test_octets (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (row_lines); i++)
    assert_row_octets (row_lines[i]);
  for (guint n = 1; n <= 300; n++)
    {
      g_autofree char *comment = g_strnfill (n, 'x');
      RerouteRowFields fields = { .domain = "a.test", .enabled = TRUE, .comment = comment };
      g_autoptr (RerouteRoutingEntry) row =
                   reroute_routing_entry_new (&fields, REROUTE_ROUTING_INBOUND, NULL, NULL);
      g_autoptr (RerouteChange) change = reroute_change_new_put (row);

      assert_octets (reroute_row_to_variant (&row->row));
      assert_octets (reroute_change_to_variant (change));
    }
}

/* No row is so wide that its ends take four octets, but the writer does not know that. */
static void
test_wide_octets (void)
{
  g_autofree char *text = g_strnfill (G_MAXUINT16, 'x');
  RerouteVariantWriter writer;

  reroute_variant_writer_init (&writer);
  RerouteVariantContainer dict = reroute_variant_writer_open (&writer);
  reroute_variant_writer_add_string (&writer, &dict, "one", "");
  reroute_variant_writer_add_string (&writer, &dict, "wide", text);
  reroute_variant_writer_add_int64 (&writer, &dict, "number", G_MININT64);
  reroute_variant_writer_close_array (&writer, &dict);
  assert_octets (reroute_variant_writer_end (&writer, G_VARIANT_TYPE_VARDICT));
}

static void
test_by_turns (void)
{
  g_autoptr (RerouteHosts) hosts = reroute_hosts_parse ("a.test;b.test", TRUE, NULL);
  RerouteRowFields fields = { .domain = "a.test",
                              .leaves = TRUE,
                              .tls = REROUTE_TLS_ENCRYPTED,
                              .recipient_check = REROUTE_RECIPIENT_CHECK_CALL_AHEAD,
                              .account = "smart",
                              .certificate = "/etc/reroute/we.pem",
                              .queue_for_etrn = TRUE,
                              .comment = "ünïcode, \"quoted\"" };
  g_autoptr (RerouteEmailDomain) row = reroute_email_domain_new (&fields, hosts, NULL);
  g_autoptr (GVariant) variant = travel (reroute_row_to_variant (&row->row));
  g_autoptr (RerouteRow) arrived = reroute_row_from_variant (variant, NULL);

  g_assert_true (((RerouteEmailDomain *) arrived)->hosts->by_turns);
  g_assert_cmpint (arrived->tls, ==, REROUTE_TLS_ENCRYPTED);
  g_assert_cmpstr (((RerouteEmailDomain *) arrived)->account, ==, "smart");
  g_assert_cmpstr (((RerouteEmailDomain *) arrived)->certificate, ==, "/etc/reroute/we.pem");
  g_assert_true (arrived->leaves);
  g_assert_true (arrived->queue_for_etrn);
  g_assert_cmpint (arrived->recipient_check, ==, REROUTE_RECIPIENT_CHECK_CALL_AHEAD);
  g_assert_cmpstr (arrived->comment, ==, "ünïcode, \"quoted\"");
}

typedef struct
{
  const char *name;
  const char *text; /* a change in the text form of GVariant */
  int code;
  const char *message; /* part of the refusal; NULL: accepted */
} Row;

#define ROUTING(values) "('put', <('routing', int64 0, 'a.test', false, true, " values ")>)"
#define CONNECTION(values) "('put', <('connections', int64 0, 'a.test', false, true, " values ")>)"

static const Row rows[] = {
  { "defaults", CONNECTION ("@a{sv} {}"), 0, NULL },
  { "unknown-page",
    "('put', <('general', int64 0, 'a.test', false, true, @a{sv} {})>)",
    REROUTE_ERROR_VALUE,
    "page “general” is unknown" },
  { "bad-domain",
    "('put', <('routing', int64 0, 'a..test', false, true, {'action': <'relay'>})>)",
    REROUTE_ERROR_DOMAIN,
    "sent-to domain “a..test”" },
  { "unknown-column", ROUTING ("{'colour': <'red'>}"), REROUTE_ERROR_PROTOCOL, "has no “colour”" },
  { "column-of-other-page",
    ROUTING ("{'hosts': <'gw.test'>}"),
    REROUTE_ERROR_PROTOCOL,
    "has no “hosts”" },
  { "wrong-type",
    ROUTING ("{'comment': <7>}"),
    REROUTE_ERROR_PROTOCOL,
    "the type “i” arrived where “s”" },
  { "etrn-of-routing",
    ROUTING ("{'action': <'relay'>, 'queue-for-etrn': <true>}"),
    REROUTE_ERROR_PROTOCOL,
    "has no “queue-for-etrn”" },
  { "unknown-action",
    ROUTING ("{'action': <'drop'>}"),
    REROUTE_ERROR_VALUE,
    "action “drop” is unknown" },
  { "target-missing", ROUTING ("@a{sv} {}"), REROUTE_ERROR_VALUE, "target is empty" },
  { "target-useless",
    ROUTING ("{'action': <'relay'>, 'target': <'b.test'>}"),
    REROUTE_ERROR_VALUE,
    "is of no use" },
  { "accept-from",
    ROUTING ("{'accept-from': <'all'>, 'action': <'relay'>}"),
    REROUTE_ERROR_VALUE,
    "accept-from “all” is unknown" },
  { "comment-break",
    ROUTING ("{'comment': <'a\\nb'>, 'action': <'relay'>}"),
    REROUTE_ERROR_VALUE,
    "line break" },
  { "host-missing", CONNECTION ("{'deliver': <'host'>}"), REROUTE_ERROR_HOST, "host is empty" },
  { "hosts-useless",
    CONNECTION ("{'hosts': <'gw.test'>}"),
    REROUTE_ERROR_VALUE,
    "mail is delivered by DNS" },
  { "unknown-deliver",
    CONNECTION ("{'deliver': <'lmtp'>}"),
    REROUTE_ERROR_VALUE,
    "deliver “lmtp” is unknown" },
  { "bad-port",
    CONNECTION ("{'deliver': <'host'>, 'hosts': <'gw.test:0'>}"),
    REROUTE_ERROR_HOST,
    "port “0”" },
  { "remove", "('remove', <('routing', int64 5)>)", 0, NULL },
  { "remove-type",
    "('remove', <'routing'>)",
    REROUTE_ERROR_PROTOCOL,
    "the type “s” arrived where “(sx)”" },
  { "set", "('set', <('workers', '2')>)", 0, NULL },
  { "set-unknown",
    "('set', <('colour', 'red')>)",
    REROUTE_ERROR_SETTING,
    "setting “colour” is unknown" },
  { "set-bad", "('set', <('workers', 'x')>)", REROUTE_ERROR_VALUE, "setting “workers”" },
  { "reset", "('reset', <'workers'>)", 0, NULL },
  { "reset-type", "('reset', <1>)", REROUTE_ERROR_PROTOCOL, "the type “i” arrived where “s”" },
  { "unknown-kind", "('drop', <1>)", REROUTE_ERROR_PROTOCOL, "kind “drop” is unknown" },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GError) error = NULL;
  GVariant *parsed = g_variant_parse (G_VARIANT_TYPE ("(sv)"), row->text, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GVariant) variant = travel (parsed);
  g_autoptr (RerouteChange) change = reroute_change_from_variant (variant, &error);

  g_variant_unref (parsed);
  if (row->message == NULL)
    {
      g_assert_no_error (error);
      g_autoptr (GVariant) back = g_variant_ref_sink (reroute_change_to_variant (change));
      g_autoptr (RerouteChange) again = reroute_change_from_variant (back, &error);
      g_assert_no_error (error);
      g_assert_cmpint (again->kind, ==, change->kind);
      g_assert_cmpint (again->id, ==, change->id);
      g_assert_cmpstr (again->key, ==, change->key);
      g_assert_cmpstr (again->value, ==, change->value);
      return;
    }
  g_assert_null (change);
  g_assert_error (error, REROUTE_ERROR, row->code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, row->message));
}

static void
test_changes (void)
{
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (changes, reroute_change_new_remove (REROUTE_PAGE_CONNECTIONS, 3));
  g_ptr_array_add (changes, reroute_change_new_set ("reroute", "no", NULL));
  g_autoptr (GVariant) variant = travel (reroute_changes_to_variant (changes));
  g_autoptr (GPtrArray) arrived = reroute_changes_from_variant (variant, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (arrived->len, ==, 2);
  g_assert_cmpint (((RerouteChange *) arrived->pdata[0])->page, ==, REROUTE_PAGE_CONNECTIONS);
  g_assert_cmpstr (((RerouteChange *) arrived->pdata[1])->value, ==, "no");

  g_autoptr (GVariant) none = g_variant_ref_sink (reroute_changes_to_variant (NULL));
  g_autoptr (GPtrArray) nothing = reroute_changes_from_variant (none, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nothing->len, ==, 0);
  g_autoptr (GVariant) other = g_variant_ref_sink (g_variant_new_string ("x"));
  g_assert_null (reroute_changes_from_variant (other, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
}

/* Ids that travel together come as one removal each. */
static void
test_remove_many (void)
{
  static const gint64 ids[] = { 7, 3, G_MAXINT64, 7 };
  static const gint64 wanted[] = { 3, 7, G_MAXINT64 };
  g_autoptr (RerouteIdSet) set = reroute_id_set_new (ids, G_N_ELEMENTS (ids));
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (changes, reroute_change_new_remove_many (REROUTE_PAGE_RECIPIENTS, set));
  g_autoptr (GVariant) variant = travel (reroute_changes_to_variant (changes));
  g_autoptr (GPtrArray) arrived = reroute_changes_from_variant (variant, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (arrived->len, ==, G_N_ELEMENTS (wanted));
  for (guint i = 0; i < arrived->len; i++)
    {
      const RerouteChange *change = arrived->pdata[i];
      g_assert_cmpint (change->kind, ==, REROUTE_CHANGE_REMOVE);
      g_assert_cmpint (change->page, ==, REROUTE_PAGE_RECIPIENTS);
      g_assert_cmpint (change->id, ==, wanted[i]);
    }
}

static void
test_bad_remove_many (void)
{
  static const struct
  {
    const char *text;
    int code;
  } bad[] = {
    { "[('remove-many', <('routing', int64 5)>)]", REROUTE_ERROR_PROTOCOL },
    { "[('remove-many', <('routing', [5, 6])>)]", REROUTE_ERROR_PROTOCOL },
    { "[('remove-many', <('other', @ax [5])>)]", REROUTE_ERROR_VALUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GVariant) variant =
                   g_variant_parse (G_VARIANT_TYPE ("a(sv)"), bad[i].text, NULL, NULL, NULL);
      g_autoptr (GError) error = NULL;

      g_assert_nonnull (variant);
      g_assert_null (reroute_changes_from_variant (variant, &error));
      g_assert_error (error, REROUTE_ERROR, bad[i].code);
    }
}

static void
test_findings (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules (
    "routing,a.test,,reroute,b.test\nrouting,b.test,,reroute,a.test\nconnections,com,,dns", "");
  g_autoptr (GPtrArray) findings = reroute_ruleset_check (rules, NULL, NULL);
  g_autoptr (GVariant) variant = travel (reroute_findings_to_variant (findings));
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) arrived = reroute_findings_from_variant (variant, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (arrived->len, ==, findings->len);
  for (guint i = 0; i < arrived->len; i++)
    {
      const RerouteFinding *a = findings->pdata[i];
      const RerouteFinding *b = arrived->pdata[i];
      g_assert_cmpint (a->level, ==, b->level);
      g_assert_cmpstr (a->code, ==, b->code);
      g_assert_cmpstr (a->sentence, ==, b->sentence);
      g_assert_cmpstr (a->key, ==, b->key);
      g_assert_true (g_strv_equal ((const char *const *) a->path, (const char *const *) b->path));
      g_assert_cmpuint (a->rows->len, ==, b->rows->len);
    }
}

static void
test_bad_findings (void)
{
  static const char *const texts[] = {
    "[('fatal', 'loop', '', @as [], @as [], '', @a(sx) [])]",
    "[('error', 'loop', '', @as [], @as [], '', [('general', int64 1)])]",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) variant = g_variant_parse (
        G_VARIANT_TYPE ("a" REROUTE_FINDING_TYPE), texts[i], NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_null (reroute_findings_from_variant (variant, &error));
      g_assert_nonnull (error);
    }
}

static void
test_steps (void)
{
  g_autoptr (RerouteRuleset) rules = sample_rules ("routing,a.test,,reroute,b.test", "");
  g_autoptr (RerouteAddress) address = reroute_address_parse ("u@a.test", FALSE, NULL);
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_step_free);
  g_autoptr (RerouteDecision) decision = reroute_ruleset_decide (rules, address, NULL, steps);
  g_autoptr (GVariant) variant = travel (reroute_steps_to_variant (steps));
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) arrived = reroute_steps_from_variant (variant, &error);

  g_assert_no_error (error);
  g_assert_nonnull (decision->rcpt_out);
  g_assert_cmpuint (arrived->len, ==, steps->len);
  for (guint i = 0; i < steps->len; i++)
    {
      const RerouteStep *a = steps->pdata[i];
      const RerouteStep *b = arrived->pdata[i];
      g_assert_cmpstr (a->code, ==, b->code);
      g_assert_cmpstr (a->sentence, ==, b->sentence);
      g_assert_cmpint (a->row.id, ==, b->row.id);
    }
  g_autoptr (GVariant) bad = g_variant_ref_sink (g_variant_new_parsed ("[('a', 'A.', '', @x 3)]"));
  g_assert_null (reroute_steps_from_variant (bad, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
}

/* Bytes that are no value of the type at all. */
static void
test_noise (void)
{
  for (int i = 0; i < 2000; i++)
    {
      guint8 noise[64];
      gsize n = (gsize) g_test_rand_int_range (0, sizeof noise + 1);
      for (gsize j = 0; j < n; j++)
        noise[j] = (guint8) g_test_rand_int_range (0, 256);
      g_autoptr (GBytes) bytes = g_bytes_new (noise, n);
      g_autoptr (GVariant) variant = g_variant_ref_sink (
        g_variant_new_from_bytes (G_VARIANT_TYPE (REROUTE_ROW_TYPE), bytes, FALSE));
      g_autoptr (GError) error = NULL;
      g_autoptr (RerouteRow) row = reroute_row_from_variant (variant, &error);
      g_assert_true ((row == NULL) == (error != NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/codec/rows", test_rows);
  g_test_add_func ("/codec/octets", test_octets);
  g_test_add_func ("/codec/wide-octets", test_wide_octets);
  g_test_add_func ("/codec/by-turns", test_by_turns);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/codec/change/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/codec/changes", test_changes);
  g_test_add_func ("/codec/remove-many", test_remove_many);
  g_test_add_func ("/codec/bad-remove-many", test_bad_remove_many);
  g_test_add_func ("/codec/findings", test_findings);
  g_test_add_func ("/codec/bad-findings", test_bad_findings);
  g_test_add_func ("/codec/steps", test_steps);
  g_test_add_func ("/codec/noise", test_noise);
  return g_test_run ();
}
