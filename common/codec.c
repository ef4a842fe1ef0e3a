/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * codec.c - the forms of rows and changes that travel over D-Bus
 *
 * A peer is never trusted: a row that arrives goes through the same constructor as one that is
 * typed, and a name that is unknown here is refused, because what it means would be lost.
 */

#include "config.h"

#include "common/codec-private.h"

#include "common/error.h"
#include "common/recipient.h"
#include "common/row-columns.h"
#include "common/variant-writer.h"

#include <string.h>

#define CHANGES_TYPE "a(sv)"

gboolean
reroute_codec_check_type (GVariant *variant, const char *type, GError **error)
{
  if (g_variant_is_of_type (variant, G_VARIANT_TYPE (type)))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_PROTOCOL,
               "a value of the type “%s” arrived where “%s” belongs",
               g_variant_get_type_string (variant),
               type);
  return FALSE;
}

/* --- rows --- */

/* An a{sv} that is being written. */
typedef struct
{
  RerouteVariantWriter *writer;
  RerouteVariantContainer entries;
} NamedWriter;

static void
add_string (NamedWriter *rest, const char *name, const char *value)
{
  if (value != NULL && *value != '\0')
    reroute_variant_writer_add_string (rest->writer, &rest->entries, name, value);
}

static void
add_true (NamedWriter *rest, const char *name, gboolean value)
{
  if (value)
    reroute_variant_writer_add_boolean (rest->writer, &rest->entries, name, TRUE);
}

static void
write_named_values (NamedWriter *rest, const RerouteRow *row)
{
  add_string (rest, "comment", row->comment);
  add_string (rest, "changed-by", row->changed_by);
  if (row->changed_us != 0)
    reroute_variant_writer_add_int64 (rest->writer, &rest->entries, "changed-us", row->changed_us);
  if (row->page == REROUTE_PAGE_RECIPIENTS)
    return;
  add_string (rest, "accept-from", reroute_accept_from_to_string (row->accept_from));
  add_true (rest, "leaves", row->leaves);
  if (row->recipient_check != REROUTE_RECIPIENT_CHECK_NONE)
    add_string (rest, "recipient-check", reroute_recipient_check_to_string (row->recipient_check));
  if (row->page == REROUTE_PAGE_ROUTING)
    {
      const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;
      add_string (rest, "action", reroute_routing_action_to_string (entry->action));
      add_string (rest, "target", entry->target);
    }
  else
    {
      const RerouteEmailDomain *domain = (const RerouteEmailDomain *) row;
      g_autofree char *hosts =
        domain->hosts != NULL ? reroute_hosts_to_string (domain->hosts) : NULL;
      add_string (rest, "deliver", hosts != NULL ? "host" : "dns");
      add_string (rest, "hosts", hosts);
      add_true (rest, "by-turns", domain->hosts != NULL && domain->hosts->by_turns);
      add_string (rest, "tls", reroute_tls_level_to_string (row->tls));
      add_string (rest, "account", domain->account);
      add_string (rest, "certificate", domain->certificate);
      add_true (rest, "queue-for-etrn", row->queue_for_etrn);
    }
}

static void
write_row (RerouteVariantWriter *writer, const RerouteRow *row)
{
  RerouteVariantContainer tuple = reroute_variant_writer_open (writer);

  reroute_variant_writer_put_string (writer, reroute_page_to_string (row->page));
  reroute_variant_writer_note_end (writer, &tuple);
  reroute_variant_writer_put_int64 (writer, row->id);
  reroute_variant_writer_put_string (writer, row->domain);
  reroute_variant_writer_note_end (writer, &tuple);
  reroute_variant_writer_put_boolean (writer, row->exact);
  reroute_variant_writer_put_boolean (writer, row->enabled);
  NamedWriter rest = { writer, reroute_variant_writer_open (writer) };
  write_named_values (&rest, row);
  reroute_variant_writer_close_array (writer, &rest.entries);
  reroute_variant_writer_close_tuple (writer, &tuple);
}

GVariant *
reroute_row_to_variant (const RerouteRow *row)
{
  RerouteVariantWriter writer;

  g_return_val_if_fail (row != NULL, NULL);

  reroute_variant_writer_init (&writer);
  write_row (&writer, row);
  return reroute_variant_writer_end (&writer, G_VARIANT_TYPE (REROUTE_ROW_TYPE));
}

/* The named values of a row; text is borrowed from the variant. */
typedef struct
{
  const char *accept_from;
  const char *comment;
  const char *changed_by;
  gint64 changed_us;
  gboolean leaves;
  const char *recipient_check;
  const char *action;
  const char *target;
  const char *deliver;
  const char *hosts;
  gboolean by_turns;
  const char *tls;
  const char *account;
  const char *certificate;
  gboolean queue_for_etrn;
} NamedValues;

static gboolean
read_named_values (GVariantIter *rest, ReroutePage page, NamedValues *values, GError **error)
{
  gboolean routing = page == REROUTE_PAGE_ROUTING;
  gboolean connections = page == REROUTE_PAGE_CONNECTIONS;
  gboolean entry = routing || connections;
  const struct
  {
    const char *name;
    const char *type;
    gpointer value;
    gboolean belongs;
  } fields[] = {
    { "accept-from", "s", &values->accept_from, entry },
    { "comment", "s", &values->comment, TRUE },
    { "changed-by", "s", &values->changed_by, TRUE },
    { "changed-us", "x", &values->changed_us, TRUE },
    { "leaves", "b", &values->leaves, entry },
    { "recipient-check", "s", &values->recipient_check, entry },
    { "action", "s", &values->action, routing },
    { "target", "s", &values->target, routing },
    { "deliver", "s", &values->deliver, connections },
    { "hosts", "s", &values->hosts, connections },
    { "by-turns", "b", &values->by_turns, connections },
    { "tls", "s", &values->tls, connections },
    { "account", "s", &values->account, connections },
    { "certificate", "s", &values->certificate, connections },
    { "queue-for-etrn", "b", &values->queue_for_etrn, connections },
  };
  const char *name;
  GVariant *item;

  while (g_variant_iter_next (rest, "{&sv}", &name, &item))
    {
      g_autoptr (GVariant) value = item;
      gsize i = 0;
      while (i < G_N_ELEMENTS (fields) &&
             !(fields[i].belongs && g_str_equal (fields[i].name, name)))
        i++;
      if (i == G_N_ELEMENTS (fields))
        {
          g_set_error (error,
                       REROUTE_ERROR,
                       REROUTE_ERROR_PROTOCOL,
                       "a row of the page “%s” has no “%s”",
                       reroute_page_to_string (page),
                       name);
          return FALSE;
        }
      if (!reroute_codec_check_type (value, fields[i].type, error))
        return FALSE;
      /* What "&s" gives belongs to the serialised row, which outlives this child. */
      if (fields[i].type[0] == 's')
        *(const char **) fields[i].value = g_variant_get_string (value, NULL);
      else if (fields[i].type[0] == 'x')
        *(gint64 *) fields[i].value = g_variant_get_int64 (value);
      else
        *(gboolean *) fields[i].value = g_variant_get_boolean (value);
    }
  return TRUE;
}

static RerouteRow *
make_routing_entry (const RerouteRowFields *fields, const NamedValues *values, GError **error)
{
  RerouteRoutingAction action;

  if (!reroute_routing_action_from_string (values->action, &action, error))
    return NULL;
  return (RerouteRow *) reroute_routing_entry_new (fields, action, values->target, error);
}

static RerouteRow *
make_email_domain (const RerouteRowFields *fields, const NamedValues *values, GError **error)
{
  g_autoptr (RerouteHosts) hosts = NULL;
  gboolean by_host = g_str_equal (values->deliver, "host");

  if (!by_host && !g_str_equal (values->deliver, "dns"))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "deliver “%s” is unknown: “dns” and “host” are possible",
                   values->deliver);
      return NULL;
    }
  if (!by_host && *values->hosts != '\0')
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "hosts “%s” are of no use: mail is delivered by DNS",
                   values->hosts);
      return NULL;
    }
  if (by_host)
    {
      hosts = reroute_hosts_parse (values->hosts, values->by_turns, error);
      if (hosts == NULL)
        return NULL;
    }
  return (RerouteRow *) reroute_email_domain_new (fields, hosts, error);
}

RerouteRow *
reroute_row_from_variant (GVariant *variant, GError **error)
{
  NamedValues values = { .accept_from = "anyone",
                         .action = "reroute",
                         .deliver = "dns",
                         .hosts = "",
                         .comment = "",
                         .tls = "",
                         .recipient_check = "none" };
  RerouteRowFields fields = { 0 };
  g_autoptr (GVariantIter) rest = NULL;
  const char *page_name;
  ReroutePage page;

  g_return_val_if_fail (variant != NULL, NULL);

  if (!reroute_codec_check_type (variant, REROUTE_ROW_TYPE, error))
    return NULL;
  /* One serialised block, so that the strings of its children live as long as it does. */
  g_autoptr (GVariant) normal = g_variant_get_normal_form (variant);
  g_variant_get_data (normal);
  g_variant_get (normal,
                 "(&sx&sbba{sv})",
                 &page_name,
                 &fields.id,
                 &fields.domain,
                 &fields.exact,
                 &fields.enabled,
                 &rest);
  if (!reroute_page_from_string (page_name, &page, error) ||
      !read_named_values (rest, page, &values, error) ||
      !reroute_accept_from_from_string (values.accept_from, &fields.accept_from, error) ||
      !reroute_tls_level_from_string (values.tls, &fields.tls, error) ||
      !reroute_recipient_check_from_string (values.recipient_check, &fields.recipient_check, error))
    return NULL;
  fields.comment = values.comment;
  fields.changed_by = values.changed_by;
  fields.changed_us = values.changed_us;
  fields.leaves = values.leaves;
  fields.account = values.account;
  fields.certificate = values.certificate;
  fields.queue_for_etrn = values.queue_for_etrn;
  if (page == REROUTE_PAGE_RECIPIENTS)
    return reroute_recipient_new (&fields, error);
  return page == REROUTE_PAGE_ROUTING ? make_routing_entry (&fields, &values, error)
                                      : make_email_domain (&fields, &values, error);
}

/* --- changes --- */

static GVariant *
put_to_variant (const RerouteRow *row)
{
  RerouteVariantWriter writer;

  reroute_variant_writer_init (&writer);
  RerouteVariantContainer tuple = reroute_variant_writer_open (&writer);
  reroute_variant_writer_put_string (&writer, "put");
  reroute_variant_writer_note_end (&writer, &tuple);
  reroute_variant_writer_open_variant (&writer);
  write_row (&writer, row);
  reroute_variant_writer_close_variant (&writer, REROUTE_ROW_TYPE);
  reroute_variant_writer_close_tuple (&writer, &tuple);
  return reroute_variant_writer_end (&writer, G_VARIANT_TYPE (REROUTE_CHANGE_TYPE));
}

static GVariant *
ids_to_variant (const RerouteIdSet *ids)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_INT64,
                                    reroute_id_set_get_ids (ids),
                                    reroute_id_set_get_size (ids),
                                    sizeof (gint64));
}

GVariant *
reroute_change_to_variant (const RerouteChange *change)
{
  g_return_val_if_fail (change != NULL, NULL);

  if (change->kind == REROUTE_CHANGE_PUT)
    return put_to_variant (change->row);
  if (change->kind == REROUTE_CHANGE_REMOVE)
    return g_variant_new (
      REROUTE_CHANGE_TYPE,
      "remove",
      g_variant_new ("(sx)", reroute_page_to_string (change->page), change->id));
  if (change->kind == REROUTE_CHANGE_REMOVE_MANY)
    return g_variant_new (REROUTE_CHANGE_TYPE,
                          "remove-many",
                          g_variant_new ("(s@ax)",
                                         reroute_page_to_string (change->page),
                                         ids_to_variant (change->ids)));
  if (change->value != NULL)
    return g_variant_new (
      REROUTE_CHANGE_TYPE, "set", g_variant_new ("(ss)", change->key, change->value));
  return g_variant_new (REROUTE_CHANGE_TYPE, "reset", g_variant_new_string (change->key));
}

static RerouteChange *
read_remove (GVariant *body, GError **error)
{
  const char *page_name;
  ReroutePage page;
  gint64 id;

  if (!reroute_codec_check_type (body, "(sx)", error))
    return NULL;
  g_variant_get (body, "(&sx)", &page_name, &id);
  if (!reroute_page_from_string (page_name, &page, error))
    return NULL;
  return reroute_change_new_remove (page, id);
}

static RerouteChange *
read_set (GVariant *body, GError **error)
{
  const char *key, *value;

  if (!reroute_codec_check_type (body, "(ss)", error))
    return NULL;
  g_variant_get (body, "(&s&s)", &key, &value);
  return reroute_change_new_set (key, value, error);
}

RerouteChange *
reroute_change_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GVariant) body = NULL;
  const char *kind;

  g_return_val_if_fail (variant != NULL, NULL);

  if (!reroute_codec_check_type (variant, REROUTE_CHANGE_TYPE, error))
    return NULL;
  g_variant_get (variant, "(&sv)", &kind, &body);
  if (g_str_equal (kind, "put"))
    {
      g_autoptr (RerouteRow) row = reroute_row_from_variant (body, error);
      return row != NULL ? reroute_change_new_put (row) : NULL;
    }
  if (g_str_equal (kind, "remove"))
    return read_remove (body, error);
  if (g_str_equal (kind, "set"))
    return read_set (body, error);
  if (g_str_equal (kind, "reset") && reroute_codec_check_type (body, "s", error))
    return reroute_change_new_set (g_variant_get_string (body, NULL), NULL, error);
  if (!g_str_equal (kind, "reset"))
    g_set_error (
      error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "a change of the kind “%s” is unknown", kind);
  return NULL;
}

/* A "remove-many" as so many changes. */
static gboolean
add_removals (GPtrArray *changes, GVariant *body, GError **error)
{
  g_autoptr (GVariant) array = NULL;
  const char *page_name;
  const gint64 *ids;
  ReroutePage page;
  gsize n_ids = 0;

  if (!reroute_codec_check_type (body, "(sax)", error))
    return FALSE;
  g_variant_get (body, "(&s@ax)", &page_name, &array);
  if (!reroute_page_from_string (page_name, &page, error))
    return FALSE;
  ids = g_variant_get_fixed_array (array, &n_ids, sizeof (gint64));
  for (gsize i = 0; i < n_ids; i++)
    g_ptr_array_add (changes, reroute_change_new_remove (page, ids[i]));
  return TRUE;
}

/* Adds what @variant tells: one change, or many. */
static gboolean
add_changes (GPtrArray *changes, GVariant *variant, GError **error)
{
  g_autoptr (GVariant) body = NULL;
  RerouteChange *change = NULL;
  const char *kind;

  g_variant_get (variant, "(&sv)", &kind, &body);
  if (g_str_equal (kind, "remove-many"))
    return add_removals (changes, body, error);
  change = reroute_change_from_variant (variant, error);
  if (change == NULL)
    return FALSE;
  g_ptr_array_add (changes, change);
  return TRUE;
}

GVariant *
reroute_changes_to_variant (GPtrArray *changes)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (CHANGES_TYPE));
  for (guint i = 0; changes != NULL && i < changes->len; i++)
    g_variant_builder_add_value (&builder, reroute_change_to_variant (changes->pdata[i]));
  return g_variant_builder_end (&builder);
}

GPtrArray *
reroute_changes_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GPtrArray) changes =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);

  if (!reroute_codec_check_type (variant, CHANGES_TYPE, error))
    return NULL;
  gsize n = g_variant_n_children (variant);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
      if (!add_changes (changes, child, error))
        return NULL;
    }
  return g_steal_pointer (&changes);
}

GPtrArray *
reroute_changes_from_columns (const char *page_name, GVariant *columns, GError **error)
{
  g_autoptr (GPtrArray) rows = NULL;
  GPtrArray *changes = NULL;
  ReroutePage page;

  if (!reroute_page_from_string (page_name, &page, error) ||
      !reroute_codec_check_type (columns, REROUTE_COLUMNS_TYPE, error))
    return NULL;
  rows = reroute_rows_from_columns (page, columns, error);
  if (rows == NULL)
    return NULL;
  changes = g_ptr_array_new_full (rows->len, (GDestroyNotify) reroute_change_unref);
  for (guint i = 0; i < rows->len; i++)
    g_ptr_array_add (changes, reroute_change_new_put (rows->pdata[i]));
  return changes;
}
