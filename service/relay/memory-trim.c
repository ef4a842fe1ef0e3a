/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * memory-trim.c - what a start leaves behind goes back
 *
 * Every library is bound at the start, each symbol of it looked up once, and a resolver is tried
 * and thrown away.  A relay with a little to do would carry that for ever.
 */

#include "config.h"

#include "service/relay/memory-trim.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOOK_EVERY_S 1

struct _RerouteMemoryTrim
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
reroute_memory_trim_now (void)
{
  malloc_trim (0);
  dl_iterate_phdr (drop_pages_cb, NULL);
}

static gboolean
is_at_rest (const RerouteRelayParts *parts)
{
  RerouteSchedulerFigures figures;

  reroute_scheduler_get_figures (parts->scheduler, &figures);
  g_free (figures.dns);
  return figures.is_restored && figures.connections == 0 &&
         reroute_admission_get_n_sessions (parts->admission) == 0;
}

static gboolean
look_cb (gpointer user_data)
{
  RerouteMemoryTrim *self = user_data;

  if (!is_at_rest (self->parts))
    return G_SOURCE_CONTINUE;
  reroute_memory_trim_now ();
  self->look_id = 0;
  return G_SOURCE_REMOVE;
}

RerouteMemoryTrim *
reroute_memory_trim_new (const RerouteRelayParts *parts)
{
  g_return_val_if_fail (parts != NULL, NULL);

  RerouteMemoryTrim *self = g_new0 (RerouteMemoryTrim, 1);
  self->parts = parts;
  self->look_id = g_timeout_add_seconds (LOOK_EVERY_S, look_cb, self);
  return self;
}

void
reroute_memory_trim_free (RerouteMemoryTrim *self)
{
  g_return_if_fail (self != NULL);

  g_clear_handle_id (&self->look_id, g_source_remove);
  g_free (self);
}
