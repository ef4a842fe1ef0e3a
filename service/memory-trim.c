/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * memory-trim.c - memory of a process that it needs no more goes back to the system
 */

#include "config.h"

#include "service/memory-trim.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

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
