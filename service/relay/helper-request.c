/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * helper-request.c - asks the process that runs programs for the relay
 */

#include "config.h"

#include "service/relay/helper-request.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static gboolean
send_words (int helper, const char *const *words, int answer)
{
  union
  {
    struct cmsghdr header;
    char octets[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  g_autoptr (GByteArray) packet = g_byte_array_new ();
  struct iovec part;
  const struct msghdr message = { .msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control.octets,
                                  .msg_controllen = sizeof control.octets };

  for (; *words != NULL; words++)
    g_byte_array_append (packet, (const guint8 *) *words, (guint) strlen (*words) + 1);
  part = (struct iovec){ packet->data, packet->len };
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN (sizeof answer);
  memcpy (CMSG_DATA (&control.header), &answer, sizeof answer);
  return sendmsg (helper, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

int
reroute_helper_request (int helper, const char *const *words)
{
  g_return_val_if_fail (words != NULL, -1);

  int ends[2], error_number;

  errno = EBADF;
  if (helper < 0 || pipe2 (ends, O_CLOEXEC) != 0)
    return -1;
  gboolean sent = fcntl (ends[0], F_SETFL, O_NONBLOCK) == 0 && send_words (helper, words, ends[1]);
  error_number = errno;
  close (ends[1]);
  if (sent)
    return ends[0];
  close (ends[0]);
  errno = error_number;
  return -1;
}

const char *
reroute_helper_explain (int helper, int error_number)
{
  if (helper < 0)
    return "the relay had no directory of them when it started, see reroute-relayd(8)";
  if (error_number == EPIPE || error_number == ECONNRESET)
    return "the process that runs them has ended: restart reroute-relayd";
  return g_strerror (error_number);
}
