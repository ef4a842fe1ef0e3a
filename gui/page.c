/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * page.c - what the window asks of each page of the property sheet
 */

#include "config.h"

#include "gui/page.h"

#define LEFT "reroute-left" /* what had the focus when the page was left: a GWeakRef */

G_DEFINE_INTERFACE (ReroutePropertyPage, reroute_property_page, GTK_TYPE_WIDGET)

static void
reroute_property_page_default_init (ReroutePropertyPageInterface *iface)
{
}

static void
weak_ref_free (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
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
reroute_property_page_leave (ReroutePropertyPage *self)
{
  GtkRoot *root = NULL;
  GtkWidget *focus = NULL;
  GtkWidget *list = NULL;
  GWeakRef *left = NULL;

  g_return_if_fail (REROUTE_IS_PROPERTY_PAGE (self));

  root = gtk_widget_get_root (GTK_WIDGET (self));
  focus = gtk_root_get_focus (root);
  if (focus == NULL || !gtk_widget_is_ancestor (focus, GTK_WIDGET (self)))
    return;
  /* A list knows the row, whatever widget it gets. */
  list = gtk_widget_get_ancestor (focus, GTK_TYPE_LIST_VIEW);
  left = g_new0 (GWeakRef, 1);
  g_weak_ref_init (left, list != NULL ? list : focus);
  g_object_set_data_full (G_OBJECT (self), LEFT, left, weak_ref_free);
  /* A notebook would carry it over to the next page, a step on from where that had it. */
  gtk_root_set_focus (root, NULL);
}

void
reroute_property_page_enter (ReroutePropertyPage *self)
{
  GWeakRef *left = NULL;
  g_autoptr (GtkWidget) focus = NULL;

  g_return_if_fail (REROUTE_IS_PROPERTY_PAGE (self));

  left = g_object_get_data (G_OBJECT (self), LEFT);
  if (left != NULL)
    focus = g_weak_ref_get (left);
  if (focus == NULL || !gtk_widget_grab_focus (focus))
    gtk_widget_child_focus (GTK_WIDGET (self), GTK_DIR_TAB_FORWARD);
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
