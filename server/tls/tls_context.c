/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate chain and its key are read and found to belong together; where clients must show
 * who they are, their signers are read too, and each client's certificate is asked for one of the
 * names. What cannot be read is told with the option, the file and OpenSSL's reason, which for a
 * file that is not PEM is "no start line". */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "server/base/config_secret.h"
#include "server/tls/tls_parts.h"

static const char *reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *text = code == 0 ? NULL : ERR_reason_error_string(code);
    return text == NULL ? "it cannot be used" : text;
}

static bool refuse(struct proto_fault *fault, const char *option, const char *path,
                   const char *what)
{
    return proto_fault_set(fault, PROTO_BAD_CONFIG, option, "%s %s: %s", option, path, what);
}

/* That a file can be read is asked first: OpenSSL would say "system lib". A key, like a token, must
 * be nobody else's. */
static bool file_check(const char *option, const char *path, bool secret, struct proto_fault *fault)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return refuse(fault, option, path, strerror(errno));
    }
    bool good = !secret || base_secret_check_mode(file, option, path, fault);
    fclose(file);
    return good;
}

/* A key with a password would ask for it on the terminal. */
static int no_password(char *to, int room, int writing, void *context)
{
    (void)to;
    (void)room;
    (void)writing;
    (void)context;
    return -1;
}

static bool own_load(struct tls_context *context, const struct tls_options *options,
                     struct proto_fault *fault)
{
    SSL_CTX *ssl = context->ssl;
    SSL_CTX_set_default_passwd_cb(ssl, no_password);
    if (!file_check("tls_certificate", options->certificate, false, fault) ||
        !file_check("tls_key", options->key, true, fault)) {
        return false;
    }
    if (SSL_CTX_use_certificate_chain_file(ssl, options->certificate) != 1) {
        return refuse(fault, "tls_certificate", options->certificate, reason());
    }
    bool good = SSL_CTX_use_PrivateKey_file(ssl, options->key, SSL_FILETYPE_PEM) == 1;
    /* A key of the certificate's kind is compared at once, one of another kind by the second. */
    bool other = good ? SSL_CTX_check_private_key(ssl) != 1
                      : ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH;
    return (good && !other) || refuse(fault, "tls_key", options->key,
                                      other ? "it is not the key of tls_certificate" : reason());
}

/* Whether the name is one of a list with commas between; blanks around a name do not count. */
static bool name_listed(const char *names, const char *name, size_t bytes)
{
    for (const char *at = names; *at != '\0';) {
        at += strspn(at, ", ");
        size_t most = strcspn(at, ",");
        size_t used = most;
        while (used > 0 && at[used - 1] == ' ') {
            used--;
        }
        if (used > 0 && used == bytes && strncasecmp(at, name, bytes) == 0) {
            return true;
        }
        at += most;
    }
    return false;
}

static bool alternative_name_listed(const char *names, X509 *certificate)
{
    bool found = false;
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; all != NULL && i < sk_GENERAL_NAME_num(all) && !found; i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
        if (one->type == GEN_DNS || one->type == GEN_EMAIL || one->type == GEN_URI) {
            const ASN1_IA5STRING *text = one->d.ia5;
            found = name_listed(names, (const char *)ASN1_STRING_get0_data(text),
                                (size_t)ASN1_STRING_length(text));
        }
    }
    GENERAL_NAMES_free(all);
    return found;
}

/* After OpenSSL has judged the chain, for each certificate of it; the client's own is at depth 0.
 */
static int client_judge(int good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (good != 1 || X509_STORE_CTX_get_error_depth(store) > 0 || context->names == NULL) {
        return good;
    }
    if (alternative_name_listed(context->names, X509_STORE_CTX_get_current_cert(store))) {
        return 1;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
}

static bool clients_load(struct tls_context *context, const struct tls_options *options,
                         struct proto_fault *fault)
{
    static const unsigned char own[] = "icpd";
    if (options->clients[0] == '\0') {
        return true;
    }
    if (!file_check("tls_client_ca", options->clients, false, fault)) {
        return false;
    }
    STACK_OF(X509_NAME) *signers = SSL_load_client_CA_file(options->clients);
    if (signers == NULL || SSL_CTX_load_verify_file(context->ssl, options->clients) != 1) {
        sk_X509_NAME_pop_free(signers, X509_NAME_free);
        return refuse(fault, "tls_client_ca", options->clients, reason());
    }
    SSL_CTX_set_client_CA_list(context->ssl, signers);
    SSL_CTX_set_session_id_context(context->ssl, own, sizeof own - 1);
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       client_judge);
    if (options->names[0] != '\0') {
        context->names = strdup(options->names);
        if (context->names == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for names of clients");
        }
    }
    return true;
}

struct tls_context *tls_context_create(const struct tls_options *options, struct proto_fault *fault)
{
    struct tls_context *context = calloc(1, sizeof *context);
    ERR_clear_error();
    if (context != NULL) {
        atomic_init(&context->holders, 1);
        context->ssl = SSL_CTX_new(TLS_server_method());
        context->bytes = tls_bytes_method();
    }
    if (context == NULL || context->ssl == NULL || context->bytes == NULL ||
        SSL_CTX_set_min_proto_version(context->ssl, TLS1_3_VERSION) != 1) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for TLS");
        tls_context_drop(context);
        return NULL;
    }
    SSL_CTX_set_app_data(context->ssl, context);
    SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_max_cert_list(context->ssl, TLS_PEER_BYTES_MAX);
    SSL_CTX_set_num_tickets(context->ssl, 1);
    if (!own_load(context, options, fault) || !clients_load(context, options, fault)) {
        tls_context_drop(context);
        context = NULL;
    }
    ERR_clear_error();
    return context;
}

struct tls_context *tls_context_share(struct tls_context *context)
{
    atomic_fetch_add_explicit(&context->holders, 1, memory_order_relaxed);
    return context;
}

void tls_context_drop(struct tls_context *context)
{
    if (context == NULL ||
        atomic_fetch_sub_explicit(&context->holders, 1, memory_order_acq_rel) > 1) {
        return;
    }
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->bytes);
    free(context->names);
    free(context);
}
