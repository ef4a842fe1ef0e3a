/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Shared by examination.c, which runs the checks, and the examine-*.c, which make them. */

#pragma once

#include "service/relay/deliver/examine.h"
#include "service/relay/examination.h"

G_BEGIN_DECLS

typedef struct _RerouteExamination RerouteExamination;

/* A check that is being made.  It ends with the last of its steps. */
typedef struct
{
  RerouteExamination *examination;
  const char *name;
  GPtrArray *found; /* (element-type RerouteDiagnosis) */
  guint n_steps;    /* that have not ended */
} RerouteCheck;

/* What a check looks at; asked for at each step.  NULL: the examination is over, or the relay is
   stopping: end the step. */
const RerouteRelayParts *reroute_check_get_parts (const RerouteCheck *self);
const char *reroute_check_get_domain (const RerouteCheck *self); /* "", or where out is tried */
GCancellable *reroute_check_get_cancellable (const RerouteCheck *self);

/* A step that ends later; the check and its examination stay until then. */
void reroute_check_begin_step (RerouteCheck *self);
void reroute_check_end_step (RerouteCheck *self);

/* @code and its arguments, texts and then %NULL, as common/diagnosis has them. */
#define reroute_check_report(self, ...)                                                            \
  g_ptr_array_add ((self)->found, reroute_diagnosis_new (__VA_ARGS__))
/* Whether anything is wrong so far. */
gboolean reroute_check_has_complaint (const RerouteCheck *self);

/* @records: (array zero-terminated=1): of %REROUTE_DNS_FAILED the reason */
typedef void (*RerouteCheckAnswerFunc) (RerouteCheck *self,
                                        RerouteDnsStatus status,
                                        const char *const *records,
                                        gpointer user_data);
/* A step that asks DNS; @func runs once, perhaps before this returns. */
void reroute_check_look_up (RerouteCheck *self,
                            RerouteDnsKind kind,
                            const char *name,
                            RerouteCheckAnswerFunc func,
                            gpointer user_data);

/* (transfer full): "2026-11-26 13:20 UTC" */
char *reroute_check_format_time (gint64 time_us);

/* The checks; each begins a step and ends it. */
void reroute_examine_name (RerouteCheck *self);
void reroute_examine_ipv6 (RerouteCheck *self);
void reroute_examine_spf (RerouteCheck *self);
void reroute_examine_outbound (RerouteCheck *self);
void reroute_examine_listeners (RerouteCheck *self);
void reroute_examine_connections (RerouteCheck *self);
void reroute_examine_certificate (RerouteCheck *self);
void reroute_examine_relaying (RerouteCheck *self);
void reroute_examine_postmaster (RerouteCheck *self);
void reroute_examine_spool (RerouteCheck *self);
void reroute_examine_queue (RerouteCheck *self);
void reroute_examine_clock (RerouteCheck *self);
void reroute_examine_versions (RerouteCheck *self);

G_END_DECLS
