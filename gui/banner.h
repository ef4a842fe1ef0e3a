/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* What a banner says; a zeroed one hides it. */
typedef struct
{
  const char *heading;
  const char *text;    /* (nullable): what to do */
  const char *command; /* (nullable): shown after the text, to be typed in a terminal */
  const char *button;  /* (nullable): caption with its mnemonic */
} RerouteBannerText;

/**
 * RerouteBanner:
 *
 * The strip above the pages that says what is wrong with the whole and what to do about it.
 *
 * Signal "clicked" (): its button.
 */
#define REROUTE_TYPE_BANNER (reroute_banner_get_type ())
G_DECLARE_FINAL_TYPE (RerouteBanner, reroute_banner, REROUTE, BANNER, GtkBox)

void reroute_banner_show (RerouteBanner *self, const RerouteBannerText *text);

G_END_DECLS
