/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * model-host.c - a host that takes mail and answers as a script says
 *
 * Standards: RFC 5321 section 4.5.2, RFC 2033, RFC 2920, RFC 3030.
 */

#include "config.h"

#include "tests/fuzz/model-host.h"

#include <string.h>

guint
model_script_next (ModelScript *self)
{
  if (self->length == 0)
    return 0;
  self->length--;
  return *self->octets++;
}

/* --- answers --- */

static guint
say (ModelHost *self, guint code, gboolean two_lines)
{
  self->refused |= code >= 500;
  if (two_lines)
    g_string_append_printf (self->replies, "%u-x.y\r\n", code);
  g_string_append_printf (self->replies, "%u ok\r\n", code);
  return code;
}

/* Answers, mostly with @good, the code for what the host does about a command.  Returns: the code
   that stands for what it does now; 0: it has closed */
static guint
answer (ModelHost *self, guint good)
{
  guint how = model_script_next (self->script);
  gboolean two_lines = (how & 16) != 0;

  switch (how & 15)
    {
    case 9: /* means something else than it says */
      self->honest = FALSE;
      say (self, good == 354 ? 250 : good >= 400 ? 250 : 354, two_lines);
      return good;
    case 10:
      return say (self, 451, two_lines);
    case 11:
      return say (self, 554, two_lines);
    case 12:
      say (self, 421, two_lines);
      self->closed = TRUE;
      return 0;
    case 13:
      self->honest = FALSE;
      say (self, good, two_lines);
      say (self, 200 + how, FALSE);
      return good;
    case 14:
      self->honest = FALSE;
      g_string_append (self->replies, "250_ok\r\n");
      return good;
    case 15:
      self->closed = TRUE;
      return 0;
    default:
      return say (self, good, two_lines);
    }
}

/* Like answer(), for what has to be refused whatever the script says. */
static void
refuse (ModelHost *self, guint code)
{
  guint how = model_script_next (self->script);

  say (self, (how & 1) != 0 ? 502 : code, (how & 16) != 0);
}

/* --- transactions --- */

static void
reset (ModelHost *self)
{
  self->mail = self->broken = FALSE;
  self->n_rcpts = 0;
  memset (self->accepted, 0, sizeof self->accepted);
  g_byte_array_set_size (self->got, 0);
}

static guint
count_accepted (const ModelHost *self)
{
  guint n = 0;

  for (guint i = 0; i < MODEL_HOST_RECIPIENTS; i++)
    n += self->accepted[i];
  return n;
}

/* It is the message, or nobody was to get it. */
static void
check_content (const ModelHost *self)
{
  if (count_accepted (self) > 0 && !self->broken)
    g_assert_cmpmem (self->got->data, self->got->len, self->content->data, self->content->len);
}

/* Answers the end of data, in LMTP for each recipient. */
static void
end_message (ModelHost *self)
{
  guint n = count_accepted (self);
  guint code = 0;

  if (self->honest)
    check_content (self);
  self->at = MODEL_HOST_AT_COMMAND;
  if (n == 0 || self->broken)
    code = answer (self, 554);
  for (guint i = 0; i < MODEL_HOST_RECIPIENTS && n > 0 && !self->broken && !self->closed; i++)
    {
      if (!self->accepted[i])
        continue;
      if (self->lmtp || code == 0)
        code = answer (self, 250);
      self->took[i] = code == 250;
    }
  reset (self);
}

static void
take_mail (ModelHost *self)
{
  reset (self);
  memset (self->took, 0, sizeof self->took);
  self->mail = answer (self, 250) == 250;
}

static void
take_rcpt (ModelHost *self)
{
  guint index = self->n_rcpts++;

  if (self->honest)
    g_assert_cmpuint (index, <, MODEL_HOST_RECIPIENTS);
  if (index < MODEL_HOST_RECIPIENTS)
    self->accepted[index] = answer (self, self->mail ? 250 : 503) == 250 && self->mail;
}

static void
take_data (ModelHost *self)
{
  gboolean possible = self->mail && (count_accepted (self) > 0 || self->pipelining);

  if (answer (self, possible ? 354 : 503) == 354)
    self->at = MODEL_HOST_IN_DATA;
}

static void
take_hello (ModelHost *self, gboolean extended)
{
  if (!extended)
    {
      answer (self, 250);
      return;
    }
  g_string_append_printf (self->replies,
                          "250-host.test\r\n%s250 CHUNKING\r\n",
                          self->pipelining ? "250-PIPELINING\r\n" : "");
}

/* --- chunks --- */

/* RFC 3030: the octets of a chunk that is refused come all the same. */
static void
answer_chunk (ModelHost *self)
{
  gboolean sound = self->kind == MODEL_HOST_CHUNKS && !self->broken && count_accepted (self) > 0;

  if (!sound)
    refuse (self, 503);
  else if (answer (self, 250) == 250)
    return;
  self->broken = TRUE;
}

static void
end_chunk (ModelHost *self)
{
  gboolean early = self->early;

  self->at = MODEL_HOST_AT_COMMAND;
  self->early = FALSE;
  if (early)
    return;
  if (self->last && self->kind == MODEL_HOST_CHUNKS)
    end_message (self);
  else
    answer_chunk (self);
}

/* Before the chunk has come; in LMTP the last one for each recipient. */
static void
refuse_early (ModelHost *self)
{
  guint n = self->lmtp && self->last ? count_accepted (self) : 1;

  for (guint i = 0; i < MAX (n, 1); i++)
    refuse (self, 552);
  self->broken = TRUE;
}

static void
take_bdat (ModelHost *self, const char *arguments)
{
  char *rest = NULL;
  guint64 length = g_ascii_strtoull (arguments, &rest, 10);

  if (self->kind == MODEL_HOST_COMMANDS)
    {
      refuse (self, 500);
      return;
    }
  self->at = MODEL_HOST_IN_CHUNK;
  self->chunk_left = length;
  self->last = g_str_equal (rest, " LAST");
  g_assert_true (self->last || *rest == '\0');
  g_assert_cmpuint (length, >, 0);
  self->early = (model_script_next (self->script) & 31) == 31;
  if (self->early)
    refuse_early (self);
}

/* --- octets --- */

/* Behind a BDAT that is no command here the first line of the message may come. */
static void
take_unknown (ModelHost *self, const char *line, gsize length)
{
  if (self->honest)
    {
      g_assert_true (self->kind == MODEL_HOST_COMMANDS);
      g_assert_cmpmem (line, length, self->content->data, self->head_octets);
    }
  refuse (self, 500);
}

static void
take_command (ModelHost *self)
{
  g_autofree char *line = g_strndup ((const char *) self->line->data, self->line->len - 2);

  if (g_str_has_prefix (line, "EHLO ") || g_str_has_prefix (line, "LHLO "))
    take_hello (self, TRUE);
  else if (g_str_has_prefix (line, "HELO "))
    take_hello (self, FALSE);
  else if (g_str_equal (line, "MAIL FROM:<sender@client.test>"))
    take_mail (self);
  else if (g_str_has_prefix (line, "RCPT TO:<recipient"))
    take_rcpt (self);
  else if (g_str_equal (line, "DATA"))
    take_data (self);
  else if (g_str_has_prefix (line, "BDAT "))
    take_bdat (self, line + strlen ("BDAT "));
  else if (g_str_equal (line, "RSET"))
    {
      reset (self);
      say (self, 250, FALSE);
    }
  else if (g_str_equal (line, "QUIT"))
    {
      say (self, 221, FALSE);
      self->closed = TRUE;
    }
  else
    take_unknown (self, (const char *) self->line->data, self->line->len);
}

static void
take_text_line (ModelHost *self)
{
  gsize stuffed = self->line->data[0] == '.';

  if (stuffed && self->line->len == 3)
    end_message (self);
  else
    g_byte_array_append (
      self->got, self->line->data + stuffed, (guint) (self->line->len - stuffed));
}

static void
read_octet (ModelHost *self, guint8 octet)
{
  if (self->at == MODEL_HOST_IN_CHUNK)
    {
      g_byte_array_append (self->got, &octet, 1);
      if (--self->chunk_left == 0)
        end_chunk (self);
      return;
    }
  g_byte_array_append (self->line, &octet, 1);
  if (octet != '\n' || self->line->len < 2 || self->line->data[self->line->len - 2] != '\r')
    return;
  if (self->at == MODEL_HOST_IN_DATA)
    take_text_line (self);
  else
    take_command (self);
  g_byte_array_set_size (self->line, 0);
}

void
model_host_begin (ModelHost *self)
{
  self->replies = g_string_new (NULL);
  self->line = g_byte_array_new ();
  self->got = g_byte_array_new ();
  self->honest = TRUE;
  say (self, 220, FALSE);
}

void
model_host_clear (ModelHost *self)
{
  g_string_free (self->replies, TRUE);
  g_byte_array_unref (self->line);
  g_byte_array_unref (self->got);
}

void
model_host_read (ModelHost *self, const guint8 *octets, gsize length)
{
  for (gsize i = 0; i < length && !self->closed; i++)
    read_octet (self, octets[i]);
}
