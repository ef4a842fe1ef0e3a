/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/settings.h"
#include "service/relay/smtp/srs.h"
#include "service/relay/spool/spool.h"

G_BEGIN_DECLS

/**
 * RerouteSrsKeeper:
 *
 * Keeps what rewrites senders in force: as the setting srs-domain says, with the keys of the spool,
 * which are made when they are needed first and get old.  Lives in the main thread.
 */
typedef struct _RerouteSrsKeeper RerouteSrsKeeper;

/* @srs: (nullable): what is in force from now on; NULL: no sender is rewritten */
typedef void (*RerouteSrsKeeperFunc) (RerouteSrs *srs, gpointer user_data);

/* @spool: borrowed */
RerouteSrsKeeper *
reroute_srs_keeper_new (RerouteSpool *spool, RerouteSrsKeeperFunc changed, gpointer user_data);
void reroute_srs_keeper_free (RerouteSrsKeeper *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteSrsKeeper, reroute_srs_keeper_free)

void reroute_srs_keeper_set_settings (RerouteSrsKeeper *self, RerouteSettings *settings);

G_END_DECLS
