/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * host-grid.c - the hosts of an E-Mail Domain entry
 *
 * A form such as "mx1.example.com:2525", or several with commas, may be pasted into a host field:
 * it is spread over the fields when the field is left.
 */

#include "config.h"

#include "gui/host-grid.h"

#include "common/domain.h"
#include "common/limits.h"
#include "gui/field-error.h"
#include "gui/naming.h"
#include "gui/row-text.h"

#include <glib/gi18n.h>

#define VISIBLE_ROWS 4 /* more of them scroll */

typedef struct
{
  RerouteHostGrid *grid; /* borrowed */
  GtkWidget *host;
  GtkWidget *port;
  GtkWidget *find_by; /* 0: this very host; 1: look up its MX */
  GtkWidget *up;
  GtkWidget *remove;
  GtkWidget *host_error;
  GtkWidget *port_error;
} HostRow;

struct _RerouteHostGrid
{
  GtkBox parent_instance;

  GtkGrid *grid;
  GtkScrolledWindow *scroller;
  GtkWidget *add_button;
  GtkDropDown *order;

  GPtrArray *rows; /* (element-type HostRow): at least one */
  gboolean filling;
};

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (RerouteHostGrid, reroute_host_grid, GTK_TYPE_BOX)

static const char *
get_text (GtkWidget *entry)
{
  return gtk_editable_get_text (GTK_EDITABLE (entry));
}

static gboolean
is_blank (HostRow *row)
{
  return get_text (row->host)[strspn (get_text (row->host), " ")] == '\0';
}

static gboolean
is_by_mx (HostRow *row)
{
  return gtk_drop_down_get_selected (GTK_DROP_DOWN (row->find_by)) == 1;
}

static gboolean
is_bare_ipv6 (const char *name)
{
  gboolean may_be = name[0] != '[' && strchr (name, ':') != NULL;
  g_autofree char *domain = may_be ? reroute_domain_normalize (name, NULL) : NULL;

  return domain != NULL && reroute_domain_is_literal (domain);
}

/* "[2001:db8::1]:2525", "mx:example.net": what reroute_hosts_parse() reads. */
static char *
dup_host_text (HostRow *row)
{
  g_autofree char *name = g_strstrip (g_strdup (get_text (row->host)));
  g_autofree char *port = g_strstrip (g_strdup (get_text (row->port)));
  gboolean bare_ipv6 = is_bare_ipv6 (name);
  gboolean has_port =
    port[0] != '\0' && !g_str_equal (port, G_STRINGIFY (REROUTE_DEFAULT_SMTP_PORT));

  return g_strconcat (is_by_mx (row) ? "mx:" : "",
                      bare_ipv6 ? "[" : "",
                      name,
                      bare_ipv6 ? "]" : "",
                      has_port ? ":" : "",
                      has_port ? port : "",
                      NULL);
}

static void
emit_changed (RerouteHostGrid *self)
{
  if (!self->filling)
    g_signal_emit (self, signals[CHANGED], 0);
}

static char *
judge_host (GtkEditable *field, gpointer user_data)
{
  HostRow *row = user_data;
  g_autofree char *text = NULL;
  g_autoptr (RerouteHosts) hosts = NULL;
  guint16 port = 0;

  /* The port has a line of its own. */
  if (is_blank (row) || !reroute_port_parse (get_text (row->port), &port, NULL))
    return NULL;
  text = dup_host_text (row);
  if (!reroute_hosts_check_typed (text, NULL))
    return reroute_dup_host_error (text);
  hosts = reroute_hosts_parse (text, FALSE, NULL);
  return hosts != NULL ? NULL : reroute_dup_host_error (gtk_editable_get_text (field));
}

static char *
judge_port (GtkEditable *field, gpointer user_data)
{
  guint16 port = 0;

  return reroute_port_parse (gtk_editable_get_text (field), &port, NULL)
           ? NULL
           : reroute_dup_port_error ();
}

/* --- rows --- */

static void
name_row (HostRow *row)
{
  const char *host = is_blank (row) ? _ ("the empty row") : get_text (row->host);
  /* Translators: %s is a host. */
  g_autofree char *up = g_strdup_printf (_ ("Try %s earlier"), host);
  g_autofree char *remove = g_strdup_printf (_ ("Remove %s"), host);

  gtk_widget_set_tooltip_text (row->up, up);
  gtk_widget_set_tooltip_text (row->remove, remove);
  reroute_name_widget (row->up, up);
  reroute_name_widget (row->remove, remove);
}

/* Few rows are shown whole, whatever else the dialog has to show; more of them scroll, in the
   height of the fields, which grows with the font. */
static void
limit_height (RerouteHostGrid *self)
{
  HostRow *row = g_ptr_array_index (self->rows, 0);
  int spacing = (int) gtk_grid_get_row_spacing (self->grid);
  gboolean many = self->rows->len > VISIBLE_ROWS;
  int height = 0;
  int field = 0;
  int header = 0;

  gtk_widget_measure (row->host, GTK_ORIENTATION_VERTICAL, -1, NULL, &field, NULL, NULL);
  gtk_widget_measure (gtk_grid_get_child_at (self->grid, 0, 0),
                      GTK_ORIENTATION_VERTICAL,
                      -1,
                      NULL,
                      &header,
                      NULL,
                      NULL);
  height = header + VISIBLE_ROWS * (field + spacing);
  gtk_scrolled_window_set_policy (
    self->scroller, GTK_POLICY_NEVER, many ? GTK_POLICY_AUTOMATIC : GTK_POLICY_NEVER);
  gtk_scrolled_window_set_max_content_height (self->scroller, many ? height : -1);
  gtk_scrolled_window_set_min_content_height (self->scroller, many ? height : -1);
}

static void
lay_out (RerouteHostGrid *self)
{
  for (guint i = 0; i < self->rows->len; i++)
    {
      HostRow *row = g_ptr_array_index (self->rows, i);
      GtkWidget *const widgets[] = { row->host, row->port, row->find_by, row->up, row->remove };
      int line = 1 + 3 * (int) i;

      for (gsize j = 0; j < G_N_ELEMENTS (widgets); j++)
        {
          if (gtk_widget_get_parent (widgets[j]) != NULL)
            gtk_grid_remove (self->grid, widgets[j]);
          gtk_grid_attach (self->grid, widgets[j], (int) j, line, 1, 1);
        }
      if (gtk_widget_get_parent (row->host_error) != NULL)
        {
          gtk_grid_remove (self->grid, row->host_error);
          gtk_grid_remove (self->grid, row->port_error);
        }
      gtk_grid_attach (self->grid, row->host_error, 0, line + 1, 5, 1);
      gtk_grid_attach (self->grid, row->port_error, 0, line + 2, 5, 1);
      gtk_widget_set_sensitive (row->up, i > 0);
      gtk_widget_set_sensitive (row->remove, self->rows->len > 1);
      name_row (row);
    }
  limit_height (self);
  gtk_widget_set_visible (GTK_WIDGET (self->order), self->rows->len > 1);
  gtk_widget_set_sensitive (self->add_button, self->rows->len < REROUTE_LIMIT_HOSTS_PER_ROW);
}

static guint
index_of (RerouteHostGrid *self, HostRow *row)
{
  guint i = 0;

  g_assert (g_ptr_array_find (self->rows, row, &i));
  return i;
}

static void
host_row_free (HostRow *row)
{
  GtkWidget *const widgets[] = { row->host,   row->port,       row->find_by,   row->up,
                                 row->remove, row->host_error, row->port_error };

  reroute_field_error_unwatch (REROUTE_FIELD_ERROR (row->host_error));
  reroute_field_error_unwatch (REROUTE_FIELD_ERROR (row->port_error));
  for (gsize i = 0; i < G_N_ELEMENTS (widgets); i++)
    {
      if (gtk_widget_get_parent (widgets[i]) != NULL)
        gtk_grid_remove (row->grid->grid, widgets[i]);
      g_object_unref (widgets[i]);
    }
  g_free (row);
}

static void
field_changed_cb (GtkEditable *field, HostRow *row)
{
  name_row (row);
  emit_changed (row->grid);
}

static void
find_by_changed_cb (GtkDropDown *drop_down, GParamSpec *pspec, HostRow *row)
{
  if (is_by_mx (row))
    gtk_editable_set_text (GTK_EDITABLE (row->port), G_STRINGIFY (REROUTE_DEFAULT_SMTP_PORT));
  gtk_widget_set_sensitive (row->port, !is_by_mx (row));
  reroute_field_error_update (REROUTE_FIELD_ERROR (row->host_error));
  emit_changed (row->grid);
}

static void
up_clicked_cb (GtkButton *button, HostRow *row)
{
  RerouteHostGrid *self = row->grid;
  guint i = index_of (self, row);

  self->rows->pdata[i] = self->rows->pdata[i - 1];
  self->rows->pdata[i - 1] = row;
  lay_out (self);
  gtk_widget_grab_focus (i > 1 ? row->up : row->host);
  emit_changed (self);
}

static void
remove_clicked_cb (GtkButton *button, HostRow *row)
{
  RerouteHostGrid *self = row->grid;
  guint i = index_of (self, row);

  g_ptr_array_remove_index (self->rows, i);
  lay_out (self);
  gtk_widget_grab_focus (((HostRow *) self->rows->pdata[MIN (i, self->rows->len - 1)])->host);
  emit_changed (self);
}

static void left_cb (GtkEventControllerFocus *controller, HostRow *row);

static GtkWidget *
make_button (const char *icon, GCallback callback, HostRow *row)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_button_set_has_frame (GTK_BUTTON (button), FALSE);
  g_signal_connect (button, "clicked", callback, row);
  return button;
}

static HostRow *
add_row (RerouteHostGrid *self, guint position)
{
  HostRow *row = g_new0 (HostRow, 1);
  const char *const choices[] = { _ ("This very host"), _ ("Look up its MX"), NULL };
  GtkEventController *focus = gtk_event_controller_focus_new ();

  row->grid = self;
  row->host = g_object_ref_sink (gtk_entry_new ());
  row->port = g_object_ref_sink (gtk_entry_new ());
  row->find_by = g_object_ref_sink (gtk_drop_down_new_from_strings (choices));
  row->up = g_object_ref_sink (make_button ("go-up-symbolic", G_CALLBACK (up_clicked_cb), row));
  row->remove =
    g_object_ref_sink (make_button ("list-remove-symbolic", G_CALLBACK (remove_clicked_cb), row));
  row->host_error = g_object_ref_sink (g_object_new (REROUTE_TYPE_FIELD_ERROR, NULL));
  row->port_error = g_object_ref_sink (g_object_new (REROUTE_TYPE_FIELD_ERROR, NULL));

  gtk_widget_set_hexpand (row->host, TRUE);
  gtk_entry_set_activates_default (GTK_ENTRY (row->host), TRUE);
  gtk_entry_set_activates_default (GTK_ENTRY (row->port), TRUE);
  gtk_editable_set_width_chars (GTK_EDITABLE (row->port), 6);
  gtk_editable_set_max_width_chars (GTK_EDITABLE (row->port), 6);
  gtk_entry_set_input_purpose (GTK_ENTRY (row->port), GTK_INPUT_PURPOSE_DIGITS);
  gtk_editable_set_text (GTK_EDITABLE (row->port), G_STRINGIFY (REROUTE_DEFAULT_SMTP_PORT));
  reroute_name_widget (row->host, _ ("Host name or address"));
  reroute_name_widget (row->port, _ ("Port"));
  reroute_name_widget (row->find_by, _ ("Find by"));

  g_signal_connect (focus, "leave", G_CALLBACK (left_cb), row);
  gtk_widget_add_controller (row->host, focus);
  g_signal_connect (row->host, "changed", G_CALLBACK (field_changed_cb), row);
  g_signal_connect (row->port, "changed", G_CALLBACK (field_changed_cb), row);
  g_signal_connect (row->find_by, "notify::selected", G_CALLBACK (find_by_changed_cb), row);
  reroute_field_error_watch (
    REROUTE_FIELD_ERROR (row->host_error), GTK_EDITABLE (row->host), judge_host, row);
  reroute_field_error_watch (
    REROUTE_FIELD_ERROR (row->port_error), GTK_EDITABLE (row->port), judge_port, row);
  g_ptr_array_insert (self->rows, (int) position, row);
  return row;
}

static void
fill_row (HostRow *row, const RerouteHost *host)
{
  g_autofree char *name = reroute_domain_to_unicode (host->name);
  g_autofree char *port = g_strdup_printf ("%u", (guint) host->port);

  gtk_editable_set_text (GTK_EDITABLE (row->host), name);
  gtk_editable_set_text (GTK_EDITABLE (row->port), port);
  gtk_drop_down_set_selected (GTK_DROP_DOWN (row->find_by), host->mx ? 1 : 0);
}

/* Spreads a pasted form over the fields. */
static void
left_cb (GtkEventControllerFocus *controller, HostRow *row)
{
  RerouteHostGrid *self = row->grid;
  g_autofree char *text = NULL;
  g_autoptr (RerouteHosts) hosts = NULL;
  guint place = 0;

  /* A row that is being removed loses the focus, too. */
  if (self->rows == NULL || !g_ptr_array_find (self->rows, row, &place))
    return;
  text = dup_host_text (row);
  if (!reroute_hosts_check_typed (text, NULL))
    return;
  hosts = reroute_hosts_parse (text, FALSE, NULL);
  if (hosts == NULL || (hosts->n_hosts == 1 && strpbrk (get_text (row->host), ":[") == NULL))
    return;
  if (self->rows->len + hosts->n_hosts - 1 > REROUTE_LIMIT_HOSTS_PER_ROW)
    return;
  self->filling = TRUE;
  fill_row (row, &hosts->hosts[0]);
  for (gsize i = 1; i < hosts->n_hosts; i++)
    fill_row (add_row (self, place + i), &hosts->hosts[i]);
  lay_out (self);
  self->filling = FALSE;
  emit_changed (self);
}

static void
add_clicked_cb (GtkButton *button, RerouteHostGrid *self)
{
  HostRow *row = add_row (self, self->rows->len);

  lay_out (self);
  gtk_widget_grab_focus (row->host);
  emit_changed (self);
}

static void
order_changed_cb (GtkDropDown *drop_down, GParamSpec *pspec, RerouteHostGrid *self)
{
  emit_changed (self);
}

static gboolean
grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (((HostRow *) REROUTE_HOST_GRID (widget)->rows->pdata[0])->host);
}

static void
reroute_host_grid_dispose (GObject *object)
{
  g_clear_pointer (&REROUTE_HOST_GRID (object)->rows, g_ptr_array_unref);

  G_OBJECT_CLASS (reroute_host_grid_parent_class)->dispose (object);
}

static void
reroute_host_grid_class_init (RerouteHostGridClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = reroute_host_grid_dispose;
  widget_class->grab_focus = grab_focus;

  signals[CHANGED] = g_signal_new (
    "changed", REROUTE_TYPE_HOST_GRID, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/host-grid.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteHostGrid, grid);
  gtk_widget_class_bind_template_child (widget_class, RerouteHostGrid, scroller);
  gtk_widget_class_bind_template_child (widget_class, RerouteHostGrid, add_button);
  gtk_widget_class_bind_template_child (widget_class, RerouteHostGrid, order);
  gtk_widget_class_bind_template_callback (widget_class, add_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, order_changed_cb);
}

static void
reroute_host_grid_init (RerouteHostGrid *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
  reroute_name_widget (GTK_WIDGET (self->order), _ ("Order of the hosts"));
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) host_row_free);
  add_row (self, 0);
  lay_out (self);
}

void
reroute_host_grid_set_hosts (RerouteHostGrid *self, const RerouteHosts *hosts)
{
  g_return_if_fail (REROUTE_IS_HOST_GRID (self));

  self->filling = TRUE;
  for (gsize i = 0; i < hosts->n_hosts; i++)
    fill_row (i < self->rows->len ? self->rows->pdata[i] : add_row (self, i), &hosts->hosts[i]);
  gtk_drop_down_set_selected (self->order, hosts->by_turns ? 1 : 0);
  lay_out (self);
  self->filling = FALSE;
}

RerouteHosts *
reroute_host_grid_dup_hosts (RerouteHostGrid *self)
{
  g_autoptr (GString) all = g_string_new (NULL);

  g_return_val_if_fail (REROUTE_IS_HOST_GRID (self), NULL);

  for (guint i = 0; i < self->rows->len; i++)
    {
      HostRow *row = g_ptr_array_index (self->rows, i);
      g_autofree char *text = NULL;
      guint16 port = 0;

      if (is_blank (row))
        continue;
      if (!reroute_port_parse (get_text (row->port), &port, NULL))
        return NULL;
      text = dup_host_text (row);
      g_string_append_printf (all, "%s%s", all->len > 0 ? ";" : "", text);
    }
  if (all->len == 0 || !reroute_hosts_check_typed (all->str, NULL))
    return NULL;
  return reroute_hosts_parse (all->str, gtk_drop_down_get_selected (self->order) == 1, NULL);
}
