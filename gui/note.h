/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef enum
{
  REROUTE_NOTE_PLAIN,
  REROUTE_NOTE_QUIET,
  REROUTE_NOTE_WARNING,
  REROUTE_NOTE_ERROR,
} RerouteNoteKind;

/**
 * RerouteNote:
 *
 * The box that says in a sentence what an entry does, or what is wrong with it, with the path of a
 * loop as a row of chips below.
 */
#define REROUTE_TYPE_NOTE (reroute_note_get_type ())
G_DECLARE_FINAL_TYPE (RerouteNote, reroute_note, REROUTE, NOTE, GtkBox)

/**
 * reroute_note_show:
 * @markup: (nullable): the sentence, every value escaped; %NULL hides the note
 * @path: (nullable) (array zero-terminated=1): domains from the first back to the first
 */
void reroute_note_show (RerouteNote *self, RerouteNoteKind kind, const char *markup, char **path);

/* A row of chips for @path; (transfer floating). */
GtkWidget *reroute_note_make_path (char **path);

G_END_DECLS
