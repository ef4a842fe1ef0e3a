/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteEmailDomainWindow:
 *
 * The E-Mail Domain list of the Connections page.  OK keeps what was done in it in the sheet's
 * edit, Cancel takes it back.
 */
#define REROUTE_TYPE_EMAIL_DOMAIN_WINDOW (reroute_email_domain_window_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteEmailDomainWindow, reroute_email_domain_window, REROUTE, EMAIL_DOMAIN_WINDOW, GtkWindow)

RerouteEmailDomainWindow *reroute_email_domain_window_new (GtkWindow *parent, RerouteSheet *sheet);

G_END_DECLS
