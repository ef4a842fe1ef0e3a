/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * grammar.c - the arguments of a verb, from the line that --help prints
 */

#include "config.h"

#include "service/ctl/grammar.h"

#include <string.h>

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
#define SMALL "abcdefghijklmnopqrstuvwxyz-"

static void
free_option (gpointer data)
{
  RerouteGrammarOption *option = data;

  g_free (option->name);
  g_strfreev (option->choices);
  g_free (option->value);
  g_free (option);
}

/* Takes octets of @set off the front. */
static char *
take_run (const char **text, const char *set)
{
  gsize n = strspn (*text, set);
  char *run = g_strndup (*text, n);

  *text += n;
  return run;
}

/* Steps over what belongs to a value without being its name: "[:PORT][,...]".  Returns: whether
   more of them may follow */
static gboolean
skip_rest_of_value (const char **text)
{
  gboolean is_list = FALSE;

  for (const char *end; **text == '[' && (end = strchr (*text, ']')) != NULL;)
    {
      is_list |= g_str_has_prefix (*text, "[,...]");
      *text = end + 1;
    }
  return is_list;
}

/* "none|opportunistic", up to a bar that has an option behind it. */
static GStrv
take_choices (const char **text)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean goes_on = TRUE;

  while (goes_on)
    {
      g_autofree char *choice = take_run (text, SMALL);
      g_strv_builder_add (builder, choice);
      goes_on = g_str_has_prefix (*text, "|") && !g_str_has_prefix (*text, "|--");
      *text += goes_on;
    }
  return g_strv_builder_end (builder);
}

static void
take_option (RerouteGrammar *self, const char **text)
{
  RerouteGrammarOption *option = g_new0 (RerouteGrammarOption, 1);

  option->name = take_run (text, SMALL);
  option->has_value = **text == '=';
  *text += option->has_value;
  if (option->has_value && g_ascii_isupper (**text))
    {
      option->value = take_run (text, CAPITALS);
      option->is_list = skip_rest_of_value (text);
    }
  else if (option->has_value)
    option->choices = take_choices (text);
  g_ptr_array_add (self->options, option);
}

static void
take_word (RerouteGrammar *self, const char **text)
{
  g_ptr_array_add (self->words, take_run (text, CAPITALS));
  self->repeats = g_str_has_prefix (*text, "...");
}

RerouteGrammar *
reroute_grammar_new (const char *arguments)
{
  g_return_val_if_fail (arguments != NULL, NULL);

  RerouteGrammar *self = g_new (RerouteGrammar, 1);
  const char *text = arguments;

  self->options = g_ptr_array_new_with_free_func (free_option);
  self->words = g_ptr_array_new_with_free_func (g_free);
  self->repeats = FALSE;
  while (*text != '\0')
    {
      if (g_str_has_prefix (text, "--"))
        take_option (self, &text);
      else if (g_ascii_isupper (*text))
        take_word (self, &text);
      else
        text++;
    }
  return self;
}

void
reroute_grammar_free (RerouteGrammar *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->options);
  g_ptr_array_unref (self->words);
  g_free (self);
}

const RerouteGrammarOption *
reroute_grammar_find_option (const RerouteGrammar *self, const char *word)
{
  g_return_val_if_fail (self != NULL && word != NULL, NULL);

  gsize n = strcspn (word, "=");

  for (guint i = 0; i < self->options->len; i++)
    {
      const RerouteGrammarOption *option = self->options->pdata[i];
      if (strlen (option->name) == n && strncmp (option->name, word, n) == 0)
        return option;
    }
  return NULL;
}

const char *
reroute_grammar_get_word (const RerouteGrammar *self, guint n)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (n >= self->words->len && self->repeats)
    n = self->words->len - 1;
  return n < self->words->len ? self->words->pdata[n] : NULL;
}
