/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/* A call begins or has ended; @problem: (nullable): a translated sentence when nothing was brought
   back. */
typedef void (*RerouteRevertFunc) (GObject *owner, const char *problem);

/**
 * reroute_revert_ask:
 * @serial: the generation whose rules and settings are to come back
 * @owner: the widget that asks; a reference is held while the call runs
 *
 * Asks whether to bring it back, saves it as a new generation, and asks again when a finding is to
 * be agreed to.  @func runs when it is to be saved, and when it was saved or refused; not when the
 * person cancels.  Not while reroute_revert_is_running().
 */
void reroute_revert_ask (
  GtkWindow *parent, RerouteSheet *sheet, guint64 serial, RerouteRevertFunc func, GObject *owner);

/* Whether what @owner asked for last is on its way to rulesd. */
gboolean reroute_revert_is_running (GObject *owner);

G_END_DECLS
