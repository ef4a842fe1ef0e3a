/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * table-resolver.c - DNS from a table, for unit tests
 */

#include "config.h"

#include "tests/unit/table-resolver.h"

typedef struct
{
  GArray *mx;
  GArray *addresses;
  gboolean fails;
  guint n_questions;
} Name;

struct _TableResolver
{
  RerouteResolver base;
  GHashTable *names; /* (element-type utf8 Name) */
};

typedef struct
{
  TableResolver *resolver;
  char *name;
  gboolean wants_mx;
  RerouteDnsFunc func;
  gpointer user_data;
} Question;

static void
clear_mx (gpointer data)
{
  g_free (((RerouteMx *) data)->exchanger);
}

static void
name_free (gpointer data)
{
  Name *name = data;

  g_array_unref (name->mx);
  g_array_unref (name->addresses);
  g_free (name);
}

static Name *
get_name (TableResolver *self, const char *text)
{
  Name *name = g_hash_table_lookup (self->names, text);

  if (name == NULL)
    {
      name = g_new0 (Name, 1);
      name->mx = g_array_new (FALSE, TRUE, sizeof (RerouteMx));
      g_array_set_clear_func (name->mx, clear_mx);
      name->addresses = g_array_new (FALSE, TRUE, sizeof (RerouteIp));
      g_hash_table_insert (self->names, g_strdup (text), name);
    }
  return name;
}

static gboolean
answer_cb (gpointer user_data)
{
  Question *question = user_data;
  const Name *name = g_hash_table_lookup (question->resolver->names, question->name);
  g_autoptr (GArray) nothing = g_array_new (FALSE, TRUE, 1);
  RerouteDnsAnswer answer = { .mx = nothing, .addresses = nothing, .ttl_s = 60 };

  answer.status = REROUTE_DNS_NXDOMAIN;
  if (name != NULL && name->fails)
    {
      answer.status = REROUTE_DNS_FAILED;
      answer.reason = (char *) "no server answers";
    }
  else if (name != NULL && (name->mx->len > 0 || name->addresses->len > 0))
    {
      GArray *records = question->wants_mx ? name->mx : name->addresses;

      answer.mx = question->wants_mx ? records : nothing;
      answer.addresses = question->wants_mx ? nothing : records;
      answer.status = records->len > 0 ? REROUTE_DNS_ANSWER : REROUTE_DNS_NODATA;
    }
  question->func (&answer, question->user_data);
  return G_SOURCE_REMOVE;
}

static void
question_free (gpointer data)
{
  g_free (((Question *) data)->name);
  g_free (data);
}

static void
ask (RerouteResolver *base,
     const char *name,
     gboolean wants_mx,
     RerouteDnsFunc func,
     gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  question->resolver = (TableResolver *) base;
  question->name = g_strdup (name);
  question->wants_mx = wants_mx;
  question->func = func;
  question->user_data = user_data;
  get_name (question->resolver, name)->n_questions++;
  g_idle_add_full (G_PRIORITY_DEFAULT, answer_cb, question, question_free);
}

static void
ask_mx (RerouteResolver *self, const char *domain, RerouteDnsFunc func, gpointer user_data)
{
  ask (self, domain, TRUE, func, user_data);
}

static void
ask_address (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data)
{
  ask (self, name, FALSE, func, user_data);
}

/* No answer of the table is validated, so nobody asks. */
static void
ask_tlsa (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data)
{
  g_assert_not_reached ();
}

/* Policies are another part's. */
static void
ask_txt (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data)
{
  g_assert_not_reached ();
}

/* Nobody asks for the names of addresses who delivers. */
static void
ask_ptr (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data)
{
  g_assert_not_reached ();
}

static void
table_resolver_free (RerouteResolver *base)
{
  g_hash_table_unref (((TableResolver *) base)->names);
  g_free (base);
}

static const RerouteResolverClass table_class = { ask_mx,  ask_address, ask_tlsa,
                                                  ask_txt, ask_ptr,     table_resolver_free };

TableResolver *
table_resolver_new (void)
{
  TableResolver *self = g_new0 (TableResolver, 1);

  self->base.klass = &table_class;
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, name_free);
  return self;
}

void
table_resolver_add_mx (TableResolver *self,
                       const char *domain,
                       guint16 preference,
                       const char *exchanger)
{
  RerouteMx mx = { preference, g_strdup (exchanger) };

  g_array_append_val (get_name (self, domain)->mx, mx);
}

void
table_resolver_add_address (TableResolver *self, const char *name, const char *address)
{
  RerouteIp ip;

  g_assert_true (reroute_ip_parse (address, &ip));
  g_array_append_val (get_name (self, name)->addresses, ip);
}

void
table_resolver_add_failure (TableResolver *self, const char *name)
{
  get_name (self, name)->fails = TRUE;
}

guint
table_resolver_get_n_questions (TableResolver *self, const char *name)
{
  const Name *found = g_hash_table_lookup (self->names, name);

  return found != NULL ? found->n_questions : 0;
}
