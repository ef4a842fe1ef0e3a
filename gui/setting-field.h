/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/field-error.h"
#include "gui/sheet.h"

G_BEGIN_DECLS

/* (transfer full): how a canonical value is shown, and what is canonicalized of what was typed. */
typedef char *(*RerouteTextFunc) (const char *text);

/**
 * RerouteSettingField:
 *
 * An entry for a setting: what is typed becomes the sheet's value as soon as it is valid, and a
 * sentence stands below it while it is not.
 */
#define REROUTE_TYPE_SETTING_FIELD (reroute_setting_field_get_type ())
G_DECLARE_FINAL_TYPE (RerouteSettingField, reroute_setting_field, REROUTE, SETTING_FIELD, GObject)

/* @entry, @error: borrowed; they outlive the field.  @to_shown, @to_value: (nullable). */
RerouteSettingField *reroute_setting_field_new (RerouteSheet *sheet,
                                                RerouteSettingId id,
                                                GtkEditable *entry,
                                                RerouteFieldError *error,
                                                RerouteTextFunc to_shown,
                                                RerouteTextFunc to_value);

/* An inactive field shows what others set, is insensitive, and sets nothing.  A value that is
   chosen beside it leaves its text alone, which is set again when the field is. */
void reroute_setting_field_set_active (RerouteSettingField *self, gboolean active);
/* FALSE when what stands in it is wrong; the field then has the focus and says so. */
gboolean reroute_setting_field_flush (RerouteSettingField *self);

G_END_DECLS
