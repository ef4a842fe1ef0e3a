/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ruleset-decide.c - where a recipient goes: the only decision there is
 *
 * A pure function of a generation, a recipient and a client.  Each part reads as a paragraph of
 * design.md section 3; tests/data/conformance.json holds the cases.
 *
 * Standards: RFC 5321 sections 3.6 and 4.5.1, RFC 3463 (status codes).
 */

#include "config.h"

#include "common/ruleset.h"

#include "common/domain.h"
#include "common/limits.h"

#include <string.h>

#define INBOUND_MODE_INDEX 1 /* of the choices of transfer-mode: both, inbound, outbound, none */

/* What the parts of a decision share. */
typedef struct
{
  const RerouteRuleset *rules;
  const RerouteSettings *settings;
  const RerouteAddress *recipient;
  GPtrArray *steps;
  RerouteDecision *decision;
  const char *key;                     /* the domain it is now */
  const RerouteRoutingEntry *rewriter; /* the last entry that replaced the domain */
} Walk;

static G_GNUC_PRINTF (4, 5) void say (
  Walk *walk, const char *code, const RerouteRow *row, const char *format, ...)
{
  va_list args;

  if (walk->steps == NULL)
    return;
  RerouteStep *step = g_new0 (RerouteStep, 1);
  step->code = g_strdup (code);
  va_start (args, format);
  step->sentence = g_strdup_vprintf (format, args);
  va_end (args);
  if (row != NULL)
    {
      step->row.page = row->page;
      step->row.id = row->id;
    }
  g_ptr_array_add (walk->steps, step);
}

/* "#" of a row that stands for its domain only. */
static const char *
mark (const RerouteRow *row)
{
  return row->exact ? "#" : "";
}

static void
decide_by (Walk *walk, RerouteRow *row)
{
  reroute_row_ref (row);
  g_clear_pointer (&walk->decision->deciding, reroute_row_unref);
  walk->decision->deciding = row;
}

/* Says the reply; FALSE, so that a caller can return it. */
static gboolean
reject (Walk *walk, const char *code, guint reply_code, const char *status, const char *text)
{
  RerouteDecision *decision = walk->decision;

  decision->action = REROUTE_ACTION_REJECT;
  decision->reply_code = reply_code;
  decision->reply_status = status;
  g_free (decision->reply_text);
  decision->reply_text = g_strdup (text);
  g_clear_pointer (&decision->rcpt_out, g_free);
  g_clear_pointer (&decision->hosts, reroute_hosts_unref);
  g_clear_pointer (&decision->dns_domain, g_free);
  g_clear_pointer (&decision->next_hop, g_free);
  g_clear_pointer (&decision->etrn_domain, g_free);
  decision->to_inbound = FALSE;
  say (walk, code, NULL, "Refused with %u %s: %s.", reply_code, status, text);
  return FALSE;
}

/* --- may the client send this here? --- */

static gboolean
admit (Walk *walk, const RerouteClient *client)
{
  RerouteRow *row = walk->decision->admitting;

  if (client->authenticated)
    {
      say (walk,
           "admitted-authenticated",
           NULL,
           "The client has authenticated and may send to any domain.");
      return TRUE;
    }
  if (reroute_ruleset_permits (walk->rules, client))
    {
      say (walk,
           "admitted-permitted",
           NULL,
           "The client is a permitted host and may send to any domain.");
      return TRUE;
    }
  if (row != NULL && row->accept_from == REROUTE_ACCEPT_FROM_ANYONE)
    {
      say (walk,
           "admitted-entry",
           row,
           "The entry %s%s accepts mail from anyone.",
           mark (row),
           row->domain);
      return TRUE;
    }
  if (row != NULL)
    say (walk,
         "entry-permitted-only",
         row,
         "The entry %s%s accepts mail from permitted hosts only, and this client is none.",
         mark (row),
         row->domain);
  else
    say (walk,
         "no-entry",
         NULL,
         "No entry covers %s, and the client is not a permitted host.",
         walk->key);
  return reject (walk, "refused", 550, "5.7.1", "Relaying denied");
}

/* Transfer Mode of the Connections page: whether mail is taken at all.  What goes out comes from
   permitted hosts. */
static gboolean
check_mode_in (Walk *walk, const RerouteClient *client)
{
  const char *mode = reroute_settings_get_text (walk->settings, REROUTE_SETTING_TRANSFER_MODE);

  if (g_str_equal (mode, "both") || g_str_equal (mode, "inbound"))
    return TRUE;
  if (g_str_equal (mode, "outbound") && reroute_ruleset_permits (walk->rules, client))
    return TRUE;
  return reject (walk, "mode", 451, "4.3.2", "This server accepts no mail at present");
}

/* --- Routing --- */

static gboolean
go_inbound (Walk *walk, RerouteRow *row)
{
  RerouteHosts *hosts = reroute_settings_get_hosts (walk->settings, REROUTE_SETTING_INBOUND_HOST);

  if (hosts == NULL)
    {
      say (walk, "inbound-host-missing", row, "No inbound host is set.");
      return reject (walk, "refused", 451, "4.3.5", "This server is not fully configured");
    }
  walk->decision->hosts = reroute_hosts_ref (hosts);
  walk->decision->to_inbound = TRUE;
  say (walk,
       "to-inbound-host",
       row,
       hosts->hosts[0].lmtp ? "It goes to the inbound host, %s, by LMTP."
                            : "It goes to the inbound host, %s.",
       hosts->hosts[0].name);
  return TRUE;
}

/* Replaces the domain.  FALSE: it is a circle. */
static gboolean
rewrite (Walk *walk, const RerouteRoutingEntry *entry, GPtrArray *visited)
{
  gboolean again = g_ptr_array_find (visited, entry, NULL);

  if (again || visited->len >= REROUTE_LIMIT_REROUTE_DEPTH)
    {
      say (walk,
           "loop",
           &entry->row,
           again ? "The entry %s%s was used before: mail would go round in a circle."
                 : "At the entry %s%s the chain of entries is too long.",
           mark (&entry->row),
           entry->row.domain);
      return reject (walk, "refused", 550, "5.4.6", "Routing loop detected");
    }
  g_ptr_array_add (visited, (gpointer) entry);
  walk->rewriter = entry;
  say (walk,
       "rewritten",
       &entry->row,
       "The entry %s%s replaces the domain %s by %s.",
       mark (&entry->row),
       entry->row.domain,
       walk->key,
       entry->target);
  walk->key = entry->target_key;
  return TRUE;
}

/* Follows the entries from the domain as it is; FALSE: refused. */
static gboolean
follow_routing (Walk *walk)
{
  g_autoptr (GPtrArray) visited = NULL;

  if (!reroute_settings_get_boolean (walk->settings, REROUTE_SETTING_REROUTE))
    {
      say (
        walk, "routing-off", NULL, "Incoming mail is not rerouted: the Routing table is not used.");
      return TRUE;
    }
  for (;;)
    {
      RerouteRow *row = reroute_ruleset_lookup (walk->rules, REROUTE_PAGE_ROUTING, walk->key);
      RerouteRoutingEntry *entry = (RerouteRoutingEntry *) row;
      if (row == NULL)
        {
          say (walk, "routing-none", NULL, "No Routing entry covers %s.", walk->key);
          return TRUE;
        }
      say (walk,
           "routing-match",
           row,
           "The Routing entry %s%s covers %s.",
           mark (row),
           row->domain,
           walk->key);
      decide_by (walk, row);
      if (entry->action == REROUTE_ROUTING_INBOUND)
        return go_inbound (walk, row);
      if (entry->action == REROUTE_ROUTING_RELAY)
        {
          say (walk, "relay", row, "It says always relay: the recipient stays as it is.");
          return TRUE;
        }
      if (g_str_equal (entry->target_key, walk->key))
        {
          say (
            walk, "routing-self", row, "The entry leads to %s itself: there it ends.", walk->key);
          return TRUE;
        }
      if (visited == NULL)
        visited = g_ptr_array_new ();
      if (!rewrite (walk, entry, visited))
        return FALSE;
    }
}

/* --- Connections --- */

static void
go_by_dns (Walk *walk)
{
  walk->decision->dns_domain = g_strdup (walk->key);
  if (reroute_domain_is_literal (walk->key))
    say (walk, "by-address", NULL, "It goes to the address %s.", walk->key);
  else
    say (walk, "by-dns", NULL, "It goes to the exchangers that DNS names for %s.", walk->key);
}

static void
go_to_hosts (Walk *walk, RerouteRow *row, RerouteHosts *hosts)
{
  g_autofree char *text = walk->steps != NULL ? reroute_hosts_to_string (hosts) : NULL;

  walk->decision->hosts = reroute_hosts_ref (hosts);
  say (walk, "by-hosts", row, "It goes to %s%s.", text, hosts->by_turns ? " by turns" : "");
}

static void
follow_connections (Walk *walk)
{
  RerouteRow *row = reroute_ruleset_lookup (walk->rules, REROUTE_PAGE_CONNECTIONS, walk->key);
  RerouteHosts *hosts =
    reroute_settings_get_hosts (walk->settings, REROUTE_SETTING_DEFAULT_DELIVERY);

  if (row != NULL)
    {
      say (walk,
           "connections-match",
           row,
           "The Connections entry %s%s covers %s.",
           mark (row),
           row->domain,
           walk->key);
      decide_by (walk, row);
      hosts = ((RerouteEmailDomain *) row)->hosts;
    }
  else
    say (walk,
         "connections-none",
         NULL,
         "No Connections entry covers %s: the default delivery acts.",
         walk->key);
  if (hosts != NULL)
    go_to_hosts (walk, row, hosts);
  else
    go_by_dns (walk);
}

static void
choose_tls (Walk *walk)
{
  RerouteDecision *decision = walk->decision;
  const RerouteRow *row = decision->deciding;

  decision->tls = reroute_ruleset_get_tls_level (walk->rules);
  /* What goes through a socket of this machine can be overheard by nobody. */
  if (decision->to_inbound && decision->hosts->hosts[0].local)
    decision->tls = REROUTE_TLS_NONE;
  if (row == NULL || row->tls == REROUTE_TLS_UNSET || decision->to_inbound)
    return;
  decision->tls = row->tls;
  say (walk,
       "tls-level",
       row,
       "TLS of the connection: %s.",
       reroute_tls_level_to_string (decision->tls));
}

/* Whoever named the hosts names the account: a Connections entry, or the default delivery.  It is
   told in TLS alone, unless the entry says that there shall be none. */
static void
choose_account (Walk *walk)
{
  RerouteDecision *decision = walk->decision;
  const RerouteRow *row = decision->deciding;
  gboolean by_entry = row != NULL && row->page == REROUTE_PAGE_CONNECTIONS;
  const char *account =
    by_entry ? ((const RerouteEmailDomain *) row)->account
             : reroute_settings_get_text (walk->settings, REROUTE_SETTING_DEFAULT_ACCOUNT);

  if (decision->hosts == NULL || decision->to_inbound || *account == '\0')
    return;
  decision->account = g_strdup (account);
  if (decision->tls == REROUTE_TLS_OPPORTUNISTIC)
    decision->tls = REROUTE_TLS_ENCRYPTED;
  say (walk, "account", by_entry ? row : NULL, "It logs in there to the account %s.", account);
}

/* An entry shows its own, to exchangers too, for she has named the domain; the default delivery to
   hosts alone: not to everybody that DNS names.  It is shown in TLS, which is demanded by it. */
static void
choose_certificate (Walk *walk)
{
  RerouteDecision *decision = walk->decision;
  const RerouteRow *row = decision->deciding;
  gboolean by_entry = row != NULL && row->page == REROUTE_PAGE_CONNECTIONS;
  const char *file =
    by_entry ? ((const RerouteEmailDomain *) row)->certificate
             : reroute_settings_get_text (walk->settings, REROUTE_SETTING_DEFAULT_CERTIFICATE);

  if (decision->to_inbound || *file == '\0' || (decision->hosts == NULL && !by_entry))
    return;
  decision->certificate = g_strdup (file);
  decision->tls = MAX (decision->tls, REROUTE_TLS_ENCRYPTED);
  say (walk, "certificate", by_entry ? row : NULL, "It shows there the certificate %s.", file);
}

/* The entry's host collects its mail, by the domain that it leaves for (RFC 1985). */
static void
choose_etrn (Walk *walk)
{
  RerouteDecision *decision = walk->decision;
  const RerouteRow *row = decision->deciding;

  if (row == NULL || !row->queue_for_etrn || decision->to_inbound)
    return;
  decision->etrn_domain = g_strdup (walk->key);
  say (walk, "etrn", row, "It waits here until a host asks for mail for %s by ETRN.", walk->key);
}

/* The last entry that acts says it: of Routing where the domain was replaced. */
static void
choose_leaves (Walk *walk)
{
  RerouteDecision *decision = walk->decision;
  const RerouteRow *row = walk->rewriter != NULL ? &walk->rewriter->row : decision->deciding;
  const char *domain = reroute_settings_get_text (walk->settings, REROUTE_SETTING_SRS_DOMAIN);

  if (decision->to_inbound)
    return;
  decision->leaves =
    row != NULL ? row->leaves
                : reroute_settings_get_boolean (walk->settings, REROUTE_SETTING_DEFAULT_LEAVES);
  if (!decision->leaves)
    return;
  if (*domain != '\0')
    say (walk,
         "srs",
         row,
         "It leaves our organisation: a sender that is not ours is rewritten at %s.",
         domain);
  else
    say (walk,
         "srs-off",
         row,
         "It leaves our organisation with its sender as it is: no domain is set for SRS.");
}

/* --- the whole --- */

static void
finish (Walk *walk)
{
  RerouteDecision *decision = walk->decision;
  const RerouteRoutingEntry *rewriter = walk->rewriter;

  if (rewriter != NULL)
    {
      /* U-labels would ask every next hop for SMTPUTF8; their A-labels ask for nothing. */
      const char *target =
        g_str_is_ascii (rewriter->target) ? rewriter->target : rewriter->target_key;
      decision->rcpt_out = reroute_address_with_domain (walk->recipient, target);
      decision->action = REROUTE_ACTION_REWRITE;
    }
  else
    {
      decision->rcpt_out = g_strdup (walk->recipient->text);
      decision->action = decision->to_inbound      ? REROUTE_ACTION_INBOUND
                         : decision->hosts != NULL ? REROUTE_ACTION_FORWARD
                                                   : REROUTE_ACTION_RELAY_BY_DNS;
    }
  if (decision->hosts != NULL)
    decision->next_hop = g_strdup (decision->hosts->hosts[0].name);
  else if (reroute_domain_is_literal (decision->dns_domain))
    decision->next_hop = reroute_domain_dup_literal_address (decision->dns_domain);
  else
    decision->next_hop = g_strdup (decision->dns_domain);
  decision->untyped = decision->hosts == NULL && decision->deciding == NULL;
  choose_tls (walk);
  choose_account (walk);
  choose_certificate (walk);
  choose_leaves (walk);
  choose_etrn (walk);
  decision->reply_code = 250;
  decision->reply_status = "2.1.5";
  decision->reply_text = g_strdup ("Recipient ok");
}

/* Routing and Connections for the recipient of @walk, whoever sent it. */
static void
route (Walk *walk)
{
  gint64 mode = reroute_settings_get_number (walk->settings, REROUTE_SETTING_TRANSFER_MODE);

  walk->key = walk->recipient->key;
  if (!follow_routing (walk))
    return;
  if (!walk->decision->to_inbound)
    {
      follow_connections (walk);
      if (mode == INBOUND_MODE_INDEX)
        {
          reject (walk, "mode", 451, "4.3.2", "This server sends no mail at present");
          return;
        }
    }
  finish (walk);
  say (walk, "leaves", walk->decision->deciding, "It leaves as %s.", walk->decision->rcpt_out);
}

/* Whether @recipient is the postmaster of this very server: RFC 5321 4.5.1. */
static gboolean
is_our_postmaster (const Walk *walk)
{
  const char *hostname = reroute_settings_get_text (walk->settings, REROUTE_SETTING_HOSTNAME);

  return reroute_address_is_postmaster (walk->recipient) &&
         (*walk->recipient->key == '\0' || g_str_equal (walk->recipient->key, hostname));
}

/* What is queued was taken when the list had it, and is not judged again. */
static void
check_list (Walk *walk, const RerouteRow *row, gboolean is_arriving)
{
  if (reroute_ruleset_lists (walk->rules, row, walk->recipient))
    {
      say (walk,
           "listed",
           row,
           "The list of the entry %s%s has the recipient.",
           mark (row),
           row->domain);
      return;
    }
  say (walk,
       "not-listed",
       row,
       "The list of the entry %s%s does not have the recipient.",
       mark (row),
       row->domain);
  if (is_arriving)
    reject (walk, "refused", 550, "5.1.1", "There is no such recipient");
}

/* Nobody is turned away from the postmaster (RFC 5321 4.5.1). */
static void
choose_check (Walk *walk, gboolean is_arriving)
{
  RerouteDecision *decision = walk->decision;
  const RerouteRow *row = decision->admitting;

  if (row == NULL || decision->action == REROUTE_ACTION_REJECT ||
      reroute_address_is_postmaster (walk->recipient))
    return;
  decision->recipient_check = row->recipient_check;
  if (row->recipient_check == REROUTE_RECIPIENT_CHECK_LIST)
    check_list (walk, row, is_arriving);
  if (row->recipient_check == REROUTE_RECIPIENT_CHECK_CALL_AHEAD)
    say (walk,
         "call-ahead",
         row,
         "The entry %s%s has the next host asked whether it knows the recipient.",
         mark (row),
         row->domain);
}

static void
route_postmaster (Walk *walk)
{
  const char *mailbox = reroute_settings_get_text (walk->settings, REROUTE_SETTING_POSTMASTER);
  g_autoptr (RerouteAddress) target =
               *mailbox != '\0' ? reroute_address_parse (mailbox, FALSE, NULL) : NULL;

  if (target != NULL)
    {
      say (walk, "postmaster", NULL, "Mail to this server's postmaster goes to %s.", target->text);
      walk->recipient = target;
      route (walk);
      walk->decision->untyped = FALSE;
      if (walk->decision->action != REROUTE_ACTION_REJECT)
        walk->decision->action = REROUTE_ACTION_REWRITE;
      return;
    }
  if (walk->decision->admitting != NULL)
    {
      route (walk);
      return;
    }
  say (walk, "postmaster-missing", NULL, "No mailbox is set for mail to this server's postmaster.");
  if (go_inbound (walk, NULL))
    finish (walk);
}

RerouteDecision *
reroute_ruleset_decide (const RerouteRuleset *self,
                        const RerouteAddress *recipient,
                        const RerouteClient *client,
                        GPtrArray *steps)
{
  g_return_val_if_fail (self != NULL && recipient != NULL, NULL);

  g_autoptr (RerouteDecision) decision = g_new0 (RerouteDecision, 1);
  Walk walk = {
    .rules = self,
    .settings = reroute_ruleset_get_settings (self),
    .recipient = recipient,
    .steps = steps,
    .decision = decision,
    .key = recipient->key,
  };

  if (client != NULL && !check_mode_in (&walk, client))
    return g_steal_pointer (&decision);
  gboolean postmaster = is_our_postmaster (&walk);
  if (*recipient->key == '\0' && !postmaster)
    {
      reject (&walk, "no-domain", 501, "5.1.3", "A recipient needs a domain");
      return g_steal_pointer (&decision);
    }
  RerouteRow *admitting =
    *recipient->key != '\0' ? reroute_ruleset_find_admitting (self, recipient->key) : NULL;
  decision->admitting = admitting != NULL ? reroute_row_ref (admitting) : NULL;
  if (postmaster)
    {
      route_postmaster (&walk);
      return g_steal_pointer (&decision);
    }
  /* A route of the sender's own could make a next hop relay (Q304897). */
  gboolean routed = client != NULL && reroute_address_is_source_routed (recipient);
  if (routed && !reroute_ruleset_permits (self, client))
    reject (&walk, "source-routed", 553, "5.1.3", "Sender-specified routing is not accepted");
  else if (client == NULL || admit (&walk, client))
    {
      route (&walk);
      choose_check (&walk, client != NULL && !client->brings_notice);
    }
  return g_steal_pointer (&decision);
}
