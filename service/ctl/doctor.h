/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/ctl/ctl.h"

#include "common/diagnosis.h"

G_BEGIN_DECLS

/* What doctor has found, and what it was asked for. */
typedef struct
{
  const char *const *checks; /* (array zero-terminated=1): words of common/diagnosis */
  GPtrArray *found;          /* (element-type RerouteDiagnosis) */
  gboolean relay_is_there;
} RerouteDoctor;

#define reroute_doctor_report(self, ...)                                                           \
  g_ptr_array_add ((self)->found, reroute_diagnosis_new (__VA_ARGS__))

/* The checks that are made from here: bus, rules, versions.  Asks both services, so that the bus
   starts the one that it can start. */
void reroute_doctor_look_at_bus (RerouteDoctor *self, RerouteCtl *ctl);

G_END_DECLS
