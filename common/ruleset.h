/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/address.h"
#include "common/change.h"
#include "common/email-domain.h"
#include "common/routing-entry.h"
#include "common/settings.h"

G_BEGIN_DECLS

/**
 * RerouteRuleset:
 *
 * One generation: every row of all pages and every setting.  Immutable, reference-counted,
 * shared between threads.  A generation made from another by a few changes shares
 * the rest with it: neither its time nor its memory grows with the number of rows.
 */
typedef struct _RerouteRuleset RerouteRuleset;

RerouteRuleset *reroute_ruleset_new_empty (void); /* serial 0, defaults */
RerouteRuleset *reroute_ruleset_ref (RerouteRuleset *self);
void reroute_ruleset_unref (RerouteRuleset *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRuleset, reroute_ruleset_unref)

/**
 * RerouteRulesetBuilder:
 *
 * Makes a generation: from nothing while loading, or from a generation and an edit.
 */
typedef struct _RerouteRulesetBuilder RerouteRulesetBuilder;

RerouteRulesetBuilder *reroute_ruleset_builder_new (RerouteRuleset *base);
void reroute_ruleset_builder_free (RerouteRulesetBuilder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRulesetBuilder, reroute_ruleset_builder_free)

/* So many new rows are about to be put on the page: it grows once. */
void reroute_ruleset_builder_reserve (RerouteRulesetBuilder *self, ReroutePage page, gsize n_more);

/* A row of id 0 is given a negative id of this builder's own: the row is not stored yet.
   Two rows of one page, domain and match may stand side by side until build; the check tells.
   Errors: %REROUTE_ERROR_NO_SUCH_ENTRY for a REMOVE, or a PUT with an id of a row of the other
   page; %REROUTE_ERROR_VALUE, %REROUTE_ERROR_SETTING. */
gboolean reroute_ruleset_builder_apply (RerouteRulesetBuilder *self,
                                        const RerouteChange *change,
                                        GError **error);
/* The same for a PUT of @row, of which a reference is taken. */
gboolean reroute_ruleset_builder_put (RerouteRulesetBuilder *self, RerouteRow *row, GError **error);
RerouteRuleset *reroute_ruleset_builder_build (RerouteRulesetBuilder *self, guint64 serial);

guint64 reroute_ruleset_get_serial (const RerouteRuleset *self);
RerouteSettings *reroute_ruleset_get_settings (const RerouteRuleset *self);
/* What the setting tls-level says. */
RerouteTlsLevel reroute_ruleset_get_tls_level (const RerouteRuleset *self);
gsize reroute_ruleset_get_n_rows (const RerouteRuleset *self, ReroutePage page);
/* Whether the mail of any enabled row waits for ETRN. */
gboolean reroute_ruleset_queues_for_etrn (const RerouteRuleset *self);
/* How many entries of Routing act one after the other at most, a bound that reroute_ruleset_check()
   notes for itself; 0: not known.  Any thread. */
guint reroute_ruleset_get_longest_chain (const RerouteRuleset *self);
void reroute_ruleset_note_longest_chain (const RerouteRuleset *self, guint n_entries);
/* (transfer none) (nullable) */
RerouteRow *reroute_ruleset_get_row (const RerouteRuleset *self, ReroutePage page, gint64 id);
/* The row of exactly this domain and match, enabled or not; (transfer none) (nullable) */
RerouteRow *reroute_ruleset_find_row (const RerouteRuleset *self,
                                      ReroutePage page,
                                      const char *domain,
                                      gboolean exact);
/* Another row of the page, domain and match of @row, which ruleset-check refuses; (nullable) */
RerouteRow *reroute_ruleset_find_other_row (const RerouteRuleset *self, const RerouteRow *row);
/* The enabled row that acts for a domain in normal form: exact, else longest suffix by whole
 * labels. */
RerouteRow *
reroute_ruleset_lookup (const RerouteRuleset *self, ReroutePage page, const char *domain);

typedef gboolean (*RerouteRowFunc) (RerouteRow *row, gpointer user_data); /* FALSE stops */
/* In no order. */
void reroute_ruleset_foreach (const RerouteRuleset *self,
                              ReroutePage page,
                              RerouteRowFunc func,
                              gpointer user_data);

/* Lets look-ups go faster, for who holds many rows for long: half a second of CPU for a million of
   them.  Any thread. */
void reroute_ruleset_use_huge_pages (const RerouteRuleset *self);

/* @before is NULL for a row that is new, @after for one that is gone; FALSE stops. */
typedef gboolean (*RerouteRowChangeFunc) (RerouteRow *before,
                                          RerouteRow *after,
                                          gpointer user_data);
/* Which rows differ from @base, in no order; when @self was made from it, what both share costs
   nothing.  A row that was written again with the same content counts as changed. */
void reroute_ruleset_foreach_change (const RerouteRuleset *self,
                                     const RerouteRuleset *base,
                                     ReroutePage page,
                                     RerouteRowChangeFunc func,
                                     gpointer user_data);

/* --- the decision (design.md section 3) --- */

typedef enum
{
  REROUTE_ACTION_REWRITE,      /* the recipient's domain was replaced */
  REROUTE_ACTION_FORWARD,      /* recipient kept, hosts of a row or of default delivery */
  REROUTE_ACTION_INBOUND,      /* recipient kept, inbound host */
  REROUTE_ACTION_RELAY_BY_DNS, /* recipient kept, DNS */
  REROUTE_ACTION_REJECT,       /* the reply says why */
} RerouteAction;

const char *reroute_action_to_string (
  RerouteAction action); /* "rewrite", "forward", "inbound", "relay-by-dns", "reject" */

/* Who hands a recipient in. */
typedef struct
{
  RerouteIp ip;
  gboolean authenticated;
  gboolean brings_notice; /* to a sender that we rewrote: no list of recipients has to name it */
} RerouteClient;

/* Names a row without holding it: what the spool keeps of the entry that admitted a recipient. */
typedef struct
{
  ReroutePage page;
  gint64 id; /* 0: no row */
} RerouteRowRef;

typedef struct
{
  RerouteAction action;
  char *rcpt_out;      /* the recipient that leaves; NULL when rejected */
  RerouteHosts *hosts; /* next hops in order or by turns; NULL: by DNS */
  char *dns_domain;    /* the domain or "[literal]" to look up; NULL with hosts */
  gboolean untyped;    /* dns_domain is the recipient's own: no entry and no setting names it */
  char *next_hop;      /* the first of hosts, or dns_domain without the brackets of a literal */
  RerouteTlsLevel tls; /* for the connection to it; never unset */
  char *account;       /* (nullable): that is logged in to there */
  char *certificate;   /* (nullable): the file of what is shown there in TLS */
  gboolean leaves;     /* our organisation: senders that are not ours are rewritten (SRS) */
  RerouteRecipientCheck recipient_check; /* before the recipient is taken */
  gboolean to_inbound;      /* the next hop is the inbound host, also after a rewrite */
  char *etrn_domain;        /* (nullable): it waits until this domain is asked for by ETRN */
  guint reply_code;         /* 250, or 4xx, 5xx when rejected */
  const char *reply_status; /* "5.7.1" */
  char *reply_text;         /* ASCII, shows no internals */
  RerouteRow *admitting;    /* the row that matches the recipient as received; NULL: none */
  RerouteRow *deciding;     /* the last row that acted; NULL: default delivery */
} RerouteDecision;

/* One line of reroute_ruleset_explain(): a sentence and the row it speaks of. */
typedef struct
{
  char *code;     /* "routing-match", "rewritten", "connections-none", … stable */
  char *sentence; /* English */
  RerouteRowRef row;
} RerouteStep;

void reroute_step_free (RerouteStep *self);

/**
 * reroute_ruleset_decide:
 * @recipient: the recipient as received
 * @client: (nullable): who hands it in; %NULL decides without admission, as the queue does
 * @steps: (nullable) (element-type RerouteStep): filled with what was asked and found
 *
 * The only decision there is.  Never fails: an answer that cannot be given is a 4xx.
 *
 * Source: design.md section 3; tests/data/conformance.json.
 */
RerouteDecision *reroute_ruleset_decide (const RerouteRuleset *self,
                                         const RerouteAddress *recipient,
                                         const RerouteClient *client,
                                         GPtrArray *steps);
void reroute_decision_free (RerouteDecision *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteDecision, reroute_decision_free)

/* A recipient that is refused with a reply of ASCII, which is the last of @steps.
   @reply_status: static
   @steps: as of reroute_ruleset_decide() */
RerouteDecision *reroute_decision_new_refusal (guint reply_code,
                                               const char *reply_status,
                                               const char *reply_text,
                                               GPtrArray *steps);

/* (transfer full) (nullable): what a client is told that may not connect; %NULL: it may.
   @steps: as of reroute_ruleset_decide() */
RerouteDecision *reroute_decision_new_forbidden (const RerouteSettings *settings,
                                                 const RerouteIp *client,
                                                 GPtrArray *steps);

/* "mx", "a", "ip" or "socket" for the first next hop; NULL when there is none. */
const char *reroute_decision_get_via (const RerouteDecision *self);
/* The domain, host or address behind "via"; (transfer none) (nullable). */
const char *reroute_decision_get_next_hop (const RerouteDecision *self);

/* The row that says who may send to a domain in normal form: of Routing, else of Connections;
   (transfer none) (nullable) */
RerouteRow *reroute_ruleset_find_admitting (const RerouteRuleset *self, const char *domain);

/* Whether a sender's domain is one that we receive mail for: an entry says so, or it is the
   server's own name.  @domain: in normal form */
gboolean reroute_ruleset_is_ours (const RerouteRuleset *self, const char *domain);

/* Whether @recipient stands on the list that @entry asks: under its domain as received or under
   that of the entry, with or without what stands behind a “+”.  One or a few hash probes. */
gboolean reroute_ruleset_lists (const RerouteRuleset *self,
                                const RerouteRow *entry,
                                const RerouteAddress *recipient);

/* Whether a client may relay to anywhere: a permitted host, or authenticated. */
gboolean reroute_ruleset_permits (const RerouteRuleset *self, const RerouteClient *client);

G_END_DECLS
