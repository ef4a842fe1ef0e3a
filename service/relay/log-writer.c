/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * log-writer.c - the log, many lines in one write
 *
 * Threads append whole lines to one buffer; the writer's thread takes the buffer and writes it.
 * It lingers before it does, so that the lines of many messages share a wake and a write.  No other
 * thread ever writes: standard error may be a pipe whose reader has died.
 *
 * Standards: RFC 5424 section 6.2.1 (severities).
 */

#include "config.h"

#include "service/relay/log-writer.h"

#include "common/limits.h"
#include "service/relay/log-journal.h"
#include "service/relay/log-line.h"
#include "service/relay/log-ring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINGER_US (10 * 1000)
#define READER_PATIENCE_US G_USEC_PER_SEC  /* that a warning has for a reader that is slow */
#define FULL_OCTETS (128 * 1024)           /* do not linger: what fits a cache is cheap to write */
#define ROOM_MOST_OCTETS (2 * FULL_OCTETS) /* that is made ready for lines to come */
#define BUFFER_MOST_OCTETS (4 * 1024 * 1024) /* what waits for a reader that is slow */

/* What stands in front of the text of a line. */
typedef struct
{
  GString *text; /* NULL: none was made */
  GString *domain;
  gsize level; /* in levels[] */
  gint64 time_ms;
} LineHead;

/* What lines that are logged at once have in common. */
typedef struct
{
  const char *domain;
  const GLogField *fields;
  gsize n_fields;
  gsize level;         /* in levels[] */
  RerouteLogMark mark; /* but for where the line stands */
} LineKind;

static struct
{
  GThread *thread;
  gboolean to_journal; /* standard error is journald's */
  int journal_fd;      /* that takes fields; -1: lines alone */
  char **shown;        /* domains whose debug and info lines are shown; {"all"} for every one */
  int levels[REROUTE_N_LOG_CATEGORIES]; /* atomic: RerouteLogLevel */
  RerouteLogRing *ring;

  GMutex lock; /* of what follows */
  GCond changed;
  GCond written;
  GString *lines;
  LineHead head;
  GArray *marks;             /* (element-type RerouteLogMark): one for each of the lines */
  RerouteLogEntries entries; /* one for each of the lines; none without journal_fd */
  guint n_lost;
  gboolean asleep; /* the thread, until there is a line */
  gboolean urgent; /* somebody waits for the lines to be written */
  gboolean stopping;
  guint64 n_taken, n_written; /* buffers */
} log_writer;

static const struct
{
  GLogLevelFlags level;
  int severity; /* RFC 5424 */
  const char *name;
} levels[] = {
  /* clang-format off */
  { G_LOG_LEVEL_ERROR,    3, "error" },
  { G_LOG_LEVEL_CRITICAL, 4, "critical" },
  { G_LOG_LEVEL_WARNING,  4, "warning" },
  { G_LOG_LEVEL_MESSAGE,  5, "message" },
  { G_LOG_LEVEL_INFO,     6, "info" },
  { G_LOG_LEVEL_DEBUG,    7, "debug" },
  /* clang-format on */
};

static gsize
find_level (GLogLevelFlags flags)
{
  gsize i = 0;

  while (i + 1 < G_N_ELEMENTS (levels) && (flags & levels[i].level) == 0)
    i++;
  return i;
}

static gboolean
is_asked_for (const char *domain)
{
  if (log_writer.shown == NULL)
    return FALSE;
  return g_strv_contains ((const char *const *) log_writer.shown, "all") ||
         (domain != NULL && g_strv_contains ((const char *const *) log_writer.shown, domain));
}

static gboolean
is_shown (GLogLevelFlags level, RerouteLogCategory category, const char *domain)
{
  RerouteLogLevel wanted = REROUTE_LOG_NONE;

  if ((level & G_LOG_LEVEL_MESSAGE) != 0)
    wanted = REROUTE_LOG_MINIMUM;
  else if ((level & G_LOG_LEVEL_INFO) != 0)
    wanted = REROUTE_LOG_MEDIUM;
  else if ((level & G_LOG_LEVEL_DEBUG) != 0)
    wanted = REROUTE_LOG_MAXIMUM;
  return wanted <= (RerouteLogLevel) g_atomic_int_get (&log_writer.levels[category]) ||
         is_asked_for (domain);
}

/* "2026-11-25 18:10:42", made once a second. */
static const char *
format_second (gint64 now_s)
{
  static __thread gint64 formatted_s;
  static __thread char text[sizeof "-2147483648-12-31 23:59:59"];
  time_t seconds = (time_t) now_s;
  struct tm local;

  if (now_s != formatted_s && localtime_r (&seconds, &local) != NULL &&
      strftime (text, sizeof text, "%F %T", &local) > 0)
    formatted_s = now_s;
  return text;
}

static void
make_head (GString *line, gsize i, gint64 now_us, const char *domain)
{
  int now_ms = (int) (now_us % G_USEC_PER_SEC / 1000);
  const char fraction[] = { '.',
                            (char) ('0' + now_ms / 100),
                            (char) ('0' + now_ms / 10 % 10),
                            (char) ('0' + now_ms % 10),
                            ' ' };

  if (log_writer.to_journal)
    g_string_append_printf (line, "<%d>", levels[i].severity);
  else
    {
      g_string_append (line, format_second (now_us / G_USEC_PER_SEC));
      g_string_append_len (line, fraction, sizeof fraction);
    }
  g_string_append (line, domain);
  if (!log_writer.to_journal)
    {
      g_string_append_c (line, ' ');
      g_string_append (line, levels[i].name);
    }
  g_string_append (line, ": ");
}

/* Made once for all lines of a millisecond that one domain logs.  With the lock held. */
static void
append_head (GString *line, gsize i, gint64 now_us, const char *domain)
{
  LineHead *head = &log_writer.head;
  gint64 now_ms = now_us / 1000;

  if (head->text == NULL || head->time_ms != now_ms || head->level != i ||
      !g_str_equal (head->domain->str, domain))
    {
      head->text = head->text != NULL ? g_string_truncate (head->text, 0) : g_string_new (NULL);
      head->domain =
        head->domain != NULL ? g_string_assign (head->domain, domain) : g_string_new (domain);
      head->time_ms = now_ms;
      head->level = i;
      make_head (head->text, i, now_us, domain);
    }
  g_string_append_len (line, head->text->str, (gssize) head->text->len);
}

/* Never fails: there is nowhere to say so. */
static void
write_all (const char *octets, gsize length)
{
  while (length > 0)
    {
      gssize n = write (STDERR_FILENO, octets, length);

      if (n < 0 && errno != EINTR)
        return;
      octets += MAX (n, 0);
      length -= (gsize) MAX (n, 0);
    }
}

static const char *
find_field (const GLogField *fields, gsize n_fields, const char *key, const char *otherwise)
{
  for (gsize i = 0; i < n_fields; i++)
    {
      if (g_str_equal (fields[i].key, key) && fields[i].length == -1)
        return fields[i].value;
    }
  return otherwise;
}

static guint
count_lines (const GLogField *fields, gsize n_fields)
{
  const char *text = find_field (fields, n_fields, "MESSAGE", "");
  guint n = 1;

  if (find_field (fields, n_fields, REROUTE_LOG_LINES, NULL) != NULL)
    while ((text = strchr (text, '\n')) != NULL)
      {
        n++;
        text++;
      }
  return n;
}

/* The line as it would stand behind its head, and the fields of our own. */
static void
append_entry (const char *line, int severity, const GLogField *fields, gsize n_fields)
{
  RerouteLogEntries *entries = &log_writer.entries;
  const char priority = (char) ('0' + severity);
  const char *name = g_get_prgname ();

  reroute_log_entries_add (entries, "MESSAGE", line, strlen (line));
  reroute_log_entries_add (entries, "PRIORITY", &priority, 1);
  if (name != NULL)
    reroute_log_entries_add (entries, "SYSLOG_IDENTIFIER", name, strlen (name));
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_has_prefix (fields[i].key, REROUTE_LOG_FIELD_PREFIX) && fields[i].length == -1)
      reroute_log_entries_add (entries, fields[i].key, fields[i].value, strlen (fields[i].value));
  reroute_log_entries_end (entries);
}

static void
append_line (LineKind *kind, const char *text, gsize length)
{
  GString *lines = log_writer.lines;
  gsize begin = lines->len;

  append_head (lines, kind->level, kind->mark.time_us, kind->domain);
  kind->mark.start = (guint32) lines->len;
  g_string_append_len (lines, text, (gssize) length);
  kind->mark.length = (guint32) length;
  if (log_writer.journal_fd >= 0)
    append_entry (
      lines->str + begin + strlen ("<5>"), kind->mark.severity, kind->fields, kind->n_fields);
  g_string_append_c (lines, '\n');
  g_array_append_val (log_writer.marks, kind->mark);
}

/* With the lock held. */
static void
append (GLogLevelFlags level, RerouteLogCategory category, const GLogField *fields, gsize n_fields)
{
  const char *text = find_field (fields, n_fields, "MESSAGE", "");
  gboolean several = find_field (fields, n_fields, REROUTE_LOG_LINES, NULL) != NULL;
  gsize i = find_level (level);
  LineKind kind = {
    .domain = find_field (fields, n_fields, "GLIB_DOMAIN", "reroute-relayd"),
    .fields = fields,
    .n_fields = n_fields,
    .level = i,
    .mark = { .time_us = g_get_real_time (),
              .category = (guint8) category,
              .severity = (guint8) levels[i].severity },
  };

  for (const char *end; several && (end = strchr (text, '\n')) != NULL; text = end + 1)
    append_line (&kind, text, (gsize) (end - text));
  append_line (&kind, text, strlen (text));
}

/* What waits is replaced by nothing, with room for as much again: it need not grow, and be copied,
   line by line.  With the lock held. */
static void
start_lines (gsize room)
{
  log_writer.lines = g_string_sized_new (room);
  log_writer.marks = g_array_new (FALSE, FALSE, sizeof (RerouteLogMark));
  if (log_writer.journal_fd >= 0)
    reroute_log_entries_init (&log_writer.entries);
}

/* Takes what waits.  With the lock held.
   @marks, @entries: (out) (transfer full) */
static GString *
take_lines (GArray **marks, RerouteLogEntries *entries)
{
  GString *lines = g_steal_pointer (&log_writer.lines);

  *marks = g_steal_pointer (&log_writer.marks);
  *entries = log_writer.entries;
  log_writer.entries = (RerouteLogEntries){ NULL, NULL };
  start_lines (MIN (lines->len, ROOM_MOST_OCTETS));
  log_writer.n_taken++;
  log_writer.urgent = FALSE;
  if (log_writer.n_lost > 0)
    g_string_append_printf (
      lines, "%u lines of the log were lost: they came too fast\n", log_writer.n_lost);
  log_writer.n_lost = 0;
  return lines;
}

/* What journald does not take as an entry, it gets as a line.
   @lines, @marks: (transfer full); @entries: cleared */
static void
write_lines (GString *lines, GArray *marks, RerouteLogEntries *entries)
{
  gsize begin = 0;

  /* Whoever looks at the log has the ring for some milliseconds: none of us waits for that. */
  reroute_log_ring_push (log_writer.ring, lines, marks);
  for (guint i = 0; entries->ends != NULL && i < marks->len; i++)
    {
      guint n_sent = reroute_log_entries_send (entries, log_writer.journal_fd, i);
      const RerouteLogMark *mark;

      i += n_sent;
      if (i > 0)
        {
          mark = &g_array_index (marks, RerouteLogMark, i - 1);
          begin = mark->start + mark->length + 1;
        }
      if (i >= marks->len)
        break;
      mark = &g_array_index (marks, RerouteLogMark, i);
      write_all (lines->str + begin, mark->start + mark->length + 1 - begin);
      begin = mark->start + mark->length + 1;
    }
  write_all (lines->str + begin, lines->len - begin);
  reroute_log_entries_clear (entries);
}

/* With the lock held, as below. */
static void
linger (void)
{
  gint64 end_us = g_get_monotonic_time () + LINGER_US;

  while (!log_writer.urgent && !log_writer.stopping && log_writer.lines->len < FULL_OCTETS &&
         g_cond_wait_until (&log_writer.changed, &log_writer.lock, end_us))
    ;
}

/* Under load there is a line by then, and none had to wake the thread. */
static void
wait_for_lines (void)
{
  linger ();
  if (log_writer.lines->len > 0 || log_writer.stopping)
    return;
  log_writer.asleep = TRUE;
  while (log_writer.lines->len == 0 && !log_writer.stopping)
    g_cond_wait (&log_writer.changed, &log_writer.lock);
  log_writer.asleep = FALSE;
  linger ();
}

static gpointer
run (gpointer user_data)
{
  g_mutex_lock (&log_writer.lock);
  while (!log_writer.stopping)
    {
      wait_for_lines ();
      RerouteLogEntries entries;
      GArray *marks = NULL;
      GString *lines = take_lines (&marks, &entries);
      g_mutex_unlock (&log_writer.lock);
      write_lines (lines, marks, &entries);
      g_mutex_lock (&log_writer.lock);
      log_writer.n_written++;
      g_cond_broadcast (&log_writer.written);
    }
  g_mutex_unlock (&log_writer.lock);
  return NULL;
}

/* Until what was appended last is written, or the reader has had its time.  With the lock held. */
static void
wait_until_written (void)
{
  guint64 wanted = log_writer.n_taken + 1;
  gint64 end_us = g_get_monotonic_time () + READER_PATIENCE_US;

  log_writer.urgent = TRUE;
  g_cond_signal (&log_writer.changed);
  while (log_writer.n_written < wanted && !log_writer.stopping &&
         g_cond_wait_until (&log_writer.written, &log_writer.lock, end_us))
    ;
}

/* With the lock held, and no writer's thread. */
static void
write_left (void)
{
  RerouteLogEntries entries;
  GArray *marks = NULL;
  GString *lines = take_lines (&marks, &entries);

  write_lines (lines, marks, &entries);
}

static GLogWriterOutput
write_fields (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  const char *domain = find_field (fields, n_fields, "GLIB_DOMAIN", "reroute-relayd");
  RerouteLogCategory category = reroute_log_category_of (domain);

  if (!is_shown (level, category, domain))
    return G_LOG_WRITER_HANDLED;
  gboolean wakes = FALSE;
  g_mutex_lock (&log_writer.lock);
  gsize begin = log_writer.lines->len;
  if (log_writer.lines->len > BUFFER_MOST_OCTETS)
    log_writer.n_lost += count_lines (fields, n_fields);
  else
    append (level, category, fields, n_fields);
  if (log_writer.stopping)
    write_left ();
  else if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING)) != 0)
    wait_until_written ();
  else
    wakes = (begin == 0 && log_writer.asleep) ||
            (begin < FULL_OCTETS && log_writer.lines->len >= FULL_OCTETS);
  g_mutex_unlock (&log_writer.lock);
  /* Who is woken with the lock held runs into it. */
  if (wakes)
    g_cond_signal (&log_writer.changed);
  return G_LOG_WRITER_HANDLED;
}

void
reroute_log_writer_start (void)
{
  const char *shown = g_getenv ("G_MESSAGES_DEBUG");

  g_return_if_fail (log_writer.thread == NULL);

  log_writer.shown = shown != NULL ? g_strsplit_set (shown, " ,", -1) : NULL;
  log_writer.to_journal = reroute_log_takes_fields ();
  log_writer.journal_fd =
    log_writer.to_journal ? reroute_log_journal_open (REROUTE_LOG_JOURNAL_PATH) : -1;
  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    log_writer.levels[i] = REROUTE_LOG_MINIMUM;
  log_writer.ring = reroute_log_ring_new (REROUTE_LIMIT_LOG_KEPT_OCTETS);
  start_lines (0);
  log_writer.thread = g_thread_new ("log", run, NULL);
  g_log_set_writer_func (write_fields, NULL, NULL);
}

void
reroute_log_writer_stop (void)
{
  g_return_if_fail (log_writer.thread != NULL);

  g_mutex_lock (&log_writer.lock);
  log_writer.stopping = TRUE;
  g_cond_signal (&log_writer.changed);
  g_mutex_unlock (&log_writer.lock);
  g_thread_join (g_steal_pointer (&log_writer.thread));
  g_mutex_lock (&log_writer.lock);
  write_left ();
  g_mutex_unlock (&log_writer.lock);
}

void
reroute_log_writer_set_levels (const RerouteLogLevel *levels_wanted)
{
  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    g_atomic_int_set (&log_writer.levels[i], (int) levels_wanted[i]);
}

RerouteLogRing *
reroute_log_writer_get_ring (void)
{
  return log_writer.ring;
}
