/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pool.c - the outgoing connections of one worker
 *
 * A delivery goes through its endpoints in order until one takes it: an idle connection to it is
 * used again, else a new one is opened.  A message whose end was sent is never tried at another
 * host in the same try: it may have arrived.
 *
 * Where TLS is only an opportunity and the handshake fails, the endpoint is asked again in clear
 * text at once, and where it is lost over its first BDAT, by DATA.  A connection is used again by
 * mail that demands the same of it.
 *
 * A lease stands for one connection, be it busy or idle.  An idle one that is of no use to the mail
 * that comes next makes room: it ends before another to the same endpoint begins, or to any when
 * all connections are out.  A lease is of a delivery's first endpoint: a connection to another one
 * does not stay.
 *
 * Standards: RFC 5321 sections 3.8, 5.1; RFC 8689 section 4.2.1.
 */

#include "config.h"

#include "service/relay/deliver/delivery.h"

#include <string.h>

#include "common/limits.h"
#include "service/relay/deliver/connection.h"
#include "service/relay/deliver/dane.h"
#include "service/relay/deliver/host-lack.h"

struct _ReroutePool
{
  RerouteWorker *worker;
  RerouteSpool *spool;
  char *hostname;
  ReroutePoolFunc done;
  gpointer user_data;
  RerouteTlsClient *tls;
  char *tls_trust;     /* the setting that it was made from */
  GPtrArray *sessions; /* (element-type Session) */
  int *n_connections;  /* atomic: those of all pools; borrowed */
  gboolean draining;
  RerouteTimer grace;
};

/* A delivery on its way through its endpoints. */
typedef struct
{
  RerouteDelivery *delivery;
  RerouteRuleset *ruleset;
  guint index;           /* of the endpoint that is tried */
  gboolean in_clear;     /* TLS has failed there */
  gboolean by_data;      /* BDAT has failed there */
  gboolean has_room;     /* a connection there has ended for it */
  const char *unsuited;  /* the status for: a host was reached that lacks what the message needs */
  RerouteReply *failure; /* of the endpoint that failed last */
  RerouteSmtpTransaction transaction;
} Try;

/* A connection of the pool. */
typedef struct
{
  ReroutePool *pool;
  RerouteConnection *connection;
  Try *try;                    /* NULL: idle, or saying QUIT */
  Try *successor;              /* (nullable): goes on when this has ended */
  RerouteTlsLevel tls_level;   /* of the mail that it was made for */
  gboolean requires_tls;       /* that mail */
  const RerouteTlsClient *tls; /* the connection's */
  char *account;               /* (nullable): that it has logged in to */
  gboolean by_data;            /* the host was lost over BDAT */
  gboolean reused;             /* the transaction began on a connection that had been idle */
  gboolean quitting;
  guint n_messages;
  RerouteTimer idle;
} Session;

static void try_endpoint (ReroutePool *self, Try *try);

static const char *
get_hostname (const ReroutePool *self, const RerouteRuleset *ruleset)
{
  const char *text =
    reroute_settings_get_text (reroute_ruleset_get_settings (ruleset), REROUTE_SETTING_HOSTNAME);

  return text[0] != '\0' ? text : self->hostname;
}

/* Gives the delivery back; frees @try. */
static void
finish (ReroutePool *self, Try *try)
{
  RerouteDelivery *delivery = try->delivery;

  reroute_ruleset_unref (try->ruleset);
  g_clear_pointer (&try->failure, reroute_reply_free);
  g_free (try);
  self->done (delivery, self->user_data);
}

static void
finish_with (ReroutePool *self, Try *try, const RerouteReply *reply)
{
  for (guint i = 0; i < try->delivery->n_recipients; i++)
    try->delivery->replies[i] = reroute_reply_copy (reply);
  finish (self, try);
}

static void
session_free (Session *session)
{
  reroute_worker_disarm_timer (session->pool->worker, &session->idle);
  reroute_connection_free (session->connection);
  g_ptr_array_remove_fast (session->pool->sessions, session);
  g_atomic_int_add (session->pool->n_connections, -1);
  g_free (session->account);
  g_free (session);
}

static void
session_quit (Session *session)
{
  session->quitting = TRUE;
  reroute_worker_disarm_timer (session->pool->worker, &session->idle);
  reroute_connection_quit (session->connection);
}

static void
idle_too_long (RerouteTimer *timer)
{
  session_quit ((Session *) ((char *) timer - G_STRUCT_OFFSET (Session, idle)));
}

static gboolean
is_idle (const Session *session)
{
  return session->try == NULL && !session->quitting;
}

static void
session_rest (Session *session)
{
  ReroutePool *self = session->pool;

  session->reused = TRUE;
  reroute_worker_arm_timer (self->worker,
                            &session->idle,
                            reroute_worker_now_us (self->worker) +
                              REROUTE_LIMIT_CONNECTION_IDLE_S * G_USEC_PER_SEC);
}

/* @try is done with it: it rests, or ends. */
static void
let_go (Session *session, const Try *try)
{
  RerouteSmtpClient *machine = reroute_connection_get_machine (session->connection);
  gint64 most = reroute_settings_get_number (reroute_ruleset_get_settings (try->ruleset),
                                             REROUTE_SETTING_MAX_MESSAGES_PER_CONNECTION);

  session->try = NULL;
  if (session->pool->draining || try->index > 0 || session->n_messages >= most ||
      !reroute_smtp_client_is_reusable (machine))
    session_quit (session);
  else
    session_rest (session);
}

static void
note_failure (Try *try, const RerouteReply *reply)
{
  g_clear_pointer (&try->failure, reroute_reply_free);
  try->failure = reroute_reply_copy (reply);
}

static void
next_endpoint (Try *try)
{
  try->index++;
  try->in_clear = try->by_data = try->has_room = FALSE;
}

/* It cannot have this message: @status is for the refusal when no other can. */
static void
pass_over (Try *try, const char *status)
{
  try->unsuited = status;
  next_endpoint (try);
}

/* --- a transaction on a connection --- */

static void
begin_transaction (Session *session)
{
  ReroutePool *self = session->pool;
  Try *try = session->try;
  RerouteDelivery *delivery = try->delivery;
  const RerouteEnvelope *envelope = delivery->message->envelope;
  const char *lack = reroute_host_find_lack (session->connection, delivery);
  RerouteSettings *settings = reroute_ruleset_get_settings (try->ruleset);

  session->by_data |= try->by_data;
  reroute_delivery_note_relay (delivery, session->connection);
  if (lack != NULL)
    {
      let_go (session, try);
      pass_over (try, lack);
      try_endpoint (self, try);
      return;
    }
  try->transaction = (RerouteSmtpTransaction){
    .reverse_path = reroute_delivery_get_reverse_path (delivery),
    .body_8bitmime = envelope->body_8bitmime,
    .smtputf8 = reroute_delivery_needs_smtputf8 (delivery),
    .requiretls = reroute_delivery_requires_tls (
      delivery, reroute_connection_get_endpoint (session->connection)),
    .content_octets = delivery->message->content_octets,
    .envelope = envelope,
    .chunks =
      !session->by_data && reroute_settings_get_boolean (settings, REROUTE_SETTING_CHUNKING),
  };
  reroute_delivery_name_recipients (delivery, &try->transaction);
  reroute_worker_disarm_timer (self->worker, &session->idle);
  session->n_messages++;
  reroute_connection_send (
    session->connection, self->spool, delivery->message, &try->transaction, settings);
}

static void
connection_ready (RerouteConnection *connection, gpointer user_data)
{
  Session *session = user_data;

  reroute_delivery_note_tls (session->try->delivery, session->try->index, connection);
  begin_transaction (session);
}

static void
connection_done (RerouteConnection *connection, gpointer user_data)
{
  Session *session = user_data;
  ReroutePool *self = session->pool;
  Try *try = session->try;
  RerouteDelivery *delivery = try->delivery;
  RerouteSmtpClient *machine = reroute_connection_get_machine (connection);

  /* What a host puts off before it has seen the content another may take now. */
  if (!self->draining && !reroute_connection_has_sent_content (connection) &&
      try->index + 1 < delivery->endpoints->len && reroute_delivery_is_put_off (delivery, machine))
    {
      note_failure (try, reroute_smtp_client_get_recipient_reply (machine, 0));
      let_go (session, try);
      next_endpoint (try);
      try_endpoint (self, try);
      return;
    }
  reroute_delivery_note_replies (delivery, machine, NULL);
  delivery->answered = (int) try->index;
  delivery->offers_dsn = reroute_smtp_client_offers_dsn (machine);
  let_go (session, try);
  finish (self, try);
}

/* It has ended, and nothing was under way on it. */
static void
session_ended (Session *session)
{
  ReroutePool *self = session->pool;
  Try *successor = session->successor;

  session_free (session);
  if (successor != NULL)
    try_endpoint (self, successor);
}

static void
connection_failed (RerouteConnection *connection, const RerouteReply *reply, gpointer user_data)
{
  Session *session = user_data;
  ReroutePool *self = session->pool;
  Try *try = session->try;
  RerouteSmtpClient *machine = reroute_connection_get_machine (connection);
  gboolean reused = session->reused;
  gboolean only_tls_failed = reroute_connection_may_go_in_clear (connection, session->tls_level);
  gboolean lacks_tls = session->requires_tls && reroute_connection_has_failed_tls (connection);
  gboolean may_have_delivered = reroute_smtp_client_may_have_delivered (machine);
  gboolean has_tripped = reroute_smtp_client_has_tripped (machine);
  gboolean is_denial = reroute_connection_was_denied (connection);
  gboolean was_ready = reroute_connection_was_ready (connection);
  gboolean failed_here = reroute_connection_failed_here (connection);
  g_autoptr (RerouteReply) soft = reroute_delivery_soften (reply);

  if (try == NULL)
    {
      session_ended (session);
      return;
    }
  if (session->n_messages == 0)
    reroute_delivery_note_tls (try->delivery, try->index, connection);
  reroute_delivery_note_relay (try->delivery, connection);
  if (may_have_delivered)
    reroute_delivery_note_replies (try->delivery, machine, soft);
  session_free (session);
  if (may_have_delivered)
    {
      finish (self, try);
      return;
    }
  /* What failed here says nothing about the host; before the session it may be another thing with
     an endpoint of the other family. */
  if (self->draining || (failed_here && was_ready))
    {
      finish_with (self, try, soft);
      return;
    }
  /* The host may have closed while we rested: that says nothing about it.  Ask it afresh. */
  if (only_tls_failed)
    try->in_clear = TRUE;
  else if (lacks_tls)
    pass_over (try, REROUTE_HOST_LACKS_TLS);
  else if (has_tripped)
    try->by_data = TRUE;
  else if (!reused)
    {
      note_failure (try, soft);
      if (!failed_here)
        reroute_delivery_note_failure (try->delivery, try->index, soft, is_denial, was_ready);
      next_endpoint (try);
    }
  try_endpoint (self, try);
}

static const RerouteConnectionHandler connection_handler = {
  connection_ready,
  connection_done,
  connection_failed,
};

/* --- endpoints --- */

static void
finish_without_host (ReroutePool *self, Try *try)
{
  /* A host that did not answer may have what the others lack. */
  gboolean lacks_extension = try->failure == NULL;
  g_autoptr (RerouteReply) reply = lacks_extension ? reroute_host_make_refusal (try->unsuited)
                                                   : g_steal_pointer (&try->failure);

  try->delivery->destination_failed = !g_ptr_array_find (try->delivery->failures, NULL, NULL);
  try->delivery->lacks_extension = lacks_extension;
  finish_with (self, try, reply);
}

static RerouteTlsClient *
get_tls (ReroutePool *self, const RerouteSettings *settings)
{
  return reroute_tls_client_renew (&self->tls, &self->tls_trust, settings);
}

/* Whether what the connection has proved is what this mail demands. */
static gboolean
is_as_safe (const Session *session, const RerouteEndpoint *endpoint, const Try *try)
{
  const RerouteEndpoint *other = reroute_connection_get_endpoint (session->connection);

  if (session->tls_level != reroute_delivery_get_level (try->delivery, endpoint) ||
      session->requires_tls != reroute_delivery_requires_tls (try->delivery, endpoint) ||
      g_strcmp0 (session->account, try->delivery->account) != 0 ||
      !reroute_connection_shows (session->connection, try->delivery->certificate) ||
      !reroute_dane_equal (other->tlsa, endpoint->tlsa) ||
      reroute_endpoint_is_enforced (other) != reroute_endpoint_is_enforced (endpoint))
    return FALSE;
  return !reroute_endpoint_is_judged (endpoint, session->tls_level) ||
         (session->tls == get_tls (session->pool, reroute_ruleset_get_settings (try->ruleset)) &&
          g_str_equal (other->name, endpoint->name) &&
          g_strcmp0 (other->tlsa_name, endpoint->tlsa_name) == 0 &&
          g_strcmp0 (other->domain, endpoint->domain) == 0);
}

/* An idle one, to @endpoint unless that is NULL.  With @try: of those that it can have the last
   that worked, so that the others may end; without: who rests longest. */
static Session *
find_idle (ReroutePool *self, const RerouteEndpoint *endpoint, const Try *try)
{
  Session *found = NULL;

  for (guint i = 0; i < self->sessions->len; i++)
    {
      Session *session = self->sessions->pdata[i];
      const RerouteEndpoint *other = reroute_connection_get_endpoint (session->connection);

      if (is_idle (session) &&
          (found == NULL || (session->idle.due_us > found->idle.due_us) == (try != NULL)) &&
          (endpoint == NULL || reroute_endpoint_is_same (other, endpoint)) &&
          (try == NULL || is_as_safe (session, endpoint, try)))
        found = session;
    }
  return found;
}

/* What has to end before another connection to the endpoint begins; (nullable) */
static Session *
find_in_the_way (ReroutePool *self, const RerouteEndpoint *endpoint, const Try *try)
{
  Session *session = try->has_room ? NULL : find_idle (self, endpoint, NULL);
  gint64 most = reroute_settings_get_number (reroute_ruleset_get_settings (try->ruleset),
                                             REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS);

  return session == NULL && g_atomic_int_get (self->n_connections) >= most
           ? find_idle (self, NULL, NULL)
           : session;
}

static void
connect_to (ReroutePool *self, Try *try, const RerouteEndpoint *endpoint)
{
  RerouteSettings *settings = reroute_ruleset_get_settings (try->ruleset);
  const RerouteConnectionConfig config = {
    .endpoint = endpoint,
    .settings = settings,
    .hostname = get_hostname (self, try->ruleset),
    .tls = get_tls (self, settings),
    .tls_level =
      try->in_clear ? REROUTE_TLS_NONE : reroute_delivery_get_level (try->delivery, endpoint),
    .requires_tls = reroute_delivery_requires_tls (try->delivery, endpoint),
    .certificate = try->delivery->certificate,
    .secret = try->delivery->secret,
    .tokens = try->delivery->tokens,
  };
  Session *session = g_new0 (Session, 1);

  session->pool = self;
  session->try = try;
  session->tls_level = reroute_delivery_get_level (try->delivery, endpoint);
  session->requires_tls = config.requires_tls;
  session->tls = config.tls;
  session->account = g_strdup (try->delivery->account);
  session->idle.func = idle_too_long;
  g_ptr_array_add (self->sessions, session);
  g_atomic_int_inc (self->n_connections);
  session->connection =
    reroute_connection_new (self->worker, &config, &connection_handler, session);
}

static void
try_endpoint (ReroutePool *self, Try *try)
{
  const RerouteEndpoint *endpoint;
  Session *session;

  if (try->index == try->delivery->endpoints->len)
    {
      finish_without_host (self, try);
      return;
    }
  endpoint = &g_array_index (try->delivery->endpoints, RerouteEndpoint, try->index);
  if (reroute_host_is_doubtful (endpoint, try->delivery->message->envelope))
    {
      pass_over (try, REROUTE_HOST_LACKS_TLS);
      try_endpoint (self, try);
      return;
    }
  session = find_idle (self, endpoint, try);
  if (session != NULL)
    {
      session->try = try;
      begin_transaction (session);
      return;
    }
  session = find_in_the_way (self, endpoint, try);
  if (session == NULL)
    {
      connect_to (self, try, endpoint);
      return;
    }
  try->has_room =
    try->has_room ||
    reroute_endpoint_is_same (reroute_connection_get_endpoint (session->connection), endpoint);
  session->successor = try;
  session_quit (session);
}

void
reroute_pool_deliver (ReroutePool *self, RerouteDelivery *delivery, RerouteRuleset *ruleset)
{
  Try *try;

  g_return_if_fail (delivery->endpoints->len > 0);

  if (self->draining)
    {
      self->done (delivery, self->user_data);
      return;
    }
  g_ptr_array_set_size (delivery->failures, (int) delivery->endpoints->len);
  try = g_new0 (Try, 1);
  try->delivery = delivery;
  try->ruleset = reroute_ruleset_ref (ruleset);
  try_endpoint (self, try);
}

/* --- the end --- */

void
reroute_pool_close_idle (ReroutePool *self)
{
  g_autoptr (GPtrArray) sessions = g_ptr_array_copy (self->sessions, NULL, NULL);

  for (guint i = 0; i < sessions->len; i++)
    {
      Session *session = sessions->pdata[i];

      if (is_idle (session))
        session_quit (session);
    }
}

/* Gives back what a session has in hand, untouched but for what was said already. */
static void
take_back (Session *session)
{
  ReroutePool *self = session->pool;
  Try *try = session->try;
  Try *successor = session->successor;
  const RerouteSmtpClient *machine = reroute_connection_get_machine (session->connection);

  if (try != NULL && reroute_smtp_client_may_have_delivered (machine))
    reroute_delivery_note_replies (try->delivery, machine, NULL);
  session_free (session);
  if (try != NULL)
    finish (self, try);
  if (successor != NULL)
    finish (self, successor);
}

static void
grace_is_over (RerouteTimer *timer)
{
  ReroutePool *self = (ReroutePool *) ((char *) timer - G_STRUCT_OFFSET (ReroutePool, grace));

  while (self->sessions->len > 0)
    take_back (self->sessions->pdata[0]);
}

void
reroute_pool_drain (ReroutePool *self, gint64 grace_us)
{
  g_autoptr (GPtrArray) sessions = g_ptr_array_copy (self->sessions, NULL, NULL);

  self->draining = TRUE;
  for (guint i = 0; i < sessions->len; i++)
    {
      Session *session = sessions->pdata[i];

      if (session->try == NULL || !reroute_smtp_client_may_have_delivered (
                                    reroute_connection_get_machine (session->connection)))
        take_back (session);
    }
  if (self->sessions->len > 0)
    reroute_worker_arm_timer (
      self->worker, &self->grace, reroute_worker_now_us (self->worker) + MAX (grace_us, 1));
}

ReroutePool *
reroute_pool_new (RerouteWorker *worker,
                  RerouteSpool *spool,
                  const char *hostname,
                  int *n_connections,
                  ReroutePoolFunc done,
                  gpointer user_data)
{
  ReroutePool *self = g_new0 (ReroutePool, 1);

  self->worker = worker;
  self->spool = spool;
  self->hostname = g_strdup (hostname);
  self->n_connections = n_connections;
  self->done = done;
  self->user_data = user_data;
  self->sessions = g_ptr_array_new ();
  self->grace.func = grace_is_over;
  return self;
}

void
reroute_pool_free (ReroutePool *self)
{
  grace_is_over (&self->grace);
  reroute_worker_disarm_timer (self->worker, &self->grace);
  g_ptr_array_unref (self->sessions);
  g_clear_pointer (&self->tls, reroute_tls_client_unref);
  g_free (self->tls_trust);
  g_free (self->hostname);
  g_free (self);
}
