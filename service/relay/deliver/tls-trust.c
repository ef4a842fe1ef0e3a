/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tls-trust.c - the files of authorities that the setting tls-trust names
 */

#include "config.h"

#include "service/relay/deliver/tls-trust.h"

#include "common/error.h"
#include "service/relay/ordinary-file.h"

gboolean
reroute_tls_trust_check (const char *file, GError **error)
{
  g_return_val_if_fail (file != NULL, FALSE);

  const char *why = NULL;

  if (reroute_ordinary_file_check (file, &why))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_VALUE,
               "cannot read the authorities of “%s”: %s",
               file,
               why);
  return FALSE;
}

GPtrArray *
reroute_tls_trust_open (const char *const *files, GError **error)
{
  g_return_val_if_fail (files != NULL, NULL);

  g_autoptr (GPtrArray) databases = g_ptr_array_new_with_free_func (g_object_unref);

  for (gsize i = 0; files[i] != NULL; i++)
    {
      GTlsDatabase *database = reroute_tls_trust_check (files[i], error)
                                 ? g_tls_file_database_new (files[i], error)
                                 : NULL;

      if (database == NULL)
        return NULL;
      g_ptr_array_add (databases, database);
    }
  return g_steal_pointer (&databases);
}

gboolean
reroute_tls_trust_accepts (const GPtrArray *databases,
                           GTlsCertificate *certificate,
                           const char *host,
                           guint16 port)
{
  g_return_val_if_fail (databases != NULL && host != NULL, FALSE);

  g_autoptr (GSocketConnectable) identity = g_network_address_new (host, port);

  for (guint i = 1; i < databases->len; i++)
    if (g_tls_database_verify_chain (databases->pdata[i],
                                     certificate,
                                     G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER,
                                     identity,
                                     NULL,
                                     G_TLS_DATABASE_VERIFY_NONE,
                                     NULL,
                                     NULL) == 0)
      return TRUE;
  return FALSE;
}
