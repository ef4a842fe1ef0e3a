/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * doctor-bus.c - what reroutectl doctor looks at itself: both services on the bus, their versions,
 * and whether the rules that are saved are in force and sound
 */

#include "config.h"

#include "service/ctl/doctor.h"

#include "common/client/peer-facts.h"
#include "common/error.h"
#include "service/ctl/edit.h"

#define GENERATIONS_LOOKS 20 /* while the relay takes up what was saved a moment ago */
#define GENERATIONS_WAIT_MS 100

typedef struct
{
  RerouteDoctor *doctor;
  RerouteCtl *ctl;
  guint64 saved;    /* generation; valid with has_rules */
  GVariant *status; /* of the relay; NULL: it is not there */
  gboolean has_rules;
} Look;

static gboolean
wants (const Look *self, const char *check)
{
  return g_strv_contains (self->doctor->checks, check);
}

/* --- bus --- */

static void
ask_services (Look *self)
{
  g_autoptr (GError) rules_error = NULL;
  g_autoptr (GError) relay_error = NULL;
  g_autoptr (RerouteSettings) settings =
               reroute_ctl_load_settings (self->ctl, &self->saved, &rules_error);

  self->has_rules = settings != NULL;
  self->status = reroute_ctl_load_relay_status (self->ctl, &relay_error);
  self->doctor->relay_is_there = self->status != NULL;
  if (rules_error != NULL && wants (self, "bus"))
    reroute_doctor_report (self->doctor, "rules-away", rules_error->message, NULL);
  if (relay_error != NULL && wants (self, "bus"))
    reroute_doctor_report (self->doctor, "relay-away", relay_error->message, NULL);
}

/* (transfer full) (nullable) */
static ReroutePeerFacts *
load_facts (const Look *self, const ReroutePeer *peer)
{
  g_autoptr (GAsyncResult) result = NULL;

  reroute_peer_facts_load_async (peer, self->ctl->bus, NULL, reroute_ctl_wait_cb, &result);
  return reroute_peer_facts_load_finish (reroute_ctl_wait (&result), NULL);
}

static void
report_owner (const Look *self, const ReroutePeer *peer, const ReroutePeerFacts *facts)
{
  g_autofree char *pid = NULL;
  g_autofree char *uid = NULL;

  if (facts == NULL || !wants (self, "bus"))
    return;
  pid = g_strdup_printf ("%u", facts->pid);
  uid = g_strdup_printf ("%u", facts->uid);
  reroute_doctor_report (self->doctor, "bus-owned", peer->bus_name, pid, uid, NULL);
}

/* --- versions --- */

static void
report_versions (const Look *self, const ReroutePeerFacts *rules, const ReroutePeerFacts *relay)
{
  g_autofree char *schema = NULL;

  if (rules == NULL || relay == NULL || !wants (self, "versions"))
    return;
  if (g_str_equal (rules->version, REROUTE_VERSION) &&
      g_str_equal (relay->version, REROUTE_VERSION))
    reroute_doctor_report (self->doctor, "versions-same", REROUTE_VERSION, NULL);
  else
    reroute_doctor_report (
      self->doctor, "versions-differ", REROUTE_VERSION, rules->version, relay->version, NULL);
  schema = g_strdup_printf ("%u", rules->schema);
  if (rules->schema != 0)
    reroute_doctor_report (self->doctor, "versions-schema", schema, NULL);
}

/* --- rules --- */

/* The generation that the relay runs; 0: none */
static guint64
get_in_force (GVariant *status)
{
  guint64 serial = 0;
  gboolean held = FALSE;

  g_variant_lookup (status, "rules-held", "b", &held);
  g_variant_lookup (status, "serial", "t", &serial);
  return held ? serial : 0;
}

static gboolean
end_wait (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

static void
wait_a_moment (void)
{
  gboolean over = FALSE;

  g_timeout_add (GENERATIONS_WAIT_MS, end_wait, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

static void
ask_again (Look *self)
{
  g_autoptr (RerouteSettings) settings = NULL;

  wait_a_moment ();
  g_clear_pointer (&self->status, g_variant_unref);
  self->status = reroute_ctl_load_relay_status (self->ctl, NULL);
  settings = reroute_ctl_load_settings (self->ctl, &self->saved, NULL);
}

static void
compare_generations (Look *self)
{
  gboolean held = FALSE;
  guint64 in_force;
  g_autofree char *runs = NULL;
  g_autofree char *saved = NULL;

  for (guint i = 0;
       i < GENERATIONS_LOOKS && self->status != NULL && get_in_force (self->status) != self->saved;
       i++)
    ask_again (self);
  if (self->status == NULL)
    return;
  g_variant_lookup (self->status, "rules-held", "b", &held);
  in_force = get_in_force (self->status);
  runs = g_strdup_printf ("%" G_GUINT64_FORMAT, in_force);
  saved = g_strdup_printf ("%" G_GUINT64_FORMAT, self->saved);
  if (!held)
    reroute_doctor_report (self->doctor, "rules-none", NULL);
  else if (in_force == self->saved)
    reroute_doctor_report (self->doctor, "rules-in-force", runs, NULL);
  else
    reroute_doctor_report (self->doctor, "rules-behind", runs, saved, NULL);
}

static void
check_rules (Look *self)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GPtrArray) findings = NULL;

  reroute_rules_client_check_async (self->ctl->rules, NULL, NULL, reroute_ctl_wait_cb, &result);
  findings = reroute_rules_client_check_finish (self->ctl->rules, reroute_ctl_wait (&result), NULL);
  for (guint i = 0; findings != NULL && i < findings->len; i++)
    {
      const RerouteFinding *finding = findings->pdata[i];
      /* A check of its own tells more of that. */
      if (g_str_equal (finding->code, "postmaster-missing"))
        continue;
      if (finding->level == REROUTE_FINDING_ERROR)
        reroute_doctor_report (self->doctor, "rules-unsound", finding->sentence, NULL);
      else if (finding->level == REROUTE_FINDING_WARNING)
        reroute_doctor_report (self->doctor, "rules-doubtful", finding->sentence, NULL);
    }
}

/* --- public --- */

void
reroute_doctor_look_at_bus (RerouteDoctor *self, RerouteCtl *ctl)
{
  Look look = { .doctor = self, .ctl = ctl };

  ask_services (&look);
  g_autoptr (ReroutePeerFacts) rules = load_facts (&look, &reroute_peer_rules);
  g_autoptr (ReroutePeerFacts) relay = load_facts (&look, &reroute_peer_relay);
  report_owner (&look, &reroute_peer_rules, rules);
  report_owner (&look, &reroute_peer_relay, relay);
  report_versions (&look, rules, relay);
  if (look.has_rules && look.status != NULL && wants (&look, "rules"))
    {
      compare_generations (&look);
      check_rules (&look);
    }
  g_clear_pointer (&look.status, g_variant_unref);
}
