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
#include <linux/landlock.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum
{
  CHILD_OK,
  CHILD_NOT_ENTERED,
  CHILD_WROTE_ELSEWHERE,
  CHILD_RAN_A_PROGRAM,
  CHILD_TRACED,
  CHILD_CANNOT_WRITE,
};

/* AddressSanitizer looks into its own process, so there is no sandbox in its build. */
#ifdef __SANITIZE_ADDRESS__
#define HAS_SANDBOX FALSE
#else
#define HAS_SANDBOX TRUE
#endif

static gboolean
has_landlock (void)
{
  return syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static int
try_everything (SpoolFixture *fixture, const char *elsewhere)
{
  char name[] = "true";
  char *const arguments[] = { name, NULL };
  g_autoptr (GError) error = NULL;

  if (!reroute_sandbox_enter (fixture->directory, &error))
    return CHILD_NOT_ENTERED;
  int fd = open (elsewhere, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (has_landlock () && (fd >= 0 || errno != EACCES))
    return CHILD_WROTE_ELSEWHERE;
  execv ("/bin/true", arguments);
  if (errno != EPERM)
    return CHILD_RAN_A_PROGRAM;
  if (ptrace (PTRACE_TRACEME, 0, NULL, NULL) != -1 || errno != EPERM)
    return CHILD_TRACED;
  spool_fixture_open (fixture);
  g_autoptr (GBytes) content = spool_fixture_content (1, 500000);
  g_autoptr (RerouteMessage) message = spool_fixture_commit (fixture, 1, content, &error);
  spool_fixture_close (fixture);
  return message != NULL ? CHILD_OK : CHILD_CANNOT_WRITE;
}

static void
test_refused (void)
{
  SpoolFixture fixture;
  int status;

  if (!HAS_SANDBOX)
    {
      g_test_skip ("a sanitizer looks into its own process");
      return;
    }
  spool_fixture_init (&fixture, 256 * 1024);
  g_autofree char *elsewhere = g_strconcat (fixture.directory, "-elsewhere", NULL);
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    _exit (try_everything (&fixture, elsewhere));
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, CHILD_OK);
  spool_fixture_open (&fixture);
  g_assert_cmpuint (fixture.entries->len, ==, 1);
  spool_fixture_clear (&fixture);
}

static void
test_no_directory (void)
{
  g_autoptr (GError) error = NULL;

  if (!HAS_SANDBOX || !has_landlock ())
    {
      g_test_skip ("there is no Landlock");
      return;
    }
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
  g_test_add_func ("/sandbox/refused", test_refused);
  g_test_add_func ("/sandbox/no-directory", test_no_directory);
  return g_test_run ();
}
