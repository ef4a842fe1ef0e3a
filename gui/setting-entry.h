/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/setting-field.h"

G_BEGIN_DECLS

/**
 * RerouteSettingEntry:
 *
 * An entry that stands in a template for a setting and becomes its field when the sheet is known.
 *
 * Properties: key (string, construct-only): of the settings table; error (#RerouteFieldError): the
 *   line that says what is wrong.
 */
#define REROUTE_TYPE_SETTING_ENTRY (reroute_setting_entry_get_type ())
G_DECLARE_FINAL_TYPE (RerouteSettingEntry, reroute_setting_entry, REROUTE, SETTING_ENTRY, GtkEntry)

/* @error: (nullable): may come later as the property. */
GtkWidget *reroute_setting_entry_new (RerouteSettingId id, RerouteFieldError *error);

/* Every setting entry and setting check below @root shows its setting from now on. */
void reroute_setting_entries_open (GtkWidget *root, RerouteSheet *sheet);
/* Takes in what is typed; FALSE when what stands in an entry, or in the field of a range list, is
   wrong: the first such has the focus and says so. */
gboolean reroute_setting_entries_flush (GtkWidget *root);

G_END_DECLS
