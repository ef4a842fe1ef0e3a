/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REROUTE_ALARM_OLDEST,      /* mail waits for too long */
  REROUTE_ALARM_SPOOL,       /* nearly full, or not writable */
  REROUTE_ALARM_CERTIFICATE, /* ends soon, or cannot be used */
  REROUTE_ALARM_NEXT_HOP,    /* a host that an entry or a setting names takes no mail */
  REROUTE_ALARM_LEAVING,     /* a host refuses mail that leaves our organisation */
  REROUTE_ALARM_RULES,       /* the newest are not in force */
  REROUTE_N_ALARMS,
} RerouteAlarmKind;

/* "oldest-message", "spool", "certificate", "next-hop", "leaving-stop", "rules" */
const char *reroute_alarm_kind_to_string (RerouteAlarmKind kind);
gboolean reroute_alarm_kind_from_string (const char *text, RerouteAlarmKind *kind);

/* Something that somebody should see to. */
typedef struct
{
  RerouteAlarmKind kind;
  char *subject;   /* the file of the certificate, the host; "" where there is but one */
  gint64 since_us; /* wall clock: when it was raised */
  char *sentence;  /* what it is, in English */
  char *advice;    /* what to do, in English */
} RerouteAlarm;

/* The sentences that there are, in English, each %s a place.  Without a mail address, and without
   the words of other hosts: they go to programs. */
typedef enum
{
  REROUTE_ALARM_TEXT_OLDEST,            /* a duration */
  REROUTE_ALARM_TEXT_SPOOL_FULL,        /* a number */
  REROUTE_ALARM_TEXT_SPOOL_FAILS,       /* no place */
  REROUTE_ALARM_TEXT_SPOOL_DAMAGED,     /* a directory */
  REROUTE_ALARM_TEXT_CERTIFICATE_ENDS,  /* a file, a day */
  REROUTE_ALARM_TEXT_CERTIFICATE_ENDED, /* a file, a day */
  REROUTE_ALARM_TEXT_CERTIFICATE_FAILS, /* what is wrong with it */
  REROUTE_ALARM_TEXT_NEXT_HOP,          /* a host, a duration */
  REROUTE_ALARM_TEXT_LEAVING,           /* a host, "550 5.7.1" */
  REROUTE_ALARM_TEXT_RULES_NONE,        /* a duration */
  REROUTE_ALARM_TEXT_RULES_AWAY,        /* a duration */
  REROUTE_ALARM_TEXT_RULES_OLD,         /* a duration */
  REROUTE_N_ALARM_TEXTS,
} RerouteAlarmText;

/**
 * reroute_alarm_new:
 * @subject: "" where there is but one of its kind
 * @text: which says of what kind it is
 * @first: (nullable): what stands in its first place
 * @second: (nullable): in its second place
 *
 * Returns: (transfer full): since_us is 0
 */
RerouteAlarm *reroute_alarm_new (const char *subject,
                                 RerouteAlarmText text,
                                 const char *first,
                                 const char *second);
RerouteAlarm *reroute_alarm_copy (const RerouteAlarm *self);
void reroute_alarm_free (RerouteAlarm *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteAlarm, reroute_alarm_free)

/* Whether both are about the same. */
gboolean reroute_alarm_is_same (const RerouteAlarm *a, const RerouteAlarm *b);

/* As Relay1.Alarms has them: name, subject, since, sentence, advice. */
#define REROUTE_ALARM_TYPE "(ssxss)"
#define REROUTE_ALARMS_TYPE "a" REROUTE_ALARM_TYPE
/* @alarms: (element-type RerouteAlarm); (transfer floating) */
GVariant *reroute_alarms_to_variant (const GPtrArray *alarms);
/* (transfer full) (element-type RerouteAlarm): those of a kind that is known here; @value:
   (nullable): of another type there are none */
GPtrArray *reroute_alarms_from_variant (GVariant *value);

/* In the reader's language: a few words for a heading; what is wrong; what to do. */
const char *reroute_alarm_get_title (const RerouteAlarm *self);
char *reroute_alarm_dup_sentence (const RerouteAlarm *self);
char *reroute_alarm_dup_advice (const RerouteAlarm *self);

G_END_DECLS
