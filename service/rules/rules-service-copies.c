/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rules-service-copies.c - the methods of org.reroute.Rules1 about backups
 *
 * What takes time is done to a copy in a thread, one thing at a time; the copy is busy meanwhile.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-rules-service"

#include "service/rules/rules-service-private.h"

#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"

/* --- steps --- */

typedef struct
{
  RerouteRulesCall *call;
  RerouteCopy *copy;
  GVariant *(*work) (RerouteCopy *copy, GVariant *arguments, GError **error);
  RerouteRuleset *base; /* RestoreCheck: what the copy is compared with */
  RerouteRestorationFigures figures;
  char *who; /* (nullable): the caller's name for the log, which its thread has looked up */
} Step;

static void
step_free (Step *step)
{
  reroute_copy_unref (step->copy);
  g_clear_pointer (&step->base, reroute_ruleset_unref);
  g_free (step->who);
  g_free (step);
}

/* (transfer full) (nullable): with the copy that the first argument names; the call has ended when
   it is none. */
static Step *
find_step (RerouteRulesCall *call, RerouteCopyKind kind)
{
  g_autoptr (GError) error = NULL;
  RerouteCopy *copy = NULL;
  Step *step = NULL;
  guint number = 0;

  g_variant_get_child (call->arguments, 0, "u", &number);
  copy = reroute_copies_find (
    call->service->copies, reroute_rules_call_get_sender (call), kind, number, &error);
  if (copy == NULL)
    {
      reroute_rules_call_fail (call, g_steal_pointer (&error));
      return NULL;
    }
  step = g_new0 (Step, 1);
  step->call = call;
  step->copy = copy;
  return step;
}

static void
run_step (Step *step, GTaskThreadFunc func, GAsyncReadyCallback callback)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, step);

  reroute_copy_set_busy (step->copy, TRUE);
  g_task_set_task_data (task, step, NULL);
  g_task_run_in_thread (task, func);
}

static void
work_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Step *step = data;
  GError *error = NULL;
  GVariant *reply = step->work (step->copy, step->call->arguments, &error);

  if (reply != NULL)
    g_task_return_pointer (task, g_variant_ref_sink (reply), (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

/* Of @result; frees the step when there is none. */
static GVariant *
finish_work (Step *step, GAsyncResult *result)
{
  GError *error = NULL;
  GVariant *reply = g_task_propagate_pointer (G_TASK (result), &error);

  reroute_copy_set_busy (step->copy, FALSE);
  if (reply != NULL)
    return reply;
  reroute_rules_call_fail (step->call, error);
  return NULL;
}

static void
worked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Step *step = user_data;
  g_autoptr (GVariant) reply = finish_work (step, result);

  if (reply != NULL)
    reroute_rules_call_reply (step->call, reply);
  step_free (step);
}

static void
end_copy (RerouteRulesCall *call, RerouteCopyKind kind)
{
  RerouteCopies *copies = call->service->copies;
  Step *step = find_step (call, kind);

  if (step == NULL)
    return;
  reroute_copies_end (copies, step->copy);
  step_free (step);
  reroute_rules_call_reply (call, NULL);
}

/* --- backup --- */

static GVariant *
take (RerouteCopy *copy, GVariant *arguments, GError **error)
{
  RerouteCopyFacts facts;
  GVariantBuilder rows;

  if (!reroute_copy_take (copy, &facts, error))
    return NULL;
  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a{su}"));
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    g_variant_builder_add (&rows, "{su}", reroute_page_to_string (page), facts.n_rows[page]);
  return g_variant_new ("(utsts@a{su})",
                        reroute_copy_get_number (copy),
                        facts.n_octets,
                        facts.sha256,
                        facts.serial,
                        g_get_host_name (),
                        g_variant_builder_end (&rows));
}

static void
take_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Step *step = data;

  step->who = reroute_authority_dup_user_name (step->call->caller.uid);
  work_in_thread (task, source, data, cancellable);
}

static void
taken_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Step *step = user_data;
  RerouteCopies *copies = step->call->service->copies;
  g_autoptr (GVariant) reply = finish_work (step, result);
  guint64 serial = 0;

  if (reply == NULL)
    reroute_copies_end (copies, step->copy);
  else
    {
      g_variant_get_child (reply, 3, "t", &serial);
      g_message ("generation %" G_GUINT64_FORMAT " copied as a backup for %s", serial, step->who);
      reroute_rules_call_reply (step->call, reply);
    }
  step_free (step);
}

void
reroute_rules_run_backup_begin (RerouteRulesCall *call)
{
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (call->invocation);
  GError *error = NULL;
  RerouteCopy *copy = reroute_copies_begin_backup (
    call->service->copies, connection, reroute_rules_call_get_sender (call), &error);
  Step *step = NULL;

  if (copy == NULL)
    {
      reroute_rules_call_fail (call, error);
      return;
    }
  step = g_new0 (Step, 1);
  step->call = call;
  step->copy = copy;
  step->work = take;
  run_step (step, take_in_thread, taken_cb);
}

static GVariant *
pack_octets (GBytes *octets)
{
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, octets, TRUE);
}

static GVariant *
read_part (RerouteCopy *copy, GVariant *arguments, GError **error)
{
  g_autoptr (GBytes) octets = NULL;
  guint64 offset = 0;
  guint count = 0;

  g_variant_get (arguments, "(utu)", NULL, &offset, &count);
  octets = reroute_copy_read (copy, offset, MIN (count, REROUTE_LIMIT_COPY_PART_OCTETS), error);
  return octets != NULL ? g_variant_new ("(@ay)", pack_octets (octets)) : NULL;
}

void
reroute_rules_run_backup_read (RerouteRulesCall *call)
{
  Step *step = find_step (call, REROUTE_COPY_BACKUP);

  if (step == NULL)
    return;
  step->work = read_part;
  run_step (step, work_in_thread, worked_cb);
}

void
reroute_rules_run_backup_end (RerouteRulesCall *call)
{
  end_copy (call, REROUTE_COPY_BACKUP);
}

/* --- restore --- */

void
reroute_rules_run_restore_begin (RerouteRulesCall *call)
{
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (call->invocation);
  const char *sha256 = NULL;
  guint64 n_octets = 0;
  g_autoptr (GError) error = NULL;
  RerouteCopy *copy = NULL;

  g_variant_get (call->arguments, "(t&s)", &n_octets, &sha256);
  copy = reroute_copies_begin_restore (call->service->copies,
                                       connection,
                                       reroute_rules_call_get_sender (call),
                                       n_octets,
                                       sha256,
                                       &error);
  if (copy == NULL)
    {
      reroute_rules_call_fail (call, g_steal_pointer (&error));
      return;
    }
  reroute_rules_call_reply (call, g_variant_new ("(u)", reroute_copy_get_number (copy)));
  reroute_copy_unref (copy);
}

static GVariant *
write_part (RerouteCopy *copy, GVariant *arguments, GError **error)
{
  g_autoptr (GVariant) array = g_variant_get_child_value (arguments, 2);
  g_autoptr (GBytes) octets = g_variant_get_data_as_bytes (array);
  guint64 offset = 0;

  g_variant_get_child (arguments, 1, "t", &offset);
  if (g_bytes_get_size (octets) <= REROUTE_LIMIT_REPLY_OCTETS)
    return reroute_copy_write (copy, offset, octets, error) ? g_variant_new ("()") : NULL;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_TOO_LARGE,
               "a part of %" G_GSIZE_FORMAT " octets is too large for one call: wanted at most %d",
               g_bytes_get_size (octets),
               REROUTE_LIMIT_REPLY_OCTETS);
  return NULL;
}

void
reroute_rules_run_restore_write (RerouteRulesCall *call)
{
  Step *step = find_step (call, REROUTE_COPY_RESTORE);

  if (step == NULL)
    return;
  step->work = write_part;
  run_step (step, work_in_thread, worked_cb);
}

static void
examine_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Step *step = data;
  GError *error = NULL;
  RerouteRestoration *restoration = reroute_copy_examine (step->copy, &error);
  g_autoptr (GPtrArray) changes = NULL;

  if (restoration != NULL)
    changes = reroute_restoration_dup_changes (restoration, step->base, &step->figures, &error);
  if (changes != NULL)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  step->who = reroute_authority_dup_user_name (step->call->caller.uid);
  g_task_return_error (task, error);
}

/* a{su}: of the backup, and what restoring it would do. */
static GVariant *
pack_figures (const Step *step)
{
  RerouteRuleset *ruleset =
    reroute_restoration_get_ruleset (reroute_copy_get_restoration (step->copy));
  const RerouteRestorationFigures *figures = &step->figures;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{su}"));
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    g_variant_builder_add (&builder,
                           "{su}",
                           reroute_page_to_string (page),
                           (guint) reroute_ruleset_get_n_rows (ruleset, page));
  g_variant_builder_add (&builder, "{su}", "added", figures->n_added);
  g_variant_builder_add (&builder, "{su}", "changed", figures->n_changed);
  g_variant_builder_add (&builder, "{su}", "removed", figures->n_removed);
  g_variant_builder_add (&builder, "{su}", "settings", figures->n_set);
  return g_variant_builder_end (&builder);
}

static void
checked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Step *step = user_data;
  RerouteRestoration *restoration = reroute_copy_get_restoration (step->copy);
  RerouteRuleset *ruleset = reroute_restoration_get_ruleset (restoration);
  GError *error = NULL;
  g_autoptr (GVariant) reply =
               reroute_committer_run_finish (step->call->service->committer, result, &error);

  reroute_copy_set_busy (step->copy, FALSE);
  if (reply != NULL)
    {
      g_autoptr (GVariant) findings = g_variant_get_child_value (reply, 0);

      reroute_rules_call_reply (
        step->call,
        g_variant_new ("(ttb@a{su}@a" REROUTE_FINDING_TYPE ")",
                       reroute_ruleset_get_serial (step->base),
                       reroute_ruleset_get_serial (ruleset),
                       reroute_restoration_takes_over (restoration, step->base),
                       pack_figures (step),
                       findings));
    }
  else
    reroute_rules_call_fail (step->call, error);
  step_free (step);
}

static void
examined_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Step *step = user_data;
  GError *error = NULL;
  RerouteOrder *order = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      g_message ("no backup was restored for %s: %s", step->who, error->message);
      reroute_copy_set_busy (step->copy, FALSE);
      reroute_rules_call_fail (step->call, error);
      step_free (step);
      return;
    }
  order = g_new0 (RerouteOrder, 1);
  order->kind = REROUTE_ORDER_CHECK;
  order->restoration = reroute_restoration_ref (reroute_copy_get_restoration (step->copy));
  reroute_rules_call_place_order (step->call, order, checked_cb, step);
}

void
reroute_rules_run_restore_check (RerouteRulesCall *call)
{
  RerouteRulebook *rulebook = call->service->rulebook;
  Step *step = find_step (call, REROUTE_COPY_RESTORE);

  if (step == NULL)
    return;
  step->base = reroute_ruleset_ref (reroute_rulebook_get_ruleset (rulebook));
  run_step (step, examine_in_thread, examined_cb);
}

static void
restored_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Step *step = user_data;
  RerouteRulesService *self = step->call->service;
  GError *error = NULL;
  g_autoptr (GVariant) reply = reroute_committer_run_finish (self->committer, result, &error);

  reroute_copy_set_busy (step->copy, FALSE);
  if (reply == NULL)
    reroute_rules_call_fail (step->call, error);
  else
    {
      if (reroute_rules_call_note_saved (step->call, reply))
        reroute_copies_end (self->copies, step->copy);
      reroute_rules_call_reply (step->call, reply);
    }
  step_free (step);
}

void
reroute_rules_run_restore_commit (RerouteRulesCall *call)
{
  Step *step = find_step (call, REROUTE_COPY_RESTORE);
  RerouteRestoration *restoration = step != NULL ? reroute_copy_get_restoration (step->copy) : NULL;
  RerouteOrder *order = NULL;

  if (step == NULL)
    return;
  if (restoration == NULL)
    {
      step_free (step);
      reroute_rules_call_fail (call,
                               g_error_new_literal (REROUTE_ERROR,
                                                    REROUTE_ERROR_VALUE,
                                                    "the backup was not examined yet: call "
                                                    "RestoreCheck first"));
      return;
    }
  order = g_new0 (RerouteOrder, 1);
  order->kind = REROUTE_ORDER_RESTORE;
  order->restoration = reroute_restoration_ref (restoration);
  g_variant_get (call->arguments, "(ut^as)", NULL, &order->expected_serial, &order->confirmed);
  reroute_copy_set_busy (step->copy, TRUE);
  reroute_rules_call_place_order (call, order, restored_cb, step);
}

void
reroute_rules_run_restore_end (RerouteRulesCall *call)
{
  end_copy (call, REROUTE_COPY_RESTORE);
}
