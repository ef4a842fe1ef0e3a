/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RerouteMilterMessage:
 *
 * A message while milters look at it and change it: its header fields, its body, and what is asked
 * of its envelope.  A field that is not changed keeps its octets.
 */
typedef struct _RerouteMilterMessage RerouteMilterMessage;

/* A change of the envelope that a milter asked for, in the order of asking. */
typedef enum
{
  REROUTE_MILTER_ADDS_RCPT,
  REROUTE_MILTER_DELETES_RCPT,
  REROUTE_MILTER_CHANGES_FROM,
} RerouteMilterWishKind;

typedef struct
{
  RerouteMilterWishKind kind;
  char *address; /* without angle brackets */
} RerouteMilterWish;

/* @dir_fd: of a folder where a large body may be put into a file; borrowed, outlives the message */
RerouteMilterMessage *reroute_milter_message_new (int dir_fd);
void reroute_milter_message_free (RerouteMilterMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteMilterMessage, reroute_milter_message_free)

/* Content as it comes, in wire form, dot-stuffed, in lines that end in CR LF or pieces of them.
   What cannot be kept is told by reroute_milter_message_finish(). */
void reroute_milter_message_append (RerouteMilterMessage *self, const guint8 *octets, gsize length);
/* Errors: %REROUTE_ERROR_SPOOL: it could not be kept */
gboolean reroute_milter_message_finish (RerouteMilterMessage *self, GError **error);

/* --- to look at --- */
guint reroute_milter_message_get_n_fields (const RerouteMilterMessage *self);
/* @value: (out): LF within it, its leading blanks only with @leading_space; both (transfer full) */
void reroute_milter_message_get_field (
  const RerouteMilterMessage *self, guint index, gboolean leading_space, char **name, char **value);
gsize reroute_milter_message_get_body_octets (const RerouteMilterMessage *self);
/* Appends up to @most octets of the body from @offset on, not dot-stuffed. */
gboolean reroute_milter_message_read_body (
  const RerouteMilterMessage *self, gsize offset, gsize most, GByteArray *out, GError **error);
/* (array length=n): borrowed */
const RerouteMilterWish *reroute_milter_message_get_wishes (const RerouteMilterMessage *self,
                                                            guint *n);

/* --- to change ---

   Errors: %REROUTE_ERROR_PROTOCOL: it is no change, or more than the limit of its kind; the message
   is of no use then. */

/* @name must be a field's name, @value is folded as it stands: LF, then a blank.  @index: 0 and 1
   are the top, beyond the last is the bottom. @leading_space: @value has its own.
   %REROUTE_LIMIT_HEADER_OCTETS in all fields at most */
gboolean reroute_milter_message_insert_field (RerouteMilterMessage *self,
                                              guint index,
                                              const char *name,
                                              const char *value,
                                              gboolean leading_space,
                                              GError **error);
/* The @index-th field of @name, from 1; an empty @value removes it; one that is not there is added.
 */
gboolean reroute_milter_message_change_field (RerouteMilterMessage *self,
                                              guint index,
                                              const char *name,
                                              const char *value,
                                              gboolean leading_space,
                                              GError **error);
/* The first call of a milter drops the body, see reroute_milter_message_end_changes().
   %REROUTE_LIMIT_MILTER_BODY_OCTETS, and twice those of the body before, at most.
   Errors: %REROUTE_ERROR_SPOOL too: it could not be kept */
gboolean reroute_milter_message_replace_body (RerouteMilterMessage *self,
                                              const guint8 *octets,
                                              gsize length,
                                              GError **error);
/* Of each milter, instead of %REROUTE_LIMIT_MILTER_WISHES. */
void reroute_milter_message_set_most_wishes (RerouteMilterMessage *self, guint most);
/* @address: with or without angle brackets; %REROUTE_LIMIT_PATH_OCTETS at most */
gboolean reroute_milter_message_wish (RerouteMilterMessage *self,
                                      RerouteMilterWishKind kind,
                                      const char *address,
                                      GError **error);
/* A milter is done: the new body, if it has sent one, takes the old one's place. */
void reroute_milter_message_end_changes (RerouteMilterMessage *self);

/* --- the result --- */

/* Appends the next octets of the whole to @out, some 64 KiB at a time and nothing at the end; not
   dot-stuffed; a body that a milter sent is as it came. @place: 0 at first, then left alone. */
gboolean reroute_milter_message_read (const RerouteMilterMessage *self,
                                      guint64 *place,
                                      GByteArray *out,
                                      GError **error);

G_END_DECLS
