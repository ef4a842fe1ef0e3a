/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * page.c - what the window asks of each page of the property sheet
 */

#include "config.h"

#include "gui/page.h"

G_DEFINE_INTERFACE (ReroutePropertyPage, reroute_property_page, GTK_TYPE_WIDGET)

static void
reroute_property_page_default_init (ReroutePropertyPageInterface *iface)
{
}

void
reroute_property_page_open (ReroutePropertyPage *self, RerouteSheet *sheet)
{
  g_return_if_fail (REROUTE_IS_PROPERTY_PAGE (self));

  REROUTE_PROPERTY_PAGE_GET_IFACE (self)->open (self, sheet);
}

const char *
reroute_property_page_get_help_topic (ReroutePropertyPage *self)
{
  g_return_val_if_fail (REROUTE_IS_PROPERTY_PAGE (self), NULL);

  return REROUTE_PROPERTY_PAGE_GET_IFACE (self)->help_topic;
}

void
reroute_property_page_focus_search (ReroutePropertyPage *self)
{
  g_return_if_fail (REROUTE_IS_PROPERTY_PAGE (self));

  if (REROUTE_PROPERTY_PAGE_GET_IFACE (self)->focus_search != NULL)
    REROUTE_PROPERTY_PAGE_GET_IFACE (self)->focus_search (self);
}

gboolean
reroute_property_page_clear_search (ReroutePropertyPage *self)
{
  g_return_val_if_fail (REROUTE_IS_PROPERTY_PAGE (self), FALSE);

  return REROUTE_PROPERTY_PAGE_GET_IFACE (self)->clear_search != NULL &&
         REROUTE_PROPERTY_PAGE_GET_IFACE (self)->clear_search (self);
}

gboolean
reroute_property_page_flush (ReroutePropertyPage *self)
{
  g_return_val_if_fail (REROUTE_IS_PROPERTY_PAGE (self), FALSE);

  return REROUTE_PROPERTY_PAGE_GET_IFACE (self)->flush == NULL ||
         REROUTE_PROPERTY_PAGE_GET_IFACE (self)->flush (self);
}
