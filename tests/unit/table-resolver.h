/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/relay/deliver/resolver.h"

G_BEGIN_DECLS

/* A resolver that answers from a table, in the default main context.  A name that is in no table
   does not exist. */
typedef struct _TableResolver TableResolver;

TableResolver *table_resolver_new (void); /* freed by reroute_resolver_free() */

/* @exchanger "" is the null MX. */
void table_resolver_add_mx (TableResolver *self,
                            const char *domain,
                            guint16 preference,
                            const char *exchanger);
void table_resolver_add_address (TableResolver *self, const char *name, const char *address);
/* Questions for @name fail, as when no server answers. */
void table_resolver_add_failure (TableResolver *self, const char *name);
guint table_resolver_get_n_questions (TableResolver *self, const char *name);

G_END_DECLS
