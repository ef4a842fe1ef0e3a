/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * commit.c - the way of an edit to a generation
 *
 * prepare (thread): the edit becomes a proposal, unless what is saved is checked; ask (bus): where
 * the MX of its domains leads; judge (thread): ruleset-check; save (thread, one at a time): the
 * transaction.  Between two steps someone else may have saved: what was made from an older
 * generation is then stale, and never stored.
 */

#include "config.h"

#include "service/rules/commit.h"

#include "common/client/authority.h"
#include "common/codec.h"
#include "common/error.h"
#include "service/host-name.h"
#include "service/memory-trim.h"
#include "service/rules/history.h"
#include "service/rules/mx-survey.h"

struct _RerouteCommitter
{
  RerouteRulebook *rulebook;
  RerouteRelayClient *relay;
  RerouteSavedFunc saved;
  gpointer saved_data;
  GQueue waiting; /* (element-type GTask): to be saved, the one that is being saved first */
};

typedef struct
{
  RerouteCommitter *committer;
  RerouteOrder *order;
  RerouteRuleset *base;
  gint64 next_row_id;
  RerouteProposal *proposal;
  char **questions;
  GHashTable *facts; /* (nullable): a RerouteMxFacts */
  GPtrArray *findings;
} Run;

void
reroute_order_free (RerouteOrder *self)
{
  g_clear_pointer (&self->changes, g_ptr_array_unref);
  g_clear_pointer (&self->restoration, reroute_restoration_unref);
  g_free (self->where);
  g_free (self->call);
  g_strfreev (self->confirmed);
  g_free (self->address);
  g_free (self->client);
  g_free (self);
}

static void
run_free (Run *run)
{
  g_clear_pointer (&run->order, reroute_order_free);
  g_clear_pointer (&run->base, reroute_ruleset_unref);
  g_clear_pointer (&run->proposal, reroute_proposal_free);
  g_strfreev (run->questions);
  g_clear_pointer (&run->facts, g_hash_table_unref);
  g_clear_pointer (&run->findings, g_ptr_array_unref);
  g_free (run);
}

RerouteCommitter *
reroute_committer_new (RerouteRulebook *rulebook,
                       RerouteRelayClient *relay,
                       RerouteSavedFunc saved,
                       gpointer user_data)
{
  RerouteCommitter *self = g_new0 (RerouteCommitter, 1);

  self->rulebook = rulebook;
  self->relay = g_object_ref (relay);
  self->saved = saved;
  self->saved_data = user_data;
  return self;
}

void
reroute_committer_free (RerouteCommitter *self)
{
  g_clear_object (&self->relay);
  g_free (self);
}

/* --- answers --- */

static void
return_findings (GTask *task)
{
  Run *run = g_task_get_task_data (task);
  GVariant *reply =
    g_variant_new ("(@a" REROUTE_FINDING_TYPE ")", reroute_findings_to_variant (run->findings));

  g_task_return_pointer (task, g_variant_ref_sink (reply), (GDestroyNotify) g_variant_unref);
}

static void
return_state (GTask *task, const char *state)
{
  Run *run = g_task_get_task_data (task);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  GPtrArray *findings = run->findings != NULL ? run->findings : none;
  GVariant *reply = g_variant_new ("(st@a" REROUTE_FINDING_TYPE ")",
                                   state,
                                   reroute_rulebook_get_serial (run->committer->rulebook),
                                   reroute_findings_to_variant (findings));

  g_task_return_pointer (task, g_variant_ref_sink (reply), (GDestroyNotify) g_variant_unref);
}

static gboolean
is_stale (const Run *run)
{
  return reroute_rulebook_get_ruleset (run->committer->rulebook) != run->base;
}

/* --- save --- */

static void start_saving (GTask *task);

static void
save_in_thread (GTask *step, gpointer source, gpointer data, GCancellable *cancellable)
{
  Run *run = data;
  RerouteRulebook *rulebook = run->committer->rulebook;
  RerouteRestoration *restoration = run->order->restoration;
  GError *error = NULL;

  if (restoration != NULL && reroute_restoration_takes_over (restoration, run->base)
        ? reroute_rulebook_adopt (
            rulebook, run->proposal, reroute_restoration_get_store (restoration), &error)
        : reroute_rulebook_save (rulebook, run->proposal, &error))
    g_task_return_boolean (step, TRUE);
  else
    g_task_return_error (step, error);
}

static void
trim_in_thread (GTask *step, gpointer source, gpointer data, GCancellable *cancellable)
{
  reroute_memory_trim_now ();
}

/* When everything of the edit is freed: the C library would keep hundreds of megabytes of it. */
static gboolean
trim_cb (gpointer user_data)
{
  g_autoptr (GTask) step = g_task_new (NULL, NULL, NULL, NULL);

  g_task_run_in_thread (step, trim_in_thread);
  return G_SOURCE_REMOVE;
}

static void
saved_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Run *run = g_task_get_task_data (task);
  RerouteCommitter *self = run->committer;
  GError *error = NULL;

  g_queue_pop_head (&self->waiting);
  if (g_task_propagate_boolean (G_TASK (result), &error))
    {
      reroute_rulebook_advance (self->rulebook, run->proposal);
      self->saved (run->proposal, self->saved_data);
      if (run->proposal->deltas->len >= REROUTE_LARGE_EDIT_CHANGES)
        g_idle_add (trim_cb, NULL);
      return_state (task, "saved");
    }
  else
    g_task_return_error (task, error);
  if (!g_queue_is_empty (&self->waiting))
    start_saving (g_queue_peek_head (&self->waiting));
}

/* Data of the run, which the task keeps alive until the step is through. */
static void
run_step (GTask *task, GTaskThreadFunc func, GAsyncReadyCallback callback)
{
  g_autoptr (GTask) step = g_task_new (NULL, NULL, callback, g_object_ref (task));

  g_task_set_task_data (step, g_task_get_task_data (task), NULL);
  g_task_run_in_thread (step, func);
}

static void
start_saving (GTask *task)
{
  RerouteCommitter *self = ((Run *) g_task_get_task_data (task))->committer;

  while (task != NULL && is_stale (g_task_get_task_data (task)))
    {
      return_state (task, "stale");
      g_object_unref (g_queue_pop_head (&self->waiting));
      task = g_queue_peek_head (&self->waiting);
    }
  if (task == NULL)
    return;
  run_step (task, save_in_thread, saved_cb);
  /* The step holds it now; the queue's place says that someone is saving. */
  g_object_unref (task);
}

static void
queue_saving (GTask *task)
{
  RerouteCommitter *self = ((Run *) g_task_get_task_data (task))->committer;

  g_queue_push_tail (&self->waiting, g_object_ref (task));
  if (self->waiting.length == 1)
    start_saving (task);
}

/* --- judge --- */

static gboolean
is_confirmed (const RerouteOrder *order, const RerouteFinding *finding)
{
  const char *const *keys = (const char *const *) order->confirmed;

  if (keys == NULL || finding->key == NULL)
    return FALSE;
  return g_strv_contains (keys, finding->key) || (g_str_equal (finding->code, "anyone-not-ours") &&
                                                  g_strv_contains (keys, REROUTE_KEY_NOT_ASKED));
}

/* "refused", "confirm", or NULL: it may be saved. */
static const char *
find_objection (const Run *run)
{
  gboolean asks = FALSE;

  for (guint i = 0; i < run->findings->len; i++)
    {
      const RerouteFinding *finding = run->findings->pdata[i];

      if (finding->level == REROUTE_FINDING_ERROR)
        return "refused";
      if (finding->level == REROUTE_FINDING_CONFIRM && !is_confirmed (run->order, finding))
        asks = TRUE;
    }
  return asks ? "confirm" : NULL;
}

static void
judge_in_thread (GTask *step, gpointer source, gpointer data, GCancellable *cancellable)
{
  Run *run = data;

  if (run->proposal == NULL)
    run->findings = reroute_ruleset_check (run->base, NULL, run->facts);
  else
    {
      run->findings = reroute_ruleset_check (run->proposal->next, run->base, run->facts);
      reroute_proposal_name_new_rows (run->proposal, run->findings);
    }
  g_task_return_boolean (step, TRUE);
}

static void
judged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Run *run = g_task_get_task_data (task);
  const char *objection = NULL;

  if (run->order->kind == REROUTE_ORDER_CHECK)
    {
      return_findings (task);
      return;
    }
  objection = find_objection (run);
  if (objection != NULL)
    return_state (task, objection);
  else
    queue_saving (task);
}

/* --- ask --- */

static void
facts_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Run *run = g_task_get_task_data (task);

  run->facts = reroute_mx_survey_finish (result);
  run_step (task, judge_in_thread, judged_cb);
}

static void
ask_or_judge (GTask *task)
{
  Run *run = g_task_get_task_data (task);
  RerouteRelayClient *relay = run->committer->relay;

  /* A relay that is away sends for nobody; “reroutectl check” asks it when it is back. */
  if (run->questions == NULL || run->questions[0] == NULL ||
      !reroute_relay_client_get_available (relay))
    run_step (task, judge_in_thread, judged_cb);
  else
    reroute_mx_survey_async (
      relay, (const char *const *) run->questions, facts_cb, g_object_ref (task));
}

/* --- explain --- */

static GVariant *
describe_decision (const RerouteAddress *address, const RerouteDecision *decision)
{
  g_autofree char *reply = g_strdup_printf (
    "%u %s %s", decision->reply_code, decision->reply_status, decision->reply_text);
  const char *next_hop = reroute_decision_get_next_hop (decision);
  const char *via = reroute_decision_get_via (decision);
  GVariantBuilder builder;
  const struct
  {
    const char *name;
    const char *value;
  } values[] = {
    { "recipient", address->text },
    { "action", reroute_action_to_string (decision->action) },
    { "rcpt_out", decision->rcpt_out },
    { "next_hop", next_hop },
    { "via", via },
    { "reply", reply },
  };

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    g_variant_builder_add (&builder,
                           "{sv}",
                           values[i].name,
                           g_variant_new_string (values[i].value != NULL ? values[i].value : ""));
  return g_variant_builder_end (&builder);
}

static GVariant *
explain (const Run *run, GError **error)
{
  const RerouteOrder *order = run->order;
  RerouteClient client = { .authenticated = order->authenticated };
  gboolean admits = *order->client != '\0';
  g_autofree char *machine = reroute_host_name_find ();
  g_autoptr (RerouteRuleset) rules = reroute_host_name_fill_in (run->proposal->next, machine);
  g_autoptr (RerouteAddress) address = reroute_address_parse (order->address, TRUE, error);
  g_autoptr (RerouteDecision) decision = NULL;
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_step_free);

  if (address == NULL)
    return NULL;
  if (admits && !reroute_ip_parse (order->client, &client.ip))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "client “%s” is not an IP address: wanted one like 192.0.2.1 or 2001:db8::1",
                   order->client);
      return NULL;
    }
  if (admits)
    decision =
      reroute_decision_new_forbidden (reroute_ruleset_get_settings (rules), &client.ip, steps);
  if (decision == NULL)
    decision = reroute_ruleset_decide (rules, address, admits ? &client : NULL, steps);
  return g_variant_new ("(@a{sv}@a" REROUTE_STEP_TYPE ")",
                        describe_decision (address, decision),
                        reroute_steps_to_variant (steps));
}

/* --- prepare --- */

/* What leads back to the generation that the order names. */
static GPtrArray *
find_undo (Run *run, GError **error)
{
  RerouteRulebook *rulebook = run->committer->rulebook;
  RerouteStore *reader = reroute_rulebook_borrow_reader (rulebook, error);
  GPtrArray *changes = NULL;

  if (reader == NULL)
    return NULL;
  changes = reroute_history_undo (reader, run->order->serial, error);
  reroute_rulebook_return_reader (rulebook, reader);
  return changes;
}

static RerouteProposal *
propose_restoration (Run *run, const RerouteProposalOrigin *origin, GError **error)
{
  RerouteRestoration *restoration = run->order->restoration;
  g_autoptr (GPtrArray) changes = NULL;

  if (reroute_restoration_takes_over (restoration, run->base))
    return reroute_restoration_take_over (restoration, run->base, origin, error);
  changes = reroute_restoration_dup_changes (restoration, run->base, NULL, error);
  return changes != NULL ? reroute_proposal_new (run->base, changes, origin, error) : NULL;
}

static void
set_summary (RerouteProposal *proposal, const char *what, guint64 serial)
{
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, serial);

  g_free (proposal->summary);
  proposal->summary = g_strconcat (what, number, NULL);
}

static gboolean
propose (Run *run, GError **error)
{
  RerouteOrder *order = run->order;
  g_autofree char *who = reroute_authority_dup_user_name (order->uid);
  gboolean reverts = order->kind == REROUTE_ORDER_REVERT;
  RerouteProposalOrigin origin = {
    .next_row_id = run->next_row_id,
    .restores = reverts,
    .who = who,
    .where = order->where,
    .call = order->call,
    .when_us = g_get_real_time (),
  };

  if (reverts)
    order->changes = find_undo (run, error);
  if (order->restoration != NULL)
    run->proposal = propose_restoration (run, &origin, error);
  else if (order->changes != NULL)
    run->proposal = reroute_proposal_new (run->base, order->changes, &origin, error);
  if (run->proposal == NULL)
    return FALSE;
  if (reverts)
    set_summary (run->proposal, "Brought back generation ", order->serial);
  if (order->restoration != NULL)
    set_summary (run->proposal,
                 "Restored a backup of generation ",
                 reroute_ruleset_get_serial (reroute_restoration_get_ruleset (order->restoration)));
  if (order->kind != REROUTE_ORDER_EXPLAIN)
    run->questions = reroute_ruleset_check_questions (run->proposal->next, run->base);
  return TRUE;
}

/* The saved generation, without an edit. */
static gboolean
judges_saved (const RerouteOrder *order)
{
  return order->kind == REROUTE_ORDER_CHECK && order->changes == NULL && order->restoration == NULL;
}

/* Returns what Explain answers; for the others, nothing. */
static void
prepare_in_thread (GTask *step, gpointer source, gpointer data, GCancellable *cancellable)
{
  Run *run = data;
  GError *error = NULL;
  GVariant *reply = NULL;

  if (judges_saved (run->order))
    run->questions = reroute_ruleset_check_questions (run->base, NULL);
  else if (propose (run, &error) && run->order->kind == REROUTE_ORDER_EXPLAIN)
    reply = explain (run, &error);
  if (error != NULL)
    g_task_return_error (step, error);
  else
    g_task_return_pointer (
      step, reply != NULL ? g_variant_ref_sink (reply) : NULL, (GDestroyNotify) g_variant_unref);
}

static void
prepared_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Run *run = g_task_get_task_data (task);
  GError *error = NULL;
  GVariant *reply = g_task_propagate_pointer (G_TASK (result), &error);

  if (error != NULL)
    g_task_return_error (task, error);
  else if (reply != NULL)
    g_task_return_pointer (task, reply, (GDestroyNotify) g_variant_unref);
  else if (run->order->kind != REROUTE_ORDER_CHECK && run->proposal->next == run->base)
    return_state (task, is_stale (run) ? "stale" : "saved");
  else
    ask_or_judge (task);
}

void
reroute_committer_run_async (RerouteCommitter *self,
                             RerouteOrder *order,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  Run *run = g_new0 (Run, 1);
  gboolean saves = order->kind == REROUTE_ORDER_COMMIT || order->kind == REROUTE_ORDER_REVERT ||
                   order->kind == REROUTE_ORDER_RESTORE;

  run->committer = self;
  run->order = order;
  run->base = reroute_ruleset_ref (reroute_rulebook_get_ruleset (self->rulebook));
  run->next_row_id = reroute_rulebook_get_next_row_id (self->rulebook);
  g_task_set_source_tag (task, reroute_committer_run_async);
  g_task_set_task_data (task, run, (GDestroyNotify) run_free);
  if (saves && order->expected_serial != reroute_rulebook_get_serial (self->rulebook))
    return_state (task, "stale");
  else
    run_step (task, prepare_in_thread, prepared_cb);
}

GVariant *
reroute_committer_run_finish (RerouteCommitter *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reroute_committer_run_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
