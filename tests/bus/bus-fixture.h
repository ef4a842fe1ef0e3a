/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/rules-client.h"

G_BEGIN_DECLS

/* A bus that starts the rulesd of the build tree on demand, and a client of it. */
typedef struct
{
  char *folder;         /* of the test's own; rulesd keeps its database below it */
  GTestDBus *test_dbus; /* (nullable) */
  GSubprocess *daemon;  /* (nullable): a bus at a fixed address, which can be started again */
  char *address;
  RerouteBus *bus;
  RerouteRulesClient *client;
} BusFixture;

/* With GTestDBus, and the service file of the build tree. */
void bus_set_up (BusFixture *f, gconstpointer data);

/* With a dbus-daemon at a fixed address that any user may use; see bus_start_daemon(). */
void bus_set_up_daemon (BusFixture *f, gconstpointer data);
void bus_start_daemon (BusFixture *f);
void bus_stop_daemon (BusFixture *f);

/* A service file with @exec in the daemon's folder; before bus_start_daemon(). */
void bus_write_service (BusFixture *f, const char *exec);

/* Ends rulesd, too. */
void bus_tear_down (BusFixture *f, gconstpointer data);

/* A connection and a client of its own on the same bus. */
RerouteBus *bus_connect (BusFixture *f);

/* 0 when rulesd is not running.  Never starts it. */
GPid bus_get_rulesd_pid (BusFixture *f);
/* Waits until the name has no owner. */
void bus_kill_rulesd (BusFixture *f, int signal);

/* Runs the main loop until @condition, for at most 20 s. */
#define BUS_WAIT_FOR(condition)                                                                    \
  do                                                                                               \
    {                                                                                              \
      gint64 bus_deadline_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;                      \
      guint bus_tick = g_timeout_add (20, bus_tick_cb, NULL);                                      \
      while (!(condition))                                                                         \
        {                                                                                          \
          g_assert_cmpint (g_get_monotonic_time (), <, bus_deadline_us);                           \
          g_main_context_iteration (NULL, TRUE);                                                   \
        }                                                                                          \
      g_source_remove (bus_tick);                                                                  \
    }                                                                                              \
  while (FALSE)

gboolean bus_tick_cb (gpointer user_data);

/* A GAsyncReadyCallback that keeps the result: user_data is a GAsyncResult **. */
void bus_result_cb (GObject *source, GAsyncResult *result, gpointer user_data);
/* Waits for that; (transfer full) */
GAsyncResult *bus_await (GAsyncResult **result);

/* One call of org.reroute.Rules1, (transfer full). */
GVariant *bus_call (RerouteBus *bus, const char *method, GVariant *arguments, GError **error);

/* @lines: as sample_edit(); @confirmed: (nullable): one key */
RerouteCommitResult *bus_apply (
  BusFixture *f, const char *lines, guint64 expected_serial, const char *confirmed, GError **error);
/* The same, and it is saved. */
void bus_save (BusFixture *f, const char *lines, guint64 expected_serial);

/* The first of that code; (nullable) */
RerouteFinding *bus_find_finding (GPtrArray *findings, const char *code);

guint64 bus_get_held_serial (RerouteRulesClient *client); /* 0 also when nothing is held */

G_END_DECLS
