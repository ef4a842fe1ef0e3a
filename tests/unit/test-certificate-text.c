/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-certificate-text.c - what the relay says of files of certificates, in German
 */

#include "config.h"

#include "common/certificate-text.h"
#include "common/ruleset-check.h"

#include <glib/gi18n-lib.h>
#include <locale.h>

#define CANNOT "cannot use the certificate “/a.pem”: "
#define NICHT "das Zertifikat „/a.pem“ ist nicht zu gebrauchen: "

static const struct
{
  const char *english;
  const char *german;
} rows[] = {
  { CANNOT "No such file or directory", NICHT "die Datei oder das Verzeichnis gibt es nicht" },
  { CANNOT "it has expired on 2026-11-30", NICHT "es ist am 2026-11-30 abgelaufen" },
  { CANNOT "it holds no certificate in PEM form",
    NICHT "die Datei enthält kein Zertifikat in PEM-Form" },
  { CANNOT "the key “/a.key”: it does not belong to the certificate",
    NICHT "der Schlüssel „/a.key“: er gehört nicht zum Zertifikat" },
  { CANNOT "the key “/a.key”: Permission denied",
    NICHT "der Schlüssel „/a.key“: keine Berechtigung" },
  { CANNOT "it wants; a password; " CANNOT "out of memory; and 12 more",
    NICHT "it wants; a password; " NICHT "kein Speicher mehr frei; und 12 weitere" },
  { CANNOT "the key “/a.key”: it does not belong to the certificate; " CANNOT
           "it holds more certificates than a chain has",
    NICHT "der Schlüssel „/a.key“: er gehört nicht zum Zertifikat; " NICHT
          "die Datei enthält mehr Zertifikate, als eine Kette hat" },
  { "a certificate expires on 2026-11-30", "ein Zertifikat läuft am 2026-11-30 ab" },
  { "TLS is not offered to clients; " CANNOT "out of memory",
    "TLS wird den Clients nicht angeboten; " NICHT "kein Speicher mehr frei" },
  { "TLS is offered to clients; a certificate expires on 2026-11-30",
    "TLS wird den Clients angeboten; ein Zertifikat läuft am 2026-11-30 ab" },
  { "cannot set up TLS", "TLS lässt sich nicht einrichten" },
  /* What is not ours stays as it is. */
  { CANNOT "Too many levels of symbolic links", NICHT "Too many levels of symbolic links" },
  { "something new", "something new" },
  { "", "" },
};

static void
speak (const char *language)
{
  g_setenv ("LANGUAGE", language, TRUE);
  textdomain (GETTEXT_PACKAGE); /* gettext looks at LANGUAGE again */
}

static void
test_rows (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *english = NULL;
      g_autofree char *german = NULL;

      speak ("C");
      english = reroute_certificate_dup_text (rows[i].english);
      g_assert_cmpstr (english, ==, rows[i].english);
      speak ("de");
      german = reroute_certificate_dup_text (rows[i].english);
      g_assert_cmpstr (german, ==, rows[i].german);
    }
}

/* A program that reads it gets the relay's words. */
static void
test_finding (void)
{
  RerouteFinding *finding = NULL;
  g_autofree char *english = NULL;

  speak ("de");
  finding = reroute_finding_new_certificate (rows[0].english);
  english = reroute_finding_dup_english (finding);
  g_assert_cmpstr (finding->arguments[0], ==, rows[0].english);
  g_assert_true (g_str_has_prefix (finding->sentence, "Das Relay sagt: "));
  g_assert_true (g_str_has_suffix (finding->sentence, rows[0].german));
  g_assert_true (g_str_has_suffix (english, rows[0].english));
  reroute_finding_free (finding);
}

int
main (int argc, char **argv)
{
  g_autofree char *catalogues = NULL;

  g_test_init (&argc, &argv, NULL);
  catalogues = g_test_build_filename (G_TEST_BUILT, "..", "po", NULL);
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, catalogues);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  /* GLib decides at its first look whether a program is translated at all. */
  speak ("de");
  g_test_message ("%s", _ ("cannot set up TLS"));
  g_test_add_func ("/certificate-text/rows", test_rows);
  g_test_add_func ("/certificate-text/finding", test_finding);
  return g_test_run ();
}
