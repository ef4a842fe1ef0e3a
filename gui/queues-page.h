/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/page.h"

G_BEGIN_DECLS

/* The Queues page: mail that waits, by next hop or by entry. */
#define REROUTE_TYPE_QUEUES_PAGE (reroute_queues_page_get_type ())
G_DECLARE_FINAL_TYPE (RerouteQueuesPage, reroute_queues_page, REROUTE, QUEUES_PAGE, GtkBox)

G_END_DECLS
