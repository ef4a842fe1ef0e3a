/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-filter.c - which recipients of the queue are meant, and where they go
 *
 * A recipient goes where the rules of now send it, as its next try will.
 */

#include "config.h"

#include "service/relay/deliver/queue-private.h"

#include <string.h>

#include "common/error.h"

/* --- where a recipient goes --- */

/* The host that the mail is handed to first, with its port; (transfer full) */
static char *
name_host (const RerouteHost *host)
{
  const char *prefix = host->mx ? "mx:" : host->lmtp ? "lmtp:" : "";
  gboolean brackets = host->literal && strchr (host->name, ':') != NULL;

  if (host->local)
    return g_strconcat (prefix, host->name, NULL);
  return g_strdup_printf (brackets ? "%s[%s]:%u" : "%s%s:%u", prefix, host->name, host->port);
}

static char *
name_next_hop (const RerouteDecision *decision)
{
  if (decision->hosts != NULL)
    return name_host (&decision->hosts->hosts[0]);
  return g_strdup (decision->dns_domain != NULL ? decision->dns_domain : "");
}

static char *
name_entry (const RerouteRow *row)
{
  g_autofree char *label = row != NULL ? reroute_row_dup_label (row) : NULL;

  return row != NULL ? g_strconcat (reroute_page_to_string (row->page), " ", label, NULL)
                     : g_strdup ("");
}

void
reroute_queued_find_place (RerouteQueued *queued, guint recipient, RerouteQueuePlace *place)
{
  RerouteScheduler *scheduler = queued->scheduler;
  const RerouteRecipient *received =
    reroute_envelope_get_recipient (reroute_queued_get_envelope (queued), recipient);
  g_autoptr (RerouteAddress) address =
               reroute_scheduler_unwrap (scheduler, received->address, REROUTE_SRS_ANY_TIME, NULL);
  g_autoptr (RerouteDecision) decision = NULL;

  if (scheduler->ruleset != NULL && address != NULL)
    decision = reroute_ruleset_decide (scheduler->ruleset, address, NULL, NULL);
  if (decision == NULL || reroute_recipient_lost_its_entry (received, decision))
    {
      place->next_hop = g_strdup ("");
      place->entry = g_strdup ("");
      return;
    }
  place->next_hop = name_next_hop (decision);
  place->entry = name_entry (decision->deciding);
}

void
reroute_queue_place_clear (RerouteQueuePlace *self)
{
  g_clear_pointer (&self->next_hop, g_free);
  g_clear_pointer (&self->entry, g_free);
}

RerouteWaitingState
reroute_waiting_get_state (const RerouteWaiting *self)
{
  if (self->state == REROUTE_RECIPIENT_HELD)
    return REROUTE_WAITING_HELD;
  if (reroute_waiting_awaits_etrn (self))
    return REROUTE_WAITING_FOR_ETRN;
  return self->phase == REROUTE_PHASE_IDLE || self->phase == REROUTE_PHASE_PARKED
           ? REROUTE_WAITING_FOR_TRY
           : REROUTE_WAITING_ACTIVE;
}

const char *
reroute_waiting_get_state_name (const RerouteWaiting *self)
{
  static const char *const names[] = {
    [REROUTE_WAITING_ACTIVE] = "active",
    [REROUTE_WAITING_FOR_TRY] = "waiting",
    [REROUTE_WAITING_FOR_ETRN] = "etrn",
    [REROUTE_WAITING_HELD] = "held",
  };

  return names[reroute_waiting_get_state (self)];
}

gint64
reroute_waiting_get_next_try_us (const RerouteWaiting *self)
{
  return reroute_waiting_awaits_etrn (self) ? 0 : self->due_us;
}

/* --- the filter --- */

static gboolean
set_value (RerouteQueueFilter *self, const char *name, GVariant *value, GError **error)
{
  char **texts[] = { &self->next_hop, &self->entry, &self->state };
  static const char *const names[] = { "next-hop", "entry", "state" };

  if (g_str_equal (name, "all") && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    {
      self->all = g_variant_get_boolean (value);
      return TRUE;
    }
  if (g_str_equal (name, "text") && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    {
      g_free (self->text);
      self->text = g_ascii_strdown (g_variant_get_string (value, NULL), -1);
      return TRUE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]) && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
      {
        g_free (*texts[i]);
        *texts[i] = g_variant_dup_string (value, NULL);
        return TRUE;
      }
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "“%.64s” of type “%s” selects no messages: wanted “all” of type “b”, or “text”, "
               "“next-hop”, “entry” or “state” of type “s”",
               name,
               g_variant_get_type_string (value));
  return FALSE;
}

static gboolean
check_state (const char *state, GError **error)
{
  static const char *const states[] = { "waiting", "active", "held", "etrn", NULL };

  if (state == NULL || g_strv_contains (states, state))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "“%.64s” is no state of a recipient: wanted “waiting”, “active”, “held” or “etrn”",
               state);
  return FALSE;
}

RerouteQueueFilter *
reroute_queue_filter_new (GVariant *values, GError **error)
{
  g_autoptr (RerouteQueueFilter) self = g_new0 (RerouteQueueFilter, 1);
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
    {
      g_autoptr (GVariant) owned = value;

      if (!set_value (self, name, owned, error))
        return NULL;
    }
  if (!check_state (self->state, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
reroute_queue_filter_free (RerouteQueueFilter *self)
{
  if (self == NULL)
    return;
  g_free (self->text);
  g_free (self->next_hop);
  g_free (self->entry);
  g_free (self->state);
  g_free (self);
}

gboolean
reroute_queue_filter_says_something (const RerouteQueueFilter *self)
{
  return self->all || (self->text != NULL && self->text[0] != '\0') || self->next_hop != NULL ||
         self->entry != NULL || self->state != NULL;
}

/* Whether @needle, in lower case, stands in @text. */
static gboolean
contains (const char *text, const char *needle)
{
  g_autofree char *lower = text != NULL ? g_ascii_strdown (text, -1) : NULL;

  return lower != NULL && strstr (lower, needle) != NULL;
}

static gboolean
takes_place (const RerouteQueueFilter *self, const RerouteQueuePlace *place)
{
  return (self->next_hop == NULL || g_str_equal (self->next_hop, place->next_hop)) &&
         (self->entry == NULL || g_str_equal (self->entry, place->entry));
}

static gboolean
takes_text (const RerouteQueueFilter *self,
            RerouteQueued *queued,
            guint recipient,
            const RerouteQueuePlace *place)
{
  const RerouteEnvelope *envelope = reroute_queued_get_envelope (queued);
  g_autofree char *id = reroute_message_id_to_string (queued->message->id);

  return contains (id, self->text) || contains (envelope->reverse_path, self->text) ||
         contains (reroute_envelope_get_recipient (envelope, recipient)->address->text,
                   self->text) ||
         contains (place->next_hop, self->text);
}

gboolean
reroute_queue_filter_takes (const RerouteQueueFilter *self, RerouteQueued *queued, guint recipient)
{
  const RerouteWaiting *waiting = &queued->recipients[recipient];
  gboolean asks_text = self->text != NULL && self->text[0] != '\0';
  g_auto (RerouteQueuePlace) place = { NULL, NULL };

  if (waiting->state >= REROUTE_RECIPIENT_SENT)
    return FALSE;
  if (self->state != NULL && !g_str_equal (self->state, reroute_waiting_get_state_name (waiting)))
    return FALSE;
  if (!asks_text && self->next_hop == NULL && self->entry == NULL)
    return TRUE;
  reroute_queued_find_place (queued, recipient, &place);
  return takes_place (self, &place) && (!asks_text || takes_text (self, queued, recipient, &place));
}
