/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-csv.c - rows as comma-separated text, both ways; an error for each bad line
 */

#include "config.h"

#include "common/csv.h"

#include <string.h>

#define HEADER                                                                                     \
  "page,domain,match,action,target,accept_from,enabled,comment,order,tls,leaves,recipient_check,"  \
  "account,queue_for_etrn,certificate\n"

typedef struct
{
  const char *name;
  const char *source;
  const char *text;
  const char *out; /* what is written of it, without the header; NULL: refused */
  guint line;      /* of the first error */
  const char *message;
} Row;

static const Row rows[] = {
  { "design-routing",
    "design 8",
    "page,domain,match,action,target,accept_from,enabled,comment\nrouting,test.com,exact,reroute,"
    "example.com,anyone,yes,renamed 2026\n",
    "routing,test.com,exact,reroute,example.com,anyone,yes,renamed 2026,,,,,,,\n",
    0,
    NULL },
  { "design-connections",
    "design 8",
    "page,domain,match,action,target,accept_from,enabled,comment\nconnections,fwd.test,subdomains,"
    "host,mx1.example.net:25;mx2.example.net,anyone,yes,\n",
    "connections,fwd.test,subdomains,host,mx1.example.net;mx2.example.net,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "defaults",
    "design 8",
    "domain,target\na.test,b.test\n",
    "routing,a.test,subdomains,reroute,b.test,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "other-order-of-columns",
    "design 8",
    "target,page,domain\n,connections,a.test\ngw.test,connections,b.test\n",
    "connections,a.test,subdomains,dns,,anyone,yes,,,,,,,,\nconnections,b.test,subdomains,host,gw."
    "test,"
    "anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "by-turns",
    "design 3",
    "page,domain,target,order\nconnections,a.test,b.test;c.test,by-turns\n",
    "connections,a.test,subdomains,host,b.test;c.test,anyone,yes,,by-turns,,,,,,\n",
    0,
    NULL },
  { "hash",
    "design 3",
    "domain,action\n#a.test,inbound\n",
    "routing,a.test,exact,inbound,,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "quoted",
    "RFC 4180 2.6",
    "domain,action,comment\n\"a.test\",relay,\"one, \"\"two\"\"\"\n",
    "routing,a.test,subdomains,relay,,anyone,yes,\"one, \"\"two\"\"\",,,,,,,\n",
    0,
    NULL },
  { "crlf-and-bom",
    "RFC 4180 2.1",
    "\xef\xbb\xbf"
    "domain,action\r\na.test,\"relay\"\r\n\r\nb.test,relay",
    "routing,a.test,subdomains,relay,,anyone,yes,,,,,,,,\n"
    "routing,b.test,subdomains,relay,,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "upper-header",
    "design 8",
    "Domain,ACTION\na.test,relay\n",
    "routing,a.test,subdomains,relay,,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "tls",
    "issue 4",
    "page,domain,target,tls\nconnections,a.test,b.test,verified\nconnections,c.test,,\n",
    "connections,a.test,subdomains,host,b.test,anyone,yes,,,verified,,,,,\n"
    "connections,c.test,subdomains,dns,,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "leaves",
    "design 3",
    "page,domain,target,leaves\nrouting,a.test,b.test,yes\nconnections,c.test,,no\n",
    "routing,a.test,subdomains,reroute,b.test,anyone,yes,,,,yes,,,,\n"
    "connections,c.test,subdomains,dns,,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "recipient-check",
    "issue 4",
    "page,domain,target,recipient_check\nrouting,a.test,b.test,call-ahead\nconnections,c.test,,"
    "none\n",
    "routing,a.test,subdomains,reroute,b.test,anyone,yes,,,,,call-ahead,,,\n"
    "connections,c.test,subdomains,dns,,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "recipient-check-unknown",
    "issue 4",
    "domain,action,recipient_check\na.test,relay,yes\n",
    NULL,
    2,
    "recipient-check “yes” is unknown" },
  { "account",
    "design 3",
    "page,domain,target,account\nconnections,a.test,b.test,smart\nconnections,c.test,,\n",
    "connections,a.test,subdomains,host,b.test,anyone,yes,,,,,,smart,,\n"
    "connections,c.test,subdomains,dns,,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "account-by-dns",
    "issue 4",
    "page,domain,account\nconnections,a.test,smart\n",
    NULL,
    2,
    "account “smart” is of no use: mail is delivered by DNS" },
  { "account-of-routing",
    "issue 4",
    "domain,action,account\na.test,relay,smart\n",
    NULL,
    2,
    "account is a matter of the page “connections”" },
  { "account-malformed",
    "issue 4",
    "page,domain,target,account\nconnections,a.test,b.test,a b\n",
    NULL,
    2,
    "the name of an account is malformed" },
  { "queue-for-etrn",
    "RFC 1985",
    "page,domain,target,queue_for_etrn\nconnections,a.test,b.test,yes\nconnections,c.test,,no\n",
    "connections,a.test,subdomains,host,b.test,anyone,yes,,,,,,,yes,\n"
    "connections,c.test,subdomains,dns,,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "queue-for-etrn-unknown",
    "RFC 1985",
    "page,domain,queue_for_etrn\nconnections,a.test,later\n",
    NULL,
    2,
    "queue_for_etrn “later” is unknown" },
  { "queue-for-etrn-of-routing",
    "RFC 1985",
    "domain,action,queue_for_etrn\na.test,relay,yes\n",
    NULL,
    2,
    "queue-for-etrn is a matter of the page “connections”" },
  { "certificate",
    "issue 4",
    "page,domain,target,certificate\nconnections,a.test,b.test,/etc/we.pem\nconnections,c.test,,"
    "/etc/we.pem\nconnections,d.test,,\n",
    "connections,a.test,subdomains,host,b.test,anyone,yes,,,,,,,,/etc/we.pem\n"
    "connections,c.test,subdomains,dns,,anyone,yes,,,,,,,,/etc/we.pem\n"
    "connections,d.test,subdomains,dns,,anyone,yes,,,,,,,,\n",
    0,
    NULL },
  { "certificate-relative",
    "issue 4",
    "page,domain,certificate\nconnections,a.test,we.pem\n",
    NULL,
    2,
    "certificate: “we.pem” is no full file name: write it from the first “/” on" },
  { "certificate-two-lines",
    "issue 4",
    "page,domain,certificate\nconnections,a.test,\"/we\n.pem\"\n",
    NULL,
    2,
    "has a control character" },
  { "certificate-without-tls",
    "issue 4",
    "page,domain,tls,certificate\nconnections,a.test,none,/we.pem\n",
    NULL,
    2,
    "certificate “/we.pem” is of no use: the entry never uses TLS" },
  { "certificate-of-routing",
    "issue 4",
    "domain,action,certificate\na.test,relay,/we.pem\n",
    NULL,
    2,
    "certificate is a matter of the page “connections”" },
  { "leaves-unknown",
    "design 3",
    "domain,action,leaves\na.test,relay,perhaps\n",
    NULL,
    2,
    "leaves “perhaps” is unknown" },
  { "tls-unknown",
    "issue 4",
    "page,domain,tls\nconnections,a.test,may\n",
    NULL,
    2,
    "tls “may” is unknown" },
  { "tls-of-routing",
    "issue 4",
    "domain,action,tls\na.test,relay,none\n",
    NULL,
    2,
    "tls is a matter of the page “connections”" },
  { "mx-port",
    "RFC 5321 5.1",
    "page,domain,target\nconnections,a.test,mx:b.test:26\n",
    NULL,
    2,
    "“mx:b.test:26” has a port. An MX is always reached at port 25: leave the port out." },
  { "only-header", "export of nothing", HEADER, "", 0, NULL },
  { "empty", "design 8", "", NULL, 1, "the text is empty" },
  { "no-domain-column", "design 8", "page,action\n", NULL, 1, "no column “domain”" },
  { "unknown-column",
    "design 8",
    "domain,colour\na.test,red\n",
    NULL,
    1,
    "column “colour” is unknown" },
  { "column-twice", "design 8", "domain,domain\n", NULL, 1, "column “domain” stands there twice" },
  { "semicolons", "spreadsheets", "page;domain;match\n", NULL, 1, "write “,”" },
  { "bad-domain",
    "design 8",
    "domain,action\na.test,relay\n\na..b,relay\n",
    NULL,
    4,
    "“a..b” has an empty part between two dots. Write “a.b”." },
  { "bad-action", "design 8", "domain,action\na.test,drop\n", NULL, 2, "action “drop” is unknown" },
  { "bad-connection-action",
    "design 8",
    "page,domain,action\nconnections,a.test,relay\n",
    NULL,
    2,
    "“dns” and “host” are possible" },
  { "bad-match",
    "design 8",
    "domain,action,match\na.test,relay,all\n",
    NULL,
    2,
    "match “all” is unknown: “subdomains” and “exact”" },
  { "bad-enabled",
    "design 8",
    "domain,action,enabled\na.test,relay,maybe\n",
    NULL,
    2,
    "“no” and “yes” are possible" },
  { "bad-page", "design 8", "page,domain\ngeneral,a.test\n", NULL, 2, "page “general” is unknown" },
  { "bad-order",
    "design 3",
    "domain,action,order\na.test,relay,by-turns\n",
    NULL,
    2,
    "is of no use" },
  { "host-missing",
    "design 8",
    "page,domain,action\nconnections,a.test,host\n",
    NULL,
    2,
    "host is empty" },
  { "dns-with-target",
    "design 8",
    "page,domain,action,target\nconnections,a.test,dns,b.test\n",
    NULL,
    2,
    "is of no use" },
  { "few-fields", "RFC 4180 2.4", "domain,action\na.test\n", NULL, 2, "1 fields, the header 2" },
  { "open-quote", "RFC 4180 2.5", "domain,action\na.test,\"relay\n", NULL, 2, "never closed" },
  { "quote-inside",
    "RFC 4180 2.5",
    "domain,comment,action\na.test,b \"c\",relay\n",
    NULL,
    2,
    "stands inside a field" },
  { "line-break-counted",
    "RFC 4180 2.6",
    "domain,comment,action\na.test,\"x\ny\",relay\nb..c,,relay\n",
    NULL,
    2,
    "line break" },
  { "twice",
    "design 8",
    "domain,action\na.test,relay\nb.test,relay\nA.Test.,inbound\n",
    NULL,
    4,
    "domain “a.test” stands in line 2 already" },
  { "not-utf8", "design 8", "domain,action\na.test,relay\nb\xff,relay\n", NULL, 3, "is not UTF-8" },
};

static GPtrArray *
parse (const char *text, GPtrArray **errors)
{
  return reroute_csv_parse (text, strlen (text), NULL, errors);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GPtrArray) errors = NULL;
  g_autoptr (GPtrArray) parsed = parse (row->text, &errors);

  if (row->out == NULL)
    {
      g_assert_null (parsed);
      const RerouteCsvError *error = errors->pdata[0];
      g_test_message ("%u: %s", error->line, error->message);
      g_assert_cmpuint (error->line, ==, row->line);
      g_assert_nonnull (strstr (error->message, row->message));
      return;
    }
  g_assert_null (errors);
  g_autoptr (GString) out = g_string_new (NULL);
  for (guint i = 0; i < parsed->len; i++)
    reroute_csv_append_row (out, parsed->pdata[i]);
  g_assert_cmpstr (out->str, ==, row->out);
}

/* Design 8: export, then import, gives the same rows. */
static void
test_round_trip (void)
{
  static const char text[] =
    HEADER "routing,a.test,exact,reroute,Example.COM,permitted,no,\" a \"\"b\"\", c\",,,,,,,\n"
           "routing,[192.0.2.1],subdomains,inbound,,anyone,yes,,,,,,,,\n"
           "connections,xn--bcher-kva.test,subdomains,host,mx:a.test;[::1]:26,anyone,yes,ü,by-"
           "turns,,,,,,\n";
  g_autoptr (GPtrArray) errors = NULL;
  g_autoptr (GPtrArray) first = parse (text, &errors);
  g_autoptr (GString) out = g_string_new (NULL);

  g_assert_null (errors);
  reroute_csv_append_header (out);
  for (guint i = 0; i < first->len; i++)
    reroute_csv_append_row (out, first->pdata[i]);
  g_assert_cmpstr (out->str, ==, text);
  g_autoptr (GPtrArray) second = parse (out->str, &errors);
  g_assert_cmpuint (second->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_true (reroute_row_equal (first->pdata[i], second->pdata[i]));
}

/* Design 8: an error per bad line, and nothing is taken. */
static void
test_every_error (void)
{
  g_autoptr (GPtrArray) errors = NULL;
  g_autoptr (GPtrArray) parsed =
               parse ("domain,action\na..b,relay\nb.test,relay\nc.test,drop\nd.test\n", &errors);
  static const guint lines[] = { 2, 4, 5 };

  g_assert_null (parsed);
  g_assert_cmpuint (errors->len, ==, G_N_ELEMENTS (lines));
  for (guint i = 0; i < errors->len; i++)
    g_assert_cmpuint (((RerouteCsvError *) errors->pdata[i])->line, ==, lines[i]);
}

/* Design 3: who wrote "anyone" has said it; an empty field, or none, says nothing. */
static void
test_said (void)
{
  static const char text[] = "Domain,Action,ACCEPT_FROM\n"
                             "a.test,relay,anyone\nb.test,relay,\nc.test,relay, permitted\n"
                             "d.test,relay, \n";
  static const gboolean says[] = { TRUE, FALSE, TRUE, FALSE };
  g_autoptr (GHashTable) said = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) errors = NULL;
  g_autoptr (GPtrArray) parsed = reroute_csv_parse (text, strlen (text), said, &errors);

  g_assert_null (errors);
  g_assert_cmpuint (parsed->len, ==, G_N_ELEMENTS (says));
  for (guint i = 0; i < parsed->len; i++)
    g_assert_cmpint (g_hash_table_contains (said, parsed->pdata[i]), ==, says[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/csv/%s", rows[i].name);
      g_test_add_data_func (path, &rows[i], test_row);
    }
  g_test_add_func ("/csv/round-trip", test_round_trip);
  g_test_add_func ("/csv/every-error", test_every_error);
  g_test_add_func ("/csv/said", test_said);
  return g_test_run ();
}
