/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * certificate-check.c - whether the files that are typed serve the relay
 */

#include "config.h"

#include "gui/certificate-check.h"

#include "common/certificate-text.h"
#include "common/file-name.h"
#include "common/settings.h"

#include <glib/gi18n.h>

#define QUIET_MS 600 /* without a key; as field-error.c */

struct _RerouteCertificateCheck
{
  GObject parent_instance;

  RerouteRelayWatch *watch;
  GtkEditable *certificates; /* borrowed, as keys and line: all live in one template */
  GtkEditable *keys;         /* NULL: hosts are shown what is there */
  RerouteFieldError *line;
  gboolean relay_is_there;
  guint timeout_id;
  GCancellable *cancellable; /* of the question on its way */
};

G_DEFINE_FINAL_TYPE (RerouteCertificateCheck, reroute_certificate_check, G_TYPE_OBJECT)

/* --- the question --- */

/* (transfer full): one that has both settings; NULL: one of them is not right yet */
static RerouteSettings *
read_settings (RerouteCertificateCheck *self)
{
  g_autoptr (RerouteSettings) defaults = reroute_settings_new ();
  g_autoptr (RerouteSettings) first = reroute_settings_with (
    defaults, "tls-certificate", gtk_editable_get_text (self->certificates), NULL);

  return first != NULL
           ? reroute_settings_with (first, "tls-key", gtk_editable_get_text (self->keys), NULL)
           : NULL;
}

/* Whether there is anything to ask; @certificates, @keys: (out) (transfer full) */
static gboolean
read_names (RerouteCertificateCheck *self, GStrv *certificates, GStrv *keys)
{
  g_autoptr (RerouteSettings) settings = NULL;
  char *one[] = { NULL, NULL };
  g_autofree char *name = NULL;

  if (!gtk_widget_get_sensitive (GTK_WIDGET (self->certificates)))
    return FALSE;
  if (self->keys != NULL)
    {
      settings = read_settings (self);
      if (settings == NULL)
        return FALSE;
      *certificates = g_strdupv (
        (char **) reroute_settings_get_paths (settings, REROUTE_SETTING_TLS_CERTIFICATE));
      *keys = g_strdupv ((char **) reroute_settings_get_paths (settings, REROUTE_SETTING_TLS_KEY));
      return **certificates != NULL;
    }
  name = g_strstrip (g_strdup (gtk_editable_get_text (self->certificates)));
  if (*name == '\0' || !reroute_file_name_check (name, NULL))
    return FALSE;
  one[0] = name;
  *certificates = g_strdupv (one);
  *keys = g_new0 (char *, 1);
  return TRUE;
}

static void
judged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteCertificateCheck *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *remark = NULL;
  g_autofree char *sentence = NULL;

  reroute_relay_client_judge_certificates_finish (
    REROUTE_RELAY_CLIENT (source), result, &remark, &error);
  /* What is typed is another by now, or all of it is gone. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (error != NULL)
    g_debug ("nothing is known of the files: %s", error->message);
  if (remark != NULL)
    {
      reroute_certificate_translate (&remark);
      /* Translators: %s is what is wrong with a file, without a full stop */
      sentence = g_strdup_printf (_ ("The relay says: %s"), remark);
    }
  reroute_field_error_set_warning (self->line, sentence);
}

static void
forget_question (RerouteCertificateCheck *self)
{
  g_clear_handle_id (&self->timeout_id, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static gboolean
ask_cb (gpointer user_data)
{
  RerouteCertificateCheck *self = user_data;
  g_auto (GStrv) certificates = NULL;
  g_auto (GStrv) keys = NULL;

  self->timeout_id = 0;
  if (!reroute_relay_watch_is_available (self->watch) || !read_names (self, &certificates, &keys))
    {
      reroute_field_error_set_warning (self->line, NULL);
      return G_SOURCE_REMOVE;
    }
  self->cancellable = g_cancellable_new ();
  reroute_relay_client_judge_certificates_async (reroute_relay_watch_get_client (self->watch),
                                                 self->keys != NULL ? "clients" : "hosts",
                                                 (const char *const *) certificates,
                                                 (const char *const *) keys,
                                                 self->cancellable,
                                                 judged_cb,
                                                 self);
  return G_SOURCE_REMOVE;
}

/* --- when to ask --- */

static void
ask_soon (RerouteCertificateCheck *self)
{
  forget_question (self);
  self->timeout_id = g_timeout_add (QUIET_MS, ask_cb, self);
}

static void
typed_cb (GtkEditable *field, RerouteCertificateCheck *self)
{
  reroute_field_error_set_warning (self->line, NULL);
  ask_soon (self);
}

static void
sensitive_cb (GtkWidget *field, GParamSpec *pspec, RerouteCertificateCheck *self)
{
  ask_soon (self);
}

static void
relay_cb (RerouteRelayWatch *watch, RerouteCertificateCheck *self)
{
  gboolean is_there = reroute_relay_watch_is_available (watch);

  if (is_there == self->relay_is_there)
    return;
  self->relay_is_there = is_there;
  ask_soon (self);
}

static void
reroute_certificate_check_dispose (GObject *object)
{
  RerouteCertificateCheck *self = REROUTE_CERTIFICATE_CHECK (object);

  forget_question (self);
  g_clear_object (&self->watch);

  G_OBJECT_CLASS (reroute_certificate_check_parent_class)->dispose (object);
}

static void
reroute_certificate_check_class_init (RerouteCertificateCheckClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = reroute_certificate_check_dispose;
}

static void
reroute_certificate_check_init (RerouteCertificateCheck *self)
{
}

RerouteCertificateCheck *
reroute_certificate_check_new (RerouteRelayWatch *watch,
                               GtkEditable *certificates,
                               GtkEditable *keys,
                               RerouteFieldError *line)
{
  g_return_val_if_fail (REROUTE_IS_RELAY_WATCH (watch), NULL);
  g_return_val_if_fail (GTK_IS_EDITABLE (certificates) && REROUTE_IS_FIELD_ERROR (line), NULL);

  RerouteCertificateCheck *self = g_object_new (REROUTE_TYPE_CERTIFICATE_CHECK, NULL);

  self->watch = g_object_ref (watch);
  self->certificates = certificates;
  self->keys = keys;
  self->line = line;
  self->relay_is_there = reroute_relay_watch_is_available (watch);
  g_signal_connect_object (certificates, "changed", G_CALLBACK (typed_cb), self, 0);
  g_signal_connect_object (certificates, "notify::sensitive", G_CALLBACK (sensitive_cb), self, 0);
  if (keys != NULL)
    g_signal_connect_object (keys, "changed", G_CALLBACK (typed_cb), self, 0);
  g_signal_connect_object (watch, "changed", G_CALLBACK (relay_cb), self, 0);
  ask_soon (self);
  return self;
}
