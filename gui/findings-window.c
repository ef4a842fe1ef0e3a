/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * findings-window.c - errors and warnings, each with its sentence, its page and its path
 */

#include "config.h"

#include "gui/findings-window.h"

#include "gui/naming.h"
#include "gui/note.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>

struct _RerouteFindingsWindow
{
  GtkWindow parent_instance;

  GtkLabel *summary;
  GtkBox *list;
  GtkWidget *close_button;
};

G_DEFINE_FINAL_TYPE (RerouteFindingsWindow, reroute_findings_window, GTK_TYPE_WINDOW)

static const char *
get_page_name (RerouteFinding *finding)
{
  gboolean on[REROUTE_N_PAGES] = { FALSE };

  for (guint i = 0; finding->rows != NULL && i < finding->rows->len; i++)
    on[g_array_index (finding->rows, RerouteRowRef, i).page] = TRUE;
  if (on[REROUTE_PAGE_ROUTING] && on[REROUTE_PAGE_CONNECTIONS])
    return _ ("Routing and Connections pages");
  if (on[REROUTE_PAGE_ROUTING])
    return _ ("Routing page");
  return on[REROUTE_PAGE_CONNECTIONS] ? _ ("Connections page") : "";
}

static GtkWidget *
make_label (const char *markup)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_markup (GTK_LABEL (label), markup);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_width_chars (GTK_LABEL (label), 20);
  gtk_widget_set_hexpand (label, TRUE);
  return label;
}

static void
append_finding (RerouteFindingsWindow *self, RerouteFinding *finding)
{
  gboolean error = finding->level == REROUTE_FINDING_ERROR;
  g_autofree char *markup = reroute_finding_dup_markup (finding);
  GtkWidget *line = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 10);
  GtkWidget *icon =
    gtk_image_new_from_icon_name (error ? "dialog-error-symbolic" : "dialog-warning-symbolic");
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *page = gtk_label_new (get_page_name (finding));

  gtk_widget_add_css_class (icon, error ? "state-error" : "state-warning");
  gtk_widget_set_valign (icon, GTK_ALIGN_START);
  reroute_name_widget (icon, error ? _ ("Error") : _ ("Warning"));
  gtk_widget_add_css_class (page, "quiet");
  gtk_widget_add_css_class (page, "small");
  gtk_widget_set_halign (page, GTK_ALIGN_START);
  gtk_box_append (GTK_BOX (column), make_label (markup));
  if (finding->path != NULL && finding->path[0] != NULL)
    gtk_box_append (GTK_BOX (column), reroute_note_make_path (finding->path));
  gtk_box_append (GTK_BOX (column), page);
  gtk_box_append (GTK_BOX (line), icon);
  gtk_box_append (GTK_BOX (line), column);
  gtk_widget_add_css_class (line, "finding");
  gtk_box_append (self->list, line);
}

static void
reroute_findings_window_class_init (RerouteFindingsWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/findings-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteFindingsWindow, summary);
  gtk_widget_class_bind_template_child (widget_class, RerouteFindingsWindow, list);
  gtk_widget_class_bind_template_child (widget_class, RerouteFindingsWindow, close_button);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
reroute_findings_window_init (RerouteFindingsWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
}

void
reroute_findings_window_show (GtkWindow *parent, RerouteSheet *sheet)
{
  RerouteFindingsWindow *self =
    g_object_new (REROUTE_TYPE_FINDINGS_WINDOW, "transient-for", parent, NULL);
  GPtrArray *findings = reroute_sheet_get_findings (sheet);
  gboolean stops = reroute_sheet_count_findings (sheet, REROUTE_FINDING_ERROR) > 0;

  gtk_label_set_label (self->summary,
                       stops
                       ? _ ("Errors prevent saving, warnings do not.")
                       : _ ("Nothing of this prevents saving."));
  for (guint i = 0; i < findings->len; i++)
    if (((RerouteFinding *) findings->pdata[i])->level != REROUTE_FINDING_NOTE)
      append_finding (self, findings->pdata[i]);
  gtk_widget_grab_focus (self->close_button);
  gtk_window_present (GTK_WINDOW (self));
}
