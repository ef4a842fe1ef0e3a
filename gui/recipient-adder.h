/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/sheet.h"

G_BEGIN_DECLS

/* What became of the addresses that were to be added. */
typedef struct
{
  guint n_added;
  guint n_known;  /* were on the list already */
  gint64 last_id; /* of the one added last, in the edit; 0: none was */
} RerouteAddedRecipients;

/**
 * reroute_recipients_add_async:
 * @domain: of the list, in normal form
 * @rows: (element-type RerouteRow): recipients of that list, each once
 *
 * Puts those of @rows that are not on the list into the sheet's edit, as one step.  The list is
 * read for it: only rulesd has it.
 *
 * Errors: those of reroute_rules_client_list_async(); nothing was added then.
 */
void reroute_recipients_add_async (RerouteSheet *sheet,
                                   const char *domain,
                                   GPtrArray *rows,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
gboolean reroute_recipients_add_finish (RerouteSheet *sheet,
                                        GAsyncResult *result,
                                        RerouteAddedRecipients *added,
                                        GError **error);

G_END_DECLS
