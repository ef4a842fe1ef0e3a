/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What ETRN asks for: mail that leaves for a domain. */
typedef struct
{
  const char *domain;  /* in normal form */
  gboolean subdomains; /* also for those below it */
} RerouteEtrn;

G_END_DECLS
