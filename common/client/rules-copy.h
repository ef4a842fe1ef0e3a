/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/rules-client.h"

G_BEGIN_DECLS

/* Backups through rulesd: org.reroute.Rules1.BackupBegin to RestoreEnd, which say what each does.
   Errors: as of the rules-client. */

/* A copy of the rules that can be fetched. */
typedef struct
{
  guint number;
  guint64 n_octets;
  char *sha256; /* of them, in hexadecimal */
  guint64 serial;
  char *host;
  guint n_rows[REROUTE_N_PAGES];
} RerouteBackup;

void reroute_backup_free (RerouteBackup *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteBackup, reroute_backup_free)

void reroute_rules_client_backup_begin_async (RerouteRulesClient *self,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);
/* (transfer full) */
RerouteBackup *reroute_rules_client_backup_begin_finish (RerouteRulesClient *self,
                                                         GAsyncResult *result,
                                                         GError **error);

void reroute_rules_client_backup_read_async (RerouteRulesClient *self,
                                             guint number,
                                             guint64 offset,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback,
                                             gpointer user_data);
/* (transfer full): some octets; none at the end */
GBytes *reroute_rules_client_backup_read_finish (RerouteRulesClient *self,
                                                 GAsyncResult *result,
                                                 GError **error);

/* Nobody waits for the answer. */
void reroute_rules_client_backup_end (RerouteRulesClient *self, guint number);

void reroute_rules_client_restore_begin_async (RerouteRulesClient *self,
                                               guint64 n_octets,
                                               const char *sha256,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
/* Its number; 0: @error */
guint reroute_rules_client_restore_begin_finish (RerouteRulesClient *self,
                                                 GAsyncResult *result,
                                                 GError **error);

/* @octets: at most REROUTE_LIMIT_COPY_PART_OCTETS */
void reroute_rules_client_restore_write_async (RerouteRulesClient *self,
                                               guint number,
                                               guint64 offset,
                                               GBytes *octets,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
gboolean reroute_rules_client_restore_write_finish (RerouteRulesClient *self,
                                                    GAsyncResult *result,
                                                    GError **error);

/* What restoring a copy would do. */
typedef struct
{
  guint64 serial;        /* the newest generation now */
  guint64 backup_serial; /* that of the copy */
  gboolean takes_over;   /* nothing was ever saved there: the history comes along */
  guint n_rows[REROUTE_N_PAGES];
  guint n_added; /* rows */
  guint n_changed;
  guint n_removed;
  guint n_set;         /* settings */
  GPtrArray *findings; /* (element-type RerouteFinding): errors first */
} RerouteRestoreCheck;

void reroute_restore_check_free (RerouteRestoreCheck *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRestoreCheck, reroute_restore_check_free)

void reroute_rules_client_restore_check_async (RerouteRulesClient *self,
                                               guint number,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
/* (transfer full) */
RerouteRestoreCheck *reroute_rules_client_restore_check_finish (RerouteRulesClient *self,
                                                                GAsyncResult *result,
                                                                GError **error);

/* @confirmed: (nullable): keys of findings that the person agreed to.  Result as for apply. */
void reroute_rules_client_restore_commit_async (RerouteRulesClient *self,
                                                guint number,
                                                guint64 expected_serial,
                                                const char *const *confirmed,
                                                GAsyncReadyCallback callback,
                                                gpointer user_data);
RerouteCommitResult *reroute_rules_client_restore_commit_finish (RerouteRulesClient *self,
                                                                 GAsyncResult *result,
                                                                 GError **error);

/* Nobody waits for the answer. */
void reroute_rules_client_restore_end (RerouteRulesClient *self, guint number);

G_END_DECLS
