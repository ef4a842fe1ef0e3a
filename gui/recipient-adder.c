/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * recipient-adder.c - addresses into a list of recipients, but for those that are on it
 */

#include "config.h"

#include "gui/recipient-adder.h"

#include "common/limits.h"

#include <glib/gi18n.h>

#define READINGS_MOST 20 /* of a list that changes, or is asked for in another order, meanwhile */

typedef struct
{
  char *filter;
  GPtrArray *rows;
  GHashTable *saved; /* (element-type utf8 RerouteRow): by address */
  guint n_read;
  guint64 serial; /* of what was read */
  guint n_readings;
} Addition;

static void ask (GTask *task);

static void
addition_free (gpointer data)
{
  Addition *addition = data;

  g_free (addition->filter);
  g_ptr_array_unref (addition->rows);
  g_hash_table_unref (addition->saved);
  g_free (addition);
}

/* 0: it is on the list already */
static gint64
add (RerouteEdit *edit, RerouteRow *row, RerouteRow *saved, GHashTable *added)
{
  if (g_hash_table_contains (added, row->domain))
    return 0;
  if (saved == NULL)
    return reroute_edit_put_row (edit, row, NULL);
  if (reroute_edit_get_state (edit, REROUTE_PAGE_RECIPIENTS, saved->id) != REROUTE_EDIT_REMOVED)
    return 0;
  return reroute_edit_put_row (edit, saved, saved);
}

static void
add_all (GTask *task)
{
  Addition *addition = g_task_get_task_data (task);
  RerouteEdit *edit = reroute_sheet_get_edit (g_task_get_source_object (task));
  g_autoptr (GPtrArray) rows = reroute_edit_dup_added (edit, REROUTE_PAGE_RECIPIENTS);
  g_autoptr (GHashTable) added = g_hash_table_new (g_str_hash, g_str_equal);
  RerouteAddedRecipients *result = g_new0 (RerouteAddedRecipients, 1);

  for (guint i = 0; i < rows->len; i++)
    g_hash_table_add (added, ((RerouteRow *) rows->pdata[i])->domain);
  reroute_edit_begin_step (edit);
  reroute_edit_freeze_changed (edit);
  for (guint i = 0; i < addition->rows->len; i++)
    {
      RerouteRow *row = addition->rows->pdata[i];
      gint64 id = add (edit, row, g_hash_table_lookup (addition->saved, row->domain), added);

      if (id == 0)
        {
          result->n_known++;
          continue;
        }
      result->n_added++;
      result->last_id = id;
    }
  reroute_edit_thaw_changed (edit);
  g_task_return_pointer (task, result, g_free);
}

static void
take_page (Addition *addition, const RerouteRowPage *page)
{
  for (guint i = 0; i < page->rows->len; i++)
    {
      RerouteRow *row = page->rows->pdata[i];

      g_hash_table_insert (addition->saved, row->domain, reroute_row_ref (row));
    }
  addition->n_read += page->rows->len;
}

/* From the first row again: FALSE when that was tried too often. */
static gboolean
read_again (Addition *addition)
{
  g_hash_table_remove_all (addition->saved);
  addition->n_read = 0;
  return ++addition->n_readings < READINGS_MOST;
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = G_TASK (user_data);
  Addition *addition = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRowPage) page =
               reroute_rules_client_list_finish (REROUTE_RULES_CLIENT (source), result, &error);
  gboolean changed = page != NULL && addition->n_read > 0 && page->serial != addition->serial;

  if (g_task_return_error_if_cancelled (task))
    return;
  /* Another question for the page of recipients ends this one. */
  if (changed || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      if (read_again (addition))
        ask (task);
      else
        g_task_return_new_error (
          task, G_IO_ERROR, G_IO_ERROR_BUSY, _ ("others change the list all the time"));
      return;
    }
  if (page == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  addition->serial = page->serial;
  take_page (addition, page);
  if (page->rows->len > 0 && addition->n_read < page->total)
    ask (task);
  else
    add_all (task);
}

static void
ask (GTask *task)
{
  Addition *addition = g_task_get_task_data (task);

  reroute_rules_client_list_async (reroute_sheet_get_rules (g_task_get_source_object (task)),
                                   REROUTE_PAGE_RECIPIENTS,
                                   addition->filter,
                                   "domain",
                                   addition->n_read,
                                   REROUTE_LIMIT_PAGE_ROWS,
                                   g_task_get_cancellable (task),
                                   listed_cb,
                                   g_object_ref (task));
}

void
reroute_recipients_add_async (RerouteSheet *sheet,
                              const char *domain,
                              GPtrArray *rows,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Addition *addition = NULL;

  g_return_if_fail (REROUTE_IS_SHEET (sheet));
  g_return_if_fail (domain != NULL && rows != NULL);

  task = g_task_new (sheet, cancellable, callback, user_data);
  addition = g_new0 (Addition, 1);
  g_task_set_source_tag (task, reroute_recipients_add_async);
  addition->filter = g_strconcat ("@", domain, NULL);
  addition->rows = g_ptr_array_ref (rows);
  addition->saved = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reroute_row_unref);
  g_task_set_task_data (task, addition, addition_free);
  ask (task);
}

gboolean
reroute_recipients_add_finish (RerouteSheet *sheet,
                               GAsyncResult *result,
                               RerouteAddedRecipients *added,
                               GError **error)
{
  g_autofree RerouteAddedRecipients *own = NULL;

  g_return_val_if_fail (g_task_is_valid (result, sheet), FALSE);

  own = g_task_propagate_pointer (G_TASK (result), error);
  if (own == NULL)
    return FALSE;
  *added = *own;
  return TRUE;
}
