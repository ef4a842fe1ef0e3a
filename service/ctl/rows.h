/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/ctl/ctl.h"

G_BEGIN_DECLS

/* Calls @func for every row of @page that @filter lets through, a thousand at a time; @serial is
   the generation of all of them.
   Errors: %REROUTE_ERROR_STALE_SERIAL when another one was saved meanwhile. */
gboolean reroute_ctl_foreach_row (RerouteCtl *ctl,
                                  ReroutePage page,
                                  const char *filter,
                                  RerouteRowFunc func,
                                  gpointer user_data,
                                  guint64 *serial,
                                  GError **error);

/* The same for every row of every page, all of one generation. */
gboolean reroute_ctl_foreach_row_of_all (RerouteCtl *ctl,
                                         RerouteRowFunc func,
                                         gpointer user_data,
                                         GError **error);

/* The row that "DOMAIN" or "#DOMAIN" names; (transfer full).
   Errors: %REROUTE_ERROR_NO_SUCH_ENTRY, %REROUTE_ERROR_DOMAIN. */
RerouteRow *reroute_ctl_find_row (
  RerouteCtl *ctl, ReroutePage page, const char *name, guint64 *serial, GError **error);

/* What a row does, in the words of the CSV columns action and target; (transfer full). */
char *reroute_ctl_row_action (const RerouteRow *row);
char *reroute_ctl_row_target (const RerouteRow *row);

/* Prints the rows of @page that @filter lets through, as a table or as JSON. */
gboolean
reroute_ctl_list_rows (RerouteCtl *ctl, ReroutePage page, const char *filter, GError **error);

/* Removes the row that @name names. */
gboolean
reroute_ctl_remove_row (RerouteCtl *ctl, ReroutePage page, const char *name, GError **error);

/* The options that rows of both pages have in common. */
typedef struct
{
  char *accept_from;
  char *comment;
  char *leaves; /* "yes", "no" */
  char *recipient_check;
  gboolean exact;
  gboolean on;
  gboolean off;
  gboolean confirm;
} RerouteRowOptions;

void reroute_ctl_row_options_clear (RerouteRowOptions *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RerouteRowOptions, reroute_ctl_row_options_clear)

/* What “yes” or “no” behind @option says; @text: (nullable): %NULL leaves @value as it is. */
gboolean
reroute_ctl_take_yes_no (const char *option, const char *text, gboolean *value, GError **error);

/* Lays the options that were given over @fields. */
gboolean reroute_ctl_row_options_apply (const RerouteRowOptions *self,
                                        RerouteRowFields *fields,
                                        GError **error);

/* Saves one row; @options says what was agreed to. @row: (transfer full) */
gboolean reroute_ctl_put_row (
  RerouteCtl *ctl, gpointer row, guint64 serial, const RerouteRowOptions *options, GError **error);

G_END_DECLS
