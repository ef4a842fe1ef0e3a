/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * address.c - mailboxes: take apart, never repair
 *
 * One allocation a mailbox.  The local part is opaque: whatever a next hop may understand passes
 * octet for octet, dots wherever they stand; what could end a command or a record is refused.
 *
 * Standards: RFC 5321 sections 4.1.2 and 4.5.1, RFC 6531 section 3.3; RFC 821 for source routes,
 * which are dropped (RFC 5321 appendix C).
 */

#include "config.h"

#include "common/address.h"

#include "common/domain-private.h"
#include "common/domain.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/pattern.h"
#include "common/printable.h"
#include "common/refusal-text.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define POSTMASTER "postmaster"

/* @why: a sentence to translate, with a place for the address */
static RerouteAddress *
fail (const char *text, gsize length, GError **error, const char *why)
{
  g_autofree char *value = NULL;
  g_autofree char *sentence = NULL;

  if (error == NULL)
    return NULL;
  value = reroute_quote_value (text, (gssize) length);
  sentence = reroute_pattern_fill (_ (why), (char *[]){ value, NULL });
  g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_ADDRESS, sentence);
  return NULL;
}

/* Leaves "user@c" of "@a,@b:user@c"; FALSE when a route has no end. */
static gboolean
skip_source_route (const char **text, gsize *length)
{
  if (*length == 0 || (*text)[0] != '@')
    return TRUE;

  const char *end = *text + *length;
  const char *p = *text;
  while (p < end && *p == '@')
    {
      const char *stop = p + 1;
      gboolean bracket = stop < end && *stop == '[';
      /* The colons of "[IPv6:…]" do not end the route. */
      while (stop < end && (bracket || (*stop != ',' && *stop != ':')))
        {
          bracket = bracket && *stop != ']';
          stop++;
        }
      if (stop == p + 1 || stop == end)
        return FALSE;
      p = stop + 1;
      if (*stop == ':')
        {
          *length = (gsize) (end - p);
          *text = p;
          return TRUE;
        }
      while (p < end && *p == ' ')
        p++;
    }
  return FALSE;
}

static gboolean
check_octets (const char *text, gsize length, gboolean allow_utf8, const char **why)
{
  gboolean ascii = TRUE;

  if (reroute_is_printable_ascii (text, length))
    return TRUE;
  for (gsize i = 0; i < length; i++)
    {
      if (g_ascii_iscntrl (text[i]))
        {
          *why = N_ ("address %s has a control character");
          return FALSE;
        }
      ascii = ascii && (guchar) text[i] < 0x80;
    }
  if (!ascii && !allow_utf8)
    *why = N_ ("address %s has characters beyond ASCII, which need SMTPUTF8");
  else if (!ascii && !g_utf8_validate_len (text, length, NULL))
    *why = N_ ("address %s is not UTF-8 text");
  return ascii || *why == NULL;
}

/* The length of the quoted string that @text starts with; 0: it has no end. */
static gsize
quoted_length (const char *text, gsize length)
{
  for (gsize i = 1; i < length; i++)
    {
      if (text[i] == '"')
        return i + 1;
      if (text[i] == '\\')
        i++;
    }
  return 0;
}

/* The length of the local part; 0 with @why when there is none. */
static gsize
measure_local_part (const char *text, gsize length, const char **why)
{
  if (text[0] == '"')
    {
      gsize n = quoted_length (text, length);
      if (n == 0)
        *why = N_ ("address %s has a quotation mark that is never closed");
      else if (n < length && text[n] != '@')
        *why = N_ ("address %s goes on behind the closing quotation mark: “@” and a domain belong there");
      else
        return n;
      return 0;
    }
  gsize n = strcspn (text, "@ <>()[]\\,;:\"");
  if (n < length && text[n] != '@')
    *why = N_ ("address %s has a character in front of the “@” that only stands between quotation marks");
  else if (n == 0)
    *why = N_ ("address %s has nothing in front of its “@”");
  else
    return n;
  return 0;
}

static RerouteAddress *
make (const char *local, gsize n_local, const char *domain, gsize n_domain, const char *key)
{
  gsize n_text = n_local + (n_domain > 0 ? 1 + n_domain : 0);
  gsize n_key = strlen (key);
  RerouteAddress *self =
    g_atomic_rc_box_alloc (sizeof *self + n_text + 1 + n_local + 1 + n_key + 1);
  char *text = (char *) (self + 1); /* each text with its NUL */
  char *local_part = text + n_text + 1;
  char *own_key = local_part + n_local + 1;

  memcpy (text, local, n_local);
  if (n_domain > 0)
    {
      text[n_local] = '@';
      memcpy (text + n_local + 1, domain, n_domain);
    }
  text[n_text] = '\0';
  memcpy (local_part, local, n_local);
  local_part[n_local] = '\0';
  memcpy (own_key, key, n_key + 1);
  self->text = text;
  self->local_part = local_part;
  self->domain = n_domain > 0 ? text + n_local + 1 : text + n_text;
  self->key = own_key;
  return self;
}

static RerouteAddress *
fail_for_domain (const char *text, gsize length, const char *domain, gsize n, GError **error)
{
  g_autofree char *typed = g_strndup (domain, n);
  g_autofree char *value = NULL;
  g_autofree char *why = NULL;

  if (error == NULL)
    return NULL;
  value = reroute_quote_value (text, (gssize) length);
  why = reroute_dup_domain_error (typed, NULL);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_ADDRESS,
               /* Translators: an address; a sentence that says what is wrong with its domain */
               _ ("address %s has no valid domain: %s"), value, why);
  return NULL;
}

RerouteAddress *
reroute_address_parse (const char *text, gboolean allow_utf8, GError **error)
{
  char key[REROUTE_LIMIT_DOMAIN_OCTETS + 1];
  const char *why = NULL;

  g_return_val_if_fail (text != NULL, NULL);

  const char *start = text + strspn (text, " \t");
  gsize length = strlen (start);
  while (length > 0 && (start[length - 1] == ' ' || start[length - 1] == '\t'))
    length--;

  if (length == 0)
    return fail (start, 0, error, N_ ("address is empty: write one such as “user@example.com”"));
  if (length > REROUTE_LIMIT_PATH_OCTETS)
    return fail (start, length, error, N_ ("address %s is too long"));
  if (!check_octets (start, length, allow_utf8, &why))
    return fail (start, length, error, why);
  const char *whole = start;
  gsize n_whole = length;
  if (!skip_source_route (&start, &length) || length == 0)
    return fail (
      whole, n_whole, error, N_ ("address %s starts with “@”: a mailbox belongs in front of it"));

  char rest[REROUTE_LIMIT_PATH_OCTETS + 1];
  memcpy (rest, start, length);
  rest[length] = '\0';
  gsize n_local = measure_local_part (rest, length, &why);
  if (n_local == 0)
    return fail (whole, n_whole, error, why);
  if (n_local == length)
    {
      if (g_ascii_strcasecmp (rest, POSTMASTER) != 0)
        return fail (whole,
                     n_whole,
                     error,
                     N_ ("address %s has no domain: “@” and a domain belong behind it"));
      return make (rest, n_local, "", 0, "");
    }
  const char *domain = rest + n_local + 1;
  gsize n_domain = length - n_local - 1;
  if (n_domain == 0)
    return fail (whole, n_whole, error, N_ ("address %s has nothing behind its “@”"));
  if (memchr (domain, '@', n_domain) != NULL)
    return fail (whole,
                 n_whole,
                 error,
                 N_ ("address %s has two “@”: one stands between the mailbox and its domain"));
  if (n_domain > 1 && domain[n_domain - 1] == '.')
    n_domain--;
  gboolean clean =
    domain[0] != '.' && domain[n_domain - 1] != '.' && memchr (domain, ' ', n_domain) == NULL;
  if (!clean || reroute_domain_normalize_fast (domain, n_domain, key) == 0)
    return fail_for_domain (whole, n_whole, domain, n_domain, error);
  return make (rest, n_local, domain, n_domain, key);
}

RerouteAddress *
reroute_address_ref (RerouteAddress *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
reroute_address_unref (RerouteAddress *self)
{
  g_atomic_rc_box_release (self);
}

char *
reroute_address_with_domain (const RerouteAddress *self, const char *domain)
{
  g_return_val_if_fail (self != NULL && domain != NULL, NULL);

  return g_strconcat (self->local_part, "@", domain, NULL);
}

/* Whether @local_part begins so, in any case, as it reads without quotes: each backslash in them
   says that the next octet is meant as it is (RFC 5321 4.1.2). */
static gboolean
starts_with (const char *local_part, const char *prefix)
{
  if (*local_part == '"')
    local_part++;
  for (; *prefix != '\0'; prefix++, local_part++)
    {
      if (*local_part == '\\')
        local_part++;
      if (g_ascii_toupper (*local_part) != *prefix)
        return FALSE;
    }
  return TRUE;
}

gboolean
reroute_address_is_source_routed (const RerouteAddress *self)
{
  static const char encapsulated[] = "IMCEASMTP-"; /* Q237927, Q264330 */

  g_return_val_if_fail (self != NULL, FALSE);

  return strpbrk (self->local_part, "@%!") != NULL || starts_with (self->local_part, encapsulated);
}

gboolean
reroute_address_is_postmaster (const RerouteAddress *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return g_ascii_strcasecmp (self->local_part, POSTMASTER) == 0 ||
         g_ascii_strcasecmp (self->local_part, "\"" POSTMASTER "\"") == 0;
}
