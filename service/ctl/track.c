/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * track.c - reroutectl track: what became of messages
 */

#include "config.h"

#include "service/ctl/ctl.h"
#include "service/ctl/output.h"
#include "service/ctl/table.h"

#include "common/client/relay-track.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/quantity.h"

#include <glib/gi18n.h>

#define MESSAGES_USUAL 100

typedef struct
{
  char *sender;
  char *recipient;
  char *entry;
  char *host;
  char *id;
  char *since;
  char *until;
  int limit;
} TrackOptions;

static void
track_options_clear (TrackOptions *options)
{
  g_clear_pointer (&options->sender, g_free);
  g_clear_pointer (&options->recipient, g_free);
  g_clear_pointer (&options->entry, g_free);
  g_clear_pointer (&options->host, g_free);
  g_clear_pointer (&options->id, g_free);
  g_clear_pointer (&options->since, g_free);
  g_clear_pointer (&options->until, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TrackOptions, track_options_clear)

static char *
format_id (guint64 id)
{
  return g_strdup_printf ("%" G_GINT64_MODIFIER "x", id);
}

/* --- times --- */

/* "2026-11-26", "2026-11-26 14:02", "2026-11-26T14:02:10Z"; local time unless it says otherwise. */
static GDateTime *
parse_date (const char *text)
{
  g_autoptr (GTimeZone) local = g_time_zone_new_local ();
  g_autofree char *whole = NULL;
  gsize length = strlen (text);

  if (length == strlen ("2026-11-26"))
    whole = g_strconcat (text, "T00:00:00", NULL);
  else if (length == strlen ("2026-11-26 14:02"))
    whole = g_strconcat (text, ":00", NULL);
  else
    whole = g_strdup (text);
  return g_date_time_new_from_iso8601 (whole, local);
}

/* @text: (nullable): then @time_us stays */
static gboolean
parse_time (const char *text, gint64 *time_us, GError **error)
{
  g_autoptr (GDateTime) date = NULL;
  gint64 ago_s;

  if (text == NULL)
    return TRUE;
  if (reroute_duration_parse (text, &ago_s, NULL))
    {
      *time_us = g_get_real_time () - ago_s * G_USEC_PER_SEC;
      return TRUE;
    }
  date = parse_date (text);
  if (date == NULL)
    {
      g_set_error (
        error,
        G_OPTION_ERROR,
        G_OPTION_ERROR_FAILED,
        _ ("“%s” is no time: write “2026-11-26”, “2026-11-26 14:02”, or “4h” for so long ago"),
           text);
      return FALSE;
    }
  *time_us = g_date_time_to_unix (date) * G_USEC_PER_SEC + g_date_time_get_microsecond (date);
  return TRUE;
}

static char *
format_precisely (gint64 time_us)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autofree char *second = local != NULL ? g_date_time_format (local, "%F %T") : g_strdup ("");

  return g_strdup_printf ("%s.%03d", second, (int) (time_us % G_USEC_PER_SEC / 1000));
}

/* --- the list --- */

static void
message_to_json (const RerouteTrackedMessage *message, JsonBuilder *builder)
{
  g_autofree char *id = format_id (message->id);

  json_builder_begin_object (builder);
  reroute_ctl_add_string (builder, "id", id);
  reroute_ctl_add_int (builder, "received_us", message->received_us);
  reroute_ctl_add_int (builder, "changed_us", message->changed_us);
  reroute_ctl_add_string (builder, "sender", message->sender);
  reroute_ctl_add_string (builder, "recipient", message->recipient);
  reroute_ctl_add_string (builder, "rcpt_out", message->rcpt_out);
  reroute_ctl_add_int (builder, "recipients", message->n_recipients);
  reroute_ctl_add_string (builder, "entry", message->entry);
  reroute_ctl_add_string (builder, "next_hop", message->next_hop);
  reroute_ctl_add_string (builder, "relay", message->relay);
  reroute_ctl_add_string (builder, "state", message->kind);
  reroute_ctl_add_string (builder, "reply", message->reply);
  json_builder_end_object (builder);
}

/* "user@test.com", "user@test.com +49" */
static char *
format_recipients (const RerouteTrackedMessage *message)
{
  if (message->n_recipients < 2)
    return g_strdup (message->recipient);
  return g_strdup_printf ("%s +%u", message->recipient, message->n_recipients - 1);
}

static void
message_to_table (const RerouteTrackedMessage *message, RerouteTable *table)
{
  g_autofree char *id = format_id (message->id);
  g_autofree char *received = reroute_table_format_time (message->received_us);
  g_autofree char *sender = g_strdup_printf ("<%s>", message->sender);
  g_autofree char *recipients = format_recipients (message);

  reroute_table_add (table,
                     id,
                     received,
                     sender,
                     recipients,
                     message->rcpt_out,
                     message->kind,
                     message->reply,
                     NULL);
}

static RerouteTrackPage *
load_page (RerouteCtl *ctl,
           const RerouteTrackQuestion *question,
           guint64 cursor,
           guint limit,
           GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  reroute_relay_client_track_async (
    ctl->relay, question, cursor, limit, NULL, reroute_ctl_wait_cb, &result);
  return reroute_relay_client_track_finish (ctl->relay, reroute_ctl_wait (&result), error);
}

/* Page by page, until @limit messages are found.  Returns: whether there may be more; -1: @error */
static int
load_messages (RerouteCtl *ctl,
               const RerouteTrackQuestion *question,
               guint limit,
               GPtrArray *messages,
               GError **error)
{
  guint64 cursor = 0;

  do
    {
      guint wanted = MIN (limit - messages->len, REROUTE_LIMIT_PAGE_ROWS);
      g_autoptr (RerouteTrackPage) page = load_page (ctl, question, cursor, wanted, error);

      if (page == NULL)
        return -1;
      cursor = page->next;
      g_ptr_array_extend_and_steal (messages, g_steal_pointer (&page->messages));
      page->messages = g_ptr_array_new ();
    }
  while (cursor != 0 && messages->len < limit);
  return cursor != 0;
}

static void
print_messages (RerouteCtl *ctl, const GPtrArray *messages, gboolean has_more)
{
  const char *const titles[] = { C_ ("heading", "ID"),         C_ ("heading", "RECEIVED"),
                                 C_ ("heading", "FROM"),       C_ ("heading", "TO"),
                                 C_ ("heading", "SENT TO"),    C_ ("heading", "STATE"),
                                 C_ ("heading", "LAST REPLY"), NULL };
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < messages->len; i++)
    {
      message_to_json (messages->pdata[i], builder);
      message_to_table (messages->pdata[i], table);
    }
  json_builder_end_array (builder);
  if (ctl->json)
    reroute_ctl_print_json (builder);
  else if (messages->len == 0)
    g_print ("%s\n", _ ("no such message is known"));
  else
    reroute_table_print (table);
  if (has_more)
    g_printerr ("%s\n", _ ("there may be more: --limit shows them"));
}

static gboolean
check_limit (int limit, GError **error)
{
  if (limit > 0)
    return TRUE;
  g_set_error (error,
               G_OPTION_ERROR,
               G_OPTION_ERROR_BAD_VALUE,
               _ ("--limit=%d is not possible: say how many messages at the most, from 1 on"),
                  limit);
  return FALSE;
}

gboolean
reroute_ctl_track (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (TrackOptions) options = { .limit = MESSAGES_USUAL };
  const GOptionEntry entries[] = {
    { "sender", 0, 0, G_OPTION_ARG_STRING, &options.sender, NULL, NULL },
    { "recipient", 0, 0, G_OPTION_ARG_STRING, &options.recipient, NULL, NULL },
    { "entry", 0, 0, G_OPTION_ARG_STRING, &options.entry, NULL, NULL },
    { "host", 0, 0, G_OPTION_ARG_STRING, &options.host, NULL, NULL },
    { "id", 0, 0, G_OPTION_ARG_STRING, &options.id, NULL, NULL },
    { "since", 0, 0, G_OPTION_ARG_STRING, &options.since, NULL, NULL },
    { "until", 0, 0, G_OPTION_ARG_STRING, &options.until, NULL, NULL },
    { "limit", 0, 0, G_OPTION_ARG_INT, &options.limit, NULL, NULL },
    { NULL },
  };
  g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func (reroute_tracked_message_free);
  RerouteTrackQuestion question = { 0 };
  int has_more;

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 0, 0, error) ||
      !check_limit (options.limit, error) ||
      !parse_time (options.since, &question.since_us, error) ||
      !parse_time (options.until, &question.until_us, error))
    return FALSE;
  question.sender = options.sender;
  question.recipient = options.recipient;
  question.entry = options.entry;
  question.host = options.host;
  question.id = options.id;
  has_more = load_messages (ctl, &question, (guint) options.limit, messages, error);
  if (has_more < 0)
    return FALSE;
  print_messages (ctl, messages, has_more > 0);
  return TRUE;
}

/* --- one message --- */

static const char *
look_up (GVariant *event, const char *key)
{
  const char *text = "";

  g_variant_lookup (event, key, "&s", &text);
  return text;
}

/* A line of the event, if there is something to say. */
static void
print_value (const char *title, const char *text)
{
  g_autofree char *plain = reroute_ctl_dup_plain (text);

  if (*plain != '\0')
    g_print ("    %s %s\n", title, plain);
}

static void
print_address (const char *title, const char *address)
{
  g_autofree char *path = g_strdup_printf ("<%s>", address);

  print_value (title, path);
}

static void
print_accepted (GVariant *event)
{
  g_autoptr (GVariantIter) recipients = NULL;
  const char *recipient;
  guint64 octets = 0;
  g_autofree char *size = NULL;

  g_variant_lookup (event, "octets", "t", &octets);
  size = g_strdup_printf ("%" G_GUINT64_FORMAT, octets);
  print_address (_ ("from:"), look_up (event, "sender"));
  if (g_variant_lookup (event, "recipients", "as", &recipients))
    while (g_variant_iter_next (recipients, "&s", &recipient))
      print_address (_ ("to:"), recipient);
  print_value (_ ("client:"), look_up (event, "client"));
  print_value ("HELO:", look_up (event, "helo"));
  print_value (_ ("account:"), look_up (event, "account"));
  print_value (_ ("octets:"), size);
}

static void
print_event (GVariant *event)
{
  const char *kind = look_up (event, "kind");
  g_autofree char *recipient = reroute_ctl_dup_plain (look_up (event, "recipient"));
  gint64 time_us = 0;
  g_autofree char *time = NULL;

  g_variant_lookup (event, "time", "x", &time_us);
  time = format_precisely (time_us);
  g_print ("%s %s%s%s%s\n",
           time,
           kind,
           *recipient != '\0' ? " <" : "",
           recipient,
           *recipient != '\0' ? ">" : "");
  if (g_str_equal (kind, "accepted"))
    {
      print_accepted (event);
      return;
    }
  print_value (_ ("sent to:"), look_up (event, "rcpt-out"));
  print_value (_ ("admitted by:"), look_up (event, "admitting"));
  print_value (_ ("entry:"), look_up (event, "entry"));
  print_value (_ ("next hop:"), look_up (event, "next-hop"));
  print_value (_ ("answered:"), look_up (event, "relay"));
  print_value ("TLS:", look_up (event, "tls"));
  print_value (_ ("notice:"), look_up (event, "notice"));
  print_value (_ ("reply:"), look_up (event, "reply"));
}

/* All events of a message, as the relay tells them; (transfer full) (element-type GVariant) */
static GPtrArray *
load_events (RerouteCtl *ctl, guint64 id, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  guint total = 0;
  gsize n;

  do
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GVariant) events = NULL;

      reroute_relay_client_track_message_async (
        ctl->relay, id, all->len, NULL, reroute_ctl_wait_cb, &result);
      events = reroute_relay_client_track_message_finish (
        ctl->relay, reroute_ctl_wait (&result), &total, error);
      if (events == NULL)
        return NULL;
      n = g_variant_n_children (events);
      for (gsize i = 0; i < n; i++)
        g_ptr_array_add (all, g_variant_get_child_value (events, i));
    }
  while (n > 0 && all->len < total);
  return g_steal_pointer (&all);
}

gboolean
reroute_ctl_track_show (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_autoptr (GPtrArray) events = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  guint64 id;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 1, 1, error) ||
      !reroute_ctl_parse_message_id (argv[1], &id, error))
    return FALSE;
  events = load_events (ctl, id, error);
  if (events == NULL)
    return FALSE;
  json_builder_begin_array (builder);
  for (guint i = 0; i < events->len; i++)
    if (ctl->json)
      json_builder_add_value (builder, json_gvariant_serialize (events->pdata[i]));
    else
      print_event (events->pdata[i]);
  json_builder_end_array (builder);
  if (ctl->json)
    reroute_ctl_print_json (builder);
  return TRUE;
}
