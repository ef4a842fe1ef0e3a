/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RerouteError:
 *
 * The one error domain of the project.  Every code has a D-Bus name,
 * org.reroute.Error.Name, so a code survives the bus.
 */
typedef enum
{
  REROUTE_ERROR_FAILED,         /* none of the others */
  REROUTE_ERROR_DOMAIN,         /* not an e-mail domain */
  REROUTE_ERROR_ADDRESS,        /* not a mailbox */
  REROUTE_ERROR_HOST,           /* not a host name, address or port */
  REROUTE_ERROR_VALUE,          /* a value outside its range, or unknown */
  REROUTE_ERROR_SETTING,        /* no setting of that name */
  REROUTE_ERROR_NO_SUCH_ENTRY,  /* no row with that id or domain */
  REROUTE_ERROR_NO_SUCH_EDIT,   /* the edit is closed, or is someone else's */
  REROUTE_ERROR_NO_SUCH_SERIAL, /* no generation of that number is kept */
  REROUTE_ERROR_FINDINGS,       /* ruleset-check found an error */
  REROUTE_ERROR_NOT_CONFIRMED,  /* ruleset-check asks for a confirmation */
  REROUTE_ERROR_STALE_SERIAL,   /* someone else wrote first */
  REROUTE_ERROR_ACCESS,         /* the caller may not do this */
  REROUTE_ERROR_STORE,          /* the database failed */
  REROUTE_ERROR_STORE_VERSION,  /* the database is not one that we can read */
  REROUTE_ERROR_SPOOL,          /* the spool failed */
  REROUTE_ERROR_SPOOL_FULL,     /* no room in the spool */
  REROUTE_ERROR_NO_RULES,       /* no generation of rules has been received yet */
  REROUTE_ERROR_UNAVAILABLE,    /* the bus or a service on it is away */
  REROUTE_ERROR_TOO_LARGE,      /* over a limit of limits.h */
  REROUTE_ERROR_PROTOCOL,       /* a peer broke the protocol */
  REROUTE_ERROR_RESOLVER,       /* DNS gave no answer */
  REROUTE_ERROR_OUTCOME,        /* whether a change was saved is not known */
} RerouteError;

#define REROUTE_ERROR (reroute_error_quark ())
GQuark reroute_error_quark (void);

/**
 * reroute_error_strip:
 * @error: an error, perhaps one that came over D-Bus
 *
 * Turns a remote error into one of ours: takes the remote prefix off the
 * message and maps org.freedesktop.DBus.Error.ServiceUnknown, NoReply and
 * the like to %REROUTE_ERROR_UNAVAILABLE.
 */
void reroute_error_strip (GError *error);

G_END_DECLS
