/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * certificate.c - certificates of our own, whether clients or hosts are shown them: their days,
 * and when their files change
 *
 * Standards: RFC 5280 section 4.1.2.5 (validity).
 */

#include "config.h"

#include "service/relay/certificate.h"

#include <glib/gstdio.h>

char *
reroute_certificate_format_day (gint64 time_s)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (time_s);

  return time != NULL ? g_date_time_format (time, "%Y-%m-%d") : g_strdup ("?");
}

char *
reroute_certificate_dup_objection (gnutls_x509_crt_t certificate)
{
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  gint64 from_s = gnutls_x509_crt_get_activation_time (certificate);
  gint64 until_s = gnutls_x509_crt_get_expiration_time (certificate);
  g_autofree char *day = reroute_certificate_format_day (until_s < now_s ? until_s : from_s);

  if (until_s >= now_s && from_s <= now_s)
    return NULL;
  return g_strdup_printf (until_s < now_s ? "it has expired on %s" : "it is not valid before %s",
                          day);
}

void
reroute_certificate_append_looks (GString *looks, const char *file)
{
  GStatBuf status;

  g_string_append_printf (looks, "%s ", file);
  if (g_stat (file, &status) == 0)
    g_string_append_printf (looks,
                            "%lu:%lu:%ld:%ld.%09ld:%ld.%09ld",
                            (gulong) status.st_dev,
                            (gulong) status.st_ino,
                            (glong) status.st_size,
                            (glong) status.st_mtim.tv_sec,
                            (glong) status.st_mtim.tv_nsec,
                            (glong) status.st_ctim.tv_sec,
                            (glong) status.st_ctim.tv_nsec);
  g_string_append_c (looks, '\n');
}
