/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/rules-client.h"

G_BEGIN_DECLS

/* All (transfer full), translated. */

/* Of a difference: "Routing", "#example.com" or a setting's key, what it was and what it is. */
char *reroute_difference_dup_page (const RerouteDifference *difference);
char *reroute_difference_dup_name (const RerouteDifference *difference);
char *reroute_change_dup_content (const RerouteChange *change);

G_END_DECLS
