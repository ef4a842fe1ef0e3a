/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "common/client/relay-client.h"

G_BEGIN_DECLS

/**
 * RerouteAccountDialog:
 *
 * Adds an account, or gives one another password.  OK hands the secret to the relay at once; what
 * the relay says against it stands in the dialog.  Nothing that was typed is ever shown again.
 *
 * Signal "done" (): the relay has taken it.
 */
#define REROUTE_TYPE_ACCOUNT_DIALOG (reroute_account_dialog_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteAccountDialog, reroute_account_dialog, REROUTE, ACCOUNT_DIALOG, GtkWindow)

/* Adds an account that is none of @accounts: RerouteListLine of names as ListSecrets gives them. */
RerouteAccountDialog *
reroute_account_dialog_new_add (GtkWindow *parent, RerouteRelayClient *relay, GListModel *accounts);
/* Gives the account @secret another password; named likewise. */
RerouteAccountDialog *reroute_account_dialog_new_change (GtkWindow *parent,
                                                         RerouteRelayClient *relay,
                                                         const char *secret);

G_END_DECLS
