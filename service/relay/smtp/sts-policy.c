/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sts-policy.c - the policy of a domain about mail to it, and the record that tells of it
 *
 * Standards: RFC 8461 (MTA-STS) sections 3.1, 3.2 and 4.1.
 */

#include "config.h"

#include "service/relay/smtp/sts-policy.h"

#include "common/domain.h"
#include "common/error.h"
#include "common/limits.h"

#include <string.h>

#define BLANKS " \t"
#define RECORD_VERSION "v=STSv1"
#define ID_OCTETS 32
#define NAME_OCTETS 32
#define MAX_AGE_DIGITS 10
#define MAX_AGE_MOST_S 31557600 /* a year */

static const char *const modes[] = {
  [REROUTE_STS_NONE] = "none",
  [REROUTE_STS_TESTING] = "testing",
  [REROUTE_STS_ENFORCE] = "enforce",
};

/* What was read of a policy so far. */
typedef struct
{
  gboolean has_version;
  int mode;         /* RerouteStsMode; -1: not read */
  gint64 max_age_s; /* -1: not read */
  GPtrArray *mx;    /* (element-type utf8) */
} Draft;

const char *
reroute_sts_mode_to_string (RerouteStsMode mode)
{
  g_return_val_if_fail (mode < G_N_ELEMENTS (modes), NULL);

  return modes[mode];
}

/* --- fields --- */

/* Quotes the beginning of @value, as a terminal may show it. */
static gboolean
fail (GError **error, const char *what, const char *value)
{
  g_autofree char *shown = g_strndup (value, 64);
  g_autofree char *escaped = g_strescape (shown, NULL);

  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "%s “%s”", what, escaped);
  return FALSE;
}

static gboolean
take_mode (Draft *draft, const char *value, GError **error)
{
  for (int i = 0; draft->mode < 0 && i < (int) G_N_ELEMENTS (modes); i++)
    if (g_str_equal (value, modes[i]))
      draft->mode = i;
  return draft->mode >= 0 || fail (error, "unknown mode", value);
}

static gboolean
take_max_age (Draft *draft, const char *value, GError **error)
{
  guint64 seconds;

  if (draft->max_age_s >= 0)
    return TRUE;
  if (strlen (value) > MAX_AGE_DIGITS ||
      !g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT64, &seconds, NULL))
    return fail (error, "max_age is no number of seconds:", value);
  draft->max_age_s = (gint64) MIN (seconds, MAX_AGE_MOST_S);
  return TRUE;
}

static gboolean
take_mx (Draft *draft, const char *value, GError **error)
{
  gboolean any = g_str_has_prefix (value, "*.");
  const char *domain = any ? value + 2 : value;
  g_autofree char *normal = *domain != '.' ? reroute_domain_normalize (domain, NULL) : NULL;

  if (normal == NULL || reroute_domain_is_literal (normal))
    return fail (error, "mx is no host name:", value);
  if (draft->mx->len == REROUTE_LIMIT_STS_PATTERNS)
    return fail (error, "too many mx, at", value);
  g_ptr_array_add (draft->mx, any ? g_strconcat ("*.", normal, NULL) : g_steal_pointer (&normal));
  return TRUE;
}

static gboolean
take_version (Draft *draft, const char *value, GError **error)
{
  if (!draft->has_version && !g_str_equal (value, "STSv1"))
    return fail (error, "unknown version", value);
  draft->has_version = TRUE;
  return TRUE;
}

/* clang-format off */
static const struct
{
  const char *name;
  gboolean (*take) (Draft *draft, const char *value, GError **error);
} fields[] = {
  { "version", take_version },
  { "mode",    take_mode },
  { "max_age", take_max_age },
  { "mx",      take_mx },
};
/* clang-format on */

static gboolean
is_field_name (const char *text)
{
  if (!g_ascii_isalnum (text[0]) || strlen (text) > NAME_OCTETS)
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && strchr ("_-.", *text) == NULL)
      return FALSE;
  return TRUE;
}

/* @line: "name: value", changed */
static gboolean
take_line (Draft *draft, char *line, GError **error)
{
  char *colon = strchr (line, ':');
  const char *value;

  if (colon == NULL)
    return fail (error, "no field:", line);
  *colon = '\0';
  value = colon + 1 + strspn (colon + 1, BLANKS);
  if (!is_field_name (line))
    return fail (error, "no name of a field:", line);
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (g_str_equal (line, fields[i].name))
      return fields[i].take (draft, value, error);
  return TRUE;
}

/* --- the policy --- */

static gboolean
take_lines (Draft *draft, const char *octets, gsize length, GError **error)
{
  g_autofree char *text = g_strndup (octets, length);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (gsize i = 0; lines[i] != NULL; i++)
    {
      gsize n = strlen (lines[i]);

      if (n > 0 && lines[i][n - 1] == '\r')
        lines[i][--n] = '\0';
      while (n > 0 && strchr (BLANKS, lines[i][n - 1]) != NULL)
        lines[i][--n] = '\0';
      if (n > 0 && !take_line (draft, lines[i], error))
        return FALSE;
    }
  return TRUE;
}

static const char *
find_missing (const Draft *draft)
{
  if (!draft->has_version)
    return "version";
  if (draft->mode < 0)
    return "mode";
  if (draft->max_age_s < 0)
    return "max_age";
  return draft->mode != REROUTE_STS_NONE && draft->mx->len == 0 ? "mx" : NULL;
}

RerouteStsPolicy *
reroute_sts_policy_parse (const char *octets, gsize length, GError **error)
{
  g_return_val_if_fail (octets != NULL || length == 0, NULL);

  g_autoptr (GPtrArray) mx = g_ptr_array_new_with_free_func (g_free);
  Draft draft = { .mode = -1, .max_age_s = -1, .mx = mx };
  RerouteStsPolicy *self;
  const char *missing;

  if (length > REROUTE_LIMIT_STS_POLICY_OCTETS || !g_utf8_validate_len (octets, length, NULL))
    {
      g_set_error_literal (
        error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "it is too long, or no text");
      return NULL;
    }
  if (!take_lines (&draft, octets, length, error))
    return NULL;
  missing = find_missing (&draft);
  if (missing != NULL)
    {
      fail (error, "it has no", missing);
      return NULL;
    }
  g_ptr_array_add (mx, NULL);
  self = g_atomic_rc_box_new0 (RerouteStsPolicy);
  self->mode = (RerouteStsMode) draft.mode;
  self->max_age_s = (guint) draft.max_age_s;
  self->mx = g_strdupv ((char **) mx->pdata);
  return self;
}

RerouteStsPolicy *
reroute_sts_policy_ref (RerouteStsPolicy *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  g_strfreev (((RerouteStsPolicy *) data)->mx);
}

void
reroute_sts_policy_unref (RerouteStsPolicy *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

char *
reroute_sts_policy_to_text (const RerouteStsPolicy *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  GString *text = g_string_new (NULL);

  g_string_append_printf (
    text, "version: STSv1\nmode: %s\nmax_age: %u\n", modes[self->mode], self->max_age_s);
  for (gsize i = 0; self->mx[i] != NULL; i++)
    g_string_append_printf (text, "mx: %s\n", self->mx[i]);
  return g_string_free (text, FALSE);
}

gboolean
reroute_sts_policy_covers (const RerouteStsPolicy *self, const char *host)
{
  g_return_val_if_fail (self != NULL && host != NULL, FALSE);

  const char *parent = strchr (host, '.');

  for (gsize i = 0; self->mx[i] != NULL; i++)
    {
      const char *pattern = self->mx[i];

      if (!g_str_has_prefix (pattern, "*."))
        {
          if (g_ascii_strcasecmp (pattern, host) == 0)
            return TRUE;
        }
      else if (parent != NULL && parent != host && g_ascii_strcasecmp (pattern + 1, parent) == 0)
        return TRUE;
    }
  return FALSE;
}

/* --- the record --- */

gboolean
reroute_sts_is_id (const char *text)
{
  g_return_val_if_fail (text != NULL, FALSE);

  gsize n = 0;

  while (g_ascii_isalnum (text[n]))
    n++;
  return n > 0 && n <= ID_OCTETS && text[n] == '\0';
}

/* What stands behind the version and its semicolon; NULL: another kind of record. */
static const char *
skip_version (const char *record)
{
  if (!g_str_has_prefix (record, RECORD_VERSION))
    return NULL;
  record += strlen (RECORD_VERSION);
  record += strspn (record, BLANKS);
  return *record == ';' ? record + 1 : NULL;
}

/* NULL when it has no id, or is unsound. */
static char *
find_id (const char *record)
{
  g_auto (GStrv) parts = g_strsplit (record, ";", -1);
  g_autofree char *id = NULL;

  for (gsize i = 0; parts[i] != NULL; i++)
    {
      char *part = g_strstrip (parts[i]);
      char *equals = strchr (part, '=');

      if (*part == '\0' && parts[i + 1] == NULL)
        break;
      if (equals == NULL)
        return NULL;
      *equals = '\0';
      if (!is_field_name (part))
        return NULL;
      if (id != NULL || !g_str_equal (part, "id"))
        continue;
      if (!reroute_sts_is_id (equals + 1))
        return NULL;
      id = g_strdup (equals + 1);
    }
  return g_steal_pointer (&id);
}

char *
reroute_sts_record_parse (const GPtrArray *records)
{
  g_return_val_if_fail (records != NULL, NULL);

  const char *found = NULL;

  for (guint i = 0; i < records->len; i++)
    {
      const char *rest = skip_version (records->pdata[i]);

      if (rest != NULL && found != NULL)
        return NULL;
      if (rest != NULL)
        found = rest;
    }
  return found != NULL ? find_id (found) : NULL;
}
