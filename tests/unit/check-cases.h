/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset-check.h"

G_BEGIN_DECLS

#define CHECK_CASES_INBOUND "inbound-host=in.test\n"

/* A set of rules, and what is found in it. */
typedef struct
{
  const char *name;
  const char *source;
  const char *base;     /* as of sample_rules(); NULL: everything is judged */
  const char *rows;     /* with a base as of sample_rules_edit() */
  const char *settings; /* with an inbound host, the base has one too */
  const char *expect;   /* as of check_cases_describe() */
} CheckCase;

/* "level code rows" of each finding, by level; postmaster-missing is left out.  Its sentence has no
   place that was not filled in.  (transfer full) */
char *check_cases_describe (GPtrArray *findings);

/* A test of each, below @path.  @cases: stay where they are */
void check_cases_add (const char *path, const CheckCase *cases, gsize n_cases);

G_END_DECLS
