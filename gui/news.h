/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/edit.h"

G_BEGIN_DECLS

/* What someone else saved of a row or a setting that she has changed, too; immutable,
   reference-counted. */
typedef struct
{
  RerouteDifference *difference; /* no before: what hers lay over is not known */
  char *who;                     /* "" when it is not known */
  guint64 serial;                /* the generation that it came with */
} RerouteConflict;

/* What someone else saved while the sheet had unsaved changes, or a dialog was open. */
typedef struct
{
  guint64 since; /* the generation that she had */
  guint64 serial;
  char *who;            /* of the last of them; "" when it is not known */
  GPtrArray *changes;   /* (element-type RerouteChange): empty when it is not known */
  GPtrArray *conflicts; /* (element-type RerouteConflict): those that touch hers */
  gboolean unknown;     /* the history does not reach back: all may have changed */
} RerouteNews;

/* @changes: as there; a reference is taken.  @conflicts: (element-type RerouteDifference) (transfer
   container): as reroute_edit_rebase() gives them */
RerouteNews *
reroute_news_new (guint64 since, guint64 serial, GPtrArray *changes, GPtrArray *conflicts);
void reroute_news_free (RerouteNews *self);
/* @place: (inout): what came before and is not taken notice of yet, or %NULL; @more is added. */
void reroute_news_add (RerouteNews **place, const RerouteNews *more);
/* @conflict: (transfer full): with one of the changes of @of; one that is there already is none. */
void
reroute_news_add_conflict (RerouteNews *self, const RerouteNews *of, RerouteDifference *conflict);
/* Conflicts with what @edit does not touch any more are none. */
void reroute_news_drop_untouched (RerouteNews *self, RerouteEdit *edit);
/* Whether one of the conflicts is with the row or the setting of @change. */
gboolean reroute_news_has_conflict (const RerouteNews *self, const RerouteChange *change);
/* (transfer none) (nullable): the last of the changes that is one of that row. */
RerouteChange *reroute_news_find_row (const RerouteNews *self, ReroutePage page, gint64 id);
/* (transfer none) (nullable): the same of a setting. */
RerouteChange *reroute_news_find_setting (const RerouteNews *self, const char *key);
/* Whether some of it touches hers, or may. */
gboolean reroute_news_is_touching (const RerouteNews *self);
/* The last generation with what touches hers; the last of all, where nothing does or it is not
   known. */
guint64 reroute_news_get_serial (const RerouteNews *self);
/* (transfer full): who saved what touches hers, several with commas between; who saved last, where
   nothing does; "" when it is not known */
char *reroute_news_dup_who (const RerouteNews *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteNews, reroute_news_free)

G_END_DECLS
