/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * check.c - reroutectl check: what is wrong with the saved rules
 */

#include "config.h"

#include "service/ctl/edit.h"

#include "common/error.h"

#include <glib/gi18n.h>

/* What the relay says of the certificates that the saved rules name.  One that is away says
   nothing. */
static void
add_certificates (RerouteCtl *ctl, GPtrArray *findings)
{
  g_autoptr (GVariant) status = reroute_ctl_load_relay_status (ctl, NULL);
  const char *failure = "";

  if (status != NULL)
    g_variant_lookup (status, "tls-failure", "&s", &failure);
  if (*failure != '\0')
    g_ptr_array_add (findings, reroute_finding_new_certificate (failure));
}

gboolean
reroute_ctl_check (RerouteCtl *ctl, int argc, char **argv, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) findings = NULL;
  guint n_errors = 0;

  if (!reroute_ctl_parse (ctl, NULL, &argc, &argv, 0, 0, error))
    return FALSE;
  reroute_rules_client_check_async (ctl->rules, NULL, NULL, reroute_ctl_wait_cb, &result);
  findings = reroute_rules_client_check_finish (ctl->rules, reroute_ctl_wait (&result), error);
  if (findings == NULL)
    return FALSE;
  add_certificates (ctl, findings);

  for (guint i = 0; i < findings->len; i++)
    n_errors += ((RerouteFinding *) findings->pdata[i])->level == REROUTE_FINDING_ERROR;
  if (ctl->json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      reroute_ctl_findings_to_json (findings, builder);
      reroute_ctl_print_json (builder);
    }
  else
    {
      reroute_ctl_print_findings (findings);
      if (findings->len == 0)
        g_print ("%s\n", _ ("nothing to say about the rules"));
    }
  if (n_errors > 0)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_FINDINGS,
                 ngettext ("%'u of the findings is an error: correct it",
                           "%'u of the findings are errors: correct them",
                           n_errors),
                 n_errors);
  return n_errors == 0;
}
