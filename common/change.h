/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/id-set.h"
#include "common/row.h"
#include "common/settings.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_CHANGE_PUT,         /* add the row (id 0) or replace the row of that id */
  REROUTE_CHANGE_REMOVE,      /* remove the row of that page and id */
  REROUTE_CHANGE_SET,         /* give a setting a value */
  REROUTE_CHANGE_REMOVE_MANY, /* remove the rows of that page and those ids; for the way to rulesd,
                                 where it becomes as many REMOVE (common/codec.h) */
} RerouteChangeKind;

/* One step of an edit; immutable, reference-counted.  An edit is a GPtrArray of these. */
typedef struct
{
  gatomicrefcount ref_count;
  RerouteChangeKind kind;
  RerouteRow *row;   /* PUT */
  ReroutePage page;  /* PUT, REMOVE, REMOVE_MANY */
  gint64 id;         /* PUT (0: adds), REMOVE */
  RerouteIdSet *ids; /* REMOVE_MANY */
  char *key;         /* SET */
  char *value;       /* SET; the canonical text of the settings table; NULL: back to the default */
} RerouteChange;

RerouteChange *reroute_change_new_put (gpointer row);
RerouteChange *reroute_change_new_remove (ReroutePage page, gint64 id);
/* @ids: a reference is taken */
RerouteChange *reroute_change_new_remove_many (ReroutePage page, RerouteIdSet *ids);
/* Errors: %REROUTE_ERROR_SETTING, %REROUTE_ERROR_VALUE. */
RerouteChange *reroute_change_new_set (const char *key, const char *value, GError **error);
RerouteChange *reroute_change_ref (RerouteChange *self);
void reroute_change_unref (RerouteChange *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteChange, reroute_change_unref)

/* (transfer none) (nullable): the row that it puts.  @self: (nullable) */
RerouteRow *reroute_change_get_row (const RerouteChange *self);
/* The value that a SET leads to.  @self: (nullable): the default; @spec: of that setting */
const char *reroute_change_get_value (const RerouteChange *self, const RerouteSettingSpec *spec);
/* Whether both, of PUT, REMOVE or SET, are about the same row or the same setting. */
gboolean reroute_change_is_of_same (const RerouteChange *a, const RerouteChange *b);

/* What a change did; a REMOVE or a SET without value stands for "gone" or "default" where it is
 * given. */
typedef struct
{
  RerouteChange *before; /* NULL: was not there */
  RerouteChange *after;  /* NULL: is gone */
} RerouteDifference;

void reroute_difference_free (RerouteDifference *self);

G_END_DECLS
