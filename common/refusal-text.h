/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sentences in the language of the process for a value that common/ refused, all (transfer full).
 */
char *reroute_dup_domain_error (const char *text, const GError *error);
char *reroute_dup_address_error (const char *text);
char *reroute_dup_host_error (const char *text);
/* Of a host with its port in one text: "mx1.example.com:25". */
char *reroute_dup_host_port_error (const char *text);
char *reroute_dup_port_error (void);
/* Of a row, as it was typed: @target, which may be %NULL, is a domain or hosts.  The error's own
   text where it is about something else. */
char *reroute_dup_row_error (const char *domain, const char *target, const GError *error);
char *reroute_dup_account_error (const char *name);
char *reroute_dup_file_name_error (const char *name);
/* Another server, where @user may be refused: sentences name the command that helps there.  For the
   whole process, in its main thread; %NULL: this computer. */
void reroute_set_access_server (const char *server, const char *user);
/* Who may do what %REROUTE_ERROR_ACCESS refuses; a whole sentence. */
char *reroute_dup_access_advice (void);
/* (transfer full): for a person: why the rules were not read or saved. */
char *reroute_dup_error (const GError *error);
/* (transfer full): that the connection to @server is being made, which takes a while. */
char *reroute_dup_connecting (const char *server);
/* (transfer full): for a person: why there is no connection to a server: the error as a sentence of
   its own. */
char *reroute_dup_connection_error (const GError *error);
/* (transfer full): for a person: why accounts cannot be read, or one was not kept or removed. */
char *reroute_dup_account_refusal (const GError *error);
/* (transfer full): for a person: why the queue cannot be read, or was left as it is. */
char *reroute_dup_queue_refusal (const GError *error);

G_END_DECLS
