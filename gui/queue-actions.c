/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-actions.c - retry, hold, release, return and delete messages of the queue
 */

#include "config.h"

#include "gui/queue-actions.h"

#include "common/limits.h"
#include "gui/question-window.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>

typedef struct
{
  RerouteRelayClient *relay;
  RerouteQueueVerb verb;
  char *by;
  char *key;
  char *text;
  GArray *ids;  /* (nullable) */
  guint n_sent; /* of the ids, in the calls that were made */
  RerouteQueueCounts counts;
  RerouteQueueActedFunc func;
  GtkWidget *owner; /* borrowed: it holds this */
} Action;

static void
clear_action (gpointer data)
{
  Action *self = data;

  g_object_unref (self->relay);
  g_free (self->by);
  g_free (self->key);
  g_free (self->text);
  g_clear_pointer (&self->ids, g_array_unref);
}

static void
unref_action (gpointer data)
{
  g_rc_box_release_full (data, clear_action);
}

/* (nullable): what was not done. */
static char *
dup_problem (const RerouteQueueCounts *counts)
{
  if (counts->silent > 0)
    return g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE,
                   "%'u message stays: it has no sender, or one that wants no notice.",
                   "%'u messages stay: they have no sender, or one that wants no notice.",
                   counts->silent),
      counts->silent);
  if (counts->busy > 0)
    return g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE,
                   "%'u message was left alone: it is being delivered just now.",
                   "%'u messages were left alone: they are being delivered just now.",
                   counts->busy),
      counts->busy);
  return NULL;
}

static void run (Action *self);

static void
acted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Action *self = user_data;
  g_autoptr (GtkWidget) owner = self->owner;
  g_autoptr (GError) error = NULL;
  RerouteQueueCounts counts = { 0 };
  g_autofree char *problem = NULL;

  if (!reroute_relay_client_queue_act_finish (
        REROUTE_RELAY_CLIENT (source), result, &counts, &error))
    {
      problem = reroute_dup_queue_refusal (error);
    }
  else
    {
      self->counts.busy += counts.busy;
      self->counts.silent += counts.silent;
      if (self->ids != NULL && self->n_sent < self->ids->len)
        {
          run (self);
          unref_action (self);
          return;
        }
      problem = dup_problem (&self->counts);
    }
  if (gtk_widget_get_root (owner) != NULL)
    self->func (G_OBJECT (owner), problem);
  unref_action (self);
}

/* As many as a call may name; the next one follows when it is answered. */
static void
run (Action *self)
{
  GVariantBuilder filter;
  RerouteQueueSelection selection = { NULL };

  if (self->ids != NULL)
    {
      selection.ids = &g_array_index (self->ids, guint64, self->n_sent);
      selection.n_ids = MIN (self->ids->len - self->n_sent, REROUTE_LIMIT_CALL_IDS);
      self->n_sent += (guint) selection.n_ids;
    }
  g_variant_builder_init (&filter, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&filter, "{sv}", self->by, g_variant_new_string (self->key));
  if (self->ids == NULL && self->text[0] != '\0')
    g_variant_builder_add (&filter, "{sv}", "text", g_variant_new_string (self->text));
  selection.filter = g_variant_builder_end (&filter);
  g_object_ref (self->owner);
  reroute_relay_client_queue_act_async (
    self->relay, self->verb, &selection, NULL, acted_cb, g_rc_box_acquire (self));
}

static void
agreed_cb (gboolean first, gpointer user_data)
{
  run (user_data);
}

static void
ask (Action *self, guint n)
{
  gboolean returns = self->verb == REROUTE_QUEUE_RETURN;
  g_autofree char *heading = g_strdup_printf (
    returns ? g_dngettext (GETTEXT_PACKAGE,
                           "Return %'u message to its sender?",
                           "Return %'u messages to their senders?",
                           n)
            : g_dngettext (GETTEXT_PACKAGE, "Delete %'u message?", "Delete %'u messages?", n),
    n);
  const RerouteQuestion question = {
    .title = returns
    ? _ ("Return to Sender")
    : _ ("Delete Messages"),
         .heading = heading,
         .text = returns ? g_dngettext (GETTEXT_PACKAGE,
                                        "The sender is sent a notice of failure with the reason.",
                                        "Each sender is sent a notice of failure with the reason.",
                                        n)
                         : g_dngettext (GETTEXT_PACKAGE,
                                        "It is gone for good, and its sender is not told.",
                                        "They are gone for good, and their senders are not told.",
                                        n),
         .first_label = returns ? _ ("_Return")
                                : _ ("_Delete"), .default_cancel = TRUE,
         };

  reroute_question_window_ask (
    GTK_WINDOW (gtk_widget_get_root (self->owner)), &question, agreed_cb, self);
}

void
reroute_queue_act (const RerouteQueueDeed *deed, RerouteQueueActedFunc func, GtkWidget *owner)
{
  Action *self = g_rc_box_new0 (Action);

  self->relay = g_object_ref (deed->relay);
  self->verb = deed->verb;
  self->by = g_strdup (deed->by);
  self->key = g_strdup (deed->key);
  self->text = g_strdup (deed->text);
  self->ids = deed->ids != NULL ? g_array_ref (deed->ids) : NULL;
  self->func = func;
  self->owner = owner;
  g_object_set_data_full (G_OBJECT (owner), "queue-action", self, unref_action);
  if (deed->verb == REROUTE_QUEUE_RETURN || deed->verb == REROUTE_QUEUE_DELETE)
    ask (self, deed->n);
  else
    run (self);
}
