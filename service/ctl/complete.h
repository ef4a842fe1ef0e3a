/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/ctl/ctl.h"

G_BEGIN_DECLS

/**
 * reroute_ctl_complete:
 * @words: (array length=n): what stands on the line, from the verb on; the last is being typed and
 *   may be empty
 *
 * Prints what the last word may become, one a line, with a tab and what it means behind it.
 *
 * Returns: FALSE: a file name is wanted there, which the shell knows better
 */
gboolean reroute_ctl_complete (RerouteCtl *ctl, int n, char **words);

G_END_DECLS
