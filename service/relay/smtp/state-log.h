/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether debug messages of @domain are shown to anyone: a state machine is too busy to format
   them for nobody.  Looked up once. */
static inline gboolean
reroute_state_log_is_wanted (const char *domain)
{
  static gsize wanted; /* 1: yes, 2: no */

  if (g_once_init_enter (&wanted))
    g_once_init_leave (&wanted,
                       g_log_writer_default_would_drop (G_LOG_LEVEL_DEBUG, domain) ? 2 : 1);
  return wanted == 1;
}

G_END_DECLS
