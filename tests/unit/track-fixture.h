/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/track/record.h"

G_BEGIN_DECLS

/* A directory of its own for the files of tracking. */
typedef struct
{
  char *folder;
  int fd;
} TrackFixture;

void track_fixture_init (TrackFixture *self);
void track_fixture_clear (TrackFixture *self); /* removes the directory and the files in it */
/* (transfer full) (element-type utf8): names of the files of tracking, sorted */
GPtrArray *track_fixture_list (const TrackFixture *self);
/* Of all of them. */
guint64 track_fixture_octets (const TrackFixture *self);

/* Arrival at @time_us of a message with @n recipients: r0@old.test, r1@old.test, …; the sender is
   "s<id>@from.test", the client 192.0.2.7 */
void track_fixture_accept (GByteArray *records, guint64 id, gint64 time_us, guint n_recipients);

/* What became of one of them: as r<n>@new.test, by "routing old.test", at mx.new.test. */
void track_fixture_tell (
  GByteArray *records, guint64 id, gint64 time_us, guint recipient, RerouteTrackKind kind);

G_END_DECLS
