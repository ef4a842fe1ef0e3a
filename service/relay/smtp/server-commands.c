/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * server-commands.c - what the commands of an SMTP session do
 *
 * One table; a command that it does not list, or not for this state, changes nothing.  EHLO
 * offers what is whole and nothing else.
 *
 * Standards: RFC 5321 section 4.1, RFC 1870, RFC 1985, RFC 2034, RFC 2920, RFC 3030, RFC 3207, RFC
 * 3461, RFC 3463, RFC 4954, RFC 6152, RFC 6531, RFC 8689.
 */

#include "config.h"

#include "service/relay/smtp/server-private.h"

#include "service/relay/smtp/command.h"
#include "service/relay/smtp/dsn-parameters.h"

#include "common/limits.h"

#include <string.h>

#define HELO_OCTETS 255 /* RFC 5321 4.5.3.1.2 */

static void
put (RerouteSmtpServer *self, guint code, const char *status, const char *text)
{
  reroute_smtp_server_put (self, code, status, text);
}

static void
put_bad (RerouteSmtpServer *self, guint code, const char *status, const char *text)
{
  reroute_smtp_server_put_bad (self, code, status, text);
}

/* Only where the message comes in TLS itself (RFC 8689 2). */
static gboolean
offers_requiretls (const RerouteSmtpServer *self)
{
  return self->config.knows_requiretls && self->tls != NULL;
}

static void
put_offers (RerouteSmtpServer *self)
{
  g_autoptr (GString) text = g_string_new (self->config.hostname);

  g_string_append (text, "\nPIPELINING\nSIZE");
  if (self->config.max_message_octets > 0)
    g_string_append_printf (text, " %" G_GINT64_FORMAT, self->config.max_message_octets);
  g_string_append (text, "\n8BITMIME\nSMTPUTF8\nCHUNKING\nDSN\nENHANCEDSTATUSCODES");
  if (self->config.offers_tls && self->tls == NULL)
    g_string_append (text, "\nSTARTTLS");
  if (offers_requiretls (self))
    g_string_append (text, "\nREQUIRETLS");
  if (reroute_smtp_server_offers_auth (self))
    g_string_append_printf (text, "\nAUTH %s", self->config.auth_mechanisms);
  if (reroute_smtp_server_offers_etrn (self))
    g_string_append (text, "\nETRN");
  if (self->config.offers_xclient)
    reroute_smtp_server_append_xclient_offer (text);
  put (self, 250, "", text->str);
}

void
reroute_smtp_server_greet_back (RerouteSmtpServer *self)
{
  g_free (self->helo);
  self->helo = g_steal_pointer (&self->held.helo);
  self->esmtp = self->held.esmtp;
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IDLE);
  if (self->esmtp)
    put_offers (self);
  else
    put (self, 250, "", self->config.hostname);
}

static void
take_name (RerouteSmtpServer *self, const char *argument, gboolean esmtp)
{
  gsize length = strlen (argument);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (argument[i]))
      length = 0;
  if (length == 0 || length > HELO_OCTETS)
    {
      put_bad (self, 501, "5.5.4", "Say your host name, and nothing behind it");
      return;
    }
  reroute_smtp_server_reset (self);
  reroute_smtp_server_ask_helo (self, argument, esmtp);
}

static void
run_ehlo (RerouteSmtpServer *self, char *argument)
{
  take_name (self, argument, TRUE);
}

static void
run_helo (RerouteSmtpServer *self, char *argument)
{
  take_name (self, argument, FALSE);
}

/* --- MAIL --- */

typedef struct
{
  RerouteEnvelope *envelope;
  guint64 size;
} MailParameters;

/* A parameter of MAIL.  Returns: FALSE for a bad value */
typedef gboolean (*ParameterFunc) (MailParameters *self, const char *value);

static gboolean
take_size (MailParameters *self, const char *value)
{
  return value != NULL && reroute_command_parse_number (value, &self->size);
}

static gboolean
take_body (MailParameters *self, const char *value)
{
  if (value == NULL)
    return FALSE;
  self->envelope->body_8bitmime = g_ascii_strcasecmp (value, "8BITMIME") == 0;
  return self->envelope->body_8bitmime || g_ascii_strcasecmp (value, "7BIT") == 0;
}

static gboolean
take_smtputf8 (MailParameters *self, const char *value)
{
  self->envelope->smtputf8 = TRUE;
  return value == NULL;
}

static gboolean
take_ret (MailParameters *self, const char *value)
{
  return value != NULL && reroute_dsn_parse_ret (value, &self->envelope->returns);
}

static gboolean
take_envid (MailParameters *self, const char *value)
{
  if (value == NULL || !reroute_dsn_check_envid (value))
    return FALSE;
  self->envelope->id = g_strdup (value);
  return TRUE;
}

static gboolean
take_requiretls (MailParameters *self, const char *value)
{
  self->envelope->requiretls = TRUE;
  return value == NULL;
}

/* Who submitted it elsewhere: nothing here depends on it. */
static gboolean
take_auth (MailParameters *self, const char *value)
{
  return value != NULL && (g_str_equal (value, "<>") || reroute_dsn_check_xtext (value));
}

static const struct
{
  const char *keyword;
  ParameterFunc take;
} mail_parameters[] = {
  /* clang-format off */
  { "SIZE",     take_size },     /* RFC 1870 6 */
  { "BODY",     take_body },     /* RFC 6152 3 */
  { "SMTPUTF8", take_smtputf8 }, /* RFC 6531 3.4 */
  { "RET",      take_ret },      /* RFC 3461 4.3 */
  { "ENVID",    take_envid },    /* RFC 3461 4.4 */
  { "AUTH",     take_auth },     /* RFC 4954 5 */
  { "REQUIRETLS", take_requiretls }, /* RFC 8689 2 */
  /* clang-format on */
};

static gboolean
is_offered (const RerouteSmtpServer *self, ParameterFunc take)
{
  return (take != take_auth || reroute_smtp_server_offers_auth (self)) &&
         (take != take_requiretls || offers_requiretls (self));
}

/* NULL: it was not offered. */
static ParameterFunc
find_mail_parameter (const RerouteSmtpServer *self, const char *keyword)
{
  for (gsize i = 0; self->esmtp && i < G_N_ELEMENTS (mail_parameters); i++)
    if (g_ascii_strcasecmp (keyword, mail_parameters[i].keyword) == 0)
      return is_offered (self, mail_parameters[i].take) ? mail_parameters[i].take : NULL;
  return NULL;
}

/* Returns: FALSE when a reply was put out */
static gboolean
take_mail_parameters (RerouteSmtpServer *self,
                      const RerouteCommandPath *path,
                      MailParameters *parameters)
{
  for (guint i = 0; i < path->n_parameters; i++)
    {
      ParameterFunc take = find_mail_parameter (self, path->parameters[i].keyword);
      if (take == NULL)
        {
          put_bad (self, 555, "5.5.4", "A parameter of MAIL was not offered by this host");
          return FALSE;
        }
      if (!take (parameters, path->parameters[i].value))
        {
          put_bad (self, 501, "5.5.4", "A parameter of MAIL has a bad value");
          return FALSE;
        }
    }
  if (self->config.max_message_octets > 0 &&
      parameters->size > (guint64) self->config.max_message_octets)
    {
      put (self, 552, "5.3.4", "The message is larger than this host takes");
      return FALSE;
    }
  return TRUE;
}

/* Returns: FALSE when a reply was put out */
static gboolean
parse_path (RerouteSmtpServer *self, char *argument, const char *prefix, RerouteCommandPath *path)
{
  switch (reroute_command_parse_path (argument, prefix, path))
    {
    case REROUTE_COMMAND_PATH_VALID:
      return TRUE;
    case REROUTE_COMMAND_PATH_PARAMETERS:
      put_bad (self, 501, "5.5.4", "The parameters are malformed or repeated");
      return FALSE;
    default:
      {
        g_autofree char *text = g_strdup_printf ("Wanted: %s<address>", prefix);
        put_bad (self, 501, "5.5.2", text);
        return FALSE;
      }
    }
}

static gboolean
is_ascii (const char *text)
{
  for (; *text != '\0'; text++)
    if ((guchar) *text >= 0x80)
      return FALSE;
  return TRUE;
}

/* Returns: (transfer full) (nullable): NULL when a reply was put out */
static RerouteAddress *
parse_address (RerouteSmtpServer *self, const char *text, gboolean smtputf8, const char *status)
{
  RerouteAddress *address = reroute_address_parse (text, smtputf8, NULL);

  if (address == NULL && !smtputf8 && !is_ascii (text))
    put_bad (self, 553, "5.6.7", "An address beyond ASCII needs SMTPUTF8");
  else if (address == NULL)
    put_bad (self, 501, status, "The address is malformed");
  return address;
}

/* Returns: FALSE when a reply was put out */
static gboolean
take_reverse_path (RerouteSmtpServer *self, const char *text, RerouteEnvelope *envelope)
{
  if (*text == '\0')
    return TRUE;
  g_autoptr (RerouteAddress) address = parse_address (self, text, envelope->smtputf8, "5.1.7");
  if (address == NULL)
    return FALSE;
  if (address->domain[0] == '\0')
    {
      put_bad (self, 501, "5.1.7", "The address of the sender has no domain");
      return FALSE;
    }
  g_free (envelope->reverse_path);
  envelope->reverse_path = g_strdup (address->text);
  return TRUE;
}

static void
run_mail (RerouteSmtpServer *self, char *argument)
{
  RerouteCommandPath path;
  g_autoptr (RerouteEnvelope) envelope = reroute_envelope_new ();
  MailParameters parameters = { .envelope = envelope };

  if (!parse_path (self, argument, "FROM:", &path) ||
      !take_mail_parameters (self, &path, &parameters) ||
      !take_reverse_path (self, path.path, envelope))
    return;
  g_free (envelope->helo);
  envelope->helo = g_strdup (self->helo);
  envelope->client_ip = self->config.client_ip;
  envelope->client_permitted = self->config.client_permitted;
  self->body.max_octets = self->config.max_message_octets;
  self->max_recipients = self->config.max_recipients;
  self->held =
    (RerouteHeldCommand){ .envelope = g_steal_pointer (&envelope), .state = self->state };
  reroute_smtp_server_ask_mail (self);
}

/* --- RCPT and DATA --- */

typedef struct
{
  gboolean smtputf8;
  RerouteNotify notify;
  const char *original;
} RcptParameters;

static gboolean
take_notify (RcptParameters *self, const char *value)
{
  return value != NULL && reroute_dsn_parse_notify (value, &self->notify);
}

static gboolean
take_orcpt (RcptParameters *self, const char *value)
{
  self->original = value;
  return value != NULL && reroute_dsn_check_orcpt (value, self->smtputf8);
}

static const struct
{
  const char *keyword;
  gboolean (*take) (RcptParameters *self, const char *value);
} rcpt_parameters[] = {
  /* clang-format off */
  { "NOTIFY", take_notify }, /* RFC 3461 4.1 */
  { "ORCPT",  take_orcpt },  /* RFC 3461 4.2 */
  /* clang-format on */
};

/* Returns: FALSE when a reply was put out */
static gboolean
take_rcpt_parameter (RerouteSmtpServer *self,
                     const RerouteCommandParameter *parameter,
                     RcptParameters *parameters)
{
  for (gsize i = 0; self->esmtp && i < G_N_ELEMENTS (rcpt_parameters); i++)
    if (g_ascii_strcasecmp (parameter->keyword, rcpt_parameters[i].keyword) == 0)
      {
        if (rcpt_parameters[i].take (parameters, parameter->value))
          return TRUE;
        put_bad (self, 501, "5.5.4", "A parameter of RCPT has a bad value");
        return FALSE;
      }
  put_bad (self, 555, "5.5.4", "A parameter of RCPT was not offered by this host");
  return FALSE;
}

static void
run_rcpt (RerouteSmtpServer *self, char *argument)
{
  RerouteCommandPath path;
  RcptParameters parameters = { .smtputf8 = self->envelope->smtputf8 };

  if (!parse_path (self, argument, "TO:", &path))
    return;
  for (guint i = 0; i < path.n_parameters; i++)
    if (!take_rcpt_parameter (self, &path.parameters[i], &parameters))
      return;
  g_autoptr (RerouteAddress) address =
               parse_address (self, path.path, self->envelope->smtputf8, "5.1.3");
  if (address == NULL)
    return;
  if (self->envelope->recipients->len >= self->max_recipients)
    {
      put (self, 452, "4.5.3", "Too many recipients in one message; send it again for the rest");
      return;
    }
  self->held = (RerouteHeldCommand){ .address = g_steal_pointer (&address),
                                     .notify = parameters.notify,
                                     .original = g_strdup (parameters.original),
                                     .state = self->state };
  reroute_smtp_server_ask_rcpt (self);
}

static void
run_data (RerouteSmtpServer *self, char *argument)
{
  if (self->state == REROUTE_SMTP_SERVER_STATE_IN_MAIL)
    {
      reroute_smtp_server_reset (self);
      put (self, 554, "5.5.1", "No valid recipients");
      return;
    }
  g_autoptr (RerouteReply) refusal = reroute_smtp_server_begin_content (self, FALSE);
  if (refusal != NULL)
    {
      reroute_smtp_server_reset (self);
      reroute_smtp_server_put_reply (self, refusal);
      return;
    }
  reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_DATA);
  put (self, 354, "", "Send the message; end it with CR LF . CR LF");
}

/* --- the others --- */

static void
run_rset (RerouteSmtpServer *self, char *argument)
{
  reroute_smtp_server_reset (self);
  put (self, 250, "2.0.0", "Reset");
}

static void
run_noop (RerouteSmtpServer *self, char *argument)
{
  put (self, 250, "2.0.0", "OK");
}

static void
run_vrfy (RerouteSmtpServer *self, char *argument)
{
  if (*argument == '\0')
    put_bad (self, 501, "5.5.4", "Wanted: an address");
  else
    put (self, 252, "2.5.2", "Send a message and see");
}

static void
run_help (RerouteSmtpServer *self, char *argument)
{
  put (self, 214, "2.0.0", "See RFC 5321");
}

static void
run_quit (RerouteSmtpServer *self, char *argument)
{
  self->quit = TRUE;
  reroute_smtp_server_put_last (self, 221, "2.0.0", "Goodbye");
}

static void
run_not_offered (RerouteSmtpServer *self, char *argument)
{
  put_bad (self, 502, "5.5.1", "This host does not do that");
}

static void
run_starttls (RerouteSmtpServer *self, char *argument)
{
  if (self->tls != NULL)
    put_bad (self, 503, "5.5.1", "TLS is in use already");
  else if (!self->config.offers_tls)
    run_not_offered (self, argument);
  else if (self->envelope != NULL)
    put_bad (self, 503, "5.5.1", "Not within a transaction");
  else
    {
      put (self, 220, "2.0.0", "Begin TLS");
      reroute_smtp_server_set_state (self, REROUTE_SMTP_SERVER_STATE_IN_TLS);
    }
}

/* A web client that someone points at us speaks in another's name. */
static void
run_http (RerouteSmtpServer *self, char *argument)
{
  reroute_smtp_server_put_last (self, 554, "5.5.0", "This is SMTP, not HTTP");
}

/* --- the table --- */

#define IN(name) (1u << REROUTE_SMTP_SERVER_STATE_##name)
#define TRANSACTION (IN (IN_MAIL) | IN (IN_RCPT))
#define OUTSIDE (IN (GREETED) | IN (IDLE))
#define ANY (OUTSIDE | TRANSACTION | IN (IN_CHUNKS))

typedef enum
{
  ARGUMENT = 1 << 0,   /* takes one */
  GROUP_END = 1 << 1,  /* the client has to wait for the reply (RFC 2920 3.1) */
  LAST_WORDS = 1 << 2, /* what follows is of no interest */
  OCTETS = 1 << 3,     /* takes what follows, in every state */
  JUNK = 1 << 4,       /* leads to no message */
} CommandFlags;

typedef struct
{
  const char *verb;
  void (*run) (RerouteSmtpServer *self, char *argument);
  guint states; /* that it is allowed in */
  CommandFlags flags;
  const char *order; /* said when it comes in another state */
  const char *source;
} Command;

static const Command commands[] = {
  /* clang-format off */
  { "MAIL",     run_mail,        IN (IDLE),   ARGUMENT,             "EHLO comes first, and one MAIL at a time", "RFC 5321 4.1.1.2" },
  { "RCPT",     run_rcpt,        TRANSACTION, ARGUMENT,             "MAIL comes first",          "RFC 5321 4.1.1.3" },
  { "DATA",     run_data,        TRANSACTION, GROUP_END,            "MAIL and RCPT come first",  "RFC 5321 4.1.1.4" },
  { "EHLO",     run_ehlo,        ANY,         ARGUMENT | GROUP_END | JUNK, NULL,                        "RFC 5321 4.1.1.1" },
  { "HELO",     run_helo,        ANY,         ARGUMENT | GROUP_END | JUNK, NULL,                        "RFC 5321 4.1.1.1" },
  { "RSET",     run_rset,        ANY,         JUNK,                    NULL,                        "RFC 5321 4.1.1.5" },
  { "QUIT",     run_quit,        ANY,         LAST_WORDS,           NULL,                        "RFC 5321 4.1.1.10" },
  { "NOOP",     run_noop,        ANY,         ARGUMENT | JUNK,             NULL,                        "RFC 5321 4.1.1.9" },
  { "VRFY",     run_vrfy,        ANY,         ARGUMENT | JUNK,             NULL,                        "RFC 5321 3.5.3" },
  { "HELP",     run_help,        ANY,         ARGUMENT | JUNK,             NULL,                        "RFC 5321 4.1.1.8" },
  { "EXPN",     run_not_offered, ANY,         ARGUMENT,             NULL,                        "RFC 5321 3.5.2" },
  { "BDAT",     reroute_smtp_server_run_bdat, ANY, ARGUMENT | OCTETS, NULL,                      "RFC 3030 2" },
  { "STARTTLS", run_starttls,    ANY,         GROUP_END,            NULL,                        "RFC 3207" },
  { "AUTH",     reroute_smtp_server_run_auth, OUTSIDE, ARGUMENT | GROUP_END, "Not within a transaction", "RFC 4954 4" },
  { "XCLIENT",  reroute_smtp_server_run_xclient, OUTSIDE, ARGUMENT | GROUP_END | JUNK, "Not within a transaction", "Postfix XCLIENT_README" },
  { "ETRN",     reroute_smtp_server_run_etrn, IN (IDLE), ARGUMENT | JUNK, "EHLO comes first, and not within a transaction", "RFC 1985 5" },
  { "TURN",     run_not_offered, ANY,         ARGUMENT,             NULL,                        "RFC 5321 F.1" },
  { "GET",      run_http,        ANY,         ARGUMENT,             NULL,                        "RFC 9110 9.3.1" },
  { "POST",     run_http,        ANY,         ARGUMENT,             NULL,                        "RFC 9110 9.3.3" },
  { "PUT",      run_http,        ANY,         ARGUMENT,             NULL,                        "RFC 9110 9.3.4" },
  { "CONNECT",  run_http,        ANY,         ARGUMENT,             NULL,                        "RFC 9110 9.3.6" },
  /* clang-format on */
};

static const Command *
find_command (const char *verb)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_ascii_strcasecmp (verb, commands[i].verb) == 0)
      return &commands[i];
  return NULL;
}

/* Whether the client has sent more than it may before the reply to @command. */
static gboolean
is_out_of_step (const RerouteSmtpServer *self, const Command *command)
{
  if (!self->more_follows || (command->flags & (LAST_WORDS | OCTETS)) != 0)
    return FALSE;
  return !self->esmtp || (command->flags & GROUP_END) != 0;
}

static void
run_command (RerouteSmtpServer *self, char *line)
{
  char *argument = reroute_command_split (line);
  const Command *command = find_command (line);

  if (command == NULL || (command->flags & OCTETS) == 0)
    self->rest_is_refused = FALSE;
  if (command == NULL)
    put_bad (self, 500, "5.5.2", "No such command");
  else if (is_out_of_step (self, command))
    reroute_smtp_server_put_last (self, 554, "5.5.0", "Wait for the reply before you go on");
  else if ((command->states & (1u << self->state)) == 0)
    put_bad (self, 503, "5.5.1", command->order);
  else if (*argument != '\0' && (command->flags & ARGUMENT) == 0)
    put_bad (self, 501, "5.5.4", "This command takes no argument");
  else
    {
      command->run (self, argument);
      if ((command->flags & JUNK) != 0)
        reroute_smtp_server_count_junk (self);
    }
}

void
reroute_smtp_server_run_line (RerouteSmtpServer *self)
{
  RerouteLine *line = &self->line;

  if (!self->config.client_permitted && (line->bare_lf || line->bare_cr))
    reroute_smtp_server_put_last (self, 554, "5.5.2", "Lines end in CR LF and nothing else");
  else if (self->state == REROUTE_SMTP_SERVER_STATE_IN_AUTH)
    reroute_smtp_server_run_auth_line (self);
  else if (line->overlong)
    put_bad (self, 500, "5.5.2", "The line is too long");
  else if (!reroute_command_check_octets (line->text->str, line->text->len))
    put_bad (self, 500, "5.5.2", "The line has octets that no command has");
  else
    run_command (self, line->text->str);
}
