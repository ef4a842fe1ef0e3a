/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/row.h"

G_BEGIN_DECLS

/* "ReRt": marks a database file as ours (PRAGMA application_id). */
#define REROUTE_SCHEMA_APPLICATION_ID 0x52655274

/* The version that this program writes (PRAGMA user_version). */
#define REROUTE_SCHEMA_VERSION 9

/**
 * reroute_schema_get_migration:
 * @version: 1 to REROUTE_SCHEMA_VERSION
 *
 * The statements that lead from the version before to @version; they set
 * PRAGMA user_version themselves and run in one transaction.
 */
const char *reroute_schema_get_migration (guint version);

/* An index of a table of rows as the newest version has it. */
typedef struct
{
  const char *drop;
  const char *make;
} RerouteSchemaIndex;

/* Those of the page's table, ended by one of NULL. */
const RerouteSchemaIndex *reroute_schema_get_indexes (ReroutePage page);

G_END_DECLS
