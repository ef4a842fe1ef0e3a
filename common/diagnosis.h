/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REROUTE_DIAGNOSIS_OK, /* looked at, and as it should be */
  REROUTE_DIAGNOSIS_NOTE,
  REROUTE_DIAGNOSIS_WARNING,
  REROUTE_DIAGNOSIS_ERROR,
} RerouteDiagnosisLevel;

/**
 * RerouteDiagnosis:
 *
 * One thing that an examination of the service has found.  It travels as code and arguments, and is
 * put into words where a person reads it.
 */
typedef struct
{
  RerouteDiagnosisLevel level;
  char *check; /* a word of reroute_diagnosis_get_checks() */
  char *code;  /* "reverse-missing": stable */
  GStrv arguments;
} RerouteDiagnosis;

/* A check that can be asked for by its word. */
typedef struct
{
  const char *name;
  const char *meaning; /* to be translated */
} RerouteDiagnosisCheck;

/* (array zero-terminated=1): in the order in which they are told; the last has no name */
const RerouteDiagnosisCheck *reroute_diagnosis_get_checks (void);
gboolean reroute_diagnosis_is_check (const char *name);

/* @code stands in the table, and has as many arguments; the rest are texts, then %NULL.  The
   arguments are made valid UTF-8 without control characters. */
RerouteDiagnosis *reroute_diagnosis_new (const char *code, ...) G_GNUC_NULL_TERMINATED;
RerouteDiagnosis *reroute_diagnosis_new_v (const char *code, const char *const *arguments);
void reroute_diagnosis_free (RerouteDiagnosis *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteDiagnosis, reroute_diagnosis_free)

/* "ok", "note", "warning", "error" */
const char *reroute_diagnosis_level_to_string (RerouteDiagnosisLevel level);

/* (transfer full): what was found, in the reader's language.  A code that is not known here, of a
   newer relay, is told as it came. */
char *reroute_diagnosis_dup_text (const RerouteDiagnosis *self);
/* (transfer full): what to do about it, likewise; "" when there is nothing to do */
char *reroute_diagnosis_dup_advice (const RerouteDiagnosis *self);

#define REROUTE_DIAGNOSIS_TYPE "(sssas)" /* level, check, code, arguments */

/* @diagnoses: (element-type RerouteDiagnosis); floating */
GVariant *reroute_diagnoses_to_variant (GPtrArray *diagnoses);
/**
 * reroute_diagnoses_from_variant:
 *
 * Errors: %REROUTE_ERROR_PROTOCOL when @variant has another type or an unknown level.
 *
 * Returns: (transfer full) (element-type RerouteDiagnosis)
 */
GPtrArray *reroute_diagnoses_from_variant (GVariant *variant, GError **error);

G_END_DECLS
