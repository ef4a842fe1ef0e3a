/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * known-computers.c - which other computers were administered from here
 *
 * Names alone, in a file of the person's own: keys and passwords are ssh's business.
 *
 * Standards: XDG Base Directory Specification; Desktop Entry Specification (the file's form).
 */

#include "config.h"

#include "gui/known-computers.h"

#include "common/client/remote.h"
#include "common/error.h"

#include <glib/gi18n.h>

#define FOLDER_MODE 0700
#define GROUP "Computers"
#define KEY "Names"

static char *
dup_path (void)
{
  return g_build_filename (g_get_user_config_dir (), "reroute", "computers", NULL);
}

static gboolean
is_name (const char *text)
{
  g_autoptr (RerouteRemote) remote = reroute_remote_parse (text, NULL);

  return remote != NULL;
}

/* Those of @names that are names, once each. */
static GStrv
sift (const char *const *names)
{
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; names[i] != NULL && kept->len < REROUTE_KNOWN_COMPUTERS; i++)
    if (is_name (names[i]) && !g_ptr_array_find_with_equal_func (kept, names[i], g_str_equal, NULL))
      g_ptr_array_add (kept, g_strdup (names[i]));
  g_ptr_array_add (kept, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&kept), FALSE);
}

GStrv
reroute_known_computers_load (void)
{
  g_autofree char *path = dup_path ();
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) names = NULL;
  const char *const none[] = { NULL };

  if (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL))
    names = g_key_file_get_string_list (file, GROUP, KEY, NULL, NULL);
  return sift (names != NULL ? (const char *const *) names : none);
}

static gboolean
save (const char *const *names, GError **error)
{
  g_autofree char *path = dup_path ();
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) cause = NULL;

  g_key_file_set_string_list (file, GROUP, KEY, names, g_strv_length ((char **) names));
  g_mkdir_with_parents (folder, FOLDER_MODE);
  if (g_key_file_save_to_file (file, path, &cause))
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_STORE,
               /* Translators: what the system says of a file, with its name */
               _ ("the list of computers cannot be kept: %s"), cause->message);
  return FALSE;
}

gboolean
reroute_known_computers_add (const char *name, GError **error)
{
  g_auto (GStrv) known = reroute_known_computers_load ();
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) all = NULL;
  g_auto (GStrv) names = NULL;

  g_return_val_if_fail (name != NULL, FALSE);

  if (g_strcmp0 (known[0], name) == 0)
    return TRUE;
  g_strv_builder_add (builder, name);
  g_strv_builder_addv (builder, (const char **) known);
  all = g_strv_builder_end (builder);
  names = sift ((const char *const *) all);
  return save ((const char *const *) names, error);
}

gboolean
reroute_known_computers_remove (const char *name, GError **error)
{
  g_auto (GStrv) known = reroute_known_computers_load ();
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;

  g_return_val_if_fail (name != NULL, FALSE);

  for (gsize i = 0; known[i] != NULL; i++)
    if (!g_str_equal (known[i], name))
      g_strv_builder_add (builder, known[i]);
  names = g_strv_builder_end (builder);
  return save ((const char *const *) names, error);
}
