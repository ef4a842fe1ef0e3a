/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/row.h"

G_BEGIN_DECLS

/* Addresses as a person wrote them, one a line. */
typedef struct
{
  GPtrArray *rows;  /* (element-type RerouteRow): of the lines that are right, each address once */
  guint n_wrong;    /* lines that are none */
  guint wrong_line; /* the first of them, from 1 */
  char *wrong_text; /* what stands in it; NULL when none is wrong */
} RerouteRecipientLines;

/**
 * reroute_recipient_lines_parse:
 * @text: UTF-8, with a byte order mark or without; blank lines, and those that begin with "#", say
 * nothing
 * @domain: of the list, in normal form; a line without "@" gets it
 */
RerouteRecipientLines *reroute_recipient_lines_parse (const char *text, const char *domain);
void reroute_recipient_lines_free (RerouteRecipientLines *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteRecipientLines, reroute_recipient_lines_free)

/* (transfer full) (nullable): what is wrong with the lines, for a person; %NULL: nothing. */
char *reroute_recipient_lines_dup_problem (const RerouteRecipientLines *self, const char *domain);

G_END_DECLS
