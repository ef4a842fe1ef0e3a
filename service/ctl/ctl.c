/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ctl.c - what the verbs of reroutectl share: the services, options, JSON
 */

#include "config.h"

#include "service/ctl/ctl.h"
#include "service/ctl/output.h"

#include <glib/gi18n.h>

void
reroute_ctl_clear (RerouteCtl *self)
{
  g_clear_object (&self->rules);
  g_clear_object (&self->relay);
  g_clear_object (&self->bus);
  g_clear_pointer (&self->remote, reroute_remote_free);
  g_clear_pointer (&self->words, g_ptr_array_unref);
}

void
reroute_ctl_wait_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **where = user_data;

  *where = g_object_ref (result);
}

GAsyncResult *
reroute_ctl_wait (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

gboolean
reroute_ctl_open_bus (RerouteCtl *self, GError **error)
{
  if (self->remote != NULL)
    self->bus = reroute_bus_new_remote (g_steal_pointer (&self->remote), self->address);
  else
    self->bus = reroute_bus_new (self->session, self->address);
  if (!reroute_bus_open (self->bus, error))
    return FALSE;
  self->rules = reroute_rules_client_new (self->bus);
  self->relay = reroute_relay_client_new (self->bus);
  return TRUE;
}

static char *
dup_text (const char *word)
{
  return g_locale_to_utf8 (word, -1, NULL, NULL, NULL);
}

static void
refuse_word (const char *word, GError **error)
{
  g_autofree char *plain = reroute_ctl_dup_plain (word);

  g_set_error (error,
               G_OPTION_ERROR,
               G_OPTION_ERROR_BAD_VALUE,
               /* Translators: %s is a word that was typed */
               _ ("“%s” is not text in the encoding of the locale"), plain);
}

void
reroute_ctl_reword_encoding (int argc, char **argv, GError **error)
{
  if (error == NULL || *error == NULL || (*error)->domain != G_CONVERT_ERROR)
    return;
  for (int i = 1; i < argc; i++)
    {
      g_autofree char *text = dup_text (argv[i]);

      if (text != NULL)
        continue;
      g_clear_error (error);
      refuse_word (argv[i], error);
      return;
    }
}

/* Words arrive in the encoding of the locale; the name of a file is octets. */
static gboolean
take_words (RerouteCtl *self, int argc, char **argv, GError **error)
{
  self->words = g_ptr_array_new_with_free_func (g_free);
  for (int i = 1; i < (self->last_is_file ? argc - 1 : argc); i++)
    {
      char *text = dup_text (argv[i]);

      if (text == NULL)
        {
          refuse_word (argv[i], error);
          return FALSE;
        }
      g_ptr_array_add (self->words, text);
      argv[i] = text;
    }
  return TRUE;
}

static guint
count_marks (int argc, char **argv)
{
  guint n = 0;

  for (int i = 1; i < argc; i++)
    n += g_str_equal (argv[i], "--");
  return n;
}

/* GLib leaves the “--” where a word that begins with “-” follows. */
static void
drop_mark (int *argc, char **argv)
{
  int at = 1;

  while (at < *argc && !g_str_equal (argv[at], "--"))
    at++;
  if (at == *argc)
    return;
  (*argc)--;
  for (; at < *argc; at++)
    argv[at] = argv[at + 1];
  argv[at] = NULL;
}

gboolean
reroute_ctl_parse (RerouteCtl *self,
                   const GOptionEntry *entries,
                   int *argc,
                   char ***argv,
                   int minimum,
                   int maximum,
                   GError **error)
{
  const GOptionEntry common[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &self->json, NULL, NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  guint n_marks = count_marks (*argc, *argv);
  int n_words;

  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, common, NULL);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    {
      reroute_ctl_reword_encoding (*argc, *argv, error);
      return FALSE;
    }

  if (count_marks (*argc, *argv) == n_marks)
    drop_mark (argc, *argv);
  n_words = *argc - 1;
  if (n_words < minimum || n_words > maximum)
    {
      g_set_error (error,
                   G_OPTION_ERROR,
                   G_OPTION_ERROR_FAILED,
                   n_words < minimum
                   ? _ ("“%s” wants more arguments")
                   : _ ("“%s” has too many arguments"), (*argv)[0]);
      return FALSE;
    }
  return take_words (self, *argc, *argv, error) && reroute_ctl_open_bus (self, error);
}

void
reroute_ctl_print_json (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autofree char *text = NULL;

  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  text = json_generator_to_data (generator, NULL);
  reroute_ctl_print_data (text);
  reroute_ctl_print_data ("\n");
}

void
reroute_ctl_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
reroute_ctl_add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
reroute_ctl_add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}
