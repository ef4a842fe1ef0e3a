/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * receiver.c - the receiving half of a worker: accepts, and keeps its sessions
 *
 * Every listening socket stands in every worker's epoll with EPOLLEXCLUSIVE, so one idle worker
 * wakes for a connection.  Such a descriptor cannot be modified, only added and removed.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-receive"

#include "service/relay/receive/arrival.h"
#include "service/relay/receive/session.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 16                       /* then the sessions have their turn */
#define LOOK_IN_A_PAUSE_US G_USEC_PER_SEC         /* at a limit that stands still */
#define OUT_OF_DESCRIPTORS_WAIT_US G_USEC_PER_SEC /* before accepting is tried again */

/* A listening socket in this worker's epoll. */
typedef struct
{
  RerouteIo io;
  RerouteReceiver *receiver;
  RerouteListener *listener;
  gboolean open; /* stands in the epoll */
} Door;

/* What another thread wants of a receiver. */
typedef struct
{
  RerouteReceiver *receiver;
  gpointer value;
  gint64 number;
} Order;

static void
free_door (gpointer data)
{
  Door *door = data;

  if (door->open)
    reroute_worker_remove_io (door->receiver->worker, &door->io);
  reroute_listener_unref (door->listener);
  g_free (door);
}

static void
set_door_open (Door *door, gboolean open)
{
  if (door->open == open)
    return;
  door->open = open;
  if (open)
    reroute_worker_add_io (door->receiver->worker, &door->io);
  else
    reroute_worker_remove_io (door->receiver->worker, &door->io);
}

static void
update_doors (RerouteReceiver *self)
{
  gboolean open = !self->paused && !self->draining && self->knock.due_us == 0;

  for (guint i = 0; i < self->doors->len; i++)
    set_door_open (self->doors->pdata[i], open);
}

static void
knock_cb (RerouteTimer *timer)
{
  RerouteReceiver *self =
    (RerouteReceiver *) ((char *) timer - G_STRUCT_OFFSET (RerouteReceiver, knock));

  timer->due_us = 0;
  update_doors (self);
}

/* Says why and hangs up; the reply fits in an empty socket buffer. */
static void
refuse (int fd, const RerouteIp *ip, const RerouteReply *reply)
{
  g_autofree char *client = reroute_ip_to_string (ip);
  g_autofree char *text = reroute_reply_to_string (reply);
  g_autoptr (GString) wire = g_string_new (NULL);

  g_info ("client=[%s] status=refused (%s)", client, text);
  reroute_reply_append (reply, wire);
  if (send (fd, wire->str, wire->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    g_debug ("client=[%s] the refusal was not sent: %s", client, g_strerror (errno));
  close (fd);
}

gboolean
reroute_receiver_takes_logins (const RerouteReceiver *self)
{
  return self->tls != NULL && self->accounts != NULL;
}

/* (transfer full) (nullable): the refusal.  Who may say XCLIENT has clients that log in there. */
static RerouteReply *
enter (RerouteReceiver *self, const RerouteIp *client)
{
  gboolean may_log_in =
    reroute_receiver_takes_logins (self) ||
    reroute_settings_contains (self->settings, REROUTE_SETTING_XCLIENT_HOSTS, client);

  return reroute_admission_enter (self->config.admission,
                                  self->ruleset,
                                  client,
                                  may_log_in,
                                  reroute_worker_now_us (self->worker));
}

void
reroute_receiver_welcome (
  RerouteReceiver *self, int fd, const RerouteIp *client, const RerouteIp *proxy, gboolean early)
{
  g_autoptr (RerouteReply) refusal = NULL;

  if (early)
    {
      reroute_admission_note_refused (self->config.admission, REROUTE_REFUSED_EARLY);
      refusal = reroute_reply_new (554, "5.5.0", "Wait for the greeting before you speak");
    }
  else
    refusal = enter (self, client);
  if (refusal != NULL)
    refuse (fd, client, refusal);
  else
    reroute_session_start (self, fd, client, proxy, FALSE);
}

/* Who waits for TLS understands no refusal in clear text. */
void
reroute_receiver_welcome_in_tls (RerouteReceiver *self,
                                 int fd,
                                 const RerouteIp *client,
                                 const RerouteIp *proxy)
{
  g_autoptr (RerouteReply) refusal = NULL;

  if (self->tls == NULL)
    {
      reroute_admission_note_refused (self->config.admission, REROUTE_REFUSED_NO_TLS);
      g_info ("a connection in TLS is closed: no certificate is in force");
      close (fd);
      return;
    }
  refusal = enter (self, client);
  if (refusal != NULL)
    close (fd);
  else
    reroute_session_start (self, fd, client, proxy, TRUE);
}

/* Who knocks is a client, or a proxy that will tell whose connection it is. */
static void
welcome (Door *door, int fd, const RerouteIp *ip)
{
  RerouteReceiver *self = door->receiver;
  gboolean in_tls = door->listener->in_tls;
  gboolean is_proxy = reroute_settings_contains (self->settings, REROUTE_SETTING_PROXY_HOSTS, ip);
  g_autoptr (RerouteReply) refusal =
               is_proxy ? reroute_admission_enter_proxy (self->config.admission, self->settings)
                        : NULL;

  if (refusal != NULL && in_tls)
    close (fd);
  else if (refusal != NULL)
    refuse (fd, ip, refusal);
  else if (is_proxy)
    reroute_arrival_start (self, fd, ip, in_tls);
  else if (in_tls)
    reroute_receiver_welcome_in_tls (self, fd, ip, NULL);
  else
    reroute_receiver_welcome (self, fd, ip, NULL, FALSE);
}

/* Returns: whether to go on accepting */
static gboolean
handle_accept_error (Door *door, int code)
{
  RerouteReceiver *self = door->receiver;

  switch (code)
    {
    case EAGAIN:
      return FALSE;
    case EINVAL: /* suspended: it is opened again with the next set of listeners */
      set_door_open (door, FALSE);
      return FALSE;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      g_warning ("cannot accept a connection on %s: %s; trying again in a second",
                 door->listener->label,
                 g_strerror (code));
      reroute_worker_arm_timer (self->worker,
                                &self->knock,
                                reroute_worker_now_us (self->worker) + OUT_OF_DESCRIPTORS_WAIT_US);
      update_doors (self);
      return FALSE;
    default: /* the client left again: accept(2), "Error handling" */
      return TRUE;
    }
}

static void
knocked_cb (RerouteIo *io, guint32 events)
{
  Door *door = (Door *) io;

  for (guint i = 0; i < ACCEPTS_PER_TURN && door->open; i++)
    {
      RerouteIp ip;
      int fd = reroute_listener_accept (door->listener, &ip);
      if (fd >= 0)
        welcome (door, fd, &ip);
      else if (!handle_accept_error (door, errno))
        return;
    }
}

static void
add_door (RerouteReceiver *self, RerouteListener *listener)
{
  Door *door = g_new0 (Door, 1);

  door->io = (RerouteIo){
    .fd = listener->fd,
    .events = EPOLLIN | EPOLLEXCLUSIVE,
    .yields = TRUE,
    .func = knocked_cb,
  };
  door->receiver = self;
  door->listener = reroute_listener_ref (listener);
  g_ptr_array_add (self->doors, door);
}

static void
take_settings (RerouteReceiver *self, RerouteSettings *settings)
{
  const char *hostname = reroute_settings_get_text (settings, REROUTE_SETTING_HOSTNAME);

  reroute_settings_ref (settings);
  g_clear_pointer (&self->settings, reroute_settings_unref);
  self->settings = settings;
  self->hostname = hostname[0] != '\0' ? hostname : self->machine_hostname;
  self->session_config = (RerouteSmtpServerConfig){
    .hostname = self->hostname,
    .max_message_octets = reroute_settings_get_number (settings, REROUTE_SETTING_MAX_MESSAGE_SIZE),
    .max_recipients = reroute_settings_get_number (settings, REROUTE_SETTING_MAX_RECIPIENTS),
    .max_bad_commands = reroute_settings_get_number (settings, REROUTE_SETTING_MAX_BAD_COMMANDS),
    .max_junk_commands = reroute_settings_get_number (settings, REROUTE_SETTING_MAX_JUNK_COMMANDS),
    .max_refused_recipients =
      reroute_settings_get_number (settings, REROUTE_SETTING_MAX_REFUSED_RECIPIENTS),
    .knows_requiretls = reroute_settings_get_boolean (settings, REROUTE_SETTING_REQUIRETLS),
  };
  self->idle_us =
    reroute_settings_get_number (settings, REROUTE_SETTING_IDLE_TIMEOUT) * G_USEC_PER_SEC;
  self->data_us =
    reroute_settings_get_number (settings, REROUTE_SETTING_DATA_TIMEOUT) * G_USEC_PER_SEC;
}

RerouteAdmissionRules
reroute_receiver_get_rules (RerouteReceiver *self)
{
  return (RerouteAdmissionRules){ self->ruleset, self->srs, &self->memo };
}

static void
tell_sessions (RerouteReceiver *self, void (*tell) (RerouteSession *session))
{
  for (GList *link = self->sessions.head, *next; link != NULL; link = next)
    {
      next = link->next;
      tell (link->data);
    }
}

static void
set_ruleset_cb (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Order *order = user_data;
  RerouteReceiver *self = order->receiver;
  gboolean is_first = self->ruleset == NULL;

  reroute_decision_memo_clear (&self->memo);
  g_clear_pointer (&self->ruleset, reroute_ruleset_unref);
  self->ruleset = order->value;
  take_settings (self, reroute_ruleset_get_settings (self->ruleset));
  reroute_arrivals_follow_settings (self);
  tell_sessions (self, is_first ? reroute_session_outdate : reroute_session_follow_settings);
}

static void
set_tls_cb (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Order *order = user_data;
  RerouteReceiver *self = order->receiver;

  g_clear_pointer (&self->tls, reroute_tls_server_unref);
  self->tls = order->value;
}

static void
set_srs_cb (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Order *order = user_data;
  RerouteReceiver *self = order->receiver;

  g_clear_pointer (&self->srs, reroute_srs_unref);
  self->srs = order->value;
}

static void
set_accounts_cb (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Order *order = user_data;
  RerouteReceiver *self = order->receiver;

  g_clear_pointer (&self->accounts, reroute_accounts_unref);
  self->accounts = order->value;
  tell_sessions (self, reroute_session_follow_accounts);
}

static void
take_pressure (RerouteReceiver *self)
{
  gboolean pressed = g_atomic_int_get (&self->pressed);

  if (self->paused == pressed)
    return;
  if (pressed)
    self->paused_since_us = reroute_worker_now_us (self->worker);
  else
    self->pauses_us += reroute_worker_now_us (self->worker) - self->paused_since_us;
  self->paused = pressed;
  reroute_worker_set_paused (self->worker, pressed);
  update_doors (self);
  while (!self->paused && self->unfed.head != NULL)
    reroute_session_resume (self->unfed.head->data);
}

static void
set_paused_cb (RerouteWorker *worker, gpointer user_data)
{
  take_pressure (user_data);
}

static void
set_listeners_cb (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Order *order = user_data;
  RerouteReceiver *self = order->receiver;
  g_autoptr (GPtrArray) listeners = order->value;

  take_pressure (self);
  g_ptr_array_set_size (self->doors, 0);
  for (guint i = 0; i < listeners->len; i++)
    add_door (self, listeners->pdata[i]);
  update_doors (self);
}

gint64
reroute_receiver_now_us (const RerouteReceiver *self)
{
  gint64 now_us = self->paused ? self->paused_since_us : reroute_worker_now_us (self->worker);

  return now_us - self->pauses_us;
}

gboolean
reroute_receiver_wait_on (RerouteReceiver *self, RerouteTimer *timer, gint64 deadline_us)
{
  gint64 left_us = deadline_us - reroute_receiver_now_us (self);

  if (self->paused)
    left_us = MAX (left_us, LOOK_IN_A_PAUSE_US);
  if (left_us > 0)
    reroute_worker_arm_timer (self->worker, timer, reroute_worker_now_us (self->worker) + left_us);
  return left_us > 0;
}

static void
report_drained (RerouteReceiver *self)
{
  if (self->draining && self->sessions.head == NULL)
    {
      reroute_worker_disarm_timer (self->worker, &self->grace);
      self->config.drained (reroute_worker_get_number (self->worker), self->config.user_data);
    }
}

static void
grace_cb (RerouteTimer *timer)
{
  RerouteReceiver *self =
    (RerouteReceiver *) ((char *) timer - G_STRUCT_OFFSET (RerouteReceiver, grace));

  tell_sessions (self, reroute_session_abandon);
}

static void
drain_cb (RerouteWorker *worker, gpointer user_data)
{
  g_autofree Order *order = user_data;
  RerouteReceiver *self = order->receiver;
  gboolean empty = self->sessions.head == NULL;

  if (self->draining)
    return;
  self->draining = TRUE;
  g_ptr_array_set_size (self->doors, 0);
  reroute_arrivals_end (self);
  reroute_worker_arm_timer (worker, &self->grace, reroute_worker_now_us (worker) + order->number);
  tell_sessions (self, reroute_session_drain);
  if (empty)
    report_drained (self);
}

void
reroute_receiver_forget_session (RerouteReceiver *self, GList *link)
{
  g_queue_unlink (&self->sessions, link);
  report_drained (self);
}

static void
post (RerouteReceiver *self, RerouteWorkerFunc func, gpointer value, gint64 number)
{
  Order *order = g_new (Order, 1);

  *order = (Order){ self, value, number };
  reroute_worker_post (self->worker, func, order);
}

RerouteReceiver *
reroute_receiver_new (RerouteWorker *worker, const RerouteReceiverConfig *config)
{
  g_return_val_if_fail (worker != NULL && config != NULL, NULL);

  RerouteReceiver *self = g_new0 (RerouteReceiver, 1);
  g_autoptr (RerouteSettings) defaults = reroute_settings_new ();

  self->worker = worker;
  self->config = *config;
  self->machine_hostname = g_strdup (config->hostname);
  self->doors = g_ptr_array_new_with_free_func (free_door);
  self->knock.func = knock_cb;
  self->grace.func = grace_cb;
  g_queue_init (&self->sessions);
  g_queue_init (&self->unfed);
  g_queue_init (&self->arrivals);
  take_settings (self, defaults);
  return self;
}

void
reroute_receiver_free (RerouteReceiver *self)
{
  g_return_if_fail (self->sessions.head == NULL && self->arrivals.head == NULL);

  if (self->logins != NULL)
    g_thread_pool_free (self->logins, FALSE, TRUE);
  g_ptr_array_unref (self->doors);
  g_clear_pointer (&self->accounts, reroute_accounts_unref);
  reroute_decision_memo_clear (&self->memo);
  g_clear_pointer (&self->ruleset, reroute_ruleset_unref);
  g_clear_pointer (&self->tls, reroute_tls_server_unref);
  g_clear_pointer (&self->srs, reroute_srs_unref);
  reroute_settings_unref (self->settings);
  g_free (self->machine_hostname);
  g_free (self);
}

void
reroute_receiver_set_ruleset (RerouteReceiver *self, RerouteRuleset *ruleset)
{
  g_return_if_fail (self != NULL && ruleset != NULL);

  post (self, set_ruleset_cb, reroute_ruleset_ref (ruleset), 0);
}

void
reroute_receiver_set_tls (RerouteReceiver *self, RerouteTlsServer *tls)
{
  g_return_if_fail (self != NULL);

  post (self, set_tls_cb, tls != NULL ? reroute_tls_server_ref (tls) : NULL, 0);
}

void
reroute_receiver_set_srs (RerouteReceiver *self, RerouteSrs *srs)
{
  g_return_if_fail (self != NULL);

  post (self, set_srs_cb, srs != NULL ? reroute_srs_ref (srs) : NULL, 0);
}

void
reroute_receiver_set_accounts (RerouteReceiver *self, RerouteAccounts *accounts)
{
  g_return_if_fail (self != NULL);

  post (self, set_accounts_cb, accounts != NULL ? reroute_accounts_ref (accounts) : NULL, 0);
}

void
reroute_receiver_set_listeners (RerouteReceiver *self, GPtrArray *listeners)
{
  g_return_if_fail (self != NULL && listeners != NULL);

  if (listeners->len > 0)
    g_atomic_int_set (&self->in_use, TRUE);
  post (self, set_listeners_cb, g_ptr_array_ref (listeners), 0);
}

void
reroute_receiver_set_paused (RerouteReceiver *self, gboolean paused)
{
  g_return_if_fail (self != NULL);

  /* A worker that receives nothing is not woken for what comes and goes a thousand times a second;
     it looks when it is given a door. */
  g_atomic_int_set (&self->pressed, paused);
  if (g_atomic_int_get (&self->in_use))
    reroute_worker_post (self->worker, set_paused_cb, self);
}

void
reroute_receiver_drain (RerouteReceiver *self, gint64 grace_us)
{
  g_return_if_fail (self != NULL);

  post (self, drain_cb, NULL, grace_us);
}
