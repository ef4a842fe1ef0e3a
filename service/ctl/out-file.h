/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * RerouteOutFile:
 *
 * A file that appears under its name when all of it is on the disk, or not at all; before that its
 * name ends in ".part".  What had the name stays until then.
 *
 * Errors of its functions: %REROUTE_ERROR_FAILED; they name the file.
 */
typedef struct
{
  const char *name;  /* borrowed; NULL: the standard output */
  gboolean replaces; /* a file of that name */
  gboolean secret;   /* for the user alone: a file and nothing else, of mode 0600 */
  /*< private >*/
  char *path; /* of the file itself: @name may be a link to it */
  char *part; /* (nullable): its name until it is whole */
  int fd;     /* -1 at first */
} RerouteOutFile;

gboolean reroute_out_file_open (RerouteOutFile *self, GError **error);

gboolean
reroute_out_file_write (RerouteOutFile *self, gconstpointer data, gsize n_octets, GError **error);

/* It is whole. */
gboolean reroute_out_file_finish (RerouteOutFile *self, GError **error);

/* Without reroute_out_file_finish() nothing is left of it. */
void reroute_out_file_close (RerouteOutFile *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RerouteOutFile, reroute_out_file_close)

G_END_DECLS
