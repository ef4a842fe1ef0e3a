/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What an attempt to hand a message in came to. */
typedef enum
{
  LOAD_OUTCOME_NONE,
  LOAD_OUTCOME_ACCEPTED,
  LOAD_OUTCOME_REFUSED, /* for good, by the server or because nobody tries again */
  LOAD_OUTCOME_BROKEN,  /* the connection broke before the answer, and nobody tries again */
} LoadOutcome;

/* What is known about every message, by number.  The source writes one half, the sink the other;
 * the counts may be read at any time, the rest when both have ended. */
typedef struct
{
  guint32 messages;
  guint recipients; /* of each */

  /* The source's */
  gint64 *begun_ns;    /* its MAIL was sent; of the last attempt */
  gint64 *accepted_ns; /* its final dot was answered 250; 0: it was not */
  guint8 *outcomes;    /* LoadOutcome */
  guint8 *uncertain;   /* whether a connection broke behind its final dot: it may come twice */
  guint8 *promised;    /* by message and recipient: whether the server took responsibility */
  guint n_accepted;    /* (atomic) messages */
  guint n_promised;    /* (atomic) recipients */
  guint n_ended;       /* (atomic) messages with an outcome */

  /* The sink's */
  gint64 *arrived_ns; /* the last of its recipients; 0: none did */
  guint8 *arrivals;   /* by message and recipient: how often, at most 255 */
  guint n_arrived;    /* (atomic) recipients, each counted once */
} LoadLedger;

void load_ledger_init (LoadLedger *self, guint32 messages, guint recipients);
void load_ledger_clear (LoadLedger *self);

void load_ledger_accept (LoadLedger *self, guint32 number, gint64 now_ns);
void load_ledger_fail (LoadLedger *self, guint32 number, LoadOutcome outcome);
void load_ledger_arrive (LoadLedger *self, guint32 number, guint recipient, gint64 now_ns);

gboolean load_ledger_sent (LoadLedger *self);
gboolean load_ledger_complete (LoadLedger *self);

gint64 load_now_ns (void);

G_END_DECLS
