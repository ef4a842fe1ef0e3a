/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * down-hosts.c - which hosts take no mail, and since when
 */

#include "config.h"

#include "service/relay/deliver/down-hosts.h"

#include "common/limits.h"
#include "service/relay/deliver/leaving.h"

#include <string.h>

#define FORGET_US (REROUTE_LIMIT_DOWN_HOST_S * (gint64) G_USEC_PER_SEC)

struct _RerouteDownHosts
{
  GHashTable *by_label; /* (element-type utf8 Down) */
};

typedef struct
{
  gint64 since_us;
  gint64 until_us; /* then it is forgotten */
  gint64 wait_us;  /* from the last failure to the next try */
} Down;

static char *
dup_label (const RerouteEndpoint *host, const char *denied)
{
  g_autofree char *label =
    host->local ? g_strdup (host->name)
                : g_strdup_printf (
                    strchr (host->name, ':') != NULL ? "[%s]:%u" : "%s:%u", host->name, host->port);

  return denied != NULL ? g_strdup_printf ("%s (%s)", label, denied) : g_steal_pointer (&label);
}

RerouteDownHosts *
reroute_down_hosts_new (void)
{
  RerouteDownHosts *self = g_new0 (RerouteDownHosts, 1);

  self->by_label = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
reroute_down_hosts_free (RerouteDownHosts *self)
{
  g_return_if_fail (self != NULL);

  g_hash_table_unref (self->by_label);
  g_free (self);
}

/* Neither is later than a failure of now would make it: the clock was ahead then. */
static void
bound_times (Down *down, gint64 now_us)
{
  down->since_us = MIN (down->since_us, now_us);
  down->until_us = MIN (down->until_us, now_us + down->wait_us + FORGET_US);
}

void
reroute_down_hosts_add (RerouteDownHosts *self,
                        const RerouteEndpoint *host,
                        const char *denied,
                        gint64 now_us,
                        gint64 wait_us)
{
  g_return_if_fail (self != NULL && host != NULL);

  g_autofree char *label = dup_label (host, denied);
  Down *down = g_hash_table_lookup (self->by_label, label);

  if (down == NULL)
    {
      if (g_hash_table_size (self->by_label) >= REROUTE_LIMIT_DOWN_HOSTS)
        return;
      down = g_new (Down, 1);
      down->since_us = now_us;
      g_hash_table_insert (self->by_label, g_steal_pointer (&label), down);
    }
  down->wait_us = wait_us;
  down->until_us = now_us + wait_us + FORGET_US;
  bound_times (down, now_us);
}

void
reroute_down_hosts_remove (RerouteDownHosts *self, const RerouteEndpoint *host, const char *denied)
{
  g_return_if_fail (self != NULL && host != NULL);

  if (g_hash_table_size (self->by_label) == 0)
    return;
  g_autofree char *label = dup_label (host, denied);
  g_hash_table_remove (self->by_label, label);
}

GVariant *
reroute_down_hosts_list (RerouteDownHosts *self, gint64 now_us)
{
  g_return_val_if_fail (self != NULL, NULL);

  GVariantBuilder builder;
  GHashTableIter iter;
  gpointer key, value;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sx)"));
  g_hash_table_iter_init (&iter, self->by_label);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      Down *down = value;

      bound_times (down, now_us);
      if (down->until_us <= now_us)
        g_hash_table_iter_remove (&iter);
      else
        g_variant_builder_add (&builder, "(sx)", (const char *) key, down->since_us);
    }
  return g_variant_builder_end (&builder);
}

/* --- for the main thread --- */

static void
list_here (RerouteWorker *thread, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  RerouteScheduler *scheduler = g_task_get_task_data (task);
  GVariant *hosts;

  if (g_task_return_error_if_cancelled (task))
    return;
  hosts = g_variant_new ("(@a(sx)@a(ss))",
                         reroute_down_hosts_list (scheduler->down, g_get_real_time ()),
                         reroute_leaving_list_stopped (scheduler));
  g_task_return_pointer (task, g_variant_ref_sink (hosts), (GDestroyNotify) g_variant_unref);
}

void
reroute_scheduler_list_down_async (RerouteScheduler *self,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_return_if_fail (self != NULL);

  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, reroute_scheduler_list_down_async);
  g_task_set_task_data (task, self, NULL);
  reroute_worker_post (self->thread, list_here, task);
}
