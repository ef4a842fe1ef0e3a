/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/ctl/ctl.h"

G_BEGIN_DECLS

/* Which findings of level confirm a person has agreed to. */
typedef enum
{
  REROUTE_CTL_AGREED_NOTHING,
  REROUTE_CTL_AGREED_ANYONE, /* she wrote "anyone" herself */
  REROUTE_CTL_AGREED_ROWS,   /* she wrote it in some of the rows of a file */
  REROUTE_CTL_AGREED_ALL,    /* --confirm */
} RerouteCtlAgreed;

/**
 * reroute_ctl_apply:
 * @changes: (element-type RerouteChange): any number
 * @serial: the generation they start from
 *
 * Saves all of them or none.  Findings go to standard error, a sentence each.
 *
 * Errors: %REROUTE_ERROR_FINDINGS, %REROUTE_ERROR_NOT_CONFIRMED (naming the option that agrees),
 *   %REROUTE_ERROR_STALE_SERIAL, %REROUTE_ERROR_ACCESS.
 */
gboolean reroute_ctl_apply (
  RerouteCtl *ctl, GPtrArray *changes, guint64 serial, RerouteCtlAgreed agreed, GError **error);

/**
 * reroute_ctl_apply_file:
 * @said: (nullable) (element-type RerouteRow): rows of the file that say themselves who may send;
 *   %NULL: all of them do
 *
 * The same for the rows of a file: what they say is agreed to, what they leave out is not.
 */
gboolean reroute_ctl_apply_file (
  RerouteCtl *ctl, GPtrArray *changes, GHashTable *said, guint64 serial, GError **error);

/* What reroute_ctl_apply_file() would refuse, without saving anything. */
gboolean
reroute_ctl_try_file (RerouteCtl *ctl, GPtrArray *changes, GHashTable *said, GError **error);

/* The same for going back to the generation @target. */
gboolean
reroute_ctl_go_back (RerouteCtl *ctl, guint64 target, RerouteCtlAgreed agreed, GError **error);

/* The same for what a backup holds, which rulesd has as @copy; she has seen the findings, and
   agreed.
   @new_serial: (out): the newest generation */
gboolean reroute_ctl_restore_copy (
  RerouteCtl *ctl, guint copy, guint64 serial, guint64 *new_serial, GError **error);

/* Findings as sentences on standard error, or as a JSON array. */
void reroute_ctl_print_findings (GPtrArray *findings);
void reroute_ctl_findings_to_json (GPtrArray *findings, JsonBuilder *builder);

/* What the relay says of itself: a{sv} of org.reroute.Relay1; (transfer full).
   Errors: %REROUTE_ERROR_UNAVAILABLE: it is not running. */
GVariant *reroute_ctl_load_relay_status (RerouteCtl *ctl, GError **error);

/**
 * reroute_ctl_warn_of_certificate:
 * @file: that hosts are to be shown
 *
 * Says on standard error what the relay says of it.  One that is away, or that does not tell us,
 * says nothing.
 */
void reroute_ctl_warn_of_certificate (RerouteCtl *ctl, const char *file);

/* The settings and the serial of the newest generation; (transfer full). */
RerouteSettings *reroute_ctl_load_settings (RerouteCtl *ctl, guint64 *serial, GError **error);

G_END_DECLS
