/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * refusal-text.c - what is said of a value that common/ refused, and of a change that was not saved
 */

#include "config.h"

#include "common/refusal-text.h"

#include "common/domain.h"
#include "common/error.h"
#include "common/host.h"
#include "common/limits.h"
#include "common/names.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* "test..com" without its empty parts. */
static char *
without_empty_labels (const char *text)
{
  GString *good = g_string_new (NULL);
  g_auto (GStrv) labels = g_strsplit (text, ".", -1);

  for (char **label = labels; *label != NULL; label++)
    {
      if (**label == '\0')
        continue;
      if (good->len > 0)
        g_string_append_c (good, '.');
      g_string_append (good, *label);
    }
  return g_string_free (good, FALSE);
}

static gboolean
has_long_label (const char *text)
{
  g_auto (GStrv) labels = g_strsplit (text, ".", -1);

  for (char **label = labels; *label != NULL; label++)
    if (strlen (*label) > REROUTE_LIMIT_LABEL_OCTETS)
      return TRUE;
  return FALSE;
}

static gboolean
has_hyphen_at_end (const char *text)
{
  g_auto (GStrv) labels = g_strsplit (text, ".", -1);

  for (char **label = labels; *label != NULL; label++)
    if (g_str_has_prefix (*label, "-") || g_str_has_suffix (*label, "-"))
      return TRUE;
  return FALSE;
}

/* NULL when each character is one of a name. */
static char *
dup_character_error (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    {
      if (g_ascii_isspace (*at))
        return g_strdup_printf (
          _ ("“%s” has a blank inside. Write one name such as “example.com”."), text);
      if (g_ascii_ispunct (*at) && strchr ("-.", *at) == NULL)
        return g_strdup_printf (
          /* Translators: what was typed; a character of it, such as “_” */
          _ ("“%s” has a “%c” in it. Letters, digits, “-” and “.” are possible."), text, *at);
    }
  return NULL;
}

char *
reroute_dup_domain_error (const char *text, const GError *error)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  g_autofree char *good = without_empty_labels (trimmed);
  const char *at = strrchr (trimmed, '@');
  char *wrong_character;

  if (trimmed[0] == '\0')
    return g_strdup (_ ("Write a domain such as “test.com”."));
  if (strchr (trimmed, '*') != NULL)
    return g_strdup (_ ("“*” cannot stand for a domain. Choose “This domain and its subdomains”."));
  if (at != NULL && at[1] != '\0')
    return g_strdup_printf (
      /* Translators: an address, its domain */
      _ ("“%s” is an address. Write the part after the “@”: “%s”."), trimmed, at + 1);
  if (strstr (trimmed, "..") != NULL && good[0] != '\0')
    return g_strdup_printf (
      /* Translators: what was typed, and what would be right */
      _ ("“%s” has an empty part between two dots. Write “%s”."), trimmed, good);
  if (strlen (trimmed) > REROUTE_LIMIT_DOMAIN_OCTETS)
    /* Translators: numbers of characters */
    return g_strdup_printf (_ ("A domain has at most %d characters; this one has %ld."),
                               REROUTE_LIMIT_DOMAIN_OCTETS,
                               g_utf8_strlen (trimmed, -1));
  if (has_long_label (trimmed))
    return g_strdup_printf (
      /* Translators: a domain as it was typed, a number */
      _ ("“%s” has a part of more than %d characters."), trimmed, REROUTE_LIMIT_LABEL_OCTETS);
  if (error != NULL && error->domain == REROUTE_ERROR && error->code == REROUTE_ERROR_VALUE)
    return g_strdup (error->message);
  if (has_hyphen_at_end (trimmed))
    return g_strdup_printf (_ ("“%s” has a part that starts or ends with “-”."), trimmed);
  wrong_character = trimmed[0] != '[' ? dup_character_error (trimmed) : NULL;
  if (wrong_character != NULL)
    return wrong_character;
  return g_strdup_printf (_ ("“%s” is not a domain. Write a name such as “test.com”."), trimmed);
}

char *
reroute_dup_address_error (const char *text)
{
  return g_strdup_printf (_ ("“%s” is no e-mail address. Write one such as “user@example.com”."),
                             text);
}

char *
reroute_dup_host_error (const char *text)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text));

  if (trimmed[0] == '\0')
    return g_strdup (
      _ ("Write a host name or an address, such as “mx1.example.com” or “192.0.2.25”."));
  if (!reroute_hosts_check_typed (trimmed, NULL))
    return g_strdup_printf (
      /* Translators: a host as it was typed, “mx:example.com:2525” */
      _ ("“%s” has a port. An MX is always reached at port 25: leave the port out."), trimmed);
  if (strchr (trimmed, '@') != NULL)
    return g_strdup_printf (
      _ ("“%s” is an e-mail address. A host is wanted, such as “mx1.example.com”."), trimmed);
  return g_strdup_printf (_ ("“%s” is neither a host name nor an address."), trimmed);
}

char *
reroute_dup_host_port_error (const char *text)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  const char *colon = strrchr (trimmed, ':');

  if (colon != NULL && reroute_hosts_check_typed (trimmed, NULL))
    {
      g_autofree char *name = g_strndup (trimmed, (gsize) (colon - trimmed));
      g_autoptr (RerouteHosts) alone = reroute_hosts_parse (name, FALSE, NULL);

      if (alone != NULL)
        return g_strdup_printf (
          /* Translators: a host as it was typed, with what stands behind its colon */
          _ ("“%s” has no port behind its “:”. Write a number from 1 to 65535."), trimmed);
    }
  return reroute_dup_host_error (trimmed);
}

/* The first of several hosts that is none. */
static char *
dup_hosts_error (const char *text)
{
  g_auto (GStrv) parts = g_strsplit_set (text, ",;", -1);

  for (char **part = parts; *part != NULL; part++)
    {
      g_autoptr (RerouteHosts) host = reroute_hosts_parse (*part, FALSE, NULL);

      if (host == NULL || !reroute_hosts_check_typed (*part, NULL))
        return reroute_dup_host_port_error (*part);
    }
  return NULL;
}

char *
reroute_dup_row_error (const char *domain, const char *target, const GError *error)
{
  gboolean has_target = target != NULL && target[0] != '\0';
  g_autofree char *good_target = NULL;
  char *sentence = NULL;

  g_return_val_if_fail (domain != NULL && error != NULL, NULL);

  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_DOMAIN))
    {
      if (has_target)
        good_target = reroute_domain_normalize (target, NULL);
      return reroute_dup_domain_error (has_target && good_target == NULL ? target : domain, error);
    }
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_HOST) && has_target)
    sentence = dup_hosts_error (target);
  return sentence != NULL ? sentence : g_strdup (error->message);
}

char *
reroute_dup_port_error (void)
{
  return g_strdup (_ ("Port is a number from 1 to 65535."));
}

char *
reroute_dup_account_error (const char *name)
{
  if (strlen (name) > REROUTE_LIMIT_ACCOUNT_OCTETS)
    return g_strdup_printf (_ ("The name of an account has at most %d characters."),
                               REROUTE_LIMIT_ACCOUNT_OCTETS);
  return g_strdup_printf (_ ("“%s” cannot be the name of an account: write it without blanks."),
                             name);
}

char *
reroute_dup_file_name_error (const char *name)
{
  return g_strdup_printf (_ ("“%s” is no full file name. Write it from the first “/” on, such as “/etc/reroute/mail.pem”."),
    name);
}

/* No polkit agent runs there that could ask for a password. */
static char *access_server, *access_user;

void
reroute_set_access_server (const char *server, const char *user)
{
  g_free (access_server);
  g_free (access_user);
  access_server = g_strdup (server);
  access_user = g_strdup (user);
}

char *
reroute_dup_access_advice (void)
{
  if (access_server != NULL)
    return g_strdup_printf (
      /* Translators: the name of a group of users; a command, twice that name and the name of a
         user; the name of a server */
      _ ("Only root and members of the group “%s” may: run “usermod -aG %s %s” on %s as root, then connect anew."),
         REROUTE_ADMIN_GROUP,
         REROUTE_ADMIN_GROUP,
         access_user,
         access_server);
  /* Translators: the name of a group of users */
  return g_strdup_printf (_ ("Only root, the service’s own user and members of the group “%s” may."), REROUTE_ADMIN_GROUP);
}

char *
reroute_dup_connecting (const char *server)
{
  g_return_val_if_fail (server != NULL, NULL);

  /* Translators: the name of a server */
  return g_strdup_printf (_ ("Connecting to %s…"), server);
}

char *
reroute_dup_connection_error (const GError *error)
{
  char initial[7] = ""; /* what g_unichar_to_utf8() fills at most, and its end */

  g_return_val_if_fail (error != NULL && *error->message != '\0', NULL);

  g_unichar_to_utf8 (g_unichar_totitle (g_utf8_get_char (error->message)), initial);
  return g_strconcat (initial, g_utf8_next_char (error->message), NULL);
}

/* @pattern with what the service said, or, where it refused who asked, with who may. */
static char *
dup_refusal (const char *pattern, const GError *error)
{
  gboolean refused = g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_ACCESS);
  g_autofree char *advice = reroute_dup_access_advice ();

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  return g_strdup_printf (pattern, refused ? advice : error->message);
#pragma GCC diagnostic pop
}

char *
reroute_dup_error (const GError *error)
{
  const struct
  {
    RerouteError code;
    const char *sentence;
  } table[] = {
    { REROUTE_ERROR_ACCESS, _ ("You may not change the rules on this server. %s") },
      { REROUTE_ERROR_STORE, _ ("The rules could not be saved: the database failed. %s") },
        { REROUTE_ERROR_UNAVAILABLE,
          _ ("The rules service does not answer; nothing was saved. %s") },
          { REROUTE_ERROR_OUTCOME,
            _ ("It is not known yet whether your changes were saved; they are kept. %s") },
            { REROUTE_ERROR_NO_SUCH_ENTRY,
              _ ("An entry that you changed is not there any more. %s") },
              { REROUTE_ERROR_TOO_LARGE, _ ("This is more than the rules service takes. %s") },
            };

  g_return_val_if_fail (error != NULL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_error_matches (error, REROUTE_ERROR, table[i].code))
      return dup_refusal (table[i].sentence, error);
  return g_strdup_printf (_ ("It was not saved: %s"), error->message);
}

char *
reroute_dup_account_refusal (const GError *error)
{
  g_return_val_if_fail (error != NULL, NULL);

  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    return g_strdup (_ ("The relay is not running: it keeps the accounts. Start it first."));
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_ACCESS))
    return dup_refusal (_ ("You may not see or change accounts on this server. %s"), error);
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_ENTRY))
    return g_strdup (_ ("There is no such account any more."));
  return g_strdup_printf (_ ("The relay refused it: %s"), error->message);
}

char *
reroute_dup_queue_refusal (const GError *error)
{
  g_return_val_if_fail (error != NULL, NULL);

  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    return g_strdup (
      _ ("The relay is not running: waiting mail stays as it is until it runs again."));
  if (g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_ACCESS))
    return dup_refusal (_ ("You may not see or change waiting mail on this server. %s"), error);
  return g_strdup_printf (_ ("The relay refused it: %s"), error->message);
}
