/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * RerouteTestStrip:
 *
 * "Test an address" of a page: what becomes of mail for it, under the unsaved changes, in a
 * sentence below; Explain opens the window with each step.
 */
#define REROUTE_TYPE_TEST_STRIP (reroute_test_strip_get_type ())
G_DECLARE_FINAL_TYPE (RerouteTestStrip, reroute_test_strip, REROUTE, TEST_STRIP, GtkBox)

void reroute_test_strip_open (RerouteTestStrip *self, RerouteSheet *sheet);

G_END_DECLS
