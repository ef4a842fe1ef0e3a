/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-model.c - the messages of one group of the queue, read in pages
 *
 * Unlike the rows of rows-model.c nothing lies over them, so a page that comes is merged by id into
 * what is there: what is not in it any more is taken out, what is new put in, and the length is the
 * relay's.  A line is never given another message, for it may be selected: one that has moved is
 * taken out and put in.  Only lines that were looked at exist.
 */

#include "config.h"

#include "gui/queue-model.h"

#include "gui/plain-list.h"

#define PAGE 200        /* messages a call */
#define IN_FLIGHT 2     /* calls at a time while someone drags the scrollbar */
#define PAGES_HELD 100  /* with their messages */
#define NEVER G_MAXUINT /* no page */

struct _RerouteQueueModel
{
  GObject parent_instance;

  RerouteRelayClient *relay;
  char *by;
  char *key; /* (nullable) */
  char *text;
  char *order;
  gboolean keeps_all;
  GPtrArray *lines;    /* (element-type RerouteListLine) (nullable elements): NULL: not looked at */
  GHashTable *read_at; /* page -> the tick of its last call */
  guint tick;          /* counts refreshes */
  guint used[2];       /* the pages that were looked at last */
  GArray *wanted;      /* (element-type guint): pages, the most urgent last */
  guint n_in_flight;
  GCancellable *cancellable; /* of this group */
};

enum
{
  UPDATED,
  FAILED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void list_model_iface_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RerouteQueueModel,
                               reroute_queue_model,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_iface_init))

static void
unref_line (gpointer line)
{
  g_clear_object (&line);
}

static const RerouteQueuedMessage *
message_at (RerouteQueueModel *self, guint position)
{
  RerouteListLine *line = self->lines->pdata[position];

  return line != NULL ? reroute_list_line_get_value (line) : NULL;
}

/* --- merging --- */

static void
remove_lines (RerouteQueueModel *self, guint position, guint n)
{
  if (n == 0)
    return;
  g_ptr_array_remove_range (self->lines, position, n);
  g_list_model_items_changed (G_LIST_MODEL (self), position, n, 0);
}

/* @message: (transfer full) */
static void
show_message (RerouteQueueModel *self, guint position, RerouteQueuedMessage *message)
{
  RerouteListLine *line = self->lines->pdata[position];

  if (line == NULL)
    self->lines->pdata[position] = reroute_list_line_new (message, reroute_queued_message_free);
  else
    reroute_list_line_set_value (line, message);
}

static void
insert_lines (RerouteQueueModel *self, guint position, guint n)
{
  guint before = self->lines->len;

  if (n == 0)
    return;
  g_ptr_array_set_size (self->lines, (int) (before + n));
  memmove (self->lines->pdata + position + n,
           self->lines->pdata + position,
           (before - position) * sizeof (gpointer));
  memset (self->lines->pdata + position, 0, n * sizeof (gpointer));
  g_list_model_items_changed (G_LIST_MODEL (self), position, 0, n);
}

/* Where the messages of a page stand in it. */
static GHashTable *
index_page (const GPtrArray *messages)
{
  GHashTable *places = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (guint i = 0; i < messages->len; i++)
    g_hash_table_insert (
      places, &((RerouteQueuedMessage *) messages->pdata[i])->id, GUINT_TO_POINTER (i));
  return places;
}

/* Whether the line at @position has no message of the page from its @next one on. */
static gboolean
has_left (RerouteQueueModel *self, guint position, GHashTable *places, guint next)
{
  const RerouteQueuedMessage *there = message_at (self, position);
  gpointer place = NULL;

  return there != NULL && !(g_hash_table_lookup_extended (places, &there->id, NULL, &place) &&
                            GPOINTER_TO_UINT (place) >= next);
}

/* How many lines from @position on have left. */
static guint
count_left (RerouteQueueModel *self, guint position, GHashTable *places, guint next)
{
  guint n = 0;

  while (position + n < self->lines->len && has_left (self, position + n, places, next))
    n++;
  return n;
}

/* How many messages of the page, from its @next one on, stand before the line at @position. */
static guint
count_new (RerouteQueueModel *self, guint position, GHashTable *places, guint next)
{
  const RerouteQueuedMessage *there =
    position < self->lines->len ? message_at (self, position) : NULL;

  return there != NULL ? GPOINTER_TO_UINT (g_hash_table_lookup (places, &there->id)) - next : 0;
}

/* The messages of a page stand from @position on. */
static void
put_messages (RerouteQueueModel *self, guint position, GPtrArray *messages)
{
  g_autoptr (GHashTable) places = index_page (messages);

  for (guint i = 0; i < messages->len; i++, position++)
    {
      remove_lines (self, position, count_left (self, position, places, i));
      if (position == self->lines->len)
        insert_lines (self, position, messages->len - i);
      else
        insert_lines (self, position, count_new (self, position, places, i));
      show_message (self, position, messages->pdata[i]);
    }
}

static void
set_length (RerouteQueueModel *self, guint length)
{
  guint before = self->lines->len;

  if (length < before)
    {
      remove_lines (self, length, before - length);
      return;
    }
  g_ptr_array_set_size (self->lines, (int) length);
  if (length > before)
    g_list_model_items_changed (G_LIST_MODEL (self), before, 0, length - before);
}

/* --- reading --- */

typedef struct
{
  RerouteQueueModel *self;
  GCancellable *cancellable;
  guint page;
  guint offset; /* what a page that is too large for one answer lacks */
} Request;

static void
request_free (Request *request)
{
  g_clear_object (&request->self);
  g_clear_object (&request->cancellable);
  g_free (request);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

static void ask (RerouteQueueModel *self, guint page, guint offset);

/* Lets go of the page that is farthest from @page. */
static void
evict_one (RerouteQueueModel *self, guint page)
{
  GHashTableIter iter;
  gpointer key;
  guint farthest = page;

  g_hash_table_iter_init (&iter, self->read_at);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      guint each = GPOINTER_TO_UINT (key);

      if (ABS ((int) each - (int) page) > ABS ((int) farthest - (int) page))
        farthest = each;
    }
  g_hash_table_remove (self->read_at, GUINT_TO_POINTER (farthest));
  for (guint i = farthest * PAGE; i < self->lines->len && i < (farthest + 1) * PAGE; i++)
    unref_line (g_steal_pointer (&self->lines->pdata[i]));
}

static void
evict (RerouteQueueModel *self, guint page)
{
  while (!self->keeps_all && g_hash_table_size (self->read_at) > PAGES_HELD)
    evict_one (self, page);
}

static void
ask_next (RerouteQueueModel *self)
{
  while (self->n_in_flight < IN_FLIGHT && self->wanted->len > 0)
    {
      guint page = g_array_index (self->wanted, guint, self->wanted->len - 1);

      g_array_set_size (self->wanted, self->wanted->len - 1);
      ask (self, page, page * PAGE);
    }
}

/* Returns: how many were put */
static guint
take_page (RerouteQueueModel *self, const Request *request, RerouteQueuePage *page)
{
  guint n = page->messages->len;

  g_ptr_array_set_free_func (page->messages, NULL);
  /* Lines before it that were not read yet. */
  if (self->lines->len < request->offset)
    set_length (self, request->offset);
  put_messages (self, request->offset, page->messages);
  set_length (self, page->total);
  return n;
}

static void
came_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Request) request = user_data;
  RerouteQueueModel *self = request->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteQueuePage) page =
               reroute_relay_client_queue_finish (REROUTE_RELAY_CLIENT (source), result, &error);
  guint end;

  if (g_cancellable_is_cancelled (request->cancellable))
    return;
  self->n_in_flight--;
  if (page == NULL)
    {
      g_debug ("no messages: %s", error->message);
      g_hash_table_remove (self->read_at, GUINT_TO_POINTER (request->page));
      g_signal_emit (self, signals[FAILED], 0, error);
      return;
    }
  end = request->offset + take_page (self, request, page);
  if (end > request->offset && end < page->total && end < (request->page + 1) * PAGE)
    ask (self, request->page, end);
  evict (self, request->page);
  g_signal_emit (self, signals[UPDATED], 0);
  ask_next (self);
}

static void
ask (RerouteQueueModel *self, guint page, guint offset)
{
  const RerouteQueueQuestion question = {
    .by = self->by,
    .key = self->key,
    .text = self->text,
    .order = self->order,
    .offset = offset,
    .limit = (page + 1) * PAGE - offset,
  };
  Request *request = g_new0 (Request, 1);

  request->self = g_object_ref (self);
  request->cancellable = g_object_ref (self->cancellable);
  request->page = page;
  request->offset = offset;
  self->n_in_flight++;
  reroute_relay_client_queue_group_async (
    self->relay, &question, self->cancellable, came_cb, request);
}

static void
want (RerouteQueueModel *self, guint page)
{
  gpointer key = GUINT_TO_POINTER (page);

  if (self->key == NULL ||
      g_hash_table_lookup (self->read_at, key) == GUINT_TO_POINTER (self->tick))
    return;
  g_hash_table_insert (self->read_at, key, GUINT_TO_POINTER (self->tick));
  g_array_append_val (self->wanted, page);
  ask_next (self);
}

static void
use (RerouteQueueModel *self, guint page)
{
  if (self->used[0] != page)
    {
      self->used[1] = self->used[0];
      self->used[0] = page;
    }
  want (self, page);
}

/* --- GListModel --- */

static GType
get_item_type (GListModel *model)
{
  return REROUTE_TYPE_LIST_LINE;
}

static guint
get_n_items (GListModel *model)
{
  return REROUTE_QUEUE_MODEL (model)->lines->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  RerouteQueueModel *self = REROUTE_QUEUE_MODEL (model);

  if (position >= self->lines->len)
    return NULL;
  if (self->lines->pdata[position] == NULL)
    self->lines->pdata[position] = reroute_list_line_new (NULL, reroute_queued_message_free);
  use (self, position / PAGE);
  return g_object_ref (self->lines->pdata[position]);
}

static void
list_model_iface_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

/* --- GObject --- */

static void
reroute_queue_model_dispose (GObject *object)
{
  RerouteQueueModel *self = REROUTE_QUEUE_MODEL (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->relay);
  g_clear_pointer (&self->lines, g_ptr_array_unref);
  g_clear_pointer (&self->read_at, g_hash_table_unref);
  g_clear_pointer (&self->wanted, g_array_unref);
  g_clear_pointer (&self->by, g_free);
  g_clear_pointer (&self->key, g_free);
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->order, g_free);

  G_OBJECT_CLASS (reroute_queue_model_parent_class)->dispose (object);
}

static void
reroute_queue_model_class_init (RerouteQueueModelClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_queue_model_dispose;

  signals[UPDATED] = g_signal_new (
    "updated", REROUTE_TYPE_QUEUE_MODEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[FAILED] = g_signal_new ("failed",
                                  REROUTE_TYPE_QUEUE_MODEL,
                                  G_SIGNAL_RUN_LAST,
                                  0,
                                  NULL,
                                  NULL,
                                  NULL,
                                  G_TYPE_NONE,
                                  1,
                                  G_TYPE_ERROR);
}

static void
reroute_queue_model_init (RerouteQueueModel *self)
{
  self->lines = g_ptr_array_new_with_free_func (unref_line);
  self->read_at = g_hash_table_new (NULL, NULL);
  self->wanted = g_array_new (FALSE, FALSE, sizeof (guint));
  self->used[0] = self->used[1] = NEVER;
  self->tick = 1;
}

RerouteQueueModel *
reroute_queue_model_new (RerouteRelayClient *relay)
{
  RerouteQueueModel *self = g_object_new (REROUTE_TYPE_QUEUE_MODEL, NULL);

  self->relay = g_object_ref (relay);
  return self;
}

/* What was read, and what is on its way, is of no interest any more. */
static void
read_anew (RerouteQueueModel *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancellable = g_cancellable_new ();
  self->n_in_flight = 0;
  g_array_set_size (self->wanted, 0);
  g_hash_table_remove_all (self->read_at);
  self->used[0] = self->used[1] = NEVER;
  set_length (self, 0);
  want (self, 0);
  g_signal_emit (self, signals[UPDATED], 0);
}

void
reroute_queue_model_set_group (RerouteQueueModel *self,
                               const char *by,
                               const char *key,
                               const char *text)
{
  g_return_if_fail (REROUTE_IS_QUEUE_MODEL (self));

  if (g_strcmp0 (self->by, by) == 0 && g_strcmp0 (self->key, key) == 0 &&
      g_strcmp0 (self->text, text) == 0)
    return;
  g_free (self->by);
  g_free (self->key);
  g_free (self->text);
  self->by = g_strdup (by);
  self->key = g_strdup (key);
  self->text = g_strdup (text);
  read_anew (self);
}

void
reroute_queue_model_set_order (RerouteQueueModel *self, const char *order)
{
  g_return_if_fail (REROUTE_IS_QUEUE_MODEL (self));

  if (g_strcmp0 (self->order, order) == 0)
    return;
  g_free (self->order);
  self->order = g_strdup (order);
  read_anew (self);
}

const char *
reroute_queue_model_get_by (RerouteQueueModel *self)
{
  return self->by;
}

const char *
reroute_queue_model_get_key (RerouteQueueModel *self)
{
  return self->key;
}

const char *
reroute_queue_model_get_text (RerouteQueueModel *self)
{
  return self->text;
}

void
reroute_queue_model_refresh (RerouteQueueModel *self)
{
  guint used[2];

  g_return_if_fail (REROUTE_IS_QUEUE_MODEL (self));

  used[0] = self->used[0];
  used[1] = self->used[1];
  self->tick++;
  g_array_set_size (self->wanted, 0);
  if (used[1] != NEVER && used[1] * PAGE < self->lines->len)
    want (self, used[1]);
  want (self, used[0] != NEVER && used[0] * PAGE < self->lines->len ? used[0] : 0);
}

const RerouteQueuedMessage *
reroute_queue_model_get_message (RerouteQueueModel *self, guint position)
{
  const RerouteQueuedMessage *message = NULL;

  g_return_val_if_fail (REROUTE_IS_QUEUE_MODEL (self), NULL);

  if (position < self->lines->len)
    message = message_at (self, position);
  if (message == NULL && position < self->lines->len)
    want (self, position / PAGE);
  return message;
}

void
reroute_queue_model_set_keeps_all (RerouteQueueModel *self, gboolean keeps_all)
{
  g_return_if_fail (REROUTE_IS_QUEUE_MODEL (self));

  self->keeps_all = keeps_all;
}

void
reroute_queue_model_tell_again (RerouteQueueModel *self)
{
  g_return_if_fail (REROUTE_IS_QUEUE_MODEL (self));

  for (guint i = 0; i < self->lines->len; i++)
    if (self->lines->pdata[i] != NULL)
      reroute_list_line_tell_again (self->lines->pdata[i]);
}
