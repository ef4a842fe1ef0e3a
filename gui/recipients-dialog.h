/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/recipient-lines.h"

G_BEGIN_DECLS

/**
 * RerouteRecipientsDialog:
 *
 * Addresses to be added to a list of recipients, one a line.
 *
 * Signal "done" (RerouteRecipientLines *): all of them are right.
 */
#define REROUTE_TYPE_RECIPIENTS_DIALOG (reroute_recipients_dialog_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteRecipientsDialog, reroute_recipients_dialog, REROUTE, RECIPIENTS_DIALOG, GtkWindow)

/* @domain: of the list, in normal form.  @text: (nullable): UTF-8, what stands in it at first. */
RerouteRecipientsDialog *
reroute_recipients_dialog_new (GtkWindow *parent, const char *domain, const char *text);

/* What stands in it. */
char *reroute_recipients_dialog_dup_text (RerouteRecipientsDialog *self);
/* Shows why the lines, which are right, were not taken, until they are changed. */
void reroute_recipients_dialog_complain (RerouteRecipientsDialog *self, const char *sentence);

G_END_DECLS
