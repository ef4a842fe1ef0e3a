/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * date.c - dates in header fields
 *
 * Standards: RFC 5322 section 3.3, RFC 5321 section 4.4.
 */

#include "config.h"

#include "service/relay/smtp/date.h"

#include <stdlib.h>
#include <time.h>

/* Without printf(): every message asks. */
static char *
put_digits (char *to, guint value, guint n)
{
  for (guint i = n; i > 0; i--, value /= 10)
    to[i - 1] = (char) ('0' + value % 10);
  return to + n;
}

char *
reroute_date_format (gint64 time_us)
{
  static const char *const days[] = {
    "Sun, ", "Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, "
  };
  static const char *const months[] = { " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ",
                                        " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec " };
  time_t seconds = (time_t) (time_us / G_USEC_PER_SEC);
  char text[sizeof "Mon, 23 Nov 2026 22:32:05 +0000"];
  struct tm local;

  if (localtime_r (&seconds, &local) == NULL)
    {
      seconds = 0;
      gmtime_r (&seconds, &local);
    }
  long offset_min = labs (local.tm_gmtoff / 60);
  char *p = g_stpcpy (text, days[local.tm_wday]);
  p = put_digits (p, (guint) local.tm_mday, local.tm_mday < 10 ? 1 : 2);
  p = g_stpcpy (p, months[local.tm_mon]);
  p = put_digits (p, (guint) CLAMP (local.tm_year + 1900, 0, 9999), 4);
  *p++ = ' ';
  p = put_digits (p, (guint) local.tm_hour, 2);
  *p++ = ':';
  p = put_digits (p, (guint) local.tm_min, 2);
  *p++ = ':';
  p = put_digits (p, (guint) local.tm_sec, 2);
  *p++ = ' ';
  *p++ = local.tm_gmtoff < 0 ? '-' : '+';
  p = put_digits (p, (guint) (offset_min / 60), 2);
  p = put_digits (p, (guint) (offset_min % 60), 2);
  return g_strndup (text, (gsize) (p - text));
}
