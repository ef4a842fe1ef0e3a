/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/rules/store.h"

G_BEGIN_DECLS

/* The order of the rows that a filter let through, kept for the next page of the same list.  Any
 * thread. */
typedef struct _RerouteListCache RerouteListCache;

RerouteListCache *reroute_list_cache_new (void);
void reroute_list_cache_free (RerouteListCache *self);

/**
 * RerouteAnswerFunc:
 * @reader: inside a transaction
 * @arguments: of the method as the bus checked them: of the right type, their values not trusted
 *
 * The answers of the Rules1 methods that only read the database; each is under
 * REROUTE_LIMIT_REPLY_OCTETS.  They run in a worker thread.
 *
 * Errors: %REROUTE_ERROR_VALUE, %REROUTE_ERROR_NO_SUCH_SERIAL, those of the store.
 *
 * Returns: (transfer floating): the tuple of out arguments
 */
typedef GVariant *(*RerouteAnswerFunc) (RerouteStore *reader,
                                        RerouteListCache *cache,
                                        GVariant *arguments,
                                        GError **error);

GVariant *reroute_answer_list (RerouteStore *reader,
                               RerouteListCache *cache,
                               GVariant *arguments,
                               GError **error);
GVariant *reroute_answer_list_ids (RerouteStore *reader,
                                   RerouteListCache *cache,
                                   GVariant *arguments,
                                   GError **error);
GVariant *reroute_answer_load (RerouteStore *reader,
                               RerouteListCache *cache,
                               GVariant *arguments,
                               GError **error);
GVariant *reroute_answer_load_columns (RerouteStore *reader,
                                       RerouteListCache *cache,
                                       GVariant *arguments,
                                       GError **error);
GVariant *reroute_answer_settings (RerouteStore *reader,
                                   RerouteListCache *cache,
                                   GVariant *arguments,
                                   GError **error);
GVariant *reroute_answer_changes_since (RerouteStore *reader,
                                        RerouteListCache *cache,
                                        GVariant *arguments,
                                        GError **error);
GVariant *reroute_answer_history (RerouteStore *reader,
                                  RerouteListCache *cache,
                                  GVariant *arguments,
                                  GError **error);
/* Of the arguments of two List: another filter or order of the same page, so that nobody waits for
   the answer of the earlier. */
gboolean reroute_list_is_superseded (GVariant *earlier, GVariant *later);
/* Of a call that nobody remembers any more. */
GVariant *reroute_answer_outcome (RerouteStore *reader,
                                  RerouteListCache *cache,
                                  GVariant *arguments,
                                  GError **error);
GVariant *reroute_answer_history_changes (RerouteStore *reader,
                                          RerouteListCache *cache,
                                          GVariant *arguments,
                                          GError **error);

G_END_DECLS
