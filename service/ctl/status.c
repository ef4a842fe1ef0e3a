/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * status.c - reroutectl status: the generation that is saved, the one that the relay runs, and
 * the relay's figures
 */

#include "config.h"

#include "service/ctl/edit.h"
#include "service/ctl/table.h"

#include "common/alarm.h"
#include "common/error.h"

#include <glib/gi18n.h>
#include <string.h>

/* What is said of the saved rules when their service is away. */
#define SERIAL_UNKNOWN G_MAXUINT64

/* (transfer full) (element-type RerouteAlarm) */
static GPtrArray *
list_alarms (GVariant *status)
{
  g_autoptr (GVariant) value =
               g_variant_lookup_value (status, "alarms", G_VARIANT_TYPE (REROUTE_ALARMS_TYPE));

  return reroute_alarms_from_variant (value);
}

static JsonNode *
describe_alarms (GVariant *status)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) alarms = list_alarms (status);

  json_builder_begin_array (builder);
  for (guint i = 0; i < alarms->len; i++)
    {
      const RerouteAlarm *alarm = alarms->pdata[i];

      json_builder_begin_object (builder);
      reroute_ctl_add_string (builder, "alarm", reroute_alarm_kind_to_string (alarm->kind));
      reroute_ctl_add_string (builder, "subject", alarm->subject);
      reroute_ctl_add_int (builder, "since-us", alarm->since_us);
      reroute_ctl_add_string (builder, "sentence", alarm->sentence);
      reroute_ctl_add_string (builder, "advice", alarm->advice);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  return json_builder_get_root (builder);
}

static void
print_json (guint64 serial, GVariant *status)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  JsonNode *relay = status != NULL ? json_gvariant_serialize (status) : NULL;

  json_builder_begin_object (builder);
  if (serial != SERIAL_UNKNOWN)
    reroute_ctl_add_int (builder, "rules_serial", (gint64) serial);
  json_builder_set_member_name (builder, "relay");
  if (relay != NULL)
    {
      json_object_set_member (json_node_get_object (relay), "alarms", describe_alarms (status));
      json_builder_add_value (builder, relay);
    }
  else
    json_builder_add_null_value (builder);
  json_builder_end_object (builder);
  reroute_ctl_print_json (builder);
}

static void
print_rules_in_use (guint64 serial, GVariant *status)
{
  g_autofree char *sentence = NULL;
  guint64 in_use = 0;
  gboolean held = FALSE;

  g_variant_lookup (status, "rules-held", "b", &held);
  g_variant_lookup (status, "serial", "t", &in_use);
  if (!held)
    sentence = g_strdup (_ ("The relay has no rules yet and answers 451 4.3.0."));
  else if (serial == SERIAL_UNKNOWN)
    /* Translators: the number of a generation of the rules */
    sentence = g_strdup_printf (_ ("The relay uses rules %lu."), (gulong) in_use);
  else if (in_use == serial)
    /* Translators: the number of a generation of the rules */
    sentence = g_strdup_printf (_ ("Rules %lu saved, in use."), (gulong) serial);
  else
    sentence = g_strdup_printf (
      /* Translators: numbers of generations of the rules */
      _ ("Rules %lu saved, relay uses %lu."), (gulong) serial, (gulong) in_use);
  g_print ("%s\n", sentence);
}

/* (transfer full) */
static char *
format_value (const char *key, GVariant *value)
{
  g_autofree char *time = NULL;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    {
      const char *text = g_variant_get_string (value, NULL);
      return g_strdup (text[0] != '\0' ? text : "none");
    }
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    return g_strdup (g_variant_get_boolean (value) ? "yes" : "no");
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING_ARRAY))
    {
      g_autofree const char **texts = g_variant_get_strv (value, NULL);
      return texts[0] != NULL ? g_strjoinv (", ", (char **) texts) : g_strdup ("none");
    }
  if (!g_str_has_suffix (key, "-us") || !g_variant_is_of_type (value, G_VARIANT_TYPE_INT64))
    return g_variant_print (value, FALSE);
  time = reroute_table_format_time (g_variant_get_int64 (value));
  return time[0] != '\0' ? g_steal_pointer (&time) : g_strdup ("none");
}

static void
print_alarms (GVariant *status)
{
  g_autoptr (GPtrArray) alarms = list_alarms (status);

  for (guint i = 0; i < alarms->len; i++)
    {
      const RerouteAlarm *alarm = alarms->pdata[i];
      g_autofree char *since = reroute_table_format_time (alarm->since_us);
      g_autofree char *sentence = reroute_alarm_dup_sentence (alarm);
      g_autofree char *advice = reroute_alarm_dup_advice (alarm);
      g_autofree char *line = g_strdup_printf (
        /* Translators: a time, a sentence that says what is wrong, one that says what to do */
        _ ("Alarm since %s: %s %s"), since, sentence, advice);

      g_print ("%s\n", line);
    }
}

static void
print_text (guint64 serial, GVariant *status)
{
  g_autoptr (GVariantIter) values = NULL;
  const char *key;
  GVariant *value;

  if (status == NULL)
    {
      g_autofree char *saved = g_strdup_printf (_ ("Rules %lu saved."), (gulong) serial);

      g_print ("%s\n", saved);
      g_print ("%s\n",
               _ ("The relay is not running: no mail is taken or sent. It takes up the rules when it starts: systemctl start reroute-relayd"));
      return;
    }
  print_rules_in_use (serial, status);
  print_alarms (status);
  values = g_variant_iter_new (status);
  while (g_variant_iter_loop (values, "{&sv}", &key, &value))
    {
      gboolean is_time = g_str_has_suffix (key, "-us");

      if (g_str_equal (key, "alarms"))
        continue;
      g_autofree char *text = format_value (key, value);
      g_print ("  %-22.*s %s\n", (int) (strlen (key) - (is_time ? strlen ("-us") : 0)), key, text);
    }
}

gboolean
reroute_ctl_status (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_autoptr (GError) rules_error = NULL;
  g_autoptr (GError) relay_error = NULL;
  g_autoptr (RerouteSettings) settings = NULL;
  g_autoptr (GVariant) status = NULL;
  guint64 serial = 0;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 0, error))
    return FALSE;
  settings = reroute_ctl_load_settings (ctl, &serial, &rules_error);
  status = reroute_ctl_load_relay_status (ctl, &relay_error);
  /* What the relay says is of use also when nobody answers for the rules. */
  if (settings == NULL &&
      (status == NULL || !g_error_matches (rules_error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE)))
    {
      g_propagate_error (error, g_steal_pointer (&rules_error));
      return FALSE;
    }
  if (status == NULL && !g_error_matches (relay_error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    {
      g_propagate_error (error, g_steal_pointer (&relay_error));
      return FALSE;
    }
  if (settings == NULL)
    serial = SERIAL_UNKNOWN;
  if (ctl->json)
    print_json (serial, status);
  else
    print_text (serial, status);
  if (settings != NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&rules_error));
  return FALSE;
}
