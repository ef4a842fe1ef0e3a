/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/host.h"
#include "common/ip.h"
#include "common/milter-spec.h"
#include "common/quantity.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_SETTING_TYPE_HOSTNAME,   /* normal form of a domain */
  REROUTE_SETTING_TYPE_ENDPOINTS,  /* "127.0.0.1:2525, [::1]:2525" */
  REROUTE_SETTING_TYPE_BOOLEAN,    /* "yes", "no" */
  REROUTE_SETTING_TYPE_ENUM,       /* one of choices */
  REROUTE_SETTING_TYPE_DELIVERY,   /* "dns", or hosts */
  REROUTE_SETTING_TYPE_HOST,       /* one host, perhaps by LMTP, or "" */
  REROUTE_SETTING_TYPE_RANGES,     /* address ranges, or "" */
  REROUTE_SETTING_TYPE_ADDRESSES,  /* IP addresses, or "" */
  REROUTE_SETTING_TYPE_DNS,        /* "system", "recursive", or addresses with ports */
  REROUTE_SETTING_TYPE_MAILBOX,    /* an address, or "" */
  REROUTE_SETTING_TYPE_DURATION,   /* "90s", "15m", "4h", "5d" */
  REROUTE_SETTING_TYPE_DURATIONS,  /* "15m,30m,1h,4h" */
  REROUTE_SETTING_TYPE_OCTETS,     /* "50 MiB", "1000 KiB", "4096" */
  REROUTE_SETTING_TYPE_COUNT,      /* a whole number */
  REROUTE_SETTING_TYPE_PATHS,      /* absolute file names, separated by commas, or "" */
  REROUTE_SETTING_TYPE_ACCOUNT,    /* the name of an account, or "" */
  REROUTE_SETTING_TYPE_TEXT,       /* one line, for people */
  REROUTE_SETTING_TYPE_MILTERS,    /* milters with their options, separated by commas, or "" */
  REROUTE_SETTING_TYPE_LOG_LEVELS, /* "session=medium, delivery=maximum", or "" */
  REROUTE_SETTING_TYPE_PROGRAM,    /* the bare name of a program, or "" */
  REROUTE_SETTING_TYPE_URL,        /* where something is posted, or "" */
} RerouteSettingType;

/* The order of the table in settings.c. */
typedef enum
{
  REROUTE_SETTING_HOSTNAME,
  REROUTE_SETTING_LISTEN,
  REROUTE_SETTING_REROUTE,
  REROUTE_SETTING_DEFAULT_DELIVERY,
  REROUTE_SETTING_INBOUND_HOST,
  REROUTE_SETTING_PERMITTED_HOSTS,
  REROUTE_SETTING_FORBIDDEN_HOSTS,
  REROUTE_SETTING_TRANSFER_MODE,
  REROUTE_SETTING_RETRY_INTERVALS,
  REROUTE_SETTING_MESSAGE_TIMEOUT,
  REROUTE_SETTING_BOUNCE_TIMEOUT,
  REROUTE_SETTING_DELAY_NOTICE,
  REROUTE_SETTING_POSTMASTER,
  REROUTE_SETTING_DNS_SERVERS,
  REROUTE_SETTING_OWN_ADDRESSES,
  REROUTE_SETTING_SOURCE_ADDRESS,
  REROUTE_SETTING_MAX_MESSAGE_SIZE,
  REROUTE_SETTING_MAX_RECIPIENTS,
  REROUTE_SETTING_MAX_INBOUND_CONNECTIONS,
  REROUTE_SETTING_MAX_OUTBOUND_CONNECTIONS,
  REROUTE_SETTING_MAX_CONNECTIONS_PER_HOST,
  REROUTE_SETTING_MAX_MESSAGES_PER_CONNECTION,
  REROUTE_SETTING_MAX_CONNECTIONS_PER_CLIENT,
  REROUTE_SETTING_IDLE_TIMEOUT,
  REROUTE_SETTING_CONNECT_TIMEOUT,
  REROUTE_SETTING_COMMAND_TIMEOUT,
  REROUTE_SETTING_DATA_TIMEOUT,
  REROUTE_SETTING_WORKERS,
  REROUTE_SETTING_HEALTH_LISTEN,  /* "" is off; loopback only */
  REROUTE_SETTING_METRICS_LISTEN, /* "" is off; loopback only */
  REROUTE_SETTING_MAX_BAD_COMMANDS,
  REROUTE_SETTING_MAX_JUNK_COMMANDS,
  REROUTE_SETTING_MAX_REFUSED_RECIPIENTS,
  REROUTE_SETTING_MAX_MESSAGE_RATE,   /* 0 is off */
  REROUTE_SETTING_MAX_RECIPIENT_RATE, /* 0 is off */
  REROUTE_SETTING_MAX_ERROR_RATE,     /* 0 is off */
  REROUTE_SETTING_PROXY_HOSTS,
  REROUTE_SETTING_XCLIENT_HOSTS,
  REROUTE_SETTING_LISTEN_TLS,
  REROUTE_SETTING_TLS_CERTIFICATE,
  REROUTE_SETTING_TLS_KEY,
  REROUTE_SETTING_TLS_LEVEL,
  REROUTE_SETTING_TLS_TRUST,
  REROUTE_SETTING_SRS_DOMAIN, /* "" is off */
  REROUTE_SETTING_DEFAULT_LEAVES,
  REROUTE_SETTING_LEAVING_RATE, /* messages a second; 0 is off */
  REROUTE_SETTING_LEAVING_STOP, /* messages; 0 is off */
  REROUTE_SETTING_MTA_STS,
  REROUTE_SETTING_MAX_AUTH_FAILURES,    /* 0 is off */
  REROUTE_SETTING_DEFAULT_ACCOUNT,      /* "" is none */
  REROUTE_SETTING_DEFAULT_CERTIFICATE,  /* "" is none */
  REROUTE_SETTING_MILTERS,              /* "" is off */
  REROUTE_SETTING_MILTERS_FOR_OWN_MAIL, /* "" is off */
  REROUTE_SETTING_LOG_LEVELS,           /* reroute_log_levels_parse() takes it apart */
  REROUTE_SETTING_TRACK_DAYS,           /* 0 is off */
  REROUTE_SETTING_TRACK_SIZE,
  REROUTE_SETTING_TLS_REPORT,
  REROUTE_SETTING_TLS_REPORT_FROM,         /* "" is the postmaster of this server */
  REROUTE_SETTING_TLS_REPORT_ORGANIZATION, /* "" is the name of this server */
  REROUTE_SETTING_REQUIRETLS,
  REROUTE_SETTING_PRIVATE_TARGETS,
  REROUTE_SETTING_CHUNKING,
  REROUTE_SETTING_ALARM_COMMAND,         /* "" is off */
  REROUTE_SETTING_ALARM_WEBHOOK,         /* "" is off */
  REROUTE_SETTING_ALARM_WEBHOOK_ACCOUNT, /* "" is none */
  REROUTE_SETTING_ALARM_OLDEST,          /* this and those below: 0 is off */
  REROUTE_SETTING_ALARM_SPOOL,           /* per cent */
  REROUTE_SETTING_ALARM_CERTIFICATE,     /* days */
  REROUTE_SETTING_ALARM_NEXT_HOP,
  REROUTE_SETTING_ALARM_RULES,
  REROUTE_N_SETTINGS,
} RerouteSettingId;

/* One line of the settings table: everything on the property sheet that is not a row. */
typedef struct
{
  RerouteSettingId id;
  const char *key; /* "message-timeout" */
  RerouteSettingType type;
  const char *default_value; /* canonical text */
  gint64 minimum; /* seconds (DURATION, DURATIONS), octets, a count; the elements of a list */
  gint64 maximum;
  const char *const *choices; /* (array zero-terminated=1): for ENUM and DNS */
  const char *summary;        /* one sentence, for --help, the man page and the dialog; N_() */
} RerouteSettingSpec;

/* (array length=REROUTE_N_SETTINGS) */
const RerouteSettingSpec *reroute_setting_specs (void);
const RerouteSettingSpec *reroute_setting_find (const char *key, GError **error);

/**
 * RerouteSettings:
 *
 * A value for every setting, parsed once; immutable after it was built, reference-counted.
 */
typedef struct _RerouteSettings RerouteSettings;

/* Source: the text that was typed.  Returns: (transfer full): its canonical text.
   Errors: %REROUTE_ERROR_VALUE naming the key, the value and what is wanted. */
char *
reroute_setting_canonicalize (const RerouteSettingSpec *spec, const char *text, GError **error);

/* Whether a person may type @text, which can be parsed: more is refused than in what was saved.
   Errors: %REROUTE_ERROR_VALUE as above. */
gboolean
reroute_setting_check_typed (const RerouteSettingSpec *spec, const char *text, GError **error);

RerouteSettings *reroute_settings_new (void); /* all defaults */
/* A copy with one value changed; @value NULL: the default. */
RerouteSettings *reroute_settings_with (const RerouteSettings *self,
                                        const char *key,
                                        const char *value,
                                        GError **error);
RerouteSettings *reroute_settings_ref (RerouteSettings *self);
void reroute_settings_unref (RerouteSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSettings, reroute_settings_unref)

const char *reroute_settings_get_text (const RerouteSettings *self, RerouteSettingId id);
gboolean reroute_settings_is_default (const RerouteSettings *self, RerouteSettingId id);
gboolean reroute_settings_get_boolean (const RerouteSettings *self, RerouteSettingId id);
gint64 reroute_settings_get_number (
  const RerouteSettings *self,
  RerouteSettingId id); /* seconds, octets, count; the index of an enum's choice */
const gint64 *
reroute_settings_get_numbers (const RerouteSettings *self, RerouteSettingId id, gsize *n);
RerouteHosts *
reroute_settings_get_hosts (const RerouteSettings *self,
                            RerouteSettingId id); /* DELIVERY, HOST; NULL for dns or "" */
const RerouteIpRange *reroute_settings_get_ranges (const RerouteSettings *self,
                                                   RerouteSettingId id,
                                                   gsize *n); /* RANGES, ADDRESSES */
/* ENDPOINTS and DNS: (array zero-terminated=1) "ADDRESS:PORT", "[v6]:PORT" */
const char *const *reroute_settings_get_endpoints (const RerouteSettings *self,
                                                   RerouteSettingId id);

/* PATHS: (array zero-terminated=1) */
const char *const *reroute_settings_get_paths (const RerouteSettings *self, RerouteSettingId id);

/* MILTERS: (array length=n) (nullable) */
const RerouteMilterSpec *
reroute_settings_get_milters (const RerouteSettings *self, RerouteSettingId id, gsize *n);

/* Whether @ip is in one of the ranges of @id. */
gboolean
reroute_settings_contains (const RerouteSettings *self, RerouteSettingId id, const RerouteIp *ip);

G_END_DECLS
