/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * note.c - a tinted box with a sentence
 */

#include "config.h"

#include "gui/note.h"

#include "gui/fit.h"
#include "gui/naming.h"

#include <glib/gi18n.h>

struct _RerouteNote
{
  GtkBox parent_instance;

  GtkImage *icon;
  GtkLabel *label;
  GtkBox *column;
  GtkWidget *path;
};

G_DEFINE_FINAL_TYPE (RerouteNote, reroute_note, GTK_TYPE_BOX)

static void
reroute_note_class_init (RerouteNoteClass *klass)
{
  gtk_widget_class_set_template_from_resource (GTK_WIDGET_CLASS (klass),
                                               "/org/reroute/gui/note.ui");
  gtk_widget_class_bind_template_child (GTK_WIDGET_CLASS (klass), RerouteNote, icon);
  gtk_widget_class_bind_template_child (GTK_WIDGET_CLASS (klass), RerouteNote, label);
  gtk_widget_class_bind_template_child (GTK_WIDGET_CLASS (klass), RerouteNote, column);
}

static void
reroute_note_init (RerouteNote *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
reroute_note_make_path (char **path)
{
  GtkWidget *flow = gtk_flow_box_new ();
  guint n = g_strv_length (path);

  gtk_flow_box_set_selection_mode (GTK_FLOW_BOX (flow), GTK_SELECTION_NONE);
  gtk_flow_box_set_max_children_per_line (GTK_FLOW_BOX (flow), 5);
  gtk_flow_box_set_row_spacing (GTK_FLOW_BOX (flow), 4);
  gtk_widget_set_halign (flow, GTK_ALIGN_START);
  gtk_widget_set_can_focus (flow, FALSE);
  gtk_flow_box_set_min_children_per_line (GTK_FLOW_BOX (flow), MIN (n, 5));
  for (guint i = 0; i < n; i++)
    {
      GtkWidget *pair = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
      GtkWidget *chip = gtk_label_new (path[i]);

      gtk_widget_add_css_class (chip, "chip");
      if (i == 0 || i == n - 1)
        gtk_widget_add_css_class (chip, "error");
      gtk_label_set_ellipsize (GTK_LABEL (chip), PANGO_ELLIPSIZE_MIDDLE);
      gtk_label_set_width_chars (GTK_LABEL (chip), MIN (g_utf8_strlen (path[i], -1), 16));
      gtk_label_set_max_width_chars (GTK_LABEL (chip), 24);
      gtk_widget_set_tooltip_text (chip, path[i]);
      gtk_box_append (GTK_BOX (pair), chip);
      if (i + 1 < n)
        {
          GtkWidget *arrow = gtk_image_new_from_icon_name ("go-next-symbolic");

          gtk_image_set_pixel_size (GTK_IMAGE (arrow), 12);
          gtk_box_append (GTK_BOX (pair), arrow);
        }
      gtk_flow_box_append (GTK_FLOW_BOX (flow), pair);
      gtk_widget_set_can_focus (gtk_widget_get_parent (pair), FALSE);
    }
  return flow;
}

void
reroute_note_show (RerouteNote *self, RerouteNoteKind kind, const char *markup, char **path)
{
  const struct
  {
    const char *css_class;
    const char *icon;
    const char *meaning;
  } looks[] = {
    [REROUTE_NOTE_PLAIN] = { NULL, NULL, NULL },
    [REROUTE_NOTE_QUIET] = { NULL, NULL, NULL },
    [REROUTE_NOTE_WARNING] = {
      "warning", "dialog-warning-symbolic", _ ("Warning") },
      [REROUTE_NOTE_ERROR] = { "error", "dialog-error-symbolic", _ ("Error") },
      };

  g_return_if_fail (REROUTE_IS_NOTE (self));

  gtk_widget_set_visible (GTK_WIDGET (self), markup != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++)
    if (looks[i].css_class != NULL)
      gtk_widget_remove_css_class (GTK_WIDGET (self), looks[i].css_class);
  if (looks[kind].css_class != NULL)
    gtk_widget_add_css_class (GTK_WIDGET (self), looks[kind].css_class);
  gtk_widget_remove_css_class (GTK_WIDGET (self->icon), "state-warning");
  gtk_widget_remove_css_class (GTK_WIDGET (self->icon), "state-error");
  if (looks[kind].icon != NULL)
    gtk_widget_add_css_class (GTK_WIDGET (self->icon),
                              kind == REROUTE_NOTE_ERROR ? "state-error" : "state-warning");

  gtk_widget_set_visible (GTK_WIDGET (self->icon), looks[kind].icon != NULL);
  gtk_image_set_from_icon_name (self->icon, looks[kind].icon);
  if (looks[kind].meaning != NULL)
    reroute_name_widget (GTK_WIDGET (self->icon), looks[kind].meaning);

  gtk_label_set_markup (self->label, markup != NULL ? markup : "");
  if (kind == REROUTE_NOTE_QUIET)
    gtk_widget_add_css_class (GTK_WIDGET (self->label), "quiet");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->label), "quiet");

  if (self->path != NULL)
    gtk_box_remove (self->column, self->path);
  self->path = NULL;
  if (path != NULL && path[0] != NULL)
    {
      self->path = reroute_note_make_path (path);
      gtk_box_append (self->column, self->path);
    }
  reroute_fit_height (GTK_WIDGET (self));
}
