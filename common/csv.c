/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * csv.c - rows as comma-separated text, both ways
 *
 * One pass, no copy of a field unless it carries a doubled quotation mark; a million lines take
 * seconds.
 *
 * Standards: RFC 4180; lines may end in LF alone.
 */

#include "config.h"

#include "common/csv.h"

#include "common/byte-order-mark.h"
#include "common/domain-private.h"
#include "common/error.h"
#include "common/refusal-text.h"
#include "common/recipient.h"

#include <glib/gi18n-lib.h>
#include <string.h>

typedef enum
{
  COLUMN_PAGE,
  COLUMN_DOMAIN,
  COLUMN_MATCH,
  COLUMN_ACTION,
  COLUMN_TARGET,
  COLUMN_ACCEPT_FROM,
  COLUMN_ENABLED,
  COLUMN_COMMENT,
  COLUMN_ORDER,
  COLUMN_TLS,
  COLUMN_LEAVES,
  COLUMN_RECIPIENT_CHECK,
  COLUMN_ACCOUNT,
  COLUMN_QUEUE_FOR_ETRN,
  COLUMN_CERTIFICATE,
  N_COLUMNS,
} Column;

static const char *const column_names[N_COLUMNS] = {
  "page",        "domain",          "match",   "action",         "target",
  "accept_from", "enabled",         "comment", "order",          "tls",
  "leaves",      "recipient_check", "account", "queue_for_etrn", "certificate",
};

typedef struct
{
  const char *at;
  const char *end;
  guint line;       /* that a record starts in */
  guint next_line;  /* that the next one starts in */
  GPtrArray *cells; /* (element-type utf8): of the record read last */
  GArray *columns;  /* (element-type Column): of each cell */
  GPtrArray *errors;
  GPtrArray *rows;
  GHashTable *lines; /* (element-type RerouteRow uint): where a row stands */
  GHashTable *said;  /* (nullable) (element-type RerouteRow): with a field accept_from */
} Reader;

void
reroute_csv_error_free (RerouteCsvError *self)
{
  g_free (self->message);
  g_free (self);
}

static G_GNUC_PRINTF (2, 3) void complain (Reader *reader, const char *format, ...)
{
  RerouteCsvError *error = g_new0 (RerouteCsvError, 1);
  va_list args;

  va_start (args, format);
  error->line = reader->line;
  error->message = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (reader->errors, error);
}

/* --- records --- */

/* A field in quotation marks; reader->at stands on the first one. */
static char *
read_quoted (Reader *reader)
{
  g_autoptr (GString) cell = g_string_new (NULL);

  for (reader->at++; reader->at < reader->end; reader->at++)
    {
      if (*reader->at == '"' && reader->at + 1 < reader->end && reader->at[1] == '"')
        reader->at++;
      else if (*reader->at == '"')
        {
          reader->at++;
          return g_string_free (g_steal_pointer (&cell), FALSE);
        }
      reader->next_line += *reader->at == '\n';
      g_string_append_c (cell, *reader->at);
    }
  return NULL;
}

static char *
read_plain (Reader *reader)
{
  const char *start = reader->at;

  while (reader->at < reader->end && *reader->at != ',' && *reader->at != '\n' &&
         *reader->at != '"')
    reader->at++;
  const char *stop = reader->at;
  if (stop > start && stop[-1] == '\r' && (reader->at == reader->end || *reader->at == '\n'))
    stop--;
  return g_strndup (start, (gsize) (stop - start));
}

/* Behind a record that cannot be read. */
static void
skip_line (Reader *reader)
{
  const char *newline = memchr (reader->at, '\n', (gsize) (reader->end - reader->at));

  reader->at = newline != NULL ? newline + 1 : reader->end;
  reader->next_line++;
}

/* Reads one record into cells; FALSE: it is broken, which was complained of. */
static gboolean
read_record (Reader *reader)
{
  reader->line = reader->next_line;
  g_ptr_array_set_size (reader->cells, 0);
  for (;;)
    {
      gboolean quoted = reader->at < reader->end && *reader->at == '"';
      char *cell = quoted ? read_quoted (reader) : read_plain (reader);
      if (cell == NULL)
        {
          complain (reader, _ ("a quotation mark is never closed"));
          return FALSE;
        }
      g_ptr_array_add (reader->cells, cell);
      if (quoted && reader->at < reader->end && *reader->at == '\r')
        reader->at++;
      if (reader->at == reader->end)
        return TRUE;
      char c = *reader->at++;
      reader->next_line += c == '\n';
      if (c == '\n')
        return TRUE;
      if (c != ',')
        {
          complain (reader,
                    _ ("a quotation mark stands inside a field: put the whole field between quotation marks and double it"));
          skip_line (reader);
          return FALSE;
        }
    }
}

/* "page, domain, match" */
static char *
dup_column_names (void)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (Column column = 0; column < N_COLUMNS; column++)
    {
      g_string_append (names, column > 0 ? ", " : "");
      g_string_append (names, column_names[column]);
    }
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static gboolean
read_header (Reader *reader)
{
  gboolean seen[N_COLUMNS] = { FALSE };

  if (!read_record (reader))
    return FALSE;
  for (guint i = 0; i < reader->cells->len; i++)
    {
      const char *name = g_strstrip (reader->cells->pdata[i]);
      guint column = 0;
      while (column < N_COLUMNS && g_ascii_strcasecmp (column_names[column], name) != 0)
        column++;
      g_autofree char *value = reroute_quote_value (name, -1);
      g_autofree char *known = dup_column_names ();
      if (column == N_COLUMNS && strchr (name, ';') != NULL)
        complain (reader, _ ("the header has “;” between its columns: write “,”"));
      else if (column == N_COLUMNS)
        complain (reader,
                  /* Translators: what the header says; the columns that there are, which are not
                     translated */
                  _ ("column %s is unknown. Columns that there are: %s"), value, known);
      else if (seen[column])
        complain (reader, _ ("column %s stands there twice"), value);
      else
        seen[column] = TRUE;
      g_array_append_val (reader->columns, column);
    }
  if (reader->errors->len == 0 && !seen[COLUMN_DOMAIN])
    complain (reader, _ ("the header has no column “domain”"));
  return reader->errors->len == 0;
}

/* --- rows --- */

static gboolean
choose (const char *noun,
        const char *text,
        const char *no,
        const char *yes,
        gboolean *value,
        GError **error)
{
  if (*text == '\0')
    return TRUE;
  if (g_ascii_strcasecmp (text, no) == 0 || g_ascii_strcasecmp (text, yes) == 0)
    {
      *value = g_ascii_strcasecmp (text, yes) == 0;
      return TRUE;
    }
  g_autofree char *quoted = reroute_quote_value (text, -1);
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               /* Translators: a column, what stands in it, the two words that may */
               _ ("%s %s is unknown: “%s” and “%s” are possible"), noun, quoted, no, yes);
  return FALSE;
}

static RerouteRow *
make_routing_entry (const RerouteRowFields *fields, const char *const *cells, GError **error)
{
  const char *target = cells[COLUMN_TARGET];
  RerouteRoutingAction action = REROUTE_ROUTING_REROUTE;
  gboolean by_turns = FALSE;

  if (*cells[COLUMN_ACTION] != '\0' &&
      !reroute_routing_action_from_string (cells[COLUMN_ACTION], &action, error))
    return NULL;
  if (!choose ("order", cells[COLUMN_ORDER], "in-order", "by-turns", &by_turns, error))
    return NULL;
  if (by_turns)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   _ ("order “by-turns” is of no use on the page “routing”"));
      return NULL;
    }
  return (RerouteRow *) reroute_routing_entry_new (
    fields, action, *target != '\0' ? target : NULL, error);
}

static RerouteRow *
make_email_domain (const RerouteRowFields *fields, const char *const *cells, GError **error)
{
  g_autoptr (RerouteHosts) hosts = NULL;
  gboolean by_turns = FALSE;
  gboolean by_host = *cells[COLUMN_TARGET] != '\0';

  if (!choose ("action", cells[COLUMN_ACTION], "dns", "host", &by_host, error) ||
      !choose ("order", cells[COLUMN_ORDER], "in-order", "by-turns", &by_turns, error))
    return NULL;
  if (!by_host && *cells[COLUMN_TARGET] != '\0')
    {
      g_autofree char *value = reroute_quote_value (cells[COLUMN_TARGET], -1);
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   /* Translators: what stands in the column “target” */
                   _ ("target %s is of no use: only the action “host” has a target, not “dns”"),
                      value);
      return NULL;
    }
  if (by_host)
    {
      if (!reroute_hosts_check_typed (cells[COLUMN_TARGET], error))
        return NULL;
      hosts = reroute_hosts_parse (cells[COLUMN_TARGET], by_turns, error);
      if (hosts == NULL)
        return NULL;
    }
  return (RerouteRow *) reroute_email_domain_new (fields, hosts, error);
}

/* An address and a comment; that it is exact and on may be said, for so it is. */
static RerouteRow *
make_recipient (const char *const *cells, GError **error)
{
  RerouteRowFields fields = { .domain = cells[COLUMN_DOMAIN],
                              .comment = cells[COLUMN_COMMENT],
                              .enabled = TRUE };

  for (Column column = 0; column < N_COLUMNS; column++)
    {
      gboolean wanted =
        column == COLUMN_PAGE || column == COLUMN_DOMAIN || column == COLUMN_COMMENT;
      gboolean said = column == COLUMN_MATCH     ? g_ascii_strcasecmp (cells[column], "exact") == 0
                      : column == COLUMN_ENABLED ? g_ascii_strcasecmp (cells[column], "yes") == 0
                                                 : FALSE;
      if (wanted || said || *cells[column] == '\0')
        continue;
      g_autofree char *value = reroute_quote_value (cells[column], -1);
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   /* Translators: a column, what stands in it */
                   _ ("%s %s is of no use on the page “recipients”"), column_names[column], value);
      return NULL;
    }
  return reroute_recipient_new (&fields, error);
}

static RerouteRow *
make_row (const char *const *cells, GError **error)
{
  RerouteRowFields fields = { .domain = cells[COLUMN_DOMAIN],
                              .comment = cells[COLUMN_COMMENT],
                              .account = cells[COLUMN_ACCOUNT],
                              .certificate = cells[COLUMN_CERTIFICATE],
                              .enabled = TRUE };
  ReroutePage page = REROUTE_PAGE_ROUTING;

  if (*cells[COLUMN_PAGE] != '\0' && !reroute_page_from_string (cells[COLUMN_PAGE], &page, error))
    return NULL;
  if (page == REROUTE_PAGE_RECIPIENTS)
    return make_recipient (cells, error);
  if (*cells[COLUMN_ACCEPT_FROM] != '\0' &&
      !reroute_accept_from_from_string (cells[COLUMN_ACCEPT_FROM], &fields.accept_from, error))
    return NULL;
  if (!choose ("match", cells[COLUMN_MATCH], "subdomains", "exact", &fields.exact, error) ||
      !choose ("enabled", cells[COLUMN_ENABLED], "no", "yes", &fields.enabled, error) ||
      !choose ("leaves", cells[COLUMN_LEAVES], "no", "yes", &fields.leaves, error) ||
      !choose (
        "queue_for_etrn", cells[COLUMN_QUEUE_FOR_ETRN], "no", "yes", &fields.queue_for_etrn, error))
    return NULL;
  if (!reroute_tls_level_from_string (cells[COLUMN_TLS], &fields.tls, error))
    return NULL;
  if (*cells[COLUMN_RECIPIENT_CHECK] != '\0' &&
      !reroute_recipient_check_from_string (
        cells[COLUMN_RECIPIENT_CHECK], &fields.recipient_check, error))
    return NULL;
  return page == REROUTE_PAGE_ROUTING ? make_routing_entry (&fields, cells, error)
                                      : make_email_domain (&fields, cells, error);
}

static guint
hash_row (gconstpointer data)
{
  const RerouteRow *row = data;

  return g_str_hash (row->domain) * 8 + row->page * 2 + row->exact;
}

static gboolean
same_place (gconstpointer a, gconstpointer b)
{
  const RerouteRow *x = a;
  const RerouteRow *y = b;

  return x->page == y->page && x->exact == y->exact && g_str_equal (x->domain, y->domain);
}

static void
add_row (Reader *reader)
{
  const char *cells[N_COLUMNS];
  g_autoptr (GError) error = NULL;

  if (reader->cells->len != reader->columns->len)
    {
      complain (reader,
                /* Translators: “fields: %u, columns: %u” where words must agree with the numbers */
                _ ("the line has %u fields, the header %u columns"),
                   reader->cells->len,
                   reader->columns->len);
      return;
    }
  for (guint i = 0; i < N_COLUMNS; i++)
    cells[i] = "";
  for (guint i = 0; i < reader->cells->len; i++)
    {
      Column column = g_array_index (reader->columns, guint, i);
      cells[column] =
        column == COLUMN_COMMENT ? reader->cells->pdata[i] : g_strstrip (reader->cells->pdata[i]);
    }
  RerouteRow *row = make_row (cells, &error);
  if (row == NULL)
    {
      g_autofree char *why =
        reroute_dup_row_error (cells[COLUMN_DOMAIN], cells[COLUMN_TARGET], error);

      complain (reader, "%s", why);
      return;
    }
  g_ptr_array_add (reader->rows, row);
  if (reader->said != NULL && *cells[COLUMN_ACCEPT_FROM] != '\0')
    g_hash_table_add (reader->said, row);
  guint earlier = GPOINTER_TO_UINT (g_hash_table_lookup (reader->lines, row));
  g_autofree char *label = earlier != 0 ? reroute_row_dup_label (row) : NULL;
  if (earlier != 0)
    complain (reader,
              row->page == REROUTE_PAGE_RECIPIENTS
              /* Translators: an address; a number */
              ? _ ("recipient “%s” stands in line %u already")
              /* Translators: a domain; a number */
              : _ ("domain “%s” stands in line %u already"), label, earlier);
  else
    g_hash_table_insert (reader->lines, row, GUINT_TO_POINTER (reader->line));
}

static gboolean
is_blank_record (const Reader *reader)
{
  return reader->cells->len == 1 && *(const char *) reader->cells->pdata[0] == '\0';
}

/* The line in which the first octet stands that is not UTF-8, or is NUL; 0: all is well. */
static guint
find_bad_octet (const char *text, gsize length)
{
  const char *bad;
  guint line = 1;

  if (g_utf8_validate_len (text, length, &bad))
    return 0;
  for (const char *p = text; p < bad; p++)
    line += *p == '\n';
  return line;
}

GPtrArray *
reroute_csv_parse (const char *text, gsize length, GHashTable *said, GPtrArray **errors)
{
  g_return_val_if_fail (text != NULL || length == 0, NULL);
  g_return_val_if_fail (errors != NULL, NULL);

  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (reroute_row_unref);
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) columns = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GHashTable) lines = g_hash_table_new (hash_row, same_place);
  g_autoptr (GPtrArray) found =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_csv_error_free);
  Reader reader = { .at = text,
                    .end = text + length,
                    .line = 1,
                    .next_line = 1,
                    .cells = cells,
                    .columns = columns,
                    .errors = found,
                    .rows = rows,
                    .lines = lines,
                    .said = said };

  *errors = NULL;
  reader.at += reroute_get_byte_order_mark_octets (text, length);
  guint bad = find_bad_octet (text, length);
  if (bad != 0)
    {
      reader.line = bad;
      complain (&reader, _ ("the line is not UTF-8 text"));
    }
  else if (reader.at == reader.end)
    complain (
      &reader,
      _ ("the text is empty: a header line such as “page,domain,match,action,target” is wanted"));
  else if (read_header (&reader))
    while (reader.at < reader.end)
      if (read_record (&reader) && !is_blank_record (&reader))
        add_row (&reader);

  if (found->len == 0)
    return g_steal_pointer (&rows);
  *errors = g_steal_pointer (&found);
  return NULL;
}

/* --- the other way --- */

static void
append_cell (GString *out, const char *text, char separator)
{
  gboolean quoted = strpbrk (text, ",\"\r\n") != NULL || g_ascii_isspace (*text);

  if (quoted)
    g_string_append_c (out, '"');
  for (const char *p = text; *p != '\0'; p++)
    {
      if (*p == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *p);
    }
  if (quoted)
    g_string_append_c (out, '"');
  g_string_append_c (out, separator);
}

void
reroute_csv_append_header (GString *out)
{
  for (guint i = 0; i < N_COLUMNS; i++)
    append_cell (out, column_names[i], i + 1 < N_COLUMNS ? ',' : '\n');
}

static void
append_recipient (GString *out, const RerouteRow *row)
{
  append_cell (out, reroute_page_to_string (row->page), ',');
  append_cell (out, row->domain, ',');
  for (Column column = COLUMN_MATCH; column < N_COLUMNS; column++)
    append_cell (
      out, column == COLUMN_COMMENT ? row->comment : "", column + 1 < N_COLUMNS ? ',' : '\n');
}

static void
append_entry (GString *out, const RerouteRow *row)
{
  const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;
  gboolean routing = row->page == REROUTE_PAGE_ROUTING;
  const RerouteHosts *hosts = routing ? NULL : ((const RerouteEmailDomain *) row)->hosts;
  g_autofree char *shown_hosts = hosts != NULL ? reroute_hosts_to_string (hosts) : NULL;
  const char *target = routing ? entry->target : shown_hosts;

  append_cell (out, reroute_page_to_string (row->page), ',');
  append_cell (out, row->domain, ',');
  append_cell (out, row->exact ? "exact" : "subdomains", ',');
  append_cell (out,
               routing         ? reroute_routing_action_to_string (entry->action)
               : hosts != NULL ? "host"
                               : "dns",
               ',');
  append_cell (out, target != NULL ? target : "", ',');
  append_cell (out, reroute_accept_from_to_string (row->accept_from), ',');
  append_cell (out, row->enabled ? "yes" : "no", ',');
  append_cell (out, row->comment, ',');
  append_cell (out, hosts != NULL && hosts->by_turns ? "by-turns" : "", ',');
  append_cell (out, reroute_tls_level_to_string (row->tls), ',');
  append_cell (out, row->leaves ? "yes" : "", ',');
  append_cell (out,
               row->recipient_check != REROUTE_RECIPIENT_CHECK_NONE
                 ? reroute_recipient_check_to_string (row->recipient_check)
                 : "",
               ',');
  append_cell (out, routing ? "" : ((const RerouteEmailDomain *) row)->account, ',');
  append_cell (out, row->queue_for_etrn ? "yes" : "", ',');
  append_cell (out, routing ? "" : ((const RerouteEmailDomain *) row)->certificate, '\n');
}

void
reroute_csv_append_row (GString *out, const RerouteRow *row)
{
  g_return_if_fail (out != NULL && row != NULL);

  if (row->page == REROUTE_PAGE_RECIPIENTS)
    append_recipient (out, row);
  else
    append_entry (out, row);
}
