/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-selection.c - which messages of the queue are selected, also those that were never shown
 */

#include "config.h"

#include "gui/queue-selection.h"

#include "common/limits.h"

struct _RerouteQueueReading
{
  GtkSelectionModel *selection;
  RerouteQueueModel *model;
  guint next; /* a position: those before it were there when they were looked at */
  RerouteQueueReadFunc func;
  gpointer user_data;
  gulong updated_id, failed_id, changed_id;
};

GArray *
reroute_queue_selection_dup_ids (GtkSelectionModel *selection, RerouteQueueModel *model)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (selection);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  GtkBitsetIter iter;
  guint position;

  for (gboolean more = gtk_bitset_iter_init_first (&iter, selected, &position); more;
       more = gtk_bitset_iter_next (&iter, &position))
    {
      const RerouteQueuedMessage *message = reroute_queue_model_get_message (model, position);

      if (message == NULL)
        return NULL;
      g_array_append_val (ids, message->id);
    }
  return g_steal_pointer (&ids);
}

void
reroute_queue_selection_look (GtkSelectionModel *selection,
                              RerouteQueueModel *model,
                              gboolean *can_hold,
                              gboolean *held)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (selection);
  GtkBitsetIter iter;
  guint position;
  guint n = 0;

  for (gboolean more = gtk_bitset_iter_init_first (&iter, selected, &position);
       more && n < REROUTE_LIMIT_PAGE_ROWS;
       more = gtk_bitset_iter_next (&iter, &position), n++)
    {
      const RerouteQueuedMessage *message = reroute_queue_model_get_message (model, position);

      for (guint i = 0; message != NULL && i < message->recipients->len; i++)
        {
          const RerouteQueuedRecipient *recipient = message->recipients->pdata[i];
          gboolean is_held = g_str_equal (recipient->state, "held");

          *held = *held || is_held;
          *can_hold = *can_hold || !is_held;
        }
    }
}

/* --- reading --- */

static void
disconnect (RerouteQueueReading *self)
{
  g_clear_signal_handler (&self->updated_id, self->model);
  g_clear_signal_handler (&self->failed_id, self->model);
  g_clear_signal_handler (&self->changed_id, self->selection);
}

/* @ids: (transfer full) */
static void
end (RerouteQueueReading *self, GArray *ids, const GError *error)
{
  disconnect (self);
  self->func (ids, error, self->user_data);
}

/* TRUE: all of them are there; else the first that is missing has been asked for. */
static gboolean
look_on (RerouteQueueReading *self)
{
  g_autoptr (GtkBitset) selected = gtk_selection_model_get_selection (self->selection);
  GtkBitsetIter iter;
  guint position;

  for (gboolean more = gtk_bitset_iter_init_at (&iter, selected, self->next, &position); more;
       more = gtk_bitset_iter_next (&iter, &position))
    {
      self->next = position;
      if (reroute_queue_model_get_message (self->model, position) == NULL)
        return FALSE;
    }
  return TRUE;
}

/* Lines that come and go move the others, so a look at all of them comes last. */
static void
updated_cb (RerouteQueueModel *model, RerouteQueueReading *self)
{
  GArray *ids = NULL;

  if (!look_on (self))
    return;
  self->next = 0;
  ids = reroute_queue_selection_dup_ids (self->selection, model);
  if (ids != NULL)
    end (self, ids, NULL);
}

static void
failed_cb (RerouteQueueModel *model, const GError *error, RerouteQueueReading *self)
{
  end (self, NULL, error);
}

static void
changed_cb (GtkSelectionModel *selection, guint position, guint n, RerouteQueueReading *self)
{
  end (self, NULL, NULL);
}

RerouteQueueReading *
reroute_queue_reading_new (GtkSelectionModel *selection,
                           RerouteQueueModel *model,
                           RerouteQueueReadFunc func,
                           gpointer user_data)
{
  RerouteQueueReading *self = g_new0 (RerouteQueueReading, 1);

  self->selection = g_object_ref (selection);
  self->model = g_object_ref (model);
  self->func = func;
  self->user_data = user_data;
  reroute_queue_model_set_keeps_all (model, TRUE);
  self->updated_id = g_signal_connect (model, "updated", G_CALLBACK (updated_cb), self);
  self->failed_id = g_signal_connect (model, "failed", G_CALLBACK (failed_cb), self);
  self->changed_id =
    g_signal_connect (selection, "selection-changed", G_CALLBACK (changed_cb), self);
  look_on (self);
  return self;
}

void
reroute_queue_reading_free (RerouteQueueReading *self)
{
  disconnect (self);
  reroute_queue_model_set_keeps_all (self->model, FALSE);
  g_object_unref (self->model);
  g_object_unref (self->selection);
  g_free (self);
}
