/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * envelope-record.c - an envelope as octets of a message record, both ways
 *
 * A row of fields: tag, length, value.  Nothing that could end a command or a line of a notice ever
 * enters or leaves: a value with NUL, CR or LF is refused on both ways (wire-defaults.md,
 * regression 5), and an address that does not parse is not loaded.  What RFC 3461 adds is written
 * only where it was said, so an envelope without it has the octets of format 1.
 */

#include "config.h"

#include "service/relay/spool/record.h"

#include "common/error.h"
#include "service/relay/smtp/dsn-parameters.h"
#include "service/relay/spool/octets-private.h"

#define FIELD_FIXED_OCTETS 8u /* tag, length */
#define RECIPIENT_FIXED_OCTETS 12u
#define NOTIFY_ALL                                                                                 \
  (REROUTE_NOTIFY_NEVER | REROUTE_NOTIFY_SUCCESS | REROUTE_NOTIFY_FAILURE | REROUTE_NOTIFY_DELAY)

enum
{
  TAG_FLAGS = 1,
  TAG_CLIENT_IP,
  TAG_HELO,
  TAG_REVERSE_PATH,
  TAG_RECIPIENT, /* page, row id, address; once for each, in order */
  TAG_RETURNS,   /* from format 2: RET in one octet, then ENVID */
  TAG_NOTIFY,    /* from format 2: NOTIFY in one octet, then ORCPT; of the recipient before it */
};

enum
{
  FLAG_BODY_8BITMIME = 1 << 0,
  FLAG_SMTPUTF8 = 1 << 1,
  FLAG_CLIENT_PERMITTED = 1 << 2,
  FLAG_HELD = 1 << 3,
  FLAG_TLS_OPTIONAL = 1 << 4, /* from format 3 */
  FLAG_REQUIRETLS = 1 << 5,   /* from format 3 */
  FLAG_ASCII_HEADER = 1 << 6, /* in any format: a version without it asks for SMTPUTF8 too often */
};

static gboolean
check_text (const char *what, const char *text, gsize length, GError **error)
{
  for (gsize i = 0; i < length; i++)
    if (text[i] == '\0' || text[i] == '\r' || text[i] == '\n')
      {
        g_set_error (error,
                     REROUTE_ERROR,
                     REROUTE_ERROR_VALUE,
                     "the envelope's %s has a NUL or a line break in it",
                     what);
        return FALSE;
      }
  return TRUE;
}

static void
append_field (GByteArray *octets, guint32 tag, const void *value, gsize length)
{
  guint8 fixed[FIELD_FIXED_OCTETS];

  store_u32 (fixed, tag);
  store_u32 (fixed + 4, (guint32) length);
  g_byte_array_append (octets, fixed, sizeof fixed);
  g_byte_array_append (octets, value, (guint) length);
}

/* One octet and a text that may be missing. */
static gboolean
append_said (GByteArray *octets, guint32 tag, guint said, const char *text, GError **error)
{
  g_autoptr (GByteArray) value = NULL;
  guint8 octet = (guint8) said;

  if (said == 0 && text == NULL)
    return TRUE;
  if (text != NULL && !check_text ("DSN parameter", text, strlen (text), error))
    return FALSE;
  value = g_byte_array_new ();
  g_byte_array_append (value, &octet, 1);
  if (text != NULL)
    g_byte_array_append (value, (const guint8 *) text, (guint) strlen (text));
  append_field (octets, tag, value->data, value->len);
  return TRUE;
}

static gboolean
append_recipient (GByteArray *octets, const RerouteRecipient *recipient, GError **error)
{
  guint8 fixed[FIELD_FIXED_OCTETS + RECIPIENT_FIXED_OCTETS];
  const char *text = recipient->address->text;
  gsize length = strlen (text);

  if (!check_text ("recipient", text, length, error))
    return FALSE;
  store_u32 (fixed, TAG_RECIPIENT);
  store_u32 (fixed + 4, (guint32) (RECIPIENT_FIXED_OCTETS + length));
  store_u32 (fixed + 8, recipient->admitted_by.page);
  store_u64 (fixed + 12, (guint64) recipient->admitted_by.id);
  g_byte_array_append (octets, fixed, sizeof fixed);
  g_byte_array_append (octets, (const guint8 *) text, (guint) length);
  return append_said (octets, TAG_NOTIFY, recipient->notify, recipient->original, error);
}

GByteArray *
reroute_envelope_encode (const RerouteEnvelope *envelope, GError **error)
{
  const char *helo = envelope->helo != NULL ? envelope->helo : "";
  const char *reverse_path = envelope->reverse_path != NULL ? envelope->reverse_path : "";
  guint8 flags =
    (envelope->body_8bitmime ? FLAG_BODY_8BITMIME : 0) | (envelope->smtputf8 ? FLAG_SMTPUTF8 : 0) |
    (envelope->client_permitted ? FLAG_CLIENT_PERMITTED : 0) | (envelope->held ? FLAG_HELD : 0) |
    (envelope->tls_optional ? FLAG_TLS_OPTIONAL : 0) |
    (envelope->requiretls ? FLAG_REQUIRETLS : 0) | (envelope->ascii_header ? FLAG_ASCII_HEADER : 0);

  if (envelope->recipients->len == 0)
    {
      g_set_error (
        error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "the envelope has no recipient, one is needed");
      return NULL;
    }
  if (!check_text ("HELO name", helo, strlen (helo), error) ||
      !check_text ("reverse-path", reverse_path, strlen (reverse_path), error))
    return NULL;

  g_autoptr (GByteArray) octets = g_byte_array_sized_new (256);
  append_field (octets, TAG_FLAGS, &flags, sizeof flags);
  append_field (octets, TAG_CLIENT_IP, envelope->client_ip.octets, sizeof (RerouteIp));
  append_field (octets, TAG_HELO, helo, strlen (helo));
  append_field (octets, TAG_REVERSE_PATH, reverse_path, strlen (reverse_path));
  if (!append_said (octets, TAG_RETURNS, envelope->returns, envelope->id, error))
    return NULL;
  for (guint i = 0; i < envelope->recipients->len; i++)
    if (!append_recipient (octets, reroute_envelope_get_recipient (envelope, i), error))
      return NULL;
  return g_steal_pointer (&octets);
}

static gboolean
fail (GError **error, const char *why)
{
  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL, "the envelope in the record %s", why);
  return FALSE;
}

static gboolean
load_recipient (RerouteEnvelope *self, const guint8 *value, gsize length, GError **error)
{
  if (length < RECIPIENT_FIXED_OCTETS)
    return fail (error, "has a recipient that is too short");

  RerouteRowRef row = { (ReroutePage) load_u32 (value), (gint64) load_u64 (value + 4) };
  g_autofree char *text =
    g_strndup ((const char *) value + RECIPIENT_FIXED_OCTETS, length - RECIPIENT_FIXED_OCTETS);
  g_autoptr (RerouteAddress) address = reroute_address_parse (text, TRUE, error);
  if (address == NULL)
    return FALSE;
  reroute_envelope_add_recipient (self, address, row);
  return TRUE;
}

/* (transfer full) (nullable): the text behind the first octet; NULL: there is none */
static char *
dup_said (const guint8 *value, gsize length)
{
  return length > 1 ? g_strndup ((const char *) value + 1, length - 1) : NULL;
}

/* A NUL would hide what stands behind it from the check of the text. */
static gboolean
has_nul (const guint8 *value, gsize length)
{
  return memchr (value + 1, '\0', length - 1) != NULL;
}

static gboolean
load_returns (RerouteEnvelope *self, const guint8 *value, gsize length, GError **error)
{
  if (length == 0 || *value > REROUTE_RETURN_HEADERS || has_nul (value, length))
    return fail (error, "has a RET that is none");
  self->returns = (RerouteReturn) *value;
  g_free (self->id);
  self->id = dup_said (value, length);
  if (self->id != NULL && !reroute_dsn_check_envid (self->id))
    return fail (error, "has an ENVID that is none");
  return TRUE;
}

static gboolean
load_notify (RerouteEnvelope *self, const guint8 *value, gsize length, GError **error)
{
  if (length == 0 || (*value & ~NOTIFY_ALL) != 0 || has_nul (value, length) ||
      self->recipients->len == 0)
    return fail (error, "has a NOTIFY that is none");
  RerouteRecipient *recipient =
    &g_array_index (self->recipients, RerouteRecipient, self->recipients->len - 1);
  recipient->notify = (RerouteNotify) *value;
  g_free (recipient->original);
  recipient->original = dup_said (value, length);
  if (recipient->original != NULL && !reroute_dsn_check_orcpt (recipient->original, self->smtputf8))
    return fail (error, "has an ORCPT that is none");
  return TRUE;
}

static gboolean
load_field (RerouteEnvelope *self, guint32 tag, const guint8 *value, gsize length, GError **error)
{
  switch (tag)
    {
    case TAG_FLAGS:
      if (length != 1)
        return fail (error, "has flags of the wrong size");
      self->body_8bitmime = (*value & FLAG_BODY_8BITMIME) != 0;
      self->smtputf8 = (*value & FLAG_SMTPUTF8) != 0;
      self->ascii_header = (*value & FLAG_ASCII_HEADER) != 0;
      self->client_permitted = (*value & FLAG_CLIENT_PERMITTED) != 0;
      self->held = (*value & FLAG_HELD) != 0;
      self->requiretls = (*value & FLAG_REQUIRETLS) != 0;
      self->tls_optional = (*value & FLAG_TLS_OPTIONAL) != 0;
      return TRUE;
    case TAG_CLIENT_IP:
      if (length != sizeof (RerouteIp))
        return fail (error, "has a client address of the wrong size");
      memcpy (self->client_ip.octets, value, length);
      return TRUE;
    case TAG_HELO:
      g_free (self->helo);
      self->helo = g_strndup ((const char *) value, length);
      return check_text ("HELO name", (const char *) value, length, error);
    case TAG_REVERSE_PATH:
      g_free (self->reverse_path);
      self->reverse_path = g_strndup ((const char *) value, length);
      return check_text ("reverse-path", (const char *) value, length, error);
    case TAG_RECIPIENT:
      if (length >= RECIPIENT_FIXED_OCTETS &&
          !check_text ("recipient",
                       (const char *) value + RECIPIENT_FIXED_OCTETS,
                       length - RECIPIENT_FIXED_OCTETS,
                       error))
        return FALSE;
      return load_recipient (self, value, length, error);
    case TAG_RETURNS:
      return load_returns (self, value, length, error);
    case TAG_NOTIFY:
      return load_notify (self, value, length, error);
    default:
      return fail (error, "has a field that this version does not know");
    }
}

RerouteEnvelope *
reroute_envelope_decode (const guint8 *octets, gsize length, GError **error)
{
  g_autoptr (RerouteEnvelope) self = reroute_envelope_new ();

  while (length > 0)
    {
      guint32 n = length >= FIELD_FIXED_OCTETS ? load_u32 (octets + 4) : 0;
      if (length < FIELD_FIXED_OCTETS || n > length - FIELD_FIXED_OCTETS)
        {
          fail (error, "is cut short");
          return NULL;
        }
      if (!load_field (self, load_u32 (octets), octets + FIELD_FIXED_OCTETS, n, error))
        return NULL;
      octets += FIELD_FIXED_OCTETS + n;
      length -= FIELD_FIXED_OCTETS + n;
    }
  if (self->recipients->len == 0)
    {
      fail (error, "has no recipient");
      return NULL;
    }
  return g_steal_pointer (&self);
}
