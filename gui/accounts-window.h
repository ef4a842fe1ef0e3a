/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteAccountsWindow:
 *
 * The accounts that the relay keeps: of clients that log in here, and its own at other hosts.  What
 * is done here acts at once; it is no part of the sheet's edit.
 */
#define REROUTE_TYPE_ACCOUNTS_WINDOW (reroute_accounts_window_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteAccountsWindow, reroute_accounts_window, REROUTE, ACCOUNTS_WINDOW, GtkWindow)

RerouteAccountsWindow *reroute_accounts_window_new (GtkWindow *parent, RerouteSheet *sheet);

G_END_DECLS
