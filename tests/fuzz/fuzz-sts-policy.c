/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-sts-policy.c - whatever a host says is its policy, and DNS its record
 *
 * What is read is written and read again without a difference, as the relay does with what it
 * keeps.
 */

#include "config.h"

#include "service/relay/smtp/sts-policy.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

static void
read_record (const char *octets, gsize length)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *id = NULL;

  g_ptr_array_add (records, g_strndup (octets, length));
  id = reroute_sts_record_parse (records);
  g_assert_true (id == NULL || reroute_sts_is_id (id));
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  const char *text = (const char *) octets;
  g_autoptr (RerouteStsPolicy) policy = reroute_sts_policy_parse (text, length, NULL);
  g_autoptr (RerouteStsPolicy) again = NULL;
  g_autofree char *written = NULL;
  g_autofree char *rewritten = NULL;

  read_record (text, length);
  if (policy == NULL)
    return 0;
  written = reroute_sts_policy_to_text (policy);
  again = reroute_sts_policy_parse (written, strlen (written), NULL);
  g_assert_nonnull (again);
  rewritten = reroute_sts_policy_to_text (again);
  g_assert_cmpstr (rewritten, ==, written);
  for (gsize i = 0; policy->mx[i] != NULL; i++)
    {
      g_autofree char *host = policy->mx[i][0] == '*' ? g_strconcat ("mx", policy->mx[i] + 1, NULL)
                                                      : g_strdup (policy->mx[i]);

      g_assert_true (reroute_sts_policy_covers (again, host));
    }
  return 0;
}
