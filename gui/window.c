/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * window.c - the property sheet: pages, footer, banner, OK, Cancel, Apply, Help
 *
 * Shows what the sheet knows; the sheet does.  Nothing here waits.
 */

#include "config.h"

#include "gui/window.h"

#include "gui/alarm-notices.h"
#include "gui/banner.h"
#include "gui/connections-page.h"
#include "gui/diagnostics-page.h"
#include "gui/findings-window.h"
#include "gui/fit.h"
#include "gui/general-page.h"
#include "gui/help-window.h"
#include "gui/history-page.h"
#include "gui/naming.h"
#include "gui/news-window.h"
#include "gui/page.h"
#include "gui/queues-page.h"
#include "gui/question-window.h"
#include "gui/routing-page.h"
#include "gui/row-text.h"
#include "gui/security-page.h"
#include "gui/sheet-banner.h"
#include "gui/sheet.h"
#include "gui/tracking-page.h"

#include <glib/gi18n.h>

#define PROGRESS_AFTER_MS 300 /* a shorter Apply shows none; dialog-look.md section 6 */
#define SETTLE_MS 1500        /* after the start, before an absent relay is worth a banner */

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
  RerouteAlarmNotices *notices;
  char *problem;    /* why the last Apply failed; NULL: it did not */
  gboolean closing; /* OK was pressed, or Cancel was agreed to */
  gboolean settled;
  guint settle_id;
  guint progress_id;
};

G_DEFINE_FINAL_TYPE (RerouteWindow, reroute_window, GTK_TYPE_APPLICATION_WINDOW)

static void apply (RerouteWindow *self, const char *const *confirmed);

static ReroutePropertyPage *
get_page (RerouteWindow *self)
{
  GtkWidget *scroller =
    gtk_notebook_get_nth_page (self->notebook, gtk_notebook_get_current_page (self->notebook));
  GtkWidget *viewport = gtk_scrolled_window_get_child (GTK_SCROLLED_WINDOW (scroller));

  return REROUTE_PROPERTY_PAGE (gtk_viewport_get_child (GTK_VIEWPORT (viewport)));
}

/* --- what is shown --- */

/* A format of a translated sentence has no place for G_GUINT64_FORMAT. */
static char *
dup_number (guint64 number)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, number);
}

static void
show_findings (RerouteWindow *self)
{
  guint n_errors = reroute_sheet_count_findings (self->sheet, REROUTE_FINDING_ERROR);
  guint n_warnings = reroute_sheet_count_findings (self->sheet, REROUTE_FINDING_WARNING) +
                     reroute_sheet_count_findings (self->sheet, REROUTE_FINDING_CONFIRM);
  g_autofree char *counts = reroute_dup_counts (n_errors, n_warnings);
  const char *css_class = n_errors > 0 ? "state-error" : "state-warning";

  gtk_widget_set_visible (GTK_WIDGET (self->findings_button), n_errors + n_warnings > 0);
  gtk_label_set_label (self->findings_label, counts);
  gtk_image_set_from_icon_name (self->findings_icon,
                                n_errors > 0 ? "dialog-error-symbolic" : "dialog-warning-symbolic");
  gtk_widget_remove_css_class (GTK_WIDGET (self->findings_icon), "state-error");
  gtk_widget_remove_css_class (GTK_WIDGET (self->findings_icon), "state-warning");
  gtk_widget_add_css_class (GTK_WIDGET (self->findings_icon), css_class);
  reroute_name_widget (GTK_WIDGET (self->findings_button), counts);
}

static char *
dup_state (RerouteWindow *self, guint n_changes)
{
  g_autofree char *serial = dup_number (reroute_sheet_get_serial (self->sheet));
  g_autofree char *relay =
    dup_number (reroute_relay_watch_get_serial (reroute_sheet_get_relay_watch (self->sheet)));

  if (reroute_sheet_is_applying (self->sheet))
    return g_strdup_printf (_ ("Applying, %d %%"),
                               (int) (reroute_sheet_get_progress (self->sheet) * 100));
  if (n_changes > 0 && reroute_sheet_is_wrong (self->sheet))
    return g_strdup (_ ("Correct it to save"));
  if (n_changes > 0)
    return g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%u unsaved change", "%u unsaved changes", n_changes),
      n_changes);
  if (!reroute_sheet_is_loaded (self->sheet))
    return g_strdup (_ ("Reading the rules…"));
  if (!reroute_relay_watch_is_available (reroute_sheet_get_relay_watch (self->sheet)))
    return g_strdup_printf (_ ("Rules %s saved"), serial);
  if (g_str_equal (relay, serial))
    return g_strdup_printf (_ ("Rules %s saved, in use"), serial);
  /* Translators: numbers of generations of the rules */
  return g_strdup_printf (_ ("Rules %s saved, relay uses %s"), serial, relay);
}

static void
show_footer (RerouteWindow *self)
{
  guint n_changes = reroute_edit_get_n_changes (reroute_sheet_get_edit (self->sheet));
  gboolean applying = reroute_sheet_is_applying (self->sheet);
  gboolean can_save = n_changes > 0 && !reroute_sheet_is_wrong (self->sheet) && !applying &&
                      reroute_sheet_is_available (self->sheet);
  g_autofree char *state = dup_state (self, n_changes);

  show_findings (self);
  gtk_label_set_label (self->state, state);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->state), state);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), applying && self->progress_id == 0);
  gtk_widget_set_visible (self->stop_button, applying && self->progress_id == 0);
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
  reroute_sheet_banner_show (self->banner, self->sheet, self->problem, self->settled);
  show_footer (self);
}

static void
edit_changed_cb (RerouteEdit *edit, int page, gint64 id, RerouteWindow *self)
{
  g_clear_pointer (&self->problem, g_free);
}

/* Wide enough for what the footer says on an ordinary day. */
static void
fit (RerouteWindow *self)
{
  g_autofree char *state = g_strdup_printf (_ ("Rules %s saved, in use"), "1000");
  g_autofree char *counts = reroute_dup_counts (0, 1);

  gtk_label_set_label (self->state, state);
  gtk_label_set_label (self->findings_label, counts);
  gtk_widget_set_visible (GTK_WIDGET (self->findings_button), TRUE);
  reroute_fit_sheet (GTK_WINDOW (self), self->notebook, self->footer);
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

static gboolean
progress_due_cb (gpointer user_data)
{
  RerouteWindow *self = REROUTE_WINDOW (user_data);

  self->progress_id = 0;
  update (self);
  return G_SOURCE_REMOVE;
}

/* --- Apply --- */

static void
confirmed_cb (gboolean first, gpointer user_data)
{
  RerouteWindow *self = REROUTE_WINDOW (user_data);
  GPtrArray *findings = reroute_sheet_get_findings (self->sheet);
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < findings->len; i++)
    {
      RerouteFinding *finding = g_ptr_array_index (findings, i);

      if (finding->level == REROUTE_FINDING_CONFIRM)
        g_ptr_array_add (keys, g_strdup (finding->key));
    }
  g_ptr_array_add (keys, NULL);
  apply (self, (const char *const *) keys->pdata);
}

static void
ask_to_confirm (RerouteWindow *self)
{
  GPtrArray *findings = reroute_sheet_get_findings (self->sheet);
  g_autoptr (GString) text = g_string_new (NULL);
  RerouteQuestion question = {
    .title = _ ("Save"),
                .heading = _ ("Save it like this?"),
                              .first_label = _ ("_Save"), .default_cancel = TRUE,
                              };

  for (guint i = 0; i < findings->len; i++)
    {
      RerouteFinding *finding = g_ptr_array_index (findings, i);

      if (finding->level != REROUTE_FINDING_CONFIRM)
        continue;
      g_string_append (text, text->len > 0 ? "\n\n" : "");
      g_string_append (text, finding->sentence);
    }
  question.text = text->str;
  reroute_question_window_ask (GTK_WINDOW (self), &question, confirmed_cb, self);
}

static void
applied_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteWindow) self = REROUTE_WINDOW (user_data);
  g_autoptr (GError) error = NULL;
  RerouteApplyState state = REROUTE_APPLY_REFUSED;
  gboolean answered = reroute_sheet_apply_finish (REROUTE_SHEET (source), result, &state, &error);
  gboolean closing = self->closing;

  g_clear_handle_id (&self->progress_id, g_source_remove);
  self->closing =
    closing && answered && (state == REROUTE_APPLY_SAVED || state == REROUTE_APPLY_CONFIRM);
  if (!answered && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    self->problem = reroute_dup_error (error);
  if (answered && state == REROUTE_APPLY_CONFIRM)
    ask_to_confirm (self);
  if (answered && state == REROUTE_APPLY_SAVED && closing)
    gtk_window_destroy (GTK_WINDOW (self));
  else
    update (self);
}

static void
apply (RerouteWindow *self, const char *const *confirmed)
{
  if (reroute_sheet_is_applying (self->sheet))
    return;
  g_clear_pointer (&self->problem, g_free);
  g_clear_handle_id (&self->progress_id, g_source_remove);
  self->progress_id = g_timeout_add (PROGRESS_AFTER_MS, progress_due_cb, self);
  reroute_sheet_apply_async (self->sheet, confirmed, applied_cb, g_object_ref (self));
}

static void
overwrite_agreed_cb (gboolean first, gpointer user_data)
{
  RerouteWindow *self = REROUTE_WINDOW (user_data);

  if (!first)
    {
      self->closing = FALSE;
      reroute_news_window_show (GTK_WINDOW (self), self->sheet);
      return;
    }
  reroute_sheet_dismiss_news (self->sheet);
  apply (self, NULL);
}

/* Takes in what is typed on every page; the first page that objects is shown. */
static gboolean
flush_pages (RerouteWindow *self)
{
  int current = gtk_notebook_get_current_page (self->notebook);

  for (int i = 0; i < gtk_notebook_get_n_pages (self->notebook); i++)
    {
      gtk_notebook_set_current_page (self->notebook, i);
      if (!reroute_property_page_flush (get_page (self)))
        return FALSE;
    }
  gtk_notebook_set_current_page (self->notebook, current);
  return TRUE;
}

static void
save (RerouteWindow *self, gboolean close)
{
  RerouteNews *news = reroute_sheet_get_news (self->sheet);

  if (!flush_pages (self))
    return;
  self->closing = close;
  if (reroute_edit_get_n_changes (reroute_sheet_get_edit (self->sheet)) == 0)
    {
      if (close)
        gtk_window_destroy (GTK_WINDOW (self));
      return;
    }
  if (news != NULL && (news->conflicts->len > 0 || news->unknown))
    {
      g_autofree char *heading =
        g_strdup_printf (_ ("%s changed the same entries meanwhile. Save yours over them?"),
                            news->who[0] != '\0' ? news->who : _ ("Someone else"));
      RerouteQuestion question = {
        .title = _ ("Save"),
                    .heading = heading,
                    .first_label = _ ("_Save Mine"),
                                      .second_label = _ ("_Compare…"), .default_cancel = TRUE,
                                      };

      reroute_question_window_ask (GTK_WINDOW (self), &question, overwrite_agreed_cb, self);
      return;
    }
  apply (self, NULL);
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
  g_autofree char *heading = NULL;
  RerouteQuestion question = { .title = _ ("Cancel"), .default_cancel = TRUE };

  if (reroute_sheet_is_applying (self->sheet))
    return GDK_EVENT_STOP;
  if (n == 0)
    return GTK_WINDOW_CLASS (reroute_window_parent_class)->close_request (window);

  heading = g_strdup_printf (
    g_dngettext (GETTEXT_PACKAGE, "Drop %u unsaved change?", "Drop %u unsaved changes?", n), n);
  question.heading = heading;
  question.first_label = _ ("_Drop");
  reroute_question_window_ask (window, &question, drop_agreed_cb, window);
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
  if ((state & GDK_CONTROL_MASK) == 0 || (keyval != GDK_KEY_Page_Down && keyval != GDK_KEY_Page_Up))
    return GDK_EVENT_PROPAGATE;
  if (keyval == GDK_KEY_Page_Down)
    gtk_notebook_next_page (self->notebook);
  else
    gtk_notebook_prev_page (self->notebook);
  gtk_widget_child_focus (GTK_WIDGET (get_page (self)), GTK_DIR_TAB_FORWARD);
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

static void
banner_clicked_cb (RerouteBanner *banner, RerouteWindow *self)
{
  if (reroute_sheet_get_news (self->sheet) != NULL)
    reroute_news_window_show (GTK_WINDOW (self), self->sheet);
  else
    gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), REROUTE_RELAY_COMMAND);
}

static void
reroute_window_dispose (GObject *object)
{
  RerouteWindow *self = REROUTE_WINDOW (object);

  g_clear_handle_id (&self->settle_id, g_source_remove);
  g_clear_handle_id (&self->progress_id, g_source_remove);
  g_clear_pointer (&self->problem, g_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), REROUTE_TYPE_WINDOW);
  g_clear_pointer (&self->notices, reroute_alarm_notices_free);
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
  gtk_widget_class_bind_template_callback (widget_class, banner_clicked_cb);
}

static void
reroute_window_class_init (RerouteWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = close_request;

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
  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, escape_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F1, 0, help_key_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_f, GDK_CONTROL_MASK, search_cb, NULL);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_z, GDK_CONTROL_MASK, undo_cb, NULL);
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
  self->notices = reroute_alarm_notices_new (G_APPLICATION (application),
                                             reroute_sheet_get_relay_watch (self->sheet));
  g_signal_connect_object (self->sheet, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (
    reroute_sheet_get_edit (self->sheet), "changed", G_CALLBACK (edit_changed_cb), self, 0);
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
