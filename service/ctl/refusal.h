/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What common/ refused, said in the reader's language.  Each takes the error of the function that
   has failed, changes the text of one that it knows, and leaves any other as it is. */

/* Of a row as it was typed: @target, which may be %NULL, is a domain or hosts. */
void reroute_ctl_reword_row (GError **error, const char *domain, const char *target);
/* Of an address as it was typed. */
void reroute_ctl_reword_address (GError **error, const char *address);
/* Of the name of an account. */
void reroute_ctl_reword_account (GError **error, const char *name);
/* Of the name of a file on the server. */
void reroute_ctl_reword_file_name (GError **error, const char *name);
/* Of the value of a setting. */
void reroute_ctl_reword_setting (GError **error, const char *key, const char *value);

G_END_DECLS
