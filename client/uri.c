/* SPDX-License-Identifier: Apache-2.0 */
#include "client/uri.h"

#include <stdlib.h>
#include <string.h>

#define SCHEME_TCP "icp://"
#define SCHEME_TLS "icps://"
#define SCHEME_UNIX "icp+unix:"

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool port_parse(const char *text, struct client_uri *uri, struct proto_fault *fault)
{
    size_t digits = strspn(text, "0123456789");
    bool ends = text[digits] == '\0' || strcmp(text + digits, "/") == 0;
    unsigned long port = digits > 0 && digits <= 5 ? strtoul(text, NULL, 10) : 0;
    if (!ends || port == 0 || port > UINT16_MAX) {
        return proto_fault_set(fault, PROTO_USAGE, "uri",
                               "'%s' is not a port; a port is a number from 1 to 65535", text);
    }
    uri->port = (uint16_t)port;
    return true;
}

static bool host_parse(const char *text, struct client_uri *uri, struct proto_fault *fault)
{
    const char *start = text;
    const char *end = NULL;
    if (*text == '[') {
        start = text + 1;
        end = strchr(start, ']');
        if (end == NULL) {
            return proto_fault_set(fault, PROTO_USAGE, "uri",
                                   "the bracket of the IPv6 address in '%s' is not closed", text);
        }
    }
    size_t bytes = end != NULL ? (size_t)(end - start) : strcspn(start, ":/");
    const char *rest = end != NULL ? end + 1 : start + bytes;
    if (bytes == 0 || bytes > CLIENT_HOST_BYTES_MAX) {
        return proto_fault_set(fault, PROTO_USAGE, "uri",
                               "the host in '%s' must have 1 to %d characters", text,
                               CLIENT_HOST_BYTES_MAX);
    }
    memcpy(uri->host, start, bytes);
    uri->host[bytes] = '\0';
    if (*rest == ':') {
        return port_parse(rest + 1, uri, fault);
    }
    if (*rest != '\0' && strcmp(rest, "/") != 0) {
        return proto_fault_set(fault, PROTO_USAGE, "uri",
                               "'%s' follows the host; only a port such as :%d may", rest,
                               PROTO_PORT);
    }
    return true;
}

static bool hosts_parse(const char *text, bool is_secure, struct client_uri *uris, size_t *count,
                        struct proto_fault *fault)
{
    char part[CLIENT_HOST_BYTES_MAX + 32]; /* a host, brackets, a port, a slash */
    for (;;) {
        size_t bytes = strcspn(text, ",");
        if (*count == CLIENT_HOSTS_MAX) {
            return proto_fault_set(fault, PROTO_USAGE, "uri", "more than %d hosts are named",
                                   CLIENT_HOSTS_MAX);
        }
        if (bytes >= sizeof part) {
            return proto_fault_set(fault, PROTO_USAGE, "uri",
                                   "the host in '%s' must have 1 to %d characters", text,
                                   CLIENT_HOST_BYTES_MAX);
        }
        memcpy(part, text, bytes);
        part[bytes] = '\0';
        uris[*count] = (struct client_uri){.is_secure = is_secure,
                                           .port = is_secure ? PROTO_TLS_PORT : PROTO_PORT};
        if (!host_parse(part, &uris[*count], fault)) {
            return false;
        }
        ++*count;
        if (text[bytes] == '\0') {
            return true;
        }
        text += bytes + 1;
    }
}

bool client_uri_parse(const char *text, struct client_uri uris[CLIENT_HOSTS_MAX], size_t *count,
                      struct proto_fault *fault)
{
    *count = 0;
    if (starts_with(text, SCHEME_TCP)) {
        return hosts_parse(text + strlen(SCHEME_TCP), false, uris, count, fault);
    }
    if (starts_with(text, SCHEME_TLS)) {
        return hosts_parse(text + strlen(SCHEME_TLS), true, uris, count, fault);
    }
    if (starts_with(text, SCHEME_UNIX)) {
        const char *path = text + strlen(SCHEME_UNIX);
        size_t bytes = strlen(path);
        if (bytes == 0 || bytes > CLIENT_PATH_BYTES_MAX) {
            return proto_fault_set(fault, PROTO_USAGE, "uri",
                                   "the path in '%s' must have 1 to %d bytes", text,
                                   CLIENT_PATH_BYTES_MAX);
        }
        uris[0] = (struct client_uri){.is_unix = true};
        memcpy(uris[0].path, path, bytes + 1);
        *count = 1;
        return true;
    }
    return proto_fault_set(fault, PROTO_USAGE, "uri",
                           "'%s' is no URI of icpd; it would be icp://host:port, icps://host:port "
                           "for TLS, or icp+unix:/path",
                           text);
}
