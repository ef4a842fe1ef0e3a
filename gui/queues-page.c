/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queues-page.c - the Queues page: mail that waits, by next hop or by entry
 *
 * Above the groups, below the messages of the selected one.  Both are read again while the page is
 * shown and the relay says that its queue has changed.
 */

#include "config.h"

#include "gui/queues-page.h"

#include "gui/naming.h"
#include "gui/note.h"
#include "gui/plain-list.h"
#include "gui/queue-actions.h"
#include "gui/queue-columns.h"
#include "gui/queue-details-window.h"
#include "gui/queue-groups.h"
#include "gui/queue-model.h"
#include "gui/queue-selection.h"
#include "gui/queue-text.h"
#include "gui/row-text.h"
#include "gui/search-field.h"

#include <glib/gi18n.h>
#include <string.h>

#define AGES_S 10 /* after which ages and waits are told anew */

struct _RerouteQueuesPage
{
  GtkBox parent_instance;

  GtkDropDown *by;
  GtkSearchEntry *search;
  GtkLabel *total;
  GtkColumnView *groups_view;
  GtkWidget *empty;
  GtkLabel *empty_title;
  GtkLabel *empty_text;
  RerouteNote *note;
  GtkLabel *messages_title;
  GtkSearchEntry *message_search;
  GtkLabel *selected;
  GtkWidget *all_button;
  GtkColumnView *messages_view;
  GtkWidget *details_button;
  GtkWidget *retry_button;
  GtkWidget *hold_button;
  GtkWidget *release_button;
  GtkWidget *return_button;
  GtkWidget *delete_button;

  RerouteSheet *sheet;
  RerouteQueueGroups *groups;
  GtkSingleSelection *group;
  RerouteQueueModel *messages;
  GtkMultiSelection *selection;

  guint ages_id;
  char *problem; /* what a verb could not do; NULL: nothing of the kind */

  RerouteQueueReading *reading; /* (nullable): what is selected, for @verb */
  RerouteQueueVerb verb;
};

static void page_iface_init (ReroutePropertyPageInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteQueuesPage,
                               reroute_queues_page,
                               GTK_TYPE_BOX,
                               G_IMPLEMENT_INTERFACE (REROUTE_TYPE_PROPERTY_PAGE, page_iface_init))

static const char *
get_by (RerouteQueuesPage *self)
{
  return reroute_queue_groups_get_by (self->groups);
}

/* (transfer none) (nullable) */
static const RerouteQueueGroup *
get_group (RerouteQueuesPage *self)
{
  RerouteListLine *line = gtk_single_selection_get_selected_item (self->group);

  return line != NULL ? reroute_list_line_get_value (line) : NULL;
}

/* --- what is shown --- */

/* (nullable): markup */
static char *
dup_note (RerouteQueuesPage *self)
{
  guint n = g_list_model_get_n_items (reroute_queue_groups_get_lines (self->groups));
  guint total = reroute_queue_groups_get_total (self->groups);
  g_autofree char *failure = reroute_queue_dup_failure (get_by (self), get_group (self));
  g_autofree char *rest = g_strdup_printf (
    /* Translators: numbers of lines of the list above */
    _ ("The first %'u of %'u lines are shown. Search to find the others."), n, total);

  if (total <= n)
    return g_steal_pointer (&failure);
  return g_strjoin (failure != NULL ? "\n" : NULL, rest, failure, NULL);
}

static void
show_note (RerouteQueuesPage *self)
{
  const GError *error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *markup = NULL;

  error = reroute_queue_groups_get_error (self->groups);
  if (self->problem != NULL || error != NULL)
    {
      text = self->problem != NULL ? g_strdup (self->problem) : reroute_dup_queue_refusal (error);
      markup = g_markup_escape_text (text, -1);
      reroute_note_show (self->note, REROUTE_NOTE_WARNING, markup, NULL);
      return;
    }
  markup = dup_note (self);
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, markup, NULL);
}

static void
show_total (RerouteQueuesPage *self)
{
  g_autofree char *as_of = reroute_dup_moment (reroute_queue_groups_get_as_of_us (self->groups));
  g_autofree char *text = NULL;

  if (!reroute_relay_watch_is_available (reroute_sheet_get_relay_watch (self->sheet)) &&
      reroute_queue_groups_is_loaded (self->groups))
    /* Translators: date and time of what a list shows */
    text = g_strdup_printf (_ ("Shown as of %s"), as_of);
  else
    text = reroute_queue_dup_total (reroute_queue_groups_get_n_queued (self->groups),
                                    reroute_queue_groups_get_oldest_us (self->groups));
  gtk_label_set_label (self->total, text != NULL ? text : "");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->total), text);
}

static void
show_empty (RerouteQueuesPage *self)
{
  g_autofree char *text = reroute_search_field_dup_text (self->search);
  gboolean available =
    reroute_relay_watch_is_available (reroute_sheet_get_relay_watch (self->sheet));
  g_autofree char *nothing = NULL;

  gtk_widget_set_visible (
    self->empty,
    g_list_model_get_n_items (reroute_queue_groups_get_lines (self->groups)) == 0 &&
      (reroute_queue_groups_is_loaded (self->groups) || !available));
  gtk_widget_set_visible (GTK_WIDGET (self->empty_title), text[0] == '\0' || !available);
  gtk_label_set_label (
    self->empty_title, available ? _ ("No mail waits") : _ ("The relay is not running"));
  if (text[0] != '\0')
    nothing = g_strdup_printf (_ ("Nothing here contains “%s”."), text);
  else
    nothing = g_strdup (_ ("Mail that cannot be delivered at once is shown here until it is."));
  gtk_label_set_label (self->empty_text,
                       available ? nothing : _ ("What waits is shown when it runs again."));
}

static void
show_buttons (RerouteQueuesPage *self)
{
  /* A list that goes lets its order go, too, and says so. */
  if (self->selection == NULL)
    return;

  g_autoptr (GtkBitset) selected =
               gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  guint n = (guint) gtk_bitset_get_size (selected);
  guint total = g_list_model_get_n_items (G_LIST_MODEL (self->messages));
  gboolean can_act = n > 0 && self->reading == NULL &&
                     reroute_relay_watch_is_available (reroute_sheet_get_relay_watch (self->sheet));
  gboolean can_hold = FALSE;
  gboolean held = FALSE;
  g_autofree char *text = g_strdup_printf (
    /* Translators: how many lines of a list are selected */
    g_dngettext (GETTEXT_PACKAGE, "%'u of %'u selected", "%'u of %'u selected", n),
    n,
    total);

  reroute_queue_selection_look (
    GTK_SELECTION_MODEL (self->selection), self->messages, &can_hold, &held);
  if (self->reading != NULL)
    gtk_label_set_label (self->selected, _ ("Reading the messages…"));
  else
    gtk_label_set_label (self->selected, total > 0 ? text : "");
  gtk_widget_set_sensitive (self->all_button, total > 0 && n < total);
  gtk_widget_set_sensitive (self->details_button, can_act && n == 1);
  gtk_widget_set_sensitive (self->retry_button, can_act);
  gtk_widget_set_sensitive (self->hold_button, can_act && can_hold);
  gtk_widget_set_sensitive (self->release_button, can_act && held);
  gtk_widget_set_sensitive (self->return_button, can_act);
  gtk_widget_set_sensitive (self->delete_button, can_act);
}

static void
update (RerouteQueuesPage *self)
{
  g_autofree char *title = reroute_queue_dup_title (get_by (self), get_group (self));

  gtk_label_set_label (self->messages_title, title);
  show_total (self);
  show_empty (self);
  show_note (self);
  show_buttons (self);
}

/* --- the groups --- */

static void
groups_updated_cb (RerouteQueueGroups *groups, RerouteQueuesPage *self)
{
  reroute_queue_model_refresh (self->messages);
  gtk_sorter_changed (gtk_column_view_get_sorter (self->groups_view), GTK_SORTER_CHANGE_DIFFERENT);
  update (self);
}

static void
show_group (RerouteQueuesPage *self)
{
  const RerouteQueueGroup *group = get_group (self);
  g_autofree char *text = reroute_search_field_dup_text (self->message_search);

  if (self->messages != NULL)
    reroute_queue_model_set_group (
      self->messages, get_by (self), group != NULL ? group->key : NULL, text);
}

static void
group_selected_cb (GtkSingleSelection *selection, GParamSpec *pspec, RerouteQueuesPage *self)
{
  g_clear_pointer (&self->problem, g_free);
  show_group (self);
  update (self);
}

/* Another grouping, or another search. */
static void
asked_cb (RerouteQueuesPage *self)
{
  g_autofree char *text = reroute_search_field_dup_text (self->search);

  if (self->groups == NULL)
    return;
  reroute_queue_groups_set_question (
    self->groups, gtk_drop_down_get_selected (self->by) == 1 ? "entry" : "next-hop", text);
  reroute_queue_columns_name_groups (self->groups_view, self->groups);
}

static gboolean
clear_search (ReroutePropertyPage *page)
{
  RerouteQueuesPage *self = REROUTE_QUEUES_PAGE (page);

  return reroute_search_field_clear (self->message_search) ||
         reroute_search_field_clear (self->search);
}

/* --- verbs --- */

static void
acted_cb (GObject *owner, const char *problem)
{
  RerouteQueuesPage *self = REROUTE_QUEUES_PAGE (owner);

  g_free (self->problem);
  self->problem = g_strdup (problem);
  reroute_queue_groups_refresh (self->groups);
  update (self);
}

/* @ids: (nullable): %NULL: all of the list */
static void
act_on (RerouteQueuesPage *self, RerouteQueueVerb verb, GArray *ids, guint n)
{
  reroute_queue_act (&(RerouteQueueDeed){ .relay = reroute_sheet_get_relay (self->sheet),
                                          .verb = verb,
                                          .by = reroute_queue_model_get_by (self->messages),
                                          .key = reroute_queue_model_get_key (self->messages),
                                          .text = reroute_queue_model_get_text (self->messages),
                                          .ids = ids,
                                          .n = n },
                     acted_cb,
                     GTK_WIDGET (self));
}

static void
read_cb (GArray *read, const GError *error, gpointer user_data)
{
  RerouteQueuesPage *self = user_data;
  g_autoptr (GArray) ids = read;
  g_autofree char *problem = error != NULL ? reroute_dup_queue_refusal (error) : NULL;

  g_clear_pointer (&self->reading, reroute_queue_reading_free);
  if (ids != NULL && ids->len > 0 && get_group (self) != NULL)
    act_on (self, self->verb, ids, ids->len);
  if (error != NULL)
    acted_cb (G_OBJECT (self), problem);
  show_buttons (self);
}

/* All of a list are named by what shows them, also those that nobody has looked at. */
static void
act (RerouteQueuesPage *self, RerouteQueueVerb verb, GtkWidget *button)
{
  GtkSelectionModel *selection = GTK_SELECTION_MODEL (self->selection);
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (selection);
  g_autoptr (GArray) ids = NULL;
  guint n = (guint) gtk_bitset_get_size (selected);

  if (get_group (self) == NULL || !gtk_widget_is_sensitive (button))
    return;
  ids = reroute_queue_selection_dup_ids (selection, self->messages);
  if (ids != NULL || n == g_list_model_get_n_items (G_LIST_MODEL (self->messages)))
    {
      act_on (self, verb, ids, n);
      return;
    }
  self->verb = verb;
  self->reading = reroute_queue_reading_new (selection, self->messages, read_cb, self);
  show_buttons (self);
}

static void
retry_clicked_cb (GtkButton *button, RerouteQueuesPage *self)
{
  act (self, REROUTE_QUEUE_RETRY, self->retry_button);
}

static void
hold_clicked_cb (GtkButton *button, RerouteQueuesPage *self)
{
  act (self, REROUTE_QUEUE_HOLD, self->hold_button);
}

static void
release_clicked_cb (GtkButton *button, RerouteQueuesPage *self)
{
  act (self, REROUTE_QUEUE_RELEASE, self->release_button);
}

static void
return_clicked_cb (GtkButton *button, RerouteQueuesPage *self)
{
  act (self, REROUTE_QUEUE_RETURN, self->return_button);
}

static void
delete_clicked_cb (GtkButton *button, RerouteQueuesPage *self)
{
  act (self, REROUTE_QUEUE_DELETE, self->delete_button);
}

static void
all_clicked_cb (GtkButton *button, RerouteQueuesPage *self)
{
  gtk_selection_model_select_all (GTK_SELECTION_MODEL (self->selection));
}

static void
show_details (RerouteQueuesPage *self)
{
  g_autoptr (GtkBitset) selected =
               gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));
  const RerouteQueuedMessage *message = NULL;

  if (gtk_bitset_get_size (selected) == 1)
    message = reroute_queue_model_get_message (self->messages, gtk_bitset_get_minimum (selected));
  if (message != NULL)
    gtk_window_present (
      GTK_WINDOW (reroute_queue_details_window_new (window, self->sheet, message->id)));
}

static void
details_clicked_cb (GtkButton *button, RerouteQueuesPage *self)
{
  show_details (self);
}

static void
activate_cb (GtkColumnView *view, guint position, RerouteQueuesPage *self)
{
  gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, TRUE);
  show_details (self);
}

static gboolean
list_key_cb (GtkEventControllerKey *controller,
             guint keyval,
             guint keycode,
             GdkModifierType state,
             RerouteQueuesPage *self)
{
  if (keyval != GDK_KEY_Delete && keyval != GDK_KEY_KP_Delete)
    return GDK_EVENT_PROPAGATE;
  act (self, REROUTE_QUEUE_DELETE, self->delete_button);
  return GDK_EVENT_STOP;
}

/* --- live --- */

static gboolean
ages_cb (gpointer user_data)
{
  RerouteQueuesPage *self = REROUTE_QUEUES_PAGE (user_data);

  reroute_text_columns_refresh (reroute_queue_groups_get_lines (self->groups));
  reroute_queue_model_tell_again (self->messages);
  show_total (self);
  return G_SOURCE_CONTINUE;
}

static void
map_cb (GtkWidget *widget, gpointer user_data)
{
  RerouteQueuesPage *self = REROUTE_QUEUES_PAGE (widget);

  if (self->sheet == NULL || self->ages_id != 0)
    return;
  self->ages_id = g_timeout_add_seconds (AGES_S, ages_cb, self);
  reroute_queue_groups_set_shown (self->groups, TRUE);
}

static void
unmap_cb (GtkWidget *widget, gpointer user_data)
{
  RerouteQueuesPage *self = REROUTE_QUEUES_PAGE (widget);

  g_clear_handle_id (&self->ages_id, g_source_remove);
  if (self->groups != NULL)
    reroute_queue_groups_set_shown (self->groups, FALSE);
}

static void
selection_changed_cb (GtkSelectionModel *selection,
                      guint position,
                      guint n_items,
                      RerouteQueuesPage *self)
{
  g_clear_pointer (&self->problem, g_free);
  show_note (self);
  show_buttons (self);
}

/* What a verb could not do without the relay is of no interest when it is back. */
static void
available_cb (RerouteRelayClient *relay, GParamSpec *pspec, RerouteQueuesPage *self)
{
  if (!reroute_relay_client_get_available (relay))
    return;
  g_clear_pointer (&self->problem, g_free);
  show_note (self);
}

static void
make_lists (RerouteQueuesPage *self)
{
  GListModel *lines = reroute_queue_groups_get_lines (self->groups);
  GtkSorter *sorter = gtk_column_view_get_sorter (self->groups_view);

  self->group = gtk_single_selection_new (
    G_LIST_MODEL (gtk_sort_list_model_new (g_object_ref (lines), g_object_ref (sorter))));
  reroute_queue_columns_add_groups (self->groups_view, self->groups);
  gtk_column_view_set_model (self->groups_view, GTK_SELECTION_MODEL (self->group));

  self->selection = gtk_multi_selection_new (g_object_ref (G_LIST_MODEL (self->messages)));
  reroute_queue_columns_add_messages (self->messages_view, self->messages);
  gtk_column_view_set_model (self->messages_view, GTK_SELECTION_MODEL (self->selection));
}

/* --- ReroutePropertyPage --- */

static void
open_sheet (ReroutePropertyPage *page, RerouteSheet *sheet)
{
  RerouteQueuesPage *self = REROUTE_QUEUES_PAGE (page);
  RerouteRelayClient *relay = reroute_sheet_get_relay (sheet);

  self->sheet = g_object_ref (sheet);
  self->groups = reroute_queue_groups_new (relay);
  self->messages = reroute_queue_model_new (relay);
  make_lists (self);
  g_signal_connect_object (
    self->group, "notify::selected-item", G_CALLBACK (group_selected_cb), self, 0);
  g_signal_connect_object (
    self->selection, "selection-changed", G_CALLBACK (selection_changed_cb), self, 0);
  g_signal_connect_object (
    self->messages, "updated", G_CALLBACK (show_buttons), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->groups, "updated", G_CALLBACK (groups_updated_cb), self, 0);
  g_signal_connect_object (relay, "notify::available", G_CALLBACK (available_cb), self, 0);
  g_signal_connect_object (sheet, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect (self, "map", G_CALLBACK (map_cb), NULL);
  g_signal_connect (self, "unmap", G_CALLBACK (unmap_cb), NULL);
  update (self);
}

static void
focus_search (ReroutePropertyPage *page)
{
  gtk_widget_grab_focus (GTK_WIDGET (REROUTE_QUEUES_PAGE (page)->search));
}

static void
page_iface_init (ReroutePropertyPageInterface *iface)
{
  iface->help_topic = "queues";
  iface->open = open_sheet;
  iface->focus_search = focus_search;
  iface->clear_search = clear_search;
}

/* --- GObject --- */

static void
reroute_queues_page_dispose (GObject *object)
{
  RerouteQueuesPage *self = REROUTE_QUEUES_PAGE (object);

  g_clear_handle_id (&self->ages_id, g_source_remove);
  g_clear_pointer (&self->reading, reroute_queue_reading_free);
  g_clear_object (&self->selection);
  g_clear_object (&self->messages);
  g_clear_object (&self->group);
  g_clear_object (&self->groups);
  g_clear_object (&self->sheet);
  g_clear_pointer (&self->problem, g_free);

  G_OBJECT_CLASS (reroute_queues_page_parent_class)->dispose (object);
}

static void
reroute_queues_page_class_init (RerouteQueuesPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_queues_page_dispose;

  g_type_ensure (REROUTE_TYPE_NOTE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/queues-page.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, by);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, search);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, total);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, groups_view);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, empty);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, empty_title);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, empty_text);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, messages_title);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, message_search);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, selected);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, all_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, messages_view);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, details_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, retry_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, hold_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, release_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, return_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteQueuesPage, delete_button);
  gtk_widget_class_bind_template_callback (widget_class, asked_cb);
  gtk_widget_class_bind_template_callback (widget_class, show_group);
  gtk_widget_class_bind_template_callback (widget_class, all_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, activate_cb);
  gtk_widget_class_bind_template_callback (widget_class, details_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, retry_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, hold_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, release_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, return_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, delete_clicked_cb);
}

static void
reroute_queues_page_init (RerouteQueuesPage *self)
{
  GtkEventController *keys = NULL;

  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  reroute_search_field_init (self->search, _ ("Search hosts and entries"));
  reroute_search_field_init (self->message_search, _ ("Search messages"));
  reroute_name_widget (GTK_WIDGET (self->by), _ ("Group by"));
  reroute_name_widget (GTK_WIDGET (self->groups_view), _ ("Queues"));
  reroute_name_widget (GTK_WIDGET (self->messages_view), _ ("Messages"));
  keys = gtk_event_controller_key_new ();
  g_signal_connect (keys, "key-pressed", G_CALLBACK (list_key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->messages_view), keys);
  reroute_name_let_tab_leave (self->groups_view);
  reroute_name_let_tab_leave (self->messages_view);
}
