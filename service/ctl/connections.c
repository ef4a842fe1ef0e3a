/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * connections.c - reroutectl connections list | add | edit | remove
 */

#include "config.h"

#include "service/ctl/rows.h"

#include "common/file-name.h"
#include "common/verifier.h"
#include "service/ctl/edit.h"
#include "service/ctl/refusal.h"

#include <glib/gi18n.h>

typedef struct
{
  RerouteRowOptions row;
  char *hosts; /* of all --host; NULL: none */
  gboolean dns;
  gboolean mx;
  gboolean by_turns;
  gboolean in_order;
  char *tls;
  char *account;
  char *certificate;
  char *queue_for_etrn; /* "yes", "no" */
} ConnectionsOptions;

static void
connections_options_clear (ConnectionsOptions *options)
{
  reroute_ctl_row_options_clear (&options->row);
  g_clear_pointer (&options->hosts, g_free);
  g_clear_pointer (&options->tls, g_free);
  g_clear_pointer (&options->account, g_free);
  g_clear_pointer (&options->certificate, g_free);
  g_clear_pointer (&options->queue_for_etrn, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ConnectionsOptions, connections_options_clear)

static gboolean
refuse_without_hosts (GError **error)
{
  g_set_error_literal (error,
                       G_OPTION_ERROR,
                       G_OPTION_ERROR_FAILED,
                       _ ("--mx and --by-turns speak of hosts: say --host=HOST too"));
  return FALSE;
}

static gboolean
parse_options (
  RerouteCtl *ctl, ConnectionsOptions *options, int *argc, char ***argv, GError **error)
{
  g_auto (GStrv) hosts = NULL;
  const GOptionEntry entries[] = {
    { "host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &hosts, NULL, NULL },
    { "dns", 0, 0, G_OPTION_ARG_NONE, &options->dns, NULL, NULL },
    { "mx", 0, 0, G_OPTION_ARG_NONE, &options->mx, NULL, NULL },
    { "by-turns", 0, 0, G_OPTION_ARG_NONE, &options->by_turns, NULL, NULL },
    { "in-order", 0, 0, G_OPTION_ARG_NONE, &options->in_order, NULL, NULL },
    { "tls", 0, 0, G_OPTION_ARG_STRING, &options->tls, NULL, NULL },
    { "account", 0, 0, G_OPTION_ARG_STRING, &options->account, NULL, NULL },
    { "certificate", 0, 0, G_OPTION_ARG_FILENAME, &options->certificate, NULL, NULL },
    { "queue-for-etrn", 0, 0, G_OPTION_ARG_STRING, &options->queue_for_etrn, NULL, NULL },
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

  if (!reroute_ctl_parse (ctl, entries, argc, argv, 1, 1, error))
    return FALSE;
  options->hosts = hosts != NULL ? g_strjoinv (",", hosts) : NULL;
  /* As the dialog and CSV have it. */
  if (options->certificate != NULL)
    g_strstrip (options->certificate);
  if (options->hosts != NULL && options->dns)
    {
      g_set_error_literal (
        error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, _ ("--host and --dns exclude each other"));
      return FALSE;
    }
  if (options->by_turns && options->in_order)
    {
      g_set_error_literal (error,
                           G_OPTION_ERROR,
                           G_OPTION_ERROR_FAILED,
                           _ ("--by-turns and --in-order exclude each other"));
      return FALSE;
    }
  if (options->hosts == NULL && (options->mx || (options->by_turns && options->dns)))
    return refuse_without_hosts (error);
  return TRUE;
}

static gboolean
apply_options (const ConnectionsOptions *options, RerouteRowFields *fields, GError **error)
{
  if (options->account != NULL && options->account[0] != '\0' &&
      !reroute_account_check_name (options->account, error))
    {
      reroute_ctl_reword_account (error, options->account);
      return FALSE;
    }
  if (options->account != NULL)
    fields->account = options->account;
  if (options->certificate != NULL && options->certificate[0] != '\0' &&
      !reroute_file_name_check (options->certificate, error))
    {
      reroute_ctl_reword_file_name (error, options->certificate);
      return FALSE;
    }
  if (options->certificate != NULL)
    fields->certificate = options->certificate;
  if (!reroute_ctl_take_yes_no (
        "--queue-for-etrn", options->queue_for_etrn, &fields->queue_for_etrn, error))
    return FALSE;
  return reroute_ctl_row_options_apply (&options->row, fields, error) &&
         (options->tls == NULL ||
          reroute_tls_level_from_string (options->tls, &fields->tls, error));
}

/* Takes @email_domain. */
static gboolean
put_row (RerouteCtl *ctl,
         RerouteEmailDomain *email_domain,
         guint64 serial,
         const ConnectionsOptions *options,
         GError **error)
{
  if (!reroute_ctl_put_row (ctl, email_domain, serial, &options->row, error))
    return FALSE;
  if (options->certificate != NULL && options->certificate[0] != '\0')
    reroute_ctl_warn_of_certificate (ctl, options->certificate);
  return TRUE;
}

/* --mx makes every host one whose exchangers are looked up. */
static RerouteHosts *
parse_hosts (const ConnectionsOptions *options, const char *domain, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) names = g_strsplit_set (options->hosts, ",;", -1);
  RerouteHosts *hosts;

  for (gsize i = 0; names[i] != NULL; i++)
    {
      const char *name = g_strstrip (names[i]);

      g_string_append (text, i > 0 ? ";" : "");
      g_string_append (text, options->mx && !g_str_has_prefix (name, "mx:") ? "mx:" : "");
      g_string_append (text, name);
    }
  if (!reroute_hosts_check_typed (text->str, error))
    {
      reroute_ctl_reword_row (error, domain, text->str);
      return NULL;
    }
  hosts = reroute_hosts_parse (text->str, options->by_turns, error);
  reroute_ctl_reword_row (error, domain, options->hosts);
  return hosts;
}

gboolean
reroute_ctl_connections_list (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  return reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 1, error) &&
         reroute_ctl_list_rows (ctl, REROUTE_PAGE_CONNECTIONS, argc > 1 ? argv[1] : "", error);
}

gboolean
reroute_ctl_connections_add (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (ConnectionsOptions) options = { 0 };
  RerouteRowFields fields = { .enabled = TRUE };
  g_autoptr (RerouteHosts) hosts = NULL;
  g_autoptr (RerouteSettings) settings = NULL;
  g_autoptr (RerouteEmailDomain) email_domain = NULL;
  guint64 serial = 0;

  if (!parse_options (ctl, &options, &argc, &argv, error))
    return FALSE;
  if (options.hosts == NULL && !options.dns)
    {
      g_set_error_literal (error,
                           G_OPTION_ERROR,
                           G_OPTION_ERROR_FAILED,
                           _ ("say how the mail is delivered: --host=HOST[:PORT] or --dns"));
      return FALSE;
    }
  fields.domain = argv[1];
  if (!apply_options (&options, &fields, error))
    return FALSE;
  if (options.hosts != NULL)
    {
      hosts = parse_hosts (&options, argv[1], error);
      if (hosts == NULL)
        return FALSE;
    }
  email_domain = reroute_email_domain_new (&fields, hosts, error);
  if (email_domain == NULL)
    {
      reroute_ctl_reword_row (error, argv[1], NULL);
      return FALSE;
    }
  settings = reroute_ctl_load_settings (ctl, &serial, error);
  return settings != NULL &&
         put_row (ctl, g_steal_pointer (&email_domain), serial, &options, error);
}

/* The hosts of @row with what is said of them; what is not said stays.  @hosts: (out) (nullable) */
static gboolean
edit_hosts (ConnectionsOptions *options,
            const RerouteRow *row,
            const char *domain,
            RerouteHosts **hosts,
            GError **error)
{
  RerouteHosts *before = ((const RerouteEmailDomain *) row)->hosts;
  g_autofree char *text = NULL;

  if (before == NULL && options->by_turns && options->hosts == NULL)
    return refuse_without_hosts (error);
  options->by_turns |= before != NULL && before->by_turns && !options->in_order;
  *hosts = NULL;
  if (options->hosts != NULL)
    return (*hosts = parse_hosts (options, domain, error)) != NULL;
  if (options->dns || before == NULL)
    return TRUE;
  text = reroute_hosts_to_string (before);
  *hosts = reroute_hosts_parse (text, options->by_turns, error);
  return *hosts != NULL;
}

gboolean
reroute_ctl_connections_edit (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_auto (ConnectionsOptions) options = { 0 };
  g_autoptr (RerouteRow) row = NULL;
  g_autoptr (RerouteHosts) hosts = NULL;
  RerouteEmailDomain *email_domain;
  RerouteRowFields fields;
  guint64 serial = 0;

  if (!parse_options (ctl, &options, &argc, &argv, error))
    return FALSE;
  row = reroute_ctl_find_row (ctl, REROUTE_PAGE_CONNECTIONS, argv[1], &serial, error);
  if (row == NULL)
    return FALSE;
  fields = reroute_row_get_fields (row);
  if (!apply_options (&options, &fields, error) ||
      !edit_hosts (&options, row, argv[1], &hosts, error))
    return FALSE;
  email_domain = reroute_email_domain_new (&fields, hosts, error);
  return email_domain != NULL && put_row (ctl, email_domain, serial, &options, error);
}

gboolean
reroute_ctl_connections_remove (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  return reroute_ctl_parse (ctl, NULL, &argc, &argv, 1, 1, error) &&
         reroute_ctl_remove_row (ctl, REROUTE_PAGE_CONNECTIONS, argv[1], error);
}
