/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * machine-commands.c - what a milter is told, stage by stage
 *
 * Source: libmilter's mfdef.h; the macros are those of Sendmail's milter documentation.
 */

#include "config.h"

#include "service/relay/milter/machine-private.h"

#include <string.h>

/* @...: name and value in turns, NULL at the end; a value that is NULL leaves both out. */
static void
put_macros (RerouteMilterMachine *self, RerouteMilterCommand command, ...)
{
  const guint8 kind = (guint8) command;
  guint begin = reroute_milter_packet_begin (self->output, REROUTE_MILTER_COMMAND_MACRO);
  va_list arguments;

  g_byte_array_append (self->output, &kind, 1);
  va_start (arguments, command);
  for (const char *name; (name = va_arg (arguments, const char *)) != NULL;)
    {
      const char *value = va_arg (arguments, const char *);
      if (value == NULL)
        continue;
      reroute_milter_packet_put_string (self->output, name);
      reroute_milter_packet_put_string (self->output, value);
    }
  va_end (arguments);
  reroute_milter_packet_end (self->output, begin);
}

void
reroute_milter_machine_put_bare (RerouteMilterMachine *self, RerouteMilterCommand command)
{
  reroute_milter_packet_end (self->output, reroute_milter_packet_begin (self->output, command));
}

static void
put_path (RerouteMilterMachine *self, const char *address)
{
  g_autofree char *path = g_strdup_printf ("<%s>", address);

  reroute_milter_packet_put_string (self->output, path);
}

static gboolean
put_negotiation (RerouteMilterMachine *self, GError **error)
{
  guint begin = reroute_milter_packet_begin (self->output, REROUTE_MILTER_COMMAND_NEGOTIATE);

  reroute_milter_packet_put_number (self->output, REROUTE_MILTER_VERSION);
  reroute_milter_packet_put_number (self->output, REROUTE_MILTER_OFFERED_ACTIONS);
  reroute_milter_packet_put_number (self->output, REROUTE_MILTER_OFFERED_STEPS);
  reroute_milter_packet_end (self->output, begin);
  return TRUE;
}

/* A client without a name that was looked up is called by its address in brackets. */
static gboolean
put_connect (RerouteMilterMachine *self, GError **error)
{
  g_autofree char *ip = reroute_ip_to_string (&self->client_ip);
  g_autofree char *literal = g_strdup_printf ("[%s]", ip);
  const char *name = self->client_name != NULL ? self->client_name : literal;
  g_autofree char *full =
    self->client_name != NULL ? g_strdup_printf ("%s %s", name, literal) : g_strdup (literal);
  const guint8 family = reroute_ip_is_ipv4 (&self->client_ip) ? '4' : '6';

  put_macros (self,
              REROUTE_MILTER_COMMAND_CONNECT,
              "j",
              self->hostname,
              "_",
              full,
              "{daemon_name}",
              "reroute-relayd",
              "v",
              "Reroute",
              "{client_addr}",
              ip,
              "{client_name}",
              name,
              NULL);
  guint begin = reroute_milter_packet_begin (self->output, REROUTE_MILTER_COMMAND_CONNECT);
  reroute_milter_packet_put_string (self->output, name);
  g_byte_array_append (self->output, &family, 1);
  reroute_milter_packet_put_port (self->output, 0);
  reroute_milter_packet_put_string (self->output, ip);
  reroute_milter_packet_end (self->output, begin);
  return TRUE;
}

static gboolean
put_helo (RerouteMilterMachine *self, GError **error)
{
  g_auto (GStrv) tls = self->tls != NULL ? g_strsplit (self->tls, " with cipher ", 2) : NULL;
  gboolean has_cipher = tls != NULL && tls[0] != NULL && tls[1] != NULL;

  put_macros (self,
              REROUTE_MILTER_COMMAND_HELO,
              "{tls_version}",
              has_cipher ? tls[0] : NULL,
              "{cipher}",
              has_cipher ? tls[1] : NULL,
              NULL);
  guint begin = reroute_milter_packet_begin (self->output, REROUTE_MILTER_COMMAND_HELO);
  reroute_milter_packet_put_string (self->output, self->helo);
  reroute_milter_packet_end (self->output, begin);
  return TRUE;
}

static gboolean
put_mail (RerouteMilterMachine *self, GError **error)
{
  const char *sender = self->envelope->reverse_path;
  const char *at = strrchr (sender, '@');
  const RerouteMilterLogin *login = self->login;

  put_macros (self,
              REROUTE_MILTER_COMMAND_MAIL,
              "{mail_addr}",
              sender,
              "{mail_host}",
              at != NULL ? at + 1 : "",
              "{mail_mailer}",
              "esmtp",
              "{auth_type}",
              login != NULL ? login->mechanism : NULL,
              "{auth_authen}",
              login != NULL ? login->account : NULL,
              "{auth_ssf}", /* of the mechanism: none of ours encrypts, TLS does */
              login != NULL ? "0" : NULL,
              NULL);
  guint begin = reroute_milter_packet_begin (self->output, REROUTE_MILTER_COMMAND_MAIL);
  put_path (self, sender);
  if (self->envelope->body_8bitmime)
    reroute_milter_packet_put_string (self->output, "BODY=8BITMIME");
  if (self->envelope->smtputf8)
    reroute_milter_packet_put_string (self->output, "SMTPUTF8");
  reroute_milter_packet_end (self->output, begin);
  return TRUE;
}

static gboolean
put_rcpt (RerouteMilterMachine *self, GError **error)
{
  put_macros (self,
              REROUTE_MILTER_COMMAND_RCPT,
              "{rcpt_addr}",
              self->address->text,
              "{rcpt_host}",
              self->address->key,
              "{rcpt_mailer}",
              "esmtp",
              NULL);
  guint begin = reroute_milter_packet_begin (self->output, REROUTE_MILTER_COMMAND_RCPT);
  put_path (self, self->address->text);
  reroute_milter_packet_end (self->output, begin);
  return TRUE;
}

static gboolean
put_data (RerouteMilterMachine *self, GError **error)
{
  put_macros (self, REROUTE_MILTER_COMMAND_DATA, "i", self->queue_id, NULL);
  reroute_milter_machine_put_bare (self, REROUTE_MILTER_COMMAND_DATA);
  return TRUE;
}

static gboolean
put_header (RerouteMilterMachine *self, GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;

  if (self->field == 0)
    put_macros (self, REROUTE_MILTER_COMMAND_HEADER, "i", self->queue_id, NULL);
  reroute_milter_message_get_field (
    self->message, self->field++, (self->steps & REROUTE_MILTER_LEADING_SPACE) != 0, &name, &value);
  guint begin = reroute_milter_packet_begin (self->output, REROUTE_MILTER_COMMAND_HEADER);
  reroute_milter_packet_put_string (self->output, name);
  reroute_milter_packet_put_string (self->output, value);
  reroute_milter_packet_end (self->output, begin);
  return TRUE;
}

static gboolean
put_end_of_headers (RerouteMilterMachine *self, GError **error)
{
  put_macros (self, REROUTE_MILTER_COMMAND_END_OF_HEADERS, "i", self->queue_id, NULL);
  reroute_milter_machine_put_bare (self, REROUTE_MILTER_COMMAND_END_OF_HEADERS);
  return TRUE;
}

static gboolean
put_body (RerouteMilterMachine *self, GError **error)
{
  guint begin = reroute_milter_packet_begin (self->output, REROUTE_MILTER_COMMAND_BODY);
  guint before = self->output->len;

  if (!reroute_milter_message_read_body (
        self->message, self->body_offset, REROUTE_MILTER_CHUNK_OCTETS, self->output, error))
    return FALSE;
  self->body_offset += self->output->len - before;
  reroute_milter_packet_end (self->output, begin);
  return TRUE;
}

static gboolean
put_end (RerouteMilterMachine *self, GError **error)
{
  put_macros (self, REROUTE_MILTER_COMMAND_END, "i", self->queue_id, NULL);
  reroute_milter_machine_put_bare (self, REROUTE_MILTER_COMMAND_END);
  return TRUE;
}

static const RerouteMilterStageInfo stages[] = {
  /* clang-format off */
  [REROUTE_MILTER_STAGE_NEGOTIATE]      = { put_negotiation,    0,                                 0,                                      "negotiation" },
  [REROUTE_MILTER_STAGE_CONNECT]        = { put_connect,        REROUTE_MILTER_NO_CONNECT,         REROUTE_MILTER_NO_REPLY_CONNECT,        "connect" },
  [REROUTE_MILTER_STAGE_CONNECT_DONE]   = { NULL,               0,                                 0,                                      "connect" },
  [REROUTE_MILTER_STAGE_HELO]           = { put_helo,           REROUTE_MILTER_NO_HELO,            REROUTE_MILTER_NO_REPLY_HELO,           "HELO" },
  [REROUTE_MILTER_STAGE_HELO_DONE]      = { NULL,               0,                                 0,                                      "HELO" },
  [REROUTE_MILTER_STAGE_MAIL]           = { put_mail,           REROUTE_MILTER_NO_MAIL,            REROUTE_MILTER_NO_REPLY_MAIL,           "MAIL" },
  [REROUTE_MILTER_STAGE_MAIL_DONE]      = { NULL,               0,                                 0,                                      "MAIL" },
  [REROUTE_MILTER_STAGE_RCPT]           = { put_rcpt,           REROUTE_MILTER_NO_RCPT,            REROUTE_MILTER_NO_REPLY_RCPT,           "RCPT" },
  [REROUTE_MILTER_STAGE_RCPT_DONE]      = { NULL,               0,                                 0,                                      "RCPT" },
  [REROUTE_MILTER_STAGE_DATA]           = { put_data,           REROUTE_MILTER_NO_DATA,            REROUTE_MILTER_NO_REPLY_DATA,           "DATA" },
  [REROUTE_MILTER_STAGE_HEADER]         = { put_header,         REROUTE_MILTER_NO_HEADERS,         REROUTE_MILTER_NO_REPLY_HEADER,         "header" },
  [REROUTE_MILTER_STAGE_END_OF_HEADERS] = { put_end_of_headers, REROUTE_MILTER_NO_END_OF_HEADERS,  REROUTE_MILTER_NO_REPLY_END_OF_HEADERS, "end of headers" },
  [REROUTE_MILTER_STAGE_BODY]           = { put_body,           REROUTE_MILTER_NO_BODY,            REROUTE_MILTER_NO_REPLY_BODY,           "body" },
  [REROUTE_MILTER_STAGE_END]            = { put_end,            0,                                 0,                                      "end of message" },
  [REROUTE_MILTER_STAGE_END_DONE]       = { NULL,               0,                                 0,                                      "end of message" },
  /* clang-format on */
};

const RerouteMilterStageInfo *
reroute_milter_stage_get_info (RerouteMilterStage stage)
{
  return &stages[stage];
}
