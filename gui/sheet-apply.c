/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sheet-apply.c - Apply, and what became of one whose answer was lost
 *
 * Whether that one was saved is asked once more as soon as the service can be reached; until then
 * the edit stays as it is, and what others saved is not taken in: it could be ours.  Where she has
 * gone on meanwhile, the generation that it became is read and the edit laid over it; what others
 * saved comes after that.
 */

#include "config.h"

#include "gui/sheet-private.h"

#include "common/error.h"
#include "common/limits.h"
#include "common/refusal-text.h"

#define BUSY_AFTER_MS 300 /* a shorter Apply shows nothing; dialog-look.md section 6 */

gboolean
reroute_sheet_is_saving (RerouteSheet *self)
{
  return self->sent != NULL;
}

void
reroute_sheet_note_touched (RerouteSheet *self)
{
  self->touched = TRUE;
  if (!reroute_sheet_is_unsettled (self))
    g_clear_pointer (&self->problem, g_free);
}

static void
forget_sent (RerouteSheet *self)
{
  g_clear_object (&self->sent);
  g_clear_pointer (&self->differences, g_ptr_array_unref);
  self->sent_serial = 0;
}

void
reroute_sheet_clear_apply (RerouteSheet *self)
{
  reroute_sheet_close (self);
  forget_sent (self);
  g_clear_pointer (&self->problem, g_free);
}

/* What others saved meanwhile is taken in from now on. */
static void
end_saving (RerouteSheet *self)
{
  gboolean unread = self->unread;

  forget_sent (self);
  self->unread = FALSE;
  if (unread)
    reroute_sheet_load_settings (self);
  if (self->announced != self->serial)
    reroute_sheet_catch_up (self);
}

/* --- what was saved --- */

static gboolean
settle_cb (gpointer user_data)
{
  RerouteSheet *self = REROUTE_SHEET (user_data);

  self->settle_id = 0;
  reroute_sheet_settle (self);
  return G_SOURCE_REMOVE;
}

/* While the bus is away, its return is what asks again. */
static void
settle_later (RerouteSheet *self)
{
  if (self->settle_id == 0 && reroute_bus_get_connection (self->bus) != NULL)
    self->settle_id = g_timeout_add (REROUTE_SHEET_RETRY_MS, settle_cb, self);
}

/* The edit is what differs from what was sent.  @differences: as for reroute_edit_adopt() */
static void
take_sent (RerouteSheet *self, GPtrArray *differences)
{
  gboolean touched = self->touched;

  /* A service that errs may say so of one that is over. */
  if (self->sent != NULL && (touched || differences != NULL))
    reroute_edit_adopt (self->edit, self->sent, differences);
  self->serial = self->sent_serial;
  self->announced = MAX (self->announced, self->serial);
  self->unread = TRUE;
  if (!touched)
    reroute_edit_clear (self->edit);
  g_clear_pointer (&self->problem, g_free);
  end_saving (self);
  reroute_sheet_dismiss_news (self);
  reroute_relay_watch_ask (self->relay);
  reroute_sheet_finish_apply (self, REROUTE_APPLY_SAVED, NULL);
}

static void read_sent (RerouteSheet *self);

static void
sent_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteSheet) self = REROUTE_SHEET (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) part = reroute_rules_client_history_changes_finish (
    REROUTE_RULES_CLIENT (source), result, &error);

  if (self->settle == NULL)
    return;
  g_clear_object (&self->settle);
  /* That it was saved is known; what cannot be read now never can. */
  if (part == NULL && error->domain == REROUTE_ERROR && error->code != REROUTE_ERROR_UNAVAILABLE)
    {
      take_sent (self, NULL);
    }
  else if (part == NULL)
    {
      settle_later (self);
      reroute_sheet_finish_apply (self, REROUTE_APPLY_SAVED, NULL);
    }
  else if (part->len == 0)
    {
      take_sent (self, self->differences);
    }
  else
    {
      g_ptr_array_extend_and_steal (self->differences, g_steal_pointer (&part));
      read_sent (self);
    }
}

/* On from what was read of it. */
static void
read_sent (RerouteSheet *self)
{
  if (self->differences == NULL)
    self->differences = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_difference_free);
  self->settle = g_cancellable_new ();
  reroute_rules_client_history_changes_async (self->rules,
                                              self->sent_serial,
                                              self->differences->len,
                                              REROUTE_LIMIT_PAGE_ROWS,
                                              self->settle,
                                              sent_read_cb,
                                              g_object_ref (self));
}

/* @serial: the generation that it became, or the newest when it had nothing to change.  Only one
   that is to be read tells what the rows that it added are called now: to her later changes, and to
   a dialog that is open. */
static void
settle_saved (RerouteSheet *self, guint64 serial, gboolean read)
{
  self->sent_serial = serial;
  if (read && serial > self->serial)
    read_sent (self);
  else
    take_sent (self, NULL);
}

/* --- an answer that was lost --- */

static void
settled_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteSheet) self = REROUTE_SHEET (user_data);
  g_autoptr (GError) error = NULL;
  guint64 serial =
    reroute_rules_client_settle_finish (REROUTE_RULES_CLIENT (source), result, &error);

  if (self->settle == NULL)
    return;
  g_clear_object (&self->settle);
  if (serial != 0)
    {
      settle_saved (self, serial, TRUE);
      return;
    }
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_OUTCOME))
    {
      settle_later (self);
      return;
    }
  g_free (self->problem);
  self->problem = error != NULL ? reroute_dup_error (error) : NULL;
  end_saving (self);
  reroute_sheet_emit_changed (self);
}

void
reroute_sheet_settle (RerouteSheet *self)
{
  if (!reroute_sheet_is_unsettled (self) || self->settle != NULL ||
      reroute_bus_get_connection (self->bus) == NULL)
    return;
  if (self->sent_serial != 0)
    {
      read_sent (self);
      return;
    }
  /* Bring Back was sent since. */
  if (!reroute_rules_client_is_unsettled (self->rules))
    {
      end_saving (self);
      reroute_sheet_emit_changed (self);
      return;
    }
  self->settle = g_cancellable_new ();
  reroute_rules_client_settle_async (self->rules, self->settle, settled_cb, g_object_ref (self));
}

gboolean
reroute_sheet_is_unsettled (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), FALSE);

  return self->sent != NULL && self->apply == NULL;
}

/* --- Apply --- */

static gboolean
busy_cb (gpointer user_data)
{
  RerouteSheet *self = REROUTE_SHEET (user_data);

  self->busy_id = 0;
  reroute_sheet_set_busy (self, TRUE);
  reroute_sheet_emit_changed (self);
  return G_SOURCE_REMOVE;
}

gboolean
reroute_sheet_is_busy (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), FALSE);

  return self->busy;
}

void
reroute_sheet_report_progress (double fraction, gpointer user_data)
{
  RerouteSheet *self = REROUTE_SHEET (user_data);

  self->progress = fraction;
  reroute_sheet_emit_changed (self);
}

void
reroute_sheet_finish_apply (RerouteSheet *self, RerouteApplyState state, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->apply);

  if (task == NULL)
    {
      g_clear_error (&error);
      return;
    }
  g_clear_handle_id (&self->busy_id, g_source_remove);
  reroute_sheet_set_busy (self, FALSE);
  if (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    self->problem = reroute_dup_error (error);
  /* It may have been saved, and she goes on. */
  if (self->sent_serial != 0 || g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_OUTCOME))
    settle_later (self);
  else
    end_saving (self);
  reroute_sheet_emit_changed (self);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_int (task, state);
}

static void
applied_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteSheet) self = REROUTE_SHEET (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteCommitResult) commit =
               reroute_rules_client_apply_finish (REROUTE_RULES_CLIENT (source), result, &error);

  if (commit == NULL)
    {
      reroute_sheet_finish_apply (self, REROUTE_APPLY_REFUSED, g_steal_pointer (&error));
      return;
    }
  switch (commit->state)
    {
    case REROUTE_COMMIT_SAVED:
      settle_saved (self, commit->serial, self->touched || self->n_awaiting > 0);
      break;
    case REROUTE_COMMIT_STALE:
      self->announced = commit->serial;
      reroute_sheet_catch_up (self);
      break;
    case REROUTE_COMMIT_REFUSED:
    case REROUTE_COMMIT_CONFIRM:
      g_cancellable_cancel (self->check);
      reroute_sheet_take_edit_findings (self, g_ptr_array_ref (commit->findings));
      reroute_sheet_finish_apply (self,
                                  commit->state == REROUTE_COMMIT_CONFIRM ? REROUTE_APPLY_CONFIRM
                                                                          : REROUTE_APPLY_REFUSED,
                                  NULL);
      break;
    default:
      g_assert_not_reached ();
    }
}

void
reroute_sheet_await_id (RerouteSheet *self)
{
  g_return_if_fail (REROUTE_IS_SHEET (self));

  self->n_awaiting++;
}

void
reroute_sheet_unawait_id (RerouteSheet *self)
{
  g_return_if_fail (REROUTE_IS_SHEET (self));
  g_return_if_fail (self->n_awaiting > 0);

  self->n_awaiting--;
}

gboolean
reroute_sheet_is_applying (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), FALSE);

  return self->apply != NULL;
}

double
reroute_sheet_get_progress (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), 0);

  return self->progress;
}

const char *
reroute_sheet_get_problem (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), NULL);

  return self->problem;
}

void
reroute_sheet_apply_async (RerouteSheet *self,
                           const char *const *confirmed,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GPtrArray) changes = NULL;

  g_return_if_fail (REROUTE_IS_SHEET (self));
  g_return_if_fail (!reroute_sheet_is_saving (self));

  self->sent = reroute_edit_copy (self->edit);
  self->apply = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->apply, reroute_sheet_apply_async);
  self->busy_id = g_timeout_add (BUSY_AFTER_MS, busy_cb, self);
  self->progress = 0;
  self->touched = FALSE;
  g_clear_pointer (&self->problem, g_free);
  changes = reroute_edit_dup_changes (self->edit);
  reroute_rules_client_apply_async (
    self->rules, changes, self->serial, confirmed, cancellable, applied_cb, g_object_ref (self));
  reroute_sheet_emit_changed (self);
}

gboolean
reroute_sheet_apply_finish (RerouteSheet *self,
                            GAsyncResult *result,
                            RerouteApplyState *state,
                            GError **error)
{
  GError *failure = NULL;
  gssize value = g_task_propagate_int (G_TASK (result), &failure);

  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  *state = value;
  return TRUE;
}

void
reroute_sheet_stop (RerouteSheet *self)
{
  g_return_if_fail (REROUTE_IS_SHEET (self));

  if (self->apply != NULL)
    g_cancellable_cancel (g_task_get_cancellable (self->apply));
}

void
reroute_sheet_close (RerouteSheet *self)
{
  g_autoptr (GCancellable) settle = NULL;

  g_return_if_fail (REROUTE_IS_SHEET (self));

  settle = g_steal_pointer (&self->settle);
  g_cancellable_cancel (settle);
  g_cancellable_cancel (self->check);
  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->settle_id, g_source_remove);
  g_clear_handle_id (&self->check_id, g_source_remove);
  g_clear_handle_id (&self->retry_id, g_source_remove);
  g_clear_handle_id (&self->busy_id, g_source_remove);
}
