/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * https.c - HTTPS and files that are synced, beside the workers
 *
 * MTA-STS policies are fetched by it and TLS reports delivered.  The addresses of a host come from
 * the relay's own resolver: libsoup is given a host that knows them.  A session serves for one
 * request, so nothing is shared or kept between hosts.
 *
 * Standards: RFC 8461 section 3.3 (HTTPS policy fetching), RFC 8460 section 3 (reports by POST).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/https.h"

#include "common/limits.h"
#include "service/relay/deliver/https-host.h"
#include "service/relay/deliver/next-hop.h"
#include "service/relay/deliver/tls-trust.h"

#include <libsoup/soup.h>

#define FETCHES_MOST 32 /* at a time */

struct _RerouteHttps
{
  RerouteWorker *worker;
  RerouteSpool *spool;
  GMainContext *context;
  GThread *thread; /* NULL: nothing was to be done yet */

  /* of the thread alone */
  GCancellable *cancellable; /* of all that is on its way */
  GQueue waiting;            /* (element-type Fetch): more than may run */
  guint n_running;
  guint n_open; /* with those that wait */
  gboolean ending;
};

typedef struct
{
  RerouteHttps *thread;
  char *host;
  char *uri;
  GPtrArray *addresses; /* (element-type GSocketAddress) */
  guint16 port;
  GStrv trust;
  GBytes *body; /* NULL: a GET */
  char *body_type;
  gboolean any_certificate;
  RerouteHttpsFunc func;
  gpointer user_data;

  GPtrArray *databases; /* (element-type GTlsDatabase): of trust */
  SoupSession *session;
  SoupMessage *message;
  GInputStream *stream;
  GByteArray *text;
  GCancellable *cancellable;
  gulong cancelled_id; /* of the thread's cancellable */
  GSource *time_limit;
  gboolean timed_out;

  GBytes *answer; /* NULL: */
  char *why;
  gboolean bad_certificate;
} Fetch;

typedef struct
{
  RerouteHttps *thread;
  char *name;
  GBytes *octets;
} Save;

/* Runs @func there, behind what was given to it before; never here. */
static void
call (RerouteHttps *self, GSourceFunc func, gpointer user_data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, user_data, NULL);
  g_source_attach (source, self->context);
}

/* --- the answer --- */

static void
free_fetch (Fetch *fetch)
{
  g_free (fetch->host);
  g_free (fetch->uri);
  g_clear_pointer (&fetch->body, g_bytes_unref);
  g_free (fetch->body_type);
  g_ptr_array_unref (fetch->addresses);
  g_strfreev (fetch->trust);
  g_clear_pointer (&fetch->answer, g_bytes_unref);
  g_free (fetch->why);
  g_free (fetch);
}

static void
answer_on_worker (RerouteWorker *worker, gpointer user_data)
{
  Fetch *fetch = user_data;

  const RerouteHttpsTrouble trouble = { fetch->why, fetch->bad_certificate };

  fetch->func (fetch->answer, &trouble, fetch->user_data);
  free_fetch (fetch);
}

static gboolean begin_cb (gpointer user_data);

/* Hands @fetch over to the worker; takes @why, NULL: fetch->answer is set. */
static void
finish (Fetch *fetch, char *why)
{
  RerouteHttps *self = fetch->thread;

  if (fetch->time_limit != NULL)
    g_source_destroy (fetch->time_limit);
  g_clear_pointer (&fetch->time_limit, g_source_unref);
  g_clear_object (&fetch->stream);
  g_clear_object (&fetch->message);
  if (fetch->session != NULL)
    soup_session_abort (fetch->session);
  g_clear_object (&fetch->session);
  g_clear_pointer (&fetch->text, g_byte_array_unref);
  g_clear_pointer (&fetch->databases, g_ptr_array_unref);
  g_cancellable_disconnect (self->cancellable, fetch->cancelled_id);
  g_clear_object (&fetch->cancellable);
  fetch->why = why;
  self->n_running--;
  self->n_open--;
  if (self->waiting.length > 0)
    {
      self->n_running++;
      call (self, begin_cb, g_queue_pop_head (&self->waiting));
    }
  reroute_worker_post (self->worker, answer_on_worker, fetch);
}

static const char *
describe_certificate (GTlsCertificateFlags flags)
{
  if ((flags & G_TLS_CERTIFICATE_BAD_IDENTITY) != 0)
    return "it is for another name";
  if ((flags & G_TLS_CERTIFICATE_EXPIRED) != 0)
    return "it has expired";
  if ((flags & G_TLS_CERTIFICATE_NOT_ACTIVATED) != 0)
    return "it is not valid yet";
  if ((flags & G_TLS_CERTIFICATE_UNKNOWN_CA) != 0)
    return "its authority is not trusted";
  return "it is not valid";
}

static void
finish_with_error (Fetch *fetch, const GError *error)
{
  if (fetch->timed_out)
    finish (fetch, g_strdup_printf ("no answer within %d s", REROUTE_LIMIT_HTTPS_S));
  else if (g_error_matches (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE))
    {
      fetch->bad_certificate = TRUE;
      finish (fetch,
              g_strdup_printf ("its certificate is refused: %s",
                               describe_certificate (
                                 soup_message_get_tls_peer_certificate_errors (fetch->message))));
    }
  else
    finish (fetch, g_strdup (error->message));
}

/* --- reading --- */

static void read_more (Fetch *fetch);

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fetch *fetch = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) octets =
               g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, &error);

  if (octets == NULL)
    finish_with_error (fetch, error);
  else if (g_bytes_get_size (octets) == 0)
    {
      fetch->answer = g_byte_array_free_to_bytes (g_steal_pointer (&fetch->text));
      finish (fetch, NULL);
    }
  else if (fetch->text->len + g_bytes_get_size (octets) > REROUTE_LIMIT_HTTPS_ANSWER_OCTETS)
    finish (fetch, g_strdup ("its answer is too long"));
  else
    {
      g_byte_array_append (
        fetch->text, g_bytes_get_data (octets, NULL), (guint) g_bytes_get_size (octets));
      read_more (fetch);
    }
}

static void
read_more (Fetch *fetch)
{
  g_input_stream_read_bytes_async (fetch->stream,
                                   REROUTE_LIMIT_HTTPS_ANSWER_OCTETS,
                                   G_PRIORITY_DEFAULT,
                                   fetch->cancellable,
                                   read_cb,
                                   fetch);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fetch *fetch = user_data;
  g_autoptr (GError) error = NULL;
  guint status;
  const char *type;

  fetch->stream = soup_session_send_finish (fetch->session, result, &error);
  if (fetch->stream == NULL)
    {
      finish_with_error (fetch, error);
      return;
    }
  status = soup_message_get_status (fetch->message);
  type = soup_message_headers_get_content_type (soup_message_get_response_headers (fetch->message),
                                                NULL);
  if (fetch->body != NULL ? !SOUP_STATUS_IS_SUCCESSFUL (status) : status != SOUP_STATUS_OK)
    finish (fetch, g_strdup_printf ("it answers with status %u", status));
  else if (fetch->body != NULL)
    {
      fetch->answer = g_bytes_new_static ("", 0);
      finish (fetch, NULL);
    }
  else if (type == NULL || g_ascii_strcasecmp (type, "text/plain") != 0)
    finish (fetch, g_strdup ("its answer is not text/plain"));
  else
    {
      fetch->text = g_byte_array_new ();
      read_more (fetch);
    }
}

/* --- asking --- */

static gboolean
accept_certificate_cb (SoupMessage *message,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags errors,
                       gpointer user_data)
{
  Fetch *fetch = user_data;

  return fetch->any_certificate ||
         reroute_tls_trust_accepts (fetch->databases, certificate, fetch->host, fetch->port);
}

static void
make_session (Fetch *fetch)
{
  g_autoptr (GSocketConnectable) known =
               reroute_https_host_new (fetch->host, fetch->port, fetch->addresses);

  fetch->session = soup_session_new_with_options (
    "remote-connectable", known, "timeout", REROUTE_LIMIT_HTTPS_S, "max-conns", 1, NULL);
  soup_session_set_proxy_resolver (fetch->session, NULL);
  soup_session_remove_feature_by_type (fetch->session, SOUP_TYPE_CONTENT_DECODER);
  if (fetch->databases->len > 0)
    soup_session_set_tls_database (fetch->session, fetch->databases->pdata[0]);
}

static void
cancelled_cb (GCancellable *all, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

static gboolean
time_limit_cb (gpointer user_data)
{
  Fetch *fetch = user_data;

  fetch->timed_out = TRUE;
  g_cancellable_cancel (fetch->cancellable);
  return G_SOURCE_REMOVE;
}

static gboolean
begin_cb (gpointer user_data)
{
  Fetch *fetch = user_data;
  RerouteHttps *self = fetch->thread;
  g_autoptr (GError) error = NULL;

  fetch->cancellable = g_cancellable_new ();
  fetch->cancelled_id =
    g_cancellable_connect (self->cancellable, G_CALLBACK (cancelled_cb), fetch->cancellable, NULL);
  fetch->databases = reroute_tls_trust_open ((const char *const *) fetch->trust, &error);
  if (fetch->databases == NULL)
    {
      finish (fetch, g_strdup (error->message));
      return G_SOURCE_REMOVE;
    }
  make_session (fetch);
  fetch->message =
    soup_message_new (fetch->body != NULL ? SOUP_METHOD_POST : SOUP_METHOD_GET, fetch->uri);
  if (fetch->message == NULL)
    {
      finish (fetch, g_strdup ("its name makes no address"));
      return G_SOURCE_REMOVE;
    }
  soup_message_set_flags (fetch->message, SOUP_MESSAGE_NO_REDIRECT);
  if (fetch->body != NULL)
    soup_message_set_request_body_from_bytes (fetch->message, fetch->body_type, fetch->body);
  g_signal_connect (
    fetch->message, "accept-certificate", G_CALLBACK (accept_certificate_cb), fetch);
  fetch->time_limit = g_timeout_source_new_seconds (REROUTE_LIMIT_HTTPS_S);
  g_source_set_callback (fetch->time_limit, time_limit_cb, fetch, NULL);
  g_source_attach (fetch->time_limit, self->context);
  soup_session_send_async (
    fetch->session, fetch->message, G_PRIORITY_DEFAULT, fetch->cancellable, sent_cb, fetch);
  return G_SOURCE_REMOVE;
}

static gboolean
take_cb (gpointer user_data)
{
  Fetch *fetch = user_data;
  RerouteHttps *self = fetch->thread;

  self->n_open++;
  if (self->n_running == FETCHES_MOST)
    {
      g_queue_push_tail (&self->waiting, fetch);
      return G_SOURCE_REMOVE;
    }
  self->n_running++;
  return begin_cb (fetch);
}

/* --- the thread --- */

static gpointer
run (gpointer user_data)
{
  RerouteHttps *self = user_data;

  g_main_context_push_thread_default (self->context);
  while (!self->ending || self->n_open > 0)
    g_main_context_iteration (self->context, TRUE);
  /* What libsoup has still to let go. */
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* Has @func called there. */
static void
give (RerouteHttps *self, GSourceFunc func, gpointer user_data)
{
  if (self->thread == NULL)
    self->thread = g_thread_new ("https", run, self);
  call (self, func, user_data);
}

static gboolean
end_cb (gpointer user_data)
{
  RerouteHttps *self = user_data;

  self->ending = TRUE;
  g_cancellable_cancel (self->cancellable);
  return G_SOURCE_REMOVE;
}

RerouteHttps *
reroute_https_new (RerouteWorker *worker, RerouteSpool *spool)
{
  g_return_val_if_fail (worker != NULL && spool != NULL, NULL);

  RerouteHttps *self = g_new0 (RerouteHttps, 1);

  self->worker = worker;
  self->spool = spool;
  self->context = g_main_context_new ();
  self->cancellable = g_cancellable_new ();
  g_queue_init (&self->waiting);
  return self;
}

void
reroute_https_free (RerouteHttps *self)
{
  g_return_if_fail (self != NULL);

  if (self->thread != NULL)
    {
      call (self, end_cb, self);
      g_thread_join (self->thread);
    }
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
  g_free (self);
}

/* --- public --- */

/* Why strangers may not have us talk to it; NULL: they may. */
static const char *
get_objection (const RerouteIp *ip, const RerouteSettings *settings, gboolean loopback)
{
  if (reroute_ip_is_unspecified (ip) || (!loopback && reroute_ip_is_loopback (ip)))
    return "this machine itself";
  if (reroute_address_is_forbidden (ip, settings))
    return "a private address that the setting private-targets does not name";
  return NULL;
}

GArray *
reroute_https_choose_addresses (const RerouteDnsAnswer *answer,
                                const char *host,
                                const RerouteSettings *settings,
                                gboolean loopback,
                                const char **why)
{
  g_return_val_if_fail (answer != NULL && host != NULL && why != NULL, NULL);

  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (RerouteIp));
  guint n = answer->addresses != NULL ? answer->addresses->len : 0;
  gboolean refused = FALSE;

  for (guint i = 0; i < n && chosen->len < REROUTE_LIMIT_ADDRESSES_PER_TRY; i++)
    {
      const RerouteIp *ip = &g_array_index (answer->addresses, RerouteIp, i);
      const char *objection = get_objection (ip, settings, loopback);
      char text[REROUTE_IP_TEXT_OCTETS];

      if (objection == NULL)
        g_array_append_val (chosen, *ip);
      else if (!refused)
        g_message (
          "“%s” leads to %s, %s: not connected to", host, reroute_ip_format (ip, text), objection);
      refused |= objection != NULL;
    }
  if (answer->status == REROUTE_DNS_FAILED)
    *why = answer->reason;
  else
    *why = refused ? "the host leads to private addresses alone" : "the host has no address";
  return chosen;
}

static GPtrArray *
list_addresses (const RerouteHttpsRequest *request)
{
  GPtrArray *addresses = g_ptr_array_new_with_free_func (g_object_unref);

  for (gsize i = 0; i < request->n_addresses; i++)
    {
      g_autofree char *text = reroute_ip_to_string (&request->addresses[i]);

      g_ptr_array_add (addresses, g_inet_socket_address_new_from_string (text, request->port));
    }
  return addresses;
}

void
reroute_https_send (RerouteHttps *self,
                    const RerouteHttpsRequest *request,
                    RerouteHttpsFunc func,
                    gpointer user_data)
{
  g_return_if_fail (self != NULL && request != NULL && func != NULL);

  Fetch *fetch = g_new0 (Fetch, 1);

  fetch->thread = self;
  fetch->host = g_strdup (request->host);
  fetch->uri = g_strdup_printf ("https://%s:%u%s", request->host, request->port, request->path);
  fetch->addresses = list_addresses (request);
  fetch->port = request->port;
  fetch->trust = g_strdupv ((char **) request->trust);
  fetch->body = request->body != NULL ? g_bytes_ref (request->body) : NULL;
  fetch->body_type = g_strdup (request->body_type);
  fetch->any_certificate = request->any_certificate;
  fetch->func = func;
  fetch->user_data = user_data;
  give (self, take_cb, fetch);
}

static gboolean
save_cb (gpointer user_data)
{
  g_autofree Save *save = user_data;
  g_autofree char *name = save->name;
  g_autoptr (GBytes) octets = save->octets;
  g_autoptr (GError) error = NULL;

  if (!reroute_spool_write_file (save->thread->spool, name, octets, &error))
    g_warning ("cannot keep the file “%s”: %s", name, error->message);
  return G_SOURCE_REMOVE;
}

void
reroute_https_save (RerouteHttps *self, const char *name, GBytes *octets)
{
  g_return_if_fail (self != NULL && name != NULL && octets != NULL);

  Save *save = g_new (Save, 1);

  *save = (Save){ self, g_strdup (name), g_bytes_ref (octets) };
  give (self, save_cb, save);
}
