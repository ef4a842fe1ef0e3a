/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* Tells systemd, or what else set NOTIFY_SOCKET, how the relay is: "READY=1"; sd_notify(3).  Nobody
   need listen. */
void reroute_supervisor_notify (const char *state);
