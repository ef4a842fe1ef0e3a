/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * server-etrn.c - ETRN: a host asks for the mail that waits for it
 *
 * Who may ask, and for what, is the owner's to know.  Whom it does not offer ETRN is answered as if
 * there were none.
 *
 * Standards: RFC 1985.
 */

#include "config.h"

#include "service/relay/smtp/server-private.h"

#include "common/domain.h"

gboolean
reroute_smtp_server_offers_etrn (const RerouteSmtpServer *self)
{
  return self->handler.offers_etrn != NULL &&
         self->handler.offers_etrn ((RerouteSmtpServer *) self, self->user_data);
}

void
reroute_smtp_server_run_etrn (RerouteSmtpServer *self, char *argument)
{
  gboolean subdomains = *argument == '@';
  g_autofree char *domain = reroute_domain_normalize (argument + subdomains, NULL);
  const RerouteEtrn wanted = { domain, subdomains };

  if (!reroute_smtp_server_offers_etrn (self))
    reroute_smtp_server_put_bad (self, 502, "5.5.1", "This host does not do that");
  else if (*argument == '#')
    reroute_smtp_server_put (self, 459, "4.7.1", "Node not allowed: no queue has a name here");
  else if (domain == NULL)
    reroute_smtp_server_put_bad (
      self, 501, "5.5.4", "Wanted: a domain, with @ in front for its subdomains too");
  else
    reroute_smtp_server_ask_etrn (self, &wanted);
}
