/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-keeper.c - the certificates that the settings name, read again when they change
 *
 * The files are looked at every few seconds instead of being watched: what is renewed is mostly a
 * link, or a file that another one is moved over, in a folder that is not ours to watch.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-tls"

#include "service/relay/receive/tls-keeper.h"

#include "service/relay/certificate.h"

#define LOOK_EVERY_S 5
#define NEW_KEYS_US                                                                                \
  (12 * 3600 * (gint64) G_USEC_PER_SEC) /* then tickets of before are of no use                    \
                                         */

struct _RerouteTlsKeeper
{
  RerouteTlsKeeperFunc changed;
  gpointer user_data;
  guint look_id;

  RerouteSettings *settings;
  RerouteTlsServer *server; /* NULL: none */
  gint64 read_us;           /* monotonic */
  char *looks;              /* of the files when they were read last */
  char *failure;            /* why the files as they are now cannot be used */
};

static void
append_looks (GString *looks, const char *const *files)
{
  for (gsize i = 0; files[i] != NULL; i++)
    reroute_certificate_append_looks (looks, files[i]);
}

static const char *const *
get_files (const RerouteTlsKeeper *self, RerouteSettingId id)
{
  return reroute_settings_get_paths (self->settings, id);
}

static char *
look (const RerouteTlsKeeper *self)
{
  GString *looks = g_string_new (NULL);

  append_looks (looks, get_files (self, REROUTE_SETTING_TLS_CERTIFICATE));
  append_looks (looks, get_files (self, REROUTE_SETTING_TLS_KEY));
  return g_string_free (looks, FALSE);
}

/* Takes @server. */
static void
put_in_force (RerouteTlsKeeper *self, RerouteTlsServer *server)
{
  g_clear_pointer (&self->server, reroute_tls_server_unref);
  self->server = server;
  self->changed (server, self->user_data);
}

static void
read_files (RerouteTlsKeeper *self, gboolean has_changed)
{
  const char *const *certificates = get_files (self, REROUTE_SETTING_TLS_CERTIFICATE);
  g_autofree char *failure = g_steal_pointer (&self->failure);
  g_autoptr (GError) error = NULL;
  RerouteTlsServer *server;

  self->read_us = g_get_monotonic_time ();
  if (certificates[0] == NULL)
    {
      if (self->server != NULL)
        put_in_force (self, NULL);
      return;
    }
  server = reroute_tls_server_new (certificates, get_files (self, REROUTE_SETTING_TLS_KEY), &error);
  if (server != NULL)
    {
      put_in_force (self, server);
      return;
    }
  self->failure = g_strdup (error->message);
  if (!has_changed && g_strcmp0 (failure, self->failure) == 0)
    return;
  g_warning ("%s; %s",
             error->message,
             self->server != NULL ? "the certificate that was in force before stays"
                                  : "TLS is not offered to clients");
}

/* Files that cannot be used are read each time: the day of a certificate may have come. */
static void
look_again (RerouteTlsKeeper *self)
{
  g_autofree char *looks = look (self);
  gboolean has_changed = g_strcmp0 (looks, self->looks) != 0;
  gboolean is_good =
    self->failure == NULL &&
    (self->server == NULL || g_get_monotonic_time () - self->read_us < NEW_KEYS_US);

  if (!has_changed && is_good)
    return;
  g_free (self->looks);
  self->looks = g_steal_pointer (&looks);
  read_files (self, has_changed);
}

static gboolean
look_cb (gpointer user_data)
{
  look_again (user_data);
  return G_SOURCE_CONTINUE;
}

RerouteTlsKeeper *
reroute_tls_keeper_new (RerouteTlsKeeperFunc changed, gpointer user_data)
{
  g_return_val_if_fail (changed != NULL, NULL);

  RerouteTlsKeeper *self = g_new0 (RerouteTlsKeeper, 1);
  self->changed = changed;
  self->user_data = user_data;
  self->settings = reroute_settings_new ();
  self->look_id = g_timeout_add_seconds (LOOK_EVERY_S, look_cb, self);
  return self;
}

void
reroute_tls_keeper_free (RerouteTlsKeeper *self)
{
  g_return_if_fail (self != NULL);

  g_source_remove (self->look_id);
  reroute_settings_unref (self->settings);
  g_clear_pointer (&self->server, reroute_tls_server_unref);
  g_free (self->looks);
  g_free (self->failure);
  g_free (self);
}

void
reroute_tls_keeper_set_settings (RerouteTlsKeeper *self, RerouteSettings *settings)
{
  g_return_if_fail (self != NULL && settings != NULL);

  reroute_settings_ref (settings);
  reroute_settings_unref (self->settings);
  self->settings = settings;
  look_again (self);
}

void
reroute_tls_keeper_reload (RerouteTlsKeeper *self)
{
  g_return_if_fail (self != NULL);

  g_clear_pointer (&self->looks, g_free);
  look_again (self);
}

char *
reroute_tls_keeper_describe (const RerouteTlsKeeper *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autoptr (GString) text = g_string_new (NULL);

  if (self->server == NULL)
    g_string_append (text, "not offered to clients");
  else
    {
      g_autofree char *day =
        reroute_certificate_format_day (reroute_tls_server_get_expiry_s (self->server));

      g_string_append_printf (text, "offered to clients; a certificate expires on %s", day);
    }
  if (self->failure != NULL)
    g_string_append_printf (text, "; %s", self->failure);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

const char *
reroute_tls_keeper_get_failure (const RerouteTlsKeeper *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->failure;
}

void
reroute_tls_keeper_foreach (const RerouteTlsKeeper *self,
                            RerouteCertificateFunc func,
                            gpointer user_data)
{
  g_return_if_fail (self != NULL && func != NULL);

  if (self->server != NULL)
    reroute_tls_server_foreach (self->server, func, user_data);
  if (self->failure != NULL)
    func (
      reroute_setting_specs ()[REROUTE_SETTING_TLS_CERTIFICATE].key, 0, self->failure, user_data);
}
