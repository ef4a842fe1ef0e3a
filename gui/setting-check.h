/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteSettingCheck:
 *
 * A check button that stands in a template for a setting that is "yes" or "no".
 *
 * Properties: key (string, construct-only): of the settings table.
 */
#define REROUTE_TYPE_SETTING_CHECK (reroute_setting_check_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteSettingCheck, reroute_setting_check, REROUTE, SETTING_CHECK, GtkCheckButton)

/* It shows its setting from now on. */
void reroute_setting_check_open (RerouteSettingCheck *self, RerouteSheet *sheet);

G_END_DECLS
