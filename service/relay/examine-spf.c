/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * examine-spf.c - whether SPF of the domain where senders are rewritten allows our addresses
 *
 * A walk over the record and those that it includes, one for each address.  What depends on a
 * message (macros, exists) or is not to be used (ptr) is not judged: then nothing can be told.
 *
 * Standards: RFC 7208 sections 4 (check_host), 5 (mechanisms) and 6.1 (redirect).
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/examination-private.h"

#include "common/diagnosis.h"

#include <string.h>

#define VERSION "v=spf1"
#define LOOK_UPS_MOST 10   /* RFC 7208 4.6.4 */
#define EXCHANGERS_MOST 10 /* likewise */
#define ADDRESSES_MOST 4   /* of ours */
#define IPV4_BITS 32
#define IPV6_BITS 128

/* A record on the way through it. */
typedef struct
{
  char *domain;
  GStrv terms; /* behind the version */
  guint next;
  char *redirect; /* (nullable) */
  char qualifier; /* of the include that led here */
} Record;

typedef struct
{
  RerouteCheck *check;
  char *domain;
  char *address;
  RerouteIp ip;
  GPtrArray *records;    /* (element-type Record): the last is walked through */
  guint n_look_ups;      /* behind the first */
  char *asked;           /* (nullable): whose record is looked up */
  const char *term;      /* that is looked up; of the last record */
  char qualifier;        /* of it */
  guint bits4, bits6;    /* of it: what counts of an address */
  GPtrArray *exchangers; /* (element-type utf8): whose addresses are still to be looked up */
} Walk;

typedef enum
{
  NO_MATCH,
  MATCH,
  WAITS,  /* for DNS */
  UNTOLD, /* not judged here */
} Verdict;

static void
record_free (gpointer data)
{
  Record *record = data;

  g_free (record->domain);
  g_strfreev (record->terms);
  g_free (record->redirect);
  g_free (record);
}

static Record *
get_record (const Walk *self)
{
  return self->records->pdata[self->records->len - 1];
}

/* --- the end --- */

static void
end (Walk *self)
{
  reroute_check_end_step (self->check);
  g_ptr_array_unref (self->records);
  g_ptr_array_unref (self->exchangers);
  g_free (self->domain);
  g_free (self->address);
  g_free (self->asked);
  g_free (self);
}

/* @code: of common/diagnosis; @why: (nullable): its third argument */
static void
finish (Walk *self, const char *code, const char *why)
{
  reroute_check_report (self->check, code, self->domain, self->address, why, NULL);
  end (self);
}

static void
finish_without_record (Walk *self)
{
  g_autofree char *proposal = g_strdup_printf (
    VERSION " ip%c:%s -all", reroute_ip_is_ipv4 (&self->ip) ? '4' : '6', self->address);

  reroute_check_report (self->check, "spf-missing", self->domain, proposal, NULL);
  end (self);
}

static void advance (Walk *self);

/* A term with @qualifier has matched.  Returns: FALSE when the walk is over */
static gboolean
conclude (Walk *self, char qualifier)
{
  while (self->records->len > 1)
    {
      gboolean passes = qualifier == '+';
      /* An include matches when the record that it names passes. */
      qualifier = get_record (self)->qualifier;
      g_ptr_array_set_size (self->records, (int) self->records->len - 1);
      if (!passes)
        return TRUE;
    }
  finish (self, qualifier == '+' ? "spf-ok" : "spf-refused", NULL);
  return FALSE;
}

/* --- addresses --- */

static gboolean
is_within (const Walk *self, const RerouteIp *network)
{
  gboolean is_ipv4 = reroute_ip_is_ipv4 (network);
  const RerouteIpRange range = {
    .first = *network,
    .prefix_bits = is_ipv4 ? IPV6_BITS - IPV4_BITS + self->bits4 : self->bits6,
  };

  return is_ipv4 == reroute_ip_is_ipv4 (&self->ip) && reroute_ip_range_contains (&range, &self->ip);
}

/* "ip4:192.0.2.0/24", also with host bits set */
static Verdict
match_range (const Walk *self, const char *text)
{
  RerouteIpRange range = { .prefix_bits = G_MAXUINT };

  reroute_ip_range_parse (text, &range, NULL);
  if (range.prefix_bits > IPV6_BITS)
    return UNTOLD;
  return reroute_ip_is_ipv4 (&range.first) == reroute_ip_is_ipv4 (&self->ip) &&
             reroute_ip_range_contains (&range, &self->ip)
           ? MATCH
           : NO_MATCH;
}

static void
matched (Walk *self, gboolean matches)
{
  g_ptr_array_set_size (self->exchangers, 0);
  if (!matches || conclude (self, self->qualifier))
    advance (self);
}

static gboolean
contains_own (const Walk *self, const char *const *records)
{
  RerouteIp ip;

  for (; *records != NULL; records++)
    if (reroute_ip_parse (*records, &ip) && is_within (self, &ip))
      return TRUE;
  return FALSE;
}

static void
found_addresses (RerouteCheck *check,
                 RerouteDnsStatus status,
                 const char *const *records,
                 gpointer user_data)
{
  Walk *self = user_data;

  if (status == REROUTE_DNS_FAILED)
    finish (self, "spf-untold", records[0]);
  else if (contains_own (self, records))
    matched (self, TRUE);
  else if (self->exchangers->len > 0)
    {
      g_autofree char *next = g_ptr_array_steal_index (self->exchangers, 0);
      reroute_check_look_up (check, REROUTE_DNS_ADDRESSES, next, found_addresses, self);
    }
  else
    matched (self, FALSE);
}

static void
found_exchangers (RerouteCheck *check,
                  RerouteDnsStatus status,
                  const char *const *records,
                  gpointer user_data)
{
  Walk *self = user_data;
  const char *const none[] = { NULL };

  for (gsize i = 0; status == REROUTE_DNS_ANSWER && records[i] != NULL && i < EXCHANGERS_MOST; i++)
    g_ptr_array_add (self->exchangers, g_strdup (records[i]));
  /* From here on as behind the addresses of one that did not match. */
  found_addresses (check, status, status == REROUTE_DNS_FAILED ? records : none, self);
}

/* --- records --- */

/* The terms of the SPF record among @texts; @n: how many there are */
static GStrv
find_terms (const char *const *texts, guint *n)
{
  GStrv terms = NULL;

  for (*n = 0; *texts != NULL; texts++)
    {
      const char *rest = *texts + strlen (VERSION);

      if (g_ascii_strncasecmp (*texts, VERSION, strlen (VERSION)) != 0 ||
          (*rest != ' ' && *rest != '\0'))
        continue;
      (*n)++;
      g_strfreev (terms);
      terms = g_strsplit (rest, " ", -1);
    }
  return terms;
}

static void
found_texts (RerouteCheck *check,
             RerouteDnsStatus status,
             const char *const *texts,
             gpointer user_data)
{
  Walk *self = user_data;
  gboolean is_first = self->n_look_ups == 0;
  guint n = 0;
  g_auto (GStrv) terms = status == REROUTE_DNS_ANSWER ? find_terms (texts, &n) : NULL;
  Record *record;

  if (status == REROUTE_DNS_FAILED)
    finish (self, "spf-untold", texts[0]);
  else if (n != 1 && !is_first)
    finish (self, "spf-untold", self->term);
  else if (n > 1)
    finish (self, "spf-several", NULL);
  else if (n == 0)
    finish_without_record (self);
  else
    {
      record = g_new0 (Record, 1);
      record->domain = g_steal_pointer (&self->asked);
      record->terms = g_steal_pointer (&terms);
      record->qualifier = self->qualifier;
      g_ptr_array_add (self->records, record);
      advance (self);
    }
}

static void
look_up_record (Walk *self, const char *domain)
{
  g_free (self->asked);
  self->asked = g_strdup (domain);
  reroute_check_look_up (self->check, REROUTE_DNS_TEXTS, domain, found_texts, self);
}

/* --- terms --- */

/* "/24//64" behind a mechanism; FALSE: it is none */
static gboolean
parse_bits (Walk *self, const char *text)
{
  const char *six = strstr (text, "//");
  g_autofree char *four = six != NULL ? g_strndup (text, (gsize) (six - text)) : g_strdup (text);
  guint64 bits4 = IPV4_BITS, bits6 = IPV6_BITS;
  gboolean valid =
    (*four == '\0' ||
     (*four == '/' && g_ascii_string_to_unsigned (four + 1, 10, 0, IPV4_BITS, &bits4, NULL))) &&
    (six == NULL || g_ascii_string_to_unsigned (six + 2, 10, 0, IPV6_BITS, &bits6, NULL));

  self->bits4 = (guint) bits4;
  self->bits6 = (guint) bits6;
  return valid;
}

/* Asks of the domain that stands behind the name of a mechanism, or of the record's own.
   @func: (nullable): NULL asks for the record of the domain */
static Verdict
ask (Walk *self, const char *rest, RerouteDnsKind kind, RerouteCheckAnswerFunc func)
{
  gsize n = *rest == ':' ? strcspn (rest + 1, "/") : 0;
  g_autofree char *name = n > 0 ? g_strndup (rest + 1, n) : g_strdup (get_record (self)->domain);
  const char *bits = *rest == ':' ? rest + 1 + n : rest;

  if (++self->n_look_ups > LOOK_UPS_MOST || !parse_bits (self, bits))
    return UNTOLD;
  if (func == NULL)
    look_up_record (self, name);
  else
    reroute_check_look_up (self->check, kind, name, func, self);
  return WAITS;
}

static Verdict
judge (Walk *self, const char *term)
{
  const char *mechanism = term + (strchr ("+-~?", *term) != NULL ? 1 : 0);
  gsize n = strcspn (mechanism, ":/");
  g_autofree char *name = g_ascii_strdown (mechanism, (gssize) n);
  const char *rest = mechanism + n;

  self->term = term;
  self->qualifier = mechanism != term ? *term : '+';
  if (strchr (term, '%') != NULL)
    return UNTOLD;
  if (g_str_equal (name, "all"))
    return MATCH;
  if ((g_str_equal (name, "ip4") || g_str_equal (name, "ip6")) && *rest == ':')
    return match_range (self, rest + 1);
  if (g_str_equal (name, "a"))
    return ask (self, rest, REROUTE_DNS_ADDRESSES, found_addresses);
  if (g_str_equal (name, "mx"))
    return ask (self, rest, REROUTE_DNS_EXCHANGERS, found_exchangers);
  if (g_str_equal (name, "include") && *rest == ':')
    return ask (self, rest, REROUTE_DNS_TEXTS, NULL);
  return UNTOLD;
}

/* A modifier, "name=value": but for redirect they say nothing here. */
static gboolean
take_modifier (Record *record, const char *term)
{
  const char *sign = strchr (term, '=');

  if (sign == NULL || strcspn (term, ":/") < (gsize) (sign - term))
    return FALSE;
  if (g_ascii_strncasecmp (term, "redirect=", strlen ("redirect=")) == 0)
    {
      g_free (record->redirect);
      record->redirect = g_strdup (sign + 1);
    }
  return TRUE;
}

/* The record is through without a match.  Returns: FALSE when the walk waits or is over */
static gboolean
end_record (Walk *self)
{
  Record *record = get_record (self);
  g_autofree char *redirect = g_steal_pointer (&record->redirect);

  if (redirect == NULL)
    return conclude (self, '?');
  self->qualifier = record->qualifier;
  self->term = "redirect";
  if (++self->n_look_ups > LOOK_UPS_MOST || strchr (redirect, '%') != NULL)
    {
      finish (self, "spf-untold", self->term);
      return FALSE;
    }
  /* The other record stands in the place of this one. */
  g_ptr_array_set_size (self->records, (int) self->records->len - 1);
  look_up_record (self, redirect);
  return FALSE;
}

/* Goes on until an answer is waited for; the last step of whoever calls. */
static void
advance (Walk *self)
{
  for (;;)
    {
      Record *record = get_record (self);
      const char *term = record->terms[record->next];
      Verdict verdict;

      if (term == NULL)
        {
          if (!end_record (self))
            return;
          continue;
        }
      record->next++;
      if (*term == '\0' || take_modifier (record, term))
        continue;
      verdict = judge (self, term);
      if (verdict == UNTOLD)
        finish (self, "spf-untold", term);
      if (verdict == UNTOLD || verdict == WAITS ||
          (verdict == MATCH && !conclude (self, self->qualifier)))
        return;
    }
}

/* --- public --- */

static void
begin_walk (RerouteCheck *check, const char *domain, const char *address)
{
  Walk *self = g_new0 (Walk, 1);

  self->check = check;
  self->domain = g_strdup (domain);
  self->address = g_strdup (address);
  self->records = g_ptr_array_new_with_free_func (record_free);
  self->exchangers = g_ptr_array_new_with_free_func (g_free);
  reroute_check_begin_step (check);
  if (reroute_ip_parse (address, &self->ip))
    look_up_record (self, domain);
  else
    finish (self, "spf-untold", address);
}

/* Where mail leaves from when no setting says so: where the host name leads. */
static void
found_own (RerouteCheck *self,
           RerouteDnsStatus status,
           const char *const *records,
           gpointer user_data)
{
  g_autofree char *domain = user_data;

  for (guint i = 0; status == REROUTE_DNS_ANSWER && records[i] != NULL && i < ADDRESSES_MOST; i++)
    begin_walk (self, domain, records[i]);
}

void
reroute_examine_spf (RerouteCheck *self)
{
  const RerouteRelayParts *parts = reroute_check_get_parts (self);
  const RerouteIpRange *sources;
  const char *domain;
  gsize n = 0;

  if (parts == NULL || parts->ruleset == NULL)
    return;
  RerouteSettings *settings = reroute_ruleset_get_settings (parts->ruleset);
  domain = reroute_settings_get_text (settings, REROUTE_SETTING_SRS_DOMAIN);
  sources = reroute_settings_get_ranges (settings, REROUTE_SETTING_SOURCE_ADDRESS, &n);
  if (*domain == '\0')
    reroute_check_report (self, "spf-unused", NULL);
  else if (n == 0)
    reroute_check_look_up (
      self, REROUTE_DNS_ADDRESSES, parts->hostname, found_own, g_strdup (domain));
  for (gsize i = 0; *domain != '\0' && i < n; i++)
    {
      g_autofree char *address = reroute_ip_to_string (&sources[i].first);
      begin_walk (self, domain, address);
    }
}
