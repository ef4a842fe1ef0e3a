/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * conformance.c - reads tests/data/conformance.json
 */

#include "config.h"

#include "tests/unit/conformance.h"

#include <json-glib/json-glib.h>

static void
clear_mx (gpointer data)
{
  ConformanceMx *mx = data;

  g_free (mx->host);
  g_free (mx);
}

static void
free_case (gpointer data)
{
  ConformanceCase *self = data;

  g_free (self->id);
  g_free (self->source);
  g_free (self->reason);
  g_clear_pointer (&self->rules, reroute_ruleset_unref);
  g_free (self->recipient);
  g_free (self->action);
  g_free (self->rcpt_out);
  g_free (self->next_hop);
  g_free (self->via);
  g_free (self->error);
  g_strfreev (self->rotation);
  g_strfreev (self->mx_candidates);
  g_clear_pointer (&self->mx, g_hash_table_unref);
  g_clear_pointer (&self->a, g_hash_table_unref);
  g_strfreev (self->server_addresses);
  g_free (self);
}

/* NULL when it is absent or null. */
static char *
dup_string (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_dup_string (node) : NULL;
}

static char **
dup_strings (JsonObject *object, const char *name)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (!json_object_has_member (object, name))
    return NULL;
  JsonArray *array = json_object_get_array_member (object, name);
  for (guint i = 0; i < json_array_get_length (array); i++)
    g_strv_builder_add (builder, json_array_get_string_element (array, i));
  return g_strv_builder_end (builder);
}

static void
apply (RerouteRulesetBuilder *builder, RerouteChange *change)
{
  g_autoptr (RerouteChange) owned = change;
  g_autoptr (GError) error = NULL;

  reroute_ruleset_builder_apply (builder, owned, &error);
  g_assert_no_error (error);
}

static void
set (RerouteRulesetBuilder *builder, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;
  RerouteChange *change = reroute_change_new_set (key, value, &error);

  g_assert_no_error (error);
  apply (builder, change);
}

static void
add_routing (RerouteRulesetBuilder *builder, JsonArray *rows)
{
  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      const char *route_to = json_object_get_string_member (row, "route_to");
      RerouteRowFields fields = { .domain = json_object_get_string_member (row, "sent_to"),
                                  .enabled = TRUE };
      gboolean inbound = g_str_equal (route_to, "<inbound>");
      gboolean relay = g_str_equal (route_to, "<relay>");
      g_autoptr (GError) error = NULL;
      g_autoptr (RerouteRoutingEntry) entry =
                   reroute_routing_entry_new (&fields,
                                              inbound ? REROUTE_ROUTING_INBOUND
                                              : relay ? REROUTE_ROUTING_RELAY
                                                      : REROUTE_ROUTING_REROUTE,
                                              inbound || relay ? NULL : route_to,
                                              &error);
      g_assert_no_error (error);
      apply (builder, reroute_change_new_put (entry));
    }
}

static void
add_connection (RerouteRulesetBuilder *builder, const char *domain, const char *hosts_text)
{
  RerouteRowFields fields = { .domain = domain, .enabled = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteHosts) hosts = NULL;

  if (!g_str_equal (hosts_text, "<dns>"))
    hosts = reroute_hosts_parse (hosts_text, FALSE, &error);
  g_assert_no_error (error);
  g_autoptr (RerouteEmailDomain) row = reroute_email_domain_new (&fields, hosts, &error);
  g_assert_no_error (error);
  apply (builder, reroute_change_new_put (row));
}

/* Two rows for one domain stand for one row that lists both hosts. */
static void
add_connections (RerouteRulesetBuilder *builder, JsonArray *rows)
{
  g_autoptr (GHashTable) hosts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer domain, text;

  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      const char *name = json_object_get_string_member (row, "domain");
      const char *host = json_object_get_string_member (row, "host");
      const char *before = g_hash_table_lookup (hosts, name);
      g_hash_table_insert (hosts,
                           g_strdup (name),
                           before != NULL ? g_strconcat (before, ";", host, NULL)
                                          : g_strdup (host));
    }
  g_hash_table_iter_init (&iter, hosts);
  while (g_hash_table_iter_next (&iter, &domain, &text))
    add_connection (builder, domain, text);
}

static RerouteRuleset *
make_rules (JsonObject *object)
{
  g_autoptr (RerouteRuleset) empty = reroute_ruleset_new_empty ();
  g_autoptr (RerouteRulesetBuilder) builder = reroute_ruleset_builder_new (empty);
  g_auto (GStrv) permitted = dup_strings (object, "permitted_hosts");
  g_autofree char *joined = g_strjoinv (", ", permitted);

  add_routing (builder, json_object_get_array_member (object, "routing"));
  add_connections (builder, json_object_get_array_member (object, "connections"));
  set (builder, "permitted-hosts", joined);
  set (builder, "inbound-host", CONFORMANCE_INBOUND_HOST);
  g_assert_false (json_object_has_member (object, "mode"));
  if (json_object_has_member (object, "default_delivery"))
    {
      JsonObject *delivery = json_object_get_object_member (object, "default_delivery");
      g_auto (GStrv) hosts = dup_strings (delivery, "hosts");
      g_autofree char *text = g_strjoinv (";", hosts);
      g_assert_cmpstr (json_object_get_string_member (delivery, "type"), ==, "forward");
      set (builder, "default-delivery", text);
    }
  return reroute_ruleset_builder_build (builder, 1);
}

static void
read_dns (ConformanceCase *self, JsonObject *dns)
{
  JsonObject *mx = json_object_get_object_member (dns, "mx");
  JsonObject *a = json_object_get_object_member (dns, "a");
  g_autoptr (GList) domains = json_object_get_members (mx);
  g_autoptr (GList) hosts = json_object_get_members (a);

  self->has_dns = TRUE;
  for (GList *l = domains; l != NULL; l = l->next)
    {
      JsonArray *records = json_object_get_array_member (mx, l->data);
      GPtrArray *exchangers = g_ptr_array_new_with_free_func (clear_mx);
      for (guint i = 0; i < json_array_get_length (records); i++)
        {
          JsonArray *record = json_array_get_array_element (records, i);
          ConformanceMx *exchanger = g_new0 (ConformanceMx, 1);
          exchanger->preference = (guint) json_array_get_int_element (record, 0);
          exchanger->host = g_strdup (json_array_get_string_element (record, 1));
          g_ptr_array_add (exchangers, exchanger);
        }
      g_hash_table_insert (self->mx, g_strdup (l->data), exchangers);
    }
  for (GList *l = hosts; l != NULL; l = l->next)
    g_hash_table_insert (self->a, g_strdup (l->data), dup_strings (a, l->data));
}

static ConformanceCase *
read_case (JsonObject *object)
{
  ConformanceCase *self = g_new0 (ConformanceCase, 1);
  JsonObject *client = json_object_get_object_member (object, "client");
  JsonObject *expect = json_object_get_object_member (object, "expect");

  self->id = dup_string (object, "id");
  self->source = dup_string (object, "source");
  self->reason = dup_string (object, "reason");
  self->rules = make_rules (object);
  self->recipient = dup_string (object, "recipient");
  g_assert_true (reroute_ip_parse (json_object_get_string_member (client, "ip"), &self->client.ip));
  self->client.authenticated = json_object_get_boolean_member (client, "authenticated");
  self->action = dup_string (expect, "action");
  self->rcpt_out = dup_string (expect, "rcpt_out");
  self->next_hop = dup_string (expect, "next_hop");
  self->via = dup_string (expect, "via");
  self->error = dup_string (expect, "error");
  self->reply = (guint) json_object_get_int_member_with_default (expect, "reply", 0);
  self->rotation = dup_strings (expect, "next_hop_rotation");
  self->mx_candidates = dup_strings (expect, "mx_candidates");
  self->server_addresses = dup_strings (object, "server_addresses");
  self->mx =
    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  self->a = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  if (json_object_has_member (object, "dns"))
    read_dns (self, json_object_get_object_member (object, "dns"));
  return self;
}

GPtrArray *
conformance_load_cases (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "data", "conformance.json", NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);
  JsonArray *array =
    json_object_get_array_member (json_node_get_object (json_parser_get_root (parser)), "cases");
  GPtrArray *cases = g_ptr_array_new_with_free_func (free_case);
  for (guint i = 0; i < json_array_get_length (array); i++)
    g_ptr_array_add (cases, read_case (json_array_get_object_element (array, i)));
  return cases;
}

gboolean
conformance_needs_next_hop (const ConformanceCase *self)
{
  return self->has_dns || self->server_addresses != NULL || self->rotation != NULL ||
         self->mx_candidates != NULL;
}
