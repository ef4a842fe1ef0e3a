/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * diagnosis.c - the table of what an examination of the service can find, its sentences and advice
 */

#include "config.h"

#include "common/diagnosis.h"

#include "common/codec-private.h"
#include "common/domain-private.h"
#include "common/error.h"
#include "common/certificate-text.h"
#include "common/pattern.h"

#include <glib/gi18n-lib.h>
#include <stdarg.h>
#include <string.h>

#define ARGUMENTS_MOST 8

static const char *const level_names[] = { "ok", "note", "warning", "error" };

/* clang-format off */
static const RerouteDiagnosisCheck checks[] = {
  { "name", N_("the host name in DNS, forward and back") },
  { "ipv6", N_("whether the relay receives where an AAAA record leads") },
  { "spf", N_("whether SPF allows rewritten senders") },
  { "outbound", N_("whether hosts that mail goes to answer") },
  { "listeners", N_("whether the relay receives where the settings say") },
  { "connections", N_("whether all connections have room") },
  { "certificate", N_("the certificate that clients are shown") },
  { "relaying", N_("whether strangers could send through this server") },
  { "postmaster", N_("whether mail to the postmaster arrives") },
  { "spool", N_("room for the queue") },
  { "queue", N_("how long mail has been waiting") },
  { "clock", N_("the clock of the server") },
  { "bus", N_("whether both services are on the bus") },
  { "rules", N_("whether the saved rules are in force and sound") },
  { "versions", N_("whether the programs fit together") },
  { NULL, NULL },
};

typedef struct
{
  const char *check; /* NULL: the first argument says */
  const char *code;
  RerouteDiagnosisLevel level;
  guint n_arguments;
  const char *text;
  const char *advice; /* NULL: nothing to do */
} Spec;

#define LEVEL(name) REROUTE_DIAGNOSIS_##name

static const Spec specs[] = {
  { NULL, "unfinished", LEVEL (WARNING), 1,
    N_("This check was not finished in time."),
    N_("Repeat it alone: reroutectl doctor --only=%s") },

  /* Translators: a host name, IP addresses */
  { "name", "name-leads", LEVEL (OK), 2, N_("The relay goes by the name %s, which leads to %s."), NULL },
  /* Translators: an IP address, a host name */
  { "name", "reverse-ok", LEVEL (OK), 2, N_("%s leads back to %s."), NULL },
  { "name", "name-unresolved", LEVEL (ERROR), 1,
    /* Translators: %s is a host name */
    N_("DNS has no address for %s, the name that the relay goes by."),
    N_("Publish its A or AAAA record, or set “hostname” to a name that has one.") },
  { "name", "dns-silent", LEVEL (WARNING), 2,
    /* Translators: a name or an address, an error text */
    N_("DNS gives no answer about %s: %s."),
    N_("See the setting “dns-servers”, and whether they can be reached.") },
  { "name", "name-loopback", LEVEL (WARNING), 2,
    /* Translators: a host name, an IP address */
    N_("%s leads to %s, which is the loopback of this machine: where it leads others cannot be told."),
    N_("Take the name out of /etc/hosts, or name the address that others see in “own-addresses”.") },
  { "name", "name-elsewhere", LEVEL (WARNING), 2,
    /* Translators: a host name, an IP address */
    N_("%s leads to %s, which is no address of this machine."),
    N_("Correct the record; behind address translation, name the address in “own-addresses”.") },
  { "name", "reverse-missing", LEVEL (ERROR), 2,
    /* Translators: %s is an IP address */
    N_("No name belongs to %s: many hosts refuse mail from such an address."),
    /* Translators: an IP address, a host name */
    N_("Have your provider set the PTR record of %s to %s.") },
  { "name", "reverse-other", LEVEL (WARNING), 3,
    /* Translators: an IP address, a host name, another one */
    N_("%s belongs to the name %s, not to %s."),
    /* Translators: an IP address, a host name, another one */
    N_("Have your provider change the PTR record of %1$s to %3$s, or set “hostname” to %2$s.") },

  { "ipv6", "ipv6-unused", LEVEL (OK), 1,
    /* Translators: %s is a host name */
    N_("%s has no AAAA record, so nobody comes by IPv6."), NULL },
  { "ipv6", "ipv6-ok", LEVEL (OK), 1, N_("The relay answers at %s."), NULL },
  { "ipv6", "ipv6-deaf", LEVEL (WARNING), 2,
    /* Translators: a host name, an IPv6 address */
    N_("%s has the AAAA record %s, where the relay does not receive: other hosts try it in vain."),
    N_("Add the address to “listen”, or take the record out of DNS.") },
  { "ipv6", "ipv6-silent", LEVEL (WARNING), 2,
    /* Translators: an IPv6 address, an error text */
    N_("The relay does not answer at %s: %s."),
    N_("See whether a firewall of this machine is in the way.") },

  { "spf", "spf-unused", LEVEL (OK), 0, N_("Senders are not rewritten: SPF is not concerned."), NULL },
  /* Translators: a domain, IP addresses */
  { "spf", "spf-ok", LEVEL (OK), 2, N_("SPF of %s allows %s."), NULL },
  { "spf", "spf-missing", LEVEL (WARNING), 2,
    /* Translators: %s is a domain */
    N_("%s, where senders are rewritten, has no SPF record."),
    /* Translators: a domain, the text of a record */
    N_("Publish a TXT record of %s: “%s”") },
  { "spf", "spf-several", LEVEL (ERROR), 2,
    N_("%1$s has more than one SPF record, so none counts."),
    N_("Make one record of them.") },
  { "spf", "spf-refused", LEVEL (ERROR), 2,
    /* Translators: a domain, an IP address */
    N_("SPF of %s does not allow %s: mail with rewritten senders is refused elsewhere."),
    /* Translators: a domain, an IP address */
    N_("Add %2$s to the SPF record of %1$s.") },
  { "spf", "spf-untold", LEVEL (NOTE), 3,
    /* Translators: a domain, an IP address, a term of an SPF record or an error text */
    N_("Whether SPF of %s allows %s cannot be told: %s."),
    N_("Ask a checker of SPF on the web.") },

  /* Translators: %s is a host */
  { "outbound", "outbound-ok", LEVEL (OK), 1, N_("%s answers."), NULL },
  { "outbound", "outbound-failed", LEVEL (WARNING), 2,
    /* Translators: a host, an error text */
    N_("%s does not answer: %s."),
    N_("See with “reroutectl queue list” whether mail waits for it.") },
  { "outbound", "outbound-closed", LEVEL (ERROR), 2,
    /* Translators: a host, an error text */
    N_("%s does not answer, and nobody else does: %s."),
    N_("See whether a firewall, or your provider, closes port 25 outward.") },
  { "outbound", "outbound-unresolved", LEVEL (WARNING), 2,
    /* Translators: a domain or a host, an error text */
    N_("Where mail for %s goes cannot be found out: %s."),
    N_("Correct the host of the entry, or the records of the domain.") },
  { "outbound", "outbound-untested", LEVEL (NOTE), 0,
    N_("No mail has gone out, and no host is set: the way out was not tried."),
    N_("Name a domain to try: reroutectl doctor --probe=DOMAIN") },

  /* Translators: %s is a list of addresses with ports */
  { "listeners", "listeners-ok", LEVEL (OK), 1, N_("The relay receives on %s."), NULL },
  { "listeners", "listener-missing", LEVEL (ERROR), 1,
    /* Translators: %s is an address with a port */
    N_("The relay does not receive on %s."),
    N_("See “reroutectl log” for the reason: another program may have the port.") },

  /* Translators: two numbers */
  { "connections", "connections-ok", LEVEL (OK), 2, N_("%s open files are permitted, and %s may be needed."), NULL },
  { "connections", "connections-few", LEVEL (WARNING), 4,
    /* Translators: four numbers, of which the fourth stands in the advice */
    N_("%s open files are permitted: enough for %s connections from clients and %s to other hosts, fewer than the settings allow."),
    N_("Set LimitNOFILE=%4$s by “systemctl edit reroute-relayd”, or lower the settings.") },

  { "certificate", "certificate-ok", LEVEL (OK), 2,
    /* Translators: a host name, a date */
    N_("The certificate is for %s and ends on %s."), NULL },
  { "certificate", "certificate-none", LEVEL (NOTE), 0,
    N_("Clients are not offered TLS."),
    N_("Set “tls-certificate” and “tls-key”.") },
  { "certificate", "certificate-expired", LEVEL (ERROR), 1,
    /* Translators: %s is a date */
    N_("The certificate has expired on %s."),
    N_("Renew it; the relay reads its files again by itself.") },
  { "certificate", "certificate-ending", LEVEL (WARNING), 1,
    N_("The certificate ends on %s."),
    N_("Renew it; the relay reads its files again by itself.") },
  { "certificate", "certificate-other-name", LEVEL (WARNING), 2,
    /* Translators: a host name, other host names */
    N_("The certificate is not for %s, but for %s."),
    N_("Get one for the host name, or set “hostname” to a name that it is for.") },
  { "certificate", "certificate-self-signed", LEVEL (NOTE), 0,
    N_("The certificate is signed by itself: hosts that demand a verified one do not send here."),
    N_("Get one of an authority, if such hosts shall send here.") },
  { "certificate", "certificate-untrusted", LEVEL (WARNING), 1,
    /* Translators: %s is an error text */
    N_("Hosts that verify the certificate do not trust it: %s."),
    N_("Put the certificates of its authorities behind it in the file of “tls-certificate”.") },
  { "certificate", "certificate-unusable", LEVEL (ERROR), 1,
    N_("The certificate cannot be used: %s."),
    N_("Correct the files of “tls-certificate” and “tls-key”.") },
  { "certificate", "certificate-unseen", LEVEL (WARNING), 2,
    /* Translators: an address with a port, an error text */
    N_("At %s no certificate was shown: %s."),
    N_("See “reroutectl log --category=tls”.") },

  { "relaying", "relaying-refused", LEVEL (OK), 1,
    /* Translators: %s is a number */
    N_("Strangers cannot send through this server to others: %s attempts were refused."), NULL },
  { "relaying", "relaying-open", LEVEL (ERROR), 3,
    /* Translators: a command of SMTP, an IP address, a reply of SMTP */
    N_("Anyone may send through this server: “%s” from %s was answered “%s”."),
    N_("Correct “permitted-hosts”, or the entry that “reroutectl explain” names.") },
  { "relaying", "relaying-deferred", LEVEL (NOTE), 3,
    /* Translators: a command of SMTP, an IP address, a reply of SMTP */
    N_("Whether strangers may send through this server was not decided: “%s” from %s was answered “%s”."),
    N_("Repeat it when the relay has its rules.") },

  /* Translators: %s is a host or a domain */
  { "postmaster", "postmaster-ok", LEVEL (OK), 1, N_("Mail to the postmaster goes to %s."), NULL },
  { "postmaster", "postmaster-unset", LEVEL (ERROR), 0,
    N_("No mailbox is set for the postmaster of this server."),
    N_("Set “postmaster” to an address that somebody reads.") },
  { "postmaster", "postmaster-refused", LEVEL (ERROR), 1,
    /* Translators: %s is a reply of SMTP */
    N_("A notice to the postmaster of this server is refused: “%s”."),
    N_("See “reroutectl explain postmaster”.") },
  { "postmaster", "postmaster-unreachable", LEVEL (WARNING), 1,
    /* Translators: %s is an error text */
    N_("Mail to the postmaster cannot be delivered: %s."),
    N_("See “reroutectl explain postmaster”.") },

  /* Translators: a size, a number of files */
  { "spool", "spool-ok", LEVEL (OK), 2, N_("There is room for %s and %s files."), NULL },
  { "spool", "spool-low", LEVEL (WARNING), 2,
    /* Translators: a size, a directory */
    N_("Only %s are free for the queue in %s."),
    N_("Make room there, before mail is put off.") },
  { "spool", "spool-few-files", LEVEL (WARNING), 2,
    /* Translators: a number of files, a directory */
    N_("Only %s more files are possible in %s."),
    N_("Remove files there, before mail is put off.") },
  { "spool", "spool-failing", LEVEL (ERROR), 2,
    /* Translators: a directory, an error text */
    N_("The queue cannot be written in %s, so mail is put off: %s."),
    N_("Make room, or see the disk and the permissions of the directory.") },
  { "spool", "spool-damaged", LEVEL (ERROR), 1,
    /* Translators: %s is a directory */
    N_("Damage was found in the queue; what could not be read is kept in %s."),
    N_("Mail may be lost: see the disk, and “journalctl -u reroute-relayd”. Once you have looked at the files damaged-* there, move them away.") },

  { "queue", "queue-empty", LEVEL (OK), 0, N_("No mail waits."), NULL },
  /* Translators: %s is a time */
  { "queue", "queue-waits", LEVEL (OK), 1, N_("The oldest mail waits since %s."), NULL },
  { "queue", "queue-old", LEVEL (WARNING), 1,
    N_("The oldest mail waits since %s, longer than its senders are left without a notice."),
    N_("See “reroutectl queue list --by=next-hop” for the reasons.") },
  { "queue", "queue-unread", LEVEL (NOTE), 0,
    N_("What waited at the start is still being read."),
    N_("Ask again in a while.") },

  { "clock", "clock-synchronised", LEVEL (OK), 1, N_("It is %s, and the clock is synchronised."), NULL },
  { "clock", "clock-plausible", LEVEL (OK), 1, N_("It is %s."), NULL },
  { "clock", "clock-wrong", LEVEL (ERROR), 1,
    N_("The clock says %s, which cannot be."),
    N_("Set the clock, and have it synchronised: timedatectl set-ntp yes") },
  { "clock", "clock-unsynchronised", LEVEL (WARNING), 1,
    N_("The clock is not synchronised; it says %s."),
    N_("Have it synchronised: timedatectl set-ntp yes") },

  /* Translators: a name on the bus, the number of a process, the number of a user */
  { "bus", "bus-owned", LEVEL (OK), 3, N_("%s is process %s of user %s."), NULL },
  { "bus", "rules-away", LEVEL (ERROR), 1,
    /* Translators: %s is a sentence that says what is away */
    N_("The rules cannot be asked: %s"),
    N_("Start the service: systemctl start reroute-rulesd") },
  { "bus", "relay-away", LEVEL (ERROR), 1,
    N_("The relay cannot be asked: %s"),
    N_("Start the service: systemctl start reroute-relayd") },

  { "rules", "rules-in-force", LEVEL (OK), 1,
    /* Translators: the number of a generation of the rules */
    N_("The relay runs the rules %s, the newest."), NULL },
  { "rules", "rules-behind", LEVEL (ERROR), 2,
    /* Translators: numbers of generations of the rules */
    N_("The relay runs the rules %s, but %s are saved."),
    N_("See “reroutectl log --category=rules”.") },
  { "rules", "rules-none", LEVEL (ERROR), 0,
    N_("The relay has no rules and puts all mail off."),
    N_("See “journalctl -u reroute-rulesd”.") },
  { "rules", "rules-unsound", LEVEL (ERROR), 1,
    /* Translators: %s is a sentence about the rules */
    N_("The rules have an error: %s"), N_("Correct it; “reroutectl check” lists all there is.") },
  { "rules", "rules-doubtful", LEVEL (WARNING), 1,
    N_("The rules deserve a look: %s"), N_("“reroutectl check” lists all there is.") },

  { "versions", "versions-same", LEVEL (OK), 1,
    /* Translators: %s is the version of a program */
    N_("reroutectl and both services are of version %s."), NULL },
  { "versions", "versions-differ", LEVEL (WARNING), 3,
    /* Translators: versions of programs */
    N_("reroutectl is of version %s, reroute-rulesd of %s, reroute-relayd of %s."),
    N_("Upgrade all of them, and restart the services: systemctl restart reroute-rulesd reroute-relayd") },
  /* Translators: numbers of versions */
  { "versions", "versions-formats", LEVEL (OK), 1, N_("The format of the spool is %s."), NULL },
  { "versions", "versions-schema", LEVEL (OK), 1, N_("The schema of the database is %s."), NULL },
  /* Translators: %s is a list of libraries with their versions */
  { "versions", "versions-libraries", LEVEL (OK), 1, N_("The relay runs with %s."), NULL },
  { "versions", "library-old", LEVEL (WARNING), 3,
    /* Translators: a library, its version, another version of it */
    N_("%s is of version %s, but the relay was built with %s."),
    N_("Upgrade the library, or install the package of the relay for this system.") },
};
/* clang-format on */

const RerouteDiagnosisCheck *
reroute_diagnosis_get_checks (void)
{
  return checks;
}

gboolean
reroute_diagnosis_is_check (const char *name)
{
  gsize i = 0;

  g_return_val_if_fail (name != NULL, FALSE);

  while (checks[i].name != NULL && !g_str_equal (checks[i].name, name))
    i++;
  return checks[i].name != NULL;
}

/* (nullable) */
static const Spec *
find_spec (const char *code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (specs); i++)
    if (g_str_equal (specs[i].code, code))
      return &specs[i];
  return NULL;
}

/* What others have said goes to a terminal.  @text: (transfer full) */
static char *
make_harmless (char *text)
{
  char *valid = g_utf8_make_valid (text, -1);

  for (char *c = valid; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  g_free (text);
  return g_strstrip (valid);
}

RerouteDiagnosis *
reroute_diagnosis_new_v (const char *code, const char *const *arguments)
{
  g_return_val_if_fail (code != NULL && arguments != NULL, NULL);

  const Spec *spec = find_spec (code);
  RerouteDiagnosis *self = g_new0 (RerouteDiagnosis, 1);

  g_assert (spec != NULL && g_strv_length ((char **) arguments) == spec->n_arguments);
  self->level = spec->level;
  self->code = g_strdup (code);
  self->arguments = g_new0 (char *, spec->n_arguments + 1);
  for (guint i = 0; i < spec->n_arguments; i++)
    self->arguments[i] = make_harmless (g_strdup (arguments[i]));
  self->check = g_strdup (spec->check != NULL ? spec->check : self->arguments[0]);
  return self;
}

RerouteDiagnosis *
reroute_diagnosis_new (const char *code, ...)
{
  const char *arguments[ARGUMENTS_MOST + 1] = { NULL };
  va_list list;
  gsize n = 0;

  va_start (list, code);
  while (n < ARGUMENTS_MOST && (arguments[n] = va_arg (list, const char *)) != NULL)
    n++;
  va_end (list);
  return reroute_diagnosis_new_v (code, arguments);
}

void
reroute_diagnosis_free (RerouteDiagnosis *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->check);
  g_free (self->code);
  g_strfreev (self->arguments);
  g_free (self);
}

const char *
reroute_diagnosis_level_to_string (RerouteDiagnosisLevel level)
{
  g_return_val_if_fail ((guint) level < G_N_ELEMENTS (level_names), NULL);

  return level_names[level];
}

/* --- words --- */

/* NULL when the code is not known here, or comes with other arguments. */
static const Spec *
get_spec (const RerouteDiagnosis *self)
{
  const Spec *spec = find_spec (self->code);

  return spec != NULL && g_strv_length (self->arguments) == spec->n_arguments ? spec : NULL;
}

char *
reroute_diagnosis_dup_text (const RerouteDiagnosis *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  const Spec *spec = get_spec (self);
  g_auto (GStrv) arguments = g_strdupv (self->arguments);
  g_autofree char *joined = NULL;

  if (spec != NULL && g_str_equal (self->code, "certificate-unusable"))
    reroute_certificate_translate (&arguments[0]);
  if (spec != NULL)
    return reroute_pattern_fill (_ (spec->text), arguments);
  joined = g_strjoinv (", ", self->arguments);
  return g_strdup_printf ("%s: %s", self->code, joined);
}

char *
reroute_diagnosis_dup_advice (const RerouteDiagnosis *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  const Spec *spec = get_spec (self);

  return spec != NULL && spec->advice != NULL
    ? reroute_pattern_fill (_ (spec->advice), self->arguments)
    : g_strdup ("");
}

/* --- over the bus --- */

GVariant *
reroute_diagnoses_to_variant (GPtrArray *diagnoses)
{
  g_return_val_if_fail (diagnoses != NULL, NULL);

  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a" REROUTE_DIAGNOSIS_TYPE));
  for (guint i = 0; i < diagnoses->len; i++)
    {
      const RerouteDiagnosis *each = diagnoses->pdata[i];

      g_variant_builder_add (
        &builder, "(sss^as)", level_names[each->level], each->check, each->code, each->arguments);
    }
  return g_variant_builder_end (&builder);
}

static gboolean
parse_level (const char *text, RerouteDiagnosisLevel *level, GError **error)
{
  g_autofree char *value = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (level_names); i++)
    if (g_str_equal (text, level_names[i]))
      {
        *level = (RerouteDiagnosisLevel) i;
        return TRUE;
      }
  value = reroute_quote_value (text, -1);
  g_set_error (
    error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "a diagnosis of the level %s is unknown", value);
  return FALSE;
}

GPtrArray *
reroute_diagnoses_from_variant (GVariant *variant, GError **error)
{
  g_return_val_if_fail (variant != NULL, NULL);

  g_autoptr (GPtrArray) diagnoses =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_diagnosis_free);
  gsize n;

  if (!reroute_codec_check_type (variant, "a" REROUTE_DIAGNOSIS_TYPE, error))
    return NULL;
  n = g_variant_n_children (variant);
  for (gsize i = 0; i < n; i++)
    {
      RerouteDiagnosis *each = g_new0 (RerouteDiagnosis, 1);
      const char *level;

      g_ptr_array_add (diagnoses, each);
      g_variant_get_child (
        variant, i, "(&sss^as)", &level, &each->check, &each->code, &each->arguments);
      if (!parse_level (level, &each->level, error))
        return NULL;
      for (char **argument = each->arguments; *argument != NULL; argument++)
        *argument = make_harmless (*argument);
    }
  return g_steal_pointer (&diagnoses);
}
