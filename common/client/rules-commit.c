/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rules-commit.c - one call that saves, and its true outcome
 *
 * Once it was sent it cannot be taken back.  When its answer is lost rulesd is asked; who stops
 * waiting is told that it is not known, and may have it asked later (rules-outcome.c).
 */

#include "config.h"

#include "common/client/rules-client-private.h"

#include "common/codec.h"
#include "common/error.h"

#include <glib/gi18n-lib.h>

typedef struct
{
  guint64 expected_serial;
  ReroutePeerMark *mark; /* (nullable): once it was sent */
  GCancellable *stop;    /* (nullable): of the caller */
  gulong stop_id;        /* 0: it ends nothing any more */
  gboolean stopped;
  gboolean recovered; /* its answer was lost */
} Commit;

static void
commit_free (gpointer data)
{
  Commit *commit = data;

  reroute_peer_mark_free (commit->mark);
  g_clear_object (&commit->stop);
  g_free (commit);
}

static void
let_go_on (Commit *commit)
{
  if (commit->stop_id != 0)
    g_signal_handler_disconnect (commit->stop, commit->stop_id);
  commit->stop_id = 0;
}

/* What rulesd is to be asked about. */
static void
keep_lost (GTask *task)
{
  Commit *commit = g_task_get_task_data (task);

  reroute_rules_client_set_lost (
    g_task_get_source_object (task),
    reroute_lost_call_new (g_steal_pointer (&commit->mark), commit->expected_serial));
}

static void
stop_cb (GCancellable *cancellable, GTask *task)
{
  Commit *commit = g_task_get_task_data (task);

  let_go_on (commit);
  commit->stopped = TRUE;
  keep_lost (task);
  g_task_return_error (task, reroute_lost_call_new_error (_ ("stopped")));
}

static void
outcome_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Commit *commit = g_task_get_task_data (task);
  GError *error = NULL;
  guint64 serial =
    reroute_rules_client_settle_finish (REROUTE_RULES_CLIENT (source), result, &error);

  commit->recovered = TRUE;
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task,
                           g_variant_ref_sink (g_variant_new (
                             "(st@a" REROUTE_FINDING_TYPE ")",
                             "saved",
                             serial,
                             g_variant_new_array (G_VARIANT_TYPE (REROUTE_FINDING_TYPE), NULL, 0))),
                           (GDestroyNotify) g_variant_unref);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Commit *commit = g_task_get_task_data (task);
  gboolean lost = FALSE;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = reroute_peer_call_marked_finish (result, &lost, &error);

  if (commit->stopped)
    return;
  let_go_on (commit);
  if (lost)
    {
      keep_lost (task);
      reroute_rules_client_settle_async (
        g_task_get_source_object (task), commit->stop, outcome_cb, g_object_ref (task));
    }
  else if (reply == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_pointer (task, g_steal_pointer (&reply), (GDestroyNotify) g_variant_unref);
}

void
reroute_rules_client_commit_async (RerouteRulesClient *self,
                                   const char *method,
                                   GVariant *arguments,
                                   guint64 expected_serial,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (arguments);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Commit *commit = g_new0 (Commit, 1);

  commit->expected_serial = expected_serial;
  g_task_set_source_tag (task, reroute_rules_client_commit_async);
  g_task_set_task_data (task, commit, commit_free);
  if (g_task_return_error_if_cancelled (task))
    return;
  g_task_set_check_cancellable (task, FALSE);
  reroute_rules_client_set_lost (self, NULL);
  reroute_peer_call_marked (&reroute_peer_rules,
                            reroute_rules_client_get_bus (self),
                            method,
                            sunk,
                            G_VARIANT_TYPE ("(sta" REROUTE_FINDING_TYPE ")"),
                            &commit->mark,
                            answered_cb,
                            g_object_ref (task));
  if (cancellable == NULL || commit->mark == NULL)
    return;
  commit->stop = g_object_ref (cancellable);
  commit->stop_id = g_signal_connect (cancellable, "cancelled", G_CALLBACK (stop_cb), task);
}

GVariant *
reroute_rules_client_commit_finish (GAsyncResult *result, gboolean *recovered, GError **error)
{
  GTask *task = G_TASK (result);
  const Commit *commit = g_task_get_task_data (task);

  *recovered = commit->recovered;
  return g_task_propagate_pointer (task, error);
}
