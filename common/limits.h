/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Every tunable: name with its unit, default, source.  What an administrator may change is in
 * settings.c, which takes its defaults from here.
 */

#pragma once

/* Names and addresses */
#define REROUTE_LIMIT_DOMAIN_OCTETS 253 /* RFC 1035 2.3.4, without the root's dot */
#define REROUTE_LIMIT_LABEL_OCTETS 63   /* RFC 1035 2.3.4 */
#define REROUTE_LIMIT_LOCAL_PART_OCTETS                                                            \
  64 /* RFC 5321 4.5.3.1.1; longer ones are passed on, never made */
#define REROUTE_LIMIT_PATH_OCTETS                                                                  \
  1000 /* RFC 5321 4.5.3.1.3 wants 256 at least; Q169174 crashed at 1024 */
#define REROUTE_LIMIT_COMMENT_OCTETS 1000
#define REROUTE_LIMIT_SOCKET_PATH_OCTETS 107 /* unix(7): sun_path, less its NUL */
#define REROUTE_LIMIT_HOSTS_PER_ROW 32
#define REROUTE_LIMIT_REROUTE_DEPTH 100 /* entries in a chain of reroutes */

/* D-Bus */
#define REROUTE_LIMIT_PAGE_ROWS 1000       /* platform.md section 4 */
#define REROUTE_LIMIT_PAGE_IDS 100000      /* of a list, without their rows: 0.8 MB */
#define REROUTE_LIMIT_LIST_ROWS 10000000   /* that a service is believed to have: 80 MB of places */
#define REROUTE_LIMIT_CALL_IDS 100000      /* messages that a call about the queue may name */
#define REROUTE_LIMIT_REPLY_OCTETS 1000000 /* design.md section 4 */
#define REROUTE_LIMIT_REPLY_TAKEN 8000000  /* octets of a service's reply that are looked at */
#define REROUTE_LIMIT_SIGNAL_OCTETS 65536  /* Changed carries its changes below this */
#define REROUTE_LIMIT_EDITS_PER_CALLER 16
#define REROUTE_LIMIT_HISTORY_GENERATIONS 10000
#define REROUTE_LIMIT_HISTORY_CHANGES 10000000 /* of all generations: some 5 GB on the disk */
#define REROUTE_LIMIT_HISTORY_LEAST 10   /* newest generations, however many changes they have */
#define REROUTE_LIMIT_SUMMARY_OCTETS 500 /* that say what a generation changed */
#define REROUTE_LIMIT_CHANGES_PER_EDIT 4000000 /* every row of two pages of 1,000,000, twice */
#define REROUTE_LIMIT_OUTCOMES 1000 /* of calls that saved, or did not, that rulesd remembers */
#define REROUTE_LIMIT_OUTCOME_MS                                                                   \
  60000                        /* to reach rulesd, to be asked whether a call saved                \
                                */
#define REROUTE_LIMIT_COPIES 4 /* of the rules, being fetched as backups */
#define REROUTE_LIMIT_COPY_OCTETS                                                                  \
  G_GINT64_CONSTANT (8589934592)                           /* of one; a million rows: 0.5 GB */
#define REROUTE_LIMIT_COPY_PART_OCTETS 500000              /* of it in one message */
#define REROUTE_LIMIT_COPY_SPARE_OCTETS (64 * 1024 * 1024) /* of the file system, for others */
#define REROUTE_LIMIT_MX_QUESTIONS 100                     /* domains in one MxLeadsHere */
#define REROUTE_LIMIT_MX_WAIT_MS 2500        /* for DNS; then MxLeadsHere says what it knows */
#define REROUTE_LIMIT_MX_ANSWER_MS 3000      /* to wait for MxLeadsHere */
#define REROUTE_LIMIT_MX_CALLS 4             /* of MxLeadsHere at once */
#define REROUTE_LIMIT_MX_SURVEY_MS 10000     /* of one check; what is left then is not asked */
#define REROUTE_LIMIT_MX_SURVEY 100000       /* domains of one check that may be asked for */
#define REROUTE_LIMIT_BUS_RETRY_FIRST_MS 250 /* wait before a lost bus is tried again; doubles */
#define REROUTE_LIMIT_BUS_RETRY_LAST_MS 30000
#define REROUTE_LIMIT_BUS_AWAY_S                                                                   \
  60 /* rulesd ends when a session bus, or another private one, stays away */
#define REROUTE_LIMIT_SSH_CONNECT_S 20 /* ssh's ConnectTimeout */
#define REROUTE_LIMIT_SSH_ALIVE_S                                                                  \
  15                             /* ssh's ServerAliveInterval; three without an answer end it      \
                                  */
#ifndef REROUTE_LIMIT_SSH_TRY_MS /* a program of the tests is less patient */
#define REROUTE_LIMIT_SSH_TRY_MS 60000 /* until a bus has answered, where ssh asks nobody */
#endif
#define REROUTE_LIMIT_SSH_TRY_INTERACTIVE_MS 600000 /* where it may */
#define REROUTE_LIMIT_SSH_GREETING_OCTETS 16384     /* that it writes before a bus has answered */
#define REROUTE_LIMIT_CALL_MS 60000                 /* a call that asks nobody for a password */
#define REROUTE_LIMIT_CALL_INTERACTIVE_MS 600000    /* a call that may */
#define REROUTE_LIMIT_CALL_FACTS_MS 5000            /* who has a name on the bus */

/* SMTP, receiving */
#define REROUTE_LIMIT_COMMAND_LINE_OCTETS 4096 /* RFC 5321 4.5.3.1.4 wants 512, extensions more */
#define REROUTE_LIMIT_TEXT_LINE_OCTETS                                                             \
  65536 /* lines over 998 pass whole up to this (design.md section 6) */
#define REROUTE_LIMIT_HEADER_OCTETS 262144 /* wire-defaults.md */
#define REROUTE_LIMIT_RECEIVED_LINES 50    /* hop limit, design.md section 6 */
#define REROUTE_LIMIT_OWN_RECEIVED_LINES 3 /* more lines with our token are a loop */
#define REROUTE_LIMIT_REST_CHUNKS 1000     /* behind refused ones, that are no errors */
#ifndef REROUTE_LIMIT_CONTENT_OCTETS_PER_S /* a program of the tests is less patient */
#define REROUTE_LIMIT_CONTENT_OCTETS_PER_S                                                         \
  500 /* slower content uses up data-timeout, either way; Postfix smtpd_min_data_rate */
#endif
#define REROUTE_LIMIT_PROXY_HEADER_S 5    /* Postfix smtpd_upstream_proxy_timeout */
#define REROUTE_LIMIT_RATE_CLIENTS 100000 /* counted in one minute; then all begin anew */
#define REROUTE_LIMIT_ERRORS_WINDOW_S 60  /* in which max-error-rate of one client is counted */
#define REROUTE_LIMIT_ERRORS_PAUSE_S 300  /* then it is put off for this */
#define REROUTE_LIMIT_LISTEN_BACKLOG 1024 /* platform.md section 5 */
#define REROUTE_LIMIT_TLS_HANDSHAKE_S 60  /* from its first octet to its last, either way */

/* Open files */
#define REROUTE_LIMIT_OTHER_FILES                                                                  \
  256 /* of the spool, the bus, DNS, HTTPS, filters of own mail, monitors */

/* AUTH */
#define REROUTE_LIMIT_AUTH_LINE_OCTETS 12290 /* RFC 4954 4: 12288 without the line's end */
#define REROUTE_LIMIT_AUTH_FAILURES 3        /* in a session, which ends then */
#define REROUTE_LIMIT_AUTH_FAILURES_WINDOW_S                                                       \
  600                                    /* in which max-auth-failures of one client are counted */
#define REROUTE_LIMIT_LOGINS_WAITING 200 /* of a worker; each takes some 20 ms */
#define REROUTE_LIMIT_SCRAM_ITERATIONS                                                             \
  16384 /* of new verifiers; RFC 7677 4 wants 4096 at least, and some clients take no more */
#define REROUTE_LIMIT_SCRAM_ITERATIONS_LEAST 4096
#define REROUTE_LIMIT_SCRAM_ITERATIONS_MOST 1000000
#define REROUTE_LIMIT_SCRAM_ITERATIONS_OUT 131072 /* that a next hop may ask for: 0.1 s */
#define REROUTE_LIMIT_PASSWORD_OCTETS 1000
#define REROUTE_LIMIT_TOKEN_OCTETS 8192
#define REROUTE_LIMIT_TOKEN_COMMAND_S 30 /* then it is ended */
#define REROUTE_LIMIT_TOKEN_COMMANDS 16  /* at the same time */
#define REROUTE_LIMIT_TOKEN_KEPT_S 300   /* where a command does not say how long */
#define REROUTE_LIMIT_ACCOUNT_OCTETS 255
#define REROUTE_LIMIT_ACCOUNTS 10000
#define REROUTE_LIMIT_SECRETS_FILE_OCTETS (8 * 1024 * 1024) /* accounts, or secrets */

/* SRS (wire-defaults.md) */
#define REROUTE_LIMIT_SRS_VALID_DAYS 21 /* a rewritten sender, and a key behind its successor */
#define REROUTE_LIMIT_SRS_KEY_DAYS 90   /* then another key signs */
#define REROUTE_LIMIT_SRS_TOKENS_OCTETS                                                            \
  (4 * 1024 * 1024) /* of senders too long for an address, in each of two files: some 40,000 */

/* SMTP, delivering */
#define REROUTE_LIMIT_REPLY_LINE_OCTETS 2048 /* RFC 5321 4.5.3.1.5 wants 512 */
#define REROUTE_LIMIT_REPLY_LINES 128
#define REROUTE_LIMIT_REPLY_TEXT_OCTETS 4096 /* kept of a reply; the rest is read and dropped */
#define REROUTE_LIMIT_ADDRESSES_PER_TRY 5    /* Postfix smtp_mx_address_limit */
#define REROUTE_LIMIT_EXCHANGERS 20          /* of a domain that are looked at, the best */
#define REROUTE_LIMIT_PRESSURE_MESSAGES 64   /* wait for a connection; engine-measures.md rule 1 */
#define REROUTE_LIMIT_TRIES_PER_DESTINATION 1024 /* wait for a connection; more are only noted */
#define REROUTE_LIMIT_LANES_PER_DESTINATION 64   /* kinds of mail whose demand a host has denied */
#ifndef REROUTE_LIMIT_LEAVING_PROBE_S            /* a program of the tests is less patient */
#define REROUTE_LIMIT_LEAVING_PROBE_S                                                              \
  3600 /* from one try to the next at a host that refuses what leaves our organisation */
#endif
#define REROUTE_LIMIT_LEAVING_REMEMBER_S 86400 /* such refusals, behind the last such mail */
#define REROUTE_LIMIT_LEAVING_HOSTS 10000      /* of more at a time they are not remembered */
#ifndef REROUTE_LIMIT_DNS_TRIAL_S              /* a program of the tests is less patient */
#define REROUTE_LIMIT_DNS_TRIAL_S                                                                  \
  60 /* to the next, behind a trial of DNS servers without verdict */
#endif
#define REROUTE_LIMIT_DNS_TRIALS_AWAITED 4 /* before mail goes without a verdict */
#define REROUTE_LIMIT_DNS_RETRIAL_S 3600   /* behind the verdict that they do not pass DNSSEC */
#define REROUTE_LIMIT_CONNECTION_IDLE_S 10 /* kept for another message; Postfix keeps it for 2 */
#define REROUTE_LIMIT_RECIPIENTS_PER_TRANSACTION 100 /* RFC 5321 4.5.3.1.8 */
#define REROUTE_LIMIT_RETURNED_OCTETS                                                              \
  50000 /* of a message that RET=FULL gives back whole; Postfix bounce_size_limit */

/* Recipients checked at the next hop */
#define REROUTE_LIMIT_PROBE_S 5           /* then a recipient is taken without an answer */
#define REROUTE_LIMIT_PROBE_PAUSE_S 60    /* a next hop that gives none is left alone */
#define REROUTE_LIMIT_PROBE_KNOWN_S 3600  /* an answer is kept; Postfix asks again after days */
#define REROUTE_LIMIT_PROBE_UNKNOWN_S 300 /* a new mailbox gets mail after this */
#define REROUTE_LIMIT_PROBE_ANSWERS 50000
#define REROUTE_LIMIT_PROBE_CONNECTIONS 64 /* next hops that are asked at the same time */

/* Certificates */
#define REROUTE_LIMIT_CERTIFICATE_SOON_DAYS 14   /* before its end */
#define REROUTE_LIMIT_CERTIFICATE_ANSWER_MS 5000 /* wait for what the relay says of files */
/* Examination of the relay */
#define REROUTE_LIMIT_VISIT_S 10       /* of a host, from its connection to its EHLO */
#define REROUTE_LIMIT_EXAMINATION_S 25 /* then what is not finished is told so */
#define REROUTE_LIMIT_EXAMINATIONS 4   /* at the same time */
#define REROUTE_LIMIT_SPOOL_LOW_OCTETS                                                             \
  (256 * 1024 * 1024)                      /* free, and less than a tenth of all                   \
                                            */
#define REROUTE_LIMIT_SPOOL_LOW_FILES 1000 /* likewise */

/* MTA-STS (RFC 8461) */
#define REROUTE_LIMIT_STS_POLICY_OCTETS 65536 /* section 3.3 */
#define REROUTE_LIMIT_STS_RETRY_S 300         /* wait after a fetch that failed; section 3.3 */
#define REROUTE_LIMIT_STS_FRESH_S 300     /* a record is asked for again after this, or its TTL */
#define REROUTE_LIMIT_STS_REFRESH_S 86400 /* a policy is fetched anew; section 3.3 */
#define REROUTE_LIMIT_STS_UNUSED_DAYS 30  /* then it is left to end */
#define REROUTE_LIMIT_STS_PATTERNS 64     /* of exchangers in one policy */
#define REROUTE_LIMIT_STS_DOMAINS 5000    /* known at a time; the longest unused goes */
#define REROUTE_LIMIT_STS_FILE_OCTETS (4 * 1024 * 1024)

/* Log */
#define REROUTE_LIMIT_LOG_KEPT_OCTETS (1024 * 1024) /* of the last lines, for who looks at them */
#define REROUTE_LIMIT_LOG_LINES 1000                /* in one answer */

/* Tracking */
#define REROUTE_LIMIT_TRACK_FILE_OCTETS (4 * 1024 * 1024)     /* then the next one begins */
#define REROUTE_LIMIT_TRACK_READ_OCTETS (64 * 1024 * 1024)    /* of one file */
#define REROUTE_LIMIT_TRACK_SEARCH_OCTETS (128 * 1024 * 1024) /* read for one answer */
#define REROUTE_LIMIT_TRACK_SPARE_OCTETS (64 * 1024 * 1024)   /* of the file system, for mail */
#define REROUTE_LIMIT_TRACK_WAITING_OCTETS (8 * 1024 * 1024)  /* that no file has taken yet */
#define REROUTE_LIMIT_TRACK_RECIPIENTS 500                    /* named in one record */
#define REROUTE_LIMIT_TRACK_EVENTS 1000                       /* in one answer */

/* HTTPS, as a client */
#define REROUTE_LIMIT_HTTPS_ANSWER_OCTETS 65536 /* a policy; RFC 8461 section 3.3 */
#define REROUTE_LIMIT_HTTPS_S 60                /* from question to answer; RFC 8461 section 3.3 */

/* TLS reports (RFC 8460) */
#define REROUTE_LIMIT_TLS_REPORT_DOMAINS 10000 /* in a day; mail to more of them goes uncounted */
#define REROUTE_LIMIT_TLS_REPORT_POLICIES 16   /* of one domain in a day */
#define REROUTE_LIMIT_TLS_REPORT_FAILURES                                                          \
  64 /* kinds of them with one policy; others are summed                                           \
      */
#define REROUTE_LIMIT_TLS_REPORT_REASON_OCTETS 200
#define REROUTE_LIMIT_TLS_REPORT_RECORDS 16         /* TLSA records that are shown of a host */
#define REROUTE_LIMIT_TLS_REPORT_RECORD_OCTETS 1000 /* of each, in text */
#define REROUTE_LIMIT_TLS_REPORT_ADDRESSES 8        /* that one domain's reports go to */
#define REROUTE_LIMIT_TLS_REPORT_SAVE_S 60          /* what is new since is lost in a crash */
#define REROUTE_LIMIT_TLS_REPORT_SPREAD_S 14400     /* behind midnight; section 4.1 */
#define REROUTE_LIMIT_TLS_REPORT_RETRY_S 3600
#define REROUTE_LIMIT_TLS_REPORT_GIVE_UP_S 86400 /* behind the first try; section 5.5 */
#define REROUTE_LIMIT_TLS_REPORT_FILE_OCTETS (64 * 1024 * 1024)

/* Alarms */
#define REROUTE_LIMIT_ALARMS 64              /* of a kind, that are raised at a time */
#define REROUTE_LIMIT_DOWN_HOSTS 1000        /* known at a time */
#define REROUTE_LIMIT_DOWN_HOST_S 3600       /* unheard of behind its next try, it is forgotten */
#define REROUTE_LIMIT_ALARM_LOOK_S 1         /* from one look at the conditions to the next */
#define REROUTE_LIMIT_ALARM_WAITING 128      /* that a command or a web server was not told yet */
#define REROUTE_LIMIT_ALARM_POST_S 5         /* for one answer of the web server */
#define REROUTE_LIMIT_ALARM_RETRY_FIRST_S 1  /* it doubles with each try */
#define REROUTE_LIMIT_ALARM_RETRY_LAST_S 300 /* and stays like that */
#define REROUTE_LIMIT_ALARM_GIVE_UP_S 3600   /* behind the first try */
#define REROUTE_LIMIT_ALARM_TEXT_OCTETS 1024 /* of one argument of the command */
#define REROUTE_LIMIT_WEB_ADDRESS_OCTETS 1000

/* Programs that the relay's helper runs */
#define REROUTE_LIMIT_PROGRAM_OCTETS 64 /* of a name */

/* Milters */
#define REROUTE_LIMIT_AT_DOOR 64 /* sessions of a worker that wait for milters to be greeted */
#define REROUTE_LIMIT_MILTER_PACKET_OCTETS (1024 * 1024) /* of a milter; Sendmail sends 64 KiB */
#define REROUTE_LIMIT_MILTER_WISHES                                                                \
  10000 /* of one, besides as many as there are recipients, and as there may be */
#define REROUTE_LIMIT_MILTER_BODY_OCTETS                                                           \
  (16 * 1024 * 1024) /* of a new body, besides twice those of the one before */

/* Spool (design.md section 5) */
#define REROUTE_LIMIT_SEGMENT_OCTETS (16 * 1024 * 1024)
#define REROUTE_LIMIT_PART_OCTETS (256 * 1024)
#ifndef REROUTE_LIMIT_CHUNK_OCTETS /* a program of the tests has small contents */
#define REROUTE_LIMIT_CHUNK_OCTETS                                                                 \
  (2 * 1024 * 1024) /* of a BDAT, and up to a part more; a reply is awaited for each */
#endif
#define REROUTE_LIMIT_PARTS_UNSAVED 3 /* then the sender is paused; engine-measures.md rule 7 */
#define REROUTE_LIMIT_MEMORY_DRAFTS_OCTETS                                                         \
  (64 * 1024 * 1024)                                /* of what is being received; above it: */
#define REROUTE_LIMIT_PART_LEAST_OCTETS (16 * 1024) /* a part, and one of them unsaved */
#define REROUTE_LIMIT_MEMORY_MILTERS_OCTETS (64 * 1024 * 1024) /* bodies that milters look at */
#define REROUTE_LIMIT_MEMORY_QUEUE_OCTETS (64 * 1024 * 1024)   /* bodies kept in memory */
#define REROUTE_LIMIT_MEMORY_PARTS_OCTETS (32 * 1024 * 1024)   /* and parts of large ones */

/* Settings' defaults that are wanted elsewhere */
#define REROUTE_DEFAULT_SMTP_PORT 25
#define REROUTE_DEFAULT_LMTP_PORT 24   /* RFC 2033 5 forbids 25; IANA: any private mail system */
#define REROUTE_DEFAULT_SMTPS_PORT 465 /* RFC 8314 */
#define REROUTE_DEFAULT_HTTPS_PORT 443
