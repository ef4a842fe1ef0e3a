/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/sheet.h"

G_BEGIN_DECLS

#define REROUTE_SHEET_RETRY_MS 2000 /* between calls to a service that does not answer */

struct _RerouteSheet
{
  GObject parent_instance;

  RerouteBus *bus;
  RerouteRulesClient *rules;
  RerouteRelayWatch *relay;
  char *machine; /* as it is known here */
  RerouteEdit *edit;
  GCancellable *cancellable; /* of all calls but check, apply and settle */

  RerouteSettings *settings; /* the saved ones; NULL before the first load */
  guint64 serial;
  guint64 announced; /* newest serial that rulesd told of */
  gboolean catching_up;
  gboolean behind; /* the last catching up has failed, and is tried again */
  guint retry_id;
  gboolean unloaded;  /* the last load has failed, and is tried again */
  char *load_failure; /* (nullable): why, in the words of who answered */
  RerouteNews *news;
  RerouteNews *unread_news; /* (nullable): what others saved since the settings were read */
  guint n_touching;         /* times that what others saved touched hers */

  GPtrArray *saved_findings; /* (element-type RerouteFinding): of the saved generation */
  GPtrArray *edit_findings;  /* (element-type RerouteFinding): of what differs from it */
  GPtrArray *findings;       /* those of both that hold; borrows them */
  guint check_id;
  GCancellable *check;
  gboolean checking_saved;

  /* of sheet-apply.c */
  GTask *apply;
  guint busy_id; /* until the Apply is shown */
  gboolean busy;
  double progress;
  char *problem;       /* (nullable): why the last Apply failed */
  RerouteEdit *sent;   /* (nullable): what it sends, until what became of it is taken in */
  guint64 sent_serial; /* the generation that @sent became; 0: not known */
  GPtrArray
    *differences;       /* (nullable) (element-type RerouteDifference): that one, as far as read */
  gboolean touched;     /* the edit is another one than was sent */
  guint n_awaiting;     /* dialogs that are open on a row that she has added */
  gboolean unread;      /* settings came meanwhile, and are to be read again */
  GCancellable *settle; /* (nullable): of the question what became of it */
  guint settle_id;
};

void reroute_sheet_emit_changed (RerouteSheet *self);
/* Tells of the property, but not of "changed". */
void reroute_sheet_set_busy (RerouteSheet *self, gboolean busy);
void reroute_sheet_load_settings (RerouteSheet *self);
/* Lays the edit over what others saved after our serial. */
void reroute_sheet_catch_up (RerouteSheet *self);
/* @findings: (transfer full): of the edit, as the service judged it */
void reroute_sheet_take_edit_findings (RerouteSheet *self, GPtrArray *findings);

/* --- of sheet-news.c --- */

/* Lays the edit over what others saved up to our serial.  @unknown: @changes are not all of it.
   (transfer full) */
RerouteNews *
reroute_sheet_take_news (RerouteSheet *self, guint64 since, GPtrArray *changes, gboolean unknown);
/* What others saved touches nothing of hers where she has taken hers back. */
void reroute_sheet_forget_past_conflicts (RerouteSheet *self);

/* --- of sheet-apply.c --- */

/* What others saved is taken in only while this is false. */
gboolean reroute_sheet_is_saving (RerouteSheet *self);
/* Ends the Apply that waited for what others saved.  @error: (transfer full) (nullable) */
void reroute_sheet_finish_apply (RerouteSheet *self, RerouteApplyState state, GError *error);
/* The edit was changed. */
void reroute_sheet_note_touched (RerouteSheet *self);
/* The service can be asked again: what became of an Apply whose answer was lost. */
void reroute_sheet_settle (RerouteSheet *self);
/* A #RerouteProgressFunc for the sheet. */
void reroute_sheet_report_progress (double fraction, gpointer user_data);
void reroute_sheet_clear_apply (RerouteSheet *self);

G_END_DECLS
