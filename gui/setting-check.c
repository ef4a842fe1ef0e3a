/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * setting-check.c - a check button of a template that stands for a setting
 */

#include "config.h"

#include "gui/setting-check.h"

#include <glib/gi18n.h>

struct _RerouteSettingCheck
{
  GtkCheckButton parent_instance;

  const RerouteSettingSpec *spec;
  RerouteSheet *sheet; /* NULL before it is opened */
  gboolean showing;
};

enum
{
  PROP_KEY = 1,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (RerouteSettingCheck, reroute_setting_check, GTK_TYPE_CHECK_BUTTON)

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteSettingCheck *self)
{
  const char *value = reroute_sheet_get_setting (sheet, self->spec->id);

  self->showing = TRUE;
  gtk_check_button_set_active (GTK_CHECK_BUTTON (self), g_str_equal (value, "yes"));
  self->showing = FALSE;
  gtk_widget_set_sensitive (GTK_WIDGET (self), reroute_sheet_is_editable (sheet));
}

static void
toggled (GtkCheckButton *button)
{
  RerouteSettingCheck *self = REROUTE_SETTING_CHECK (button);

  if (self->sheet == NULL || self->showing)
    return;
  reroute_sheet_set_setting (
    self->sheet, self->spec->id, gtk_check_button_get_active (button) ? "yes" : "no");
}

static void
reroute_setting_check_dispose (GObject *object)
{
  g_clear_object (&REROUTE_SETTING_CHECK (object)->sheet);

  G_OBJECT_CLASS (reroute_setting_check_parent_class)->dispose (object);
}

static void
reroute_setting_check_set_property (GObject *object,
                                    guint prop_id,
                                    const GValue *value,
                                    GParamSpec *pspec)
{
  RerouteSettingCheck *self = REROUTE_SETTING_CHECK (object);

  switch (prop_id)
    {
    case PROP_KEY:
      self->spec = reroute_setting_find (g_value_get_string (value), NULL);
      g_assert (self->spec != NULL && self->spec->type == REROUTE_SETTING_TYPE_BOOLEAN);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
reroute_setting_check_class_init (RerouteSettingCheckClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = reroute_setting_check_dispose;
  object_class->set_property = reroute_setting_check_set_property;
  GTK_CHECK_BUTTON_CLASS (klass)->toggled = toggled;

  props[PROP_KEY] = g_param_spec_string (
    "key", NULL, NULL, NULL, G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
reroute_setting_check_init (RerouteSettingCheck *self)
{
}

void
reroute_setting_check_open (RerouteSettingCheck *self, RerouteSheet *sheet)
{
  g_return_if_fail (REROUTE_IS_SETTING_CHECK (self));

  self->sheet = g_object_ref (sheet);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), _ (self->spec->summary));
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  sheet_changed_cb (sheet, self);
}
