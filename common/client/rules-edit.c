/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rules-edit.c - the calls of rules-client that carry an edit: apply, check, explain, revert
 *
 * A small edit to save travels in one Apply.  Everything else opens an edit in rulesd, stages
 * its changes part by part and ends with one call under it; the edit is discarded afterwards
 * unless that call closed it.
 */

#include "config.h"

#include "common/client/rules-client-private.h"

#include "common/client/peer.h"
#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/names.h"
#include "common/row-columns.h"

/* A part of an edit, well under a message's limit. */
#define PART_OCTETS (REROUTE_LIMIT_REPLY_OCTETS / 2)
/* Fewer rows of one page in a row are not worth a call of their own. */
#define COLUMNS_MIN_ROWS 100
/* Of rows as columns, which are decoded by the thread that serves the bus: some milliseconds. */
#define COLUMNS_OCTETS (REROUTE_LIMIT_REPLY_OCTETS / 8)

typedef enum
{
  PURPOSE_COMMIT,
  PURPOSE_CHECK,
  PURPOSE_EXPLAIN,
} Purpose;

typedef struct
{
  Purpose purpose;
  GPtrArray *changes; /* (element-type RerouteChange) */
  guint n_sent;
  guint number; /* of the edit in rulesd; 0: none */

  guint64 expected_serial; /* COMMIT */
  gboolean recovered;      /* COMMIT: its answer was lost */
  char **confirmed;

  char *address; /* EXPLAIN */
  char *client;
  gboolean authenticated;
} Edit;

static void
edit_free (Edit *edit)
{
  g_ptr_array_unref (edit->changes);
  g_strfreev (edit->confirmed);
  g_free (edit->address);
  g_free (edit->client);
  g_free (edit);
}

void
reroute_commit_result_free (RerouteCommitResult *self)
{
  g_clear_pointer (&self->findings, g_ptr_array_unref);
  g_free (self);
}

static RerouteBus *
get_bus (GTask *task)
{
  return reroute_rules_client_get_bus (g_task_get_source_object (task));
}

/* Nobody waits for the answer: an edit that is not there any more is as good, and one that is being
   saved was copied. */
static void
discard_edit (GTask *task)
{
  Edit *edit = g_task_get_task_data (task);
  GDBusConnection *connection = reroute_bus_get_connection (get_bus (task));

  if (edit->number != 0 && connection != NULL)
    g_dbus_connection_call (connection,
                            REROUTE_RULES_BUS_NAME,
                            REROUTE_RULES_PATH,
                            REROUTE_RULES_INTERFACE,
                            "Discard",
                            g_variant_new ("(u)", edit->number),
                            NULL,
                            G_DBUS_CALL_FLAGS_NO_AUTO_START,
                            REROUTE_LIMIT_CALL_MS,
                            NULL,
                            NULL,
                            NULL);
  edit->number = 0;
}

static void
fail_edit (GTask *task, GError *error)
{
  discard_edit (task);
  g_task_return_error (task, error);
}

static gboolean
is_saved (GVariant *reply)
{
  const char *state = NULL;

  g_variant_get_child (reply, 0, "&s", &state);
  return g_str_equal (state, "saved");
}

/* Takes @reply over; %NULL: @error says why. */
static void
end_edit (GTask *task, GVariant *reply, GError *error)
{
  Edit *edit = g_task_get_task_data (task);

  if (reply == NULL)
    {
      fail_edit (task, error);
      return;
    }
  if (edit->purpose == PURPOSE_COMMIT && is_saved (reply))
    edit->number = 0;
  discard_edit (task);
  g_task_return_pointer (task, reply, (GDestroyNotify) g_variant_unref);
}

static void
final_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GVariant *reply = reroute_peer_call_finish (result, &error);

  end_edit (task, reply, error);
}

static void
committed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Edit *edit = g_task_get_task_data (task);
  GError *error = NULL;
  GVariant *reply = reroute_rules_client_commit_finish (result, &edit->recovered, &error);

  end_edit (task, reply, error);
}

static void
send_commit (GTask *task, const char *method, GVariant *arguments)
{
  Edit *edit = g_task_get_task_data (task);

  reroute_rules_client_commit_async (g_task_get_source_object (task),
                                     method,
                                     arguments,
                                     edit->expected_serial,
                                     g_task_get_cancellable (task),
                                     committed_cb,
                                     g_object_ref (task));
}

static void
finish_edit (GTask *task)
{
  Edit *edit = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  const char *method = "Check";
  GVariant *arguments = NULL;
  const char *reply_type = "(a" REROUTE_FINDING_TYPE ")";

  switch (edit->purpose)
    {
    case PURPOSE_COMMIT:
      send_commit (task,
                   "Commit",
                   g_variant_new ("(ut^as)", edit->number, edit->expected_serial, edit->confirmed));
      return;
    case PURPOSE_EXPLAIN:
      method = "Explain";
      arguments =
        g_variant_new ("(ssbu)", edit->address, edit->client, edit->authenticated, edit->number);
      reply_type = "(a{sv}a" REROUTE_STEP_TYPE ")";
      break;
    case PURPOSE_CHECK:
      arguments = g_variant_new ("(u)", edit->number);
      break;
    }
  reroute_peer_call (&reroute_peer_rules,
                     get_bus (task),
                     method,
                     arguments,
                     G_VARIANT_TYPE (reply_type),
                     REROUTE_LIMIT_CALL_INTERACTIVE_MS,
                     cancellable,
                     final_cb,
                     g_object_ref (task));
}

/* The next changes that fit into one message. */
static GVariant *
take_part (Edit *edit)
{
  GVariantBuilder builder;
  gsize octets = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a" REROUTE_CHANGE_TYPE));
  while (edit->n_sent < edit->changes->len && octets < PART_OCTETS)
    {
      GVariant *change = reroute_change_to_variant (edit->changes->pdata[edit->n_sent++]);

      octets += g_variant_get_size (change);
      g_variant_builder_add_value (&builder, change);
    }
  return g_variant_builder_end (&builder);
}

static void staged_cb (GObject *source, GAsyncResult *result, gpointer user_data);

/* How many of the next changes are rows to put on one page, as far as one message could hold them.
 */
static guint
count_rows (const Edit *edit)
{
  guint end = edit->n_sent;
  guint last = MIN (edit->changes->len, end + COLUMNS_OCTETS / (2 * sizeof (gint64)));
  ReroutePage page = ((const RerouteChange *) edit->changes->pdata[end])->page;

  while (end < last)
    {
      const RerouteChange *change = edit->changes->pdata[end];
      if (change->kind != REROUTE_CHANGE_PUT || change->page != page)
        break;
      end++;
    }
  return end - edit->n_sent;
}

/* As many of the next rows as fit into one message. */
static GVariant *
take_columns (Edit *edit, guint n_rows, ReroutePage page)
{
  g_autoptr (RerouteColumnsWriter) writer = reroute_columns_writer_new (page);
  guint end = edit->n_sent + n_rows;

  while (edit->n_sent < end && reroute_columns_writer_get_octets (writer) < COLUMNS_OCTETS)
    {
      const RerouteChange *change = edit->changes->pdata[edit->n_sent++];
      reroute_columns_writer_add (writer, change->row);
    }
  return reroute_columns_writer_get_columns (writer);
}

static void
stage_next (GTask *task)
{
  Edit *edit = g_task_get_task_data (task);
  guint n_rows = edit->n_sent < edit->changes->len ? count_rows (edit) : 0;
  gboolean by_columns = n_rows >= COLUMNS_MIN_ROWS;
  GVariant *arguments = NULL;

  if (by_columns)
    {
      ReroutePage page = ((const RerouteChange *) edit->changes->pdata[edit->n_sent])->page;
      arguments = g_variant_new ("(us@" REROUTE_COLUMNS_TYPE ")",
                                 edit->number,
                                 reroute_page_to_string (page),
                                 take_columns (edit, n_rows, page));
    }
  else
    arguments = g_variant_new ("(u@a(sv))", edit->number, take_part (edit));
  reroute_peer_call (&reroute_peer_rules,
                     get_bus (task),
                     by_columns ? "StageColumns" : "Stage",
                     arguments,
                     G_VARIANT_TYPE_UNIT,
                     REROUTE_LIMIT_CALL_INTERACTIVE_MS,
                     g_task_get_cancellable (task),
                     staged_cb,
                     g_object_ref (task));
}

static void
staged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Edit *edit = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GVariant) reply = reroute_peer_call_finish (result, &error);

  if (reply == NULL)
    {
      fail_edit (task, error);
      return;
    }
  if (edit->purpose == PURPOSE_COMMIT)
    reroute_rules_client_report_progress (g_task_get_source_object (task),
                                          (double) edit->n_sent / edit->changes->len);
  if (edit->n_sent < edit->changes->len)
    stage_next (task);
  else
    finish_edit (task);
}

static void
begun_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Edit *edit = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GVariant) reply = reroute_peer_call_finish (result, &error);

  if (reply == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_variant_get (reply, "(u)", &edit->number);
  edit->n_sent = 0;
  stage_next (task);
}

static void
begin_edit (GTask *task)
{
  reroute_peer_call (&reroute_peer_rules,
                     get_bus (task),
                     "Begin",
                     NULL,
                     G_VARIANT_TYPE ("(u)"),
                     REROUTE_LIMIT_CALL_INTERACTIVE_MS,
                     g_task_get_cancellable (task),
                     begun_cb,
                     g_object_ref (task));
}

static GTask *
new_edit (RerouteRulesClient *self,
          Purpose purpose,
          GPtrArray *changes,
          GCancellable *cancellable,
          GAsyncReadyCallback callback,
          gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Edit *edit = g_new0 (Edit, 1);

  edit->purpose = purpose;
  edit->changes = changes != NULL
                    ? g_ptr_array_ref (changes)
                    : g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_task_set_task_data (task, edit, (GDestroyNotify) edit_free);
  return task;
}

/* --- apply and revert --- */

static char **
copy_keys (const char *const *confirmed)
{
  return confirmed != NULL ? g_strdupv ((char **) confirmed) : g_new0 (char *, 1);
}

void
reroute_rules_client_apply_async (RerouteRulesClient *self,
                                  GPtrArray *changes,
                                  guint64 expected_serial,
                                  const char *const *confirmed,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task =
               new_edit (self, PURPOSE_COMMIT, changes, cancellable, callback, user_data);
  Edit *edit = g_task_get_task_data (task);
  g_autoptr (GVariant) part = g_variant_ref_sink (take_part (edit));

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  g_task_set_check_cancellable (task, FALSE);
  edit->expected_serial = expected_serial;
  edit->confirmed = copy_keys (confirmed);
  if (edit->n_sent < edit->changes->len)
    {
      begin_edit (task);
      return;
    }
  send_commit (
    task, "Apply", g_variant_new ("(@a(sv)t^as)", part, expected_serial, edit->confirmed));
}

static gboolean
parse_state (const char *text, RerouteCommitState *state, GError **error)
{
  static const char *const names[] = { "saved", "stale", "refused", "confirm" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (text, names[i]))
      {
        *state = i;
        return TRUE;
      }
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_PROTOCOL,
               "reroute-rulesd answered the unknown state “%s”",
               text);
  return FALSE;
}

RerouteCommitResult *
reroute_rules_client_apply_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) array = NULL;
  g_autoptr (RerouteCommitResult) outcome = NULL;
  const char *state = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  outcome = g_new0 (RerouteCommitResult, 1);
  g_variant_get (reply, "(&st@a" REROUTE_FINDING_TYPE ")", &state, &outcome->serial, &array);
  if (!parse_state (state, &outcome->state, error))
    return NULL;
  outcome->recovered = ((const Edit *) g_task_get_task_data (G_TASK (result)))->recovered;
  outcome->findings = reroute_findings_from_variant (array, error);
  return outcome->findings != NULL ? g_steal_pointer (&outcome) : NULL;
}

void
reroute_rules_client_save_async (RerouteRulesClient *self,
                                 const char *method,
                                 GVariant *arguments,
                                 guint64 expected_serial,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_autoptr (GTask) task = new_edit (self, PURPOSE_COMMIT, NULL, cancellable, callback, user_data);
  Edit *edit = g_task_get_task_data (task);

  g_task_set_check_cancellable (task, FALSE);
  edit->expected_serial = expected_serial;
  send_commit (task, method, arguments);
}

void
reroute_rules_client_revert_async (RerouteRulesClient *self,
                                   guint64 serial,
                                   guint64 expected_serial,
                                   const char *const *confirmed,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_auto (GStrv) keys = copy_keys (confirmed);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  reroute_rules_client_save_async (self,
                                   "Revert",
                                   g_variant_new ("(tt^as)", serial, expected_serial, keys),
                                   expected_serial,
                                   cancellable,
                                   callback,
                                   user_data);
}

RerouteCommitResult *
reroute_rules_client_revert_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error)
{
  return reroute_rules_client_apply_finish (self, result, error);
}

/* --- check and explain --- */

void
reroute_rules_client_check_async (RerouteRulesClient *self,
                                  GPtrArray *changes,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task =
               new_edit (self, PURPOSE_CHECK, changes, cancellable, callback, user_data);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  if (changes == NULL || changes->len == 0)
    finish_edit (task);
  else
    begin_edit (task);
}

GPtrArray *
reroute_rules_client_check_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) array = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  array = g_variant_get_child_value (reply, 0);
  return reroute_findings_from_variant (array, error);
}

void
reroute_rules_client_explain_async (RerouteRulesClient *self,
                                    const char *address,
                                    const char *client,
                                    gboolean authenticated,
                                    GPtrArray *changes,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_autoptr (GTask) task =
               new_edit (self, PURPOSE_EXPLAIN, changes, cancellable, callback, user_data);
  Edit *edit = g_task_get_task_data (task);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  edit->address = g_strdup (address);
  edit->client = g_strdup (client);
  edit->authenticated = authenticated;
  if (changes == NULL || changes->len == 0)
    finish_edit (task);
  else
    begin_edit (task);
}

GVariant *
reroute_rules_client_explain_finish (RerouteRulesClient *self,
                                     GAsyncResult *result,
                                     GPtrArray **steps,
                                     GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariant) array = NULL;
  g_autoptr (GPtrArray) decoded = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(@a{sv}@a" REROUTE_STEP_TYPE ")", &values, &array);
  decoded = reroute_steps_from_variant (array, error);
  if (decoded == NULL)
    return NULL;
  if (steps != NULL)
    *steps = g_steal_pointer (&decoded);
  return g_steal_pointer (&values);
}
