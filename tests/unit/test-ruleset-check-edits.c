/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test-ruleset-check-edits.c - what is found when rules are made from others: what differs, and
 * what that concerns
 */

#include "config.h"

#include "tests/unit/check-cases.h"
#include "tests/unit/sample-rules.h"

static const CheckCase cases[] = {
  { "list-emptied",
    "issue 4",
    "connections,a.test,,host,gw.test,,,,list\nrecipients,u@a.test\nrecipients,v@a.test",
    "recipients,u@a.test,exact,-\nrecipients,v@a.test,exact,-",
    "",
    "warning list-empty c1" },
  { "list-filled",
    "issue 4",
    "connections,a.test,,host,gw.test,,,,list",
    "recipients,u@a.test",
    "",
    "" },
  { "loop-by-edit",
    "design 3",
    "routing,a.test,,reroute,b.test",
    "routing,b.test,,reroute,a.test",
    "",
    "error loop r1 r1001" },
  { "loop-by-removal",
    "design 3",
    "routing,a.test,,reroute,x.b.test\nrouting,b.test,,reroute,a.test\nrouting,x.b.test,,relay",
    "routing,x.b.test,,-",
    "",
    "error loop r1 r2" },
  { "loop-by-switching-off",
    "design 3",
    "routing,a.test,,reroute,x.b.test\nrouting,b.test,,reroute,a.test\nrouting,x.b.test,exact,"
    "relay",
    "routing,x.b.test,exact,relay,,,no",
    "",
    "error loop r1 r2; note never-acts-disabled r3 r2" },
  { "loop-elsewhere",
    "only what differs",
    "routing,a.test,,reroute,a.test",
    "routing,b.test,,relay\nconnections,b.test,,dns",
    "",
    "" },
  { "inbound-host-unset",
    "design 3",
    "routing,a.test,,inbound",
    "",
    "inbound-host=",
    "error inbound-host-missing r1" },
  { "both-pages-by-edit",
    "Q190710",
    "connections,a.test,,host,gw.test",
    "routing,a.test,,reroute,b.test",
    "",
    "warning never-acts-rerouted c1 r1001" },
  { "relay-default-by-removal",
    "design 3",
    "routing,a.test,,relay\nconnections,a.test,,dns",
    "connections,a.test,,-",
    "",
    "note always-relay-default r1" },
  { "own-port-by-listen",
    "design 5",
    "connections,a.test,,host,127.0.0.1:2526",
    "",
    "listen=127.0.0.1:2526",
    "error own-port c1" },
  { "confirmed-once",
    "design 3",
    "connections,co.uk,,host,gw.test",
    "connections,co.uk,,host,other.test",
    "",
    "" },
  { "opened",
    "design 3",
    "connections,co.uk,,host,gw.test,permitted",
    "connections,co.uk,,host,gw.test,anyone",
    "",
    "confirm anyone-public-suffix c1" },
  { "switched-on",
    "design 3",
    "connections,co.uk,,host,gw.test,,no",
    "connections,co.uk,,host,gw.test",
    "",
    "confirm anyone-public-suffix c1" },
  { "own-port-by-listen-of-a-target",
    "design 5",
    "routing,a.test,,reroute,[127.0.0.2]",
    "",
    "listen=0.0.0.0:25",
    "error own-port r1" },
  { "own-port-by-address-of-a-target",
    "design 5",
    "routing,a.test,,reroute,[192.0.2.9]\nrouting,b.test,,reroute,[192.0.2.9],,no\n"
    "routing,c.test,,reroute,[192.0.2.1]\nrouting,d.test,,relay",
    "",
    "own-addresses=192.0.2.9",
    "error own-port r1" },
  { "own-port-of-a-target-said-once",
    "design 5",
    "routing,a.test,,reroute,[192.0.2.9]",
    "routing,a.test,,reroute,[192.0.2.9],permitted",
    "own-addresses=192.0.2.9",
    "error own-port r1" },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  check_cases_add ("/ruleset-check-edits", cases, G_N_ELEMENTS (cases));
  return g_test_run ();
}
