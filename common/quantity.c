/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * quantity.c - durations and sizes as people write them
 */

#include "config.h"

#include "common/quantity.h"

#include "common/domain-private.h"
#include "common/error.h"

#include <string.h>

typedef struct
{
  const char *name;
  gint64 factor;
} Unit;

/* Largest first. */
static const Unit duration_units[] = { { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 } };

/* The first three are how a size is shown. */
/* clang-format off */
static const Unit octet_units[] = {
  { "GiB", (gint64) 1 << 30 }, { "MiB", 1 << 20 },      { "KiB", 1 << 10 }, { "G", (gint64) 1 << 30 },
  { "M", 1 << 20 },   { "K", 1 << 10 },        { "GB", 1000000000 }, { "MB", 1000000 },
  { "kB", 1000 },
};
/* clang-format on */

#define N_SHOWN_OCTET_UNITS 3

/* The digits at *@at, which moves behind them; FALSE when there are none or too many. */
static gboolean
take_number (const char **at, gint64 *number)
{
  gsize n = strspn (*at, "0123456789");
  g_autofree char *digits = g_strndup (*at, n);
  guint64 value;

  if (!g_ascii_string_to_unsigned (digits, 10, 0, G_MAXINT32, &value, NULL))
    return FALSE;
  *number = (gint64) value;
  *at += n;
  return TRUE;
}

static gboolean
fail (const char *noun, const char *text, const char *wanted, GError **error)
{
  g_autofree char *value = reroute_quote_value (text, -1);

  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "%s %s %s", noun, value, wanted);
  return FALSE;
}

gboolean
reroute_duration_parse (const char *text, gint64 *seconds, GError **error)
{
  g_return_val_if_fail (text != NULL && seconds != NULL, FALSE);

  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  const char *at = trimmed;
  gsize next_unit = 0;

  *seconds = 0;
  do
    {
      gint64 number;
      if (!take_number (&at, &number))
        return fail (
          "duration", trimmed, "is none: write one such as “90s”, “15m”, “4h” or “5d”", error);
      if (*at == '\0')
        return fail (
          "duration", trimmed, "has no unit: “s”, “m”, “h” or “d” belongs behind it", error);
      gsize i = next_unit;
      while (i < G_N_ELEMENTS (duration_units) && *at != duration_units[i].name[0])
        i++;
      if (i == G_N_ELEMENTS (duration_units))
        return fail (
          "duration", trimmed, "is none: write one such as “90s”, “15m”, “4h” or “5d”", error);
      *seconds += number * duration_units[i].factor;
      next_unit = i + 1;
      at++;
    }
  while (*at != '\0');
  return TRUE;
}

char *
reroute_duration_to_string (gint64 seconds)
{
  gsize i = 0;

  g_return_val_if_fail (seconds >= 0, NULL);

  if (seconds == 0)
    return g_strdup ("0s");
  while (seconds % duration_units[i].factor != 0)
    i++;
  return g_strdup_printf (
    "%" G_GINT64_FORMAT "%s", seconds / duration_units[i].factor, duration_units[i].name);
}

gboolean
reroute_octets_parse (const char *text, gint64 *octets, GError **error)
{
  g_return_val_if_fail (text != NULL && octets != NULL, FALSE);

  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  const char *at = trimmed;

  if (!take_number (&at, octets))
    return fail ("size", trimmed, "is none: write one such as “50 MiB” or “4096”", error);
  at += strspn (at, " ");
  if (*at == '\0')
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (octet_units); i++)
    if (g_ascii_strcasecmp (at, octet_units[i].name) == 0)
      {
        *octets *= octet_units[i].factor;
        return TRUE;
      }
  return fail ("size", trimmed, "has an unknown unit: “KiB”, “MiB” and “GiB” are possible", error);
}

char *
reroute_octets_to_string (gint64 octets)
{
  g_return_val_if_fail (octets >= 0, NULL);

  for (gsize i = 0; octets > 0 && i < N_SHOWN_OCTET_UNITS; i++)
    if (octets % octet_units[i].factor == 0)
      return g_strdup_printf (
        "%" G_GINT64_FORMAT " %s", octets / octet_units[i].factor, octet_units[i].name);
  return g_strdup_printf ("%" G_GINT64_FORMAT, octets);
}
