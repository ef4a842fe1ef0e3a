/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-milter.c - the milter protocol as octets, a message under change, and the conversation
 */

#include "config.h"

#include "service/relay/milter/machine.h"
#include "service/relay/milter/packet.h"

#include "common/error.h"
#include "common/limits.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* --- packets --- */

typedef struct
{
  const char *name;
  const char *octets; /* of the packet, without its length */
  gsize length;
  const char *shown; /* NULL: malformed */
} PacketRow;

#define OCTETS(text) text, sizeof (text) - 1

static const PacketRow packets[] = {
  /* clang-format off */
  { "continue",          OCTETS ("c"),                          "c 0 0 0 - -" },
  { "continue-more",     OCTETS ("cx"),                         NULL },
  { "negotiate",         OCTETS ("O\0\0\0\6\0\0\0\1\0\0\0\2"),  "O 6 1 2 - -" },
  { "negotiate-symbols", OCTETS ("O\0\0\0\6\0\0\0\1\0\0\0\2\0\0\0\1j\0"), "O 6 1 2 - -" },
  { "negotiate-short",   OCTETS ("O\0\0\0\6\0\0\0\1\0\0\0"),    NULL },
  { "add-header",        OCTETS ("hName\0value\0"),             "h 0 0 0 Name value" },
  { "add-header-cut",    OCTETS ("hName\0value"),               NULL },
  { "add-header-one",    OCTETS ("hName\0"),                    NULL },
  { "add-header-three",  OCTETS ("hName\0value\0x\0"),          NULL },
  { "insert-header",     OCTETS ("i\0\0\0\3Name\0\0"),          "i 3 0 0 Name " },
  { "change-header-cut", OCTETS ("m\0\0\3"),                    NULL },
  { "add-rcpt",          OCTETS ("+<a@b>\0"),                   "+ 0 0 0 <a@b> -" },
  { "add-rcpt-bare",     OCTETS ("+"),                          NULL },
  { "add-rcpt-par",      OCTETS ("2<a@b>\0NOTIFY=NEVER\0"),     "2 0 0 0 <a@b> NOTIFY=NEVER" },
  { "add-rcpt-par-none", OCTETS ("2<a@b>\0"),                   "2 0 0 0 <a@b> -" },
  { "change-from-cut",   OCTETS ("e<a@b>\0SIZE"),               NULL },
  { "code",              OCTETS ("y550 5.7.1 no\0"),            "y 0 0 0 550 5.7.1 no -" },
  { "code-no-end",       OCTETS ("y550 5.7.1 no"),              NULL },
  { "unknown",           OCTETS ("Z"),                          NULL },
  { "a-command-of-ours", OCTETS ("C"),                          NULL },
  /* clang-format on */
};

static char *
show (const RerouteMilterReply *reply)
{
  return g_strdup_printf ("%c %u %u %u %s %s",
                          reply->kind,
                          reply->numbers[0],
                          reply->numbers[1],
                          reply->numbers[2],
                          reply->first != NULL ? reply->first : "-",
                          reply->second != NULL ? reply->second : "-");
}

/* The packet of @row behind another one, in two pieces at @cut. */
static void
check_packet (const PacketRow *row, gsize cut)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();
  RerouteMilterParser parser;
  g_autoptr (GError) error = NULL;
  g_autofree char *shown = NULL;

  reroute_milter_packet_end (wire, reroute_milter_packet_begin (wire, REROUTE_MILTER_COMMAND_QUIT));
  wire->data[4] = REROUTE_MILTER_REPLY_PROGRESS;
  reroute_milter_packet_put_number (wire, (guint32) row->length);
  g_byte_array_append (wire, (const guint8 *) row->octets, (guint) row->length);
  reroute_milter_parser_init (&parser);
  for (gsize at = 0, n = 0; at < wire->len && error == NULL;)
    {
      gsize end = at < cut ? cut : wire->len, taken;
      RerouteMilterReply reply;
      if (reroute_milter_parser_feed (&parser, wire->data + at, end - at, &taken, &reply, &error) &&
          n++ > 0)
        shown = show (&reply);
      at += taken;
    }
  if (row->shown == NULL)
    g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
  else
    g_assert_no_error (error);
  g_assert_cmpstr (shown, ==, row->shown);
  reroute_milter_parser_clear (&parser);
}

static void
test_packet (gconstpointer data)
{
  const PacketRow *row = data;

  for (gsize cut = 0; cut < row->length + 9; cut++)
    check_packet (row, cut);
}

/* What is too long is refused by its length, before any of it is kept. */
static void
test_packet_lengths (void)
{
  static const guint8 none[] = { 0, 0, 0, 0 };
  const guint32 over = GUINT32_TO_BE (REROUTE_LIMIT_MILTER_PACKET_OCTETS + 1);
  const guint8 *const wires[] = { none, (const guint8 *) &over };

  for (gsize i = 0; i < G_N_ELEMENTS (wires); i++)
    {
      RerouteMilterParser parser;
      RerouteMilterReply reply;
      g_autoptr (GError) error = NULL;
      gsize taken;
      reroute_milter_parser_init (&parser);
      g_assert_false (reroute_milter_parser_feed (&parser, wires[i], 4, &taken, &reply, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
      reroute_milter_parser_clear (&parser);
    }
}

/* --- a message --- */

static RerouteMilterMessage *
make_message (const char *octets, gsize length, gsize cut)
{
  RerouteMilterMessage *message = reroute_milter_message_new (AT_FDCWD);

  reroute_milter_message_append (message, (const guint8 *) octets, cut);
  reroute_milter_message_append (message, (const guint8 *) octets + cut, length - cut);
  g_assert_true (reroute_milter_message_finish (message, NULL));
  return message;
}

static GByteArray *
read_message (const RerouteMilterMessage *message)
{
  GByteArray *all = g_byte_array_new ();
  guint64 place = 0;

  for (guint before = G_MAXUINT; before != all->len;)
    {
      before = all->len;
      g_assert_true (reroute_milter_message_read (message, &place, all, NULL));
    }
  return all;
}

typedef struct
{
  const char *name;
  const char *wire; /* dot-stuffed */
  gsize length;
  const char *whole; /* not dot-stuffed */
  gsize whole_length;
  guint n_fields;
  gsize body_octets;
} MessageRow;

static const MessageRow messages[] = {
  /* clang-format off */
  { "plain",        OCTETS ("A: 1\r\nB: 2\r\n\r\nbody\r\n"),        OCTETS ("A: 1\r\nB: 2\r\n\r\nbody\r\n"),       2, 6 },
  { "folded",       OCTETS ("A: 1\r\n\t2\r\n 3\r\n\r\n"),           OCTETS ("A: 1\r\n\t2\r\n 3\r\n\r\n"),          1, 0 },
  { "no-body",      OCTETS ("A: 1\r\n"),                            OCTETS ("A: 1\r\n"),                           1, 0 },
  { "nothing",      OCTETS (""),                                    OCTETS (""),                                   0, 0 },
  { "no-header",    OCTETS ("\r\nbody\r\n"),                        OCTETS ("\r\nbody\r\n"),                       0, 6 },
  { "no-separator", OCTETS ("A: 1\r\nnot a field\r\nB: 2\r\n"),     OCTETS ("A: 1\r\nnot a field\r\nB: 2\r\n"),    1, 19 },
  { "folded-first", OCTETS (" 1\r\nA: 1\r\n"),                      OCTETS (" 1\r\nA: 1\r\n"),                     0, 10 },
  { "blank-name",   OCTETS (": 1\r\n"),                             OCTETS (": 1\r\n"),                            0, 5 },
  { "old-blanks",   OCTETS ("A \t: 1\r\n\r\n"),                     OCTETS ("A \t: 1\r\n\r\n"),                    1, 0 },
  { "dots",         OCTETS ("..A: 1\r\n\r\n..\r\n...x\r\ny.\r\n"),  OCTETS (".A: 1\r\n\r\n.\r\n..x\r\ny.\r\n"),    1, 12 },
  { "nul",          OCTETS ("A: 1\0002\r\n\r\n\0x\r\n"),            OCTETS ("A: 1\0002\r\n\r\n\0x\r\n"),           1, 4 },
  { "only-dots",    OCTETS ("..\r\n..\r\n"),                        OCTETS (".\r\n.\r\n"),                         0, 6 },
  /* clang-format on */
};

/* Whatever it is: without changes it comes out octet for octet, however it came. */
static void
test_message (gconstpointer data)
{
  const MessageRow *row = data;

  for (gsize cut = 0; cut <= row->length; cut++)
    {
      g_autoptr (RerouteMilterMessage) message = make_message (row->wire, row->length, cut);
      g_autoptr (GByteArray) whole = read_message (message);

      g_assert_cmpuint (reroute_milter_message_get_n_fields (message), ==, row->n_fields);
      g_assert_cmpuint (reroute_milter_message_get_body_octets (message), ==, row->body_octets);
      g_assert_cmpmem (whole->data, whole->len, row->whole, row->whole_length);
    }
}

static void
test_field_values (void)
{
  static const char wire[] = "A: \t 1\r\n\t2\r\nB:\r\nC:x\0y\r\n\r\n";
  static const char *const values[][2] = { { " \t 1\n\t2", "1\n\t2" },
                                           { "", "" },
                                           { "x y", "x y" } };
  g_autoptr (RerouteMilterMessage) message = make_message (OCTETS (wire), 0);

  for (guint i = 0; i < 3; i++)
    for (gboolean stripped = FALSE; stripped <= TRUE; stripped++)
      {
        g_autofree char *name = NULL;
        g_autofree char *value = NULL;
        reroute_milter_message_get_field (message, i, !stripped, &name, &value);
        g_assert_cmpint (name[0], ==, 'A' + (int) i);
        g_assert_cmpstr (value, ==, values[i][stripped]);
      }
}

static void
test_bad_fields (void)
{
  static const char *const names[] = { "", "a b", "a:b", "a\r\nb", "a\n", "é", " a" };
  g_autoptr (RerouteMilterMessage) message = make_message (OCTETS ("A: 1\r\n\r\n"), 0);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (
        reroute_milter_message_insert_field (message, 1, names[i], "x", FALSE, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
      g_assert_false (reroute_milter_message_change_field (message, 1, names[i], "x", FALSE, NULL));
    }
  g_autoptr (GByteArray) whole = read_message (message);
  g_assert_cmpmem (whole->data, whole->len, "A: 1\r\n\r\n", 8);
}

/* A new body is in force when its milter is done, and stands behind an empty line. */
static void
test_new_body (void)
{
  g_autoptr (RerouteMilterMessage) message = make_message (OCTETS ("A: 1\r\njunk\r\n"), 0);

  g_assert_true (
    reroute_milter_message_replace_body (message, (const guint8 *) "B: 2\r\n", 6, NULL));
  g_autoptr (GByteArray) before = read_message (message);
  g_assert_cmpmem (before->data, before->len, "A: 1\r\njunk\r\n", 12);
  reroute_milter_message_end_changes (message);
  g_autoptr (GByteArray) after = read_message (message);
  g_assert_cmpmem (after->data, after->len, "A: 1\r\n\r\nB: 2\r\n", 14);
}

/* Over the limit of what is kept in memory it lies in a file, with nothing lost at the seam. */
static void
test_large_body (void)
{
  g_autofree char *folder = g_dir_make_tmp ("milter-XXXXXX", NULL);
  int fd = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  g_autoptr (RerouteMilterMessage) message = reroute_milter_message_new (fd);
  g_autoptr (GByteArray) expected = g_byte_array_new ();

  g_byte_array_append (expected, (const guint8 *) "\r\n", 2);
  reroute_milter_message_append (message, (const guint8 *) "\r\n", 2);
  for (guint i = 0; expected->len < 3 * REROUTE_LIMIT_PART_OCTETS; i++)
    {
      g_autofree char *line = g_strdup_printf ("%u of many lines\r\n", i);
      g_byte_array_append (expected, (const guint8 *) line, (guint) strlen (line));
      reroute_milter_message_append (message, (const guint8 *) line, strlen (line));
    }
  g_assert_true (reroute_milter_message_finish (message, NULL));
  g_autoptr (GByteArray) whole = read_message (message);
  g_assert_cmpmem (whole->data, whole->len, expected->data, expected->len);
  g_assert_cmpint (rmdir (folder), ==, 0);
  close (fd);
}

/* A file that cannot be made is told at the end, and costs no memory until then. */
static void
test_no_room (void)
{
  g_autoptr (RerouteMilterMessage) message = reroute_milter_message_new (-1);
  g_autofree char *line = g_strnfill (1000, 'x');
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 1000; i++)
    reroute_milter_message_append (message, (const guint8 *) "a\r\n", 3);
  for (guint i = 0; i < 1000; i++)
    reroute_milter_message_append (message, (const guint8 *) line, 1000);
  g_assert_false (reroute_milter_message_finish (message, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
  g_assert_cmpuint (
    reroute_milter_message_get_body_octets (message), <=, REROUTE_LIMIT_PART_OCTETS);
}

/* --- the conversation --- */

/* What the machine puts out, by kinds: "O", "DC", … */
static char *
take_kinds (RerouteMilterMachine *machine)
{
  g_autoptr (GString) kinds = g_string_new (NULL);

  for (;;)
    {
      const guint8 *octets;
      gsize length;
      g_assert_true (reroute_milter_machine_peek_output (machine, &octets, &length, NULL));
      if (length == 0)
        return g_string_free (g_steal_pointer (&kinds), FALSE);
      for (gsize at = 0; at < length;)
        {
          guint32 packet;
          memcpy (&packet, octets + at, sizeof packet);
          g_string_append_c (kinds, (char) octets[at + 4]);
          at += 4 + GUINT32_FROM_BE (packet);
        }
      reroute_milter_machine_sent (machine, length);
    }
}

static gboolean
say (RerouteMilterMachine *machine, const char *octets, gsize length)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();

  reroute_milter_packet_put_number (wire, (guint32) length);
  g_byte_array_append (wire, (const guint8 *) octets, (guint) length);
  return reroute_milter_machine_feed (machine, wire->data, wire->len, NULL);
}

static void
expect (RerouteMilterMachine *machine, const char *kinds)
{
  g_autofree char *found = take_kinds (machine);

  g_assert_cmpstr (found, ==, kinds);
}

static RerouteMilterMachine *
make_machine (void)
{
  RerouteMilterSession session = { .hostname = "relay.test",
                                   .tls = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384" };

  g_assert_true (reroute_ip_parse ("2001:db8::1", &session.client_ip));
  return reroute_milter_machine_new (&session);
}

static RerouteEnvelope *
make_envelope (void)
{
  RerouteEnvelope *envelope = reroute_envelope_new ();

  g_free (envelope->helo);
  envelope->helo = g_strdup ("client.test");
  return envelope;
}

static void
test_conversation (void)
{
  g_autoptr (RerouteMilterMachine) machine = make_machine ();
  g_autoptr (RerouteEnvelope) envelope = make_envelope ();
  g_autoptr (RerouteAddress) address = reroute_address_parse ("u@in.test", FALSE, NULL);
  g_autoptr (RerouteMilterMessage) message =
               make_message (OCTETS ("A: 1\r\nB: 2\r\n\r\nbody\r\n"), 0);

  reroute_milter_machine_ask_mail (machine, envelope, NULL);
  expect (machine, "O");
  g_assert_true (say (machine, OCTETS ("O\0\0\0\6\0\0\0\1\0\x10\0\0")));
  expect (machine, "DC");
  g_assert_true (say (machine, OCTETS ("c")));
  expect (machine, "DH");
  g_assert_true (say (machine, OCTETS ("c")));
  expect (machine, "DM");
  g_assert_cmpint (reroute_milter_machine_get_verdict (machine), ==, REROUTE_MILTER_WORKING);
  g_assert_true (say (machine, OCTETS ("c")));
  expect (machine, "");
  g_assert_cmpint (reroute_milter_machine_get_verdict (machine), ==, REROUTE_MILTER_GOES_ON);
  reroute_milter_machine_ask_rcpt (machine, address);
  expect (machine, "DR");
  g_assert_true (say (machine, OCTETS ("c")));
  expect (machine, "");
  reroute_milter_machine_ask_message (machine, message, "1a");
  for (const char *const *kinds = (const char *const[]){ "DT", "DL", "L", "DN", "B", "DE", NULL };
       *kinds != NULL;
       kinds++)
    {
      expect (machine, *kinds);
      if (**kinds != 'D' || (*kinds)[1] != 'E')
        g_assert_true (say (machine, OCTETS ("c")));
    }
  g_assert_false (reroute_milter_machine_has_changed (machine));
  g_assert_true (say (machine, OCTETS ("hX\0 1\0")));
  g_assert_true (reroute_milter_machine_has_changed (machine));
  g_assert_true (say (machine, OCTETS ("c")));
  g_assert_cmpint (reroute_milter_machine_get_verdict (machine), ==, REROUTE_MILTER_WORKING);
  expect (machine, "");
  g_assert_cmpint (reroute_milter_machine_get_verdict (machine), ==, REROUTE_MILTER_GOES_ON);
  /* The next message: nothing is told twice, and nothing is left to end. */
  reroute_milter_machine_ask_mail (machine, envelope, NULL);
  g_assert_false (reroute_milter_machine_has_changed (machine));
  expect (machine, "DM");
  g_assert_true (say (machine, OCTETS ("c")));
  expect (machine, "");
  reroute_milter_machine_ask_mail (machine, envelope, NULL);
  expect (machine, "ADM");
}

/* The client and its name by themselves, each name anew, and a refusal for good. */
static void
test_client_and_name (void)
{
  g_autoptr (RerouteMilterMachine) machine = make_machine ();
  g_autoptr (RerouteEnvelope) envelope = make_envelope ();

  reroute_milter_machine_ask_connect (machine);
  expect (machine, "O");
  g_assert_true (say (machine, OCTETS ("O\0\0\0\6\0\0\0\1\0\x10\0\0")));
  expect (machine, "DC");
  g_assert_true (say (machine, OCTETS ("c")));
  expect (machine, "");
  g_assert_cmpint (reroute_milter_machine_get_verdict (machine), ==, REROUTE_MILTER_GOES_ON);
  reroute_milter_machine_ask_helo (machine, "client.test", NULL);
  expect (machine, "DH");
  g_assert_true (say (machine, OCTETS ("c")));
  expect (machine, "");
  reroute_milter_machine_ask_mail (machine, envelope, NULL);
  expect (machine, "DM");
  g_assert_true (say (machine, OCTETS ("c")));
  expect (machine, "");
  reroute_milter_machine_ask_helo (machine, "client.test", "TLSv1.3 with cipher A");
  expect (machine, "ADH");
  g_assert_true (say (machine, OCTETS ("r")));
  g_assert_cmpint (reroute_milter_machine_get_verdict (machine), ==, REROUTE_MILTER_REFUSES);
  for (guint i = 0; i < 2; i++)
    {
      if (i == 0)
        reroute_milter_machine_ask_helo (machine, "other.test", NULL);
      else
        reroute_milter_machine_ask_mail (machine, envelope, NULL);
      g_assert_cmpint (reroute_milter_machine_get_verdict (machine), ==, REROUTE_MILTER_REFUSES);
      g_assert_cmpuint (reroute_milter_machine_get_reply (machine)->code, ==, 550);
      expect (machine, "");
    }
}

/* Body was not agreed on; a header field is, but not before the end. */
static void
test_not_agreed (void)
{
  static const char *const replies[] = { "b", "q" };
  g_autoptr (RerouteEnvelope) envelope = make_envelope ();

  for (gsize i = 0; i < G_N_ELEMENTS (replies) + 1; i++)
    {
      g_autoptr (RerouteMilterMachine) machine = make_machine ();
      g_autoptr (RerouteMilterMessage) message = make_message (OCTETS ("A: 1\r\n"), 0);
      reroute_milter_machine_ask_mail (machine, envelope, NULL);
      g_free (take_kinds (machine));
      /* Spares all but the end of the message. */
      g_assert_true (say (machine, OCTETS ("O\0\0\0\6\0\0\0\1\0\0\2\x7f")));
      expect (machine, "");
      reroute_milter_machine_ask_message (machine, message, "1a");
      expect (machine, "DE");
      if (i < G_N_ELEMENTS (replies))
        g_assert_false (say (machine, replies[i], 1));
      else
        g_assert_true (say (machine, OCTETS ("hX\0 1\0")));
    }
}

/* --- what is too much --- */

typedef struct
{
  const char *name;
  const char *begin; /* of each packet */
  gsize length;
  guint octets;   /* behind it */
  gboolean ended; /* by a NUL */
  guint n_taken;  /* then the machine fails */
} FloodRow;

#define WISHES 3
#define FIELDS (REROUTE_LIMIT_HEADER_OCTETS / 60005)
#define PARTS (REROUTE_LIMIT_MILTER_BODY_OCTETS / 65536)

static const FloodRow floods[] = {
  /* clang-format off */
  { "add-header",    OCTETS ("hX\0"),            60000, TRUE,  FIELDS },
  { "insert-header", OCTETS ("i\0\0\0\1X\0"),    60000, TRUE,  FIELDS },
  { "change-header", OCTETS ("m\0\0\0\11X\0"),   60000, TRUE,  FIELDS },
  { "large-header",  OCTETS ("hX\0"),            REROUTE_LIMIT_HEADER_OCTETS, TRUE, 0 },
  { "add-rcpt",      OCTETS ("+"),               100,   TRUE,  WISHES },
  { "delete-rcpt",   OCTETS ("-"),               100,   TRUE,  WISHES },
  { "change-from",   OCTETS ("e"),               100,   TRUE,  WISHES },
  { "long-address",  OCTETS ("+"),               REROUTE_LIMIT_PATH_OCTETS + 1, TRUE, 0 },
  { "body",          OCTETS ("b"),               65536, FALSE, PARTS },
  /* clang-format on */
};

static void
test_flood (gconstpointer data)
{
  const FloodRow *row = data;
  g_autoptr (RerouteEnvelope) envelope = make_envelope ();
  g_autoptr (RerouteMilterMachine) machine = make_machine ();
  g_autoptr (RerouteMilterMessage) message = make_message (OCTETS ("A: 1\r\n\r\nbody\r\n"), 0);
  g_autoptr (GByteArray) wire = g_byte_array_new ();
  g_autofree char *more = g_strnfill (row->octets, 'x');
  g_autoptr (GError) error = NULL;

  reroute_milter_packet_put_number (wire,
                                    (guint32) row->length + row->octets + (row->ended ? 1 : 0));
  g_byte_array_append (wire, (const guint8 *) row->begin, (guint) row->length);
  g_byte_array_append (wire, (const guint8 *) more, row->octets + (row->ended ? 1 : 0));
  reroute_milter_message_set_most_wishes (message, WISHES);
  reroute_milter_machine_ask_mail (machine, envelope, NULL);
  g_free (take_kinds (machine));
  /* All changes; spares all but the end of the message. */
  g_assert_true (say (machine, OCTETS ("O\0\0\0\6\0\0\0\xff\0\0\2\x7f")));
  reroute_milter_machine_ask_message (machine, message, "1a");
  expect (machine, "DE");
  for (guint i = 0; i < row->n_taken; i++)
    g_assert_true (reroute_milter_machine_feed (machine, wire->data, wire->len, NULL));
  g_assert_false (reroute_milter_machine_feed (machine, wire->data, wire->len, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL);
  g_assert_true (reroute_milter_machine_has_changed (machine));
}

/* What stands in place of something else is not more than before, nor is what another milter wants.
 */
static void
test_no_flood (void)
{
  g_autoptr (RerouteMilterMessage) message = make_message (OCTETS ("A: 1\r\n\r\n"), 0);
  g_autofree char *value = g_strnfill (REROUTE_LIMIT_HEADER_OCTETS / 2, 'x');
  guint n;

  reroute_milter_message_set_most_wishes (message, 1);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_true (reroute_milter_message_change_field (message, 1, "A", value, FALSE, NULL));
      g_assert_true (reroute_milter_message_change_field (message, 1, "B", "x", FALSE, NULL));
      g_assert_true (reroute_milter_message_change_field (message, 1, "B", "", FALSE, NULL));
      g_assert_true (
        reroute_milter_message_wish (message, REROUTE_MILTER_ADDS_RCPT, "<a@b>", NULL));
      reroute_milter_message_end_changes (message);
    }
  reroute_milter_message_get_wishes (message, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (reroute_milter_message_get_n_fields (message), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (packets); i++)
    {
      g_autofree char *path = g_strdup_printf ("/milter/packet/%s", packets[i].name);
      g_test_add_data_func (path, &packets[i], test_packet);
    }
  g_test_add_func ("/milter/packet-lengths", test_packet_lengths);
  for (gsize i = 0; i < G_N_ELEMENTS (messages); i++)
    {
      g_autofree char *path = g_strdup_printf ("/milter/message/%s", messages[i].name);
      g_test_add_data_func (path, &messages[i], test_message);
    }
  g_test_add_func ("/milter/field-values", test_field_values);
  g_test_add_func ("/milter/bad-fields", test_bad_fields);
  g_test_add_func ("/milter/new-body", test_new_body);
  g_test_add_func ("/milter/large-body", test_large_body);
  g_test_add_func ("/milter/no-room", test_no_room);
  g_test_add_func ("/milter/conversation", test_conversation);
  g_test_add_func ("/milter/client-and-name", test_client_and_name);
  g_test_add_func ("/milter/not-agreed", test_not_agreed);
  for (gsize i = 0; i < G_N_ELEMENTS (floods); i++)
    {
      g_autofree char *path = g_strdup_printf ("/milter/flood/%s", floods[i].name);
      g_test_add_data_func (path, &floods[i], test_flood);
    }
  g_test_add_func ("/milter/no-flood", test_no_flood);
  return g_test_run ();
}
