/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-sandbox.c - what is refused in the sandbox, and what a spool still can do
 */

#include "config.h"

#include "common/error.h"
#include "service/relay/sandbox.h"
#include "tests/unit/spool-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* AddressSanitizer looks into its own process, so there is no sandbox in its build. */
#ifdef __SANITIZE_ADDRESS__
#define HAS_SANDBOX FALSE
#else
#define HAS_SANDBOX TRUE
#endif

#define ABI_WITH_TRUNCATE 3

/* Its version; less than 1: there is none. */
static long
get_landlock (void)
{
  return syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Of the whole list of sandbox.c; one that this kind of machine does not have is not in it. */
static const struct
{
  const char *name;
  long number;
} forbidden[] = {
/* clang-format off */
#define CALL(name) { #name, SYS_##name }
  CALL (execve), CALL (execveat),
  CALL (ptrace), CALL (process_vm_readv), CALL (process_vm_writev), CALL (process_madvise),
  CALL (pidfd_getfd), CALL (kcmp),
  CALL (mount), CALL (mount_setattr), CALL (move_mount), CALL (open_tree), CALL (fsopen),
  CALL (fsconfig), CALL (fsmount), CALL (fspick), CALL (umount2), CALL (pivot_root), CALL (chroot),
  CALL (setns), CALL (unshare), CALL (open_by_handle_at), CALL (mknodat),
#ifdef SYS_mknod
  CALL (mknod),
#endif
  CALL (personality), CALL (bpf), CALL (perf_event_open), CALL (userfaultfd), CALL (io_uring_setup),
  CALL (add_key), CALL (request_key), CALL (keyctl),
  CALL (kexec_load), CALL (kexec_file_load), CALL (init_module), CALL (finit_module),
  CALL (delete_module), CALL (reboot), CALL (swapon), CALL (swapoff), CALL (acct), CALL (quotactl),
  CALL (sethostname), CALL (setdomainname), CALL (settimeofday), CALL (clock_settime),
  CALL (clock_adjtime), CALL (adjtimex), CALL (syslog), CALL (vhangup),
#ifdef SYS_iopl
  CALL (iopl), CALL (ioperm),
#endif
  CALL (setuid), CALL (setgid), CALL (setreuid), CALL (setregid), CALL (setresuid),
  CALL (setresgid), CALL (setgroups), CALL (setfsuid), CALL (setfsgid),
#undef CALL
  /* clang-format on */
};

/* A child that enters the sandbox and tries @func there, with the spool and a folder beside it.
   Returns: how it ended */
static int
run_inside (gboolean (*func) (SpoolFixture *fixture, const char *elsewhere))
{
  g_autoptr (GError) error = NULL;
  SpoolFixture fixture;
  int status;

  spool_fixture_init (&fixture, 256 * 1024);
  g_autofree char *elsewhere = g_strconcat (fixture.directory, "-elsewhere", NULL);
  g_autofree char *kept = g_build_filename (elsewhere, "kept", NULL);
  g_autofree char *folder = g_build_filename (elsewhere, "folder", NULL);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (kept, "kept", -1, NULL));
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    _exit (!reroute_sandbox_enter (fixture.directory, &error) || !func (&fixture, elsewhere));
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));

  g_autofree char *content = NULL;
  g_assert_true (g_file_get_contents (kept, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "kept");
  g_assert_cmpint (g_unlink (kept), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_assert_cmpint (g_rmdir (elsewhere), ==, 0); /* nothing else is in it */
  spool_fixture_clear (&fixture);
  return WEXITSTATUS (status);
}

/* Whether a call failed with @wanted; says so where it did not. */
static gboolean
fails (const char *name, long result, int wanted)
{
  int failure = result < 0 ? errno : 0;

  if (failure != wanted)
    g_printerr ("# %s: %s, wanted %s\n", name, g_strerror (failure), g_strerror (wanted));
  return failure == wanted;
}

static gboolean
try_calls (SpoolFixture *fixture, const char *elsewhere)
{
  gboolean done = TRUE;

  /* With arguments that do no harm where a call is let through. */
  for (gsize i = 0; i < G_N_ELEMENTS (forbidden); i++)
    done =
      fails (forbidden[i].name, syscall (forbidden[i].number, -1, -1, -1, -1, -1, -1), EPERM) &&
      done;
  return done && fails ("getppid", syscall (SYS_getppid), 0);
}

static gboolean
try_files (SpoolFixture *fixture, const char *elsewhere)
{
  g_autofree char *kept = g_build_filename (elsewhere, "kept", NULL);
  g_autofree char *new = g_build_filename (elsewhere, "new", NULL);
  g_autofree char *folder = g_build_filename (elsewhere, "folder", NULL);
  g_autofree char *spooled = g_build_filename (fixture->directory, "file", NULL);
  g_autofree char *spool_folder = g_build_filename (fixture->directory, "folder", NULL);
  gboolean done = TRUE;

  done = fails ("create", open (new, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), EACCES) && done;
  done = fails ("write", open (kept, O_WRONLY | O_CLOEXEC), EACCES) && done;
  done = fails ("mkdir", mkdir (new, 0700), EACCES) && done;
  done = fails ("mkdir in the spool", mkdir (spool_folder, 0700), EACCES) && done;
  done = fails ("mkfifo", mkfifo (new, 0600), EPERM) && done; /* by way of mknodat() */
  done = fails ("symlink", symlink ("/", new), EACCES) && done;
  done = fails ("unlink", unlink (kept), EACCES) && done;
  done = fails ("rmdir", rmdir (folder), EACCES) && done;
  done = fails ("rename", rename (kept, new), EACCES) && done;
  if (get_landlock () >= ABI_WITH_TRUNCATE)
    done = fails ("truncate", truncate (kept, 0), EACCES) && done;
  /* What the spool needs. */
  done =
    fails ("create in the spool", open (spooled, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), 0) && done;
  done = fails ("move out of the spool", rename (spooled, new), EACCES) && done;
  return fails ("unlink in the spool", unlink (spooled), 0) && done;
}

static gboolean
try_spool (SpoolFixture *fixture, const char *elsewhere)
{
  g_autoptr (GError) error = NULL;

  spool_fixture_open (fixture);
  g_autoptr (GBytes) content = spool_fixture_content (1, 500000);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (fixture, 1, content, &error);
  spool_fixture_close (fixture);
  spool_fixture_open (fixture);
  gboolean found = fixture->entries->len == 1;
  spool_fixture_close (fixture);
  return message != NULL && found;
}

static gboolean
skips (gboolean needs_landlock)
{
  if (!HAS_SANDBOX)
    g_test_skip ("a sanitizer looks into its own process");
  else if (needs_landlock && get_landlock () < 1)
    g_test_skip ("there is no Landlock");
  else
    return FALSE;
  return TRUE;
}

static void
test_calls (void)
{
  if (!skips (FALSE))
    g_assert_cmpint (run_inside (try_calls), ==, 0);
}

static void
test_files (void)
{
  if (!skips (TRUE))
    g_assert_cmpint (run_inside (try_files), ==, 0);
}

static void
test_spool (void)
{
  if (!skips (FALSE))
    g_assert_cmpint (run_inside (try_spool), ==, 0);
}

static void
test_no_directory (void)
{
  g_autoptr (GError) error = NULL;

  if (skips (TRUE))
    return;
  pid_t child = fork ();
  if (child == 0)
    _exit (reroute_sandbox_enter ("/nowhere/at/all", &error) ||
           !g_error_matches (error, REROUTE_ERROR, REROUTE_ERROR_SPOOL));
  int status;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/sandbox/calls", test_calls);
  g_test_add_func ("/sandbox/files", test_files);
  g_test_add_func ("/sandbox/spool", test_spool);
  g_test_add_func ("/sandbox/no-directory", test_no_directory);
  return g_test_run ();
}
