/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/settings.h"

G_BEGIN_DECLS

/* (transfer full): a translated sentence for @text, which the setting's own check refused: what is
   wrong with it and what would be right. */
char *reroute_dup_setting_error (const RerouteSettingSpec *spec, const char *text);

G_END_DECLS
