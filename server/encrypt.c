/* SPDX-License-Identifier: Apache-2.0 */
/* Options become a context where a certificate is named; without one nothing listens for TLS, and
 * that is no fault. */
#include "server/encrypt.h"

bool server_encrypt(const struct base_config *config, struct tls_context **tls,
                    struct proto_fault *fault)
{
    const struct tls_options options = {.certificate = config->tls_certificate,
                                        .key = config->tls_key,
                                        .clients = config->tls_client_ca,
                                        .names = config->tls_client_names};
    *tls = NULL;
    if (config->tls_certificate[0] == '\0') {
        return true;
    }
    *tls = tls_context_create(&options, fault);
    return *tls != NULL;
}
