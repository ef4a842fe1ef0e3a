/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/client/rules-client.h"
#include "common/ruleset-check.h"
#include "gui/edit.h"
#include "gui/news.h"
#include "gui/relay-watch.h"

G_BEGIN_DECLS

/**
 * RerouteSheet:
 *
 * What the property sheet knows and does, without a widget: the saved generation's serial and
 * settings, the edit over it, the findings, Apply.  All is asynchronous; what was typed is never
 * dropped by anything but a save.
 *
 * Signals: "changed" (): any of what can be asked below; "saved" (): a new generation is saved,
 * by us or by someone else: lists are to be read again; "others-saved" (#RerouteNews): of someone
 * else, and the edit lies over it.
 */
#define REROUTE_TYPE_SHEET (reroute_sheet_get_type ())
G_DECLARE_FINAL_TYPE (RerouteSheet, reroute_sheet, REROUTE, SHEET, GObject)

RerouteSheet *reroute_sheet_new (RerouteBus *bus);

RerouteEdit *reroute_sheet_get_edit (RerouteSheet *self);
RerouteBus *reroute_sheet_get_bus (RerouteSheet *self);
RerouteRulesClient *reroute_sheet_get_rules (RerouteSheet *self);
RerouteRelayClient *reroute_sheet_get_relay (RerouteSheet *self);

/* The value that is shown: the edit's, else the saved one. */
const char *reroute_sheet_get_setting (RerouteSheet *self, RerouteSettingId id);
void reroute_sheet_set_setting (RerouteSheet *self, RerouteSettingId id, const char *value);
/* As set_setting, but within the step of the edit that was begun last. */
void reroute_sheet_type_setting (RerouteSheet *self, RerouteSettingId id, const char *value);

gboolean reroute_sheet_is_loaded (RerouteSheet *self);    /* the saved settings are known */
gboolean reroute_sheet_is_available (RerouteSheet *self); /* rulesd stands on the bus */
gboolean reroute_sheet_is_applying (RerouteSheet *self);
/* An Apply goes on for so long that it is shown, and the edit is not to be changed: the property
   "busy". */
gboolean reroute_sheet_is_busy (RerouteSheet *self);
/* Whether the edit may be changed: the saved settings are known, and no Apply is shown. */
gboolean reroute_sheet_is_editable (RerouteSheet *self);
double reroute_sheet_get_progress (RerouteSheet *self); /* 0 to 1 while applying */
guint64 reroute_sheet_get_serial (RerouteSheet *self);

RerouteRelayWatch *reroute_sheet_get_relay_watch (RerouteSheet *self); /* (transfer none) */
const char *reroute_sheet_get_host_name (RerouteSheet *self);

/* (transfer none) (element-type RerouteFinding): of the edit, and those of the saved generation
   that it does not touch; row ids are those of the edit. */
GPtrArray *reroute_sheet_get_findings (RerouteSheet *self);
/* Whether the edit must be corrected to be saved; what was wrong before prevents nothing. */
gboolean reroute_sheet_is_wrong (RerouteSheet *self);
guint reroute_sheet_count_findings (RerouteSheet *self, RerouteFindingLevel level);
/* (transfer none) (nullable): the weightiest finding that names the row. */
RerouteFinding *reroute_sheet_find_finding (RerouteSheet *self, ReroutePage page, gint64 id);

/* (transfer none) (nullable): what someone else saved, until it is taken notice of. */
RerouteNews *reroute_sheet_get_news (RerouteSheet *self);
/* How often others saved what touches hers, or may; it only grows. */
guint reroute_sheet_get_n_touching (RerouteSheet *self);
void reroute_sheet_dismiss_news (RerouteSheet *self);
/* A row was put that had been in a dialog while others saved: it lies over theirs, and is news when
   that touches it. */
void
reroute_sheet_lay_row (RerouteSheet *self, ReroutePage page, gint64 id, const RerouteNews *others);
/* The same of a setting that was being typed. */
void reroute_sheet_lay_setting (RerouteSheet *self, RerouteSettingId id, const RerouteNews *others);
/* A dialog is open on a row that she has added: it has to hear of the id that the row is saved
   under, from the moment that the one is called until the other is. */
void reroute_sheet_await_id (RerouteSheet *self);
void reroute_sheet_unawait_id (RerouteSheet *self);

typedef enum
{
  REROUTE_APPLY_SAVED,
  REROUTE_APPLY_STALE,   /* the news tell what changed meanwhile; the edit is kept */
  REROUTE_APPLY_REFUSED, /* the findings tell why */
  REROUTE_APPLY_CONFIRM, /* findings of level confirm are to be agreed to */
} RerouteApplyState;

/* @confirmed: (nullable): keys of findings that the person agreed to. */
void reroute_sheet_apply_async (RerouteSheet *self,
                                const char *const *confirmed,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean reroute_sheet_apply_finish (RerouteSheet *self,
                                     GAsyncResult *result,
                                     RerouteApplyState *state,
                                     GError **error);
void reroute_sheet_stop (RerouteSheet *self);
/* (nullable): a translated sentence: why the last Apply failed, until something is changed. */
const char *reroute_sheet_get_problem (RerouteSheet *self);
/* (nullable): why the saved rules cannot be read from a service that stands, in its own words. */
const char *reroute_sheet_get_load_failure (RerouteSheet *self);
/* Whether it is not known yet if the last Apply was saved: that is found out by itself as soon as
   the service answers, and nothing can be applied until then. */
gboolean reroute_sheet_is_unsettled (RerouteSheet *self);
/* Nobody looks at it any more: nothing is asked for its sake. */
void reroute_sheet_close (RerouteSheet *self);

G_END_DECLS
