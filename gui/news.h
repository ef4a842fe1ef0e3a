/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/change.h"

G_BEGIN_DECLS

/* What someone else saved while the sheet had unsaved changes. */
typedef struct
{
  guint64 since; /* the generation that she had */
  guint64 serial;
  char *who;            /* "" when it is not known */
  GPtrArray *changes;   /* (element-type RerouteChange): empty when it is not known */
  GPtrArray *conflicts; /* (element-type RerouteChange): those that touch hers */
  gboolean unknown;     /* the history does not reach back: all may have changed */
} RerouteNews;

RerouteNews *reroute_news_new (guint64 since);
void reroute_news_free (RerouteNews *self);
/* What came now, together with what the window has not shown yet. */
void reroute_news_add (RerouteNews *self, guint64 serial, GPtrArray *changes, GPtrArray *conflicts);

G_END_DECLS
