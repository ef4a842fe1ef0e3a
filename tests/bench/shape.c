/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * shape.c - the messages of a run: made from their number by the source, known again by the sink
 *
 * A message is a header section that names its number, whole lines of 80 octets, and a last line
 * that begins with the number once more.  Which of the lines comes first depends on the number, so
 * that two messages are never mistaken for each other.  Some lines begin with a dot.  All of it is
 * held as it stands on the wire, dot-stuffed, and compared so: whoever stuffs another way has
 * changed the content.
 */

#include "config.h"

#include "tests/bench/shape.h"

#include <string.h>

#define DIGITS 10
#define RECIPIENT_DIGITS 4
#define FIRST_LINES 64    /* a message begins with one of these */
#define DOTTED_LINES 16   /* one line in so many begins with a dot */
#define NUMBER_STEP 7919u /* prime: neighbours go to domains far apart */

#define HEAD_BEFORE "From: <sender@source.test>\r\nSubject: benchmark\r\nX-Bench-Number: "
#define HEAD_AFTER "\r\n\r\n"

G_STATIC_ASSERT (sizeof HEAD_BEFORE + DIGITS + sizeof HEAD_AFTER - 2 == LOAD_HEAD_OCTETS);

static void
append_decimal (GString *text, guint64 value, guint digits)
{
  char buffer[DIGITS * 2];

  for (guint n = digits; n-- > 0; value /= 10)
    buffer[n] = (char) ('0' + value % 10);
  g_string_append_len (text, buffer, digits);
}

/* Returns: whether @text begins with @digits decimal digits; their value in @value. */
static gboolean
read_decimal (const char *text, gsize octets, guint digits, guint64 *value)
{
  guint64 sum = 0;

  if (octets < digits)
    return FALSE;
  for (guint n = 0; n < digits; n++)
    {
      if (!g_ascii_isdigit (text[n]))
        return FALSE;
      sum = sum * 10 + (guint64) (text[n] - '0');
    }
  *value = sum;
  return TRUE;
}

static void
domain_init (LoadDomain *self, const char *text)
{
  const char *mark = strchr (text, '#');

  self->before = mark != NULL ? g_strndup (text, mark - text) : g_strdup (text);
  self->after = mark != NULL ? g_strdup (mark + 1) : NULL;
}

static void
append_domain (const LoadShape *self, const LoadDomain *domain, guint64 key, GString *text)
{
  char buffer[DIGITS + 1];

  g_string_append (text, domain->before);
  if (domain->after == NULL)
    return;
  g_snprintf (buffer, sizeof buffer, "%u", (guint) (key * NUMBER_STEP % self->domains));
  g_string_append (text, buffer);
  g_string_append (text, domain->after);
}

static void
append_recipient (
  const LoadShape *self, const LoadDomain *domain, guint32 number, guint recipient, GString *text)
{
  g_string_append_c (text, 'm');
  append_decimal (text, number, DIGITS);
  g_string_append_c (text, 'r');
  append_decimal (text, recipient, RECIPIENT_DIGITS);
  g_string_append_c (text, '@');
  append_domain (self, domain, (guint64) number * self->recipients + recipient, text);
}

static void
make_lines (LoadShape *self)
{
  gsize count = self->lines_octets / LOAD_LINE_OCTETS + FIRST_LINES;
  guint32 state = 1;
  char *line;

  self->lines = line = g_malloc (count * LOAD_LINE_OCTETS);
  for (gsize n = 0; n < count; n++, line += LOAD_LINE_OCTETS)
    {
      for (guint column = 0; column < LOAD_LINE_OCTETS - 2; column++)
        {
          state = state * 1664525u + 1013904223u;
          line[column] = (char) ('a' + (state >> 24) % 26);
        }
      if (n % DOTTED_LINES == 0)
        memset (line, '.', 2);
      memcpy (line + LOAD_LINE_OCTETS - 2, "\r\n", 2);
    }
}

/**
 * load_shape_init:
 * @self: its plain numbers and its reverse-path are set, everything else is made here
 * @to: domain of the recipients as they are sent; `#` in it stands for a number
 * @expected: the same as they are to arrive
 * @error: return location
 *
 * Returns: %FALSE when there can be no such messages
 */
gboolean
load_shape_init (LoadShape *self, const char *to, const char *expected, GError **error)
{
  if (self->octets < LOAD_OCTETS_MIN || self->recipients < 1 ||
      self->recipients > LOAD_RECIPIENTS_MAX || self->domains < 1)
    {
      g_set_error (error,
                   G_OPTION_ERROR,
                   G_OPTION_ERROR_BAD_VALUE,
                   "wanted at least %d octets, 1 to %d recipients, at least one domain",
                   LOAD_OCTETS_MIN,
                   LOAD_RECIPIENTS_MAX);
      return FALSE;
    }
  domain_init (&self->to, to);
  domain_init (&self->expected, expected);
  self->lines_octets = (self->octets - LOAD_OCTETS_MIN) / LOAD_LINE_OCTETS * LOAD_LINE_OCTETS;
  self->tail_octets = self->octets - LOAD_HEAD_OCTETS - self->lines_octets;
  make_lines (self);
  return TRUE;
}

void
load_shape_clear (LoadShape *self)
{
  g_clear_pointer (&self->to.before, g_free);
  g_clear_pointer (&self->to.after, g_free);
  g_clear_pointer (&self->expected.before, g_free);
  g_clear_pointer (&self->expected.after, g_free);
  g_clear_pointer (&self->lines, g_free);
}

/* MAIL, RCPT for each recipient, DATA. */
void
load_shape_append_envelope (const LoadShape *self, guint32 number, GString *text)
{
  g_string_append (text, "MAIL FROM:<");
  g_string_append (text, self->reverse_path);
  g_string_append (text, ">\r\n");
  for (guint recipient = 0; recipient < self->recipients; recipient++)
    {
      g_string_append (text, "RCPT TO:<");
      append_recipient (self, &self->to, number, recipient, text);
      g_string_append (text, ">\r\n");
    }
  g_string_append (text, "DATA\r\n");
}

/* The header section and the empty line behind it. */
void
load_shape_append_head (const LoadShape *self, guint32 number, GString *text)
{
  g_string_append_len (text, HEAD_BEFORE, sizeof HEAD_BEFORE - 1);
  append_decimal (text, number, DIGITS);
  g_string_append_len (text, HEAD_AFTER, sizeof HEAD_AFTER - 1);
}

/* Returns: (transfer none): @self->lines_octets octets, that stand between head and tail */
const char *
load_shape_lines (const LoadShape *self, guint32 number)
{
  return self->lines + number * NUMBER_STEP % FIRST_LINES * LOAD_LINE_OCTETS;
}

/* The last line, @self->tail_octets octets. */
void
load_shape_append_tail (const LoadShape *self, guint32 number, GString *text)
{
  append_decimal (text, number, DIGITS);
  for (gsize n = LOAD_TAIL_MIN_OCTETS; n < self->tail_octets; n++)
    g_string_append_c (text, 'x');
  g_string_append_len (text, "\r\n", 2);
}

/* Returns: where the field behind the one at @text begins. */
static const char *
skip_field (const char *text)
{
  do
    {
      const char *end = strstr (text, "\r\n");

      text = end != NULL ? end + 2 : text + strlen (text);
    }
  while (*text == ' ' || *text == '\t');
  return text;
}

/**
 * load_shape_read_head:
 * @self: a shape
 * @head: a header section that came in, with the empty line behind it
 * @number: (out): of its message
 *
 * Returns: whether it is one of ours, below as many Received fields as are wanted, and unchanged
 */
gboolean
load_shape_read_head (const LoadShape *self, GString *head, guint32 *number)
{
  const char *text = head->str;
  guint64 value;
  guint received = 0;

  for (; g_str_has_prefix (text, "Received:"); received++)
    text = skip_field (text);
  if (head->str + head->len - text != LOAD_HEAD_OCTETS ||
      memcmp (text, HEAD_BEFORE, sizeof HEAD_BEFORE - 1) != 0 ||
      !read_decimal (text + sizeof HEAD_BEFORE - 1, DIGITS, DIGITS, &value) ||
      memcmp (text + sizeof HEAD_BEFORE - 1 + DIGITS, HEAD_AFTER, sizeof HEAD_AFTER - 1) != 0 ||
      value >= LOAD_NONE)
    return FALSE;
  *number = (guint32) value;
  return received == self->received;
}

/**
 * load_shape_read_recipient:
 * @self: a shape
 * @path: the recipient of an envelope that came in, without angle brackets
 * @octets: its length
 * @number: (out): of the message that it belongs to
 * @recipient: (out): which of that message's recipients it is
 *
 * Returns: whether it is a recipient as expected, to the last octet
 */
gboolean
load_shape_read_recipient (
  const LoadShape *self, const char *path, gsize octets, guint32 *number, guint *recipient)
{
  char buffer[512];
  g_autoptr (GString) wanted = NULL;
  guint64 numbers[2];

  if (octets < 1 + DIGITS + 1 + RECIPIENT_DIGITS || octets > sizeof buffer ||
      !read_decimal (path + 1, DIGITS, DIGITS, &numbers[0]) ||
      !read_decimal (path + 2 + DIGITS, RECIPIENT_DIGITS, RECIPIENT_DIGITS, &numbers[1]) ||
      numbers[0] >= LOAD_NONE || numbers[1] >= self->recipients)
    return FALSE;
  wanted = g_string_sized_new (sizeof buffer);
  append_recipient (self, &self->expected, (guint32) numbers[0], (guint) numbers[1], wanted);
  if (wanted->len != octets || memcmp (wanted->str, path, octets) != 0)
    return FALSE;
  *number = (guint32) numbers[0];
  *recipient = (guint) numbers[1];
  return TRUE;
}
