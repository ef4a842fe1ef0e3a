/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/spool.h"

G_BEGIN_DECLS

#define SPOOL_SCRIPT_MAX_ITEMS 512
#define SPOOL_SCRIPT_MAX_RECIPIENTS 3

/* What is known outside of the spool of one message. */
typedef struct
{
  guint64 id;
  guint32 seed;
  guint32 octets;
  guint32 n_recipients;
  gint is_acknowledged;
  gint is_refused;
  gboolean is_discarded;
  gint asked[SPOOL_SCRIPT_MAX_RECIPIENTS];    /* a final state was handed in */
  gint acked[SPOOL_SCRIPT_MAX_RECIPIENTS];    /* ... and called durable */
  gint deferred[SPOOL_SCRIPT_MAX_RECIPIENTS]; /* tries that were called durable */
} SpoolScriptItem;

/* Lies in memory that survives the process. */
typedef struct
{
  guint n_items;
  SpoolScriptItem items[SPOOL_SCRIPT_MAX_ITEMS];
} SpoolScriptLog;

SpoolScriptLog *spool_script_log_new (void);
void spool_script_log_free (SpoolScriptLog *self);

/* Opens the spool, hands in @n_rounds small groups of messages and verdicts as @seed has it, closes
 * it. */
void spool_script_run (
  SpoolScriptLog *log, const char *directory, gsize segment_octets, guint32 seed, guint n_rounds);

/* Opens the spool and compares: nothing acknowledged is missing, nothing is half, no damage. */
void spool_script_check (SpoolScriptLog *log,
                         const char *directory,
                         gsize segment_octets,
                         gboolean refused_may_be_there);

G_END_DECLS
