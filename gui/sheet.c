/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sheet.c - what the property sheet knows and does, without a widget
 *
 * rulesd judges every edit; the sheet only asks, shortly after each change, and keeps the answer.
 * Someone else's generation is taken in as soon as it is announced: the edit is laid over it.
 */

#include "config.h"

#include "gui/sheet-private.h"

#include "common/error.h"
#include "gui/trial.h"

#define CHECK_DELAY_MS 150 /* so that a burst of changes is judged once */

enum
{
  CHANGED,
  SAVED,
  OTHERS_SAVED,
  N_SIGNALS
};

enum
{
  PROP_BUSY = 1,
  N_PROPS
};

static guint signals[N_SIGNALS];
static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (RerouteSheet, reroute_sheet, G_TYPE_OBJECT)

void
reroute_sheet_emit_changed (RerouteSheet *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

void
reroute_sheet_set_busy (RerouteSheet *self, gboolean busy)
{
  if (self->busy == busy)
    return;
  self->busy = busy;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_BUSY]);
}

/* --- findings --- */

static void
take_findings (RerouteSheet *self, GPtrArray **place, GPtrArray *findings)
{
  reroute_findings_resolve_rows (findings, self->edit);
  g_clear_pointer (place, g_ptr_array_unref);
  *place = findings;
  g_clear_pointer (&self->findings, g_ptr_array_unref);
  self->findings = reroute_findings_merge (self->edit, self->edit_findings, self->saved_findings);
  reroute_sheet_emit_changed (self);
}

void
reroute_sheet_take_edit_findings (RerouteSheet *self, GPtrArray *findings)
{
  take_findings (self, &self->edit_findings, findings);
}

static void
checked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteSheet) self = REROUTE_SHEET (user_data);
  g_autoptr (GError) error = NULL;
  GPtrArray *findings =
    reroute_rules_client_check_finish (REROUTE_RULES_CLIENT (source), result, &error);

  if (findings == NULL)
    {
      g_debug ("no findings: %s", error->message);
      return;
    }
  if (self->checking_saved)
    take_findings (self, &self->saved_findings, findings);
  take_findings (
    self, &self->edit_findings, self->checking_saved ? reroute_findings_new () : findings);
}

static gboolean
check_cb (gpointer user_data)
{
  RerouteSheet *self = REROUTE_SHEET (user_data);
  g_autoptr (GPtrArray) changes = reroute_edit_dup_changes (self->edit);

  self->check_id = 0;
  self->checking_saved = changes->len == 0;
  g_cancellable_cancel (self->check);
  g_clear_object (&self->check);
  self->check = g_cancellable_new ();
  reroute_rules_client_check_async (
    self->rules, changes, self->check, checked_cb, g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
queue_check (RerouteSheet *self)
{
  g_clear_handle_id (&self->check_id, g_source_remove);
  self->check_id = g_timeout_add (CHECK_DELAY_MS, check_cb, self);
}

static void
edit_changed_cb (RerouteEdit *edit, int page, gint64 id, RerouteSheet *self)
{
  reroute_sheet_forget_past_conflicts (self);
  reroute_sheet_note_touched (self);
  queue_check (self);
  reroute_sheet_emit_changed (self);
}

/* --- the saved generation --- */

static gboolean retry_cb (gpointer user_data);

static void
start_retry (RerouteSheet *self)
{
  if (self->retry_id == 0)
    self->retry_id = g_timeout_add (REROUTE_SHEET_RETRY_MS, retry_cb, self);
}

/* Of a service that is away nothing is noted: that is seen, and it is asked when it comes. */
static void
note_load_failure (RerouteSheet *self, const GError *error)
{
  g_autofree char *before = g_steal_pointer (&self->load_failure);

  g_debug ("no settings: %s", error->message);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (reroute_rules_client_get_available (self->rules))
    start_retry (self);
  if (reroute_rules_client_get_available (self->rules) &&
      !g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE))
    self->load_failure = g_strdup (error->message);
  if (g_strcmp0 (before, self->load_failure) != 0)
    reroute_sheet_emit_changed (self);
}

static void
settings_loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteSheet) self = REROUTE_SHEET (user_data);
  g_autoptr (GError) error = NULL;
  guint64 serial = 0;
  RerouteSettings *settings =
    reroute_rules_client_settings_finish (REROUTE_RULES_CLIENT (source), result, &serial, &error);

  self->unloaded = settings == NULL;
  if (settings == NULL)
    {
      note_load_failure (self, error);
      return;
    }
  g_clear_pointer (&self->load_failure, g_free);
  self->announced = MAX (self->announced, serial);
  if (self->settings != NULL && reroute_sheet_is_saving (self))
    {
      reroute_settings_unref (settings);
      self->unread = TRUE;
    }
  else
    {
      g_clear_pointer (&self->settings, reroute_settings_unref);
      self->settings = settings;
      if (serial >= self->serial)
        g_clear_pointer (&self->unread_news, reroute_news_free);
      /* A later generation than the one caught up with is announced and comes through catch_up();
         an earlier one is of other rules. */
      if (self->serial == 0 ||
          (serial < self->serial && reroute_edit_get_n_changes (self->edit) == 0))
        self->serial = serial;
    }
  queue_check (self);
  g_signal_emit (self, signals[SAVED], 0);
  reroute_sheet_emit_changed (self);
}

void
reroute_sheet_load_settings (RerouteSheet *self)
{
  reroute_rules_client_settings_async (
    self->rules, self->cancellable, settings_loaded_cb, g_object_ref (self));
}

static void
changes_came_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (RerouteSheet) self = REROUTE_SHEET (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteNews) news = NULL;
  guint64 serial = 0, since = self->serial;
  g_autoptr (GPtrArray) changes = reroute_rules_client_changes_since_finish (
    REROUTE_RULES_CLIENT (source), result, &serial, &error);
  gboolean unknown = g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_NO_SUCH_SERIAL);

  self->catching_up = FALSE;
  self->behind = changes == NULL && !unknown;
  if (self->behind)
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        start_retry (self);
      reroute_sheet_finish_apply (self, REROUTE_APPLY_STALE, g_steal_pointer (&error));
      return;
    }
  if (unknown)
    {
      changes = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_change_unref);
      serial = self->announced;
    }

  self->serial = serial;
  news = reroute_sheet_take_news (self, since, changes, unknown);
  reroute_news_add (&self->unread_news, news);
  g_signal_emit (self, signals[OTHERS_SAVED], 0, news);
  reroute_sheet_finish_apply (self, REROUTE_APPLY_STALE, NULL);
  reroute_sheet_load_settings (self);
}

void
reroute_sheet_catch_up (RerouteSheet *self)
{
  if (self->catching_up)
    return;
  self->catching_up = TRUE;
  reroute_rules_client_changes_since_async (
    self->rules, self->serial, self->cancellable, changes_came_cb, g_object_ref (self));
}

static void
serial_changed_cb (RerouteRulesClient *rules, guint64 serial, RerouteSheet *self)
{
  self->announced = serial;
  if (self->settings == NULL)
    reroute_sheet_load_settings (self);
  else if (!reroute_sheet_is_saving (self) && serial != self->serial)
    reroute_sheet_catch_up (self);
}

/* A call makes the bus start rulesd; when it stands, settings and rows are read again. */
static gboolean
retry_cb (gpointer user_data)
{
  RerouteSheet *self = REROUTE_SHEET (user_data);
  gboolean loaded = reroute_rules_client_get_available (self->rules) && !self->unloaded;

  if (loaded && !self->behind)
    {
      self->retry_id = 0;
      return G_SOURCE_REMOVE;
    }
  if (!loaded)
    reroute_sheet_load_settings (self);
  else if (!reroute_sheet_is_saving (self))
    reroute_sheet_catch_up (self);
  return G_SOURCE_CONTINUE;
}

static void
rules_available_cb (RerouteRulesClient *rules, GParamSpec *pspec, RerouteSheet *self)
{
  if (reroute_rules_client_get_available (rules) && self->apply == NULL)
    reroute_sheet_load_settings (self);
  if (reroute_rules_client_get_available (rules))
    reroute_sheet_settle (self);
  if (reroute_rules_client_get_available (rules) && self->settings != NULL &&
      !reroute_sheet_is_saving (self) && self->announced != self->serial)
    reroute_sheet_catch_up (self);
  if (!reroute_rules_client_get_available (rules))
    start_retry (self);
  reroute_sheet_emit_changed (self);
}

static void
bus_connected_cb (RerouteBus *bus, GParamSpec *pspec, RerouteSheet *self)
{
  if (reroute_bus_get_connection (bus) != NULL)
    reroute_sheet_load_settings (self);
  reroute_sheet_emit_changed (self);
}

static void
reroute_sheet_dispose (GObject *object)
{
  RerouteSheet *self = REROUTE_SHEET (object);

  reroute_sheet_clear_apply (self);
  if (self->rules != NULL)
    reroute_rules_client_set_progress (self->rules, NULL, NULL);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->check);
  g_clear_object (&self->rules);
  g_clear_object (&self->relay);
  g_clear_object (&self->bus);
  g_clear_object (&self->edit);
  g_clear_pointer (&self->machine, g_free);
  g_clear_pointer (&self->load_failure, g_free);
  g_clear_pointer (&self->settings, reroute_settings_unref);
  g_clear_pointer (&self->findings, g_ptr_array_unref);
  g_clear_pointer (&self->saved_findings, g_ptr_array_unref);
  g_clear_pointer (&self->edit_findings, g_ptr_array_unref);
  g_clear_pointer (&self->news, reroute_news_free);
  g_clear_pointer (&self->unread_news, reroute_news_free);

  G_OBJECT_CLASS (reroute_sheet_parent_class)->dispose (object);
}

static void
reroute_sheet_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_BUSY:
      g_value_set_boolean (value, REROUTE_SHEET (object)->busy);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
reroute_sheet_class_init (RerouteSheetClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = reroute_sheet_dispose;
  object_class->get_property = reroute_sheet_get_property;

  props[PROP_BUSY] = g_param_spec_boolean (
    "busy", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  signals[CHANGED] = g_signal_new (
    "changed", REROUTE_TYPE_SHEET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SAVED] = g_signal_new (
    "saved", REROUTE_TYPE_SHEET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[OTHERS_SAVED] = g_signal_new ("others-saved",
                                        REROUTE_TYPE_SHEET,
                                        G_SIGNAL_RUN_LAST,
                                        0,
                                        NULL,
                                        NULL,
                                        NULL,
                                        G_TYPE_NONE,
                                        1,
                                        G_TYPE_POINTER);
}

static void
reroute_sheet_init (RerouteSheet *self)
{
  self->edit = reroute_edit_new ();
  self->cancellable = g_cancellable_new ();
  self->saved_findings = reroute_findings_new ();
  self->edit_findings = reroute_findings_new ();
  self->findings = g_ptr_array_new ();
  g_signal_connect_object (self->edit, "changed", G_CALLBACK (edit_changed_cb), self, 0);
}

RerouteSheet *
reroute_sheet_new (RerouteBus *bus)
{
  RerouteSheet *self = g_object_new (REROUTE_TYPE_SHEET, NULL);

  self->bus = g_object_ref (bus);
  self->rules = reroute_rules_client_new (bus);
  self->relay = reroute_relay_watch_new (bus);
  self->machine = g_strdup (
    reroute_bus_get_remote (bus) != NULL ? reroute_bus_get_remote (bus)->host : g_get_host_name ());
  g_signal_connect_object (self->rules, "serial-changed", G_CALLBACK (serial_changed_cb), self, 0);
  g_signal_connect_object (
    self->rules, "notify::available", G_CALLBACK (rules_available_cb), self, 0);
  g_signal_connect_object (
    self->relay, "changed", G_CALLBACK (reroute_sheet_emit_changed), self, G_CONNECT_SWAPPED);
  reroute_rules_client_set_progress (self->rules, reroute_sheet_report_progress, self);
  reroute_rules_client_watch (self->rules);
  g_signal_connect_object (bus, "notify::connection", G_CALLBACK (bus_connected_cb), self, 0);
  bus_connected_cb (bus, NULL, self);
  self->retry_id = g_timeout_add (REROUTE_SHEET_RETRY_MS, retry_cb, self);
  return self;
}

RerouteEdit *
reroute_sheet_get_edit (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), NULL);

  return self->edit;
}

RerouteBus *
reroute_sheet_get_bus (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), NULL);

  return self->bus;
}

RerouteRulesClient *
reroute_sheet_get_rules (RerouteSheet *self)
{
  return self->rules;
}

RerouteRelayClient *
reroute_sheet_get_relay (RerouteSheet *self)
{
  return reroute_relay_watch_get_client (self->relay);
}

static const char *
get_saved_setting (RerouteSheet *self, RerouteSettingId id)
{
  return self->settings != NULL ? reroute_settings_get_text (self->settings, id)
                                : reroute_setting_specs ()[id].default_value;
}

const char *
reroute_sheet_get_setting (RerouteSheet *self, RerouteSettingId id)
{
  const char *value = reroute_edit_get_setting (self->edit, id);

  return value != NULL ? value : get_saved_setting (self, id);
}

void
reroute_sheet_set_setting (RerouteSheet *self, RerouteSettingId id, const char *value)
{
  g_return_if_fail (REROUTE_IS_SHEET (self));

  reroute_edit_begin_step (self->edit);
  reroute_sheet_type_setting (self, id, value);
}

void
reroute_sheet_type_setting (RerouteSheet *self, RerouteSettingId id, const char *value)
{
  g_return_if_fail (REROUTE_IS_SHEET (self));

  reroute_edit_set (self->edit, id, value, get_saved_setting (self, id));
  if (self->unread_news != NULL)
    reroute_sheet_lay_setting (self, id, self->unread_news);
}

gboolean
reroute_sheet_is_loaded (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), FALSE);

  return self->settings != NULL;
}

gboolean
reroute_sheet_is_editable (RerouteSheet *self)
{
  return reroute_sheet_is_loaded (self) && !reroute_sheet_is_busy (self);
}

gboolean
reroute_sheet_is_available (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), FALSE);

  return reroute_rules_client_get_available (self->rules);
}

const char *
reroute_sheet_get_load_failure (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), NULL);

  return self->load_failure;
}

guint64
reroute_sheet_get_serial (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), 0);

  return self->serial;
}

RerouteRelayWatch *
reroute_sheet_get_relay_watch (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), NULL);

  return self->relay;
}

const char *
reroute_sheet_get_host_name (RerouteSheet *self)
{
  const char *setting = NULL;
  const char *name = NULL;

  g_return_val_if_fail (REROUTE_IS_SHEET (self), NULL);

  setting = get_saved_setting (self, REROUTE_SETTING_HOSTNAME);
  if (setting[0] != '\0')
    return setting;
  name = reroute_relay_watch_get_host_name (self->relay);
  return name != NULL ? name : self->machine;
}

GPtrArray *
reroute_sheet_get_findings (RerouteSheet *self)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), NULL);

  return self->findings;
}

guint
reroute_sheet_count_findings (RerouteSheet *self, RerouteFindingLevel level)
{
  return reroute_findings_count (self->findings, level);
}

gboolean
reroute_sheet_is_wrong (RerouteSheet *self)
{
  return reroute_findings_count (self->edit_findings, REROUTE_FINDING_ERROR) > 0;
}

RerouteFinding *
reroute_sheet_find_finding (RerouteSheet *self, ReroutePage page, gint64 id)
{
  g_return_val_if_fail (REROUTE_IS_SHEET (self), NULL);

  return reroute_findings_find_worst (self->findings, page, id);
}
