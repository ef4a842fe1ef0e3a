/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/change.h"

G_BEGIN_DECLS

/* What someone else saved while the sheet had unsaved changes, or a dialog was open. */
typedef struct
{
  guint64 since; /* the generation that she had */
  guint64 serial;
  char *who;            /* "" when it is not known */
  GPtrArray *changes;   /* (element-type RerouteChange): empty when it is not known */
  GPtrArray *conflicts; /* (element-type RerouteChange): those that touch hers */
  gboolean unknown;     /* the history does not reach back: all may have changed */
} RerouteNews;

/* @changes, @conflicts: as there; references are taken */
RerouteNews *
reroute_news_new (guint64 since, guint64 serial, GPtrArray *changes, GPtrArray *conflicts);
void reroute_news_free (RerouteNews *self);
/* @place: (inout): what came before and is not taken notice of yet, or %NULL; @more is added. */
void reroute_news_add (RerouteNews **place, const RerouteNews *more);
/* (transfer none) (nullable): the last of the changes that is one of that row. */
RerouteChange *reroute_news_find_row (const RerouteNews *self, ReroutePage page, gint64 id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteNews, reroute_news_free)

G_END_DECLS
