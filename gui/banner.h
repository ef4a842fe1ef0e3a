/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct
{
  const char *label;  /* (nullable): caption with its mnemonic; there is no such button */
  const char *action; /* of a widget that the banner stands in */
} RerouteBannerButton;

#define REROUTE_BANNER_BUTTONS 2

/* What a banner says; a zeroed one hides it. */
typedef struct
{
  const char *heading;
  const char *text;    /* (nullable): what to do */
  const char *command; /* (nullable): shown after the text, to be typed in a terminal */
  RerouteBannerButton buttons[REROUTE_BANNER_BUTTONS];
} RerouteBannerText;

/**
 * RerouteBanner:
 *
 * The strip above the pages that says what is wrong with the whole and what to do about it.
 */
#define REROUTE_TYPE_BANNER (reroute_banner_get_type ())
G_DECLARE_FINAL_TYPE (RerouteBanner, reroute_banner, REROUTE, BANNER, GtkBox)

void reroute_banner_show (RerouteBanner *self, const RerouteBannerText *text);

G_END_DECLS
