/* SPDX-License-Identifier: GPL-3.0-or-later */

/* SMTP conversations as text files; tests/transcripts/README.md tells the lines. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  char kind;  /* the letter in front of ":"; "!" for an option; lines of "C", "c", "S", "s" are
                 joined */
  char *text; /* unescaped, CR LF behind each line of "C" and "S" */
  gsize length;
  guint line; /* of the file */
} TranscriptStep;

typedef struct
{
  char *name;
  GArray *steps; /* (element-type TranscriptStep) */
} Transcript;

/* Ends the test when the file is not as it should be. */
Transcript *transcript_load (const char *path);
void transcript_free (Transcript *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Transcript, transcript_free)

gboolean transcript_has_option (const Transcript *self, const char *name);
/* "! max-octets 1000"; NULL without that option.  (transfer none) */
const char *transcript_get_option (const Transcript *self, const char *name);
/* Octets that the side under test is given ("C" of a server, "S" of a client). */
gsize transcript_count_octets (const Transcript *self, char kind);

G_END_DECLS
