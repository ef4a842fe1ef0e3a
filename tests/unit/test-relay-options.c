/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-relay-options.c - the command line of reroute-relayd
 */

#include "config.h"

#include "service/relay/options.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *line;  /* behind the name of the program */
  const char *error; /* a part of the message; NULL: it is right */
} Row;

static const Row rows[] = {
  /* clang-format off */
  { "none",            "",                                                 NULL },
  { "all",             "--session --spool=/s --listen=[::1]:2525 --dns=127.0.0.1:53 --token-commands=/t --alarm-commands=/a --mx-port=2600 --mta-sts-port=8443", NULL },
  { "repeated",        "--listen=127.0.0.1:1 --listen=127.0.0.1:2",        NULL },
  { "check",           "--check --spool=/s",                               NULL },
  { "any-port",        "--listen=127.0.0.1:0",                             NULL },
  { "two-buses",       "--session --bus=unix:path=/b",                     "exclude each other" },
  { "unknown",         "--spol=/s",                                        "--spol" },
  { "argument",        "queue",                                            "“queue” is no option" },
  { "listen-host",     "--listen=localhost:25",                            "“localhost:25”" },
  { "listen-no-port",  "--listen=127.0.0.1",                               "“127.0.0.1”" },
  { "listen-port",     "--listen=127.0.0.1:65536",                         "“127.0.0.1:65536”" },
  { "listen-sign",     "--listen=127.0.0.1:+25",                           "“127.0.0.1:+25”" },
  { "listen-brackets", "--listen=::1:25",                                  "“::1:25”" },
  { "dns",             "--dns=ns.test",                                    "“ns.test”" },
  { "mx-port-zero",    "--mx-port=0",                                      "--mx-port=0" },
  { "mx-port-high",    "--mx-port=70000",                                  "--mx-port=70000" },
  { "sts-port-zero",   "--mta-sts-port=0",                                 "--mta-sts-port=0" },
  { "sts-port-high",   "--mta-sts-port=65536",                             "--mta-sts-port=65536" },
  /* clang-format on */
};

static gboolean
parse (RerouteRelayOptions *options, const char *line, GError **error)
{
  g_autofree char *whole = g_strconcat ("reroute-relayd ", line, NULL);
  g_auto (GStrv) arguments = g_strsplit (g_strchomp (whole), " ", -1);

  return reroute_relay_options_parse (options, &arguments, error);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_auto (RerouteRelayOptions) options = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (parse (&options, row->line, &error) == (row->error == NULL));
  if (row->error != NULL)
    g_assert_nonnull (strstr (error->message, row->error));
}

static void
test_values (void)
{
  g_auto (RerouteRelayOptions) options = { 0 };

  g_assert_true (
    parse (&options, "--bus=unix:path=/b --listen=127.0.0.1:1 --listen=[::1]:2", NULL));
  g_assert_cmpstr (options.bus, ==, "unix:path=/b");
  g_assert_cmpstr (options.listen[0], ==, "127.0.0.1:1");
  g_assert_cmpstr (options.listen[1], ==, "[::1]:2");
  g_assert_null (options.listen[2]);
  g_assert_null (options.dns);
  g_assert_cmpuint (options.mx_port, ==, 25);
  g_assert_cmpuint (options.mta_sts_port, ==, 443);
}

/* The queue of a developer's session is never that of the server. */
static void
test_spool (void)
{
  g_auto (RerouteRelayOptions) system = { 0 };
  g_auto (RerouteRelayOptions) session = { .session = TRUE };
  g_autofree char *of_system = reroute_relay_options_dup_spool (&system);
  g_autofree char *of_session = reroute_relay_options_dup_spool (&session);

  g_assert_cmpstr (of_system, ==, REROUTE_STATE_DIR "-relay");
  g_assert_true (g_str_has_prefix (of_session, g_get_user_state_dir ()));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/relay-options/", rows[i].name, NULL);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/relay-options/values", test_values);
  g_test_add_func ("/relay-options/spool", test_spool);
  return g_test_run ();
}
