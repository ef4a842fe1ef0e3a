/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sample-steps.c - steps of an edit of the dialog, a row each
 */

#include "config.h"

#include "tests/unit/sample-steps.h"

#include "common/routing-entry.h"

RerouteRow *
sample_row (gint64 id, const char *domain)
{
  const RerouteRowFields fields = { .domain = domain, .enabled = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRoutingEntry) row =
               reroute_routing_entry_new (&fields, REROUTE_ROUTING_RELAY, NULL, &error);

  g_assert_no_error (error);
  return reroute_row_stamp (&row->row, id, "", 0);
}

gint64
sample_put (RerouteEdit *edit, gint64 id, const char *domain, const char *saved)
{
  g_autoptr (RerouteRow) row = sample_row (id, domain);
  g_autoptr (RerouteRow) base = saved != NULL ? sample_row (id, saved) : NULL;

  reroute_edit_begin_step (edit);
  return reroute_edit_put_row (edit, row, base);
}

void
sample_take_away (RerouteEdit *edit, gint64 id, const char *domain)
{
  g_autoptr (RerouteRow) row = sample_row (id, domain);

  reroute_edit_begin_step (edit);
  reroute_edit_remove_row (edit, row);
}
