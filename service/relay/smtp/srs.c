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
 * A local part may have 64 octets, and some hosts refuse a longer one; a sender that needs more, or
 * is quoted, is kept here, and where its domain would stand there is nothing:
 *
 *   SRS0=HHHHHH=TT==TOKEN@ours.test
 *
 * The token comes from the sender by an HMAC: it is the same each time, so that a sender is kept
 * once however much it sends, and a made-up address is refused without a look at what is kept.
 *
 * Standards: none; "The Sender Rewriting Scheme" (Shevek, 2004), PostSRSd.  RFC 2104 (HMAC);
 * RFC 5321 section 4.5.3.1.1 (local part).
 */

#include "config.h"

#include "service/relay/smtp/srs.h"

#include "common/domain.h"
#include "common/limits.h"

#include <string.h>

#define TAG_OCTETS 5 /* "SRS0=" */
#define HASH_OCTETS                                                                                \
  6 /* in base 32: 30 bits, whatever the case; some hosts refuse a "/" of base64 */
#define DAY_OCTETS 2
#define DIGEST_OCTETS 32 /* SHA-256 */
#define TOKEN_OCTETS 16  /* in base 32: 80 bits */
#define DAYS 1024
#define DAY_S 86400
#define SEPARATORS "=+-" /* behind the tag; further on it is "=" */

struct _RerouteSrs
{
  char *domain;
  GPtrArray *keys; /* (element-type GBytes) */
  RerouteSrsStore store;
};

/* What stands in the local part; points into it. */
typedef struct
{
  const char *hash;
  const char *signed_text; /* behind the hash, to the end */
  const char *day;         /* SRS0 */
  const char *domain;      /* of the sender (SRS0), of the host that made the SRS0 (SRS1) */
  gsize domain_octets;     /* 0: the sender is kept */
  const char *user;        /* SRS0: the sender's local part, or the token of one that is kept; SRS1:
                              from the separator behind "SRS0" on */
} Parts;

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

RerouteSrs *
reroute_srs_new (const char *domain, GPtrArray *keys, const RerouteSrsStore *store)
{
  g_return_val_if_fail (domain != NULL && keys != NULL && keys->len > 0, NULL);

  RerouteSrs *self = g_atomic_rc_box_new0 (RerouteSrs);

  self->domain = g_strdup (domain);
  self->keys = g_ptr_array_ref (keys);
  if (store != NULL)
    self->store = *store;
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
  if (self->store.free_data != NULL)
    self->store.free_data (self->store.data);
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

const char *
reroute_srs_verdict_to_string (RerouteSrsVerdict verdict)
{
  return verdict == REROUTE_SRS_EXPIRED ? "This address has expired"
                                        : "This address was not made by this server";
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

/* @form: '0', '1' or 't', so that one is never taken for the other */
static void
digest_text (GBytes *key, char form, const char *text, guint8 digest[DIGEST_OCTETS])
{
  gsize key_octets;
  const guint8 *key_data = g_bytes_get_data (key, &key_octets);
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key_data, key_octets);
  gsize digest_octets = DIGEST_OCTETS;

  g_hmac_update (hmac, (const guint8 *) &form, 1);
  g_hmac_update (hmac, (const guint8 *) text, (gssize) strlen (text));
  g_hmac_get_digest (hmac, digest, &digest_octets);
}

/* 5 bits a letter, from the first octet's highest on; into @text. */
static void
encode32 (const guint8 digest[DIGEST_OCTETS], guint n, char *text)
{
  for (guint i = 0; i < n; i++)
    {
      guint bit = 5 * i;
      guint two = (guint) digest[bit / 8] << 8 | digest[bit / 8 + 1];

      text[i] = base32[two >> (11 - bit % 8) & 31];
    }
  text[n] = '\0';
}

/* @form: '0' or '1'; into @hash */
static void
sign (GBytes *key, char form, const char *text, char hash[HASH_OCTETS + 1])
{
  g_autofree char *lower = g_ascii_strdown (text, -1);
  guint8 digest[DIGEST_OCTETS];

  digest_text (key, form, lower, digest);
  encode32 (digest, HASH_OCTETS, hash);
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
  return parts->user[0] != '\0';
}

/* Whom notices to an SRS1 address are for. */
static char *
write_home (const Parts *parts)
{
  return g_strdup_printf ("SRS0%s@%.*s", parts->user, (int) parts->domain_octets, parts->domain);
}

/* --- there --- */

/* NULL: too long. */
static char *
finish (const RerouteSrs *self, char form, const char *text)
{
  char hash[HASH_OCTETS + 1];

  if (TAG_OCTETS + HASH_OCTETS + 1 + strlen (text) > REROUTE_LIMIT_LOCAL_PART_OCTETS)
    return NULL;
  sign (self->keys->pdata[0], form, text, hash);
  return g_strdup_printf ("SRS%c=%s=%s@%s", form, hash, text, self->domain);
}

/* NULL: too long. */
static char *
finish_srs0 (const RerouteSrs *self, const char *domain, const char *user, gint64 now_s)
{
  guint day = (guint) (now_s / DAY_S % DAYS);
  g_autofree char *text = g_strdup_printf ("%c%c=%s=%s",
                                           g_ascii_toupper (base32[day / 32]),
                                           g_ascii_toupper (base32[day % 32]),
                                           domain,
                                           user);

  return finish (self, '0', text);
}

static void
make_token (GBytes *key, const char *sender, char token[TOKEN_OCTETS + 1])
{
  guint8 digest[DIGEST_OCTETS];

  digest_text (key, 't', sender, digest);
  encode32 (digest, TOKEN_OCTETS, token);
}

static char *
forward_kept (const RerouteSrs *self, const char *sender, gint64 now_s, GError **error)
{
  char token[TOKEN_OCTETS + 1];

  if (self->store.keep == NULL)
    return NULL;
  make_token (self->keys->pdata[0], sender, token);
  if (!self->store.keep (self->store.data, token, sender, now_s, error))
    return NULL;
  return finish_srs0 (self, "", token, now_s);
}

char *
reroute_srs_forward (const RerouteSrs *self,
                     const RerouteAddress *sender,
                     gint64 now_s,
                     GError **error)
{
  g_return_val_if_fail (self != NULL && sender != NULL && now_s >= 0, NULL);

  const char *local_part = sender->local_part;
  char form = get_form (local_part);
  Parts parts = { 0 };
  g_autofree char *text = NULL;
  g_autofree char *home = NULL; /* where notices go */
  char *rewritten = NULL;

  if (local_part[0] == '\0' || sender->key[0] == '\0' || reroute_domain_is_literal (sender->key))
    return NULL;
  /* Another host's SRS0 address is its own affair, whatever is in it. */
  if (form == '0')
    text = g_strdup_printf ("%s=%s", sender->key, local_part + TAG_OCTETS - 1);
  else if (form == '1' && split_srs1 (local_part, &parts))
    text = g_strdup (parts.signed_text);
  if (text != NULL)
    rewritten = finish (self, '1', text);
  else if (local_part[0] != '"')
    rewritten = finish_srs0 (self, sender->key, local_part, now_s);
  if (rewritten != NULL)
    return rewritten;
  home = text != NULL && form == '1' ? write_home (&parts)
                                     : reroute_address_with_domain (sender, sender->key);
  return forward_kept (self, home, now_s, error);
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

/* Whether one of our keys has made @token of @sender: a damaged line of what is kept leads nowhere.
 */
static gboolean
is_token_of (const RerouteSrs *self, const char *token, const char *sender)
{
  for (guint i = 0; i < self->keys->len; i++)
    {
      char made[TOKEN_OCTETS + 1];

      make_token (self->keys->pdata[i], sender, made);
      if (g_str_equal (made, token))
        return TRUE;
    }
  return FALSE;
}

/* Whom mail to an SRS0 address is for; NULL when it is kept no more. */
static char *
write_sender (const RerouteSrs *self, const Parts *parts)
{
  g_autofree char *token = NULL;
  g_autofree char *sender = NULL;

  if (parts->domain_octets > 0)
    return g_strdup_printf ("%s@%.*s", parts->user, (int) parts->domain_octets, parts->domain);
  if (self->store.find == NULL)
    return NULL;
  token = g_ascii_strdown (parts->user, -1);
  sender = self->store.find (self->store.data, token);
  if (sender == NULL || !is_token_of (self, token, sender))
    return NULL;
  return g_steal_pointer (&sender);
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
  text = form == '1' ? write_home (&parts) : write_sender (self, &parts);
  if (text == NULL)
    return NULL;
  original = reroute_address_parse (text, TRUE, NULL);
  *verdict = original != NULL ? REROUTE_SRS_OK : REROUTE_SRS_FORGED;
  return original;
}
