/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* One page of the property sheet, or one dialog; all borrowed. */
typedef struct
{
  const char *name; /* in English */
  GtkWindow *window;
  GtkWidget *page; /* (nullable): of the sheet's notebook, the one that is shown */
  guint letters;   /* mnemonics that it has at least */
} EachWindow;

typedef void (*EachWindowFunc) (const EachWindow *each, gpointer user_data);

/* Starts GTK and the application, and binds the catalogues of the build tree.  To be called once,
   behind g_test_init(). */
void each_window_init (void);

/* (transfer full): those of po/LINGUAS, then "C". */
GStrv each_window_dup_languages (void);

/* Whatever is built from now on speaks @language, and runs in its direction. */
void each_window_speak (const char *language);

/* Calls @func with every page and every dialog, one at a time; no service is behind them. */
void each_window_visit (EachWindowFunc func, gpointer user_data);

/* Presents @window and waits until it is laid out. */
void each_window_settle (GtkWindow *window);

G_END_DECLS
