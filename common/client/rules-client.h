/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/bus.h"
#include "common/ruleset.h"
#include "common/ruleset-check.h"

G_BEGIN_DECLS

/**
 * RerouteRulesClient:
 *
 * The other side of org.reroute.Rules1.  Every call works without reroute_rules_client_start();
 * that one is for who wants to hold the whole newest ruleset, as the relay does.
 *
 * Each call fails with %REROUTE_ERROR_UNAVAILABLE and a sentence that says what to do when
 * the bus or rulesd is away, else with the code that rulesd gave; the message is for a person.
 * Belongs to the thread-default main context of the thread that made it.
 *
 * Properties: available (boolean, notified): rulesd stands on the bus.
 * Signals: changed (#RerouteRuleset): a newer generation is held, or what a rulesd that was started
 * anew has, which may be another of the same serial; only after reroute_rules_client_start().
 * Generation 0 of a new database, in which nothing was saved, never takes the place of one that is
 * held.  serial-changed (guint64): rulesd saved a generation, or came back with another one; also
 * without start, from reroute_rules_client_watch().
 */
#define REROUTE_TYPE_RULES_CLIENT (reroute_rules_client_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRulesClient, reroute_rules_client, REROUTE, RULES_CLIENT, GObject)

RerouteRulesClient *reroute_rules_client_new (RerouteBus *bus);

/* Follows rulesd without loading its rows: #RerouteRulesClient:available and serial-changed.  For
 * the dialog. */
void reroute_rules_client_watch (RerouteRulesClient *self);

/* Watches, loads the newest ruleset in pages and keeps it newest from then on, whatever becomes of
 * rulesd or of the bus. */
void reroute_rules_client_start (RerouteRulesClient *self);

/* (transfer none) (nullable): the newest ruleset held; NULL until the first was loaded */
RerouteRuleset *reroute_rules_client_get_ruleset (RerouteRulesClient *self);

gboolean reroute_rules_client_get_available (RerouteRulesClient *self);

/* The last reason why the ruleset could not be had or kept newest; (transfer none) (nullable) */
const GError *reroute_rules_client_get_problem (RerouteRulesClient *self);

/* Loads the whole newest generation once; (transfer full) */
void reroute_rules_client_load_async (RerouteRulesClient *self,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
RerouteRuleset *
reroute_rules_client_load_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error);

/* --- editing --- */

typedef enum
{
  REROUTE_COMMIT_SAVED,   /* also when nothing was to change */
  REROUTE_COMMIT_STALE,   /* someone else saved first: see changes_since */
  REROUTE_COMMIT_REFUSED, /* an error among the findings */
  REROUTE_COMMIT_CONFIRM, /* findings of level confirm that were not agreed to */
} RerouteCommitState;

typedef struct
{
  RerouteCommitState state;
  guint64 serial;      /* the newest generation */
  GPtrArray *findings; /* (element-type RerouteFinding): errors first.  A new row (id 0) is named by
                          -1 for the first PUT of id 0 in the edit, -2 for the second… */
  gboolean
    recovered; /* the answer was lost, with its findings; that it was saved was asked later */
} RerouteCommitResult;

void reroute_commit_result_free (RerouteCommitResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteCommitResult, reroute_commit_result_free)

/* 0 to 1, while the changes travel. */
typedef void (*RerouteProgressFunc) (double fraction, gpointer user_data);

/**
 * reroute_rules_client_apply_async:
 * @changes: (element-type RerouteChange): a reference is taken; do not change it
 * @expected_serial: the serial that the editor started from
 * @confirmed: (nullable) (array zero-terminated=1): keys of findings that the person agreed to
 *
 * All or nothing.  A small edit is one call, a big one travels in parts.  rulesd or polkit
 * may ask the person for a password meanwhile, so it can take minutes.  When the answer is lost,
 * with the connection or with rulesd, rulesd is asked what became of it: the result is true then.
 * Cancelling ends the waiting.
 *
 * Errors: also %REROUTE_ERROR_OUTCOME: it could not be asked, or nobody waits any more, and whether
 * it was saved is not known; see reroute_rules_client_settle_async().
 */
void reroute_rules_client_apply_async (RerouteRulesClient *self,
                                       GPtrArray *changes,
                                       guint64 expected_serial,
                                       const char *const *confirmed,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
RerouteCommitResult *
reroute_rules_client_apply_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error);

/* Whether the last edit ended with %REROUTE_ERROR_OUTCOME. */
gboolean reroute_rules_client_is_unsettled (RerouteRulesClient *self);

/**
 * reroute_rules_client_settle_async:
 *
 * Asks rulesd what became of it, for which the bus is opened again.  Reaching rulesd may take
 * REROUTE_LIMIT_OUTCOME_MS, and the answer as long as saving may; or until @cancellable is
 * cancelled.
 */
void reroute_rules_client_settle_async (RerouteRulesClient *self,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);

/* Errors: %REROUTE_ERROR_UNAVAILABLE: it was not saved; %REROUTE_ERROR_OUTCOME: that is still not
   known.  Returns: the generation that it saved, or 0 */
guint64
reroute_rules_client_settle_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error);

/* Called while big edits of this client travel; %NULL for none. */
void reroute_rules_client_set_progress (RerouteRulesClient *self,
                                        RerouteProgressFunc func,
                                        gpointer user_data);

/* What rulesd has to say of an edit that is not saved; @changes %NULL or empty judges the saved
   generation. (transfer full) (element-type RerouteFinding) */
void reroute_rules_client_check_async (RerouteRulesClient *self,
                                       GPtrArray *changes,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
GPtrArray *
reroute_rules_client_check_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error);

/* Result as for apply. */
void reroute_rules_client_revert_async (RerouteRulesClient *self,
                                        guint64 serial,
                                        guint64 expected_serial,
                                        const char *const *confirmed,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
RerouteCommitResult *
reroute_rules_client_revert_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error);

/* --- reading --- */

typedef struct
{
  guint64 serial;
  guint total;     /* rows that the filter lets through */
  GPtrArray *rows; /* (element-type RerouteRow): perhaps fewer than asked for, to stay under the
                      size of a reply */
} RerouteRowPage;

void reroute_row_page_free (RerouteRowPage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRowPage, reroute_row_page_free)

/**
 * reroute_rules_client_list_async:
 * @filter: text, "=test.com" for the rows of a domain, "@test.com" or "@test.com text" for the list
 *   of recipients of one, "" for all
 * @sort: "domain", "target", "accept-from", "comment", "tls", "account", "recipient-check",
 * "leaves", "changed", "id"; "-" in front turns round
 * @limit: at most REROUTE_LIMIT_PAGE_ROWS
 *
 * A later list of the same page with another filter or sort makes the earlier ones that still run
 * fail with %G_IO_ERROR_CANCELLED.
 */
void reroute_rules_client_list_async (RerouteRulesClient *self,
                                      ReroutePage page,
                                      const char *filter,
                                      const char *sort,
                                      guint offset,
                                      guint limit,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
RerouteRowPage *
reroute_rules_client_list_finish (RerouteRulesClient *self, GAsyncResult *result, GError **error);

/* As reroute_rules_client_list_async(), of the rows' ids alone; @limit: at most
   REROUTE_LIMIT_PAGE_IDS. */
void reroute_rules_client_list_ids_async (RerouteRulesClient *self,
                                          ReroutePage page,
                                          const char *filter,
                                          const char *sort,
                                          guint offset,
                                          guint limit,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);
/* @serial: (out): the generation; @total: (out): rows that the filter lets through.
   (transfer full) (element-type gint64): in the order of the list */
GArray *reroute_rules_client_list_ids_finish (
  RerouteRulesClient *self, GAsyncResult *result, guint64 *serial, guint *total, GError **error);

/* The settings of the newest generation; (transfer full) */
void reroute_rules_client_settings_async (RerouteRulesClient *self,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);
RerouteSettings *reroute_rules_client_settings_finish (RerouteRulesClient *self,
                                                       GAsyncResult *result,
                                                       guint64 *serial,
                                                       GError **error);

/* The decision by the rules alone, under unsaved @changes (nullable); @client "" decides without
 * admission. */
void reroute_rules_client_explain_async (RerouteRulesClient *self,
                                         const char *address,
                                         const char *client,
                                         gboolean authenticated,
                                         GPtrArray *changes,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
/* (transfer full): a{sv} as Rules1.Explain documents; @steps (out) (element-type RerouteStep) */
GVariant *reroute_rules_client_explain_finish (RerouteRulesClient *self,
                                               GAsyncResult *result,
                                               GPtrArray **steps,
                                               GError **error);

/* --- history --- */

typedef struct
{
  guint64 serial;
  gint64 when_us; /* wall clock */
  char *who;
  char *summary;
  guint n_changes;
} RerouteGeneration;

void reroute_generation_free (RerouteGeneration *self);

/* Newest first, those under @before; 0 is from the newest.  (transfer full) (element-type
 * RerouteGeneration) */
void reroute_rules_client_history_async (RerouteRulesClient *self,
                                         guint64 before,
                                         guint limit,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
GPtrArray *reroute_rules_client_history_finish (RerouteRulesClient *self,
                                                GAsyncResult *result,
                                                GError **error);

/* (transfer full) (element-type RerouteDifference): perhaps fewer than asked for; none: the end */
void reroute_rules_client_history_changes_async (RerouteRulesClient *self,
                                                 guint64 serial,
                                                 guint offset,
                                                 guint limit,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback,
                                                 gpointer user_data);
GPtrArray *reroute_rules_client_history_changes_finish (RerouteRulesClient *self,
                                                        GAsyncResult *result,
                                                        GError **error);

/**
 * reroute_rules_client_changes_since_async:
 *
 * What changed after @since, for an editor whose serial is stale; ids and provenance (who, when)
 * are filled in.
 */
void reroute_rules_client_changes_since_async (RerouteRulesClient *self,
                                               guint64 since,
                                               GCancellable *cancellable,
                                               GAsyncReadyCallback callback,
                                               gpointer user_data);
/* @serial: (out): where the changes lead to.
   Returns: (transfer full) (element-type RerouteChange), or %NULL.
   Errors: %REROUTE_ERROR_NO_SUCH_SERIAL when the history does not reach back: load anew. */
GPtrArray *reroute_rules_client_changes_since_finish (RerouteRulesClient *self,
                                                      GAsyncResult *result,
                                                      guint64 *serial,
                                                      GError **error);

G_END_DECLS
