/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-report.c - reroutectl tls-report: what was collected for reports about TLS, and sending them
 */

#include "config.h"

#include "service/ctl/ctl.h"
#include "service/ctl/table.h"

#include <glib/gi18n.h>

#define ROW "(&s&s&s&stt^a&s)"

typedef struct
{
  const char *day;
  const char *domain;
  const char *policy;
  const char *policy_domain;
  guint64 n_succeeded;
  guint64 n_failed;
  const char **failures; /* (array zero-terminated=1): the array is ours */
} Row;

/* What rows become. */
typedef struct
{
  JsonBuilder *json;
  RerouteTable *table;
} Output;

static void
row_to_json (const Row *row, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  reroute_ctl_add_string (builder, "day", row->day);
  reroute_ctl_add_string (builder, "domain", row->domain);
  reroute_ctl_add_string (builder, "policy", row->policy);
  reroute_ctl_add_string (builder, "policy_domain", row->policy_domain);
  reroute_ctl_add_int (builder, "succeeded", (gint64) row->n_succeeded);
  reroute_ctl_add_int (builder, "failed", (gint64) row->n_failed);
  json_builder_set_member_name (builder, "failures");
  json_builder_begin_array (builder);
  for (gsize i = 0; row->failures[i] != NULL; i++)
    json_builder_add_string_value (builder, row->failures[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
row_to_table (const Row *row, RerouteTable *table)
{
  g_autofree char *succeeded = g_strdup_printf ("%" G_GUINT64_FORMAT, row->n_succeeded);
  g_autofree char *failed = g_strdup_printf ("%" G_GUINT64_FORMAT, row->n_failed);
  const char *first = row->failures[0];

  reroute_table_add (
    table, row->day, row->domain, row->policy, succeeded, failed, first != NULL ? first : "", NULL);
  for (gsize i = 1; first != NULL && row->failures[i] != NULL; i++)
    reroute_table_add (table, "", "", "", "", "", row->failures[i], NULL);
}

/* Returns: rows that there are in all, %G_MAXUINT with @error */
static guint
load_page (RerouteCtl *ctl, const char *domain, guint *offset, Output *output, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) page = NULL;
  g_autoptr (GVariantIter) rows = NULL;
  guint total;
  Row row;

  reroute_relay_client_tls_report_async (
    ctl->relay, domain, *offset, NULL, reroute_ctl_wait_cb, &result);
  page = reroute_relay_client_tls_report_finish (ctl->relay, reroute_ctl_wait (&result), error);
  if (page == NULL)
    return G_MAXUINT;
  g_variant_get (page, "(ua(ssssttas))", &total, &rows);
  if (g_variant_iter_n_children (rows) == 0)
    total = *offset;
  while (g_variant_iter_next (rows,
                              ROW,
                              &row.day,
                              &row.domain,
                              &row.policy,
                              &row.policy_domain,
                              &row.n_succeeded,
                              &row.n_failed,
                              &row.failures))
    {
      if (ctl->json)
        row_to_json (&row, output->json);
      else
        row_to_table (&row, output->table);
      g_free (row.failures);
      (*offset)++;
    }
  return total;
}

static gboolean
list (RerouteCtl *ctl, const char *domain, GError **error)
{
  const char *const titles[] = { C_ ("heading", "DAY"),
                                 C_ ("heading", "DOMAIN"),
                                 C_ ("heading", "POLICY"),
                                 C_ ("heading", "SUCCEEDED"),
                                 C_ ("heading", "FAILED"),
                                 C_ ("heading", "FAILURES"),
                                 NULL };
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  Output output = { builder, table };
  guint offset = 0;
  guint total;

  json_builder_begin_array (builder);
  do
    {
      total = load_page (ctl, domain, &offset, &output, error);
      if (total == G_MAXUINT)
        return FALSE;
    }
  while (offset < total);
  json_builder_end_array (builder);

  if (ctl->json)
    reroute_ctl_print_json (builder);
  else if (offset > 0)
    reroute_table_print (table);
  else
    g_print ("%s\n", _ ("nothing was collected"));
  return TRUE;
}

static void
print_count (guint n)
{
  g_autofree char *text = g_strdup_printf (
    ngettext ("%'u domain is asked where reports go; the log tells what was sent",
              "%'u domains are asked where reports go; the log tells what was sent",
              n),
    n);

  g_print ("%s\n", text);
}

static gboolean
send_now (RerouteCtl *ctl, gboolean today, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  guint count = 0;

  reroute_relay_client_send_tls_reports_async (
    ctl->relay, today, NULL, reroute_ctl_wait_cb, &result);
  if (!reroute_relay_client_send_tls_reports_finish (
        ctl->relay, reroute_ctl_wait (&result), &count, error))
    return FALSE;
  if (ctl->json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      json_builder_begin_object (builder);
      reroute_ctl_add_int (builder, "count", count);
      json_builder_end_object (builder);
      reroute_ctl_print_json (builder);
    }
  else
    print_count (count);
  return TRUE;
}

gboolean
reroute_ctl_tls_report (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  gboolean send = FALSE;
  gboolean today = FALSE;
  const GOptionEntry entries[] = {
    { "send", 0, 0, G_OPTION_ARG_NONE, &send, NULL, NULL },
    { "today", 0, 0, G_OPTION_ARG_NONE, &today, NULL, NULL },
    { NULL },
  };

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 0, 1, error))
    return FALSE;
  if ((today && !send) || (send && argc > 1))
    {
      g_set_error_literal (error,
                           G_OPTION_ERROR,
                           G_OPTION_ERROR_FAILED,
                           _ ("name a domain to look at, or say --send, perhaps with --today"));
      return FALSE;
    }
  return send ? send_now (ctl, today, error) : list (ctl, argc > 1 ? argv[1] : "", error);
}
