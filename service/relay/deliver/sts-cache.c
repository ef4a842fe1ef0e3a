/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sts-cache.c - the policies of domains that are known, in memory and in a file
 *
 * The file is text: a first line, then for each policy a line about it and the policy itself with
 * an empty line behind it, and a line with a checksum of all before.  See reroute-spool(5).
 *
 * Standards: RFC 8461 section 3.3 (a policy counts for max_age, whatever the network says).
 */

#include "config.h"

#include "service/relay/deliver/sts-cache.h"

#include "common/domain.h"
#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/crc32c.h"

#include <string.h>

#define FIRST_LINE "reroute-mta-sts 1\n"
#define LAST_LINE "crc32c %08x\n"
#define LAST_OCTETS 16 /* of the last line */
#define WORDS 4        /* of the line about a policy */

struct _RerouteStsCache
{
  GHashTable *entries; /* (element-type utf8 RerouteStsEntry) */
  guint asker_octets;
};

/* --- entries --- */

static void
free_entry (gpointer data)
{
  RerouteStsEntry *self = data;

  reroute_sts_entry_set_policy (self, NULL, NULL, 0);
  g_free (self->failed_id);
  g_free (self->wanted_id);
  g_array_unref (self->askers);
  g_free (self->domain);
  g_free (self);
}

RerouteStsCache *
reroute_sts_cache_new (guint asker_octets)
{
  RerouteStsCache *self = g_new0 (RerouteStsCache, 1);

  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_entry);
  self->asker_octets = asker_octets;
  return self;
}

void
reroute_sts_cache_free (RerouteStsCache *self)
{
  g_return_if_fail (self != NULL);

  g_hash_table_unref (self->entries);
  g_free (self);
}

static gboolean
is_idle_without_policy (gpointer key, gpointer value, gpointer user_data)
{
  const RerouteStsEntry *entry = value;

  return entry->policy == NULL && !entry->busy;
}

static void
make_room (RerouteStsCache *self)
{
  const RerouteStsEntry *oldest = NULL;
  GHashTableIter iter;
  gpointer value;

  if (g_hash_table_size (self->entries) < REROUTE_LIMIT_STS_DOMAINS ||
      g_hash_table_foreach_remove (self->entries, is_idle_without_policy, NULL) > 0)
    return;
  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const RerouteStsEntry *entry = value;

      if (!entry->busy && (oldest == NULL || entry->used_s < oldest->used_s))
        oldest = entry;
    }
  if (oldest != NULL)
    g_hash_table_remove (self->entries, oldest->domain);
}

RerouteStsEntry *
reroute_sts_cache_get (RerouteStsCache *self, const char *domain, gint64 now_s)
{
  g_return_val_if_fail (self != NULL && domain != NULL, NULL);

  RerouteStsEntry *entry = g_hash_table_lookup (self->entries, domain);

  if (entry == NULL)
    {
      make_room (self);
      entry = g_new0 (RerouteStsEntry, 1);
      entry->domain = g_strdup (domain);
      entry->askers = g_array_new (FALSE, FALSE, self->asker_octets);
      g_hash_table_insert (self->entries, entry->domain, entry);
    }
  entry->used_s = now_s;
  return entry;
}

GPtrArray *
reroute_sts_cache_list (RerouteStsCache *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((const RerouteStsEntry *) value)->policy != NULL)
      g_ptr_array_add (list, value);
  return list;
}

void
reroute_sts_entry_set_policy (RerouteStsEntry *self,
                              RerouteStsPolicy *policy,
                              const char *id,
                              gint64 fetched_s)
{
  /* The new ones may be the old ones. */
  RerouteStsPolicy *new_policy = policy != NULL ? reroute_sts_policy_ref (policy) : NULL;
  char *new_id = g_strdup (id);

  g_clear_pointer (&self->policy, reroute_sts_policy_unref);
  g_free (self->id);
  self->policy = new_policy;
  self->id = new_id;
  self->fetched_s = fetched_s;
}

/* A clock that was set back makes it last no longer. */
static gboolean
is_over (const RerouteStsPolicy *policy, gint64 fetched_s, gint64 now_s)
{
  return now_s >= fetched_s + (gint64) policy->max_age_s || now_s < fetched_s;
}

gboolean
reroute_sts_entry_is_over (const RerouteStsEntry *self, gint64 now_s)
{
  return self->policy != NULL && is_over (self->policy, self->fetched_s, now_s);
}

/* --- the file --- */

static int
compare_used (gconstpointer a, gconstpointer b)
{
  const RerouteStsEntry *left = *(RerouteStsEntry *const *) a;
  const RerouteStsEntry *right = *(RerouteStsEntry *const *) b;

  return (left->used_s < right->used_s) - (left->used_s > right->used_s);
}

GBytes *
reroute_sts_cache_to_file (RerouteStsCache *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autoptr (GPtrArray) list = reroute_sts_cache_list (self);
  GString *text = g_string_new (FIRST_LINE);
  gsize length;

  g_ptr_array_sort (list, compare_used);
  for (guint i = 0; i < list->len; i++)
    {
      const RerouteStsEntry *entry = list->pdata[i];
      g_autofree char *policy = reroute_sts_policy_to_text (entry->policy);
      g_autofree char *line = g_strdup_printf ("%s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
                                               entry->domain,
                                               entry->id,
                                               entry->fetched_s,
                                               entry->used_s);

      if (text->len + strlen (line) + strlen (policy) + 1 + LAST_OCTETS >
          REROUTE_LIMIT_STS_FILE_OCTETS)
        break;
      g_string_append_printf (text, "%s%s\n", line, policy);
    }
  g_string_append_printf (text, LAST_LINE, reroute_crc32c (0, text->str, text->len));
  length = text->len;
  return g_bytes_new_take (g_string_free (text, FALSE), length);
}

static gboolean
fail (GError **error, const char *why)
{
  g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, why);
  return FALSE;
}

static gboolean
take_one (RerouteStsCache *self, const char *text, gint64 now_s, GError **error)
{
  const char *end = strchr (text, '\n');
  g_autofree char *line = end != NULL ? g_strndup (text, (gsize) (end - text)) : g_strdup (text);
  g_auto (GStrv) words = g_strsplit (line, " ", WORDS + 1);
  g_autofree char *domain = NULL;
  g_autoptr (RerouteStsPolicy) policy = NULL;
  gint64 fetched_s, used_s;
  RerouteStsEntry *entry;

  if (end == NULL || g_strv_length (words) != WORDS || !reroute_sts_is_id (words[1]) ||
      !g_ascii_string_to_signed (words[2], 10, 0, G_MAXINT64 / 2, &fetched_s, NULL) ||
      !g_ascii_string_to_signed (words[3], 10, 0, G_MAXINT64 / 2, &used_s, NULL))
    return fail (error, "a line about a policy is none");
  domain = reroute_domain_normalize (words[0], NULL);
  if (g_strcmp0 (domain, words[0]) != 0)
    return fail (error, "a policy is of no domain");
  policy = reroute_sts_policy_parse (end + 1, strlen (end + 1), error);
  if (policy == NULL)
    return FALSE;
  if (self == NULL || is_over (policy, fetched_s, now_s))
    return TRUE;
  entry = reroute_sts_cache_get (self, domain, used_s);
  reroute_sts_entry_set_policy (entry, policy, words[1], fetched_s);
  return TRUE;
}

/* The text between the first line and the last; NULL: it is not what was written. */
static char *
unwrap (GBytes *octets)
{
  gsize length;
  const char *text = g_bytes_get_data (octets, &length);
  gsize n_first = strlen (FIRST_LINE);
  g_autofree char *last = NULL;

  if (length < n_first + LAST_OCTETS || memchr (text, '\0', length) != NULL ||
      memcmp (text, FIRST_LINE, n_first) != 0)
    return NULL;
  length -= LAST_OCTETS;
  last = g_strdup_printf (LAST_LINE, reroute_crc32c (0, text, length));
  if (memcmp (text + length, last, LAST_OCTETS) != 0)
    return NULL;
  return g_strndup (text + n_first, length - n_first);
}

/* @self: NULL: they are only read. */
static gboolean
take_all (RerouteStsCache *self, char **policies, gint64 now_s, GError **error)
{
  for (gsize i = 0; policies[i] != NULL; i++)
    if ((*policies[i] != '\0' || policies[i + 1] != NULL) &&
        !take_one (self, policies[i], now_s, error))
      return FALSE;
  return TRUE;
}

gboolean
reroute_sts_cache_take_file (RerouteStsCache *self, GBytes *octets, gint64 now_s, GError **error)
{
  g_return_val_if_fail (self != NULL && octets != NULL, FALSE);

  g_autofree char *text = unwrap (octets);
  g_auto (GStrv) policies = NULL;

  if (text == NULL)
    return fail (error, "its checksum is wrong");
  policies = g_strsplit (text, "\n\n", -1);
  return take_all (NULL, policies, now_s, error) && take_all (self, policies, now_s, error);
}
