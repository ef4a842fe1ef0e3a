/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * supervision.c - the relay before its service manager
 */

#include "config.h"

#include "service/relay/supervision.h"

#include "service/relay/receive/handed-socket.h"
#include "service/supervisor.h"

void
reroute_supervision_report (const GPtrArray *listeners, RerouteRuleset *ruleset)
{
  g_return_if_fail (listeners != NULL);

  g_autofree char *labels = reroute_listeners_dup_labels (listeners);
  g_autofree char *serial = ruleset != NULL
                              ? g_strdup_printf ("rules of generation %" G_GUINT64_FORMAT,
                                                 reroute_ruleset_get_serial (ruleset))
                              : g_strdup ("no rules yet");
  g_autofree char *status = g_strdup_printf ("Receiving on %s; %s", labels, serial);

  reroute_supervisor_notify_status (status);
}

gboolean
reroute_supervision_take_sockets (GPtrArray *sockets, GError **error)
{
  g_return_val_if_fail (sockets != NULL, FALSE);

  g_autoptr (GPtrArray) descriptors = reroute_supervisor_take_descriptors ();

  for (guint i = 0; i < descriptors->len; i++)
    {
      const RerouteHandedDescriptor *descriptor = descriptors->pdata[i];
      RerouteHandedSocket *socket =
        reroute_handed_socket_new (descriptor->fd, descriptor->name, error);

      if (socket == NULL)
        return FALSE;
      g_ptr_array_add (sockets, socket);
    }
  return TRUE;
}
