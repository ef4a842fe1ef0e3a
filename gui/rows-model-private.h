/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/rows-model.h"
#include "gui/rows-table.h"

G_BEGIN_DECLS

struct _RerouteRowsModel
{
  GObject parent_instance;

  RerouteSheet *sheet;
  ReroutePage page;
  char *filter;
  RerouteColumn column;
  gboolean descending;

  RerouteRowsTable table;
  guint64 serial; /* of what was read last */
  gboolean loaded;

  GCancellable *cancellable; /* of this filter and sort */
  gboolean hold;             /* all that is read stays */
  gboolean resetting;        /* the first page of another filter or sort is on its way */
  gboolean failed;           /* what was asked for last did not come */
  GArray *wanted;            /* (element-type guint): sections, the most urgent last */
  guint n_in_flight;
  guint n_news; /* times that others saved; what is asked for from then on has it */
  guint64 clock;
  guint update_id;
  GPtrArray *findings; /* those that the items show; held to be compared, not read */

  guint n_ids_wanted;     /* sections whose ids are wanted and not here */
  gboolean ids_in_flight; /* a call for some of them */
  gboolean has_ids;       /* of a section at least */
  RerouteIdSet *removed;  /* (nullable): of the edit; what the sections with ids leave out */
};

/* (transfer full): "-domain" */
char *reroute_rows_model_dup_sort (RerouteRowsModel *self);
/* Reads everything anew; what is shown stays until the first page of it is here. */
void reroute_rows_model_reset (RerouteRowsModel *self);
/* A section of saved rows is wanted: it is asked for where it is not read, or is to be read again.
 */
void reroute_rows_model_look_at (RerouteRowsModel *self, guint index);
/* Emits "updated". */
void reroute_rows_model_tell (RerouteRowsModel *self);

/* rows-ids.c */

/* Makes the sections that are not read leave out what the edit removes by ids; asks for the ids of
   those where they are not known. */
void reroute_rows_model_leave_out (RerouteRowsModel *self);
/* Nothing is asked for, and nothing known, any more. */
void reroute_rows_model_forget_ids (RerouteRowsModel *self);

G_END_DECLS
