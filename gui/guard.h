/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/* @button opens a window: not while an Apply of @sheet is shown. */
void reroute_guard_button (GtkWidget *button, RerouteSheet *sheet);
/* What has the focus in @window does not have it while an Apply makes it insensitive, and has it
   again afterwards.  To be called before @window shows anything of @sheet. */
void reroute_guard_focus (GtkWindow *window, RerouteSheet *sheet);
/* There is something of hers that would go with @window: a change, or a dialog that is open. */
gboolean reroute_guard_is_needed (GtkWindow *window, RerouteSheet *sheet);

G_END_DECLS
