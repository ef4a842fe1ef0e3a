/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/note.h"
#include "gui/sheet.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): the row that the fields make, or %NULL while one of them is wrong. */
typedef RerouteRow *(*RerouteMakeRowFunc) (gpointer user_data);

/* The widgets that both Add dialogs have; borrowed from their templates. */
typedef struct
{
  GtkEditable *domain;
  GtkDropDown *reach; /* 0: with its subdomains; 1: this domain only */
  GtkDropDown *accept_from;
  GtkDropDown *tls; /* (nullable): in the order of RerouteTlsLevel */
  GtkEditable *comment;
  GtkDropDown *recipient_check; /* in the order of RerouteRecipientCheck */
  GtkWidget *list_button;       /* opens the list that the check asks */
  GtkCheckButton *leaves;
  GtkCheckButton *enabled;
  RerouteNote *note;
  GtkLabel *provenance;
  GtkWidget *ok_button;
} RerouteRowFieldsWidgets;

/**
 * RerouteRowForm:
 *
 * What both Add dialogs do alike: fill the common fields, turn a typed "#" into the drop-down's
 * choice, say what the entry would do, ask rulesd what is wrong with it, keep OK insensitive until
 * it can be pressed, and open the list of recipients, whose changes Cancel takes back.
 */
#define REROUTE_TYPE_ROW_FORM (reroute_row_form_get_type ())
G_DECLARE_FINAL_TYPE (RerouteRowForm, reroute_row_form, REROUTE, ROW_FORM, GObject)

/* @row: (nullable): the row that is edited.  @make: called after every change, with @user_data. */
RerouteRowForm *reroute_row_form_new (RerouteSheet *sheet,
                                      RerouteRow *row,
                                      const RerouteRowFieldsWidgets *widgets,
                                      RerouteMakeRowFunc make,
                                      gpointer user_data);

/* What the common fields hold, without an account; the strings are borrowed from the widgets. */
RerouteRowFields reroute_row_form_get_fields (RerouteRowForm *self);
/* For reroute_field_error_watch(): what is wrong with the field of a domain. */
char *reroute_row_form_judge_domain (GtkEditable *field, gpointer user_data);
/* Some field has changed. */
void reroute_row_form_update (RerouteRowForm *self);
/* Puts the row into the sheet's edit; returns its id there, 0 when a field is wrong. */
gint64 reroute_row_form_commit (RerouteRowForm *self);
/* The dialog goes: nothing of it is called any more. */
void reroute_row_form_close (RerouteRowForm *self);

G_END_DECLS
