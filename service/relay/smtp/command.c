/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * command.c - command lines taken apart
 *
 * In place and without an allocation.  Mailboxes are judged by common/address.c, not here.
 *
 * Standards: RFC 5321 sections 4.1.1 and 4.1.2, RFC 1870 section 3.
 */

#include "config.h"

#include "service/relay/smtp/command.h"

#include "common/printable.h"

#include <string.h>

#define NUMBER_DIGITS 20 /* RFC 1870 3 */

gboolean
reroute_command_check_octets (const char *line, gsize length)
{
  gboolean ascii = TRUE;

  if (reroute_is_printable_ascii (line, length))
    return TRUE;
  for (gsize i = 0; i < length; i++)
    {
      guchar octet = (guchar) line[i];
      if (octet < 0x20 || octet == 0x7f)
        return FALSE;
      /* The C1 controls, U+0080 to U+009F. */
      if (octet == 0xc2 && i + 1 < length && (guchar) line[i + 1] < 0xa0)
        return FALSE;
      ascii = ascii && octet < 0x80;
    }
  return ascii || g_utf8_validate_len (line, length, NULL);
}

char *
reroute_command_split (char *line)
{
  gsize length = strlen (line);

  while (length > 0 && line[length - 1] == ' ')
    line[--length] = '\0';
  char *argument = line + strcspn (line, " ");
  if (*argument == '\0')
    return argument;
  *argument++ = '\0';
  return argument + strspn (argument, " ");
}

/* The ">" that ends the path, or NULL. */
static char *
find_path_end (char *path)
{
  gboolean quoted = FALSE;

  for (char *p = path; *p != '\0'; p++)
    {
      if (*p == '\\' && quoted && p[1] != '\0')
        p++;
      else if (*p == '"')
        quoted = !quoted;
      else if (*p == '>' && !quoted)
        return p;
    }
  return NULL;
}

static gboolean
is_keyword (const char *text)
{
  if (!g_ascii_isalnum (*text))
    return FALSE;
  while (g_ascii_isalnum (*text) || *text == '-')
    text++;
  return *text == '\0';
}

/* Beyond ASCII it is UTF-8 (RFC 6531 3.3): who asks for a value judges it. */
static gboolean
is_value (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if ((!g_ascii_isgraph (*p) && (guchar) *p < 0x80) || *p == '=')
      return FALSE;
  return *text != '\0';
}

static gboolean
add_parameter (RerouteCommandPath *path, char *word)
{
  char *value = strchr (word, '=');

  if (value != NULL)
    *value++ = '\0';
  if (path->n_parameters == REROUTE_COMMAND_MAX_PARAMETERS || !is_keyword (word) ||
      (value != NULL && !is_value (value)))
    return FALSE;
  for (guint i = 0; i < path->n_parameters; i++)
    if (g_ascii_strcasecmp (path->parameters[i].keyword, word) == 0)
      return FALSE;
  path->parameters[path->n_parameters++] = (RerouteCommandParameter){ word, value };
  return TRUE;
}

RerouteCommandPathResult
reroute_command_parse_path (char *argument, const char *prefix, RerouteCommandPath *path)
{
  gsize n_prefix = strlen (prefix);

  path->n_parameters = 0;
  if (g_ascii_strncasecmp (argument, prefix, n_prefix) != 0)
    return REROUTE_COMMAND_PATH_SYNTAX;
  argument += n_prefix;
  argument += strspn (argument, " ");
  if (*argument != '<')
    return REROUTE_COMMAND_PATH_SYNTAX;
  char *end = find_path_end (argument + 1);
  if (end == NULL || (end[1] != '\0' && end[1] != ' '))
    return REROUTE_COMMAND_PATH_SYNTAX;
  path->path = argument + 1;
  *end = '\0';

  char *word = end + 1 + strspn (end + 1, " ");
  while (*word != '\0')
    {
      char *next = word + strcspn (word, " ");
      gsize blanks = strspn (next, " ");
      *next = '\0';
      if (!add_parameter (path, word))
        return REROUTE_COMMAND_PATH_PARAMETERS;
      word = next + blanks;
    }
  return REROUTE_COMMAND_PATH_VALID;
}

gboolean
reroute_command_parse_number (const char *text, guint64 *number)
{
  gsize digits = strspn (text, "0123456789");

  if (digits == 0 || digits > NUMBER_DIGITS || text[digits] != '\0')
    return FALSE;
  *number = 0;
  for (const char *p = text; *p != '\0'; p++)
    if (!g_uint64_checked_mul (number, *number, 10) ||
        !g_uint64_checked_add (number, *number, (guint64) (*p - '0')))
      {
        *number = G_MAXUINT64;
        return TRUE;
      }
  return TRUE;
}
