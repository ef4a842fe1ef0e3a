/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * queue-act.c - reroutectl queue retry | hold | release | return | delete
 */

#include "config.h"

#include "service/ctl/ctl.h"

#include "common/error.h"

#include <glib/gi18n.h>

gboolean
reroute_ctl_parse_message_id (const char *text, guint64 *id, GError **error)
{
  if (g_ascii_string_to_unsigned (text, 16, 1, G_MAXUINT64, id, NULL))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               _ ("“%s” is not the id of a message: “reroutectl queue list” shows them"), text);
  return FALSE;
}

static GArray *
parse_ids (int argc, char **argv, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint64));

  for (int i = 1; i < argc; i++)
    {
      guint64 id;

      if (!reroute_ctl_parse_message_id (argv[i], &id, error))
        return NULL;
      g_array_append_val (ids, id);
    }
  return g_steal_pointer (&ids);
}

/* --- what is said of the messages --- */

typedef struct
{
  gboolean all;
  char *texts[4]; /* in the order of filter_names */
} Filter;

static const char *const filter_names[] = { "next-hop", "entry", "state", "text" };

static void
clear_filter (Filter *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (filter_names); i++)
    g_clear_pointer (&self->texts[i], g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Filter, clear_filter)

static gboolean
says_something (const Filter *self)
{
  gboolean said = self->all;

  for (gsize i = 0; i < G_N_ELEMENTS (filter_names); i++)
    said = said || self->texts[i] != NULL;
  return said;
}

/* a{sv}, floating */
static GVariant *
filter_to_variant (const Filter *self)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (self->all)
    g_variant_builder_add (&builder, "{sv}", "all", g_variant_new_boolean (TRUE));
  for (gsize i = 0; i < G_N_ELEMENTS (filter_names); i++)
    if (self->texts[i] != NULL)
      g_variant_builder_add (
        &builder, "{sv}", filter_names[i], g_variant_new_string (self->texts[i]));
  return g_variant_builder_end (&builder);
}

/* --- the answer --- */

static void
print_json (const RerouteQueueCounts *counts)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  reroute_ctl_add_int (builder, "count", counts->done);
  reroute_ctl_add_int (builder, "busy", counts->busy);
  reroute_ctl_add_int (builder, "silent", counts->silent);
  json_builder_end_object (builder);
  reroute_ctl_print_json (builder);
}

static char *
dup_done (RerouteQueueVerb verb, guint n)
{
  switch (verb)
    {
    case REROUTE_QUEUE_RETRY:
      return g_strdup_printf (
        ngettext ("%'u message is tried now", "%'u messages are tried now", n), n);
    case REROUTE_QUEUE_HOLD:
      return g_strdup_printf (ngettext ("%'u message is held", "%'u messages are held", n), n);
    case REROUTE_QUEUE_RELEASE:
      return g_strdup_printf (ngettext ("%'u message released", "%'u messages released", n), n);
    case REROUTE_QUEUE_RETURN:
      return g_strdup_printf (ngettext ("%'u message returned", "%'u messages returned", n), n);
    case REROUTE_QUEUE_DELETE:
    default:
      return g_strdup_printf (ngettext ("%'u message deleted", "%'u messages deleted", n), n);
    }
}

static char *
dup_busy (guint n)
{
  return g_strdup_printf (ngettext ("%'u message is left alone: it is on its way just now",
                                    "%'u messages are left alone: they are on their way just now",
                                    n),
                          n);
}

static char *
dup_silent (guint n)
{
  return g_strdup_printf (
    ngettext ("%'u message stays: nobody may be told, as it has no sender, or one that asked for "
              "no notice; “reroutectl queue delete” removes it",
              "%'u messages stay: nobody may be told, as they have no sender, or one that asked "
              "for no notice; “reroutectl queue delete” removes them",
              n),
    n);
}

static void
print_text (RerouteQueueVerb verb, const RerouteQueueCounts *counts, gsize n_ids)
{
  g_autofree char *done = dup_done (verb, counts->done);
  g_autofree char *busy = dup_busy (counts->busy);
  g_autofree char *silent = dup_silent (counts->silent);

  g_print ("%s\n", done);
  if (counts->busy > 0)
    g_print ("%s\n", busy);
  if (counts->silent > 0)
    g_print ("%s\n", silent);
  if (counts->done + counts->busy + counts->silent < n_ids)
    g_print ("%s\n",
             _ ("The others do not wait any more, or were so already: “reroutectl queue list” shows what waits"));
}

static gboolean
act (RerouteCtl *ctl, RerouteQueueVerb verb, const RerouteQueueSelection *selection, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  RerouteQueueCounts counts;

  reroute_relay_client_queue_act_async (
    ctl->relay, verb, selection, NULL, reroute_ctl_wait_cb, &result);
  if (!reroute_relay_client_queue_act_finish (
        ctl->relay, reroute_ctl_wait (&result), &counts, error))
    return FALSE;
  if (ctl->json)
    print_json (&counts);
  else
    print_text (verb, &counts, selection->n_ids);
  return TRUE;
}

/* Every verb of the queue: of messages by their ids, or of those that a filter takes. */
static gboolean
run (RerouteCtl *ctl, RerouteQueueVerb verb, int argc, char **argv, GError **error)
{
  g_auto (Filter) filter = { FALSE, { NULL } };
  const GOptionEntry entries[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &filter.all, NULL, NULL },
    { "next-hop", 0, 0, G_OPTION_ARG_STRING, &filter.texts[0], NULL, NULL },
    { "entry", 0, 0, G_OPTION_ARG_STRING, &filter.texts[1], NULL, NULL },
    { "state", 0, 0, G_OPTION_ARG_STRING, &filter.texts[2], NULL, NULL },
    { "matching", 0, 0, G_OPTION_ARG_STRING, &filter.texts[3], NULL, NULL },
    { NULL },
  };
  g_autoptr (GArray) ids = NULL;
  RerouteQueueSelection selection = { NULL };

  if (!reroute_ctl_parse (ctl, entries, &argc, &argv, 0, G_MAXINT, error))
    return FALSE;
  if (says_something (&filter) == (argc > 1))
    {
      g_set_error_literal (
        error,
        G_OPTION_ERROR,
        G_OPTION_ERROR_FAILED,
        _ ("name messages, or say --next-hop, --entry, --state, --matching or --all"));
      return FALSE;
    }
  ids = parse_ids (argc, argv, error);
  if (ids == NULL)
    return FALSE;
  selection.ids = (const guint64 *) ids->data;
  selection.n_ids = ids->len;
  selection.filter = filter_to_variant (&filter);
  return act (ctl, verb, &selection, error);
}

gboolean
reroute_ctl_queue_retry (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  return run (ctl, REROUTE_QUEUE_RETRY, argc, argv, error);
}

gboolean
reroute_ctl_queue_hold (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  return run (ctl, REROUTE_QUEUE_HOLD, argc, argv, error);
}

gboolean
reroute_ctl_queue_release (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  return run (ctl, REROUTE_QUEUE_RELEASE, argc, argv, error);
}

gboolean
reroute_ctl_queue_return (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  return run (ctl, REROUTE_QUEUE_RETURN, argc, argv, error);
}

gboolean
reroute_ctl_queue_delete (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  return run (ctl, REROUTE_QUEUE_DELETE, argc, argv, error);
}
