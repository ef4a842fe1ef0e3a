/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stride.c - how much of a long loop a test walks
 */

#include "config.h"

#include "tests/unit/stride.h"

guint
test_get_stride (void)
{
  const char *text = g_getenv ("REROUTE_TEST_STRIDE");
  guint64 stride = 1;

  if (text != NULL && !g_ascii_string_to_unsigned (text, 10, 1, 1000, &stride, NULL))
    g_error ("REROUTE_TEST_STRIDE is “%s”, not a number from 1 to 1000", text);
  return (guint) stride;
}
