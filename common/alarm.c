/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * alarm.c - alarms as they travel, and in the reader's language
 *
 * The relay sends English sentences; as in step-text.c each is held against its pattern, and what
 * stands in its places goes into the translated pattern.
 */

#include "config.h"

#include "common/alarm.h"

#include "common/certificate-text.h"
#include "common/pattern.h"

#include <glib/gi18n-lib.h>

static const struct
{
  const char *name;
  const char *title;
} kinds[] = {
  /* clang-format off */
  [REROUTE_ALARM_OLDEST] = { "oldest-message", N_("Mail waits for too long") },
  [REROUTE_ALARM_SPOOL] = { "spool", N_("The queue's disk is nearly full") },
  [REROUTE_ALARM_CERTIFICATE] = { "certificate", N_("A certificate is about to end") },
  [REROUTE_ALARM_NEXT_HOP] = { "next-hop", N_("A host takes no mail") },
  [REROUTE_ALARM_LEAVING] = { "leaving-stop", N_("A host refuses mail") },
  [REROUTE_ALARM_RULES] = { "rules", N_("The newest rules are not in force") },
            /* clang-format on */
            };

#define SEE_RULES                                                                                  \
  N_ ("See “systemctl status reroute-rulesd”; the relay goes on with the rules that it has.")
#define RENEW N_ ("Renew it, and put it into the same file: the relay reads it again by itself.")

static const struct
{
  RerouteAlarmKind kind;
  const char *sentence;
  const char *advice;
} texts[] = {
  /* clang-format off */
  [REROUTE_ALARM_TEXT_OLDEST] = { REROUTE_ALARM_OLDEST,
    /* Translators: %s is a time, “4h” */
    N_("A message has been in the queue for longer than %s."),
    N_("“reroutectl queue list --by=next-hop” tells where mail waits to go, and why.") },
  [REROUTE_ALARM_TEXT_SPOOL_FULL] = { REROUTE_ALARM_SPOOL,
    /* Translators: %s is a number */
    N_("The file system of the queue is full to %s per cent or more."),
    N_("Make room on it: when it is full, no more mail is taken.") },
  [REROUTE_ALARM_TEXT_SPOOL_FAILS] = { REROUTE_ALARM_SPOOL,
    N_("The queue cannot be written: no mail is taken."),
    N_("See that its disk works and has room; “journalctl -u reroute-relayd” tells what failed.") },
  [REROUTE_ALARM_TEXT_SPOOL_DAMAGED] = { REROUTE_ALARM_SPOOL,
    /* Translators: %s is a directory */
    N_("Damage was found in the queue; what could not be read is kept in %s."),
    N_("Mail may be lost: see the disk, and “journalctl -u reroute-relayd”. Once you have looked at the files damaged-* there, move them away.") },
  [REROUTE_ALARM_TEXT_CERTIFICATE_ENDS] = { REROUTE_ALARM_CERTIFICATE,
    /* Translators: the name of a file, a day */
    N_("The certificate %s ends on %s."), RENEW },
  [REROUTE_ALARM_TEXT_CERTIFICATE_ENDED] = { REROUTE_ALARM_CERTIFICATE,
    /* Translators: the name of a file, a day */
    N_("The certificate %s has ended on %s."), RENEW },
  [REROUTE_ALARM_TEXT_CERTIFICATE_FAILS] = { REROUTE_ALARM_CERTIFICATE,
    /* Translators: %s is what is wrong with a file */
    N_("A certificate cannot be shown: %s."),
    N_("Correct the file, or the setting or entry that names it.") },
  [REROUTE_ALARM_TEXT_NEXT_HOP] = { REROUTE_ALARM_NEXT_HOP,
    /* Translators: a host, a time such as “4h” */
    N_("The host %s has taken no mail for longer than %s."),
    N_("See that it runs and can be reached; “reroutectl queue list --by=next-hop” tells what it said last.") },
  [REROUTE_ALARM_TEXT_LEAVING] = { REROUTE_ALARM_LEAVING,
    /* Translators: a host, its reply as a number and a status, such as “550 5.7.1” */
    N_("The host %s refuses mail that leaves our organisation, the last time with %s: no more of it is sent there."),
    N_("“reroutectl queue list --by=next-hop” tells what it said. Once the cause is mended, “reroutectl queue retry” has it tried again.") },
  [REROUTE_ALARM_TEXT_RULES_NONE] = { REROUTE_ALARM_RULES,
    /* Translators: %s is a time, “5m” */
    N_("The relay has had no rules for longer than %s: all mail is put off."),
    N_("See “systemctl status reroute-rulesd”.") },
  [REROUTE_ALARM_TEXT_RULES_AWAY] = { REROUTE_ALARM_RULES,
    /* Translators: %s is a time, “5m” */
    N_("The rules service has been away for longer than %s: nothing can be changed."), SEE_RULES },
  [REROUTE_ALARM_TEXT_RULES_OLD] = { REROUTE_ALARM_RULES,
    /* Translators: %s is a time, “5m” */
    N_("The newest rules have been saved for longer than %s, and the relay does not use them."), SEE_RULES },
                        /* clang-format on */
                        };

const char *
reroute_alarm_kind_to_string (RerouteAlarmKind kind)
{
  g_return_val_if_fail (kind < REROUTE_N_ALARMS, NULL);

  return kinds[kind].name;
}

gboolean
reroute_alarm_kind_from_string (const char *text, RerouteAlarmKind *kind)
{
  g_return_val_if_fail (text != NULL && kind != NULL, FALSE);

  for (guint i = 0; i < REROUTE_N_ALARMS; i++)
    if (g_str_equal (kinds[i].name, text))
      {
        *kind = i;
        return TRUE;
      }
  return FALSE;
}

/* --- values --- */

RerouteAlarm *
reroute_alarm_new (const char *subject,
                   RerouteAlarmText text,
                   const char *first,
                   const char *second)
{
  g_return_val_if_fail (subject != NULL && text < REROUTE_N_ALARM_TEXTS, NULL);

  RerouteAlarm *self = g_new0 (RerouteAlarm, 1);
  const char *arguments[] = { first, second, NULL };

  self->kind = texts[text].kind;
  self->subject = g_strdup (subject);
  self->sentence = reroute_pattern_fill (texts[text].sentence, (char *const *) arguments);
  self->advice = g_strdup (texts[text].advice);
  return self;
}

RerouteAlarm *
reroute_alarm_copy (const RerouteAlarm *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  RerouteAlarm *copy = g_memdup2 (self, sizeof *self);

  copy->subject = g_strdup (self->subject);
  copy->sentence = g_strdup (self->sentence);
  copy->advice = g_strdup (self->advice);
  return copy;
}

void
reroute_alarm_free (RerouteAlarm *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->subject);
  g_free (self->sentence);
  g_free (self->advice);
  g_free (self);
}

gboolean
reroute_alarm_is_same (const RerouteAlarm *a, const RerouteAlarm *b)
{
  g_return_val_if_fail (a != NULL && b != NULL, FALSE);

  return a->kind == b->kind && g_str_equal (a->subject, b->subject);
}

/* --- on the bus --- */

/* A string of the bus is UTF-8, which names of files need not be. */
static GVariant *
make_string (const char *text)
{
  return g_variant_new_take_string (g_utf8_make_valid (text, -1));
}

GVariant *
reroute_alarms_to_variant (const GPtrArray *alarms)
{
  g_return_val_if_fail (alarms != NULL, NULL);

  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (REROUTE_ALARMS_TYPE));
  for (guint i = 0; i < alarms->len; i++)
    {
      const RerouteAlarm *alarm = alarms->pdata[i];

      g_variant_builder_add (&builder,
                             "(s@sx@ss)",
                             kinds[alarm->kind].name,
                             make_string (alarm->subject),
                             alarm->since_us,
                             make_string (alarm->sentence),
                             alarm->advice);
    }
  return g_variant_builder_end (&builder);
}

GPtrArray *
reroute_alarms_from_variant (GVariant *value)
{
  GPtrArray *alarms = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_alarm_free);
  const char *name, *subject, *sentence, *advice;
  GVariantIter iter;
  gint64 since_us;

  if (value == NULL || !g_variant_is_of_type (value, G_VARIANT_TYPE (REROUTE_ALARMS_TYPE)))
    return alarms;
  g_variant_iter_init (&iter, value);
  while (g_variant_iter_next (&iter, "(&s&sx&s&s)", &name, &subject, &since_us, &sentence, &advice))
    {
      RerouteAlarm alarm = { .since_us = since_us,
                             .subject = (char *) subject,
                             .sentence = (char *) sentence,
                             .advice = (char *) advice };

      if (reroute_alarm_kind_from_string (name, &alarm.kind))
        g_ptr_array_add (alarms, reroute_alarm_copy (&alarm));
    }
  return alarms;
}

/* --- for the reader --- */

const char *
reroute_alarm_get_title (const RerouteAlarm *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return _ (kinds[self->kind].title);
}

char *
reroute_alarm_dup_sentence (const RerouteAlarm *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  for (guint i = 0; i < REROUTE_N_ALARM_TEXTS; i++)
    {
      g_auto (GStrv) found = texts[i].kind == self->kind
                               ? reroute_pattern_match (texts[i].sentence, self->sentence)
                               : NULL;

      if (found == NULL)
        continue;
      if (i == REROUTE_ALARM_TEXT_CERTIFICATE_FAILS)
        reroute_certificate_translate (&found[0]);
      return reroute_pattern_fill (_ (texts[i].sentence), found);
    }
  return g_strdup (self->sentence);
}

char *
reroute_alarm_dup_advice (const RerouteAlarm *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  for (guint i = 0; i < REROUTE_N_ALARM_TEXTS; i++)
    if (g_str_equal (texts[i].advice, self->advice))
      return g_strdup (_ (texts[i].advice));
  return g_strdup (self->advice);
}
