/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteEmailDomainDialog:
 *
 * Add E-Mail Domain and Edit E-Mail Domain of the Connections page.  OK changes the sheet's edit.
 *
 * Signal "done" (gint64): the id of the row in the edit.
 */
#define REROUTE_TYPE_EMAIL_DOMAIN_DIALOG (reroute_email_domain_dialog_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteEmailDomainDialog, reroute_email_domain_dialog, REROUTE, EMAIL_DOMAIN_DIALOG, GtkWindow)

/* @row: (nullable): the row to edit. */
RerouteEmailDomainDialog *
reroute_email_domain_dialog_new (GtkWindow *parent, RerouteSheet *sheet, RerouteRow *row);

/* The first key is for what protects the mail of the domain. */
void reroute_email_domain_dialog_focus_tls (RerouteEmailDomainDialog *self);

G_END_DECLS
