/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * row-text.c - rows, findings and refusals in the words of the person who reads them
 *
 * Whether a value is valid is decided in common/; here it is only said.
 */

#include "config.h"

#include "gui/row-text.h"

#include "common/domain.h"
#include "common/error.h"
#include "common/limits.h"
#include "common/recipient.h"

#include <glib/gi18n.h>

#define HOSTS_NAMED 5 /* in a sentence, at most */

char *
reroute_dup_isolated (const char *value)
{
  return g_strconcat ("\342\201\250", value, "\342\201\251", NULL);
}

/* A value in bold, escaped and isolated. */
static char *
bold (const char *value)
{
  g_autofree char *isolated = reroute_dup_isolated (value);

  return g_markup_printf_escaped ("<b>%s</b>", isolated);
}

static char *
dup_domain (const RerouteRow *row)
{
  return reroute_domain_to_unicode (row->domain);
}

char *
reroute_row_dup_name (const RerouteRow *row)
{
  g_autofree char *domain = NULL;

  g_return_val_if_fail (row != NULL, NULL);

  if (row->page == REROUTE_PAGE_RECIPIENTS)
    return g_strdup (row->domain);
  domain = dup_domain (row);
  return g_strconcat (row->exact ? "#" : "", domain, NULL);
}

static char *
dup_host (const RerouteHost *host)
{
  g_autofree char *name = reroute_domain_to_unicode (host->name);
  gboolean brackets = host->literal && strchr (name, ':') != NULL;

  if (host->mx)
    return g_strdup_printf (_ ("MX of %s"), name);
  if (host->port == REROUTE_DEFAULT_SMTP_PORT)
    return g_steal_pointer (&name);
  return g_strdup_printf (brackets ? "[%s]:%u" : "%s:%u", name, (guint) host->port);
}

static char *
dup_hosts (const RerouteHosts *hosts)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < hosts->n_hosts; i++)
    {
      g_autofree char *host = dup_host (&hosts->hosts[i]);

      if (i > 0)
        g_string_append (text, ", ");
      g_string_append (text, host);
    }
  return g_string_free (text, FALSE);
}

static char *
dup_target (const RerouteRow *row)
{
  const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;
  const RerouteEmailDomain *domain = (const RerouteEmailDomain *) row;

  if (row->page == REROUTE_PAGE_RECIPIENTS)
    return g_strdup (_ ("<on the list>"));
  if (row->page == REROUTE_PAGE_CONNECTIONS)
    return domain->hosts != NULL ? dup_hosts (domain->hosts) : g_strdup (_ ("DNS"));
  switch (entry->action)
    {
    case REROUTE_ROUTING_INBOUND:
      return g_strdup (_ ("<inbound>"));
    case REROUTE_ROUTING_RELAY:
      return g_strdup (_ ("<always relay>"));
    case REROUTE_ROUTING_REROUTE:
      return g_strdup (entry->target);
    default:
      g_assert_not_reached ();
    }
}

static char *
dup_tls (const RerouteRow *row)
{
  const char *const words[] = {
    [REROUTE_TLS_UNSET] =
      _ ("As set for all domains"),
         [REROUTE_TLS_NONE] = C_ ("tls", "Never"),
         [REROUTE_TLS_OPPORTUNISTIC] = C_ ("tls", "Where it is offered"),
         [REROUTE_TLS_ENCRYPTED] = C_ ("tls", "Required"),
         [REROUTE_TLS_VERIFIED] = C_ ("tls", "Required, with a valid certificate"),
    };

  const RerouteEmailDomain *domain = (const RerouteEmailDomain *) row;
  g_autofree char *file = g_path_get_basename (domain->certificate);

  if (domain->certificate[0] == '\0')
    return g_strdup (words[row->tls]);
  /* Translators: in a list: whether TLS is demanded, “Required”; the file of a certificate. */
  return g_strdup_printf (_ ("%s, showing %s"), words[row->tls], file);
}

static const char *
get_check_word (const RerouteRow *row)
{
  switch (row->recipient_check)
    {
    case REROUTE_RECIPIENT_CHECK_CALL_AHEAD:
      return C_ ("column", "Asks the host");
    case REROUTE_RECIPIENT_CHECK_LIST:
      return C_ ("column", "By its list");
    case REROUTE_RECIPIENT_CHECK_NONE:
    default:
      return "";
    }
}

char *
reroute_row_dup_cell (const RerouteRow *row, RerouteColumn column)
{
  g_autofree char *label = NULL;

  g_return_val_if_fail (row != NULL, NULL);

  switch (column)
    {
    case REROUTE_COLUMN_DOMAIN:
      label = reroute_row_dup_name (row);
      /* Translators: an entry that is switched off, in a list; %s is its domain. */
      return row->enabled ? g_steal_pointer (&label) : g_strdup_printf (_ ("Off: %s"), label);
    case REROUTE_COLUMN_TARGET:
      return dup_target (row);
    case REROUTE_COLUMN_ACCEPT_FROM:
      return g_strdup (row->accept_from == REROUTE_ACCEPT_FROM_ANYONE
                         ? C_ ("column", "Anyone")
                         : C_ ("column", "Permitted hosts"));
    case REROUTE_COLUMN_COMMENT:
      return g_strdup (row->comment);
    case REROUTE_COLUMN_TLS:
      return dup_tls (row);
    case REROUTE_COLUMN_ACCOUNT:
      return g_strdup (((const RerouteEmailDomain *) row)->account);
    case REROUTE_COLUMN_RECIPIENT_CHECK:
      return g_strdup (get_check_word (row));
    case REROUTE_COLUMN_LEAVES:
      return g_strdup (row->leaves ? C_ ("column", "Yes") : "");
    case REROUTE_COLUMN_STATE:
    default:
      return g_strdup ("");
    }
}

const char *
reroute_column_to_sort (RerouteColumn column)
{
  const char *const names[] = {
    [REROUTE_COLUMN_STATE] = "id",        [REROUTE_COLUMN_DOMAIN] = "domain",
    [REROUTE_COLUMN_TARGET] = "target",   [REROUTE_COLUMN_ACCEPT_FROM] = "accept-from",
    [REROUTE_COLUMN_COMMENT] = "comment", [REROUTE_COLUMN_TLS] = "tls",
    [REROUTE_COLUMN_ACCOUNT] = "account", [REROUTE_COLUMN_RECIPIENT_CHECK] = "recipient-check",
    [REROUTE_COLUMN_LEAVES] = "leaves",
  };

  return names[column];
}

static int
compare_fields (const RerouteRow *a, const RerouteRow *b, RerouteColumn column)
{
  RerouteRowFields first = reroute_row_get_fields (a);
  RerouteRowFields second = reroute_row_get_fields (b);

  switch (column)
    {
    case REROUTE_COLUMN_TLS:
      return (int) first.tls - (int) second.tls;
    case REROUTE_COLUMN_ACCOUNT:
      return g_strcmp0 (first.account, second.account);
    case REROUTE_COLUMN_RECIPIENT_CHECK:
      return g_strcmp0 (reroute_recipient_check_to_string (first.recipient_check),
                        reroute_recipient_check_to_string (second.recipient_check));
    case REROUTE_COLUMN_LEAVES:
      return first.leaves - second.leaves;
    default:
      return 0;
    }
}

int
reroute_row_compare (const RerouteRow *a, const RerouteRow *b, RerouteColumn column)
{
  g_autofree char *target_a = NULL;
  g_autofree char *target_b = NULL;
  int order = 0;

  if (column == REROUTE_COLUMN_TARGET)
    {
      target_a = dup_target (a);
      target_b = dup_target (b);
      order = g_strcmp0 (target_a, target_b);
    }
  else if (column == REROUTE_COLUMN_COMMENT)
    order = g_strcmp0 (a->comment, b->comment);
  else if (column == REROUTE_COLUMN_ACCEPT_FROM)
    order = (int) a->accept_from - (int) b->accept_from;
  else
    order = compare_fields (a, b, column);
  return order != 0 ? order : g_strcmp0 (a->domain, b->domain);
}

gboolean
reroute_row_matches (const RerouteRow *row, const char *filter)
{
  const char *word = NULL;
  g_autofree char *list = NULL;
  g_autofree char *domain = NULL;
  g_autofree char *wanted = NULL;
  g_autofree char *label = NULL;
  g_autofree char *target = NULL;
  g_autofree char *all = NULL;
  g_autofree char *folded = NULL;

  if (filter[0] == '\0')
    return TRUE;
  if (row->page == REROUTE_PAGE_RECIPIENTS)
    list = reroute_recipient_filter_dup_domain (filter, &word);
  if (list != NULL && !reroute_recipient_is_below (row, list))
    return FALSE;
  if (list != NULL)
    filter = word;
  else
    domain = reroute_row_filter_dup_domain (filter);
  if (domain != NULL)
    return g_str_equal (row->domain, domain);
  label = reroute_row_dup_name (row);
  target = dup_target (row);
  all = g_strjoin ("\n", label, row->domain, target, row->comment, NULL);
  folded = g_utf8_casefold (all, -1);
  wanted = g_utf8_casefold (filter, -1);
  return strstr (folded, wanted) != NULL;
}

/* --- what an entry does --- */

static char *
dup_routing_sentence (const RerouteRow *row, const char *domain)
{
  const RerouteRoutingEntry *entry = (const RerouteRoutingEntry *) row;
  g_autofree char *target = NULL;

  switch (entry->action)
    {
    case REROUTE_ROUTING_INBOUND:
      /* Translators: %s is a domain. */
      return g_strdup_printf (
        row->exact ? _ ("Mail for anyone at %s is taken in and goes to the inbound host.")
                   : _ ("Mail for anyone at %s and its subdomains is taken in and goes to "
                                              "the inbound host."),
                        domain);
    case REROUTE_ROUTING_REROUTE:
      target = bold (entry->target);
      return g_strdup_printf (
        row->exact
        /* Translators: the domain of the recipient, and the one that takes its place */
        ? _ ("Mail for anyone at %s leaves for anyone at %s.")
        /* Translators: the domain of the recipient, and the one that takes its place */
        : _ ("Mail for anyone at %s and its subdomains leaves for anyone at %s."), domain, target);
    case REROUTE_ROUTING_RELAY:
      return g_strdup_printf (
        row->exact
        /* Translators: %s is a domain */
        ? _ ("Mail for anyone at %s keeps its address and goes where the "
                                              "Connections page says.")
        /* Translators: %s is a domain */
        : _ ("Mail for anyone at %s and its subdomains keeps its address and goes "
                                              "where the Connections page says."),
             domain);
    default:
      g_assert_not_reached ();
    }
}

static char *
dup_host_markup (const RerouteHost *host)
{
  g_autofree char *shown = reroute_domain_to_unicode (host->name);
  g_autofree char *name = bold (shown);

  if (host->mx)
    /* Translators: where mail goes: the mail exchangers (MX) of the domain %s. */
    return g_strdup_printf (_ ("the exchangers of %s"), name);
  if (host->port == REROUTE_DEFAULT_SMTP_PORT)
    return g_steal_pointer (&name);
  /* Translators: where mail goes: a host and a port number. */
  return g_strdup_printf (_ ("%s, port %u"), name, (guint) host->port);
}

/* The first of them, and how many more there are. */
static char *
dup_hosts_markup (const RerouteHosts *hosts)
{
  guint n_named = hosts->n_hosts <= HOSTS_NAMED ? (guint) hosts->n_hosts : HOSTS_NAMED - 1;
  guint n_more = (guint) hosts->n_hosts - n_named;
  g_autofree char *list = NULL;

  for (guint i = 0; i < n_named; i++)
    {
      g_autofree char *host = dup_host_markup (&hosts->hosts[i]);
      char *joined = NULL;

      if (list == NULL)
        {
          list = g_steal_pointer (&host);
          continue;
        }
      joined = hosts->by_turns
        /* Translators: hosts that are taken by turns: those before, one more */
        ? g_strdup_printf (_ ("%s; or %s"), list, host)
        /* Translators: hosts in the order in which they are tried: those before, one more */
        : g_strdup_printf (_ ("%s; then %s"), list, host);
      g_free (list);
      list = joined;
    }
  if (n_more == 0)
    return g_steal_pointer (&list);
  return g_strdup_printf (
    /* Translators: hosts that mail goes to, and how many others it may go to */
    g_dngettext (GETTEXT_PACKAGE, "%s; and %u more host", "%s; and %u more hosts", n_more),
    list,
    n_more);
}

static char *
dup_connections_sentence (const RerouteRow *row, const char *domain)
{
  const RerouteEmailDomain *entry = (const RerouteEmailDomain *) row;
  g_autofree char *hosts = NULL;

  if (entry->hosts == NULL)
    /* Translators: %s is a domain. */
    return g_strdup_printf (
      row->exact ? _ ("Mail for anyone at %s keeps its address and goes where DNS says.")
                 : _ ("Mail for anyone at %s and its subdomains keeps its address and goes "
                                            "where DNS says."),
                      domain);
  hosts = dup_hosts_markup (entry->hosts);
  return g_strdup_printf (
    row->exact
    /* Translators: a domain, one host or several */
    ? _ ("Mail for anyone at %s keeps its address and goes to %s.")
    /* Translators: a domain, one host or several */
    : _ ("Mail for anyone at %s and its subdomains keeps its address and goes to %s."),
         domain,
         hosts);
}

/* What an E-Mail Domain row says of TLS; NULL: nothing of its own */
static const char *
get_tls_sentence (const RerouteRow *row)
{
  switch (row->tls)
    {
    case REROUTE_TLS_NONE:
      return _ ("In clear text, even where TLS is offered.");
    case REROUTE_TLS_OPPORTUNISTIC:
      return _ ("By TLS where it is offered.");
    case REROUTE_TLS_ENCRYPTED:
      return _ ("Never without TLS.");
    case REROUTE_TLS_VERIFIED:
      return _ ("Never without TLS and a valid certificate.");
    case REROUTE_TLS_UNSET:
    default:
      return NULL;
    }
}

/* (nullable) */
static char *
dup_account_sentence (const RerouteRow *row)
{
  const char *account =
    row->page == REROUTE_PAGE_CONNECTIONS ? ((const RerouteEmailDomain *) row)->account : "";
  g_autofree char *name = bold (account);

  if (account[0] == '\0')
    return NULL;
  /* Translators: %s is the name of an account. */
  return g_strdup_printf (row->tls == REROUTE_TLS_NONE
                          ? _ ("It logs in there as %s.")
                          : _ ("It logs in there as %s, by TLS."), name);
}

/* (nullable) */
static char *
dup_certificate_sentence (const RerouteRow *row)
{
  const char *file =
    row->page == REROUTE_PAGE_CONNECTIONS ? ((const RerouteEmailDomain *) row)->certificate : "";
  g_autofree char *name = bold (file);

  if (file[0] == '\0')
    return NULL;
  /* Translators: %s is the file of a certificate, on the server. */
  return g_strdup_printf (_ ("It shows the certificate %s there, by TLS."), name);
}

/* (nullable) */
static const char *
get_check_sentence (const RerouteRow *row)
{
  switch (row->recipient_check)
    {
    case REROUTE_RECIPIENT_CHECK_CALL_AHEAD:
      return _ ("Recipients that the next host does not know are refused.");
    case REROUTE_RECIPIENT_CHECK_LIST:
      return _ ("Recipients that are not on its list are refused.");
    case REROUTE_RECIPIENT_CHECK_NONE:
    default:
      return NULL;
    }
}

/* (nullable) */
static const char *
get_etrn_sentence (const RerouteRow *row)
{
  return row->queue_for_etrn ? _ ("It waits until a host asks for it by ETRN.") : NULL;
}

static void
add_sentence (GStrvBuilder *sentences, const char *sentence)
{
  if (sentence != NULL)
    g_strv_builder_add (sentences, sentence);
}

char *
reroute_row_dup_sentence (const RerouteRow *row)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) sentences = NULL;
  g_autofree char *name = NULL;
  g_autofree char *domain = NULL;
  g_autofree char *what = NULL;
  g_autofree char *account = NULL;
  g_autofree char *certificate = NULL;
  gboolean is_inbound, is_rewritten;

  g_return_val_if_fail (row != NULL, NULL);

  name = dup_domain (row);
  domain = bold (name);
  if (!row->enabled)
    /* Translators: %s is a domain. */
    return g_strdup_printf (_ ("The entry for %s is off: it is as if it were not there."), domain);

  is_inbound = row->page == REROUTE_PAGE_ROUTING &&
               ((const RerouteRoutingEntry *) row)->action == REROUTE_ROUTING_INBOUND;
  is_rewritten = row->leaves && !is_inbound;
  what = row->page == REROUTE_PAGE_ROUTING ? dup_routing_sentence (row, domain)
                                           : dup_connections_sentence (row, domain);
  add_sentence (builder, what);
  add_sentence (builder, get_etrn_sentence (row));
  add_sentence (builder, get_tls_sentence (row));
  account = dup_account_sentence (row);
  add_sentence (builder, account);
  certificate = dup_certificate_sentence (row);
  add_sentence (builder, certificate);
  add_sentence (builder, get_check_sentence (row));
  add_sentence (builder, is_rewritten ? _ ("Senders of other domains are rewritten.") : NULL);
  add_sentence (builder,
                row->accept_from == REROUTE_ACCEPT_FROM_ANYONE
                ? _ ("Nobody needs permission to send it here.")
                : _ ("Only permitted hosts may send it here."));
  sentences = g_strv_builder_end (builder);
  return g_strjoinv (" ", sentences);
}

char *
reroute_dup_moment (gint64 wall_us)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (wall_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;

  /* Translators: date and time as g_date_time_format() writes them: 3 Mar 2026, 14:02. */
  return local != NULL ? g_date_time_format (local, _ ("%-e %b %Y, %H:%M")) : g_strdup ("–");
}

char *
reroute_row_dup_provenance (const RerouteRow *row)
{
  g_autofree char *when = NULL;

  g_return_val_if_fail (row != NULL, NULL);

  if (row->changed_us == 0 || row->changed_by[0] == '\0')
    return NULL;
  when = reroute_dup_moment (row->changed_us);
  /* Translators: the first %s is a person, the second date and time. */
  return g_strdup_printf (_ ("Last changed by %s, %s"), row->changed_by, when);
}

/* --- findings --- */

static gboolean
is_name_char (char c)
{
  return g_ascii_isalnum (c) || c == '-' || c == '_' || (c & 0x80) != 0;
}

/* The longest argument that stands at @at as a word of its own; NULL: none. */
static const char *
find_argument (const RerouteFinding *finding, const char *at)
{
  const char *longest = NULL;

  for (char **argument = finding->arguments; argument != NULL && *argument != NULL; argument++)
    {
      gsize length = strlen (*argument);
      const char *end = at + length;

      if (length == 0 || strncmp (at, *argument, length) != 0 || is_name_char (*end) ||
          (*end == '.' && is_name_char (end[1])))
        continue;
      if (longest == NULL || length > strlen (longest))
        longest = *argument;
    }
  return longest;
}

char *
reroute_finding_dup_markup (const RerouteFinding *finding)
{
  g_autoptr (GString) markup = g_string_new (NULL);
  const char *sentence = NULL;
  char before = ' ';

  g_return_val_if_fail (finding != NULL, NULL);

  /* The path of a loop is drawn below its sentence. */
  sentence = g_str_equal (finding->code, "loop")
    ? _ ("Mail would go round in a circle and never leave. Change one of these entries.")
    : finding->sentence;
  for (const char *at = sentence; *at != '\0';)
    {
      const char *argument =
        is_name_char (before) || before == '.' ? NULL : find_argument (finding, at);
      const char *next = argument != NULL ? at + strlen (argument) : g_utf8_next_char (at);
      g_autofree char *piece =
        argument != NULL ? bold (argument) : g_markup_escape_text (at, next - at);

      g_string_append (markup, piece);
      before = next[-1];
      at = next;
    }
  return g_string_free (g_steal_pointer (&markup), FALSE);
}

char *
reroute_dup_counts (guint n_errors, guint n_warnings)
{
  g_autofree char *errors =
    g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u error", "%u errors", n_errors), n_errors);
  g_autofree char *warnings = g_strdup_printf (
    g_dngettext (GETTEXT_PACKAGE, "%u warning", "%u warnings", n_warnings), n_warnings);

  if (n_errors == 0)
    return g_steal_pointer (&warnings);
  if (n_warnings == 0)
    return g_steal_pointer (&errors);
  /* Translators: "1 error", "2 warnings" */
  return g_strdup_printf (_ ("%s, %s"), errors, warnings);
}
