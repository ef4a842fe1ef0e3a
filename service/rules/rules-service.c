/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rules-service.c - org.reroute.Rules1 on the bus
 *
 * Every call goes the same way: the table says what it needs, authority.c whether the caller
 * has it, and the method's function answers, most of them from a worker thread.  GDBus has
 * checked the types of the arguments; their values are checked here and below.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-rules-service"

#include "service/rules/rules-service-private.h"

#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/names.h"
#include "service/rules/change-parts.h"
#include "service/rules/outcomes.h"
#include "service/rules/schema.h"

G_DEFINE_FINAL_TYPE (RerouteRulesService, reroute_rules_service, G_TYPE_OBJECT)

typedef RerouteRulesCall Call;
typedef RerouteRulesMethod Method;

/* --- replies --- */

static void
call_free (Call *call)
{
  RerouteRulesService *self = call->service;

  g_ptr_array_remove_fast (self->lists, call);
  if (call->name != NULL)
    reroute_outcomes_end (self->outcomes, call->name, call->saved);
  reroute_caller_clear (&call->caller);
  g_free (call->name);
  g_variant_unref (call->arguments);
  g_object_unref (call->cancellable);
  g_free (call);
  if (--self->n_calls == 0 && self->stopped != NULL)
    self->stopped (self->stopped_data);
  g_object_unref (self);
}

void
reroute_rules_call_reply (Call *call, GVariant *value)
{
  g_dbus_method_invocation_return_value (call->invocation, value);
  call_free (call);
}

void
reroute_rules_call_fail (Call *call, GError *error)
{
  g_debug ("%s: %s", call->method->name, error->message);
  if (g_cancellable_is_cancelled (call->service->cancellable))
    reroute_bus_explain_cancelled (&error);
  g_dbus_method_invocation_take_error (call->invocation, error);
  call_free (call);
}

const char *
reroute_rules_call_get_sender (Call *call)
{
  return g_dbus_method_invocation_get_sender (call->invocation);
}

/* --- methods that only read --- */

static void
answer_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Call *call = data;
  RerouteRulesService *self = call->service;
  GError *error = NULL;
  RerouteStore *reader = reroute_rulebook_borrow_reader (self->rulebook, &error);
  GVariant *reply = NULL;

  if (reader != NULL)
    {
      reroute_store_set_cancellable (reader, call->cancellable);
      reply = call->method->answer (reader, self->cache, call->arguments, &error);
      reroute_rulebook_return_reader (self->rulebook, reader);
    }
  if (reply != NULL)
    g_task_return_pointer (task, g_variant_ref_sink (reply), (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;
  GError *error = NULL;
  g_autoptr (GVariant) reply = g_task_propagate_pointer (G_TASK (result), &error);

  if (reply != NULL)
    reroute_rules_call_reply (call, reply);
  else
    reroute_rules_call_fail (call, error);
}

static void
run_answer (Call *call)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, answered_cb, call);

  g_task_set_task_data (task, call, NULL);
  g_task_run_in_thread (task, answer_in_thread);
}

static void
run_list (Call *call)
{
  RerouteRulesService *self = call->service;

  for (guint i = 0; i < self->lists->len; i++)
    {
      Call *earlier = self->lists->pdata[i];
      if (g_str_equal (reroute_rules_call_get_sender (earlier),
                       reroute_rules_call_get_sender (call)) &&
          reroute_list_is_superseded (earlier->arguments, call->arguments))
        g_cancellable_cancel (earlier->cancellable);
    }
  g_ptr_array_add (self->lists, call);
  run_answer (call);
}

/* --- edits --- */

static void
run_begin (Call *call)
{
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (call->invocation);
  GError *error = NULL;
  guint number = reroute_edits_begin (
    call->service->edits, connection, reroute_rules_call_get_sender (call), &error);

  if (number != 0)
    reroute_rules_call_reply (call, g_variant_new ("(u)", number));
  else
    reroute_rules_call_fail (call, error);
}

static void
run_discard (Call *call)
{
  GError *error = NULL;
  guint number = 0;

  g_variant_get (call->arguments, "(u)", &number);
  if (reroute_edits_discard (
        call->service->edits, reroute_rules_call_get_sender (call), number, &error))
    reroute_rules_call_reply (call, NULL);
  else
    reroute_rules_call_fail (call, error);
}

/* Takes @changes over; %NULL: @error says why. */
static void
stage (Call *call, GPtrArray *changes, GError *error)
{
  g_autoptr (GPtrArray) staged = changes;
  guint number = 0;

  g_variant_get_child (call->arguments, 0, "u", &number);
  if (staged != NULL &&
      reroute_edits_stage (
        call->service->edits, reroute_rules_call_get_sender (call), number, staged, &error))
    reroute_rules_call_reply (call, NULL);
  else
    reroute_rules_call_fail (call, error);
}

static void
run_stage (Call *call)
{
  GError *error = NULL;
  GPtrArray *changes = reroute_change_parts_read (call->arguments, 1, &error);

  stage (call, changes, error);
}

static void
run_stage_columns (Call *call)
{
  GError *error = NULL;
  GPtrArray *changes = reroute_change_parts_read_columns (call->arguments, &error);

  stage (call, changes, error);
}

/* --- orders: commit, apply, revert, check, explain --- */

void
reroute_rules_call_place_order (Call *call,
                                RerouteOrder *order,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  order->uid = call->caller.uid;
  order->where = g_strdup (call->caller.where);
  order->call = g_strdup (call->name);
  reroute_committer_run_async (call->service->committer, order, callback, user_data);
}

gboolean
reroute_rules_call_note_saved (Call *call, GVariant *reply)
{
  const char *state = NULL;

  g_variant_get_child (reply, 0, "&s", &state);
  if (!g_str_equal (state, "saved"))
    return FALSE;
  g_variant_get_child (reply, 1, "t", &call->saved);
  return TRUE;
}

static void
ordered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;
  RerouteRulesService *self = call->service;
  GError *error = NULL;
  g_autoptr (GVariant) reply = reroute_committer_run_finish (self->committer, result, &error);

  if (reply == NULL)
    {
      reroute_rules_call_fail (call, error);
      return;
    }
  if (call->name != NULL && reroute_rules_call_note_saved (call, reply) && call->edit != 0)
    reroute_edits_discard (self->edits, reroute_rules_call_get_sender (call), call->edit, NULL);
  reroute_rules_call_reply (call, reply);
}

static void
place_order (Call *call, RerouteOrder *order)
{
  reroute_rules_call_place_order (call, order, ordered_cb, call);
}

/* Takes @order over.  @number 0 is the saved generation, where @optional. */
static gboolean
take_edit (Call *call, RerouteOrder *order, guint number, gboolean optional)
{
  GError *error = NULL;

  if (number == 0 && optional)
    return TRUE;
  order->changes = reroute_edits_dup_changes (
    call->service->edits, reroute_rules_call_get_sender (call), number, &error);
  if (order->changes != NULL)
    return TRUE;
  reroute_order_free (order);
  reroute_rules_call_fail (call, error);
  return FALSE;
}

static void
run_check (Call *call)
{
  RerouteOrder *order = g_new0 (RerouteOrder, 1);
  guint number = 0;

  order->kind = REROUTE_ORDER_CHECK;
  g_variant_get (call->arguments, "(u)", &number);
  if (take_edit (call, order, number, TRUE))
    place_order (call, order);
}

static void
run_commit (Call *call)
{
  RerouteOrder *order = g_new0 (RerouteOrder, 1);

  order->kind = REROUTE_ORDER_COMMIT;
  g_variant_get (
    call->arguments, "(ut^as)", &call->edit, &order->expected_serial, &order->confirmed);
  if (take_edit (call, order, call->edit, FALSE))
    place_order (call, order);
}

static void
run_apply (Call *call)
{
  GError *error = NULL;
  GPtrArray *changes = reroute_change_parts_read (call->arguments, 0, &error);
  RerouteOrder *order = NULL;

  if (changes == NULL)
    {
      reroute_rules_call_fail (call, error);
      return;
    }
  order = g_new0 (RerouteOrder, 1);
  order->kind = REROUTE_ORDER_COMMIT;
  order->changes = changes;
  g_variant_get_child (call->arguments, 1, "t", &order->expected_serial);
  g_variant_get_child (call->arguments, 2, "^as", &order->confirmed);
  place_order (call, order);
}

static void
run_revert (Call *call)
{
  RerouteOrder *order = g_new0 (RerouteOrder, 1);

  order->kind = REROUTE_ORDER_REVERT;
  g_variant_get (
    call->arguments, "(tt^as)", &order->serial, &order->expected_serial, &order->confirmed);
  place_order (call, order);
}

static void
run_explain (Call *call)
{
  RerouteOrder *order = g_new0 (RerouteOrder, 1);
  guint number = 0;

  order->kind = REROUTE_ORDER_EXPLAIN;
  g_variant_get (
    call->arguments, "(ssbu)", &order->address, &order->client, &order->authenticated, &number);
  if (!take_edit (call, order, number, TRUE))
    return;
  if (order->changes == NULL)
    order->changes = g_ptr_array_new ();
  place_order (call, order);
}

/* --- outcome --- */

static void
outcome_cb (guint64 serial, gpointer user_data)
{
  Call *call = user_data;
  guint64 newest = reroute_rulebook_get_serial (call->service->rulebook);

  reroute_rules_call_reply (
    call,
    g_variant_new ("(st)", serial != 0 ? "saved" : "not-saved", serial != 0 ? serial : newest));
}

/* What is not in memory was before a restart, and is in the history, or was nowhere. */
static void
run_outcome (Call *call)
{
  g_autofree char *name = NULL;
  const char *sender = NULL;
  guint number = 0;

  g_variant_get (call->arguments, "(&sut)", &sender, &number, NULL);
  if (!g_dbus_is_unique_name (sender))
    {
      reroute_rules_call_fail (call,
                               g_error_new_literal (REROUTE_ERROR,
                                                    REROUTE_ERROR_VALUE,
                                                    "the caller is no unique name of the bus"));
      return;
    }
  name = reroute_outcomes_name (sender, number);
  if (!reroute_outcomes_ask (call->service->outcomes, name, outcome_cb, call))
    run_answer (call);
}

/* Before anything else is waited for: a call that has come is not one that was given up. */
static gboolean
begin_saving (Call *call)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (call->invocation);
  g_autofree char *name = reroute_outcomes_name (reroute_rules_call_get_sender (call),
                                                 g_dbus_message_get_serial (message));

  if (!reroute_outcomes_begin (call->service->outcomes, name))
    return FALSE;
  call->name = g_steal_pointer (&name);
  return TRUE;
}

/* --- dispatch --- */

#define MODIFY REROUTE_ACTION_RULES_MODIFY

/* clang-format off */
static const Method methods[] = {
  { "List",           "handle-list",            NULL,   run_list,    reroute_answer_list },
  { "ListIds",        "handle-list-ids",        NULL,   run_answer,  reroute_answer_list_ids },
  { "Load",           "handle-load",            NULL,   run_answer,  reroute_answer_load },
  { "LoadColumns",    "handle-load-columns",    NULL,   run_answer,  reroute_answer_load_columns },
  { "Settings",       "handle-settings",        NULL,   run_answer,  reroute_answer_settings },
  { "Begin",          "handle-begin",           NULL,   run_begin,   NULL },
  { "Stage",          "handle-stage",           MODIFY, run_stage,   NULL },
  { "StageColumns",   "handle-stage-columns",   MODIFY, run_stage_columns, NULL },
  { "Check",          "handle-check",           NULL,   run_check,   NULL },
  { "Commit",         "handle-commit",          MODIFY, run_commit,  NULL },
  { "Discard",        "handle-discard",         NULL,   run_discard, NULL },
  { "Apply",          "handle-apply",           MODIFY, run_apply,   NULL },
  { "ChangesSince",   "handle-changes-since",   NULL,   run_answer,  reroute_answer_changes_since },
  { "History",        "handle-history",         NULL,   run_answer,  reroute_answer_history },
  { "HistoryChanges", "handle-history-changes", NULL,   run_answer,  reroute_answer_history_changes },
  { "Revert",         "handle-revert",          MODIFY, run_revert,  NULL },
  { "Explain",        "handle-explain",         NULL,   run_explain, NULL },
  { "BackupBegin",    "handle-backup-begin",    MODIFY, reroute_rules_run_backup_begin, NULL },
  { "BackupRead",     "handle-backup-read",     NULL,   reroute_rules_run_backup_read, NULL },
  { "BackupEnd",      "handle-backup-end",      NULL,   reroute_rules_run_backup_end, NULL },
  { "RestoreBegin",   "handle-restore-begin",   MODIFY, reroute_rules_run_restore_begin, NULL },
  { "RestoreWrite",   "handle-restore-write",   NULL,   reroute_rules_run_restore_write, NULL },
  { "RestoreCheck",   "handle-restore-check",   NULL,   reroute_rules_run_restore_check, NULL },
  { "RestoreCommit",  "handle-restore-commit",  MODIFY, reroute_rules_run_restore_commit, NULL },
  { "RestoreEnd",     "handle-restore-end",     NULL,   reroute_rules_run_restore_end, NULL },
  { "Outcome",        "handle-outcome",         NULL,   run_outcome, reroute_answer_outcome },
};
/* clang-format on */

static void
authorized_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;
  GError *error = NULL;

  if (reroute_authority_check_finish (REROUTE_AUTHORITY (source), result, &call->caller, &error))
    call->method->run (call);
  else
    reroute_rules_call_fail (call, error);
}

static gboolean
saves (const Method *method)
{
  return method->run == run_commit || method->run == run_apply || method->run == run_revert ||
         method->run == reroute_rules_run_restore_commit;
}

static void
accept_call (RerouteRulesService *self, const Method *method, GDBusMethodInvocation *invocation)
{
  Call *call = g_new0 (Call, 1);
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  GVariant *arguments = g_dbus_method_invocation_get_parameters (invocation);
  gboolean stages = method->run == run_stage || method->run == run_stage_columns;
  guint number = 0;

  if (stages)
    g_variant_get_child (arguments, 0, "u", &number);
  /* polkit may have to ask a person: once for all parts of an edit. */
  gboolean admitted = stages && reroute_edits_is_admitted (self->edits, sender, number);
  const RerouteAccess access = { admitted ? NULL : method->action, saves (method) };

  call->service = g_object_ref (self);
  call->method = method;
  call->invocation = invocation;
  call->arguments = g_variant_ref (arguments);
  call->cancellable = g_cancellable_new ();
  self->n_calls++;
  if (saves (method) && !begin_saving (call))
    {
      reroute_rules_call_fail (
        call,
        g_error_new_literal (REROUTE_ERROR,
                             REROUTE_ERROR_NO_SUCH_EDIT,
                             "its caller has given it up: begin a new edit"));
      return;
    }
  reroute_authority_check_async (
    self->authority, invocation, &access, self->cancellable, authorized_cb, call);
}

/* The one handler of all methods: the invocation carries what the signal's other values say. */
static void
dispatch (GClosure *closure,
          GValue *handled,
          guint n_values,
          const GValue *values,
          gpointer hint,
          gpointer method)
{
  accept_call (closure->data, method, g_value_get_object (&values[1]));
  g_value_set_boolean (handled, TRUE);
}

static void
connect_methods (RerouteRulesService *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      GClosure *closure = g_closure_new_simple (sizeof (GClosure), self);

      g_closure_set_meta_marshal (closure, (gpointer) &methods[i], dispatch);
      g_signal_connect_closure (self->skeleton, methods[i].signal, closure, FALSE);
    }
}

/* --- announcing --- */

static void
saved_cb (const RerouteProposal *proposal, gpointer user_data)
{
  RerouteRulesService *self = user_data;
  guint64 serial = reroute_ruleset_get_serial (proposal->next);

  g_message ("generation %" G_GUINT64_FORMAT " saved for %s from %s: %s",
             serial,
             proposal->who,
             proposal->where != NULL ? proposal->where : "an unknown place",
             proposal->summary);
  reroute_dbus_rules1_set_serial (self->skeleton, serial);
  reroute_dbus_rules1_emit_changed (
    self->skeleton, serial, proposal->deltas->len, reroute_change_parts_announce (proposal));
}

/* --- object --- */

static void
reroute_rules_service_finalize (GObject *object)
{
  RerouteRulesService *self = REROUTE_RULES_SERVICE (object);

  g_object_unref (self->skeleton);
  g_object_unref (self->authority);
  g_object_unref (self->relay);
  g_object_unref (self->cancellable);
  reroute_committer_free (self->committer);
  reroute_edits_free (self->edits);
  reroute_copies_free (self->copies);
  reroute_outcomes_free (self->outcomes);
  reroute_list_cache_free (self->cache);
  g_ptr_array_unref (self->lists);
  g_object_unref (self->bus);
  G_OBJECT_CLASS (reroute_rules_service_parent_class)->finalize (object);
}

static void
reroute_rules_service_class_init (RerouteRulesServiceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reroute_rules_service_finalize;
}

static void
reroute_rules_service_init (RerouteRulesService *self)
{
  reroute_error_quark ();
  self->skeleton = reroute_dbus_rules1_skeleton_new ();
  self->edits = reroute_edits_new ();
  self->outcomes = reroute_outcomes_new ();
  self->cache = reroute_list_cache_new ();
  self->lists = g_ptr_array_new ();
  self->cancellable = g_cancellable_new ();
}

RerouteRulesService *
reroute_rules_service_new (RerouteBus *bus, RerouteRulebook *rulebook)
{
  RerouteRulesService *self = g_object_new (REROUTE_TYPE_RULES_SERVICE, NULL);

  self->bus = g_object_ref (bus);
  self->rulebook = rulebook;
  self->copies = reroute_copies_new (rulebook);
  self->authority = reroute_authority_new (bus);
  self->relay = reroute_relay_client_new (bus);
  self->committer = reroute_committer_new (rulebook, self->relay, saved_cb, self);
  reroute_dbus_rules1_set_serial (self->skeleton, reroute_rulebook_get_serial (rulebook));
  g_object_set (self->skeleton, "version", REROUTE_VERSION, "schema", REROUTE_SCHEMA_VERSION, NULL);
  connect_methods (self);
  return self;
}

void
reroute_rules_service_publish (RerouteRulesService *self)
{
  g_return_if_fail (REROUTE_IS_RULES_SERVICE (self));

  reroute_relay_client_watch (self->relay);
  reroute_bus_publish (self->bus,
                       G_DBUS_INTERFACE_SKELETON (self->skeleton),
                       REROUTE_RULES_PATH,
                       REROUTE_RULES_BUS_NAME);
}

void
reroute_rules_service_stop (RerouteRulesService *self,
                            void (*stopped) (gpointer user_data),
                            gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RULES_SERVICE (self));

  reroute_bus_unpublish (self->bus);
  g_cancellable_cancel (self->cancellable);
  reroute_copies_cancel (self->copies);
  for (guint i = 0; i < self->lists->len; i++)
    g_cancellable_cancel (((Call *) self->lists->pdata[i])->cancellable);
  self->stopped = stopped;
  self->stopped_data = user_data;
  if (self->n_calls == 0)
    stopped (user_data);
}
