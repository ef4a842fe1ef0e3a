/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * step-text.c - the steps of an explanation, in the reader's language
 *
 * The services send each step as a code and an English sentence.  The sentence is held against the
 * pattern of its code, and what stands in its places goes into the translated pattern; one that
 * fits no pattern is shown as it came.
 */

#include "config.h"

#include "common/step-text.h"

#include "common/certificate-text.h"
#include "common/pattern.h"

#include <glib/gi18n-lib.h>

typedef struct
{
  const char *code;
  const char *pattern; /* each %s is a place */
} Pattern;

/* Translators: a reply code of SMTP with its status, "550 5.7.1"; its text, in English */
#define REFUSED N_ ("Refused with %s: %s.")

/* clang-format off */
static const Pattern patterns[] = {
  { "admitted-authenticated", N_("The client has authenticated and may send to any domain.") },
  { "admitted-permitted", N_("The client is a permitted host and may send to any domain.") },
  { "client-forbidden", N_("The client is a host whose connections are rejected.") },
  /* Translators: %s is a domain, perhaps with # in front */
  { "admitted-entry", N_("The entry %s accepts mail from anyone.") },
  { "entry-permitted-only",
    N_("The entry %s accepts mail from permitted hosts only, and this client is none.") },
  { "call-ahead",
    N_("The entry %s has the next host asked whether it knows the recipient.") },
  { "listed", N_("The list of the entry %s has the recipient.") },
  { "not-listed", N_("The list of the entry %s does not have the recipient.") },
  { "srs-reverse",
    /* Translators: %s is an address */
    N_("It is the sender %s as this server has rewritten it: a notice to it is taken from anyone.") },
  { "no-entry", N_("No entry covers %s, and the client is not a permitted host.") },
  { "inbound-host-missing", N_("No inbound host is set.") },
  /* Translators: %s is a host, or the path of a socket */
  { "to-inbound-host", N_("It goes to the inbound host, %s, by LMTP.") },
  /* Translators: %s is a host */
  { "to-inbound-host", N_("It goes to the inbound host, %s.") },
  { "loop", N_("The entry %s was used before: mail would go round in a circle.") },
  { "loop", N_("At the entry %s the chain of entries is too long.") },
  /* Translators: an entry, the old domain, the new domain */
  { "rewritten", N_("The entry %s replaces the domain %s by %s.") },
  { "routing-off", N_("Incoming mail is not rerouted: the Routing table is not used.") },
  { "routing-none", N_("No Routing entry covers %s.") },
  /* Translators: an entry, a domain */
  { "routing-match", N_("The Routing entry %s covers %s.") },
  { "relay", N_("It says always relay: the recipient stays as it is.") },
  { "routing-self", N_("The entry leads to %s itself: there it ends.") },
  { "postmaster", N_("Mail to this server's postmaster goes to %s.") },
  { "postmaster-missing", N_("No mailbox is set for mail to this server's postmaster.") },
  { "by-address", N_("It goes to the address %s.") },
  { "by-dns", N_("It goes to the exchangers that DNS names for %s.") },
  /* Translators: %s is a list of hosts */
  { "by-hosts", N_("It goes to %s by turns.") },
  { "by-hosts", N_("It goes to %s.") },
  /* Translators: an entry, a domain */
  { "connections-match", N_("The Connections entry %s covers %s.") },
  { "connections-none", N_("No Connections entry covers %s: the default delivery acts.") },
  /* Translators: %s is a level as it is typed: none, opportunistic, encrypted, verified */
  { "tls-level", N_("TLS of the connection: %s.") },
  /* Translators: %s is the name of an account at another host */
  { "account", N_("It logs in there to the account %s.") },
  /* Translators: %s is the name of a file on the server */
  { "certificate", N_("It shows there the certificate %s.") },
  /* Translators: %s is what is wrong with a file */
  { "certificate-unusable", N_("The certificate cannot be shown, so mail waits: %s.") },
  /* Translators: %s is a domain */
  { "etrn", N_("It waits here until a host asks for mail for %s by ETRN.") },
  { "srs",
    /* Translators: %s is a domain */
    N_("It leaves our organisation: a sender that is not ours is rewritten at %s.") },
  { "srs-off",
    N_("It leaves our organisation with its sender as it is: no domain is set for SRS.") },
  /* Translators: %s is a list of hosts with their addresses */
  { "next-hop-found", N_("It is tried in this order: %s.") },
  { "sts-policy",
    /* Translators: %s is a domain */
    N_("The MTA-STS policy of %s demands TLS with a certificate for the exchanger.") },
  { "sts-policy",
    N_("The MTA-STS policy of %s is on trial: what it would refuse is only logged.") },
  /* Translators: a domain, a host */
  { "sts-stranger", N_("The MTA-STS policy of %s does not name the exchanger %s.") },
  /* Translators: %s is what went wrong */
  { "dns-no-answer", N_("DNS gives no answer now; mail waits: %s.") },
  /* Translators: a status code, what went wrong */
  { "next-hop-none", N_("It cannot be delivered (%s): %s.") },
  /* Translators: %s is an address */
  { "leaves", N_("It leaves as %s.") },
  { "refused", REFUSED },
  { "mode", REFUSED },
  { "no-domain", REFUSED },
  { "source-routed", REFUSED },
};
/* clang-format on */

char *
reroute_step_dup_text (const char *code, const char *sentence, char ***arguments)
{
  g_return_val_if_fail (code != NULL && sentence != NULL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (patterns); i++)
    {
      g_auto (GStrv) found = NULL;
      char *text;

      if (!g_str_equal (patterns[i].code, code))
        continue;
      found = reroute_pattern_match (patterns[i].pattern, sentence);
      if (found == NULL)
        continue;
      if (g_str_equal (code, "certificate-unusable"))
        reroute_certificate_translate (&found[0]);
      text = reroute_pattern_fill (_ (patterns[i].pattern), found);
      if (arguments != NULL)
        *arguments = g_steal_pointer (&found);
      return text;
    }
  if (arguments != NULL)
    *arguments = NULL;
  return g_strdup (sentence);
}
