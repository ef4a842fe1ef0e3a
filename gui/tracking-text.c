/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tracking-text.c - what the Tracking page says of messages and of what happened to them
 */

#include "config.h"

#include "gui/tracking-text.h"

#include "gui/queue-text.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>

static const struct
{
  const char *kind;
  const char *word;
} kinds[] = {
  /* clang-format off */
  { "accepted", NC_("track", "Received") },
  { "sent",     NC_("track", "Sent") },
  { "deferred", NC_("track", "Put off") },
  { "failed",   NC_("track", "Failed") },
  { "expired",  NC_("track", "Expired") },
  { "notice",   NC_("track", "Sender told") },
  { "held",     NC_("track", "Held") },
  { "released", NC_("track", "Released") },
  { "deleted",  NC_("track", "Deleted") },
  /* clang-format on */
};

/* One of a newer relay is called as the relay calls it. */
static char *
dup_kind (const char *kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kind, kinds[i].kind))
      return g_strdup (g_dpgettext2 (GETTEXT_PACKAGE, "track", kinds[i].word));
  return g_strdup (kind);
}

GStrv
reroute_track_dup_kinds (const char *title)
{
  g_return_val_if_fail (title != NULL, NULL);

  GStrv words = g_new0 (char *, G_N_ELEMENTS (kinds) + 2);

  words[0] = g_strdup (title);
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    words[i + 1] = dup_kind (kinds[i].kind);
  return words;
}

/* --- messages --- */

char *
reroute_tracked_dup_received (gpointer message, gpointer user_data)
{
  return reroute_dup_moment (((RerouteTrackedMessage *) message)->received_us);
}

char *
reroute_tracked_dup_sender (gpointer message, gpointer user_data)
{
  const char *sender = ((RerouteTrackedMessage *) message)->sender;

  return g_strdup (*sender != '\0' ? sender : "<>");
}

char *
reroute_tracked_dup_recipient (gpointer message, gpointer user_data)
{
  const RerouteTrackedMessage *self = message;
  g_autofree char *addresses = NULL;

  addresses = *self->rcpt_out != '\0' ? g_strdup_printf ("%s → %s", self->recipient, self->rcpt_out)
                                      : g_strdup (self->recipient);
  if (self->n_recipients < 2)
    return g_steal_pointer (&addresses);
  return g_strdup_printf (
    /* Translators: an address, and how many further recipients a message has */
    g_dngettext (GETTEXT_PACKAGE, "%s and %u more", "%s and %u more", self->n_recipients - 1),
    addresses,
    self->n_recipients - 1);
}

char *
reroute_tracked_dup_state (gpointer message, gpointer user_data)
{
  return dup_kind (((RerouteTrackedMessage *) message)->kind);
}

char *
reroute_tracked_dup_reply (gpointer message, gpointer user_data)
{
  return g_strdup (((RerouteTrackedMessage *) message)->reply);
}

/* --- events --- */

static const char *
look_up (GVariant *event, const char *key)
{
  const char *text = "";

  g_variant_lookup (event, key, "&s", &text);
  return text;
}

static gboolean
is_arrival (GVariant *event)
{
  return g_str_equal (look_up (event, "kind"), "accepted");
}

char *
reroute_track_event_dup_time (gpointer event, gpointer user_data)
{
  gint64 time_us = 0;
  g_autoptr (GDateTime) utc = NULL;
  g_autoptr (GDateTime) local = NULL;
  g_autofree char *text = NULL;

  g_variant_lookup (event, "time", "x", &time_us);
  utc = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  text = local != NULL ? g_date_time_format (local, "%F %T") : g_strdup ("");
  return g_strdup_printf ("%s.%03d", text, (int) (time_us % G_USEC_PER_SEC / 1000));
}

char *
reroute_track_event_dup_kind (gpointer event, gpointer user_data)
{
  return dup_kind (look_up (event, "kind"));
}

char *
reroute_track_event_dup_recipient (gpointer event, gpointer user_data)
{
  const char *rcpt_out = look_up (event, "rcpt-out");
  g_autofree const char **recipients = NULL;

  if (*rcpt_out != '\0')
    return g_strdup (rcpt_out);
  if (!g_variant_lookup (event, "recipients", "^a&s", &recipients))
    return g_strdup (look_up (event, "recipient"));
  return g_strjoinv (", ", (char **) recipients);
}

char *
reroute_track_event_dup_host (gpointer event, gpointer user_data)
{
  const char *relay = look_up (event, "relay");

  if (is_arrival (event))
    return g_strdup (look_up (event, "client"));
  return g_strdup (*relay != '\0' ? relay : look_up (event, "next-hop"));
}

char *
reroute_track_event_dup_reply (gpointer event, gpointer user_data)
{
  return g_strdup (look_up (event, "reply"));
}

static char *
dup_arrival_markup (GVariant *event)
{
  const char *sender = look_up (event, "sender");
  const char *client = look_up (event, "client");
  gint64 time_us = 0;
  guint64 octets = 0;
  g_autofree char *when = NULL;
  g_autofree char *size = NULL;

  g_variant_lookup (event, "time", "x", &time_us);
  g_variant_lookup (event, "octets", "t", &octets);
  when = reroute_dup_moment (time_us);
  size = reroute_dup_size (octets);
  if (*client == '\0')
    /* Translators: date and time, a size */
    return g_markup_printf_escaped (_ ("Written by the relay itself on %s, %s."), when, size);
  /* Translators: the sender, the address of a host and how it calls itself, date and time, a size
   */
  return g_markup_printf_escaped (_ ("From <b>%s</b>, handed in by %s (%s) on %s, %s."),
                                     *sender != '\0' ? sender : "<>",
                                     client,
                                     look_up (event, "helo"),
                                     when,
                                     size);
}

/* @deciding: as shown */
static char *
dup_decided_after (const char *admitting, const char *deciding)
{
  g_autofree char *name = reroute_queue_dup_group_name ("entry", admitting);

  return g_markup_printf_escaped (
    /* Translators: two entries of the rules, as in “Routing: test.com”: the first one matches the
       recipient as it came, the other was the last to act */
    _ ("Let in by the entry <b>%s</b>, decided by <b>%s</b>."), name, deciding);
}

char *
reroute_track_event_dup_markup (GVariant *event)
{
  const char *entry = look_up (event, "entry");
  const char *admitting = look_up (event, "admitting");
  const char *reply = look_up (event, "reply");
  const char *notice = look_up (event, "notice");
  g_autofree char *name = NULL;
  g_autofree char *decided = NULL;

  if (is_arrival (event))
    return dup_arrival_markup (event);
  if (*notice != '\0')
    /* Translators: the id of a message */
    return g_markup_printf_escaped (_ ("The sender was told by the message <b>%s</b>."), notice);
  if (*entry == '\0')
    return *reply != '\0' ? g_markup_printf_escaped ("<tt>%s</tt>", reply) : NULL;
  name = reroute_queue_dup_group_name ("entry", entry);
  decided = *admitting != '\0'
              ? dup_decided_after (admitting, name)
              /* Translators: an entry of the rules, as in “Routing: test.com” */
              : g_markup_printf_escaped (_ ("Decided by the entry <b>%s</b>."), name);
  if (*reply == '\0')
    return g_steal_pointer (&decided);
  g_autofree char *said = g_markup_escape_text (reply, -1);
  return g_strdup_printf ("<tt>%s</tt>\n%s", said, decided);
}
