/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dsn-text.c - what a notice says, to people and to programs
 *
 * Standards: RFC 3461 section 6, RFC 3463, RFC 3464 section 2, RFC 6533 section 3.
 */

#include "config.h"

#include "service/relay/smtp/dsn-text.h"

#include "service/relay/smtp/date.h"
#include "service/relay/smtp/dsn-parameters.h"

#include <string.h>

#define COLUMNS 72
#define DIAGNOSTIC_OCTETS 500
#define HIDDEN "(host)"

/* What a status means to the one who sent the message (RFC 3463 3), without its class. */
static const struct
{
  const char *detail; /* "1." stands for all of "1.x" */
  const char *happened;
  const char *advice;
} meanings[] = {
  /* clang-format off */
  { "1.1",  "There is no such address.",
            "Check the spelling of the address, or ask the recipient for the right one." },
  { "1.2",  "The domain behind the \"@\" does not exist.",
            "Check the spelling of the domain." },
  { "1.10", "The domain behind the \"@\" takes no mail.",
            "Ask the recipient for another address." },
  { "1.6",  "The recipient has moved and left no new address.",
            "Ask the recipient for another address." },
  { "1.",   "Something about an address of the message is wrong.",
            "Check the address and send the message again." },
  { "2.1",  "The mailbox does not take mail now.",
            "Reach the recipient in another way, or send the message again later." },
  { "2.2",  "The mailbox of the recipient is full.",
            "Tell the recipient in another way, and send the message again when there is room." },
  { "2.3",  "The message is larger than the mailbox takes.",
            "Send a smaller message, or put large files where they can be fetched." },
  { "3.4",  "The message is larger than a mail system on its way takes.",
            "Send a smaller message, or put large files where they can be fetched." },
  { "4.4",  "It could not be found out which host takes mail for the domain.",
            "Check the spelling of the domain; if it is right, the administrator of the domain can help." },
  { "4.6",  "The message went round in a circle between mail systems.",
            "Sending it again does not help; please tell the postmaster of the recipient's domain." },
  { "4.7",  "The mail system of the recipient could not be reached for a long time.",
            "Send the message again later, or reach the recipient in another way." },
  { "4.",   "The mail system of the recipient could not be reached.",
            "Send the message again later, or reach the recipient in another way." },
  { "6.3",  "The mail system of the recipient does not take messages with 8-bit text.",
            "Have your mail program send plain ASCII text (quoted-printable or base64)." },
  { "6.7",  "The mail system of the recipient does not take addresses or headers beyond ASCII.",
            "Use an address with letters from A to Z alone, for yourself and for the recipient." },
  { "6.",   "The mail system of the recipient does not take what is in the message.",
            "Send it in another format." },
  { "7.",   "The mail system of the recipient refused the message by its rules.",
            "What it said is below; ask the recipient, or the postmaster of that domain, in another way." },
  { "",     "The mail system of the recipient did not take the message.",
            "What it said is below; if it does not help, ask the postmaster of the recipient's domain." },
  /* clang-format on */
};

/* --- what may be shown --- */

static gboolean
is_host_octet (char octet)
{
  return g_ascii_isalnum (octet) || strchr (".-_:", octet) != NULL;
}

/* "mail.example", "192.0.2.1" or "2001:db8::1", not "5.1.1" or "word". */
static gboolean
is_host (const char *word, gsize length)
{
  gsize dots = 0, colons = 0, letters = 0, not_hex = 0;

  while (length > 0 && strchr (".:", word[length - 1]) != NULL)
    length--;
  for (gsize i = 0; i < length; i++)
    {
      dots += word[i] == '.' && i > 0;
      colons += word[i] == ':';
      letters += g_ascii_isalpha (word[i]);
      not_hex += !g_ascii_isxdigit (word[i]) && word[i] != ':';
    }
  if (dots >= 1 && letters > 0)
    return TRUE;
  return (letters == 0 && dots == 3) || (colons >= 2 && not_hex == 0);
}

static gboolean
is_domain_of (const char *word, gsize length, const char *recipient)
{
  const char *domain = strrchr (recipient, '@');

  while (length > 0 && strchr (".:", word[length - 1]) != NULL)
    length--;
  return domain != NULL && strlen (domain + 1) == length &&
         g_ascii_strncasecmp (domain + 1, word, length) == 0;
}

char *
reroute_dsn_hide_hosts (const char *diagnostic, const char *recipient)
{
  g_return_val_if_fail (diagnostic != NULL && recipient != NULL, NULL);

  GString *shown = g_string_new (NULL);
  for (const char *p = diagnostic; *p != '\0' && shown->len < DIAGNOSTIC_OCTETS;)
    {
      gsize length = 0;
      while (p[length] != '\0' && is_host_octet (p[length]))
        length++;
      if (length == 0)
        {
          gboolean blank = g_ascii_isspace (*p);
          g_string_append_c (shown, blank ? ' ' : g_ascii_isprint (*p) ? *p : '?');
          p++;
          continue;
        }
      /* What stands in front of an "@" is a local part. */
      if (p[length] != '@' && is_host (p, length) && !is_domain_of (p, length, recipient))
        g_string_append (shown, HIDDEN);
      else
        g_string_append_len (shown, p, (gssize) MIN (length, DIAGNOSTIC_OCTETS));
      p += length;
    }
  g_string_truncate (shown, MIN (shown->len, DIAGNOSTIC_OCTETS));
  return g_string_free (shown, FALSE);
}

/* --- for people --- */

static void
append_wrapped (GString *text, const char *indent, const char *sentence)
{
  g_auto (GStrv) words = g_strsplit (sentence, " ", -1);
  gsize column = 0;

  for (guint i = 0; words[i] != NULL; i++)
    {
      gsize length = (gsize) g_utf8_strlen (words[i], -1);
      if (length == 0)
        continue;
      if (column > 0 && column + 1 + length > COLUMNS)
        {
          g_string_append_c (text, '\n');
          column = 0;
        }
      g_string_append (text, column == 0 ? indent : " ");
      column += (column == 0 ? strlen (indent) : 1) + length;
      g_string_append (text, words[i]);
    }
  g_string_append_c (text, '\n');
}

/* A recipient that was tried until its time was over keeps the 4.x.x of the last try. */
static const char *
status_of (const RerouteDsnRequest *request, const RerouteDsnRecipient *recipient)
{
  gboolean failed = request->kind == REROUTE_DSN_FAILED;
  const char *status = recipient->status;

  if (request->kind == REROUTE_DSN_RELAYED)
    return status != NULL && g_str_has_prefix (status, "2.") ? status : "2.0.0";

  if (status != NULL && (status[0] == '4' || (failed && status[0] == '5')) && status[1] == '.' &&
      g_ascii_isdigit (status[2]))
    return status;
  return failed ? "5.0.0" : "4.0.0";
}

static guint
find_meaning (const char *status)
{
  const char *detail = status + 2;

  for (guint i = 0; i < G_N_ELEMENTS (meanings); i++)
    {
      const char *wanted = meanings[i].detail;
      gsize length = strlen (wanted);
      gboolean whole = length > 0 && wanted[length - 1] != '.';
      if (whole ? g_str_equal (detail, wanted) : g_str_has_prefix (detail, wanted))
        return i;
    }
  return G_N_ELEMENTS (meanings) - 1;
}

static void
append_recipient_text (GString *text,
                       const RerouteDsnRequest *request,
                       const RerouteDsnRecipient *recipient)
{
  guint meaning = find_meaning (status_of (request, recipient));

  g_string_append_printf (text, "\n  <%s>\n\n", recipient->recipient);
  if (request->kind == REROUTE_DSN_FAILED)
    {
      append_wrapped (text, "    ", meanings[meaning].happened);
      append_wrapped (text, "    ", meanings[meaning].advice);
    }
  else if (recipient->will_retry_until_us > 0)
    {
      g_autofree char *until = reroute_date_format (recipient->will_retry_until_us);
      g_autofree char *sentence = g_strdup_printf ("It is tried again until %s.", until);
      append_wrapped (text, "    ", sentence);
    }
  if (recipient->diagnostic == NULL)
    return;
  g_autofree char *shown = reroute_dsn_hide_hosts (recipient->diagnostic, recipient->recipient);
  g_string_append (text, "\n    What was said:\n");
  append_wrapped (text, "      ", shown);
}

char *
reroute_dsn_format_text (const RerouteDsnRequest *request)
{
  g_autofree char *arrived = reroute_date_format (request->arrived_us);
  g_autofree char *about =
    g_strdup_printf ("This is the mail system %s. It took your message on %s "
                     "and knows it as %s.",
                     request->hostname,
                     arrived,
                     request->queue_id);
  GString *text = g_string_new (NULL);

  append_wrapped (text, "", about);
  g_string_append_c (text, '\n');
  if (request->kind == REROUTE_DSN_RELAYED)
    append_wrapped (text,
                    "",
                    "Your message was passed on for the recipients below, to a mail system that "
                    "does not tell when it is delivered. This is the last notice about them, "
                    "unless it fails there.");
  else if (request->kind == REROUTE_DSN_FAILED)
    append_wrapped (text,
                    "",
                    "Your message could not be delivered to the recipients below, and is not "
                    "tried again for them.");
  else
    append_wrapped (text,
                    "",
                    "Your message has not been delivered to the recipients below yet. You need "
                    "not do anything: it is tried again.");
  for (guint i = 0; i < request->n_recipients; i++)
    append_recipient_text (text, request, &request->recipients[i]);
  g_string_append_c (text, '\n');
  append_wrapped (text,
                  "",
                  "A report for programs and the headers of your message are attached. Nobody "
                  "reads answers to this notice.");
  return g_string_free (text, FALSE);
}

/* --- for programs --- */

/* "utf-8-addr-xtext" (RFC 6533 3): ASCII whatever the address is. */
static void
append_recipient_field (GString *text, const char *recipient)
{
  if (g_str_is_ascii (recipient))
    {
      g_string_append_printf (text, "Final-Recipient: rfc822; %s\n", recipient);
      return;
    }
  g_string_append (text, "Final-Recipient: utf-8; ");
  reroute_dsn_append_utf8_address (text, recipient);
  g_string_append_c (text, '\n');
}

static void
append_diagnostic_field (GString *text, const RerouteDsnRecipient *recipient)
{
  g_autofree char *shown = reroute_dsn_hide_hosts (recipient->diagnostic, recipient->recipient);
  g_autoptr (GString) folded = g_string_new (NULL);

  append_wrapped (folded, "    ", shown);
  g_string_append_printf (text, "Diagnostic-Code: smtp;\n%s", folded->str);
}

char *
reroute_dsn_format_status (const RerouteDsnRequest *request)
{
  g_autofree char *arrived = reroute_date_format (request->arrived_us);
  GString *text = g_string_new (NULL);

  if (request->envelope_id != NULL)
    {
      g_autofree char *id = reroute_dsn_decode_xtext (request->envelope_id);
      g_string_append_printf (text, "Original-Envelope-Id: %s\n", id);
    }
  g_string_append_printf (
    text, "Reporting-MTA: dns; %s\nArrival-Date: %s\n", request->hostname, arrived);
  for (guint i = 0; i < request->n_recipients; i++)
    {
      const RerouteDsnRecipient *recipient = &request->recipients[i];
      g_string_append_c (text, '\n');
      if (recipient->original != NULL)
        {
          g_autofree char *original = reroute_dsn_format_original (recipient->original);
          g_string_append_printf (text, "Original-Recipient: %s\n", original);
        }
      append_recipient_field (text, recipient->recipient);
      g_string_append_printf (text,
                              "Action: %s\nStatus: %s\n",
                              reroute_dsn_kind_to_string (request->kind),
                              status_of (request, recipient));
      if (recipient->diagnostic != NULL && *recipient->diagnostic != '\0')
        append_diagnostic_field (text, recipient);
      if (request->kind == REROUTE_DSN_DELAYED && recipient->will_retry_until_us > 0)
        {
          g_autofree char *until = reroute_date_format (recipient->will_retry_until_us);
          g_string_append_printf (text, "Will-Retry-Until: %s\n", until);
        }
    }
  return g_string_free (text, FALSE);
}
