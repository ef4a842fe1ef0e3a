/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * main.c - reroute, the properties dialog
 */

#include "config.h"

#include "gui/application.h"

#include <glib/gi18n.h>
#include <locale.h>

int
main (int argc, char **argv)
{
  g_autoptr (RerouteApplication) application = NULL;
  const char *catalogues = g_getenv ("REROUTE_LOCALE_DIR");

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, catalogues != NULL ? catalogues : REROUTE_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_prgname ("reroute");
  g_set_application_name (_ ("Reroute"));

  application = reroute_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
