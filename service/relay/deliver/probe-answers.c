/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * probe-answers.c - what next hops said of recipients, and for how long that counts
 *
 * Pure: the caller has the clock.
 */

#include "config.h"

#include "service/relay/deliver/probe-answers.h"

#include "common/limits.h"

typedef struct
{
  gboolean unknown;
  gint64 until_us;
} Answer;

struct _RerouteProbeAnswers
{
  GHashTable *by_key; /* (element-type utf8 Answer) */
};

RerouteProbeAnswers *
reroute_probe_answers_new (void)
{
  RerouteProbeAnswers *self = g_new (RerouteProbeAnswers, 1);

  self->by_key = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
reroute_probe_answers_free (RerouteProbeAnswers *self)
{
  g_return_if_fail (self != NULL);

  g_hash_table_unref (self->by_key);
  g_free (self);
}

static char *
make_key (const char *next_hop, const char *recipient)
{
  return g_strconcat (next_hop, "\n", recipient, NULL);
}

static gboolean
is_over (gpointer key, gpointer value, gpointer user_data)
{
  return ((const Answer *) value)->until_us <= *(const gint64 *) user_data;
}

void
reroute_probe_answers_put (RerouteProbeAnswers *self,
                           const char *next_hop,
                           const char *recipient,
                           gboolean unknown,
                           gint64 now_us)
{
  g_return_if_fail (self != NULL && next_hop != NULL && recipient != NULL);

  gint64 kept_s = unknown ? REROUTE_LIMIT_PROBE_UNKNOWN_S : REROUTE_LIMIT_PROBE_KNOWN_S;
  Answer *answer = g_new (Answer, 1);

  if (g_hash_table_size (self->by_key) >= REROUTE_LIMIT_PROBE_ANSWERS &&
      g_hash_table_foreach_remove (self->by_key, is_over, &now_us) == 0)
    g_hash_table_remove_all (self->by_key);
  *answer = (Answer){ unknown, now_us + kept_s * G_USEC_PER_SEC };
  g_hash_table_replace (self->by_key, make_key (next_hop, recipient), answer);
}

gboolean
reroute_probe_answers_get (const RerouteProbeAnswers *self,
                           const char *next_hop,
                           const char *recipient,
                           gint64 now_us,
                           gboolean *unknown)
{
  g_return_val_if_fail (self != NULL && unknown != NULL, FALSE);

  g_autofree char *key = make_key (next_hop, recipient);
  const Answer *answer = g_hash_table_lookup (self->by_key, key);
  gboolean counts = answer != NULL && answer->until_us > now_us;

  *unknown = counts && answer->unknown;
  return counts;
}

guint
reroute_probe_answers_get_n (const RerouteProbeAnswers *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return g_hash_table_size (self->by_key);
}
