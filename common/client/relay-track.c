/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-track.c - what became of messages, over the bus
 */

#include "config.h"

#include "common/client/relay-track.h"

#include "common/client/relay-client-private.h"
#include "common/limits.h"

#define ROW_TYPE "(txxsssusssss)"
#define PAGE_TYPE "(txa" ROW_TYPE ")"
#define EVENTS_TYPE "(uaa{sv})"

void
reroute_tracked_message_free (gpointer data)
{
  RerouteTrackedMessage *message = data;

  g_free (message->sender);
  g_free (message->recipient);
  g_free (message->rcpt_out);
  g_free (message->entry);
  g_free (message->next_hop);
  g_free (message->relay);
  g_free (message->kind);
  g_free (message->reply);
  g_free (message);
}

void
reroute_track_page_free (RerouteTrackPage *self)
{
  g_ptr_array_unref (self->messages);
  g_free (self);
}

static RerouteTrackPage *
decode (GVariant *reply)
{
  RerouteTrackPage *page = g_new0 (RerouteTrackPage, 1);
  g_autoptr (GVariantIter) iter = NULL;
  RerouteTrackedMessage read = { 0 };

  page->messages = g_ptr_array_new_with_free_func (reroute_tracked_message_free);
  g_variant_get (reply, PAGE_TYPE, &page->next, &page->searched_us, &iter);
  while (g_variant_iter_next (iter,
                              ROW_TYPE,
                              &read.id,
                              &read.received_us,
                              &read.changed_us,
                              &read.sender,
                              &read.recipient,
                              &read.rcpt_out,
                              &read.n_recipients,
                              &read.entry,
                              &read.next_hop,
                              &read.relay,
                              &read.kind,
                              &read.reply))
    g_ptr_array_add (page->messages, g_memdup2 (&read, sizeof read));
  return page;
}

static void
add_text (GVariantBuilder *filter, const char *key, const char *text)
{
  if (text != NULL && *text != '\0')
    g_variant_builder_add (filter, "{sv}", key, g_variant_new_string (text));
}

static void
add_time (GVariantBuilder *filter, const char *key, gint64 time_us)
{
  if (time_us != 0)
    g_variant_builder_add (filter, "{sv}", key, g_variant_new_int64 (time_us));
}

void
reroute_relay_client_track_async (RerouteRelayClient *relay,
                                  const RerouteTrackQuestion *question,
                                  guint64 cursor,
                                  guint limit,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  GVariantBuilder filter;

  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (relay) && question != NULL);

  g_variant_builder_init (&filter, G_VARIANT_TYPE_VARDICT);
  add_text (&filter, "sender", question->sender);
  add_text (&filter, "recipient", question->recipient);
  add_text (&filter, "entry", question->entry);
  add_text (&filter, "host", question->host);
  add_text (&filter, "id", question->id);
  add_time (&filter, "since", question->since_us);
  add_time (&filter, "until", question->until_us);
  reroute_relay_client_start_call (g_task_new (relay, cancellable, callback, user_data),
                                   "Track",
                                   g_variant_new ("(a{sv}tu)", &filter, cursor, limit),
                                   PAGE_TYPE,
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

RerouteTrackPage *
reroute_relay_client_track_finish (RerouteRelayClient *relay, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, relay), NULL);

  g_autoptr (GVariant) reply = g_task_propagate_pointer (G_TASK (result), error);

  return reply != NULL ? decode (reply) : NULL;
}

void
reroute_relay_client_track_message_async (RerouteRelayClient *relay,
                                          guint64 id,
                                          guint offset,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RELAY_CLIENT (relay));

  reroute_relay_client_start_call (g_task_new (relay, cancellable, callback, user_data),
                                   "TrackMessage",
                                   g_variant_new ("(tuu)", id, offset, REROUTE_LIMIT_TRACK_EVENTS),
                                   EVENTS_TYPE,
                                   REROUTE_LIMIT_CALL_INTERACTIVE_MS);
}

GVariant *
reroute_relay_client_track_message_finish (RerouteRelayClient *relay,
                                           GAsyncResult *result,
                                           guint *total,
                                           GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, relay), NULL);

  g_autoptr (GVariant) reply = g_task_propagate_pointer (G_TASK (result), error);
  GVariant *events = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(u@aa{sv})", total, &events);
  return events;
}
