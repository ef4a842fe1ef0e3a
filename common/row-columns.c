/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * row-columns.c - many rows of one page as columns, both ways
 *
 * The bus library walks a value node by node, some forty of them for a row; of an array of numbers
 * or octets it copies the block.  So a thousand rows travel as ten blocks.
 */

#include "config.h"

#include "common/row-columns.h"

#include "common/email-domain.h"
#include "common/error.h"
#include "common/recipient.h"
#include "common/routing-entry.h"

#include <string.h>

typedef enum
{
  COLUMN_ID,
  COLUMN_CHANGED_US,
  COLUMN_EXACT,
  COLUMN_ENABLED,
  COLUMN_BY_TURNS,
  COLUMN_DOMAIN,
  COLUMN_COMMENT,
  COLUMN_CHANGED_BY,
  COLUMN_ACCEPT_FROM,
  COLUMN_ACTION,
  COLUMN_TARGET,
  COLUMN_HOSTS,
  COLUMN_TLS,
  COLUMN_LEAVES,
  COLUMN_RECIPIENT_CHECK,
  COLUMN_ACCOUNT,
  COLUMN_QUEUE_FOR_ETRN,
  COLUMN_CERTIFICATE,
  N_COLUMNS,
} Column;

typedef enum
{
  KIND_NUMBER,
  KIND_FLAG,
  KIND_TEXT,
} Kind;

#define ON_ROUTING (1 << REROUTE_PAGE_ROUTING)
#define ON_CONNECTIONS (1 << REROUTE_PAGE_CONNECTIONS)
#define ON_RECIPIENTS (1 << REROUTE_PAGE_RECIPIENTS)
#define ON_BOTH (ON_ROUTING | ON_CONNECTIONS)
#define ON_ALL (ON_BOTH | ON_RECIPIENTS)

static const struct
{
  const char *name;
  Kind kind;
  guint pages;
  const char *text; /* the default of a text */
  gboolean flag;    /* the default of a flag */
} specs[N_COLUMNS] = {
  [COLUMN_ID] = { "id", KIND_NUMBER, ON_ALL, NULL, FALSE },
  [COLUMN_CHANGED_US] = { "changed-us", KIND_NUMBER, ON_ALL, NULL, FALSE },
  [COLUMN_EXACT] = { "exact", KIND_FLAG, ON_BOTH, NULL, FALSE },
  [COLUMN_ENABLED] = { "enabled", KIND_FLAG, ON_BOTH, NULL, TRUE },
  [COLUMN_BY_TURNS] = { "by-turns", KIND_FLAG, ON_CONNECTIONS, NULL, FALSE },
  [COLUMN_DOMAIN] = { "domain", KIND_TEXT, ON_ALL, "", FALSE },
  [COLUMN_COMMENT] = { "comment", KIND_TEXT, ON_ALL, "", FALSE },
  [COLUMN_CHANGED_BY] = { "changed-by", KIND_TEXT, ON_ALL, "", FALSE },
  [COLUMN_ACCEPT_FROM] = { "accept-from", KIND_TEXT, ON_BOTH, "anyone", FALSE },
  [COLUMN_ACTION] = { "action", KIND_TEXT, ON_ROUTING, "reroute", FALSE },
  [COLUMN_TARGET] = { "target", KIND_TEXT, ON_ROUTING, "", FALSE },
  [COLUMN_HOSTS] = { "hosts", KIND_TEXT, ON_CONNECTIONS, "", FALSE },
  [COLUMN_TLS] = { "tls", KIND_TEXT, ON_CONNECTIONS, "", FALSE },
  [COLUMN_LEAVES] = { "leaves", KIND_FLAG, ON_BOTH, NULL, FALSE },
  [COLUMN_RECIPIENT_CHECK] = { "recipient-check", KIND_TEXT, ON_BOTH, "none", FALSE },
  [COLUMN_ACCOUNT] = { "account", KIND_TEXT, ON_CONNECTIONS, "", FALSE },
  [COLUMN_CERTIFICATE] = { "certificate", KIND_TEXT, ON_CONNECTIONS, "", FALSE },
  [COLUMN_QUEUE_FOR_ETRN] = { "queue-for-etrn", KIND_FLAG, ON_CONNECTIONS, NULL, FALSE },
};

/* --- writing --- */

struct _RerouteColumnsWriter
{
  ReroutePage page;
  gsize octets;
  GByteArray *columns[N_COLUMNS]; /* NULL: not of this page */
  gboolean differs[N_COLUMNS];    /* from the default, in some row */
};

RerouteColumnsWriter *
reroute_columns_writer_new (ReroutePage page)
{
  g_return_val_if_fail (page < REROUTE_N_PAGES, NULL);

  RerouteColumnsWriter *self = g_new0 (RerouteColumnsWriter, 1);
  self->page = page;
  for (Column column = 0; column < N_COLUMNS; column++)
    if (specs[column].pages & (1 << page))
      self->columns[column] = g_byte_array_new ();
  return self;
}

void
reroute_columns_writer_free (RerouteColumnsWriter *self)
{
  for (Column column = 0; column < N_COLUMNS; column++)
    g_clear_pointer (&self->columns[column], g_byte_array_unref);
  g_free (self);
}

static void
append (RerouteColumnsWriter *self, Column column, gconstpointer data, gsize size)
{
  g_byte_array_append (self->columns[column], data, (guint) size);
  self->octets += size;
}

static void
add_number (RerouteColumnsWriter *self, Column column, gint64 value)
{
  append (self, column, &value, sizeof value);
  self->differs[column] |= value != 0;
}

static void
add_flag (RerouteColumnsWriter *self, Column column, gboolean value)
{
  guint8 octet = value ? 1 : 0;

  append (self, column, &octet, 1);
  self->differs[column] |= value != specs[column].flag;
}

static void
add_text (RerouteColumnsWriter *self, Column column, const char *text)
{
  append (self, column, text, strlen (text) + 1);
  self->differs[column] = self->differs[column] || !g_str_equal (text, specs[column].text);
}

void
reroute_columns_writer_add (RerouteColumnsWriter *self, const RerouteRow *row)
{
  g_return_if_fail (self != NULL && row != NULL && row->page == self->page);

  add_number (self, COLUMN_ID, row->id);
  add_number (self, COLUMN_CHANGED_US, row->changed_us);
  add_text (self, COLUMN_DOMAIN, row->domain);
  add_text (self, COLUMN_COMMENT, row->comment);
  add_text (self, COLUMN_CHANGED_BY, row->changed_by);
  if (row->page == REROUTE_PAGE_RECIPIENTS)
    return;
  add_flag (self, COLUMN_EXACT, row->exact);
  add_flag (self, COLUMN_ENABLED, row->enabled);
  add_flag (self, COLUMN_LEAVES, row->leaves);
  add_text (self, COLUMN_ACCEPT_FROM, reroute_accept_from_to_string (row->accept_from));
  add_text (self, COLUMN_RECIPIENT_CHECK, reroute_recipient_check_to_string (row->recipient_check));
  if (row->page == REROUTE_PAGE_ROUTING)
    {
      const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;
      add_text (self, COLUMN_ACTION, reroute_routing_action_to_string (entry->action));
      add_text (self, COLUMN_TARGET, entry->target != NULL ? entry->target : "");
      return;
    }
  const RerouteHosts *hosts = ((const RerouteEmailDomain *) row)->hosts;
  g_autofree char *shown = hosts != NULL ? reroute_hosts_to_string (hosts) : NULL;
  add_text (self, COLUMN_HOSTS, shown != NULL ? shown : "");
  add_flag (self, COLUMN_BY_TURNS, hosts != NULL && hosts->by_turns);
  add_text (self, COLUMN_TLS, reroute_tls_level_to_string (row->tls));
  add_text (self, COLUMN_ACCOUNT, ((const RerouteEmailDomain *) row)->account);
  add_text (self, COLUMN_CERTIFICATE, ((const RerouteEmailDomain *) row)->certificate);
  add_flag (self, COLUMN_QUEUE_FOR_ETRN, row->queue_for_etrn);
}

gsize
reroute_columns_writer_get_octets (const RerouteColumnsWriter *self)
{
  return self->octets;
}

GVariant *
reroute_columns_writer_get_columns (const RerouteColumnsWriter *self)
{
  GVariantBuilder builder;

  g_return_val_if_fail (self != NULL, NULL);

  g_variant_builder_init (&builder, G_VARIANT_TYPE (REROUTE_COLUMNS_TYPE));
  for (Column column = 0; column < N_COLUMNS; column++)
    {
      const GByteArray *octets = self->columns[column];
      gboolean is_number = specs[column].kind == KIND_NUMBER;
      gsize size = is_number ? sizeof (gint64) : 1;
      if (octets == NULL || !self->differs[column])
        continue;
      g_variant_builder_add (
        &builder,
        "{sv}",
        specs[column].name,
        g_variant_new_fixed_array (is_number ? G_VARIANT_TYPE_INT64 : G_VARIANT_TYPE_BYTE,
                                   octets->data,
                                   octets->len / size,
                                   size));
    }
  return g_variant_builder_end (&builder);
}

/* --- reading --- */

/* Columns as they arrived; what is borrowed belongs to the values. */
typedef struct
{
  ReroutePage page;
  gsize n_rows;
  GVariant *values[N_COLUMNS]; /* NULL: absent */
  const gint64 *numbers[N_COLUMNS];
  const guint8 *flags[N_COLUMNS];
  const char *texts[N_COLUMNS]; /* of the next row */
} Reader;

static void
reader_clear (Reader *reader)
{
  for (Column column = 0; column < N_COLUMNS; column++)
    g_clear_pointer (&reader->values[column], g_variant_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

static gboolean
refuse (const char *name, const char *why, GError **error)
{
  g_set_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "the column “%s” %s", name, why);
  return FALSE;
}

/* Takes @value over. */
static gboolean
take_value (Reader *reader, const char *name, GVariant *value, GError **error)
{
  g_autoptr (GVariant) taken = value;
  Column column = 0;

  while (column < N_COLUMNS && !g_str_equal (specs[column].name, name))
    column++;
  if (column == N_COLUMNS || !(specs[column].pages & (1 << reader->page)))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_PROTOCOL,
                   "a row of the page “%s” has no “%s”",
                   reroute_page_to_string (reader->page),
                   name);
      return FALSE;
    }
  if (reader->values[column] != NULL)
    return refuse (name, "arrived twice", error);
  const char *type = specs[column].kind == KIND_NUMBER ? "ax" : "ay";
  if (!g_variant_is_of_type (taken, G_VARIANT_TYPE (type)))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_PROTOCOL,
                   "a column of the type “%s” arrived where “%s” belongs",
                   g_variant_get_type_string (taken),
                   type);
      return FALSE;
    }
  reader->values[column] = g_steal_pointer (&taken);
  return TRUE;
}

/* How many texts there are, each with its end; FALSE: the last one has none, or one is not UTF-8.
 */
static gboolean
count_texts (const char *octets, gsize length, gsize *count)
{
  guint8 all = 0;

  *count = 0;
  if (length > 0 && octets[length - 1] != '\0')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      *count += octets[i] == '\0';
      all |= (guint8) octets[i];
    }
  for (gsize i = 0; all >= 0x80 && i < length; i += strlen (octets + i) + 1)
    if (!g_utf8_validate (octets + i, -1, NULL))
      return FALSE;
  return TRUE;
}

static gboolean
has_flags_only (const guint8 *octets, gsize length)
{
  guint8 all = 0;

  for (gsize i = 0; i < length; i++)
    all |= octets[i];
  return all <= 1;
}

/* Checks the shape of a column; the meaning of its values is for the rows' constructors. */
static gboolean
open_column (Reader *reader, Column column, gsize *count, GError **error)
{
  const char *name = specs[column].name;
  gboolean is_number = specs[column].kind == KIND_NUMBER;
  gconstpointer data = g_variant_get_fixed_array (
    reader->values[column], count, is_number ? sizeof (gint64) : sizeof (guint8));

  if (is_number)
    {
      reader->numbers[column] = data;
      return TRUE;
    }
  if (specs[column].kind == KIND_FLAG)
    {
      reader->flags[column] = data;
      return has_flags_only (data, *count) || refuse (name, "has more than 0 and 1", error);
    }
  reader->texts[column] = data;
  return count_texts (data, *count, count) ||
         refuse (name, "is not UTF-8 text with NUL at the end", error);
}

static gboolean
open_columns (Reader *reader, GVariant *columns, GError **error)
{
  gsize counts[N_COLUMNS] = { 0 };
  GVariantIter iter;
  const char *name = NULL;
  GVariant *value = NULL;

  g_variant_iter_init (&iter, columns);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
    if (!take_value (reader, name, value, error))
      return FALSE;
  for (Column column = 0; column < N_COLUMNS; column++)
    if (reader->values[column] != NULL && !open_column (reader, column, &counts[column], error))
      return FALSE;
  reader->n_rows = counts[COLUMN_DOMAIN];
  for (Column column = 0; column < N_COLUMNS; column++)
    if (reader->values[column] != NULL && counts[column] != reader->n_rows)
      return refuse (specs[column].name, "does not have one value a row", error);
  return TRUE;
}

static gint64
get_number (const Reader *reader, Column column, gsize i)
{
  return reader->numbers[column] != NULL ? reader->numbers[column][i] : 0;
}

static gboolean
get_flag (const Reader *reader, Column column, gsize i)
{
  return reader->flags[column] != NULL ? reader->flags[column][i] != 0 : specs[column].flag;
}

/* Once a row. */
static const char *
next_text (Reader *reader, Column column)
{
  const char *text = reader->texts[column];

  if (text == NULL)
    return specs[column].text;
  reader->texts[column] += strlen (text) + 1;
  return text;
}

static RerouteRow *
make_routing_entry (Reader *reader, const RerouteRowFields *fields, GError **error)
{
  const char *target = next_text (reader, COLUMN_TARGET);
  RerouteRoutingAction action = REROUTE_ROUTING_REROUTE;

  if (!reroute_routing_action_from_string (next_text (reader, COLUMN_ACTION), &action, error))
    return NULL;
  return (RerouteRow *) reroute_routing_entry_new (fields, action, target, error);
}

static RerouteRow *
make_email_domain (Reader *reader, const RerouteRowFields *fields, gsize i, GError **error)
{
  const char *text = next_text (reader, COLUMN_HOSTS);
  g_autoptr (RerouteHosts) hosts = NULL;

  if (*text != '\0')
    {
      hosts = reroute_hosts_parse (text, get_flag (reader, COLUMN_BY_TURNS, i), error);
      if (hosts == NULL)
        return NULL;
    }
  return (RerouteRow *) reroute_email_domain_new (fields, hosts, error);
}

static RerouteRow *
make_row (Reader *reader, gsize i, GError **error)
{
  RerouteRowFields fields = {
    .id = get_number (reader, COLUMN_ID, i),
    .domain = next_text (reader, COLUMN_DOMAIN),
    .exact = get_flag (reader, COLUMN_EXACT, i),
    .enabled = get_flag (reader, COLUMN_ENABLED, i),
    .leaves = get_flag (reader, COLUMN_LEAVES, i),
    .queue_for_etrn = get_flag (reader, COLUMN_QUEUE_FOR_ETRN, i),
    .comment = next_text (reader, COLUMN_COMMENT),
    .changed_by = next_text (reader, COLUMN_CHANGED_BY),
    .changed_us = get_number (reader, COLUMN_CHANGED_US, i),
  };

  if (reader->page == REROUTE_PAGE_RECIPIENTS)
    return reroute_recipient_new (&fields, error);
  if (!reroute_accept_from_from_string (
        next_text (reader, COLUMN_ACCEPT_FROM), &fields.accept_from, error) ||
      !reroute_recipient_check_from_string (
        next_text (reader, COLUMN_RECIPIENT_CHECK), &fields.recipient_check, error))
    return NULL;
  if (reader->page == REROUTE_PAGE_CONNECTIONS &&
      !reroute_tls_level_from_string (next_text (reader, COLUMN_TLS), &fields.tls, error))
    return NULL;
  if (reader->page == REROUTE_PAGE_CONNECTIONS)
    {
      fields.account = next_text (reader, COLUMN_ACCOUNT);
      fields.certificate = next_text (reader, COLUMN_CERTIFICATE);
    }
  return reader->page == REROUTE_PAGE_ROUTING ? make_routing_entry (reader, &fields, error)
                                              : make_email_domain (reader, &fields, i, error);
}

GPtrArray *
reroute_rows_from_columns (ReroutePage page, GVariant *columns, GError **error)
{
  g_auto (Reader) reader = { .page = page };
  g_autoptr (GPtrArray) rows = NULL;

  g_return_val_if_fail (page < REROUTE_N_PAGES, NULL);
  g_return_val_if_fail (g_variant_is_of_type (columns, G_VARIANT_TYPE (REROUTE_COLUMNS_TYPE)),
                        NULL);

  if (!open_columns (&reader, columns, error))
    return NULL;
  rows = g_ptr_array_new_full ((guint) reader.n_rows, reroute_row_unref);
  for (gsize i = 0; i < reader.n_rows; i++)
    {
      RerouteRow *row = make_row (&reader, i, error);
      if (row == NULL)
        return NULL;
      g_ptr_array_add (rows, row);
    }
  return g_steal_pointer (&rows);
}

gint64
reroute_columns_peek_last_id (GVariant *columns)
{
  g_autoptr (GVariant) ids =
               g_variant_lookup_value (columns, specs[COLUMN_ID].name, G_VARIANT_TYPE ("ax"));
  gsize n = 0;
  const gint64 *numbers = ids != NULL ? g_variant_get_fixed_array (ids, &n, sizeof (gint64)) : NULL;

  return n > 0 ? numbers[n - 1] : 0;
}
