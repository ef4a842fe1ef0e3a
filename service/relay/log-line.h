/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A line of the log with fields, and many without. */

#pragma once

#include <unistd.h>

#include <glib.h>

G_BEGIN_DECLS

#define REROUTE_LOG_FIELD_PREFIX "REROUTE_" /* of those that go to journald */
#define REROUTE_LOG_FIELDS_MOST 16
#define REROUTE_LOG_LINES "LINES" /* a field: the message is not one line but several */

/* Whether standard error is journald's, which alone takes fields. */
static inline gboolean
reroute_log_takes_fields (void)
{
  return g_log_writer_is_journald (STDERR_FILENO);
}

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

/* Logs each line of @text, which does not end with a line end, as a message of its own of @domain:
   a call for all of them. */
static inline void
reroute_log_lines (const char *domain, const char *text)
{
  const GLogField fields[] = {
    { "MESSAGE", text, -1 },
    { "GLIB_DOMAIN", domain, -1 },
    { REROUTE_LOG_LINES, "", -1 },
  };

  g_log_structured_array (G_LOG_LEVEL_MESSAGE, fields, G_N_ELEMENTS (fields));
}

G_END_DECLS
