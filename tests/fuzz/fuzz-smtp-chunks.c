/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-smtp-chunks.c - any content by BDAT, cut anywhere
 *
 * Where the chunks lie decides nothing, but that nobody looks at those behind one that is refused;
 * and what is taken goes on as DATA: one end of data, at its end.
 */

#include "config.h"

#include "tests/unit/smtp-session.h"

#include <stdint.h>
#include <string.h>

#define BEHIND_REFUSED "503 5.5.1 MAIL and RCPT come first\r\n"

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

static void
feed_chunk (TestSession *session, const uint8_t *octets, gsize length, const char *last)
{
  g_autofree char *command = g_strdup_printf ("BDAT %" G_GSIZE_FORMAT "%s\r\n", length, last);

  test_session_feed (session, command, -1);
  test_session_feed (session, (const char *) octets, (gssize) length);
}

/* No line of it is a dot alone, and no CR or LF stands alone. */
static void
check_content (const GString *content)
{
  gsize start = 0;

  for (gsize i = 0; i < content->len; i++)
    if (content->str[i] == '\r')
      g_assert_cmpint (content->str[i + 1], ==, '\n');
    else if (content->str[i] == '\n')
      {
        g_assert_true (i > 0 && content->str[i - 1] == '\r');
        g_assert_false (i - start == 2 && content->str[start] == '.');
        g_assert_false (content->str[start] == '.' && content->str[start + 1] != '.');
        start = i + 1;
      }
  g_assert_cmpuint (start, ==, content->len);
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  if (length < 2)
    return 0;
  gboolean permitted = (octets[0] & 1) != 0;
  gsize piece = 1 + octets[1];
  g_autoptr (TestSession) cut = test_session_new_in_transaction (permitted);
  g_autoptr (TestSession) whole = test_session_new_in_transaction (permitted);

  octets += 2;
  length -= 2;
  for (gsize i = 0; i < length; i += piece)
    feed_chunk (cut, octets + i, MIN (piece, length - i), "");
  feed_chunk (cut, octets, 0, " LAST");
  feed_chunk (whole, octets, length, " LAST");
  g_assert_cmpuint (cut->messages->len, ==, whole->messages->len);
  gboolean closes = reroute_smtp_server_wants_close (whole->machine);
  if (reroute_smtp_server_wants_close (cut->machine) != closes)
    g_assert_true (closes && strstr (cut->output->str, BEHIND_REFUSED) != NULL);
  if (whole->messages->len == 0)
    return 0;
  const GString *content = test_session_message (whole, 0)->content;
  check_content (content);
  g_assert_true (g_string_equal (test_session_message (cut, 0)->content, content));
  return 0;
}
