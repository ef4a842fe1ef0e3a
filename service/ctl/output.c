/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * output.c - what goes to the standard output
 */

#include "config.h"

#include "service/ctl/output.h"

#include "common/error.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdio.h>

static int failure; /* errno of the first write that failed; 0: none has */

/* LRE, RLE, PDF, LRO, RLO; LRI, RLI, FSI, PDI */
static gboolean
turns_direction (gunichar c)
{
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *
reroute_ctl_dup_plain (const char *text)
{
  g_autofree char *valid = NULL;
  g_autoptr (GString) plain = g_string_new (NULL);

  g_return_val_if_fail (text != NULL, NULL);

  valid = g_utf8_make_valid (text, -1);
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);
      gboolean is_kept = c == '\n' || c == '\t' || !(g_unichar_iscntrl (c) || turns_direction (c));

      if (c != '\r')
        g_string_append_unichar (plain, is_kept ? c : '?');
    }
  return g_string_free (g_steal_pointer (&plain), FALSE);
}

static void
write_text (const char *octets)
{
  if (failure == 0 && (fputs (octets, stdout) == EOF || fflush (stdout) != 0))
    failure = errno;
}

static void
print_cb (const char *text)
{
  const char *charset = NULL;
  g_autofree char *local = NULL;

  if (!g_get_charset (&charset))
    local = g_convert_with_fallback (text, -1, charset, "UTF-8", "?", NULL, NULL, NULL);
  write_text (local != NULL ? local : text);
}

void
reroute_ctl_print_data (const char *text)
{
  write_text (text);
}

void
reroute_ctl_begin_output (void)
{
  g_set_print_handler (print_cb);
}

gboolean
reroute_ctl_is_output_whole (void)
{
  return failure == 0;
}

gboolean
reroute_ctl_end_output (GError **error)
{
  if (failure == 0 || failure == EPIPE)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_FAILED,
               /* Translators: the name of a file; what the system says */
               _ ("cannot write “%s”: %s"), "-", g_strerror (failure));
  return FALSE;
}
