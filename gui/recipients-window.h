/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteRecipientsWindow:
 *
 * The list of recipients that an entry with the check “list” asks.  OK keeps what was done in it in
 * the sheet's edit, Cancel takes it back.
 */
#define REROUTE_TYPE_RECIPIENTS_WINDOW (reroute_recipients_window_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteRecipientsWindow, reroute_recipients_window, REROUTE, RECIPIENTS_WINDOW, GtkWindow)

/* @domain: of the entry, in normal form */
RerouteRecipientsWindow *
reroute_recipients_window_new (GtkWindow *parent, RerouteSheet *sheet, const char *domain);

G_END_DECLS
