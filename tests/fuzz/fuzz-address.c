/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-address.c - the inside of a path's angle brackets
 *
 * What is taken has no octet that could end a command, and is taken again as it stands.
 */

#include "config.h"

#include "common/address.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  if (length == 0)
    return 0;
  gboolean utf8 = (octets[0] & 1) != 0;
  g_autofree char *text = g_strndup ((const char *) octets + 1, length - 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteAddress) address = reroute_address_parse (text, utf8, &error);

  g_assert_true ((address == NULL) == (error != NULL));
  if (address == NULL)
    return 0;
  for (const char *p = address->text; *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
  g_assert_true (utf8 || g_str_is_ascii (address->text));
  g_autoptr (RerouteAddress) again = reroute_address_parse (address->text, utf8, NULL);
  g_assert_nonnull (again);
  g_assert_cmpstr (again->text, ==, address->text);
  g_assert_cmpstr (again->key, ==, address->key);
  return 0;
}
