/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * srs-keeper.c - what rewrites senders, renewed when the setting or the keys change
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-srs"

#include "service/relay/srs-keeper.h"

#define LOOK_EVERY_S 3600 /* keys change after days */

struct _RerouteSrsKeeper
{
  RerouteSpool *spool;
  RerouteSrsKeeperFunc changed;
  gpointer user_data;
  guint look_id;

  char *domain;             /* "": none */
  RerouteSrs *srs;          /* NULL: none */
  RerouteSrsTokens *tokens; /* without a domain, too: what is kept gets old */
};

static RerouteSrs *
make_srs (RerouteSrsKeeper *self, GPtrArray *keys)
{
  RerouteSrsStore store = reroute_srs_tokens_get_store (self->tokens);

  return reroute_srs_new (self->domain, keys, &store);
}

static void
renew (RerouteSrsKeeper *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = NULL;
  gboolean had_one = self->srs != NULL;
  gboolean goes_on = had_one && g_str_equal (reroute_srs_get_domain (self->srs), self->domain);

  if (*self->domain != '\0')
    {
      keys = reroute_spool_open_srs_keys (self->spool, g_get_real_time () / G_USEC_PER_SEC, &error);
      if (keys == NULL)
        g_warning ("%s: senders %s", error->message, goes_on ? "are rewritten as before" : "stay");
    }
  /* Keys that were in force go on while the disk gives no others. */
  if (error != NULL && goes_on)
    return;
  g_clear_pointer (&self->srs, reroute_srs_unref);
  self->srs = keys != NULL ? make_srs (self, keys) : NULL;
  if (self->srs != NULL || had_one)
    self->changed (self->srs, self->user_data);
}

static void
expire_tokens (RerouteSrsKeeper *self)
{
  reroute_srs_tokens_expire (self->tokens, g_get_real_time () / G_USEC_PER_SEC);
}

static gboolean
look_cb (gpointer user_data)
{
  RerouteSrsKeeper *self = user_data;

  renew (self);
  expire_tokens (self);
  return G_SOURCE_CONTINUE;
}

RerouteSrsKeeper *
reroute_srs_keeper_new (RerouteSpool *spool, RerouteSrsKeeperFunc changed, gpointer user_data)
{
  g_return_val_if_fail (spool != NULL && changed != NULL, NULL);

  RerouteSrsKeeper *self = g_new0 (RerouteSrsKeeper, 1);

  self->spool = spool;
  self->changed = changed;
  self->user_data = user_data;
  self->domain = g_strdup ("");
  self->tokens = reroute_spool_open_srs_tokens (spool);
  expire_tokens (self);
  self->look_id = g_timeout_add_seconds (LOOK_EVERY_S, look_cb, self);
  return self;
}

void
reroute_srs_keeper_free (RerouteSrsKeeper *self)
{
  g_return_if_fail (self != NULL);

  g_source_remove (self->look_id);
  g_clear_pointer (&self->srs, reroute_srs_unref);
  g_clear_pointer (&self->tokens, reroute_srs_tokens_unref);
  g_free (self->domain);
  g_free (self);
}

void
reroute_srs_keeper_set_settings (RerouteSrsKeeper *self, RerouteSettings *settings)
{
  const char *domain = reroute_settings_get_text (settings, REROUTE_SETTING_SRS_DOMAIN);

  g_return_if_fail (self != NULL);

  if (g_str_equal (domain, self->domain))
    return;
  g_free (self->domain);
  self->domain = g_strdup (domain);
  renew (self);
}
