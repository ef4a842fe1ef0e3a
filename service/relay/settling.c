/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settling.c - what a start leaves behind goes back
 *
 * Fifty libraries are bound at the start, each symbol of them looked up once, and a resolver is
 * tried and thrown away.  A relay with a little to do would carry that for ever: more than half of
 * what it has in memory.
 */

#include "config.h"

#include "service/relay/settling.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOOK_EVERY_S 1

struct _RerouteSettling
{
  const RerouteRelayParts *parts;
  guint look_id; /* 0: done */
};

static int
drop_pages_cb (struct dl_phdr_info *object, size_t size, void *data)
{
  const ElfW (Addr) page = (ElfW (Addr)) sysconf (_SC_PAGESIZE);

  for (guint i = 0; i < object->dlpi_phnum; i++)
    {
      const ElfW (Phdr) *segment = &object->dlpi_phdr[i];
      ElfW (Addr) start = object->dlpi_addr + segment->p_vaddr;
      ElfW (Addr) end = start + segment->p_memsz;

      /* What was never writable is as the file has it. */
      if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
        continue;
      start &= ~(page - 1);
      end = (end + page - 1) & ~(page - 1);
      (void) madvise ((void *) start, end - start, MADV_DONTNEED);
    }
  return 0;
}

void
reroute_settling_give_back (void)
{
  malloc_trim (0);
  dl_iterate_phdr (drop_pages_cb, NULL);
}

static gboolean
has_nothing_to_do (const RerouteRelayParts *parts)
{
  RerouteSchedulerFigures figures;

  reroute_scheduler_get_figures (parts->scheduler, &figures);
  g_free (figures.dns);
  return figures.is_restored && figures.messages == 0 &&
         reroute_admission_get_n_sessions (parts->admission) == 0;
}

static gboolean
look_cb (gpointer user_data)
{
  RerouteSettling *self = user_data;

  if (!has_nothing_to_do (self->parts))
    return G_SOURCE_CONTINUE;
  reroute_settling_give_back ();
  self->look_id = 0;
  return G_SOURCE_REMOVE;
}

RerouteSettling *
reroute_settling_new (const RerouteRelayParts *parts)
{
  g_return_val_if_fail (parts != NULL, NULL);

  RerouteSettling *self = g_new0 (RerouteSettling, 1);
  self->parts = parts;
  self->look_id = g_timeout_add_seconds (LOOK_EVERY_S, look_cb, self);
  return self;
}

void
reroute_settling_free (RerouteSettling *self)
{
  g_return_if_fail (self != NULL);

  g_clear_handle_id (&self->look_id, g_source_remove);
  g_free (self);
}
