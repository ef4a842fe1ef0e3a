/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-codec.c - whatever a peer may send over the bus
 *
 * What is taken is taken again when it is sent on, and then it is the same, octet by octet.
 * The first octet says what it is said to be, and whether it is serialised or in GVariant's text.
 */

#include "config.h"

#include "common/codec.h"

#include <stdint.h>

#define IS_TEXT 0x80
#define LONGEST_TEXT 1000 /* numbers of its arrays nest, and GLib is slow at it */

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

typedef gpointer (*Decode) (GVariant *variant, GError **error);
typedef GVariant *(*Encode) (gpointer value);

static const struct
{
  const char *type;
  Decode decode;
  Encode encode;
  GDestroyNotify free;
} forms[] = {
  { REROUTE_ROW_TYPE,
    (Decode) reroute_row_from_variant,
    (Encode) reroute_row_to_variant,
    (GDestroyNotify) reroute_row_unref },
  { REROUTE_CHANGE_TYPE,
    (Decode) reroute_change_from_variant,
    (Encode) reroute_change_to_variant,
    (GDestroyNotify) reroute_change_unref },
  { "a" REROUTE_CHANGE_TYPE,
    (Decode) reroute_changes_from_variant,
    (Encode) reroute_changes_to_variant,
    (GDestroyNotify) g_ptr_array_unref },
  { "a" REROUTE_FINDING_TYPE,
    (Decode) reroute_findings_from_variant,
    (Encode) reroute_findings_to_variant,
    (GDestroyNotify) g_ptr_array_unref },
  { "a" REROUTE_STEP_TYPE,
    (Decode) reroute_steps_from_variant,
    (Encode) reroute_steps_to_variant,
    (GDestroyNotify) g_ptr_array_unref },
};

/* (transfer full) (nullable) */
static GVariant *
read_variant (const char *type, gboolean is_text, const uint8_t *octets, size_t length)
{
  g_autoptr (GBytes) bytes = NULL;
  GVariant *variant = NULL;

  if (is_text && (length > LONGEST_TEXT || !g_utf8_validate ((const char *) octets, length, NULL)))
    return NULL;
  if (is_text)
    return g_variant_parse (
      G_VARIANT_TYPE (type), (const char *) octets, (const char *) octets + length, NULL, NULL);
  bytes = g_bytes_new (octets, length);
  variant = g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, FALSE);
  return g_variant_ref_sink (variant);
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  guint form = length > 0 ? (octets[0] & ~IS_TEXT) % G_N_ELEMENTS (forms) : 0;
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GVariant) sent = NULL;
  g_autoptr (GVariant) sent_again = NULL;
  g_autoptr (GError) error = NULL;
  gpointer value, value_again;

  if (length == 0)
    return 0;
  variant = read_variant (forms[form].type, (octets[0] & IS_TEXT) != 0, octets + 1, length - 1);
  if (variant == NULL)
    return 0;
  value = forms[form].decode (variant, &error);
  g_assert_true ((value == NULL) == (error != NULL));
  if (value == NULL)
    return 0;
  sent = g_variant_ref_sink (forms[form].encode (value));
  value_again = forms[form].decode (sent, &error);
  g_assert_no_error (error);
  sent_again = g_variant_ref_sink (forms[form].encode (value_again));
  g_assert_cmpvariant (sent, sent_again);
  forms[form].free (value);
  forms[form].free (value_again);
  return 0;
}
