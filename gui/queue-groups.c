/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-groups.c - the groups of the queue, as long as somebody looks at them
 *
 * There are as many as hosts or entries that mail waits for; the first REROUTE_LIMIT_PAGE_ROWS are
 * held whole.
 */

#include "config.h"

#include "gui/queue-groups.h"

#include "common/error.h"
#include "common/limits.h"
#include "gui/plain-list.h"

struct _RerouteQueueGroups
{
  GObject parent_instance;

  RerouteRelayClient *relay;
  char *by;
  char *text;
  GListStore *lines;
  gboolean shown;
  GCancellable *reading; /* NULL: nothing is being read */
  gboolean stale;        /* the queue changed while it was being read */
  gboolean loaded;
  guint total;
  gint64 as_of_us;
  guint64 n_queued;
  gint64 oldest_us;
  GError *error;
};

enum
{
  UPDATED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteQueueGroups, reroute_queue_groups, G_TYPE_OBJECT)

static void
emit_updated (RerouteQueueGroups *self)
{
  g_signal_emit (self, signals[UPDATED], 0);
}

/* (transfer full) (nullable) */
static RerouteListLine *
find_line (RerouteQueueGroups *self, const char *key)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->lines));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (RerouteListLine) line = g_list_model_get_item (G_LIST_MODEL (self->lines), i);

      if (g_str_equal (((RerouteQueueGroup *) reroute_list_line_get_value (line))->key, key))
        return g_steal_pointer (&line);
    }
  return NULL;
}

static void
show (RerouteQueueGroups *self, GPtrArray *groups)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->lines));
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_object_unref);
  gboolean same = groups->len == n;

  g_ptr_array_set_free_func (groups, NULL);
  for (guint i = 0; i < groups->len; i++)
    {
      RerouteQueueGroup *group = groups->pdata[i];
      RerouteListLine *line = find_line (self, group->key);
      g_autoptr (RerouteListLine) there = g_list_model_get_item (G_LIST_MODEL (self->lines), i);

      same = same && line == there;
      if (line != NULL && g_ptr_array_find (lines, line, NULL))
        {
          /* No relay of ours says a group twice. */
          reroute_queue_group_free (group);
          g_object_unref (line);
          continue;
        }
      if (line == NULL)
        line = reroute_list_line_new (group, reroute_queue_group_free);
      else
        reroute_list_line_set_value (line, group);
      g_ptr_array_add (lines, line);
    }
  if (!same)
    g_list_store_splice (self->lines, 0, n, lines->pdata, lines->len);
}

static void
came_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteQueueGroups) self = REROUTE_QUEUE_GROUPS (user_data);
  g_autoptr (GError) error = NULL;
  guint total = 0;
  g_autoptr (GPtrArray) groups = reroute_relay_client_queue_groups_finish (
    REROUTE_RELAY_CLIENT (source), result, &total, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->reading);
  g_clear_error (&self->error);
  if (groups != NULL)
    {
      self->loaded = TRUE;
      self->total = total;
      self->as_of_us = g_get_real_time ();
      show (self, groups);
    }
  else if (!g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    self->error = g_steal_pointer (&error);
  emit_updated (self);
  if (self->stale)
    reroute_queue_groups_refresh (self);
}

static void
status_came_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteQueueGroups) self = REROUTE_QUEUE_GROUPS (user_data);
  g_autoptr (GVariant) status =
               reroute_relay_client_status_finish (REROUTE_RELAY_CLIENT (source), result, NULL);

  if (status == NULL)
    return;
  g_variant_lookup (status, "messages-queued", "t", &self->n_queued);
  g_variant_lookup (status, "oldest-us", "x", &self->oldest_us);
}

/* What is being read is of another question, or of a relay that has gone. */
static void
stop_reading (RerouteQueueGroups *self)
{
  g_cancellable_cancel (self->reading);
  g_clear_object (&self->reading);
  self->stale = FALSE;
}

static void
available_cb (RerouteQueueGroups *self)
{
  stop_reading (self);
  reroute_queue_groups_refresh (self);
  emit_updated (self);
}

static void
reroute_queue_groups_dispose (GObject *object)
{
  RerouteQueueGroups *self = REROUTE_QUEUE_GROUPS (object);

  stop_reading (self);
  g_clear_object (&self->relay);
  g_clear_object (&self->lines);
  g_clear_pointer (&self->by, g_free);
  g_clear_pointer (&self->text, g_free);
  g_clear_error (&self->error);

  G_OBJECT_CLASS (reroute_queue_groups_parent_class)->dispose (object);
}

static void
reroute_queue_groups_class_init (RerouteQueueGroupsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_queue_groups_dispose;

  signals[UPDATED] = g_signal_new (
    "updated", REROUTE_TYPE_QUEUE_GROUPS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
reroute_queue_groups_init (RerouteQueueGroups *self)
{
  self->lines = g_list_store_new (REROUTE_TYPE_LIST_LINE);
  self->by = g_strdup ("next-hop");
  self->text = g_strdup ("");
}

RerouteQueueGroups *
reroute_queue_groups_new (RerouteRelayClient *relay)
{
  RerouteQueueGroups *self = g_object_new (REROUTE_TYPE_QUEUE_GROUPS, NULL);

  g_return_val_if_fail (REROUTE_IS_RELAY_CLIENT (relay), NULL);

  self->relay = g_object_ref (relay);
  g_signal_connect_object (
    relay, "status-changed", G_CALLBACK (reroute_queue_groups_refresh), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (
    relay, "notify::available", G_CALLBACK (available_cb), self, G_CONNECT_SWAPPED);
  return self;
}

GListModel *
reroute_queue_groups_get_lines (RerouteQueueGroups *self)
{
  g_return_val_if_fail (REROUTE_IS_QUEUE_GROUPS (self), NULL);

  return G_LIST_MODEL (self->lines);
}

void
reroute_queue_groups_set_question (RerouteQueueGroups *self, const char *by, const char *text)
{
  g_return_if_fail (REROUTE_IS_QUEUE_GROUPS (self));

  if (g_str_equal (self->by, by) && g_str_equal (self->text, text))
    return;
  g_free (self->by);
  g_free (self->text);
  self->by = g_strdup (by);
  self->text = g_strdup (text);
  self->loaded = FALSE;
  stop_reading (self);
  g_list_store_remove_all (self->lines);
  reroute_queue_groups_refresh (self);
  emit_updated (self);
}

const char *
reroute_queue_groups_get_by (RerouteQueueGroups *self)
{
  g_return_val_if_fail (REROUTE_IS_QUEUE_GROUPS (self), NULL);

  return self->by;
}

void
reroute_queue_groups_set_shown (RerouteQueueGroups *self, gboolean shown)
{
  g_return_if_fail (REROUTE_IS_QUEUE_GROUPS (self));

  self->shown = shown;
  reroute_queue_groups_refresh (self);
}

void
reroute_queue_groups_refresh (RerouteQueueGroups *self)
{
  const RerouteQueueQuestion question = { .limit = REROUTE_LIMIT_PAGE_ROWS,
                                          .by = self->by,
                                          .text = self->text };

  g_return_if_fail (REROUTE_IS_QUEUE_GROUPS (self));

  self->stale = self->reading != NULL;
  if (self->stale || !self->shown || !reroute_relay_client_get_available (self->relay))
    return;
  self->reading = g_cancellable_new ();
  reroute_relay_client_status_async (
    self->relay, self->reading, status_came_cb, g_object_ref (self));
  reroute_relay_client_queue_groups_async (
    self->relay, &question, self->reading, came_cb, g_object_ref (self));
}

gboolean
reroute_queue_groups_is_loaded (RerouteQueueGroups *self)
{
  g_return_val_if_fail (REROUTE_IS_QUEUE_GROUPS (self), FALSE);

  return self->loaded;
}

guint
reroute_queue_groups_get_total (RerouteQueueGroups *self)
{
  g_return_val_if_fail (REROUTE_IS_QUEUE_GROUPS (self), 0);

  return self->total;
}

gint64
reroute_queue_groups_get_as_of_us (RerouteQueueGroups *self)
{
  g_return_val_if_fail (REROUTE_IS_QUEUE_GROUPS (self), 0);

  return self->as_of_us;
}

guint64
reroute_queue_groups_get_n_queued (RerouteQueueGroups *self)
{
  g_return_val_if_fail (REROUTE_IS_QUEUE_GROUPS (self), 0);

  return self->n_queued;
}

gint64
reroute_queue_groups_get_oldest_us (RerouteQueueGroups *self)
{
  g_return_val_if_fail (REROUTE_IS_QUEUE_GROUPS (self), 0);

  return self->oldest_us;
}

const GError *
reroute_queue_groups_get_error (RerouteQueueGroups *self)
{
  g_return_val_if_fail (REROUTE_IS_QUEUE_GROUPS (self), NULL);

  return self->error;
}
