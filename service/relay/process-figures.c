/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * process-figures.c - what this process uses
 *
 * Source: proc(5), /proc/self/stat.
 */

#include "config.h"

#include "service/relay/process-figures.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Fields of /proc/self/stat behind the name of the program, from 0. */
enum
{
  STAT_UTIME = 11,
  STAT_STIME = 12,
  STAT_THREADS = 17,
  STAT_STARTTIME = 19,
  STAT_VSIZE = 20,
  STAT_RSS = 21,
  STAT_N_WANTED = 22,
};

static guint
count_descriptors (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (folder != NULL && g_dir_read_name (folder) != NULL)
    n++;
  return n > 0 ? n - 1 : 0; /* one of them is the folder's */
}

/* Seconds from 1970 to the start of the machine: found once, or who looks for restarts would see
   one whenever the clock is set. */
static double
get_boot_s (void)
{
  static double boot_s;
  struct timespec since_boot;

  if (boot_s == 0 && clock_gettime (CLOCK_BOOTTIME, &since_boot) == 0)
    boot_s = (double) g_get_real_time () / G_USEC_PER_SEC - (double) since_boot.tv_sec -
             (double) since_boot.tv_nsec / 1e9;
  return boot_s;
}

static guint64
read_number (char **fields, guint index)
{
  return g_ascii_strtoull (fields[index], NULL, 10);
}

gboolean
reroute_process_figures_read (RerouteProcessFigures *figures)
{
  g_return_val_if_fail (figures != NULL, FALSE);

  g_autofree char *text = NULL;
  struct rlimit limit;
  double ticks = (double) sysconf (_SC_CLK_TCK);

  if (!g_file_get_contents ("/proc/self/stat", &text, NULL, NULL))
    return FALSE;
  /* The name may have blanks and parentheses in it. */
  const char *behind_name = strrchr (text, ')');
  if (behind_name == NULL || behind_name[1] == '\0')
    return FALSE;
  g_auto (GStrv) fields = g_strsplit (behind_name + 2, " ", -1);
  if (g_strv_length (fields) < STAT_N_WANTED)
    return FALSE;

  *figures = (RerouteProcessFigures){
    .cpu_s = (double) (read_number (fields, STAT_UTIME) + read_number (fields, STAT_STIME)) / ticks,
    .start_s = get_boot_s () + (double) read_number (fields, STAT_STARTTIME) / ticks,
    .threads = (guint) read_number (fields, STAT_THREADS),
    .virtual_octets = read_number (fields, STAT_VSIZE),
    .resident_octets = read_number (fields, STAT_RSS) * (guint64) sysconf (_SC_PAGESIZE),
    .descriptors = count_descriptors (),
  };
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    figures->descriptors_most = limit.rlim_cur;
  return TRUE;
}
