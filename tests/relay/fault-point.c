/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fault-point.c - a relay that ends by SIGKILL at a chosen step of its spool
 *
 * REROUTE_FAULT_POINT=NAME:N   the Nth time that the step NAME is reached
 * REROUTE_SEGMENT_OCTETS=N     small segments, so that a few messages fill many
 * REROUTE_RECORDED=FILE        gets the id of each message whose delivery was called durable
 *
 * The spool's functions are wrapped by the linker (--wrap), so the product knows nothing of it.
 */

#include "config.h"

#include "service/relay/spool/fault-point.h"
#include "service/relay/spool/spool.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SEGMENT_OCTETS "0"

RerouteSpool *
__real_reroute_spool_open (const char *directory, gsize segment_octets, GError **error);
RerouteSpool *
__wrap_reroute_spool_open (const char *directory, gsize segment_octets, GError **error);
void __real_reroute_spool_record (RerouteSpool *self,
                                  RerouteMessage *message,
                                  const RerouteVerdict *verdicts,
                                  guint n,
                                  RerouteSpoolFunc func,
                                  gpointer user_data);
void __wrap_reroute_spool_record (RerouteSpool *self,
                                  RerouteMessage *message,
                                  const RerouteVerdict *verdicts,
                                  guint n,
                                  RerouteSpoolFunc func,
                                  gpointer user_data);

/* Threads may reach one at once; each visit counts. */
void
reroute_fault_point (const char *name)
{
  static gint n_visits;
  const char *chosen = g_getenv ("REROUTE_FAULT_POINT");
  gsize length = strlen (name);

  if (chosen == NULL || strncmp (chosen, name, length) != 0 || chosen[length] != ':')
    return;
  if (g_atomic_int_add (&n_visits, 1) + 1 != g_ascii_strtoll (chosen + length + 1, NULL, 10))
    return;
  kill (getpid (), SIGKILL);
  pause ();
}

RerouteSpool *
__wrap_reroute_spool_open (const char *directory, gsize segment_octets, GError **error)
{
  const char *octets = g_getenv ("REROUTE_SEGMENT_OCTETS");

  if (octets == NULL)
    octets = DEFAULT_SEGMENT_OCTETS;
  return __real_reroute_spool_open (directory, (gsize) g_ascii_strtoull (octets, NULL, 10), error);
}

/* What the scheduler wanted to be told, beside the recipient that was delivered. */
typedef struct
{
  RerouteSpoolFunc func;
  gpointer user_data;
  gboolean is_sent;
} Recording;

static void
append_id (guint64 id)
{
  const char *path = g_getenv ("REROUTE_RECORDED");
  g_autofree char *text = reroute_message_id_to_string (id);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  int fd = path != NULL ? open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (fd < 0)
    return;
  g_assert (write (fd, line, strlen (line)) == (gssize) strlen (line));
  close (fd);
}

static void
recorded_cb (RerouteMessage *message, const GError *error, gpointer user_data)
{
  g_autofree Recording *recording = user_data;

  if (error == NULL && recording->is_sent)
    append_id (message->id);
  if (recording->func != NULL)
    recording->func (message, error, recording->user_data);
}

void
__wrap_reroute_spool_record (RerouteSpool *self,
                             RerouteMessage *message,
                             const RerouteVerdict *verdicts,
                             guint n,
                             RerouteSpoolFunc func,
                             gpointer user_data)
{
  Recording *recording = g_new0 (Recording, 1);

  recording->func = func;
  recording->user_data = user_data;
  for (guint i = 0; i < n; i++)
    recording->is_sent = recording->is_sent || verdicts[i].state == REROUTE_RECIPIENT_SENT;
  __real_reroute_spool_record (self, message, verdicts, n, recorded_cb, recording);
}
