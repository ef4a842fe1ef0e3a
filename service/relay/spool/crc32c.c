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
#define N_STREAMS 3
#define STREAM_OCTETS 256

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

static void
ensure_table (void)
{
  static gsize filled;

  if (!g_once_init_enter (&filled))
    return;
  fill_table ();
  g_once_init_leave (&filled, 1);
}

guint32
reroute_crc32c_by_table (guint32 crc, const void *octets, gsize length)
{
  const guint8 *p = octets;

  ensure_table ();
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
/* How a checksum changes by the zeros of one stream, and of two: it is linear, so octet by octet of
   the checksum. */
typedef guint32 Shift[sizeof (guint32)][256];
static Shift shifts[N_STREAMS - 1];

/* What the bits of @octet do together. */
static guint32
combine (const guint32 bits[8], int octet)
{
  guint32 crc = 0;

  for (int bit = 0; bit < 8; bit++)
    if ((octet >> bit & 1) != 0)
      crc ^= bits[bit];
  return crc;
}

static void
fill_shift (Shift shift, gsize n_zeros)
{
  guint32 bits[32];

  for (int bit = 0; bit < 32; bit++)
    {
      bits[bit] = (guint32) 1 << bit;
      for (gsize i = 0; i < n_zeros; i++)
        bits[bit] = (bits[bit] >> 8) ^ table[0][bits[bit] & 0xff];
    }
  for (int octet = 0; octet < 256; octet++)
    for (int place = 0; place < 4; place++)
      shift[place][octet] = combine (bits + 8 * place, octet);
}

static void
fill_shifts (void)
{
  static gsize filled;

  if (!g_once_init_enter (&filled))
    return;
  ensure_table ();
  for (int i = 0; i < N_STREAMS - 1; i++)
    fill_shift (shifts[i], (gsize) (i + 1) * STREAM_OCTETS);
  g_once_init_leave (&filled, 1);
}

static guint32
apply_shift (Shift shift, guint32 crc)
{
  return shift[0][crc & 0xff] ^ shift[1][crc >> 8 & 0xff] ^ shift[2][crc >> 16 & 0xff] ^
         shift[3][crc >> 24];
}

static guint64
load_word (const guint8 *octets)
{
  guint64 word;

  memcpy (&word, octets, sizeof word);
  return word;
}

/* The instruction takes three cycles, and one can begin in each: three streams side by side. */
__attribute__ ((target ("sse4.2"))) static guint32
add_streams (guint32 crc, const guint8 *octets)
{
  guint64 first = crc;
  guint64 second = 0;
  guint64 third = 0;

  for (gsize i = 0; i < STREAM_OCTETS; i += sizeof (guint64))
    {
      first = _mm_crc32_u64 (first, load_word (octets + i));
      second = _mm_crc32_u64 (second, load_word (octets + STREAM_OCTETS + i));
      third = _mm_crc32_u64 (third, load_word (octets + 2 * STREAM_OCTETS + i));
    }
  return apply_shift (shifts[1], (guint32) first) ^ apply_shift (shifts[0], (guint32) second) ^
         (guint32) third;
}

__attribute__ ((target ("sse4.2"))) static guint32
crc32c_by_instruction (guint32 crc, const void *octets, gsize length)
{
  const guint8 *p = octets;

  crc = ~crc;
  if (length >= N_STREAMS * STREAM_OCTETS)
    fill_shifts ();
  for (; length >= N_STREAMS * STREAM_OCTETS;
       length -= N_STREAMS * STREAM_OCTETS, p += N_STREAMS * STREAM_OCTETS)
    crc = add_streams (crc, p);
  for (; length >= sizeof (guint64); length -= sizeof (guint64), p += sizeof (guint64))
    crc = (guint32) _mm_crc32_u64 (crc, load_word (p));
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
