/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relay-service-certificates.c - org.reroute.Relay1: whether files of certificates serve
 *
 * The files are those of the relay's user, so that nobody else can tell.  They are read in a thread
 * of their own: a name that is half typed may be that of a file system which takes its time.  What
 * is said of a file is what Status says when a setting names it, so who may change settings learns
 * nothing new.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay-service"

#include "service/relay/relay-service-private.h"

#include "common/error.h"
#include "common/file-name.h"
#include "common/limits.h"
#include "common/settings.h"
#include "service/relay/certificate.h"
#include "service/relay/deliver/client-certificate.h"
#include "service/relay/receive/tls-server.h"

typedef struct
{
  gboolean to_clients; /* else to hosts */
  GStrv certificates;
  GStrv keys;
} Question;

static void
free_question (gpointer data)
{
  Question *self = data;

  g_strfreev (self->certificates);
  g_strfreev (self->keys);
  g_free (self);
}

/* Reads the files.  Returns: whether they serve; @expiry_s: (out): until when */
static gboolean
try_files (const Question *question, gint64 *expiry_s, GError **error)
{
  const char *const *certificates = (const char *const *) question->certificates;
  g_autoptr (RerouteTlsServer) server = NULL;
  g_autoptr (RerouteClientCertificate) certificate = NULL;

  if (question->to_clients)
    {
      server = reroute_tls_server_new (certificates, (const char *const *) question->keys, error);
      *expiry_s = server != NULL ? reroute_tls_server_get_expiry_s (server) : 0;
      return server != NULL;
    }
  certificate = reroute_client_certificate_read (certificates[0], error);
  *expiry_s = certificate != NULL ? reroute_client_certificate_get_expiry_s (certificate) : 0;
  return certificate != NULL;
}

static char *
dup_remark (const Question *question)
{
  g_autoptr (GError) error = NULL;
  gint64 expiry_s;
  gint64 soon_s = g_get_real_time () / G_USEC_PER_SEC +
                  REROUTE_LIMIT_CERTIFICATE_SOON_DAYS * (gint64) (24 * 60 * 60);
  g_autofree char *day = NULL;

  if (!try_files (question, &expiry_s, &error))
    return g_strdup (error->message);
  if (expiry_s > soon_s)
    return g_strdup ("");
  day = reroute_certificate_format_day (expiry_s);
  return g_strdup_printf ("a certificate expires on %s", day);
}

static void
judge_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_pointer (task, dup_remark (data), g_free);
}

static void
judged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RerouteRelayCall *call = user_data;
  g_autofree char *remark = g_task_propagate_pointer (G_TASK (result), NULL);

  reroute_relay_call_reply (call, g_variant_new ("(s)", remark));
}

static gboolean
check_names (const GStrv names, gsize most, GError **error)
{
  if (g_strv_length (names) > most)
    {
      g_set_error (error,
                   REROUTE_ERROR,
                   REROUTE_ERROR_TOO_LARGE,
                   "too many files in one call: wanted at most %" G_GSIZE_FORMAT,
                   most);
      return FALSE;
    }
  for (gsize i = 0; names[i] != NULL; i++)
    if (!reroute_file_name_check (names[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
check_question (const Question *question, const char *shown_to, GError **error)
{
  gsize most = (gsize) reroute_setting_specs ()[REROUTE_SETTING_TLS_CERTIFICATE].maximum;

  if (!question->to_clients && !g_str_equal (shown_to, "hosts"))
    g_set_error (error,
                 REROUTE_ERROR,
                 REROUTE_ERROR_VALUE,
                 "nobody is “%.64s”: wanted “clients” or “hosts”",
                 shown_to);
  else if (question->certificates[0] == NULL)
    g_set_error_literal (error, REROUTE_ERROR, REROUTE_ERROR_VALUE, "no certificate is named");
  else
    return check_names (question->certificates, question->to_clients ? most : 1, error) &&
           check_names (question->keys, question->to_clients ? most : 0, error);
  return FALSE;
}

void
reroute_relay_run_judge_certificates (RerouteRelayCall *call)
{
  Question *question = g_new0 (Question, 1);
  g_autoptr (GTask) task = g_task_new (call->service, NULL, judged_cb, call);
  const char *shown_to;
  GError *error = NULL;

  g_task_set_source_tag (task, reroute_relay_run_judge_certificates);
  g_task_set_task_data (task, question, free_question);
  g_variant_get (
    call->arguments, "(&s^as^as)", &shown_to, &question->certificates, &question->keys);
  question->to_clients = g_str_equal (shown_to, "clients");
  if (check_question (question, shown_to, &error))
    g_task_run_in_thread (task, judge_in_thread);
  else
    reroute_relay_call_fail (call, error);
}
