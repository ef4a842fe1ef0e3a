/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Stands between the spool and the kernel: a program that links spool-faults.c has its writes,
 * syncs and changes of directories counted, each is a step, and can have the power fail at one of
 * them, or the disk.
 */
typedef enum
{
  SPOOL_FAULT_NONE,
  SPOOL_FAULT_POWER, /* the process ends there; of what was not synced any part may be lost */
  SPOOL_FAULT_WRITE, /* no write succeeds at that step and the next two (EIO) */
  SPOOL_FAULT_SYNC,  /* that sync and the next fail (EIO), and lose what they should have kept */
  SPOOL_FAULT_DIRECTORY_SYNC, /* the next sync of a directory from there on fails (EIO) */
  SPOOL_FAULT_SHORT_WRITE,    /* that write stops half-way, then ENOSPC */
  SPOOL_FAULT_NO_ROOM,        /* from there on no room can be reserved for a file (ENOSPC) */
  SPOOL_FAULT_FULL,           /* from there on nothing can be reserved or written (ENOSPC) */
} SpoolFault;

#define SPOOL_FAULT_EXIT_STATUS 77 /* of a process whose power failed */

/* @step: from 1; @seed: decides which unsynced writes survive, and which parts of them */
void spool_faults_arm (SpoolFault fault, guint step, guint32 seed);
void spool_faults_disarm (void);
guint spool_faults_get_steps (void); /* since armed */
gboolean spool_faults_have_struck (void);

/* What the next syncs of files do, one after another: they take so many milliseconds longer, or
   fail (EIO) where that is negative.  @waits_ms: (array length=n): borrowed until they came */
void spool_faults_script_syncs (const gint *waits_ms, guint n);
/* Segments cannot be opened with this access mode: EMFILE.  -1: they can. */
void spool_faults_refuse_opens (int mode);

/* --- spool-refusals.c --- */

/* So many octets at most are free on any file system; G_MAXUINT64: all that are. */
void spool_faults_set_free (guint64 octets);
/* The next list of a directory breaks off after so many names, in no order: EIO. */
void spool_faults_break_list (guint n_names);
/* The block at @offset of the file cannot be read: EIO.  @path: (nullable): every one can */
void spool_faults_refuse_reads (const char *path, guint64 offset);

G_END_DECLS
