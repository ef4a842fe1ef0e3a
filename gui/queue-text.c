/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-text.c - what waits in the queue, in words
 */

#include "config.h"

#include "gui/queue-text.h"

#include <glib/gi18n.h>
#include <string.h>

static char *
dup_span (gint64 span_us)
{
  gint64 seconds = MAX (span_us, 0) / G_USEC_PER_SEC;
  guint days = (guint) (seconds / (24 * 3600));
  guint hours = (guint) (seconds / 3600);
  guint minutes = (guint) (seconds / 60);

  if (minutes < 1)
    return g_strdup (_ ("< 1 min"));
  if (hours >= 48)
    /* Translators: a span of days */
    return g_strdup_printf (_ ("%u d"), days);
  if (minutes >= 90)
    /* Translators: a span of hours */
    return g_strdup_printf (_ ("%u h"), hours);
  /* Translators: a span of minutes */
  return g_strdup_printf (_ ("%u min"), minutes);
}

char *
reroute_dup_age (gint64 since_us)
{
  return since_us > 0 ? dup_span (g_get_real_time () - since_us) : g_strdup ("–");
}

char *
reroute_dup_wait (gint64 until_us)
{
  gint64 span_us = until_us - g_get_real_time ();
  g_autofree char *span = dup_span (span_us + G_USEC_PER_SEC * 60);

  if (until_us == 0)
    return g_strdup ("–");
  /* Translators: a time to wait, such as “in 12 min” */
  return span_us > 0 ? g_strdup_printf (_ ("in %s"), span) : g_strdup (_ ("now"));
}

char *
reroute_dup_size (guint64 octets)
{
  return g_format_size (octets);
}

char *
reroute_queue_dup_group_name (const char *by, const char *key)
{
  gboolean by_entry = g_str_equal (by, "entry");
  const char *blank = strchr (key, ' ');

  if (key[0] == '\0')
    return g_strdup (by_entry ? _ ("No entry") : _ ("No next hop"));
  if (!by_entry || blank == NULL)
    return g_strdup (key);
  if (g_str_has_prefix (key, "routing "))
    /* Translators: an entry of the Routing page */
    return g_strdup_printf (_ ("Routing: %s"), blank + 1);
  /* Translators: an entry of the Connections page */
  return g_strdup_printf (_ ("Connections: %s"), blank + 1);
}

char *
reroute_queue_dup_failure (const char *by, const RerouteQueueGroup *group)
{
  g_autofree char *name = NULL;

  if (group == NULL || group->last_failure[0] == '\0')
    return NULL;
  name = reroute_queue_dup_group_name (by, group->key);
  /* Translators: where mail goes, and what came of the last try there */
  return g_markup_printf_escaped (_ ("<b>%s</b>: <tt>%s</tt>"), name, group->last_failure);
}

char *
reroute_queue_dup_title (const char *by, const RerouteQueueGroup *group)
{
  g_autofree char *name = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *escaped = NULL;

  if (group == NULL)
    return g_strdup (_ ("_Messages"));
  name = reroute_queue_dup_group_name (by, group->key);
  parts = g_strsplit (name, "_", -1);
  escaped = g_strjoinv ("__", parts);
  /* Translators: %s is a host, or an entry */
  return g_strdup_printf (_ ("_Messages for %s"), escaped);
}

char *
reroute_queue_dup_total (guint64 n_queued, gint64 oldest_us)
{
  guint n = (guint) MIN (n_queued, G_MAXUINT);
  g_autofree char *oldest = reroute_dup_age (oldest_us);

  if (n == 0)
    return NULL;
  return g_strdup_printf (
    /* Translators: a number; a span of time such as 9 h */
    ngettext ("%'u message waits, for %s", "%'u messages wait, the oldest for %s", n),
    n,
    oldest);
}

gint64
reroute_queue_get_next_try_us (const RerouteQueuedMessage *message)
{
  gint64 earliest_us = 0;

  for (guint i = 0; i < message->recipients->len; i++)
    {
      const RerouteQueuedRecipient *recipient = message->recipients->pdata[i];

      if (g_str_equal (recipient->state, "waiting") && recipient->next_try_us > 0 &&
          (earliest_us == 0 || recipient->next_try_us < earliest_us))
        earliest_us = recipient->next_try_us;
    }
  return earliest_us;
}

gboolean
reroute_queue_is_unreached (const RerouteQueueGroup *group)
{
  const char *status = strchr (group->last_failure, ' ');

  return status != NULL && g_str_has_prefix (status, " 4.4.");
}

gboolean
reroute_queue_is_held (const RerouteQueuedMessage *message)
{
  for (guint i = 0; i < message->recipients->len; i++)
    if (!g_str_equal (((RerouteQueuedRecipient *) message->recipients->pdata[i])->state, "held"))
      return FALSE;
  return message->recipients->len > 0;
}

char *
reroute_queue_dup_recipient_state (const char *state)
{
  if (g_str_equal (state, "held"))
    return g_strdup (C_ ("message", "Held"));
  if (g_str_equal (state, "etrn"))
    return g_strdup (_ ("Waits for ETRN"));
  return g_strdup (g_str_equal (state, "active") ? _ ("Under way") : _ ("Waiting"));
}

char *
reroute_queue_dup_state (const RerouteQueuedMessage *message)
{
  const char *first = NULL;
  gboolean held = FALSE;
  gboolean same = TRUE;
  gboolean active = FALSE;

  for (guint i = 0; i < message->recipients->len; i++)
    {
      const RerouteQueuedRecipient *recipient = message->recipients->pdata[i];

      first = first != NULL ? first : recipient->state;
      same = same && g_str_equal (first, recipient->state);
      held = held || g_str_equal (recipient->state, "held");
      active = active || g_str_equal (recipient->state, "active");
    }
  if (first == NULL)
    return g_strdup ("");
  if (held && !same)
    return g_strdup (_ ("Partly held"));
  return reroute_queue_dup_recipient_state (active ? "active" : first);
}

char *
reroute_queue_dup_recipients (const RerouteQueuedMessage *message)
{
  guint n = message->recipients->len;
  const RerouteQueuedRecipient *first = n > 0 ? message->recipients->pdata[0] : NULL;

  if (n <= 1)
    return g_strdup (first != NULL ? first->address : "");
  /* Translators: a recipient, and how many others the message has */
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s and %u more", "%s and %u more", n - 1),
                          first->address,
                          n - 1);
}
