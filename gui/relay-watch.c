/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-watch.c - what the property sheet wants to know of the relay
 */

#include "config.h"

#include "gui/relay-watch.h"

struct _RerouteRelayWatch
{
  GObject parent_instance;

  RerouteRelayClient *client;
  GCancellable *cancellable;
  guint64 serial;
  char *host_name;
  char *tls_failure;
  char *track_failure;
  GPtrArray *alarms; /* (element-type RerouteAlarm) */
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteRelayWatch, reroute_relay_watch, G_TYPE_OBJECT)

/* @value: (nullable): there are none */
static void
take_alarms (RerouteRelayWatch *self, GVariant *value)
{
  g_ptr_array_unref (self->alarms);
  self->alarms = reroute_alarms_from_variant (value);
}

/* What a status says of @key; "" is nothing. */
static void
take_words (GVariant *status, const char *key, char **words)
{
  const char *said = "";

  g_variant_lookup (status, key, "&s", &said);
  g_free (*words);
  *words = *said != '\0' ? g_strdup (said) : NULL;
}

static void
status_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteRelayWatch) self = REROUTE_RELAY_WATCH (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) status =
               reroute_relay_client_status_finish (REROUTE_RELAY_CLIENT (source), result, &error);
  g_autoptr (GVariant) alarms = NULL;
  const char *host_name = NULL;

  if (status == NULL)
    {
      g_debug ("no status: %s", error->message);
      return;
    }
  if (!g_variant_lookup (status, "serial", "t", &self->serial))
    self->serial = 0;
  if (g_variant_lookup (status, "hostname", "&s", &host_name))
    {
      g_free (self->host_name);
      self->host_name = g_strdup (host_name);
    }
  alarms = g_variant_lookup_value (status, "alarms", G_VARIANT_TYPE (REROUTE_ALARMS_TYPE));
  take_alarms (self, alarms);
  take_words (status, "tls-failure", &self->tls_failure);
  take_words (status, "track-failure", &self->track_failure);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
available_cb (RerouteRelayClient *client, GParamSpec *pspec, RerouteRelayWatch *self)
{
  if (!reroute_relay_client_get_available (client))
    {
      take_alarms (self, NULL);
      self->serial = 0;
    }
  reroute_relay_watch_ask (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
alarms_changed_cb (RerouteRelayClient *client, GVariant *alarms, RerouteRelayWatch *self)
{
  take_alarms (self, alarms);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
status_changed_cb (RerouteRelayClient *client, guint64 serial, RerouteRelayWatch *self)
{
  if (serial == self->serial)
    return;
  self->serial = serial;
  reroute_relay_watch_ask (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
reroute_relay_watch_dispose (GObject *object)
{
  RerouteRelayWatch *self = REROUTE_RELAY_WATCH (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->client);
  g_clear_pointer (&self->host_name, g_free);
  g_clear_pointer (&self->tls_failure, g_free);
  g_clear_pointer (&self->track_failure, g_free);

  G_OBJECT_CLASS (reroute_relay_watch_parent_class)->dispose (object);
}

static void
reroute_relay_watch_finalize (GObject *object)
{
  g_ptr_array_unref (REROUTE_RELAY_WATCH (object)->alarms);

  G_OBJECT_CLASS (reroute_relay_watch_parent_class)->finalize (object);
}

static void
reroute_relay_watch_class_init (RerouteRelayWatchClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_relay_watch_dispose;
  G_OBJECT_CLASS (klass)->finalize = reroute_relay_watch_finalize;

  signals[CHANGED] = g_signal_new (
    "changed", REROUTE_TYPE_RELAY_WATCH, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
reroute_relay_watch_init (RerouteRelayWatch *self)
{
  self->cancellable = g_cancellable_new ();
  self->alarms = reroute_alarms_from_variant (NULL);
}

RerouteRelayWatch *
reroute_relay_watch_new (RerouteBus *bus)
{
  RerouteRelayWatch *self = g_object_new (REROUTE_TYPE_RELAY_WATCH, NULL);

  self->client = reroute_relay_client_new (bus);
  g_signal_connect_object (self->client, "notify::available", G_CALLBACK (available_cb), self, 0);
  g_signal_connect_object (self->client, "status-changed", G_CALLBACK (status_changed_cb), self, 0);
  g_signal_connect_object (self->client, "alarms-changed", G_CALLBACK (alarms_changed_cb), self, 0);
  reroute_relay_client_watch (self->client);
  return self;
}

RerouteRelayClient *
reroute_relay_watch_get_client (RerouteRelayWatch *self)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_WATCH (self), NULL);

  return self->client;
}

gboolean
reroute_relay_watch_is_available (RerouteRelayWatch *self)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_WATCH (self), FALSE);

  return reroute_relay_client_get_available (self->client);
}

guint64
reroute_relay_watch_get_serial (RerouteRelayWatch *self)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_WATCH (self), 0);

  return self->serial;
}

const char *
reroute_relay_watch_get_host_name (RerouteRelayWatch *self)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_WATCH (self), NULL);

  return self->host_name;
}

const char *
reroute_relay_watch_get_tls_failure (RerouteRelayWatch *self)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_WATCH (self), NULL);

  return self->tls_failure;
}

const char *
reroute_relay_watch_get_track_failure (RerouteRelayWatch *self)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_WATCH (self), NULL);

  return self->track_failure;
}

const GPtrArray *
reroute_relay_watch_get_alarms (RerouteRelayWatch *self)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_WATCH (self), NULL);

  return self->alarms;
}

void
reroute_relay_watch_ask (RerouteRelayWatch *self)
{
  g_return_if_fail (REROUTE_IS_RELAY_WATCH (self));

  if (reroute_relay_client_get_available (self->client))
    reroute_relay_client_status_async (
      self->client, self->cancellable, status_cb, g_object_ref (self));
}
