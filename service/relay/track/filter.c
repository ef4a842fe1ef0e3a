/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * filter.c - which messages are looked for
 *
 * Every record carries all that is asked for, so each is judged alone.  Letters of ASCII are
 * compared whatever their case.
 */

#include "config.h"

#include "service/relay/track/filter.h"

#include "common/error.h"
#include "service/relay/spool/message.h"

#include <string.h>

/* A text that is looked for. */
typedef struct
{
  char *text; /* in small letters; NULL: anything will do */
  gsize length;
  gboolean whole; /* it is the whole of the field, not a part of it */
} Needle;

struct _RerouteTrackFilter
{
  Needle sender;
  Needle recipient; /* as received, or as it left */
  Needle entry;
  Needle host; /* the client's, or the next hop's */
  guint64 id;
  gboolean has_id;
  gint64 since_us, until_us; /* of the arrival */
};

#define BIT(field) (1u << REROUTE_TRACK_##field)

/* The fields that a needle may stand in. */
#define SENDER_FIELDS BIT (SENDER)
#define RECIPIENT_FIELDS (BIT (RECIPIENT) | BIT (RCPT_OUT))
#define ENTRY_FIELDS (BIT (ENTRY) | BIT (ADMITTING))
#define HOST_FIELDS (BIT (CLIENT) | BIT (HELO) | BIT (NEXT_HOP) | BIT (RELAY))

static gboolean
fail (GError **error, const char *key)
{
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "“%.64s” is nothing that messages are found by: wanted “sender”, “recipient”, "
               "“entry”, “host” or “id” of type “s”, “since” or “until” of type “x”",
               key);
  return FALSE;
}

/* "=text" is the whole field; "" is anything. */
static void
take_needle (Needle *needle, const char *text)
{
  needle->whole = text[0] == '=' && text[1] != '\0';
  if (needle->whole)
    text++;
  if (*text == '\0')
    return;
  g_free (needle->text);
  needle->text = g_ascii_strdown (text, -1);
  needle->length = strlen (text);
}

static gboolean
take_text (RerouteTrackFilter *self, const char *key, const char *text, GError **error)
{
  struct
  {
    const char *key;
    Needle *needle;
  } const needles[] = { { "sender", &self->sender },
                        { "recipient", &self->recipient },
                        { "entry", &self->entry },
                        { "host", &self->host } };

  for (gsize i = 0; i < G_N_ELEMENTS (needles); i++)
    if (g_str_equal (key, needles[i].key))
      {
        take_needle (needles[i].needle, text);
        return TRUE;
      }
  if (!g_str_equal (key, "id"))
    return fail (error, key);
  if (*text == '\0')
    return TRUE;
  self->has_id = TRUE;
  if (reroute_message_id_from_string (text, &self->id))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "“%.64s” is no id of a message: wanted like “1a2b3c”",
               text);
  return FALSE;
}

static gboolean
take_value (RerouteTrackFilter *self, const char *key, GVariant *value, GError **error)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return take_text (self, key, g_variant_get_string (value, NULL), error);
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_INT64))
    return fail (error, key);
  if (g_str_equal (key, "since"))
    self->since_us = g_variant_get_int64 (value);
  else if (g_str_equal (key, "until"))
    self->until_us = g_variant_get_int64 (value);
  else
    return fail (error, key);
  return TRUE;
}

RerouteTrackFilter *
reroute_track_filter_new (GVariant *values, GError **error)
{
  g_return_val_if_fail (g_variant_is_of_type (values, G_VARIANT_TYPE_VARDICT), NULL);

  g_autoptr (RerouteTrackFilter) self = g_new0 (RerouteTrackFilter, 1);
  GVariantIter iter;
  const char *key;
  GVariant *value;

  self->since_us = G_MININT64;
  self->until_us = G_MAXINT64;
  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      g_autoptr (GVariant) owned = value;

      if (!take_value (self, key, owned, error))
        return NULL;
    }
  return g_steal_pointer (&self);
}

void
reroute_track_filter_free (RerouteTrackFilter *self)
{
  if (self == NULL)
    return;
  g_free (self->sender.text);
  g_free (self->recipient.text);
  g_free (self->entry.text);
  g_free (self->host.text);
  g_free (self);
}

gint64
reroute_track_filter_get_since_us (const RerouteTrackFilter *self)
{
  return self->since_us;
}

static gboolean
equals (const char *text, const Needle *needle)
{
  for (gsize i = 0; i < needle->length; i++)
    if (g_ascii_tolower (text[i]) != needle->text[i])
      return FALSE;
  return TRUE;
}

static gboolean
stands_in (const RerouteTrackText *text, const Needle *needle)
{
  if (text->length < needle->length || (needle->whole && text->length != needle->length))
    return FALSE;
  for (gsize start = 0; start <= text->length - needle->length; start++)
    if (equals (text->text + start, needle))
      return TRUE;
  return FALSE;
}

static gboolean
find (const RerouteTrackRecord *record, const Needle *needle, guint fields, guint *n_before)
{
  RerouteTrackText text = { 0 };

  if (needle->text == NULL)
    return TRUE;
  *n_before = 0;
  while (reroute_track_record_next (record, &text))
    {
      if (text.field >= REROUTE_N_TRACK_FIELDS || (fields & 1u << text.field) == 0)
        continue;
      if (stands_in (&text, needle))
        return TRUE;
      (*n_before)++;
    }
  return FALSE;
}

gboolean
reroute_track_filter_matches (const RerouteTrackFilter *self,
                              const RerouteTrackRecord *record,
                              guint32 *recipient)
{
  RerouteTrackHead head;
  guint n_before = 0;
  guint ignored = 0;

  if (self->has_id && reroute_track_record_get_id (record) != self->id)
    return FALSE;
  head = reroute_track_record_get_head (record);
  if (head.received_us < self->since_us || head.received_us > self->until_us ||
      !find (record, &self->recipient, RECIPIENT_FIELDS, &n_before) ||
      !find (record, &self->sender, SENDER_FIELDS, &ignored) ||
      !find (record, &self->host, HOST_FIELDS, &ignored) ||
      !find (record, &self->entry, ENTRY_FIELDS, &ignored))
    return FALSE;
  *recipient = head.kind == REROUTE_TRACK_ACCEPTED ? head.recipient + n_before : head.recipient;
  return TRUE;
}
