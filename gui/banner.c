/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * banner.c - what is wrong with the whole, above the pages
 */

#include "config.h"

#include "gui/banner.h"

#include "gui/naming.h"

struct _RerouteBanner
{
  GtkBox parent_instance;

  GtkRevealer *revealer;
  GtkLabel *heading;
  GtkLabel *text;
  GtkButton *button;
  GtkButton *second_button;
};

G_DEFINE_FINAL_TYPE (RerouteBanner, reroute_banner, GTK_TYPE_BOX)

static void
reroute_banner_class_init (RerouteBannerClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/banner.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteBanner, revealer);
  gtk_widget_class_bind_template_child (widget_class, RerouteBanner, heading);
  gtk_widget_class_bind_template_child (widget_class, RerouteBanner, text);
  gtk_widget_class_bind_template_child (widget_class, RerouteBanner, button);
  gtk_widget_class_bind_template_child (widget_class, RerouteBanner, second_button);
}

static void
reroute_banner_init (RerouteBanner *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
show_button (GtkButton *button, const RerouteBannerButton *shown)
{
  gtk_widget_set_visible (GTK_WIDGET (button), shown->label != NULL);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), shown->action);
  if (shown->label != NULL)
    gtk_button_set_label (button, shown->label);
  reroute_name_tree (GTK_WIDGET (button));
}

void
reroute_banner_show (RerouteBanner *self, const RerouteBannerText *text)
{
  g_autofree char *markup = NULL;

  g_return_if_fail (REROUTE_IS_BANNER (self));

  gtk_revealer_set_reveal_child (self->revealer, text->heading != NULL);
  if (text->heading == NULL)
    return;

  if (text->command != NULL)
    markup = g_markup_printf_escaped ("%s <tt>%s</tt>", text->text, text->command);
  else if (text->text != NULL)
    markup = g_markup_escape_text (text->text, -1);
  gtk_label_set_label (self->heading, text->heading);
  gtk_label_set_markup (self->text, markup != NULL ? markup : "");
  gtk_widget_set_visible (GTK_WIDGET (self->text), markup != NULL);
  show_button (self->button, &text->buttons[0]);
  show_button (self->second_button, &text->buttons[1]);
}
