/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sandbox.c - what a relay that was taken over could still do
 *
 * Two locks, neither of which needs a privilege: Landlock for files (the spool is written, nothing
 * else, and no file is run), seccomp for system calls that no mail needs.  A call that is refused
 * fails with EPERM, as it would for a stranger, so that a library that merely tries goes on.
 *
 * Sources: landlock(7), seccomp(2), seccomp_rule_add(3).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/sandbox.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ABI_WITH_REFER 2
#define ABI_WITH_TRUNCATE 3
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define CHANGES_A_FILE                                                                             \
  (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define CHANGES_ANYTHING                                                                           \
  (CHANGES_A_FILE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                   \
   LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK |     \
   LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* Running programs, other processes, and the system as a whole. */
static const int never[] = {
  SCMP_SYS (execve),
  SCMP_SYS (execveat),
  SCMP_SYS (ptrace),
  SCMP_SYS (process_vm_readv),
  SCMP_SYS (process_vm_writev),
  SCMP_SYS (process_madvise),
  SCMP_SYS (pidfd_getfd),
  SCMP_SYS (kcmp),
  SCMP_SYS (mount),
  SCMP_SYS (mount_setattr),
  SCMP_SYS (move_mount),
  SCMP_SYS (open_tree),
  SCMP_SYS (fsopen),
  SCMP_SYS (fsconfig),
  SCMP_SYS (fsmount),
  SCMP_SYS (fspick),
  SCMP_SYS (umount2),
  SCMP_SYS (pivot_root),
  SCMP_SYS (chroot),
  SCMP_SYS (setns),
  SCMP_SYS (unshare),
  SCMP_SYS (open_by_handle_at),
  SCMP_SYS (mknod),
  SCMP_SYS (mknodat),
  SCMP_SYS (personality),
  SCMP_SYS (bpf),
  SCMP_SYS (perf_event_open),
  SCMP_SYS (userfaultfd),
  SCMP_SYS (io_uring_setup),
  SCMP_SYS (add_key),
  SCMP_SYS (request_key),
  SCMP_SYS (keyctl),
  SCMP_SYS (kexec_load),
  SCMP_SYS (kexec_file_load),
  SCMP_SYS (init_module),
  SCMP_SYS (finit_module),
  SCMP_SYS (delete_module),
  SCMP_SYS (reboot),
  SCMP_SYS (swapon),
  SCMP_SYS (swapoff),
  SCMP_SYS (acct),
  SCMP_SYS (quotactl),
  SCMP_SYS (sethostname),
  SCMP_SYS (setdomainname),
  SCMP_SYS (settimeofday),
  SCMP_SYS (clock_settime),
  SCMP_SYS (clock_adjtime),
  SCMP_SYS (adjtimex),
  SCMP_SYS (syslog),
  SCMP_SYS (vhangup),
  SCMP_SYS (iopl),
  SCMP_SYS (ioperm),
  SCMP_SYS (setuid),
  SCMP_SYS (setgid),
  SCMP_SYS (setreuid),
  SCMP_SYS (setregid),
  SCMP_SYS (setresuid),
  SCMP_SYS (setresgid),
  SCMP_SYS (setgroups),
  SCMP_SYS (setfsuid),
  SCMP_SYS (setfsgid),
};

/* --- files --- */

static gboolean
allow (int ruleset, const char *path, guint64 access)
{
  struct landlock_path_beneath_attr rule = { .allowed_access = access };

  rule.parent_fd = open (path, O_PATH | O_CLOEXEC);
  if (rule.parent_fd < 0)
    return FALSE;
  gboolean done =
    syscall (SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
  close (rule.parent_fd);
  return done;
}

static gboolean
restrict_files (const char *writable, GError **error)
{
  long abi = syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  guint64 truncate = abi >= ABI_WITH_TRUNCATE ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
  guint64 refer = abi >= ABI_WITH_REFER ? LANDLOCK_ACCESS_FS_REFER : 0;
  const struct landlock_ruleset_attr handled = {
    .handled_access_fs = CHANGES_ANYTHING | truncate | refer,
  };

  if (abi < 1)
    {
      if (errno == ENOSYS || errno == EOPNOTSUPP)
        g_debug ("this kernel has no Landlock: files elsewhere are left to their modes");
      else
        g_message (
          "Landlock is refused (%s): files elsewhere are left to their modes; let the unit "
          "or the container have it",
          g_strerror (errno));
      return TRUE;
    }
  int ruleset = (int) syscall (SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
  if (ruleset >= 0 && !allow (ruleset, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE))
    g_debug ("there is no /dev/null to write to");
  gboolean done = ruleset >= 0 && allow (ruleset, writable, CHANGES_A_FILE | truncate) &&
                  syscall (SYS_landlock_restrict_self, ruleset, 0) == 0;
  if (!done)
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_SPOOL,
                 "cannot restrict the relay to the directory “%s”: %s",
                 writable,
                 g_strerror (errno));
  if (ruleset >= 0)
    close (ruleset);
  return done;
}

/* --- system calls --- */

/* A call that this machine does not have needs no rule. */
static void
restrict_calls (void)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
  int status = filter != NULL ? 0 : -ENOMEM;

  for (gsize i = 0; status == 0 && i < G_N_ELEMENTS (never); i++)
    {
      status = seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), never[i], 0);
      if (status == -EDOM || status == -EINVAL)
        status = 0;
    }
  if (status == 0)
    status = seccomp_load (filter);
  if (status != 0)
    g_warning ("system calls are not restricted: %s", g_strerror (-status));
  seccomp_release (filter);
}

gboolean
reroute_sandbox_enter (const char *writable, GError **error)
{
  g_return_val_if_fail (writable != NULL, FALSE);

#ifdef __SANITIZE_ADDRESS__
  return TRUE;
#endif
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    g_warning ("the relay may gain privileges: %s", g_strerror (errno));
  if (!restrict_files (writable, error))
    return FALSE;
  restrict_calls ();
  return TRUE;
}
