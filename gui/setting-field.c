/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * setting-field.c - an entry for a setting
 */

#include "config.h"

#include "gui/setting-field.h"

#include "common/setting-text.h"

#include <glib/gi18n.h>

struct _RerouteSettingField
{
  GObject parent_instance;

  RerouteSheet *sheet;
  RerouteSettingId id;
  GtkEditable *entry;
  RerouteFieldError *error;
  RerouteTextFunc to_shown;
  RerouteTextFunc to_value;
  gboolean active;
  gboolean showing;
  RerouteNews *others; /* (nullable): what others saved of it, and is not shown here yet */
};

G_DEFINE_FINAL_TYPE (RerouteSettingField, reroute_setting_field, G_TYPE_OBJECT)

/* The canonical value of what is typed; NULL when it is wrong. */
static char *
dup_value (RerouteSettingField *self)
{
  const RerouteSettingSpec *spec = &reroute_setting_specs ()[self->id];
  const char *typed = gtk_editable_get_text (self->entry);
  g_autofree char *text = self->to_value != NULL ? self->to_value (typed) : g_strdup (typed);

  return reroute_setting_check_typed (spec, text, NULL)
           ? reroute_setting_canonicalize (spec, text, NULL)
           : NULL;
}

static char *
dup_shown (RerouteSettingField *self)
{
  const char *value = reroute_sheet_get_setting (self->sheet, self->id);

  return self->to_shown != NULL ? self->to_shown (value) : g_strdup (value);
}

/* Whether the setting has a value for this field: "dns" is chosen beside it. */
static gboolean
is_shown_here (RerouteSettingField *self)
{
  g_autofree char *shown = dup_shown (self);

  return self->to_shown == NULL || shown[0] != '\0';
}

static char *
judge (GtkEditable *field, gpointer user_data)
{
  RerouteSettingField *self = REROUTE_SETTING_FIELD (user_data);
  g_autofree char *value = NULL;
  const char *text = gtk_editable_get_text (field);

  if (!self->active)
    return NULL;
  value = dup_value (self);
  if (value != NULL)
    return NULL;
  return reroute_dup_setting_error (&reroute_setting_specs ()[self->id], text);
}

/* What is typed is no value yet, and only here.  A field that she has emptied and left is as it
   was. */
static gboolean
is_half_typed (RerouteSettingField *self)
{
  GtkWidget *entry = GTK_WIDGET (self->entry);
  g_autofree char *value = NULL;

  if (!self->active || (gtk_editable_get_text (self->entry)[0] == '\0' &&
                        (gtk_widget_get_state_flags (entry) & GTK_STATE_FLAG_FOCUS_WITHIN) == 0))
    return FALSE;
  value = dup_value (self);
  return value == NULL;
}

static void
entry_changed_cb (GtkEditable *entry, RerouteSettingField *self)
{
  g_autofree char *value = NULL;
  g_autoptr (RerouteNews) others = NULL;

  if (self->showing || !self->active)
    return;
  value = dup_value (self);
  if (value == NULL)
    return;
  others = g_steal_pointer (&self->others);
  self->showing = TRUE;
  reroute_sheet_type_setting (self->sheet, self->id, value);
  if (others != NULL)
    reroute_sheet_lay_setting (self->sheet, self->id, others);
  self->showing = FALSE;
}

static void
update_sensitivity (RerouteSettingField *self)
{
  gtk_widget_set_sensitive (GTK_WIDGET (self->entry),
                            self->active && reroute_sheet_is_editable (self->sheet));
}

/* What is typed from here on is undone at once. */
static void
entered_cb (GtkEventControllerFocus *controller, RerouteSettingField *self)
{
  reroute_edit_begin_step (reroute_sheet_get_edit (self->sheet));
}

/* What the edit holds of it lies over theirs already; what is only here does not. */
static void
others_saved_cb (RerouteSheet *sheet, const RerouteNews *news, RerouteSettingField *self)
{
  const char *key = reroute_setting_specs ()[self->id].key;

  if (reroute_edit_get_setting (reroute_sheet_get_edit (sheet), self->id) == NULL &&
      (news->unknown || reroute_news_find_setting (news, key) != NULL))
    reroute_news_add (&self->others, news);
}

/* Theirs is read, and shown next. */
static void
saved_cb (RerouteSheet *sheet, RerouteSettingField *self)
{
  if (!is_half_typed (self))
    g_clear_pointer (&self->others, reroute_news_free);
}

/* Leaves alone what she is typing, and what she had typed before she chose another value. */
static void
sheet_changed_cb (RerouteSheet *sheet, RerouteSettingField *self)
{
  g_autofree char *shown = NULL;
  g_autofree char *value = NULL;

  update_sensitivity (self);
  if (self->showing || !is_shown_here (self) || is_half_typed (self))
    return;
  value = dup_value (self);
  shown = dup_shown (self);
  if (g_strcmp0 (value, reroute_sheet_get_setting (sheet, self->id)) == 0)
    return;
  self->showing = TRUE;
  gtk_editable_set_text (self->entry, shown);
  self->showing = FALSE;
  g_clear_pointer (&self->others, reroute_news_free);
  reroute_field_error_update (self->error);
}

static void
reroute_setting_field_dispose (GObject *object)
{
  RerouteSettingField *self = REROUTE_SETTING_FIELD (object);

  if (self->error != NULL)
    reroute_field_error_unwatch (self->error);
  self->error = NULL;
  g_clear_object (&self->sheet);
  g_clear_pointer (&self->others, reroute_news_free);

  G_OBJECT_CLASS (reroute_setting_field_parent_class)->dispose (object);
}

static void
reroute_setting_field_class_init (RerouteSettingFieldClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_setting_field_dispose;
}

static void
reroute_setting_field_init (RerouteSettingField *self)
{
  self->active = TRUE;
}

RerouteSettingField *
reroute_setting_field_new (RerouteSheet *sheet,
                           RerouteSettingId id,
                           GtkEditable *entry,
                           RerouteFieldError *error,
                           RerouteTextFunc to_shown,
                           RerouteTextFunc to_value)
{
  RerouteSettingField *self = g_object_new (REROUTE_TYPE_SETTING_FIELD, NULL);
  GtkEventController *focus = gtk_event_controller_focus_new ();
  g_autofree char *shown = NULL;

  self->sheet = g_object_ref (sheet);
  self->id = id;
  self->entry = entry;
  self->error = error;
  self->to_shown = to_shown;
  self->to_value = to_value;
  shown = dup_shown (self);
  gtk_editable_set_text (entry, shown);
  gtk_widget_set_sensitive (GTK_WIDGET (entry), !reroute_sheet_is_busy (sheet));
  reroute_field_error_watch (error, entry, judge, self);
  gtk_widget_set_tooltip_text (GTK_WIDGET (entry), _ (reroute_setting_specs ()[id].summary));
  /* "[::]:25" would be turned round among right-to-left words. */
  gtk_widget_set_direction (GTK_WIDGET (gtk_editable_get_delegate (entry)), GTK_TEXT_DIR_LTR);
  gtk_widget_add_controller (GTK_WIDGET (entry), focus);
  g_signal_connect_object (focus, "enter", G_CALLBACK (entered_cb), self, 0);
  g_signal_connect_object (entry, "changed", G_CALLBACK (entry_changed_cb), self, 0);
  g_signal_connect_object (sheet, "others-saved", G_CALLBACK (others_saved_cb), self, 0);
  g_signal_connect_object (sheet, "saved", G_CALLBACK (saved_cb), self, 0);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  return self;
}

void
reroute_setting_field_set_active (RerouteSettingField *self, gboolean active)
{
  g_return_if_fail (REROUTE_IS_SETTING_FIELD (self));

  if (self->active == active)
    return;
  self->active = active;
  update_sensitivity (self);
  /* What she had typed there is her choice again. */
  if (!is_shown_here (self))
    entry_changed_cb (self->entry, self);
  reroute_field_error_update (self->error);
}

gboolean
reroute_setting_field_flush (RerouteSettingField *self)
{
  g_autofree char *value = NULL;

  g_return_val_if_fail (REROUTE_IS_SETTING_FIELD (self), FALSE);

  if (!self->active)
    return TRUE;
  value = dup_value (self);
  if (value != NULL)
    return TRUE;
  reroute_field_error_update (self->error);
  gtk_widget_grab_focus (GTK_WIDGET (self->entry));
  return FALSE;
}
