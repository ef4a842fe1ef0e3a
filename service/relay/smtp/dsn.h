/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/envelope.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_DSN_FAILED,
  REROUTE_DSN_DELAYED,
} RerouteDsnKind;

typedef struct
{
  const char *recipient;      /* as received */
  const char *status;         /* "5.1.1" */
  const char *diagnostic;     /* the remote reply by code and text without host names; NULL: none */
  gint64 will_retry_until_us; /* DELAYED */
} RerouteDsnRecipient;

typedef struct
{
  RerouteDsnKind kind;
  const char *hostname;
  const char *queue_id;
  const char *reverse_path; /* whom it goes to */
  gint64 arrived_us;
  const RerouteDsnRecipient *recipients; /* (array length=n_recipients) */
  guint n_recipients;
  const guint8 *headers; /* header section of the message, unstuffed */
  gsize headers_length;
  gint64 now_us;
} RerouteDsnRequest;

/* A multipart/report (RFC 3461 to 3464, 6522) by gmime.  Returns: (transfer full): in wire form,
   dot-stuffed, 7-bit. Nothing is returned for the null reverse-path: the caller never asks. */
GBytes *reroute_dsn_format (const RerouteDsnRequest *request);

G_END_DECLS
