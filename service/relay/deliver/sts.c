/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sts.c - the policy of a domain: is it known, is it the newest, where is it from
 *
 * A look-up asks for the record; a policy with another id is fetched.  A policy is fetched anew
 * once a day for as long as it is used, so that one who can keep us from its host for a while gains
 * nothing.  What the network says can add a policy or replace it, never end one before its time.
 *
 * Standards: RFC 8461 sections 3 (discovery), 5.1 (control flow), 10.2 (refresh).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/sts.h"

#include "common/limits.h"
#include "service/relay/deliver/sts-cache.h"
#include "service/relay/deliver/https.h"

#define FILE_NAME "mta-sts"
#define SAVE_AFTER_US G_USEC_PER_SEC
#define DAY_S ((gint64) 86400)
#define REFRESHES_MOST 8 /* at a time */
#define PAUSE_S 60       /* while nothing may be asked */

typedef struct
{
  RerouteStsFunc func;
  gpointer user_data;
} Asker;

/* A question on its way, and what it is about. */
typedef struct
{
  RerouteSts *sts;
  RerouteStsEntry *entry;
} Question;

struct _RerouteSts
{
  RerouteStsConfig config;
  RerouteStsCache *cache;
  RerouteHttps *https;
  gboolean closing;
  guint generation; /* of the DNS settings */
  RerouteTimer save;
  RerouteTimer refresh;
  guint n_refreshing;
};

static gint64
get_now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/* --- keeping --- */

static void
save (RerouteSts *self)
{
  g_autoptr (GBytes) octets = reroute_sts_cache_to_file (self->cache);

  reroute_https_save (self->https, FILE_NAME, octets);
}

static void
save_due (RerouteTimer *timer)
{
  save ((RerouteSts *) ((char *) timer - G_STRUCT_OFFSET (RerouteSts, save)));
}

static void
save_soon (RerouteSts *self)
{
  if (self->save.due_us == 0 && !self->closing)
    reroute_worker_arm_timer (self->config.worker,
                              &self->save,
                              reroute_worker_now_us (self->config.worker) + SAVE_AFTER_US);
}

static void
read_file (RerouteSts *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) octets = reroute_spool_read_file (
    self->config.spool, FILE_NAME, REROUTE_LIMIT_STS_FILE_OCTETS, &error);

  if (octets != NULL && g_bytes_get_size (octets) > 0)
    reroute_sts_cache_take_file (self->cache, octets, get_now_s (), &error);
  if (error != NULL)
    g_warning ("the MTA-STS policies of before are not used: %s", error->message);
}

/* --- the end of a look-up --- */

static void arm_refresh (RerouteSts *self);

static void
finish (RerouteSts *self, RerouteStsEntry *entry)
{
  g_autoptr (GArray) askers = entry->askers;
  g_autoptr (RerouteStsPolicy) policy =
               entry->policy != NULL ? reroute_sts_policy_ref (entry->policy) : NULL;

  entry->askers = g_array_new (FALSE, FALSE, sizeof (Asker));
  entry->busy = FALSE;
  self->n_refreshing -= entry->refreshing;
  entry->refreshing = FALSE;
  g_clear_pointer (&entry->wanted_id, g_free);
  if (policy != NULL)
    arm_refresh (self);
  /* From here on the entry may go: who is answered asks for others. */
  for (guint i = 0; i < askers->len; i++)
    {
      Asker asker = g_array_index (askers, Asker, i);

      asker.func (policy, asker.user_data);
    }
}

static void
fail (RerouteSts *self, RerouteStsEntry *entry, RerouteTlsVerdict verdict, const char *why)
{
  g_autofree char *known = entry->policy != NULL
                             ? g_strdup_printf ("that of before, %s, is used",
                                                reroute_sts_mode_to_string (entry->policy->mode))
                             : g_strdup ("there is none of before: mail goes as without one");

  if (!self->closing)
    {
      g_warning ("the MTA-STS policy of %s cannot be had: %s; %s", entry->domain, why, known);
      self->config.failed (entry->domain, verdict, why, self->config.user_data);
    }
  g_free (entry->failed_id);
  entry->failed_id = g_strdup (entry->wanted_id);
  entry->retry_us =
    reroute_worker_now_us (self->config.worker) + REROUTE_LIMIT_STS_RETRY_S * G_USEC_PER_SEC;
  finish (self, entry);
}

/* --- what was asked by other DNS settings --- */

static void begin (RerouteSts *self, RerouteStsEntry *entry);

static gboolean
is_stale (const RerouteSts *self, const RerouteStsEntry *entry)
{
  return entry->generation != self->generation && !self->closing;
}

/* Frees the question. */
static void
begin_again (Question *question)
{
  RerouteStsEntry *entry = question->entry;

  g_clear_pointer (&entry->wanted_id, g_free);
  begin (question->sts, entry);
  g_free (question);
}

/* --- fetching --- */

/* What the domain itself has signed counts, whoever named its host. */
static void
fetched (GBytes *text, const RerouteHttpsTrouble *trouble, gpointer user_data)
{
  g_autofree Question *question = user_data;
  RerouteSts *self = question->sts;
  RerouteStsEntry *entry = question->entry;
  gsize length = 0;
  const char *octets = text != NULL ? g_bytes_get_data (text, &length) : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (RerouteStsPolicy) policy = NULL;

  if (text != NULL)
    policy = reroute_sts_policy_parse (octets != NULL ? octets : "", length, &error);
  if (policy == NULL && is_stale (self, entry))
    {
      begin_again (g_steal_pointer (&question));
      return;
    }
  if (policy == NULL)
    {
      if (error != NULL)
        fail (self, entry, REROUTE_TLS_VERDICT_STS_POLICY_INVALID, error->message);
      else
        fail (self,
              entry,
              trouble->bad_certificate ? REROUTE_TLS_VERDICT_STS_WEBPKI_INVALID
                                       : REROUTE_TLS_VERDICT_STS_POLICY_FETCH_ERROR,
              trouble->why);
      return;
    }
  if (entry->policy == NULL || entry->policy->mode != policy->mode ||
      g_strcmp0 (entry->id, entry->wanted_id) != 0)
    g_message ("MTA-STS policy of %s: %s, id %s, for %u s",
               entry->domain,
               reroute_sts_mode_to_string (policy->mode),
               entry->wanted_id,
               policy->max_age_s);
  reroute_sts_entry_set_policy (entry, policy, entry->wanted_id, get_now_s ());
  g_clear_pointer (&entry->failed_id, g_free);
  save_soon (self);
  finish (self, entry);
}

static void
took_addresses (const RerouteDnsAnswer *answer, gpointer user_data)
{
  Question *question = user_data;
  RerouteSts *self = question->sts;
  RerouteStsEntry *entry = question->entry;
  g_autofree char *host = g_strconcat ("mta-sts.", entry->domain, NULL);
  const char *why;
  g_autoptr (GArray) addresses =
               reroute_https_choose_addresses (answer,
                                               host,
                                               self->config.get_settings (self->config.user_data),
                                               self->config.port != REROUTE_DEFAULT_HTTPS_PORT,
                                               &why);
  const RerouteHttpsRequest wanted = {
    .host = host,
    .path = "/.well-known/mta-sts.txt",
    .addresses = (const RerouteIp *) (gconstpointer) addresses->data,
    .n_addresses = addresses->len,
    .port = self->config.port,
    .trust = self->config.get_trust (self->config.user_data),
  };

  if (is_stale (self, entry))
    {
      begin_again (question);
      return;
    }
  if (self->closing || wanted.trust == NULL)
    {
      g_free (question);
      finish (self, entry);
      return;
    }
  if (addresses->len == 0)
    {
      g_free (question);
      fail (self, entry, REROUTE_TLS_VERDICT_STS_POLICY_FETCH_ERROR, why);
      return;
    }
  reroute_https_send (self->https, &wanted, fetched, question);
}

/* --- the record --- */

/* Whether the policy with that id has to be fetched now. */
static gboolean
is_wanted (RerouteSts *self, const RerouteStsEntry *entry, const char *id)
{
  if (g_strcmp0 (entry->failed_id, id) == 0 &&
      reroute_worker_now_us (self->config.worker) < entry->retry_us)
    return FALSE;
  return entry->refreshing || g_strcmp0 (entry->id, id) != 0;
}

static void
took_record (const RerouteDnsAnswer *answer, gpointer user_data)
{
  Question *question = user_data;
  RerouteSts *self = question->sts;
  RerouteStsEntry *entry = question->entry;
  gint64 now_us = reroute_worker_now_us (self->config.worker);
  g_autofree char *host = NULL;
  gboolean wanted;
  char *id;

  if (is_stale (self, entry))
    {
      begin_again (question);
      return;
    }
  id = answer->status == REROUTE_DNS_ANSWER ? reroute_sts_record_parse (answer->txt) : NULL;
  wanted = id != NULL && !self->closing && is_wanted (self, entry, id);
  entry->fresh_until_us =
    now_us + (gint64) MIN (answer->ttl_s, REROUTE_LIMIT_STS_FRESH_S) * G_USEC_PER_SEC;
  if (entry->refreshing)
    entry->retry_us = MAX (entry->retry_us, now_us + REROUTE_LIMIT_STS_RETRY_S * G_USEC_PER_SEC);
  if (!wanted)
    {
      g_free (id);
      g_free (question);
      finish (self, entry);
      return;
    }
  entry->wanted_id = id;
  host = g_strconcat ("mta-sts.", entry->domain, NULL);
  self->config.ask (
    REROUTE_STS_ASK_ADDRESSES, host, took_addresses, question, self->config.user_data);
}

static void
begin (RerouteSts *self, RerouteStsEntry *entry)
{
  g_autofree char *name = g_strconcat ("_mta-sts.", entry->domain, NULL);
  Question *question = g_new (Question, 1);

  *question = (Question){ self, entry };
  entry->busy = TRUE;
  entry->generation = self->generation;
  self->config.ask (REROUTE_STS_ASK_RECORD, name, took_record, question, self->config.user_data);
}

/* --- refresh --- */

/* When a policy is to be fetched anew though its id is the same; wall clock, seconds; G_MAXINT64:
   never. */
static gint64
get_due_s (RerouteSts *self, const RerouteStsEntry *entry, gint64 now_s)
{
  gint64 wait_us = entry->retry_us - reroute_worker_now_us (self->config.worker);
  gint64 after_s =
    CLAMP (entry->policy->max_age_s / 2, REROUTE_LIMIT_STS_RETRY_S, REROUTE_LIMIT_STS_REFRESH_S);

  if (entry->busy || reroute_sts_entry_is_over (entry, now_s) ||
      now_s - entry->used_s > REROUTE_LIMIT_STS_UNUSED_DAYS * DAY_S)
    return G_MAXINT64;
  return MAX (entry->fetched_s + after_s, now_s + wait_us / G_USEC_PER_SEC);
}

static void
wait_for_refresh (RerouteSts *self, gint64 wait_s)
{
  RerouteWorker *worker = self->config.worker;

  reroute_worker_arm_timer (
    worker, &self->refresh, reroute_worker_now_us (worker) + wait_s * G_USEC_PER_SEC);
}

static void
arm_refresh (RerouteSts *self)
{
  g_autoptr (GPtrArray) list = reroute_sts_cache_list (self->cache);
  gint64 now_s = get_now_s ();
  gint64 first_s = G_MAXINT64;

  for (guint i = 0; i < list->len; i++)
    {
      gint64 due_s = get_due_s (self, list->pdata[i], now_s);

      first_s = MIN (first_s, due_s);
    }
  reroute_worker_disarm_timer (self->config.worker, &self->refresh);
  if (first_s != G_MAXINT64 && !self->closing)
    wait_for_refresh (self, CLAMP (first_s - now_s, 1, DAY_S));
}

static void
refresh_due (RerouteTimer *timer)
{
  RerouteSts *self = (RerouteSts *) ((char *) timer - G_STRUCT_OFFSET (RerouteSts, refresh));
  g_autoptr (GPtrArray) list = reroute_sts_cache_list (self->cache);
  gint64 now_s = get_now_s ();

  if (self->config.get_trust (self->config.user_data) == NULL)
    {
      wait_for_refresh (self, PAUSE_S);
      return;
    }
  for (guint i = 0; i < list->len && self->n_refreshing < REFRESHES_MOST; i++)
    {
      RerouteStsEntry *entry = list->pdata[i];

      if (get_due_s (self, entry, now_s) > now_s)
        continue;
      entry->refreshing = TRUE;
      self->n_refreshing++;
      begin (self, entry);
    }
  arm_refresh (self);
}

/* --- public --- */

RerouteSts *
reroute_sts_new (const RerouteStsConfig *config)
{
  g_return_val_if_fail (config != NULL && config->ask != NULL, NULL);

  RerouteSts *self = g_new0 (RerouteSts, 1);

  self->config = *config;
  self->cache = reroute_sts_cache_new (sizeof (Asker));
  self->https = reroute_https_new (config->worker, config->spool);
  self->save.func = save_due;
  self->refresh.func = refresh_due;
  read_file (self);
  arm_refresh (self);
  return self;
}

void
reroute_sts_close (RerouteSts *self)
{
  g_return_if_fail (self != NULL);

  self->closing = TRUE;
  if (self->save.due_us != 0)
    save (self);
  reroute_worker_disarm_timer (self->config.worker, &self->save);
  reroute_worker_disarm_timer (self->config.worker, &self->refresh);
  g_clear_pointer (&self->https, reroute_https_free);
}

void
reroute_sts_ask_anew (RerouteSts *self)
{
  g_return_if_fail (self != NULL);

  self->generation++;
}

void
reroute_sts_free (RerouteSts *self)
{
  g_return_if_fail (self != NULL);

  g_clear_pointer (&self->https, reroute_https_free);
  reroute_sts_cache_free (self->cache);
  g_free (self);
}

void
reroute_sts_look_up (RerouteSts *self, const char *domain, RerouteStsFunc func, gpointer user_data)
{
  g_return_if_fail (self != NULL && domain != NULL && func != NULL);

  gint64 now_s = get_now_s ();
  RerouteStsEntry *entry = reroute_sts_cache_get (self->cache, domain, now_s);
  const Asker asker = { func, user_data };

  if (reroute_sts_entry_is_over (entry, now_s))
    {
      reroute_sts_entry_set_policy (entry, NULL, NULL, 0);
      entry->fresh_until_us = 0;
      save_soon (self);
    }
  if (self->closing || (entry->refreshing && entry->policy != NULL) ||
      (!entry->busy && entry->generation == self->generation &&
       reroute_worker_now_us (self->config.worker) < entry->fresh_until_us))
    {
      func (entry->policy, user_data);
      return;
    }
  g_array_append_val (entry->askers, asker);
  if (!entry->busy)
    begin (self, entry);
}
