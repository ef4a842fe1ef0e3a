/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/ruleset.h"

G_BEGIN_DECLS

typedef enum
{
  REROUTE_FINDING_ERROR,   /* stops the change */
  REROUTE_FINDING_CONFIRM, /* asked once */
  REROUTE_FINDING_WARNING,
  REROUTE_FINDING_NOTE,
} RerouteFindingLevel;

/**
 * RerouteFinding:
 *
 * Something that is wrong, or worth saying, about a set of rules.  @code is stable:
 * "loop", "duplicate", "inbound-host-missing", "never-acts-rerouted",
 * "never-acts-disabled"…; ruleset-check.c has the table.
 */
typedef struct
{
  RerouteFindingLevel level;
  char *code;
  char *sentence;   /* whole, in the language of the process; rebuilt from code and arguments on
                       arrival */
  char **arguments; /* (array zero-terminated=1): what stands in the sentence */
  char **path;      /* (array zero-terminated=1): a.test, b.test, a.test; empty unless a loop */
  char *key;        /* what a confirmation names: "anyone connections gmail.com" */
  GArray *rows;     /* (element-type RerouteRowRef) */
} RerouteFinding;

void reroute_finding_free (RerouteFinding *self);
/* What the relay says of the files of certificates, which it alone can read; (transfer full) */
RerouteFinding *reroute_finding_new_certificate (const char *remark);
const char *reroute_finding_level_to_string (
  RerouteFindingLevel level); /* "error", "confirm", "warning", "note" */

gboolean
reroute_finding_level_from_string (const char *text, RerouteFindingLevel *level, GError **error);

/* Puts the sentence into the language of this process, from code and arguments; a code that is
   not known here keeps the sentence it came with. */
void reroute_finding_translate (RerouteFinding *self);
/* (transfer full): the sentence for a program that reads it, whatever the language is. */
char *reroute_finding_dup_english (const RerouteFinding *self);

/* (transfer full): what a confirmation that @row accepts from anyone names. */
char *reroute_row_dup_anyone_key (const RerouteRow *row);

typedef enum
{
  REROUTE_MX_NOT_ASKED, /* not in the table */
  REROUTE_MX_ELSEWHERE,
  REROUTE_MX_HERE,
  REROUTE_MX_SILENT, /* asked, and DNS gave no answer: no finding */
} RerouteMxFact;

/* Where the MX of domains leads whose rows accept from anyone. */
typedef GHashTable RerouteMxFacts; /* (element-type utf8 RerouteMxFact) */

/* What a confirmation of domains that nobody looked up names: it holds whatever they turn out to
   be. */
#define REROUTE_KEY_NOT_ASKED "anyone not-asked"

/**
 * reroute_ruleset_check:
 * @self: the generation to judge
 * @base: (nullable): the generation it was made from: only what differs is asked to be confirmed,
 * and only rows concerned by the difference are judged, so that the time does not grow with the
 * table; %NULL judges all
 * @mx_facts: (nullable): what reroute_ruleset_check_questions() names and has no fact there is
 * asked to be confirmed; %NULL judges no domain by its MX
 *
 * Returns: (transfer full) (element-type RerouteFinding): errors first
 */
GPtrArray *reroute_ruleset_check (const RerouteRuleset *self,
                                  const RerouteRuleset *base,
                                  RerouteMxFacts *mx_facts);

/* The domains whose MX reroute_ruleset_check() would like to know: new or changed rows, with no
   @base all, that accept from anyone.  (transfer full) (array zero-terminated=1): at most
   %REROUTE_LIMIT_MX_SURVEY */
char **reroute_ruleset_check_questions (const RerouteRuleset *self, const RerouteRuleset *base);

G_END_DECLS
