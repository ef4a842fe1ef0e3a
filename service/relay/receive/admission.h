/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/decision-memo.h"
#include "service/relay/smtp/envelope.h"
#include "service/relay/smtp/reply.h"
#include "service/relay/smtp/srs.h"

G_BEGIN_DECLS

/**
 * RerouteAdmission:
 *
 * Who may connect and who may relay.  Counts the sessions of all workers, in all and by client;
 * shared by their threads.
 */
typedef struct _RerouteAdmission RerouteAdmission;

/* Why a client was turned away at the door. */
typedef enum
{
  REROUTE_REFUSED_FORBIDDEN, /* forbidden-hosts */
  REROUTE_REFUSED_MODE,      /* transfer-mode */
  REROUTE_REFUSED_FULL,      /* max-inbound-connections */
  REROUTE_REFUSED_CLIENT,    /* max-connections-per-client */
  REROUTE_REFUSED_ERRORS,    /* max-error-rate */
  REROUTE_REFUSED_EARLY,     /* it spoke first */
  REROUTE_REFUSED_PROXY,     /* it had to say whose connection it is, and did not */
  REROUTE_REFUSED_NO_TLS,    /* it came for TLS, and there is no certificate */
  REROUTE_N_REFUSED,
} RerouteRefusedReason;

RerouteAdmission *reroute_admission_new (void);
void reroute_admission_free (RerouteAdmission *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteAdmission, reroute_admission_free)

/**
 * reroute_admission_enter:
 * @ruleset: (nullable): the generation to judge by; %NULL when none is held yet: the defaults
 * @ip: who knocks
 * @may_log_in: whether it has logged in, or can: then who receives nothing from outside lets it in
 * and judges its recipients
 * @now_us: monotonic
 *
 * Judges a client at the door; one that may come in is counted until reroute_admission_leave().
 * An IPv6 client is its /64, as that is what one customer has.
 *
 * Returns: (transfer full) (nullable): the refusal to greet with; %NULL lets it in
 */
RerouteReply *reroute_admission_enter (RerouteAdmission *self,
                                       RerouteRuleset *ruleset,
                                       const RerouteIp *ip,
                                       gboolean may_log_in,
                                       gint64 now_us);
void reroute_admission_leave (RerouteAdmission *self, const RerouteIp *ip);

/* A session of @from is one of @to from here on: judged as reroute_admission_enter() does, but for
   the room in all, which it has.  Refused, it stays @from's.  (transfer full) (nullable) */
RerouteReply *reroute_admission_move (RerouteAdmission *self,
                                      RerouteRuleset *ruleset,
                                      const RerouteIp *from,
                                      const RerouteIp *to,
                                      gboolean may_log_in,
                                      gint64 now_us);

/* The same for a proxy that has not said whose connection it is: it counts among all, as nobody's.
 */
RerouteReply *reroute_admission_enter_proxy (RerouteAdmission *self,
                                             const RerouteSettings *settings);
void reroute_admission_leave_proxy (RerouteAdmission *self);

guint reroute_admission_get_n_sessions (RerouteAdmission *self);

/* Counts a client that others than this turned away. */
void reroute_admission_note_refused (RerouteAdmission *self, RerouteRefusedReason reason);
/* @counts: (out) (array fixed-size=REROUTE_N_REFUSED): clients that were turned away, by reason */
void reroute_admission_get_refused (RerouteAdmission *self, guint64 *counts);

/**
 * reroute_admission_count:
 * @ruleset: (nullable): %NULL: no limit
 * @rate: %REROUTE_SETTING_MAX_MESSAGE_RATE or %REROUTE_SETTING_MAX_RECIPIENT_RATE
 * @now_us: monotonic
 *
 * Counts one more of @client in this minute.  A permitted client has no limit, and a limit of 0
 * costs no count.
 *
 * Returns: (transfer full) (nullable): the refusal of what is over the limit
 */
RerouteReply *reroute_admission_count (RerouteAdmission *self,
                                       RerouteRuleset *ruleset,
                                       const RerouteClient *client,
                                       RerouteSettingId rate,
                                       gint64 now_us);

/**
 * reroute_admission_count_error:
 * @ruleset: (nullable): %NULL: no limit
 * @now_us: monotonic
 *
 * Counts one more error of @client, a reply of 5xx.  As many as max-error-rate within
 * REROUTE_LIMIT_ERRORS_WINDOW_S put it off for REROUTE_LIMIT_ERRORS_PAUSE_S, over all of its
 * connections; a permitted client has no limit.
 *
 * Returns: whether @client is put off
 */
gboolean reroute_admission_count_error (RerouteAdmission *self,
                                        RerouteRuleset *ruleset,
                                        const RerouteClient *client,
                                        gint64 now_us);
RerouteReply *reroute_admission_new_put_off (void); /* (transfer full): what it is told */

/* What comes with a recipient that is taken. */
typedef struct
{
  RerouteRowRef by;     /* the row that admits it; id 0: none, the client is permitted */
  RerouteDecision *ask; /* (nullable): its next hop is to be asked first, says the row; owned */
} RerouteAdmitted;

/**
 * reroute_admission_judge_login:
 * @settings: max-auth-failures is asked
 * @now_us: monotonic
 *
 * Whether a client may try to log in: not while its failures within
 * REROUTE_LIMIT_AUTH_FAILURES_WINDOW_S are as many as the setting allows.
 *
 * Returns: (transfer full) (nullable): the refusal, which ends the session
 */
RerouteReply *reroute_admission_judge_login (RerouteAdmission *self,
                                             const RerouteSettings *settings,
                                             const RerouteIp *ip,
                                             gint64 now_us);
void
reroute_admission_count_failed_login (RerouteAdmission *self, const RerouteIp *ip, gint64 now_us);

/* By what recipients are judged. */
typedef struct
{
  RerouteRuleset *ruleset;   /* (nullable): the newest generation; NULL refuses with 451 4.3.0 */
  const RerouteSrs *srs;     /* (nullable): whose addresses are decided as those of the senders that
                                they were made from */
  RerouteDecisionMemo *memo; /* of the ruleset */
} RerouteAdmissionRules;

/**
 * reroute_admission_rcpt:
 * @is_notice: whether the reverse-path is null: then a genuine address of the SRS is taken from
 * anyone, as the mail that the notice is about went through here
 * @admitted: (out)
 *
 * Returns: (transfer full) (nullable): the refusal; %NULL takes the recipient
 */
RerouteReply *reroute_admission_rcpt (const RerouteAdmissionRules *rules,
                                      const RerouteClient *client,
                                      gboolean is_notice,
                                      const RerouteAddress *recipient,
                                      RerouteAdmitted *admitted);

G_END_DECLS
