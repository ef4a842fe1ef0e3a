/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A host that takes mail, by its own reading of the standards: what it is sent it takes apart octet
 * by octet, and answers as a script of the fuzzer's says. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MODEL_HOST_RECIPIENTS 3

/* What the fuzzer decides, an octet at a time; nothing but zeros behind the end. */
typedef struct
{
  const guint8 *octets;
  gsize length;
} ModelScript;

guint model_script_next (ModelScript *self);

typedef enum
{
  MODEL_HOST_CHUNKS,   /* BDAT as in RFC 3030 */
  MODEL_HOST_DROPS,    /* refuses BDAT, and drops the octets of the chunk */
  MODEL_HOST_COMMANDS, /* refuses BDAT, and takes the octets of the chunk for commands */
} ModelHostKind;

typedef struct
{
  /* set before */
  ModelScript *script;
  ModelHostKind kind;
  gboolean pipelining;
  gboolean lmtp;
  const GByteArray *content; /* that every message has */
  gsize head_octets;         /* of its first line, which may be tried as a command */

  /* to read */
  GString *replies; /* that nobody was sent yet */
  gboolean closed;
  gboolean honest;  /* no reply had another meaning than what the host did, and none was too many */
  gboolean refused; /* something, for good */
  gboolean took[MODEL_HOST_RECIPIENTS]; /* the last message, and said so */

  /*< private >*/
  enum
  {
    MODEL_HOST_AT_COMMAND,
    MODEL_HOST_IN_DATA,
    MODEL_HOST_IN_CHUNK,
  } at;
  GByteArray *line; /* what has come of it */
  GByteArray *got;
  gboolean mail;
  gboolean accepted[MODEL_HOST_RECIPIENTS];
  guint n_rcpts;
  gsize chunk_left;
  gboolean last;
  gboolean broken; /* a chunk was refused */
  gboolean early;  /* the chunk was answered before it came */
} ModelHost;

void model_host_begin (ModelHost *self); /* the greeting */
void model_host_clear (ModelHost *self);

/* Asserts that no content is taken for a command, and that a message that ends is @content. */
void model_host_read (ModelHost *self, const guint8 *octets, gsize length);

G_END_DECLS
