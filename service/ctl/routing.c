/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * routing.c - reroutectl routing list | add | edit | remove
 */

#include "config.h"

#include "service/ctl/rows.h"

#include "service/ctl/edit.h"
#include "service/ctl/refusal.h"

#include <glib/gi18n.h>

typedef struct
{
  RerouteRowOptions row;
  char *reroute_to;
  gboolean inbound;
  gboolean relay;
} RoutingOptions;

static void
routing_options_clear (RoutingOptions *options)
{
  reroute_ctl_row_options_clear (&options->row);
  g_clear_pointer (&options->reroute_to, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RoutingOptions, routing_options_clear)

static gboolean
parse_options (RerouteCtl *ctl, RoutingOptions *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "reroute-to", 0, 0, G_OPTION_ARG_STRING, &options->reroute_to, NULL, NULL },
    { "inbound", 0, 0, G_OPTION_ARG_NONE, &options->inbound, NULL, NULL },
    { "relay", 0, 0, G_OPTION_ARG_NONE, &options->relay, NULL, NULL },
    { "exact", 0, 0, G_OPTION_ARG_NONE, &options->row.exact, NULL, NULL },
    { "accept-from", 0, 0, G_OPTION_ARG_STRING, &options->row.accept_from, NULL, NULL },
    { "leaves", 0, 0, G_OPTION_ARG_STRING, &options->row.leaves, NULL, NULL },
    { "recipient-check", 0, 0, G_OPTION_ARG_STRING, &options->row.recipient_check, NULL, NULL },
    { "comment", 0, 0, G_OPTION_ARG_STRING, &options->row.comment, NULL, NULL },
    { "on", 0, 0, G_OPTION_ARG_NONE, &options->row.on, NULL, NULL },
    { "off", 0, 0, G_OPTION_ARG_NONE, &options->row.off, NULL, NULL },
    { "confirm", 0, 0, G_OPTION_ARG_NONE, &options->row.confirm, NULL, NULL },
    { NULL },
  };

  return reroute_ctl_parse (ctl, entries, argc, argv, 1, 1, error);
}

/* Which of the three radio buttons was said; FALSE with an error unless one at most. */
static gboolean
get_action (const RoutingOptions *options,
            RerouteRoutingAction *action,
            gboolean *said,
            GError **error)
{
  int n = (options->reroute_to != NULL) + options->inbound + options->relay;

  if (n > 1)
    {
      g_set_error_literal (error,
                           G_OPTION_ERROR,
                           G_OPTION_ERROR_FAILED,
                           _ ("--reroute-to, --inbound and --relay exclude one another"));
      return FALSE;
    }
  *said = n == 1;
  if (options->reroute_to != NULL)
    *action = REROUTE_ROUTING_REROUTE;
  if (options->inbound)
    *action = REROUTE_ROUTING_INBOUND;
  if (options->relay)
    *action = REROUTE_ROUTING_RELAY;
  return TRUE;
}

gboolean
reroute_ctl_routing_list (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  return reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 1, error) &&
         reroute_ctl_list_rows (ctl, REROUTE_PAGE_ROUTING, argc > 1 ? argv[1] : "", error);
}

gboolean
reroute_ctl_routing_add (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (RoutingOptions) options = { 0 };
  RerouteRowFields fields = { .enabled = TRUE };
  RerouteRoutingAction action = REROUTE_ROUTING_INBOUND;
  g_autoptr (RerouteSettings) settings = NULL;
  g_autoptr (RerouteRoutingEntry) entry = NULL;
  gboolean said = FALSE;
  guint64 serial = 0;

  if (!parse_options (ctl, &options, &argc, &argv, error) ||
      !get_action (&options, &action, &said, error))
    return FALSE;
  if (!said)
    {
      g_set_error_literal (
        error,
        G_OPTION_ERROR,
        G_OPTION_ERROR_FAILED,
        _ ("say where the mail goes: --reroute-to=DOMAIN, --inbound or --relay"));
      return FALSE;
    }
  fields.domain = argv[1];
  if (!reroute_ctl_row_options_apply (&options.row, &fields, error))
    return FALSE;
  entry = reroute_routing_entry_new (&fields, action, options.reroute_to, error);
  if (entry == NULL)
    {
      reroute_ctl_reword_row (error, argv[1], options.reroute_to);
      return FALSE;
    }
  settings = reroute_ctl_load_settings (ctl, &serial, error);
  return settings != NULL &&
         reroute_ctl_put_row (ctl, g_steal_pointer (&entry), serial, &options.row, error);
}

gboolean
reroute_ctl_routing_edit (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (RoutingOptions) options = { 0 };
  g_autoptr (RerouteRow) row = NULL;
  const RerouteRoutingEntry *before;
  RerouteRoutingEntry *entry;
  RerouteRowFields fields;
  RerouteRoutingAction action;
  gboolean said = FALSE;
  guint64 serial = 0;

  if (!parse_options (ctl, &options, &argc, &argv, error))
    return FALSE;
  row = reroute_ctl_find_row (ctl, REROUTE_PAGE_ROUTING, argv[1], &serial, error);
  if (row == NULL)
    return FALSE;
  before = (const RerouteRoutingEntry *) row;
  action = before->action;
  fields = reroute_row_get_fields (row);
  if (!get_action (&options, &action, &said, error) ||
      !reroute_ctl_row_options_apply (&options.row, &fields, error))
    return FALSE;
  entry =
    reroute_routing_entry_new (&fields, action, said ? options.reroute_to : before->target, error);
  reroute_ctl_reword_row (error, argv[1], options.reroute_to);
  return entry != NULL && reroute_ctl_put_row (ctl, entry, serial, &options.row, error);
}

gboolean
reroute_ctl_routing_remove (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  return reroute_ctl_parse (ctl, NULL, &argc, &argv, 1, 1, error) &&
         reroute_ctl_remove_row (ctl, REROUTE_PAGE_ROUTING, argv[1], error);
}
