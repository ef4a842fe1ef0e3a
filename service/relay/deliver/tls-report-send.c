/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-report-send.c - one report about TLS, from the domain's record to its addresses
 *
 * What it is about leaves the results when it begins, and goes back to them when no address takes
 * it.  A report is delivered whatever the state of TLS on its way: that may be what it is about.
 *
 * Standards: RFC 8460 sections 3 (the record; deliver despite failures of TLS), 5 (delivery).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/tls-reporter-private.h"

#include "common/limits.h"
#include "service/relay/deliver/tls-report-text.h"
#include "service/relay/smtp/tls-report-mail.h"
#include "service/relay/smtp/tls-report-record.h"

#include <string.h>

#define REPORTS_MOST 8 /* at a time */
#define MEDIA_TYPE "application/tlsrpt+gzip"

typedef struct
{
  char *key; /* "20783 example.com" */
  RerouteTlsReporter *reporter;
  gint64 day;
  char *domain;
  RerouteTlsDomain *results; /* taken from the reporter's; NULL: not yet, or not any more */

  GPtrArray *addresses; /* (element-type RerouteTlsReportAddress) */
  guint next;           /* of them */
  gboolean delivered;   /* to one of them */
  char *id;
  char *from;
  GBytes *content; /* JSON, gzip */
} ReportTry;

static void
free_try (gpointer data)
{
  ReportTry *self = data;

  g_free (self->key);
  g_free (self->domain);
  g_clear_pointer (&self->results, reroute_tls_domain_free);
  g_clear_pointer (&self->addresses, g_ptr_array_unref);
  g_free (self->id);
  g_free (self->from);
  g_clear_pointer (&self->content, g_bytes_unref);
  g_free (self);
}

GHashTable *
reroute_tls_reports_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_try);
}

static gboolean
give_back (ReportTry *self)
{
  RerouteTlsReporter *reporter = self->reporter;

  if (self->results == NULL || self->delivered || !reroute_tls_reporter_is_on (reporter))
    return FALSE;
  reroute_tls_results_give_back (reporter->results, self->day, g_steal_pointer (&self->results));
  return TRUE;
}

/* Frees @self. */
static void
finish (ReportTry *self)
{
  RerouteTlsReporter *reporter = self->reporter;

  give_back (self);
  reroute_tls_reporter_save_soon (reporter);
  reporter->n_running--;
  g_hash_table_remove (reporter->reports, self->key);
  reroute_tls_report_begin_more (reporter);
}

/* --- delivery --- */

static void deliver_next (ReportTry *self);

static void
delivered (ReportTry *self, const char *to)
{
  g_autofree char *day = reroute_tls_day_to_string (self->day);

  self->delivered = TRUE;
  g_message ("report about TLS with %s on %s: sent to %s", self->domain, day, to);
}

static void
not_delivered (ReportTry *self, const char *to, const char *why)
{
  g_autofree char *day = reroute_tls_day_to_string (self->day);

  if (!self->reporter->closing)
    g_message (
      "report about TLS with %s on %s: %s cannot be reached: %s", self->domain, day, to, why);
}

static const RerouteTlsReportAddress *
get_address (const ReportTry *self)
{
  return self->addresses->pdata[self->next];
}

static void
posted (GBytes *text, const RerouteHttpsTrouble *trouble, gpointer user_data)
{
  ReportTry *self = user_data;

  if (text != NULL)
    delivered (self, get_address (self)->host);
  else
    not_delivered (self, get_address (self)->host, trouble->why);
  self->next++;
  deliver_next (self);
}

static void
took_addresses (const RerouteDnsAnswer *answer, gpointer user_data)
{
  ReportTry *self = user_data;
  RerouteTlsReporter *reporter = self->reporter;
  const RerouteTlsReportAddress *address = get_address (self);
  const char *why;
  g_autoptr (GArray) addresses =
               reroute_https_choose_addresses (answer,
                                               address->host,
                                               reroute_scheduler_get_settings (reporter->scheduler),
                                               reporter->loopback,
                                               &why);
  const RerouteHttpsRequest request = {
    .host = address->host,
    .path = address->path,
    .addresses = (const RerouteIp *) (gconstpointer) addresses->data,
    .n_addresses = addresses->len,
    .port = address->port,
    .trust = (const char *const[]){ NULL },
    .body = self->content,
    .body_type = MEDIA_TYPE,
    .any_certificate = TRUE,
  };

  if (addresses->len > 0 && !reporter->closing)
    {
      reroute_https_send (reporter->https, &request, posted, self);
      return;
    }
  not_delivered (self, address->host, why);
  self->next++;
  deliver_next (self);
}

static void
spooled (RerouteMessage *message, gpointer user_data)
{
  ReportTry *self = user_data;

  if (message != NULL)
    {
      reroute_scheduler_enqueue (self->reporter->scheduler, message, 0);
      delivered (self, get_address (self)->mailbox);
    }
  self->next++;
  deliver_next (self);
}

/* "relay.example!example.com!1795651200!1795737599!ID.json.gz" (RFC 8460 5.1). */
static char *
make_file_name (const ReportTry *self, const char *submitter)
{
  return g_strdup_printf ("%s!%s!%" G_GINT64_FORMAT "!%" G_GINT64_FORMAT "!%s.json.gz",
                          submitter,
                          self->domain,
                          self->day * REROUTE_TLS_DAY_S,
                          (self->day + 1) * REROUTE_TLS_DAY_S - 1,
                          self->id);
}

static void
send_mail (ReportTry *self, const char *mailbox)
{
  RerouteScheduler *scheduler = self->reporter->scheduler;
  const char *submitter = reroute_scheduler_get_hostname (scheduler);
  g_autofree char *file_name = make_file_name (self, submitter);
  g_autofree char *day = reroute_tls_day_to_string (self->day);
  g_autoptr (RerouteAddress) to = reroute_address_parse (mailbox, FALSE, NULL);
  const RerouteTlsReportMail mail = {
    .domain = self->domain,
    .submitter = submitter,
    .from = self->from,
    .to = mailbox,
    .id = self->id,
    .file_name = file_name,
    .day = day,
    .report = self->content,
    .now_us = g_get_real_time (),
  };
  g_autoptr (GBytes) content = reroute_tls_report_mail_format (&mail);

  reroute_own_mail_spool (scheduler, to, content, REROUTE_OWN_MAIL_TLS_OPTIONAL, spooled, self);
}

static void
deliver_next (ReportTry *self)
{
  RerouteScheduler *scheduler = self->reporter->scheduler;
  const RerouteTlsReportAddress *address;

  if (self->next == self->addresses->len || self->reporter->closing || scheduler->stopping)
    {
      finish (self);
      return;
    }
  address = get_address (self);
  if (address->mailbox != NULL)
    send_mail (self, address->mailbox);
  else
    reroute_scheduler_ask (scheduler, FALSE, address->host, took_addresses, self);
}

/* --- the report --- */

static const char *
get_text (const ReportTry *self, RerouteSettingId id)
{
  return reroute_settings_get_text (reroute_scheduler_get_settings (self->reporter->scheduler), id);
}

/* The mailbox that the settings name, or the postmaster of this host. */
static char *
make_from (const ReportTry *self)
{
  const char *text = get_text (self, REROUTE_SETTING_TLS_REPORT_FROM);

  return *text != '\0' ? g_strdup (text)
                       : g_strconcat ("postmaster@",
                                      reroute_scheduler_get_hostname (self->reporter->scheduler),
                                      NULL);
}

static char *
make_id (void)
{
  g_autofree char *uuid = g_uuid_string_random ();
  g_auto (GStrv) parts = g_strsplit (uuid, "-", -1);

  return g_strjoinv (NULL, parts);
}

static void
write_report (ReportTry *self)
{
  const char *organization = get_text (self, REROUTE_SETTING_TLS_REPORT_ORGANIZATION);
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  gint64 end_s = (self->day + 1) * REROUTE_TLS_DAY_S - 1;
  RerouteTlsReport report = {
    .organization = *organization != '\0'
                      ? organization
                      : reroute_scheduler_get_hostname (self->reporter->scheduler),
    .begin_s = self->day * REROUTE_TLS_DAY_S,
    .end_s = MIN (end_s, now_s),
    .domain = self->results,
  };
  g_autofree char *json = NULL;

  self->id = make_id ();
  self->from = make_from (self);
  report.id = self->id;
  report.contact = self->from;
  json = reroute_tls_report_to_json (&report);
  self->content = reroute_tls_report_compress (json);
}

static void
took_record (const RerouteDnsAnswer *answer, gpointer user_data)
{
  ReportTry *self = user_data;
  RerouteTlsReporter *reporter = self->reporter;

  if (reporter->closing || reporter->scheduler->stopping || answer->status == REROUTE_DNS_FAILED)
    {
      finish (self);
      return;
    }
  self->results = reroute_tls_results_steal (reporter->results, self->day, self->domain);
  if (self->results != NULL && answer->status == REROUTE_DNS_ANSWER)
    self->addresses =
      reroute_tls_report_record_parse (answer->txt, REROUTE_LIMIT_TLS_REPORT_ADDRESSES);
  if (self->addresses == NULL || self->addresses->len == 0)
    {
      /* It wants no reports: as if they were delivered. */
      self->delivered = TRUE;
      finish (self);
      return;
    }
  write_report (self);
  deliver_next (self);
}

/* --- public --- */

gboolean
reroute_tls_report_queue (RerouteTlsReporter *self, gint64 day, const char *domain)
{
  g_autofree char *key = g_strdup_printf ("%" G_GINT64_FORMAT " %s", day, domain);
  ReportTry *report;

  if (g_hash_table_contains (self->reports, key))
    return FALSE;
  report = g_new0 (ReportTry, 1);
  report->key = g_steal_pointer (&key);
  report->reporter = self;
  report->day = day;
  report->domain = g_strdup (domain);
  g_hash_table_insert (self->reports, report->key, report);
  g_queue_push_tail (&self->waiting, report);
  return TRUE;
}

void
reroute_tls_report_begin_more (RerouteTlsReporter *self)
{
  while (self->n_running < REPORTS_MOST && self->waiting.length > 0 && !self->closing)
    {
      ReportTry *report = g_queue_pop_head (&self->waiting);
      g_autofree char *name = g_strconcat ("_smtp._tls.", report->domain, NULL);

      self->n_running++;
      reroute_scheduler_ask (self->scheduler, TRUE, name, took_record, report);
    }
}

gboolean
reroute_tls_reports_give_back (RerouteTlsReporter *self)
{
  gboolean any = FALSE;
  GHashTableIter iter;
  gpointer report;

  g_hash_table_iter_init (&iter, self->reports);
  while (g_hash_table_iter_next (&iter, NULL, &report))
    any = give_back (report) || any;
  g_queue_clear (&self->waiting);
  return any;
}
