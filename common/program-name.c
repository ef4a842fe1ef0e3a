/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * program-name.c - names of programs that the relay has its helper run
 */

#include "config.h"

#include "common/program-name.h"

#include "common/limits.h"

#include <string.h>

gboolean
reroute_program_name_is_bare (const char *name)
{
  g_return_val_if_fail (name != NULL, FALSE);

  gsize length = strlen (name);
  gboolean good = length > 0 && length <= REROUTE_LIMIT_PROGRAM_OCTETS && name[0] != '.';

  for (const char *at = name; good && *at != '\0'; at++)
    good = g_ascii_isalnum (*at) || strchr ("._-", *at) != NULL;
  return good;
}
