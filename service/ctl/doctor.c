/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * doctor.c - reroutectl doctor: whether the service is set up well, and what to do where it is not
 *
 * The relay examines what needs its network, its files or its clock, while the bus is looked at
 * from here.
 */

#include "config.h"

#include "service/ctl/doctor.h"

#include "common/client/relay-examine.h"
#include "common/error.h"

#include <glib/gi18n.h>
#include <locale.h>

/* --- what is asked for --- */

static gboolean
check_words (char **words, GError **error)
{
  const char *wrong = words[0] == NULL ? "" : NULL;

  for (gsize i = 0; wrong == NULL && words[i] != NULL; i++)
    wrong = reroute_diagnosis_is_check (words[i]) ? NULL : words[i];
  if (wrong == NULL)
    return TRUE;
  g_set_error (error,
               G_OPTION_ERROR,
               G_OPTION_ERROR_BAD_VALUE,
               /* Translators: %s is a word that was typed */
               _ ("doctor has no check “%s”"), wrong);
  return FALSE;
}

/* @only: (nullable): "name,spf"; NULL: all.  (transfer full) (nullable) */
static GStrv
choose_checks (const char *only, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) words = NULL;

  if (only != NULL)
    {
      words = g_strsplit (only, ",", -1);
      return check_words (words, error) ? g_steal_pointer (&words) : NULL;
    }
  for (const RerouteDiagnosisCheck *check = reroute_diagnosis_get_checks (); check->name != NULL;
       check++)
    g_strv_builder_add (builder, check->name);
  return g_strv_builder_end (builder);
}

/* --- what is told --- */

static RerouteDiagnosisLevel
get_worst (const GPtrArray *found)
{
  RerouteDiagnosisLevel worst = REROUTE_DIAGNOSIS_OK;

  for (guint i = 0; i < found->len; i++)
    {
      RerouteDiagnosisLevel level = ((RerouteDiagnosis *) found->pdata[i])->level;
      worst = MAX (worst, level);
    }
  return worst;
}

static void
print_check (const GPtrArray *found, const char *name)
{
  const char *const levels[] = { _ ("ok"), _ ("note"), _ ("WARNING"), _ ("ERROR") };

  for (guint i = 0; i < found->len; i++)
    {
      const RerouteDiagnosis *each = found->pdata[i];
      g_autofree char *text = NULL;
      g_autofree char *advice = NULL;

      if (!g_str_equal (each->check, name))
        continue;
      text = reroute_diagnosis_dup_text (each);
      advice = reroute_diagnosis_dup_advice (each);
      g_print ("%-12s %s: %s\n", name, levels[each->level], text);
      if (*advice != '\0')
        g_print ("%-12s -> %s\n", "", advice);
    }
}

static void
print_text (const GPtrArray *found)
{
  for (const RerouteDiagnosisCheck *check = reroute_diagnosis_get_checks (); check->name != NULL;
       check++)
    print_check (found, check->name);
}

/* (transfer full): the language before; what is found and told from here on is English, as in all
   JSON. */
static char *
begin_english (void)
{
  char *before = g_strdup (setlocale (LC_MESSAGES, NULL));

  setlocale (LC_MESSAGES, "C");
  return before;
}

static void
print_json (const GPtrArray *found)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < found->len; i++)
    {
      const RerouteDiagnosis *each = found->pdata[i];
      g_autofree char *text = reroute_diagnosis_dup_text (each);
      g_autofree char *advice = reroute_diagnosis_dup_advice (each);

      json_builder_begin_object (builder);
      reroute_ctl_add_string (builder, "check", each->check);
      reroute_ctl_add_string (builder, "level", reroute_diagnosis_level_to_string (each->level));
      reroute_ctl_add_string (builder, "code", each->code);
      reroute_ctl_add_string (builder, "text", text);
      reroute_ctl_add_string (builder, "advice", advice);
      json_builder_set_member_name (builder, "arguments");
      json_builder_begin_array (builder);
      for (char **argument = each->arguments; *argument != NULL; argument++)
        json_builder_add_string_value (builder, *argument);
      json_builder_end_array (builder);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  reroute_ctl_print_json (builder);
}

/* --- the verb --- */

static void
take_all (GPtrArray *found, GPtrArray *more)
{
  while (more->len > 0)
    g_ptr_array_add (found, g_ptr_array_steal_index (more, 0));
}

/* Errors: as the relay gave them; that it is away is told by the check of the bus. */
static gboolean
examine (RerouteCtl *ctl, RerouteDoctor *doctor, const char *domain, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) theirs = NULL;

  reroute_relay_client_examine_async (
    ctl->relay, doctor->checks, domain, NULL, reroute_ctl_wait_cb, &result);
  reroute_doctor_look_at_bus (doctor, ctl);
  g_autoptr (GError) local_error = NULL;
  theirs =
    reroute_relay_client_examine_finish (ctl->relay, reroute_ctl_wait (&result), &local_error);
  if (theirs != NULL)
    take_all (doctor->found, theirs);
  else if (doctor->relay_is_there)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  else if (!g_strv_contains (doctor->checks, "bus"))
    reroute_doctor_report (doctor, "relay-away", local_error->message, NULL);
  return TRUE;
}

gboolean
reroute_ctl_doctor (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_autofree char *only = NULL;
  g_autofree char *domain = NULL;
  const GOptionEntry entries[] = {
    { "only", 0, 0, G_OPTION_ARG_STRING, &only, NULL, NULL },
    { "probe", 0, 0, G_OPTION_ARG_STRING, &domain, NULL, NULL },
    { NULL },
  };
  g_autoptr (GPtrArray) found =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_diagnosis_free);
  g_auto (GStrv) checks = NULL;
  g_autofree char *language = NULL;
  RerouteDoctor doctor = { .found = found };
  gboolean examined;

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 0, 0, error) ||
      (checks = choose_checks (only, error)) == NULL)
    return FALSE;
  doctor.checks = (const char *const *) checks;
  if (ctl->json)
    language = begin_english ();
  examined = examine (ctl, &doctor, domain != NULL ? domain : "", error);
  if (ctl->json)
    print_json (found);
  else
    print_text (found);
  if (language != NULL)
    setlocale (LC_MESSAGES, language);
  if (!examined || get_worst (found) <= REROUTE_DIAGNOSIS_NOTE)
    return examined;
  g_set_error_literal (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_FINDINGS,
                       _ ("not all is as it should be: see what is said of it above"));
  return FALSE;
}
