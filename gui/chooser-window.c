/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chooser-window.c - Another Computer: whose mail service is administered
 *
 * Nothing is given up for a computer that cannot be reached: the sheet behind it stays until the
 * connection is there.
 */

#include "config.h"

#include "gui/chooser-window.h"

#include "common/refusal-text.h"
#include "gui/field-error.h"
#include "gui/help-window.h"
#include "gui/known-computers.h"
#include "gui/naming.h"
#include "gui/note.h"
#include "gui/plain-list.h"
#include "gui/question-window.h"

#include <glib/gi18n.h>

struct _RerouteChooserWindow
{
  GtkWindow parent_instance;

  GtkCheckButton *here;
  GtkCheckButton *there;
  GtkWidget *content;
  GtkEditable *name;
  RerouteFieldError *name_error;
  GtkColumnView *view;
  GtkWidget *empty;
  RerouteNote *note;
  GtkWidget *forget_button;
  GtkWidget *connect_button;
  GtkWidget *cancel_button;

  RerouteSheet *sheet;
  GListStore *known; /* of RerouteListLine of char * */
  GtkSingleSelection *selection;
  RerouteBus *bus; /* (nullable): being connected */
};

enum
{
  CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteChooserWindow, reroute_chooser_window, GTK_TYPE_WINDOW)

/* (transfer none) (nullable) */
static const char *
get_selected (RerouteChooserWindow *self)
{
  RerouteListLine *line = gtk_single_selection_get_selected_item (self->selection);

  return line != NULL ? reroute_list_line_get_value (line) : NULL;
}

/* (transfer full) (nullable): what stands in the field, when it is one */
static RerouteRemote *
read_remote (RerouteChooserWindow *self, GError **error)
{
  g_autofree char *name = g_strstrip (g_strdup (gtk_editable_get_text (self->name)));

  return reroute_remote_parse (name, error);
}

static void
update (RerouteChooserWindow *self)
{
  gboolean here = gtk_check_button_get_active (self->here);
  g_autoptr (RerouteRemote) remote = here ? NULL : read_remote (self, NULL);

  gtk_widget_set_visible (self->empty, g_list_model_get_n_items (G_LIST_MODEL (self->known)) == 0);
  gtk_widget_set_sensitive (self->content, self->bus == NULL);
  gtk_widget_set_sensitive (self->forget_button, get_selected (self) != NULL);
  gtk_widget_set_sensitive (self->connect_button, self->bus == NULL && (here || remote != NULL));
}

static void
show_note (RerouteChooserWindow *self, RerouteNoteKind kind, const char *sentence)
{
  g_autofree char *markup = sentence != NULL ? g_markup_escape_text (sentence, -1) : NULL;

  reroute_note_show (self->note, kind, markup, NULL);
}

/* --- connecting --- */

/* @bus: (transfer full) (nullable): connected; of this computer */
static void
finish (RerouteChooserWindow *self, RerouteBus *bus)
{
  g_autoptr (RerouteBus) chosen = bus;

  g_object_ref (self);
  /* The event that brought us here still holds this window, and its parent goes. */
  gtk_window_set_transient_for (GTK_WINDOW (self), NULL);
  g_signal_emit (self, signals[CHOSEN], 0, chosen);
  gtk_window_destroy (GTK_WINDOW (self));
  g_object_unref (self);
}

/* Ends ssh, which may wait for somebody. */
static void
hang_up (RerouteChooserWindow *self)
{
  g_autoptr (RerouteBus) bus = g_steal_pointer (&self->bus);

  if (bus == NULL)
    return;
  g_signal_handlers_disconnect_by_data (bus, self);
  reroute_bus_close (bus);
}

static void
connection_cb (RerouteBus *bus, GParamSpec *pspec, RerouteChooserWindow *self)
{
  g_autofree char *sentence = NULL;

  if (reroute_bus_get_connection (bus) != NULL)
    {
      g_signal_handlers_disconnect_by_data (bus, self);
      finish (self, g_steal_pointer (&self->bus));
      return;
    }
  if (reroute_bus_get_failure (bus) == NULL)
    return;
  sentence = reroute_dup_connection_error (reroute_bus_get_failure (bus));
  hang_up (self);
  show_note (self, REROUTE_NOTE_ERROR, sentence);
  update (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->name));
}

/* @remote: (transfer full) */
static void
dial (RerouteChooserWindow *self, RerouteRemote *remote)
{
  g_autofree char *sentence = reroute_dup_connecting (remote->name);

  self->bus = reroute_bus_new_remote (remote, NULL);
  g_signal_connect (self->bus, "notify::connection", G_CALLBACK (connection_cb), self);
  show_note (self, REROUTE_NOTE_PLAIN, sentence);
  gtk_widget_grab_focus (self->cancel_button);
  update (self);
  reroute_bus_start (self->bus);
}

static void
go (RerouteChooserWindow *self)
{
  if (gtk_check_button_get_active (self->here))
    finish (self, NULL);
  else
    dial (self, read_remote (self, NULL));
}

static void
drop_agreed_cb (gboolean first, gpointer user_data)
{
  go (REROUTE_CHOOSER_WINDOW (user_data));
}

/* Whether @sheet is of the computer that was chosen. */
static gboolean
is_there_already (RerouteChooserWindow *self)
{
  RerouteBus *bus = reroute_sheet_get_bus (self->sheet);
  const RerouteRemote *current = reroute_bus_get_remote (bus);
  g_autoptr (RerouteRemote) remote =
               gtk_check_button_get_active (self->here) ? NULL : read_remote (self, NULL);

  if (current == NULL || remote == NULL)
    return current == remote;
  return g_str_equal (current->name, remote->name) && reroute_bus_get_connection (bus) != NULL;
}

static void
choose (RerouteChooserWindow *self)
{
  guint n = reroute_edit_get_n_changes (reroute_sheet_get_edit (self->sheet));

  if (!gtk_widget_is_sensitive (self->connect_button))
    return;
  if (is_there_already (self))
    gtk_window_close (GTK_WINDOW (self));
  else if (n == 0)
    go (self);
  else
    reroute_question_window_ask_to_drop (GTK_WINDOW (self), _ ("Connect"), n, drop_agreed_cb, self);
}

static void
connect_clicked_cb (GtkButton *button, RerouteChooserWindow *self)
{
  choose (self);
}

/* --- what is chosen --- */

static char *
judge_name (GtkEditable *field, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRemote) remote = NULL;

  if (gtk_editable_get_text (field)[0] == '\0')
    return NULL;
  remote = read_remote (REROUTE_CHOOSER_WINDOW (user_data), &error);
  return remote == NULL ? g_strdup (error->message) : NULL;
}

static void
name_changed_cb (GtkEditable *field, RerouteChooserWindow *self)
{
  if (gtk_editable_get_text (field)[0] != '\0')
    gtk_check_button_set_active (self->there, TRUE);
  show_note (self, REROUTE_NOTE_PLAIN, NULL);
  update (self);
}

static void
toggled_cb (GtkCheckButton *button, RerouteChooserWindow *self)
{
  if (self->known != NULL)
    update (self);
}

static void
selected_cb (GtkSingleSelection *selection, GParamSpec *pspec, RerouteChooserWindow *self)
{
  const char *name = get_selected (self);

  if (name != NULL)
    gtk_editable_set_text (self->name, name);
  update (self);
}

static void
activate_cb (GtkColumnView *view, guint position, RerouteChooserWindow *self)
{
  g_autoptr (RerouteListLine) line =
               g_list_model_get_item (G_LIST_MODEL (self->selection), position);

  gtk_editable_set_text (self->name, reroute_list_line_get_value (line));
  choose (self);
}

/* --- the list --- */

static void
list (RerouteChooserWindow *self)
{
  g_auto (GStrv) names = reroute_known_computers_load ();

  g_list_store_remove_all (self->known);
  for (char **name = names; *name != NULL; name++)
    {
      g_autoptr (RerouteListLine) line = reroute_list_line_new (g_strdup (*name), g_free);

      g_list_store_append (self->known, line);
    }
}

static void
forget (RerouteChooserWindow *self)
{
  g_autoptr (GError) error = NULL;
  const char *name = get_selected (self);

  if (name == NULL)
    return;
  if (reroute_known_computers_remove (name, &error))
    list (self);
  else
    show_note (self, REROUTE_NOTE_ERROR, error->message);
  update (self);
}

static void
forget_clicked_cb (GtkButton *button, RerouteChooserWindow *self)
{
  forget (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->name));
}

static gboolean
list_key_cb (GtkEventControllerKey *controller,
             guint keyval,
             guint keycode,
             GdkModifierType state,
             RerouteChooserWindow *self)
{
  if (keyval != GDK_KEY_Delete && keyval != GDK_KEY_KP_Delete)
    return GDK_EVENT_PROPAGATE;
  forget (self);
  return GDK_EVENT_STOP;
}

static char *
dup_name_cell (gpointer value, gpointer user_data)
{
  return g_strdup (value);
}

static void
make_list (RerouteChooserWindow *self)
{
  const RerouteTextColumn columns[] = { { _ ("Computer"), -1, FALSE, dup_name_cell } };
  GtkEventController *keys = gtk_event_controller_key_new ();

  self->known = g_list_store_new (REROUTE_TYPE_LIST_LINE);
  self->selection = gtk_single_selection_new (NULL);
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  gtk_single_selection_set_model (self->selection, G_LIST_MODEL (self->known));
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
  reroute_text_columns_add (self->view, columns, G_N_ELEMENTS (columns), self);
  reroute_name_widget (GTK_WIDGET (self->view), _ ("Connected before"));
  reroute_name_let_tab_leave (self->view);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (list_key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->view), keys);
  list (self);
  g_signal_connect_object (
    self->selection, "notify::selected-item", G_CALLBACK (selected_cb), self, 0);
}

static void
help_clicked_cb (GtkButton *button, RerouteChooserWindow *self)
{
  reroute_help_window_show (GTK_WINDOW (self), "computer");
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), "computer");
  return TRUE;
}

static void
reroute_chooser_window_dispose (GObject *object)
{
  RerouteChooserWindow *self = REROUTE_CHOOSER_WINDOW (object);

  if (self->name_error != NULL)
    reroute_field_error_unwatch (self->name_error);
  hang_up (self);
  gtk_widget_dispose_template (GTK_WIDGET (self), REROUTE_TYPE_CHOOSER_WINDOW);
  g_clear_object (&self->selection);
  g_clear_object (&self->known);
  g_clear_object (&self->sheet);

  G_OBJECT_CLASS (reroute_chooser_window_parent_class)->dispose (object);
}

static void
bind_template (GtkWidgetClass *widget_class)
{
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/chooser-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, here);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, there);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, content);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, name);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, name_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, view);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, empty);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, forget_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, connect_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteChooserWindow, cancel_button);
  gtk_widget_class_bind_template_callback (widget_class, toggled_cb);
  gtk_widget_class_bind_template_callback (widget_class, name_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, activate_cb);
  gtk_widget_class_bind_template_callback (widget_class, forget_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, connect_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
}

static void
reroute_chooser_window_class_init (RerouteChooserWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_chooser_window_dispose;

  signals[CHOSEN] = g_signal_new ("chosen",
                                  REROUTE_TYPE_CHOOSER_WINDOW,
                                  G_SIGNAL_RUN_LAST,
                                  0,
                                  NULL,
                                  NULL,
                                  NULL,
                                  G_TYPE_NONE,
                                  1,
                                  REROUTE_TYPE_BUS);

  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  g_type_ensure (REROUTE_TYPE_NOTE);
  bind_template (widget_class);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
}

static void
reroute_chooser_window_init (RerouteChooserWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  make_list (self);
  reroute_name_tree (GTK_WIDGET (self));
  reroute_name_widget (GTK_WIDGET (self->name), _ ("Computer"));
  reroute_field_error_watch (self->name_error, self->name, judge_name, self);
  show_note (self, REROUTE_NOTE_PLAIN, NULL);
}

RerouteChooserWindow *
reroute_chooser_window_new (GtkWindow *parent, RerouteSheet *sheet)
{
  RerouteChooserWindow *self =
    g_object_new (REROUTE_TYPE_CHOOSER_WINDOW, "transient-for", parent, NULL);
  const RerouteRemote *current = reroute_bus_get_remote (reroute_sheet_get_bus (sheet));

  self->sheet = g_object_ref (sheet);
  if (current != NULL)
    gtk_editable_set_text (self->name, current->name);
  update (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->name));
  return self;
}
