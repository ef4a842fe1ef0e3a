/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dsn-parameters.c - RET, ENVID, NOTIFY and ORCPT: read strictly, written, shown
 *
 * What was given is kept and passed on as it came; it is decoded for a report alone.
 *
 * Standards: RFC 3461 sections 4 and 5.2, RFC 6533 section 3.
 */

#include "config.h"

#include "service/relay/smtp/dsn-parameters.h"

#include <string.h>

#define ENVID_OCTETS 100 /* RFC 3461 4.4 */
#define ORCPT_OCTETS 500 /* RFC 3461 4.2 */
#define UTF8_TYPE "utf-8"

static const struct
{
  const char *word;
  RerouteNotify notify;
} notify_words[] = {
  { "NEVER", REROUTE_NOTIFY_NEVER },
  { "SUCCESS", REROUTE_NOTIFY_SUCCESS },
  { "FAILURE", REROUTE_NOTIFY_FAILURE },
  { "DELAY", REROUTE_NOTIFY_DELAY },
};

static const char *const return_words[] = {
  [REROUTE_RETURN_FULL] = "FULL",
  [REROUTE_RETURN_HEADERS] = "HDRS",
};

static RerouteNotify
find_notify (const char *word, gsize length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (notify_words); i++)
    if (strlen (notify_words[i].word) == length &&
        g_ascii_strncasecmp (notify_words[i].word, word, length) == 0)
      return notify_words[i].notify;
  return 0;
}

gboolean
reroute_dsn_parse_notify (const char *value, RerouteNotify *notify)
{
  *notify = 0;
  for (;;)
    {
      gsize length = strcspn (value, ",");
      RerouteNotify word = find_notify (value, length);
      if (word == 0)
        return FALSE;
      *notify |= word;
      if (value[length] == '\0')
        break;
      value += length + 1;
    }
  return (*notify & REROUTE_NOTIFY_NEVER) == 0 || *notify == REROUTE_NOTIFY_NEVER;
}

gboolean
reroute_dsn_parse_ret (const char *value, RerouteReturn *returns)
{
  for (guint i = REROUTE_RETURN_FULL; i < G_N_ELEMENTS (return_words); i++)
    if (g_ascii_strcasecmp (value, return_words[i]) == 0)
      {
        *returns = (RerouteReturn) i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
is_hexchar (const char *text)
{
  return text[0] == '+' && g_ascii_isxdigit (text[1]) && !g_ascii_islower (text[1]) &&
         g_ascii_isxdigit (text[2]) && !g_ascii_islower (text[2]);
}

static gboolean
is_xtext (const char *text, gboolean utf8)
{
  for (; *text != '\0'; text++)
    if (*text == '+')
      {
        if (!is_hexchar (text))
          return FALSE;
        text += 2;
      }
    else if ((guchar) *text >= 0x80 ? !utf8 : !g_ascii_isgraph (*text) || *text == '=')
      return FALSE;
  return TRUE;
}

gboolean
reroute_dsn_check_xtext (const char *value)
{
  return *value != '\0' && is_xtext (value, FALSE);
}

gboolean
reroute_dsn_check_envid (const char *value)
{
  return *value != '\0' && strlen (value) <= ENVID_OCTETS && is_xtext (value, FALSE);
}

/* An atom (RFC 822): no specials. */
static gboolean
is_address_type (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '-' && text[i] != '_')
      return FALSE;
  return length > 0;
}

static gboolean
is_utf8_type (const char *orcpt)
{
  return g_ascii_strncasecmp (orcpt, UTF8_TYPE ";", strlen (UTF8_TYPE ";")) == 0;
}

gboolean
reroute_dsn_check_orcpt (const char *value, gboolean smtputf8)
{
  const char *semicolon = strchr (value, ';');

  return semicolon != NULL && strlen (value) <= ORCPT_OCTETS && semicolon[1] != '\0' &&
         is_address_type (value, (gsize) (semicolon - value)) &&
         is_xtext (semicolon + 1, smtputf8 && is_utf8_type (value));
}

/* --- passed on --- */

static void
append_xtext (GString *text, const char *octets)
{
  for (; *octets != '\0'; octets++)
    if (g_ascii_isgraph (*octets) && *octets != '+' && *octets != '=')
      g_string_append_c (text, *octets);
    else
      g_string_append_printf (text, "+%02X", (guchar) *octets);
}

void
reroute_dsn_append_utf8_address (GString *text, const char *address)
{
  for (const char *p = address; *p != '\0'; p = g_utf8_next_char (p))
    if ((guchar) *p >= 0x80 || !g_ascii_isgraph (*p) || strchr ("\\+=", *p) != NULL)
      g_string_append_printf (text, "\\x{%X}", g_utf8_get_char (p));
    else
      g_string_append_c (text, *p);
}

void
reroute_dsn_append_mail (GString *command, const RerouteEnvelope *envelope)
{
  if (envelope->returns != REROUTE_RETURN_UNSAID)
    g_string_append_printf (command, " RET=%s", return_words[envelope->returns]);
  if (envelope->id != NULL)
    g_string_append_printf (command, " ENVID=%s", envelope->id);
}

static void
append_notify (GString *command, RerouteNotify notify)
{
  const char *separator = " NOTIFY=";

  for (gsize i = 0; i < G_N_ELEMENTS (notify_words); i++)
    if ((notify & notify_words[i].notify) != 0)
      {
        g_string_append_printf (command, "%s%s", separator, notify_words[i].word);
        separator = ",";
      }
}

/* (transfer full): ORCPT of what a recipient was before it was rewritten. */
static GString *
make_orcpt (const char *received)
{
  gboolean ascii = g_str_is_ascii (received);
  GString *orcpt = g_string_new (ascii ? "rfc822;" : UTF8_TYPE ";");

  if (ascii)
    append_xtext (orcpt, received);
  else
    reroute_dsn_append_utf8_address (orcpt, received);
  return orcpt;
}

void
reroute_dsn_append_rcpt (GString *command, const RerouteRecipient *recipient, const char *rcpt_out)
{
  const char *received = recipient->address->text;

  append_notify (command, recipient->notify);
  if (recipient->original != NULL)
    g_string_append_printf (command, " ORCPT=%s", recipient->original);
  else if (!g_str_equal (received, rcpt_out))
    {
      g_autoptr (GString) orcpt = make_orcpt (received);

      if (orcpt->len <= ORCPT_OCTETS)
        g_string_append_printf (command, " ORCPT=%s", orcpt->str);
    }
}

/* --- shown --- */

char *
reroute_dsn_decode_xtext (const char *xtext)
{
  GString *text = g_string_new (NULL);

  for (; *xtext != '\0'; xtext++)
    {
      guint octet = (guchar) *xtext;
      if (is_hexchar (xtext))
        {
          octet = (guint) (g_ascii_xdigit_value (xtext[1]) * 16 + g_ascii_xdigit_value (xtext[2]));
          xtext += 2;
        }
      g_string_append_c (text, g_ascii_isprint ((char) octet) ? (char) octet : '?');
    }
  return g_string_free (text, FALSE);
}

char *
reroute_dsn_format_original (const char *orcpt)
{
  const char *semicolon = strchr (orcpt, ';');
  GString *text = g_string_new_len (orcpt, semicolon - orcpt);

  g_string_append (text, "; ");
  if (is_utf8_type (orcpt))
    {
      /* Its escapes stay; raw UTF-8 gets them. */
      for (const char *p = semicolon + 1; *p != '\0'; p = g_utf8_next_char (p))
        if ((guchar) *p >= 0x80)
          g_string_append_printf (text, "\\x{%X}", g_utf8_get_char (p));
        else
          g_string_append_c (text, *p);
    }
  else
    {
      g_autofree char *address = reroute_dsn_decode_xtext (semicolon + 1);
      g_string_append (text, address);
    }
  return g_string_free (text, FALSE);
}
