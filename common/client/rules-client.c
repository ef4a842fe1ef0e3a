/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rules-client.c - follows rulesd and holds the newest ruleset
 *
 * What it holds it keeps, whatever becomes of rulesd or of the bus, and it catches up by itself
 * when they are back.  One load or catch-up runs at a time; what is announced meanwhile is fetched
 * when it is through.
 *
 * A serial does not say of which database it is.  A rulesd that was started anew may have another
 * one, a copy with other rules of the same serial: no changes of it are laid over what is held of
 * an earlier rulesd, but everything is loaded anew.  Nor are any laid over generation 0, which a
 * restored backup follows with a history that nobody compared with its rows.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-rules-client"

#include "common/client/rules-client-private.h"

#include "common/change-set.h"
#include "common/client/rules-load.h"
#include "common/codec.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/names.h"

struct _RerouteRulesClient
{
  GObject parent_instance;

  RerouteBus *bus;
  gulong bus_id;
  GMainContext *context;
  gboolean watching;
  gboolean holding;
  gboolean outlived; /* rulesd has a database in which nothing was saved; what is held stays */
  gboolean available;
  guint64 announced; /* the newest serial that was announced */

  GDBusConnection *connection; /* (nullable): the one with the subscriptions */
  guint signal_id;
  guint name_id;

  char *instance; /* (nullable): the rulesd on the bus, as make_instance() names it */

  RerouteRuleset *ruleset; /* (nullable) */
  char *origin;            /* (nullable): the rulesd that it is of */
  GError *problem;         /* (nullable) */
  GCancellable *load;      /* (nullable): of the load that runs */
  char *load_origin;       /* (nullable): the rulesd that it asks */
  gboolean load_again;
  GSource *retry; /* (nullable) */
  guint retry_ms;

  RerouteLostCall *lost; /* (nullable) */

  RerouteProgressFunc progress;
  gpointer progress_data;
};

enum
{
  PROP_AVAILABLE = 1,
  N_PROPS
};

enum
{
  CHANGED,
  SERIAL_CHANGED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteRulesClient, reroute_rules_client, G_TYPE_OBJECT)

static void begin_load (RerouteRulesClient *self);

static gboolean
retry_cb (gpointer user_data)
{
  RerouteRulesClient *self = user_data;

  g_clear_pointer (&self->retry, g_source_unref);
  begin_load (self);
  return G_SOURCE_REMOVE;
}

static void
clear_retry (RerouteRulesClient *self)
{
  if (self->retry != NULL)
    g_source_destroy (self->retry);
  g_clear_pointer (&self->retry, g_source_unref);
}

/* With the bus away its return starts the next load. */
static void
schedule_retry (RerouteRulesClient *self)
{
  if (self->retry != NULL || self->connection == NULL)
    return;
  self->retry = g_timeout_source_new (self->retry_ms);
  g_source_set_callback (self->retry, retry_cb, self, NULL);
  g_source_attach (self->retry, self->context);
  self->retry_ms = MIN (self->retry_ms * 2, REROUTE_LIMIT_BUS_RETRY_LAST_MS);
}

/* Whether @newest says no more than that the database is new: of who held rules it takes them all.
 */
static gboolean
outlives (RerouteRulesClient *self, RerouteRuleset *newest)
{
  guint64 held = self->ruleset != NULL ? reroute_ruleset_get_serial (self->ruleset) : 0;

  if (held == 0 || reroute_ruleset_get_serial (newest) != 0)
    return FALSE;
  if (!self->outlived)
    g_message ("the database of reroute-rulesd is new and empty: the rules of generation "
               "%" G_GUINT64_FORMAT " are kept until something is saved there",
               held);
  self->outlived = TRUE;
  return TRUE;
}

/* @origin: (nullable): the rulesd that it is of */
static void
hold (RerouteRulesClient *self, RerouteRuleset *newest, const char *origin)
{
  gboolean same = self->ruleset != NULL && g_strcmp0 (self->origin, origin) == 0 &&
                  reroute_ruleset_get_serial (self->ruleset) == reroute_ruleset_get_serial (newest);

  g_clear_error (&self->problem);
  self->retry_ms = REROUTE_LIMIT_BUS_RETRY_FIRST_MS;
  if (outlives (self, newest) || (same && !self->outlived))
    return;
  self->outlived = FALSE;
  g_clear_pointer (&self->ruleset, reroute_ruleset_unref);
  self->ruleset = reroute_ruleset_ref (newest);
  if (g_strcmp0 (self->origin, origin) != 0)
    {
      g_free (self->origin);
      self->origin = g_strdup (origin);
    }
  g_debug ("holding generation %" G_GUINT64_FORMAT, reroute_ruleset_get_serial (newest));
  g_signal_emit (self, signals[CHANGED], 0, newest);
}

static void
announce (RerouteRulesClient *self, guint64 serial)
{
  if (serial == self->announced)
    return;
  self->announced = serial;
  g_signal_emit (self, signals[SERIAL_CHANGED], 0, serial);
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteRulesClient) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteRuleset) newest = reroute_rules_load_finish (result, &error);
  gboolean again = self->load_again;

  if (self->load == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->load);
  self->load_again = FALSE;
  if (newest == NULL)
    {
      g_debug ("cannot load the rules: %s", error->message);
      g_clear_error (&self->problem);
      self->problem = g_steal_pointer (&error);
      schedule_retry (self);
      return;
    }
  if (self->instance != NULL && g_strcmp0 (self->load_origin, self->instance) != 0)
    {
      begin_load (self);
      return;
    }
  hold (self, newest, self->load_origin);
  announce (self, reroute_ruleset_get_serial (newest));
  if (again)
    begin_load (self);
}

/* Whether changes that the rulesd on the bus tells of lead on from what is held. */
static gboolean
can_catch_up (RerouteRulesClient *self)
{
  return self->ruleset != NULL && !self->outlived &&
         reroute_ruleset_get_serial (self->ruleset) != 0 && self->origin != NULL &&
         g_strcmp0 (self->origin, self->instance) == 0;
}

static void
begin_load (RerouteRulesClient *self)
{
  clear_retry (self);
  if (self->load != NULL)
    {
      self->load_again = TRUE;
      return;
    }
  self->load = g_cancellable_new ();
  g_free (self->load_origin);
  self->load_origin = g_strdup (self->instance);
  reroute_rules_load_async (self->bus,
                            can_catch_up (self) ? self->ruleset : NULL,
                            self->load,
                            loaded_cb,
                            g_object_ref (self));
}

static void
cancel_load (RerouteRulesClient *self)
{
  if (self->load != NULL)
    g_cancellable_cancel (self->load);
  g_clear_object (&self->load);
  self->load_again = FALSE;
  clear_retry (self);
}

/* Whether the announced changes led from what is held to @serial, without a question. */
static gboolean
advance (RerouteRulesClient *self, guint64 serial, guint count, GVariant *array)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) changes = NULL;
  g_autoptr (RerouteRuleset) next = NULL;

  if (self->ruleset == NULL || g_strcmp0 (self->origin, self->instance) != 0 ||
      self->load != NULL || count == 0 ||
      reroute_ruleset_get_serial (self->ruleset) + 1 != serial ||
      g_variant_n_children (array) != count)
    return FALSE;
  changes = reroute_changes_from_variant (array, &error);
  if (changes != NULL)
    next = reroute_ruleset_catch_up (self->ruleset, changes, serial, &error);
  if (next == NULL)
    {
      g_debug ("cannot follow the changes to generation %" G_GUINT64_FORMAT ": %s",
               serial,
               error->message);
      return FALSE;
    }
  hold (self, next, self->origin);
  return TRUE;
}

static void
changed_cb (GDBusConnection *connection,
            const char *sender,
            const char *path,
            const char *interface,
            const char *signal,
            GVariant *parameters,
            gpointer user_data)
{
  g_autoptr (RerouteRulesClient) self = g_object_ref (user_data);
  g_autoptr (GVariant) changes = NULL;
  guint64 serial = 0;
  guint count = 0;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(tua(sv))")))
    return;
  g_variant_get (parameters, "(tu@a(sv))", &serial, &count, &changes);
  if (self->holding && !advance (self, serial, count, changes) &&
      (self->ruleset == NULL || self->outlived ||
       reroute_ruleset_get_serial (self->ruleset) < serial))
    begin_load (self);
  announce (self, serial);
}

static void
set_available (RerouteRulesClient *self, gboolean available)
{
  if (self->available == available)
    return;
  self->available = available;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_AVAILABLE]);
}

static void
serial_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteRulesClient) self = user_data;
  g_autoptr (GVariant) reply =
               g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) value = NULL;

  if (reply == NULL)
    return;
  g_variant_get (reply, "(v)", &value);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    announce (self, g_variant_get_uint64 (value));
}

/* A unique name is never given twice, on one bus. */
static char *
make_instance (GDBusConnection *connection, const char *owner)
{
  return g_strconcat (g_dbus_connection_get_guid (connection), " ", owner, NULL);
}

static void
appeared_cb (GDBusConnection *connection, const char *name, const char *owner, gpointer user_data)
{
  RerouteRulesClient *self = user_data;

  g_free (self->instance);
  self->instance = make_instance (connection, owner);
  /* The load has made the bus start it, or began before it was known who answers. */
  if (self->load != NULL && self->load_origin == NULL)
    self->load_origin = g_strdup (self->instance);
  set_available (self, TRUE);
  if (self->holding)
    {
      begin_load (self);
      return;
    }
  g_dbus_connection_call (connection,
                          owner,
                          REROUTE_RULES_PATH,
                          "org.freedesktop.DBus.Properties",
                          "Get",
                          g_variant_new ("(ss)", REROUTE_RULES_INTERFACE, "Serial"),
                          G_VARIANT_TYPE ("(v)"),
                          G_DBUS_CALL_FLAGS_NO_AUTO_START,
                          REROUTE_LIMIT_CALL_MS,
                          NULL,
                          serial_cb,
                          g_object_ref (self));
}

/* A first generation is asked for until there is one: the question makes the bus start rulesd. */
static void
vanished_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  RerouteRulesClient *self = user_data;

  g_clear_pointer (&self->instance, g_free);
  set_available (self, FALSE);
  if (self->connection != NULL && self->holding && self->ruleset == NULL && self->load == NULL)
    schedule_retry (self);
}

static void
unsubscribe (RerouteRulesClient *self)
{
  if (self->connection == NULL)
    return;
  g_dbus_connection_signal_unsubscribe (self->connection, self->signal_id);
  g_bus_unwatch_name (self->name_id);
  g_clear_pointer (&self->instance, g_free);
  g_clear_object (&self->connection);
}

static void
subscribe (RerouteRulesClient *self)
{
  GDBusConnection *connection = reroute_bus_get_connection (self->bus);

  if (!self->watching || connection == NULL || connection == self->connection)
    return;
  self->connection = g_object_ref (connection);
  self->signal_id = g_dbus_connection_signal_subscribe (connection,
                                                        REROUTE_RULES_BUS_NAME,
                                                        REROUTE_RULES_INTERFACE,
                                                        "Changed",
                                                        REROUTE_RULES_PATH,
                                                        NULL,
                                                        G_DBUS_SIGNAL_FLAGS_NONE,
                                                        changed_cb,
                                                        self,
                                                        NULL);
  self->name_id = g_bus_watch_name_on_connection (connection,
                                                  REROUTE_RULES_BUS_NAME,
                                                  G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                  appeared_cb,
                                                  vanished_cb,
                                                  self,
                                                  NULL);
}

static void
bus_cb (RerouteBus *bus, GParamSpec *pspec, gpointer user_data)
{
  RerouteRulesClient *self = user_data;

  cancel_load (self);
  unsubscribe (self);
  if (reroute_bus_get_connection (bus) == NULL)
    set_available (self, FALSE);
  else
    subscribe (self);
}

static void
reroute_rules_client_dispose (GObject *object)
{
  RerouteRulesClient *self = REROUTE_RULES_CLIENT (object);

  cancel_load (self);
  unsubscribe (self);
  if (self->bus != NULL)
    g_signal_handler_disconnect (self->bus, self->bus_id);
  g_clear_object (&self->bus);
  self->progress = NULL;
  G_OBJECT_CLASS (reroute_rules_client_parent_class)->dispose (object);
}

static void
reroute_rules_client_finalize (GObject *object)
{
  RerouteRulesClient *self = REROUTE_RULES_CLIENT (object);

  g_clear_pointer (&self->ruleset, reroute_ruleset_unref);
  g_clear_error (&self->problem);
  g_free (self->instance);
  g_free (self->origin);
  g_free (self->load_origin);
  reroute_rules_client_set_lost (self, NULL);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (reroute_rules_client_parent_class)->finalize (object);
}

static void
reroute_rules_client_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  RerouteRulesClient *self = REROUTE_RULES_CLIENT (object);

  switch (prop_id)
    {
    case PROP_AVAILABLE:
      g_value_set_boolean (value, self->available);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
reroute_rules_client_class_init (RerouteRulesClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = reroute_rules_client_dispose;
  object_class->finalize = reroute_rules_client_finalize;
  object_class->get_property = reroute_rules_client_get_property;

  props[PROP_AVAILABLE] = g_param_spec_boolean (
    "available", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  signals[CHANGED] = g_signal_new ("changed",
                                   REROUTE_TYPE_RULES_CLIENT,
                                   G_SIGNAL_RUN_LAST,
                                   0,
                                   NULL,
                                   NULL,
                                   NULL,
                                   G_TYPE_NONE,
                                   1,
                                   G_TYPE_POINTER);
  signals[SERIAL_CHANGED] = g_signal_new ("serial-changed",
                                          REROUTE_TYPE_RULES_CLIENT,
                                          G_SIGNAL_RUN_LAST,
                                          0,
                                          NULL,
                                          NULL,
                                          NULL,
                                          G_TYPE_NONE,
                                          1,
                                          G_TYPE_UINT64);
}

static void
reroute_rules_client_init (RerouteRulesClient *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->retry_ms = REROUTE_LIMIT_BUS_RETRY_FIRST_MS;
}

RerouteRulesClient *
reroute_rules_client_new (RerouteBus *bus)
{
  RerouteRulesClient *self = g_object_new (REROUTE_TYPE_RULES_CLIENT, NULL);

  g_return_val_if_fail (REROUTE_IS_BUS (bus), NULL);

  self->bus = g_object_ref (bus);
  self->bus_id = g_signal_connect (bus, "notify::connection", G_CALLBACK (bus_cb), self);
  return self;
}

void
reroute_rules_client_watch (RerouteRulesClient *self)
{
  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  self->watching = TRUE;
  subscribe (self);
}

void
reroute_rules_client_start (RerouteRulesClient *self)
{
  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  self->holding = TRUE;
  reroute_rules_client_watch (self);
  if (self->connection != NULL)
    begin_load (self);
}

RerouteRuleset *
reroute_rules_client_get_ruleset (RerouteRulesClient *self)
{
  g_return_val_if_fail (REROUTE_IS_RULES_CLIENT (self), NULL);

  return self->ruleset;
}

gboolean
reroute_rules_client_get_available (RerouteRulesClient *self)
{
  g_return_val_if_fail (REROUTE_IS_RULES_CLIENT (self), FALSE);

  return self->available;
}

const GError *
reroute_rules_client_get_problem (RerouteRulesClient *self)
{
  g_return_val_if_fail (REROUTE_IS_RULES_CLIENT (self), NULL);

  return self->problem;
}

void
reroute_rules_client_set_progress (RerouteRulesClient *self,
                                   RerouteProgressFunc func,
                                   gpointer user_data)
{
  g_return_if_fail (REROUTE_IS_RULES_CLIENT (self));

  self->progress = func;
  self->progress_data = user_data;
}

RerouteBus *
reroute_rules_client_get_bus (RerouteRulesClient *self)
{
  return self->bus;
}

void
reroute_rules_client_set_lost (RerouteRulesClient *self, RerouteLostCall *lost)
{
  g_clear_pointer (&self->lost, reroute_lost_call_free);
  self->lost = lost;
}

const RerouteLostCall *
reroute_rules_client_get_lost (RerouteRulesClient *self)
{
  return self->lost;
}

void
reroute_rules_client_report_progress (RerouteRulesClient *self, double fraction)
{
  if (self->progress != NULL)
    self->progress (fraction, self->progress_data);
}
