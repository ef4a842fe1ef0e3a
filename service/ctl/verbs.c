/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * verbs.c - the table of everything that reroutectl does
 *
 * main.c, --help and the man page's test read it.
 */

#include "config.h"

#include "service/ctl/ctl.h"

#include <glib/gi18n.h>

#define REACH " [--exact]"
#define TLS " [--tls=none|opportunistic|encrypted|verified]"
#define ACCOUNT " [--account=NAME]"
#define CERTIFICATE " [--certificate=FILE]"
#define ETRN " [--queue-for-etrn=yes|no]"
#define ROW_VALUES                                                                                 \
  " [--accept-from=anyone|permitted] [--leaves=yes|no] [--recipient-check=none|call-ahead|list]"   \
  " [--comment=TEXT]"
#define ROW_OPTIONS ROW_VALUES " [--off]"
#define EDIT_OPTIONS ROW_VALUES " [--on|--off] [--confirm]"
#define MESSAGES "ID...|(--next-hop=HOP|--entry=ENTRY|--state=STATE|--matching=TEXT)...|--all"

/* clang-format off */
static const RerouteVerb verbs[] = {
  { "status", "", N_("what the relay and the rules are doing"), reroute_ctl_status },
  { "routing list", "[TEXT]", N_("the rows of the Routing page"), reroute_ctl_routing_list },
  { "routing add", "DOMAIN (--reroute-to=DOMAIN|--inbound|--relay)" REACH ROW_OPTIONS,
    N_("add a row to the Routing page"), reroute_ctl_routing_add },
  { "routing edit", "DOMAIN [--reroute-to=DOMAIN|--inbound|--relay]" EDIT_OPTIONS,
    N_("change a row of the Routing page"), reroute_ctl_routing_edit },
  { "routing remove", "DOMAIN", N_("remove a row from the Routing page"), reroute_ctl_routing_remove },
  { "connections list", "[TEXT]", N_("the E-Mail Domain rows of the Connections page"),
    reroute_ctl_connections_list },
  { "connections add", "DOMAIN (--host=HOST[:PORT][,...]|--dns) [--mx] [--by-turns]" TLS ACCOUNT CERTIFICATE ETRN REACH ROW_OPTIONS,
    N_("add an E-Mail Domain row"), reroute_ctl_connections_add },
  { "connections edit", "DOMAIN [--host=HOST[:PORT][,...]|--dns] [--mx] [--by-turns|--in-order]" TLS ACCOUNT CERTIFICATE ETRN EDIT_OPTIONS,
    N_("change an E-Mail Domain row"), reroute_ctl_connections_edit },
  { "connections remove", "DOMAIN", N_("remove an E-Mail Domain row"), reroute_ctl_connections_remove },
  { "recipients list", "[DOMAIN]", N_("the recipients that exist, for entries with the check list"),
    reroute_ctl_recipients_list },
  { "recipients add", "DOMAIN ADDRESS...", N_("add to the list of a domain"), reroute_ctl_recipients_add },
  { "recipients remove", "DOMAIN ADDRESS...", N_("take off the list of a domain"),
    reroute_ctl_recipients_remove },
  { "recipients import", "[--replace] DOMAIN FILE", N_("add an address a line to the list of a domain"),
    reroute_ctl_recipients_import },
  { "settings list", "", N_("every setting and its value"), reroute_ctl_settings_list },
  { "settings get", "KEY", N_("the value of a setting"), reroute_ctl_settings_get },
  { "settings set", "KEY [VALUE] [--confirm]", N_("give a setting a value; without one, its default"),
    reroute_ctl_settings_set },
  { "account list", "", N_("who may log in here, and what the relay logs in with elsewhere"),
    reroute_ctl_account_list },
  { "account add", "NAME [--out [--user=USER] [--token-file=FILE|--token-command=NAME]] [--password-stdin]",
    N_("let a client log in; with --out: let the relay log in for rows with this account"),
    reroute_ctl_account_add },
  { "account remove", "NAME [--out]", N_("remove an account of clients; with --out: one that the relay logs in with"), reroute_ctl_account_remove },
  { "explain", "ADDRESS [--from=CLIENT-IP]", N_("which way a recipient goes, and why"),
    reroute_ctl_explain },
  { "check", "", N_("what is wrong with the rules"), reroute_ctl_check },
  { "doctor", "[--only=CHECK[,...]] [--probe=DOMAIN]",
    N_("whether the service is set up well, and what to do where it is not"), reroute_ctl_doctor },
  { "history", "", N_("the generations of the rules"), reroute_ctl_history },
  { "revert", "SERIAL [--confirm]", N_("bring a generation back, as a new one"), reroute_ctl_revert },
  { "import", "[--dry-run] [--replace] FILE", N_("add or update rows from CSV"), reroute_ctl_import },
  { "export", "[FILE]", N_("write every row as CSV"), reroute_ctl_export },
  { "backup", "[--force] FILE", N_("keep rules, settings and history in a file"), reroute_ctl_backup },
  { "restore", "[--dry-run] [--yes] FILE", N_("put a backup in force, as a new generation"),
    reroute_ctl_restore },
  { "log", "[--follow] [--category=NAME[,...]] [TEXT]",
    N_("the last lines of the relay's log; with --follow also those that come"), reroute_ctl_log },
  { "track show", "ID", N_("what became of one message, from its arrival on"),
    reroute_ctl_track_show },
  { "track",
    "[--sender=TEXT] [--recipient=TEXT] [--entry=TEXT] [--host=TEXT] [--id=ID] [--since=TIME] [--until=TIME] [--limit=N]",
    N_("find messages, whatever became of them, newest first"), reroute_ctl_track },
  { "queue list",
    "[--by=next-hop|entry|--next-hop=HOP|--entry=ENTRY] "
    "[--sort=arrival|sender|recipient|size|state|next-try|tries] [--reverse] [TEXT]",
    N_("the messages that wait, or where they go"), reroute_ctl_queue_list },
  { "queue show", "ID", N_("one message: its recipients and headers"), reroute_ctl_queue_show },
  { "queue retry", MESSAGES, N_("try messages now"), reroute_ctl_queue_retry },
  { "queue hold", MESSAGES, N_("keep messages from being tried"), reroute_ctl_queue_hold },
  { "queue release", MESSAGES, N_("try messages that are held"), reroute_ctl_queue_release },
  { "queue return", MESSAGES, N_("send messages back with a notice of failure"),
    reroute_ctl_queue_return },
  { "queue delete", MESSAGES, N_("delete messages without a notice to their senders"),
    reroute_ctl_queue_delete },
  { "tls-report", "[DOMAIN] | --send [--today]",
    N_("how TLS went with the hosts of other domains; with --send: report it to them now"),
    reroute_ctl_tls_report },
};
/* clang-format on */

const RerouteVerb *
reroute_ctl_get_verbs (gsize *n_verbs)
{
  *n_verbs = G_N_ELEMENTS (verbs);
  return verbs;
}

gboolean
reroute_ctl_is_verb_of (const RerouteVerb *verb, int n, char **words)
{
  g_auto (GStrv) name = g_strsplit (verb->name, " ", -1);
  int same = 0;

  while (same < n && name[same] != NULL && g_str_equal (name[same], words[same]))
    same++;
  return same == n;
}

gboolean
reroute_ctl_is_beginning (int n, char **words)
{
  gsize i = 0;

  while (i < G_N_ELEMENTS (verbs) && !reroute_ctl_is_verb_of (&verbs[i], n, words))
    i++;
  return i < G_N_ELEMENTS (verbs);
}

static gboolean
verb_matches (const RerouteVerb *verb, int argc, char **argv, int *n_words)
{
  g_auto (GStrv) name = g_strsplit (verb->name, " ", -1);
  int n = (int) g_strv_length (name);

  if (argc < n || !reroute_ctl_is_verb_of (verb, n, argv))
    return FALSE;
  *n_words = n;
  return TRUE;
}

const RerouteVerb *
reroute_ctl_find_verb (int argc, char **argv, int *n_words)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      if (verb_matches (&verbs[i], argc, argv, n_words))
        return &verbs[i];
    }
  return NULL;
}
