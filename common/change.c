/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * change.c - one step of an edit
 */

#include "config.h"

#include "common/change.h"

#include "common/settings.h"

static RerouteChange *
make (RerouteChangeKind kind)
{
  RerouteChange *self = g_new0 (RerouteChange, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->kind = kind;
  return self;
}

RerouteChange *
reroute_change_new_put (gpointer row)
{
  g_return_val_if_fail (row != NULL, NULL);

  RerouteChange *self = make (REROUTE_CHANGE_PUT);
  self->row = reroute_row_ref (row);
  self->page = self->row->page;
  self->id = self->row->id;
  return self;
}

RerouteChange *
reroute_change_new_remove (ReroutePage page, gint64 id)
{
  RerouteChange *self = make (REROUTE_CHANGE_REMOVE);

  self->page = page;
  self->id = id;
  return self;
}

RerouteChange *
reroute_change_new_remove_many (ReroutePage page, RerouteIdSet *ids)
{
  RerouteChange *self = make (REROUTE_CHANGE_REMOVE_MANY);

  self->page = page;
  self->ids = reroute_id_set_ref (ids);
  return self;
}

RerouteChange *
reroute_change_new_set (const char *key, const char *value, GError **error)
{
  g_autofree char *canonical = NULL;

  g_return_val_if_fail (key != NULL, NULL);

  const RerouteSettingSpec *spec = reroute_setting_find (key, error);
  if (spec == NULL)
    return NULL;
  if (value != NULL)
    {
      canonical = reroute_setting_canonicalize (spec, value, error);
      if (canonical == NULL)
        return NULL;
    }
  RerouteChange *self = make (REROUTE_CHANGE_SET);
  self->key = g_strdup (spec->key);
  self->value = g_steal_pointer (&canonical);
  return self;
}

RerouteChange *
reroute_change_ref (RerouteChange *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
reroute_change_unref (RerouteChange *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->row, reroute_row_unref);
  g_clear_pointer (&self->ids, reroute_id_set_unref);
  g_free (self->key);
  g_free (self->value);
  g_free (self);
}

RerouteRow *
reroute_change_get_row (const RerouteChange *self)
{
  return self != NULL && self->kind == REROUTE_CHANGE_PUT ? self->row : NULL;
}

const char *
reroute_change_get_value (const RerouteChange *self, const RerouteSettingSpec *spec)
{
  g_return_val_if_fail (spec != NULL, NULL);

  return self != NULL && self->value != NULL ? self->value : spec->default_value;
}

gboolean
reroute_change_is_of_same (const RerouteChange *a, const RerouteChange *b)
{
  gboolean is_set = a->kind == REROUTE_CHANGE_SET;

  if (is_set != (b->kind == REROUTE_CHANGE_SET))
    return FALSE;
  if (is_set)
    return g_str_equal (a->key, b->key);
  return a->page == b->page && a->id == b->id;
}

void
reroute_difference_free (RerouteDifference *self)
{
  g_clear_pointer (&self->before, reroute_change_unref);
  g_clear_pointer (&self->after, reroute_change_unref);
  g_free (self);
}
