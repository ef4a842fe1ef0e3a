/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

#include "gui/field-error.h"
#include "gui/relay-watch.h"

G_BEGIN_DECLS

/**
 * RerouteCertificateCheck:
 *
 * Asks the relay about the files that are typed in a field, when no key was pressed for a while,
 * and has its remark stand below the field as a warning.  The files are the server's: while the
 * relay is away, or does not tell us, nothing is said.
 */
#define REROUTE_TYPE_CERTIFICATE_CHECK (reroute_certificate_check_get_type ())
G_DECLARE_FINAL_TYPE (
  RerouteCertificateCheck, reroute_certificate_check, REROUTE, CERTIFICATE_CHECK, GObject)

/**
 * reroute_certificate_check_new:
 * @certificates: a file that hosts are shown, or with @keys the text of the setting tls-certificate
 * @keys: (nullable): the text of the setting tls-key
 * @line: of @certificates; it has to live as long as what is returned
 */
RerouteCertificateCheck *reroute_certificate_check_new (RerouteRelayWatch *watch,
                                                        GtkEditable *certificates,
                                                        GtkEditable *keys,
                                                        RerouteFieldError *line);

G_END_DECLS
