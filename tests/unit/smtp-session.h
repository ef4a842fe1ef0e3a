/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A server machine with an owner that keeps what it is given: for tests of the pure code. */

#pragma once

#include "service/relay/smtp/server.h"

G_BEGIN_DECLS

/* A message that reached the owner. */
typedef struct
{
  RerouteEnvelope *envelope;
  GString *content;
} TestMessage;

typedef struct
{
  RerouteSmtpServer *machine;
  GString *output;     /* everything the machine put out */
  GString *content;    /* of the message that arrives now */
  GPtrArray *messages; /* (element-type TestMessage) */
  guint n_aborted;
  guint n_rejected;     /* replies of 4xx and 5xx that the handler was told of */
  gboolean answer_late; /* the test calls finish_data or finish_auth itself */
  gboolean answer_held; /* what is held is taken at once; else the test answers */
  gboolean store_fails; /* the end of data is answered 452 */
  gboolean offers_etrn;
  gboolean holds_etrn; /* what is held is an ETRN */
  gboolean auth_is_login;
  gboolean auth_has_name;
} TestSession;

/*
 * The owner takes every recipient but those of refused.test (550 5.7.1), later.test (451 4.3.0) and
 * closing.test (421 4.3.2); senders of refused.test are refused at MAIL, and 452 4.3.1 answers DATA
 * from full.test.  It refuses the name refused.test (550 5.7.1), and holds the name held.test,
 * senders and recipients of it, ETRN for it, and XCLIENT that names 192.0.2.67; something waits
 * for test.com and its subdomains, nothing for its subdomain none.test.com.  AUTH PLAIN and LOGIN
 * take "alice" with "secret", LOGIN with any name.
 */
TestSession *test_session_new (const RerouteSmtpServerConfig *config);
void test_session_free (TestSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestSession, test_session_free)

/* In a transaction with one recipient, greeted and with EHLO; a message may have 1,000,000 octets.
   What was put out so far is taken. */
TestSession *test_session_new_in_transaction (gboolean permitted);

/* Feeds until all is taken or nothing more is; gathers output.  Returns: octets taken */
gsize test_session_feed (TestSession *self, const char *octets, gssize length);
void test_session_collect (TestSession *self);
/* What was put out since the last call. */
char *test_session_take_output (TestSession *self);
const TestMessage *test_session_message (const TestSession *self, guint index);

G_END_DECLS
