/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/track/search.h"
#include "tests/unit/track-fixture.h"

G_BEGIN_DECLS

#define N_MESSAGES 40
#define SMALL_OCTETS 2000 /* of a file: a few messages */
#define SECOND(n) ((gint64) (n) *G_USEC_PER_SEC)

/* A store of files of SMALL_OCTETS each. */
typedef struct
{
  TrackFixture directory;
  RerouteTrackStore *store;
} TrackStoreFixture;

void track_store_set_up (TrackStoreFixture *f, gconstpointer data);
void track_store_tear_down (TrackStoreFixture *f, gconstpointer data);
/* Empties @records. */
void track_store_append (TrackStoreFixture *f, GByteArray *records);
/* Message n arrives at second n.  All are delivered at once, but for every tenth: that is deferred,
   and sent when all others are there. */
void track_store_fill (TrackStoreFixture *f);
/* @text: a{sv} */
RerouteTrackFilter *track_store_parse_filter (const char *text);
/* One page; the ids are added to @ids as "3 2 1 ".  Returns: the next cursor */
guint64 track_store_search (
  TrackStoreFixture *f, const char *filter_text, guint64 cursor, guint limit, GString *ids);
/* All pages. */
char *track_store_search_all (TrackStoreFixture *f, const char *filter, guint limit);

G_END_DECLS
