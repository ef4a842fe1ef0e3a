/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * schema.c - the tables of the rules database, and the numbered steps that lead to them
 *
 * A step that was released is never edited; a new one is added.  tests/data/ keeps a database of
 * every version.
 *
 * Every column that a list can be sorted by has an index (design.md section 4).  “search” is what a
 * filter looks in: the case-folded domain (both spellings), target, hosts and comment.  Row ids
 * come from state.next_row_id, which no removal turns back.  An image in “change” is a change
 * (common/codec.h) as a serialised little-endian GVariant: what makes the row or setting as it was
 * before, and as it is after.
 */

#include "config.h"

#include "service/rules/schema.h"

/* clang-format off */
static const char version_1[] =
  "PRAGMA application_id = 1382371956;" /* REROUTE_SCHEMA_APPLICATION_ID */
  "CREATE TABLE state ("
  "  one INTEGER PRIMARY KEY CHECK (one = 1),"
  "  serial INTEGER NOT NULL,"
  "  next_row_id INTEGER NOT NULL"
  ") STRICT;"
  "INSERT INTO state VALUES (1, 0, 1);"
  "CREATE TABLE routing ("
  "  id INTEGER PRIMARY KEY,"
  "  domain TEXT NOT NULL,"
  "  exact INTEGER NOT NULL,"
  "  accept_from TEXT NOT NULL,"
  "  enabled INTEGER NOT NULL,"
  "  comment TEXT NOT NULL,"
  "  changed_by TEXT NOT NULL,"
  "  changed_us INTEGER NOT NULL,"
  "  action TEXT NOT NULL,"
  "  target TEXT NOT NULL,"
  "  search TEXT NOT NULL"
  ") STRICT;"
  "CREATE UNIQUE INDEX routing_domain ON routing (domain, exact);"
  "CREATE INDEX routing_target ON routing (target, domain, exact);"
  "CREATE INDEX routing_accept_from ON routing (accept_from, domain, exact);"
  "CREATE INDEX routing_comment ON routing (comment, domain, exact);"
  "CREATE INDEX routing_changed ON routing (changed_us, id);"
  "CREATE TABLE connections ("
  "  id INTEGER PRIMARY KEY,"
  "  domain TEXT NOT NULL,"
  "  exact INTEGER NOT NULL,"
  "  accept_from TEXT NOT NULL,"
  "  enabled INTEGER NOT NULL,"
  "  comment TEXT NOT NULL,"
  "  changed_by TEXT NOT NULL,"
  "  changed_us INTEGER NOT NULL,"
  "  hosts TEXT NOT NULL," /* "": by DNS */
  "  by_turns INTEGER NOT NULL,"
  "  search TEXT NOT NULL"
  ") STRICT;"
  "CREATE UNIQUE INDEX connections_domain ON connections (domain, exact);"
  "CREATE INDEX connections_hosts ON connections (hosts, domain, exact);"
  "CREATE INDEX connections_accept_from ON connections (accept_from, domain, exact);"
  "CREATE INDEX connections_comment ON connections (comment, domain, exact);"
  "CREATE INDEX connections_changed ON connections (changed_us, id);"
  "CREATE TABLE setting ("
  "  key TEXT PRIMARY KEY,"
  "  value TEXT NOT NULL"
  ") STRICT, WITHOUT ROWID;"
  "CREATE TABLE generation ("
  "  serial INTEGER PRIMARY KEY,"
  "  when_us INTEGER NOT NULL,"
  "  who TEXT NOT NULL,"
  "  summary TEXT NOT NULL,"
  "  n_changes INTEGER NOT NULL"
  ") STRICT;"
  "CREATE TABLE change ("
  "  serial INTEGER NOT NULL,"
  "  number INTEGER NOT NULL,"
  "  before BLOB," /* NULL: was not there */
  "  after BLOB,"  /* NULL: is gone */
  "  page TEXT NOT NULL," /* '' for a setting */
  "  row_id INTEGER NOT NULL," /* 0 for a setting */
  "  key TEXT NOT NULL," /* '' for a row */
  "  PRIMARY KEY (serial, number)"
  ") STRICT, WITHOUT ROWID;"
  "PRAGMA user_version = 1;";

/* The TLS level of an E-Mail Domain row; '': as the setting says. */
static const char version_2[] =
  "ALTER TABLE connections ADD COLUMN tls TEXT NOT NULL DEFAULT '';"
  "PRAGMA user_version = 2;";

/* Whether the mail of a row leaves our organisation. */
static const char version_3[] =
  "ALTER TABLE routing ADD COLUMN leaves INTEGER NOT NULL DEFAULT 0;"
  "ALTER TABLE connections ADD COLUMN leaves INTEGER NOT NULL DEFAULT 0;"
  "PRAGMA user_version = 3;";

/* How a row's recipients are checked before their mail is taken. */
static const char version_4[] =
  "ALTER TABLE routing ADD COLUMN recipient_check TEXT NOT NULL DEFAULT 'none';"
  "ALTER TABLE connections ADD COLUMN recipient_check TEXT NOT NULL DEFAULT 'none';"
  "PRAGMA user_version = 4;";

/* The account of an E-Mail Domain row; '': none. */
static const char version_5[] =
  "ALTER TABLE connections ADD COLUMN account TEXT NOT NULL DEFAULT '';"
  "PRAGMA user_version = 5;";

/* The recipients that exist, for entries with the check “list”; an address is in the form of
   common/recipient.h. */
static const char version_6[] =
  "CREATE TABLE recipients ("
  "  id INTEGER PRIMARY KEY,"
  "  address TEXT NOT NULL,"
  "  comment TEXT NOT NULL,"
  "  changed_by TEXT NOT NULL,"
  "  changed_us INTEGER NOT NULL,"
  "  search TEXT NOT NULL"
  ") STRICT;"
  "CREATE UNIQUE INDEX recipients_address ON recipients (address);"
  "CREATE INDEX recipients_comment ON recipients (comment, address);"
  "CREATE INDEX recipients_changed ON recipients (changed_us, id);"
  "PRAGMA user_version = 6;";

/* Whether the mail of an E-Mail Domain row waits for ETRN. */
static const char version_7[] =
  "ALTER TABLE connections ADD COLUMN queue_for_etrn INTEGER NOT NULL DEFAULT 0;"
  "PRAGMA user_version = 7;";

/* The file of the certificate that an E-Mail Domain row shows; '': none. */
static const char version_8[] =
  "ALTER TABLE connections ADD COLUMN certificate TEXT NOT NULL DEFAULT '';"
  "PRAGMA user_version = 8;";

/* The call that saved a generation, by reroute_outcomes_name(); '': before this was kept. */
static const char version_9[] =
  "ALTER TABLE generation ADD COLUMN call TEXT NOT NULL DEFAULT '';"
  "PRAGMA user_version = 9;";

#define INDEX(name, columns) { "DROP INDEX " name, "CREATE INDEX " name " ON " columns }

/* What the migrations come to. */
static const RerouteSchemaIndex indexes[REROUTE_N_PAGES][6] = {
  [REROUTE_PAGE_ROUTING] = {
    { "DROP INDEX routing_domain", "CREATE UNIQUE INDEX routing_domain ON routing (domain, exact)" },
    INDEX ("routing_target", "routing (target, domain, exact)"),
    INDEX ("routing_accept_from", "routing (accept_from, domain, exact)"),
    INDEX ("routing_comment", "routing (comment, domain, exact)"),
    INDEX ("routing_changed", "routing (changed_us, id)"),
    { NULL, NULL },
  },
  [REROUTE_PAGE_CONNECTIONS] = {
    { "DROP INDEX connections_domain",
      "CREATE UNIQUE INDEX connections_domain ON connections (domain, exact)" },
    INDEX ("connections_hosts", "connections (hosts, domain, exact)"),
    INDEX ("connections_accept_from", "connections (accept_from, domain, exact)"),
    INDEX ("connections_comment", "connections (comment, domain, exact)"),
    INDEX ("connections_changed", "connections (changed_us, id)"),
    { NULL, NULL },
  },
  [REROUTE_PAGE_RECIPIENTS] = {
    { "DROP INDEX recipients_address",
      "CREATE UNIQUE INDEX recipients_address ON recipients (address)" },
    INDEX ("recipients_comment", "recipients (comment, address)"),
    INDEX ("recipients_changed", "recipients (changed_us, id)"),
    { NULL, NULL },
  },
};
/* clang-format on */

static const char *const migrations[] = {
  version_1, version_2, version_3, version_4, version_5, version_6, version_7, version_8, version_9,
};

G_STATIC_ASSERT (G_N_ELEMENTS (migrations) == REROUTE_SCHEMA_VERSION);
G_STATIC_ASSERT (REROUTE_SCHEMA_APPLICATION_ID == 1382371956);

const char *
reroute_schema_get_migration (guint version)
{
  g_return_val_if_fail (version >= 1 && version <= REROUTE_SCHEMA_VERSION, NULL);

  return migrations[version - 1];
}

const RerouteSchemaIndex *
reroute_schema_get_indexes (ReroutePage page)
{
  g_return_val_if_fail (page < REROUTE_N_PAGES, NULL);

  return indexes[page];
}
