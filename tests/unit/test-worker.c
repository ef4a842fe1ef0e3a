/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-worker.c - posts, timers, descriptors, flushes and deferred calls of a worker's thread
 */

#include "config.h"

#include "service/relay/worker.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What happened on the worker, in order, as letters. */
typedef struct
{
  RerouteWorker *worker;
  GMutex lock;
  GCond changed;
  GString *letters;

  RerouteTimer timers[3];
  RerouteIo io;
  RerouteIo other;
  RerouteFlush flush;
  RerouteFlush other_flush;
  RerouteFlush forgotten;
  guint n_flushed;
} Log;

static Log *
log_new (void)
{
  Log *self = g_new0 (Log, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->letters = g_string_new (NULL);
  self->worker = reroute_worker_new (0);
  reroute_worker_start (self->worker);
  return self;
}

static void
log_free (Log *self)
{
  reroute_worker_free (self->worker);
  g_string_free (self->letters, TRUE);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

static void
append (Log *self, char letter)
{
  g_mutex_lock (&self->lock);
  g_string_append_c (self->letters, letter);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* Waits until @n letters stand there, then compares. */
static void
expect (Log *self, const char *letters)
{
  gint64 end = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;

  g_mutex_lock (&self->lock);
  while (self->letters->len < strlen (letters))
    g_assert_true (g_cond_wait_until (&self->changed, &self->lock, end));
  g_assert_cmpstr (self->letters->str, ==, letters);
  g_mutex_unlock (&self->lock);
}

static void
append_a (RerouteWorker *worker, gpointer user_data)
{
  append (user_data, 'a');
}

static void
append_b (RerouteWorker *worker, gpointer user_data)
{
  append (user_data, 'b');
}

static void
defer_then_append (RerouteWorker *worker, gpointer user_data)
{
  reroute_worker_defer (worker, append_b, user_data);
  append (user_data, 'd');
}

static void
test_posts_run_in_order (void)
{
  Log *log = log_new ();

  for (int i = 0; i < 100; i++)
    {
      reroute_worker_post (log->worker, append_a, log);
      reroute_worker_post (log->worker, append_b, log);
    }
  reroute_worker_stop (log->worker);
  g_assert_cmpuint (log->letters->len, ==, 200);
  for (gsize i = 0; i < log->letters->len; i++)
    g_assert_cmpint (log->letters->str[i], ==, i % 2 == 0 ? 'a' : 'b');
  log_free (log);
}

static void
test_deferred_runs_behind_the_turn (void)
{
  Log *log = log_new ();

  reroute_worker_post (log->worker, defer_then_append, log);
  expect (log, "db");
  log_free (log);
}

/* Asks for itself until somebody else had his turn. */
static void
defer_again (RerouteWorker *worker, gpointer user_data)
{
  Log *log = user_data;

  g_mutex_lock (&log->lock);
  gboolean goes_on = log->letters->len < 3;
  g_mutex_unlock (&log->lock);
  if (goes_on)
    reroute_worker_defer (worker, defer_again, log);
}

static void
test_deferred_keeps_nobody_waiting (void)
{
  Log *log = log_new ();

  reroute_worker_post (log->worker, append_a, log);
  reroute_worker_post (log->worker, defer_again, log);
  expect (log, "a");
  reroute_worker_post (log->worker, append_b, log);
  expect (log, "ab");
  reroute_worker_post (log->worker, append_a, log);
  expect (log, "aba");
  log_free (log);
}

static Log *
log_of_timer (RerouteTimer *timer, gsize index)
{
  return (Log *) ((char *) timer - G_STRUCT_OFFSET (Log, timers) - index * sizeof (RerouteTimer));
}

static void
first_timer (RerouteTimer *timer)
{
  append (log_of_timer (timer, 0), '0');
}

/* Asks for itself once more. */
static void
flush_cb (RerouteFlush *flush)
{
  Log *log = (Log *) ((char *) flush - G_STRUCT_OFFSET (Log, flush));

  append (log, 'f');
  if (log->n_flushed++ == 0)
    reroute_worker_flush_later (log->worker, flush);
}

static void
other_flush_cb (RerouteFlush *flush)
{
  append ((Log *) ((char *) flush - G_STRUCT_OFFSET (Log, other_flush)), 'o');
}

static void
forgotten_cb (RerouteFlush *flush)
{
  g_assert_not_reached ();
}

static void
flush_other_again (RerouteWorker *worker, gpointer user_data)
{
  Log *log = user_data;

  reroute_worker_flush_later (worker, &log->other_flush);
  append (log, 'd');
}

static void
ask_for_flushes (RerouteWorker *worker, gpointer user_data)
{
  Log *log = user_data;

  reroute_worker_defer (worker, flush_other_again, log);
  reroute_worker_arm_timer (worker, &log->timers[0], 1);
  reroute_worker_flush_later (worker, &log->flush);
  reroute_worker_flush_later (worker, &log->forgotten);
  reroute_worker_flush_later (worker, &log->other_flush);
  reroute_worker_flush_later (worker, &log->flush);
  reroute_worker_forget_flush (worker, &log->forgotten);
  reroute_worker_forget_flush (worker, &log->forgotten);
  append (log, 'a');
}

static void
test_flushes_run_in_a_row (void)
{
  Log *log = log_new ();

  log->flush.func = flush_cb;
  log->other_flush.func = other_flush_cb;
  log->forgotten.func = forgotten_cb;
  log->timers[0].func = first_timer;
  reroute_worker_post (log->worker, ask_for_flushes, log);
  reroute_worker_stop (log->worker);
  g_assert_cmpstr (log->letters->str, ==, "afof0do");
  log_free (log);
}

static void
second_timer (RerouteTimer *timer)
{
  append (log_of_timer (timer, 1), '1');
}

static void
third_timer (RerouteTimer *timer)
{
  append (log_of_timer (timer, 2), '2');
}

static void
arm_timers (RerouteWorker *worker, gpointer user_data)
{
  Log *log = user_data;
  gint64 now_us = reroute_worker_now_us (worker);

  log->timers[0].func = first_timer;
  log->timers[1].func = second_timer;
  log->timers[2].func = third_timer;
  reroute_worker_arm_timer (worker, &log->timers[0], now_us + 30000);
  reroute_worker_arm_timer (worker, &log->timers[1], now_us + 10000);
  reroute_worker_arm_timer (worker, &log->timers[2], now_us + 20000);
  reroute_worker_arm_timer (worker, &log->timers[1], now_us + 25000);
  reroute_worker_disarm_timer (worker, &log->timers[2]);
  g_assert_cmpint (log->timers[2].due_us, ==, 0);
}

static void
test_timers_run_by_due_time (void)
{
  Log *log = log_new ();

  reroute_worker_post (log->worker, arm_timers, log);
  expect (log, "10");
  log_free (log);
}

static void
read_letter (RerouteIo *io, guint32 events)
{
  Log *log = (Log *) ((char *) io - G_STRUCT_OFFSET (Log, io));
  char letter;

  g_assert_cmpint (read (io->fd, &letter, 1), ==, 1);
  append (log, letter);
}

static void
add_io (RerouteWorker *worker, gpointer user_data)
{
  Log *log = user_data;

  log->io.events = EPOLLIN;
  log->io.func = read_letter;
  reroute_worker_add_io (worker, &log->io);
}

static void
remove_io (RerouteWorker *worker, gpointer user_data)
{
  Log *log = user_data;

  reroute_worker_remove_io (worker, &log->io);
  append (log, '-');
}

static void
test_descriptors_are_watched (void)
{
  Log *log = log_new ();
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
  log->io.fd = pair[0];
  reroute_worker_post (log->worker, add_io, log);
  g_assert_cmpint (write (pair[1], "xyz", 3), ==, 3);
  expect (log, "xyz");
  reroute_worker_post (log->worker, remove_io, log);
  expect (log, "xyz-");
  log_free (log);
  close (pair[0]);
  close (pair[1]);
}

/* The first of two that are ready removes both: the event of the second is dropped. */
static void
remove_both (RerouteIo *io, guint32 events)
{
  Log *log = io->events == EPOLLIN ? (Log *) ((char *) io - G_STRUCT_OFFSET (Log, io))
                                   : (Log *) ((char *) io - G_STRUCT_OFFSET (Log, other));

  reroute_worker_remove_io (log->worker, &log->io);
  reroute_worker_remove_io (log->worker, &log->other);
  append (log, 'r');
}

static void
add_both (RerouteWorker *worker, gpointer user_data)
{
  Log *log = user_data;

  log->io.events = EPOLLIN;
  log->other.events = EPOLLIN | EPOLLRDHUP;
  log->io.func = log->other.func = remove_both;
  reroute_worker_add_io (worker, &log->io);
  reroute_worker_add_io (worker, &log->other);
}

static void
test_a_removed_descriptor_is_not_called (void)
{
  Log *log = log_new ();
  int first[2], second[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, first), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, second), ==, 0);
  g_assert_cmpint (write (first[1], "x", 1) + write (second[1], "x", 1), ==, 2);
  log->io.fd = first[0];
  log->other.fd = second[0];
  reroute_worker_post (log->worker, add_both, log);
  expect (log, "r");
  reroute_worker_post (log->worker, append_a, log);
  expect (log, "ra");
  log_free (log);
  for (int i = 0; i < 2; i++)
    {
      close (first[i]);
      close (second[i]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/posts-run-in-order", test_posts_run_in_order);
  g_test_add_func ("/worker/deferred-runs-behind-the-turn", test_deferred_runs_behind_the_turn);
  g_test_add_func ("/worker/deferred-keeps-nobody-waiting", test_deferred_keeps_nobody_waiting);
  g_test_add_func ("/worker/flushes-run-in-a-row", test_flushes_run_in_a_row);
  g_test_add_func ("/worker/timers-run-by-due-time", test_timers_run_by_due_time);
  g_test_add_func ("/worker/descriptors-are-watched", test_descriptors_are_watched);
  g_test_add_func ("/worker/a-removed-descriptor-is-not-called",
                   test_a_removed_descriptor_is_not_called);
  return g_test_run ();
}
