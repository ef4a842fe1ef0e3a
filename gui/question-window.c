/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * question-window.c - one question, two answers and Cancel
 */

#include "config.h"

#include "gui/question-window.h"
#include "gui/naming.h"

#include <glib/gi18n.h>

struct _RerouteQuestionWindow
{
  GtkWindow parent_instance;

  GtkLabel *heading;
  GtkLabel *text;
  GtkButton *first_button;
  GtkButton *second_button;
  GtkButton *cancel_button;

  RerouteAnswerFunc func;
  gpointer user_data;
};

G_DEFINE_FINAL_TYPE (RerouteQuestionWindow, reroute_question_window, GTK_TYPE_WINDOW)

static void
answer (RerouteQuestionWindow *self, gboolean first)
{
  RerouteAnswerFunc func = g_steal_pointer (&self->func);
  gpointer user_data = g_steal_pointer (&self->user_data);

  /* The event that brought us here still holds this window, and the answer may destroy its parent.
   */
  gtk_window_set_transient_for (GTK_WINDOW (self), NULL);
  gtk_window_destroy (GTK_WINDOW (self));
  if (func != NULL)
    func (first, user_data);
}

static void
first_clicked_cb (GtkButton *button, RerouteQuestionWindow *self)
{
  answer (self, TRUE);
}

static void
second_clicked_cb (GtkButton *button, RerouteQuestionWindow *self)
{
  answer (self, FALSE);
}

static void
reroute_question_window_class_init (RerouteQuestionWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/question-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteQuestionWindow, heading);
  gtk_widget_class_bind_template_child (widget_class, RerouteQuestionWindow, text);
  gtk_widget_class_bind_template_child (widget_class, RerouteQuestionWindow, first_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteQuestionWindow, second_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteQuestionWindow, cancel_button);
  gtk_widget_class_bind_template_callback (widget_class, first_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, second_clicked_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
reroute_question_window_init (RerouteQuestionWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
reroute_question_window_ask (GtkWindow *parent,
                             const RerouteQuestion *question,
                             RerouteAnswerFunc func,
                             gpointer user_data)
{
  RerouteQuestionWindow *self = g_object_new (
    REROUTE_TYPE_QUESTION_WINDOW, "transient-for", parent, "title", question->title, NULL);
  GtkButton *chosen = question->default_cancel ? self->cancel_button : self->first_button;

  self->func = func;
  self->user_data = user_data;
  gtk_label_set_label (self->heading, question->heading);
  gtk_label_set_label (self->text, question->text != NULL ? question->text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->text), question->text != NULL);
  gtk_button_set_label (self->first_button, question->first_label);
  gtk_widget_set_visible (GTK_WIDGET (self->second_button), question->second_label != NULL);
  if (question->second_label != NULL)
    gtk_button_set_label (self->second_button, question->second_label);
  reroute_name_tree (GTK_WIDGET (self));
  gtk_window_set_default_widget (GTK_WINDOW (self), GTK_WIDGET (chosen));
  gtk_widget_grab_focus (GTK_WIDGET (chosen));
  gtk_window_present (GTK_WINDOW (self));
}

void
reroute_question_window_ask_to_drop (
  GtkWindow *parent, const char *title, guint n, RerouteAnswerFunc func, gpointer user_data)
{
  g_autofree char *heading = g_strdup_printf (
    g_dngettext (GETTEXT_PACKAGE, "Drop %u unsaved change?", "Drop %u unsaved changes?", n), n);
  const RerouteQuestion question = {
    .title = title,
    .heading = heading,
    .first_label = _ ("_Drop"), .default_cancel = TRUE,
    };

  reroute_question_window_ask (parent, &question, func, user_data);
}
