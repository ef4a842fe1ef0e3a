/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * accounts-window.c - who may log in here, and what the relay logs in with elsewhere
 *
 * The relay tells names only, as "in:NAME" and "out:NAME" (Relay1.ListSecrets).
 */

#include "config.h"

#include "gui/accounts-window.h"

#include "gui/account-dialog.h"
#include "gui/help-window.h"
#include "gui/naming.h"
#include "gui/note.h"
#include "gui/plain-list.h"
#include "gui/question-window.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>
#include <string.h>

#define NAME_WIDTH 240

struct _RerouteAccountsWindow
{
  GtkWindow parent_instance;

  GtkColumnView *view;
  GtkWidget *empty;
  RerouteNote *note;
  GtkWidget *add_button;
  GtkWidget *password_button;
  GtkWidget *remove_button;

  RerouteRelayClient *relay;
  GListStore *accounts; /* of RerouteListLine of char * */
  GtkSingleSelection *selection;
  GCancellable *cancellable;
  gboolean answered; /* the list is known */
  char *to_remove;   /* what was asked about; the selection may be another one by the answer */
};

G_DEFINE_FINAL_TYPE (RerouteAccountsWindow, reroute_accounts_window, GTK_TYPE_WINDOW)

static gboolean
is_out (const char *secret)
{
  return g_str_has_prefix (secret, "out:");
}

static const char *
get_name (const char *secret)
{
  return secret + strlen (is_out (secret) ? "out:" : "in:");
}

/* (transfer none) (nullable) */
static const char *
get_selected (RerouteAccountsWindow *self)
{
  RerouteListLine *line = gtk_single_selection_get_selected_item (self->selection);

  return line != NULL ? reroute_list_line_get_value (line) : NULL;
}

static void
update (RerouteAccountsWindow *self)
{
  gboolean selected = get_selected (self) != NULL;
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->accounts));

  gtk_widget_set_visible (self->empty, self->answered && n == 0);
  gtk_widget_set_sensitive (self->add_button, self->answered);
  gtk_widget_set_sensitive (self->password_button, selected);
  gtk_widget_set_sensitive (self->remove_button, selected);
}

/* --- the relay --- */

static void
show_refusal (RerouteAccountsWindow *self, const GError *error)
{
  g_autofree char *sentence = error != NULL ? reroute_dup_account_refusal (error) : NULL;
  g_autofree char *markup = sentence != NULL ? g_markup_escape_text (sentence, -1) : NULL;

  reroute_note_show (self->note, REROUTE_NOTE_ERROR, markup, NULL);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteAccountsWindow) self = REROUTE_ACCOUNTS_WINDOW (user_data);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = reroute_relay_client_list_secrets_finish (
    REROUTE_RELAY_CLIENT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  show_refusal (self, error);
  self->answered = names != NULL;
  g_list_store_remove_all (self->accounts);
  for (char **name = names; name != NULL && *name != NULL; name++)
    {
      g_autoptr (RerouteListLine) line = reroute_list_line_new (g_strdup (*name), g_free);

      g_list_store_append (self->accounts, line);
    }
  update (self);
}

static void
list (RerouteAccountsWindow *self)
{
  reroute_relay_client_list_secrets_async (
    self->relay, self->cancellable, listed_cb, g_object_ref (self));
}

static void
removed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteAccountsWindow) self = REROUTE_ACCOUNTS_WINDOW (user_data);
  g_autoptr (GError) error = NULL;

  if (reroute_relay_client_set_secret_finish (REROUTE_RELAY_CLIENT (source), result, &error))
    list (self);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    show_refusal (self, error);
}

/* --- verbs --- */

static void
open_dialog (RerouteAccountsWindow *self, RerouteAccountDialog *dialog)
{
  g_signal_connect_object (dialog, "done", G_CALLBACK (list), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
add_clicked_cb (GtkButton *button, RerouteAccountsWindow *self)
{
  open_dialog (
    self,
    reroute_account_dialog_new_add (GTK_WINDOW (self), self->relay, G_LIST_MODEL (self->accounts)));
}

static void
change_selected (RerouteAccountsWindow *self)
{
  const char *secret = get_selected (self);

  if (secret != NULL)
    open_dialog (self, reroute_account_dialog_new_change (GTK_WINDOW (self), self->relay, secret));
}

static void
password_clicked_cb (GtkButton *button, RerouteAccountsWindow *self)
{
  change_selected (self);
}

static void
activate_cb (GtkColumnView *view, guint position, RerouteAccountsWindow *self)
{
  change_selected (self);
}

static void
remove_agreed_cb (gboolean first, gpointer user_data)
{
  RerouteAccountsWindow *self = REROUTE_ACCOUNTS_WINDOW (user_data);

  reroute_relay_client_set_secret_async (
    self->relay, self->to_remove, "", self->cancellable, removed_cb, g_object_ref (self));
}

static void
ask_to_remove (RerouteAccountsWindow *self)
{
  const char *secret = get_selected (self);
  g_autofree char *heading = NULL;
  RerouteQuestion question = {
    .title = _ ("Remove Account"),
                .first_label = _ ("_Remove"), .default_cancel = TRUE,
                };

  if (secret == NULL)
    return;
  g_free (self->to_remove);
  self->to_remove = g_strdup (secret);
  heading = g_strdup_printf (_ ("Remove the account “%s”?"), get_name (secret));
  question.heading = heading;
  question.text = is_out (secret)
    ? _ ("Mail for entries that name it waits until there is such an account again.")
    : _ ("Clients that use it cannot log in any more.");
  reroute_question_window_ask (GTK_WINDOW (self), &question, remove_agreed_cb, self);
}

static void
remove_clicked_cb (GtkButton *button, RerouteAccountsWindow *self)
{
  ask_to_remove (self);
}

static gboolean
list_key_cb (GtkEventControllerKey *controller,
             guint keyval,
             guint keycode,
             GdkModifierType state,
             RerouteAccountsWindow *self)
{
  if (keyval != GDK_KEY_Delete && keyval != GDK_KEY_KP_Delete)
    return GDK_EVENT_PROPAGATE;
  ask_to_remove (self);
  return GDK_EVENT_STOP;
}

static void
help_clicked_cb (GtkButton *button, RerouteAccountsWindow *self)
{
  reroute_help_window_show (GTK_WINDOW (self), "accounts");
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), "accounts");
  return TRUE;
}

/* --- the list --- */

static char *
dup_name_cell (gpointer value, gpointer user_data)
{
  return g_strdup (get_name (value));
}

static char *
dup_use_cell (gpointer value, gpointer user_data)
{
  return g_strdup (is_out (value) ? _ ("This relay, at other hosts")
                                  : _ ("A client that logs in here"));
}

static void
make_list (RerouteAccountsWindow *self)
{
  const RerouteTextColumn columns[] = {
    { _ ("Account"), NAME_WIDTH, FALSE, dup_name_cell },
      { _ ("Used By"), -1, FALSE, dup_use_cell },
    };
  GtkEventController *keys = gtk_event_controller_key_new ();

  self->accounts = g_list_store_new (REROUTE_TYPE_LIST_LINE);
  self->selection = gtk_single_selection_new (G_LIST_MODEL (g_object_ref (self->accounts)));
  gtk_column_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
  reroute_text_columns_add (self->view, columns, G_N_ELEMENTS (columns), self);
  reroute_name_widget (GTK_WIDGET (self->view), _ ("Accounts"));
  reroute_name_let_tab_leave (self->view);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (list_key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->view), keys);
  g_signal_connect_object (
    self->selection, "notify::selected-item", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
}

static void
reroute_accounts_window_dispose (GObject *object)
{
  RerouteAccountsWindow *self = REROUTE_ACCOUNTS_WINDOW (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->relay);
  g_clear_object (&self->selection);
  g_clear_object (&self->accounts);
  g_clear_pointer (&self->to_remove, g_free);

  G_OBJECT_CLASS (reroute_accounts_window_parent_class)->dispose (object);
}

static void
reroute_accounts_window_class_init (RerouteAccountsWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_accounts_window_dispose;

  g_type_ensure (REROUTE_TYPE_NOTE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/accounts-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountsWindow, view);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountsWindow, empty);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountsWindow, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountsWindow, add_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountsWindow, password_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountsWindow, remove_button);
  gtk_widget_class_bind_template_callback (widget_class, activate_cb);
  gtk_widget_class_bind_template_callback (widget_class, add_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, password_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, remove_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
}

static void
reroute_accounts_window_init (RerouteAccountsWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
  make_list (self);
  reroute_note_show (self->note, REROUTE_NOTE_PLAIN, NULL, NULL);
  update (self);
}

RerouteAccountsWindow *
reroute_accounts_window_new (GtkWindow *parent, RerouteSheet *sheet)
{
  RerouteAccountsWindow *self =
    g_object_new (REROUTE_TYPE_ACCOUNTS_WINDOW, "transient-for", parent, NULL);

  self->relay = g_object_ref (reroute_sheet_get_relay (sheet));
  g_signal_connect_object (
    self->relay, "notify::available", G_CALLBACK (list), self, G_CONNECT_SWAPPED);
  list (self);
  return self;
}
