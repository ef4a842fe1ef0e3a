/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-log-writer.c - what reaches standard error, and when
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-test"

#include "service/relay/log-line.h"
#include "service/relay/log-writer.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define N_THREADS 4
#define N_LINES 500
#define FILLER_OCTETS 65536
#define N_FILLERS 160 /* 10 MiB: the pipe and the buffer hold half of it */
#define LOST " lines of the log were lost: they came too fast\n"

static int reader;

/* All that stands in the pipe by now; does not wait. */
static char *
read_now (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char octets[4096];
  gssize n;

  while ((n = read (reader, octets, sizeof octets)) > 0)
    g_string_append_len (text, octets, n);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
read_until (const char *wanted)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gint64 end_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  while (strstr (text->str, wanted) == NULL && g_get_monotonic_time () < end_us)
    {
      g_autofree char *more = read_now ();

      g_string_append (text, more);
      g_thread_yield ();
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_a_warning_is_written_at_once (void)
{
  g_autofree char *text = NULL;

  g_message ("first");
  g_log (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "then this");
  text = read_now ();
  g_assert_nonnull (strstr (text, "reroute-test message: first\n"));
  g_assert_true (g_str_has_suffix (text, "reroute-test warning: then this\n"));
}

static void
test_a_message_arrives_by_itself (void)
{
  g_autofree char *text = NULL;

  g_message ("id=%d", 17);
  text = read_until ("\n");
  g_assert_true (g_str_has_suffix (text, " reroute-test message: id=17\n"));
}

/* The lines of deliveries that are kept. */
static guint
count_kept (void)
{
  const RerouteLogQuestion question = { .filter = "",
                                        .categories = 1u << REROUTE_LOG_DELIVERY,
                                        .limit = 99 };
  g_autoptr (GVariant) answer = g_variant_ref_sink (
    reroute_log_ring_read (reroute_log_writer_get_ring (), &question));
  g_autoptr (GVariant) lines = g_variant_get_child_value (answer, 2);

  return (guint) g_variant_n_children (lines);
}

static void
test_several_lines_at_once (void)
{
  g_autofree char *text = NULL;
  guint before = count_kept ();

  reroute_log_lines ("reroute-deliver", "one\n\ntwo words\nthree");
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "MESSAGE", "one line\nof its own");
  text = read_until ("of its own\n");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 7);
  g_assert_true (g_str_has_suffix (lines[0], " reroute-deliver message: one"));
  g_assert_true (g_str_has_suffix (lines[1], " reroute-deliver message: "));
  g_assert_true (g_str_has_suffix (lines[2], " reroute-deliver message: two words"));
  g_assert_true (g_str_has_suffix (lines[3], " reroute-deliver message: three"));
  g_assert_true (g_str_has_suffix (lines[4], " reroute-test message: one line"));
  g_assert_cmpstr (lines[5], ==, "of its own");
  g_assert_cmpuint (count_kept (), ==, before + 4);
}

static void
test_debug_lines_are_shown_where_asked (void)
{
  g_autofree char *text = NULL;

  g_debug ("shown");
  g_log ("reroute-other", G_LOG_LEVEL_DEBUG, "hidden");
  g_log ("reroute-other", G_LOG_LEVEL_INFO, "hidden");
  g_message ("last");
  text = read_until ("last");
  g_assert_nonnull (strstr (text, "reroute-test debug: shown\n"));
  g_assert_null (strstr (text, "hidden"));
}

/* A category says more or less without the environment; warnings are said always. */
static void
test_levels (void)
{
  RerouteLogLevel levels[REROUTE_N_LOG_CATEGORIES];
  g_autofree char *text = NULL;

  g_assert_true (
    reroute_log_levels_parse ("spool=medium, session=none, delivery=maximum", levels, NULL));
  reroute_log_writer_set_levels (levels);
  g_log ("reroute-spool", G_LOG_LEVEL_INFO, "spool info");
  g_log ("reroute-spool", G_LOG_LEVEL_DEBUG, "spool debug");
  g_log ("reroute-session", G_LOG_LEVEL_MESSAGE, "session message");
  g_log ("reroute-session", G_LOG_LEVEL_WARNING, "session warning");
  g_log ("reroute-deliver", G_LOG_LEVEL_DEBUG, "delivery debug");
  g_message ("last");
  text = read_until ("last");
  g_assert_nonnull (strstr (text, "reroute-spool info: spool info\n"));
  g_assert_null (strstr (text, "spool debug"));
  g_assert_null (strstr (text, "session message"));
  g_assert_nonnull (strstr (text, "session warning"));
  g_assert_nonnull (strstr (text, "reroute-deliver debug: delivery debug\n"));
  g_assert_true (reroute_log_levels_parse ("", levels, NULL));
  reroute_log_writer_set_levels (levels);
}

/* What was written can be asked for: by category, by text, and page by page. */
static void
test_what_is_kept (void)
{
  RerouteLogQuestion question = { .filter = "KEPT", .categories = G_MAXUINT, .limit = 2 };
  g_autofree char *text = NULL;
  guint64 next, missed, number;
  guint severity;
  gint64 time_us;
  const char *category, *line;

  g_log ("reroute-spool", G_LOG_LEVEL_MESSAGE, "kept 1");
  g_log ("reroute-deliver", G_LOG_LEVEL_WARNING, "kept 2");
  g_message ("other");
  /* Past GLib's test log, which would put these octets into the TAP output. */
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "MESSAGE", "kept 3 \xff");
  text = read_until ("kept 3");

  g_autoptr (GVariant) first = g_variant_ref_sink (
    reroute_log_ring_read (reroute_log_writer_get_ring (), &question));
  g_autoptr (GVariant) lines = g_variant_get_child_value (first, 2);
  g_assert_cmpuint (g_variant_n_children (lines), ==, 2);
  g_variant_get_child (lines, 1, "(tx&su&s)", &number, &time_us, &category, &severity, &line);
  g_assert_cmpstr (category, ==, "delivery");
  g_assert_cmpuint (severity, ==, 4);
  g_assert_cmpstr (line, ==, "kept 2");
  g_variant_get (first, "(tta(txsus))", &next, &missed, NULL);
  g_assert_cmpuint (next, >, number);
  g_assert_cmpuint (missed, ==, 0);

  question.cursor = next;
  g_autoptr (GVariant) rest = g_variant_ref_sink (
    reroute_log_ring_read (reroute_log_writer_get_ring (), &question));
  g_autoptr (GVariant) rest_lines = g_variant_get_child_value (rest, 2);
  g_assert_cmpuint (g_variant_n_children (rest_lines), ==, 1);
  g_variant_get_child (rest_lines, 0, "(tx&su&s)", &number, &time_us, &category, &severity, &line);
  g_assert_cmpstr (category, ==, "service");
  g_assert_cmpstr (line, ==, "kept 3 \357\277\275");

  question =
    (RerouteLogQuestion){ .filter = "kept", .categories = 1u << REROUTE_LOG_SPOOL, .limit = 9 };
  g_autoptr (GVariant) spool = g_variant_ref_sink (
    reroute_log_ring_read (reroute_log_writer_get_ring (), &question));
  g_autoptr (GVariant) spool_lines = g_variant_get_child_value (spool, 2);
  g_assert_cmpuint (g_variant_n_children (spool_lines), ==, 1);
}

/* The ring lets go of its oldest batches, and tells how many lines those had. */
static void
test_the_ring_is_bounded (void)
{
  RerouteLogRing *ring = reroute_log_ring_new (10000);
  RerouteLogQuestion question = { .cursor = 1, .filter = "", .categories = G_MAXUINT, .limit = 1 };
  guint64 next, missed, number, again;

  for (guint i = 0; i < 100; i++)
    {
      GString *text = g_string_sized_new (1000);
      GArray *marks = g_array_new (FALSE, FALSE, sizeof (RerouteLogMark));
      RerouteLogMark mark = { .start = 0, .length = 4 };

      g_string_append (text, "line");
      g_array_append_val (marks, mark);
      reroute_log_ring_push (ring, text, marks);
    }
  g_autoptr (GVariant) answer = g_variant_ref_sink (reroute_log_ring_read (ring, &question));
  g_autoptr (GVariant) lines = g_variant_get_child_value (answer, 2);
  g_variant_get (answer, "(tta(txsus))", &next, &missed, NULL);
  g_variant_get_child (lines, 0, "(txsus)", &number, NULL, NULL, NULL, NULL);
  g_assert_cmpuint (missed, >, 80);
  g_assert_cmpuint (missed, <, 100);
  g_assert_cmpuint (next, ==, number + 1);
  question.cursor = number - missed + 100;
  g_autoptr (GVariant) end = g_variant_ref_sink (reroute_log_ring_read (ring, &question));
  g_variant_get (end, "(tta(txsus))", &next, &missed, NULL);
  g_assert_cmpuint (next, ==, question.cursor);
  g_assert_cmpuint (missed, ==, 0);
  /* Of another ring: the first one above was from before, this one is from a clock that was ahead.
   */
  question.cursor = G_MAXUINT64;
  g_autoptr (GVariant) ahead = g_variant_ref_sink (reroute_log_ring_read (ring, &question));
  g_variant_get (ahead, "(tta(txsus))", &again, &missed, NULL);
  g_assert_cmpuint (again, ==, number + 1);
  g_assert_cmpuint (missed, >, 80);
  reroute_log_ring_free (ring);
}

static gpointer
log_many (gpointer data)
{
  for (guint i = 0; i < N_LINES; i++)
    g_message ("thread=%u line=%u.", GPOINTER_TO_UINT (data), i);
  return NULL;
}

/* Every line whole, those of one thread in order. */
static void
test_threads_share_it (void)
{
  GThread *threads[N_THREADS];
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("logger", log_many, GUINT_TO_POINTER (i));
  for (guint i = 0; i < N_THREADS; i++)
    {
      g_autofree char *last = g_strdup_printf ("thread=%u line=%u.\n", i, N_LINES - 1);

      g_thread_join (threads[i]);
      if (strstr (text->str, last) == NULL)
        {
          g_autofree char *more = read_until (last);
          g_string_append (text, more);
        }
    }
  for (guint i = 0; i < N_THREADS; i++)
    {
      const char *at = text->str;

      for (guint j = 0; j < N_LINES; j++)
        {
          g_autofree char *line =
            g_strdup_printf (" reroute-test message: thread=%u line=%u.\n", i, j);

          at = strstr (at, line);
          g_assert_nonnull (at);
        }
    }
}

/* How many lines @text says were lost. */
static guint64
count_lost (const char *text)
{
  guint64 n = 0;

  for (const char *at = strstr (text, LOST); at != NULL; at = strstr (at + 1, LOST))
    {
      const char *line = at;

      while (line > text && line[-1] != '\n')
        line--;
      n += g_ascii_strtoull (line, NULL, 10);
    }
  return n;
}

/* A reader that is stuck costs lines and a second for a warning, never the program; what it lost is
   told line by line, of several at once too. */
static void
test_a_reader_that_is_stuck (void)
{
  g_autofree char *filler = g_strnfill (FILLER_OCTETS, 'x');
  g_autofree char *several = g_strconcat ("filler\n", filler, "\nfiller", NULL);
  guint64 n_arrived = 0;

  for (guint i = 0; i < N_FILLERS; i++)
    reroute_log_lines (G_LOG_DOMAIN, several);
  g_log (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "stuck");
  g_autofree char *text = read_until (LOST);
  g_message ("over");
  g_autofree char *rest = read_until (" over\n");
  g_autofree char *all = g_strconcat (text, rest, NULL);
  g_auto (GStrv) lines = g_strsplit (all, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    n_arrived += g_str_has_suffix (lines[i], ": filler") || g_str_has_suffix (lines[i], filler) ||
                 g_str_has_suffix (lines[i], " stuck");
  g_assert_nonnull (strstr (all, filler));
  g_assert_cmpuint (count_lost (all), >, 0);
  g_assert_cmpuint (n_arrived + count_lost (all), ==, 3 * N_FILLERS + 1);
}

static void
test_stopped_it_writes_what_is_left (void)
{
  g_autofree char *text = NULL;
  g_autofree char *late = NULL;

  g_message ("left");
  reroute_log_writer_stop ();
  text = read_now ();
  g_assert_true (g_str_has_suffix (text, "message: left\n"));
  g_message ("late");
  late = read_now ();
  g_assert_true (g_str_has_suffix (late, "message: late\n"));
}

int
main (int argc, char **argv)
{
  int pipe_fds[2];
  int status;
  int real_stderr;

  g_setenv ("G_MESSAGES_DEBUG", "reroute-test", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
  g_assert_true (g_unix_open_pipe (pipe_fds, FD_CLOEXEC, NULL));
  reader = pipe_fds[0];
  g_assert_true (g_unix_set_fd_nonblocking (reader, TRUE, NULL));
  g_assert_cmpint (fcntl (pipe_fds[1], F_SETPIPE_SZ, 1024 * 1024), >=, 0);
  real_stderr = dup (STDERR_FILENO);
  g_assert_cmpint (dup2 (pipe_fds[1], STDERR_FILENO), ==, STDERR_FILENO);
  reroute_log_writer_start ();
  g_test_add_func ("/log-writer/a-warning-is-written-at-once", test_a_warning_is_written_at_once);
  g_test_add_func ("/log-writer/a-message-arrives-by-itself", test_a_message_arrives_by_itself);
  g_test_add_func ("/log-writer/several-lines-at-once", test_several_lines_at_once);
  g_test_add_func ("/log-writer/debug-lines-are-shown-where-asked",
                   test_debug_lines_are_shown_where_asked);
  g_test_add_func ("/log-writer/levels", test_levels);
  g_test_add_func ("/log-writer/what-is-kept", test_what_is_kept);
  g_test_add_func ("/log-writer/the-ring-is-bounded", test_the_ring_is_bounded);
  g_test_add_func ("/log-writer/threads-share-it", test_threads_share_it);
  g_test_add_func ("/log-writer/a-reader-that-is-stuck", test_a_reader_that_is_stuck);
  g_test_add_func ("/log-writer/stopped-it-writes-what-is-left",
                   test_stopped_it_writes_what_is_left);
  status = g_test_run ();
  dup2 (real_stderr, STDERR_FILENO);
  return status;
}
