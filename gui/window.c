/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * window.c - the property sheet: pages, footer, banner, OK, Cancel, Apply, Help
 *
 * Shows what the sheet knows; the sheet does.  Nothing here waits.
 */

#include "config.h"

#include "gui/window.h"

#include "common/client/peer.h"
#include "gui/alarm-notices.h"
#include "gui/banner.h"
#include "gui/chooser-window.h"
#include "gui/connections-page.h"
#include "gui/diagnostics-page.h"
#include "gui/findings-window.h"
#include "gui/fit.h"
#include "gui/general-page.h"
#include "gui/guard.h"
#include "gui/help-window.h"
#include "gui/history-page.h"
#include "gui/naming.h"
#include "gui/news-window.h"
#include "gui/page.h"
#include "gui/queues-page.h"
#include "gui/question-window.h"
#include "gui/routing-page.h"
#include "gui/row-text.h"
#include "gui/save.h"
#include "gui/security-page.h"
#include "gui/sheet-banner.h"
#include "gui/sheet-state.h"
#include "gui/sheet.h"
#include "gui/tracking-page.h"

#include <glib/gi18n.h>

#define SETTLE_MS 1500 /* after the start, before an absent relay is worth a banner */

struct _RerouteWindow
{
  GtkApplicationWindow parent_instance;

  RerouteBanner *banner;
  GtkNotebook *notebook;
  GtkWidget *footer;
  GtkButton *findings_button;
  GtkImage *findings_icon;
  GtkLabel *findings_label;
  GtkProgressBar *progress;
  GtkLabel *state;
  GtkWidget *stop_button;
  GtkWidget *ok_button;
  GtkWidget *cancel_button;
  GtkWidget *apply_button;

  RerouteSheet *sheet;
  RerouteSave *questions;
  RerouteAlarmNotices *notices;
  gboolean closing; /* OK was pressed last, not Apply */
  gboolean settled;
  guint settle_id;
};

enum
{
  COMPUTER_CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteWindow, reroute_window, GTK_TYPE_APPLICATION_WINDOW)

static ReroutePropertyPage *
get_nth_page (RerouteWindow *self, int n)
{
  GtkWidget *scroller = gtk_notebook_get_nth_page (self->notebook, n);
  GtkWidget *viewport = gtk_scrolled_window_get_child (GTK_SCROLLED_WINDOW (scroller));

  return REROUTE_PROPERTY_PAGE (gtk_viewport_get_child (GTK_VIEWPORT (viewport)));
}

static ReroutePropertyPage *
get_page (RerouteWindow *self)
{
  return get_nth_page (self, gtk_notebook_get_current_page (self->notebook));
}

/* --- what is shown --- */

static void
show_findings (RerouteWindow *self)
{
  guint n_errors = reroute_sheet_count_findings (self->sheet, REROUTE_FINDING_ERROR);
  guint n_warnings = reroute_sheet_count_findings (self->sheet, REROUTE_FINDING_WARNING) +
                     reroute_sheet_count_findings (self->sheet, REROUTE_FINDING_CONFIRM);
  g_autofree char *counts = reroute_dup_counts (n_errors, n_warnings);
  const char *css_class = n_errors > 0 ? "state-error" : "state-warning";

  /* The progress takes their place. */
  gtk_widget_set_visible (GTK_WIDGET (self->findings_button),
                          n_errors + n_warnings > 0 && !reroute_sheet_is_busy (self->sheet));
  gtk_label_set_label (self->findings_label, counts);
  gtk_image_set_from_icon_name (self->findings_icon,
                                n_errors > 0 ? "dialog-error-symbolic" : "dialog-warning-symbolic");
  gtk_widget_remove_css_class (GTK_WIDGET (self->findings_icon), "state-error");
  gtk_widget_remove_css_class (GTK_WIDGET (self->findings_icon), "state-warning");
  gtk_widget_add_css_class (GTK_WIDGET (self->findings_icon), css_class);
  reroute_name_widget (GTK_WIDGET (self->findings_button), counts);
}

static void
show_footer (RerouteWindow *self)
{
  guint n_changes = reroute_edit_get_n_changes (reroute_sheet_get_edit (self->sheet));
  gboolean applying = reroute_sheet_is_applying (self->sheet);
  gboolean busy = reroute_sheet_is_busy (self->sheet);
  gboolean can_save = n_changes > 0 && !reroute_sheet_is_wrong (self->sheet) && !applying &&
                      reroute_sheet_is_available (self->sheet) &&
                      !reroute_sheet_is_unsettled (self->sheet);
  g_autofree char *state = reroute_sheet_dup_state (self->sheet);

  show_findings (self);
  gtk_label_set_label (self->state, state);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->state), state);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), busy);
  gtk_widget_set_visible (self->stop_button, busy);
  gtk_progress_bar_set_fraction (self->progress, reroute_sheet_get_progress (self->sheet));
  gtk_widget_set_sensitive (self->apply_button, can_save);
  gtk_widget_set_sensitive (self->ok_button, can_save || (n_changes == 0 && !applying));
}

static void
update (RerouteWindow *self)
{
  /* Translators: the title of the window; %s is the name of the server. */
  g_autofree char *title = g_strdup_printf (_ ("Internet Mail Service (%s) Properties"),
                                               reroute_sheet_get_host_name (self->sheet));

  gtk_window_set_title (GTK_WINDOW (self), title);
  reroute_name_widget (GTK_WIDGET (self->notebook), title);
  reroute_sheet_banner_show (self->banner, self->sheet, self->settled);
  show_footer (self);
}

static int
measure_footer (RerouteWindow *self, const char *state, gboolean busy)
{
  int width = 0;

  gtk_label_set_label (self->state, state);
  gtk_widget_set_visible (GTK_WIDGET (self->findings_button), !busy);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), busy);
  gtk_widget_set_visible (self->stop_button, busy);
  gtk_widget_measure (self->footer, GTK_ORIENTATION_HORIZONTAL, -1, NULL, &width, NULL, NULL);
  return width;
}

/* Wide enough for what the footer says on an ordinary day. */
static void
fit (RerouteWindow *self)
{
  g_autofree char *state = g_strdup_printf (_ ("Rules %s saved, in use"), "1000");
  g_autofree char *applying = g_strdup_printf (_ ("Applying, %d %%"), 100);
  g_autofree char *counts = reroute_dup_counts (0, 1);
  int width = 0;
  int width_busy = 0;

  gtk_label_set_label (self->findings_label, counts);
  width = measure_footer (self, state, FALSE);
  width_busy = measure_footer (self, applying, TRUE);
  reroute_fit_sheet (GTK_WINDOW (self), self->notebook, MAX (width, width_busy));
}

static gboolean
settled_cb (gpointer user_data)
{
  RerouteWindow *self = REROUTE_WINDOW (user_data);

  self->settle_id = 0;
  self->settled = TRUE;
  update (self);
  return G_SOURCE_REMOVE;
}

/* --- Apply --- */

static void
applied_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteWindow) self = REROUTE_WINDOW (user_data);
  g_autoptr (GError) error = NULL;
  RerouteApplyState state = REROUTE_APPLY_REFUSED;
  gboolean answered = reroute_sheet_apply_finish (REROUTE_SHEET (source), result, &state, &error);
  gboolean closing = self->closing;

  self->closing = closing && answered && state == REROUTE_APPLY_CONFIRM;
  if (answered && state == REROUTE_APPLY_CONFIRM)
    reroute_save_ask_to_confirm (self->questions);
  if (answered && state == REROUTE_APPLY_SAVED && closing &&
      !reroute_guard_is_needed (GTK_WINDOW (self), self->sheet))
    gtk_window_destroy (GTK_WINDOW (self));
  else
    update (self);
}

static void
apply (GtkWindow *window, const char *const *confirmed)
{
  RerouteWindow *self = REROUTE_WINDOW (window);

  if (reroute_sheet_is_applying (self->sheet) || reroute_sheet_is_unsettled (self->sheet))
    return;
  reroute_sheet_apply_async (self->sheet, confirmed, applied_cb, g_object_ref (self));
}

/* Takes in what is typed on every page; the first page that objects is shown. */
static gboolean
flush_pages (RerouteWindow *self)
{
  for (int i = 0; i < gtk_notebook_get_n_pages (self->notebook); i++)
    {
      if (reroute_property_page_flush (get_nth_page (self, i)))
        continue;
      gtk_notebook_set_current_page (self->notebook, i);
      /* Only on a page that is shown can the field get the focus. */
      return reroute_property_page_flush (get_page (self));
    }
  return TRUE;
}

static void
save (RerouteWindow *self, gboolean close)
{
  if (!flush_pages (self))
    return;
  self->closing = close;
  if (reroute_edit_get_n_changes (reroute_sheet_get_edit (self->sheet)) == 0)
    {
      if (close)
        gtk_window_destroy (GTK_WINDOW (self));
      return;
    }
  reroute_save_start (self->questions);
}

static void
ok_clicked_cb (GtkButton *button, RerouteWindow *self)
{
  save (self, TRUE);
}

static void
apply_clicked_cb (GtkButton *button, RerouteWindow *self)
{
  save (self, FALSE);
}

static void
stop_clicked_cb (GtkButton *button, RerouteWindow *self)
{
  reroute_sheet_stop (self->sheet);
}

/* --- Cancel --- */

static void
drop_agreed_cb (gboolean first, gpointer user_data)
{
  gtk_window_destroy (GTK_WINDOW (user_data));
}

static gboolean
close_request (GtkWindow *window)
{
  RerouteWindow *self = REROUTE_WINDOW (window);
  guint n = reroute_edit_get_n_changes (reroute_sheet_get_edit (self->sheet));

  if (reroute_sheet_is_applying (self->sheet))
    return GDK_EVENT_STOP;
  if (n == 0)
    return GTK_WINDOW_CLASS (reroute_window_parent_class)->close_request (window);

  reroute_question_window_ask_to_drop (window, _ ("Cancel"), n, drop_agreed_cb, window);
  return GDK_EVENT_STOP;
}

static void
cancel_clicked_cb (GtkButton *button, RerouteWindow *self)
{
  gtk_window_close (GTK_WINDOW (self));
}

/* --- keys and other buttons --- */

static gboolean
escape_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  if (!reroute_property_page_clear_search (get_page (REROUTE_WINDOW (widget))))
    gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

static gboolean
search_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  reroute_property_page_focus_search (get_page (REROUTE_WINDOW (widget)));
  return TRUE;
}

/* An entry with the focus first takes back what was typed in it. */
static gboolean
undo_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  RerouteWindow *self = REROUTE_WINDOW (widget);

  if (reroute_sheet_is_applying (self->sheet))
    return FALSE;
  reroute_edit_undo (reroute_sheet_get_edit (self->sheet));
  return TRUE;
}

/* A list with the focus would take these keys for itself. */
static gboolean
page_key_cb (GtkEventControllerKey *controller,
             guint keyval,
             guint keycode,
             GdkModifierType state,
             RerouteWindow *self)
{
  int n = gtk_notebook_get_current_page (self->notebook) + (keyval == GDK_KEY_Page_Down ? 1 : -1);

  if ((state & GDK_CONTROL_MASK) == 0 || (keyval != GDK_KEY_Page_Down && keyval != GDK_KEY_Page_Up))
    return GDK_EVENT_PROPAGATE;
  if (n < 0 || n >= gtk_notebook_get_n_pages (self->notebook))
    return GDK_EVENT_STOP;
  reroute_property_page_leave (get_page (self));
  gtk_notebook_set_current_page (self->notebook, n);
  reroute_property_page_enter (get_page (self));
  return GDK_EVENT_STOP;
}

static void
show_help (RerouteWindow *self)
{
  reroute_help_window_show (GTK_WINDOW (self),
                            reroute_property_page_get_help_topic (get_page (self)));
}

static gboolean
help_key_cb (GtkWidget *widget, GVariant *args, gpointer user_data)
{
  show_help (REROUTE_WINDOW (widget));
  return TRUE;
}

static void
help_clicked_cb (GtkButton *button, RerouteWindow *self)
{
  show_help (self);
}

static void
findings_clicked_cb (GtkButton *button, RerouteWindow *self)
{
  reroute_findings_window_show (GTK_WINDOW (self), self->sheet);
}

/* --- what the banner offers --- */

static void
compare_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  reroute_news_window_show (GTK_WINDOW (widget), REROUTE_WINDOW (widget)->sheet);
}

static void
copy_command_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  RerouteBus *bus = reroute_sheet_get_bus (REROUTE_WINDOW (widget)->sheet);
  g_autofree char *command = reroute_peer_dup_start_command (&reroute_peer_relay, bus);

  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), command);
}

static void
reconnect_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  RerouteWindow *self = REROUTE_WINDOW (widget);

  reroute_bus_reopen (reroute_sheet_get_bus (self->sheet));
  update (self);
}

/* --- other computers --- */

static void
chosen_cb (RerouteChooserWindow *chooser, RerouteBus *bus, RerouteWindow *self)
{
  g_signal_emit (self, signals[COMPUTER_CHOSEN], 0, bus);
}

static void
choose_computer_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  RerouteWindow *self = REROUTE_WINDOW (widget);
  RerouteChooserWindow *chooser = NULL;

  if (reroute_sheet_is_applying (self->sheet) || !flush_pages (self))
    return;
  chooser = reroute_chooser_window_new (GTK_WINDOW (self), self->sheet);
  g_signal_connect_object (chooser, "chosen", G_CALLBACK (chosen_cb), self, 0);
  gtk_window_present (GTK_WINDOW (chooser));
}

static void
reroute_window_dispose (GObject *object)
{
  RerouteWindow *self = REROUTE_WINDOW (object);

  g_clear_handle_id (&self->settle_id, g_source_remove);
  gtk_widget_dispose_template (GTK_WIDGET (self), REROUTE_TYPE_WINDOW);
  g_clear_pointer (&self->notices, reroute_alarm_notices_free);
  g_clear_pointer (&self->questions, reroute_save_free);
  if (self->sheet != NULL)
    reroute_sheet_close (self->sheet);
  g_clear_object (&self->sheet);

  G_OBJECT_CLASS (reroute_window_parent_class)->dispose (object);
}

static void
bind_template (GtkWidgetClass *widget_class)
{
  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, banner);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, notebook);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, footer);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, findings_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, findings_icon);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, findings_label);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, progress);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, state);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, stop_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, ok_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, cancel_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteWindow, apply_button);
  gtk_widget_class_bind_template_callback (widget_class, ok_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, cancel_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, apply_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, help_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, stop_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, findings_clicked_cb);
}

static void
install_actions (GtkWidgetClass *widget_class)
{
  gtk_widget_class_install_action (widget_class, "sheet.compare", NULL, compare_cb);
  gtk_widget_class_install_action (widget_class, "sheet.copy-command", NULL, copy_command_cb);
  gtk_widget_class_install_action (widget_class, "sheet.reconnect", NULL, reconnect_cb);
  gtk_widget_class_install_action (widget_class, "sheet.choose-computer", NULL, choose_computer_cb);
  gtk_widget_class_add_binding_action (
    widget_class, GDK_KEY_o, GDK_CONTROL_MASK, "sheet.choose-computer", NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, escape_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_f, GDK_CONTROL_MASK, search_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_z, GDK_CONTROL_MASK, undo_cb, NULL);
}

static void
reroute_window_class_init (RerouteWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = close_request;

  signals[COMPUTER_CHOSEN] = g_signal_new ("computer-chosen",
                                           REROUTE_TYPE_WINDOW,
                                           G_SIGNAL_RUN_LAST,
                                           0,
                                           NULL,
                                           NULL,
                                           NULL,
                                           G_TYPE_NONE,
                                           1,
                                           REROUTE_TYPE_BUS);

  g_type_ensure (REROUTE_TYPE_BANNER);
  g_type_ensure (REROUTE_TYPE_GENERAL_PAGE);
  g_type_ensure (REROUTE_TYPE_ROUTING_PAGE);
  g_type_ensure (REROUTE_TYPE_CONNECTIONS_PAGE);
  g_type_ensure (REROUTE_TYPE_QUEUES_PAGE);
  g_type_ensure (REROUTE_TYPE_SECURITY_PAGE);
  g_type_ensure (REROUTE_TYPE_DIAGNOSTICS_PAGE);
  g_type_ensure (REROUTE_TYPE_TRACKING_PAGE);
  g_type_ensure (REROUTE_TYPE_HISTORY_PAGE);
  bind_template (widget_class);
  install_actions (widget_class);
}

static void
reroute_window_init (RerouteWindow *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (page_key_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
}

RerouteWindow *
reroute_window_new (GtkApplication *application, RerouteBus *bus)
{
  RerouteWindow *self = g_object_new (REROUTE_TYPE_WINDOW, "application", application, NULL);

  self->sheet = reroute_sheet_new (bus);
  self->questions = reroute_save_new (GTK_WINDOW (self), self->sheet, apply);
  self->notices = reroute_alarm_notices_new (G_APPLICATION (application),
                                             reroute_sheet_get_relay_watch (self->sheet));
  g_signal_connect_object (self->sheet, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  reroute_guard_focus (GTK_WINDOW (self), self->sheet);
  for (int i = gtk_notebook_get_n_pages (self->notebook) - 1; i >= 0; i--)
    {
      GtkWidget *scroller = gtk_notebook_get_nth_page (self->notebook, i);

      gtk_notebook_set_current_page (self->notebook, i);
      reroute_property_page_open (get_page (self), self->sheet);
      reroute_name_tab (
        self->notebook, scroller, gtk_notebook_get_tab_label_text (self->notebook, scroller));
    }
  fit (self);
  self->settle_id = g_timeout_add (SETTLE_MS, settled_cb, self);
  update (self);
  return self;
}

RerouteBus *
reroute_window_get_bus (RerouteWindow *self)
{
  g_return_val_if_fail (REROUTE_IS_WINDOW (self), NULL);

  return reroute_sheet_get_bus (self->sheet);
}
