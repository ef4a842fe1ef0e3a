/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * srs.c - the Sender Rewriting Scheme
 *
 *   user@origin.test                             becomes
 *   SRS0=HHHHHH=TT=origin.test=user@ours.test    and at the next forwarder
 *   SRS1=HHHHHH=ours.test==HHHHHH=TT=origin.test=user@theirs.test
 *
 * T is the day modulo 1024 in base 32, H the beginning of an HMAC in base64.  Hosts on the way may
 * change the case of a local part, so neither depends on it.  An SRS1 address keeps the host that
 * made the SRS0 address however many forwarders follow: notices skip all but the first and the
 * last. Who verifies is who has signed, so no other host needs to know which HMAC it is.
 *
 * Standards: none; "The Sender Rewriting Scheme" (Shevek, 2004), PostSRSd.  RFC 2104 (HMAC).
 */

#include "config.h"

#include "service/relay/smtp/srs.h"

#include "common/domain.h"
#include "common/limits.h"

#include <string.h>

#define TAG_OCTETS 5  /* "SRS0=" */
#define HASH_OCTETS 6 /* in base64: 36 bits, 31 of them whatever the case */
#define DAY_OCTETS 2
#define DAYS 1024
#define DAY_S 86400
#define SEPARATORS "=+-" /* behind the tag; further on it is "=" */

struct _RerouteSrs
{
  char *domain;
  GPtrArray *keys; /* (element-type GBytes) */
};

/* What stands in the local part; points into it. */
typedef struct
{
  const char *hash;
  const char *signed_text; /* behind the hash, to the end */
  const char *day;         /* SRS0 */
  const char *domain;      /* of the sender (SRS0), of the host that made the SRS0 (SRS1) */
  gsize domain_octets;
  const char *user; /* SRS0: the sender's local part; SRS1: from the separator behind "SRS0" on */
} Parts;

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

RerouteSrs *
reroute_srs_new (const char *domain, GPtrArray *keys)
{
  g_return_val_if_fail (domain != NULL && keys != NULL && keys->len > 0, NULL);

  RerouteSrs *self = g_atomic_rc_box_new0 (RerouteSrs);

  self->domain = g_strdup (domain);
  self->keys = g_ptr_array_ref (keys);
  return self;
}

RerouteSrs *
reroute_srs_ref (RerouteSrs *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  RerouteSrs *self = data;

  g_free (self->domain);
  g_ptr_array_unref (self->keys);
}

void
reroute_srs_unref (RerouteSrs *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

const char *
reroute_srs_get_domain (const RerouteSrs *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->domain;
}

/* '0' or '1', or 0 when it is no rewritten sender. */
static char
get_form (const char *local_part)
{
  if (g_ascii_strncasecmp (local_part, "srs", 3) != 0 ||
      (local_part[3] != '0' && local_part[3] != '1') || local_part[4] == '\0' ||
      strchr (SEPARATORS, local_part[4]) == NULL)
    return 0;
  return local_part[3];
}

/* --- signing --- */

/* @form: '0' or '1', so that one is never taken for the other; into @hash */
static void
sign (GBytes *key, char form, const char *text, char hash[HASH_OCTETS + 1])
{
  g_autofree char *lower = g_ascii_strdown (text, -1);
  gsize key_octets;
  const guint8 *key_data = g_bytes_get_data (key, &key_octets);
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key_data, key_octets);
  guint8 digest[32];
  gsize digest_octets = sizeof digest;
  g_autofree char *text64 = NULL;

  g_hmac_update (hmac, (const guint8 *) &form, 1);
  g_hmac_update (hmac, (const guint8 *) lower, (gssize) strlen (lower));
  g_hmac_get_digest (hmac, digest, &digest_octets);
  text64 = g_base64_encode (digest, digest_octets);
  memcpy (hash, text64, HASH_OCTETS);
  hash[HASH_OCTETS] = '\0';
}

/* In the same time wherever they differ. */
static gboolean
is_signed_by (GBytes *key, char form, const Parts *parts)
{
  char wanted[HASH_OCTETS + 1];
  int difference = 0;

  sign (key, form, parts->signed_text, wanted);
  for (guint i = 0; i < HASH_OCTETS; i++)
    difference |= g_ascii_tolower (wanted[i]) ^ g_ascii_tolower (parts->hash[i]);
  return difference == 0;
}

static gboolean
is_signed (const RerouteSrs *self, char form, const Parts *parts)
{
  gboolean found = FALSE;

  for (guint i = 0; i < self->keys->len; i++)
    found |= is_signed_by (self->keys->pdata[i], form, parts);
  return found;
}

/* --- taking apart --- */

/* Moves behind the next "="; NULL when there is none. */
static const char *
skip_field (const char *text)
{
  const char *end = strchr (text, '=');

  return end != NULL ? end + 1 : NULL;
}

static gboolean
split_srs1 (const char *local_part, Parts *parts)
{
  parts->hash = local_part + TAG_OCTETS;
  parts->signed_text = skip_field (parts->hash);
  if (parts->signed_text == NULL)
    return FALSE;
  parts->domain = parts->signed_text;
  parts->user = skip_field (parts->domain);
  if (parts->user == NULL || strchr (SEPARATORS, parts->user[0]) == NULL || parts->user[0] == '\0')
    return FALSE;
  parts->domain_octets = (gsize) (parts->user - 1 - parts->domain);
  return parts->domain_octets > 0;
}

static gboolean
split_srs0 (const char *local_part, Parts *parts)
{
  parts->hash = local_part + TAG_OCTETS;
  parts->day = parts->signed_text = skip_field (parts->hash);
  if (parts->day == NULL)
    return FALSE;
  parts->domain = skip_field (parts->day);
  if (parts->domain == NULL || parts->domain - parts->day != DAY_OCTETS + 1)
    return FALSE;
  parts->user = skip_field (parts->domain);
  if (parts->user == NULL)
    return FALSE;
  parts->domain_octets = (gsize) (parts->user - 1 - parts->domain);
  return parts->domain_octets > 0 && parts->user[0] != '\0';
}

/* --- there --- */

static char *
finish (const RerouteSrs *self, char form, const char *text)
{
  char hash[HASH_OCTETS + 1];

  sign (self->keys->pdata[0], form, text, hash);
  if (TAG_OCTETS + HASH_OCTETS + 1 + strlen (text) > REROUTE_LIMIT_LOCAL_PART_OCTETS)
    return NULL;
  return g_strdup_printf ("SRS%c=%s=%s@%s", form, hash, text, self->domain);
}

static char *
forward_plain (const RerouteSrs *self, const RerouteAddress *sender, gint64 now_s)
{
  guint day = (guint) (now_s / DAY_S % DAYS);
  g_autofree char *text = g_strdup_printf ("%c%c=%s=%s",
                                           g_ascii_toupper (base32[day / 32]),
                                           g_ascii_toupper (base32[day % 32]),
                                           sender->key,
                                           sender->local_part);

  return finish (self, '0', text);
}

char *
reroute_srs_forward (const RerouteSrs *self, const RerouteAddress *sender, gint64 now_s)
{
  g_return_val_if_fail (self != NULL && sender != NULL && now_s >= 0, NULL);

  const char *local_part = sender->local_part;
  char form = get_form (local_part);
  Parts parts = { 0 };
  g_autofree char *text = NULL;

  if (local_part[0] == '\0' || local_part[0] == '"' || sender->key[0] == '\0' ||
      reroute_domain_is_literal (sender->key))
    return NULL;
  /* Another host's SRS0 address is its own affair, whatever is in it. */
  if (form == '0')
    text = g_strdup_printf ("%s=%s", sender->key, local_part + TAG_OCTETS - 1);
  else if (form == '1' && split_srs1 (local_part, &parts))
    text = g_strdup (parts.signed_text);
  else
    return forward_plain (self, sender, now_s);
  return finish (self, '1', text);
}

/* --- and back --- */

gboolean
reroute_srs_is_ours (const RerouteSrs *self, const RerouteAddress *address)
{
  g_return_val_if_fail (self != NULL && address != NULL, FALSE);

  return g_str_equal (address->key, self->domain) && get_form (address->local_part) != 0;
}

/* Whether the day that was written is at most REROUTE_LIMIT_SRS_VALID_DAYS ago. */
static gboolean
is_recent (const char *day, gint64 now_s)
{
  const char *high = strchr (base32, g_ascii_tolower (day[0]));
  const char *low = strchr (base32, g_ascii_tolower (day[1]));
  gint64 then;

  if (high == NULL || low == NULL)
    return FALSE;
  then = (high - base32) * 32 + (low - base32);
  return (now_s / DAY_S % DAYS - then + DAYS) % DAYS <= REROUTE_LIMIT_SRS_VALID_DAYS;
}

RerouteAddress *
reroute_srs_reverse (const RerouteSrs *self,
                     const RerouteAddress *address,
                     gint64 now_s,
                     RerouteSrsVerdict *verdict)
{
  g_return_val_if_fail (self != NULL && address != NULL && verdict != NULL, NULL);

  char form = get_form (address->local_part);
  Parts parts = { 0 };
  gboolean whole = form == '0'   ? split_srs0 (address->local_part, &parts)
                   : form == '1' ? split_srs1 (address->local_part, &parts)
                                 : FALSE;
  g_autofree char *text = NULL;
  RerouteAddress *original;

  *verdict = REROUTE_SRS_FORGED;
  if (!whole || parts.signed_text - parts.hash != HASH_OCTETS + 1 ||
      !is_signed (self, form, &parts))
    return NULL;
  *verdict = REROUTE_SRS_EXPIRED;
  if (form == '0' && now_s != REROUTE_SRS_ANY_TIME && !is_recent (parts.day, now_s))
    return NULL;
  text = g_strdup_printf (
    "%s%s@%.*s", form == '1' ? "SRS0" : "", parts.user, (int) parts.domain_octets, parts.domain);
  original = reroute_address_parse (text, TRUE, NULL);
  *verdict = original != NULL ? REROUTE_SRS_OK : REROUTE_SRS_FORGED;
  return original;
}
