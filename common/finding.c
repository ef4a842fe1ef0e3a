/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * finding.c - the table of what ruleset-check can find, and its sentences
 *
 * A finding travels as code and arguments and is put into words where a person reads it.
 */

#include "config.h"

#include "common/ruleset-check.h"
#include "common/finding-private.h"

#include "common/certificate-text.h"
#include "common/domain-private.h"
#include "common/error.h"
#include "common/pattern.h"

#include <glib/gi18n-lib.h>

static const char *const level_names[] = { "error", "confirm", "warning", "note" };

typedef struct
{
  const char *code;
  RerouteFindingLevel level;
  guint n_arguments;
  const char *sentence;
} Spec;

#define LEVEL(name) REROUTE_FINDING_##name

/* clang-format off */
static const Spec specs[] = {
  { "loop", LEVEL (ERROR), 1,
    /* Translators: %s is a chain of domains, drawn "a.test -> b.test -> a.test" */
    N_("Mail would go round in a circle and never leave: %s. Change one of these entries.") },
  { "chain-too-long", LEVEL (ERROR), 1,
    /* Translators: %s is a domain */
    N_("Mail for %s would be rerouted too often before it leaves. Reroute it to the last domain at once.") },
  { "duplicate", LEVEL (ERROR), 1,
    /* Translators: %s is a domain, perhaps with # in front */
    N_("There is a second entry for %s on this page. Remove one of them, or edit the one that stays.") },
  { "duplicate-hosts", LEVEL (ERROR), 1,
    N_("There is a second entry for %s on this page. One entry lists several hosts: add the host to it.") },
  { "inbound-host-missing", LEVEL (ERROR), 1,
    /* Translators: %s is a domain */
    N_("Mail for %s should be accepted as inbound, but no inbound host is set. Set the inbound host first.") },
  { "own-port", LEVEL (ERROR), 1,
    /* Translators: %s is a host with its port */
    N_("%s is this server itself: mail would come back for ever. Write the host that takes the mail.") },
  { "port-twice", LEVEL (ERROR), 2,
    /* Translators: two addresses with their ports, each with the name of its setting in brackets */
    N_("%s and %s are the same port, which can be listened on only once. Leave one of them out.") },
  { "source-address-twice", LEVEL (ERROR), 1,
    /* Translators: %s is a list of IP addresses */
    N_("Outgoing connections come from at most one address each of IPv4 and IPv6, and %s has two of one kind. "
       "Leave one of them out.") },
  { "tls-key-missing", LEVEL (WARNING), 0,
    N_("There are more or fewer keys than certificates. Name one key for each certificate, or none.") },
  { "anyone-single-label", LEVEL (CONFIRM), 1,
    /* Translators: %s is a single label such as "com" */
    N_("%s is a single word, and every stranger may send through this server to all domains below it. "
       "Are they all yours?") },
  { "anyone-public-suffix", LEVEL (CONFIRM), 1,
    /* Translators: %s is a domain such as "co.uk" */
    N_("Anyone can register a domain below %s, and every stranger may send through this server to all of "
       "them. Are they all yours?") },
  { "anyone-not-ours", LEVEL (CONFIRM), 1,
    /* Translators: %s is a domain */
    N_("Mail for %s is not sent to this server (its MX leads elsewhere), yet every stranger may send through "
       "this server to it. Choose “only permitted hosts” if this is your own mail going out.") },
  { "anyone-not-asked", LEVEL (CONFIRM), 1,
    /* Translators: %s is a number of domains */
    N_("The MX of some domains was not looked up (number of domains: %s), yet every stranger may send through "
       "this server to them. Choose “only permitted hosts” for those that are not yours.") },
  { "permitted-wide", LEVEL (CONFIRM), 1,
    /* Translators: %s is a range of addresses such as 0.0.0.0/0 */
    N_("Every host of %s may send through this server to any domain, and that is far more "
       "than one network. Are they all yours?") },
  { "xclient-wide", LEVEL (CONFIRM), 1,
    /* Translators: %s is a range of addresses such as 0.0.0.0/0 */
    N_("Every host of %s may say by XCLIENT that it is another one, such as one that may "
       "send to any domain. Are they all yours?") },
  { "proxy-wide", LEVEL (CONFIRM), 1,
    /* Translators: %s is a range of addresses such as 0.0.0.0/0 */
    N_("Every host of %s may say by the PROXY protocol that it is another one, such as one "
       "that may send to any domain. Are they all yours?") },
  { "never-acts-rerouted", LEVEL (WARNING), 3,
    /* Translators: the domain on the Connections page, the Routing entry, the target of that entry */
    N_("%s is on the Connections page too. The Routing entry %s sends its mail to %s first, so the entry there "
       "never acts.") },
  { "never-acts-inbound", LEVEL (WARNING), 2,
    /* Translators: the domain on the Connections page, the Routing entry */
    N_("%s is on the Connections page too. The Routing entry %s sends its mail to the inbound host, so the entry "
       "there never acts.") },
  { "both-pages-admission", LEVEL (WARNING), 2,
    /* Translators: the domain on the Connections page, the Routing entry */
    N_("%s is on the Connections page too. The Routing entry %s alone says who may send to it and how its recipients "
       "are checked, and the entry there says otherwise. Let both say the same.") },
  { "both-pages-leaves", LEVEL (WARNING), 2,
    /* Translators: the domain on the Connections page, the Routing entry */
    N_("%s is on the Connections page too. The Routing entry %s says that senders are rewritten, but that is up to "
       "the entry there, which does not say so. Let both say the same.") },
  { "list-empty", LEVEL (WARNING), 1,
    /* Translators: an entry: a domain, perhaps with # in front */
    N_("The entry %s takes mail for the recipients on its list only, and the list is empty: everybody but the "
       "postmaster is refused.") },
  { "call-ahead-by-dns", LEVEL (WARNING), 1,
    /* Translators: an entry: a domain, perhaps with # in front */
    N_("Recipients of the entry %s are asked for at the exchangers that DNS names. Hosts of others take that for "
       "spying and may shut this server out: ask hosts of your own alone.") },
  { "account-without-tls", LEVEL (WARNING), 2,
    /* Translators: an entry: a domain, perhaps with # in front; the name of an account */
    N_("TLS is never used for the entry %s, and without TLS the password of the account %s is told to this "
       "machine alone: its mail is put off until it expires. Choose another TLS level.") },
  /* Translators: an entry: a domain, perhaps with # in front */
  { "etrn-nobody", LEVEL (WARNING), 1,
    N_("Mail of the entry %s waits until a host asks for it by ETRN, and no host is permitted to: only a client that "
       "logs in can. Add the host to those that may relay.") },
  { "postmaster-missing", LEVEL (WARNING), 0,
    N_("Mail to the postmaster of this server has nowhere to go and is put off. Set the postmaster's mailbox or "
       "the inbound host.") },
  { "tls-certificate-missing", LEVEL (WARNING), 0,
    N_("Mail is to be received in TLS, but no certificate is set: clients are turned away there.") },
  { "certificate-unusable", LEVEL (WARNING), 1,
    /* Translators: %s is what is wrong with a file, without a full stop */
    N_("The relay says: %s") },
  { "always-relay-default", LEVEL (NOTE), 1,
    /* Translators: %s is a domain */
    N_("%s has no entry on the Connections page: its mail leaves by the default delivery.") },
  /* Translators: the entry that is off, the entry that acts */
  { "never-acts-disabled", LEVEL (NOTE), 2, N_("The entry %s is off. The entry %s acts instead.") },
  { "never-acts-disabled-alone", LEVEL (NOTE), 1, N_("The entry %s is off. No other entry acts instead.") },
  { "target-covered", LEVEL (NOTE), 2,
    /* Translators: the entry, its target */
    N_("The entry %s covers its own target %s: mail that was rerouted there is not rerouted again.") },
  { "reroute-off", LEVEL (NOTE), 0,
    N_("Incoming mail is not rerouted: the Routing table is not used.") },
  /* Translators: a number of findings */
  { "more", LEVEL (NOTE), 1, N_("%s more findings are not listed.") },
};
/* clang-format on */

static const Spec *
find_spec (const char *code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (specs); i++)
    if (g_str_equal (specs[i].code, code))
      return &specs[i];
  return NULL;
}

/* NULL when the code is not known here, or comes with other arguments. */
static const Spec *
get_spec (const RerouteFinding *self)
{
  const Spec *spec = find_spec (self->code);
  guint n = self->arguments != NULL ? g_strv_length (self->arguments) : 0;

  return spec != NULL && n == spec->n_arguments ? spec : NULL;
}

static char *
fill (const char *sentence, char *const *arguments)
{
  char *none[] = { NULL };

  return reroute_pattern_fill (sentence, arguments != NULL ? arguments : none);
}

void
reroute_finding_translate (RerouteFinding *self)
{
  const Spec *spec;
  g_auto (GStrv) arguments = NULL;

  g_return_if_fail (self != NULL);

  spec = get_spec (self);
  if (spec == NULL)
    return;
  arguments = g_strdupv (self->arguments);
  if (g_str_equal (self->code, "certificate-unusable"))
    reroute_certificate_translate (&arguments[0]);
  g_free (self->sentence);
  self->sentence = fill (_ (spec->sentence), arguments);
}

char *
reroute_finding_dup_english (const RerouteFinding *self)
{
  const Spec *spec;

  g_return_val_if_fail (self != NULL, NULL);

  spec = get_spec (self);
  return spec != NULL ? fill (spec->sentence, self->arguments) : g_strdup (self->sentence);
}

RerouteFinding *
reroute_finding_new (const char *code, const char *const *arguments)
{
  const Spec *spec = find_spec (code);
  RerouteFinding *self = g_new0 (RerouteFinding, 1);

  g_assert (spec != NULL && g_strv_length ((char **) arguments) == spec->n_arguments);
  self->level = spec->level;
  self->code = g_strdup (code);
  self->arguments = g_strdupv ((char **) arguments);
  self->path = g_new0 (char *, 1);
  self->key = g_strdup ("");
  self->rows = g_array_new (FALSE, FALSE, sizeof (RerouteRowRef));
  reroute_finding_translate (self);
  return self;
}

RerouteFinding *
reroute_finding_new_certificate (const char *remark)
{
  const char *const arguments[] = { remark, NULL };

  g_return_val_if_fail (remark != NULL, NULL);

  return reroute_finding_new ("certificate-unusable", arguments);
}

void
reroute_finding_add_row (RerouteFinding *self, const RerouteRow *row)
{
  RerouteRowRef ref = { .page = row->page, .id = row->id };

  g_array_append_val (self->rows, ref);
}

void
reroute_finding_free (RerouteFinding *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->code);
  g_free (self->sentence);
  g_strfreev (self->arguments);
  g_strfreev (self->path);
  g_free (self->key);
  g_clear_pointer (&self->rows, g_array_unref);
  g_free (self);
}

const char *
reroute_finding_level_to_string (RerouteFindingLevel level)
{
  g_return_val_if_fail ((guint) level < G_N_ELEMENTS (level_names), NULL);

  return level_names[level];
}

gboolean
reroute_finding_level_from_string (const char *text, RerouteFindingLevel *level, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (level_names); i++)
    if (g_strcmp0 (text, level_names[i]) == 0)
      {
        *level = (RerouteFindingLevel) i;
        return TRUE;
      }
  g_autofree char *value = reroute_quote_value (text != NULL ? text : "", -1);
  g_set_error (
    error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "a finding of the level %s is unknown", value);
  return FALSE;
}
