/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * domain.c - e-mail domains: the form in which they are compared
 *
 * One pass over plain ASCII without an allocation, for the look-up of a recipient; libidn2 only
 * for what is not ASCII or carries A-labels.
 *
 * Standards: RFC 1035 section 2.3.4 (sizes), RFC 1123 section 2.1, RFC 5321 sections 4.1.2 and
 * 4.1.3, RFC 5891 and UTS 46, non-transitional.
 */

#include "config.h"

#include "common/domain.h"
#include "common/domain-private.h"

#include "common/error.h"
#include "common/ip.h"
#include "common/limits.h"

#include <idn2.h>
#include <string.h>

#define IPV6_TAG "IPv6:"
#define QUOTE_CHARACTERS 64
/* Nothing that is longer can become a domain: four octets a character is the most of UTF-8. */
#define INPUT_OCTETS (4 * (REROUTE_LIMIT_DOMAIN_OCTETS + 2))

static const RerouteNameRules domain_rules = { "domain", REROUTE_ERROR_DOMAIN, FALSE };

char *
reroute_quote_value (const char *text, gssize length)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  for (char *p = valid; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      *p = '?';
  if (g_utf8_strlen (valid, -1) <= QUOTE_CHARACTERS)
    return g_strdup_printf ("“%s”", valid);

  g_autofree char *start = g_utf8_substring (valid, 0, QUOTE_CHARACTERS);
  return g_strdup_printf ("“%s…”", start);
}

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
trim (const char **text, gsize *length)
{
  while (*length > 0 && is_blank ((*text)[0]))
    {
      (*text)++;
      (*length)--;
    }
  while (*length > 0 && is_blank ((*text)[*length - 1]))
    (*length)--;
}

/* One dot in front and one behind are decoration (conformance C04, L05). */
static void
trim_dots (const char **text, gsize *length)
{
  if (*length > 1 && (*text)[0] == '.')
    {
      (*text)++;
      (*length)--;
    }
  if (*length > 1 && (*text)[*length - 1] == '.')
    (*length)--;
}

static G_GNUC_PRINTF (5, 6) void fail (const RerouteNameRules *rules,
                                       const char *text,
                                       gsize length,
                                       GError **error,
                                       const char *format,
                                       ...)
{
  if (error == NULL)
    return;

  va_list args;
  va_start (args, format);
  g_autofree char *why = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *value = reroute_quote_value (text, (gssize) length);
  g_set_error (error, REROUTE_ERROR, rules->code, "%s %s %s", rules->noun, value, why);
}

/* "*.example.com" without what stands in front of its first name. */
static char *
dup_below_star (const char *text, gsize length)
{
  while (length > 0 && (*text == '*' || *text == '.' || *text == '@'))
    {
      text++;
      length--;
    }
  return g_strndup (text, length);
}

/* A domain stands where a person typed something else: says what she should type. */
static gboolean
fail_for_character (
  const RerouteNameRules *rules, const char *text, gsize length, char c, GError **error)
{
  const char *at = memrchr (text, '@', length);

  if (error == NULL)
    return FALSE;
  if (c == '*')
    {
      g_autofree char *rest = dup_below_star (text, length);
      if (*rest != '\0' && strchr (rest, '*') == NULL)
        fail (rules,
              text,
              length,
              error,
              "has a “*”: write “%s”, its subdomains are covered already",
              rest);
      else
        fail (rules,
              text,
              length,
              error,
              "has a “*”, which cannot stand for a domain: write the domain itself, its subdomains "
              "are covered already");
    }
  else if (c == '#')
    fail (rules,
          text,
          length,
          error,
          "has a “#”: choose “this domain only” and write the domain without it");
  else if (at != NULL && at + 1 < text + length)
    fail (rules,
          text,
          length,
          error,
          "is an e-mail address: write the domain alone, “%.*s”",
          (int) (text + length - at - 1),
          at + 1);
  else if (memchr (text, '/', length) != NULL)
    fail (
      rules, text, length, error, "is a web address or a path: write a name such as “example.com”");
  else if (c == ':')
    fail (rules,
          text,
          length,
          error,
          "has a “:”: a port has no place here, write a name such as “example.com”");
  else if (is_blank (c))
    fail (rules, text, length, error, "has a blank inside: write one name such as “example.com”");
  else if (c == '_')
    fail (rules, text, length, error, "has a “_”: letters, digits, “-” and “.” are possible");
  else if (g_ascii_isgraph (c))
    fail (rules, text, length, error, "has a “%c”: letters, digits, “-” and “.” are possible", c);
  else
    fail (rules,
          text,
          length,
          error,
          "has a control character: letters, digits, “-” and “.” are possible");
  return FALSE;
}

static void
fail_for_empty_label (const RerouteNameRules *rules, const char *text, gsize length, GError **error)
{
  g_autoptr (GString) better = g_string_new (NULL);

  if (error == NULL)
    return;
  for (gsize i = 0; i < length; i++)
    if (text[i] != '.' || (better->len > 0 && better->str[better->len - 1] != '.'))
      g_string_append_c (better, text[i]);
  if (better->len > 0 && better->str[better->len - 1] == '.')
    g_string_truncate (better, better->len - 1);
  if (better->len > 0)
    fail (rules, text, length, error, "has an empty label: write “%s”", better->str);
  else
    fail (rules, text, length, error, "has an empty label: write a name such as “example.com”");
}

/* Lower-cases plain ASCII into @buffer; FALSE: IDNA has to look at it. */
static gboolean
copy_plain (const char *text, gsize length, char *buffer)
{
  gsize label = 0;

  for (gsize i = 0; i < length; i++)
    {
      if ((guchar) text[i] >= 0x80)
        return FALSE;
      if (i == label && length - i >= 4 && g_ascii_strncasecmp (text + i, "xn--", 4) == 0)
        return FALSE;
      if (text[i] == '.')
        label = i + 1;
      buffer[i] = g_ascii_tolower (text[i]);
    }
  return TRUE;
}

static gboolean
is_ascii (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if ((guchar) text[i] >= 0x80)
      return FALSE;
  return TRUE;
}

/* The A-labels of @text in @buffer; 0 when there are none. */
static gsize
copy_idna (
  const char *text, gsize length, const RerouteNameRules *rules, char *buffer, GError **error)
{
  g_autofree char *input = g_strndup (text, length);
  uint8_t *output = NULL;

  if (!g_utf8_validate_len (text, length, NULL))
    {
      fail (rules, text, length, error, "is not UTF-8 text");
      return 0;
    }
  int result =
    idn2_lookup_u8 ((const uint8_t *) input, &output, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  gsize n = result == IDN2_OK ? strlen ((const char *) output) : 0;
  if (n > 0 && n <= REROUTE_LIMIT_DOMAIN_OCTETS)
    {
      for (gsize i = 0; i < n; i++)
        buffer[i] = g_ascii_tolower ((char) output[i]);
    }
  else if (result != IDN2_OK)
    fail (rules,
          text,
          length,
          error,
          "is not an internationalised name (IDNA): %s",
          idn2_strerror (result));
  else
    fail (rules, text, length, error, "is longer than %d octets", REROUTE_LIMIT_DOMAIN_OCTETS);
  idn2_free (output);
  return n <= REROUTE_LIMIT_DOMAIN_OCTETS ? n : 0;
}

/* One label of a normal form in the making; @text and @length are for the message. */
static gboolean
check_label (const char *label,
             gsize n,
             const RerouteNameRules *rules,
             const char *text,
             gsize length,
             GError **error)
{
  if (n == 0)
    {
      fail_for_empty_label (rules, text, length, error);
      return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    if (!g_ascii_isalnum (label[i]) && label[i] != '-' && !(label[i] == '_' && rules->underscore))
      return fail_for_character (rules, text, length, label[i], error);
  if (n > REROUTE_LIMIT_LABEL_OCTETS)
    {
      fail (rules,
            text,
            length,
            error,
            "has a label of %" G_GSIZE_FORMAT " octets: at most %d are possible",
            n,
            REROUTE_LIMIT_LABEL_OCTETS);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_labels (const char *name,
              gsize n,
              const RerouteNameRules *rules,
              const char *text,
              gsize length,
              GError **error)
{
  for (gsize start = 0; start <= n;)
    {
      const char *dot = memchr (name + start, '.', n - start);
      gsize end = dot != NULL ? (gsize) (dot - name) : n;
      if (!check_label (name + start, end - start, rules, text, length, error))
        return FALSE;
      start = end + 1;
    }
  return TRUE;
}

/* What only a person is refused: a recipient's domain is compared as it came. */
static gboolean
check_typed (const char *name,
             gsize n,
             const RerouteNameRules *rules,
             const char *text,
             gsize length,
             GError **error)
{
  gboolean digits = TRUE;

  for (gsize i = 0; i < n; i++)
    {
      gboolean first = i == 0 || name[i - 1] == '.';
      gboolean last = i + 1 == n || name[i + 1] == '.';
      if (name[i] == '-' && (first || last))
        {
          fail (rules, text, length, error, "has a label that starts or ends with “-”");
          return FALSE;
        }
      if (first)
        digits = TRUE;
      digits = digits && g_ascii_isdigit (name[i]);
    }
  if (digits)
    fail (rules,
          text,
          length,
          error,
          "ends in a number: write a whole address such as “192.0.2.1”, or a name such as "
          "“example.com”");
  return !digits;
}

/* "[192.0.2.1]", "[IPv6:…]" or the same without brackets; 0: it is none. */
static gsize
copy_literal (const char *text, gsize length, char *buffer)
{
  char address[64];
  RerouteIp ip;

  if (length >= 2 && text[0] == '[' && text[length - 1] == ']')
    {
      text++;
      length -= 2;
      trim (&text, &length);
    }
  if (length > strlen (IPV6_TAG) && g_ascii_strncasecmp (text, IPV6_TAG, strlen (IPV6_TAG)) == 0)
    {
      text += strlen (IPV6_TAG);
      length -= strlen (IPV6_TAG);
    }
  if (length == 0 || length >= sizeof address)
    return 0;
  memcpy (address, text, length);
  address[length] = '\0';
  if (!reroute_ip_parse (address, &ip))
    return 0;

  g_autofree char *canonical = reroute_ip_to_string (&ip);
  return (gsize) g_snprintf (buffer,
                             REROUTE_LIMIT_DOMAIN_OCTETS + 1,
                             "[%s%s]",
                             reroute_ip_is_ipv4 (&ip) ? "" : IPV6_TAG,
                             canonical);
}

/* Whether it is worth asking copy_literal(): no name has a colon or a number as its last label. */
static gboolean
may_be_literal (const char *text, gsize length)
{
  return text[0] == '[' || g_ascii_isdigit (text[length - 1]) || memchr (text, ':', length) != NULL;
}

/* @typed: by a person; else a recipient's, which is never refused for its style. */
static gsize
normalize (const char *text,
           gsize length,
           const RerouteNameRules *rules,
           gboolean typed,
           char *buffer,
           GError **error)
{
  trim (&text, &length);
  if (length == 0)
    {
      if (error != NULL)
        g_set_error (error,
                     REROUTE_ERROR,
                     rules->code,
                     "%s is empty: write a name such as “example.com”",
                     rules->noun);
      return 0;
    }
  if (may_be_literal (text, length))
    {
      gsize n = copy_literal (text, length, buffer);
      if (n > 0)
        return n;
      if (text[0] == '[')
        {
          fail (rules,
                text,
                length,
                error,
                "is no address: write “[192.0.2.1]” or “[IPv6:2001:db8::1]”");
          return 0;
        }
    }
  const char *name = text;
  gsize n = length;
  trim_dots (&name, &n);
  if (n > INPUT_OCTETS || (n > REROUTE_LIMIT_DOMAIN_OCTETS && is_ascii (name, n)))
    {
      fail (rules,
            text,
            length,
            error,
            "is %" G_GSIZE_FORMAT " octets long: at most %d are possible",
            n,
            REROUTE_LIMIT_DOMAIN_OCTETS);
      return 0;
    }
  if (n > REROUTE_LIMIT_DOMAIN_OCTETS || !copy_plain (name, n, buffer))
    {
      gsize n_idna = copy_idna (name, n, rules, buffer, typed ? error : NULL);
      /* A recipient's A-label that says nothing is still a name that DNS may know. */
      if (n_idna == 0 && (typed || !is_ascii (name, n)))
        return 0;
      for (gsize i = 0; n_idna == 0 && i < n; i++)
        buffer[i] = g_ascii_tolower (name[i]);
      n = n_idna > 0 ? n_idna : n;
    }
  if (!check_labels (buffer, n, rules, text, length, error))
    return 0;
  if (typed && !check_typed (buffer, n, rules, text, length, error))
    return 0;
  buffer[n] = '\0';
  return n;
}

char *
reroute_name_normalize (const char *text, const RerouteNameRules *rules, GError **error)
{
  char buffer[REROUTE_LIMIT_DOMAIN_OCTETS + 1];
  gsize n = reroute_name_normalize_into (text, rules, buffer, error);

  return n > 0 ? g_strndup (buffer, n) : NULL;
}

gsize
reroute_name_normalize_into (const char *text,
                             const RerouteNameRules *rules,
                             char *buffer,
                             GError **error)
{
  g_return_val_if_fail (text != NULL && buffer != NULL, 0);

  return normalize (text, strlen (text), rules, TRUE, buffer, error);
}

char *
reroute_domain_normalize (const char *text, GError **error)
{
  return reroute_name_normalize (text, &domain_rules, error);
}

gsize
reroute_domain_normalize_fast (const char *text, gsize length, char *buffer)
{
  static const RerouteNameRules any_rules = { "domain", REROUTE_ERROR_DOMAIN, TRUE };

  g_return_val_if_fail (text != NULL || length == 0, 0);
  g_return_val_if_fail (buffer != NULL, 0);

  return normalize (text, length, &any_rules, FALSE, buffer, NULL);
}

const char *
reroute_domain_parent (const char *domain)
{
  g_return_val_if_fail (domain != NULL, NULL);

  const char *dot = reroute_domain_is_literal (domain) ? NULL : strchr (domain, '.');
  return dot != NULL ? dot + 1 : NULL;
}

gboolean
reroute_domain_is_literal (const char *domain)
{
  return domain[0] == '[';
}

char *
reroute_domain_dup_literal_address (const char *domain)
{
  g_return_val_if_fail (domain != NULL, NULL);

  if (!reroute_domain_is_literal (domain))
    return NULL;
  const char *start = domain + 1;
  if (g_str_has_prefix (start, IPV6_TAG))
    start += strlen (IPV6_TAG);
  const char *end = strchr (start, ']');
  return end != NULL ? g_strndup (start, (gsize) (end - start)) : NULL;
}

char *
reroute_domain_to_unicode (const char *domain)
{
  char buffer[REROUTE_LIMIT_DOMAIN_OCTETS + 1];
  char *output = NULL;

  g_return_val_if_fail (domain != NULL, NULL);

  if (reroute_domain_is_literal (domain) || strstr (domain, "xn--") == NULL ||
      idn2_to_unicode_8z8z (domain, &output, 0) != IDN2_OK)
    return g_strdup (domain);
  gsize n = reroute_domain_normalize_fast (output, strlen (output), buffer);
  gboolean same = n > 0 && g_str_equal (buffer, domain);
  char *result = g_strdup (same ? output : domain);
  idn2_free (output);
  return result;
}
