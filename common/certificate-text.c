/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * certificate-text.c - what the relay says of files of certificates, in the reader's language
 *
 * As in step-text.c each sentence is held against its pattern, and what stands in its places goes
 * into the translated pattern; the reason at its end is such a sentence itself.
 */

#include "config.h"

#include "common/certificate-text.h"

#include "common/pattern.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define BETWEEN "; "
#define BEGINNING "cannot use the certificate “"

/* clang-format off */
/* The last place is a reason. */
static const char *const sentences[] = {
  /* Translators: two names of files, and why the key cannot be used, without a full stop */
  N_("cannot use the certificate “%s”: the key “%s”: %s"),
  /* Translators: the name of a file, and why it cannot be used, without a full stop */
  N_("cannot use the certificate “%s”: %s"),
};
/* clang-format on */

/* clang-format off */
/* Translators: why a file of a certificate or key cannot be used: what stands behind “cannot use
   the certificate “/etc/ssl/mail.pem”: ”; “it” is the file or what is in it */
static const char *const reasons[] = {
  N_("No such file or directory"),
  N_("Permission denied"),
  N_("it is no ordinary file"),
  N_("it is too large for one"),
  N_("it cannot be read to its end"),
  N_("out of memory"),
  N_("it holds no certificate in PEM form"),
  /* Translators: a day, “2026-11-30”; of a certificate */
  N_("it has expired on %s"),
  /* Translators: a day, “2026-11-30”; of a certificate */
  N_("it is not valid before %s"),
  /* Translators: of a certificate */
  N_("no key is named for it"),
  N_("its private key is of no use"),
  N_("the private key in it does not belong to the certificate"),
  N_("its private key wants a password, and nobody is there to say it"),
  N_("it holds no private key in PEM form: put the key into the file of the certificate"),
  N_("a certificate in it is of no use"),
  N_("it holds more certificates than a chain has"),
  /* Translators: “it” is a key */
  N_("it does not belong to the certificate"),
  N_("it holds no private key in PEM form; name the file that does in “tls-key”"),
  /* Translators: “it” is a key */
  N_("it wants a password, and nobody is there to say it"),
  N_("its file has not been read yet"),
  /* Translators: a day, “2026-11-30” */
  N_("a certificate expires on %s"),
  N_("cannot set up TLS"),
  N_("TLS is not offered to clients"),
  /* Translators: a day, “2026-11-30” */
  N_("TLS is offered to clients; a certificate expires on %s"),
};
/* clang-format on */

static char *
dup_reason (const char *remark)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      g_auto (GStrv) found = reroute_pattern_match (reasons[i], remark);

      if (found != NULL)
        return reroute_pattern_fill (_ (reasons[i]), found);
    }
  return g_strdup (remark);
}

static char *
dup_sentence (const char *remark)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sentences); i++)
    {
      g_auto (GStrv) found = reroute_pattern_match (sentences[i], remark);
      char **last = NULL;
      g_autofree char *reason = NULL;

      if (found == NULL)
        continue;
      last = &found[g_strv_length (found) - 1];
      reason = g_steal_pointer (last);
      *last = dup_reason (reason);
      return reroute_pattern_fill (_ (sentences[i]), found);
    }
  return dup_reason (remark);
}

/* Of several files: one sentence behind the other. */
static char *
dup_sentences (const char *remark)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *next = NULL;

  for (const char *at = remark; at != NULL; at = next)
    {
      const char *end = strstr (at, BETWEEN BEGINNING);
      g_autofree char *sentence = end != NULL ? g_strndup (at, (gsize) (end - at)) : g_strdup (at);
      g_autofree char *own = dup_sentence (sentence);

      g_string_append_printf (text, "%s%s", at != remark ? BETWEEN : "", own);
      next = end != NULL ? end + strlen (BETWEEN) : NULL;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
reroute_certificate_dup_text (const char *remark)
{
  /* Translators: what is wrong with some files; the number of further ones */
  static const char more[] = N_ ("%s; and %s more");
  g_auto (GStrv) found = NULL;
  g_autofree char *named = NULL;

  g_return_val_if_fail (remark != NULL, NULL);

  found = reroute_pattern_match (more, remark);
  if (found == NULL)
    return dup_sentences (remark);
  named = g_steal_pointer (&found[0]);
  found[0] = dup_sentences (named);
  return reroute_pattern_fill (_ (more), found);
}

void
reroute_certificate_translate (char **remark)
{
  g_autofree char *english = NULL;

  g_return_if_fail (remark != NULL && *remark != NULL);

  english = g_steal_pointer (remark);
  *remark = reroute_certificate_dup_text (english);
}
