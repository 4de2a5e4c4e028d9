/* SPDX-License-Identifier: Apache-2.0 */
/* Numeric addresses are read, the one name that means this machine everywhere is known. */
#include "server/base/loopback.h"

#include <arpa/inet.h>
#include <strings.h>

bool base_is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1) {
        return ntohl(four.s_addr) >> 24 == 127;
    }
    if (inet_pton(AF_INET6, host, &six) == 1) {
        return IN6_IS_ADDR_LOOPBACK(&six);
    }
    return strcasecmp(host, "localhost") == 0;
}
