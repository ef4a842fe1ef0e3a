/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/ctl/ctl.h"

G_BEGIN_DECLS

/* An option of a verb, as its line in the table says it. */
typedef struct
{
  char *name; /* "--tls" */
  gboolean has_value;
  gboolean is_list; /* of values, separated by commas */
  GStrv choices;    /* (nullable): the words that are a value */
  char *value;      /* (nullable): what a value is: "HOST" */
} RerouteGrammarOption;

/**
 * RerouteGrammar:
 *
 * What may stand behind the name of a verb: RerouteVerb.arguments taken apart.  Which of them
 * exclude one another is for the verb itself to say.
 */
typedef struct
{
  GPtrArray *options; /* (element-type RerouteGrammarOption): in the order of the table */
  GPtrArray *words;   /* (element-type utf8): "DOMAIN", "ADDRESS" */
  gboolean repeats;   /* the last of words may stand several times */
} RerouteGrammar;

RerouteGrammar *reroute_grammar_new (const char *arguments);
void reroute_grammar_free (RerouteGrammar *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RerouteGrammar, reroute_grammar_free)

/* (nullable): the option that @word is, with its value or without */
const RerouteGrammarOption *reroute_grammar_find_option (const RerouteGrammar *self,
                                                         const char *word);
/* (nullable): what the word number @n (from 0) that is no option means */
const char *reroute_grammar_get_word (const RerouteGrammar *self, guint n);

G_END_DECLS
