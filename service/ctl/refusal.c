/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * refusal.c - values that common/ refused, in the words that the dialog has for them
 */

#include "config.h"

#include "service/ctl/refusal.h"

#include "common/error.h"
#include "common/refusal-text.h"
#include "common/setting-text.h"

#include <glib/gi18n.h>

static gboolean
is_of (GError **error, RerouteError code)
{
  return error != NULL && g_error_matches (*error, REROUTE_ERROR, (int) code);
}

static void
take_text (GError **error, char *text)
{
  g_free ((*error)->message);
  (*error)->message = text;
}

void
reroute_ctl_reword_row (GError **error, const char *domain, const char *target)
{
  if (error != NULL && *error != NULL)
    take_text (error, reroute_dup_row_error (domain, target, *error));
}

void
reroute_ctl_reword_address (GError **error, const char *address)
{
  if (is_of (error, REROUTE_ERROR_ADDRESS))
    take_text (error, reroute_dup_address_error (address));
}

void
reroute_ctl_reword_account (GError **error, const char *name)
{
  if (is_of (error, REROUTE_ERROR_VALUE))
    take_text (error, reroute_dup_account_error (name));
}

void
reroute_ctl_reword_file_name (GError **error, const char *name)
{
  if (is_of (error, REROUTE_ERROR_VALUE))
    take_text (error, reroute_dup_file_name_error (name));
}

void
reroute_ctl_reword_setting (GError **error, const char *key, const char *value)
{
  const RerouteSettingSpec *spec = reroute_setting_find (key, NULL);
  g_autofree char *sentence = NULL;

  if (!is_of (error, REROUTE_ERROR_VALUE) || spec == NULL || value == NULL)
    return;
  sentence = reroute_dup_setting_error (spec, value);
  /* Translators: the key of a setting; a sentence that says what its value must be */
  take_text (error, g_strdup_printf (_ ("setting “%s”: %s"), key, sentence));
}
