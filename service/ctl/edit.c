/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * edit.c - saving changes: stage, commit, findings, confirmations
 *
 * Every verb that changes something comes through here, so that they all refuse with the same words.
 */

#include "config.h"

#include "service/ctl/edit.h"

#include "common/codec.h"
#include "common/error.h"

/* A piece stays well under the megabyte of design.md section 4: a row with its comment is below 2 KB. */
#define CHANGES_PER_STAGE 400

void
reroute_ctl_print_findings (GPtrArray *findings)
{
  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];

      g_printerr ("%s: %s\n", reroute_finding_level_to_string (finding->level), finding->sentence);
      if (finding->path[0] != NULL)
        {
          g_autofree char *path = g_strjoinv (" -> ", finding->path);

          g_printerr ("  %s\n", path);
        }
    }
}

static void
add_strings (JsonBuilder *builder, const char *name, char **strings)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (gsize i = 0; strings[i] != NULL; i++)
    json_builder_add_string_value (builder, strings[i]);
  json_builder_end_array (builder);
}

void
reroute_ctl_findings_to_json (GPtrArray *findings, JsonBuilder *builder)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "level");
      json_builder_add_string_value (builder, reroute_finding_level_to_string (finding->level));
      json_builder_set_member_name (builder, "code");
      json_builder_add_string_value (builder, finding->code);
      json_builder_set_member_name (builder, "sentence");
      json_builder_add_string_value (builder, finding->sentence);
      add_strings (builder, "path", finding->path);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

char **
reroute_ctl_confirm_keys (GVariant *findings)
{
  g_autoptr (GPtrArray) decoded = reroute_findings_from_variant (findings, NULL);
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();

  for (guint i = 0; decoded != NULL && i < decoded->len; i++)
    {
      const RerouteFinding *finding = decoded->pdata[i];

      if (finding->level == REROUTE_FINDING_CONFIRM)
        g_strv_builder_add (keys, finding->key);
    }
  return g_strv_builder_end (keys);
}

gboolean
reroute_ctl_judge (const char *state, GVariant *findings, const char *agree, GError **error)
{
  g_autoptr (GPtrArray) decoded = reroute_findings_from_variant (findings, error);

  if (decoded == NULL)
    return FALSE;
  reroute_ctl_print_findings (decoded);
  if (g_str_equal (state, "saved"))
    return TRUE;

  if (g_str_equal (state, "stale"))
    g_set_error_literal (error,
                         REROUTE_ERROR,
                         REROUTE_ERROR_STALE_SERIAL,
                         "someone else saved meanwhile, nothing was changed: look at “reroutectl history” "
                         "and run the command again");
  else if (g_str_equal (state, "confirm"))
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_NOT_CONFIRMED,
                 "nothing was changed: add %s if this is what you want",
                 agree);
  else
    g_set_error_literal (error,
                         REROUTE_ERROR,
                         REROUTE_ERROR_FINDINGS,
                         "nothing was changed: correct what is said above");
  return FALSE;
}

static gboolean
stage_piece (RerouteDBusRules1 *rules, guint edit, GPtrArray *changes, guint first, GError **error)
{
  g_autoptr (GPtrArray) piece = g_ptr_array_new ();

  for (guint i = first; i < changes->len && i < first + CHANGES_PER_STAGE; i++)
    g_ptr_array_add (piece, changes->pdata[i]);
  return reroute_dbus_rules1_call_stage_sync (rules,
                                              edit,
                                              reroute_changes_to_variant (piece),
                                              G_DBUS_CALL_FLAGS_NONE,
                                              -1,
                                              NULL,
                                              error);
}

gboolean
reroute_ctl_stage (RerouteCtl *ctl, GPtrArray *changes, guint *edit, GError **error)
{
  RerouteDBusRules1 *rules = reroute_ctl_get_rules (ctl, error);

  if (rules == NULL)
    return FALSE;
  if (!reroute_dbus_rules1_call_begin_sync (rules, G_DBUS_CALL_FLAGS_NONE, -1, edit, NULL, error))
    return FALSE;
  for (guint i = 0; i < changes->len; i += CHANGES_PER_STAGE)
    {
      if (!stage_piece (rules, *edit, changes, i, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
call_commit (RerouteCtl *ctl,
             guint edit,
             guint64 serial,
             const char *const *confirmed,
             char **state,
             GVariant **findings,
             GError **error)
{
  return reroute_dbus_rules1_call_commit_sync (ctl->rules,
                                               edit,
                                               serial,
                                               confirmed,
                                               G_DBUS_CALL_FLAGS_NONE,
                                               -1,
                                               state,
                                               NULL,
                                               findings,
                                               NULL,
                                               error);
}

gboolean
reroute_ctl_commit (RerouteCtl *ctl,
                    guint edit,
                    guint64 serial,
                    RerouteCtlConfirm confirm,
                    const char *agree,
                    GError **error)
{
  static const char *const nothing[] = { NULL };
  g_autofree char *state = NULL;
  g_autoptr (GVariant) findings = NULL;

  if (!call_commit (ctl, edit, serial, nothing, &state, &findings, error))
    return FALSE;
  if (g_str_equal (state, "confirm") && confirm == REROUTE_CTL_CONFIRM)
    {
      g_auto (GStrv) keys = reroute_ctl_confirm_keys (findings);

      g_clear_pointer (&state, g_free);
      g_clear_pointer (&findings, g_variant_unref);
      if (!call_commit (ctl, edit, serial, (const char *const *) keys, &state, &findings, error))
        return FALSE;
    }
  return reroute_ctl_judge (state, findings, agree, error);
}

gboolean
reroute_ctl_apply (RerouteCtl *ctl,
                   GPtrArray *changes,
                   guint64 serial,
                   RerouteCtlConfirm confirm,
                   const char *agree,
                   GError **error)
{
  guint edit;

  return reroute_ctl_stage (ctl, changes, &edit, error) &&
         reroute_ctl_commit (ctl, edit, serial, confirm, agree, error);
}
