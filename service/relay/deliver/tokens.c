/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tokens.c - access tokens that commands print, and who waits for them
 *
 * The helper (token-helper.c) gets a pipe with each request and writes the answer into it, so there
 * is nothing to sort out between workers: whoever asked first reads the pipe, and hands the answer
 * to all who have asked since.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-tokens"

#include "service/relay/deliver/tokens.h"

#include "common/limits.h"
#include "service/relay/helper-request.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_OCTETS 16384 /* more than an answer has */

/* The tokens of one command and user. */
typedef struct
{
  RerouteTokens *tokens;
  char *command;
  char *user;
  char *token; /* (nullable) */
  gint64 until_us;

  /* A run of the command; on the worker of who asked first. */
  RerouteIo io; /* its descriptor: -1: the command does not run */
  RerouteWorker *worker;
  GByteArray *answer;
  GQueue waiting; /* RerouteTokenRequest */
} Entry;

struct _RerouteTokens
{
  GMutex lock;
  int helper;
  GPtrArray *entries; /* (element-type Entry) */
};

struct _RerouteTokenRequest
{
  RerouteWorker *worker;
  RerouteTokenFunc func; /* NULL: nobody asks any more */
  gpointer user_data;
  char *token;
  char *why;
};

static void
free_secret_text (char *text)
{
  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
}

static void
request_free (RerouteTokenRequest *request)
{
  free_secret_text (request->token);
  g_free (request->why);
  g_free (request);
}

static void
tell_cb (RerouteWorker *worker, gpointer user_data)
{
  RerouteTokenRequest *request = user_data;

  if (request->func != NULL)
    request->func (request->token, request->why, request->user_data);
  request_free (request);
}

/* @token or @why, in a turn of its own. */
static void
tell (RerouteTokenRequest *request, const char *token, const char *why)
{
  request->token = g_strdup (token);
  request->why = g_strdup (why);
  reroute_worker_post (request->worker, tell_cb, request);
}

/* --- a run of the command --- */

/* (nullable) (transfer full): the first line, where it is a token; @kept_s: how long it is good */
static char *
parse_output (const char *text, gint64 *kept_s)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", 3);
  guint64 seconds;
  gboolean good;

  *kept_s = REROUTE_LIMIT_TOKEN_KEPT_S;
  if (lines[0] == NULL)
    return NULL;
  g_strstrip (lines[0]);
  good = *lines[0] != '\0' && strlen (lines[0]) <= REROUTE_LIMIT_TOKEN_OCTETS;
  for (const char *at = lines[0]; good && *at != '\0'; at++)
    good = g_ascii_isgraph (*at);
  if (lines[1] != NULL &&
      g_ascii_string_to_unsigned (g_strstrip (lines[1]), 10, 0, G_MAXINT32, &seconds, NULL))
    *kept_s = (gint64) seconds;
  char *token = good ? g_strdup (lines[0]) : NULL;
  explicit_bzero (lines[0], strlen (lines[0]));
  return token;
}

/* What the helper has answered.  Returns: (nullable) (transfer full): why there is no token */
static char *
take_answer (Entry *entry)
{
  gint64 kept_s;

  g_byte_array_append (entry->answer, (const guint8 *) "", 1);
  const char *text = (const char *) entry->answer->data;
  g_clear_pointer (&entry->token, free_secret_text);
  if (text[0] == REROUTE_HELPER_FAILED && text[1] != '\0')
    return g_utf8_make_valid (text + 1, -1);
  if (text[0] != REROUTE_HELPER_DONE)
    return g_strdup_printf ("the command “%s” was not run: nobody runs it", entry->command);
  entry->token = parse_output (text + 1, &kept_s);
  if (entry->token == NULL)
    return g_strdup_printf ("the first line that the command “%s” prints is no token",
                            entry->command);
  entry->until_us = reroute_worker_now_us (entry->worker) + kept_s * G_USEC_PER_SEC;
  return NULL;
}

static void
close_run (Entry *entry)
{
  close (entry->io.fd);
  entry->io.fd = -1;
  explicit_bzero (entry->answer->data, entry->answer->len);
  g_byte_array_set_size (entry->answer, 0);
}

static void
finish_run (Entry *entry)
{
  RerouteTokens *self = entry->tokens;

  reroute_worker_remove_io (entry->worker, &entry->io);
  g_mutex_lock (&self->lock);
  g_autofree char *why = take_answer (entry);
  close_run (entry);
  for (RerouteTokenRequest *request; (request = g_queue_pop_head (&entry->waiting)) != NULL;)
    tell (request, entry->token, why);
  g_mutex_unlock (&self->lock);
}

static void
read_answer_cb (RerouteIo *io, guint32 events)
{
  Entry *entry = (Entry *) ((char *) io - G_STRUCT_OFFSET (Entry, io));
  guint8 octets[READ_OCTETS];
  gssize n = read (io->fd, octets, sizeof octets);

  if (n > 0 && entry->answer->len < sizeof octets)
    g_byte_array_append (entry->answer, octets, (guint) n);
  else if (n >= 0 || (errno != EAGAIN && errno != EINTR))
    finish_run (entry);
  explicit_bzero (octets, sizeof octets);
}

/* Returns: FALSE when nobody runs commands */
static gboolean
begin_run (RerouteTokens *self, Entry *entry, RerouteWorker *worker)
{
  const char *const words[] = { REROUTE_HELPER_TOKEN, entry->command, entry->user, NULL };
  int answer = reroute_helper_request (self->helper, words);

  if (answer < 0)
    return FALSE;
  entry->worker = worker;
  entry->io = (RerouteIo){ .fd = answer, .events = EPOLLIN, .func = read_answer_cb };
  reroute_worker_add_io (worker, &entry->io);
  return TRUE;
}

/* --- for connections --- */

static Entry *
find_entry (RerouteTokens *self, const RerouteSecret *secret)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      Entry *entry = self->entries->pdata[i];
      if (g_str_equal (entry->command, secret->value) && g_str_equal (entry->user, secret->user))
        return entry;
    }
  Entry *entry = g_new0 (Entry, 1);
  entry->tokens = self;
  entry->command = g_strdup (secret->value);
  entry->user = g_strdup (secret->user);
  entry->io.fd = -1;
  entry->answer = g_byte_array_new ();
  g_ptr_array_add (self->entries, entry);
  return entry;
}

RerouteTokenRequest *
reroute_tokens_ask (RerouteTokens *self,
                    const RerouteSecret *secret,
                    RerouteWorker *worker,
                    RerouteTokenFunc func,
                    gpointer user_data)
{
  g_return_val_if_fail (self != NULL && secret != NULL && worker != NULL && func != NULL, NULL);

  RerouteTokenRequest *request = g_new0 (RerouteTokenRequest, 1);

  *request = (RerouteTokenRequest){ .worker = worker, .func = func, .user_data = user_data };
  g_mutex_lock (&self->lock);
  Entry *entry = find_entry (self, secret);
  if (entry->token != NULL && entry->until_us > reroute_worker_now_us (worker))
    tell (request, entry->token, NULL);
  else if (entry->io.fd >= 0 || begin_run (self, entry, worker))
    g_queue_push_tail (&entry->waiting, request);
  else
    {
      g_autofree char *why = g_strdup_printf ("no token command can be run: %s",
                                              reroute_helper_explain (self->helper, errno));
      tell (request, NULL, why);
    }
  g_mutex_unlock (&self->lock);
  return request;
}

void
reroute_token_request_cancel (RerouteTokenRequest *request)
{
  g_return_if_fail (request != NULL);

  request->func = NULL;
}

void
reroute_tokens_forget (RerouteTokens *self, const RerouteSecret *secret, const char *token)
{
  g_return_if_fail (self != NULL && secret != NULL && token != NULL);

  g_mutex_lock (&self->lock);
  Entry *entry = find_entry (self, secret);
  /* Somebody else may have got another one since. */
  if (g_strcmp0 (entry->token, token) == 0)
    g_clear_pointer (&entry->token, free_secret_text);
  g_mutex_unlock (&self->lock);
}

/* --- life --- */

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  if (entry->io.fd >= 0)
    close_run (entry);
  g_queue_clear_full (&entry->waiting, (GDestroyNotify) request_free);
  g_byte_array_unref (entry->answer);
  free_secret_text (entry->token);
  g_free (entry->command);
  g_free (entry->user);
  g_free (entry);
}

RerouteTokens *
reroute_tokens_new (int helper)
{
  RerouteTokens *self = g_new0 (RerouteTokens, 1);

  g_mutex_init (&self->lock);
  self->helper = helper;
  self->entries = g_ptr_array_new_with_free_func (entry_free);
  return self;
}

void
reroute_tokens_free (RerouteTokens *self)
{
  g_return_if_fail (self != NULL);

  g_ptr_array_unref (self->entries);
  if (self->helper >= 0)
    close (self->helper);
  g_mutex_clear (&self->lock);
  g_free (self);
}
