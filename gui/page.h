/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

#include "gui/sheet.h"

G_BEGIN_DECLS

/**
 * ReroutePropertyPage:
 *
 * One page of the property sheet.
 */
#define REROUTE_TYPE_PROPERTY_PAGE (reroute_property_page_get_type ())
G_DECLARE_INTERFACE (ReroutePropertyPage, reroute_property_page, REROUTE, PROPERTY_PAGE, GtkWidget)

struct _ReroutePropertyPageInterface
{
  GTypeInterface parent_iface;

  const char *help_topic; /* of help-window.c */

  /* Shows what @sheet holds, from now on. */
  void (*open) (ReroutePropertyPage *self, RerouteSheet *sheet);
  /* (nullable): Ctrl+F. */
  void (*focus_search) (ReroutePropertyPage *self);
  /* (nullable): Esc: %FALSE when there was nothing to clear. */
  gboolean (*clear_search) (ReroutePropertyPage *self);
  /* (nullable): Takes in what was typed and not yet left: %FALSE when it is wrong and now says so.
   */
  gboolean (*flush) (ReroutePropertyPage *self);
};

void reroute_property_page_open (ReroutePropertyPage *self, RerouteSheet *sheet);
const char *reroute_property_page_get_help_topic (ReroutePropertyPage *self);
/* By keys to another page and back: the focus is where it was. */
void reroute_property_page_leave (ReroutePropertyPage *self);
void reroute_property_page_enter (ReroutePropertyPage *self);
void reroute_property_page_focus_search (ReroutePropertyPage *self);
gboolean reroute_property_page_clear_search (ReroutePropertyPage *self);
gboolean reroute_property_page_flush (ReroutePropertyPage *self);

G_END_DECLS
