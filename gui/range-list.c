/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * range-list.c - the address ranges of a setting
 */

#include "config.h"

#include "gui/range-list.h"

#include "gui/cell-tip.h"
#include "gui/field-error.h"
#include "gui/naming.h"
#include "common/setting-text.h"

#include <glib/gi18n.h>

#define SEPARATOR ", " /* of the canonical text */

struct _RerouteRangeList
{
  GtkBox parent_instance;

  GtkLabel *caption;
  GtkEditable *entry;
  GtkButton *add_button;
  RerouteFieldError *error;
  GtkListView *view;
  GtkButton *remove_button;

  RerouteSheet *sheet;
  RerouteSettingId id;
  GtkStringList *ranges;
  GtkSelectionModel *selection;
  char *shown; /* the setting's text that the list holds */
};

G_DEFINE_FINAL_TYPE (RerouteRangeList, reroute_range_list, GTK_TYPE_BOX)

static char *
dup_typed (RerouteRangeList *self)
{
  return reroute_setting_canonicalize (
    &reroute_setting_specs ()[self->id], gtk_editable_get_text (self->entry), NULL);
}

/* (element-type utf8): those that are shown, but for the positions in @without. */
static GPtrArray *
dup_ranges (RerouteRangeList *self, GtkBitset *without)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->ranges));
  GPtrArray *ranges = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < n; i++)
    if (without == NULL || !gtk_bitset_contains (without, i))
      g_ptr_array_add (ranges, g_strdup (gtk_string_list_get_string (self->ranges, i)));
  return ranges;
}

/* What is shown, and behind it what is new of @typed, a canonical text. */
static char *
dup_joined (RerouteRangeList *self, const char *typed)
{
  g_autoptr (GPtrArray) ranges = dup_ranges (self, NULL);
  g_auto (GStrv) added = g_strsplit (typed, SEPARATOR, -1);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < ranges->len; i++)
    g_hash_table_add (known, ranges->pdata[i]);
  for (char **range = added; *range != NULL; range++)
    if (g_hash_table_add (known, *range))
      g_ptr_array_add (ranges, g_strdup (*range));
  g_ptr_array_add (ranges, NULL);
  return g_strjoinv (SEPARATOR, (char **) ranges->pdata);
}

static char *
dup_error (RerouteRangeList *self, const char *text)
{
  const RerouteSettingSpec *spec = &reroute_setting_specs ()[self->id];
  g_autofree char *value = reroute_setting_canonicalize (spec, text, NULL);

  return value != NULL ? NULL : reroute_dup_setting_error (spec, text);
}

/* Each range by itself, and whether the list takes them all. */
static char *
judge (GtkEditable *entry, gpointer user_data)
{
  RerouteRangeList *self = REROUTE_RANGE_LIST (user_data);
  g_autofree char *typed = dup_typed (self);
  g_autofree char *joined = NULL;

  if (typed == NULL)
    return dup_error (self, gtk_editable_get_text (entry));
  if (typed[0] == '\0')
    return NULL;
  joined = dup_joined (self, typed);
  return dup_error (self, joined);
}

static void
update_buttons (RerouteRangeList *self)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->selection);
  g_autofree char *typed = dup_typed (self);
  gboolean ready = reroute_sheet_is_editable (self->sheet);

  gtk_widget_set_sensitive (GTK_WIDGET (self->entry), ready);
  gtk_widget_set_sensitive (GTK_WIDGET (self->add_button),
                            ready && typed != NULL && typed[0] != '\0');
  gtk_widget_set_sensitive (GTK_WIDGET (self->remove_button),
                            ready && !gtk_bitset_is_empty (selected));
}

static void
sheet_changed_cb (RerouteSheet *sheet, RerouteRangeList *self)
{
  const char *text = reroute_sheet_get_setting (sheet, self->id);
  g_auto (GStrv) ranges = NULL;

  if (g_strcmp0 (self->shown, text) != 0)
    {
      ranges = g_strsplit (text, SEPARATOR, -1);
      g_free (self->shown);
      self->shown = g_strdup (text);
      gtk_string_list_splice (self->ranges,
                              0,
                              g_list_model_get_n_items (G_LIST_MODEL (self->ranges)),
                              (const char *const *) ranges);
    }
  update_buttons (self);
}

static void
entry_changed_cb (GtkEditable *entry, RerouteRangeList *self)
{
  update_buttons (self);
}

static void
selection_changed_cb (GtkSelectionModel *selection,
                      guint position,
                      guint n_items,
                      RerouteRangeList *self)
{
  update_buttons (self);
}

gboolean
reroute_range_list_flush (RerouteRangeList *self)
{
  g_return_val_if_fail (REROUTE_IS_RANGE_LIST (self), FALSE);

  g_autofree char *typed = dup_typed (self);
  g_autofree char *error = judge (self->entry, self);
  if (error != NULL)
    {
      reroute_field_error_update (self->error);
      gtk_widget_grab_focus (GTK_WIDGET (self->entry));
      return FALSE;
    }
  if (typed[0] == '\0')
    return TRUE;

  g_autofree char *joined = dup_joined (self, typed);
  reroute_sheet_set_setting (self->sheet, self->id, joined);
  gtk_editable_set_text (self->entry, "");
  return TRUE;
}

static void
add_cb (GtkWidget *widget, RerouteRangeList *self)
{
  if (reroute_range_list_flush (self))
    gtk_widget_grab_focus (GTK_WIDGET (self->entry));
}

static void
remove_cb (GtkWidget *widget, RerouteRangeList *self)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->selection);
  g_autoptr (GPtrArray) ranges = NULL;
  g_autofree char *text = NULL;

  if (gtk_bitset_is_empty (selected) || !gtk_widget_is_sensitive (GTK_WIDGET (self->remove_button)))
    return;
  ranges = dup_ranges (self, selected);
  g_ptr_array_add (ranges, NULL);
  text = g_strjoinv (SEPARATOR, (char **) ranges->pdata);
  reroute_sheet_set_setting (self->sheet, self->id, text);
  reroute_field_error_update (self->error);
}

static gboolean
list_key_cb (GtkEventControllerKey *controller,
             guint keyval,
             guint keycode,
             GdkModifierType state,
             RerouteRangeList *self)
{
  if (keyval != GDK_KEY_Delete && keyval != GDK_KEY_KP_Delete)
    return GDK_EVENT_PROPAGATE;
  remove_cb (NULL, self);
  return GDK_EVENT_STOP;
}

static void
setup_cb (GtkListItemFactory *factory, GtkListItem *list_item, gpointer user_data)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_margin_start (label, 6);
  gtk_list_item_set_child (list_item, label);
}

static void
bind_cb (GtkListItemFactory *factory, GtkListItem *list_item, gpointer user_data)
{
  reroute_cell_set_text (GTK_LABEL (gtk_list_item_get_child (list_item)),
                         gtk_string_object_get_string (gtk_list_item_get_item (list_item)));
}

static void
reroute_range_list_dispose (GObject *object)
{
  RerouteRangeList *self = REROUTE_RANGE_LIST (object);

  if (self->error != NULL)
    reroute_field_error_unwatch (self->error);
  g_clear_object (&self->selection);
  g_clear_object (&self->sheet);
  g_clear_pointer (&self->shown, g_free);

  G_OBJECT_CLASS (reroute_range_list_parent_class)->dispose (object);
}

static void
reroute_range_list_class_init (RerouteRangeListClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_range_list_dispose;

  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/range-list.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteRangeList, caption);
  gtk_widget_class_bind_template_child (widget_class, RerouteRangeList, entry);
  gtk_widget_class_bind_template_child (widget_class, RerouteRangeList, add_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteRangeList, error);
  gtk_widget_class_bind_template_child (widget_class, RerouteRangeList, view);
  gtk_widget_class_bind_template_child (widget_class, RerouteRangeList, remove_button);
  gtk_widget_class_bind_template_callback (widget_class, add_cb);
  gtk_widget_class_bind_template_callback (widget_class, remove_cb);
}

static void
reroute_range_list_init (RerouteRangeList *self)
{
  g_autoptr (GtkListItemFactory) factory = gtk_signal_list_item_factory_new ();
  GtkEventController *keys = gtk_event_controller_key_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cb), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cb), NULL);
  gtk_list_view_set_factory (self->view, factory);
  self->ranges = gtk_string_list_new (NULL);
  self->selection = GTK_SELECTION_MODEL (gtk_multi_selection_new (G_LIST_MODEL (self->ranges)));
  gtk_list_view_set_model (self->view, self->selection);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (list_key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->view), keys);
}

GtkWidget *
reroute_range_list_new (RerouteSheet *sheet,
                        RerouteSettingId id,
                        const RerouteRangeListLabels *labels)
{
  RerouteRangeList *self = g_object_new (REROUTE_TYPE_RANGE_LIST, NULL);
  const char *summary = _ (reroute_setting_specs ()[id].summary);

  self->sheet = g_object_ref (sheet);
  self->id = id;
  gtk_label_set_label (self->caption, labels->caption);
  gtk_button_set_label (self->add_button, labels->add);
  gtk_button_set_label (self->remove_button, labels->remove);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->entry), summary);
  reroute_name_widget (GTK_WIDGET (self->view), summary);
  reroute_field_error_watch (self->error, self->entry, judge, self);
  g_signal_connect_object (self->entry, "changed", G_CALLBACK (entry_changed_cb), self, 0);
  g_signal_connect_object (
    self->selection, "selection-changed", G_CALLBACK (selection_changed_cb), self, 0);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (sheet_changed_cb), self, 0);
  sheet_changed_cb (sheet, self);
  return GTK_WIDGET (self);
}
