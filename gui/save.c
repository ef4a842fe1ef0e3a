/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * save.c - OK and Apply: the questions
 *
 * What others save while one stands open changes the sheet: an answer is for what was shown.
 */

#include "config.h"

#include "gui/save.h"

#include "gui/news-window.h"
#include "gui/question-window.h"
#include "gui/trial.h"

#include <glib/gi18n.h>

struct _RerouteSave
{
  GtkWindow *window;   /* borrowed */
  RerouteSheet *sheet; /* a reference */
  RerouteSaveFunc func;
  guint asked;  /* what touched hers, by its number, when she was asked last */
  guint agreed; /* up to this one hers go over it */
  GStrv keys;   /* (nullable): of findings that were shown */
};

static void go_on (RerouteSave *self);

static void
overwrite_agreed_cb (gboolean first, gpointer user_data)
{
  RerouteSave *self = user_data;

  if (!first)
    {
      reroute_news_window_show (self->window, self->sheet);
      return;
    }
  self->agreed = self->asked;
  go_on (self);
}

static void
ask_to_overwrite (RerouteSave *self, const RerouteNews *news)
{
  g_autofree char *who = reroute_news_dup_who (news);
  g_autofree char *heading =
    g_strdup_printf (_ ("%s changed the same entries meanwhile. Save yours over them?"),
                        who[0] != '\0' ? who : _ ("Someone else"));
  RerouteQuestion question = {
    .title = _ ("Save"),
                .heading = heading,
                .first_label = _ ("_Save Mine"),
                                  .second_label = _ ("_Compare…"), .default_cancel = TRUE,
                                  };

  self->asked = reroute_sheet_get_n_touching (self->sheet);
  reroute_question_window_ask (self->window, &question, overwrite_agreed_cb, self);
}

/* Asks about what touches hers and was not agreed to; else saves. */
static void
go_on (RerouteSave *self)
{
  const RerouteNews *news = reroute_sheet_get_news (self->sheet);

  if (news != NULL && reroute_news_is_touching (news) &&
      reroute_sheet_get_n_touching (self->sheet) != self->agreed)
    ask_to_overwrite (self, news);
  else
    self->func (self->window, (const char *const *) self->keys);
}

static void
confirmed_cb (gboolean first, gpointer user_data)
{
  go_on (user_data);
}

RerouteSave *
reroute_save_new (GtkWindow *window, RerouteSheet *sheet, RerouteSaveFunc func)
{
  RerouteSave *self = g_new0 (RerouteSave, 1);

  self->window = window;
  self->sheet = g_object_ref (sheet);
  self->func = func;
  return self;
}

void
reroute_save_free (RerouteSave *self)
{
  g_clear_object (&self->sheet);
  g_clear_pointer (&self->keys, g_strfreev);
  g_free (self);
}

void
reroute_save_start (RerouteSave *self)
{
  g_return_if_fail (self != NULL);

  self->agreed = 0;
  g_clear_pointer (&self->keys, g_strfreev);
  go_on (self);
}

void
reroute_save_ask_to_confirm (RerouteSave *self)
{
  GPtrArray *findings = NULL;
  g_autofree char *text = NULL;
  RerouteQuestion question = {
    .title = _ ("Save"),
                .heading = _ ("Save it like this?"),
                              .first_label = _ ("_Save"), .default_cancel = TRUE,
                              };

  g_return_if_fail (self != NULL);

  findings = reroute_sheet_get_findings (self->sheet);
  g_strfreev (self->keys);
  self->keys = reroute_findings_dup_confirm_keys (findings);
  text = reroute_findings_dup_text (findings, REROUTE_FINDING_CONFIRM);
  question.text = text;
  reroute_question_window_ask (self->window, &question, confirmed_cb, self);
}
