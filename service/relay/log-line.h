/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A line of the log with fields. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REROUTE_LOG_FIELD_PREFIX "REROUTE_" /* of those that go to journald */
#define REROUTE_LOG_FIELDS_MOST 16

/* Logs @text as a message, with @fields (array length=n), GLIB_DOMAIN among them.  A field whose
   value is NULL is left out. */
static inline void
reroute_log_line (const char *text, const GLogField *fields, gsize n)
{
  GLogField all[REROUTE_LOG_FIELDS_MOST + 1] = { { "MESSAGE", text, -1 } };
  gsize n_all = 1;

  g_return_if_fail (n <= REROUTE_LOG_FIELDS_MOST);

  for (gsize i = 0; i < n; i++)
    if (fields[i].value != NULL)
      all[n_all++] = fields[i];
  g_log_structured_array (G_LOG_LEVEL_MESSAGE, all, n_all);
}

G_END_DECLS
