/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * message.c - a message while milters look at it and change it
 *
 * The header section ends at the empty line, or at the first line that is no field: what stands
 * from there on is kept as it is.  Of a field that is not changed every octet stays, so that a
 * signature over it does.
 *
 * Standards: RFC 5322 section 2.2; libmilter's smfi_addheader, smfi_insheader, smfi_chgheader,
 * smfi_replacebody.
 */

#include "config.h"

#include "service/relay/milter/message.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/milter/store.h"

#include <string.h>

#define READ_OCTETS 65536

typedef struct
{
  GString *raw; /* with CR LF at the end */
  gsize name_length;
  gsize value_at; /* behind the colon */
} Field;

struct _RerouteMilterMessage
{
  int dir_fd;
  GPtrArray *fields;      /* (element-type Field) */
  gsize header_octets;    /* of all of them */
  gboolean has_separator; /* the empty line */
  RerouteMilterStore *body;
  RerouteMilterStore *new_body; /* (nullable): a milter sends it */
  GArray *wishes;               /* (element-type RerouteMilterWish) */
  guint n_earlier_wishes;       /* of milters that are done */
  guint most_wishes;            /* of the one that is asked */
  GError *trouble;              /* (nullable): the content could not be kept */

  /* while it comes */
  gboolean in_header;
  gboolean in_line; /* not at the start of one */
  GString *line;    /* of the header section */
};

static void
free_field (gpointer data)
{
  Field *field = data;

  g_string_free (field->raw, TRUE);
  g_free (field);
}

static void
clear_wish (gpointer data)
{
  g_free (((RerouteMilterWish *) data)->address);
}

RerouteMilterMessage *
reroute_milter_message_new (int dir_fd)
{
  RerouteMilterMessage *self = g_new0 (RerouteMilterMessage, 1);

  self->dir_fd = dir_fd;
  self->fields = g_ptr_array_new_with_free_func (free_field);
  self->body = reroute_milter_store_new (dir_fd);
  self->wishes = g_array_new (FALSE, FALSE, sizeof (RerouteMilterWish));
  g_array_set_clear_func (self->wishes, clear_wish);
  self->most_wishes = REROUTE_LIMIT_MILTER_WISHES;
  self->in_header = TRUE;
  self->line = g_string_new (NULL);
  return self;
}

void
reroute_milter_message_free (RerouteMilterMessage *self)
{
  g_return_if_fail (self != NULL);

  g_ptr_array_unref (self->fields);
  reroute_milter_store_free (self->body);
  g_clear_pointer (&self->new_body, reroute_milter_store_free);
  g_array_unref (self->wishes);
  g_clear_error (&self->trouble);
  g_string_free (self->line, TRUE);
  g_free (self);
}

/* --- as it comes --- */

/* How long the name in front of the colon is, 0: there is none; without blanks behind it. */
static gsize
measure_name (const char *line, gsize length, gsize *value_at)
{
  gsize n = 0, colon;

  while (n < length && line[n] > ' ' && line[n] < 0x7f && line[n] != ':')
    n++;
  for (colon = n; colon < length && (line[colon] == ' ' || line[colon] == '\t');)
    colon++;
  if (colon == length || line[colon] != ':')
    return 0;
  *value_at = colon + 1;
  return n;
}

static Field *
make_field (const char *line, gsize length)
{
  gsize value_at = 0;
  gsize name_length = measure_name (line, length, &value_at);

  if (name_length == 0)
    return NULL;
  Field *field = g_new (Field, 1);
  *field = (Field){ g_string_new_len (line, (gssize) length), name_length, value_at };
  return field;
}

static void
keep_body (RerouteMilterMessage *self, const guint8 *octets, gsize length)
{
  if (self->trouble == NULL)
    reroute_milter_store_append (self->body, octets, length, &self->trouble);
}

/* A whole line of the header section, or of what turns out not to be one. */
static void
take_header_line (RerouteMilterMessage *self)
{
  GString *line = self->line;
  gboolean folded = line->str[0] == ' ' || line->str[0] == '\t';

  if (folded && self->fields->len > 0)
    {
      Field *last = self->fields->pdata[self->fields->len - 1];
      g_string_append_len (last->raw, line->str, (gssize) line->len);
      self->header_octets += line->len;
    }
  else if (strcmp (line->str, "\r\n") == 0)
    {
      self->has_separator = TRUE;
      self->in_header = FALSE;
    }
  else
    {
      Field *field = make_field (line->str, line->len);
      if (field != NULL)
        {
          g_ptr_array_add (self->fields, field);
          self->header_octets += line->len;
        }
      else
        {
          self->in_header = FALSE;
          keep_body (self, (const guint8 *) line->str, line->len);
        }
    }
  g_string_truncate (line, 0);
}

/* A line or a piece of one. */
static void
take_piece (RerouteMilterMessage *self, const guint8 *octets, gsize length)
{
  gboolean ends = octets[length - 1] == '\n';

  if (!self->in_line && *octets == '.')
    {
      octets++;
      length--;
    }
  self->in_line = !ends;
  if (!self->in_header)
    {
      keep_body (self, octets, length);
      return;
    }
  g_string_append_len (self->line, (const char *) octets, (gssize) length);
  if (ends)
    take_header_line (self);
}

void
reroute_milter_message_append (RerouteMilterMessage *self, const guint8 *octets, gsize length)
{
  g_return_if_fail (self != NULL && (octets != NULL || length == 0));

  while (length > 0)
    {
      const guint8 *end = memchr (octets, '\n', length);
      gsize n = end != NULL ? (gsize) (end - octets) + 1 : length;
      take_piece (self, octets, n);
      octets += n;
      length -= n;
    }
}

gboolean
reroute_milter_message_finish (RerouteMilterMessage *self, GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);

  if (self->line->len > 0)
    take_header_line (self);
  self->in_header = FALSE;
  if (self->trouble == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->trouble));
  return FALSE;
}

/* --- to look at --- */

guint
reroute_milter_message_get_n_fields (const RerouteMilterMessage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->fields->len;
}

void
reroute_milter_message_get_field (
  const RerouteMilterMessage *self, guint index, gboolean leading_space, char **name, char **value)
{
  g_return_if_fail (self != NULL && index < self->fields->len);

  const Field *field = self->fields->pdata[index];
  const GString *raw = field->raw;
  gsize begin = field->value_at;
  GString *text = g_string_new (NULL);

  while (!leading_space && (raw->str[begin] == ' ' || raw->str[begin] == '\t'))
    begin++;
  /* A NUL would end it for the milter: nobody may hide what follows from it. */
  for (gsize i = begin; i < raw->len; i++)
    if (raw->str[i] != '\r' || raw->str[i + 1] != '\n')
      g_string_append_c (text, raw->str[i] == '\0' ? ' ' : raw->str[i]);
  if (text->len > 0 && text->str[text->len - 1] == '\n')
    g_string_truncate (text, text->len - 1);
  *name = g_strndup (raw->str, field->name_length);
  *value = g_string_free (text, FALSE);
}

gsize
reroute_milter_message_get_body_octets (const RerouteMilterMessage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return reroute_milter_store_get_size (self->body);
}

gboolean
reroute_milter_message_read_body (
  const RerouteMilterMessage *self, gsize offset, gsize most, GByteArray *out, GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return reroute_milter_store_read (self->body, offset, most, out, error);
}

const RerouteMilterWish *
reroute_milter_message_get_wishes (const RerouteMilterMessage *self, guint *n)
{
  g_return_val_if_fail (self != NULL && n != NULL, NULL);

  *n = self->wishes->len;
  return (const RerouteMilterWish *) (gpointer) self->wishes->data;
}

/* --- to change --- */

static gboolean
fail (GError **error, const char *what, guint64 most)
{
  g_set_error (
    error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "%s: %" G_GUINT64_FORMAT " at most", what, most);
  return FALSE;
}

/* "NAME: VALUE", each LF a line end with a blank behind it, nothing that ends the header section.
 */
static Field *
format_field (const char *name, const char *value, gboolean leading_space, GError **error)
{
  g_autoptr (GString) raw = g_string_new (name);

  g_string_append (raw, leading_space ? ":" : ": ");
  for (const char *at = value; *at != '\0'; at++)
    {
      if (*at == '\r')
        continue;
      if (*at != '\n')
        g_string_append_c (raw, *at);
      else if (at[1] != '\0')
        g_string_append (raw, at[1] == ' ' || at[1] == '\t' ? "\r\n" : "\r\n\t");
    }
  g_string_append (raw, "\r\n");
  Field *field = make_field (raw->str, raw->len);
  if (field != NULL && field->name_length == strlen (name))
    return field;
  g_clear_pointer (&field, free_field);
  g_set_error_literal (
    error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "a header field has a bad name");
  return NULL;
}

/* @field: (transfer full); @place: beyond the last one is the bottom.  A header section that is
   larger could not be sent. */
static gboolean
put_field (RerouteMilterMessage *self, guint place, Field *field, GError **error)
{
  if (self->header_octets + field->raw->len > REROUTE_LIMIT_HEADER_OCTETS)
    {
      free_field (field);
      return fail (error, "too many octets in the header section", REROUTE_LIMIT_HEADER_OCTETS);
    }
  self->header_octets += field->raw->len;
  g_ptr_array_insert (self->fields, place < self->fields->len ? (int) place : -1, field);
  return TRUE;
}

static void
remove_field (RerouteMilterMessage *self, guint place)
{
  self->header_octets -= ((const Field *) self->fields->pdata[place])->raw->len;
  g_ptr_array_remove_index (self->fields, place);
}

gboolean
reroute_milter_message_insert_field (RerouteMilterMessage *self,
                                     guint index,
                                     const char *name,
                                     const char *value,
                                     gboolean leading_space,
                                     GError **error)
{
  g_return_val_if_fail (self != NULL && name != NULL && value != NULL, FALSE);

  Field *field = format_field (name, value, leading_space, error);
  if (field == NULL)
    return FALSE;
  return put_field (self, index > 0 ? index - 1 : 0, field, error);
}

/* Returns: the number of fields when there is none */
static guint
find_field (const RerouteMilterMessage *self, guint index, const char *name)
{
  gsize length = strlen (name);
  guint n = 0, i;

  for (i = 0; i < self->fields->len; i++)
    {
      const Field *field = self->fields->pdata[i];
      if (field->name_length == length &&
          g_ascii_strncasecmp (field->raw->str, name, length) == 0 && ++n >= index)
        break;
    }
  return i;
}

gboolean
reroute_milter_message_change_field (RerouteMilterMessage *self,
                                     guint index,
                                     const char *name,
                                     const char *value,
                                     gboolean leading_space,
                                     GError **error)
{
  g_return_val_if_fail (self != NULL && name != NULL && value != NULL, FALSE);

  guint place = find_field (self, index, name);
  gboolean found = place < self->fields->len;

  if (*value == '\0')
    {
      if (found)
        remove_field (self, place);
      return TRUE;
    }
  Field *field = format_field (name, value, leading_space, error);
  if (field == NULL)
    return FALSE;
  if (found)
    remove_field (self, place);
  return put_field (self, found ? place : G_MAXUINT, field, error);
}

gboolean
reroute_milter_message_replace_body (RerouteMilterMessage *self,
                                     const guint8 *octets,
                                     gsize length,
                                     GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);

  gsize most = 2 * reroute_milter_store_get_size (self->body) + REROUTE_LIMIT_MILTER_BODY_OCTETS;

  if (self->new_body == NULL)
    self->new_body = reroute_milter_store_new (self->dir_fd);
  if (length > most - reroute_milter_store_get_size (self->new_body))
    return fail (error, "too many octets in a new body", most);
  return reroute_milter_store_append (self->new_body, octets, length, error);
}

void
reroute_milter_message_set_most_wishes (RerouteMilterMessage *self, guint most)
{
  g_return_if_fail (self != NULL);

  self->most_wishes = most;
}

gboolean
reroute_milter_message_wish (RerouteMilterMessage *self,
                             RerouteMilterWishKind kind,
                             const char *address,
                             GError **error)
{
  g_return_val_if_fail (self != NULL && address != NULL, FALSE);

  gsize length = strlen (address);
  gboolean brackets = length >= 2 && address[0] == '<' && address[length - 1] == '>';

  if (length > REROUTE_LIMIT_PATH_OCTETS + (brackets ? 2 : 0))
    return fail (error, "too many octets in an address", REROUTE_LIMIT_PATH_OCTETS);
  if (self->wishes->len - self->n_earlier_wishes >= self->most_wishes)
    return fail (error, "too many changes of the envelope", self->most_wishes);
  RerouteMilterWish wish = { kind,
                             brackets ? g_strndup (address + 1, length - 2) : g_strdup (address) };

  g_array_append_val (self->wishes, wish);
  return TRUE;
}

void
reroute_milter_message_end_changes (RerouteMilterMessage *self)
{
  g_return_if_fail (self != NULL);

  self->n_earlier_wishes = self->wishes->len;
  if (self->new_body == NULL)
    return;
  reroute_milter_store_free (self->body);
  self->body = g_steal_pointer (&self->new_body);
  /* A body without an empty line in front would be more of the header section. */
  self->has_separator = TRUE;
}

/* --- the result --- */

gboolean
reroute_milter_message_read (const RerouteMilterMessage *self,
                             guint64 *place,
                             GByteArray *out,
                             GError **error)
{
  g_return_val_if_fail (self != NULL && place != NULL && out != NULL, FALSE);

  guint64 n_fields = self->fields->len;
  guint before = out->len;
  for (; *place < n_fields && out->len - before < READ_OCTETS; (*place)++)
    {
      const GString *raw = ((const Field *) self->fields->pdata[*place])->raw;
      g_byte_array_append (out, (const guint8 *) raw->str, (guint) raw->len);
    }
  if (*place == n_fields && out->len - before < READ_OCTETS)
    {
      if (self->has_separator)
        g_byte_array_append (out, (const guint8 *) "\r\n", 2);
      (*place)++;
    }
  if (*place <= n_fields || out->len > before)
    return TRUE;
  gsize offset = (gsize) (*place - n_fields - 1);
  if (!reroute_milter_store_read (self->body, offset, READ_OCTETS, out, error))
    return FALSE;
  *place += out->len - before;
  return TRUE;
}
