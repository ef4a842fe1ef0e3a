/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * examine.c - questions to DNS, and our own addresses, for who examines the relay
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-deliver"

#include "service/relay/deliver/examine.h"

#include "common/error.h"
#include "service/relay/deliver/scheduler-private.h"

typedef struct
{
  RerouteScheduler *scheduler;
  RerouteDnsKind kind;
  char *name;
} Question;

static void
free_question (gpointer data)
{
  Question *question = data;

  g_free (question->name);
  g_free (question);
}

static void
return_variant (GTask *task, GVariant *value)
{
  g_task_return_pointer (task, g_variant_ref_sink (value), (GDestroyNotify) g_variant_unref);
  g_object_unref (task);
}

static void
add_addresses (GVariantBuilder *texts, const RerouteIp *addresses, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      char text[REROUTE_IP_TEXT_OCTETS];
      g_variant_builder_add (texts, "s", reroute_ip_format (&addresses[i], text));
    }
}

/* --- DNS --- */

static void
add_valid (GVariantBuilder *texts, const char *text)
{
  g_variant_builder_add_value (texts, g_variant_new_take_string (g_utf8_make_valid (text, -1)));
}

static void
add_records (GVariantBuilder *texts, const RerouteDnsAnswer *answer)
{
  add_addresses (
    texts, (const RerouteIp *) (gconstpointer) answer->addresses->data, answer->addresses->len);
  for (guint i = 0; i < answer->mx->len; i++)
    add_valid (texts, g_array_index (answer->mx, RerouteMx, i).exchanger);
  for (guint i = 0; answer->txt != NULL && i < answer->txt->len; i++)
    add_valid (texts, answer->txt->pdata[i]);
  for (guint i = 0; answer->names != NULL && i < answer->names->len; i++)
    add_valid (texts, answer->names->pdata[i]);
}

static void
answered (const RerouteDnsAnswer *answer, gpointer user_data)
{
  GVariantBuilder texts;

  g_variant_builder_init (&texts, G_VARIANT_TYPE_STRING_ARRAY);
  if (answer->status == REROUTE_DNS_FAILED)
    add_valid (&texts, answer->reason);
  else
    add_records (&texts, answer);
  return_variant (user_data, g_variant_new ("(uas)", answer->status, &texts));
}

static void
look_up (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Question *question = g_task_get_task_data (task);

  if (question->scheduler->stopping)
    {
      g_task_return_new_error (
        task, REROUTE_ERROR, REROUTE_ERROR_UNAVAILABLE, "the relay is stopping");
      g_object_unref (task);
      return;
    }
  reroute_scheduler_look_up (question->scheduler, question->kind, question->name, answered, task);
}

void
reroute_scheduler_look_up_async (RerouteScheduler *self,
                                 RerouteDnsKind kind,
                                 const char *name,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_return_if_fail (self != NULL && name != NULL);

  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Question *question = g_new (Question, 1);

  *question = (Question){ self, kind, g_strdup (name) };
  g_task_set_source_tag (task, reroute_scheduler_look_up_async);
  g_task_set_task_data (task, question, free_question);
  reroute_worker_post (self->thread, look_up, task);
}

/* --- ourselves --- */

static void
list_addresses (RerouteWorker *thread, gpointer user_data)
{
  GTask *task = user_data;
  Question *question = g_task_get_task_data (task);
  RerouteSelf ourselves = reroute_scheduler_get_self (question->scheduler);
  GVariantBuilder texts;

  g_variant_builder_init (&texts, G_VARIANT_TYPE_STRING_ARRAY);
  add_addresses (&texts, ourselves.addresses, ourselves.n_addresses);
  return_variant (task, g_variant_new ("(as)", &texts));
}

void
reroute_scheduler_list_addresses_async (RerouteScheduler *self,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data)
{
  g_return_if_fail (self != NULL);

  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Question *question = g_new0 (Question, 1);

  question->scheduler = self;
  g_task_set_source_tag (task, reroute_scheduler_list_addresses_async);
  g_task_set_task_data (task, question, free_question);
  reroute_worker_post (self->thread, list_addresses, task);
}
