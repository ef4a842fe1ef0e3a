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

char *
reroute_date_format (gint64 time_us)
{
  static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
  static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
  time_t seconds = (time_t) (time_us / G_USEC_PER_SEC);
  struct tm local;

  if (localtime_r (&seconds, &local) == NULL)
    {
      seconds = 0;
      gmtime_r (&seconds, &local);
    }
  long offset_min = local.tm_gmtoff / 60;
  return g_strdup_printf ("%s, %d %s %04d %02d:%02d:%02d %c%02ld%02ld",
                          days[local.tm_wday],
                          local.tm_mday,
                          months[local.tm_mon],
                          local.tm_year + 1900,
                          local.tm_hour,
                          local.tm_min,
                          local.tm_sec,
                          offset_min < 0 ? '-' : '+',
                          labs (offset_min) / 60,
                          labs (offset_min) % 60);
}
