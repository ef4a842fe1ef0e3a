/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fuzz-tls-report-record.c - whatever DNS says of where reports about TLS go
 *
 * What comes out of it is sent to hosts and put into mail: nothing in it may end a line.
 */

#include "config.h"

#include "service/relay/smtp/tls-report-record.h"

#include <stdint.h>
#include <string.h>

#define MOST 8

int LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length);

static void
check_graphic (const char *text)
{
  for (; *text != '\0'; text++)
    g_assert_true (g_ascii_isgraph (*text));
}

static void
check (const RerouteTlsReportAddress *address)
{
  if (address->mailbox != NULL)
    {
      g_assert_null (strpbrk (address->mailbox, "\r\n"));
      g_assert_nonnull (strchr (address->mailbox, '@'));
      return;
    }
  check_graphic (address->host);
  check_graphic (address->path);
  g_assert_cmpint (address->path[0], ==, '/');
  g_assert_cmpuint (address->port, >, 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *octets, size_t length)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) addresses = NULL;

  g_ptr_array_add (records, g_strndup ((const char *) octets, length));
  addresses = reroute_tls_report_record_parse (records, MOST);
  g_assert_true (addresses == NULL || addresses->len <= MOST);
  for (guint i = 0; addresses != NULL && i < addresses->len; i++)
    check (addresses->pdata[i]);
  return 0;
}
