/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "common/codec.h"

G_BEGIN_DECLS

/* Whether @variant is of @type.  Errors: %REROUTE_ERROR_PROTOCOL. */
gboolean reroute_codec_check_type (GVariant *variant, const char *type, GError **error);

G_END_DECLS
