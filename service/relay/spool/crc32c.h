/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * reroute_crc32c:
 * @crc: 0, or the result for the octets in front
 * @octets: (array length=length): what to add
 *
 * CRC-32C (Castagnoli, RFC 3720 12.1), by the processor's own instruction where it has one.
 *
 * Returns: the checksum of everything so far
 */
guint32 reroute_crc32c (guint32 crc, const void *octets, gsize length);

/* The same by table alone: for processors without the instruction. */
guint32 reroute_crc32c_by_table (guint32 crc, const void *octets, gsize length);

G_END_DECLS
