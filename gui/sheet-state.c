/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sheet-state.c - what the footer says of the sheet
 */

#include "config.h"

#include "gui/sheet-state.h"

#include <glib/gi18n.h>

/* A format of a translated sentence has no place for G_GUINT64_FORMAT. */
static char *
dup_number (guint64 number)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, number);
}

char *
reroute_sheet_dup_state (RerouteSheet *sheet)
{
  guint n_changes = reroute_edit_get_n_changes (reroute_sheet_get_edit (sheet));
  g_autofree char *serial = dup_number (reroute_sheet_get_serial (sheet));
  RerouteRelayWatch *watch = reroute_sheet_get_relay_watch (sheet);
  g_autofree char *relay = dup_number (reroute_relay_watch_get_serial (watch));

  if (reroute_sheet_is_busy (sheet))
    return g_strdup_printf (_ ("Applying, %d %%"),
                               (int) (reroute_sheet_get_progress (sheet) * 100));
  if (n_changes > 0 && reroute_sheet_is_wrong (sheet))
    return g_strdup (_ ("Correct it to save"));
  if (n_changes > 0)
    return g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%u unsaved change", "%u unsaved changes", n_changes),
      n_changes);
  if (!reroute_sheet_is_loaded (sheet))
    return g_strdup (_ ("Reading the rules…"));
  if (!reroute_relay_watch_is_available (watch) ||
      (reroute_relay_watch_get_serial (watch) == 0 && !g_str_equal (relay, serial)))
    return g_strdup_printf (_ ("Rules %s saved"), serial);
  if (g_str_equal (relay, serial))
    return g_strdup_printf (_ ("Rules %s saved, in use"), serial);
  /* Translators: numbers of generations of the rules */
  return g_strdup_printf (_ ("Rules %s saved, relay uses %s"), serial, relay);
}
