/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What the parts of the scheduler share; everything here is touched by its thread alone, but for
   what says otherwise. */

#pragma once

#include "common/decision-memo.h"
#include "service/relay/deliver/scheduler.h"

#include "service/relay/deliver/destination.h"
#include "service/relay/deliver/down-hosts.h"
#include "service/relay/deliver/sts.h"
#include "service/relay/smtp/dsn.h"

G_BEGIN_DECLS

/* What is going on with a recipient that waits. */
typedef enum
{
  REROUTE_PHASE_IDLE,   /* nothing until due_us */
  REROUTE_PHASE_PLACED, /* decided: waits for DNS or for a connection */
  REROUTE_PHASE_PARKED, /* decided, but too many wait for its host: noted there */
  REROUTE_PHASE_ACTIVE, /* a worker has it */
  REROUTE_PHASE_NOTICE, /* its notice is on the way into the spool */
} ReroutePhase;

typedef struct
{
  gint64 due_us;     /* wall clock */
  GRefString *reply; /* (nullable): the last one, or why it waits; one for all who wait for it */
  guint tries;
  guint8 state; /* RerouteRecipientState */
  guint8 phase; /* ReroutePhase */
  guint8 flags; /* REROUTE_VERDICT_… */
  guint8 waits_for_rules : 1;
  guint8 waits_for_etrn : 1;
  guint8 waits_for_leaving : 1; /* a host takes no more mail that leaves our organisation */
  guint8 is_asked_for : 1;      /* by ETRN or an administrator: it gets one try */
} RerouteWaiting;

typedef struct _RerouteQueueIndex RerouteQueueIndex;
typedef struct _RerouteQueuePlaces RerouteQueuePlaces;
typedef struct _RerouteTelling RerouteTelling;

/* A message with recipients that are not final.  There may be millions: narrow where it may be. */
struct _RerouteQueued
{
  RerouteTimer timer; /* the earliest due_us */
  guint ref_count;
  guint worker : 16;
  guint is_telling : 1;  /* of what waits in line a notice is on its way into the spool */
  guint has_content : 1; /* in memory, counted in RerouteScheduler.in_memory_octets */
  guint n_alive;         /* recipients that are not final; 0: it has left the queue */
  guint n_left;          /* how often its recipients were taken out of tries */
  guint32 age_s;         /* when it came into this process, by the wall clock; rounded up */
  guint32 tells_s;       /* monotonic: the spool took no notice; the next look at who is in line or
                            held is no earlier */
  gint64 seen_us;        /* monotonic: when it came into this process */
  gint64 placed_us;      /* monotonic: when recipients of it came into line last */
  RerouteScheduler *scheduler;
  RerouteMessage *message;
  GList link;                 /* in RerouteScheduler.order */
  RerouteQueuePlaces *places; /* in the index, of each recipient; NULL: it was not looked at */
  RerouteWaiting recipients[];
};

typedef struct _RerouteProber RerouteProber;           /* of prober.h */
typedef struct _RerouteTlsReporter RerouteTlsReporter; /* of tls-reporter.h */

/* A resolver stays until the last question to it was answered. */
typedef struct
{
  RerouteResolver *resolver;
  char *servers; /* "system", "127.0.0.1:5300, …" */
  guint n_asking;
  gboolean validates; /* by DNSSEC */
  gboolean retired;   /* or not in force yet */
} RerouteResolverUse;

struct _RerouteScheduler
{
  RerouteWorker *thread;
  RerouteSpool *spool;
  RerouteTracker *tracker; /* (nullable) */
  RerouteTelling *telling; /* of the settlement under way */
  char **dns_servers;      /* --dns; NULL: the setting */
  char *trust_anchor;      /* --trust-anchor; NULL: the root's */
  guint16 mx_port;
  guint16 listen_port; /* 0: the setting's */
  char *hostname;
  RerouteWorker **workers;
  ReroutePool **pools; /* (array length=n_workers): each touched by its worker alone */
  guint n_workers;
  void (*pressure) (gboolean high, gpointer user_data);
  gpointer user_data;

  RerouteRuleset *ruleset;                 /* NULL before the first */
  RerouteSrs *srs;                         /* NULL: no sender is rewritten */
  RerouteSecrets *secrets;                 /* NULL: until they were read */
  RerouteClientCertificates *certificates; /* NULL: until they were read */
  RerouteTokens *tokens;
  RerouteRuleset *no_rules; /* settings while there is none */
  guint generation;         /* counts rulesets */
  RerouteDecisionMemo memo; /* of the ruleset */
  RerouteResolverUse *resolver;
  GPtrArray *resolvers;         /* (element-type RerouteResolverUse) */
  RerouteResolverUse *on_trial; /* (nullable): that may come into force */
  gboolean lacks_verdict;       /* whether these servers pass DNSSEC is not known yet */
  guint n_trials;               /* of these servers, without a verdict */
  RerouteTimer next_trial;
  GQueue held_walks; /* during the first trial */
  RerouteSts *sts;
  RerouteTlsReporter *tls_reporter;
  RerouteProber *prober;
  GQueue visits; /* of visit.c; links are in the visits */
  GArray *own_addresses;
  gint64 own_addresses_us; /* monotonic: when they were read */
  GHashTable *routes;      /* of route.c */
  gint64 routes_looked_us; /* monotonic: when it was gone through for those that are unused */

  GHashTable *queue;        /* (element-type guint64 RerouteQueued) */
  GQueue order;             /* (element-type RerouteQueued): oldest first, but for what came
                               in while the queue was restored */
  RerouteQueueIndex *index; /* (nullable): while somebody asks for it */
  GQueue early_calls;       /* (element-type GTask): wait until the queue is restored */
  gsize in_memory_octets;

  RerouteDestinations destinations;
  RerouteDownHosts *down;
  guint n_pressing; /* tries that wait for a connection to a host that is not to blame */
  gboolean pressed;
  int n_submitted;   /* atomic: messages on their way here */
  int n_connections; /* atomic: of the pools */

  guint n_active;       /* deliveries that workers have */
  guint n_spooling;     /* mail of our own on its way into the spool, and calls that wait for it */
  guint n_notices_lost; /* of failures: the spool did not take them */
  GQueue own_mail_filters;  /* of own-mail-filter.c, in order of coming */
  gint64 own_mail_until_us; /* monotonic, while stopping: then it waits for no filter; 0: not yet */
  gsize own_mail_octets;    /* of what is there, with what each costs */
  gboolean own_mail_begins; /* one is being begun */
  gboolean stopping;

  GMutex lock; /* for what is below */
  GCond changed;
  gboolean drained;
  guint n_pools_left;
  RerouteSchedulerFigures figures; /* its dns is the resolver's servers, without oldest_us */
  const RerouteQueued *oldest;     /* NULL: nothing waits */
};

/* One try on its way: what a RerouteDelivery's scheduler_data points to. */
struct _RerouteTry
{
  RerouteScheduler *scheduler;
  RerouteQueued *queued;     /* a reference */
  RerouteDelivery *delivery; /* NULL while a worker has it */
  GArray *endpoints;         /* (element-type RerouteEndpoint): all that were found, in order */
  char *next_hop;            /* as decided: a domain or a host */
  guint generation;          /* of the rules that decided it */
  guint n_left;              /* of queued when it began; another number: it is void */
  RerouteDestination *destination;
  gboolean is_asked_for; /* its hosts may be asked again now, once */
  gboolean is_named;     /* an entry or a setting names its hosts, not DNS alone */
  gboolean leaves;       /* our organisation */
  gboolean in_memory;    /* counted in the destination's n_in_memory */
  guint worker;
  gint64 began_us; /* monotonic: when a worker got it */
};

/* What became of a recipient. */
typedef enum
{
  REROUTE_OUTCOME_SENT,
  REROUTE_OUTCOME_DEFERRED, /* was tried */
  REROUTE_OUTCOME_PUT_OFF,  /* was not tried: costs no try and no record */
  REROUTE_OUTCOME_FAILED,
} RerouteOutcomeKind;

typedef struct
{
  RerouteOutcomeKind kind;
  guint recipient;
  RerouteReply *reply; /* owned */
  gint64 due_us;       /* DEFERRED, PUT_OFF: when, 0: by the retry schedule */
  gboolean waits_for_rules;
  gboolean waits_for_etrn;
  gboolean waits_for_leaving;
  gboolean ends_notices; /* SENT: to a host that knows no DSN, so success is told by us */

  /* for the log and for tracking; borrowed, each may be NULL */
  const char *rcpt_out;
  const char *next_hop;
  const char *relay;
  const char *tls;
  RerouteDecidedBy by;
} RerouteOutcome;

/* --- scheduler.c --- */
RerouteSettings *reroute_scheduler_get_settings (RerouteScheduler *self);
const char *reroute_scheduler_get_hostname (RerouteScheduler *self);
/* What was @monotonic_us, by the wall clock of now: it may have been set since. */
gint64 reroute_scheduler_get_wall_us (RerouteScheduler *self, gint64 monotonic_us);
/* What counts as ourselves; borrowed until the next call. */
RerouteSelf reroute_scheduler_get_self (RerouteScheduler *self);
/* A message of our own or a client's enters the queue and is tried. */
void reroute_scheduler_enqueue (RerouteScheduler *self, RerouteMessage *message, guint worker);
typedef enum
{
  REROUTE_WAKE_FOR_RULES,       /* what rules, secrets or certificates may change */
  REROUTE_WAKE_FOR_FIRST_RULES, /* that, and the timers of all are set */
  REROUTE_WAKE_FOR_LEAVING,     /* what waits since a host takes no mail that leaves */
} RerouteWake;
/* What waits for that is due now. */
void reroute_scheduler_wake_waiting (RerouteScheduler *self, RerouteWake wake);
/* While stopping: whether all is in hand no more. */
void reroute_scheduler_check_drained (RerouteScheduler *self);

/* --- restore.c --- */
/* Those that waited for the queue are answered. */
void reroute_scheduler_run_early_calls (RerouteScheduler *self);

/* --- queue-call.c --- */
/* Runs a call about the queue, a GTask. */
void reroute_queue_call_run (RerouteWorker *thread, gpointer task);

/* --- queue-index.c --- */
void reroute_queue_index_free (RerouteScheduler *scheduler); /* when there is one */
/* A message leaves, or one of its recipients is final. */
void reroute_queue_index_drop (RerouteQueued *queued);
void reroute_queue_index_drop_recipient (RerouteQueued *queued, guint recipient);
/* Something of it that lists of the queue show, or are ordered by, is another thing. */
void reroute_queue_index_note (RerouteQueued *queued, guint recipient);

/* --- queued.c --- */
/* Counts a change that the figures do not show. */
void reroute_scheduler_note_change (RerouteScheduler *self);
RerouteQueued *
reroute_queued_new (RerouteScheduler *scheduler, RerouteMessage *message, guint worker);
RerouteQueued *reroute_queued_ref (RerouteQueued *self);
void reroute_queued_unref (RerouteQueued *self);
void reroute_queued_restore (RerouteQueued *self, const RerouteSpoolEntry *entry);
/* What MAIL and RCPT said; borrowed until reroute_queued_rest(). */
const RerouteEnvelope *reroute_queued_get_envelope (RerouteQueued *self);
/* Packs the envelope, unless something is under way with a recipient. */
void reroute_queued_rest (RerouteQueued *self);
/* Takes it out of the queue; a reference of the queue goes. */
void reroute_queued_leave (RerouteQueued *self);
/* Sets the timer to the earliest recipient that is idle, or in line; rests when that is not now.
   What a clock that was ahead has put off is due now. */
void reroute_queued_arm (RerouteQueued *self);
/* Recipients that were parked are due now. */
void reroute_queued_unpark (RerouteQueued *self);
/* Recipients that wait for DNS or for a connection are idle; what still has them is void. */
void reroute_queued_leave_tries (RerouteQueued *self);
void reroute_queued_release_content (RerouteQueued *self);
/* Records what became of recipients that are idle no more, and their notices; clears the
   outcomes' replies. */
void reroute_queued_settle (RerouteQueued *self, RerouteOutcome *outcomes, guint n);
/* @said: its reply, which the verdict borrows */
RerouteVerdict
reroute_queued_make_verdict (RerouteQueued *self, const RerouteOutcome *outcome, const char *said);
/* The last step of a settlement: states and the spool's record. */
void reroute_queued_record (RerouteQueued *self, const RerouteVerdict *verdicts, guint n);

/* --- queued-time.c --- */
/* At least so often held recipients are looked at, and what waits for ETRN. */
#define REROUTE_QUEUED_LOOK_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)
/* It came into this process now. */
void reroute_queued_begin_time (RerouteQueued *self);
/* When it was received, by the wall clock as it is now; from any thread.  That may have been ahead
   when the message was received, or have gone ahead since: what the message has waited here is
   known without it. */
gint64 reroute_queued_get_received_us (const RerouteQueued *self);
gboolean reroute_queued_is_due (const RerouteWaiting *recipient, gint64 now_us);
/* No wait that begins now ends later, for hosts and DNS wait by the same list: what is due later
   was put off by a clock that was ahead. */
gint64 reroute_scheduler_get_latest_due_us (RerouteScheduler *scheduler, gint64 now_us);
gint64 reroute_queued_get_expiry_us (RerouteQueued *self);
/* The earliest time at which the sender is told of who is in line or held, wall clock: behind a
   notice that the spool did not take it is a retry interval later. */
gint64 reroute_queued_get_telling_us (RerouteQueued *self);
/* Turns a deferral into a failure when the time is over; else sets its due time.  What was tried at
   a host that failed stands behind what was only put off: another message asks that host next, for
   it may be this one alone that it cannot take. */
void reroute_queued_set_due (RerouteQueued *self, RerouteOutcome *outcome);
/* When the sender is to be told of a delay, wall clock; G_MAXINT64: never, or it was */
gint64 reroute_queued_get_delay_notice_us (RerouteQueued *self, guint recipient);

/* --- outcome-log.c --- */
/* The failure of one whose time is over; @last: what it was told last */
RerouteReply *reroute_reply_new_expired (const char *last);
/* Tells of the outcomes of one settlement: the delivery line of the log, and the event for who
   tracks.  What recipients have in common is made once; they have when they share a reply. */
RerouteTelling *reroute_telling_new (void);
void reroute_telling_free (RerouteTelling *self);
/* @texts: where replies lie; borrowed until the next settlement begins, as what outcomes borrow */
void reroute_telling_begin (RerouteTelling *self, RerouteQueued *queued, GStringChunk *texts);
/* As reroute_reply_to_string(), in @texts. */
const char *reroute_telling_find_text (RerouteTelling *self, const RerouteReply *reply);
void reroute_telling_tell (RerouteTelling *self, const RerouteOutcome *outcome);
/* All are told: their lines go to the log. */
void reroute_telling_end (RerouteTelling *self);
/* An event of a recipient that no try brought about. */
void reroute_queued_track (RerouteQueued *self,
                           guint recipient,
                           RerouteTrackKind kind,
                           const char *reply);
/* The sender was told by @notice. */
void reroute_queued_track_notice (RerouteQueued *self,
                                  const RerouteMessage *notice,
                                  RerouteDsnKind kind);

/* --- held.c --- */
/* Whether it is held and nothing is under way with it. */
gboolean reroute_waiting_is_held (const RerouteWaiting *self);
/* When held recipients are looked at next, wall clock. */
gint64 reroute_queued_get_held_look_us (RerouteQueued *self, gint64 now_us);
/* @outcomes: (element-type RerouteOutcome): held recipients whose time is over are added */
void reroute_queued_add_expired (RerouteQueued *self, gint64 now_us, GArray *outcomes);

/* --- line.c --- */
/* When recipients that wait in line are looked at next, wall clock; G_MAXINT64: there are none */
gint64 reroute_queued_get_line_look_us (RerouteQueued *self);
/* Those whose time is over fail; of those that are late the sender is told. */
void reroute_queued_look_at_line (RerouteQueued *self, gint64 now_us);
/* The sender was told of recipients that went on meanwhile. */
void reroute_queued_record_told (RerouteQueued *self, const RerouteOutcome *outcomes, guint n);

/* --- etrn.c --- */
/* The outcome of one that nobody has asked for yet. */
RerouteOutcome reroute_queued_await_etrn (RerouteQueued *self, guint recipient);
/* Whether it waits for ETRN and nothing is under way with it. */
gboolean reroute_waiting_awaits_etrn (const RerouteWaiting *self);
/* What is kept as the last reply when @outcome puts it off; (transfer full) */
char *reroute_waiting_dup_reply (const RerouteWaiting *self, const RerouteOutcome *outcome);

/* --- lost-entry.c --- */
/* Whether the entry that let the recipient in does not act, so that it waits for one. */
gboolean reroute_recipient_lost_its_entry (const RerouteRecipient *recipient,
                                           const RerouteDecision *decision);
/* The outcome of such a recipient: its reply says what has become of the entry. */
RerouteOutcome reroute_recipient_await_entry (const RerouteRuleset *ruleset,
                                              const RerouteRecipient *recipient,
                                              guint index);

/* --- try.c --- */
/* Decides every recipient that is due and sends it on its way. */
void reroute_queued_try (RerouteQueued *self);
/* What its mail demands of a host; borrowed. */
RerouteDemand reroute_try_get_demand (RerouteTry *self, const RerouteEndpoint *endpoint);
/* Where it waits for a connection to a host: there, or in the lane of what was denied to it. */
RerouteDestination *reroute_try_find_destination (RerouteTry *self,
                                                  const RerouteEndpoint *endpoint);
/* Waits for a connection to the first of the endpoints that is not known to be dead. */
void reroute_try_place (RerouteTry *self);
/* Drops recipients that do not wait any more; FALSE: none was left, and @self is gone. */
gboolean reroute_try_prune (RerouteTry *self);
/* Makes its recipients idle and due now; frees it. */
void reroute_try_withdraw (RerouteTry *self);
void reroute_try_free (RerouteTry *self);
void reroute_try_deliver (RerouteTry *self); /* to the worker that it was leased */

/* --- try-result.c --- */
/* A worker gives a try back: @delivery: (transfer full) */
void reroute_try_take_back (RerouteDelivery *delivery);

/* --- try-tls.c --- */
/* Whether it is counted how TLS goes with the hosts. */
gboolean reroute_try_counts_tls (RerouteTry *self);
/* How it went in the sessions of @delivery. */
void reroute_try_count_sessions (RerouteTry *self, const RerouteDelivery *delivery);
/* Hosts that were not asked: their domain's policy does not name them, or nobody can say whether
   they have TLSA records. */
void reroute_try_count_passed_over (RerouteTry *self, const RerouteNextHop *next_hop);

/* --- route.c --- */
typedef struct _RerouteRoute RerouteRoute;
typedef void (*RerouteRouteFunc) (const RerouteNextHop *next_hop, gpointer user_data);
/* The route of a decision: the same for decisions with the same hosts or domain. */
RerouteRoute *reroute_route_get (RerouteScheduler *scheduler, const RerouteDecision *decision);
/* @func runs once, perhaps before this returns. */
void reroute_route_resolve (RerouteRoute *self, RerouteRouteFunc func, gpointer user_data);
void reroute_routes_forget (RerouteScheduler *scheduler); /* what was looked up */
GHashTable *reroute_routes_new (void);

/* --- sender.c --- */
/* The recipient that is decided for: @recipient, or the sender that it was made from by us.
   @now_s: as for reroute_srs_reverse(); of what is queued the age was judged when it was taken
   (transfer full) (nullable): NULL: @verdict (out) (nullable) says why that sender is not known;
   what was once taken has lost its key, or the sender that it stands for. */
RerouteAddress *reroute_scheduler_unwrap (RerouteScheduler *self,
                                          RerouteAddress *recipient,
                                          gint64 now_s,
                                          RerouteSrsVerdict *verdict);
/* The outcome of such a recipient: by its own domain it would go to whoever has that. */
RerouteOutcome reroute_recipient_fail_expired (guint recipient);
/* The sender that @reverse_path has to become where mail leaves our organisation; (transfer full)
   (nullable): NULL: it stays */
char *reroute_scheduler_rewrite_sender (RerouteScheduler *self, const char *reverse_path);

/* --- resolver-use.c --- */
/* The next reroute_scheduler_update_resolver() makes a new resolver, whatever its servers are. */
void reroute_scheduler_forget_servers (RerouteScheduler *self);

/* Takes up the DNS servers of the settings, or --dns. */
gboolean reroute_scheduler_update_resolver (RerouteScheduler *self, GError **error);
/* Whether the servers pass DNSSEC is known, or not asked any more: asks what was held. */
void reroute_scheduler_end_trials (RerouteScheduler *self);
void reroute_scheduler_resolve (RerouteScheduler *self,
                                const RerouteDecision *decision,
                                guint turn,
                                RerouteNextHopFunc func,
                                gpointer user_data);
/* Whether any of a domain's exchangers leads here. */
void reroute_scheduler_survey (RerouteScheduler *self,
                               const char *domain,
                               RerouteNextHopFunc func,
                               gpointer user_data);
/* As reroute_scheduler_resolve(), once the servers were tried. */
void reroute_scheduler_resolve_for_mail (RerouteScheduler *self,
                                         const RerouteDecision *decision,
                                         guint turn,
                                         RerouteNextHopFunc func,
                                         gpointer user_data);
/* One question. */
void reroute_scheduler_look_up (RerouteScheduler *self,
                                RerouteDnsKind kind,
                                const char *name,
                                RerouteDnsFunc func,
                                gpointer user_data);
/* One question: TXT records of @name, or its addresses. */
void reroute_scheduler_ask (RerouteScheduler *self,
                            gboolean for_text,
                            const char *name,
                            RerouteDnsFunc func,
                            gpointer user_data);
void reroute_resolver_use_free (RerouteResolverUse *self);

/* --- sts-use.c --- */
RerouteSts *reroute_scheduler_make_sts (RerouteScheduler *self, guint16 port);
/* As reroute_scheduler_resolve_for_mail(); then the endpoints know the MTA-STS policies of their
   domains. */
void reroute_scheduler_find_next_hop (RerouteScheduler *self,
                                      const RerouteDecision *decision,
                                      guint turn,
                                      RerouteNextHopFunc func,
                                      gpointer user_data);
/* Likewise, for who only wants to know: at once. */
void reroute_scheduler_show_next_hop (RerouteScheduler *self,
                                      const RerouteDecision *decision,
                                      RerouteNextHopFunc func,
                                      gpointer user_data);

/* --- visit.c --- */
/* Ends them; while stopping. */
void reroute_visits_close (RerouteScheduler *self);

/* --- own-mail.c --- */
/* @message: (nullable): NULL: it could not be spooled, which was logged */
typedef void (*RerouteOwnMailFunc) (RerouteMessage *message, gpointer user_data);
/* What mail of our own demands of TLS. */
typedef enum
{
  REROUTE_OWN_MAIL_TLS_USUAL,
  REROUTE_OWN_MAIL_TLS_OPTIONAL, /* whatever the policies of the recipient's domain say of it */
  REROUTE_OWN_MAIL_TLS_REQUIRED, /* REQUIRETLS */
} RerouteOwnMailTls;
/* Spools mail of our own; @func runs later, on the scheduler's thread, and enqueues it. */
void reroute_own_mail_spool (RerouteScheduler *scheduler,
                             RerouteAddress *to,
                             GBytes *content,
                             RerouteOwnMailTls tls,
                             RerouteOwnMailFunc func,
                             gpointer user_data);

/* --- own-mail-filter.c --- */
/* @content: in wire form, dot-stuffed; borrowed for the call */
typedef void (*RerouteOwnMailFilterFunc) (GBytes *content, gpointer user_data);
/* Has the filters of MILTERS_FOR_OWN_MAIL look at @content; @func runs later with what they made of
   it, or with what it was, within their time limits.  @draft names it, @envelope has one recipient;
   both outlive that.  Returns: FALSE when there are no filters, and @func never runs */
gboolean reroute_own_mail_filter (RerouteScheduler *scheduler,
                                  const RerouteSpoolDraft *draft,
                                  const RerouteEnvelope *envelope,
                                  GBytes *content,
                                  RerouteOwnMailFilterFunc func,
                                  gpointer user_data);
/* While stopping: none waits longer than @grace_us from now on. */
void reroute_own_mail_hurry (RerouteScheduler *scheduler, gint64 grace_us);

/* --- notice.c --- */
/* Spools a notice about the outcomes, whose replies it takes, then records them, but for RELAYED;
   of recipients that wait in line only that the sender was told. The message has a reverse-path. */
void
reroute_notice_send (RerouteQueued *queued, RerouteDsnKind kind, RerouteOutcome *outcomes, guint n);
/* The header section as it was received, unstuffed, at most REROUTE_LIMIT_HEADER_OCTETS. */
GByteArray *reroute_queued_dup_headers (RerouteQueued *self);

G_END_DECLS
