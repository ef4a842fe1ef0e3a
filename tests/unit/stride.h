/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The step width of loops over every place where something can go wrong: 1, all of them, but where
 * the machine is slowed down by instruments a sample, REROUTE_TEST_STRIDE. */
guint test_get_stride (void);

G_END_DECLS
