/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * crc32c.c - the checksum of every record in the spool
 *
 * Standards: RFC 3720 section 12.1 and appendix B.4 (polynomial, test vectors).
 */

#include "config.h"

#include "service/relay/spool/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define POLYNOMIAL_REFLECTED 0x82f63b78u
#define SLICES 8

static guint32 table[SLICES][256];

static void
fill_table (void)
{
  for (guint32 i = 0; i < 256; i++)
    {
      guint32 crc = i;
      for (int bit = 0; bit < 8; bit++)
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? POLYNOMIAL_REFLECTED : 0);
      table[0][i] = crc;
    }
  for (int slice = 1; slice < SLICES; slice++)
    for (int i = 0; i < 256; i++)
      table[slice][i] = (table[slice - 1][i] >> 8) ^ table[0][table[slice - 1][i] & 0xff];
}

guint32
reroute_crc32c_by_table (guint32 crc, const void *octets, gsize length)
{
  static gsize filled;
  const guint8 *p = octets;

  if (g_once_init_enter (&filled))
    {
      fill_table ();
      g_once_init_leave (&filled, 1);
    }
  crc = ~crc;
  for (; length >= SLICES; length -= SLICES, p += SLICES)
    {
      guint64 word;
      memcpy (&word, p, sizeof word);
      word = GUINT64_FROM_LE (word) ^ crc;
      crc = 0;
      for (int slice = 0; slice < SLICES; slice++)
        crc ^= table[SLICES - 1 - slice][(word >> (8 * slice)) & 0xff];
    }
  for (; length > 0; length--, p++)
    crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
  return ~crc;
}

#if defined(__x86_64__)
__attribute__ ((target ("sse4.2"))) static guint32
crc32c_by_instruction (guint32 crc, const void *octets, gsize length)
{
  const guint8 *p = octets;
  guint64 wide = (guint32) ~crc;

  for (; length >= sizeof wide; length -= sizeof wide, p += sizeof wide)
    {
      guint64 word;
      memcpy (&word, p, sizeof word);
      wide = _mm_crc32_u64 (wide, word);
    }
  crc = (guint32) wide;
  for (; length > 0; length--, p++)
    crc = _mm_crc32_u8 (crc, *p);
  return ~crc;
}
#endif

guint32
reroute_crc32c (guint32 crc, const void *octets, gsize length)
{
#if defined(__x86_64__)
  if (__builtin_cpu_supports ("sse4.2"))
    return crc32c_by_instruction (crc, octets, length);
#endif
  return reroute_crc32c_by_table (crc, octets, length);
}
