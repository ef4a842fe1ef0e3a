/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * visit.c - connections for who examines the relay: whether hosts answer, and what our own listener
 * shows in TLS
 *
 * A visit is greeted, says EHLO, perhaps STARTTLS, and QUIT; it hands nothing over.  Hosts of
 * others are those that mail goes to anyway, or a domain that somebody asks for.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/examine.h"

#include "common/error.h"
#include "common/limits.h"
#include "service/relay/deliver/connection.h"
#include "service/relay/deliver/scheduler-private.h"

#include <gnutls/x509.h>

#define HOSTS_MOST 3
#define ROWS_MOST 1000 /* that are looked at for them */
#define NAME_OCTETS 256
#define NAMES_MOST 20

/* What the visits of one call have found. */
typedef struct
{
  RerouteScheduler *scheduler;
  char *domain; /* "" to hosts of the queue or the rules; NULL: to the endpoint alone */
  RerouteEndpoint endpoint;
  gboolean in_tls;

  guint n_pending; /* visits and look-ups */
  guint n_visits;
  GVariantBuilder hosts;    /* a(sus) */
  char *failure;            /* of the endpoint: why it does not answer, or not in TLS */
  GVariantDict certificate; /* of the endpoint */
} Tour;

typedef struct
{
  GTask *task; /* whose data is the tour; borrowed */
  Tour *tour;
  RerouteConnection *connection;
  RerouteTimer timer;
  GList link;        /* in RerouteScheduler.visits */
  gboolean answered; /* or has failed: it was noted */
} Visit;

/* A look-up of where to go. */
typedef struct
{
  GTask *task;
  char *label;
  gboolean may_fail; /* that there is no host is no fault */
} LookUp;

static void
free_tour (gpointer data)
{
  Tour *tour = data;

  g_free (tour->domain);
  reroute_endpoint_clear (&tour->endpoint);
  g_variant_builder_clear (&tour->hosts);
  g_variant_dict_clear (&tour->certificate);
  g_free (tour->failure);
  g_free (tour);
}

static void
end_one (GTask *task)
{
  Tour *tour = g_task_get_task_data (task);
  GVariant *value;

  if (--tour->n_pending > 0)
    return;
  if (tour->domain != NULL)
    value = g_variant_new ("(a(sus))", &tour->hosts);
  else
    value = g_variant_new ("(s@a{sv})",
                           tour->failure != NULL ? tour->failure : "",
                           g_variant_dict_end (&tour->certificate));
  g_task_return_pointer (task, g_variant_ref_sink (value), (GDestroyNotify) g_variant_unref);
  g_object_unref (task);
}

static void
note_host (Tour *tour, const char *label, RerouteVisitState state, const char *why)
{
  g_autofree char *valid = g_utf8_make_valid (why, -1);

  g_variant_builder_add (&tour->hosts, "(sus)", label, state, valid);
}

/* --- the certificate that is shown --- */

static gboolean
is_self_signed (gnutls_x509_crt_t certificate)
{
  return gnutls_x509_crt_check_issuer (certificate, certificate) != 0;
}

static GVariant *
list_names (gnutls_x509_crt_t certificate)
{
  GVariantBuilder names;

  g_variant_builder_init (&names, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; i < NAMES_MOST; i++)
    {
      char name[NAME_OCTETS] = "";
      size_t length = sizeof name - 1;
      int kind = gnutls_x509_crt_get_subject_alt_name (certificate, i, name, &length, NULL);

      if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        break;
      if (kind == GNUTLS_SAN_DNSNAME && g_utf8_validate (name, -1, NULL))
        g_variant_builder_add (&names, "s", name);
    }
  return g_variant_builder_end (&names);
}

static void
describe_certificate (Tour *tour, gnutls_x509_crt_t certificate)
{
  GVariantDict *dict = &tour->certificate;

  g_variant_dict_insert_value (dict, "names", list_names (certificate));
  g_variant_dict_insert (
    dict, "from", "x", (gint64) gnutls_x509_crt_get_activation_time (certificate));
  g_variant_dict_insert (
    dict, "until", "x", (gint64) gnutls_x509_crt_get_expiration_time (certificate));
  g_variant_dict_insert (
    dict, "for-name", "b", gnutls_x509_crt_check_hostname (certificate, tour->endpoint.name) != 0);
  g_variant_dict_insert (dict, "self-signed", "b", is_self_signed (certificate));
}

/* What is wrong with its name is told apart. */
static void
doubt_certificate (Tour *tour, RerouteConnection *connection)
{
  const char *const names[] = { tour->endpoint.name, NULL };
  RerouteTlsVerdict verdict;
  g_autoptr (GError) error = NULL;
  gboolean verified = reroute_connection_verify (connection, names, &verdict, &error) ||
                      verdict == REROUTE_TLS_VERDICT_CERTIFICATE_HOST_MISMATCH;

  g_variant_dict_insert (&tour->certificate, "doubt", "s", verified ? "" : error->message);
}

static void
look_at_certificate (Tour *tour, RerouteConnection *connection)
{
  gnutls_session_t session = reroute_connection_get_tls_session (connection);
  unsigned int n = 0;
  const gnutls_datum_t *shown = session != NULL ? gnutls_certificate_get_peers (session, &n) : NULL;
  gnutls_x509_crt_t certificate;

  if (n == 0 || gnutls_x509_crt_init (&certificate) < 0)
    {
      tour->failure = g_strdup ("STARTTLS is not offered");
      return;
    }
  if (gnutls_x509_crt_import (certificate, &shown[0], GNUTLS_X509_FMT_DER) < 0)
    tour->failure = g_strdup ("the certificate cannot be read");
  else
    {
      describe_certificate (tour, certificate);
      doubt_certificate (tour, connection);
    }
  gnutls_x509_crt_deinit (certificate);
}

/* --- a visit --- */

/* @failure: (nullable): NULL: it answers */
static void
note_visit (Visit *visit, const char *failure)
{
  Tour *tour = visit->tour;
  g_autofree char *label = NULL;

  if (visit->answered)
    return;
  visit->answered = TRUE;
  if (tour->domain == NULL)
    {
      tour->failure = g_strdup (failure);
      return;
    }
  label = reroute_connection_dup_label (visit->connection);
  note_host (tour,
             label,
             failure == NULL ? REROUTE_VISIT_ANSWERED : REROUTE_VISIT_FAILED,
             failure != NULL ? failure : "");
}

static void
end_visit (Visit *visit)
{
  RerouteScheduler *scheduler = visit->tour->scheduler;
  GTask *task = visit->task;

  reroute_worker_disarm_timer (scheduler->thread, &visit->timer);
  reroute_connection_free (visit->connection);
  g_queue_unlink (&scheduler->visits, &visit->link);
  g_free (visit);
  end_one (task);
}

static void
ready (RerouteConnection *connection, gpointer user_data)
{
  Visit *visit = user_data;

  note_visit (visit, NULL);
  if (visit->tour->in_tls)
    look_at_certificate (visit->tour, connection);
  reroute_connection_quit (connection);
}

/* No transaction is ever begun. */
static void
done (RerouteConnection *connection, gpointer user_data)
{
  g_assert_not_reached ();
}

/* Also the end of one that has said QUIT. */
static void
failed (RerouteConnection *connection, const RerouteReply *reply, gpointer user_data)
{
  Visit *visit = user_data;
  g_autofree char *why = reroute_reply_to_string (reply);

  note_visit (visit, why);
  end_visit (visit);
}

static const RerouteConnectionHandler handler = { ready, done, failed };

static void
timed_out (RerouteTimer *timer)
{
  Visit *visit = (Visit *) ((char *) timer - G_STRUCT_OFFSET (Visit, timer));
  g_autofree char *why = g_strdup_printf ("no answer within %d s", REROUTE_LIMIT_VISIT_S);

  note_visit (visit, why);
  end_visit (visit);
}

static void
begin_visit (GTask *task, const RerouteEndpoint *endpoint)
{
  Tour *tour = g_task_get_task_data (task);
  RerouteScheduler *scheduler = tour->scheduler;
  RerouteSettings *settings = reroute_scheduler_get_settings (scheduler);
  g_autoptr (RerouteTlsClient) tls = reroute_tls_client_new (
    reroute_settings_get_paths (settings, REROUTE_SETTING_TLS_TRUST));
  const RerouteConnectionConfig config = {
    .endpoint = endpoint,
    .settings = settings,
    .hostname = reroute_scheduler_get_hostname (scheduler),
    .tls = tls,
    .tls_level = tour->in_tls ? REROUTE_TLS_OPPORTUNISTIC : REROUTE_TLS_NONE,
    .tokens = scheduler->tokens,
  };
  Visit *visit = g_new0 (Visit, 1);

  visit->task = task;
  visit->tour = tour;
  visit->link.data = visit;
  visit->timer.func = timed_out;
  tour->n_pending++;
  tour->n_visits++;
  g_queue_push_tail_link (&scheduler->visits, &visit->link);
  visit->connection = reroute_connection_new (scheduler->thread, &config, &handler, visit);
  reroute_worker_arm_timer (scheduler->thread,
                            &visit->timer,
                            reroute_worker_now_us (scheduler->thread) +
                              REROUTE_LIMIT_VISIT_S * G_USEC_PER_SEC);
}

void
reroute_visits_close (RerouteScheduler *self)
{
  while (self->visits.head != NULL)
    {
      Visit *visit = self->visits.head->data;

      note_visit (visit, "the relay is stopping");
      end_visit (visit);
    }
}

/* --- which hosts --- */

static void
resolved (RerouteNextHop *found, gpointer user_data)
{
  g_autoptr (RerouteNextHop) next_hop = found;
  LookUp *look_up = user_data;
  GTask *task = look_up->task;
  Tour *tour = g_task_get_task_data (task);
  gboolean is_found = next_hop->state == REROUTE_NEXT_HOP_FOUND && !tour->scheduler->stopping;
  gboolean is_fault = next_hop->state == REROUTE_NEXT_HOP_DEFER || !look_up->may_fail;

  if (!is_found && is_fault)
    note_host (tour,
               look_up->label,
               REROUTE_VISIT_UNRESOLVED,
               next_hop->reason != NULL ? next_hop->reason : "the relay is stopping");
  for (guint i = 0; is_found && i < next_hop->endpoints->len && tour->n_visits < HOSTS_MOST; i++)
    begin_visit (task, &g_array_index (next_hop->endpoints, RerouteEndpoint, i));
  g_free (look_up->label);
  g_free (look_up);
  end_one (task);
}

static void
resolve (GTask *task, const RerouteDecision *decision, const char *label, gboolean may_fail)
{
  Tour *tour = g_task_get_task_data (task);
  LookUp *look_up = g_new (LookUp, 1);

  *look_up = (LookUp){ task, g_strdup (label), may_fail };
  tour->n_pending++;
  reroute_scheduler_resolve (tour->scheduler, decision, 0, resolved, look_up);
}

/* Where the mail of a few rows goes. */
typedef struct
{
  GTask *task;
  GHashTable *seen; /* (element-type utf8) */
  guint n_left;     /* rows to look at */
} Survey;

static gboolean
add_row (RerouteRow *row, gpointer user_data)
{
  Survey *survey = user_data;
  Tour *tour = g_task_get_task_data (survey->task);
  g_autofree char *text = g_strconcat ("postmaster@", row->domain, NULL);
  g_autoptr (RerouteAddress) address = reroute_address_parse (text, TRUE, NULL);
  g_autoptr (RerouteDecision) decision = NULL;

  if (survey->n_left == 0)
    return FALSE;
  survey->n_left--;
  if (address == NULL || !row->enabled)
    return TRUE;
  decision = reroute_ruleset_decide (tour->scheduler->ruleset, address, NULL, NULL);
  if (decision->action == REROUTE_ACTION_REJECT || decision->etrn_domain != NULL ||
      decision->next_hop == NULL || !g_hash_table_add (survey->seen, g_strdup (decision->next_hop)))
    return TRUE;
  /* An entry for the subdomains of a domain need not have mail for the domain. */
  resolve (survey->task, decision, decision->next_hop, !row->exact && decision->hosts == NULL);
  return g_hash_table_size (survey->seen) < HOSTS_MOST;
}

static void
visit_rules (GTask *task)
{
  Tour *tour = g_task_get_task_data (task);
  RerouteRuleset *ruleset = tour->scheduler->ruleset;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Survey survey = { task, seen, ROWS_MOST };
  RerouteDecision usual = { 0 };

  if (ruleset == NULL)
    return;
  usual.hosts = reroute_settings_get_hosts (reroute_ruleset_get_settings (ruleset),
                                            REROUTE_SETTING_DEFAULT_DELIVERY);
  if (usual.hosts != NULL)
    resolve (task, &usual, "default-delivery", FALSE);
  reroute_ruleset_foreach (ruleset, REROUTE_PAGE_CONNECTIONS, add_row, &survey);
  if (g_hash_table_size (seen) < HOSTS_MOST)
    reroute_ruleset_foreach (ruleset, REROUTE_PAGE_ROUTING, add_row, &survey);
}

/* Those where mail for everybody is taken first, then the newest. */
static int
compare_destinations (gconstpointer a, gconstpointer b)
{
  const RerouteDestination *one = *(RerouteDestination *const *) a;
  const RerouteDestination *other = *(RerouteDestination *const *) b;
  gboolean one_is_usual = one->port == one->scheduler->mx_port;
  gboolean other_is_usual = other->port == other->scheduler->mx_port;

  if (one_is_usual != other_is_usual)
    return one_is_usual ? -1 : 1;
  return one->used_us > other->used_us ? -1 : one->used_us < other->used_us;
}

/* Returns: FALSE when there are none */
static gboolean
visit_destinations (GTask *task)
{
  Tour *tour = g_task_get_task_data (task);
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, tour->scheduler->destinations.by_address);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((RerouteDestination *) value)->socket == NULL)
      g_ptr_array_add (all, value);
  g_ptr_array_sort (all, compare_destinations);
  for (guint i = 0; i < all->len && i < HOSTS_MOST; i++)
    {
      const RerouteDestination *destination = all->pdata[i];
      g_autofree char *name = reroute_ip_to_string (&destination->ip);
      const RerouteEndpoint endpoint = { .name = name,
                                         .ip = destination->ip,
                                         .port = destination->port };

      begin_visit (task, &endpoint);
    }
  return all->len > 0;
}

static void
start_tour (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Tour *tour = g_task_get_task_data (task);
  const RerouteDecision decision = { .dns_domain = tour->domain };

  tour->n_pending = 1;
  if (tour->scheduler->stopping)
    tour->failure = g_strdup ("the relay is stopping");
  else if (tour->domain == NULL)
    begin_visit (task, &tour->endpoint);
  else if (*tour->domain != '\0')
    resolve (task, &decision, tour->domain, FALSE);
  else if (!visit_destinations (task))
    visit_rules (task);
  end_one (task);
}

/* --- public --- */

static Tour *
new_tour (RerouteScheduler *scheduler)
{
  Tour *tour = g_new0 (Tour, 1);

  tour->scheduler = scheduler;
  g_variant_builder_init (&tour->hosts, G_VARIANT_TYPE ("a(sus)"));
  g_variant_dict_init (&tour->certificate, NULL);
  return tour;
}

void
reroute_scheduler_visit_hosts_async (RerouteScheduler *self,
                                     const char *domain,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  g_return_if_fail (self != NULL && domain != NULL);

  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Tour *tour = new_tour (self);

  tour->domain = g_strdup (domain);
  g_task_set_source_tag (task, reroute_scheduler_visit_hosts_async);
  g_task_set_task_data (task, tour, free_tour);
  reroute_worker_post (self->thread, start_tour, task);
}

void
reroute_scheduler_visit_address_async (RerouteScheduler *self,
                                       const char *name,
                                       const RerouteIp *ip,
                                       guint16 port,
                                       gboolean in_tls,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  g_return_if_fail (self != NULL && name != NULL && ip != NULL);

  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Tour *tour = new_tour (self);

  tour->endpoint = (RerouteEndpoint){ .name = g_strdup (name), .ip = *ip, .port = port };
  tour->in_tls = in_tls;
  g_task_set_source_tag (task, reroute_scheduler_visit_address_async);
  g_task_set_task_data (task, tour, free_tour);
  reroute_worker_post (self->thread, start_tour, task);
}
