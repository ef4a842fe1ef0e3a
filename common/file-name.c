/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * file-name.c - names of files on the server, as rows and settings hold them
 */

#include "config.h"

#include "common/file-name.h"

#include "common/domain-private.h"
#include "common/error.h"
#include "common/limits.h"

#include <string.h>

static gboolean
refuse (const char *name, const char *why, GError **error)
{
  g_autofree char *value = reroute_quote_value (name, -1);

  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "%s %s", value, why);
  return FALSE;
}

gboolean
reroute_file_name_check (const char *name, GError **error)
{
  g_return_val_if_fail (name != NULL, FALSE);

  if (!g_path_is_absolute (name))
    return refuse (name, "is no full file name: write it from the first “/” on", error);
  if (!g_utf8_validate (name, -1, NULL))
    return refuse (name, "is not UTF-8 text", error);
  for (const char *at = name; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      return refuse (name, "has a control character", error);
  return strlen (name) <= REROUTE_LIMIT_PATH_OCTETS ||
         refuse (name, "is too long for a file name", error);
}
