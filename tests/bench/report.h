/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "tests/bench/sink.h"
#include "tests/bench/source.h"

G_BEGIN_DECLS

/* What a run came to, when source and sink have ended. */
typedef struct
{
  const LoadLedger *ledger;
  LoadSourceFigures source;
  LoadSinkFigures sink;
  gint64 opened_ns; /* the sink was opened after the source had begun; 0: it always was */
} LoadReport;

gboolean load_report_print (const LoadReport *self);
void load_report_print_counts (const char *event, LoadLedger *ledger);

G_END_DECLS
