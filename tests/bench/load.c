/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * load.c - puts a relay under load: source and sink in one process, which compare notes
 *
 * Prints one JSON object a line: `sent` when every message has an outcome, `done` at the end.
 * Commands on standard input, one a line: open, closed, refuse, defer (how the sink meets its
 * clients), status (prints counts), finish (ends at once).  Exit status: 0 when every message that
 * was accepted arrived exactly once, whole, at the right recipient; 1 otherwise; 2 wrong usage.
 */

#include "config.h"

#include "tests/bench/report.h"

#include <glib/gprintf.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* How often the ledger is looked at. */
#define STEP_MS 2

static struct
{
  char *target;
  char *sink;
  char *sink_mode;
  char *to;
  char *expected;
  char *reverse_path;
  int messages, octets, recipients, domains, received;
  int sessions, per_connection, wait_ms;
  double rate;
  gboolean lock_step, retry, stay, starttls, chunking;
  char *certificate, *key;
  int limit_s, settle_ms;
} options = {
  .messages = 1000,
  .octets = 2048,
  .recipients = 1,
  .domains = 1,
  .received = 1,
  .sessions = 20,
  .wait_ms = 100,
  .limit_s = 60,
};

/* clang-format off */
static const GOptionEntry entries[] = {
  { "target", 0, 0, G_OPTION_ARG_STRING, &options.target, "the relay", "IP:PORT" },
  { "sink", 0, 0, G_OPTION_ARG_STRING, &options.sink, "where the sink listens", "IP:PORT" },
  { "sink-mode", 0, 0, G_OPTION_ARG_STRING, &options.sink_mode, "open (the default), closed, refuse or defer, to begin with", "MODE" },
  { "to", 0, 0, G_OPTION_ARG_STRING, &options.to, "domain that is sent to; # in it: a number", "DOMAIN" },
  { "expect", 0, 0, G_OPTION_ARG_STRING, &options.expected, "domain as it arrives (default: as sent)", "DOMAIN" },
  { "from", 0, 0, G_OPTION_ARG_STRING, &options.reverse_path, "reverse-path (default: sender@source.test)", "ADDRESS" },
  { "messages", 'm', 0, G_OPTION_ARG_INT, &options.messages, "in all (default: 1000)", "N" },
  { "octets", 'l', 0, G_OPTION_ARG_INT, &options.octets, "of a message, on the wire (default: 2048)", "N" },
  { "recipients", 'r', 0, G_OPTION_ARG_INT, &options.recipients, "of a message (default: 1)", "N" },
  { "domains", 0, 0, G_OPTION_ARG_INT, &options.domains, "how many numbers stand for # (default: 1)", "N" },
  { "received", 0, 0, G_OPTION_ARG_INT, &options.received, "Received lines on top at the sink (default: 1)", "N" },
  { "sessions", 's', 0, G_OPTION_ARG_INT, &options.sessions, "at the same time (default: 20)", "N" },
  { "per-connection", 0, 0, G_OPTION_ARG_INT, &options.per_connection, "messages of a connection (default: all)", "N" },
  { "rate", 0, 0, G_OPTION_ARG_DOUBLE, &options.rate, "messages per second that are offered (default: no limit)", "R" },
  { "lock-step", 0, 0, G_OPTION_ARG_NONE, &options.lock_step, "no envelope goes with the content of the message before", NULL },
  { "retry", 0, 0, G_OPTION_ARG_NONE, &options.retry, "sends again what was answered 4xx or broken off", NULL },
  { "wait-ms", 0, 0, G_OPTION_ARG_INT, &options.wait_ms, "before anything is tried again (default: 100)", "MS" },
  { "chunking", 0, 0, G_OPTION_ARG_NONE, &options.chunking, "the sink offers CHUNKING", NULL },
  { "starttls", 0, 0, G_OPTION_ARG_NONE, &options.starttls, "hands everything in by TLS; any certificate will do", NULL },
  { "sink-certificate", 0, 0, G_OPTION_ARG_FILENAME, &options.certificate, "the sink offers STARTTLS with it", "PEM-FILE" },
  { "sink-key", 0, 0, G_OPTION_ARG_FILENAME, &options.key, "its key (default: in the same file)", "PEM-FILE" },
  { "stay", 0, 0, G_OPTION_ARG_NONE, &options.stay, "ends at the command `finish` or the limit only", NULL },
  { "limit", 0, 0, G_OPTION_ARG_INT, &options.limit_s, "ends after so long, whatever is missing (default: 60)", "S" },
  { "settle-ms", 0, 0, G_OPTION_ARG_INT, &options.settle_ms, "waits for duplicates when all has arrived (default: 0)", "MS" },
  { NULL },
};
/* clang-format on */

typedef struct
{
  LoadShape shape;
  LoadLedger ledger;
  LoadSource *source;
  LoadSink *sink;
  LoadSinkMode mode;
  gint64 opened_ns;
  GString *commands; /* (transfer none): what came in and is not a whole line */
  gboolean listening;
  gboolean finished;
} Load;

static gboolean
parse_mode (const char *text, LoadSinkMode *mode)
{
  static const char *const names[] = {
    [LOAD_SINK_OPEN] = "open",
    [LOAD_SINK_CLOSED] = "closed",
    [LOAD_SINK_REFUSE] = "refuse",
    [LOAD_SINK_DEFER] = "defer",
  };

  for (guint n = 0; n < G_N_ELEMENTS (names); n++)
    if (g_strcmp0 (text, names[n]) == 0)
      {
        *mode = n;
        return TRUE;
      }
  return FALSE;
}

static void
obey (Load *self, const char *command)
{
  g_autoptr (GError) error = NULL;

  if (parse_mode (command, &self->mode))
    {
      if (self->mode == LOAD_SINK_OPEN)
        self->opened_ns = load_now_ns ();
      if (!load_sink_set_mode (self->sink, self->mode, &error))
        g_error ("%s", error->message);
    }
  else if (strcmp (command, "status") == 0)
    load_report_print_counts ("status", &self->ledger);
  else if (strcmp (command, "finish") == 0)
    self->finished = TRUE;
  else
    g_printerr ("load: unknown command “%s”\n", command);
}

static void
read_commands (Load *self)
{
  char buffer[1024];
  gssize got = read (STDIN_FILENO, buffer, sizeof buffer);
  char *end;

  if (got <= 0)
    {
      self->listening = FALSE;
      return;
    }
  g_string_append_len (self->commands, buffer, got);
  while ((end = strchr (self->commands->str, '\n')) != NULL)
    {
      *end = '\0';
      obey (self, self->commands->str);
      g_string_erase (self->commands, 0, end + 1 - self->commands->str);
    }
}

static void
wait_for_end (Load *self)
{
  gint64 limit_ns = load_now_ns () + options.limit_s * G_GINT64_CONSTANT (1000000000);
  gint64 complete_ns = 0;
  gboolean told = FALSE;

  while (!self->finished && load_now_ns () < limit_ns)
    {
      struct pollfd input = { .fd = self->listening ? STDIN_FILENO : -1, .events = POLLIN };

      if (poll (&input, 1, STEP_MS) > 0)
        read_commands (self);
      if (!told && load_ledger_sent (&self->ledger))
        {
          load_report_print_counts ("sent", &self->ledger);
          told = TRUE;
        }
      if (told && complete_ns == 0 && load_ledger_complete (&self->ledger))
        complete_ns = load_now_ns ();
      if (complete_ns != 0 && !options.stay &&
          load_now_ns () - complete_ns >= options.settle_ms * G_GINT64_CONSTANT (1000000))
        self->finished = TRUE;
    }
}

/* (nullable): the sink's TLS; NULL without an error: it has none */
static RerouteTlsServer *
open_certificate (GError **error)
{
  const char *const certificates[] = { options.certificate, NULL };
  const char *const keys[] = { options.key, NULL };

  return options.certificate != NULL ? reroute_tls_server_new (certificates, keys, error) : NULL;
}

/* Returns: the exit status */
static int
run (const LoadEndpoint *target, const LoadEndpoint *sink, Load *self, GError **error)
{
  LoadPlan plan = { .sessions = (guint) options.sessions,
                    .per_connection = (guint) options.per_connection,
                    .rate = options.rate,
                    .ahead = !options.lock_step,
                    .retry = options.retry,
                    .wait_ms = (guint) options.wait_ms };
  static const char *const nobody[] = { NULL };
  LoadReport report = { .ledger = &self->ledger };
  g_autoptr (GError) failure = NULL;
  g_autoptr (RerouteTlsServer) server = open_certificate (&failure);
  g_autoptr (RerouteTlsClient) client = options.starttls ? reroute_tls_client_new (nobody) : NULL;
  int status = 2;

  plan.tls = client;
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return status;
    }
  load_ledger_init (&self->ledger, (guint32) options.messages, self->shape.recipients);
  self->sink = load_sink_new (sink, server, options.chunking, &self->shape, &self->ledger);
  if (load_sink_set_mode (self->sink, self->mode, error))
    {
      self->source = load_source_new (target, &plan, &self->shape, &self->ledger);
      wait_for_end (self);
      report.source = load_source_stop (self->source);
      status = 0;
    }
  report.sink = load_sink_stop (self->sink);
  report.opened_ns = self->opened_ns;
  if (status == 0 && !load_report_print (&report))
    status = 1;
  load_ledger_clear (&self->ledger);
  return status;
}

static gboolean
parse (int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("- puts a relay under load");

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc == 1 && options.target != NULL && options.sink != NULL && options.to != NULL &&
      options.messages >= 0 && options.sessions >= 0 && options.per_connection >= 0 &&
      options.wait_ms >= 0 && options.octets >= 0)
    return TRUE;
  g_set_error (error,
               G_OPTION_ERROR,
               G_OPTION_ERROR_BAD_VALUE,
               "wanted --target, --sink, --to, no arguments and nothing negative");
  return FALSE;
}

/* A descriptor for each session, and as many for the sink's. */
static void
raise_file_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  LoadEndpoint target, sink;
  g_autoptr (GString) commands = g_string_new (NULL);
  Load self = { .mode = LOAD_SINK_OPEN, .commands = commands, .listening = TRUE };
  int status = 2;

  raise_file_limit ();
  if (parse (&argc, &argv, &error) &&
      (options.sink_mode == NULL || parse_mode (options.sink_mode, &self.mode)) &&
      load_endpoint_parse (&target, options.target, &error) &&
      load_endpoint_parse (&sink, options.sink, &error))
    {
      self.shape = (LoadShape){
        .reverse_path = options.reverse_path != NULL ? options.reverse_path : "sender@source.test",
        .octets = (guint) options.octets,
        .recipients = (guint) options.recipients,
        .domains = (guint) options.domains,
        .received = (guint) options.received,
      };
      if (load_shape_init (&self.shape,
                           options.to,
                           options.expected != NULL ? options.expected : options.to,
                           &error))
        status = run (&target, &sink, &self, &error);
      load_shape_clear (&self.shape);
    }
  if (status == 2)
    g_printerr ("load: %s\n", error != NULL ? error->message : "unknown --sink-mode");
  return status;
}
