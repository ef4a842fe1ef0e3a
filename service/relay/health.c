/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * health.c - tells over HTTP whether rules are held and the spool takes mail
 *
 * For a supervisor on this machine: loopback only, off by default (setting health-listen).
 */

#include "config.h"

#include "service/relay/health.h"

#include "common/error.h"

#include <libsoup/soup.h>

struct _RerouteHealth
{
  const RerouteRelayParts *parts;
  GStrv endpoints;
  SoupServer *server; /* NULL: off */
};

static void
healthz_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  const RerouteRelayParts *parts = ((RerouteHealth *) user_data)->parts;
  const char *method = soup_server_message_get_method (message);
  RerouteSpoolFigures figures;
  gboolean rules = parts->ruleset != NULL;

  if (!g_str_equal (path, "/healthz"))
    {
      soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
      return;
    }
  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
    {
      soup_server_message_set_status (message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
      return;
    }
  reroute_spool_get_figures (parts->spool, &figures);

  g_autofree char *body = g_strdup_printf ("{\"rules\": %s, \"spool\": %s}\n",
                                           rules ? "true" : "false",
                                           figures.writable ? "true" : "false");
  gboolean well = rules && figures.writable;
  soup_server_message_set_status (
    message, well ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE, NULL);
  soup_server_message_set_response (
    message, "application/json", SOUP_MEMORY_COPY, body, strlen (body));
}

RerouteHealth *
reroute_health_new (const RerouteRelayParts *parts)
{
  g_return_val_if_fail (parts != NULL, NULL);

  RerouteHealth *self = g_new0 (RerouteHealth, 1);
  self->parts = parts;
  self->endpoints = g_new0 (char *, 1);
  return self;
}

static void
switch_off (RerouteHealth *self)
{
  if (self->server != NULL)
    soup_server_disconnect (self->server);
  g_clear_object (&self->server);
}

void
reroute_health_free (RerouteHealth *self)
{
  g_return_if_fail (self != NULL);

  switch_off (self);
  g_strfreev (self->endpoints);
  g_free (self);
}

static gboolean
listen_on (RerouteHealth *self, const char *endpoint, GError **error)
{
  RerouteIp ip;
  guint16 port;

  if (!reroute_endpoint_parse (endpoint, &ip, &port, error))
    return FALSE;
  if (!reroute_ip_is_loopback (&ip))
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_VALUE,
                   "setting “health-listen”: “%s” is not a loopback address",
                   endpoint);
      return FALSE;
    }

  g_autoptr (GError) local_error = NULL;
  g_autofree char *text = reroute_ip_to_string (&ip);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (text, port);
  if (soup_server_listen (self->server, address, 0, &local_error))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_UNAVAILABLE,
               "cannot tell the health on %s: %s; see the setting “health-listen”",
               endpoint,
               local_error->message);
  return FALSE;
}

gboolean
reroute_health_set_endpoints (RerouteHealth *self, const char *const *endpoints, GError **error)
{
  g_return_val_if_fail (self != NULL && endpoints != NULL, FALSE);

  g_autoptr (GError) first_error = NULL;

  if (g_strv_equal ((const char *const *) self->endpoints, endpoints))
    return TRUE;
  g_strfreev (self->endpoints);
  self->endpoints = g_strdupv ((char **) endpoints);
  switch_off (self);
  if (endpoints[0] == NULL)
    return TRUE;

  self->server = soup_server_new ("server-header", "reroute", NULL);
  soup_server_add_handler (self->server, "/healthz", healthz_cb, self, NULL);
  for (gsize i = 0; endpoints[i] != NULL; i++)
    listen_on (self, endpoints[i], first_error == NULL ? &first_error : NULL);
  if (first_error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first_error));
  return FALSE;
}
