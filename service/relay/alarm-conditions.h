/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/settings.h"
#include "service/relay/alarms.h"

G_BEGIN_DECLS

/* A certificate of ours, whether clients or hosts are shown it. */
typedef struct
{
  const char *file;
  gint64 expiry_s;     /* 0: it cannot be used */
  const char *failure; /* why */
} RerouteAlarmCertificate;

/* A host that an entry or a setting names, and that takes no mail. */
typedef struct
{
  const char *label; /* "mx1.example.net[192.0.2.1]:25" */
  gint64 since_us;   /* wall clock */
} RerouteAlarmNextHop;

/* A host that mail which leaves our organisation is not sent to any more. */
typedef struct
{
  const char *label;   /* "mx1.example.net[192.0.2.1]:25" */
  const char *refusal; /* "550 5.7.1" */
} RerouteAlarmStop;

typedef enum
{
  REROUTE_ALARM_RULES_IN_FORCE,
  REROUTE_ALARM_RULES_NONE, /* the relay has none */
  REROUTE_ALARM_RULES_AWAY, /* their service is */
  REROUTE_ALARM_RULES_OLD,  /* their service has saved newer ones */
} RerouteAlarmRules;

/* What is known of the relay at a time. */
typedef struct
{
  gint64 now_us;    /* wall clock */
  gint64 oldest_us; /* when the oldest message came, wall clock; 0: the queue is empty */
  gboolean spool_fails;
  const char *damaged_in; /* (nullable): the spool, when it keeps what was damaged */
  double spool_percent;   /* of its file system that is in use */
  GArray *certificates;   /* (element-type RerouteAlarmCertificate) */
  GArray *next_hops;      /* (element-type RerouteAlarmNextHop): those that are down */
  GArray *stops;          /* (element-type RerouteAlarmStop) */
  RerouteAlarmRules rules;
  gint64 rules_for_us; /* for how long */
} RerouteAlarmFigures;

/**
 * reroute_alarm_conditions_look:
 *
 * Sees in @alarms what is wrong by the thresholds of @settings; ends the look.  An alarm that is
 * raised stays until its figure is well below the threshold, so that one that swings around it does
 * not raise and clear it again and again: three quarters of a time, and five per cent of the disk.
 * A host that was up is down for no time, and the end of a certificate does not swing.
 *
 * Returns: whether an alarm was raised or cleared
 */
gboolean reroute_alarm_conditions_look (const RerouteAlarmFigures *figures,
                                        const RerouteSettings *settings,
                                        RerouteAlarms *alarms);

G_END_DECLS
