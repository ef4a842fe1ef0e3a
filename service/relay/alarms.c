/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * alarms.c - which alarms are raised
 */

#include "config.h"

#include "service/relay/alarms.h"

#include "common/limits.h"

struct _RerouteAlarms
{
  RerouteAlarmsFunc func;
  gpointer user_data;
  GPtrArray *raised; /* (element-type RerouteAlarm): the oldest first */
  GPtrArray *seen;   /* (element-type RerouteAlarm): of raised, in this look; borrowed */
  gboolean changed;
};

static RerouteAlarm *
find (RerouteAlarms *self, const RerouteAlarm *alarm)
{
  for (guint i = 0; i < self->raised->len; i++)
    if (reroute_alarm_is_same (self->raised->pdata[i], alarm))
      return self->raised->pdata[i];
  return NULL;
}

/* Whether another one may be raised: what there are many of hides nothing of another kind. */
static gboolean
has_room (const RerouteAlarms *self, RerouteAlarmKind kind)
{
  guint n = 0;

  for (guint i = 0; i < self->raised->len; i++)
    if (((const RerouteAlarm *) self->raised->pdata[i])->kind == kind)
      n++;
  return n < REROUTE_LIMIT_ALARMS;
}

RerouteAlarms *
reroute_alarms_new (RerouteAlarmsFunc func, gpointer user_data)
{
  g_return_val_if_fail (func != NULL, NULL);

  RerouteAlarms *self = g_new0 (RerouteAlarms, 1);

  self->func = func;
  self->user_data = user_data;
  self->raised = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_alarm_free);
  self->seen = g_ptr_array_new ();
  return self;
}

void
reroute_alarms_free (RerouteAlarms *self)
{
  g_return_if_fail (self != NULL);

  g_ptr_array_unref (self->raised);
  g_ptr_array_unref (self->seen);
  g_free (self);
}

/* What it says of the same thing may be another now: a certificate that was about to end has ended.
   @newer: changed */
static void
say_anew (RerouteAlarms *self, RerouteAlarm *raised, RerouteAlarm *newer)
{
  const RerouteAlarm old = *raised;

  if (g_str_equal (raised->sentence, newer->sentence) &&
      g_str_equal (raised->advice, newer->advice))
    return;
  raised->sentence = newer->sentence;
  raised->advice = newer->advice;
  newer->sentence = old.sentence;
  newer->advice = old.advice;
  self->changed = TRUE;
  self->func (raised, TRUE, self->user_data);
}

void
reroute_alarms_see (RerouteAlarms *self, RerouteAlarm *alarm, gboolean is_over, gint64 now_us)
{
  g_return_if_fail (self != NULL && alarm != NULL);

  g_autoptr (RerouteAlarm) owned = alarm;
  RerouteAlarm *raised = find (self, alarm);

  if (raised == NULL && (!is_over || !has_room (self, alarm->kind)))
    return;
  if (raised == NULL)
    {
      raised = g_steal_pointer (&owned);
      raised->since_us = now_us;
      g_ptr_array_add (self->raised, raised);
      self->changed = TRUE;
      self->func (raised, TRUE, self->user_data);
    }
  else if (is_over)
    say_anew (self, raised, owned);
  g_ptr_array_add (self->seen, raised);
}

gboolean
reroute_alarms_end_look (RerouteAlarms *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  gboolean changed;

  for (guint i = 0; i < self->raised->len;)
    {
      if (g_ptr_array_find (self->seen, self->raised->pdata[i], NULL))
        {
          i++;
          continue;
        }
      g_autoptr (RerouteAlarm) cleared = g_ptr_array_steal_index (self->raised, i);
      self->changed = TRUE;
      self->func (cleared, FALSE, self->user_data);
    }
  g_ptr_array_set_size (self->seen, 0);
  changed = self->changed;
  self->changed = FALSE;
  return changed;
}

const GPtrArray *
reroute_alarms_get_raised (const RerouteAlarms *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->raised;
}
