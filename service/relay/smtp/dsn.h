/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/smtp/envelope.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_DSN_FAILED,
  REROUTE_DSN_DELAYED,
  REROUTE_DSN_RELAYED, /* a host took it that sends no notices of success */
} RerouteDsnKind;

typedef struct
{
  const char *recipient;      /* as received */
  const char *original;       /* (nullable): ORCPT as it was given */
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
  const char *envelope_id;  /* (nullable): ENVID as it was given */
  gint64 arrived_us;
  const RerouteDsnRecipient *recipients; /* (array length=n_recipients) */
  guint n_recipients;
  const guint8 *headers; /* header section of the message, unstuffed */
  gsize headers_length;
  const guint8 *content; /* (nullable): the whole of it, unstuffed, to be given back */
  gsize content_length;
  gint64 now_us;
} RerouteDsnRequest;

/* Takes the dots of dot-stuffing from what was received, or from the beginning of it.  Returns:
   octets of its header section, which has no empty line behind it. */
guint reroute_dsn_unstuff (GByteArray *content);

/* A multipart/report (RFC 3461 to 3464, 6522) by gmime.  Content that is not plain ASCII, which no
   7-bit report can hold whole, is given back as its headers.  Returns: (transfer full): in wire
   form, dot-stuffed, 7-bit. Nothing is returned for the null reverse-path: the caller never asks.
 */
GBytes *reroute_dsn_format (const RerouteDsnRequest *request);

/* "failed", "delayed", "relayed": the Action (RFC 3464 2.3.3). */
const char *reroute_dsn_kind_to_string (RerouteDsnKind kind);

G_END_DECLS
