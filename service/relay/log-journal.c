/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * log-journal.c - lines of the log with their fields, for journald
 *
 * journald's own protocol: a datagram an entry.  Every value goes with its length in front, so that
 * no text of a client's can pass for another field.
 *
 * Source: systemd, "Native Journal Protocol".
 */

#include "config.h"

#include "service/relay/log-journal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ENTRIES_A_CALL 64

int
reroute_log_journal_open (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  g_return_val_if_fail (path != NULL && strlen (path) < sizeof address.sun_path, -1);

  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  memcpy (address.sun_path, path, strlen (path) + 1);
  if (connect (fd, (const struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

void
reroute_log_entries_init (RerouteLogEntries *self)
{
  self->octets = g_byte_array_new ();
  self->ends = g_array_new (FALSE, FALSE, sizeof (guint32));
}

void
reroute_log_entries_clear (RerouteLogEntries *self)
{
  g_clear_pointer (&self->octets, g_byte_array_unref);
  g_clear_pointer (&self->ends, g_array_unref);
}

void
reroute_log_entries_add (RerouteLogEntries *self, const char *name, const char *value, gsize length)
{
  guint64 length_le = GUINT64_TO_LE (length);

  g_byte_array_append (self->octets, (const guint8 *) name, (guint) strlen (name));
  g_byte_array_append (self->octets, (const guint8 *) "\n", 1);
  g_byte_array_append (self->octets, (const guint8 *) &length_le, sizeof length_le);
  g_byte_array_append (self->octets, (const guint8 *) value, (guint) length);
  g_byte_array_append (self->octets, (const guint8 *) "\n", 1);
}

void
reroute_log_entries_end (RerouteLogEntries *self)
{
  guint32 end = self->octets->len;

  g_array_append_val (self->ends, end);
}

guint
reroute_log_entries_send (const RerouteLogEntries *self, int fd, guint first)
{
  guint done = first;

  while (done < self->ends->len)
    {
      struct mmsghdr messages[ENTRIES_A_CALL] = { 0 };
      struct iovec vectors[ENTRIES_A_CALL];
      guint n = MIN (self->ends->len - done, ENTRIES_A_CALL);

      for (guint i = 0; i < n; i++)
        {
          guint32 start = done + i > 0 ? g_array_index (self->ends, guint32, done + i - 1) : 0;

          vectors[i] = (struct iovec){ self->octets->data + start,
                                       g_array_index (self->ends, guint32, done + i) - start };
          messages[i].msg_hdr.msg_iov = &vectors[i];
          messages[i].msg_hdr.msg_iovlen = 1;
        }
      int sent = sendmmsg (fd, messages, n, MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR)
        continue;
      if (sent <= 0)
        break;
      done += (guint) sent;
    }
  return done - first;
}
