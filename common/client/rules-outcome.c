/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rules-outcome.c - whether an edit was saved whose answer was lost
 *
 * The connection was cut, or rulesd ended, while it was being saved.  rulesd knows, and one that
 * was started since reads it in its history; until it could be asked, nobody is told either.
 */

#include "config.h"

#include "common/client/rules-client-private.h"
#include "common/error.h"
#include "common/limits.h"

#include <glib/gi18n-lib.h>

typedef struct
{
  RerouteLostCall *lost;
  RerouteBus *bus;
  gulong bus_id;
  GCancellable *stop; /* (nullable): of the caller */
  gulong stop_id;
  GCancellable *call; /* of our question */
  GSource *limit;
  gboolean late; /* the time to get through is over */
  gboolean reopened;
  gboolean asking;
} Search;

static void
search_free (gpointer data)
{
  Search *search = data;

  reroute_lost_call_free (search->lost);
  g_object_unref (search->bus);
  g_clear_object (&search->stop);
  g_object_unref (search->call);
  g_source_unref (search->limit);
  g_free (search);
}

RerouteLostCall *
reroute_lost_call_new (ReroutePeerMark *mark, guint64 expected_serial)
{
  RerouteLostCall *self = g_new0 (RerouteLostCall, 1);

  self->mark = mark;
  self->expected_serial = expected_serial;
  return self;
}

static RerouteLostCall *
copy_lost_call (const RerouteLostCall *lost)
{
  ReroutePeerMark *mark = g_new0 (ReroutePeerMark, 1);

  mark->caller = g_strdup (lost->mark->caller);
  mark->number = lost->mark->number;
  return reroute_lost_call_new (mark, lost->expected_serial);
}

void
reroute_lost_call_free (RerouteLostCall *self)
{
  if (self == NULL)
    return;
  reroute_peer_mark_free (self->mark);
  g_free (self);
}

/* Nothing calls back after this; @task lives on its caller's reference. */
static void
end (GTask *task)
{
  Search *search = g_task_get_task_data (task);

  g_signal_handler_disconnect (search->bus, search->bus_id);
  if (search->stop_id != 0)
    g_signal_handler_disconnect (search->stop, search->stop_id);
  g_source_destroy (search->limit);
  g_cancellable_cancel (search->call);
}

GError *
reroute_lost_call_new_error (const char *why)
{
  return g_error_new (
    REROUTE_ERROR,
    REROUTE_ERROR_OUTCOME,
    /* Translators: why it cannot be found out; “reroutectl history” is a command */
    _ ("the answer was lost, and it is not known whether this was saved: “reroutectl history” tells once the service answers again (%s)"),
       why);
}

static void
give_up (GTask *task, const char *why)
{
  g_autoptr (GTask) kept = g_object_ref (task);

  end (task);
  g_task_return_error (kept, reroute_lost_call_new_error (why));
}

static gboolean
limit_cb (gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);
  Search *search = g_task_get_task_data (task);
  g_autoptr (GError) away = NULL;

  search->late = TRUE;
  if (search->asking)
    return G_SOURCE_REMOVE;
  away = reroute_bus_describe_away (search->bus);
  give_up (task, away->message);
  return G_SOURCE_REMOVE;
}

static void
stop_cb (GCancellable *cancellable, GTask *task)
{
  give_up (task, _ ("stopped"));
}

static gboolean
is_connected (const Search *search)
{
  GDBusConnection *connection = reroute_bus_get_connection (search->bus);

  return connection != NULL && !g_dbus_connection_is_closed (connection);
}

static void
tell (GTask *task, GVariant *reply)
{
  const char *state = NULL;
  guint64 serial = 0;

  g_variant_get (reply, "(&st)", &state, &serial);
  end (task);
  reroute_rules_client_set_lost (g_task_get_source_object (task), NULL);
  if (g_str_equal (state, "saved"))
    g_task_return_pointer (task, g_memdup2 (&serial, sizeof serial), g_free);
  else
    g_task_return_new_error (
      task,
      REROUTE_ERROR,
      REROUTE_ERROR_UNAVAILABLE,
      "%s",
      _ ("the connection was lost before this was saved: nothing was changed, try again"));
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Search *search = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = reroute_peer_call_finish (result, &error);

  search->asking = FALSE;
  if (g_cancellable_is_cancelled (search->call))
    return;
  if (reply != NULL)
    tell (task, reply);
  /* Cut once more: the bus comes back, or the limit ends it. */
  else if (is_connected (search) || search->late)
    give_up (task, error->message);
}

static void
ask (GTask *task)
{
  Search *search = g_task_get_task_data (task);
  const RerouteLostCall *lost = search->lost;

  if (search->asking)
    return;
  if (reroute_bus_get_connection (search->bus) == NULL && !search->reopened)
    {
      search->reopened = TRUE;
      reroute_bus_reopen (search->bus);
    }
  if (!is_connected (search))
    return;
  search->asking = TRUE;
  /* The answer comes when what is being saved has been, which takes as long as saving may. */
  reroute_peer_call (
    &reroute_peer_rules,
    search->bus,
    "Outcome",
    g_variant_new ("(sut)", lost->mark->caller, lost->mark->number, lost->expected_serial),
    G_VARIANT_TYPE ("(st)"),
    REROUTE_LIMIT_CALL_INTERACTIVE_MS,
    search->call,
    answered_cb,
    g_object_ref (task));
}

static void
bus_cb (RerouteBus *bus, GParamSpec *pspec, GTask *task)
{
  ask (task);
}

gboolean
reroute_rules_client_is_unsettled (RerouteRulesClient *self)
{
  g_return_val_if_fail (REROUTE_IS_RULES_CLIENT (self), FALSE);

  return reroute_rules_client_get_lost (self) != NULL;
}

void
reroute_rules_client_settle_async (RerouteRulesClient *self,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Search *search = g_new0 (Search, 1);

  g_return_if_fail (reroute_rules_client_is_unsettled (self));

  search->lost = copy_lost_call (reroute_rules_client_get_lost (self));
  search->bus = g_object_ref (reroute_rules_client_get_bus (self));
  search->call = g_cancellable_new ();
  search->limit = g_timeout_source_new (REROUTE_LIMIT_OUTCOME_MS);
  g_task_set_source_tag (task, reroute_rules_client_settle_async);
  g_task_set_task_data (task, search, search_free);
  g_source_set_callback (search->limit, limit_cb, task, g_object_unref);
  g_source_attach (search->limit, g_task_get_context (task));
  search->bus_id = g_signal_connect (search->bus, "notify::connection", G_CALLBACK (bus_cb), task);
  if (cancellable != NULL)
    {
      search->stop = g_object_ref (cancellable);
      search->stop_id = g_signal_connect (cancellable, "cancelled", G_CALLBACK (stop_cb), task);
    }
  if (g_cancellable_is_cancelled (cancellable))
    stop_cb (cancellable, task);
  else
    ask (task);
}

guint64
reroute_rules_client_settle_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error)
{
  g_autofree guint64 *serial = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), 0);

  serial = g_task_propagate_pointer (G_TASK (result), error);
  return serial != NULL ? *serial : 0;
}
