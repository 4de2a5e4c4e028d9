/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a Host header, which may carry a port, means this machine itself. */
#include <string.h>

#include "server/base/loopback.h"
#include "server/http/http.h"

/* "[::1]:4274" to "::1", "127.0.0.1:4274" to "127.0.0.1"; false if it is too long or malformed. */
static bool strip_port(const char *host, char *out, size_t out_bytes)
{
    const char *end;
    if (host[0] == '[') {
        host++;
        end = strchr(host, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
            return false;
        }
    } else {
        end = strchr(host, ':');
        /* A second colon: an IPv6 address without brackets and port. */
        if (end == NULL || strchr(end + 1, ':') != NULL) {
            end = host + strlen(host);
        }
    }
    size_t bytes = (size_t)(end - host);
    if (bytes == 0 || bytes >= out_bytes) {
        return false;
    }
    memcpy(out, host, bytes);
    out[bytes] = '\0';
    return true;
}

bool http_host_is_loopback(const char *host)
{
    char name[64];
    return strip_port(host, name, sizeof name) && base_is_loopback(name);
}
