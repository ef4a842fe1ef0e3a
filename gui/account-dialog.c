/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * account-dialog.c - Add Account, Change Password
 *
 * A password of a client's account leaves this program as a verifier alone (common/verifier).  The
 * entries keep theirs in memory that is not swapped out and is cleared (GtkPasswordEntryBuffer);
 * what is made of it here is cleared as soon as the call is on its way.
 */

#include "config.h"

#include "gui/account-dialog.h"

#include "common/secret.h"
#include "common/verifier.h"
#include "gui/field-error.h"
#include "gui/help-window.h"
#include "gui/naming.h"
#include "gui/note.h"
#include "gui/plain-list.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>
#include <string.h>

/* The choices of the drop-downs. */
enum
{
  KIND_IN,
  KIND_OUT,
};

enum
{
  PROOF_PASSWORD,
  PROOF_TOKEN_FILE,
};

struct _RerouteAccountDialog
{
  GtkWindow parent_instance;

  GtkDropDown *kind;
  GtkEditable *name;
  RerouteFieldError *name_error;
  GtkWidget *user_label;
  GtkEditable *user;
  GtkWidget *proof_label;
  GtkDropDown *proof;
  GtkWidget *password_label;
  GtkEditable *password;
  RerouteFieldError *password_error;
  GtkWidget *again_label;
  GtkEditable *again;
  RerouteFieldError *again_error;
  GtkWidget *file_label;
  GtkEditable *file;
  RerouteFieldError *file_error;
  RerouteNote *note;
  GtkWidget *ok_button;

  RerouteRelayClient *relay;
  GListModel *accounts; /* that are there already; NULL: one of them is changed */
  GCancellable *cancellable;
  gboolean setting; /* the relay is asked */
};

enum
{
  DONE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteAccountDialog, reroute_account_dialog, GTK_TYPE_WINDOW)

static gboolean
is_out (RerouteAccountDialog *self)
{
  return gtk_drop_down_get_selected (self->kind) == KIND_OUT;
}

static gboolean
wants_file (RerouteAccountDialog *self)
{
  return is_out (self) && gtk_drop_down_get_selected (self->proof) == PROOF_TOKEN_FILE;
}

/* A blank that was pasted with it is none of the name's. */
static char *
dup_trimmed (GtkEditable *field)
{
  return g_strstrip (g_strdup (gtk_editable_get_text (field)));
}

/* As SetSecret wants it. */
static char *
dup_secret_name (RerouteAccountDialog *self)
{
  g_autofree char *name = dup_trimmed (self->name);

  return g_strconcat (is_out (self) ? "out:" : "in:", name, NULL);
}

/* To add it would be to take its password from another account. */
static gboolean
is_taken (RerouteAccountDialog *self)
{
  g_autofree char *secret_name = dup_secret_name (self);
  guint n = self->accounts != NULL ? g_list_model_get_n_items (self->accounts) : 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (RerouteListLine) line = g_list_model_get_item (self->accounts, i);

      if (g_str_equal (reroute_list_line_get_value (line), secret_name))
        return TRUE;
    }
  return FALSE;
}

static void
free_secret (char *secret)
{
  if (secret != NULL)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

/* --- what is wrong with a field --- */

static char *
judge_name (GtkEditable *field, gpointer user_data)
{
  g_autofree char *name = dup_trimmed (field);

  if (is_taken (REROUTE_ACCOUNT_DIALOG (user_data)))
    return g_strdup_printf (
      _ ("There is an account “%s” of this kind already. Change its password instead."), name);
  if (name[0] == '\0' || reroute_account_check_name (name, NULL))
    return NULL;
  return reroute_dup_account_error (name);
}

static char *
judge_password (GtkEditable *field, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  const char *password = gtk_editable_get_text (field);
  g_autoptr (RerouteSecret) secret = NULL;

  if (password[0] == '\0')
    return NULL;
  secret = reroute_secret_new (REROUTE_SECRET_PASSWORD, "user", password, &error);
  if (secret != NULL)
    return NULL;
  return g_strdup (_ ("This password is too long, or has characters that cannot be typed."));
}

static char *
judge_again (GtkEditable *field, gpointer user_data)
{
  RerouteAccountDialog *self = REROUTE_ACCOUNT_DIALOG (user_data);
  const char *again = gtk_editable_get_text (field);

  if (again[0] == '\0' || g_str_equal (again, gtk_editable_get_text (self->password)))
    return NULL;
  return g_strdup (_ ("The two passwords differ. Write the same one twice."));
}

static char *
judge_file (GtkEditable *field, gpointer user_data)
{
  g_autofree char *file = dup_trimmed (field);

  if (file[0] == '\0' || g_path_is_absolute (file))
    return NULL;
  return g_strdup_printf (_ ("“%s” is no full file name. Write it from the first “/” on."), file);
}

/* --- the relay --- */

static gboolean
is_whole (RerouteAccountDialog *self)
{
  g_autofree char *name = dup_trimmed (self->name);
  g_autofree char *file = dup_trimmed (self->file);
  const char *password = gtk_editable_get_text (self->password);
  g_autofree char *wrong = judge_password (self->password, self);

  if (self->setting || !reroute_account_check_name (name, NULL) || is_taken (self))
    return FALSE;
  if (wants_file (self))
    return g_path_is_absolute (file);
  return wrong == NULL && password[0] != '\0' &&
         g_str_equal (password, gtk_editable_get_text (self->again));
}

static void
show_refusal (RerouteAccountDialog *self, const char *sentence)
{
  g_autofree char *markup = sentence != NULL ? g_markup_escape_text (sentence, -1) : NULL;

  reroute_note_show (self->note, REROUTE_NOTE_ERROR, markup, NULL);
}

static void
update (RerouteAccountDialog *self)
{
  gboolean out = is_out (self);
  gboolean file = wants_file (self);

  gtk_widget_set_visible (self->user_label, out);
  gtk_widget_set_visible (GTK_WIDGET (self->user), out);
  gtk_widget_set_visible (self->proof_label, out);
  gtk_widget_set_visible (GTK_WIDGET (self->proof), out);
  gtk_widget_set_visible (self->password_label, !file);
  gtk_widget_set_visible (GTK_WIDGET (self->password), !file);
  gtk_widget_set_visible (self->again_label, !file);
  gtk_widget_set_visible (GTK_WIDGET (self->again), !file);
  gtk_widget_set_visible (self->file_label, file);
  gtk_widget_set_visible (GTK_WIDGET (self->file), file);
  gtk_widget_set_sensitive (self->ok_button, is_whole (self));
}

static void
changed_cb (RerouteAccountDialog *self)
{
  show_refusal (self, NULL);
  update (self);
}

/* A name that is taken by an account of one kind is free for the other. */
static void
kind_cb (RerouteAccountDialog *self)
{
  reroute_field_error_update (self->name_error);
  changed_cb (self);
}

/* (transfer full) (nullable): what the relay is told; to be freed with free_secret(). */
static char *
make_value (RerouteAccountDialog *self, const char *name, GError **error)
{
  g_autofree char *file = dup_trimmed (self->file);
  g_autofree char *typed_user = dup_trimmed (self->user);
  const char *user = typed_user[0] != '\0' ? typed_user : name;
  const char *password = gtk_editable_get_text (self->password);
  g_autoptr (RerouteSecret) secret = NULL;

  if (!is_out (self))
    return reroute_verifier_make (password, error);
  secret = wants_file (self) ? reroute_secret_new (REROUTE_SECRET_TOKEN_FILE, user, file, error)
                             : reroute_secret_new (REROUTE_SECRET_PASSWORD, user, password, error);
  return secret != NULL ? reroute_secret_to_string (secret) : NULL;
}

static void
set_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteAccountDialog) self = REROUTE_ACCOUNT_DIALOG (user_data);
  g_autoptr (GError) error = NULL;
  g_autofree char *sentence = NULL;

  self->setting = FALSE;
  if (reroute_relay_client_set_secret_finish (REROUTE_RELAY_CLIENT (source), result, &error))
    {
      g_signal_emit (self, signals[DONE], 0);
      gtk_window_destroy (GTK_WINDOW (self));
      return;
    }
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  sentence = reroute_dup_account_refusal (error);
  show_refusal (self, sentence);
  update (self);
}

static void
ok_clicked_cb (GtkButton *button, RerouteAccountDialog *self)
{
  g_autofree char *name = dup_trimmed (self->name);
  g_autofree char *secret_name = dup_secret_name (self);
  g_autoptr (GError) error = NULL;
  g_autofree char *sentence = NULL;
  char *value = NULL;

  if (!is_whole (self))
    return;
  value = make_value (self, name, &error);
  if (value == NULL)
    {
      sentence = reroute_dup_account_refusal (error);
      show_refusal (self, sentence);
      return;
    }
  self->setting = TRUE;
  reroute_relay_client_set_secret_async (
    self->relay, secret_name, value, self->cancellable, set_cb, g_object_ref (self));
  free_secret (value);
  changed_cb (self);
}

static void
help_clicked_cb (GtkButton *button, RerouteAccountDialog *self)
{
  reroute_help_window_show (GTK_WINDOW (self), "accounts");
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_help_window_show (GTK_WINDOW (widget), "accounts");
  return TRUE;
}

static void
reroute_account_dialog_dispose (GObject *object)
{
  RerouteAccountDialog *self = REROUTE_ACCOUNT_DIALOG (object);

  g_cancellable_cancel (self->cancellable);
  if (self->relay != NULL)
    {
      reroute_field_error_unwatch (self->name_error);
      reroute_field_error_unwatch (self->password_error);
      reroute_field_error_unwatch (self->again_error);
      reroute_field_error_unwatch (self->file_error);
    }
  g_clear_object (&self->cancellable);
  g_clear_object (&self->accounts);
  g_clear_object (&self->relay);

  G_OBJECT_CLASS (reroute_account_dialog_parent_class)->dispose (object);
}

static void
bind_template (GtkWidgetClass *widget_class)
{
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/account-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, kind);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, name);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, name_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, user_label);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, user);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, proof_label);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, proof);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, password_label);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, password);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, password_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, again_label);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, again);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, again_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, file_label);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, file);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, file_error);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, note);
  gtk_widget_class_bind_template_child (widget_class, RerouteAccountDialog, ok_button);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, kind_cb);
  gtk_widget_class_bind_template_callback (widget_class, ok_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
}

static void
reroute_account_dialog_class_init (RerouteAccountDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_account_dialog_dispose;

  signals[DONE] = g_signal_new (
    "done", REROUTE_TYPE_ACCOUNT_DIALOG, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  g_type_ensure (REROUTE_TYPE_FIELD_ERROR);
  g_type_ensure (REROUTE_TYPE_NOTE);
  bind_template (widget_class);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
}

static void
reroute_account_dialog_init (RerouteAccountDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
}

/* Kind and name of @secret are not to be changed with its password. */
static void
fill (RerouteAccountDialog *self, const char *secret)
{
  gboolean out = g_str_has_prefix (secret, "out:");

  gtk_drop_down_set_selected (self->kind, out ? KIND_OUT : KIND_IN);
  gtk_editable_set_text (self->name, secret + strlen (out ? "out:" : "in:"));
  gtk_widget_set_sensitive (GTK_WIDGET (self->kind), FALSE);
  gtk_widget_set_sensitive (GTK_WIDGET (self->name), FALSE);
}

static void
watch (RerouteAccountDialog *self, RerouteRelayClient *relay, GtkEditable *first)
{
  self->relay = g_object_ref (relay);
  reroute_field_error_watch (self->name_error, self->name, judge_name, self);
  reroute_field_error_watch (self->password_error, self->password, judge_password, self);
  reroute_field_error_watch (self->again_error, self->again, judge_again, self);
  reroute_field_error_watch (self->file_error, self->file, judge_file, self);
  changed_cb (self);
  gtk_widget_grab_focus (GTK_WIDGET (first));
}

RerouteAccountDialog *
reroute_account_dialog_new_add (GtkWindow *parent, RerouteRelayClient *relay, GListModel *accounts)
{
  RerouteAccountDialog *self = g_object_new (
    REROUTE_TYPE_ACCOUNT_DIALOG, "transient-for", parent, "title", _ ("Add Account"), NULL);

  self->accounts = g_object_ref (accounts);
  watch (self, relay, self->name);
  return self;
}

RerouteAccountDialog *
reroute_account_dialog_new_change (GtkWindow *parent, RerouteRelayClient *relay, const char *secret)
{
  RerouteAccountDialog *self = g_object_new (
    REROUTE_TYPE_ACCOUNT_DIALOG, "transient-for", parent, "title", _ ("Change Password"), NULL);

  fill (self, secret);
  watch (self, relay, self->password);
  return self;
}
