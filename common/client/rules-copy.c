/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rules-copy.c - the calls of rules-client that fetch a backup and send one
 *
 * Each is one call: polkit may ask the person for a password, and a million rows take their time.
 */

#include "config.h"

#include "common/client/rules-copy.h"

#include "common/client/peer.h"
#include "common/client/rules-client-private.h"
#include "common/codec.h"
#include "common/limits.h"
#include "common/names.h"

void
reroute_backup_free (RerouteBackup *self)
{
  g_free (self->sha256);
  g_free (self->host);
  g_free (self);
}

void
reroute_restore_check_free (RerouteRestoreCheck *self)
{
  g_clear_pointer (&self->findings, g_ptr_array_unref);
  g_free (self);
}

static void
called_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GVariant *reply = reroute_peer_call_finish (result, &error);

  if (reply != NULL)
    g_task_return_pointer (task, reply, (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

/* Takes @task over. */
static void
start_call (GTask *task, const char *method, GVariant *arguments, const char *reply_type)
{
  RerouteRulesClient *self = g_task_get_source_object (task);

  reroute_peer_call (&reroute_peer_rules,
                     reroute_rules_client_get_bus (self),
                     method,
                     arguments,
                     G_VARIANT_TYPE (reply_type),
                     REROUTE_LIMIT_CALL_INTERACTIVE_MS,
                     g_task_get_cancellable (task),
                     called_cb,
                     task);
}

static void
send_end (RerouteRulesClient *self, const char *method, guint number)
{
  GDBusConnection *connection = reroute_bus_get_connection (reroute_rules_client_get_bus (self));

  if (connection != NULL)
    g_dbus_connection_call (connection,
                            REROUTE_RULES_BUS_NAME,
                            REROUTE_RULES_PATH,
                            REROUTE_RULES_INTERFACE,
                            method,
                            g_variant_new ("(u)", number),
                            NULL,
                            G_DBUS_CALL_FLAGS_NO_AUTO_START,
                            REROUTE_LIMIT_CALL_MS,
                            NULL,
                            NULL,
                            NULL);
}

/* Of a{su}; 0 where it is not said. */
static guint
get_number (GVariant *figures, const char *name)
{
  guint n = 0;

  g_variant_lookup (figures, name, "u", &n);
  return n;
}

static void
get_rows (GVariant *figures, guint *n_rows)
{
  for (ReroutePage page = 0; page < REROUTE_N_PAGES; page++)
    n_rows[page] = get_number (figures, reroute_page_to_string (page));
}

/* --- backup --- */

void
reroute_rules_client_backup_begin_async (RerouteRulesClient *self,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_call (
    g_task_new (self, cancellable, callback, user_data), "BackupBegin", NULL, "(utstsa{su})");
}

RerouteBackup *
reroute_rules_client_backup_begin_finish (RerouteRulesClient *self,
                                          GAsyncResult *result,
                                          GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) rows = NULL;
  RerouteBackup *backup = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  backup = g_new0 (RerouteBackup, 1);
  g_variant_get (reply,
                 "(utsts@a{su})",
                 &backup->number,
                 &backup->n_octets,
                 &backup->sha256,
                 &backup->serial,
                 &backup->host,
                 &rows);
  get_rows (rows, backup->n_rows);
  return backup;
}

void
reroute_rules_client_backup_read_async (RerouteRulesClient *self,
                                        guint number,
                                        guint64 offset,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_call (g_task_new (self, cancellable, callback, user_data),
              "BackupRead",
              g_variant_new ("(utu)", number, offset, REROUTE_LIMIT_COPY_PART_OCTETS),
              "(ay)");
}

GBytes *
reroute_rules_client_backup_read_finish (RerouteRulesClient *self,
                                         GAsyncResult *result,
                                         GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) octets = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  octets = g_variant_get_child_value (reply, 0);
  return g_variant_get_data_as_bytes (octets);
}

void
reroute_rules_client_backup_end (RerouteRulesClient *self, guint number)
{
  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  send_end (self, "BackupEnd", number);
}

/* --- restore --- */

void
reroute_rules_client_restore_begin_async (RerouteRulesClient *self,
                                          guint64 n_octets,
                                          const char *sha256,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_call (g_task_new (self, cancellable, callback, user_data),
              "RestoreBegin",
              g_variant_new ("(ts)", n_octets, sha256),
              "(u)");
}

guint
reroute_rules_client_restore_begin_finish (RerouteRulesClient *self,
                                           GAsyncResult *result,
                                           GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  guint number = 0;

  g_return_val_if_fail (g_task_is_valid (result, self), 0);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply != NULL)
    g_variant_get (reply, "(u)", &number);
  return number;
}

void
reroute_rules_client_restore_write_async (RerouteRulesClient *self,
                                          guint number,
                                          guint64 offset,
                                          GBytes *octets,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  GVariant *array = g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, octets, TRUE);

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_call (g_task_new (self, cancellable, callback, user_data),
              "RestoreWrite",
              g_variant_new ("(ut@ay)", number, offset, array),
              "()");
}

gboolean
reroute_rules_client_restore_write_finish (RerouteRulesClient *self,
                                           GAsyncResult *result,
                                           GError **error)
{
  g_autoptr (GVariant) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

void
reroute_rules_client_restore_check_async (RerouteRulesClient *self,
                                          guint number,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  start_call (g_task_new (self, cancellable, callback, user_data),
              "RestoreCheck",
              g_variant_new ("(u)", number),
              "(ttba{su}a" REROUTE_FINDING_TYPE ")");
}

RerouteRestoreCheck *
reroute_rules_client_restore_check_finish (RerouteRulesClient *self,
                                           GAsyncResult *result,
                                           GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) figures = NULL;
  g_autoptr (GVariant) array = NULL;
  g_autoptr (RerouteRestoreCheck) check = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  check = g_new0 (RerouteRestoreCheck, 1);
  g_variant_get (reply,
                 "(ttb@a{su}@a" REROUTE_FINDING_TYPE ")",
                 &check->serial,
                 &check->backup_serial,
                 &check->takes_over,
                 &figures,
                 &array);
  get_rows (figures, check->n_rows);
  check->n_added = get_number (figures, "added");
  check->n_changed = get_number (figures, "changed");
  check->n_removed = get_number (figures, "removed");
  check->n_set = get_number (figures, "settings");
  check->findings = reroute_findings_from_variant (array, error);
  return check->findings != NULL ? g_steal_pointer (&check) : NULL;
}

/* Once it was sent it cannot be taken back: its true outcome is reported. */
void
reroute_rules_client_restore_commit_async (RerouteRulesClient *self,
                                           guint number,
                                           guint64 expected_serial,
                                           const char *const *confirmed,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data)
{
  static const char *const none[] = { NULL };

  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  reroute_rules_client_save_async (
    self,
    "RestoreCommit",
    g_variant_new ("(ut^as)", number, expected_serial, confirmed != NULL ? confirmed : none),
    expected_serial,
    NULL,
    callback,
    user_data);
}

RerouteCommitResult *
reroute_rules_client_restore_commit_finish (RerouteRulesClient *self,
                                            GAsyncResult *result,
                                            GError **error)
{
  return reroute_rules_client_apply_finish (self, result, error);
}

void
reroute_rules_client_restore_end (RerouteRulesClient *self, guint number)
{
  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  send_end (self, "RestoreEnd", number);
}
