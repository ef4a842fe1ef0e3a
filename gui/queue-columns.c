/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-columns.c - the columns of the Queues page and of the details of a message
 */

#include "config.h"

#include "gui/queue-columns.h"

#include "gui/header-order.h"
#include "gui/plain-list.h"
#include "gui/queue-text.h"

#include <glib/gi18n.h>

static RerouteStateLook
get_group_state (gpointer value)
{
  RerouteStateLook look = { NULL, NULL, NULL };

  if (reroute_queue_is_unreached (value))
    look = (RerouteStateLook){ "dialog-warning-symbolic",
                               "state-warning",
                               _ ("The connection to the host failed at the last try") };
  return look;
}

static gboolean
is_held (gpointer value)
{
  return reroute_queue_is_held (value);
}

static char *
name_cell (gpointer value, gpointer user_data)
{
  return reroute_queue_dup_group_name (reroute_queue_groups_get_by (user_data),
                                       ((RerouteQueueGroup *) value)->key);
}

static char *
count_cell (gpointer value, gpointer user_data)
{
  return g_strdup_printf ("%'u", ((RerouteQueueGroup *) value)->n_messages);
}

static char *
oldest_cell (gpointer value, gpointer user_data)
{
  return reroute_dup_age (((RerouteQueueGroup *) value)->oldest_us);
}

static char *
next_try_cell (gpointer value, gpointer user_data)
{
  return reroute_dup_wait (((RerouteQueueGroup *) value)->next_try_us);
}

static char *
failure_cell (gpointer value, gpointer user_data)
{
  return g_strdup (((RerouteQueueGroup *) value)->last_failure);
}

static char *
sender_cell (gpointer value, gpointer user_data)
{
  const char *reverse_path = ((RerouteQueuedMessage *) value)->reverse_path;

  return g_strdup (reverse_path[0] != '\0' ? reverse_path : "<>");
}

static char *
recipient_cell (gpointer value, gpointer user_data)
{
  return reroute_queue_dup_recipients (value);
}

static char *
size_cell (gpointer value, gpointer user_data)
{
  return reroute_dup_size (((RerouteQueuedMessage *) value)->octets);
}

static char *
age_cell (gpointer value, gpointer user_data)
{
  return reroute_dup_age (((RerouteQueuedMessage *) value)->received_us);
}

static char *
message_next_try_cell (gpointer value, gpointer user_data)
{
  return reroute_dup_wait (reroute_queue_get_next_try_us (value));
}

static char *
state_cell (gpointer value, gpointer user_data)
{
  return reroute_queue_dup_state (value);
}

static char *
address_cell (gpointer value, gpointer user_data)
{
  return g_strdup (((RerouteQueuedRecipient *) value)->address);
}

static char *
recipient_state_cell (gpointer value, gpointer user_data)
{
  return reroute_queue_dup_recipient_state (((RerouteQueuedRecipient *) value)->state);
}

static char *
tries_cell (gpointer value, gpointer user_data)
{
  return g_strdup_printf ("%'u", ((RerouteQueuedRecipient *) value)->tries);
}

static char *
recipient_next_try_cell (gpointer value, gpointer user_data)
{
  const RerouteQueuedRecipient *recipient = value;
  gboolean waits = g_str_equal (recipient->state, "waiting");

  return reroute_dup_wait (waits ? recipient->next_try_us : 0);
}

static char *
reply_cell (gpointer value, gpointer user_data)
{
  return g_strdup (((RerouteQueuedRecipient *) value)->last_reply);
}

/* --- the order of groups --- */

static int
compare_times (gint64 a, gint64 b)
{
  return a < b ? -1 : a > b;
}

static int
compare_keys (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (((const RerouteQueueGroup *) a)->key, ((const RerouteQueueGroup *) b)->key);
}

static int
compare_counts (gconstpointer a, gconstpointer b)
{
  return compare_times (((const RerouteQueueGroup *) a)->n_messages,
                        ((const RerouteQueueGroup *) b)->n_messages);
}

/* By age, as the column says it. */
static int
compare_oldest (gconstpointer a, gconstpointer b)
{
  return compare_times (((const RerouteQueueGroup *) b)->oldest_us,
                        ((const RerouteQueueGroup *) a)->oldest_us);
}

static int
compare_next_tries (gconstpointer a, gconstpointer b)
{
  return compare_times (((const RerouteQueueGroup *) a)->next_try_us,
                        ((const RerouteQueueGroup *) b)->next_try_us);
}

static int
compare_failures (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (((const RerouteQueueGroup *) a)->last_failure,
                    ((const RerouteQueueGroup *) b)->last_failure);
}

/* --- columns --- */

void
reroute_queue_columns_add_groups (GtkColumnView *view, RerouteQueueGroups *groups)
{
  const RerouteTextColumn columns[] = {
    { "", REROUTE_STATE_WIDTH, .get_state = get_group_state },
    { _ ("Next Hop"), 230, FALSE, name_cell, .compare = compare_keys },
      { _ ("Messages"), 104, TRUE, count_cell, .compare = compare_counts },
        { _ ("Oldest"), 72, TRUE, oldest_cell, .compare = compare_oldest },
          { _ ("Next Try"), 92, TRUE, next_try_cell, .compare = compare_next_tries },
            { _ ("Last Failure"), -1, FALSE, failure_cell, .compare = compare_failures },
          };

  reroute_text_columns_add (view, columns, G_N_ELEMENTS (columns), groups);
}

void
reroute_queue_columns_name_groups (GtkColumnView *view, RerouteQueueGroups *groups)
{
  g_autoptr (GtkColumnViewColumn) name =
               g_list_model_get_item (gtk_column_view_get_columns (view), 1);
  gboolean by_entry = g_str_equal (reroute_queue_groups_get_by (groups), "entry");

  gtk_column_view_column_set_title (name, by_entry ? _ ("Entry") : _ ("Next Hop"));
}

/* The columns of the messages, as reroute_queue_columns_add_messages() has them. */
enum
{
  COLUMN_SENDER,
  COLUMN_RECIPIENT,
  COLUMN_SIZE,
  COLUMN_AGE,
  COLUMN_NEXT_TRY,
  COLUMN_STATE,
};

/* By age, as the column says it: the youngest first. */
static void
ordered_cb (guint column, gboolean descending, gpointer model)
{
  static const char *const orders[] = {
    [COLUMN_SENDER] = "sender", [COLUMN_RECIPIENT] = "recipient", [COLUMN_SIZE] = "size",
    [COLUMN_AGE] = "arrival",   [COLUMN_NEXT_TRY] = "next-try",   [COLUMN_STATE] = "state",
  };
  gboolean turned = descending != (column == COLUMN_AGE);
  g_autofree char *order = g_strconcat (turned ? "-" : "", orders[column], NULL);

  reroute_queue_model_set_order (model, order);
}

void
reroute_queue_columns_add_messages (GtkColumnView *view, RerouteQueueModel *model)
{
  const RerouteTextColumn columns[] = {
    { _ ("Sender"), 198, FALSE, sender_cell, is_held, .is_order = TRUE },
      { _ ("Recipient"), -1, FALSE, recipient_cell, is_held, .is_order = TRUE },
        { _ ("Size"), 84, TRUE, size_cell, is_held, .is_order = TRUE },
          { _ ("Age"), 72, TRUE, age_cell, is_held, .is_order = TRUE },
            { _ ("Next Try"), 92, TRUE, message_next_try_cell, is_held, .is_order = TRUE },
              { _ ("State"), 90, FALSE, state_cell, is_held, .is_order = TRUE },
            };
  g_autoptr (GtkColumnViewColumn) age = NULL;

  reroute_header_order_init (view, ordered_cb, model);
  reroute_text_columns_add (view, columns, G_N_ELEMENTS (columns), NULL);
  age = g_list_model_get_item (gtk_column_view_get_columns (view), COLUMN_AGE);
  gtk_column_view_sort_by_column (view, age, GTK_SORT_DESCENDING);
}

void
reroute_queue_columns_add_recipients (GtkColumnView *view)
{
  const RerouteTextColumn columns[] = {
    { _ ("Recipient"), 190, FALSE, address_cell },
      { _ ("State"), 92, FALSE, recipient_state_cell },
        { _ ("Next Try"), 92, TRUE, recipient_next_try_cell },
          { _ ("Tries"), 60, TRUE, tries_cell },
            { _ ("Last Reply"), -1, FALSE, reply_cell },
          };

  reroute_text_columns_add (view, columns, G_N_ELEMENTS (columns), NULL);
}
