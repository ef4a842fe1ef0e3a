/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * alarm-command.c - the program that is told of alarms
 *
 * The relay itself runs no programs: the helper (token-helper.c) does, and ends one that takes too
 * long.
 */

#include "config.h"

#define G_LOG_DOMAIN "reroute-relay"

#include "service/relay/alarm-command.h"

#include "common/limits.h"
#include "service/relay/helper-request.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

#define ANSWER_OCTETS 1024 /* one line, or nothing */

struct _RerouteAlarmCommand
{
  int helper;
  GQueue waiting; /* (element-type GStrv): requests */

  /* of the program that runs */
  int answer; /* -1: none does */
  guint answer_id;
  GString *text;
};

static void begin (RerouteAlarmCommand *self);

static void
end (RerouteAlarmCommand *self)
{
  g_clear_handle_id (&self->answer_id, g_source_remove);
  close (self->answer);
  self->answer = -1;
}

static void
log_failure (RerouteAlarmCommand *self)
{
  g_autofree char *why = NULL;

  if (self->text->len == 0)
    g_warning ("an alarm was not told: the process that runs the command has ended");
  else if (self->text->str[0] == REROUTE_HELPER_FAILED)
    {
      why = g_utf8_make_valid (self->text->str + 1, -1);
      g_warning ("an alarm was not told: %s", why);
    }
}

static gboolean
answer_cb (int fd, GIOCondition condition, gpointer user_data)
{
  RerouteAlarmCommand *self = user_data;
  char octets[ANSWER_OCTETS];
  gssize n = read (fd, octets, sizeof octets);

  if (n > 0 && self->text->len < sizeof octets)
    g_string_append_len (self->text, octets, n);
  if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
    return G_SOURCE_CONTINUE;
  log_failure (self);
  self->answer_id = 0;
  end (self);
  begin (self);
  return G_SOURCE_REMOVE;
}

/* The next one, unless one runs. */
static void
begin (RerouteAlarmCommand *self)
{
  while (self->answer < 0 && self->waiting.length > 0)
    {
      g_auto (GStrv) words = g_queue_pop_head (&self->waiting);

      self->answer = reroute_helper_request (self->helper, (const char *const *) words);
      if (self->answer < 0)
        g_warning ("an alarm was not told: the command “%s” cannot be run: %s",
                   words[1],
                   reroute_helper_explain (self->helper, errno));
    }
  if (self->answer < 0 || self->answer_id != 0)
    return;
  g_string_truncate (self->text, 0);
  self->answer_id = g_unix_fd_add (self->answer, G_IO_IN | G_IO_HUP | G_IO_ERR, answer_cb, self);
}

/* What an argument has room for. */
static char *
dup_argument (const char *text)
{
  g_autofree char *start = g_strndup (text, REROUTE_LIMIT_ALARM_TEXT_OCTETS);
  const char *end = NULL;

  if (!g_utf8_validate (start, -1, &end) && g_utf8_validate (text, -1, NULL))
    start[end - start] = '\0'; /* the cut went through a character */
  return g_steal_pointer (&start);
}

RerouteAlarmCommand *
reroute_alarm_command_new (int helper)
{
  RerouteAlarmCommand *self = g_new0 (RerouteAlarmCommand, 1);

  self->helper = helper >= 0 ? fcntl (helper, F_DUPFD_CLOEXEC, 0) : -1;
  self->answer = -1;
  self->text = g_string_new (NULL);
  g_queue_init (&self->waiting);
  return self;
}

void
reroute_alarm_command_free (RerouteAlarmCommand *self)
{
  g_return_if_fail (self != NULL);

  if (self->answer >= 0)
    end (self);
  if (self->helper >= 0)
    close (self->helper);
  g_queue_clear_full (&self->waiting, (GDestroyNotify) g_strfreev);
  g_string_free (self->text, TRUE);
  g_free (self);
}

void
reroute_alarm_command_tell (RerouteAlarmCommand *self,
                            const char *program,
                            const RerouteAlarm *alarm,
                            gboolean raised)
{
  g_return_if_fail (self != NULL && program != NULL && alarm != NULL);

  const char *const arguments[REROUTE_HELPER_ALARM_WORDS] = {
    reroute_alarm_kind_to_string (alarm->kind),
    raised ? "raised" : "cleared",
    alarm->subject,
    alarm->sentence,
    alarm->advice,
  };
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();

  if (self->waiting.length >= REROUTE_LIMIT_ALARM_WAITING)
    {
      g_warning ("an alarm was not told: too many wait for the command “%s”", program);
      return;
    }
  g_strv_builder_add_many (words, REROUTE_HELPER_ALARM, program, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (arguments); i++)
    {
      g_autofree char *argument = dup_argument (arguments[i]);
      g_strv_builder_add (words, argument);
    }
  g_queue_push_tail (&self->waiting, g_strv_builder_end (words));
  begin (self);
}
