/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * certificate.c - certificates of our own, whether clients or hosts are shown them: their days,
 * what is in their files, and when that changes
 *
 * A file that is none, such as a pipe, would hold up who reads it: only ordinary ones of a bounded
 * size are read.
 *
 * Standards: RFC 5280 section 4.1.2.5 (validity).
 */

#include "config.h"

#include "service/relay/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_OCTETS_MOST (1024 * 1024)

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

/* --- what is in a file --- */

void
reroute_key_text_free (RerouteKeyText *self)
{
  if (self != NULL)
    explicit_bzero (self, strlen (self));
  g_free (self);
}

static gboolean
read_all (int fd, char *text, gsize size)
{
  gsize n_read = 0;

  while (n_read < size)
    {
      ssize_t n = read (fd, text + n_read, size - n_read);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      n_read += (gsize) n;
    }
  return TRUE;
}

static RerouteKeyText *
read_open_file (int fd, const char **why)
{
  struct stat status;
  g_autoptr (RerouteKeyText) text = NULL;

  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    {
      *why = "it is no ordinary file";
      return NULL;
    }
  if (status.st_size > FILE_OCTETS_MOST)
    {
      *why = "it is too large for one";
      return NULL;
    }
  text = g_malloc0 ((gsize) status.st_size + 1);
  if (read_all (fd, text, (gsize) status.st_size))
    return g_steal_pointer (&text);
  *why = "it cannot be read to its end";
  return NULL;
}

RerouteKeyText *
reroute_certificate_read_file (const char *file, const char **why)
{
  g_return_val_if_fail (file != NULL && why != NULL, NULL);

  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  RerouteKeyText *text;

  if (fd < 0)
    {
      *why = g_strerror (errno);
      return NULL;
    }
  text = read_open_file (fd, why);
  close (fd);
  return text;
}
