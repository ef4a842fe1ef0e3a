/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where journald takes entries with fields. */
#define REROUTE_LOG_JOURNAL_PATH "/run/systemd/journal/socket"

/* Returns: a descriptor, the caller's to close; -1: nobody listens there */
int reroute_log_journal_open (const char *path);

/**
 * RerouteLogEntries:
 *
 * Entries on their way to the journal, in order.
 */
typedef struct
{
  GByteArray *octets;
  GArray *ends; /* (element-type guint32): of each entry in octets */
} RerouteLogEntries;

void reroute_log_entries_init (RerouteLogEntries *self);
void reroute_log_entries_clear (RerouteLogEntries *self);

/* Adds a field to the entry that is being made; @value may hold any octets. */
void reroute_log_entries_add (RerouteLogEntries *self,
                              const char *name,
                              const char *value,
                              gsize length);
/* The entry is made. */
void reroute_log_entries_end (RerouteLogEntries *self);

/* Sends entries from @first on, many in a call.  Returns: how many; fewer than there are when the
   next one cannot be sent now */
guint reroute_log_entries_send (const RerouteLogEntries *self, int fd, guint first);

G_END_DECLS
