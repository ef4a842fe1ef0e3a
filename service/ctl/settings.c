/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings.c - reroutectl settings list | get | set
 */

#include "config.h"

#include "common/certificate-text.h"
#include "service/ctl/edit.h"
#include "service/ctl/refusal.h"
#include "service/ctl/table.h"

#include <glib/gi18n.h>

#define RELAY_ASKED_US (50 * 1000) /* while it takes up what was saved */
#define RELAY_ASKED_MOST 40

static void
setting_to_json (const RerouteSettings *settings,
                 const RerouteSettingSpec *spec,
                 JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  reroute_ctl_add_string (builder, "key", spec->key);
  reroute_ctl_add_string (builder, "value", reroute_settings_get_text (settings, spec->id));
  reroute_ctl_add_string (builder, "default", spec->default_value);
  reroute_ctl_add_string (builder, "summary", spec->summary);
  json_builder_end_object (builder);
}

gboolean
reroute_ctl_settings_list (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  const char *const titles[] = {
    C_ ("heading", "KEY"), C_ ("heading", "VALUE"), "", C_ ("heading", "MEANING"), NULL
  };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  const RerouteSettingSpec *specs = reroute_setting_specs ();
  g_autoptr (RerouteSettings) settings = NULL;
  guint64 serial;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 0, error))
    return FALSE;
  settings = reroute_ctl_load_settings (ctl, &serial, error);
  if (settings == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  for (gsize i = 0; i < REROUTE_N_SETTINGS; i++)
    {
      setting_to_json (settings, &specs[i], builder);
      reroute_table_add (table,
                         specs[i].key,
                         reroute_settings_get_text (settings, specs[i].id),
                         reroute_settings_is_default (settings, specs[i].id) ? "default" : "set",
                         _ (specs[i].summary), NULL);
    }
  json_builder_end_array (builder);
  if (ctl->json)
    reroute_ctl_print_json (builder);
  else
    reroute_table_print (table);
  return TRUE;
}

gboolean
reroute_ctl_settings_get (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  const RerouteSettingSpec *spec;
  g_autoptr (RerouteSettings) settings = NULL;
  guint64 serial;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 1, 1, error))
    return FALSE;
  spec = reroute_setting_find (argv[1], error);
  if (spec == NULL)
    return FALSE;
  settings = reroute_ctl_load_settings (ctl, &serial, error);
  if (settings == NULL)
    return FALSE;
  if (ctl->json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      setting_to_json (settings, spec, builder);
      reroute_ctl_print_json (builder);
    }
  else
    {
      g_print ("%s\n", reroute_settings_get_text (settings, spec->id));
    }
  return TRUE;
}

/* Certificates are files of the relay's user, so the relay alone can tell whether they serve: says
   what it made of them, once it has taken up @serial.  One that is away says nothing. */
static void
report_tls (RerouteCtl *ctl, guint64 serial)
{
  for (guint i = 0; i < RELAY_ASKED_MOST; i++)
    {
      g_autoptr (GVariant) status = reroute_ctl_load_relay_status (ctl, NULL);
      guint64 in_use = 0;
      const char *tls = NULL;

      if (status == NULL || !g_variant_lookup (status, "serial", "t", &in_use) ||
          !g_variant_lookup (status, "tls", "&s", &tls))
        return;
      if (in_use >= serial)
        {
          g_autofree char *english = g_strconcat ("TLS is ", tls, NULL);
          g_autofree char *sentence = reroute_certificate_dup_text (english);

          g_printerr ("%s\n", sentence);
          return;
        }
      g_usleep (RELAY_ASKED_US);
    }
  g_printerr ("%s\n", _ ("The relay has not taken it up yet: see “reroutectl status”."));
}

/* @value: (nullable): as it was typed */
static RerouteChange *
parse_setting (const char *key, const char *value, GError **error)
{
  const RerouteSettingSpec *spec = reroute_setting_find (key, error);

  if (spec == NULL || (value != NULL && !reroute_setting_check_typed (spec, value, error)))
    return NULL;
  return reroute_change_new_set (key, value, error);
}

gboolean
reroute_ctl_settings_set (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  gboolean confirm = FALSE;
  const GOptionEntry entries[] = {
    { "confirm", 0, 0, G_OPTION_ARG_NONE, &confirm, NULL, NULL },
    { NULL },
  };
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
  g_autoptr (RerouteSettings) settings = NULL;
  RerouteChange *change;
  guint64 serial = 0;

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 1, 2, error))
    return FALSE;
  change = parse_setting (argv[1], argc > 2 ? argv[2] : NULL, error);
  if (change == NULL)
    {
      reroute_ctl_reword_setting (error, argv[1], argc > 2 ? argv[2] : NULL);
      return FALSE;
    }
  g_ptr_array_add (changes, change);
  settings = reroute_ctl_load_settings (ctl, &serial, error);
  if (settings == NULL ||
      !reroute_ctl_apply (
        ctl, changes, serial, confirm ? REROUTE_CTL_AGREED_ALL : REROUTE_CTL_AGREED_NOTHING, error))
    return FALSE;
  if (g_str_equal (argv[1], "default-certificate") && argc > 2 && *argv[2] != '\0')
    reroute_ctl_warn_of_certificate (ctl, argv[2]);
  if (ctl->json || (!g_str_equal (argv[1], "tls-certificate") && !g_str_equal (argv[1], "tls-key")))
    return TRUE;
  /* A value that it had already makes no generation. */
  g_clear_pointer (&settings, reroute_settings_unref);
  settings = reroute_ctl_load_settings (ctl, &serial, NULL);
  if (settings != NULL)
    report_tls (ctl, serial);
  return TRUE;
}
