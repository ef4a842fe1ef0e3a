/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * base64.c - base64 as it must be, and no other
 */

#include "config.h"

#include "common/base64.h"

GBytes *
reroute_base64_decode (const char *text)
{
  g_return_val_if_fail (text != NULL, NULL);

  gsize length = 0;
  g_autofree guchar *octets = *text != '\0' ? g_base64_decode (text, &length) : NULL;
  g_autofree char *again = g_base64_encode (octets, length);

  return g_str_equal (again, text) ? g_bytes_new_take (g_steal_pointer (&octets), length) : NULL;
}
