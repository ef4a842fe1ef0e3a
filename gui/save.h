/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/* The questions of OK and Apply, and what was agreed to in them. */
typedef struct _RerouteSave RerouteSave;

/* All that is to be asked is agreed to.  @confirmed: (nullable): keys of findings, as for
   reroute_sheet_apply_async() */
typedef void (*RerouteSaveFunc) (GtkWindow *window, const char *const *confirmed);

/* @window: borrowed: questions are modal to it, and @func is called with it */
RerouteSave *reroute_save_new (GtkWindow *window, RerouteSheet *sheet, RerouteSaveFunc func);
void reroute_save_free (RerouteSave *self);

/* She wants to save: nothing is agreed to yet. */
void reroute_save_start (RerouteSave *self);
/* The service wants findings of the sheet to be agreed to. */
void reroute_save_ask_to_confirm (RerouteSave *self);

G_END_DECLS
