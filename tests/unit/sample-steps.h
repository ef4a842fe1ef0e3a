/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/edit.h"

G_BEGIN_DECLS

/* An entry of the Routing page for @domain that relays; (transfer full) */
RerouteRow *sample_row (gint64 id, const char *domain);

/* A step of its own that puts the row; @saved: (nullable): the domain that is saved of it.
   Returns: the id of the row */
gint64 sample_put (RerouteEdit *edit, gint64 id, const char *domain, const char *saved);
/* A step of its own that removes the row, saved for @domain. */
void sample_take_away (RerouteEdit *edit, gint64 id, const char *domain);

G_END_DECLS
