/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Called once, when an answer was given; not called when the window was cancelled or closed. */
typedef void (*RerouteAnswerFunc) (gboolean first, gpointer user_data);

/* What is asked; the strings are borrowed for the call. */
typedef struct
{
  const char *title;
  const char *heading;
  const char *text;         /* (nullable): sentences, one a line */
  const char *first_label;  /* the answer that goes on, with its mnemonic */
  const char *second_label; /* (nullable): another one */
  gboolean default_cancel;  /* Enter is the answer that changes nothing */
} RerouteQuestion;

/**
 * RerouteQuestionWindow:
 *
 * A modal question with Cancel.
 */
#define REROUTE_TYPE_QUESTION_WINDOW (reroute_question_window_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteQuestionWindow, reroute_question_window, REROUTE, QUESTION_WINDOW, GtkWindow)

void reroute_question_window_ask (GtkWindow *parent,
                                  const RerouteQuestion *question,
                                  RerouteAnswerFunc func,
                                  gpointer user_data);

/* Whether @n unsaved changes shall be dropped. */
void reroute_question_window_ask_to_drop (
  GtkWindow *parent, const char *title, guint n, RerouteAnswerFunc func, gpointer user_data);

G_END_DECLS
