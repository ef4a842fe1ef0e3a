/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-prober.c - which replies to RCPT say that there is no such recipient
 */

#include "config.h"

#include "service/relay/deliver/prober.h"

/* clang-format off */
static const struct
{
  guint code;
  const char *status;
  gboolean unknown;
} rows[] = {
  /* RFC 3463 3.2: addresses */
  { 550, "5.1.1",  TRUE },
  { 550, "5.1.10", TRUE },
  { 553, "5.1.3",  TRUE },
  { 550, "5.2.1",  TRUE },
  /* the same section: the address of the sender, who is the null one */
  { 550, "5.1.7",  FALSE },
  { 553, "5.1.7",  FALSE },
  { 550, "5.1.8",  FALSE },
  /* without a status of its own, RFC 5321 4.2.3 */
  { 550, "",       TRUE },
  { 551, "",       TRUE },
  { 553, "",       TRUE },
  { 552, "",       FALSE },
  { 554, "",       FALSE },
  { 501, "",       FALSE },
  /* the mailbox is there, or the host does not like us */
  { 552, "5.2.2",  FALSE },
  { 550, "5.2.10", FALSE },
  { 550, "5.7.1",  FALSE },
  { 554, "5.7.1",  FALSE },
  { 550, "5.4.1",  FALSE },
  { 503, "5.5.1",  FALSE },
  /* not now */
  { 450, "4.1.1",  FALSE },
  { 450, "5.1.1",  FALSE },
  { 421, "",       FALSE },
  { 250, "2.1.5",  FALSE },
};
/* clang-format on */

static void
test_replies (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (RerouteReply) reply = reroute_reply_new (rows[i].code, rows[i].status, "text");

      g_test_message ("%u %s", rows[i].code, rows[i].status);
      g_assert_true (reroute_prober_is_unknown (reply) == rows[i].unknown);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  g_test_add_func ("/prober/replies", test_replies);
  return g_test_run ();
}
