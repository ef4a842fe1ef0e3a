/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ip.h"

G_BEGIN_DECLS

/* What becomes of mail when a milter cannot be asked. */
typedef enum
{
  REROUTE_MILTER_TEMPFAIL, /* put off: 451 4.7.1 */
  REROUTE_MILTER_ACCEPT,   /* as if the milter were not there */
  REROUTE_MILTER_REJECT,   /* refused: 550 5.7.1 */
} RerouteMilterAction;

/* A milter as the administrator named it. */
typedef struct
{
  char *path; /* of a Unix socket; NULL: ip and port */
  RerouteIp ip;
  guint16 port;
  RerouteMilterAction action;
  gint64 connect_s; /* to connect and to agree */
  gint64 command_s; /* for the reply to a command of the client */
  gint64 content_s; /* for each reply while the message is handed over and judged */
} RerouteMilterSpec;

/**
 * reroute_milter_spec_parse:
 * @text: "inet:192.0.2.1:8891", "inet:[2001:db8::1]:8891", "unix:/run/milter.sock", also
 * libmilter's "inet:8891@192.0.2.1" and "local:/run/milter.sock"; behind it, parted by blanks,
 *   "action=accept|tempfail|reject", "connect=30s", "command=30s", "content=5m"
 * @spec: (out): filled in; cleared by the caller
 *
 * Errors: %REROUTE_ERROR_VALUE with the value and what is wanted
 */
gboolean reroute_milter_spec_parse (const char *text, RerouteMilterSpec *spec, GError **error);
void reroute_milter_spec_clear (RerouteMilterSpec *self);

/* "unix:/run/milter.sock action=accept": what differs from the defaults. */
char *reroute_milter_spec_to_string (const RerouteMilterSpec *self);
/* The address alone, for logs. */
char *reroute_milter_spec_dup_address (const RerouteMilterSpec *self);

G_END_DECLS
