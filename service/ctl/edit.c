/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * edit.c - saving changes: findings and confirmations
 *
 * Every verb that changes something comes through here, so that all refuse with the same words.
 */

#include "config.h"

#include "service/ctl/edit.h"

#include "common/client/rules-copy.h"
#include "common/error.h"

#include <glib/gi18n.h>

static char *
dup_finding_line (const RerouteFinding *finding)
{
  switch (finding->level)
    {
    case REROUTE_FINDING_ERROR:
      /* Translators: %s is a sentence that says what is wrong with the rules */
      return g_strdup_printf (_ ("error: %s"), finding->sentence);
    case REROUTE_FINDING_CONFIRM:
      /* Translators: %s is a sentence that asks whether the rules are meant so */
      return g_strdup_printf (_ ("confirm: %s"), finding->sentence);
    case REROUTE_FINDING_WARNING:
      /* Translators: %s is a sentence about the rules */
      return g_strdup_printf (_ ("warning: %s"), finding->sentence);
    case REROUTE_FINDING_NOTE:
    default:
      /* Translators: %s is a sentence about the rules */
      return g_strdup_printf (_ ("note: %s"), finding->sentence);
    }
}

void
reroute_ctl_print_findings (GPtrArray *findings)
{
  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];

      g_autofree char *line = dup_finding_line (finding);

      g_printerr ("%s\n", line);
      if (finding->path[0] != NULL)
        {
          g_autofree char *path = g_strjoinv (" -> ", finding->path);

          g_printerr ("  %s\n", path);
        }
    }
}

void
reroute_ctl_findings_to_json (GPtrArray *findings, JsonBuilder *builder)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];
      g_autofree char *sentence = reroute_finding_dup_english (finding);

      json_builder_begin_object (builder);
      reroute_ctl_add_string (builder, "level", reroute_finding_level_to_string (finding->level));
      reroute_ctl_add_string (builder, "code", finding->code);
      reroute_ctl_add_string (builder, "sentence", sentence);
      json_builder_set_member_name (builder, "path");
      json_builder_begin_array (builder);
      for (gsize n = 0; finding->path[n] != NULL; n++)
        json_builder_add_string_value (builder, finding->path[n]);
      json_builder_end_array (builder);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

GVariant *
reroute_ctl_load_relay_status (RerouteCtl *ctl, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  reroute_relay_client_status_async (ctl->relay, NULL, reroute_ctl_wait_cb, &result);
  return reroute_relay_client_status_finish (ctl->relay, reroute_ctl_wait (&result), error);
}

void
reroute_ctl_warn_of_certificate (RerouteCtl *ctl, const char *file)
{
  const char *const certificates[] = { file, NULL };
  const char *const keys[] = { NULL };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) findings =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_finding_free);
  g_autofree char *remark = NULL;

  reroute_relay_client_judge_certificates_async (
    ctl->relay, "hosts", certificates, keys, NULL, reroute_ctl_wait_cb, &result);
  if (!reroute_relay_client_judge_certificates_finish (
        ctl->relay, reroute_ctl_wait (&result), &remark, NULL) ||
      remark == NULL)
    return;
  g_ptr_array_add (findings, reroute_finding_new_certificate (remark));
  reroute_ctl_print_findings (findings);
}

RerouteSettings *
reroute_ctl_load_settings (RerouteCtl *ctl, guint64 *serial, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_settings_async (ctl->rules, NULL, reroute_ctl_wait_cb, &result);
  return reroute_rules_client_settings_finish (
    ctl->rules, reroute_ctl_wait (&result), serial, error);
}

/* What is to be saved, one of three, and what was agreed to. */
typedef struct
{
  GPtrArray *changes; /* (nullable) */
  guint copy;         /* of a backup, in rulesd; 0: none */
  guint64 target;     /* a generation to go back to */
  RerouteCtlAgreed agreed;
  GHashTable *said; /* (nullable) (element-type RerouteRow): for REROUTE_CTL_AGREED_ROWS */
} Order;

/* (transfer full) (element-type utf8): the keys of rows that say "anyone". */
static GHashTable *
dup_said_keys (GHashTable *said)
{
  GHashTable *keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer row;

  g_hash_table_iter_init (&iter, said);
  while (g_hash_table_iter_next (&iter, &row, NULL))
    if (((RerouteRow *) row)->accept_from == REROUTE_ACCEPT_FROM_ANYONE)
      g_hash_table_add (keys, reroute_row_dup_anyone_key (row));
  return keys;
}

static gboolean
is_of_anyone (const RerouteFinding *finding)
{
  return g_str_has_prefix (finding->code, "anyone-");
}

static gboolean
is_agreed (const RerouteFinding *finding, RerouteCtlAgreed agreed, GHashTable *said_keys)
{
  gboolean of_anyone = is_of_anyone (finding);

  switch (agreed)
    {
    case REROUTE_CTL_AGREED_ANYONE:
      return of_anyone;
    case REROUTE_CTL_AGREED_ROWS:
      return of_anyone && g_hash_table_contains (said_keys, finding->key);
    case REROUTE_CTL_AGREED_ALL:
      return TRUE;
    case REROUTE_CTL_AGREED_NOTHING:
    default:
      return FALSE;
    }
}

/* The keys that were agreed to; NULL when a finding is left that is not among them.  Who agreed to
   all that are open to anyone has done so to those that DNS is not asked for the next time. */
static char **
dup_agreed_keys (GPtrArray *findings, const Order *order)
{
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();
  g_autoptr (GHashTable) said_keys = order->said != NULL ? dup_said_keys (order->said) : NULL;

  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];

      /* Among those that are not listed may be rows that leave it out. */
      if (order->agreed == REROUTE_CTL_AGREED_ROWS && g_str_equal (finding->code, "more"))
        return NULL;
      if (finding->level != REROUTE_FINDING_CONFIRM)
        continue;
      if (!is_agreed (finding, order->agreed, said_keys))
        return NULL;
      g_strv_builder_add (keys, finding->key);
    }
  if (order->agreed == REROUTE_CTL_AGREED_ANYONE || order->agreed == REROUTE_CTL_AGREED_ALL)
    g_strv_builder_add (keys, REROUTE_KEY_NOT_ASKED);
  return g_strv_builder_end (keys);
}

/* Whether rows that are open to anyone are among what they speak of. */
static gboolean
has_anyone (GPtrArray *findings)
{
  for (guint i = 0; i < findings->len; i++)
    if (is_of_anyone (findings->pdata[i]))
      return TRUE;
  return FALSE;
}

static gboolean
refuse_unconfirmed (const Order *order, GPtrArray *findings, GError **error)
{
  const char *sentence = NULL;

  if (!has_anyone (findings))
    sentence = _ ("nothing was changed: say --confirm if this is what you want");
  else if (order->agreed == REROUTE_CTL_AGREED_ROWS)
    /* Translators: accept_from, “anyone” and “permitted” are not translated */
    sentence = _ ("nothing was changed: write “anyone” in the column accept_from of these rows if this is what you want, “permitted” if it is not");
  else
    sentence = _ ("nothing was changed: say --accept-from=anyone (or --confirm) if this is what you want, --accept-from=permitted if it is not");
  g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_NOT_CONFIRMED, sentence);
  return FALSE;
}

static gboolean
judge (const RerouteCommitResult *result, const Order *order, GError **error)
{
  switch (result->state)
    {
    case REROUTE_COMMIT_SAVED:
      if (result->recovered)
        g_printerr ("%s\n",
                    _ ("note: the connection was lost meanwhile; it was made again, and all of this is saved"));
      return TRUE;
    case REROUTE_COMMIT_STALE:
      g_set_error_literal (error,
                           REROUTE_ERROR,
                           REROUTE_ERROR_STALE_SERIAL,
                           _ ("someone else saved meanwhile and nothing was changed: look at “reroutectl history”, then run the command again"));
      return FALSE;
    case REROUTE_COMMIT_CONFIRM:
      return refuse_unconfirmed (order, result->findings, error);
    case REROUTE_COMMIT_REFUSED:
    default:
      g_set_error_literal (error,
                           REROUTE_ERROR,
                           REROUTE_ERROR_FINDINGS,
                           _ ("nothing was changed: correct what is said above"));
      return FALSE;
    }
}

static RerouteCommitResult *
commit_once (RerouteCtl *ctl, const Order *order, guint64 serial, char **confirmed, GError **error)
{
  const char *const *keys = (const char *const *) confirmed;
  g_autoptr (GAsyncResult) result = NULL;

  if (order->changes != NULL)
    {
      reroute_rules_client_apply_async (
        ctl->rules, order->changes, serial, keys, NULL, reroute_ctl_wait_cb, &result);
      return reroute_rules_client_apply_finish (ctl->rules, reroute_ctl_wait (&result), error);
    }
  if (order->copy != 0)
    {
      reroute_rules_client_restore_commit_async (
        ctl->rules, order->copy, serial, keys, reroute_ctl_wait_cb, &result);
      return reroute_rules_client_restore_commit_finish (
        ctl->rules, reroute_ctl_wait (&result), error);
    }
  reroute_rules_client_revert_async (
    ctl->rules, order->target, serial, keys, NULL, reroute_ctl_wait_cb, &result);
  return reroute_rules_client_revert_finish (ctl->rules, reroute_ctl_wait (&result), error);
}

/* (transfer full): what came of it, tried again with the keys of what was agreed to. */
static RerouteCommitResult *
commit_agreed (RerouteCtl *ctl, const Order *order, guint64 serial, GError **error)
{
  g_autoptr (RerouteCommitResult) first = commit_once (ctl, order, serial, NULL, error);
  g_auto (GStrv) keys = NULL;

  if (first == NULL)
    return NULL;
  if (first->state == REROUTE_COMMIT_CONFIRM)
    keys = dup_agreed_keys (first->findings, order);
  return keys != NULL ? commit_once (ctl, order, serial, keys, error) : g_steal_pointer (&first);
}

static gboolean
commit (RerouteCtl *ctl, const Order *order, guint64 serial, GError **error)
{
  g_autoptr (RerouteCommitResult) result = commit_agreed (ctl, order, serial, error);

  if (result == NULL)
    return FALSE;
  reroute_ctl_print_findings (result->findings);
  return judge (result, order, error);
}

gboolean
reroute_ctl_apply (
  RerouteCtl *ctl, GPtrArray *changes, guint64 serial, RerouteCtlAgreed agreed, GError **error)
{
  const Order order = { .changes = changes, .agreed = agreed };

  return commit (ctl, &order, serial, error);
}

static Order
order_of_file (GPtrArray *changes, GHashTable *said)
{
  return (Order){
    .changes = changes,
    .agreed = said != NULL ? REROUTE_CTL_AGREED_ROWS : REROUTE_CTL_AGREED_ANYONE,
    .said = said,
  };
}

gboolean
reroute_ctl_apply_file (
  RerouteCtl *ctl, GPtrArray *changes, GHashTable *said, guint64 serial, GError **error)
{
  const Order order = order_of_file (changes, said);

  return commit (ctl, &order, serial, error);
}

static gboolean
has_level (GPtrArray *findings, RerouteFindingLevel level)
{
  for (guint i = 0; i < findings->len; i++)
    if (((RerouteFinding *) findings->pdata[i])->level == level)
      return TRUE;
  return FALSE;
}

gboolean
reroute_ctl_try_file (RerouteCtl *ctl, GPtrArray *changes, GHashTable *said, GError **error)
{
  const Order order = order_of_file (changes, said);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) findings = NULL;
  g_auto (GStrv) keys = NULL;

  reroute_rules_client_check_async (ctl->rules, changes, NULL, reroute_ctl_wait_cb, &result);
  findings = reroute_rules_client_check_finish (ctl->rules, reroute_ctl_wait (&result), error);
  if (findings == NULL)
    return FALSE;
  reroute_ctl_print_findings (findings);
  if (has_level (findings, REROUTE_FINDING_ERROR))
    {
      g_set_error_literal (error,
                           REROUTE_ERROR,
                           REROUTE_ERROR_FINDINGS,
                           _ ("this would be refused: correct what is said above"));
      return FALSE;
    }
  keys = dup_agreed_keys (findings, &order);
  return keys != NULL || !has_level (findings, REROUTE_FINDING_CONFIRM) ||
         refuse_unconfirmed (&order, findings, error);
}

gboolean
reroute_ctl_go_back (RerouteCtl *ctl, guint64 target, RerouteCtlAgreed agreed, GError **error)
{
  const Order order = { .target = target, .agreed = agreed };
  guint64 serial = 0;
  g_autoptr (RerouteSettings) settings = reroute_ctl_load_settings (ctl, &serial, error);

  return settings != NULL && commit (ctl, &order, serial, error);
}

gboolean
reroute_ctl_restore_copy (
  RerouteCtl *ctl, guint copy, guint64 serial, guint64 *new_serial, GError **error)
{
  const Order order = { .copy = copy, .agreed = REROUTE_CTL_AGREED_ALL };
  g_autoptr (RerouteCommitResult) result = commit_agreed (ctl, &order, serial, error);

  if (result == NULL)
    return FALSE;
  if (result->state != REROUTE_COMMIT_SAVED)
    reroute_ctl_print_findings (result->findings);
  *new_serial = result->serial;
  return judge (result, &order, error);
}
