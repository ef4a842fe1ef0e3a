/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/settings.h"

G_BEGIN_DECLS

/* A value taken apart; immutable, shared between the settings of many generations. */
typedef struct
{
  char *text;      /* canonical */
  gint64 number;   /* BOOLEAN, ENUM, DURATION, OCTETS, COUNT */
  GArray *numbers; /* (element-type gint64): DURATIONS */
  RerouteHosts *hosts;
  GArray *ranges; /* (element-type RerouteIpRange): RANGES, ADDRESSES */
  char **endpoints;
  char **paths;
  GArray *milters; /* (element-type RerouteMilterSpec) */
} RerouteSettingValue;

/* Errors: %REROUTE_ERROR_VALUE, %REROUTE_ERROR_HOST and the like; the key is not named yet. */
RerouteSettingValue *
reroute_setting_value_parse (const RerouteSettingSpec *spec, const char *text, GError **error);
RerouteSettingValue *reroute_setting_value_ref (RerouteSettingValue *self);
void reroute_setting_value_unref (RerouteSettingValue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSettingValue, reroute_setting_value_unref)

G_END_DECLS
