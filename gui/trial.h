/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/sheet.h"

G_BEGIN_DECLS

/* Rows that are not stored yet get, in @findings, the ids that they have in @edit. */
void reroute_findings_resolve_rows (GPtrArray *findings, RerouteEdit *edit);
GPtrArray *reroute_findings_new (void);
guint reroute_findings_count (GPtrArray *findings, RerouteFindingLevel level);
/* (transfer full): of those of level confirm, what a person agrees to. */
GStrv reroute_findings_dup_confirm_keys (GPtrArray *findings);
/* (transfer full): the sentences of those of @level, as paragraphs. */
char *reroute_findings_dup_text (GPtrArray *findings, RerouteFindingLevel level);
gboolean reroute_finding_names_row (const RerouteFinding *finding, ReroutePage page, gint64 id);

/* (transfer container) (element-type RerouteFinding): @of_edit, and those @of_saved that the edit
   cannot have mended: none of their rows is touched, and no setting either when they depend on one.
 */
GPtrArray *reroute_findings_merge (RerouteEdit *edit, GPtrArray *of_edit, GPtrArray *of_saved);

/* (transfer none) (nullable): the weightiest finding that names the row. */
RerouteFinding *reroute_findings_find_worst (GPtrArray *findings, ReroutePage page, gint64 id);

/* What would be wrong if @row stood in the sheet's edit: those findings that name it.
   (transfer full) (element-type RerouteFinding): errors first */
void reroute_trial_check_row_async (RerouteSheet *sheet,
                                    RerouteRow *row,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
GPtrArray *
reroute_trial_check_row_finish (RerouteSheet *sheet, GAsyncResult *result, GError **error);

G_END_DECLS
