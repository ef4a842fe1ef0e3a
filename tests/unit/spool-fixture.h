/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/spool/spool.h"

G_BEGIN_DECLS

/* A spool in a directory of its own, with small segments. */
typedef struct
{
  char *directory;
  gsize segment_octets;
  RerouteSpool *spool; /* NULL while it is closed */
  GPtrArray *entries;  /* what the last opening found */
} SpoolFixture;

void spool_fixture_init (SpoolFixture *self, gsize segment_octets);
void spool_fixture_open (SpoolFixture *self);
/* (transfer full): a spool that has been read.  @entries: (out) (transfer full): what it had */
RerouteSpool *
spool_fixture_open_directory (const char *directory, gsize segment_octets, GPtrArray **entries);
void spool_fixture_close (SpoolFixture *self); /* forgets the entries too */
void spool_fixture_clear (SpoolFixture *self); /* removes the directory */

/* An envelope for @n recipients in test.com. */
RerouteEnvelope *spool_fixture_envelope (guint n);

/* Content that follows from its seed alone. */
GBytes *spool_fixture_content (guint64 seed, gsize length);

/* Commits and waits for the answer.  Returns: (transfer full): NULL with @error when refused */
RerouteMessage *
spool_fixture_commit (SpoolFixture *self, guint n_recipients, GBytes *content, GError **error);

/* Records one verdict and waits until it is durable. */
void spool_fixture_record (SpoolFixture *self,
                           RerouteMessage *message,
                           guint recipient,
                           RerouteRecipientState state,
                           const char *reply);

/* (nullable): what the last opening found of a message */
RerouteSpoolEntry *spool_fixture_find (SpoolFixture *self, guint64 id);

/* Asserts that @message reads back as @content, from the journal. */
void spool_fixture_assert_content (RerouteSpool *spool, RerouteMessage *message, GBytes *content);

/* Names of files in the directory that start with @prefix, sorted; full paths. */
GPtrArray *spool_fixture_list (const char *directory, const char *prefix);
void spool_fixture_remove_directory (const char *directory);
/* Makes @to hold what @from holds and nothing else. */
void spool_fixture_copy_directory (const char *from, const char *to);

/* One record of a journal, found by reading its files. */
typedef struct
{
  char *path;
  gsize offset, octets; /* with the header, without the filling */
  guint type;           /* RerouteRecordType */
  guint64 sequence;
  guint64 id; /* of the message; 0: none */
} SpoolFixtureRecord;

/* (element-type SpoolFixtureRecord): in order. */
GArray *spool_fixture_list_records (const char *directory);

/* Puts @value at octet @at of the payload of @record, in the file @path, and makes the checksum say
 * that it is right.  Returns: whether the record is there and has room for it */
gboolean
spool_fixture_forge (const char *path, const SpoolFixtureRecord *record, gsize at, guint32 value);

G_END_DECLS
