/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-report-verbs.c - the verbs of org.reroute.Relay1 about reports on TLS
 *
 * As in queue-verbs.c, a call is a GTask of the main thread that runs on the scheduler's.
 */

#include "config.h"

#include "service/relay/deliver/scheduler-private.h"
#include "service/relay/deliver/tls-reporter.h"

#include "common/error.h"
#include "common/limits.h"

#include <stdlib.h>
#include <string.h>

#define ROW "(ssssttas)"
#define PAGE_OCTETS (REROUTE_LIMIT_REPLY_OCTETS / 2)

typedef struct _Call Call;

struct _Call
{
  RerouteScheduler *scheduler;
  char *domain; /* "": all */
  guint offset;
  guint limit;
  gboolean today;
  GVariant *(*run) (const Call *call);
};

static void
free_call (gpointer data)
{
  Call *call = data;

  g_free (call->domain);
  g_free (call);
}

static void
run (RerouteWorker *thread, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const Call *call = g_task_get_task_data (task);

  if (g_task_return_error_if_cancelled (task))
    return;
  if (!reroute_tls_reporter_is_on (call->scheduler->tls_reporter))
    g_task_return_new_error (task,
                             REROUTE_ERROR,
                             REROUTE_ERROR_VALUE,
                             "reports about TLS are off: “reroutectl settings set tls-report yes” "
                             "turns them on");
  else
    g_task_return_pointer (
      task, g_variant_ref_sink (call->run (call)), (GDestroyNotify) g_variant_unref);
}

/* @call: (transfer full) */
static void
start (Call *call,
       RerouteScheduler *self,
       GCancellable *cancellable,
       GAsyncReadyCallback callback,
       gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, start);
  call->scheduler = self;
  g_task_set_task_data (task, call, free_call);
  reroute_worker_post (self->thread, run, task);
}

/* --- what was collected --- */

/* "2 certificate-expired mx.example.com[192.0.2.1]: …" */
static char *
describe_failure (const RerouteTlsFailure *failure)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text,
                          "%" G_GUINT64_FORMAT " %s",
                          failure->count,
                          reroute_tls_verdict_to_string (failure->verdict));
  if (*failure->mx != '\0')
    g_string_append_printf (text, " %s[%s]", failure->mx, failure->receiving_ip);
  if (*failure->reason != '\0')
    g_string_append_printf (text, ": %s", failure->reason);
  return g_string_free (text, FALSE);
}

static GVariant *
describe_policy (const RerouteTlsDay *day,
                 const RerouteTlsDomain *domain,
                 const RerouteTlsPolicy *policy)
{
  g_autofree char *date = reroute_tls_day_to_string (day->day);
  GVariantBuilder failures;

  g_variant_builder_init (&failures, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; i < policy->failures->len; i++)
    {
      g_autofree char *text = describe_failure (policy->failures->pdata[i]);
      g_variant_builder_add (&failures, "s", text);
    }
  return g_variant_new (ROW,
                        date,
                        domain->name,
                        reroute_tls_policy_kind_to_string (policy->kind),
                        policy->domain,
                        policy->n_succeeded,
                        policy->n_failed,
                        &failures);
}

/* A page of rows. */
typedef struct
{
  const Call *call;
  GVariantBuilder rows;
  gsize octets;
  guint n;
  guint total;
} Page;

static void
add_domain (Page *page, const RerouteTlsDay *day, const RerouteTlsDomain *domain)
{
  for (guint i = 0; i < domain->policies->len; i++)
    {
      GVariant *row;

      if (page->total++ < page->call->offset || page->n == page->call->limit ||
          page->octets > PAGE_OCTETS)
        continue;
      row = describe_policy (day, domain, domain->policies->pdata[i]);
      page->octets += g_variant_get_size (row);
      page->n++;
      g_variant_builder_add_value (&page->rows, row);
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
add_day (Page *page, const RerouteTlsDay *day)
{
  guint n;
  g_autofree gpointer *names = g_hash_table_get_keys_as_array (day->domains, &n);

  qsort (names, n, sizeof names[0], compare_names);
  for (guint i = 0; i < n; i++)
    if (*page->call->domain == '\0' || g_str_equal (names[i], page->call->domain))
      add_domain (page, day, g_hash_table_lookup (day->domains, names[i]));
}

static GVariant *
run_list (const Call *call)
{
  g_autoptr (GPtrArray) days = reroute_tls_results_list (
    reroute_tls_reporter_get_results (call->scheduler->tls_reporter));
  Page page = { .call = call };

  g_variant_builder_init (&page.rows, G_VARIANT_TYPE ("a" ROW));
  for (guint i = 0; i < days->len; i++)
    add_day (&page, days->pdata[i]);
  return g_variant_new ("(ua" ROW ")", page.total, &page.rows);
}

void
reroute_scheduler_tls_report_async (RerouteScheduler *self,
                                    const char *domain,
                                    guint offset,
                                    guint limit,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  Call *call = g_new0 (Call, 1);

  call->domain = g_strdup (domain);
  call->offset = offset;
  call->limit = limit;
  call->run = run_list;
  start (call, self, cancellable, callback, user_data);
}

/* --- sending it --- */

static GVariant *
run_send (const Call *call)
{
  return g_variant_new ("(u)",
                        reroute_tls_reporter_send (call->scheduler->tls_reporter, call->today));
}

void
reroute_scheduler_send_tls_reports_async (RerouteScheduler *self,
                                          gboolean today,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  Call *call = g_new0 (Call, 1);

  call->today = today;
  call->run = run_send;
  start (call, self, cancellable, callback, user_data);
}
