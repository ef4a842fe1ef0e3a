/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * revert.c - Bring Back: the questions and the call
 */

#include "config.h"

#include "gui/revert.h"

#include "gui/question-window.h"
#include "gui/row-text.h"
#include "gui/trial.h"

#include <glib/gi18n.h>

/* One Bring Back, from the question on; the owner holds the newest. */
typedef struct
{
  GObject *owner;      /* borrowed, but for the length of a call */
  GtkWindow *parent;   /* borrowed: questions are modal to it */
  RerouteSheet *sheet; /* a reference */
  guint64 serial;
  guint64 expected; /* what was saved when the person was asked */
  RerouteRevertFunc func;
  GStrv keys;       /* (nullable): of findings that were shown */
  gboolean running; /* a call; meanwhile the owner gets no other Revert */
} Revert;

static void revert (Revert *self, const char *const *confirmed);

static void
clear (gpointer data)
{
  Revert *self = data;

  g_clear_object (&self->sheet);
  g_clear_pointer (&self->keys, g_strfreev);
}

static void
unref (gpointer data)
{
  g_rc_box_release_full (data, clear);
}

static char *
dup_heading (const Revert *self)
{
  g_autofree char *serial = g_strdup_printf ("%" G_GUINT64_FORMAT, self->serial);

  /* Translators: %s is the number of a generation of the rules */
  return g_strdup_printf (_ ("Bring back %s?"), serial);
}

static void
confirmed_cb (gboolean first, gpointer user_data)
{
  Revert *self = user_data;

  revert (self, (const char *const *) self->keys);
}

static void
ask_to_confirm (Revert *self, GPtrArray *findings)
{
  g_autofree char *heading = dup_heading (self);
  g_autofree char *text = NULL;
  RerouteQuestion question = {
    .title = _ ("Bring Back"),
                .heading = heading,
                .first_label = _ ("_Bring Back"), .default_cancel = TRUE,
                };

  g_strfreev (self->keys);
  self->keys = reroute_findings_dup_confirm_keys (findings);
  text = reroute_findings_dup_text (findings, REROUTE_FINDING_CONFIRM);
  question.text = text;
  reroute_question_window_ask (self->parent, &question, confirmed_cb, self);
}

static void
take_result (Revert *self, const RerouteCommitResult *commit)
{
  g_autofree char *problem = NULL;

  switch (commit->state)
    {
    case REROUTE_COMMIT_SAVED:
      self->func (self->owner, NULL);
      break;
    case REROUTE_COMMIT_STALE:
      self->func (self->owner,
                  _ ("Someone else saved meanwhile, so nothing was brought back. Look again."));
      break;
    case REROUTE_COMMIT_REFUSED:
      problem = reroute_findings_dup_text (commit->findings, REROUTE_FINDING_ERROR);
      self->func (self->owner, problem);
      break;
    case REROUTE_COMMIT_CONFIRM:
      self->func (self->owner, NULL);
      ask_to_confirm (self, commit->findings);
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
reverted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Revert *self = user_data;
  g_autoptr (GObject) owner = self->owner;
  g_autoptr (GError) error = NULL;
  g_autofree char *problem = NULL;
  g_autoptr (RerouteCommitResult) commit =
               reroute_rules_client_revert_finish (REROUTE_RULES_CLIENT (source), result, &error);

  self->running = FALSE;
  if (gtk_widget_get_root (GTK_WIDGET (owner)) != NULL)
    {
      if (commit != NULL)
        {
          take_result (self, commit);
        }
      else
        {
          problem = reroute_dup_error (error);
          self->func (owner, problem);
        }
    }
  unref (self);
}

static void
revert (Revert *self, const char *const *confirmed)
{
  g_object_ref (self->owner);
  self->running = TRUE;
  self->func (self->owner, NULL);
  reroute_rules_client_revert_async (reroute_sheet_get_rules (self->sheet),
                                     self->serial,
                                     self->expected,
                                     confirmed,
                                     NULL,
                                     reverted_cb,
                                     g_rc_box_acquire (self));
}

static void
agreed_cb (gboolean first, gpointer user_data)
{
  revert (user_data, NULL);
}

gboolean
reroute_revert_is_running (GObject *owner)
{
  const Revert *newest = g_object_get_data (owner, "revert");

  return newest != NULL && newest->running;
}

void
reroute_revert_ask (
  GtkWindow *parent, RerouteSheet *sheet, guint64 serial, RerouteRevertFunc func, GObject *owner)
{
  g_return_if_fail (!reroute_revert_is_running (owner));

  Revert *self = g_rc_box_new0 (Revert);
  g_autofree char *heading = NULL;
  RerouteQuestion question = {
    .title = _ ("Bring Back"),
      .text =
        _ ("It is saved at once, and the relay follows. Unsaved changes of this window are kept."),
           .first_label = _ ("_Bring Back"), .default_cancel = TRUE,
           };

  self->owner = owner;
  self->parent = parent;
  self->sheet = g_object_ref (sheet);
  self->serial = serial;
  self->expected = reroute_sheet_get_serial (sheet);
  self->func = func;
  g_object_set_data_full (owner, "revert", self, unref);
  heading = dup_heading (self);
  question.heading = heading;
  reroute_question_window_ask (parent, &question, agreed_cb, self);
}
