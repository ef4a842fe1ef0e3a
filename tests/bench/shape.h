/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Octets of what stands around the whole lines of a message. */
#define LOAD_HEAD_OCTETS 78
#define LOAD_TAIL_MIN_OCTETS 12
#define LOAD_LINE_OCTETS 80
#define LOAD_TAIL_MAX_OCTETS (LOAD_TAIL_MIN_OCTETS + LOAD_LINE_OCTETS - 1)
#define LOAD_OCTETS_MIN (LOAD_HEAD_OCTETS + LOAD_TAIL_MIN_OCTETS)
#define LOAD_RECIPIENTS_MAX 1000

/* No message. */
#define LOAD_NONE G_MAXUINT32

/* A domain, in which `#` stands for a number that the recipient decides. */
typedef struct
{
  char *before; /* the `#`, or all of it */
  char *after;  /* (nullable): it; NULL without one */
} LoadDomain;

/* What every message of a run looks like; immutable while the run lasts. */
typedef struct
{
  const char *reverse_path;
  guint octets;     /* of a message on the wire, dot-stuffed, without the final dot */
  guint recipients; /* of a message */
  guint domains;    /* that `#` counts through */
  guint received;   /* Received lines that stand on top when it arrives */
  LoadDomain to;
  LoadDomain expected;
  char *lines;        /* the whole lines, and some more to begin at */
  gsize lines_octets; /* those of one message */
  gsize tail_octets;  /* of its last line */
} LoadShape;

gboolean load_shape_init (LoadShape *self, const char *to, const char *expected, GError **error);
void load_shape_clear (LoadShape *self);

void load_shape_append_envelope (const LoadShape *self, guint32 number, GString *text);
void load_shape_append_head (const LoadShape *self, guint32 number, GString *text);
const char *load_shape_lines (const LoadShape *self, guint32 number);
void load_shape_append_tail (const LoadShape *self, guint32 number, GString *text);

gboolean load_shape_read_head (const LoadShape *self, GString *head, guint32 *number);
gboolean load_shape_read_recipient (
  const LoadShape *self, const char *path, gsize octets, guint32 *number, guint *recipient);

G_END_DECLS
