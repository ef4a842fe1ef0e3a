/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-envelope-record.c - envelopes as octets of the journal, of this format and the older one
 */

#include "config.h"

#include "common/error.h"
#include "service/relay/spool/crc32c.h"
#include "service/relay/spool/record.h"
#include "service/relay/spool/segment.h"

#include <string.h>

/* What format 1 wrote: flags, client, HELO name, reverse-path, two recipients. */
static const guint8 format_1[] = {
  /* clang-format off */
  1, 0, 0, 0,  1, 0, 0, 0,  0x05,
  2, 0, 0, 0,  16, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1,
  3, 0, 0, 0,  11, 0, 0, 0,  'c', 'l', 'i', 'e', 'n', 't', '.', 't', 'e', 's', 't',
  4, 0, 0, 0,  6, 0, 0, 0,  'a', '@', 'c', '.', 't', 'e',
  5, 0, 0, 0,  22, 0, 0, 0,  1, 0, 0, 0,  7, 0, 0, 0, 0, 0, 0, 0,
    'b', '@', 't', 'e', 's', 't', '.', 'c', 'o', 'm',
  5, 0, 0, 0,  18, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,  'c', '@', 't', '.', 't', 'e',
  /* clang-format on */
};

static RerouteEnvelope *
decode (const guint8 *octets, gsize length)
{
  g_autoptr (GError) error = NULL;
  RerouteEnvelope *envelope = reroute_envelope_decode (octets, length, &error);

  g_assert_no_error (error);
  return envelope;
}

static GByteArray *
encode (const RerouteEnvelope *envelope)
{
  g_autoptr (GError) error = NULL;
  GByteArray *octets = reroute_envelope_encode (envelope, &error);

  g_assert_no_error (error);
  return octets;
}

static RerouteRecipient *
get_recipient (const RerouteEnvelope *envelope, guint index)
{
  return &g_array_index (envelope->recipients, RerouteRecipient, index);
}

static void
test_format_1 (void)
{
  g_autoptr (RerouteEnvelope) envelope = decode (format_1, sizeof format_1);

  g_assert_cmpstr (envelope->helo, ==, "client.test");
  g_assert_cmpstr (envelope->reverse_path, ==, "a@c.te");
  g_assert_true (envelope->body_8bitmime);
  g_assert_false (envelope->smtputf8);
  g_assert_true (envelope->client_permitted);
  g_assert_cmpint (envelope->returns, ==, REROUTE_RETURN_UNSAID);
  g_assert_null (envelope->id);
  g_assert_cmpuint (envelope->recipients->len, ==, 2);
  g_assert_cmpstr (get_recipient (envelope, 0)->address->text, ==, "b@test.com");
  g_assert_cmpint (get_recipient (envelope, 0)->admitted_by.page, ==, REROUTE_PAGE_CONNECTIONS);
  g_assert_cmpint (get_recipient (envelope, 0)->admitted_by.id, ==, 7);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpint (get_recipient (envelope, i)->notify, ==, 0);
      g_assert_null (get_recipient (envelope, i)->original);
    }

  /* What asks for nothing is written as ever. */
  g_autoptr (GByteArray) octets = encode (envelope);
  g_assert_cmpmem (octets->data, octets->len, format_1, sizeof format_1);
}

static void
test_notices (void)
{
  g_autoptr (RerouteEnvelope) envelope = decode (format_1, sizeof format_1);

  envelope->returns = REROUTE_RETURN_HEADERS;
  envelope->id = g_strdup ("QQ+3D314");
  get_recipient (envelope, 0)->notify = REROUTE_NOTIFY_SUCCESS | REROUTE_NOTIFY_DELAY;
  get_recipient (envelope, 0)->original = g_strdup ("rfc822;b+2Bx@test.com");
  get_recipient (envelope, 1)->notify = REROUTE_NOTIFY_NEVER;
  g_autoptr (GByteArray) octets = encode (envelope);
  g_autoptr (RerouteEnvelope) again = decode (octets->data, octets->len);
  g_assert_cmpint (again->returns, ==, REROUTE_RETURN_HEADERS);
  g_assert_cmpstr (again->id, ==, "QQ+3D314");
  g_assert_cmpint (
    get_recipient (again, 0)->notify, ==, REROUTE_NOTIFY_SUCCESS | REROUTE_NOTIFY_DELAY);
  g_assert_cmpstr (get_recipient (again, 0)->original, ==, "rfc822;b+2Bx@test.com");
  g_assert_cmpint (get_recipient (again, 1)->notify, ==, REROUTE_NOTIFY_NEVER);
  g_assert_null (get_recipient (again, 1)->original);
}

/* Regression 5 of the audits: neither stored nor loaded. */
static void
test_line_break (void)
{
  g_autoptr (RerouteEnvelope) envelope = decode (format_1, sizeof format_1);
  g_autoptr (GError) error = NULL;

  envelope->id = g_strdup ("a\r\nRCPT TO:<x@y.test>");
  g_assert_null (reroute_envelope_encode (envelope, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
  g_clear_error (&error);
  g_clear_pointer (&envelope->id, g_free);
  get_recipient (envelope, 1)->original = g_strdup ("rfc822;a\nb");
  g_assert_null (reroute_envelope_encode (envelope, &error));
  g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_VALUE);
}

static void
test_bad_fields (void)
{
  static const struct
  {
    const char *name;
    guint8 octets[24];
    gsize length;
  } rows[] = {
    /* clang-format off */
    { "empty-returns",  { 6, 0, 0, 0,  0, 0, 0, 0 }, 8 },
    { "unknown-ret",    { 6, 0, 0, 0,  1, 0, 0, 0,  3 }, 9 },
    { "envid-nul",      { 6, 0, 0, 0,  4, 0, 0, 0,  1, 'a', 0, 'b' }, 12 },
    { "envid-break",    { 6, 0, 0, 0,  4, 0, 0, 0,  1, 'a', '\r', '\n' }, 12 },
    { "envid-blank",    { 6, 0, 0, 0,  4, 0, 0, 0,  1, 'a', ' ', 'b' }, 12 },
    { "empty-notify",   { 7, 0, 0, 0,  0, 0, 0, 0 }, 8 },
    { "unknown-notify", { 7, 0, 0, 0,  1, 0, 0, 0,  16 }, 9 },
    { "orcpt-no-type",  { 7, 0, 0, 0,  3, 0, 0, 0,  2, 'a', 'b' }, 11 },
    { "orcpt-break",    { 7, 0, 0, 0,  5, 0, 0, 0,  2, 'a', ';', 'b', '\n' }, 13 },
    { "unknown-field",  { 8, 0, 0, 0,  1, 0, 0, 0,  1 }, 9 },
    { "cut",            { 7, 0, 0, 0,  9, 0, 0, 0,  1 }, 9 },
    /* clang-format on */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) octets = g_byte_array_new ();
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", rows[i].name);
      g_byte_array_append (octets, format_1, sizeof format_1);
      g_byte_array_append (octets, rows[i].octets, (guint) rows[i].length);
      g_assert_null (reroute_envelope_decode (octets->data, octets->len, &error));
      g_assert_error (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL);
    }
  /* NOTIFY in front of every recipient is nobody's. */
  static const guint8 early[] = { 7, 0, 0, 0, 1, 0, 0, 0, 1 };
  g_assert_null (reroute_envelope_decode (early, sizeof early, NULL));
}

/* What a mail filter wants to be held is so after a restart, too, and so is what TLS is worth. */
static void
test_held (void)
{
  g_autoptr (RerouteEnvelope) envelope = decode (format_1, sizeof format_1);

  g_assert_false (envelope->held || envelope->tls_optional || envelope->requiretls);
  envelope->held = TRUE;
  envelope->tls_optional = TRUE;
  envelope->requiretls = TRUE;
  g_autoptr (GByteArray) octets = encode (envelope);
  g_autoptr (RerouteEnvelope) again = decode (octets->data, octets->len);
  g_assert_true (again->held && again->tls_optional && again->requiretls && again->body_8bitmime &&
                 again->client_permitted);
}

/* A record that does not tell what the header section needs is one whose header may need it. */
static void
test_ascii_header (void)
{
  g_autoptr (RerouteEnvelope) envelope = decode (format_1, sizeof format_1);

  g_assert_false (envelope->ascii_header);
  envelope->smtputf8 = TRUE;
  g_autoptr (GByteArray) declared = encode (envelope);
  envelope->ascii_header = TRUE;
  g_autoptr (GByteArray) noted = encode (envelope);
  g_autoptr (RerouteEnvelope) before = decode (declared->data, declared->len);
  g_autoptr (RerouteEnvelope) now = decode (noted->data, noted->len);
  g_assert_true (before->smtputf8 && !before->ascii_header);
  g_assert_true (now->smtputf8 && now->ascii_header);
}

static RerouteSegmentHeader
check_version (guint32 version)
{
  guint8 block[REROUTE_SPOOL_BLOCK_OCTETS];
  guint32 found = 0;
  guint64 size;
  guint32 crc;

  reroute_segment_header_encode (1, 65536, block);
  block[8] = (guint8) version;
  memset (block + 12, 0, 4);
  crc = GUINT32_TO_LE (reroute_crc32c (0, block, 40));
  memcpy (block + 12, &crc, sizeof crc);
  RerouteSegmentHeader header = reroute_segment_header_check (block, &found, &size);
  g_assert_cmpuint (found, ==, version);
  return header;
}

static void
test_versions (void)
{
  g_assert_cmpint (check_version (1), ==, REROUTE_SEGMENT_HEADER_GOOD);
  g_assert_cmpint (check_version (2), ==, REROUTE_SEGMENT_HEADER_GOOD);
  g_assert_cmpint (check_version (3), ==, REROUTE_SEGMENT_HEADER_GOOD);
  g_assert_cmpint (check_version (4), ==, REROUTE_SEGMENT_HEADER_NEWER);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/spool/envelope/format-1", test_format_1);
  g_test_add_func ("/spool/envelope/notices", test_notices);
  g_test_add_func ("/spool/envelope/held", test_held);
  g_test_add_func ("/spool/envelope/ascii-header", test_ascii_header);
  g_test_add_func ("/spool/envelope/line-break", test_line_break);
  g_test_add_func ("/spool/envelope/bad-fields", test_bad_fields);
  g_test_add_func ("/spool/envelope/versions", test_versions);
  return g_test_run ();
}
