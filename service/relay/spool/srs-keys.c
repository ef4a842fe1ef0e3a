/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * srs-keys.c - the keys of rewritten senders, in the spool's directory
 *
 * A line a key, newest first: when it was made, in seconds since 1970, and its octets in
 * hexadecimal.  What is in the file is for nobody's eyes: no log line and no reply shows it.
 */

#include "config.h"

#include "service/relay/spool/srs-keys.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/spool/directory.h"
#include "service/relay/spool/private-file.h"

#include <string.h>

#define KEYS_NAME "srs-keys"
#define FILE_OCTETS_MOST 4096
#define DAY_S ((gint64) 86400)

typedef struct
{
  gint64 made_s;
  GBytes *octets;
} Key;

static void
clear_key (gpointer data)
{
  Key *self = data;

  g_bytes_unref (self->octets);
}

/* --- the file --- */

static gboolean
write_file (int dir_fd, const GArray *keys, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < keys->len; i++)
    {
      const Key *key = &g_array_index (keys, Key, i);
      const guint8 *octets = g_bytes_get_data (key->octets, NULL);

      g_string_append_printf (text, "%" G_GINT64_FORMAT " ", key->made_s);
      for (guint j = 0; j < REROUTE_SRS_KEY_OCTETS; j++)
        g_string_append_printf (text, "%02x", octets[j]);
      g_string_append_c (text, '\n');
    }
  return reroute_private_file_write (dir_fd, KEYS_NAME, text->str, text->len, error);
}

/* FALSE: it is no whole line. */
static gboolean
parse_line (const char *line, Key *key)
{
  guint8 octets[REROUTE_SRS_KEY_OCTETS];
  char *digits = NULL;

  key->made_s = g_ascii_strtoll (line, &digits, 10);
  if (digits == line || *digits++ != ' ' || strlen (digits) != 2 * sizeof octets)
    return FALSE;
  for (guint i = 0; i < sizeof octets; i++)
    {
      int high = g_ascii_xdigit_value (digits[2 * i]);
      int low = g_ascii_xdigit_value (digits[2 * i + 1]);

      if (high < 0 || low < 0)
        return FALSE;
      octets[i] = (guint8) (high * 16 + low);
    }
  key->octets = g_bytes_new (octets, sizeof octets);
  return TRUE;
}

/* What others could read is no key any more, and a file that is damaged has none; but one that
   cannot be read at the moment has them still.
   Returns: (transfer full) (nullable): NULL with @error */
static GArray *
read_keys (int dir_fd, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) octets =
               reroute_private_file_read (dir_fd, KEYS_NAME, FILE_OCTETS_MOST, &failure);
  if (g_error_matches (failure, REROUTE_ERROR, REROUTE_ERROR_SPOOL))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  gsize length = 0;
  const char *data = octets != NULL ? g_bytes_get_data (octets, &length) : NULL;
  g_autofree char *text = g_strndup (data != NULL ? data : "", length);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GArray *keys = g_array_new (FALSE, FALSE, sizeof (Key));

  g_array_set_clear_func (keys, clear_key);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      Key key;

      if (parse_line (lines[i], &key))
        g_array_append_val (keys, key);
    }
  return keys;
}

/* --- rotation --- */

static void
make_key (GArray *keys, gint64 now_s)
{
  guint64 numbers[REROUTE_SRS_KEY_OCTETS / sizeof (guint64)];
  Key key = { .made_s = now_s };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    numbers[i] = reroute_spool_random ();
  key.octets = g_bytes_new (numbers, sizeof numbers);
  g_array_prepend_val (keys, key);
}

/* Whether the keys are others now. */
static gboolean
rotate (GArray *keys, gint64 now_s)
{
  guint n = keys->len;
  gboolean wanted =
    n == 0 || now_s - g_array_index (keys, Key, 0).made_s >= REROUTE_LIMIT_SRS_KEY_DAYS * DAY_S;

  if (wanted)
    make_key (keys, now_s);
  n = keys->len;
  /* The first one that is out of date, and all older ones. */
  for (guint i = 1; i < n; i++)
    {
      gint64 replaced_s = g_array_index (keys, Key, i - 1).made_s;

      if (now_s - replaced_s > (REROUTE_LIMIT_SRS_VALID_DAYS + 1) * DAY_S)
        {
          g_array_set_size (keys, i);
          break;
        }
    }
  return wanted || keys->len != n;
}

GPtrArray *
reroute_srs_keys_open (int dir_fd, gint64 now_s, GError **error)
{
  g_autoptr (GArray) keys = read_keys (dir_fd, error);
  GPtrArray *octets;

  if (keys == NULL)
    return NULL;
  if (rotate (keys, now_s) && !write_file (dir_fd, keys, error))
    return NULL;
  octets = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (guint i = 0; i < keys->len; i++)
    g_ptr_array_add (octets, g_bytes_ref (g_array_index (keys, Key, i).octets));
  return octets;
}
