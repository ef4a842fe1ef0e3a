/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * log.c - reroutectl log: the last lines of the relay's log, and those that come
 */

#include "config.h"

#include "service/ctl/ctl.h"
#include "service/ctl/output.h"

#include "common/client/relay-log.h"
#include "common/error.h"

#include <glib/gi18n.h>

#define FOLLOW_WAIT_US (G_USEC_PER_SEC / 2)

typedef struct
{
  gboolean follow;
  char *categories;
} LogOptions;

static void
log_options_clear (LogOptions *options)
{
  g_clear_pointer (&options->categories, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LogOptions, log_options_clear)

static RerouteLogPage *
load_page (RerouteCtl *ctl,
           guint64 cursor,
           const char *filter,
           const char *const *categories,
           GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  reroute_relay_client_log_async (
    ctl->relay, cursor, filter, categories, NULL, reroute_ctl_wait_cb, &result);
  return reroute_relay_client_log_finish (ctl->relay, reroute_ctl_wait (&result), error);
}

static void
print_missed (gulong n)
{
  g_autofree char *text = g_strdup_printf (
    ngettext ("%'lu line came too fast to be shown", "%'lu lines came too fast to be shown", n), n);

  g_printerr ("%s\n", text);
}

static void
print_line (const RerouteLogLine *line)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (line->time_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autofree char *time = local != NULL ? g_date_time_format (local, "%F %T") : g_strdup ("");
  g_autofree char *text = reroute_ctl_dup_plain (line->text);

  g_print ("%s.%03d %s %s: %s\n",
           time,
           (int) (line->time_us % G_USEC_PER_SEC / 1000),
           line->category,
           reroute_log_severity_to_string (line->severity),
           text);
}

static void
line_to_json (const RerouteLogLine *line, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  reroute_ctl_add_int (builder, "number", (gint64) line->number);
  reroute_ctl_add_int (builder, "time_us", line->time_us);
  reroute_ctl_add_string (builder, "category", line->category);
  reroute_ctl_add_string (builder, "severity", reroute_log_severity_to_string (line->severity));
  reroute_ctl_add_string (builder, "text", line->text);
  json_builder_end_object (builder);
}

/* Goes to the end of what is kept, page by page. */
static gboolean
print_pages (RerouteCtl *ctl,
             guint64 *cursor,
             const char *filter,
             const char *const *categories,
             JsonBuilder *builder,
             GError **error)
{
  guint n = 0;

  do
    {
      g_autoptr (RerouteLogPage) page = load_page (ctl, *cursor, filter, categories, error);

      if (page == NULL)
        return FALSE;
      if (page->missed > 0)
        print_missed ((gulong) page->missed);
      n = page->lines->len;
      *cursor = page->next;
      for (guint i = 0; i < n; i++)
        if (ctl->json)
          line_to_json (page->lines->pdata[i], builder);
        else
          print_line (page->lines->pdata[i]);
    }
  while (n > 0);
  return TRUE;
}

static gboolean
parse_options (RerouteCtl *ctl, LogOptions *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "follow", 0, 0, G_OPTION_ARG_NONE, &options->follow, NULL, NULL },
    { "category", 0, 0, G_OPTION_ARG_STRING, &options->categories, NULL, NULL },
    { NULL },
  };

  if (!reroute_ctl_parse (ctl, entries, argc, argv, 0, 1, error))
    return FALSE;
  if (options->follow && ctl->json)
    {
      g_set_error_literal (error,
                           G_OPTION_ERROR,
                           G_OPTION_ERROR_FAILED,
                           _ ("--json and --follow exclude each other: an array has an end"));
      return FALSE;
    }
  return TRUE;
}

/* Once the relay has answered it may end, which is told, and start again: its first lines are shown
   too.  Returns: TRUE when nothing can be written; FALSE at an error */
static gboolean
follow (RerouteCtl *ctl, const char *filter, const char *const *categories, GError **error)
{
  gboolean was_away = FALSE;
  guint64 cursor = 0;

  for (;;)
    {
      g_autoptr (GError) failure = NULL;
      gboolean is_away = !print_pages (ctl, &cursor, filter, categories, NULL, &failure);

      if (is_away &&
          (cursor == 0 || !g_error_matches (failure, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE)))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      if (is_away && !was_away)
        g_printerr ("%s\n", failure->message);
      was_away = is_away;
      if (!reroute_ctl_is_output_whole ())
        return TRUE;
      g_usleep (FOLLOW_WAIT_US);
    }
}

gboolean
reroute_ctl_log (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (LogOptions) options = { 0 };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_auto (GStrv) categories = NULL;
  guint64 cursor = 0;

  if (!parse_options (ctl, &options, &argc, &argv, error))
    return FALSE;
  const char *filter = argc > 1 ? argv[1] : "";
  categories = g_strsplit (options.categories != NULL ? options.categories : "", ",", -1);
  if (options.follow)
    return follow (ctl, filter, (const char *const *) categories, error);
  json_builder_begin_array (builder);
  if (!print_pages (ctl, &cursor, filter, (const char *const *) categories, builder, error))
    return FALSE;
  json_builder_end_array (builder);
  if (ctl->json)
    reroute_ctl_print_json (builder);
  return TRUE;
}
