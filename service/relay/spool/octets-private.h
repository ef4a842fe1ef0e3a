/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Reading and writing little-endian fields, for the two files that know the record's payloads. */

#pragma once

#include <glib.h>
#include <string.h>

static inline void
store_u32 (guint8 *p, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (p, &value, sizeof value);
}

static inline void
store_u64 (guint8 *p, guint64 value)
{
  value = GUINT64_TO_LE (value);
  memcpy (p, &value, sizeof value);
}

static inline guint32
load_u32 (const guint8 *p)
{
  guint32 value;
  memcpy (&value, p, sizeof value);
  return GUINT32_FROM_LE (value);
}

static inline guint64
load_u64 (const guint8 *p)
{
  guint64 value;
  memcpy (&value, p, sizeof value);
  return GUINT64_FROM_LE (value);
}
