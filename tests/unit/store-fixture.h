/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "service/rules/rulebook.h"

G_BEGIN_DECLS

/* A database in a folder of its own. */
typedef struct
{
  char *folder;
  char *path;
  RerouteRulebook *book;
} StoreFixture;

/* The database is not made yet; store_set_up_open() makes it. */
void store_set_up (StoreFixture *f, gconstpointer data);
void store_set_up_open (StoreFixture *f, gconstpointer data);
void store_tear_down (StoreFixture *f, gconstpointer data);

void store_open_book (StoreFixture *f);
void store_reopen_book (StoreFixture *f);

RerouteProposal *
store_propose (RerouteRulebook *book, GPtrArray *changes, gboolean restores, GError **error);

/* @lines: as sample_edit(); by anna, at 1700000000 s */
gboolean store_try_edit (StoreFixture *f, const char *lines, GError **error);
void store_edit (StoreFixture *f, const char *lines);
void store_revert (StoreFixture *f, guint64 serial);

/* @wanted: "connections 2 fwd.test; routing 1 test.com": what is held in memory */
void store_assert_rows (StoreFixture *f, const char *wanted);
const char *store_get_setting (StoreFixture *f, RerouteSettingId id);

G_END_DECLS
