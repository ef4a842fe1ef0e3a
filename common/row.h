/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REROUTE_PAGE_ROUTING,     /* rows are RerouteRoutingEntry */
  REROUTE_PAGE_CONNECTIONS, /* rows are RerouteEmailDomain */
  REROUTE_PAGE_RECIPIENTS,  /* rows are RerouteRow: addresses that exist (common/recipient.h) */
} ReroutePage;

#define REROUTE_N_PAGES 3
/* Those before REROUTE_PAGE_RECIPIENTS: their rows are entries for a domain. */
#define REROUTE_N_ENTRY_PAGES 2

/* How mail that leaves is protected, from nothing to everything; behind the first in the order of
   the choices of the setting tls-level. */
typedef enum
{
  REROUTE_TLS_UNSET,         /* as the setting says */
  REROUTE_TLS_NONE,          /* clear text */
  REROUTE_TLS_OPPORTUNISTIC, /* where the host offers it, else clear text */
  REROUTE_TLS_ENCRYPTED,     /* or not at all */
  REROUTE_TLS_VERIFIED,      /* and the certificate is for the host */
} RerouteTlsLevel;

typedef enum
{
  REROUTE_ACCEPT_FROM_ANYONE,    /* we receive mail for this domain */
  REROUTE_ACCEPT_FROM_PERMITTED, /* our own mail going out */
} RerouteAcceptFrom;

/* How it is found out whether a recipient of the domain exists, before its mail is taken. */
typedef enum
{
  REROUTE_RECIPIENT_CHECK_NONE,
  REROUTE_RECIPIENT_CHECK_CALL_AHEAD, /* the next hop is asked */
  REROUTE_RECIPIENT_CHECK_LIST,       /* it stands on the page “recipients” */
} RerouteRecipientCheck;

/**
 * RerouteRow:
 *
 * What a row of any page has; the first member of RerouteRoutingEntry and
 * RerouteEmailDomain, the whole of a recipient.  Immutable, reference-counted.
 */
typedef struct
{
  gatomicrefcount ref_count;
  ReroutePage page : 8;
  RerouteAcceptFrom accept_from : 8;
  guint exact : 1;          /* this domain only; else with its subdomains */
  guint enabled : 1;        /* a disabled row is as if absent */
  guint leaves : 1;         /* the mail leaves our organisation: the sender is rewritten */
  guint queue_for_etrn : 1; /* of an E-Mail Domain row: its mail waits until a host asks for it */
  RerouteTlsLevel tls : 4;  /* of an E-Mail Domain row */
  RerouteRecipientCheck recipient_check : 2;
  gint64 id;              /* of the row in the store, never reused; 0 before it is stored */
  char *domain;           /* normal form; of a recipient its key, with the local part */
  char *comment;          /* "" when there is none */
  const char *changed_by; /* interned; "" before it is stored */
  gint64 changed_us;      /* wall clock, microseconds since 1970 */
} RerouteRow;

/* What a caller fills in to make a row; a zeroed one with a domain is valid but disabled. */
typedef struct
{
  gint64 id;
  const char *domain; /* as typed; a leading "#" means exact */
  gboolean exact;
  RerouteAcceptFrom accept_from;
  gboolean enabled;
  gboolean leaves;
  gboolean queue_for_etrn; /* of an E-Mail Domain row */
  RerouteTlsLevel tls;     /* of an E-Mail Domain row */
  RerouteRecipientCheck recipient_check;
  const char *account;     /* (nullable): of an E-Mail Domain row */
  const char *certificate; /* (nullable): of an E-Mail Domain row */
  const char *comment;     /* (nullable) */
  const char *changed_by;  /* (nullable) */
  gint64 changed_us;
} RerouteRowFields;

gpointer reroute_row_ref (gpointer row);
void reroute_row_unref (gpointer row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRow, reroute_row_unref)

/* Same content, whoever changed it and when; ids compare too. */
gboolean reroute_row_equal (const RerouteRow *a, const RerouteRow *b);

/* A copy with another id and provenance: what the store writes. */
gpointer
reroute_row_stamp (const RerouteRow *row, gint64 id, const char *changed_by, gint64 changed_us);

/* The fields of @row, borrowed: to make a changed copy of it. */
RerouteRowFields reroute_row_get_fields (const RerouteRow *row);

/**
 * reroute_row_normalize_domain:
 * @text: what a person types or pastes for the domain of an entry: "test.com", "@test.com",
 *   "*@test.com", each perhaps with "#" in front for this domain only
 * @exact: (inout) (optional): made %TRUE by "#"
 *
 * Errors: as reroute_domain_normalize(), for the rest.
 *
 * Returns: (transfer full) (nullable): what the entry has as its domain
 */
char *reroute_row_normalize_domain (const char *text, gboolean *exact, GError **error);

/* What "=test.com" as the filter of a list asks for: the rows of this very domain, which an index
   finds.  (transfer full) (nullable): NULL for a text that is looked for everywhere */
char *reroute_row_filter_dup_domain (const char *filter);

/* "#test.com" for an exact row: how it is typed and listed; an address is listed as it is. */
char *reroute_row_dup_label (const RerouteRow *row);

const char *reroute_page_to_string (ReroutePage page); /* "routing", "connections", "recipients" */
gboolean reroute_page_from_string (const char *text, ReroutePage *page, GError **error);
const char *
reroute_accept_from_to_string (RerouteAcceptFrom accept_from); /* "anyone", "permitted" */
gboolean
reroute_accept_from_from_string (const char *text, RerouteAcceptFrom *accept_from, GError **error);

/* "" (unset), "none", "opportunistic", "encrypted", "verified" */
const char *reroute_tls_level_to_string (RerouteTlsLevel level);
gboolean reroute_tls_level_from_string (const char *text, RerouteTlsLevel *level, GError **error);

/* "none", "call-ahead", "list" */
const char *reroute_recipient_check_to_string (RerouteRecipientCheck check);
gboolean reroute_recipient_check_from_string (const char *text,
                                              RerouteRecipientCheck *check,
                                              GError **error);

G_END_DECLS
