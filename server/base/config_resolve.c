/* SPDX-License-Identifier: Apache-2.0 */
/* What an option cannot check alone: token files, and options that must fit each other. */
#include <errno.h>
#include <string.h>

#include "server/base/config_secret.h"
#include "server/base/config_value.h"
#include "server/base/loopback.h"

static const struct token {
    enum base_option secret;
    enum base_option file;
} tokens[] = {
    {BASE_OPTION_READ_TOKEN, BASE_OPTION_READ_TOKEN_FILE},
    {BASE_OPTION_WRITE_TOKEN, BASE_OPTION_WRITE_TOKEN_FILE},
    {BASE_OPTION_ADMIN_TOKEN, BASE_OPTION_ADMIN_TOKEN_FILE},
};
#define TOKENS (sizeof tokens / sizeof *tokens)

static const char *text_at(const struct base_config *config, enum base_option option)
{
    size_t count;
    return base_config_text(config, base_options(&count) + option);
}

static bool read_token(struct base_config *config, const struct token *token,
                       struct proto_fault *fault)
{
    size_t count;
    const struct base_option_info *secret = base_options(&count) + token->secret;
    const char *name = (base_options(&count) + token->file)->name;
    const char *path = text_at(config, token->file);
    if (path[0] == '\0') {
        return true;
    }
    if (config->origins[token->secret].kind > BASE_ORIGIN_DERIVED) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, secret->name,
                               "%s and %s are both given; one of them is enough", secret->name,
                               name);
    }
    char line[300];
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, name, "%s: cannot read %s: %s", name, path,
                               strerror(errno));
    }
    bool good = base_secret_check_mode(in, name, path, fault) &&
                base_secret_read_line(in, name, path, line, sizeof line, fault) &&
                base_config_set(config, secret->name, line, BASE_ORIGIN_DERIVED, name, fault);
    fclose(in);
    explicit_bzero(line, sizeof line);
    return good;
}

static bool check_secret(const struct base_config *config, const struct token *token,
                         struct proto_fault *fault)
{
    size_t count;
    const char *name = (base_options(&count) + token->secret)->name;
    size_t bytes = strlen(text_at(config, token->secret));
    return bytes == 0 || bytes >= BASE_TOKEN_BYTES_MIN ||
           proto_fault_set(
               fault, PROTO_BAD_CONFIG, name,
               "%s has %zu bytes and can be guessed: at least %d, such as `openssl rand "
               "-hex 16` prints",
               name, bytes, BASE_TOKEN_BYTES_MIN);
}

/* An address that others can reach must not be open to everyone. */
static bool check_reach(const struct base_config *config, enum base_option option,
                        struct proto_fault *fault)
{
    size_t count;
    const char *name = (base_options(&count) + option)->name;
    const char *host = text_at(config, option);
    if (host[0] == '\0' || base_is_loopback(host) || config->admin_token[0] != '\0' ||
        config->tokens_file[0] != '\0') {
        return true;
    }
    return proto_fault_set(
        fault, PROTO_BAD_CONFIG, name,
        "%s is %s, which others can reach: give tokens_file, or admin_token (and "
        "read_token, write_token), or listen on 127.0.0.1",
        name, host);
}

/* The other ports follow the first where nobody names them, so that two servers on one machine need
 * one option each, and whoever asks for any free port gets as many. */
static bool port_follow(struct base_config *config, enum base_option option, uint64_t behind,
                        struct proto_fault *fault)
{
    char text[16];
    size_t count;
    if (config->origins[option].kind > BASE_ORIGIN_DERIVED) {
        return true;
    }
    uint64_t port =
        config->port == 0 || config->port + behind > UINT16_MAX ? 0 : config->port + behind;
    snprintf(text, sizeof text, "%llu", (unsigned long long)port);
    return base_config_set(config, (base_options(&count) + option)->name, text, BASE_ORIGIN_DERIVED,
                           "port", fault);
}

/* What makes sense together only, or with a certificate only. */
static bool check_tls(struct base_config *config, struct proto_fault *fault)
{
    bool on = config->tls_certificate[0] != '\0';
    if (on != (config->tls_key[0] != '\0')) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, on ? "tls_key" : "tls_certificate",
                               "tls_certificate and tls_key go together: %s is not given",
                               on ? "tls_key" : "tls_certificate");
    }
    if (!on && config->tls_client_ca[0] != '\0') {
        return proto_fault_set(
            fault, PROTO_BAD_CONFIG, "tls_client_ca",
            "tls_client_ca is given without tls_certificate: nothing listens for "
            "TLS");
    }
    if (config->tls_client_ca[0] == '\0' && config->tls_client_names[0] != '\0') {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "tls_client_names",
                               "tls_client_names is given without tls_client_ca: no client shows a "
                               "certificate");
    }
    return !on || (port_follow(config, BASE_OPTION_TLS_PORT, 2, fault) &&
                   check_reach(config, BASE_OPTION_TLS_HOST, fault));
}

static bool check_pair(const char *name, uint64_t value, const char *bound_name, uint64_t bound,
                       struct proto_fault *fault)
{
    if (value >= bound) {
        return true;
    }
    char text[32];
    base_value_print(BASE_TYPE_BYTES, bound, text, sizeof text);
    return proto_fault_set(fault, PROTO_BAD_CONFIG, name, "%s must be at least %s, which is %s",
                           name, bound_name, text);
}

bool base_config_resolve(struct base_config *config, struct proto_fault *fault)
{
    for (size_t i = 0; i < TOKENS; i++) {
        if (!read_token(config, &tokens[i], fault) || !check_secret(config, &tokens[i], fault)) {
            return false;
        }
    }
    for (size_t i = 0; i < TOKENS; i++) {
        for (size_t j = i + 1; j < TOKENS; j++) {
            const char *one = text_at(config, tokens[i].secret);
            if (one[0] != '\0' && strcmp(one, text_at(config, tokens[j].secret)) == 0) {
                return proto_fault_set(fault, PROTO_BAD_CONFIG, "admin_token",
                                       "two roles have the same token; each needs its own");
            }
        }
    }
    if (config->admin_token[0] == '\0' && config->tokens_file[0] == '\0' &&
        (config->read_token[0] != '\0' || config->write_token[0] != '\0')) {
        return proto_fault_set(
            fault, PROTO_BAD_CONFIG, "admin_token",
            "admin_token or tokens_file must be given if read_token or write_token is");
    }
    if (!port_follow(config, BASE_OPTION_HTTP_PORT, 1, fault) || !check_tls(config, fault) ||
        !check_reach(config, BASE_OPTION_HOST, fault) ||
        !check_reach(config, BASE_OPTION_HTTP_HOST, fault)) {
        return false;
    }
    if (config->host[0] == '\0' && config->socket_path[0] == '\0' &&
        config->tls_certificate[0] == '\0') {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "host",
                               "host, socket_path and tls_certificate are all empty: nothing to "
                               "listen on");
    }
    return check_pair("out_bytes_max", config->out_bytes_max, "out_bytes_high",
                      config->out_bytes_high, fault) &&
           check_pair("queue_bytes_max", config->queue_bytes_max, "frame_bytes_max",
                      config->frame_bytes_max, fault) &&
           check_pair("buffers_bytes_max", config->buffers_bytes_max, "frame_bytes_max",
                      config->frame_bytes_max, fault);
}
