/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue.c - reroutectl queue list | show
 */

#include "config.h"

#include "service/ctl/ctl.h"
#include "service/ctl/output.h"
#include "service/ctl/table.h"

#include "common/limits.h"

#include <glib/gi18n.h>

/* Ids are shown as the log shows them, in hexadecimal. */
static char *
format_id (guint64 id)
{
  return g_strdup_printf ("%" G_GINT64_MODIFIER "x", id);
}

static void
recipient_to_json (const RerouteQueuedRecipient *recipient, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  reroute_ctl_add_string (builder, "address", recipient->address);
  reroute_ctl_add_string (builder, "state", recipient->state);
  reroute_ctl_add_int (builder, "next_try_us", recipient->next_try_us);
  reroute_ctl_add_int (builder, "tries", recipient->tries);
  reroute_ctl_add_string (builder, "last_reply", recipient->last_reply);
  json_builder_end_object (builder);
}

static void
message_to_json (const RerouteQueuedMessage *message, JsonBuilder *builder)
{
  g_autofree char *id = format_id (message->id);

  json_builder_begin_object (builder);
  reroute_ctl_add_string (builder, "id", id);
  reroute_ctl_add_int (builder, "received_us", message->received_us);
  reroute_ctl_add_string (builder, "reverse_path", message->reverse_path);
  reroute_ctl_add_int (builder, "octets", (gint64) message->octets);
  json_builder_set_member_name (builder, "recipients");
  json_builder_begin_array (builder);
  for (guint i = 0; i < message->recipients->len; i++)
    recipient_to_json (message->recipients->pdata[i], builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
message_to_table (const RerouteQueuedMessage *message, RerouteTable *table)
{
  g_autofree char *id = format_id (message->id);
  g_autofree char *received = reroute_table_format_time (message->received_us);
  g_autofree char *sender = g_strdup_printf ("<%s>", message->reverse_path);

  for (guint i = 0; i < message->recipients->len; i++)
    {
      const RerouteQueuedRecipient *recipient = message->recipients->pdata[i];
      g_autofree char *next_try = reroute_table_format_time (recipient->next_try_us);

      reroute_table_add (table,
                         i == 0 ? id : "",
                         i == 0 ? received : "",
                         i == 0 ? sender : "",
                         recipient->address,
                         recipient->state,
                         next_try,
                         recipient->last_reply,
                         NULL);
    }
}

/* What of the queue is listed. */
typedef struct
{
  char *by;       /* (nullable): its groups by this */
  char *next_hop; /* (nullable): the messages of this group, or */
  char *entry;
  const char *text;
  char *sort; /* (nullable): the messages in this order, */
  gboolean reverse;
  char *order; /* (nullable): as the relay calls it */
} Wanted;

static void
clear_wanted (Wanted *self)
{
  g_clear_pointer (&self->by, g_free);
  g_clear_pointer (&self->next_hop, g_free);
  g_clear_pointer (&self->entry, g_free);
  g_clear_pointer (&self->sort, g_free);
  g_clear_pointer (&self->order, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wanted, clear_wanted)

static RerouteQueuePage *
load_page (RerouteCtl *ctl, const Wanted *wanted, guint offset, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  const RerouteQueueQuestion question = {
    .by = wanted->next_hop != NULL ? "next-hop" : "entry",
    .key = wanted->next_hop != NULL ? wanted->next_hop : wanted->entry,
    .text = wanted->text,
    .order = wanted->order,
    .offset = offset,
    .limit = REROUTE_LIMIT_PAGE_ROWS,
  };

  if (question.key != NULL)
    reroute_relay_client_queue_group_async (
      ctl->relay, &question, NULL, reroute_ctl_wait_cb, &result);
  else
    reroute_relay_client_queue_async (ctl->relay, &question, NULL, reroute_ctl_wait_cb, &result);
  return reroute_relay_client_queue_finish (ctl->relay, reroute_ctl_wait (&result), error);
}

static gboolean
list_messages (RerouteCtl *ctl, const Wanted *wanted, GError **error)
{
  const char *const titles[] = { C_ ("heading", "ID"),         C_ ("heading", "RECEIVED"),
                                 C_ ("heading", "FROM"),       C_ ("heading", "TO"),
                                 C_ ("heading", "STATE"),      C_ ("heading", "NEXT TRY"),
                                 C_ ("heading", "LAST REPLY"), NULL };
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  guint offset = 0;
  guint total;

  json_builder_begin_array (builder);
  do
    {
      g_autoptr (RerouteQueuePage) page = load_page (ctl, wanted, offset, error);

      if (page == NULL)
        return FALSE;
      for (guint i = 0; i < page->messages->len; i++)
        {
          if (ctl->json)
            message_to_json (page->messages->pdata[i], builder);
          else
            message_to_table (page->messages->pdata[i], table);
        }
      total = page->total;
      offset += page->messages->len;
      if (page->messages->len == 0)
        break;
    }
  while (offset < total);
  json_builder_end_array (builder);

  if (ctl->json)
    reroute_ctl_print_json (builder);
  else if (offset > 0)
    reroute_table_print (table);
  else
    g_print ("%s\n", _ ("no message waits"));
  return TRUE;
}

/* --- groups --- */

static void
group_to_json (const RerouteQueueGroup *group, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  reroute_ctl_add_string (builder, "key", group->key);
  reroute_ctl_add_int (builder, "messages", group->n_messages);
  reroute_ctl_add_int (builder, "held", group->n_held);
  reroute_ctl_add_int (builder, "octets", (gint64) group->octets);
  reroute_ctl_add_int (builder, "oldest_us", group->oldest_us);
  reroute_ctl_add_int (builder, "next_try_us", group->next_try_us);
  reroute_ctl_add_string (builder, "last_failure", group->last_failure);
  json_builder_end_object (builder);
}

static void
group_to_table (const RerouteQueueGroup *group, RerouteTable *table)
{
  g_autofree char *messages = g_strdup_printf ("%u", group->n_messages);
  g_autofree char *held = g_strdup_printf ("%u", group->n_held);
  g_autofree char *octets = g_strdup_printf ("%" G_GUINT64_FORMAT, group->octets);
  g_autofree char *oldest = reroute_table_format_time (group->oldest_us);
  g_autofree char *next_try = reroute_table_format_time (group->next_try_us);

  reroute_table_add (table,
                     group->key[0] != '\0' ? group->key : "none",
                     messages,
                     held,
                     octets,
                     oldest,
                     next_try,
                     group->last_failure,
                     NULL);
}

static GPtrArray *
load_groups (RerouteCtl *ctl, const Wanted *wanted, guint offset, guint *total, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  const RerouteQueueQuestion question = {
    .by = wanted->by, .text = wanted->text, .offset = offset, .limit = REROUTE_LIMIT_PAGE_ROWS
  };

  reroute_relay_client_queue_groups_async (
    ctl->relay, &question, NULL, reroute_ctl_wait_cb, &result);
  return reroute_relay_client_queue_groups_finish (
    ctl->relay, reroute_ctl_wait (&result), total, error);
}

static gboolean
list_groups (RerouteCtl *ctl, const Wanted *wanted, GError **error)
{
  const char *const titles[] = { g_str_equal (wanted->by, "entry") ? C_ ("heading", "ENTRY")
                                                                   : C_ ("heading", "NEXT HOP"),
                                 C_ ("heading", "MESSAGES"),
                                 C_ ("heading", "HELD"),
                                 C_ ("heading", "OCTETS"),
                                 C_ ("heading", "OLDEST"),
                                 C_ ("heading", "NEXT TRY"),
                                 C_ ("heading", "LAST FAILURE"),
                                 NULL };
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  guint offset = 0;
  guint total = 0;
  guint n;

  json_builder_begin_array (builder);
  do
    {
      g_autoptr (GPtrArray) groups = load_groups (ctl, wanted, offset, &total, error);

      if (groups == NULL)
        return FALSE;
      n = groups->len;
      for (guint i = 0; i < n; i++)
        {
          group_to_json (groups->pdata[i], builder);
          group_to_table (groups->pdata[i], table);
        }
      offset += n;
    }
  while (offset < total && n > 0);
  json_builder_end_array (builder);

  if (ctl->json)
    reroute_ctl_print_json (builder);
  else if (offset > 0)
    reroute_table_print (table);
  else
    g_print ("%s\n", _ ("no message waits"));
  return TRUE;
}

gboolean
reroute_ctl_queue_list (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (Wanted) wanted = { NULL };
  const GOptionEntry entries[] = {
    { "by", 0, 0, G_OPTION_ARG_STRING, &wanted.by, NULL, NULL },
    { "next-hop", 0, 0, G_OPTION_ARG_STRING, &wanted.next_hop, NULL, NULL },
    { "entry", 0, 0, G_OPTION_ARG_STRING, &wanted.entry, NULL, NULL },
    { "sort", 0, 0, G_OPTION_ARG_STRING, &wanted.sort, NULL, NULL },
    { "reverse", 0, 0, G_OPTION_ARG_NONE, &wanted.reverse, NULL, NULL },
    { NULL },
  };
  guint n_said;

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 0, 1, error))
    return FALSE;
  n_said = (wanted.next_hop != NULL) + (wanted.entry != NULL) + (wanted.by != NULL);
  if (n_said > 1)
    {
      g_set_error_literal (error,
                           G_OPTION_ERROR,
                           G_OPTION_ERROR_FAILED,
                           _ ("say one of --next-hop, --entry and --by"));
      return FALSE;
    }
  if (wanted.by != NULL && (wanted.sort != NULL || wanted.reverse))
    {
      g_set_error_literal (error,
                           G_OPTION_ERROR,
                           G_OPTION_ERROR_FAILED,
                           _ ("--sort and --reverse order messages: say them without --by"));
      return FALSE;
    }
  wanted.text = argc > 1 ? argv[1] : "";
  wanted.order =
    g_strconcat (wanted.reverse ? "-" : "", wanted.sort != NULL ? wanted.sort : "arrival", NULL);
  return wanted.by != NULL ? list_groups (ctl, &wanted, error)
                           : list_messages (ctl, &wanted, error);
}

static void
show_text (GVariant *values)
{
  const char *client = "";
  const char *helo = "";
  const char *headers = "";
  gboolean requiretls = FALSE;
  gboolean tls_optional = FALSE;
  g_autofree char *plain_helo = NULL;
  g_autofree char *plain_headers = NULL;
  g_autofree char *received = NULL;

  g_variant_lookup (values, "client", "&s", &client);
  g_variant_lookup (values, "helo", "&s", &helo);
  g_variant_lookup (values, "headers", "&s", &headers);
  g_variant_lookup (values, "requiretls", "b", &requiretls);
  g_variant_lookup (values, "tls-optional", "b", &tls_optional);
  plain_helo = reroute_ctl_dup_plain (helo);
  plain_headers = reroute_ctl_dup_plain (headers);
  /* Translators: an IP address; the name that the client said */
  received = g_strdup_printf (_ ("Received from %s, which called itself “%s”"), client, plain_helo);
  g_print ("\n%s\n", received);
  if (requiretls)
    g_print ("%s\n", _ ("Its sender demands TLS all the way (REQUIRETLS)"));
  if (tls_optional)
    g_print ("%s\n",
             _ ("Its sender wants it delivered whatever becomes of TLS (TLS-Required: No)"));
  g_print ("\n%s\n", plain_headers);
}

gboolean
reroute_ctl_queue_show (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  const char *const titles[] = { C_ ("heading", "TO"),         C_ ("heading", "STATE"),
                                 C_ ("heading", "NEXT TRY"),   C_ ("heading", "TRIES"),
                                 C_ ("heading", "LAST REPLY"), NULL };
  g_autoptr (RerouteTable) table = reroute_table_new (titles);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariantIter) recipients = NULL;
  const char *address, *state, *reply;
  gint64 next_try_us;
  guint32 tries;
  guint64 id;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 1, 1, error) ||
      !reroute_ctl_parse_message_id (argv[1], &id, error))
    return FALSE;
  reroute_relay_client_queue_message_async (ctl->relay, id, NULL, reroute_ctl_wait_cb, &result);
  values =
    reroute_relay_client_queue_message_finish (ctl->relay, reroute_ctl_wait (&result), error);
  if (values == NULL)
    return FALSE;
  if (ctl->json)
    {
      g_autoptr (JsonNode) node = json_gvariant_serialize (values);
      g_autofree char *shown_id = format_id (id);
      g_autofree char *text = NULL;

      json_object_set_string_member (json_node_get_object (node), "id", shown_id);
      text = json_to_string (node, TRUE);
      reroute_ctl_print_data (text);
      reroute_ctl_print_data ("\n");
      return TRUE;
    }
  if (g_variant_lookup (values, "recipients", "a(ssxus)", &recipients))
    {
      while (g_variant_iter_next (
        recipients, "(&s&sxu&s)", &address, &state, &next_try_us, &tries, &reply))
        {
          g_autofree char *next_try = reroute_table_format_time (next_try_us);
          g_autofree char *count = g_strdup_printf ("%u", tries);

          reroute_table_add (table, address, state, next_try, count, reply, NULL);
        }
    }
  reroute_table_print (table);
  show_text (values);
  return TRUE;
}
