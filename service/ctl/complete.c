/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * complete.c - reroutectl --complete: what a shell may offer where the cursor is
 *
 * The verbs and their options come from the table of verbs; rows, accounts, generations and
 * messages from the services.  Services that do not answer at once have nothing to offer, and
 * nothing is said about it: somebody is typing.
 */

#include "config.h"

#include "service/ctl/complete.h"

#include "common/diagnosis.h"
#include "common/limits.h"
#include "common/log-level.h"
#include "common/summary-text.h"
#include "service/ctl/grammar.h"

#include <glib/gi18n.h>
#include <string.h>

#define PATIENCE_MS 1000
#define GENERATIONS_MOST 50

/* What is known of the line so far. */
typedef struct
{
  RerouteCtl *ctl;
  GCancellable *limit;     /* of the calls to a service */
  const RerouteVerb *verb; /* NULL while its name is being typed */
  GPtrArray *words;        /* (element-type utf8): behind the verb, that are no options */
  GPtrArray *options;      /* (element-type utf8): that stand there already */
  const char *prefix;      /* what each answer begins with: "--tls=", or "" */
  const char *current;     /* what was typed behind it */
} Line;

static void
offer (const Line *line, const char *word, const char *meaning)
{
  if (!g_str_has_prefix (word, line->current))
    return;
  g_print ("%s%s", line->prefix, word);
  if (meaning != NULL && *meaning != '\0')
    g_print ("\t%s", meaning);
  g_print ("\n");
}

static void
offer_all (const Line *line, const char *const *words)
{
  for (; words != NULL && *words != NULL; words++)
    offer (line, *words, NULL);
}

static gboolean
verb_begins_with (const Line *line, const char *word)
{
  return g_str_has_prefix (line->verb->name, word);
}

/* --- what the services know --- */

static gboolean
give_up (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_CONTINUE;
}

static void
offer_domains_of (const Line *line, ReroutePage page)
{
  g_autoptr (GAsyncResult) result = NULL;
  gboolean exact = line->current[0] == '#';

  reroute_rules_client_list_async (line->ctl->rules,
                                   page,
                                   exact ? line->current + 1 : line->current,
                                   "domain",
                                   0,
                                   REROUTE_LIMIT_PAGE_ROWS,
                                   line->limit,
                                   reroute_ctl_wait_cb,
                                   &result);
  g_autoptr (RerouteRowPage) rows = reroute_rules_client_list_finish (
    line->ctl->rules, reroute_ctl_wait (&result), NULL);
  for (guint i = 0; rows != NULL && i < rows->rows->len; i++)
    {
      const RerouteRow *row = rows->rows->pdata[i];
      g_autofree char *name = g_strconcat (row->exact ? "#" : "", row->domain, NULL);
      offer (line, name, row->comment);
    }
}

/* A row that is added has a domain that nobody knows yet. */
static gboolean
offer_domains (const Line *line)
{
  gboolean of_lists = verb_begins_with (line, "recipients");

  if (!of_lists && g_str_has_suffix (line->verb->name, " add"))
    return TRUE;
  if (of_lists || verb_begins_with (line, "routing"))
    offer_domains_of (line, REROUTE_PAGE_ROUTING);
  if (of_lists || verb_begins_with (line, "connections"))
    offer_domains_of (line, REROUTE_PAGE_CONNECTIONS);
  return TRUE;
}

static gboolean
offer_accounts (const Line *line)
{
  const char *const kinds[] = { "in:", "out:" };
  gboolean out = !verb_begins_with (line, "account") ||
                 g_ptr_array_find_with_equal_func (line->options, "--out", g_str_equal, NULL);
  g_autoptr (GAsyncResult) result = NULL;

  if (verb_begins_with (line, "account add"))
    return TRUE;
  reroute_relay_client_list_secrets_async (
    line->ctl->relay, line->limit, reroute_ctl_wait_cb, &result);
  g_auto (GStrv) names = reroute_relay_client_list_secrets_finish (
    line->ctl->relay, reroute_ctl_wait (&result), NULL);
  for (char **name = names; name != NULL && *name != NULL; name++)
    if (g_str_has_prefix (*name, kinds[out]))
      offer (line, *name + strlen (kinds[out]), NULL);
  return TRUE;
}

static gboolean
offer_generations (const Line *line)
{
  g_autoptr (GAsyncResult) result = NULL;

  reroute_rules_client_history_async (
    line->ctl->rules, 0, GENERATIONS_MOST, line->limit, reroute_ctl_wait_cb, &result);
  g_autoptr (GPtrArray) generations = reroute_rules_client_history_finish (
    line->ctl->rules, reroute_ctl_wait (&result), NULL);
  for (guint i = 0; generations != NULL && i < generations->len; i++)
    {
      const RerouteGeneration *generation = generations->pdata[i];
      g_autofree char *serial = g_strdup_printf ("%" G_GUINT64_FORMAT, generation->serial);
      g_autofree char *summary = reroute_summary_dup_text (generation->summary);
      offer (line, serial, summary);
    }
  return TRUE;
}

static gboolean
offer_messages (const Line *line)
{
  const RerouteQueueQuestion question = { .text = "", .limit = REROUTE_LIMIT_PAGE_ROWS };
  g_autoptr (GAsyncResult) result = NULL;

  reroute_relay_client_queue_async (
    line->ctl->relay, &question, line->limit, reroute_ctl_wait_cb, &result);
  g_autoptr (RerouteQueuePage) page = reroute_relay_client_queue_finish (
    line->ctl->relay, reroute_ctl_wait (&result), NULL);
  for (guint i = 0; page != NULL && i < page->messages->len; i++)
    {
      const RerouteQueuedMessage *message = page->messages->pdata[i];
      g_autofree char *id = g_strdup_printf ("%" G_GINT64_MODIFIER "x", message->id);
      offer (line, id, message->reverse_path);
    }
  return TRUE;
}

static gboolean
offer_groups (const Line *line, const char *by)
{
  const RerouteQueueQuestion question = { .by = by,
                                          .text = line->current,
                                          .limit = REROUTE_LIMIT_PAGE_ROWS };
  g_autoptr (GAsyncResult) result = NULL;
  guint total;

  reroute_relay_client_queue_groups_async (
    line->ctl->relay, &question, line->limit, reroute_ctl_wait_cb, &result);
  g_autoptr (GPtrArray) groups = reroute_relay_client_queue_groups_finish (
    line->ctl->relay, reroute_ctl_wait (&result), &total, NULL);
  for (guint i = 0; groups != NULL && i < groups->len; i++)
    {
      const RerouteQueueGroup *group = groups->pdata[i];
      if (group->key[0] != '\0')
        offer (line, group->key, group->last_failure);
    }
  return TRUE;
}

static gboolean
offer_next_hops (const Line *line)
{
  return offer_groups (line, "next-hop");
}

static gboolean
offer_entries (const Line *line)
{
  return offer_groups (line, "entry");
}

/* --- what needs no service --- */

static gboolean
offer_settings (const Line *line)
{
  const RerouteSettingSpec *specs = reroute_setting_specs ();

  for (gsize i = 0; i < REROUTE_N_SETTINGS; i++)
    offer (line, specs[i].key, _ (specs[i].summary));
  return TRUE;
}

static gboolean
offer_setting_values (const Line *line)
{
  const char *const switched[] = { "yes", "no", NULL };
  const RerouteSettingSpec *spec = reroute_setting_find (line->words->pdata[0], NULL);

  if (spec == NULL)
    return TRUE;
  if (spec->type == REROUTE_SETTING_TYPE_PATHS)
    return FALSE;
  offer_all (line, spec->type == REROUTE_SETTING_TYPE_BOOLEAN ? switched : spec->choices);
  return TRUE;
}

static gboolean
offer_categories (const Line *line)
{
  for (guint i = 0; i < REROUTE_N_LOG_CATEGORIES; i++)
    offer (line, reroute_log_category_to_string (i), NULL);
  return TRUE;
}

static gboolean
offer_checks (const Line *line)
{
  for (const RerouteDiagnosisCheck *check = reroute_diagnosis_get_checks (); check->name != NULL;
       check++)
    offer (line, check->name, _ (check->meaning));
  return TRUE;
}

static gboolean
offer_states (const Line *line)
{
  const char *const states[] = { "waiting", "active", "held", "etrn", NULL };

  offer_all (line, states);
  return TRUE;
}

static gboolean
offer_files (const Line *line)
{
  return FALSE;
}

typedef struct
{
  const char *verb; /* what its name begins with */
  const char *value;
  gboolean asks; /* a service */
  gboolean (*offer) (const Line *line);
} Source;

static const Source sources[] = {
  { "doctor", "CHECK", FALSE, offer_checks }, { "log", "NAME", FALSE, offer_categories },
  { "", "DOMAIN", TRUE, offer_domains },      { "", "ENTRY", TRUE, offer_entries },
  { "", "FILE", FALSE, offer_files },         { "", "HOP", TRUE, offer_next_hops },
  { "", "ID", TRUE, offer_messages },         { "", "KEY", FALSE, offer_settings },
  { "", "NAME", TRUE, offer_accounts },       { "", "SERIAL", TRUE, offer_generations },
  { "", "STATE", FALSE, offer_states },       { "", "VALUE", FALSE, offer_setting_values },
};

static void
ask (Line *line, const Source *source)
{
  /* Who types does not wait for ssh, and is not asked for a password. */
  if (line->ctl->remote != NULL)
    return;
  line->limit = g_cancellable_new ();
  guint timer = g_timeout_add (PATIENCE_MS, give_up, line->limit);

  if (reroute_ctl_open_bus (line->ctl, NULL))
    source->offer (line);
  g_source_remove (timer);
  g_clear_object (&line->limit);
}

/* Returns: FALSE: the shell shall offer files */
static gboolean
offer_values (Line *line, const char *name)
{
  const Source *source = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (sources) && source == NULL; i++)
    if (verb_begins_with (line, sources[i].verb) && g_str_equal (sources[i].value, name))
      source = &sources[i];
  if (source == NULL)
    return TRUE;
  if (!source->asks)
    return source->offer (line);
  ask (line, source);
  return TRUE;
}

/* --- the line --- */

/* The next word of each verb that begins with the @n words. */
static void
offer_verbs (const Line *line, int n, char **words)
{
  g_autoptr (GHashTable) offered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gsize n_verbs;
  const RerouteVerb *verbs = reroute_ctl_get_verbs (&n_verbs);

  for (gsize i = 0; i < n_verbs; i++)
    {
      g_auto (GStrv) name = g_strsplit (verbs[i].name, " ", -1);
      if (!reroute_ctl_is_verb_of (&verbs[i], n, words) || name[n] == NULL ||
          !g_hash_table_add (offered, g_strdup (name[n])))
        continue;
      offer (line, name[n], name[n + 1] == NULL ? _ (verbs[i].summary) : NULL);
    }
}

static gboolean
offer_option_value (Line *line, const RerouteGrammar *grammar)
{
  const RerouteGrammarOption *option = reroute_grammar_find_option (grammar, line->current);
  const char *sign = strchr (line->current, '=');

  if (option == NULL || !option->has_value)
    return TRUE;
  /* The last of a list is being typed. */
  if (option->is_list && strrchr (sign, ',') != NULL)
    sign = strrchr (sign, ',');
  g_autofree char *prefix = g_strndup (line->current, (gsize) (sign + 1 - line->current));
  line->prefix = prefix;
  line->current = sign + 1;
  offer_all (line, (const char *const *) option->choices);
  /* The domain of an option is not one of our rows. */
  gboolean is_known = option->value != NULL && !g_str_equal (option->value, "DOMAIN");
  gboolean is_ours = !is_known || offer_values (line, option->value);
  line->prefix = "";
  return is_ours;
}

static void
offer_options (const Line *line, const RerouteGrammar *grammar)
{
  for (guint i = 0; i < grammar->options->len; i++)
    {
      const RerouteGrammarOption *option = grammar->options->pdata[i];
      gboolean stands = FALSE;
      for (guint j = 0; j < line->options->len; j++)
        stands = stands || reroute_grammar_find_option (grammar, line->options->pdata[j]) == option;
      g_autofree char *text = g_strconcat (option->name, option->has_value ? "=" : "", NULL);
      if (!stands)
        offer (line, text, NULL);
    }
}

static gboolean
complete_line (Line *line)
{
  g_autoptr (RerouteGrammar) grammar = reroute_grammar_new (line->verb->arguments);
  const char *word = reroute_grammar_get_word (grammar, line->words->len);

  if (g_str_has_prefix (line->current, "--"))
    {
      if (strchr (line->current, '=') != NULL)
        return offer_option_value (line, grammar);
      offer_options (line, grammar);
      return TRUE;
    }
  if (word != NULL)
    return offer_values (line, word);
  offer_options (line, grammar);
  return TRUE;
}

static void
sort_words (Line *line, int n, char **words)
{
  for (int i = 0; i < n; i++)
    g_ptr_array_add (g_str_has_prefix (words[i], "--") ? line->options : line->words, words[i]);
}

gboolean
reroute_ctl_complete (RerouteCtl *ctl, int n, char **words)
{
  g_return_val_if_fail (ctl != NULL && n > 0, TRUE);

  g_autoptr (GPtrArray) plain = g_ptr_array_new ();
  g_autoptr (GPtrArray) options = g_ptr_array_new ();
  Line line = {
    .ctl = ctl, .words = plain, .options = options, .prefix = "", .current = words[n - 1]
  };
  int n_name = 0;

  line.verb = reroute_ctl_find_verb (n - 1, words, &n_name);
  if (line.verb == NULL)
    {
      offer_verbs (&line, n - 1, words);
      return TRUE;
    }
  sort_words (&line, n - 1 - n_name, words + n_name);
  return complete_line (&line);
}
