/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * resolver.c - DNS by libunbound, asynchronous, with a thread of its own
 *
 * Its descriptor is one more of the worker that the answers arrive on.  Search lists are never
 * applied: libunbound has none.
 *
 * Standards: RFC 1035 (names, MX, TXT), RFC 3596 (AAAA), RFC 6698 (TLSA).
 */

#include "config.h"

#include "service/relay/deliver/resolver.h"

#include <string.h>
#include <sys/epoll.h>
#include <unbound.h>

#include "common/error.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS "/etc/hosts"

#define TYPE_A 1
#define TYPE_PTR 12
#define TYPE_MX 15
#define TYPE_TXT 16
#define TYPE_AAAA 28
#define TYPE_TLSA 52
#define CLASS_IN 1

#define RCODE_NOERROR 0
#define RCODE_NXDOMAIN 3

/* A server that does not answer must not hold a recipient for the minutes that libunbound would
 * try. */
#define QUESTION_TIMEOUT_US (15 * G_USEC_PER_SEC)

typedef struct
{
  RerouteResolver base;
  struct ub_ctx *unbound;
  RerouteWorker *worker;
  RerouteIo io;
  GHashTable *questions; /* (element-type Question): those that wait for an answer */
  gboolean closing;
} UnboundResolver;

typedef struct _Question Question;

/* One of a question's look-ups. */
typedef struct
{
  Question *question;
  int async_id; /* 0: answered, or not begun */
} Lookup;

/* One question of a caller: an MX look-up, or AAAA and A together. */
struct _Question
{
  UnboundResolver *resolver;
  RerouteDnsFunc func;
  gpointer user_data;
  RerouteDnsAnswer *answer;
  Lookup lookups[2];
  guint n_lookups;
  guint n_pending;
  guint n_failed;
  gboolean some_nodata;
  RerouteTimer timeout;
};

static void
clear_mx (gpointer data)
{
  g_free (((RerouteMx *) data)->exchanger);
}

static RerouteDnsAnswer *
dns_answer_new (void)
{
  RerouteDnsAnswer *self = g_new0 (RerouteDnsAnswer, 1);

  self->mx = g_array_new (FALSE, TRUE, sizeof (RerouteMx));
  g_array_set_clear_func (self->mx, clear_mx);
  self->addresses = g_array_new (FALSE, TRUE, sizeof (RerouteIp));
  self->tlsa = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  self->secure = TRUE;
  self->ttl_s = G_MAXUINT;
  return self;
}

void
reroute_dns_answer_free (RerouteDnsAnswer *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->mx);
  g_array_unref (self->addresses);
  g_ptr_array_unref (self->tlsa);
  g_clear_pointer (&self->txt, g_ptr_array_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  g_free (self->canonical);
  g_free (self->reason);
  g_free (self);
}

static void
question_free (gpointer data)
{
  Question *question = data;

  for (guint i = 0; i < question->n_lookups; i++)
    {
      if (question->lookups[i].async_id != 0)
        ub_cancel (question->resolver->unbound, question->lookups[i].async_id);
    }
  reroute_worker_disarm_timer (question->resolver->worker, &question->timeout);
  reroute_dns_answer_free (question->answer);
  g_free (question);
}

static void
question_finish (Question *question)
{
  RerouteDnsAnswer *answer = question->answer;

  if (answer->mx->len > 0 || answer->addresses->len > 0 || answer->tlsa->len > 0 ||
      (answer->txt != NULL && answer->txt->len > 0) ||
      (answer->names != NULL && answer->names->len > 0))
    answer->status = REROUTE_DNS_ANSWER;
  else if (question->n_failed > 0)
    answer->status = REROUTE_DNS_FAILED;
  else
    answer->status = question->some_nodata ? REROUTE_DNS_NODATA : REROUTE_DNS_NXDOMAIN;
  if (answer->status == REROUTE_DNS_FAILED && answer->reason == NULL)
    answer->reason = g_strdup ("the DNS server gave no answer");

  g_hash_table_steal (question->resolver->questions, question);
  question->func (answer, question->user_data);
  question_free (question);
}

static void
question_timed_out (RerouteTimer *timer)
{
  Question *question = (Question *) ((char *) timer - G_STRUCT_OFFSET (Question, timeout));

  question->n_failed++;
  if (question->answer->reason == NULL)
    question->answer->reason =
      g_strdup_printf ("no DNS answer within %d s", (int) (QUESTION_TIMEOUT_US / G_USEC_PER_SEC));
  question_finish (question);
}

/* The text of a name in wire format, lower case, without the root's dot; NULL when it is cut off
   or holds octets that no host name has.  "" is the root. */
static char *
name_from_wire (const guint8 *octets, gsize length)
{
  g_autoptr (GString) name = g_string_new (NULL);
  gsize at = 0;

  while (at < length && octets[at] != 0)
    {
      gsize label = octets[at++];

      if (label > 63 || at + label > length)
        return NULL;
      if (name->len > 0)
        g_string_append_c (name, '.');
      for (gsize i = 0; i < label; i++)
        {
          guint8 octet = octets[at + i];

          if (!g_ascii_isgraph (octet) || octet == '.')
            return NULL;
          g_string_append_c (name, g_ascii_tolower ((char) octet));
        }
      at += label;
    }
  return at < length ? g_string_free (g_steal_pointer (&name), FALSE) : NULL;
}

/* The strings of a TXT record one behind the other; NULL when one is cut off or holds a NUL. */
static char *
text_from_wire (const guint8 *octets, gsize length)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize at = 0;

  while (at < length)
    {
      gsize n = octets[at++];

      if (at + n > length || memchr (octets + at, '\0', n) != NULL)
        return NULL;
      g_string_append_len (text, (const char *) octets + at, (gssize) n);
      at += n;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
take_text (RerouteDnsAnswer *answer, const guint8 *octets, gsize length)
{
  char *text = text_from_wire (octets, length);

  if (text != NULL)
    g_ptr_array_add (answer->txt, text);
}

static void
take_name (RerouteDnsAnswer *answer, const guint8 *octets, gsize length)
{
  char *name = name_from_wire (octets, length);

  if (name != NULL)
    g_ptr_array_add (answer->names, name);
}

static void
take_record (RerouteDnsAnswer *answer, int type, const guint8 *octets, gsize length)
{
  static const guint8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
  RerouteIp ip;

  if (type == TYPE_TLSA)
    g_ptr_array_add (answer->tlsa, g_bytes_new (octets, length));
  else if (type == TYPE_TXT)
    take_text (answer, octets, length);
  else if (type == TYPE_PTR)
    take_name (answer, octets, length);
  else if (type == TYPE_MX && length > 2)
    {
      RerouteMx mx = { (guint16) (octets[0] << 8 | octets[1]),
                       name_from_wire (octets + 2, length - 2) };

      if (mx.exchanger != NULL)
        g_array_append_val (answer->mx, mx);
    }
  else if (type == TYPE_AAAA && length == sizeof ip.octets)
    {
      memcpy (ip.octets, octets, length);
      g_array_append_val (answer->addresses, ip);
    }
  else if (type == TYPE_A && length == 4)
    {
      memcpy (ip.octets, mapped, sizeof mapped);
      memcpy (ip.octets + sizeof mapped, octets, length);
      g_array_append_val (answer->addresses, ip);
    }
}

/* The end of the aliases of a name; @canonical: as libunbound writes it, with the root's dot. */
static void
take_canonical (RerouteDnsAnswer *answer, const char *name, const char *canonical)
{
  gsize length = strlen (canonical);

  if (length > 0 && canonical[length - 1] == '.')
    length--;
  if (strlen (name) == length && g_ascii_strncasecmp (name, canonical, length) == 0)
    return;
  g_free (answer->canonical);
  answer->canonical = g_ascii_strdown (canonical, (gssize) length);
}

static void
take_result (Question *question, int error, const struct ub_result *result)
{
  RerouteDnsAnswer *answer = question->answer;
  gboolean failed = error != 0 || result->bogus ||
                    (result->rcode != RCODE_NOERROR && result->rcode != RCODE_NXDOMAIN);

  if (failed)
    {
      question->n_failed++;
      answer->bogus = error == 0 && result->bogus;
      g_free (answer->reason);
      if (error != 0)
        answer->reason = g_strdup (ub_strerror (error));
      else if (result->bogus)
        answer->reason = g_strdup_printf ("DNSSEC: %s", result->why_bogus);
      else
        answer->reason = g_strdup_printf ("the DNS server answered with error %d", result->rcode);
      return;
    }
  if (!result->havedata)
    question->some_nodata |= !result->nxdomain;
  else
    answer->ttl_s = MIN (answer->ttl_s, (guint) result->ttl);
  answer->secure = answer->secure && result->secure;
  if (result->canonname != NULL)
    take_canonical (answer, result->qname, result->canonname);
  for (gsize i = 0; result->havedata && result->data[i] != NULL; i++)
    take_record (answer, result->qtype, (const guint8 *) result->data[i], (gsize) result->len[i]);
}

static void
resolved (void *user_data, int error, struct ub_result *result)
{
  Lookup *lookup = user_data;
  Question *question = lookup->question;

  lookup->async_id = 0;
  take_result (question, error, result);
  ub_resolve_free (result);
  if (--question->n_pending == 0)
    question_finish (question);
}

static void
look_up (Question *question, const char *name, int type)
{
  Lookup *lookup = &question->lookups[question->n_lookups++];
  int error = UB_SERVFAIL;

  lookup->question = question;
  if (!question->resolver->closing)
    error = ub_resolve_async (
      question->resolver->unbound, name, type, CLASS_IN, lookup, resolved, &lookup->async_id);
  if (error == 0)
    {
      question->n_pending++;
      return;
    }
  question->n_failed++;
  g_free (question->answer->reason);
  question->answer->reason = g_strdup (ub_strerror (error));
}

static Question *
question_new (UnboundResolver *self, RerouteDnsFunc func, gpointer user_data)
{
  Question *question = g_new0 (Question, 1);

  question->resolver = self;
  question->func = func;
  question->user_data = user_data;
  question->answer = dns_answer_new ();
  question->timeout.func = question_timed_out;
  g_hash_table_add (self->questions, question);
  return question;
}

/* When nothing could be asked the time limit answers, at once: never from within the question. */
static void
question_begun (Question *question)
{
  RerouteWorker *worker = question->resolver->worker;

  reroute_worker_arm_timer (worker,
                            &question->timeout,
                            reroute_worker_now_us (worker) +
                              (question->n_pending > 0 ? QUESTION_TIMEOUT_US : 0));
}

static void
unbound_mx (RerouteResolver *self, const char *domain, RerouteDnsFunc func, gpointer user_data)
{
  Question *question = question_new ((UnboundResolver *) self, func, user_data);

  look_up (question, domain, TYPE_MX);
  question_begun (question);
}

static void
unbound_address (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data)
{
  Question *question = question_new ((UnboundResolver *) self, func, user_data);

  look_up (question, name, TYPE_AAAA);
  look_up (question, name, TYPE_A);
  question_begun (question);
}

static void
unbound_tlsa (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data)
{
  Question *question = question_new ((UnboundResolver *) self, func, user_data);

  look_up (question, name, TYPE_TLSA);
  question_begun (question);
}

static void
unbound_txt (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data)
{
  Question *question = question_new ((UnboundResolver *) self, func, user_data);

  question->answer->txt = g_ptr_array_new_with_free_func (g_free);
  look_up (question, name, TYPE_TXT);
  question_begun (question);
}

static void
unbound_ptr (RerouteResolver *self, const char *name, RerouteDnsFunc func, gpointer user_data)
{
  Question *question = question_new ((UnboundResolver *) self, func, user_data);

  question->answer->names = g_ptr_array_new_with_free_func (g_free);
  look_up (question, name, TYPE_PTR);
  question_begun (question);
}

static void
unbound_free (RerouteResolver *base)
{
  UnboundResolver *self = (UnboundResolver *) base;
  GHashTableIter iter;
  gpointer question;

  /* Whoever gets an answer may ask on, and is answered in turn. */
  self->closing = TRUE;
  while (g_hash_table_iter_init (&iter, self->questions),
         g_hash_table_iter_next (&iter, &question, NULL))
    {
      ((Question *) question)->n_failed++;
      question_finish (question);
    }
  g_hash_table_unref (self->questions);
  if (self->io.func != NULL)
    reroute_worker_remove_io (self->worker, &self->io);
  ub_ctx_delete (self->unbound);
  g_free (self);
}

static const RerouteResolverClass unbound_class = { unbound_mx,  unbound_address, unbound_tlsa,
                                                    unbound_txt, unbound_ptr,     unbound_free };

static void
unbound_ready (RerouteIo *io, guint32 events)
{
  UnboundResolver *self = (UnboundResolver *) ((char *) io - G_STRUCT_OFFSET (UnboundResolver, io));

  ub_process (self->unbound);
}

/* "127.0.0.1:5300" or "[::1]:5300" in libunbound's form, "127.0.0.1@5300". */
static char *
dup_unbound_address (const char *server)
{
  const char *colon = strrchr (server, ':');
  g_autofree char *host = NULL;

  if (colon == NULL)
    return g_strdup (server);
  host = g_strndup (server, (gsize) (colon - server));
  if (host[0] == '[' && g_str_has_suffix (host, "]"))
    {
      host[strlen (host) - 1] = '\0';
      return g_strdup_printf ("%s@%s", host + 1, colon + 1);
    }
  return g_strdup_printf ("%s@%s", host, colon + 1);
}

static gboolean
check (int unbound_error, const char *what, GError **error)
{
  if (unbound_error == 0)
    return TRUE;
  g_set_error (error,
               REROUTE_ERROR,
               REROUTE_ERROR_RESOLVER,
               "cannot set up DNS by %s: %s",
               what,
               ub_strerror (unbound_error));
  return FALSE;
}

static gboolean
set_options (struct ub_ctx *unbound, GError **error)
{
  static const char *const options[][2] = {
    /* A server on this machine is as good as another, and knows the names of private addresses. */
    { "do-not-query-localhost:", "no" },
    { "unblock-lan-zones:", "yes" },
    /* One thread looks into the caches: in parts, for many, they take a megabyte more. */
    { "msg-cache-slabs:", "1" },
    { "rrset-cache-slabs:", "1" },
    { "infra-cache-slabs:", "1" },
    { "key-cache-slabs:", "1" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    if (!check (ub_ctx_set_option (unbound, options[i][0], options[i][1]), options[i][0], error))
      return FALSE;
  return TRUE;
}

static gboolean
set_anchor (struct ub_ctx *unbound, const char *anchor, GError **error)
{
  return anchor == NULL || check (ub_ctx_add_ta_file (unbound, anchor), anchor, error);
}

/* Without /etc/resolv.conf it is the server on this machine, as resolv.conf(5) says; /etc/hosts
   need not be there either. */
static gboolean
set_system (struct ub_ctx *unbound, GError **error)
{
  gboolean done = g_file_test (RESOLV_CONF, G_FILE_TEST_EXISTS)
                    ? check (ub_ctx_resolvconf (unbound, RESOLV_CONF), RESOLV_CONF, error)
                    : check (ub_ctx_set_fwd (unbound, "127.0.0.1"), "127.0.0.1", error);

  return done && (!g_file_test (HOSTS, G_FILE_TEST_EXISTS) ||
                  check (ub_ctx_hosts (unbound, HOSTS), HOSTS, error));
}

static gboolean
set_servers (struct ub_ctx *unbound, const char *const *servers, GError **error)
{
  if (servers[0] != NULL && g_str_equal (servers[0], "recursive"))
    return TRUE;
  if (servers[0] == NULL || g_str_equal (servers[0], "system"))
    return set_system (unbound, error);

  for (gsize i = 0; servers[i] != NULL; i++)
    {
      g_autofree char *address = dup_unbound_address (servers[i]);

      if (!check (ub_ctx_set_fwd (unbound, address), servers[i], error))
        return FALSE;
    }
  return TRUE;
}

RerouteResolver *
reroute_resolver_new_unbound (RerouteWorker *worker,
                              const char *const *servers,
                              const char *trust_anchor,
                              GError **error)
{
  g_autoptr (RerouteResolver) base = NULL;
  UnboundResolver *self = g_new0 (UnboundResolver, 1);

  base = &self->base;
  base->klass = &unbound_class;
  self->worker = worker;
  self->questions = g_hash_table_new_full (NULL, NULL, question_free, NULL);
  self->unbound = ub_ctx_create ();
  if (self->unbound == NULL)
    {
      g_set_error_literal (
        error, REROUTE_ERROR, REROUTE_ERROR_RESOLVER, "cannot set up DNS: out of memory");
      return NULL;
    }
  if (!set_options (self->unbound, error) || !set_servers (self->unbound, servers, error) ||
      !set_anchor (self->unbound, trust_anchor, error) ||
      !check (ub_ctx_async (self->unbound, 1), "a thread", error) ||
      /* libunbound answers for RFC 6761's "test." itself; it is the servers that know. */
      !check (ub_ctx_zone_remove (self->unbound, "test."), "libunbound", error))
    return NULL;

  self->io = (RerouteIo){ .fd = ub_fd (self->unbound), .events = EPOLLIN, .func = unbound_ready };
  reroute_worker_add_io (worker, &self->io);
  return g_steal_pointer (&base);
}

void
reroute_resolver_free (RerouteResolver *self)
{
  self->klass->free (self);
}

const char *
reroute_resolver_get_version (void)
{
  return ub_version ();
}
