/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-start.c - warnings of GLib count as faults, and the input that led to one is kept
 *
 * With G_DEBUG=fatal-warnings GLib ends the process by SIGTRAP, which libFuzzer does not catch.
 */

#include "config.h"

#include <signal.h>
#include <stdlib.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);

static void
trapped_cb (int number)
{
  abort ();
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  signal (SIGTRAP, trapped_cb);
  return 0;
}
