/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * setting-entry.c - an entry of a template that stands for a setting
 */

#include "config.h"

#include "gui/setting-entry.h"

#include "gui/range-list.h"
#include "gui/setting-check.h"

struct _RerouteSettingEntry
{
  GtkEntry parent_instance;

  const RerouteSettingSpec *spec;
  RerouteFieldError *error; /* which of the two is taken down first is not ours to say */
  RerouteSettingField *field;
};

enum
{
  PROP_KEY = 1,
  PROP_ERROR,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (RerouteSettingEntry, reroute_setting_entry, GTK_TYPE_ENTRY)

static void
reroute_setting_entry_dispose (GObject *object)
{
  RerouteSettingEntry *self = REROUTE_SETTING_ENTRY (object);

  g_clear_object (&self->field);
  g_clear_object (&self->error);

  G_OBJECT_CLASS (reroute_setting_entry_parent_class)->dispose (object);
}

static void
reroute_setting_entry_set_property (GObject *object,
                                    guint prop_id,
                                    const GValue *value,
                                    GParamSpec *pspec)
{
  RerouteSettingEntry *self = REROUTE_SETTING_ENTRY (object);

  switch (prop_id)
    {
    case PROP_KEY:
      self->spec = reroute_setting_find (g_value_get_string (value), NULL);
      g_assert (self->spec != NULL);
      break;
    case PROP_ERROR:
      g_set_object (&self->error, g_value_get_object (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
reroute_setting_entry_class_init (RerouteSettingEntryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = reroute_setting_entry_dispose;
  object_class->set_property = reroute_setting_entry_set_property;

  props[PROP_KEY] = g_param_spec_string (
    "key", NULL, NULL, NULL, G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  props[PROP_ERROR] = g_param_spec_object (
    "error", NULL, NULL, REROUTE_TYPE_FIELD_ERROR, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
reroute_setting_entry_init (RerouteSettingEntry *self)
{
  gtk_entry_set_activates_default (GTK_ENTRY (self), TRUE);
}

GtkWidget *
reroute_setting_entry_new (RerouteSettingId id, RerouteFieldError *error)
{
  return g_object_new (
    REROUTE_TYPE_SETTING_ENTRY, "key", reroute_setting_specs ()[id].key, "error", error, NULL);
}

void
reroute_setting_entries_open (GtkWidget *root, RerouteSheet *sheet)
{
  g_return_if_fail (GTK_IS_WIDGET (root));

  if (REROUTE_IS_SETTING_ENTRY (root))
    {
      RerouteSettingEntry *self = REROUTE_SETTING_ENTRY (root);

      self->field = reroute_setting_field_new (
        sheet, self->spec->id, GTK_EDITABLE (self), self->error, NULL, NULL);
      return;
    }
  if (REROUTE_IS_SETTING_CHECK (root))
    {
      reroute_setting_check_open (REROUTE_SETTING_CHECK (root), sheet);
      return;
    }
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    reroute_setting_entries_open (child, sheet);
}

gboolean
reroute_setting_entries_flush (GtkWidget *root)
{
  g_return_val_if_fail (GTK_IS_WIDGET (root), FALSE);

  if (REROUTE_IS_SETTING_ENTRY (root))
    return reroute_setting_field_flush (REROUTE_SETTING_ENTRY (root)->field);
  if (REROUTE_IS_RANGE_LIST (root))
    return reroute_range_list_flush (REROUTE_RANGE_LIST (root));
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (!reroute_setting_entries_flush (child))
      return FALSE;
  return TRUE;
}
