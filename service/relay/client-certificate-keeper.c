/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * client-certificate-keeper.c - the files of certificates that next hops are shown
 *
 * Which files are named is counted from change to change of the rules: there may be a million rows,
 * and mostly none of them names one.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-tls"

#include "service/relay/client-certificate-keeper.h"

#include "common/email-domain.h"
#include "service/relay/certificate.h"

#define LOOK_EVERY_S 5
#define TOLD_MOST 3 /* files that a failure names */

typedef struct
{
  guint n_users;                         /* rows that are on, and the setting */
  char *looks;                           /* of the file when it was read last; NULL: never */
  RerouteClientCertificate *certificate; /* NULL: */
  char *failure;                         /* why there is none */
} File;

struct _RerouteClientCertificateKeeper
{
  RerouteScheduler *scheduler;
  guint look_id;
  RerouteRuleset *ruleset; /* NULL before the first */
  GHashTable *files;       /* (element-type utf8 File) */
};

static void
free_file (gpointer data)
{
  File *file = data;

  g_free (file->looks);
  g_clear_pointer (&file->certificate, reroute_client_certificate_unref);
  g_free (file->failure);
  g_free (file);
}

/* --- which files --- */

static void
count_name (RerouteClientCertificateKeeper *self, const char *name, int more)
{
  File *file;

  if (*name == '\0')
    return;
  file = g_hash_table_lookup (self->files, name);
  if (file == NULL)
    {
      file = g_new0 (File, 1);
      g_hash_table_insert (self->files, g_strdup (name), file);
    }
  file->n_users += (guint) more;
}

static void
count_row (RerouteClientCertificateKeeper *self, const RerouteRow *row, int more)
{
  if (row != NULL && row->enabled)
    count_name (self, ((const RerouteEmailDomain *) row)->certificate, more);
}

static gboolean
row_cb (RerouteRow *row, gpointer user_data)
{
  count_row (user_data, row, 1);
  return TRUE;
}

static gboolean
change_cb (RerouteRow *before, RerouteRow *after, gpointer user_data)
{
  count_row (user_data, after, 1);
  count_row (user_data, before, -1);
  return TRUE;
}

static void
count_setting (RerouteClientCertificateKeeper *self, RerouteRuleset *ruleset, int more)
{
  count_name (self,
              reroute_settings_get_text (reroute_ruleset_get_settings (ruleset),
                                         REROUTE_SETTING_DEFAULT_CERTIFICATE),
              more);
}

static gboolean
is_unused (gpointer name, gpointer value, gpointer user_data)
{
  return ((const File *) value)->n_users == 0;
}

/* --- what is in them --- */

/* Returns: whether it is another one than before, or fails in another way */
static gboolean
read_file (const char *name, File *file, gboolean has_changed)
{
  g_autofree char *failure = g_steal_pointer (&file->failure);
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&file->certificate, reroute_client_certificate_unref);
  file->certificate = reroute_client_certificate_read (name, &error);
  if (file->certificate != NULL)
    return TRUE;
  file->failure = g_strdup (error->message);
  if (!has_changed && g_strcmp0 (failure, file->failure) == 0)
    return FALSE;
  g_warning ("%s; mail that it is to be shown for waits", error->message);
  return TRUE;
}

/* One that cannot be used is read each time: its day may have come.  Returns: as read_file() */
static gboolean
look_at (const char *name, File *file)
{
  g_autoptr (GString) looks = g_string_new (NULL);
  gint64 now_s = g_get_real_time () / G_USEC_PER_SEC;
  gboolean is_good = file->certificate != NULL &&
                     reroute_client_certificate_get_expiry_s (file->certificate) >= now_s;
  gboolean has_changed;

  reroute_certificate_append_looks (looks, name);
  has_changed = g_strcmp0 (looks->str, file->looks) != 0;
  if (!has_changed && is_good)
    return FALSE;
  g_free (file->looks);
  file->looks = g_string_free (g_steal_pointer (&looks), FALSE);
  return read_file (name, file, has_changed);
}

static void
put_in_force (RerouteClientCertificateKeeper *self)
{
  g_autoptr (RerouteClientCertificates) certificates = reroute_client_certificates_new ();
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, self->files);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      const File *file = value;

      reroute_client_certificates_add (certificates, name, file->certificate, file->failure);
    }
  reroute_scheduler_set_client_certificates (self->scheduler, certificates);
}

static void
look_again (RerouteClientCertificateKeeper *self)
{
  gboolean changed = FALSE;
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, self->files);
  while (g_hash_table_iter_next (&iter, &name, &value))
    changed |= look_at (name, value);
  if (changed)
    put_in_force (self);
}

static gboolean
look_cb (gpointer user_data)
{
  look_again (user_data);
  return G_SOURCE_CONTINUE;
}

/* --- public --- */

RerouteClientCertificateKeeper *
reroute_client_certificate_keeper_new (RerouteScheduler *scheduler)
{
  g_return_val_if_fail (scheduler != NULL, NULL);

  RerouteClientCertificateKeeper *self = g_new0 (RerouteClientCertificateKeeper, 1);

  self->scheduler = scheduler;
  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_file);
  self->look_id = g_timeout_add_seconds (LOOK_EVERY_S, look_cb, self);
  return self;
}

void
reroute_client_certificate_keeper_free (RerouteClientCertificateKeeper *self)
{
  g_return_if_fail (self != NULL);

  g_source_remove (self->look_id);
  g_clear_pointer (&self->ruleset, reroute_ruleset_unref);
  g_hash_table_unref (self->files);
  g_free (self);
}

void
reroute_client_certificate_keeper_set_ruleset (RerouteClientCertificateKeeper *self,
                                               RerouteRuleset *ruleset)
{
  g_return_if_fail (self != NULL && ruleset != NULL);

  g_autoptr (RerouteRuleset) old = self->ruleset;

  self->ruleset = reroute_ruleset_ref (ruleset);
  count_setting (self, ruleset, 1);
  if (old == NULL)
    reroute_ruleset_foreach (ruleset, REROUTE_PAGE_CONNECTIONS, row_cb, self);
  else
    {
      count_setting (self, old, -1);
      reroute_ruleset_foreach_change (ruleset, old, REROUTE_PAGE_CONNECTIONS, change_cb, self);
    }
  g_hash_table_foreach_remove (self->files, is_unused, NULL);
  look_again (self);
}

void
reroute_client_certificate_keeper_reload (RerouteClientCertificateKeeper *self)
{
  GHashTableIter iter;
  gpointer value;

  g_return_if_fail (self != NULL);

  g_hash_table_iter_init (&iter, self->files);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_clear_pointer (&((File *) value)->looks, g_free);
  look_again (self);
}

char *
reroute_client_certificate_keeper_dup_failure (const RerouteClientCertificateKeeper *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autoptr (GList) names =
               g_list_sort (g_hash_table_get_keys (self->files), (GCompareFunc) g_strcmp0);
  g_autoptr (GString) text = g_string_new (NULL);
  guint n = 0;

  for (const GList *each = names; each != NULL; each = each->next)
    {
      const File *file = g_hash_table_lookup (self->files, each->data);

      if (file->failure != NULL && ++n <= TOLD_MOST)
        g_string_append_printf (text, "%s%s", n > 1 ? "; " : "", file->failure);
    }
  if (n > TOLD_MOST)
    g_string_append_printf (text, "; and %u more", n - TOLD_MOST);
  return n > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

void
reroute_client_certificate_keeper_foreach (const RerouteClientCertificateKeeper *self,
                                           RerouteCertificateFunc func,
                                           gpointer user_data)
{
  GHashTableIter iter;
  gpointer name, value;

  g_return_if_fail (self != NULL && func != NULL);

  g_hash_table_iter_init (&iter, self->files);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      const File *file = value;

      func (name,
            file->certificate != NULL ? reroute_client_certificate_get_expiry_s (file->certificate)
                                      : 0,
            file->failure,
            user_data);
    }
}
