/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * codec-findings.c - the forms of findings and steps that travel over D-Bus
 */

#include "config.h"

#include "common/codec-private.h"

#include "common/error.h"

#define FINDINGS_TYPE "a" REROUTE_FINDING_TYPE
#define STEPS_TYPE "a" REROUTE_STEP_TYPE

/* --- findings --- */

static GVariant *
finding_to_variant (const RerouteFinding *finding)
{
  static const char *const none[] = { NULL };
  GVariantBuilder rows;

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(sx)"));
  for (guint i = 0; finding->rows != NULL && i < finding->rows->len; i++)
    {
      const RerouteRowRef *ref = &g_array_index (finding->rows, RerouteRowRef, i);
      g_variant_builder_add (&rows, "(sx)", reroute_page_to_string (ref->page), ref->id);
    }
  return g_variant_new ("(sss^as^assa(sx))",
                        reroute_finding_level_to_string (finding->level),
                        finding->code,
                        finding->sentence,
                        finding->arguments != NULL ? finding->arguments : (char **) none,
                        finding->path != NULL ? finding->path : (char **) none,
                        finding->key != NULL ? finding->key : "",
                        &rows);
}

static RerouteFinding *
finding_from_variant (GVariant *variant, GError **error)
{
  RerouteFinding *finding = g_new0 (RerouteFinding, 1);
  g_autoptr (GVariantIter) rows = NULL;
  const char *level, *page_name;
  gint64 id;

  finding->rows = g_array_new (FALSE, FALSE, sizeof (RerouteRowRef));
  g_variant_get (variant,
                 "(&sss^as^assa(sx))",
                 &level,
                 &finding->code,
                 &finding->sentence,
                 &finding->arguments,
                 &finding->path,
                 &finding->key,
                 &rows);
  gboolean valid = reroute_finding_level_from_string (level, &finding->level, error);
  while (valid && g_variant_iter_next (rows, "(&sx)", &page_name, &id))
    {
      RerouteRowRef ref = { .id = id };
      valid = reroute_page_from_string (page_name, &ref.page, error);
      g_array_append_val (finding->rows, ref);
    }
  if (!valid)
    {
      reroute_finding_free (finding);
      return NULL;
    }
  reroute_finding_translate (finding);
  return finding;
}

GVariant *
reroute_findings_to_variant (GPtrArray *findings)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (FINDINGS_TYPE));
  for (guint i = 0; findings != NULL && i < findings->len; i++)
    g_variant_builder_add_value (&builder, finding_to_variant (findings->pdata[i]));
  return g_variant_builder_end (&builder);
}

GPtrArray *
reroute_findings_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GPtrArray) findings =
               g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_finding_free);

  if (!reroute_codec_check_type (variant, FINDINGS_TYPE, error))
    return NULL;
  gsize n = g_variant_n_children (variant);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
      RerouteFinding *finding = finding_from_variant (child, error);
      if (finding == NULL)
        return NULL;
      g_ptr_array_add (findings, finding);
    }
  return g_steal_pointer (&findings);
}

/* --- steps --- */

GVariant *
reroute_steps_to_variant (GPtrArray *steps)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE (STEPS_TYPE));
  for (guint i = 0; steps != NULL && i < steps->len; i++)
    {
      const RerouteStep *step = steps->pdata[i];
      g_variant_builder_add (&builder,
                             REROUTE_STEP_TYPE,
                             step->code,
                             step->sentence,
                             step->row.id != 0 ? reroute_page_to_string (step->row.page) : "",
                             step->row.id);
    }
  return g_variant_builder_end (&builder);
}

GPtrArray *
reroute_steps_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func ((GDestroyNotify) reroute_step_free);

  if (!reroute_codec_check_type (variant, STEPS_TYPE, error))
    return NULL;
  gsize n = g_variant_n_children (variant);
  for (gsize i = 0; i < n; i++)
    {
      RerouteStep *step = g_new0 (RerouteStep, 1);
      const char *page_name;
      g_ptr_array_add (steps, step);
      g_variant_get_child (
        variant, i, "(ss&sx)", &step->code, &step->sentence, &page_name, &step->row.id);
      if (*page_name != '\0' && !reroute_page_from_string (page_name, &step->row.page, error))
        return NULL;
      if (*page_name == '\0' && step->row.id != 0)
        {
          g_set_error (
            error, REROUTE_ERROR, REROUTE_ERROR_PROTOCOL, "a step names a row without its page");
          return NULL;
        }
    }
  return g_steal_pointer (&steps);
}
