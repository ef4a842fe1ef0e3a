/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * monitor-door.c - lets those in who watch the relay over HTTP
 *
 * A browser on this machine may be led here by a name that a stranger's DNS points at 127.0.0.1
 * (DNS rebinding): the header Host has to name the machine itself.  Content of a request is read
 * and dropped.
 *
 * Standards: RFC 9110 sections 7.2 (Host), 9.1, 15.5.4, 15.5.6.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/monitor-door.h"

#include "service/relay/receive/listener.h"

#include <string.h>

struct _RerouteMonitorDoor
{
  const char *setting;
  GStrv endpoints; /* as wanted */
  GPtrArray *open; /* (element-type utf8): of them, where it listens */
  SoupServer *server;
  GSocketService *service; /* NULL: nobody is served */
  GList *guests;           /* (element-type Guest) */
};

/* A connection. */
typedef struct
{
  RerouteMonitorDoor *door;
  GSocketConnection *connection; /* not a reference: it tells when it goes */
  guint timeout_id;
} Guest;

typedef struct
{
  const char *path;
  RerouteMonitorPageFunc answer;
  gpointer user_data;
} Page;

/* --- connections --- */

static void
forget_guest (Guest *guest)
{
  g_clear_handle_id (&guest->timeout_id, g_source_remove);
  guest->door->guests = g_list_remove (guest->door->guests, guest);
  g_free (guest);
}

static void
left_cb (gpointer data, GObject *connection)
{
  forget_guest (data);
}

/* The server sees the end of its input, and lets go of it. */
static gboolean
too_long_cb (gpointer user_data)
{
  Guest *guest = user_data;

  guest->timeout_id = 0;
  g_socket_shutdown (g_socket_connection_get_socket (guest->connection), TRUE, TRUE, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
incoming_cb (GSocketService *service,
             GSocketConnection *connection,
             GObject *source,
             gpointer user_data)
{
  RerouteMonitorDoor *self = user_data;
  g_autoptr (GSocketAddress) local = g_socket_connection_get_local_address (connection, NULL);
  g_autoptr (GSocketAddress) remote = g_socket_connection_get_remote_address (connection, NULL);
  g_autoptr (GError) error = NULL;

  if (g_list_length (self->guests) >= REROUTE_MONITOR_CONNECTIONS_MOST)
    {
      g_debug ("%s: a connection too many is closed", self->setting);
      return TRUE;
    }
  Guest *guest = g_new0 (Guest, 1);
  guest->door = self;
  guest->connection = connection;
  guest->timeout_id = g_timeout_add_seconds (REROUTE_MONITOR_CONNECTION_S, too_long_cb, guest);
  self->guests = g_list_prepend (self->guests, guest);
  g_object_weak_ref (G_OBJECT (connection), left_cb, guest);
  if (!soup_server_accept_iostream (self->server, G_IO_STREAM (connection), local, remote, &error))
    g_debug ("%s: %s", self->setting, error->message);
  return TRUE;
}

/* --- requests --- */

/* Whether the header Host, an address or name with or without a port, is this machine itself. */
static gboolean
is_meant (const char *host)
{
  g_autofree char *name = NULL;
  RerouteIp ip;

  if (host[0] == '[')
    name = g_strndup (host + 1, strcspn (host + 1, "]"));
  else
    name = g_strndup (host, strcspn (host, ":"));
  return g_ascii_strcasecmp (name, "localhost") == 0 ||
         (reroute_ip_parse (name, &ip) && reroute_ip_is_loopback (&ip));
}

/* Whether the page is to answer; else the answer is there. */
static gboolean
judge (SoupServerMessage *message)
{
  const char *method = soup_server_message_get_method (message);
  const char *host =
    soup_message_headers_get_one (soup_server_message_get_request_headers (message), "Host");
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  if (host != NULL && !is_meant (host))
    soup_server_message_set_status (message, SOUP_STATUS_FORBIDDEN, NULL);
  else if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
    {
      soup_message_headers_replace (headers, "Allow", "GET, HEAD");
      soup_server_message_set_status (message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
    }
  else
    return TRUE;
  soup_message_headers_replace (headers, "Connection", "close");
  return FALSE;
}

static void
page_cb (SoupServer *server,
         SoupServerMessage *message,
         const char *path,
         GHashTable *query,
         gpointer user_data)
{
  const Page *page = user_data;

  if (!judge (message))
    return;
  /* A handler is asked for all that lies below its path, too. */
  if (g_str_equal (path, page->path))
    page->answer (message, page->user_data);
  else
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
}

static void
nowhere_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  if (judge (message))
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
}

static void
request_started_cb (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
}

/* --- for the owner --- */

RerouteMonitorDoor *
reroute_monitor_door_new (const char *setting)
{
  g_return_val_if_fail (setting != NULL, NULL);

  RerouteMonitorDoor *self = g_new0 (RerouteMonitorDoor, 1);
  self->setting = setting;
  self->endpoints = g_new0 (char *, 1);
  self->open = g_ptr_array_new_with_free_func (g_free);
  self->server = soup_server_new ("server-header", "reroute", NULL);
  soup_server_add_handler (self->server, NULL, nowhere_cb, NULL, NULL);
  g_signal_connect (self->server, "request-started", G_CALLBACK (request_started_cb), NULL);
  return self;
}

static void
shut (RerouteMonitorDoor *self)
{
  g_ptr_array_set_size (self->open, 0);
  if (self->service == NULL)
    return;
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_clear_object (&self->service);
  soup_server_disconnect (self->server);
  while (self->guests != NULL) /* those that outlive the server */
    {
      Guest *guest = self->guests->data;

      g_object_weak_unref (G_OBJECT (guest->connection), left_cb, guest);
      forget_guest (guest);
    }
}

void
reroute_monitor_door_free (RerouteMonitorDoor *self)
{
  g_return_if_fail (self != NULL);

  shut (self);
  g_object_unref (self->server);
  g_ptr_array_unref (self->open);
  g_strfreev (self->endpoints);
  g_free (self);
}

void
reroute_monitor_door_add_page (RerouteMonitorDoor *self,
                               const char *path,
                               RerouteMonitorPageFunc answer,
                               gpointer user_data)
{
  g_return_if_fail (self != NULL && path != NULL && answer != NULL);

  Page *page = g_new (Page, 1);
  *page = (Page){ path, answer, user_data };
  soup_server_add_handler (self->server, path, page_cb, page, g_free);
}

static void
open_one (RerouteMonitorDoor *self, const char *endpoint)
{
  RerouteIp ip;
  guint16 port;
  g_autoptr (GError) error = NULL;

  if (!reroute_endpoint_parse (endpoint, &ip, &port, &error) || !reroute_ip_is_loopback (&ip))
    {
      g_warning ("setting “%s”: “%s” is not a loopback address", self->setting, endpoint);
      return;
    }
  g_autofree char *text = reroute_ip_to_string (&ip);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (text, port);
  if (g_socket_listener_add_address (G_SOCKET_LISTENER (self->service),
                                     address,
                                     G_SOCKET_TYPE_STREAM,
                                     G_SOCKET_PROTOCOL_TCP,
                                     NULL,
                                     NULL,
                                     &error))
    g_ptr_array_add (self->open, g_strdup (endpoint));
  else
    g_warning (
      "cannot listen on %s: %s; see the setting “%s”", endpoint, error->message, self->setting);
}

void
reroute_monitor_door_set_endpoints (RerouteMonitorDoor *self, const char *const *endpoints)
{
  g_return_if_fail (self != NULL && endpoints != NULL);

  if (g_strv_equal ((const char *const *) self->endpoints, endpoints))
    return;
  g_strfreev (self->endpoints);
  self->endpoints = g_strdupv ((char **) endpoints);
  shut (self);
}

void
reroute_monitor_door_listen (RerouteMonitorDoor *self)
{
  g_return_if_fail (self != NULL);

  if (self->service == NULL && self->endpoints[0] != NULL)
    {
      self->service = g_socket_service_new ();
      g_signal_connect (self->service, "incoming", G_CALLBACK (incoming_cb), self);
    }
  for (gsize i = 0; self->endpoints[i] != NULL; i++)
    if (!g_ptr_array_find_with_equal_func (self->open, self->endpoints[i], g_str_equal, NULL))
      open_one (self, self->endpoints[i]);
}

const GPtrArray *
reroute_monitor_door_get_open (const RerouteMonitorDoor *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->open;
}
