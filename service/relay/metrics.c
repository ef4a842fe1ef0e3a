/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * metrics.c - the relay's figures as metrics of Prometheus
 *
 * No label holds an address, a domain or a host of anybody.
 *
 * Sources: prometheus.io, "Metric and label naming", "Writing client libraries" (process metrics).
 */

#include "config.h"

#include "service/relay/metrics.h"

#include "service/relay/process-figures.h"

#define GAUGE REROUTE_METRIC_GAUGE
#define COUNTER REROUTE_METRIC_COUNTER

/* A family of counters whose samples are tallies, or one of its samples. */
typedef struct
{
  const char *name; /* NULL: as above */
  const char *help;
  const char *labels; /* (nullable) */
  RerouteTally tally;
} Tallied;

/* clang-format off */
static const Tallied tallied[] = {
  { "reroute_sessions", "SMTP sessions of clients that began.", NULL, REROUTE_TALLY_SESSIONS },
  { "reroute_messages_accepted", "Messages taken from clients.", NULL, REROUTE_TALLY_MESSAGES },
  { "reroute_messages_accepted_bytes", "Octets of messages taken from clients.", NULL, REROUTE_TALLY_OCTETS },
  { "reroute_recipients_accepted", "Recipients of messages taken from clients.", NULL, REROUTE_TALLY_RECIPIENTS },
  { "reroute_smtp_rejections", "Replies to clients that refuse, by class.", "class=\"4xx\"", REROUTE_TALLY_REJECTIONS_4XX },
  { NULL, NULL, "class=\"5xx\"", REROUTE_TALLY_REJECTIONS_5XX },
  { "reroute_delivery_attempts", "Tries to deliver a recipient, by class of the next hop's reply; connection: there was none.", "result=\"2xx\"", REROUTE_TALLY_TRIED_2XX },
  { NULL, NULL, "result=\"4xx\"", REROUTE_TALLY_TRIED_4XX },
  { NULL, NULL, "result=\"5xx\"", REROUTE_TALLY_TRIED_5XX },
  { NULL, NULL, "result=\"connection\"", REROUTE_TALLY_TRIED_NO_CONNECTION },
  { "reroute_notices", "Notices sent to senders, by kind; failure: a bounce.", "kind=\"failure\"", REROUTE_TALLY_NOTICES_FAILED },
  { NULL, NULL, "kind=\"delay\"", REROUTE_TALLY_NOTICES_DELAYED },
  { NULL, NULL, "kind=\"success\"", REROUTE_TALLY_NOTICES_RELAYED },
  { "reroute_tls_handshakes", "TLS handshakes that succeeded, with clients (in) and next hops (out).", "direction=\"in\",version=\"1.2\"", REROUTE_TALLY_TLS_IN_1_2 },
  { NULL, NULL, "direction=\"in\",version=\"1.3\"", REROUTE_TALLY_TLS_IN_1_3 },
  { NULL, NULL, "direction=\"out\",version=\"1.2\"", REROUTE_TALLY_TLS_OUT_1_2 },
  { NULL, NULL, "direction=\"out\",version=\"1.3\"", REROUTE_TALLY_TLS_OUT_1_3 },
  { "reroute_tls_handshake_failures", "TLS handshakes that failed, or proved too little.", "direction=\"in\"", REROUTE_TALLY_TLS_IN_FAILED },
  { NULL, NULL, "direction=\"out\"", REROUTE_TALLY_TLS_OUT_FAILED },
  { "reroute_outbound_sessions", "Sessions with next hops, by what TLS proved; none: clear text.", "verdict=\"dane\"", REROUTE_TALLY_OUT_BY_DANE },
  { NULL, NULL, "verdict=\"mta-sts\"", REROUTE_TALLY_OUT_BY_MTA_STS },
  { NULL, NULL, "verdict=\"verified\"", REROUTE_TALLY_OUT_VERIFIED },
  { NULL, NULL, "verdict=\"opportunistic\"", REROUTE_TALLY_OUT_OPPORTUNISTIC },
  { NULL, NULL, "verdict=\"none\"", REROUTE_TALLY_OUT_IN_CLEAR },
};

static const char *const refused_labels[REROUTE_N_REFUSED] = {
  [REROUTE_REFUSED_FORBIDDEN] = "reason=\"forbidden\"",
  [REROUTE_REFUSED_MODE] = "reason=\"transfer-mode\"",
  [REROUTE_REFUSED_FULL] = "reason=\"full\"",
  [REROUTE_REFUSED_CLIENT] = "reason=\"client\"",
  [REROUTE_REFUSED_ERRORS] = "reason=\"errors\"",
  [REROUTE_REFUSED_EARLY] = "reason=\"early\"",
  [REROUTE_REFUSED_PROXY] = "reason=\"proxy\"",
  [REROUTE_REFUSED_NO_TLS] = "reason=\"no-tls\"",
};
/* clang-format on */

static void
put_tallies (RerouteMetricsText *text, const RerouteFigures *figures)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tallied); i++)
    {
      if (tallied[i].name != NULL)
        reroute_metrics_text_begin (text, COUNTER, tallied[i].name, tallied[i].help);
      reroute_metrics_text_add (
        text, tallied[i].labels, (double) figures->tallies[tallied[i].tally]);
    }
}

static void
put_sessions (RerouteMetricsText *text, const RerouteFigures *figures)
{
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_sessions_open",
                            "SMTP sessions of clients that are open.",
                            figures->sessions);
  reroute_metrics_text_begin (
    text, COUNTER, "reroute_sessions_refused", "Clients turned away at the door, by reason.");
  for (guint i = 0; i < REROUTE_N_REFUSED; i++)
    reroute_metrics_text_add (text, refused_labels[i], (double) figures->refused[i]);
}

static void
put_queue (RerouteMetricsText *text, const RerouteFigures *figures)
{
  const RerouteSchedulerFigures *queue = &figures->queue;
  guint64 waiting = queue->recipients - MIN (queue->held + queue->retried, queue->recipients);

  reroute_metrics_text_put (
    text, GAUGE, "reroute_queue_messages", "Messages in the queue.", (double) queue->messages);
  reroute_metrics_text_begin (
    text,
    GAUGE,
    "reroute_queue_recipients",
    "Recipients in the queue: not tried yet, deferred by a try, or held by an administrator.");
  reroute_metrics_text_add (text, "state=\"new\"", (double) waiting);
  reroute_metrics_text_add (text, "state=\"deferred\"", (double) queue->retried);
  reroute_metrics_text_add (text, "state=\"held\"", (double) queue->held);
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_queue_oldest_message_age_seconds",
                            "Age of the oldest message in the queue; 0: it is empty.",
                            (double) figures->oldest_age_us / G_USEC_PER_SEC);
  reroute_metrics_text_begin (text,
                              COUNTER,
                              "reroute_recipient_outcomes",
                              "What became of recipients; deferred: each time that one was.");
  reroute_metrics_text_add (text, "outcome=\"delivered\"", (double) queue->delivered);
  reroute_metrics_text_add (text, "outcome=\"deferred\"", (double) queue->deferred);
  reroute_metrics_text_add (text, "outcome=\"failed\"", (double) queue->failed);
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_outbound_connections",
                            "Connections to next hops that are open.",
                            queue->connections);
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_back_pressure",
                            "1 while receiving rests because delivery does not keep up.",
                            queue->is_pressed);
  reroute_metrics_text_put (text,
                            COUNTER,
                            "reroute_back_pressure_begun",
                            "How often receiving began to rest.",
                            (double) queue->pressures);
}

static void
put_spool (RerouteMetricsText *text, const RerouteFigures *figures)
{
  const RerouteSpoolFigures *spool = &figures->spool;

  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_spool_writable",
                            "1 while the spool takes mail, 0 while its disk is full or fails.",
                            spool->writable);
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_spool_segments",
                            "Files of the spool's journal, with the spare one.",
                            spool->segments);
  reroute_metrics_text_put (
    text, GAUGE, "reroute_spool_size_bytes", "Size of these files.", (double) spool->octets);
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_spool_free_bytes",
                            "Free space on the disk of the spool.",
                            (double) figures->free_octets);
  reroute_metrics_text_put (text,
                            COUNTER,
                            "reroute_spool_syncs",
                            "Batches made durable by the spool.",
                            (double) spool->syncs);
  reroute_metrics_text_put (text,
                            COUNTER,
                            "reroute_spool_written_bytes",
                            "Octets of these batches.",
                            (double) spool->written);
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_spool_held_bytes",
                            "Content in memory of messages that are being received.",
                            (double) spool->held);
}

static void
put_rules (RerouteMetricsText *text, const RerouteFigures *figures)
{
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_rules_held",
                            "1 when rules are in force, 0 before the first.",
                            figures->rules_held);
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_rules_generation",
                            "Number of the generation of rules in force.",
                            (double) figures->serial);
  reroute_metrics_text_put (text,
                            GAUGE,
                            "reroute_rules_loaded_timestamp_seconds",
                            "When it came into force, in seconds since 1970; 0: there is none.",
                            (double) figures->rules_us / G_USEC_PER_SEC);
}

static void
put_process (RerouteMetricsText *text)
{
  RerouteProcessFigures process;
  const char *about = "version=\"" REROUTE_VERSION "\"";

  reroute_metrics_text_begin (text, GAUGE, "reroute_build_info", "What runs; always 1.");
  reroute_metrics_text_add (text, about, 1);
  if (!reroute_process_figures_read (&process))
    return;

  const struct
  {
    const char *name;
    const char *help;
    RerouteMetricKind kind;
    double value;
  } rows[] = {
    /* clang-format off */
    { "process_cpu_seconds", "Processor time, user and system.", COUNTER, process.cpu_s },
    { "process_resident_memory_bytes", "Resident memory.", GAUGE, (double) process.resident_octets },
    { "process_virtual_memory_bytes", "Virtual memory.", GAUGE, (double) process.virtual_octets },
    { "process_open_fds", "Open file descriptors.", GAUGE, process.descriptors },
    { "process_max_fds", "Most file descriptors that may be open.", GAUGE, (double) process.descriptors_most },
    { "process_threads", "Threads.", GAUGE, process.threads },
    { "process_start_time_seconds", "Start, in seconds since 1970.", GAUGE, process.start_s },
    /* clang-format on */
  };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    reroute_metrics_text_put (text, rows[i].kind, rows[i].name, rows[i].help, rows[i].value);
}

char *
reroute_metrics_format (const RerouteFigures *figures, RerouteMetricsFormat format, gsize *length)
{
  g_return_val_if_fail (figures != NULL && length != NULL, NULL);

  RerouteMetricsText text;

  reroute_metrics_text_init (&text, format);
  put_tallies (&text, figures);
  put_sessions (&text, figures);
  put_queue (&text, figures);
  put_spool (&text, figures);
  put_rules (&text, figures);
  put_process (&text);
  return reroute_metrics_text_end (&text, length);
}
